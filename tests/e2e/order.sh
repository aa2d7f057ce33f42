#!/bin/bash
# The same tree gives the same bytes, however it came about; and the same files, however many threads read it.
. "$(dirname "$0")/lib.sh"

all_means=("-j 2" "-j 8" "-j 8 --memory 200M" "-j 2 --memory 180M" "-j 2 --memory 160M")
fast_means=("-j 8" "-j 2 --memory 160M") ways=0 # with MEMFS_FAST one of these for each way, by turns
check "make a tree" "$make_tree" --files 500 --huge 100000000 tree
rm -rf tree/beyond-path-max # too long for cp and find's arguments
touch -d @1234567890 tree
check "pack it" "$memfs" pack tree a.mfs
check "pack it again" "$memfs" pack tree b.mfs
check "the same bytes" cmp a.mfs b.mfs

for way in "" "--share files" "--share none" "--block 64K --window 1M" "-l 1 --block 4M --window 8M"; do
    # shellcheck disable=SC2086
    check "pack${way:+ $way}" "$memfs" pack -f $way -j 1 tree a.mfs
    [ -z "${MEMFS_FAST:-}" ] || all_means=("${fast_means[ways++ % 2]}")
    for means in "${all_means[@]}"; do
        [ "${MEMFS_FAST:-}" ] || turn 5 "ways and means" || continue
        # shellcheck disable=SC2086
        check "pack${way:+ $way} $means" "$memfs" pack -f $way $means tree b.mfs
        check "the same bytes" cmp a.mfs b.mfs
    done
done

many() { # threads: all that reads by threads
    "$memfs" verify -q -j "$1" a.mfs && "$memfs" hash -j "$1" a.mfs && "$memfs" unpack -q --same-modes -j "$1" a.mfs plain &&
        compare --unprivileged tree plain && chmod -R u+rwx plain && rm -rf plain
}
check "read by one thread" many 1
cp .log one
check "read by eight" many 8
cp .log eight
check "it is the same" cmp one eight

# A copy whose entries are made last to first.
copy() { # to
    mkdir "$1" && (cd tree && find . -mindepth 1 -print0 | sort -rz |
        tar --null --no-recursion --xattrs --xattrs-include='*' --acls -T - -cf - 2>/dev/null) |
        tar --xattrs --xattrs-include='*' --acls -xpf - -C "$1" 2>/dev/null
    touch -d @1234567890 "$1"
}
find tree -type s -delete # tar has no sockets, and no hard links of devices and FIFOs
find tree ! -type d ! -type f ! -type l -links +1 -exec rm '{}' +
find tree \( -name '*9999*' -o -name '*.123456789*' \) -delete
check "pack what tar can copy" "$memfs" pack -f tree a.mfs

places=("$work")
if [ -n "${MEMFS_FAST:-}" ]; then
    skip "copies made last to first" "takes longer"
    places=()
elif [ -w /dev/shm ]; then
    shm=$(mktemp -d /dev/shm/memfs-e2e.XXXXXX) && places+=("$shm")
    trap 'rm -rf "$shm"; finish' EXIT
fi
[ ${#places[@]} = 0 ] || [ "$(stat -f -c %T "${places[@]}" | sort -u | wc -l)" -gt 1 ] ||
    skip "a copy on another kind of filesystem" "/dev/shm is not to be written to, or of the same kind as $work"
for place in "${places[@]}"; do
    kind=$(stat -f -c %T "$place")
    copy "$place/copy"
    # Directories got new times when their entries came: they are put right. There are hundreds.
    python3 -c 'import os, sys
tree, copy = map(os.fsencode, sys.argv[1:])
for at, _, _ in os.walk(tree, topdown=False):
    status = os.stat(at)
    os.utime(copy + at[len(tree):], ns=(status.st_atime_ns, status.st_mtime_ns))' tree "$place/copy"
    "$memfs" pack -f "$place/copy" c.mfs
    if sh "$tests/tree/compare.sh" --walker tree "$place/copy" >.compare; then
        check "a copy made last to first, on $kind, gives the same bytes" cmp a.mfs c.mfs
    else
        skip "a copy on $kind" "tar or the filesystem does not keep all: $(sed -n 3p .compare | cut -c 1-100)"
    fi
    rm -rf "$place/copy"
done

# Times are clamped, and the image's own is set.
SOURCE_DATE_EPOCH=1000000000 "$memfs" pack tree e.mfs
check "SOURCE_DATE_EPOCH: the image's time" grep -q '2001-09-09 01:46:40' <("$memfs" info e.mfs)
"$memfs" unpack -q e.mfs epoch
check "SOURCE_DATE_EPOCH: no later mtime" test -z "$(find epoch -newermt @1000000000 -print -quit)"
check "SOURCE_DATE_EPOCH: earlier ones stay" test "$(stat -c %Y epoch/times/1.000000000)" = 1
SOURCE_DATE_EPOCH=0 "$memfs" pack tree zero.mfs
"$memfs" unpack -q zero.mfs zero
check "SOURCE_DATE_EPOCH=0: no later mtime" test -z "$(find zero -newermt @0 -print -quit)"
for epoch in soon -1 1.5; do
    SOURCE_DATE_EPOCH=$epoch expect 2 "SOURCE_DATE_EPOCH.*'$epoch', not a number" "$memfs" pack tree never.mfs
done
for epoch in 9223372037 99999999999999999999999; do
    SOURCE_DATE_EPOCH=$epoch expect 2 "SOURCE_DATE_EPOCH.* is $epoch: beyond the year 2262" "$memfs" pack tree never.mfs
done
check "no time of its own without it" test -z "$("$memfs" info a.mfs | grep '^time')"
done_testing
