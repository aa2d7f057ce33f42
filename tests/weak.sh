#!/bin/bash
# Hashes of contents decide nothing: a build in which they have eight bits, so that
# nearly all collide, packs the same contents, and finds as much that is equal as may be.
# Environment: BUILD. The last line is "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 2
BUILD=$(cd "${BUILD:-build}" && pwd) || exit 2
work=$(mktemp -d) || exit 2
trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT

passed=0 failed=0
check() { # what, command...
    if "${@:2}"; then
        passed=$((passed + 1))
        echo "ok     $1"
    else
        failed=$((failed + 1))
        echo "not ok $1"
    fi
}
weak() { "$BUILD/weak/memfs" "$@"; }
bytes() { stat -c %s "$1"; }

# Pieces of some random bytes, at different places, in files large and small, many equal.
make_tree() {
    mkdir "$work/tree" && head -c 4000000 /dev/urandom >"$work/bytes" || return
    local i
    for i in {1..300}; do
        dd if="$work/bytes" of="$work/tree/$i" bs=128K iflag=skip_bytes,count_bytes status=none \
            skip=$((i * 7919 % 3000000)) count=$((i * 104729 % 90000))
        [ $((i % 3)) != 0 ] || cp "$work/tree/$i" "$work/tree/$i.copy"
    done
    head -c 3000000 "$work/bytes" >"$work/tree/large"
    { echo && head -c 3000000 "$work/bytes"; } >"$work/tree/moved"
    cp "$work/tree/large" "$work/tree/twin"
}

check "it is another build" eval '! cmp -s "$BUILD/memfs" "$BUILD/weak/memfs" && test -x "$BUILD/weak/memfs"'
check "a tree" make_tree
for share in parts files none; do
    check "--share $share: packed" weak pack -q -j 2 --block 256K --share "$share" "$work/tree" "$work/$share.mfs"
    check "intact" weak verify -q "$work/$share.mfs"
    check "unpacked" weak unpack -q "$work/$share.mfs" "$work/$share"
    check "the same" diff -r "$work/tree" "$work/$share"
    check "packed again on one processor, the same bytes" \
        eval 'weak pack -q -f -j 1 --block 256K --share "$share" "$work/$share" "$work/again.mfs" &&
            cmp "$work/$share.mfs" "$work/again.mfs"'
done
check "the hashes were weak: what the other build finds is more" eval '"$BUILD/memfs" pack -q "$work/tree" "$work/strong.mfs" &&
    test "$(bytes "$work/strong.mfs")" -lt "$(bytes "$work/parts.mfs")"'
check "something was found all the same" test "$(bytes "$work/files.mfs")" -lt "$(bytes "$work/none.mfs")"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
