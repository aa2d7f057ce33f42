#!/bin/bash
# Runs fuzz targets in turn: fuzz/run.sh libfuzzer|afl BUILD SECONDS TARGET...
#
# Corpora are kept in BUILD/corpus/TARGET, what was found in BUILD/found. Ends with
# the first target that finds something. Environment for afl: MUTATORS, a directory
# with mutator_TARGET.so.
set -eu
cd "$(dirname "$0")/.."
engine=$1 build=$2 seconds=$3
shift 3
# Decoders' windows are large: mapping them anew for each input would take longer than using them.
export GLIBC_TUNABLES=glibc.malloc.mmap_threshold=33554432:glibc.malloc.trim_threshold=1073741824
source fuzz/seeds.sh

run_libfuzzer() { # target
    # shellcheck disable=SC2046
    "$build/$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len="$(max_len "$1")" -print_final_stats=1 \
        $(dictionary "$1") -artifact_prefix="$build/found/$1-" "$build/corpus/$1"
}

run_afl() { # target
    local out=$build/corpus/afl-$1
    # A machine's settings are its owner's: core patterns and frequencies stay as they are.
    AFL_CUSTOM_MUTATOR_LIBRARY=$MUTATORS/mutator_$1.so AFL_SKIP_CPUFREQ=1 AFL_NO_UI=1 AFL_NO_AFFINITY=1 \
        AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_AUTORESUME=1 AFL_FAST_CAL=1 \
        afl-fuzz -i "$build/corpus/$1" -o "$out" -V "$seconds" -t 2000 -G "$(max_len "$1")" -- "$build/$1" >"$build/found/$1.log" 2>&1 || {
        tail -n 20 "$build/found/$1.log"
        return 1
    }
    awk -F ' *: ' '/^(execs_done|execs_per_sec|edges_found|corpus_count|saved_crashes|saved_hangs) / { print $1 ": " $2 }' \
        "$out/default/fuzzer_stats"
    grep -q '^saved_crashes *: 0$' "$out/default/fuzzer_stats"
}

for target; do
    echo "== $target, $seconds s"
    mkdir -p "$build/corpus/$target" "$build/found"
    seed "$target" "$build/corpus/$target"
    "run_$engine" "$target"
done
