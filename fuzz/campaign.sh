#!/bin/bash
# A campaign: fuzz/campaign.sh BUILD RUNS TARGET...
#
# Runs each target RUNS times more with libFuzzer, in five rounds over one corpus,
# and writes fuzz/CAMPAIGN.md anew: what all campaigns that have a line in
# fuzz/campaign.tsv came to. Ends with the first target that finds something; the
# input is then in BUILD/found.
#
# A line of campaign.tsv is a round: target, executions, seconds, edges, inputs that
# were counted, and of these the ones that got past the checksums.
set -eu
cd "$(dirname "$0")/.."
build=$1 runs=$2
shift 2
export FUZZ_STATISTICS=1
export GLIBC_TUNABLES=glibc.malloc.mmap_threshold=33554432:glibc.malloc.trim_threshold=1073741824
source fuzz/seeds.sh
rounds=fuzz/campaign.tsv

round() { # target
    local log=$build/found/$1.log
    # shellcheck disable=SC2046
    "$build/$1" -runs=$((runs / 5)) -timeout=10 -rss_limit_mb=2048 -max_len="$(max_len "$1")" -entropic=0 -reduce_inputs=0 \
        -print_final_stats=1 $(dictionary "$1") -artifact_prefix="$build/found/$1-" "$build/corpus/$1" >"$log" 2>&1 || {
        tail -n 40 "$log"
        return 1
    }
    awk -v target="$1" '
        /^#[0-9]+.* cov: [0-9]+/ { for (i = 1; i < NF; i++) if ($i == "cov:") edges = $(i + 1) }
        /^Done [0-9]+ runs in/ { executions = $2; seconds = $5 }
        /^statistics: / { opened = $2; all = $4 }
        END { printf "%s\t%d\t%d\t%d\t%d\t%d\n", target, executions, seconds, edges, all, opened }' "$log" >>$rounds
}

for target; do
    mkdir -p "$build/corpus/$target" "$build/found"
    seed "$target" "$build/corpus/$target"
    for _ in 1 2 3 4 5; do round "$target"; done
    tail -n 1 $rounds
done
fuzz/report.sh $rounds >fuzz/CAMPAIGN.md
