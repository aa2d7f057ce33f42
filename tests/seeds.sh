#!/bin/bash
# The images in fuzz/seeds are those that make_seeds makes. Their bytes may differ,
# as another zstd may compress otherwise; what `memfs verify` says of them may not.
# Environment: BUILD. The last line is "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 2
BUILD=$(cd "${BUILD:-build}" && pwd) || exit 2
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
mkdir "$work/seeds"

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
verify() { (cd "$1" && "$BUILD/memfs" verify "$2"); }
intact_and_same() { # name
    verify fuzz/seeds "$1" >"$work/kept" && verify "$work/seeds" "$1" >"$work/made" && diff "$work/kept" "$work/made"
}

check "make_seeds" "$BUILD/fuzz/make_seeds" "$work/seeds"
check "the same names" diff <(cd fuzz/seeds && ls -- *.mfs) <(ls "$work/seeds")
for seed in fuzz/seeds/*.mfs; do
    check "$seed: intact, and so is the one made anew, with as much in it" intact_and_same "${seed##*/}"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
