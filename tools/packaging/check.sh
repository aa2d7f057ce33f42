#!/bin/bash
# Makes the Debian packages out of what is committed, and tests them: lintian has nothing to
# say, and the test of make install passes on what they unpack to.
#
#   tools/packaging/check.sh            makes, and tests
#   tools/packaging/check.sh --only-make
#
# The packages come to $BUILD/deb. DEB_BUILD_OPTIONS=nocheck is the default: the tests of
# the library and the command have been run elsewhere. Environment: BUILD.
# The last line is "N passed, N failed".
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-$PWD/build}
export LC_ALL=C DEB_BUILD_OPTIONS=${DEB_BUILD_OPTIONS-nocheck}
# Debian's ways of compiling, not those of the make that runs this.
unset MAKEFLAGS MFLAGS MAKELEVEL CFLAGS LDFLAGS CPPFLAGS
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$(sed -n 's/^#define MEMFS_VERSION "\(.*\)"/\1/p' libmemfs/memfs.h)
packages="memfs libmemfs0 libmemfs-dev"

passed=0 failed=0
check() { # what, command
    local status=0
    "${@:2}" >"$work/log" 2>&1 </dev/null || status=$?
    if [ "$status" = 0 ]; then
        passed=$((passed + 1))
        echo "ok   $1"
    else
        failed=$((failed + 1))
        echo "FAIL $1 (exit code $status)"
        tail -n 60 "$work/log" | sed 's/^/     | /'
    fi
}

mkdir "$work/memfs-$version" "$work/root"
git archive HEAD | tar -x -C "$work/memfs-$version"
ln -s tools/packaging/debian "$work/memfs-$version/debian"
check "dpkg-buildpackage" env -C "$work/memfs-$version" -u BUILD dpkg-buildpackage -us -uc -b
rm -rf "$BUILD/deb"
mkdir -p "$BUILD/deb"
cp "$work"/*.deb "$work"/*.changes "$work"/*.buildinfo "$BUILD/deb/" 2>/dev/null || :
if [ "${1:-}" != --only-make ]; then
    # As root it would rather not run; what it finds is the same. Nobody maintains these packages
    # in Debian yet: the address is to be replaced by whoever does.
    check "lintian has nothing to say" lintian --allow-root --fail-on error,warning \
        --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog "$work"/memfs_*.changes
    cat "$work/log"
    for package in $packages; do
        check "$package has this version" test -f "$(echo "$work/${package}_${version}_"*.deb)"
        check "$package unpacks" dpkg-deb -x "$work/${package}_${version}_"*.deb "$work/root"
    done
    check "the packages are these" test "$(find "$work" -maxdepth 1 -name '*.deb' ! -name '*-dbgsym_*' | wc -l)" = "$(wc -w <<<"$packages")"
    if [ "$failed" = 0 ]; then
        check "what they unpack to passes the test of make install" tests/install.sh "$work/root"
        cat "$work/log"
    fi
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
