#!/bin/bash
# An image that is changed while the command reads it: an error and what came before, which is
# right; never a signal, never other bytes.
. "$(dirname "$0")/lib.sh"

mkdir tree
head -c 12000000 /dev/urandom >tree/file
"$memfs" pack -q --block 64K tree whole.mfs || exit
size=$(stat -c %s whole.mfs)

# changed COMMAND...: cat, with what it writes read only so far when the command changes the
# image: a pipe holds much less than the file has. Exit code in $status.
changed() {
    cp whole.mfs image.mfs
    {
        "$memfs" cat image.mfs file 2>.err
        echo $? >.status
    } | {
        head -c 1000 >.first
        "$@"
        cat .first - >.out
    }
    status=$(cat .status)
}
is_prefix() { [ "$(stat -c %s .out)" -ge 1000 ] && [ "$(stat -c %s .out)" -lt 12000000 ] && cmp -n "$(stat -c %s .out)" .out tree/file; }
stopped() { # what, codes
    echo "exit code $status: $(cat .err)" >.log
    judge "$1: it is said" "$([[ " $2 " == *" $status "* ]] && [ "$(wc -l <.err)" = 1 ] && grep -q '^memfs: image.mfs: file: ' .err && echo 0 || echo 1)" cat .log
    check "$1: what came before is right" is_prefix
}

cut() { truncate -s "$1" image.mfs; }
changed cut 0
stopped "truncated to nothing" 4
check "truncated: it is said why" grep -q "became shorter while it was read" .err
changed cut $((size / 2))
stopped "truncated to half" 4
check "truncated to half: it is said why" grep -q "became shorter while it was read" .err
rewrite() { yes | dd of=image.mfs bs=64K count=$((size / 65536)) iflag=fullblock conv=notrunc status=none; }
changed rewrite
stopped "rewritten" 3
other() { head -c 500000 /dev/urandom | dd of=image.mfs oflag=seek_bytes seek=$((size / 2)) bs=64K iflag=fullblock conv=notrunc status=none; }
changed other
stopped "rewritten in the middle" 3
replace() { cp tree/file other && mv other image.mfs; }
changed replace
check "replaced: the one that was opened is read to its end" test "$status" = 0 -a ! -s .err
check "replaced: it is right" cmp .out tree/file
remove() { rm image.mfs; }
changed remove
check "removed: it is read to its end" test "$status" = 0 -a ! -s .err
check "removed: it is right" cmp .out tree/file

done_testing
