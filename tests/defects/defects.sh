#!/bin/bash
# Plants defects, one at a time, in a copy of the tree, and tells which test catches each:
#
#   tests/defects/defects.sh [--markdown] [--named] [NUMBER...]   all of table.sh, or some
#   tests/defects/defects.sh --table   only whether each would be a change of the tree as it is
#
# A defect that does not compile is not caught. What the suites named for it do not see
# is tried with all that are one program each, unless --named is given. --markdown prints
# a table in the end.
#
# Environment: BUILD (what is built there is used), CC, JOBS, TEST_TIMEOUT (seconds a suite). Exit
# code 1 if fewer than nine in ten of those asked for are caught. With --table the last
# line is "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit
BUILD=$(realpath -m "${BUILD:-build}")
unset MAKEFLAGS MFLAGS
export CC=${CC:-gcc} TEST_TIMEOUT=${TEST_TIMEOUT:-150}
LEAST_PERCENT=90

# ---- The table -----------------------------------------------------------------

numbers=()
declare -A kind file suites what old new reason
defect() { # NUMBER KIND FILE SUITES WHAT OLD NEW
    numbers+=("$1")
    kind[$1]=$2 file[$1]=$3 suites[$1]=$4 what[$1]=$5 old[$1]=$6 new[$1]=$7
}
second() { # NUMBER REASON
    reason[$1]=$2
}
# shellcheck source=tests/defects/table.sh
. tests/defects/table.sh

# Why a defect is none here; nothing if it is one: its text stands in the file exactly once.
stale() { # tree, number
    local times
    [ -f "$1/${file[$2]}" ] || { echo "there is no ${file[$2]}"; return; }
    times=$(OLD=${old[$2]} awk '{ text = text $0 "\n" }
        END { while (at = index(text, ENVIRON["OLD"])) { n++; text = substr(text, at + length(ENVIRON["OLD"])) } print n + 0 }' \
        "$1/${file[$2]}")
    [ "$times" = 1 ] || echo "its text is $times times in ${file[$2]}"
    [ "${old[$2]}" != "${new[$2]}" ] || echo "it changes nothing"
}

check_table() {
    local passed=0 failed=0 expected=1 number why
    for number in "${numbers[@]}"; do
        why=$(stale . "$number")
        [ "$number" = $expected ] || why="its number is not $expected"
        [[ ${kind[$number]} =~ ^(decoder|writer|unpacker)$ ]] || why="there is no kind ${kind[$number]}"
        if [ -z "$why" ]; then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
            echo "not ok   defect $number (${what[$number]}): $why"
        fi
        expected=$((expected + 1))
    done
    echo "$passed passed, $failed failed"
    [ $failed = 0 ] && [ $passed -ge 50 ]
}

# ---- The copy --------------------------------------------------------------------

copy=$BUILD/defects/tree

# All with its times: what is built already goes along, and is not built again.
make_copy() {
    local room
    rm -rf "$copy"
    trap 'rm -rf "$copy"' EXIT
    trap 'exit 130' INT TERM
    mkdir -p "$copy/build" && cp -a Makefile README.md LICENSE libmemfs format tools tests fuzz "$copy/" || return
    for room in flags flags-library exports exports.map libmemfs format tools tests fuzz memfs library.o libmemfs.a libmemfs.o; do
        [ ! -e "$BUILD/$room" ] || cp -a "$BUILD/$room" "$copy/build/" || return
    done
}

make_there() { # targets
    make -C "$copy" BUILD=build LTO= -j"${JOBS:-$(nproc)}" "$@" >"$BUILD/defects/make.log" 2>&1
}

# What has to be made for a suite.
targets() { # suite
    case $1 in
    test_damage | test_bombs | test_changing) echo "build/tests/damage/$1" ;;
    test_tangle) echo build/memfs build/tests/test_tangle ;;
    test_*) echo "build/tests/$1" ;;
    hostile | hostile/*) echo build/memfs build/tests/hostile/hostile ;;
    replay_*) echo "build/fuzz/$1" ;;
    faults/*) echo build/memfs build/tests/faults/faults build/tests/faults/power_loss build/tests/tree/list_tree ;;
    enemies) echo build/memfs build/tests/enemies/enemy build/tests/enemies/prisoner ;;
    e2e/*) echo build/memfs build/tests/tree/list_tree build/tests/tree/make_tree ;;
    *) echo tests ;;
    esac
}

# Does it pass? Of e2e one script can be asked alone, of hostile one case, and of faults one scenario, then with all its cases.
passes() { # suite
    local there=(env -C "$copy" BUILD="$copy/build" MEMFS="$copy/build/memfs"
        LIST_TREE="$copy/build/tests/tree/list_tree" MAKE_TREE="$copy/build/tests/tree/make_tree")
    case $1 in
    e2e/*) "${there[@]}" MEMFS_FAST=1 timeout -k 10 "$TEST_TIMEOUT" tests/e2e/run.sh "${1#e2e/}" ;;
    hostile/*) "${there[@]}" timeout -k 10 "$TEST_TIMEOUT" build/tests/hostile/hostile "${1#hostile/}" ;;
    faults/*) "${there[@]}" MEMFS_FULL=1 timeout -k 10 "$TEST_TIMEOUT" tests/faults/faults.sh "${1#faults/}" ;;
    *) "${there[@]}" tests/run.sh --fast "$1" ;;
    esac >"$BUILD/defects/suite.log" 2>&1 </dev/null
}

# ---- One defect ----------------------------------------------------------------------

sound=$BUILD/defects/sound # the file as it is without the defect
plant() { # number
    cp "$copy/${file[$1]}" "$sound"
    OLD=${old[$1]} NEW=${new[$1]} awk '{ text = text $0 "\n" }
        END { at = index(text, ENVIRON["OLD"]); end = at + length(ENVIRON["OLD"])
            printf "%s%s%s", substr(text, 1, at - 1), ENVIRON["NEW"], substr(text, end) }' "$sound" >"$copy/${file[$1]}"
}

all_programs() {
    local suite
    for suite in tests/test_*.c tests/damage/test_*.c fuzz/fuzz_*.c; do
        suite=${suite##*/} suite=${suite%.c}
        echo "${suite/#fuzz_/replay_fuzz_}"
    done
    echo hostile
}

