#!/bin/bash
# Unpacking parts, into what is there, and what is said of it.
. "$(dirname "$0")/lib.sh"

same_tree() { compare --unprivileged "$@"; }
check "make the tree with everything" "$make_tree" --files 100 --huge 1000000 tree
# But for what tar does not know.
chmod -R u+rwx tree
rm -rf tree/beyond-path-max tree/deep/d/d/d/d tree/hard-links/below/fifo-2 tree/hard-links/below/device-2
find tree -type s -delete
check "pack it" "$memfs" pack tree

# What tar makes of the same paths: names on standard input.
archive() { tar -C tree --format=posix --xattrs --no-recursion --null -T - -cf "$1" 2>/dev/null; }
extract() { tar -x --same-permissions --xattrs -f "$@" 2>.tar && narrow; }
# It gives the group of a file without its ACL what the ACL gave others at most.
narrow() { find want \( -path '*xattrs/acl' -o -path '*xattrs/acl-dir' \) -exec chmod g=r '{}' +; }
# It does not give all directories their times when files come behind them.
give_times() { (cd "$2" && find . -type d -print0) | while IFS= read -rd '' path; do touch -r "$1/$path" "$2/$path"; done; }
# Directories that were there have times of their own.
even() { find "$@" -type d -exec touch -d '2000-01-01' '{}' +; }
no_temporary() { test -z "$(find "$@" -name '.memfs-*' -print -quit)"; }
# What a directory holds, as far as a test may change it.
state() { (cd "$1" && find . -printf '%P %y %i %s %m %T@ %l\n' | sort); }
key() { grep -o "\"$1\":[^,}]*" .out | tail -n 1 | cut -d : -f 2; }
names() { echo $(($(key files) + $(key links))); }

