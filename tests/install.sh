#!/bin/bash
# make install, as somebody would use what it installs: only the expected files, a C and
# a C++ program built by pkg-config against them, dynamically and statically; then
# that uninstall leaves nothing. And make dist.
#
#   tests/install.sh            installs below a directory of its own
#   tests/install.sh DIRECTORY  tests what stands below DIRECTORY (packages that were unpacked, say)
#
# Environment: BUILD, CC. The last line is "N passed, N failed".
set -eu
cd "$(dirname "$0")/.."
BUILD=${BUILD:-$PWD/build} CC=${CC:-gcc}
export LC_ALL=C
umask 022
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$(sed -n 's/^#define MEMFS_VERSION "\(.*\)"/\1/p' libmemfs/memfs.h)
# Of a make that runs this only the variables on its command line are handed on.
case ${MAKEFLAGS:-} in
*'-- '*) MAKEFLAGS="-- ${MAKEFLAGS#*-- }" ;;
*) MAKEFLAGS= ;;
esac
export MAKEFLAGS
unset MFLAGS MAKELEVEL
run_make() { make -s BUILD="$BUILD" CC="$CC" "$@"; }

passed=0 failed=0 skipped=0
check() { # what, command
    local what=$1 status=0
    shift
    "$@" >"$work/log" 2>&1 </dev/null || status=$?
    if [ "$status" = 0 ]; then
        passed=$((passed + 1))
        echo "ok   $what"
    else
        failed=$((failed + 1))
        echo "FAIL $what: $* (exit code $status)"
        sed 's/^/     | /' "$work/log"
    fi
}

# ---- The files --------------------------------------------------------------------

# What there is, files and links, from the root given.
files() { (cd "$1" && find . ! -type d | sed 's/^\.//' | LC_ALL=C sort); }

# The subcommands as the command itself lists them.
subcommands() { "$BUILD/memfs" --help | sed -n '/^  [a-z]/{/^  memfs/d; s/^  \([a-z]*\) .*/\1/p}'; }

expected() { # what is to be there below /usr/local
    printf '/usr/local/%s\n' bin/memfs include/memfs.h include/memfs_host.h include/memfs_image.h lib/libmemfs.a \
        lib/libmemfs.so lib/libmemfs.so.0 "lib/libmemfs.so.$version" lib/pkgconfig/memfs.pc share/doc/memfs/FORMAT.md \
        share/man/man1/memfs.1 share/man/man3/libmemfs.3 share/man/man5/memfs-image.5 share/man/man7/memfs-security.7 \
        share/bash-completion/completions/memfs share/zsh/site-functions/_memfs share/fish/vendor_completions.d/memfs.fish
    subcommands | sed 's|.*|/usr/local/share/man/man1/memfs-&.1|'
}

modes() { # files that are to be run, and those that others may not read, or may write
    [ "$(find "$1" -type f -perm /111)" = "$1/usr/local/bin/memfs" ]
    [ -z "$(find "$1" -type f ! -perm -444 -o -type f -perm /022 -o -type d ! -perm -555)" ]
}

exports_only() { # a library: only names that begin with memfs_, and some of those
    nm -D --defined-only "$1" | awk '$2 != "A" { print $3; n++ } END { exit n < 50 }' >"$work/names" && ! grep -v '^memfs_' "$work/names"
}
static_exports_only() {
    nm --defined-only --extern-only "$1" | awk 'NF == 3 { print $3; n++ } END { exit n < 50 }' >"$work/names" &&
        ! grep -v '^memfs_' "$work/names"
}

# ---- Programs -----------------------------------------------------------------------

cat >"$work/program.c" <<'END'
#include <memfs_image.h>

#include <stdio.h>
#include <string.h>

static int keep(void *context, const void *data, size_t length)
{
    FILE *file = (FILE *)context;
    return fwrite(data, 1, length, file) == length ? 0 : -5;
}

