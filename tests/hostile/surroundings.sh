#!/bin/bash
# Hostile surroundings, classes 67 to 70 of the list (cases.c has those of images): what is no
# file for an image, an image that changes while it is read, a source that changes while
# it is packed, a destination that holds what it should not.
#
# Environment: BUILD. The last line is "N passed, N failed, N skipped".
. "$(dirname "$0")/../e2e/lib.sh"

kind() { echo "# class $1: $2"; }

# Nothing that is outside of a destination may change.
mkdir outside && echo sings >outside/canary && chmod 600 outside/canary
state() { find outside -printf '%p %y %m %s %T@ %l\n' | sort && cat outside/canary; }
before=$(state)
unchanged() { [ "$(state)" = "$before" ]; }

mkdir -p tree/dir && echo hello >tree/hello && echo deep >tree/dir/deep && ln -s ../hello tree/dir/link
head -c 12000000 /dev/urandom >tree/noise
"$memfs" pack -q tree sound.mfs || exit 2

# ---- 67: what the image is ----------------------------------------------------
kind 67 "the image is no file"
mkfifo fifo && mkdir directory && : >empty && ln -s nowhere dangling && ln -s loop loop
for command in "info" "ls -lR" "verify" "hash"; do
    # shellcheck disable=SC2086
    {
        expect 3 "fifo: " timeout 10 "$memfs" $command fifo
        expect 3 "/dev/null: " timeout 10 "$memfs" $command /dev/null
        expect 3 "/dev/zero: " timeout 10 "$memfs" $command /dev/zero
        expect 3 "directory: " timeout 10 "$memfs" $command directory
        expect 3 "empty: " timeout 10 "$memfs" $command empty
        expect 4 "dangling: " timeout 10 "$memfs" $command dangling
        expect 4 "loop: " timeout 10 "$memfs" $command loop
    }
done
for image in fifo /dev/zero directory empty; do
    expect 3 "$image: " timeout 10 "$memfs" unpack "$image" none
done
check "nothing is made of what is no image" test ! -e none

# ---- 68: the image changes while it is read --------------------------------------
kind 68 "the image changes while it is read"
# cat is stopped by a full pipe with much still to be read; then the change is made.
while_read() { # change, exit codes
    cp sound.mfs changing.mfs
    rm -f pipe && mkfifo pipe
    "$memfs" cat changing.mfs noise >pipe 2>.cat &
    local reader=$! status=0
    exec 9<pipe
    head -c 65536 <&9 >got
    "$1"
    cat <&9 >>got
    exec 9<&-
    wait "$reader" || status=$?
    check "$1 while it is read: exit code $status is one of $2" grep -qw "$status" <<<"$2"
    check "$1 while it is read: what came is as it was" cmp -n "$(stat -c %s got)" got tree/noise
    if [ "$status" = 0 ]; then
        check "$1 while it is read: all came" cmp got tree/noise
    else
        check "$1 while it is read: it says so" grep -q '^memfs: ' .cat
    fi
}
truncated() { truncate -s 3000000 changing.mfs; }
emptied() { : >changing.mfs; }
rewritten() { dd if=/dev/zero of=changing.mfs bs=1M count=12 conv=notrunc status=none; }
grown() { cat tree/noise >>changing.mfs; }
replaced() { echo another >other && mv other changing.mfs; }
removed() { rm changing.mfs; }
while_read truncated "3 4"
while_read emptied "3 4"
while_read rewritten "3"
while_read grown "0"
while_read replaced "0"
while_read removed "0"

# ---- 69: a source changes while it is packed ----------------------------------------
kind 69 "a source changes while it is packed"
mkdir source && head -c 40000000 /dev/urandom >source/a
# pack is stopped by a full pipe when all names are known; z is read last.
while_packed() { # change
    rm -rf source/z && echo last >source/z
    rm -f pipe && mkfifo pipe
    "$memfs" pack -q -j 2 -l 1 --block 64K source - >pipe 2>.pack &
    local packer=$! status=0
    exec 9<pipe
    head -c 65536 <&9 >got
    "$1"
    cat <&9 >>got
    exec 9<&-
    wait "$packer" || status=$?
    check "z $1 while it is packed: exit code 4" test "$status" = 4
    check "z $1 while it is packed: it is named" grep -qE "^memfs: source: z: (changed|vanished) while" .pack
    check "z $1 while it is packed: what came is no image" test "$("$memfs" verify -q got >/dev/null 2>&1; echo $?)" = 3
}
shrinks() { : >source/z; }
grows() { echo more >>source/z; }
vanishes() { rm source/z; }
becomes_a_fifo() { rm source/z && mkfifo source/z; }
becomes_a_link() { rm source/z && ln -s ../outside/canary source/z; }
becomes_a_directory() { rm source/z && mkdir source/z; }
for change in shrinks grows vanishes becomes_a_fifo becomes_a_link becomes_a_directory; do
    while_packed $change
done

# ---- 70: the destination ----------------------------------------------------------------
kind 70 "the destination holds what it should not"
ln -s outside link
expect 4 "link: " "$memfs" unpack sound.mfs link
check "a destination that is a link: nothing is outside" unchanged
mkdir planted && ln -s ../outside planted/dir
expect 4 "planted" "$memfs" unpack --into sound.mfs planted
check "a directory that is a link: nothing is outside" unchanged
check "a directory that is a link: nothing was made" only planted dir
mkdir files && ln -s ../outside/canary files/hello
expect 4 "files" "$memfs" unpack --into sound.mfs files
expect 0 "" "$memfs" unpack -q --into --skip sound.mfs files
check "a file that is a link is left" test -L files/hello
expect 0 "" "$memfs" unpack -q --into --overwrite sound.mfs files
check "a file that is a link is replaced itself" cmp files/hello tree/hello
check "a file that is a link: nothing is outside" unchanged
expect 0 "" "$memfs" unpack -q sound.mfs twice
expect 4 "twice: " "$memfs" unpack sound.mfs twice
check "unpacked twice: the first is whole" diff -r --no-dereference tree twice
expect 4 "twice" "$memfs" unpack --into sound.mfs twice
check "unpacked into what is there: it is whole" diff -r --no-dereference tree twice
if [ "$root" ] && mkdir mounted && mount -t tmpfs -o size=4m none mounted 2>/dev/null; then
    expect 4 "No space left" "$memfs" unpack sound.mfs mounted/out
    check "a full disk: nothing is left" only mounted ""
    umount mounted
else
    skip "a full disk" "no file system can be mounted here"
fi
echo "tried  surroundings      4 classes, $passed checks"
done_testing
