#!/bin/bash
# The library's binary interface is the recorded one; and that a change would be noticed.
# Environment: CC. The last line is "N passed, N failed".
set -eu
cd "$(dirname "$0")/.."
export LC_ALL=C
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
record=tools/abi/libmemfs.so.0

passed=0 failed=0
result() { # what, status
    if [ "$2" = 0 ]; then passed=$((passed + 1)); echo "ok   $1"; else failed=$((failed + 1)); echo "FAIL $1"; fi
}
holds() { # what, command
    local status=0
    "${@:2}" >"$work/log" 2>&1 || status=$?
    result "$1" "$status"
    [ "$status" = 0 ] || cat "$work/log"
}
# The record is changed instead of the headers: what it has more has vanished, what it has less is new.
says() { # what, expected line, sed's program
    sed -E "$3" "$record" >"$work/record"
    if cmp -s "$record" "$work/record"; then result "$1 (nothing to change)" 1 && return; fi
    tools/abi/abi.sh check "$work/record" "$work/now" >"$work/got" 2>/dev/null && { result "$1 (not noticed)" 1; return; }
    grep -qxE -e "$2" "$work/got" && result "$1" 0 || { result "$1" 1 && cat "$work/got"; }
}

tools/abi/abi.sh print >"$work/now"
holds "the interface is the recorded one" tools/abi/abi.sh check
functions=$(CC=${CC:-gcc} tools/exports.sh libmemfs/memfs.h libmemfs/memfs_host.h format/memfs_image.h | wc -l)
holds "the record has every function" test "$(grep -c '^function ' "$record")" = "$functions"
structs=$(grep -hcE '^struct memfs_[a-z_]+ \{' libmemfs/memfs.h libmemfs/memfs_host.h format/memfs_image.h | awk '{ n += $1 } END { print n }')
holds "the record has every struct" test "$(grep -cE '^struct [a-z_]+ size ' "$record")" = "$structs"
says "a function that vanished" '- function int memfs_planted\(void\)' '$a function int memfs_planted(void)'
says "a function whose type changed" '- function int memfs_stat\(.*' 's/^(function int memfs_stat\()memfs/\1const memfs/'
says "a function that is new" '\+ function .*memfs_walk\(.*' '/memfs_walk\(/d'
says "a struct that shrank" '- struct memfs_stat size 9999' 's/^(struct memfs_stat size ).*/\19999/'
says "a struct that grew" '- struct memfs_stat size 8' 's/^(struct memfs_stat size ).*/\18/'
says "an option struct that shrank" '- struct memfs_options size 9999' 's/^(struct memfs_options size ).*/\19999/'
says "an option struct that grew is only new" '\+ struct memfs_options size .*' 's/^(struct memfs_options size ).*/\18/'
holds "and breaks nobody" test "$(grep -c '^-' "$work/got")" = 0
says "a member that moved" '- struct memfs_stat member mode at 4 of 4' 's/^(struct memfs_stat member mode at ).*/\14 of 4/'
says "a constant that changed" '- constant MEMFS_ELIMIT 1' 's/^(constant MEMFS_ELIMIT ).*/\11/'
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
