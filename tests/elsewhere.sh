#!/bin/bash
# What other compilers, sanitizers, machines and C libraries say, and static analysis: what CI runs in stages, in
# one suite of `make check-full`. A line "tried  ..." for each. Environment: BUILD, CI (true: what cannot be had is
# skipped, else failed).
# The last line is "N passed, N failed[, N skipped]".
set -u
cd "$(dirname "$0")/.." || exit 2
export BUILD=${BUILD:-$PWD/build}
# They are fast runs, however whole ours is, and run one test at a time: others run beside them.
unset MEMFS_FULL MEMFS_FAST MEMFS_SLOW MEMFS_MODEL_OPS MEMFS_SCALE TEST_TIMEOUT SANITIZE CC MAKEFLAGS MFLAGS
export JOBS=1
asan=(BUILD="$BUILD/asan" CC=clang CFLAGS="-O1 -g1" SANITIZE="address,undefined") # it sees more than gcc's
tsan=(BUILD="$BUILD/tsan" CC=gcc CFLAGS="-O1 -g1" WERROR=0 SANITIZE=thread)
plain=(BUILD="$BUILD/elsewhere" CC=gcc) # not the one that others are testing
log=$(mktemp) || exit 2
trap 'rm -f "$log"' EXIT

passed=0 failed=0 skipped=0
sum_up() { # what, command
    local what=$1 status=0 p f s
    shift
    echo "== $*"
    "$@" 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    read -r p f s < <(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?$/\1 \2 0\4/p' "$log" | tail -n 1)
    [ -n "${p:-}" ] || p=0 f=1 s=0 # it did not come to its end
    [ "$status" = 0 ] || [ "$f" != 0 ] || f=1
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + 10#$s))
    echo "tried  $what: $p passed, $f failed, $((10#$s)) skipped"
}

sum_up "clang" make BUILD="$BUILD/clang" CC=clang check-fast
sum_up "ASan and UBSan" make "${asan[@]}" check-fast
sum_up "ASan and UBSan, interrupted" env "${asan[@]}" tests/run.sh e2e/interrupt
sum_up "TSan" make "${tsan[@]}" check-fast
sum_up "TSan, round trips" env "${tsan[@]}" tests/run.sh e2e/roundtrip
sum_up "s390x, big-endian, under qemu-user" make "${plain[@]}" check-s390x
sum_up "i386, 32 bits, under qemu-user" make "${plain[@]}" check-i386
sum_up "libmemfs with musl" make "${plain[@]}" check-musl
sum_up "clang-format, clang-tidy, cppcheck" make "${plain[@]}" lint
summary="$passed passed, $failed failed"
[ "$skipped" = 0 ] || summary="$summary, $skipped skipped"
echo "$summary"
[ "$failed" = 0 ]
