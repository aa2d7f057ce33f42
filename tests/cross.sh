#!/bin/bash
# Builds for a machine of another kind and runs the tests there: tests/cross.sh MACHINE [--share | TEST...]
#
#   s390x   64 bits, big-endian
#   i386    32 bits
#
# Compiler and emulator are those of tools/deps.sh; the libraries of that machine are Debian's
# packages, unpacked below BUILD: nothing foreign is installed. Without names of tests those
# run that `tests/run.sh --fast` would, as far as they are for such machines (see there); with
# --share what tells most about bytes and widths in little time: what decodes and encodes, the model,
# and foreign.sh, but neither test_freeze nor test_open: calls that fail in turn, and every byte damaged,
# take an emulator minutes.
# Environment: BUILD (default build/MACHINE), NATIVE (a build for this machine, to compare with;
# default build), ONLY_BUILD (1: runs nothing), CI (true: what cannot be had is a test skipped, else
# one failed).
# The last line is "N passed, N failed[, N skipped]".
set -euo pipefail
cd "$(dirname "$0")/.."
machine=$1
shift
unset MAKEFLAGS MFLAGS CC # one that is named for make is not this machine's
case $machine in
s390x) triplet=s390x-linux-gnu cross=s390x-linux-gnu ;;
i386) triplet=i386-linux-gnu cross=i686-linux-gnu CPPFLAGS=-Wno-psabi ;; # gcc tells how old compilers did it
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
        -o Dir::State::status="$system/apt/status" -o Dir::Cache="$system/apt/cache" -o APT::Sandbox::User=root \
        -o Acquire::Retries=1 -o Acquire::http::Timeout=10 "$@"
}

fetch_libraries() {
    local package
    rm -rf "$system" && mkdir -p "$system/apt/lists/partial" "$system/apt/cache/archives/partial" "$system/packages" &&
        : >"$system/apt/status" || return
    # One list that cannot be had need not matter: what cannot be downloaded will.
    foreign_apt update || :
    (cd "$system/packages" && foreign_apt download libzstd-dev libzstd1 libxxhash-dev libxxhash0 libsodium-dev libsodium23 \
        libcmocka-dev libcmocka0) || return
    for package in "$system"/packages/*.deb; do dpkg-deb -x "$package" "$system" || return; done
    rm -r "$system/apt" "$system/packages" && touch "$system/complete"
}

cannot_be_had() { # what
    if [ "${CI:-}" = true ]; then
        echo "skip   $machine: $1 cannot be had"
        echo "0 passed, 0 failed, 1 skipped"
        exit 0
    fi
    echo "cross.sh: $1 cannot be had" >&2
    exit 1
}
tools/deps.sh check
tools/deps.sh "$machine" || cannot_be_had "its compiler or emulator"
if [ ! -e "$system/complete" ] && ! fetch_libraries >"$BUILD/system.log" 2>&1; then
    cat "$BUILD/system.log"
    cannot_be_had "Debian's libraries for it"
fi

# Each name of a test is that of a program, or of a script that needs the command.
goals=(tests-fast)
cflags=()
if [ "${1:-}" = --share ]; then
    shift
    cflags=(CFLAGS=-O1) # compiling takes more time than running
    export MEMFS_MODEL_OPS=${MEMFS_MODEL_OPS:-5000} MEMFS_SCALE=${MEMFS_SCALE:-2}
    set -- foreign test_model test_codec test_columns test_cursor test_frames test_parts test_survey \
        test_verify test_check test_errors test_extents test_xattr replay_fuzz_records
fi
if [ $# -gt 0 ]; then
    goals=("$BUILD/memfs")
    for name; do
        case $name in
        test_*) [ -f "tests/$name.c" ] && goals+=("$BUILD/tests/$name") || goals+=("$BUILD/tests/damage/$name") ;;
        replay_*) goals+=("$BUILD/fuzz/$name") ;;
        hostile) goals+=("$BUILD/tests/hostile/hostile") ;;
        esac
    done
fi

# The kernel may run it as it is; the emulator always does. The C library is found beside its loader before
# /etc/ld.so.cache is asked: that is this machine's, which may know another one of 32 bits, and with the
# loader of a different build a thread is never made.
libraries=$system/usr/lib/$triplet
emulator="qemu-$machine -L /usr/$cross"
make BUILD="$BUILD" CROSS_COMPILE="$cross-" EMULATOR="$emulator" CPPFLAGS="${CPPFLAGS:-}" \
    PKG_CONFIG="PKG_CONFIG_SYSROOT_DIR=$system PKG_CONFIG_LIBDIR=$libraries/pkgconfig pkg-config" \
    LDFLAGS="-Wl,-rpath,/usr/$cross/lib:$libraries -Wl,-rpath-link,$libraries" -j"$(nproc)" "${cflags[@]}" "${goals[@]}" >"$BUILD/make.log" 2>&1 || {
    cat "$BUILD/make.log"
    exit 1
}
export NATIVE=${NATIVE:-$PWD/build}
make BUILD="$NATIVE" all "$NATIVE/tests/tree/make_tree" "$NATIVE/tests/tree/list_tree" >"$BUILD/native.log" 2>&1 || {
    cat "$BUILD/native.log"
    exit 1
}
[ -z "${ONLY_BUILD:-}" ] || exit 0
EMULATED=$machine CC=$cross-gcc SANITIZE='' tests/run.sh --fast "$@"
