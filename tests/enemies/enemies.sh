#!/bin/bash
# Unpacking and packing among enemies: another process changes what memfs works in, or has planted something before.
# Whatever comes of it, nothing outside the destination changes, nothing from outside the source is packed, and nothing
# hangs. And the sandbox bites.
#
# With MEMFS_FULL=1 a million entries are unpacked under attack, 20,000 at a time, else 12,000, 4,000 at a time, or
# with MEMFS_FAST 8,000; of 240 planted destinations all, else a share.
# Environment: BUILD, MEMFS_FAST, MEMFS_FULL. The last line is "N passed, N failed, N skipped".
# In memory, where much happens at once.
[ -n "${TMPDIR-}" ] || [ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/../e2e/lib.sh"
enemy=$BUILD/tests/enemies/enemy prisoner=$BUILD/tests/enemies/prisoner
attacker=
end_attacker() {
    [ -z "$attacker" ] || { kill "$attacker" && wait "$attacker"; } 2>/dev/null
    attacker=
}
trap 'end_attacker; finish' EXIT

# What nobody may touch, with all that would tell of it; ctime tells of everything.
seen() { (cd "$1" && find . -printf "%P %y %m %U:%G %s %T@ ${2-%C@ %n} %l\n" | sort && find . -type f -exec cat {} +); }
# An attack goes on until it is ended; then it says how much it did, and all is as it was.
attack() { # how, arguments
    "$enemy" "$@" >.attack &
    attacker=$!
}
attacks() { # what, how many there have to be: where processors are few and busy it comes to its turn a tenth as often
    end_attacker
    read -r rounds wrong <.attack
    echo "tried  $1: $rounds times"
    check "the enemy was at work" test "$rounds" -ge "$2"
}

# ---- Unpacking while directories are exchanged for links that lead out ------------------------

# A tree, and one of the same names outside, in which all that is unpacked would be seen.
# An enemy takes a whole processor as long as it is at work: of a small tree each mode and number of threads has its turn, too.
dirs=10 total=12000
[ -z "${MEMFS_FAST-}" ] || total=8000
[ -z "${MEMFS_FULL-}" ] || dirs=50 total=1000000
make_entries() {
    local i j
    for ((i = 1; i <= dirs; i++)); do
        mkdir -p "$1/$i/sub" || return
        for j in {1..199}; do : >"$1/$i/f$j"; done
        for j in {1..199}; do : >"$1/$i/sub/f$j"; done
        ln "$1/$i/f1" "$1/$i/sub/linked"
        ln -s ../f1 "$1/$i/sub/symbolic"
        mkfifo "$1/$i/fifo"
    done
}
check "make a tree" make_entries tree
for ((i = 1; i <= dirs; i++)); do mkdir -p "outside/$i/sub" && echo canary >"outside/$i/f1" && echo canary >"outside/$i/sub/f1"; done
chmod -R o-w outside && chmod 751 outside/*
check "pack it" "$memfs" pack -q tree
entries=$("$memfs" info --json tree.mfs | grep -o '"entries":[0-9]*' | cut -d: -f2)
check "it has so many entries" test "$entries" -ge $((dirs * 400))
seen outside >.outside
mkdir aside

tried=0 whole=0 refused=0 odd=0
# The destination stays where it is, so that the enemy finds it.
attack swap "$work/copy" "$work/aside" "$work/outside"
while [ $((tried * entries)) -lt "$total" ] || { [ $((whole + refused)) -lt 2 ] && [ "$odd" -lt 5 ]; }; do
    mode=(--into)
    case $((tried % 3)) in
    1) mode=(--into --overwrite) ;;
    2) mode=(--into --skip) ;;
    esac
    mkdir -p copy
    run timeout -k 5 120 "$memfs" unpack -q -j $((tried % 2 + 1)) --all "${mode[@]}" tree.mfs copy
    case $status in
    0) whole=$((whole + 1)) ;;
    4) if grep -qE "put in its place while|not a directory|is in the way|there already|[Nn]o such file|exists|denied|was exchanged|not permitted|[Ss]tale|cannot be" .err; then
        refused=$((refused + 1))
    else
        odd=$((odd + 1)) && cat .err
    fi ;;
    *) odd=$((odd + 1)) && echo "exit code $status" && cat .err ;;
    esac
    tried=$((tried + 1))
    # What is left is the enemy's doing: it is taken away by what does not follow links either.
    mv copy ".old.$tried" && rm -rf ".old.$tried"
done
attacks "directories exchanged during $((tried * entries)) entries, $whole times whole, $refused times given up" 5
check "each time all was unpacked, or it was said what is wrong" test "$odd" = 0
check "nothing outside has changed" diff .outside <(seen outside)
check "nothing is new beside it" only . tree outside tree.mfs aside .outside .attack .out .err .log
rm -rf copy aside/* .old*

# Without the sandbox it is the library alone that holds.
attack swap "$work/copy" "$work/aside" "$work/outside"
for _ in 1 2 3; do
    mkdir -p copy
    run timeout -k 5 120 "$memfs" unpack -q --no-sandbox --all --into tree.mfs copy
    check "without the sandbox it ends well or says why" test "$status" = 0 -o "$status" = 4
    mv copy .old && rm -rf .old
done
attacks "directories exchanged, without the sandbox" 3
check "nothing outside has changed" diff .outside <(seen outside)
rm -rf copy aside/* .old*

# What the attack does to one who follows names: else it would show nothing.
fooled() {
    local i
    attack swap "$work/copy" "$work/aside" "$work/outside"
    for i in {1..40}; do
        mkdir -p copy
        (cd tree && find . -mindepth 1 -maxdepth 2 -type d -exec mkdir -p "$work/copy/{}" \; -exec touch -d @0 "$work/copy/{}/f1" \;) 2>/dev/null
        if ! diff -q .outside <(seen outside) >/dev/null; then break; fi
        rm -rf copy
    done
    end_attacker
    ! diff -q .outside <(seen outside) >/dev/null
}
check "who follows names writes outside" fooled
rm -rf copy aside outside tree tree.mfs .attack .outside

# ---- Destinations in which something is planted -------------------------------------------------

python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
mkdir -p tree/a/b/c outside/b/c && for dir in tree tree/a tree/a/b tree/a/b/c; do echo new >"$dir/file" && ln -s ../../outside/file "$dir/link"; done
ln tree/file tree/a/hard && mkfifo tree/a/fifo && chmod 777 tree/a tree/a/file && touch -d @1 tree/a tree/a/file tree/a/b
echo canary >outside/file && echo canary >outside/hard && echo canary >outside/b/file && cp -r outside .copy && mkdir outside/a && mv .copy outside/a/b
find outside -exec touch -hd @1000000 {} +
check "pack what is to be unpacked" "$memfs" pack -q tree
plant() { # what, where: nothing lies there
    case $1 in
    a-link-to-a-directory) ln -s "$work/outside" "$2" ;;
    a-link-to-a-file) ln -s "$work/outside/file" "$2" ;;
    a-link-to-nothing) ln -s "$work/outside/new" "$2" ;;
    a-hard-link) ln "$work/outside/hard" "$2" ;;
    a-fifo) mkfifo "$2" ;;
    a-socket) ln socket "$2" ;;
    esac
}
# Everything but the number of names, which the destination has one of. There are hundreds of these: two processes.
canary() { find outside -printf "%p %y %m %U:%G %s %T@ %l\n" -type f -exec cat {} +; }
canary >.outside
tries=0 wrong=
for what in a-link-to-a-directory a-link-to-a-file a-link-to-nothing a-hard-link a-fifo a-socket; do
    for where in a a/b a/b/c file a/file a/b/c/file link a/link a/hard a/fifo; do
        for mode in "" --into "--into --overwrite" "--into --skip"; do
            turn 13 "planted destinations" || continue
            rm -rf copy
            parent=copy/$where
            mkdir -p "${parent%/*}"
            plant "$what" "$work/copy/$where"
            # shellcheck disable=SC2086
            run timeout -k 5 20 "$memfs" unpack -q --all $mode tree.mfs copy
            tries=$((tries + 1))
            canary >.now
            cmp -s .outside .now || wrong="$wrong; $what at $where with '$mode': outside has changed"
            case $mode,$where in
            *overwrite,*file | *overwrite,*link | *overwrite,*hard | *overwrite,*fifo)
                [ "$status" = 0 ] && diff -r --no-dereference -x fifo tree copy >/dev/null || wrong="$wrong; $what at $where is not replaced" ;;
            *skip,*file | *skip,*link | *skip,*hard | *skip,*fifo)
                [ "$status" = 0 ] || wrong="$wrong; $what at $where is not left alone" ;;
            *) [ "$status" = 4 ] || wrong="$wrong; $what at $where with '$mode': exit code $status" ;;
            esac
        done
    done
done
echo "$wrong" | tr ';' '\n' >.log
judge "$tries destinations with something planted: refused, replaced or left alone, and nothing outside changes" "$((${#wrong} > 0))" unpack .log
rm -rf copy

# Twice, over itself: links that came out the first time are not followed the second time.
mkdir copy
for mode in "" "--into --overwrite" "--into --overwrite" "--into --skip"; do
    # shellcheck disable=SC2086
    check "again: --all $mode" "$memfs" unpack -q --all $mode tree.mfs copy
    check "the same" diff -r --no-dereference -x fifo tree copy
    check "nothing outside has changed" diff .outside <(canary)
done
rm -rf copy
ln -s outside copy
for mode in "" --into "--into --overwrite" "--into --skip"; do
    # shellcheck disable=SC2086
    expect 4 "is a symbolic link" "$memfs" unpack $mode tree.mfs copy
done
check "nothing outside has changed" diff .outside <(canary)
rm -f copy

# ---- Modes in between ------------------------------------------------------------------------------

rm -rf tree tree.mfs && mkdir tree tree/{1..60} && mkfifo tree/{1..60}/fifo
for file in tree/{1..60}/{1..50}; do echo secret >"$file"; done
find tree ! -type d -exec chmod 640 {} + && find tree -type d -exec chmod 750 {} +
check "pack it" "$memfs" pack -q tree
watched() { # umask, files, directories, options
    mkdir -m 777 copy
    attack watch "$work/copy" "$2" "$3"
    (umask "$1" && for _ in 1 2; do
        "$memfs" unpack -q "${@:4}" --into --overwrite tree.mfs copy || exit
    done)
    check "unpack with umask $1 ${*:4}" test $? = 0
    attacks "modes seen" 50
    check "none was looser than its last one" test "$wrong" = 0
    check "at last they are what they are to be" test -z "$(find copy -mindepth 1 -type f ! -perm "$2" -o -mindepth 1 -type d ! -perm "$3")"
    rm -rf copy
}
watched 000 640 750
watched 077 600 700
watched 000 640 750 --all
watched 077 640 750 --same-modes -j 4
mkdir -m 777 copy && chmod 666 tree/1/1
attack watch "$work/copy" 600 700 # which is not what they get
for _ in 1 2 3; do "$memfs" unpack -q --into --overwrite tree.mfs copy; done
attacks "modes seen" 50
check "looser ones would be seen" test "$wrong" -gt 0
rm -rf copy

# Nothing that gives rights is made without being asked for.
if [ "$root" ]; then
    mkdir odd && touch odd/setuid odd/owned odd/cap && chmod 6755 odd/setuid && chown 12345:12345 odd/owned && mknod odd/device c 1 5
    setfattr -n trusted.memfs -v x odd/cap
    setfattr -n user.memfs -v x odd/cap 2>/dev/null || skip "user attributes" "the filesystem has none"
    check "pack it" "$memfs" pack -q odd
    run "$memfs" unpack -q odd.mfs copy
    check "setuid, owners, devices and trusted attributes are left out" test "$(stat -c '%a %u' copy/setuid copy/owned | tr '\n' ' ')" = "755 0 644 0 " -a ! -e copy/device -a -z "$(getfattr -m trusted copy/cap)"
    check "others are not" test "$(getfattr -m user copy/cap)" = "$(getfattr -m user odd/cap | sed s/odd/copy/)"
    rm -rf copy odd.mfs odd
else
    skip "setuid, owners and devices" "needs root"
fi

# ---- Packing what changes ----------------------------------------------------------------------------

rm -rf tree outside aside tree.mfs && mkdir aside
make_pair() { # directory, text
    local i j
    for i in {1..10}; do
        mkdir -p "$1/$i/sub" || return
        for j in {1..20}; do printf '%s\n' "$2" "$i" "$j" >"$1/$i/f$j" && printf '%s\n' "$2" "$i" "$j" >"$1/$i/sub/f$j"; done
    done
}
make_pair tree inside && make_pair outside SECRET
seen outside >.outside
attack change "$work/tree" "$work/aside" "$work/outside"
packed=0 refused=0 bad=
rounds_wanted=12
[ -z "${MEMFS_FAST-}" ] || rounds_wanted=10
[ -z "${MEMFS_FULL-}" ] || rounds_wanted=400
for ((i = 0; i < rounds_wanted; i++)); do
    rm -f tree.mfs
    mode=(--keep-going)
    [ $((i % 3)) != 2 ] || mode=()
    [ $((i % 2)) = 0 ] || mode+=(--no-sandbox)
    run timeout -k 5 60 "$memfs" pack -q "${mode[@]}" tree tree.mfs
    case $status in
    0 | 1) packed=$((packed + 1)) ;;
    4) refused=$((refused + 1)) ;;
    *) bad="$bad; exit code $status" ;;
    esac
    grep -vaE '^memfs: tree/?.*: .*(changed|vanished|cannot be|can be opened no more|is no name)' .err >.odd && bad="$bad; $(head -n 1 .odd)"
    [ -e tree.mfs ] || continue
    "$memfs" verify -q tree.mfs || bad="$bad; the image is damaged"
    "$memfs" find tree.mfs . -type f -print0 | xargs -0 -r "$memfs" cat tree.mfs >.contents || bad="$bad; it cannot be read"
    ! grep -aq SECRET .contents || bad="$bad; contents from outside are in it"
done
attacks "files changed while $packed images were made, and $refused were not" 100
check "all was put back" test "$wrong" = 0
echo "$bad" | tr ';' '\n' >.log
judge "each time it came to an end, with an intact image of what lies inside, or said why not" "$((${#bad} > 0))" pack .log
check "some were made" test "$packed" -gt 0
check "nothing outside has changed" diff .outside <(seen outside)
mkfifo tree/fifo tree/1/fifo
check "a FIFO does not block" timeout 20 "$memfs" pack -q -f tree tree.mfs
check "it is in the image" test "$("$memfs" find tree.mfs -type p | wc -l)" = 2
check "nor as a source of its own" timeout 20 "$memfs" pack -q -f tree/fifo tree/1 some.mfs

# ---- The sandbox -----------------------------------------------------------------------------------------

# What the prisoner says of each attempt is a case of its own.
imprison() { # how many attempts there have to be, arguments
    local verdict what tried=0
    while read -r verdict what; do
        case $verdict in
        ok) tried=$((tried + 1)) && check "prisoner $2: $what" true ;;
        skip) skip "prisoner $2" "the kernel has no $what" ;;
        *) check "prisoner $2: $verdict $what" false ;;
        esac
    done < <("$prisoner" "${@:2}" 2>&1)
    check "prisoner $2 came to his end" test "$tried" -ge "$1"
}
# Of a process: a line of what the kernel tells.
fact() { # process, which: no other process is started for it
    local name value
    while IFS=$':\t' read -r name value; do [ "$name" != "$2" ] || echo "$value"; done <"/proc/$1/status"
} 2>/dev/null
has_seccomp() { [ -n "$(fact self Seccomp)" ] && grep -qw errno /proc/sys/kernel/seccomp/actions_avail 2>/dev/null; }
mkdir prison && echo secret >victim
if has_seccomp; then
    imprison 24 reading "$work/victim"
    imprison 26 files "$work/prison" "$work/victim"
else
    skip "prisoner reading" "the kernel has no seccomp"
fi
imprison 8 writing "$work/prison" "$work/victim"
check "the victim is unhurt" test "$(cat victim)" = secret
check "nothing was made beside it" test -z "$(find . -maxdepth 1 -name 'victim?*')"

# Each subcommand, while it waits for the image's first byte.
mkfifo waiting
held= # a process that waits
hold() { # command
    "$@" <waiting >.out 2>.err &
    held=$!
    exec 9>waiting
}
until_fact() { # fact, value: it comes, or the process ends, or a minute is over
    local i
    for ((i = 0; i < 6000; i++)); do
        [ "$(fact "$held" "$1")" != "$2" ] || return 0
        [ -e "/proc/$held" ] || return 1
        sleep 0.01
    done
    return 1
}
let_go() {
    exec 9>&-
    wait "$held"
    status=$?
}
"$memfs" pack -q -f prison small.mfs
if has_seccomp; then
    for command in "ls -" "ls -l -" "tree -" "cat - x" "find -" "du -" "hash -" "info -" "verify -" "verify - small.mfs" "diff - small.mfs" "diff - prison"; do
        # shellcheck disable=SC2086
        hold "$memfs" $command
        check "memfs $command is behind a filter before it reads" until_fact Seccomp 2
        let_go
        check "and says that nothing is no image" test "$status" = 3
    done
    hold "$memfs" ls --no-sandbox -
    check "--no-sandbox: it is not" test "$(fact "$held" Seccomp)" = "$(fact self Seccomp)"
    let_go
else
    skip "subcommands behind a filter" "the kernel has no seccomp"
fi
for command in "unpack - copy" "diff -U 3 - small.mfs" "info --html page.html -"; do
    # shellcheck disable=SC2086
    hold "$memfs" $command
    check "memfs $command gets no new rights" until_fact NoNewPrivs 1
    let_go
    check "and says that nothing is no image" test "$status" = 3
done
check "nothing was made" test ! -e copy -a ! -e page.html

# Somebody exchanges the destination before the image comes: only the one that was there may be written to.
exchanged() { # options: sets status
    mkdir copy && hold "$memfs" unpack -q "$@" - copy
    until_fact NoNewPrivs "$(("$#" == 0))"
    mv copy moved && mkdir copy
    cat tree.mfs >&9
    let_go
    ls -A copy moved >.log
}
if "$prisoner" writing "$work/prison" "$work/victim" | grep -q '^skip'; then
    skip "a destination that is exchanged" "the kernel has no Landlock"
else
    exchanged
    check "an exchanged destination is not written to" test "$status" = 4 -a -z "$(ls -A copy)"
    check "it is said" grep -qi "permission denied" .err
    rm -rf copy moved
fi
exchanged --no-sandbox
check "--no-sandbox: it is" test "$status" = 0 -a -n "$(ls -A copy)"
rm -rf copy moved
check "ls -l names owners" test "$("$memfs" ls -l tree.mfs | sed 1q | awk '{ print $3 }')" = "$(stat -c %U tree/1)"
done_testing