# Which suite sees it, in $caught; "" if none does. 1 if it cannot be compiled.
try_suites() { # suites
    local suite status
    caught=
    for suite in "$@"; do
        # shellcheck disable=SC2046
        make_there $(targets "$suite") || return 1
        status=0
        passes "$suite" || status=$?
        [ $status != 0 ] || continue
        caught=$suite
        [ $status != 124 ] && ! grep -q 'timed out' "$BUILD/defects/suite.log" || caught="$suite, which never ended"
        return
    done
}

declare -A result
try() { # number
    local why named
    why=$(stale "$copy" "$1")
    caught=
    [ -z "$why" ] || { result[$1]="the table is stale: $why" && return; }
    plant "$1"
    read -ra named <<<"${suites[$1]}"
    # shellcheck disable=SC2046
    if ! try_suites "${named[@]}"; then
        result[$1]="does not compile"
    elif [ -z "$caught" ] && [ -z "${reason[$1]:-}" ] && [ $named_only = 0 ]; then
        try_suites $(all_programs) || result[$1]="does not compile"
    fi
    cp "$sound" "$copy/${file[$1]}"
    [ -n "${result[$1]:-}" ] || result[$1]=${caught:-NOT caught}
    [ -z "$caught" ] || found=$((found + 1))
}

# Suites that fail without any defect would catch all.
check_sound() { # numbers
    local suite failed=0
    for suite in $(for number in "$@"; do echo "${suites[$number]}"; done | tr ' ' '\n' | sort -u); do
        # shellcheck disable=SC2046
        make_there $(targets "$suite") || { tail -n 20 "$BUILD/defects/make.log" >&2 && return 1; }
        passes "$suite" || { failed=1 && echo "$suite fails with no defect planted" >&2; }
    done
    return $failed
}

say() { # number
    local by="caught by ${result[$1]}"
    case ${result[$1]} in
    "NOT caught") by="NOT caught${reason[$1]:+: ${reason[$1]}}" ;;
    "does not compile" | "the table is stale"*) by="NOT caught: ${result[$1]}" ;;
    esac
    if [ "$2" = markdown ]; then
        echo "| $1 | ${kind[$1]} | \`${file[$1]}\` | ${what[$1]} | ${by#caught by } |"
    else
        echo "$1 ${file[$1]}: ${what[$1]}: $by"
    fi
}

markdown=0 named_only=0
while [ $# -gt 0 ]; do
    case $1 in
    --table) check_table && exit || exit ;;
    --markdown) markdown=1 ;;
    --named) named_only=1 ;;
    *[!0-9]* | "") echo "usage: $0 [--table | [--markdown] [NUMBER...]]" >&2 && exit 2 ;;
    *) break ;;
    esac
    shift
done
[ $# -gt 0 ] || set -- "${numbers[@]}"
for number in "$@"; do
    [ -n "${file[$number]:-}" ] || { echo "there is no defect $number" >&2 && exit 2; }
done

found=0
make_copy || exit
check_sound "$@" || exit
for number in "$@"; do
    try "$number"
    say "$number" plain
done
if [ $markdown = 1 ]; then
    printf '\n| | in | file | what is wrong | caught by |\n|---|---|---|---|---|\n'
    for number in "$@"; do say "$number" markdown; done
    echo
fi
echo "$found of $# caught"
[ $((found * 100)) -ge $(($# * LEAST_PERCENT)) ]
