#!/bin/bash
# fuzz/report.sh ROUNDS: the table of fuzz/CAMPAIGN.md, from the rounds of campaigns
# (see campaign.sh) and what each target says of itself.
set -eu
cd "$(dirname "$0")/.."
rounds=$1

# The paragraph "Properties: ..." of a target's first comment, on one line.
properties() { # target
    awk '/^ \*\// { exit } /^ \* Properties: / { on = 1 } /^ \*$/ { if (on) exit }
         on { sub(/^ \* (Properties: )?/, ""); text = text (text ? " " : "") $0 } END { print text }' "fuzz/$1.c"
}

# Executions, seconds, percent past the checksums ("-" where inputs are no images), edges
# when four fifths were done and at the end.
figures() { # target
    awk -F '\t' -v target="$1" '
        $1 == target { n++; total += $2; seconds += $3; edges[n] = $4 > edges[n - 1] ? $4 : edges[n - 1]; sum[n] = total
                       all += $5; opened += $6 }
        END { for (i = 1; i < n && sum[i] < 0.8 * total;) i++
              printf "%d %d %s %d %d", total, seconds, all ? sprintf("%.1f", 100 * opened / all) : "-", edges[i], edges[n] }' \
        "$rounds"
}

found() { # target
    find "fuzz/regressions/$1" -type f 2>/dev/null | wc -l
}

echo "# Campaigns"
echo
echo "Written by \`make fuzz-campaign\`, from the rounds in campaign.tsv. Executions with libFuzzer, coverage and all"
echo "properties, without sanitizers (\`make fuzz\` and \`make check-san\` run the same targets with them). Edges are those"
echo "of library and command together that the target's corpus reaches. What was found is kept in regressions/, and"
echo "\`make check\` runs it."
echo
echo "| Target | Executions | Seconds | Past the checksums, % | Edges at 80 % | Edges at the end | Found |"
echo "|---|--:|--:|--:|--:|--:|--:|"
all=0
for file in fuzz/fuzz_*.c; do
    target=${file#fuzz/} target=${target%.c}
    read -r executions seconds opened before after < <(figures "$target"; echo)
    echo "| $target | $executions | $seconds | $opened | $before | $after | $(found "$target") |"
    all=$((all + executions))
done
echo "| all | $all | | | | | |"
echo
echo "## Properties"
echo
for file in fuzz/fuzz_*.c; do
    target=${file#fuzz/} target=${target%.c}
    echo "- **$target**: $(properties "$target")"
done
