#!/bin/bash
# Ctrl-C and its like, at any moment: dead by that signal, nothing left behind.
. "$(dirname "$0")/lib.sh"

moments=(0.02 0.1 0.3) dirs=40
[ -z "${MEMFS_FULL:-}" ] || moments=(0.02 0.05 0.1 0.2 0.3 0.5 0.8) dirs=60
[ -z "${SANITIZE:-}" ] || dirs=20 # it is slower then
mkdir tree && (cd tree && seq "$dirs" | xargs mkdir)
for ((i = 1; i <= dirs; i++)); do
    head -c 1500000 /dev/urandom | base64 >"tree/$i/large"
    for j in {1..40}; do : >"tree/$i/$j"; done
done
"$memfs" pack -l 1 tree done.mfs || exit 2

# try SIGNAL SECONDS COMMAND...: exit code in $status; 0 if it was too fast.
try() {
    run timeout --preserve-status -s "$1" -k 20 "$2" "${@:3}"
}

# What a command made that came to its end: an image, a directory, or ("") nothing.
whole() {
    only . tree done.mfs "$1" .out .err .log .wrong || return
    case $1 in
    "") ;;
    *.mfs) "$memfs" verify "$1" ;;
    *) diff -r tree "$1" ;;
    esac
}

# interrupt WHAT SIGNAL CODE NEW COMMAND...: at several moments, after each of
# which NEW is not there, or whole.
interrupt() {
    local what=$1 signal=$2 code=$3 new=$4 hits=0 wrong=
    shift 4
    for seconds in "${moments[@]}"; do
        rm -rf "$new"
        try "$signal" "$seconds" "$@"
        case $status in
        "$code")
            hits=$((hits + 1))
            only . tree done.mfs .out .err .log .wrong >.wrong 2>&1 || wrong="$wrong left behind after $seconds s: $(cat .wrong)"
            ;;
        0) whole "$new" >.wrong 2>&1 || wrong="$wrong done within $seconds s, but not whole: $(head -n 5 .wrong)" ;;
        *) wrong="$wrong exit code $status after $seconds s: $(cat .err)" ;;
        esac
        [ ! -s .err ] || wrong="$wrong said: $(cat .err)"
    done
    rm -rf "$new"
    echo "$hits hits $wrong" >.log
    local bad=0
    [ -z "$wrong" ] || bad=1
    judge "$what, interrupted by $signal $hits times" "$((hits == 0))" "$*" .log
    judge "nothing is left behind, nothing is said" "$bad" "$*" .log
}

: >.log >.out >.err
echo "tried  moments of interruption: ${#moments[@]}, of a tree with $dirs large files"
interrupt "pack" INT 130 new.mfs "$memfs" pack -l 12 tree new.mfs
interrupt "pack" TERM 143 new.mfs "$memfs" pack -l 12 tree new.mfs
interrupt "unpack" INT 130 new "$memfs" unpack -q done.mfs new
interrupt "unpack" HUP 129 new "$memfs" unpack -q done.mfs new
interrupt "verify" INT 130 "" "$memfs" verify -q done.mfs
ulimit -c 0
# Whichever signal it is, the same is done: at some of the moments.
[ -n "${MEMFS_FULL:-}" ] || moments=(0.02 0.05)
for signal in QUIT XCPU ALRM USR1 USR2; do
    interrupt "unpack" "$signal" $((128 + $(kill -l "$signal"))) new "$memfs" unpack -q done.mfs new
done

# An existing image stays as it was.
cp done.mfs old.mfs
try INT 0.2 "$memfs" pack -f -l 12 tree old.mfs
check "replacing was interrupted" test "$status" = 130
check "the old image is untouched" cmp done.mfs old.mfs
rm -f old.mfs

# An existing empty directory stays.
mkdir new
try TERM 0.1 "$memfs" unpack -q done.mfs new
if [ "$status" != 0 ]; then
    check "an empty directory that was there stays, empty" only new
else
    skip "an empty directory that was there" "unpacked before the signal came"
fi
rm -rf new

# Waiting for a pipe.
waiting() { sleep 3 | timeout --preserve-status -s INT 0.3 "$memfs" ls -; }
run waiting
check "while reading standard input" test "$status" = 130
stuck() { timeout --preserve-status -s INT 0.5 "$memfs" pack tree - | sleep 1.5; return "${PIPESTATUS[0]}"; }
run stuck
check "while writing standard output" test "$status" = 130

# Nobody reads: silent, and dead by SIGPIPE; unless that is ignored, then it is an error.
unread() { "$@" | true; return "${PIPESTATUS[0]}"; }
expect 141 "" unread "$memfs" pack tree -
expect 141 "" unread "$memfs" cat done.mfs 1/large
ignoring() { (trap '' PIPE && unread "$@"); }
expect 4 "standard output: broken pipe" ignoring "$memfs" pack tree -
# A standard error that nobody reads costs nothing.
mkdir full && touch full/file
unheard() { "$@" 2> >(true); }
run unheard "$memfs" unpack -q done.mfs full
check "a message that nobody reads" test "$status" = 4
run unheard "$memfs" pack tree new.mfs
check "done, though nobody reads messages" test "$status" = 0
rm -rf full new.mfs

# Progress on a terminal, and nowhere else.
if script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
    script -qec "$memfs pack -l 12 tree new.mfs" .typescript >.tty 2>&1 </dev/null
    check "progress with rate and time left" grep -qaE "packing [0-9]+ of [0-9]+ nodes, .* of .* [KM]iB, .*/s, [0-9]+:[0-9]+ left" .tty
    check "the line is taken away again" grep -qa "$(printf "\r\033\\[K")" .tty
    script -qec "$memfs pack -f -q tree new.mfs" .typescript >.tty 2>&1 </dev/null
    check "none with -q" test ! -s .tty
    rm -f .typescript .tty new.mfs
else
    skip "progress on a terminal" "no pseudo-terminal is to be had"
fi
done_testing