/* Makes a filesystem, freezes it into a file and reads it there. */
int main(void)
{
    memfs *fs = NULL;
    memfs_file *file = NULL;
    memfs_image *image = NULL;
    char text[16] = "";
    static char bytes[65536];
    FILE *frozen = tmpfile();
    struct memfs_sink sink = {keep, frozen};
    struct memfs_options options;
    size_t length;
    if (!frozen || memfs_create(NULL, &fs) != 0 || memfs_open(fs, NULL, "hello", MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &file) != 0)
        return 1;
    if (memfs_write(file, "hello\n", 6) != 6)
        return 2;
    memfs_close(file);
    if (memfs_freeze(fs, &sink, NULL, NULL) != 0)
        return 3;
    memfs_destroy(fs);
    rewind(frozen);
    length = fread(bytes, 1, sizeof bytes, frozen);
    fclose(frozen);
    if (memfs_image_open_buffer(bytes, length, NULL, &image, NULL) != 0)
        return 4;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.backing = memfs_image_backing(image);
    if (memfs_create(&options, &fs) != 0 || memfs_open(fs, NULL, "hello", MEMFS_O_READ, 0, &file) != 0)
        return 5;
    if (memfs_read(file, text, sizeof text) != 6)
        return 6;
    fputs(text, stdout);
    memfs_close(file);
    memfs_destroy(fs);
    memfs_image_close(image);
    return 0;
}
END
cp "$work/program.c" "$work/program.cc"

# Asks pkg-config as one whose system is the directory given.
flags() { # root, what
    env PKG_CONFIG_SYSROOT_DIR="$1" PKG_CONFIG_PATH="$pkgconfig" pkg-config "${@:2}" memfs
}
says_hello() { # command
    [ "$("$@")" = hello ]
}
programs() { # root
    local c_flags="-Wall -Wextra -Wpedantic -Werror"
    # shellcheck disable=SC2046,SC2086
    for way in dynamic static; do
        local static='' libraries
        [ $way = dynamic ] || static=--static
        libraries=$(flags "$1" $static --cflags --libs)
        check "a C program, $way" "$CC" -std=c11 $c_flags ${static:+-static} -o "$work/c-$way" "$work/program.c" $libraries
        check "it runs" says_hello env LD_LIBRARY_PATH="$libdir" "$work/c-$way"
        check "a C++ program, $way" c++ -std=c++17 $c_flags ${static:+-static} -o "$work/cc-$way" "$work/program.cc" $libraries
        check "it runs" says_hello env LD_LIBRARY_PATH="$libdir" "$work/cc-$way"
    done
    check "the dynamic one asks for the soname" grep -q 'NEEDED.*libmemfs\.so\.0$' <(objdump -p "$work/c-dynamic")
    check "the static one asks for none" test -z "$(objdump -p "$work/c-static" | grep NEEDED)"
}

# Whatever has been installed, and how.
installed() { # root, prefix
    libdir=$(dirname "$(find "$1" -name libmemfs.so)")
    pkgconfig=$(dirname "$(find "$1" -name memfs.pc)")
    check "only memfs_ names in the shared library" exports_only "$libdir/libmemfs.so"
    check "only memfs_ names in the static library" static_exports_only "$libdir/libmemfs.a"
    check "the links lead to the library" test "$(readlink -f "$libdir/libmemfs.so")" = "$libdir/libmemfs.so.$version"
    check "memfs.pc has the version" test "$(flags "$1" --modversion)" = "$version"
    check "memfs.pc names what a static program needs" test "$(flags "$1" --print-requires-private)" = libzstd
    check "the command runs" test "$("$1$2/bin/memfs" --version)" = "memfs $version"
    programs "$1"
}