# ---- Parts ----
# part NAME COMMAND...: unpacks what --only takes, the options behind; the command
# lists the same paths below tree, each with its parents, with NUL.
part() {
    local name=$1
    shift
    turn 2 "parts" || return
    mkdir -p want
    archive .part.tar && extract .part.tar -C want && give_times tree want
    run "$memfs" unpack -q --same-modes "$@" tree.mfs some
    check "unpack $name" test "$status" = 0 -a ! -s .err
    even want some -maxdepth 0
    check "the same as tar's" same_tree want some
    chmod -R u+rwx want some
    rm -rf want some
}
below() { (cd tree && find "$@" -print0); }
with_parents() { (cd tree && for path; do
    printf '%s\0' "$path"
    while [[ $path = */* ]]; do
        path=${path%/*}
        printf '%s\0' "$path"
    done
done | sort -zu); }
part "one directory" --only hard-links < <(below hard-links)
part "a directory's directory" --only hard-links/below < <(below hard-links -path hard-links -o -path 'hard-links/below*')
part "one file" --only types/file < <(with_parents types/file)
part "a symbolic link itself" --only symlinks/to-directory < <(with_parents symlinks/to-directory)
part "an odd path" --only /types/../symlinks//./loop < <(with_parents symlinks/loop)
part "two at once" --only times --only types < <(below times types)
part "a pattern" --only 'hard-links/f*' < <(with_parents hard-links/file-1 hard-links/file-2 hard-links/fifo-1)
part "a pattern at any depth" --only '**/fifo*' < <(cd tree && find . -name 'fifo*' -printf '%P\n' | sort | while IFS= read -r path; do printf '%s\n' "$path"; done | (
    mapfile -t paths
    cd .. && with_parents "${paths[@]}"
))
part "a part of what is there twice" --only 'hard-links' --only 'hard-links/b*' < <(below hard-links)
run "$memfs" unpack -q --same-modes --only '**' tree.mfs some
check "everything by a pattern" same_tree tree some
rm -rf some
run "$memfs" unpack -q --same-modes --only / tree.mfs some
check "everything by its path" same_tree tree some
rm -rf some
mkdir stars && echo 1 >'stars/a*' && echo 2 >stars/ab && echo 3 >$'stars/new\nline' && echo 4 >$'stars/bad\377'
ln -s . stars/here
check "pack odd names" "$memfs" pack stars
"$memfs" unpack -q --only 'a*' stars.mfs some
check "a name is meant before a pattern" only some 'a*'
rm -rf some
"$memfs" unpack -q --only 'a\*' --only '[!ah]*' stars.mfs some
check "a star can be quoted" test ! -e some/ab -a -e 'some/a*' -a -e $'some/new\nline' -a -e $'some/bad\377'
rm -rf some
"$memfs" unpack -q --only here/ab stars.mfs some
check "links on the way are followed" only some ab
rm -rf some
expect 1 "^memfs: tree.mfs: nowhere: nothing in the image" "$memfs" unpack --only nowhere tree.mfs some
check "nothing is made" test ! -e some
expect 1 "^memfs: tree.mfs: no\*where: nothing in the image" "$memfs" unpack -q --only 'no*where' --only types/file tree.mfs some
check "but what is there" test -f some/types/file
rm -rf some
expect 2 "only \[a: is no pattern" "$memfs" unpack --only '[a' tree.mfs some
expect 2 "only '': " "$memfs" unpack --only '' tree.mfs some
expect 2 'only a\\\\: is no pattern: .* or a backslash at the end of a name' "$memfs" unpack --only 'a\' tree.mfs some
check "nothing is made" test ! -e some

# ---- Fewer components ----
stripped() { # N, paths
    turn 2 "paths with fewer components" || return
    mkdir want
    extract all.tar -C want --strip-components="$1" "${@:2}"
    local parts=("${@:2}")
    run "$memfs" unpack -q --same-modes --strip-components "$1" "${parts[@]/#/--only=}" shell.mfs some
    check "--strip-components $1" test "$status" = 0 -a ! -s .err
    even want some -maxdepth 0
    check "the same as tar's" same_tree want some
    chmod -R u+rwx want some
    rm -rf want some
}
mkdir shell && mv tree shell/inner && mkdir shell/other && echo x >shell/file
check "pack it in a directory" "$memfs" pack shell
tar -C shell --format=posix --xattrs -cf all.tar inner other file 2>/dev/null
mv shell/inner tree
stripped 1 inner
stripped 1 inner/types inner/symlinks file
stripped 2 inner/hard-links inner/times
stripped 3 inner/deep
run "$memfs" unpack -q --strip-components 1 --only inner/hard-links shell.mfs some
check "--only is about the image's paths" only some hard-links
check "links are links" test "$(stat -c %h some/hard-links/file-1)" = "$(stat -c %h tree/hard-links/file-1)"
rm -rf some
run "$memfs" unpack -v --strip-components 1 --only inner/hard-links shell.mfs some
check "-v lists what is made" diff <(cd some && find . -mindepth 1 -printf '%P\n' | sort) <(sort .out)
rm -rf some
expect 1 "some: is empty: no path has more than 100000 components" "$memfs" unpack --strip-components 100000 shell.mfs some
rm -rf some
mkdir -p twice/one/dir twice/two/dir && touch twice/one/file twice/two/file
"$memfs" pack twice
expect 4 "two/dir: without its leading components it has the same path as one of 'one'" "$memfs" unpack --strip-components 1 twice.mfs some
rm -r twice/two/dir && "$memfs" pack -f twice
expect 4 "two/file: without its leading components it has the same path as one of 'one'" "$memfs" unpack --strip-components 1 twice.mfs some
check "nothing is made" test ! -e some
check "unless it is left out" "$memfs" unpack -q --strip-components 1 --only one twice.mfs some
check "then it is the one that is taken" only some dir file
rm -rf some

# ---- Into what is there ----
# A destination as it may be: parts are missing, are other things, or are more.
spoil() {
    rm -rf "$1"
    mkdir "$1"
    (cd tree && tar --format=posix --xattrs -cf - hard-links symlinks times 2>/dev/null) | tar -x --same-permissions -f - -C "$1" 2>/dev/null
    (
        cd "$1" && chmod -R u+rwX . && echo mine >hard-links/mine && echo changed >hard-links/file-1.new && mv hard-links/file-1.new hard-links/file-1
        rm hard-links/below/a-third-name symlinks/loop && mkdir types && ln -s ../hard-links/mine types/file && echo x >types/fifo && chmod 700 types
    )
    touch -hd '2001-01-01' "$1"/hard-links/mine "$1"/hard-links/file-1 "$1"/types/fi*
}
mkdir list && tar -C tree --format=posix --xattrs -cf tree.tar . 2>/dev/null
spoil into
state into >before
expect 4 "^memfs: into: .* is there already: File exists; --overwrite replaces such files, --skip leaves them" "$memfs" unpack --into tree.mfs into
check "nothing is changed" diff before <(state into)
# overwritten THREADS: all that is a file in the image replaces what is there.
overwritten() {
    local jobs=$1
    spoil into && spoil want
    run "$memfs" unpack -q --same-modes --into --overwrite -j "$jobs" tree.mfs into
    check "--overwrite" test "$status" = 0 -a ! -s .err
    extract tree.tar --no-overwrite-dir -C want
    even into want
    check "the same as tar's" same_tree want into
    check "what was there only stays" test "$(cat into/hard-links/mine)" = mine
    check "a directory that was there keeps its mode" test "$(stat -c %a into/types)" = 700
    check "no temporary file stays" no_temporary into
    state into | awk '$2 != "d"' >before
    run "$memfs" unpack -q --same-modes --into --skip -j "$jobs" tree.mfs into
    check "--skip has nothing to do then" test "$status" = 0 -a ! -s .err
    check "and does nothing" diff before <(state into | awk '$2 != "d"')
    run "$memfs" unpack --json --same-modes --into --overwrite -j "$jobs" tree.mfs into
    check "--overwrite once more replaces all" test "$status $(key replaced)" = "0 $(names)" -a "$(key directories)" = 0
    even into
    check "it is the same again" same_tree want into
}
# skipped THREADS: what is there stays.
skipped() {
    local jobs=$1
    spoil into && spoil want
    run "$memfs" unpack -q --same-modes --into --skip -j "$jobs" tree.mfs into
    check "--skip" test "$status" = 0 -a ! -s .err
    extract tree.tar --skip-old-files -C want
    even into want
    # tar links to the first name that is there; here the new names are of the new file.
    rm -rf want/hard-links into/hard-links/below/a-third-name
    check "what was there is as it was" test "$(cat into/hard-links/file-1) $(cat into/hard-links/mine)" = "changed mine"
    rm -rf into/hard-links
    even into want
    check "the rest is the same as tar's" same_tree want into
}
ways=(overwritten\ 4 skipped\ 1)
[ -z "${MEMFS_FULL:-}" ] || ways+=(overwritten\ 1 skipped\ 4)
for way in "${ways[@]}"; do $way; done
echo "tried  into what is there, by numbers of threads: ${#ways[@]} of 4"
rm -rf want

# A fresh copy, twice, by each policy.
"$memfs" unpack -q tree.mfs fresh
state fresh >before
expect 4 "is there already" "$memfs" unpack --into tree.mfs fresh
check "a second time is refused" diff before <(state fresh)
rm -rf fresh/types
"$memfs" unpack -q --into tree.mfs fresh --only types
check "a part that is missing is put back without more ado" "$memfs" unpack -q --into --skip tree.mfs fresh
"$memfs" unpack -q tree.mfs other
even fresh other
check "all is there" same_tree fresh other
chmod -R u+rwx fresh other && rm -rf fresh other

# What is no file is in the way.
mkdir -p simple/dir && echo new >simple/file && echo inner >simple/dir/inner && ln -s nowhere simple/link
"$memfs" pack simple
for how in "" --overwrite --skip; do
    mkdir -p dest/file/below && echo old >dest/other
    state dest >before
    # shellcheck disable=SC2086
    expect 4 "^memfs: dest: file: is a directory there, and a file of another type in the image: .*; move it away" "$memfs" unpack --into $how simple.mfs dest
    check "nothing is changed" diff before <(state dest)
    rm -rf dest && mkdir dest && echo old >dest/dir
    # shellcheck disable=SC2086
    expect 4 "^memfs: dest: dir: is a directory in the image only.*; move it away" "$memfs" unpack --into $how simple.mfs dest
    check "nothing is changed" test "$(cat dest/dir)" = old -a ! -e dest/file
    mkdir outside && rm dest/dir && ln -s ../outside dest/dir
    # shellcheck disable=SC2086
    expect 4 "^memfs: dest: dir: is a symbolic link there, which is not followed" "$memfs" unpack --into $how simple.mfs dest
    check "nothing is written through it" only outside
    rm -rf dest outside
done
mkdir dest outside && echo outside >outside/file && ln -s ../outside/file dest/file && ln -s ../outside dest/link && ln outside/file dest/second
check "--overwrite of links" "$memfs" unpack -q --into --overwrite simple.mfs dest
check "the links themselves are replaced" test "$(cat dest/file) $(readlink dest/link)" = "new nowhere" -a ! -L dest/file
check "not what they lead to" test "$(cat outside/file dest/second | tr '\n' ' ')" = "outside outside " -a "$(ls -A outside)" = file
rm -rf dest
mkdir dest && ln -s ../outside/file dest/file
check "--skip of links" "$memfs" unpack -q --into --skip simple.mfs dest
check "leaves them" test -L dest/file -a "$(cat outside/file)" = outside
rm -rf dest outside

# Options that make no sense.
expect 2 "overwrite and --skip" "$memfs" unpack --into --overwrite --skip simple.mfs new
expect 2 "overwrite: only with --into" "$memfs" unpack --overwrite simple.mfs new
expect 2 "skip: only with --into" "$memfs" unpack --skip simple.mfs new
expect 2 "strip-components 0: must be" "$memfs" unpack --strip-components 0 simple.mfs new
expect 2 "strip-components x: not a number" "$memfs" unpack --strip-components x simple.mfs new
expect 2 "max-depth 18446744073709551616: not a number" "$memfs" unpack --max-depth 18446744073709551616 simple.mfs new
check "nothing is made" test ! -e new
check "--into a directory that is new" "$memfs" unpack -q --into --overwrite simple.mfs new
check "all is there" test "$(cat new/file new/dir/inner | tr '\n' ' ')" = "new inner "
rm -rf new

# Places that cannot be written to, or hold too little.
old_is_whole() { cmp "$work/old" mounted/dest/file && no_temporary mounted && only mounted/dest dir file && only mounted/dest/dir; }
mkdir mounted
if [ "$root" ] && mount -t tmpfs -o size=1m tmpfs mounted 2>/dev/null; then
    head -c 600000 /dev/urandom >old
    head -c 600000 /dev/urandom >simple/file
    "$memfs" pack -f simple
    mkdir -p mounted/dest/dir && cp old mounted/dest/file
    for jobs in 1 4; do
        expect 4 "mounted/dest: file: .*No space left" "$memfs" unpack -j "$jobs" --into --overwrite simple.mfs mounted/dest
        check "the old file is whole" old_is_whole
    done
    mount -o remount,ro mounted
    expect 4 "mounted/dest: .*ead-only" "$memfs" unpack --into --overwrite simple.mfs mounted/dest
    check "the old file is whole" old_is_whole
    mount -o remount,rw mounted
    : >mounted/dest/file
    check "with room enough" "$memfs" unpack -q --into --overwrite simple.mfs mounted/dest
    check "it is replaced" cmp simple/file mounted/dest/file
    umount mounted
    mkdir -p dest/dir
    mount -t tmpfs tmpfs dest/dir
    expect 4 "dest: dir: is mounted there" "$memfs" unpack --into --overwrite simple.mfs dest
    check "nothing is written" test ! -e dest/file
    umount dest/dir
    rm -rf dest
else
    skip "a full disk, a read-only place, a mount" "no tmpfs can be mounted here"
fi
check "--sync" "$memfs" unpack -q --sync --into simple.mfs synced
check "all is there" diff -r --no-dereference simple synced
check "--sync --overwrite" "$memfs" unpack -q --sync --into --overwrite simple.mfs synced
check "all is there" diff -r --no-dereference simple synced

# ---- What is said ----
run "$memfs" unpack -v tree.mfs said
(cd said && find . -mindepth 1 -printf '%P\n') >.want
check "-v lists all that was made" diff -a <(sort .want) <(sort .out)
rm -rf ordered && mkdir -p ordered/a/z ordered/a.b ordered/b && touch ordered/a/{1,2,z/3} ordered/a.b/4 ordered/{ab,b/5,c} && ln -s x ordered/a/0
ln ordered/c ordered/b/0
"$memfs" pack ordered && run "$memfs" unpack -v -j 4 ordered.mfs ordered-again
check "in the order of paths" diff <(printf '%s\n' a a/0 a/1 a/2 a/z a/z/3 a.b a.b/4 ab b b/0 b/5 c) .out
rm -rf said/types said/times && "$memfs" unpack -q --only types/file --into tree.mfs said
run "$memfs" unpack -v --into --skip tree.mfs said
check "and nothing that was there" diff -a <(grep -aE '^(types|times)(/|$)' .want | grep -avx 'types\|types/file' | sort) <(sort .out)
run "$memfs" unpack -v --json --into --overwrite tree.mfs said
check "-v --json: an object each, and one for all" test "$(wc -l <.out)" = $(($(find said ! -type d -printf 'x\n' | wc -l) + 1))
check "they say what was replaced" test "$(grep -c '^{"path.*"replaced":true}$' .out)" = "$(key replaced)"
chmod -R u+rwx said && rm -rf said
run "$memfs" unpack --json tree.mfs said
check "--json: one object" test "$(wc -l <.out)" = 1
check "directories" test "$(key directories)" = "$(find said -mindepth 1 -type d -printf x | wc -c)"
check "files, and further names" test "$(names)" = "$(find said ! -type d -printf x | wc -c)"
check "files" test "$(key files)" = "$(find said ! -type d -printf '%i\n' | sort -u | wc -l)"
[ ! "$root" ] || check "devices that are left out" test "$(key devices)" = "$(find tree -type b -printf x -o -type c -printf x | wc -c)"
[ ! "$root" ] || check "owners that are left out" test "$(key owners)" = true
chmod -R u+rwx said && rm -rf said
into_full() { "$memfs" unpack -v --same-modes stars.mfs said >/dev/full; }
expect 4 "^memfs: standard output: No space left on device" into_full
expect 0 "" "$memfs" diff --brief stars.mfs said
chmod -R u+rwx said && rm -rf said
run "$memfs" unpack -v --json stars.mfs said
check "names with newlines and worse" grep -q '"path":"new\\u000aline"' .out
check "in base64 if they are no text" grep -q "\"path_base64\":\"$(printf 'bad\377' | base64)\"" .out
if command -v python3 >/dev/null; then
    check "it is JSON" python3 -c 'import json, sys; [json.loads(line) for line in sys.stdin]' <.out
fi
rm -rf said
run "$memfs" unpack -v stars.mfs said
check "raw in a pipe" grep -qx 'line' .out
to_full() { "$memfs" unpack -v --into --skip stars.mfs said >/dev/full; }
rm said/ab
expect 4 "standard output: No space left" to_full
rm -rf said
mkdir long && (cd long && name=$(printf 'n%.0s' {1..200}) && for ((i = 0; i < 600; i++)); do : >"$name$i"; done)
"$memfs" pack long
head_of() { "$memfs" unpack -v long.mfs said | head -n 1 >.head; echo "${PIPESTATUS[0]}" >.code; }
run head_of
check "a reader that has had enough: silence" test ! -s .err
check "death by SIGPIPE" test "$(cat .code)" = 141
# It may have been noticed when all was done.
check "all is there, or nothing" test ! -e said -o "$(find said -type f -printf x 2>/dev/null | wc -c)" = 600
rm -rf said
if [ "$root" ]; then
    expect 0 "^memfs: said: unpacked without what is left out by default: owners, .*devices, .*; --all restores it$" "$memfs" unpack tree.mfs said
    chmod -R u+rwx said && rm -rf said
fi
if script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
    script -qec "$memfs unpack stars.mfs said" .typescript >.tty 2>&1 </dev/null
    check "on a terminal a last line says what was written" grep -q '^memfs: said: 6 files and directories in 8 bytes, 0:0' .tty
    script -qec "$memfs pack -f stars" .typescript >.tty 2>&1 </dev/null
    check "in the words of pack" grep -q '^memfs: stars.mfs: 6 files and directories in .*, 0:0' .tty
    rm -rf said
    script -qec "$memfs unpack -v stars.mfs said" .typescript >.tty 2>&1 </dev/null
    check "names are escaped there" grep -q 'new\\nline' .tty
    rm -rf said
fi

# ---- Budgets ----
expect 4 "^memfs: tree.mfs: [^:/]*/[^:/]*: lies more than 1 directories deep; --max-depth=N allows N$" "$memfs" unpack --max-depth 1 tree.mfs said
expect 4 "^memfs: tree.mfs: has [0-9.]* [KM]iB of contents, and --max-bytes is 16K; nothing was made" "$memfs" unpack --max-bytes 16K tree.mfs said
expect 4 "^memfs: tree.mfs: more contents and attributes are to be written than --max-bytes 1; nothing was made" "$memfs" unpack --max-bytes 1 --only types tree.mfs said
expect 4 "^memfs: tree.mfs: more entries are to be made than --max-entries 1; nothing was made" "$memfs" unpack --max-entries 1 --only types tree.mfs said
check "nothing is made" test ! -e said
check "what is not taken does not count" "$memfs" unpack -q --max-depth 1 --max-entries 3 --max-bytes 4 --only ab --only 'a*' --only here stars.mfs said
rm -rf said

# ---- Leaving out, and only looking ----
mkdir -p rules/src/deep rules/doc && echo 1 >rules/src/a.c && echo 2 >rules/src/a.o && echo 3 >rules/src/deep/b.o &&
    echo 4 >rules/doc/a.o && echo 5 >rules/keep && ln rules/keep rules/src/keep
check "pack what rules are for" "$memfs" pack rules
listed() { # what, expected names, options
    turn 2 "lists of what would be made" || return
    local what=$1 want=$2
    shift 2
    run "$memfs" unpack -n "$@" rules.mfs some
    cp .out .listed
    check "-n $what" test "$status" = 0 -a ! -s .err -a ! -e some
    check "lists what is wanted" diff <(printf '%s\n' $want) .listed
    "$memfs" unpack -v "$@" rules.mfs some >.made
    check "as -v lists it" cmp .listed .made
    rm -rf some
}
listed "of everything" "doc doc/a.o keep src src/a.c src/a.o src/deep src/deep/b.o src/keep"
listed "--exclude of a name" "doc keep src src/a.c src/deep src/keep" --exclude '*.o'
listed "--exclude of a directory" "doc doc/a.o keep" --exclude /src
listed "--exclude that takes back" "doc keep src src/a.c src/a.o src/deep src/keep" --exclude '*.o' --exclude '!src/a.o'
listed "--exclude of what --only takes" "src src/a.c src/deep src/keep" --only src --exclude '*.o'
listed "--only of a file, and --exclude" "doc doc/a.o src" --only 'src' --only doc/a.o --exclude 'src/*'
listed "--exclude and --strip-components" "a.c deep keep" --strip-components 1 --exclude '*.o'
printf '# objects\n*.o\n' >.rules
listed "--exclude-from" "doc keep src src/a.c src/deep src/keep" --exclude-from .rules
expect 1 "some: is empty: what is excluded is all there is" "$memfs" unpack --exclude '*' rules.mfs some
expect 1 "some: gets nothing: what is excluded is all there is" "$memfs" unpack --into --exclude '*' rules.mfs some
rm -rf some
expect 2 "unpack: --exclude '': matches nothing" "$memfs" unpack --exclude '' rules.mfs some
from_input() { "$memfs" unpack --exclude-from - - some <rules.mfs; }
expect 2 "standard input can be read only once" from_input
expect 4 "/dev/zero: has a line of more than 1M: is it a list of rules" "$memfs" unpack --exclude-from /dev/zero rules.mfs some
check "nothing is made" test ! -e some
mkdir some && echo old >some/keep
run "$memfs" unpack -n --json --into --overwrite rules.mfs some
check "-n says what would be replaced" grep -q '"path":"keep","type":"file","size":2,"replaced":true' .out
check "how many" test "$(key replaced)" = 1 -a "$(key files)" = 5 -a "$(key links)" = 1
check "and replaces nothing" test "$(cat some/keep)" = old -a "$(ls some)" = keep
run "$memfs" unpack -n --json --into --skip rules.mfs some
check "what would be skipped" test "$(key skipped)" = 1 -a "$(key files)" = 5
expect 4 "some: keep: is there already" "$memfs" unpack -n --into rules.mfs some
expect 4 "some: Directory not empty" "$memfs" unpack -n rules.mfs some
expect 4 "parent directory" "$memfs" unpack -n rules.mfs nowhere/some
expect 4 "^memfs: rules.mfs: has 9 entries, and --max-entries is 1" "$memfs" unpack -n --max-entries 1 rules.mfs new
rm -rf some

# ---- Damage ----
mkdir noise && for i in $(seq 10 29); do head -c 100000 /dev/urandom >noise/$i; done
mkdir noise/sub && for i in 1 2 3 4 5; do echo $i >noise/sub/$i; done
"$memfs" pack --block 64K noise
cp noise.mfs damaged.mfs && printf '\001\002\003\004' | dd of=damaged.mfs bs=1 seek=1000000 conv=notrunc status=none
same_names() { diff <(sed 's/^memfs: damaged.mfs: \([0-9]*\): .*/\1/' "$1" | sort) <(sed 's/^memfs: damaged.mfs: \([0-9]*\): .*/\1/' "$2" | sort); }
expect 3 "^memfs: damaged.mfs: [0-9]*: block [0-9]*: .* \\(at byte [0-9]*\\)" "$memfs" unpack damaged.mfs some
check "nothing is unpacked" test ! -e some
"$memfs" hash damaged.mfs >/dev/null 2>.hashed
for jobs in 1 4; do
    run "$memfs" unpack --keep-going -q -j $jobs damaged.mfs some
    check "--keep-going, -j $jobs: exit code 3" test "$status" = 3
    check "each damaged file is named, with where" test "$(grep -c '^memfs: damaged.mfs: [0-9]*: .*(at byte [0-9]*)' .err)" = "$(wc -l <.err)" -a -s .err
    check "those that hash names" same_names .err .hashed
    rescued() { diff -r noise some | grep -v '^Only in noise: '; test "$(find some -type f | wc -l)" = $((25 - $(wc -l <.err))); }
    check "the others are what they were" rescued
    check "without anything else" test -z "$(diff -rq noise some | grep -v '^Only in noise: ')"
    rm -rf some
done
run "$memfs" unpack --keep-going --json damaged.mfs some
check "--json says how many" test "$(grep -o '"failed":[0-9]*' .out | cut -d : -f 2)" = "$(wc -l <.err)"
rm -rf some
check "--keep-going of what is whole" "$memfs" unpack --keep-going -q noise.mfs some
echo mine >some/10
expect 1 "^memfs: some: 10: is there already: .*; left out" "$memfs" unpack --keep-going -q --into --only 10 noise.mfs some
check "what was there stays" test "$(cat some/10)" = mine
rm -rf some
# Where the records of extents are damaged, names and all that is no regular file are still to be had.
mkdir -p lost/a/b lost/empty && for i in 1 2 3; do head -c 5000 /dev/urandom >lost/a/$i && echo $i >lost/a/b/$i && ln -s $i lost/a/b/to-$i; done
"$memfs" pack -q lost
size=$(stat -c %s lost.mfs) at=$((64 + 3 * 5002)) # behind the header and the contents
until [ "$at" -ge "$size" ] || [[ $(<.err) == "memfs: damaged.mfs: extents: "* ]]; do
    at=$((at + 24)) && cp lost.mfs damaged.mfs && printf '\377' | dd of=damaged.mfs bs=1 seek="$at" conv=notrunc status=none
    run "$memfs" verify -q damaged.mfs
done
check "the records of extents are damaged" test "$at" -lt "$size"
for jobs in 1 4; do
    run "$memfs" unpack --keep-going -q -j $jobs damaged.mfs some
    check "damaged extents: what has none is unpacked" test "$status" = 3 -a "$(cd some && find . | sort | tr '\n' ' ')" = ". ./a ./a/b ./a/b/to-1 ./a/b/to-2 ./a/b/to-3 ./empty "
    check "each file is named once, and the damage once" test "$(grep -c '^memfs: damaged.mfs: a/[b/]*[123]: ' .err)" = 6 -a "$(wc -l <.err)" = 6 -a "$(grep -c 'damaged in the same place (at byte [0-9]*)$' .err)" = 5
    rm -rf some
done
expect 3 "^memfs: damaged.mfs: a/[b/]*1: extents: " "$memfs" unpack -q damaged.mfs some
check "and without --keep-going nothing is" test ! -e some
# What nobody asked for is nobody's problem.
check "--only of what is whole beside it" "$memfs" unpack -q --only a/b/to-1 damaged.mfs some
check "that is made" test "$(cd some && find . | sort | tr '\n' ' ')" = ". ./a ./a/b ./a/b/to-1 "
rm -rf some
check "--exclude of what is damaged" "$memfs" unpack -q --exclude '[123]' damaged.mfs some
check "all else is made" test "$(cd some && find . | sort | tr '\n' ' ')" = ". ./a ./a/b ./a/b/to-1 ./a/b/to-2 ./a/b/to-3 ./empty "
rm -rf some
for jobs in 1 4; do
    run "$memfs" unpack --keep-going --strip-components 2 -v -j $jobs damaged.mfs some
    check "--strip-components, -j $jobs: only what it does not drop is named" test "$status" = 3 -a "$(grep -c ': a/b/[123]: ' .err)" = 3 -a "$(grep -c ': a/[123]: ' .err)" = 0
    check "-v names what was made" test "$(tr '\n' ' ' <.out)" = "to-1 to-2 to-3 "
    rm -rf some
done
for image in lost damaged; do
    run "$memfs" unpack --keep-going --max-entries 10 $image.mfs some
    check "$image: entries that cannot be examined are counted, too" test "$status" = 4 -a ! -e some -a "$(tail -n 1 .err)" = "memfs: $image.mfs: has 12 entries, and --max-entries is 10; nothing was made"
done
run "$memfs" find damaged.mfs
check "find: the same, and all else is found" test "$status" = 3 -a "$(wc -l <.out)" = 7 -a "$(wc -l <.err)" = 6 -a "$(grep -c 'damaged in the same place (at byte [0-9]*)$' .err)" = 5
cp noise.mfs damaged.mfs && printf '\001\002\003\004' | dd of=damaged.mfs bs=1 seek=1000000 conv=notrunc status=none
run "$memfs" verify damaged.mfs
check "verify names the same files" diff <(sed -n 's/^memfs: damaged.mfs: \([0-9]*\): node [0-9]*: .*/\1/p' .err | sort) <(sed 's/^memfs: damaged.mfs: \([0-9]*\): .*/\1/' .hashed | sort)
run "$memfs" verify --json damaged.mfs
check "in JSON too" grep -q '"finding":"node [0-9]*: parts of it are in block [0-9]*, which is damaged","error":"[^"]*","error_name":"checksum","path":"[0-9]*"}' .out
mkdir -p names/$(printf '%0200d' 1)/$(printf '%0200d' 2) && head -c 100000 /dev/zero | tr '\0' x >names/block
for name in $'a\nb' $'a\tb' 'a?b' $'a\001b' $'bad\377' "$(printf '%0200d/%0200d/x' 1 2)"; do cp names/block "names/$name"; done
rm names/block && "$memfs" pack -q names names.mfs && printf '\001\002\003\004' | dd of=names.mfs bs=1 seek=70 conv=notrunc status=none
run "$memfs" verify names.mfs
says_damaged() { sed -n 's/^memfs: names.mfs: \(.*\): node [0-9]*: parts of it .*/\1/p' .err | sort; }
check "findings name files as all messages do" diff <(printf '%s\n' 'a\nb' 'a\tb' 'a?b' 'a\001b' 'bad\377' "$(printf '%0200d/%0200d/x' 1 2)" | sort) <(says_damaged)
run "$memfs" verify --json names.mfs
check "in JSON as all paths" grep -q '"path":"a\\u0001b"' .out
check "also where they are not UTF-8" grep -q '"path_base64":"YmFk/w=="' .out
run "$memfs" diff damaged.mfs noise.mfs
check "and diff" same_names .err .hashed
size=$(stat -c %s tree.mfs)
head -c $((size / 2)) tree.mfs >half.mfs
mkdir dest && echo old >dest/old
expect 3 "half.mfs" "$memfs" unpack --into --overwrite half.mfs dest
mkdir empty && "$memfs" pack empty
check "an empty image" "$memfs" unpack -q --into --overwrite empty.mfs dest
expect 1 "nothing in the image" "$memfs" unpack --into --only x empty.mfs dest
run "$memfs" unpack -v --only '*' empty.mfs new
check "a pattern without a match in it" test "$status" = 1 -a ! -e new
check "what was there stays" test "$(cat dest/old)" = old
done_testing
