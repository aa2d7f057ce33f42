#!/bin/bash
# An image that is deeper than anybody's: whatever lists, compares or searches all of it says so, and where, in time
# and memory that its depth does not decide.
. "$(dirname "$0")/lib.sh"

# deep NAME LEVELS: a directory with so many others in each other, and a file in the last.
deep() {
    mkdir "$1" && python3 - "$1" "$2" <<'END'
import os, sys
os.chdir(sys.argv[1])
for level in range(int(sys.argv[2]) - 1):
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

where='over\.mfs: /?(d/){10,30}[d/]?\.\.\.: lies more than 4096 directories deep; --max-(depth|levels)=N'
for command in "ls -R" tree find du "du -s" hash; do
    # shellcheck disable=SC2086 # the command and its option
    expect 0 "" "$memfs" ${command% *} most.mfs $([[ $command != *\ * ]] || echo "${command#* }")
    # shellcheck disable=SC2086
    expect 3 "$where" "$memfs" ${command% *} over.mfs $([[ $command != *\ * ]] || echo "${command#* }")
    option=--max-depth
    [[ $command != du* ]] || option=--max-levels
    # shellcheck disable=SC2086
    expect 0 "" "$memfs" ${command% *} $option 4097 over.mfs $([[ $command != *\ * ]] || echo "${command#* }")
done
expect 0 "" "$memfs" diff most.mfs most.mfs
expect 1 "" "$memfs" diff most.mfs shallow.mfs
expect 3 "$where" "$memfs" diff over.mfs other.mfs
expect 1 "" "$memfs" diff --max-depth=5000 over.mfs other.mfs
expect 0 "" "$memfs" find over.mfs -maxdepth 4096 -name f
expect 0 "" "$memfs" ls over.mfs d/d
expect 0 "" "$memfs" info over.mfs
expect 0 "" "$memfs" verify -q over.mfs
expect 3 "too deep for --only '\*\*/f'; --max-depth=N" "$memfs" unpack --only '**/f' over.mfs out
check "and nothing was made" test ! -e out
expect 2 "max-depth 0: must be at least 1" "$memfs" find --max-depth 0 most.mfs

"$memfs" find over.mfs >.out 2>/dev/null
check "what is not too deep is listed" test "$(wc -l <.out)" = 4097
check "du prints no sum of a part" test -z "$("$memfs" du over.mfs 2>/dev/null)"

done_testing
