#!/bin/bash
# What the libraries export is what the public headers declare: nothing more,
# nothing less; and each header stands alone. Then: that these checks can fail.
#
#   tests/check_symbols.sh [--self-test]
#
# Environment: BUILD, CC. The last line is "N passed, N failed".
set -eu
cd "$(dirname "$0")/.."
BUILD=${BUILD:-build} CC=${CC:-gcc}
HEADERS=(libmemfs/memfs.h libmemfs/memfs_host.h format/memfs_image.h)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

of_headers() { # compiled once
    local list=$work/${*//\//_}
    [ -f "$list" ] || CC=$CC tools/exports.sh "$@" >"$list"
    cat "$list"
}
of_shared() { nm -D --defined-only "$1" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort -u; }
of_static() { nm --defined-only --extern-only "$1" | awk 'NF == 3 { print $3 }' | sort -u; }

# Each prints what is wrong.
rule_shared() { diff <(of_headers "${HEADERS[@]}") <(of_shared "$1") || :; }
rule_static() { diff <(of_headers "${HEADERS[@]}") <(of_static "$1") || :; }
rule_names() { of_headers "${HEADERS[@]}" | grep -v '^memfs_' || :; }
rule_soname() { objdump -p "$1" | grep -q 'SONAME *libmemfs\.so\.[0-9]*$' || echo "no soname in $1"; }
rule_header() { # compiles alone, with all warnings, as C11 and (where there is a compiler) as C++
    echo "#include \"$1\"" >"$work/alone.c"
    "$CC" -std=c11 -Wall -Wextra -Wpedantic -Wstrict-prototypes -Werror -I. -Ilibmemfs -Iformat -fsyntax-only "$work/alone.c" 2>&1 || :
    if command -v c++ >/dev/null; then
        c++ -std=c++11 -Wall -Wextra -Wpedantic -Werror -I. -Ilibmemfs -Iformat -fsyntax-only -x c++ "$work/alone.c" 2>&1 || :
    fi
}

passed=0 failed=0
pass() { passed=$((passed + 1)); echo "ok   $1"; }
fail() { failed=$((failed + 1)); echo "FAIL $1"; }
holds() { # what, rule and arguments
    local what=$1 found
    shift
    found=$("$@")
    if [ -z "$found" ]; then pass "$what"; else fail "$what"; echo "$found"; fi
}
can_fail() { # what, what it says then, rule and arguments
    local what=$1 says=$2
    shift 2
    if [[ "$("$@")" == *"$says"* ]]; then pass "$what"; else fail "$what"; fi
}

if [ "${1:-}" != --self-test ]; then
    holds "libmemfs.so exports what the headers declare" rule_shared "$BUILD/libmemfs.so"
    holds "libmemfs.a exports what the headers declare" rule_static "$BUILD/libmemfs.a"
    holds "all exported names are memfs_..." rule_names
    holds "libmemfs.so has its soname" rule_soname "$BUILD/libmemfs.so"
    for header in "${HEADERS[@]}"; do holds "$header stands alone" rule_header "$header"; done
fi

# A function that a header declares and nobody defines, or that is defined and not declared.
sed 's/^void memfs_destroy(.*/&\nint memfs_planted(void);/' libmemfs/memfs.h >"$work/memfs.h"
HEADERS[0]=$work/memfs.h
can_fail "a declared function that is missing from libmemfs.so is noticed" "< memfs_planted" rule_shared "$BUILD/libmemfs.so"
can_fail "a declared function that is missing from libmemfs.a is noticed" "< memfs_planted" rule_static "$BUILD/libmemfs.a"
HEADERS[0]=libmemfs/memfs.h
echo 'int memfs_planted(void); int memfs_planted(void) { return 0; }' >"$work/planted.c"
"$CC" -fPIC -c -o "$work/planted.o" "$work/planted.c"
"$CC" -shared -o "$work/planted.so" "$work/planted.o" -Wl,--whole-archive "$BUILD/libmemfs.a" -Wl,--no-whole-archive
can_fail "an internal function that libmemfs.so exports is noticed" "> memfs_planted" rule_shared "$work/planted.so"
cp "$BUILD/libmemfs.a" "$work/planted.a"
ar rs "$work/planted.a" "$work/planted.o" 2>/dev/null
can_fail "an internal function that libmemfs.a exports is noticed" "> memfs_planted" rule_static "$work/planted.a"
can_fail "a library without a soname is noticed" "no soname" rule_soname "$work/planted.so"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