if [ $# -gt 0 ]; then
    installed "$1" /usr
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
    exit
fi

root="$work/a root"
root=${root// /_}
check "make install" run_make install DESTDIR="$root"
expected | sort >"$work/expected"
files "$root" >"$work/files"
check "the files that are expected, and no others" diff "$work/expected" "$work/files"
check "their modes" modes "$root"
check "no file names where it was built" test -z "$(grep -rlF "$work" "$root" --include=*.pc --include=*.[135])"
installed "$root" /usr/local
check "make install again" run_make install DESTDIR="$root"
echo "someone else's" >"$root/usr/local/lib/libother.so"
check "make uninstall" run_make uninstall DESTDIR="$root"
check "it leaves nothing but what is someone else's" test "$(files "$root")" = /usr/local/lib/libother.so
check "nor a directory of its own" test -z "$(find "$root" -name memfs)"

# Other places, in GNU's names and ours.
check "make install elsewhere" run_make install DESTDIR="$work/else where" prefix=/opt/m LIBDIR=/opt/m/lib64 bindir=/opt/bin MANDIR=/man
check "the command there" test -x "$work/else where/opt/bin/memfs"
check "the library there" test -L "$work/else where/opt/m/lib64/libmemfs.so"
check "the pages there" test -f "$work/else where/man/man1/memfs.1"
check "memfs.pc says so" grep -qxF "libdir=\${prefix}/lib64" "$work/else where/opt/m/lib64/pkgconfig/memfs.pc"
check "uninstall there" run_make uninstall DESTDIR="$work/else where" prefix=/opt/m LIBDIR=/opt/m/lib64 bindir=/opt/bin MANDIR=/man
check "nothing is left there" test -z "$(files "$work/else where")"

# A prefix of several words.
check "make install below a prefix with blanks" run_make install DESTDIR="$work/root" prefix="/opt/two  words"
check "the command there" test -x "$work/root/opt/two  words/bin/memfs"
check "the link there" test -e "$work/root/opt/two  words/lib/libmemfs.so"
check "memfs.pc says so by the prefix" grep -qxF "libdir=\${prefix}/lib" "$work/root/opt/two  words/lib/pkgconfig/memfs.pc"
in_quotes() { PKG_CONFIG_PATH="$work/root/opt/two  words/lib/pkgconfig" pkg-config --cflags memfs | grep -qF '/opt/two\ \ words/include'; }
check "pkg-config escapes them" in_quotes
check "uninstall there" run_make uninstall DESTDIR="$work/root" prefix="/opt/two  words"
check "nothing is left there" test -z "$(files "$work/root")"

# Build-Depends is what tools/deps.sh installs, but for what every build has.
build_depends() {
    sed -n '/^Build-Depends:/,/^[A-Z]/p' tools/packaging/debian/control | grep -oE '^(Build-Depends:)? +[a-z0-9.+-]+' |
        sed -E 's/.* //' | grep -v '^debhelper' | sort
}
wanted() { CC=gcc tools/deps.sh --names build check | grep -vxE 'gcc|g\+\+|libc6-dev|binutils|xz-utils' | sed 's/^pkg-config$/pkgconf/' | sort; }
check "Build-Depends of the Debian package has what tools/deps.sh installs" diff <(wanted) <(build_depends)

# A release has what is committed, and always the same bytes.
if git rev-parse HEAD >/dev/null 2>&1 && command -v xz >/dev/null; then
    archive=$BUILD/memfs-$version.tar.xz
    check "make dist" run_make dist XZ="xz -0 -T1" # which is soon done
    cp "$archive" "$work/first.tar.xz"
    check "make dist again" run_make dist XZ="xz -0 -T1"
    check "the same bytes" cmp "$work/first.tar.xz" "$archive"
    tar -tf "$archive" >"$work/listing"
    check "the archive has a directory of the version's name" test -z "$(grep -v "^memfs-$version/" "$work/listing")"
    check "and what it takes to build" grep -qx "memfs-$version/Makefile" "$work/listing"
    rm -f "$archive"
else
    skipped=1
    echo "skip   make dist (it takes git and xz, and a clone)"
fi
summary="$passed passed, $failed failed"
[ "$skipped" = 0 ] || summary="$summary, $skipped skipped"
echo "$summary"
[ "$failed" = 0 ]
