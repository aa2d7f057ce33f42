#!/bin/bash
# memfs du and du --apparent-size agree but for what directories have themselves.
. "$(dirname "$0")/lib.sh"

agrees() { check "$1" agree "${@:2}"; }          # what, tree, options and paths
one_agrees() { ! turn 3 "trees" || agrees "$@"; } # a case of many
agree() { # tree, options and paths
    local tree=$1
    shift
    (cd "$tree" && gnu_du "$@") >"$work/.want"
    "$memfs" du "$work/$(basename "$tree").mfs" "$@" | sort -t"$(printf '\t')" -k2 | diff "$work/.want" -
}

real=/usr/include/linux
[ -z "${MEMFS_FULL:-}" ] && [ -d $real ] || real=/usr/share/doc
echo "tried  a real tree: $real"
check "pack $real" "$memfs" pack $real
agrees "$real" $real .
agrees "$real -s" $real -s .
agrees "$real -a" $real -a .
for depth in 0 1 2; do
    one_agrees "$real -d $depth" $real -d $depth .
    one_agrees "$real -a -d $depth" $real -a -d $depth .
done
mapfile -t some < <(cd $real && find . -mindepth 1 -maxdepth 1 -type d | sort | head -n 5)
agrees "$real, five PATHs" $real "${some[@]}"
agrees "$real, five PATHs, -s" $real -s "${some[@]}"

check "make a tree" "$make_tree" --files 300 --huge 100000000 tree
rm -rf tree/beyond-path-max tree/names # du's lines are not for names with newlines; nor is one of the symlinks
check "pack it" "$memfs" pack tree
# Hard links count for the first in du's order, which is the directory's: so they are compared by the sum.
agrees "a tree with everything, -s" tree -s .
unlinked() { (cd tree && find . -mindepth 1 -maxdepth 1 -type d ! -name hard-links); }
mapfile -t some < <(unlinked)
for dir in "${some[@]}"; do one_agrees "$dir" tree "$dir"; done
for dir in "${some[@]}"; do [ "$dir" = ./symlinks ] || one_agrees "$dir -a" tree -a "$dir"; done

# Hard links, and what lies in two PATHs, count once.
mkdir -p links/a/in links/b && head -c 1000 /dev/zero >links/a/in/one && ln links/a/in/one links/b/two && ln links/a/in/one links/a/three
ln -s twelve-bytes links/b/symlink
"$memfs" pack links
says() { # text, options and paths
    local text=$1
    shift
    run "$memfs" du "$@"
    { [ "$status" = 0 ] || cat .err; diff <(printf "$text") .out; } >.log
    judge_log "du $*" "$*"
}
says '1000\t/a/in\n1000\t/a\n12\t/b\n1012\t/\n' links.mfs
says '1012\t/\n' -s links.mfs
says '1012\t/\n' -d 0 links.mfs
says '1000\t/a\n12\t/b\n1012\t/\n' -d 1 links.mfs
says '1000\t/a/in/one\n1000\t/a/in\n1000\t/a\n12\t/b/symlink\n12\t/b\n1012\t/\n' -a links.mfs
says '1012\tb\n' -s links.mfs b
says '1012\tb\n0\ta\n' -s links.mfs b a
says '1000\ta/in\n12\t.//b\n0\t./a\n0\t.\n' links.mfs a/in .//b . -d 1
says '1000\ta/in\n0\ta\n' links.mfs a/in a
says '1000\ta/in\n1000\ta\n' links.mfs a a/in
says '1000\ta/in/one\n12\tb/symlink\n' links.mfs a/in/one b/symlink b/two a/in/one
says '1012\tb\n1012\ttotal\n' -sc links.mfs b
says '1012\tb\n0\ta\n1012\ttotal\n' -cs links.mfs b a
says '1000\ta/in\n12\tb/\n1012\ttotal\n' -c links.mfs a/in b/
says '1000\ta/\n12\tb/\n' -s links.mfs a/ b/
says '1012\t/\n' -s -b links.mfs
says '1012\t/\n' -s --apparent-size links.mfs
# The same of du itself, where the order is ours.
twice() { diff <(cd links && du -B1 --apparent-size -a a/in a/in/one 2>/dev/null | cut -f 2) <("$memfs" du -a links.mfs a/in a/in/one | cut -f 2); }
check "a file in a PATH before is not shown again" twice

# -h
mkdir sizes && for size in 1 1023 1024 1025 10239 10240 10241 102399 1048575 1048576 999999999; do truncate -s $size sizes/$size; done
"$memfs" pack sizes
human() { diff <(cd sizes && du --apparent-size -ah * | sort -k2) <("$memfs" du -ah sizes.mfs $(ls sizes) | sort -k2); }
check "-h as du" human

# --stored
stored_sum() { # image
    test "$("$memfs" du -s --stored "$1" | cut -f 2)" = "$("$memfs" info "$1" | sed -n 's/^stored data *\([0-9]*\) bytes.*/\1/p')"
}
for share in parts files none; do
    "$memfs" pack -f --share $share --block 64K tree
    check "the sum of what is stored is what the blocks have, --share $share" stored_sum tree.mfs
