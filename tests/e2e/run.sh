#!/bin/bash
# Runs all end-to-end scripts beside it, or those that are named. The last line is
# "N passed, N failed, N skipped". Environment: BUILD, MEMFS_FAST, MEMFS_FULL.
set -u
cd "$(dirname "$0")" || exit 2
if [ $# = 0 ]; then
    for script in *.sh; do
        [[ $script = lib.sh || $script = run.sh ]] || set -- "$@" "${script%.sh}"
    done
fi
passed=0 failed=0 skipped=0
for name; do
    echo "# $name"
    log=$(mktemp) || exit 2
    status=0
    bash "./$name.sh" 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    if [[ $(tail -n 1 "$log") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
        passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2])) skipped=$((skipped + BASH_REMATCH[3]))
        [ "$status" = 0 ] || [ "${BASH_REMATCH[2]}" != 0 ] || failed=$((failed + 1))
    else
        echo "not ok $name did not come to its end (exit code $status)"
        failed=$((failed + 1))
    fi
    rm -f "$log"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
