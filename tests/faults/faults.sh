#!/bin/bash
# Every system call of memfs fails in turn, with each error that it can give; reads and
# writes are short; kill -9 comes before each call; and the power goes. See faults.c and
# power_loss.c for what must hold then. Environment: BUILD, LIST_TREE, MEMFS_FULL (all,
# else a share). Arguments: the scenarios to be run; all if there are none. The last
# line is "N passed, N failed".
set -u
export LC_ALL=C
unset SOURCE_DATE_EPOCH
umask 022
tests=$(cd "$(dirname "$0")/.." && pwd)
BUILD=$(cd "${BUILD:-$(dirname "$tests")/build}" && pwd) || exit 2
memfs=$BUILD/memfs
export LIST_TREE=$BUILD/tests/tree/list_tree
wanted=" $* "

# In memory, where syncing costs nothing.
work=$(mktemp -d -p /dev/shm memfs-faults.XXXXXX 2>/dev/null || mktemp -d) || exit 2
trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work" || exit 2

# A share of the cases: primes, so that each kind and each call gets its turn.
if [ -n "${MEMFS_FULL:-}" ]; then
    share=1 pairs=500 states=2000
else
    share=197 pairs=3 states=30
fi

# ---- What is packed and unpacked ------------------------------------------------------

make_tree() { # directory, seed
    mkdir -p "$1/sub/deep" "$1/empty"
    seq "$2" 4000 >"$1/numbers"
    head -c 9000 "$memfs" | tail -c 8000 >"$1/sub/binary"
    echo "small $2" >"$1/sub/deep/small"
    : >"$1/sub/nothing"
    ln "$1/numbers" "$1/sub/link"
    ln -s sub/deep "$1/symlink"
    truncate -s 50000 "$1/sparse"
    echo end >>"$1/sparse"
    mkfifo "$1/fifo"
    setfattr -n user.colour -v blue "$1/sub/binary" 2>/dev/null
    chmod 640 "$1/sub/binary"
    find "$1" -exec touch -h -d "@17000000$2" {} +
}
mkdir in
make_tree in/tree 11
make_tree in/other 22
echo more >in/other/more
# Of this the image is written in several pieces.
mkdir in/large
head -c 1500000 "$memfs" >in/large/binary
"$memfs" pack -q in/tree in/image.mfs && "$memfs" pack -q in/other in/other.mfs || exit 2
"$memfs" verify -q in/image.mfs in/other.mfs || exit 2

passed=0 failed=0
count() { # status, what
    if [ "$1" = 0 ]; then passed=$((passed + 1)) && echo "ok     $2"; else failed=$((failed + 1)) && echo "not ok $2"; fi
}

# How it is before, and what the command makes of it.
put_in_box() { # scenario, command
    local name=$1
    shift
    mkdir -p "$name/before"
    (cd "$name/before" && prepare) && cp -a "$name/before" "$name/after" || exit 2
    (cd "$name/after" && "$memfs" "$@") >"$name/output" || exit 2
}

# scenario NAME REGEX COMMAND...: what messages must name; in a box that has what prepare
# puts there, with options for faults in $options.
scenario() {
    local name=$1 names=$2 status=0
    shift 2
    [ "$wanted" = "  " ] || [[ "$wanted" == *" $name "* ]] || return 0
    put_in_box "$name" "$@"
    "$BUILD/tests/faults/faults" -s $share -d $pairs -n "$names" "${options[@]}" "$work/$name" -- "$memfs" "$@" >log || status=$?
    grep -v '^cases' log
    sed -n 's/^cases //p' log >>all
    count $status "$name: $(awk '/^cases/ { n += $NF } END { print n + 0 }' log) cases"
}

# power NAME "OPTIONS OF power_loss" COMMAND...: the power goes.
power() {
    local name=$1 options=$2 status=0
    shift 2
    [ "$wanted" = "  " ] || [[ "$wanted" == *" $name "* ]] || return 0
    put_in_box "$name" "$@"
    # shellcheck disable=SC2086
    "$BUILD/tests/faults/power_loss" -n $states $options "$work/$name" -- "$memfs" "$@" >log || status=$?
    grep -v '^cases' log
    sed -n 's/^cases //p' log >>all
    count $status "$name: power loss in $(awk '/^cases/ { print $NF }' log) states"
}

nothing() { :; }
old_image() { cp ../../in/other.mfs image.mfs; }
directory() { mkdir out; }
other_tree() { cp -a ../../in/other out && echo own >out/own; }

prepare() { nothing; }
options=(-a "pack -q -f ../../in/tree image.mfs")
scenario pack "image.mfs|tree" pack -q -j1 ../../in/tree image.mfs
options+=(-m)
scenario pack-threads "image.mfs|tree" pack -q -j2 ../../in/tree image.mfs
options=()
scenario pack-output "memfs: -:|tree|standard output" pack -q -j1 ../../in/tree -
prepare() { old_image; }
scenario pack-force "image.mfs|tree" pack -q -f -j1 ../../in/tree image.mfs

prepare() { nothing; }
options=(-p -a "unpack -q --into --overwrite ../../in/image.mfs out")
scenario unpack "image.mfs|out" unpack -q -j1 ../../in/image.mfs out
scenario unpack-all "image.mfs|out" unpack -q --all -j1 ../../in/image.mfs out
scenario unpack-sync "image.mfs|out" unpack -q --sync -j1 ../../in/image.mfs out
prepare() { directory; }
scenario unpack-empty "image.mfs|out" unpack -q -j1 ../../in/image.mfs out
prepare() { other_tree; }
scenario unpack-into "image.mfs|out" unpack -q --into --overwrite -j1 ../../in/image.mfs out
scenario unpack-into-sync "image.mfs|out" unpack -q --into --overwrite --sync -j1 ../../in/image.mfs out
prepare() { nothing; }
options+=(-m)
scenario unpack-threads "image.mfs|out" unpack -q -j2 ../../in/image.mfs out

# What was there before is whole whatever happens; what is new only when it has been synced.
prepare() { nothing; }
power power-pack -e pack -q ../../in/large image.mfs
power power-unpack "-b -e" unpack -q --sync ../../in/image.mfs out
power power-page -e info --html page.html ../../in/image.mfs
prepare() { old_image; }
power power-pack-force -e pack -q -f ../../in/large image.mfs
prepare() { other_tree; }
power power-unpack-into "-b -e" unpack -q --into --overwrite --sync ../../in/image.mfs out

prepare() { nothing; }
options=()
scenario verify "image.mfs" verify -q -j1 ../../in/image.mfs
options=(-i)
scenario cat "image.mfs|standard output" cat ../../in/image.mfs numbers sub/binary
scenario ls "image.mfs|standard output" ls -R ../../in/image.mfs
options=(-i -l) # each file that cannot be read is told
scenario find "image.mfs|standard output" find ../../in/image.mfs -name "s*"
scenario hash "image.mfs|standard output" hash -j1 ../../in/image.mfs
options=(-i -a "info -f --html page.html ../../in/image.mfs")
scenario info "image.mfs|page.html" info --html page.html ../../in/image.mfs
options=(-i -l)
scenario diff "image.mfs|tree|standard output" diff -j1 ../../in/image.mfs ../../in/tree

[ $((passed + failed)) -gt 0 ] || { echo "no such scenario:$wanted" && exit 2; }
awk '{ n = $NF; $NF = ""; sum[$0] += n; all += n }
    END { for (kind in sum) printf "tried  %s%d\n", kind, sum[kind]; print "tried  all " all + 0 }' all | sort
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
