#!/bin/bash
# What the host refuses while packing and unpacking: room, quota, a filesystem that cannot be
# written, descriptors, names that are too long, other filesystems. What was there is there as
# it was, and nothing else is.
. "$(dirname "$0")/lib.sh"

mkdir tree small
for i in $(seq 30); do
    mkdir "tree/$i" && head -c 4000 /dev/urandom >"tree/$i/file" && echo "$i" >"tree/$i/text"
done
echo old >small/file
"$memfs" pack -q tree && "$memfs" pack -q small && cp small.mfs old.mfs || exit
mkdir mounted

old() { cmp small.mfs mounted/old.mfs && only mounted old.mfs "$@"; }
# filled OPTIONS: a tmpfs with an image in it.
filled() { mount -t tmpfs -o "$1" tmpfs mounted && cp small.mfs mounted/old.mfs; }
mine() { # a directory to be filled, with two files that are there
    mkdir -p mounted/there/1 && echo mine >mounted/there/mine && echo mine >mounted/there/1/text
}
is_mine() { diff -r <(cd mounted/there && find . -type f -exec grep -H . '{}' + | sort) <(printf './1/text:mine\n./mine:mine\n') && only mounted/there 1 mine && only mounted/there/1 text; }

# refused WHY PACK UNPACK: all of that fails, with these messages, and changes nothing.
refused() {
    local pack=$2 unpack=$3
    mine
    expect 4 "^memfs: mounted/old.mfs: $pack" "$memfs" pack -f tree mounted/old.mfs
    expect 4 "^memfs: mounted/new.mfs: $pack" "$memfs" pack tree mounted/new.mfs
    expect 4 "^memfs: mounted/new: $unpack" "$memfs" unpack tree.mfs mounted/new
    expect 4 "^memfs: mounted/there: $unpack" "$memfs" unpack --into --overwrite tree.mfs mounted/there
    check "$1: the old image is whole, nothing is left" old there
    check "$1: the directory that was there is as it was" is_mine
}

# ---- ENOSPC -------------------------------------------------------------------------------------
if [ "$root" ] && filled size=48k; then
    refused "no room" "cannot write .*: No space left on device( \\(at byte [0-9]+\\))?; make room, or name another place$" ".*: No space left on device"
    umount mounted
    # However little is missing.
    needed=$(stat -c %s tree.mfs) hits=0
    for less in 0 1 2 3 5 9 17; do
        filled "size=$(((needed / 4096 + 3 - less) * 4))k" || break
        run "$memfs" pack -q -f tree mounted/old.mfs
        [ "$status" = 0 ] || hits=$((hits + 1))
        if [ "$status" = 0 ]; then cmp tree.mfs mounted/old.mfs && only mounted old.mfs; else [ "$status" = 4 ] && old; fi >.log 2>&1
        judge "packing with $less pages less: all or nothing" "$?" pack .log
        umount mounted
    done
    check "some of these lacked room" test "$hits" -gt 2
    # The kernel gives up what sandboxes of processes that are gone name in its own time, and then there are inodes again.
    filled nr_inodes=40,size=10m
    expect 4 "^memfs: mounted/new: [0-9]+(/[a-z]+)?: cannot be made: No space left on device" "$memfs" unpack --no-sandbox tree.mfs mounted/new
    check "no inodes: nothing is left" old
    for jobs in 1 4; do
        expect 4 "^memfs: mounted/new: [0-9]+(/[a-z]+)?: cannot be made: No space left on device; make room, or name another place$" "$memfs" unpack --no-sandbox --keep-going -j "$jobs" tree.mfs mounted/new
        check "--keep-going: a full disk ends it, and nothing is left" old
    done
    for i in $(seq 40); do : >"mounted/$i"; done 2>.log
    expect 4 "^memfs: mounted/old.mfs: cannot make a temporary file beside it: No space left on device; make room" "$memfs" pack --no-sandbox -f tree mounted/old.mfs
    rm -f mounted/[0-9]*
    check "no inodes: the old image is whole" old
    umount mounted
