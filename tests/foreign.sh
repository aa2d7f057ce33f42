#!/bin/bash
# A machine of another kind packs the same bytes as this one, and reads what this one packed:
# run by tests/cross.sh. Environment: BUILD (of the other machine), NATIVE (the build of
# this one), MEMFS_SCALE (below 10: fewer options, no large image, a half of the
# golden ones, and of each one's ls, hash and info one, by turns). The last line is "N passed, N failed, N skipped".
set -u
. "$(dirname "$0")/e2e/lib.sh"
golden=$tests/golden
native=$(cd "$NATIVE" && pwd) || exit 2
export LIST_TREE=$native/tests/tree/list_tree
check "they are of two kinds" bash -c '[ "$("$0" -h "$1" | grep -E "Class|Machine")" != "$("$0" -h "$2.elf" | grep -E "Class|Machine")" ]' \
    readelf "$native/memfs" "$memfs"

check "a tree with everything" "$native/tests/tree/make_tree" --files 300 --huge 100000000 tree
# qemu-i386 hands its number on as a negative one, which no call to make it takes.
rm -f tree/types/character-4095-1048575
same_bytes() { # options of pack
    "$native/memfs" pack -q -f "$@" tree here.mfs && "$memfs" pack -q -f "$@" tree there.mfs && cmp here.mfs there.mfs
}
# The last one's image is unpacked: it has all there is.
options_of_pack=("-j 1" "-j 2 -l 1" "-l 9 --block 64K" "--block 16M" "--share=none" "--share=files" "--no-xattrs" "")
large=$((1 << 30))
if [ "${MEMFS_SCALE:-100}" -lt 10 ]; then
    options_of_pack=("-j 2 -l 9 --block 64K" "--share=none --no-xattrs" "")
    large=$((1 << 15))
fi
for options in "${options_of_pack[@]}"; do
    # shellcheck disable=SC2086
    check "pack $options: the same bytes" same_bytes $options
done

same_output() { # arguments of memfs
    local here=0 there=0
    "$native/memfs" "$@" >here.txt 2>here.err || here=$?
    "$memfs" "$@" >there.txt 2>there.err || there=$?
    diff here.txt there.txt && diff here.err there.err && [ "$here" = "$there" ]
}
tellings=("ls -lR --json" hash "info --json") number=0
for image in there.mfs "$golden"/*.mfs; do
    name=${image##*/}
    [ "$image" = there.mfs ] || [ "$(stat -c %s "$image")" -lt "$large" ] || continue
    [ "${MEMFS_SCALE:-100}" -ge 10 ] || [ "$image" = there.mfs ] || turn 2 "golden images" || continue
    check "$name: intact" "$memfs" verify -q "$image"
    number=$((number + 1))
    for telling in "${tellings[@]}"; do
        [ "${MEMFS_SCALE:-100}" -ge 10 ] || [ "$image" = there.mfs ] || [ "$telling" = "${tellings[number % 3]}" ] || continue
        # shellcheck disable=SC2086
        check "$name: $telling" same_output $telling "$image"
    done
done
check "unpack" "$memfs" unpack -q ${root:+--all} --same-modes here.mfs out
check "the tree is the same" sh "$tests/tree/compare.sh" tree out
done_testing
