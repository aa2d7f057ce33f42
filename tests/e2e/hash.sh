#!/bin/bash
# memfs hash writes what sha256sum writes, and sha256sum -c takes it.
. "$(dirname "$0")/lib.sh"

# The lines of a tool of coreutils for all files of a directory, in order of names by their bytes.
list() { # tool, directory, options
    local tool=$1 dir=$2
    shift 2
    (cd "$dir" && find . -type f -printf '%P\0' | sort -z | xargs -0 -r "$tool" "$@" --)
}
# In the order of find, a directory's name does not end before "/": sorted, both are the same.
agree() { # tool, directory, options of both
    local tool=$1 dir=$2 algorithm=sha256 sorted=(sort)
    shift 2
    [ "$tool" != sha512sum ] || algorithm=sha512
    [ "$tool" != b2sum ] || algorithm=blake2b
    [ $# = 0 ] || sorted=(sort -z)
    list "$tool" "$dir" "$@" | "${sorted[@]}" >"$work/.want"
    "$memfs" hash --algorithm "$algorithm" "$@" "$work/$(basename "$dir").mfs" | "${sorted[@]}" | cmp "$work/.want" -
}
checks() { # tool, directory, image, options
    local tool=$1 dir=$2 image=$3
    shift 3
    "$memfs" hash "$@" "$image" | (cd "$dir" && "$tool" -c --quiet --strict)
}

real=/usr/include/linux # of the sums' time every byte is a part
[ -z "${MEMFS_FULL:-}" ] && [ -d $real ] || real=/usr/share/doc
check "pack $real" "$memfs" pack $real
echo "tried  a real tree: $real"
check "make a tree" "$make_tree" --files 300 --huge 10000000 tree
rm -rf tree/beyond-path-max # too long for sha256sum
check "pack it" "$memfs" pack tree
for tool in sha256sum sha512sum b2sum; do
    for dir in $real "$work/tree"; do
        for option in "" -z; do
            # shellcheck disable=SC2086
            ! turn 4 "tools of coreutils" || check "$tool $option of ${dir##*/}" agree $tool "$dir" $option
        done
    done
done
check "sha256sum -c of $real" checks sha256sum $real "$work/$(basename $real).mfs"
check "sha256sum -c of a tree with everything" checks sha256sum tree tree.mfs
check "sha512sum -c" checks sha512sum tree tree.mfs -a sha512
check "b2sum -c" checks b2sum tree tree.mfs --algorithm blake2b

# The order is that of find, and does not depend on the number of threads.
"$memfs" hash -j 1 tree.mfs >.one
mkdir plain && cp -r tree/contents tree/many tree/holes plain/ && "$memfs" pack plain
"$memfs" hash -j 1 plain.mfs >.plain
check "in the order of find" cmp <(cut -c 67- .plain) <("$memfs" find plain.mfs -type f | sed 's|^/||')
for jobs in 2 3 16 64; do
    for again in 1 2; do ! turn 2 "runs of several threads" || check "-j $jobs, run $again" cmp .one <("$memfs" hash -j $jobs tree.mfs); done
done

# Names.
mkdir odd && for name in 'a\b' '\' '\\n' $'new\nline' $'\n' $'re\rturn' $'end\r' ' space' 'two  spaces' '*star' $'bad\377' -dash '-c'; do
    printf '%s' "$name" >"odd/$name"
done
"$memfs" pack odd
check "names with anything in them" agree sha256sum "$work/odd"
check "and -z" agree sha256sum "$work/odd" -z
check "sha256sum -c takes them" checks sha256sum odd odd.mfs
check "each is one line" test "$("$memfs" hash odd.mfs | wc -l)" = 13
if script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
    script -qec "$memfs hash odd.mfs" .typescript >.tty 2>&1 </dev/null
    check "names are escaped on a terminal" grep -qa '^[0-9a-f]\{64\}  bad\\377' .tty
    check "and the line does not begin with a backslash" grep -qa '^[0-9a-f]\{64\}  new\\nline' .tty
else
    skip "names on a terminal" "no pseudo-terminal is to be had"
fi

# PATHs.
mkdir -p paths/sub/deeper && echo a >paths/a && echo b >paths/sub/b && echo c >paths/sub/deeper/c && ln -s sub paths/to-sub &&
    ln -s ../a paths/sub/to-a && ln -s nowhere paths/dangling && mkfifo paths/fifo && ln paths/a paths/sub/again
"$memfs" pack paths
says() { # names that are hashed, and arguments
    local names=$1
    shift
    run "$memfs" hash paths.mfs "$@"
    { [ "$status" = 0 ] || cat .err; diff <(printf "$names") <(cut -c 67- .out); (cd paths && sha256sum -c --quiet <"$work/.out"); } >.log 2>&1
    judge_log "hash ${*:-without PATH}" "$*"
}
says 'a\nsub/again\nsub/b\nsub/deeper/c\n'
says 'a\nsub/again\nsub/b\nsub/deeper/c\n' /
says 'a\nsub/again\nsub/b\nsub/deeper/c\n' .
says 'sub/again\nsub/b\nsub/deeper/c\n' sub
says 'sub/again\nsub/b\nsub/deeper/c\n' /sub/
says 'sub/deeper/c\na\n' sub/deeper a
says 'a\n' //a
says 'sub/../a\n' sub/../a
says 'sub/to-a\n' sub/to-a
says 'sub/again\nsub/b\nsub/deeper/c\n' to-sub/
says 'sub/again\nsub/b\nsub/deeper/c\n' to-sub
says 'to-sub/b\n' to-sub/b
says 'a\na\n' a a
expect 1 "paths.mfs: missing: no such file" "$memfs" hash paths.mfs missing
expect 1 "paths.mfs: dangling: no such file" "$memfs" hash paths.mfs dangling
expect 1 "paths.mfs: fifo: is not a regular file" "$memfs" hash paths.mfs fifo
run "$memfs" hash paths.mfs missing fifo sub/deeper
check "the others are hashed" test "$status" = 1 -a "$(cut -c 67- .out)" = sub/deeper/c

# --json, --progress
run "$memfs" hash --json paths.mfs sub/deeper/c
check "--json" test "$(cat .out)" = \
    "{\"path\":\"sub/deeper/c\",\"algorithm\":\"sha256\",\"digest\":\"$(sha256sum <paths/sub/deeper/c | cut -c -64)\",\"size\":2}"
run "$memfs" hash --json -a blake2b odd.mfs $'bad\377'
check "--json, names that are not UTF-8" test "$(cat .out)" = \
    "{\"path_base64\":\"YmFk/w==\",\"algorithm\":\"blake2b\",\"digest\":\"$(printf 'bad\377' | b2sum | cut -c -128)\",\"size\":4}"
expect 2 "hash: --json and --zero contradict" "$memfs" hash --json -z paths.mfs
mkdir large && truncate -s 200000000 large/hole && "$memfs" pack large
run "$memfs" hash --progress json large.mfs
check "--progress json" grep -q '^{"progress":"hashing","nodes":0,"nodes_total":1,"bytes":[0-9]*,"bytes_total":200000000,' .err
check "its last line says that all is done" grep -q '^{"progress":"hashing","nodes":1,"nodes_total":1,"bytes":200000000,"bytes_total":200000000,' <(tail -n 1 .err)
check "only a hole" cmp .out <(cd large && sha256sum hole)

# What is not read.
expect 1 "paths.mfs: a: left out: .*--max-bytes" "$memfs" hash --max-bytes 1 paths.mfs a
check "nothing is written" test ! -s .out
expect 1 "paths.mfs: sub/deeper/c: left out: .* more than 7 in all" "$memfs" hash --max-bytes 7 paths.mfs
expect 0 "" "$memfs" hash --max-bytes 8 paths.mfs
run "$memfs" hash --max-bytes 5 paths.mfs
check "smaller files are hashed" test "$status" = 1 -a "$(wc -l <.out)" = 2 -a "$(wc -l <.err)" = 2
for size in "" x 0 -1 1X; do expect 2 "hash: --max-bytes" "$memfs" hash --max-bytes "$size" paths.mfs; done
for jobs in "" 0 x -1; do expect 2 "hash: --jobs" "$memfs" hash -j "$jobs" paths.mfs; done
for name in "" md5 SHA256 sha; do expect 2 "hash: --algorithm .*must be one of sha256\|sha512\|blake2b" "$memfs" hash -a "$name" paths.mfs; done
expect 2 "hash: needs IMAGE" "$memfs" hash
expect 2 "hash: unknown option '--check'" "$memfs" hash --check paths.mfs
expect 3 "not an image" "$memfs" hash .plain
expect 4 "missing.mfs: .*No such file" "$memfs" hash missing.mfs
mkdir empty && "$memfs" pack empty
expect 0 "" "$memfs" hash empty.mfs
check "nothing of an empty image" test ! -s .out
piped() { "$memfs" hash - <tree.mfs | cmp .one -; }
check "an image on standard input" piped
for option in "" --json -z; do
    # shellcheck disable=SC2086
    to_full() { "$memfs" hash $option paths.mfs >/dev/full; }
    expect 4 "standard output: No space left" to_full
done
to_full() { "$memfs" hash "$(basename $real).mfs" >/dev/full; }
expect 4 "standard output: No space left" to_full
to_closed() { "$memfs" hash paths.mfs >&-; }
expect 4 "standard output: " to_closed
head_of() { "$memfs" hash "$(basename $real).mfs" | head -n 1; echo "${PIPESTATUS[0]}" >code; }
run head_of
check "a reader that has had enough: silence" test ! -s .err
check "and death by SIGPIPE" test "$(cat code)" = 141 -o "$(cat code)" = 0
mkdir endless && truncate -s 60G endless/hole && "$memfs" pack endless
interrupted() { timeout -s INT 0.3 "$memfs" hash endless.mfs; }
run interrupted
check "an interrupt ends it at once, silently" test "$status" = 124 -a ! -s .out -a ! -s .err

# Damage: the other files are hashed, in order, and what is damaged is named.
mkdir noise && for i in $(seq 10 39); do head -c 100000 /dev/urandom >noise/$i; done
"$memfs" pack --block 64K noise
cp noise.mfs damaged.mfs && printf '\001\002\003\004' | dd of=damaged.mfs bs=1 seek=1000000 conv=notrunc status=none
for jobs in 1 4; do
    run "$memfs" hash -j $jobs damaged.mfs
    check "damage, -j $jobs: exit code 3" test "$status" = 3
    check "one or two files are named" test "$(grep -c '^memfs: damaged.mfs: [0-9][0-9]: .*(at byte ' .err)" = "$(wc -l <.err)" -a "$(wc -l <.err)" -ge 1
    check "what is wrong with the block is said once" test "$(grep -c 'checksum.*memfs verify' .err)" = 1
    check "the others are right" test "$(wc -l <.out)" = $((30 - $(wc -l <.err)))
    matches() { (cd noise && sha256sum -c --quiet --strict) <.out; }
    check "by sha256sum -c" matches
    check "in order" sort -c -k 2 .out
done
done_testing