else
    skip "ENOSPC" "no tmpfs can be mounted here"
fi

# ---- EROFS --------------------------------------------------------------------------------------
if [ "$root" ] && filled size=1m; then
    mine
    mount -o remount,ro mounted
    refused "read-only" "cannot make a temporary file beside it: Read-only file system; name a place that can be written to$" ".*: Read-only file system"
    expect 0 "" "$memfs" verify -q mounted/old.mfs
    umount mounted
else
    skip "EROFS" "no tmpfs can be mounted here"
fi

# ---- EDQUOT -------------------------------------------------------------------------------------
limited() {
    truncate -s 120M disk && mkfs.btrfs -q disk && mount -o loop disk mounted && cp small.mfs mounted/old.mfs && mine &&
        btrfs quota enable mounted && sync -f mounted && btrfs qgroup limit 150K mounted
}
if [ "$root" ] && command -v mkfs.btrfs >.log && limited >.log 2>&1; then
    fill() { ! head -c 500000 /dev/urandom >mounted/filler; }
    check "the quota is reached" fill
    full="Disk quota exceeded"
    expect 4 "^memfs: mounted/old.mfs: .*: $full( \\(at byte [0-9]+\\))?; make room, or name another place$" "$memfs" pack -f tree mounted/old.mfs
    expect 4 "^memfs: mounted/new: .*: $full" "$memfs" unpack tree.mfs mounted/new
    expect 4 "^memfs: mounted/there: .*: $full" "$memfs" unpack --into --overwrite tree.mfs mounted/there
    check "over quota: the old image is whole, nothing is left" old there filler
    check "over quota: the directory that was there is as it was" is_mine
else
    skip "EDQUOT" "no btrfs with quotas can be made here: $(tail -n 1 .log)"
fi
if mountpoint -q mounted; then umount mounted; fi
rm -f disk

# ---- EMFILE: fewer and fewer descriptors, from what suffices down to what does not load the program ----
few() { (ulimit -n "$most" && exec "$memfs" "$@"); }
for command in "pack -q -f -j 4 tree old.mfs" "unpack -q -j 4 tree.mfs new"; do
    read -ra words <<<"$command"
    hits=0 bad=
    for most in 20 16 14 12 11 10 9 8 7 6 5 4; do
        rm -rf new && cp small.mfs old.mfs
        run few "${words[@]}"
        case $status in
        0) if [ "${words[0]}" = pack ]; then cmp tree.mfs old.mfs; else diff -r tree new && rm -rf new; fi >.log 2>&1 || bad="$bad $most" ;;
        4)
            hits=$((hits + 1))
            [ "$(wc -l <.err)" = 1 ] && grep -q "^memfs: .*: Too many open files" .err && cmp small.mfs old.mfs >.log 2>&1 || bad="$bad $most: $(cat .err)"
            ;;
        *) bad="$bad $most: exit code $status" ;;
        esac
        only . tree tree.mfs small small.mfs old.mfs mounted .out .err .log >.log 2>&1 || bad="$bad $most: $(cat .log)"
    done
    echo "$hits refused; $bad" >.log
    judge "few descriptors, all or nothing: $command" "$([ "$hits" -gt 1 ] && [ -z "$bad" ] && echo 0 || echo 1)" "$command" .log
done

# ---- ENAMETOOLONG ---------------------------------------------------------------------------------
longest=$(printf 'n%.0s' $(seq 251)).mfs
expect 0 "" "$memfs" pack -q small "$longest"
expect 0 "" "$memfs" pack -q -f tree "$longest"
check "a name of 255 bytes is one" cmp tree.mfs "$longest"
expect 4 "n.mfs: cannot be examined: File name too long$" "$memfs" pack small "n$longest"
expect 4 "n.mfs: .*cannot be made or opened: File name too long$" "$memfs" unpack tree.mfs "n$longest"
rm -f "$longest"
path=$(printf 'd/%.0s' $(seq 2100))
pack_far() { "$memfs" pack small "${path}new.mfs"; }
unpack_far() { "$memfs" unpack tree.mfs "${path}new"; }
expect 4 "cannot open its directory: File name too long$" pack_far
expect 4 "cannot be made or opened: File name too long$" unpack_far
check "nothing is made" only . tree tree.mfs small small.mfs old.mfs mounted .out .err .log

