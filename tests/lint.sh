#!/bin/bash
# Layout, and what static analysis finds in library and command: clang-format, cppcheck,
# clang-tidy (.clang-format and .clang-tidy say what is wanted).
# tests/lint.sh FLAGS, those of the compiler.
# Environment: BUILD. The last line is "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 2
read -ra flags <<<"$1"
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
includes=(-Ilibmemfs -Iformat -Itools "-I$BUILD/tools/info")
mapfile -t sources < <(find libmemfs format tools -name '*.c' | sort)
mapfile -t all < <(find libmemfs format tools tests fuzz -name '*.[ch]' | sort)

passed=0 failed=0
result() { # what, log: it is empty if all is well
    if [ ! -s "$2" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "not ok $1"
        sed 's/^/     | /' "$2" | head -n 30
    fi
}

clang-format --dry-run "${all[@]}" >"$work/layout" 2>&1
result "clang-format (make format mends it)" "$work/layout"
cppcheck -q --enable=warning,performance,portability --inline-suppr --suppress=missingInclude --std=c11 -j "$(nproc)" \
    "${includes[@]}" libmemfs format tools >"$work/cppcheck" 2>&1
result cppcheck "$work/cppcheck"

tidy() { # file
    clang-tidy --quiet "$1" -- "${flags[@]}" "${includes[@]}" 2>/dev/null >"$work/tidy/${1//\//+}"
}
mkdir "$work/tidy"
jobs=0
for source in "${sources[@]}"; do
    [ "$jobs" -lt "$(nproc)" ] || { wait -n; jobs=$((jobs - 1)); }
    tidy "$source" &
    jobs=$((jobs + 1))
done
wait
for source in "${sources[@]}"; do result "clang-tidy $source" "$work/tidy/${source//\//+}"; done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
