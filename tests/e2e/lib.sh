# What every end-to-end script begins with: an empty directory to work in, made
# the current one and removed at the end, and ways to say what is expected.
# Environment: BUILD, MEMFS_FAST, MEMFS_FULL. Usable after sourcing: $memfs, $tests, $work.
set -u
export LC_ALL=C.UTF-8
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export BUILD=${BUILD:-$(dirname "$tests")/build}
BUILD=$(cd "$BUILD" && pwd) || exit 2
memfs=$BUILD/memfs
make_tree=$BUILD/tests/tree/make_tree
unset SOURCE_DATE_EPOCH
umask 022
# Who counts descriptors counts from the standard ones: whatever else was inherited is closed, but bash's own.
for descriptor in /proc/self/fd/*; do
    descriptor=${descriptor##*/}
    [ "$descriptor" -le 2 ] || [ "$descriptor" = 255 ] || eval "exec $descriptor>&-"
done
unset descriptor

work=$(mktemp -d "${TMPDIR:-/tmp}/memfs-e2e.XXXXXX") || exit 2
# bash would wait for a child first; so the traps of EXIT and signals are one.
finish() {
    cd /
    if mountpoint -q "$work/mounted" 2>/dev/null; then umount "$work/mounted"; fi
    chmod -R u+rwx "$work" 2>/dev/null
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM
cd "$work" || exit 2
root=
[ "$(id -u)" != 0 ] || root=1

passed=0 failed=0 skipped=0

# check WHAT COMMAND...: it exits with 0.
check() {
    local what=$1 status=0
    shift
    "$@" >"$work/.log" 2>&1 || status=$?
    judge "$what" "$status" "$*" "$work/.log"
}

judge() { # what, status, command, log
    if [ "$2" = 0 ]; then
        passed=$((passed + 1))
        echo "ok     $1"
    else
        failed=$((failed + 1))
        echo "not ok $1"
        echo "     | $3 (exit code $2)" | cut -c 1-300
        tail -n 25 "$4" | cut -c 1-300 | sed 's/^/     | /'
    fi
}

# What $work/.log has to say is what is wrong.
judge_log() { # what, command
    local wrong=0
    [ ! -s "$work/.log" ] || wrong=1
    judge "$1" $wrong "$2" "$work/.log"
}

skip() { # what, why
    skipped=$((skipped + 1))
    echo "skip   $1 ($2)"
}

# run COMMAND...: keeps its exit code in $status and what it wrote in .out and .err.
run() {
    status=0
    "$@" >"$work/.out" 2>"$work/.err" </dev/null || status=$?
}

# expect CODE PATTERN COMMAND...: the exit code; and standard error is one line,
# "memfs: ..." with the extended regular expression in it, in either case. Without PATTERN ("")
# standard error is empty.
expect() {
    local code=$1 pattern=$2 what wrong=0
    shift 2
    run "$@"
    what="exit code $code${pattern:+ and /$pattern/}: ${*//$BUILD\//}"
    explain_expect "$code" "$pattern" >"$work/.log"
    [ ! -s "$work/.log" ] || wrong=1
    judge "$what" $wrong "$*" "$work/.log"
}

# Whether standard error is one line for a pattern. There are thousands of these: no process is started for it.
message() { # pattern
    local lines found=1
    mapfile lines <"$work/.err"
    [ ${#lines[@]} = 1 ] && [[ ${lines[0]} == "memfs: "*$'\n' ]] || return
    shopt -s nocasematch
    [[ ${lines[0]%$'\n'} =~ $1 ]] && found=0
    shopt -u nocasematch
    return $found
}

explain_expect() { # code, pattern
    [ "$status" = "$1" ] || echo "exit code $status, not $1"
    if [ -z "$2" ]; then
        [ ! -s "$work/.err" ] || { echo "standard error is not empty:" && cat "$work/.err"; }
    elif ! message "$2"; then
        echo "standard error is not one line with /$2/:"
        cat "$work/.err"
    fi
}

# Whether a file holds exactly a text; else how they differ. A process is started only for that.
holds() { # file, text
    local all
    # Where there is a NUL, read succeeds.
    { ! IFS= read -r -d '' all <"$1" && [ "$all" = "$2" ]; } || diff <(printf '%s' "$2") "$1"
}

# Whether two files have the same lines, in any order, as often; else how they differ. Sets $lines, how many the
# first one has. A process is started only for the difference.
same_lines() { # file, other
    local line count first second same=
    local -A times=()
    mapfile -t first <"$1"
    mapfile -t second <"$2"
    lines=${#first[@]}
    [ ${#second[@]} != "$lines" ] || same=1
    for line in "${first[@]}"; do times[:$line]=$((${times[:$line]:-0} + 1)); done
    for line in "${second[@]}"; do
        count=${times[:$line]:-0}
        [ "$count" != 0 ] || { same= && break; }
        times[:$line]=$((count - 1))
    done
    [ "$same" ] || diff <(sort "$1") <(sort "$2")
}

# Whether nothing but the given names lies in a directory.
only() { # directory, names...
    local dir=$1
    shift
    diff <(printf '%s\n' "$@" | sed '/^$/d' | sort) <(ls -A "$dir" | sort)
}

# Where cases are many and much alike, a share of them: whether this one is tried, one of N of a kind. With MEMFS_FULL
# all are. done_testing says how many were. They are chosen by multiples of the golden ratio: spread
# evenly, and in step with no loop (Knuth, "The Art of Computer Programming", volume 3, section 6.4).
declare -A cases=() tried=()
turn() { # N, kind
    local number=${cases[$2]:-0}
    cases[$2]=$((number + 1))
    [ "${MEMFS_FULL:-}" ] || [ $((number * 40503 % 65536 * $1)) -lt 65536 ] || return
    tried[$2]=$((${tried[$2]:-0} + 1))
}

# compare [--unprivileged] A B: whether two trees are the same in all that our walker sees; and for a share of
# them by tools that know nothing of memfs, too, which takes them ten times as long.
compare() {
    local walker=
    turn 4 "comparisons of trees by several tools" || walker=--walker
    sh "$tests/tree/compare.sh" $walker "$@"
}

# ---- GNU's tools, made comparable

# What GNU ls cannot know, or says otherwise than memfs ls: sizes and links of directories are those of its
# filesystem, and columns may be wider for them.
plain() { LC_ALL=C sed -E -e '/^total [0-9.]+[KMG]?$/d'; }
squeezed() {
    LC_ALL=C sed -E -e '/^total [0-9.]+[KMG]?$/d' -e 's/  +/ /g' \
        -e 's/^(((\x1b\[|<)[^m>]*[m>])*d[-rwxsStT]{9}[+ ]?) ?[0-9]+ ([^ ]+ [^ ]+) [0-9.]+K? (-?[0-9]{4,}-[0-9]{2}-)/\1 N \4 S \5/'
}

# GNU du, less the sizes that directories have themselves: memfs says, as du of coreutils 9.2 and
# later, that they have none. Both sorted by path; below the directory that is the current one.
gnu_du() { # options and paths of du
    mkdir -p "$work/.nothing"
    find . -type d -printf '%p\t%s\n' >"$work/.dirs"
    du -B1 --apparent-size "$@" | awk -F'\t' -v own="$([[ $(du -B1 --apparent-size -s "$work/.nothing") == 0$'\t'* ]] && echo 0 || echo 1)" '
        NR == FNR { size[$1] = $2; next }
        { bytes[$2] = $1 }
        END {
            for (dir in size) {
                for (at = dir; ; at = substr(at, 1, length(at) - length(part))) {
                    sum[at] += own * size[dir]
                    if (at !~ /\//) break
                    part = at; sub(/.*\//, "/", part)
                }
            }
            for (path in bytes) printf "%d\t%s\n", bytes[path] - sum[path], path
        }' "$work/.dirs" - | sort -t"$(printf '\t')" -k2
}

done_testing() {
    local kind
    for kind in "${!cases[@]}"; do echo "tried  $kind: ${tried[$kind]} of ${cases[$kind]}"; done
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" = 0 ]
}
