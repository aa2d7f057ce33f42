#!/bin/bash
# Builds for a machine of another kind and runs the tests there: tests/cross.sh MACHINE [TEST...]
#
#   s390x   64 bits, big-endian
#   i386    32 bits
#
# Compiler and emulator are those of tools/deps.sh; the libraries of that machine are Debian's
# packages, unpacked below BUILD: nothing foreign is installed. Without names of tests those
# run that `tests/run.sh --fast` would, as far as they are for such machines (see there).
# Environment: BUILD (default build/MACHINE), NATIVE (a build for this machine, to compare
# with; default build). The last line is "N passed, N failed".
set -euo pipefail
cd "$(dirname "$0")/.."
machine=$1
shift
case $machine in
s390x) triplet=s390x-linux-gnu cross=s390x-linux-gnu ;;
i386) triplet=i386-linux-gnu cross=i686-linux-gnu ;;
*)
    echo "cross.sh: s390x or i386, not '$machine'" >&2
    exit 2
    ;;
esac
export BUILD=${BUILD:-$PWD/build/$machine}
mkdir -p "$BUILD"
BUILD=$(cd "$BUILD" && pwd)
system=$BUILD/system

# apt with lists of its own, so that this machine's stay as they are.
foreign_apt() {
    apt-get -q -o APT::Architecture="$machine" -o APT::Architectures="$machine" -o Dir::State::lists="$system/apt/lists" \
        -o Dir::State::status="$system/apt/status" -o Dir::Cache="$system/apt/cache" -o APT::Sandbox::User=root "$@"
}

fetch_libraries() {
    rm -rf "$system" && mkdir -p "$system/apt/lists/partial" "$system/apt/cache/archives/partial" "$system/packages"
    : >"$system/apt/status"
    # One list that cannot be had need not matter: what cannot be downloaded will.
    foreign_apt update || :
    (cd "$system/packages" && foreign_apt download libzstd-dev libzstd1 libxxhash-dev libxxhash0 libsodium-dev libsodium23 \
        libcmocka-dev libcmocka0)
    for package in "$system"/packages/*.deb; do dpkg-deb -x "$package" "$system"; done
    rm -r "$system/apt" "$system/packages"
    touch "$system/complete"
}

tools/deps.sh check "$machine"
[ -e "$system/complete" ] || fetch_libraries >"$BUILD/system.log" 2>&1 || {
    cat "$BUILD/system.log"
    exit 1
}

# The kernel may run it as it is; the emulator always does.
libraries=$system/usr/lib/$triplet
emulator="qemu-$machine -L /usr/$cross"
make BUILD="$BUILD" PKG_CONFIG="PKG_CONFIG_SYSROOT_DIR=$system PKG_CONFIG_LIBDIR=$libraries/pkgconfig pkg-config" CROSS_COMPILE="$cross-" EMULATOR="$emulator" LDFLAGS="-Wl,-rpath,$libraries -Wl,-rpath-link,$libraries" \
    -j"$(nproc)" tests >"$BUILD/make.log" 2>&1 || {
    cat "$BUILD/make.log"
    exit 1
}
export NATIVE=${NATIVE:-$PWD/build}
make BUILD="$NATIVE" all "$NATIVE/tests/tree/make_tree" >"$BUILD/native.log" 2>&1 || {
    cat "$BUILD/native.log"
    exit 1
}
EMULATED=$machine CC=$cross-gcc SANITIZE='' tests/run.sh --fast "$@"