# ---- An overlay, where files of two filesystems have the same numbers ---------------------------------
overlaid() {
    mkdir lower upper && mount -t tmpfs -o size=2m tmpfs lower && mount -t tmpfs -o size=400k tmpfs upper && mkdir upper/{there,work} &&
        for i in $(seq 300); do echo "mine $i" >"lower/mine$i"; done &&
        mount -t overlay -o lowerdir=lower,upperdir=upper/there,workdir=upper/work overlay mounted
}
untouched() { for i in $(seq 300); do echo "mine $i" | cmp - "mounted/mine$i" || return; done && only mounted mine{1..300}; }
# Those that are made next have these numbers and higher ones, of which the lower files have three hundred.
are_met() { touch upper/x && [ "$(stat -c %i upper/x)" -lt 100 ] && [ "$(stat -c %i lower/* | sort -n | tail -n 1)" -gt 250 ]; }
if [ "$root" ] && overlaid >.log 2>&1; then
    check "files of both have the same numbers" are_met
    rm upper/x
    mkdir many && for i in $(seq 60); do echo "$i" >"many/a$i"; done && head -c 900000 /dev/urandom >many/z
    expect 0 "" "$memfs" pack -q many
    expect 4 "^memfs: mounted: z: .*No space left on device" "$memfs" unpack --into many.mfs mounted
    check "an overlay that is full: what was there is there, and nothing else" untouched
else
    skip "overlay" "none can be mounted here: $(tail -n 1 .log)"
fi
for place in mounted lower upper; do if mountpoint -q "$place"; then umount "$place"; fi; done
rm -rf many many.mfs lower upper

# ---- EXDEV, and what is mounted where something is to be --------------------------------------------
if [ "$root" ] && filled size=1m; then
    mkdir -p into/1 && mount --bind mounted into/1
    expect 4 "^memfs: into: 1: is mounted there: Invalid cross-device link" "$memfs" unpack --into tree.mfs into
    check "nothing is made, there and here" only into 1
    check "what is mounted is as it was" old
    umount into/1
    # Of the same filesystem: st_dev does not tell.
    mkdir outside && echo mine >outside/mine && mount --bind outside into/1
    expect 4 "^memfs: into: 1: is mounted there: Invalid cross-device link" "$memfs" unpack --into tree.mfs into
    check "nothing is made here" only into 1
    check "nor in another part of this filesystem" only outside mine
    expect 1 "^memfs: into: 1: is mounted there: Invalid cross-device link" "$memfs" unpack -q --into --keep-going tree.mfs into
    check "all but what would be there" diff <(cd tree && find . -path './1/*' -o -print | sort) <(cd into && find . -path './1/*' -o -print | sort)
    check "and nothing there" only outside mine
    umount into/1
    rm -r into/[02-9]* into/1?* outside
    ln -s mounted/old.mfs link.mfs
    expect 4 "^memfs: link.mfs: exists and is no regular file" "$memfs" pack -f tree link.mfs
    cp small.mfs bound.mfs && mount --bind mounted/old.mfs bound.mfs
    expect 4 "^memfs: bound.mfs: cannot give the temporary file this name: Device or resource busy$" "$memfs" pack -f tree bound.mfs
    check "an image that is a mount stays" cmp bound.mfs small.mfs
    umount bound.mfs
    umount mounted
    check "no temporary file is left" only . tree tree.mfs small small.mfs old.mfs mounted into link.mfs bound.mfs .out .err .log
else
    skip "EXDEV" "nothing can be mounted here"
fi

done_testing
