#!/bin/bash
# Runs the tests that `make tests` built, and sums up: tests/run.sh [--fast|--full] [NAME...]
# A NAME is that of a test, or of all that have it before a slash.
#
# One line a suite; its whole output only if it fails (and in $BUILD/logs), and lines
# of it that begin with "tried  ": how many were tried, by kind. The
# last line is "N passed, N failed", with ", N skipped" if any were. Environment:
# BUILD, CC, SANITIZE, JOBS (tests at once; default: the processors), TEST_TIMEOUT
# (seconds a suite).
#
# Suites and scripts find here how much to do: MEMFS_FAST and MEMFS_FULL (1 or unset),
# MEMFS_SLOW (by how much sanitizers and emulators have fewer cases of many that are alike, in
# fast runs: 3 with ASan, 4 with TSan and on emulators), MEMFS_MODEL_OPS (random operations against the model), MEMFS_SCALE (percent
# of files, threads' rounds and so on), MEMFS (the command), LIST_TREE and
# MAKE_TREE (see tests/tree/).
set -u
cd "$(dirname "$0")/.." || exit
export BUILD=${BUILD:-$PWD/build} CC=${CC:-gcc} SANITIZE=${SANITIZE:-}
export MEMFS=$BUILD/memfs LIST_TREE=$BUILD/tests/tree/list_tree MAKE_TREE=$BUILD/tests/tree/make_tree
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:allocator_may_return_null=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1}
export LC_ALL=C
# Where python3 is a script that looks for the python to be run (pyenv: half a second each time), it is asked once.
python=$(python3 -c 'import sys; print(sys.executable)' 2>/dev/null) &&
    { [ "$(command -v python3)" -ef "$python" ] || PATH=${python%/*}:$PATH; }

if [ "${1:-}" = --fast ]; then
    shift
    export MEMFS_FAST=1 MEMFS_MODEL_OPS=${MEMFS_MODEL_OPS:-20000} MEMFS_SCALE=${MEMFS_SCALE:-10}
elif [ "${1:-}" = --full ]; then
    shift
    export MEMFS_FULL=1 MEMFS_MODEL_OPS=${MEMFS_MODEL_OPS:-2000000} MEMFS_SCALE=${MEMFS_SCALE:-100}
    export TEST_TIMEOUT=${TEST_TIMEOUT:-7200}
else
    export MEMFS_MODEL_OPS=${MEMFS_MODEL_OPS:-400000} MEMFS_SCALE=${MEMFS_SCALE:-100}
fi
wanted=" $* "
logs=$BUILD/logs
rm -rf "$logs"
mkdir -p "$logs"

names=()
declare -A command=()
add() { # name, command
    [ "$wanted" = "  " ] || [[ "$wanted" == *" $1 "* || "$wanted" == *" ${1%/*} "* ]] || return 0
    names+=("$1")
    command[$1]=$2
}
EMULATED=${EMULATED:-}
case ${MEMFS_FAST:+$SANITIZE$EMULATED} in
*address*) export MEMFS_SLOW=3 ;;
?*) export MEMFS_SLOW=4 ;;
esac
# What runs only if it is named, or:
whole() { [ -z "${MEMFS_FAST:-}" ] || [ "$wanted" != "  " ]; }     # all that there is: what depends on no compiler, too
plain() { [ -z "$SANITIZE$EMULATED" ] || [ "$wanted" != "  " ]; }  # not with sanitizers, nor on an emulated machine
native() { [ -z "$EMULATED" ] || [ "$wanted" != "  " ]; }          # an emulated machine (tests/cross.sh) starts programs slowly
alone() { [ "$SANITIZE" != thread ] || [ "$wanted" != "  " ]; }    # one thread is nothing for TSan
threaded() { alone || grep -qE 'pthread_|unsigned threads' "$1"; } # source; tests.mk builds those; the scripts freeze by threads
denied() { whole || [[ $SANITIZE = *address* ]]; }                 # memory; what is lost then ASan sees

# What takes longest begins first, so that no processor waits in the end.
if whole; then
    add faults tests/faults/faults.sh
    if plain; then
        [ -z "${MEMFS_FULL:-}" ] || add elsewhere tests/elsewhere.sh
        add memory "python3 tests/memory/command.py"
        add agree tests/agree.sh
        add enemies tests/enemies/enemies.sh
        add golden tests/golden.sh
        add install tests/install.sh
    fi
fi
e2e() { # scripts
    local script
    for script; do
        [ -n "${command[e2e/$script]:-}" ] || add "e2e/$script" "tests/e2e/run.sh $script"
    done
}
if whole; then
    e2e interrupt unpack ls bad_input order roundtrip pack
    for script in tests/e2e/*.sh; do
        script=$(basename "$script" .sh)
        [[ $script = lib || $script = run ]] || e2e "$script"
    done
elif native; then
    # Many threads, and little memory, are for TSan.
    if [ "$SANITIZE" = thread ]; then e2e order; else e2e roundtrip; fi
fi
[ -z "$EMULATED" ] || add foreign tests/foreign.sh
alone && add hostile "$BUILD/tests/hostile/hostile"
whole && add surroundings tests/hostile/surroundings.sh
# By their sources: one that has not been built fails.
for source in tests/test_model.c tests/test_*.c; do
    name=$(basename "$source" .c)
    threaded "$source" || continue
    [[ $name != test_alloc_* ]] || { alone && denied; } || continue
    [ -n "${command[$name]:-}" ] || add "$name" "$BUILD/tests/$name"
done
# What is random is so in the same way every time; of it in a minute less than in three.
for source in fuzz/fuzz_*.c; do
    target=$(basename "$source" .c)
    alone || continue
    inputs=$(ls -d fuzz/seeds "fuzz/seeds/$target" "fuzz/regressions/$target" 2>/dev/null)
    add "replay_$target" "$BUILD/fuzz/replay_$target ${MEMFS_FAST:+-m $((2000 / ${MEMFS_SLOW:-1}))} ${inputs//$'\n'/ }"
done
for source in tests/damage/test_*.c; do
    name=$(basename "$source" .c)
    ! threaded "$source" || add "$name" "$BUILD/tests/damage/$name"
done
native && alone && add seeds tests/seeds.sh
plain && add symbols tests/check_symbols.sh
if whole && plain; then
    add layers tests/check_layers.sh
    add readme tests/readme.sh
    add defects-table "tests/defects/defects.sh --table"
    add weak tests/weak.sh
    add abi tests/abi.sh
    add manual tests/manual.sh
    add examples tests/examples.sh
    add hardening tests/hardening.sh
    add valgrind tests/valgrind.sh
fi
for name in $wanted; do
    [[ " ${names[*]}" = *" $name"@(" "*|/*|) ]] || { echo "no such test: $name" >&2; exit 2; }
done

run() { # name
    local log=$logs/${1//\//-} status=0 TIMEFORMAT='%1R %1U %1S'
    # A shell's background jobs ignore SIGINT; tests of interruption must not inherit that.
    # shellcheck disable=SC2086
    { time timeout -k 10 "${TEST_TIMEOUT:-900}" env --default-signal=INT,QUIT,PIPE ${command[$1]} >"$log.log" 2>&1 </dev/null || status=$?; } 2>"$log.time"
    echo "$status" >"$log.status"
}

# How many cases a log tells of: by our last line, else by cmocka's counts.
count() { # log: sets passed, failed, skipped
    read -r passed failed skipped < <(awk '
        /^[0-9]+ passed, [0-9]+ failed/ { ours = 1; p = $1; f = $3; s = $6 == "skipped" ? $5 : 0 }
        /^\[  PASSED  \] [0-9]+ test/ { passed += $4 }
        /^\[  FAILED  \] [0-9]+ test/ { failed += $4 }
        /^\[  SKIPPED \] [0-9]+ test/ { skipped += $4 }
        END { if (ours) print p + 0, f + 0, s + 0; else print passed + 0, failed + 0, skipped + 0 }' "$1")
}

all_passed=0 all_failed=0 all_skipped=0
report() { # name
    local log=$logs/${1//\//-} seconds status passed failed skipped
    read -r seconds _ < <(tail -n 1 "$log.time")
    read -r status <"$log.status"
    log=$log.log
    count "$log"
    # Neither a crash nor a suite that has not tested anything may pass for good.
    if [ "$failed" = 0 ] && { [ "$status" != 0 ] || [ "$passed" = 0 ]; }; then failed=1; fi
    echo "$passed $failed $skipped" >"${log%.log}.counts"
    all_passed=$((all_passed + passed)) all_failed=$((all_failed + failed)) all_skipped=$((all_skipped + skipped))
    local note=
    [ "$skipped" = 0 ] || note=", $skipped skipped"
    if [ "$failed" = 0 ]; then
        echo "ok   $1 ($passed tests$note, $seconds s)"
        sed -n 's/^skip   /     skipped: /p; s/^tried  /     /p' "$log"
    else
        [ "$status" != 124 ] || note="$note, timed out"
        echo "FAIL $1 ($passed passed, $failed failed$note, exit code $status, $seconds s)"
        { grep -A4 '^not ok' "$log" || true; tail -n 200 "$log"; } | sed 's/^/     | /'
    fi
}

jobs=${JOBS:-$(nproc)}
declare -A running=()
reap() { # waits for one
    local done_pid
    wait -n -p done_pid
    report "${running[$done_pid]}"
    unset "running[$done_pid]"
}
trap 'trap - TERM; kill -- "${!running[@]}" 2>/dev/null; exit 130' INT TERM
for name in "${names[@]}"; do
    [ ${#running[@]} -lt "$jobs" ] || reap
    run "$name" &
    running[$!]=$name
done
while [ ${#running[@]} -gt 0 ]; do reap; done

# What was tried, as a page. That of the tree is of all cases, not of a share.
if [ "$wanted" = "  " ] && [ -z "${MEMFS_FAST:-}$SANITIZE$EMULATED" ]; then
    python3 tests/reliability.py "$logs" >"$BUILD/RELIABILITY.md" || all_failed=$((all_failed + 1))
    [ -z "${MEMFS_FULL:-}" ] || cp "$BUILD/RELIABILITY.md" tests/RELIABILITY.md
fi

summary="$all_passed passed, $all_failed failed"
[ "$all_skipped" = 0 ] || summary="$summary, $all_skipped skipped"
echo "$summary"
[ "$all_failed" = 0 ] && [ "$all_passed" -gt 0 ]
