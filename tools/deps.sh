#!/bin/sh
# Sees to it that what a purpose needs is installed: tools/deps.sh PURPOSE...
# With --names it only prints the packages' names.
#
#   build   compiling the library and the command
#   check   the tests
#   clang   clang, its fuzzing engine, clang-format
#   lint    static analysis
#   afl     the other fuzzing engine, AFL++
#   browser what looks at the page of memfs info --html
#   s390x, i386  building and running for these machines (tests/cross.sh)
#   musl    building with another C library
#   large   the tree of make check-large
#   coverage   the tests, and what counts their branches
#   packaging  making and checking Debian's packages
#   bench   the peers and trees of make bench: what cannot be had is said, and done without
#
# Silent when nothing is missing. On Debian and its kin it installs the packages,
# as root or by sudo; elsewhere it names them and fails.
set -eu

# What is wanted, one a line: the Debian package, and a command that shows that it is there.
wanted() {
    case $1 in
    build)
        compiler=${CC:-gcc}
        echo "${compiler%% *} command -v ${compiler%% *}"
        echo "libc6-dev test -e /usr/include/stdio.h"
        echo "binutils command -v objcopy"
        echo "pkg-config command -v pkg-config"
        echo "libzstd-dev pkg-config --exists libzstd"
        echo "libxxhash-dev pkg-config --exists libxxhash"
        echo "libsodium-dev pkg-config --exists libsodium"
        ;;
    check)
        wanted build
        echo "libcmocka-dev pkg-config --exists cmocka"
        echo "attr command -v getfattr"
        echo "acl command -v setfacl"
        echo "python3-xxhash python3 -c 'import xxhash' || /usr/bin/python3 -c 'import xxhash'"
        echo "python3-zstandard python3 -c 'import zstandard' || /usr/bin/python3 -c 'import zstandard'"
        echo "g++ command -v c++"
        echo "groff-base command -v groff"
        echo "mandoc command -v mandoc"
        echo "zsh command -v zsh"
        echo "fish command -v fish"
        echo "libmicrohttpd-dev pkg-config --exists libmicrohttpd"
        echo "curl command -v curl"
        echo "xz-utils command -v xz"
        echo "python3 command -v python3"
        echo "git command -v git"
        echo "tree command -v tree"
        echo "btrfs-progs command -v mkfs.btrfs"
        echo "valgrind command -v valgrind"
        ;;
    clang)
        echo "clang command -v clang"
        echo "libclang-rt-14-dev ls /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-x86_64.a"
        echo "clang-format command -v clang-format"
        ;;
    lint)
        wanted clang
        echo "clang-tidy command -v clang-tidy"
        echo "cppcheck command -v cppcheck"
        ;;
    afl)
        wanted clang
        echo "afl++ command -v afl-fuzz && command -v afl-clang-fast"
        ;;
    browser)
        wanted check
        echo "chromium command -v chromium"
        echo "chromium-driver command -v chromedriver"
        echo "fonts-liberation ls /usr/share/fonts/truetype/liberation*"
        ;;
    s390x)
        echo "gcc-s390x-linux-gnu command -v s390x-linux-gnu-gcc"
        echo "libc6-dev-s390x-cross test -e /usr/s390x-linux-gnu/include/stdio.h"
        echo "qemu-user command -v qemu-s390x"
        ;;
    i386)
        echo "gcc-i686-linux-gnu command -v i686-linux-gnu-gcc"
        echo "libc6-dev-i386-cross test -e /usr/i686-linux-gnu/include/stdio.h"
        echo "qemu-user command -v qemu-i386"
        ;;
    musl)
        echo "musl-tools command -v musl-gcc"
        ;;
    large)
        echo "linux-source-6.1 ls /usr/src/linux-source-6.1.tar.xz"
        echo "xz-utils command -v xz"
        ;;
    coverage)
        wanted check
        echo "gcovr command -v gcovr"
        ;;
    packaging)
        wanted build
        echo "git command -v git"
        echo "g++ command -v c++"
        echo "pkgconf dpkg -s pkgconf"
        echo "debhelper command -v dh"
        echo "dpkg-dev command -v dpkg-buildpackage"
        echo "fakeroot command -v fakeroot"
        echo "lintian command -v lintian"
        ;;
    bench)
        wanted large
        echo "python3 python3 -c 'import statistics'"
        echo "tar command -v tar"
        echo "zstd command -v zstd"
        echo "squashfs-tools command -v mksquashfs && command -v unsquashfs"
        echo "squashfuse command -v squashfuse"
        echo "fuse3 command -v fusermount3"
        echo "erofs-utils command -v mkfs.erofs && command -v fsck.erofs"
        echo "zip command -v zip"
        echo "unzip command -v unzip"
        echo "sqlite3 command -v sqlite3"
        echo "gnuplot-nox command -v gnuplot"
        echo "npm command -v npm"
        ;;
    *)
        echo "deps.sh: unknown purpose: $1" >&2
        exit 2
        ;;
    esac
}

missing() {
    wanted "$1" | while read -r package test; do
        eval "$test" >/dev/null 2>&1 || printf ' %s' "$package"
    done
}

install() {
    as_root=
    how=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || {
            echo "deps.sh: to be installed as root:$*" >&2
            exit 1
        }
        as_root=sudo
        how=" by sudo"
    fi
    echo "  DEPS  installing$how:$*"
    log=$(mktemp)
    apt="$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends"
    # A fresh system has no package lists yet, an old one may have outdated ones.
    # shellcheck disable=SC2048,SC2086
    $apt install $* >"$log" 2>&1 </dev/null || { $apt update && $apt install $*; } >"$log" 2>&1 </dev/null || {
        cat "$log" >&2
        rm -f "$log"
        echo "deps.sh: could not install:$*" >&2
        exit 1
    }
    rm -f "$log"
}

# All at once, or else one by one, so that one that cannot be had does not keep others out.
wish() {
    # In a subshell each: to install exits where it fails.
    (install "$1") 2>/dev/null && return
    for package in $1; do
        (install " $package") || echo "deps.sh: done without $package" >&2
    done
}

if [ "${1:-}" = --names ]; then
    shift
    for purpose; do wanted "$purpose"; done | cut -d' ' -f1 | sort -u
    exit
fi
for purpose; do
    packages=$(missing "$purpose")
    [ -n "$packages" ] || continue
    if [ "$purpose" = bench ]; then
        if command -v apt-get >/dev/null; then wish "$packages"; else echo "deps.sh: done without:$packages" >&2; fi
        continue
    fi
    if ! command -v apt-get >/dev/null; then
        echo "deps.sh: please install what Debian calls:$packages" >&2
        exit 1
    fi
    install "$packages"
    packages=$(missing "$purpose")
    [ -z "$packages" ] || {
        echo "deps.sh: installed, but still not to be found:$packages" >&2
        exit 1
    }
done
