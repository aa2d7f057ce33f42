#!/bin/bash
# What the compiler can do against attacks is in the command and in the library, as their ELF headers tell; whatever
# CFLAGS a user has; and not for debugging, which fortifying would forbid.
#
# Environment: BUILD, CC. The last line is "N passed, N failed, N skipped".
set -u
cd "$(dirname "$0")/.." || exit 2
BUILD=$(cd "${BUILD:-build}" && pwd) || exit 2
CC=${CC:-gcc}
export LC_ALL=C
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

passed=0 failed=0 skipped=0
check() { # what, command...
    if "${@:2}" >"$work/log" 2>&1; then
        passed=$((passed + 1))
        echo "ok     $1"
    else
        failed=$((failed + 1))
        echo "not ok $1"
        head -n 20 "$work/log" | sed 's/^/     | /'
    fi
}
skip() { # what, why
    skipped=$((skipped + 1))
    echo "skip   $1 ($2)"
}
has() { # file, readelf's option, pattern
    readelf -W "$2" "$1" >"$work/elf" && grep -qE -- "$3" "$work/elf"
}
lacks() { readelf -W "$2" "$1" >"$work/elf" && ! grep -qE -- "$3" "$work/elf"; }
takes() { # flags of the compiler
    echo 'int main(void) { return 0; }' | $CC -Werror "$@" -x c -c -o "$work/taken.o" - 2>/dev/null
}

# Whether the whole file says so depends on what the system links in front of every program.
marks() { [ "$(objdump -d --no-show-raw-insn "$1" | grep -cE 'endbr(32|64)')" -gt 500 ]; }

look() { # file, what it is called
    check "$2: addresses are read-only once they are known" has "$1" -l GNU_RELRO
    check "$2: they are all known at the beginning" has "$1" -d 'BIND_NOW|FLAGS.*NOW'
    check "$2: the stack cannot be run" has "$1" -l 'GNU_STACK.* RW +0x'
    check "$2: no part can be written and run" lacks "$1" -l 'LOAD.* RWE '
    check "$2: it can lie anywhere" has "$1" -h 'Type: +DYN'
    check "$2: no text has to be changed for that" lacks "$1" -d TEXTREL
    check "$2: no path of ours to look for libraries" lacks "$1" -d 'RPATH|RUNPATH'
    if takes -fstack-protector-strong; then
        check "$2: stacks are guarded" has "$1" -s '__stack_chk_fail'
    else
        skip "$2: stacks are guarded" "$CC cannot"
    fi
    check "$2: calls of libc are checked" has "$1" -s '_chk(@|$)'
    if takes -fcf-protection; then
        check "$2: jumps land where they may" marks "$1"
    else
        skip "$2: jumps are checked" "$CC cannot, for this processor"
    fi
}
look "$BUILD/memfs" memfs
look "$BUILD/libmemfs.so" libmemfs.so
check "memfs: a program, not a library" has "$BUILD/memfs" -d 'FLAGS_1.* PIE'

# Other flags, in a directory of their own: what is compiled, and how it would be.
run_make() { make --no-print-directory -s BUILD="$work/build" CC="$CC" "$@"; }
commands() { make --no-print-directory -n V=1 BUILD="$work/build" CC="$CC" "$@" "$work/build/tools/main.o"; }
object=$work/build/libmemfs/error.o
check "with other CFLAGS" run_make CFLAGS='-O1 -g0' CPPFLAGS=-DOTHER "$object" "$work/build/tools/main.o"
check "they count" grep -q -- '-DOTHER -O1 -g0' "$work/build/flags"
check "and hardening stays" grep -q -- '-D_FORTIFY_SOURCE=2 .*-O1 -g0' "$work/build/flags"
check "also for the linker" grep -q -- '-Wl,-z,relro -Wl,-z,now' "$work/build/flags"
! takes -fcf-protection || check "objects say so themselves" has "$object" -n 'IBT, SHSTK'
check "without the optimiser nothing is fortified" eval '! commands CFLAGS=-O0 | grep FORTIFY'
check "who says how, has that" eval '! commands CPPFLAGS="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3" | grep FORTIFY_SOURCE=2'
check "memory checkers do without" eval '! commands SANITIZE=address | grep -E "FORTIFY|stack-protector"'
check "they are asked for" eval 'commands SANITIZE=address | grep fsanitize=address'

# A program without all that is seen.
printf '#include <string.h>\nint main(int n, char **v) { char t[8]; strcpy(t, v[n - 1]); return t[0]; }\n' >"$work/weak.c"
check "a weak program" eval '$CC -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=0 -fno-stack-protector -no-pie -Wl,-z,norelro -Wl,-z,lazy -Wl,-z,execstack -o "$work/weak" "$work/weak.c" 2>&1'
weaknesses() { (look "$work/weak" weak && echo "$failed" >"$work/weaknesses") >/dev/null && [ "$(cat "$work/weaknesses")" -ge $((failed + 5)) ]; }
check "is seen to be weak" weaknesses
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
