#!/bin/bash
# What the README says is true: its C programs compile against the library as a
# user's would, and print what it says; so do its console examples.
#
# A ```c block is a program; the ```text block after it is its output. A
# ```console block has commands after "$ " and their output below each; an
# output line "..." stands for any lines. All run in one shell, in order.
#
# Environment: BUILD, CC. The last line is "N passed, N failed".
set -eu
cd "$(dirname "$0")/.."
root=$PWD
BUILD=${BUILD:-$PWD/build} CC=${CC:-gcc}
export LC_ALL=C TZ=UTC
umask 022
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/blocks" "$work/run" "$work/tmp"
ln -s "$BUILD" "$work/run/build"

# Each block to a file: NN.kind
awk -v dir="$work/blocks" '
    /^```/ && file { close(file); file = ""; next }
    /^```/ { kind = substr($0, 4); file = sprintf("%s/%02d.%s", dir, ++n, kind == "" ? "none" : kind); printf "" >file; next }
    file { print >file }' README.md

passed=0 failed=0
result() { # what, status
    if [ "$2" = 0 ]; then passed=$((passed + 1)); echo "ok   $1"; else failed=$((failed + 1)); echo "FAIL $1"; fi
}

# Does the output match what is expected, where "..." stands for any lines?
matches() { # expected, got
    awk 'NR == FNR { want[++w] = $0; next } { got[++g] = $0 }
        END { # dots: the last "..." seen, and where it began to match
            i = 1; j = 1; dots = 0
            while (j <= g) {
                if (i <= w && want[i] == "...") { dots = i++; from = j; continue }
                if (i <= w && want[i] == got[j]) { i++; j++; continue }
                if (dots) { i = dots + 1; j = ++from; continue }
                exit 1
            }
            while (i <= w && want[i] == "...") i++
            exit i <= w
        }' "$1" "$2"
}

compare() { # what, expected, got
    local status=0
    matches "$2" "$3" || status=1
    result "$1" "$status"
    [ "$status" = 0 ] || diff "$2" "$3" || :
}

program() { # block
    local status=0
    # shellcheck disable=SC2046
    "$CC" -std=c11 -Wall -Wextra -Wpedantic -Werror -I"$root/libmemfs" -I"$root/format" -o "$work/program" \
        -x c "$1" -x none "$BUILD/libmemfs.a" $(pkg-config --libs libzstd libxxhash) -pthread || status=$?
    result "${1##*/} compiles" "$status"
    [ "$status" = 0 ] || return 0
    (cd "$work/run" && "$work/program") >"$work/got" 2>&1 || status=$?
    result "${1##*/} runs" "$status"
}

# What is to be tested is made already, and stands where make would put it.
make() { echo "make: Nothing to be done."; }

# In this shell, since one command may set what the next one needs: a directory, PATH.
here=$work/run
run_command() { # command, whose output is in $work/want
    [ -n "$1" ] || return 0
    cd "$here"
    TMPDIR=$work/tmp
    export TMPDIR
    { eval "$1"; } >"$work/got" 2>&1 </dev/null || :
    here=$PWD
    cd "$root"
    compare "\$ $1" "$work/want" "$work/got"
}

console() { # block: each command, then its output
    local line command=
    while IFS= read -r line; do
        if [[ "$line" == '$ '* ]]; then
            run_command "$command"
            command=${line#'$ '}
            : >"$work/want"
        else
            echo "$line" >>"$work/want"
        fi
    done <"$1"
    run_command "$command"
}

lines=$(wc -l <README.md)
[ "$lines" -le 150 ] && status=0 || status=1
result "README.md has at most 150 lines ($lines)" "$status"
for block in "$work"/blocks/*; do
    case $block in
    *.c) program "$block" ;;
    *.text) compare "${block##*/}: the program's output" "$block" "$work/got" ;;
    *.console) console "$block" ;;
    esac
done
# A check that finds nothing to check, or that takes anything for right, is none.
[ "$passed" -ge 5 ] && status=0 || status=1
result "there were examples" "$status"
printf 'a\n...\nd\n' >"$work/want"
printf 'a\nb\nc\nd\n' >"$work/got"
matches "$work/want" "$work/got" && status=0 || status=1
result "... stands for lines" "$status"
printf 'a\nb\nc\n' >"$work/got"
matches "$work/want" "$work/got" && status=1 || status=0
result "a difference is noticed" "$status"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
