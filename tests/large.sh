#!/bin/bash
# make check-large: Debian's linux-source-6.1 goes into an image, comes out again,
# and is compared by an independent check; then a file of more than 4 GiB, and a
# million files. Environment: BUILD; MEMFS_LARGE_DIR
# (where to work; default: /dev/shm if there is room, else TMPDIR).
set -eu
cd "$(dirname "$0")/.."
BUILD=${BUILD:-$PWD/build}
source=/usr/src/linux-source-6.1.tar.xz
need=$((11 * 1024 * 1024)) # KiB: a file of 4.5 GB twice, and its image

room() { df -Pk "$1" 2>/dev/null | awk 'NR == 2 { print $4 }'; }
base=${MEMFS_LARGE_DIR:-}
if [ -z "$base" ]; then
    base=${TMPDIR:-/tmp}
    if [ -w /dev/shm ] && [ "$(room /dev/shm)" -ge "$need" ]; then base=/dev/shm; fi
fi
[ "$(room "$base")" -ge "$need" ] || { echo "large.sh: less than 11 GiB free in $base" >&2; exit 1; }
work=$(mktemp -d "$base/memfs-large.XXXXXX")
trap 'chmod -R u+rwx "$work" 2>/dev/null || :; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

passed=0 failed=0
check() { # what, command...
    local what=$1 begin=$EPOCHREALTIME seconds status=0
    shift
    "$@" >"$work/log" 2>&1 </dev/null || status=$?
    seconds=$(awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
    if [ "$status" = 0 ]; then
        passed=$((passed + 1))
        echo "ok   $what ($seconds s)"
    else
        failed=$((failed + 1))
        echo "FAIL $what (exit code $status, $seconds s)"
        tail -n 50 "$work/log" | sed 's/^/     | /'
    fi
}

mkdir "$work/tree"
tar -xJf "$source" -C "$work/tree" --strip-components=1
# The tree and the mtime of its top are as they are; from here on nobody touches them.
echo "     $(find "$work/tree" -type f | wc -l) files, $(du -s --apparent-size -BM "$work/tree" | cut -f1) in $base"
export LIST_TREE=$BUILD/tests/tree/list_tree
all=--all compare= # owners and the like are for root to restore
[ "$(id -u)" = 0 ] || all=--same-modes compare=--unprivileged

check "pack" "$BUILD/memfs" pack -q "$work/tree" "$work/a.mfs"
check "verify" "$BUILD/memfs" verify "$work/a.mfs"
check "verify --quick" "$BUILD/memfs" verify --quick "$work/a.mfs"
# shellcheck disable=SC2086
check "unpack $all" "$BUILD/memfs" unpack -q $all "$work/a.mfs" "$work/out"
# shellcheck disable=SC2086
check "the trees are the same" tests/tree/compare.sh $compare "$work/tree" "$work/out"
check "pack what was unpacked" "$BUILD/memfs" pack -q "$work/out" "$work/b.mfs"
check "the images are the same" cmp "$work/a.mfs" "$work/b.mfs"
echo "     image: $(stat -c %s "$work/a.mfs" 2>/dev/null) bytes"
rm -rf "$work/tree" "$work/out" "$work/b.mfs"

# A file of more than 4 GiB, and a million files.
mkdir "$work/big"
seq 1 1000000000 | head -c 4500000000 >"$work/big/file"
check "pack 4.5 GB" "$BUILD/memfs" pack -q -l 1 "$work/big" "$work/big.mfs"
check "unpack 4.5 GB" "$BUILD/memfs" unpack -q $all "$work/big.mfs" "$work/out"
check "the file is the same" cmp "$work/big/file" "$work/out/file"
rm -rf "$work/big" "$work/out" "$work/big.mfs"
"$BUILD/tests/tree/make_tree" --files 1000000 "$work/million" >/dev/null
check "pack a million files" "$BUILD/memfs" pack -q "$work/million" "$work/million.mfs"
check "verify" "$BUILD/memfs" verify "$work/million.mfs"
# shellcheck disable=SC2086
check "unpack" "$BUILD/memfs" unpack -q $all "$work/million.mfs" "$work/out"
check "pack what was unpacked" "$BUILD/memfs" pack -q "$work/out" "$work/again.mfs"
check "the images are the same" cmp "$work/million.mfs" "$work/again.mfs"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
