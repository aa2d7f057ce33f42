#!/bin/bash
# Whether anything is read before it has been set, which the compilers' sanitizers do not see: some quick suites under
# valgrind.
#
# Environment: BUILD. The last line is "N passed, N failed, N skipped".
set -u
cd "$(dirname "$0")/.." || exit 2
BUILD=${BUILD:-build}
export LC_ALL=C

suites=(arena chunkmap content cred file freelist fs link path rename xattr)
passed=0 failed=0
if ! command -v valgrind >/dev/null; then
    echo "skip   ${#suites[@]} suites (there is no valgrind)"
    echo "0 passed, 0 failed, ${#suites[@]} skipped"
    exit 0
fi
log=$(mktemp) || exit 2
trap 'rm -f "$log"' EXIT
for suite in "${suites[@]}"; do
    if MEMFS_FAST=1 valgrind -q --error-exitcode=99 "$BUILD/tests/test_$suite" >"$log" 2>&1; then
        passed=$((passed + 1))
        echo "ok     test_$suite"
    else
        failed=$((failed + 1))
        echo "not ok test_$suite"
        grep -m 20 '^==' "$log" | sed 's/^/     | /'
    fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
