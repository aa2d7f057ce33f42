#!/bin/bash
# tools -> format -> libmemfs, one way only: by #include and by symbols. Also that
# memory comes from the caller's allocator, and that there is no global state.
#
#   tests/check_layers.sh               the rules, then that each of them can fail
#   tests/check_layers.sh --self-test   only the latter
#
# Environment: BUILD (with objects), CC. The last line is "N passed, N failed".
set -eu
cd "$(dirname "$0")/.."
BUILD=${BUILD:-build} CC=${CC:-gcc}
ALLOCATION='malloc|calloc|realloc|reallocarray|free|aligned_alloc|posix_memalign|strdup|strndup|asprintf|vasprintf|getline|getdelim'
PUBLIC='memfs\.h|memfs_host\.h|memfs_image\.h'

# ---- The rules; each prints what breaks it ------------------------------------

# The headers that files include: "file:header".
included() { # files
    grep -HoE '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"][^>"]*' /dev/null "$@" | sed -E 's/:[^<"]*[<"]/:/'
}

# Headers of this project among the included, with the place where they stand.
rooms() { # tree, files
    local tree=$1
    shift
    awk -F : 'NR == FNR { name = $1; sub(/.*\//, "", name); place[name] = $1; next }
        { name = $2; sub(/.*\//, "", name) } name in place { print $1 " includes " place[name] }' \
        <(cd "$tree" && find libmemfs format tools tests fuzz -name '*.h' 2>/dev/null) <(included "$@")
}

rule_core_includes() { rooms "$1" "$1"/libmemfs/*.[ch] | grep -vE ' libmemfs/[^/]*$' || :; }
rule_format_includes() { rooms "$1" "$1"/format/*.[ch] | grep -vE ' (libmemfs|format)/[^/]*$' || :; }
rule_tools_includes() {
    rooms "$1" "$1"/tools/*.[ch] "$1"/tools/*/*.[ch] | grep -vE " tools/.*| (libmemfs|format)/($PUBLIC)\$" || :
}
rule_shared_includes() { # what all subcommands need knows nothing of what one of them needs
    rooms "$1" "$1"/tools/{output,system,values}/*.[ch] | grep ' tools/' |
        grep -vE ' tools/((output|system|values)/[^/]*|options\.h)$' || :
}
rule_public_includes() { # they include none but each other
    rooms "$1" "$1"/libmemfs/memfs.h "$1"/libmemfs/memfs_host.h "$1"/format/memfs_image.h |
        grep -vE "/($PUBLIC)\$" || :
}
rule_zstd_in_codec() { included "$1"/{libmemfs,format,tools}/*.[ch] "$1"/tools/*/*.[ch] | grep -E ':zstd|:zdict' | grep -v '/format/codec\.c:' || :; }
rule_xxhash_in_hash() { included "$1"/{libmemfs,format,tools}/*.[ch] "$1"/tools/*/*.[ch] | grep -E ':xxh' | grep -v '/format/hash\.c:' || :; }

# Symbols that the objects of a room need, "object symbol", and those that it
# defines. Lists of them are made once, in prepare(), and for what is planted.
objects() { # tree, room
    local name
    for source in "$1/$2"/*.c; do
        name=${source##*/}
        echo "$1/objects/$2/${name%.c}.o"
    done
}
needs() { find "$1/objects/$2" -name '*.needs' -exec cat {} +; }
defines() { find "$1/objects/$2" -name '*.defines' -exec cat {} +; }
# By objdump: nm would tell what link-time optimization knows, which is not of calls that the compiler knows, malloc() and the like.
list_symbols() { # base name of the lists, objects
    objdump -t "${@:2}" | awk -v needs="$1.needs" -v defines="$1.defines" '
        BEGIN { printf "" >needs; printf "" >defines }
        /file format/ { file = $1; sub(/:$/, "", file); next }
        $0 ~ /\*UND\*/ { print file " " $NF >needs; next }
        $2 ~ /^[guw!]/ && $NF !~ /\./ { print $NF >defines }'
}
are_bytecode() { objdump -t "$@" | grep -q __gnu_lto_slim; } # is any object without code to be looked at?
needs_from() { # tree, room, other room
    needs "$1" "$2" | awk 'NR == FNR { defined[$1]; next } $2 in defined { print $1 " needs " $2 }' <(defines "$1" "$3") -
}

rule_core_symbols() { needs_from "$1" libmemfs format && needs_from "$1" libmemfs tools; }
rule_format_symbols() { needs_from "$1" format tools; }
rule_zstd_symbols() { { needs "$1" libmemfs && needs "$1" format; } | grep -E ' (ZSTD|ZDICT)_' | grep -v '/format/codec\.o ' || :; }
rule_xxhash_symbols() { { needs "$1" libmemfs && needs "$1" format; } | grep -E ' XXH' | grep -v '/format/hash\.o ' || :; }
rule_allocator() {
    { needs "$1" libmemfs && needs "$1" format; } | grep -E " ($ALLOCATION)\$" | grep -v '/libmemfs/alloc\.o ' || :
}
rule_no_global_state() { # nothing in sections that can be written, but for tables of pointers
    # shellcheck disable=SC2046
    objdump -t $(objects "$1" libmemfs) $(objects "$1" format) | awk '
        /file format/ { file = $1 }
        $0 ~ / O \.(data|bss|tdata|tbss)/ && $0 !~ /\.data\.rel\.ro/ { print file " " $NF }'
}

RULES="core_includes format_includes tools_includes shared_includes public_includes zstd_in_codec xxhash_in_hash
    core_symbols format_symbols zstd_symbols xxhash_symbols allocator no_global_state"

# ---- The rules can fail ---------------------------------------------------------

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
prepare() { # a copy to be broken
    rm -rf "$tree"
    mkdir -p "$tree/objects"
    cp -r libmemfs format tools "$tree/"
    for room in libmemfs format tools tools/*/; do
        room=${room%/}
        compgen -G "$room/*.c" >/dev/null || continue
        mkdir "$tree/objects/$room"
        built=()
        for source in "$room"/*.c; do
            [ -f "$BUILD/${source%.c}.o" ] || { echo "not built: $BUILD/${source%.c}.o" >&2; exit 1; }
            built+=("$BUILD/${source%.c}.o")
        done
        ! are_bytecode "${built[@]}" || { echo "no machine code in $room" >&2; exit 1; }
        cp "${built[@]}" "$tree/objects/$room/"
        list_symbols "$tree/objects/$room/all" "$tree/objects/$room"/*.o
    done
}

passed=0 failed=0
pass() { passed=$((passed + 1)); echo "ok   $1"; }
fail() { failed=$((failed + 1)); echo "FAIL $1"; }

# A file planted in a room must be found by one rule, and named by it.
planted() { # rule, room, contents
    local found
    echo "$3" >"$tree/$2/planted.c"
    case $1 in
    *_includes | *_in_*) ;; # rules about sources
    *)
        "$CC" -std=c11 -D_GNU_SOURCE -fPIC -w -c -o "$tree/objects/$2/planted.o" "$tree/$2/planted.c"
        list_symbols "$tree/objects/$2/planted" "$tree/objects/$2/planted.o"
        ;;
    esac
    found=$("rule_$1" "$tree")
    if [[ "$found" == *"/$2/planted."* ]]; then pass "$1 can fail"; else fail "$1 does not see: $3"; fi
    rm -f "$tree/$2"/planted.* "$tree/objects/$2"/planted.*
}

self_test() {
    # Some external function each of format and tools.
    local of_format of_tools
    of_format=$(defines "$tree" format | head -n 1)
    of_tools=$(defines "$tree" tools | head -n 1)
    planted core_includes libmemfs '#include "layout.h"'
    planted core_includes libmemfs '#include "memfs_image.h"'
    planted format_includes format '#include "../tools/commands.h"'
    planted tools_includes tools '#include "records.h"'
    planted tools_includes tools '#include <layout.h>'
    planted tools_includes tools/generate '#include "records.h"'
    planted shared_includes tools/system '#include "pack/sources.h"'
    planted zstd_in_codec format '#include <zstd.h>'
    planted zstd_in_codec libmemfs '#include <zstd.h>'
    planted xxhash_in_hash format '#  include <xxhash.h>'
    planted core_symbols libmemfs "void $of_format(void); void planted(void) { $of_format(); }"
    planted core_symbols libmemfs "void $of_tools(void); void planted(void) { $of_tools(); }"
    planted format_symbols format "void $of_tools(void); void planted(void) { $of_tools(); }"
    planted zstd_symbols format 'void ZSTD_compress(void); void planted(void) { ZSTD_compress(); }'
    planted xxhash_symbols libmemfs 'void XXH3_64bits(void); void planted(void) { XXH3_64bits(); }'
    planted allocator format '#include <stdlib.h>
        void *planted(void) { return malloc(1); }'
    planted allocator libmemfs '#include <string.h>
        void *planted(const char *s) { return strdup(s); }'
    planted no_global_state libmemfs 'static int planted; int *planted_at(void) { return &planted; }'
    planted no_global_state format 'int planted = 1;'
    cp "$tree/libmemfs/memfs.h" "$tree/kept.h"
    echo '#include "records.h"' >>"$tree/libmemfs/memfs.h"
    if [ -n "$(rule_public_includes "$tree")" ]; then pass "public_includes can fail"; else fail "public_includes cannot fail"; fi
    mv "$tree/kept.h" "$tree/libmemfs/memfs.h"
}

prepare
if [ "${1:-}" != --self-test ]; then
    for rule in $RULES; do
        found=$("rule_$rule" "$tree")
        if [ -z "$found" ]; then
            pass "$rule"
        else
            fail "$rule"
            echo "$found" | sed -e "s|$tree/objects/|  |g" -e "s|$tree/|  |g"
        fi
    done
fi
self_test
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
