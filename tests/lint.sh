#!/bin/bash
# Layout, and what static analysis finds in library and command: clang-format, cppcheck,
# clang-tidy (.clang-format and .clang-tidy say what is wanted).
#
#   tests/lint.sh [--fast] FLAGS    FLAGS are the compiler's; --fast: without clang's analyzer, which
#                                   follows each path through a function and takes most of the time
#
# Environment: BUILD, with what is generated. The last line is "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 2
checks=()
if [ "${1:-}" = --fast ]; then
    shift
    checks=(--checks=-clang-analyzer-*) # beside those of .clang-tidy
fi
read -ra flags <<<"$1"
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
includes=(-Ilibmemfs -Iformat -Itools "-I$BUILD/tools/info")
mapfile -t sources < <(find libmemfs format tools -name '*.c' | sort)
mapfile -t all < <(find libmemfs format tools tests fuzz -name '*.[ch]' | sort)

processors=$(nproc)

passed=0 failed=0
result() { # what, status, log
    if [ "$2" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "not ok $1 (exit code $2)"
        sed 's/^/     | /' "$3" | head -n 30
    fi
}

clang-format --dry-run --Werror "${all[@]}" >"$work/layout" 2>&1
result "clang-format (make format mends it)" $? "$work/layout"
cppcheck -q --enable=warning,performance,portability --inline-suppr --suppress=missingInclude --std=c11 -j "$processors" \
    --error-exitcode=1 "${includes[@]}" libmemfs format tools >"$work/cppcheck" 2>&1
result cppcheck $? "$work/cppcheck"

# Whatever is found is an error, and so is a program that does not run.
tidy() { # files
    clang-tidy --quiet "${checks[@]}" --warnings-as-errors='*' "$@" -- "${flags[@]}" "${includes[@]}"
}
# Ten at once, as to start takes longer than to look; where there is something, one after the other, to tell in which.
look() { # files
    local source status log=$work/${1//\//+}
    status=0
    tidy "$@" >"$log" 2>&1 || status=$?
    for source; do
        log=$work/${source//\//+}
        if [ "$status" != 0 ]; then
            tidy "$source" >"$log" 2>&1
            echo $? >"$log.status"
        else
            echo 0 >"$log.status"
        fi
    done
}
jobs=0
for ((first = 0; first < ${#sources[@]}; first += 10)); do
    [ "$jobs" -lt "$processors" ] || { wait -n; jobs=$((jobs - 1)); }
    look "${sources[@]:first:10}" &
    jobs=$((jobs + 1))
done
wait
for source in "${sources[@]}"; do
    log=$work/${source//\//+}
    result "clang-tidy $source" "$(cat "$log.status")" "$log"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
