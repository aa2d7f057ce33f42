#!/bin/bash
# Makes the golden images and their listings: tests/golden/make.sh [DIR [NAME...]]
#
# Into DIR, by default where this script is: NAME.mfs, and NAME.txt, what
# tests/reader.py lists in it (NAME.txt.gz if that is long). Without names only
# what is not there is made: images of a version of the format that was published
# are kept for ever, and never made anew.
#
# To be run as root (for owners, devices, attributes), where the filesystem of
# TMPDIR takes attributes, and that of /dev/shm all times. Environment: BUILD, PYTHON.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
BUILD=$(cd "${BUILD:-$here/../../build}" && pwd)
out=$(cd "${1:-$here}" && pwd)
[ $# = 0 ] || shift
wanted=" $* "
python=${PYTHON:-python3}
export LC_ALL=C TZ=UTC PYTHONDONTWRITEBYTECODE=1
unset SOURCE_DATE_EPOCH
umask 022
[ "$(id -u)" = 0 ] || { echo "make.sh: only root can make these trees" >&2; exit 4; }
work=$(mktemp -d)
shm=$(mktemp -d -p /dev/shm 2>/dev/null) || shm=$(mktemp -d)
trap 'rm -rf "$work" "$shm"' EXIT

stamp() { find . -depth -execdir touch -h -d @1700000000.123456789 '{}' +; }
noise() { "$python" -c 'import random, sys; sys.stdout.buffer.write(random.Random(int(sys.argv[1])).randbytes(int(sys.argv[2])))' "$@"; }
repeat() { # text, times
    local text
    if [ "$2" -gt 5000 ]; then
        "$python" -c 'import sys; sys.stdout.write(sys.argv[1] * int(sys.argv[2]))' "$@"
    else # sooner than a process begins
        printf -v text '%*s' "$2" ''
        printf '%s' "${text// /"$1"}"
    fi
}

is_wanted() { if [ "$wanted" = "  " ]; then [ ! -e "$out/$1.mfs" ]; else [[ "$wanted" == *" $1 "* ]]; fi; }

# image NAME [OPTION...]: packs what tree_NAME makes, with these options of pack.
image() {
    local name=$1 tree=$work/tree
    [ "$name" != times ] || tree=$shm/tree
    shift
    is_wanted "$name" || return 0
    mkdir "$tree"
    (cd "$tree" && "tree_${name//-/_}")
    "$BUILD/memfs" pack -q -f "$@" "$tree" "$out/$name.mfs"
    chmod 644 "$out/$name.mfs"
    rm -rf "$tree"
    listing "$name"
}

# They are listed in the end, by one process.
made=()
listing() { made+=("$out/$1.mfs"); } # name
list_made() {
    local image text
    [ ${#made[@]} = 0 ] || "$python" "$here/check.py" list "$out" "${made[@]}"
    for image in "${made[@]}"; do
        text=${image%.mfs}.txt
        rm -f "$text.gz"
        [ "$(stat -c %s "$text")" -lt 100000 ] || gzip -9n "$text"
    done
}

# Nothing but the root: tables without records.
tree_empty() { stamp; }

# The example of FORMAT.md.
tree_one_file() { echo 'Hello, world!' >hello.txt && stamp; }

# All seven types; owners, permissions, setuid and its like, the greatest device numbers, targets that lead nowhere.
tree_types() {
    echo text >file && : >empty && echo secret >secret && echo run >setuid && mkdir -p directory sticky/below
    ln -s file link && ln -s ../../nowhere dangling && ln -s $'odd \n\377' odd && mkfifo fifo
    "$python" -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
    mknod null c 1 3 && mknod greatest c 4095 1048575 && mknod disk b 7 300
    chown -h 1000:100 file link fifo && chown 4294967294:4294967294 empty && chown 1000:100 setuid && chown 5:6 disk sticky
    chmod 0 secret && chmod 6755 setuid && chmod 1777 sticky && chmod 2750 directory && chmod 640 fifo null && chmod 666 socket
    stamp
}

# Every byte a name may have alone, the longest names, those that sort beside each other, and a name that says "escape me".
tree_names() {
    "$python" -c '
import os
for name in [bytes([c]) for c in range(1, 256) if c not in b"./"] + [b"n" * 255, b"\xff" * 255, b"...", b"..a", b"a.b", b"a!", b"aa",
             b"-n", b"a b\n\\c", "\u00e4\u65e5\U0001f600".encode(), b"\xc3", b"\xed\xa0\x80"]:
    open(name, "wb").close()
os.mkdir(b"a0")
for name in (b"a", b"b", b"\\"):
    open(b"a0/" + name, "wb").close()
'
    stamp
}

# A path that is longer than what open() takes: 5,119 bytes.
tree_deep() {
    local name
    name=$(repeat d 255)
    (
        for _ in $(seq 19); do mkdir "$name" && cd "$name"; done
        repeat f 255 >"$(repeat f 255)"
    )
    stamp
}

# Entries, nodes and digests in 18 chunks: refs of level 1. A run over two chunks; names alike.
tree_many() {
    local d
    for d in $(seq -w 0 99); do mkdir "$d" && (cd "$d" && touch $(seq -w 0 82)); done
    (cd 50 && touch $(seq -w 100 799))
    stamp
}

# Distinct contents of 600 files: two chunks of extents, all in one data block.
tree_small_files() {
    local n
    for n in $(seq 1 600); do echo "$n" >"$n"; done
    stamp
}

# A file, a link, a FIFO and a device with several names each.
tree_hard_links() {
    mkdir -p a/b c && echo linked >first && ln first a/second && ln first a/b/third && ln -s first c/link && ln -P c/link a/link
    mkfifo fifo && ln fifo c/fifo && mknod null c 1 3 && ln null a/null && echo alone >single
    stamp
}

# Namespaces, empty and binary values, names without anything behind the dot, sets in common, access control lists.
tree_xattrs() {
    "$python" -c '
import os
def make(name, *attributes):
    open(name, "wb").close()
    for attribute, value in attributes:
        os.setxattr(name, attribute, value)
make("one", ("user.one", b"1"))
make("set", ("user.a", b"x"), ("user.b", b""), ("user.c", bytes(range(256))))
make("same-set", ("user.c", bytes(range(256))), ("user.b", b""), ("user.a", b"x"))
make("part-of-it", ("user.a", b"x"))
make("longest-name", ("user." + "n" * 250, b"v"))
make("long-value", ("user.value", b"0123456789" * 300))
make("others", ("trusted.t", b"\0"), ("security.s", b"s"))
os.mkdir("directory")
os.setxattr("directory", "user.of.directory", b"d")
os.symlink("one", "link")
os.setxattr("link", "trusted.of.link", b"l", follow_symlinks=False)
'
    echo shared >acl && setfacl -m u:1000:rw,g:100:r acl && mkdir acl-default && setfacl -m d:u:1000:rwx acl-default
    stamp
}

# Sets of attributes in two chunks, one across both.
tree_many_xattrs() {
    "$python" -c '
import os
for n in range(110):
    open("%03d" % n, "wb").close()
    for attribute in "abcde":
        os.setxattr("%03d" % n, "user." + attribute, b"%d" % (n // 2 if attribute == "a" else n % 4))
'
    stamp
}

# Targets of links of more than 65,536 bytes: two chunks of blobs, zeros at the end of the first.
tree_targets() {
    local n
    for n in $(seq -w 1 17); do ln -s "$(repeat "$n" 2000)" "$n"; done
    ln -s "$(repeat t 4095)" longest && ln -s 01 short
    stamp
}

# Holes: before, amid and behind data, of a page and less, nothing else; zeros that were written; the digest of each.
tree_sparse() {
    truncate -s 10000 all-hole && truncate -s 1 short-hole && repeat $'\1' 3 >data-then-hole && truncate -s 50000 data-then-hole
    truncate -s 100001 hole-then-data && printf end >>hole-then-data
    repeat a 5000 >amid && truncate -s 40960 amid && printf z >>amid
    head -c 8192 /dev/zero >zeros && head -c 4097 /dev/zero >page-and-zero && head -c 4095 /dev/zero >zeros-short
    { printf a && head -c 4095 /dev/zero && printf b; } >zeros-in-page
    { head -c 4000 /dev/zero && repeat q 200 && head -c 9000 /dev/zero && printf e; } >unaligned
    printf x >huge && truncate -s 1T huge && printf y >>huge
    stamp
}

# Contents that are there once; and the same tree with everything twice.
tree_shared_files() {
    mkdir d && repeat 'equal contents ' 40 >a && cp a b && cp a d/c && echo other >e && cp e d/e && echo more >f
    stamp
}
tree_unshared() { tree_shared_files; }

# Parts of later files are those of earlier ones; a place is told by several cursors.
tree_shared_parts() {
    noise 1 2500 >a && noise 2 2500 >b
    { noise 3 100 && tail -c 2000 a && tail -c 2100 b && head -c 1500 a; } >c
    { head -c 1800 b && noise 4 64 && head -c 2200 a && noise 5 8 && tail -c 1900 b; } >d
    stamp
}

# What zstd cannot compress is stored raw; the file of one block, beside what can be.
tree_raw() { noise 6 6000 >noise && stamp; }

# The smallest blocks, cut by files and cutting them; extents of whole blocks.
tree_block_64k() {
    local n
    for n in 1 2 3 4 5 6; do repeat "file $n " 7000 >"$n"; done
    repeat 0123456789abcdef 16384 >whole
    stamp
}

# The largest blocks.
tree_block_16m() { repeat "block by block " 200000 >large && echo small >small && stamp; }

# 2,176 data blocks: refs of level 2. Each has other bytes.
tree_height_2() {
    "$python" -c '
with open("blocks", "wb") as file:
    for n in range(2176):
        file.write(b"%04d" % n * 16384)
'
    stamp
}

# The earliest and the latest time that there is, and some between.
tree_times() {
    local time
    for time in -9223372036.854775808 9223372036.854775807 -2147483649 -2147483648.000000001 -1.5 -0.000000001 0 0.000000001 \
        1 2147483647.999999999 2147483648 4294967296; do
        : >"at$time" && touch -d "@$time" "at$time"
    done
    touch -d "@-9223372036.854775808" .
}

# A time of writing in the root, and mtimes that it limits.
tree_epoch() { echo early >early && echo late >late && touch -d @1000000000 early && touch -d @1800000000 late .; }

image empty
image one-file
image types
image names
image deep
image many
image small-files
image hard-links
image xattrs
image many-xattrs
image targets
image sparse
image shared-files --share files
image unshared --share none
image shared-parts
image raw
image block-64k --block 64K
image block-16m --block 16M
image height-2 --block 64K --share none
image times
SOURCE_DATE_EPOCH=1700000000 image epoch

# Two more generations, a message: no command makes them yet.
if is_wanted generations; then
    base=$out/one-file.mfs
    [ -e "$base" ] || base=$here/one-file.mfs
    "$python" "$here/surgery.py" generations "$base" "$out/generations.mfs"
    listing generations
fi
list_made
