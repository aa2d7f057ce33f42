#!/bin/bash
# make check-large: Debian's linux-source-6.1 goes into an image, comes out again,
# and is compared by an independent check. Environment: BUILD; MEMFS_LARGE_DIR
# (where to work; default: /dev/shm if there is room, else TMPDIR).
set -eu
cd "$(dirname "$0")/.."
BUILD=${BUILD:-$PWD/build}
source=/usr/src/linux-source-6.1.tar.xz
need=$((5 * 1024 * 1024)) # KiB: the tree twice, the image twice

room() { df -Pk "$1" 2>/dev/null | awk 'NR == 2 { print $4 }'; }
base=${MEMFS_LARGE_DIR:-}
if [ -z "$base" ]; then
    base=${TMPDIR:-/tmp}
    if [ -w /dev/shm ] && [ "$(room /dev/shm)" -ge "$need" ]; then base=/dev/shm; fi
fi
[ "$(room "$base")" -ge "$need" ] || { echo "large.sh: less than 5 GiB free in $base" >&2; exit 1; }
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
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
