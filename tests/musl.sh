#!/bin/bash
# libmemfs needs a C library and threads, and no particular one: it is compiled with musl's,
# without warnings, linked statically, and a program of tests/examples/ runs with it.
# Environment: BUILD. The last line is "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 2
BUILD=${BUILD:-$PWD/build}
objects=$BUILD/musl
mkdir -p "$objects" || exit 2
tools/deps.sh musl || exit

rm -f "$objects"/*

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
# The kernel's headers are no C library's.
kernel="-idirafter /usr/include -idirafter /usr/include/$(gcc -print-multiarch)"
# shellcheck disable=SC2086
printf '%s\0' "$PWD"/libmemfs/*.c | env -C "$objects" xargs -0 -P "$(nproc)" -n 16 \
    musl-gcc -std=c11 -D_POSIX_C_SOURCE=200809L -D_FILE_OFFSET_BITS=64 -Wall -Wextra -Wshadow -Werror -O1 -pthread \
    -I"$PWD/libmemfs" $kernel -c
for source in libmemfs/*.c; do
    object=${source##*/}
    check "$source" test -e "$objects/${object%.c}.o"
done
check "a program with it" musl-gcc -static -pthread -O1 -Ilibmemfs -o "$objects/fixture" tests/examples/fixture.c "$objects"/*.o
check "it runs" "$objects/fixture"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
