#!/bin/bash
# The library's binary interface, as the public headers declare it on 64-bit hosts:
# functions with their types, structs with their members' places, constants.
#
#   tools/abi/abi.sh print                  says what it is now
#   tools/abi/abi.sh check [RECORD [NOW]]   compares it, or what was printed, with the record
#   tools/abi/abi.sh accept                 puts into the record what is new (make abi)
#   tools/abi/abi.sh begin                  writes a new record, whatever breaks
#
# A program that was compiled against a release must run with every later library of
# the same soname. So what stands in the record, tools/abi/libmemfs.so.0, stays: a function,
# a constant, a member at its place, the size of a struct. Only a struct that begins with
# its size may grow, at its end: its callers say how much of it they know. What is new
# breaks nobody; check wants it accepted in the commit that brings it. Whatever else
# changes needs a new soname: raise SONAME in the Makefile, RECORD here and in the test, and
# the number in the name of the Debian package, and begin a new record. Until the first
# release nobody has been promised anything: then the record may begin anew as well.
#
# Environment: CC. check prints what broke ("-") and what is new ("+"), and exits 1 if anything did.
set -eu
cd "$(dirname "$0")/../.."
CC=${CC:-gcc}
RECORD=tools/abi/libmemfs.so.0
HEADERS=(libmemfs/memfs.h libmemfs/memfs_host.h format/memfs_image.h)
export LC_ALL=C
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The headers as one text without comments and what they include from elsewhere.
declarations() {
    sed -E '/^#include </d' "${HEADERS[@]}" | sed -E '/^#include "/d' >"$work/all.h"
    "$CC" -std=c11 -E -P "$work/all.h"
}

functions() {
    declarations | tr '\n' ' ' | sed -E 's/\{[^{}]*\}/ /g; s/;/;\n/g' | sed -E 's/[[:space:]]+/ /g; s/^ //' |
        grep -E '^[^(]*\bmemfs_[a-z0-9_]+ ?\(' | grep -v '^typedef' | sed 's/^/function /'
}

# Members of structs, "struct member": each by its declarator's name.
members() {
    declarations | tr '\n' ' ' | grep -oE 'struct memfs_[a-z_]+ *\{[^}]*\}' | sed -E 's/\{/;/; s/\}//' |
        awk -F';' '{
            split($1, word, " "); name = word[2]
            for (i = 2; i <= NF; i++) {
                text = $i
                if (text ~ /^ *$/) continue
                if (match(text, /\(\*[a-z_]+\)/)) { print name, substr(text, RSTART + 2, RLENGTH - 3); continue }
                count = split(text, part, ",")
                for (p = 1; p <= count; p++) { sub(/\[.*/, "", part[p]); n = split(part[p], w, /[ *]+/); print name, w[n] == "" ? w[n - 1] : w[n] }
            }
        }'
}

constants() {
    { sed -nE 's/^#define (MEMFS_[A-Z_0-9]+) .*/\1/p' "${HEADERS[@]}" | grep -v '^MEMFS_VERSION$'
        declarations | tr '\n' ' ' | grep -oE 'enum [a-z_]+ *\{[^}]*\}' | grep -oE 'MEMFS_[A-Z_0-9]+'; } | sort -u
}

print_abi() {
    functions
    {
        echo '#include "memfs_image.h"'
        echo '#include <stdio.h>'
        echo 'int main(void) {'
        members | cut -d' ' -f1 | sort -u | sed -E 's/.*/printf("struct & size %zu\\n", sizeof(struct &));/'
        members | sed -E 's/([^ ]*) (.*)/printf("struct \1 member \2 at %zu of %zu\\n", offsetof(struct \1, \2), sizeof((struct \1 *)0)->\2);/'
        constants | sed -E 's/.*/printf("constant & %lld\\n", (long long)(&));/'
        echo '}'
    } >"$work/layout.c"
    "$CC" -std=c11 -w -Ilibmemfs -Iformat -o "$work/layout" "$work/layout.c"
    "$work/layout"
}

# Structs that begin with their size may have grown: what is left are the others.
not_grown() { # lines that vanished; now
    while read -r kind name what size rest; do
        if [ "$kind $what" = "struct size" ] && grep -q "^struct $name member size at 0 " "$1"; then
            now=$(sed -n "s/^struct $name size //p" "$1")
            [ "${now:-0}" -lt "$size" ] || continue
        fi
        echo "$kind $name $what $size $rest"
    done | sed 's/ *$//'
}

compare() { # record, what was printed
    grep -v '^#' "$1" | sort >"$work/then"
    if [ $# -gt 1 ]; then cp "$2" "$work/now"; else print_abi | sort >"$work/now"; fi
    comm -23 "$work/then" "$work/now" | not_grown "$work/now" | sed 's/^/- /' >"$work/broken"
    comm -13 "$work/then" "$work/now" | sed 's/^/+ /' >"$work/new"
}

[ $# -gt 1 ] || set -- "${1:-check}" "$RECORD"
case $1 in
print) print_abi | sort ;;
check)
    compare "${@:2}"
    cat "$work/broken" "$work/new"
    if [ -s "$work/broken" ]; then echo "abi.sh: programs compiled against $RECORD break: see the top of this script" >&2; fi
    if [ -s "$work/new" ]; then echo "abi.sh: what is new is to be accepted: make abi" >&2; fi
    [ ! -s "$work/broken" ] && [ ! -s "$work/new" ]
    ;;
accept)
    compare "$RECORD"
    if [ -s "$work/broken" ]; then
        cat "$work/broken"
        echo "abi.sh: not accepted: programs compiled against $RECORD would break" >&2
        exit 1
    fi
    { grep '^#' "$RECORD" && cat "$work/now"; } >"$work/record"
    cp "$work/record" "$RECORD"
    ;;
begin)
    { grep '^#' "$RECORD" && print_abi | sort; } >"$work/record"
    cp "$work/record" "$RECORD"
    ;;
*)
    echo "abi.sh: print, check, accept or begin?" >&2
    exit 2
    ;;
esac