done
check "of $real too" stored_sum "$(basename $real).mfs"
mkdir twins && head -c 300000 /dev/urandom | tee twins/a >twins/b && head -c 100000 twins/a >twins/c
"$memfs" pack twins
run "$memfs" du -a --stored twins.mfs
check "what is equal belongs to the first" test "$(sed -n 's/^300000\t\(.*\)\t\/b$/\1/p' .out)" = 0
check "noise takes its size" test "$(sed -n 's/^300000\t\(.*\)\t\/a$/\1/p' .out)" -ge 299000
check "and a part of it nothing more" test "$(sed -n 's/^100000\t\(.*\)\t\/c$/\1/p' .out)" = 0
run "$memfs" du -a --stored twins.mfs b a
check "whichever comes first" test "$(sed -n 's/^300000\t\(.*\)\ta$/\1/p' .out)" = 0
check "the other has it" test "$(sed -n 's/^300000\t\(.*\)\tb$/\1/p' .out)" -ge 299000
run "$memfs" du -sh --stored twins.mfs
check "-h --stored" grep -qE $'^684K\t29[0-9]K\t/$' .out
run "$memfs" du -a --stored twins.mfs c a
check "what only a part of was there before" test "$(awk '$1 == 300000 { print ($2 > 199000 && $2 < 201000) }' .out)" = 1
mkdir mixed && head -c 100000 /dev/urandom >mixed/noise && head -c 900000 /dev/zero | tr '\0' x >mixed/xs
"$memfs" pack mixed
run "$memfs" du -a --stored mixed.mfs
check "one block is divided by its bytes" awk '
    { of[$3] = $2 }
    END { exit !(of["/xs"] > 8.9 * of["/noise"] && of["/xs"] < 9.1 * of["/noise"] && of["/noise"] + of["/xs"] == of["/"]) }' .out

# Units.
mkdir units && head -c 2049 /dev/zero >units/one && head -c 1048576 /dev/zero >units/two && "$memfs" pack units
says '3\tone\n1024\ttwo\n' -k units.mfs one two
says '1\tone\n1\ttwo\n' -m units.mfs one two
says '2\t/\n' -m units.mfs
for options in "-k -m" "-b -k" "-h -m" "-k --json"; do
    # shellcheck disable=SC2086
    expect 2 "du: --[a-z-]+ and --[a-z-]+ contradict" "$memfs" du $options links.mfs
done

# --json
run "$memfs" du --json links.mfs
printf '%s\n' '{"path":"a/in","files":1,"bytes":1000}' '{"path":"a","files":1,"bytes":1000}' '{"path":"b","files":1,"bytes":12}' \
    '{"path":".","files":2,"bytes":1012}' >.want
check "--json" cmp .want .out
run "$memfs" du --json -sc --stored twins.mfs
check "--json --stored --total" test "$(sed 's/"stored":[0-9]*/"stored":N/' .out | tr '\n' ' ')" = \
    '{"path":".","files":3,"bytes":700000,"stored":N} {"total":true,"files":3,"bytes":700000,"stored":N} '

# What cannot be.
expect 2 "du: --all and --summarize contradict" "$memfs" du -as links.mfs
expect 2 "du: --max-depth and --summarize contradict" "$memfs" du -s -d 1 links.mfs
says '1012\t/\n' -s -d 0 links.mfs
expect 2 "du: --bytes and --human-readable contradict" "$memfs" du -bh links.mfs
for depth in "" x -1 1k 1.5 18446744073709551616; do expect 2 "du: --max-depth .*: not a number" "$memfs" du -d "$depth" links.mfs; done
expect 2 "du: --max-depth needs a value" "$memfs" du links.mfs -d
expect 2 "du: needs IMAGE" "$memfs" du
expect 2 "du: unknown option '-x'" "$memfs" du -x links.mfs
expect 1 "links.mfs: missing: no such file" "$memfs" du links.mfs missing
run "$memfs" du -s links.mfs missing a
check "the others are counted" test "$status" = 1 -a "$(cat .out)" = $'1000\ta'
expect 1 "links.mfs: a/three/below: .*ot a directory" "$memfs" du links.mfs a/three/below
expect 3 "not an image" "$memfs" du .want
mkdir empty && "$memfs" pack empty
says '0\t/\n' empty.mfs
says '0\t0\t/\n' --stored empty.mfs
to_full() { "$memfs" du links.mfs >/dev/full; }
expect 4 "standard output: No space left" to_full
to_full() { "$memfs" du --json links.mfs >/dev/full; }
expect 4 "standard output: No space left" to_full
to_closed() { "$memfs" du links.mfs >&-; }
expect 4 "standard output: " to_closed
mkdir odd && mkdir odd/$'new\nline' odd/$'bad\377'
"$memfs" pack odd
check "names as they are" cmp <(printf '0\t/bad\377\n0\t/new\nline\n0\t/\n') <("$memfs" du odd.mfs)
codes=
size=$(stat -c %s tree.mfs)
for back in 300 700 1200 2000 3500 6000 10000 15000; do
    cp tree.mfs damaged.mfs
    printf '\001\002\003\004\005\006\007\010' | dd of=damaged.mfs bs=1 seek=$((size - back)) conv=notrunc status=none
    run timeout 20 "$memfs" du --stored damaged.mfs
    [ "$status" = 0 ] || check "damage $back bytes before the end is said" grep -q '^memfs: damaged.mfs: ' .err
    codes+=" $status"
done
check "damage is exit code 3, or not met ($codes)" test -z "${codes//[ 03]/}" -a "$codes" != "${codes//3/}"
done_testing
