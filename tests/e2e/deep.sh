#!/bin/bash
# An image that is deeper than anybody's: whatever lists, compares, searches or unpacks all of it says so, and where, in
# time and memory that its depth does not decide. The budget is one of directories, and the same everywhere.
. "$(dirname "$0")/lib.sh"

# deep NAME LEVELS: so many directories in each other, and a file in the last.
deep() {
    mkdir "$1" && python3 - "$1" "$2" <<'END'
import os, sys
os.chdir(sys.argv[1])
for level in range(int(sys.argv[2])):
    os.mkdir("d")
    os.chdir("d")
open("f", "w").close()
END
}
deep most 4096 && deep over 4097
check "pack both" "$memfs" pack -q most
check "the one that is too deep, too" "$memfs" pack -q over
touch over/other && "$memfs" pack -q over other.mfs
mkdir shallow && touch shallow/f && "$memfs" pack -q shallow

where='over\.mfs: /?(d/){10,30}[d/]?\.\.\.: lies more than 4096 directories deep; --max-(depth|levels)=N allows N$'
for command in "ls -R" tree find du "du -s" hash; do
    # shellcheck disable=SC2086 # the command and its option
    expect 0 "" "$memfs" ${command% *} most.mfs $([[ $command != *\ * ]] || echo "${command#* }")
    # shellcheck disable=SC2086
    expect 4 "$where" "$memfs" ${command% *} over.mfs $([[ $command != *\ * ]] || echo "${command#* }")
    option=--max-depth
    [[ $command != du* ]] || option=--max-levels
    # shellcheck disable=SC2086
    expect 0 "" "$memfs" ${command% *} $option 4097 over.mfs $([[ $command != *\ * ]] || echo "${command#* }")
done
expect 0 "" "$memfs" diff most.mfs most.mfs
expect 1 "" "$memfs" diff most.mfs shallow.mfs
expect 4 "$where" "$memfs" diff over.mfs other.mfs
expect 1 "" "$memfs" diff --max-depth=5000 over.mfs other.mfs
expect 0 "" "$memfs" find over.mfs -maxdepth 4096 -name f
expect 0 "" "$memfs" ls over.mfs d/d
expect 0 "" "$memfs" info over.mfs
expect 0 "" "$memfs" verify -q over.mfs
expect 4 "$where" "$memfs" unpack over.mfs out
expect 4 "$where" "$memfs" unpack --only '**/f' over.mfs out
check "and nothing was made" test ! -e out
expect 0 "" "$memfs" unpack -n most.mfs out
expect 0 "" "$memfs" unpack -n --max-depth 4097 --only '**/f' over.mfs out
expect 2 "max-depth 0: must be at least 1" "$memfs" find --max-depth 0 most.mfs

"$memfs" find over.mfs >.out 2>/dev/null
check "what is not too deep is listed" test "$(wc -l <.out)" = 4097 -a "$(tail -n 1 .out | tr -d /)" = "$(printf 'd%.0s' {1..4096})"

# What lies in a directory that is not too deep is not, and depth is counted from the root, wherever a PATH begins.
mkdir -p small/a/b/c && touch small/a/b/c/f && "$memfs" pack -q small && echo 1 >small/a/b/c/f && "$memfs" pack -q small changed.mfs
few() { # N CODE COMMAND...
    local option=--max-depth
    [[ $3 != du ]] || option=--max-levels
    expect "$2" "$([[ $2 = 0 ]] || echo "^memfs: small.mfs: /?a/b/c: lies more than $1 directories deep; $option=N allows N\$")" "$memfs" "$3" "$option" "$1" "${@:4}"
}
for command in "ls -R" tree find du hash unpack; do
    read -ra words <<<"$command small.mfs"
    few 3 0 "${words[@]}"
    rm -rf small
    few 2 4 "${words[@]}"
    [[ $command = unpack ]] || few 2 4 "${words[@]}" /a/b/c
    [[ $command = unpack ]] || few 3 0 "${words[@]}" a/b/c
    [[ $command = unpack ]] || few 2 0 "${words[@]/-R/-a}" a/b/c/f
done
# What is too deep ends one PATH; the others are done.
mkdir -p both/a/b/c both/z && echo 12 >both/a/b/c/f && echo 123 >both/z/f && "$memfs" pack -q both
for command in "ls -R" tree find "du -a" hash; do
    option=--max-depth
    [[ $command != du* ]] || option=--max-levels
    read -ra words <<<"$command"
    run "$memfs" "${words[@]}" $option 2 both.mfs a z
    check "$command: what comes behind is done" test "$status" = 4 -a "$(grep -c 'f$' .out)" = 1 -a "$(grep -c 'lies more than 2' .err)" = 1
done
run "$memfs" du -s --total --max-levels 2 both.mfs / a z
check "du: a PATH that was ended counts nothing as its own, and there is no total" test "$status" = 4 -a "$(tr '\t\n' '  ' <.out)" = "4 z "
run "$memfs" du -s --max-levels 2 both.mfs / a/b/c/f
check "du: what it would have counted is the next one's" test "$(tr '\t\n' '  ' <.out)" = "3 a/b/c/f "
few 2 4 diff small.mfs changed.mfs
few 2 4 diff small.mfs changed.mfs a/b/c
expect 1 "" "$memfs" diff --max-depth 3 small.mfs changed.mfs
expect 1 "" "$memfs" diff --max-depth 2 small.mfs shallow.mfs # what one has alone is counted, not listed
few 2 4 unpack --only 'a/b/c/*' small.mfs
few 3 0 unpack --only 'a/b/c/*' small.mfs
few 1 0 ls small.mfs a/b/c
few 1 0 find small.mfs a -maxdepth 0

check "du prints no sum of a part" test -z "$("$memfs" du over.mfs 2>/dev/null)"

done_testing
