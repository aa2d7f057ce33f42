#!/bin/bash
# Whatever is wrong: one line that names it, the right exit code, nothing left behind.
. "$(dirname "$0")/lib.sh"

mkdir -p tree/sub
head -c 300000 /dev/urandom >tree/noise
yes line | head -n 20000 >tree/sub/text
ln -s sub/text tree/link
ln -s loop tree/loop
ln -s sub/nowhere tree/dangling
mkfifo tree/fifo
"$memfs" pack tree good.mfs || exit 2

# ---- Usage ----
expect 2 "subcommand.*--help" "$memfs"
expect 2 "'frobnicate'.*--help" "$memfs" frobnicate
expect 2 "'--frobnicate'" "$memfs" --frobnicate
expect 2 "unknown subcommand 'x'" "$memfs" help x
expect 2 "unknown subcommand 'unpakc'; did you mean unpack\?" "$memfs" unpakc good.mfs
expect 2 "unknown subcommand 'lss'; did you mean ls\?" "$memfs" help lss
expect 2 "unknown option '--recursiv3'; did you mean --recursive\?" "$memfs" ls --recursiv3 good.mfs
expect 2 "'--max' may be --max-bytes, --max-entries, --max-depth" "$memfs" unpack --max good.mfs
expect 2 "'--max' may be --max-bytes, --max-entries, --max-depth" "$memfs" unpack --max=3 good.mfs
expect 0 "" "$memfs" -V
expect 0 "" "$memfs" -C tree -Csub ls ../../good.mfs
expect 4 "nowhere: .*-C names the directory" "$memfs" -C nowhere ls good.mfs
expect 2 "-C needs a value" "$memfs" -C
expect 1 "good.mfs: good.mfs: no such file or directory in the image; it is a file here: one image at a time" "$memfs" ls good.mfs good.mfs
expect 1 "good.mfs: '': no such file" "$memfs" ls good.mfs ''
for size in 1.5M 1MiX 1MBs M 1bM 18446744073709551616K; do
    expect 2 "--max-bytes $size: not a number of bytes such as" "$memfs" unpack --max-bytes $size good.mfs out
done
for size in 128K 128k 128KiB 131072; do
    check "a block of $size is one of 131072 bytes" "$memfs" pack -qf --block $size tree "block$size.mfs"
    check "it makes the same image" cmp block128K.mfs "block$size.mfs"
done
rm -f block*.mfs
expect 2 "--block 131000: not a power of two" "$memfs" pack --block 131KB tree new.mfs
expect 2 "--block 64KB: must be from 64K to 16M" "$memfs" pack --block 64KB tree new.mfs
check "--color alone is always" cmp <("$memfs" ls --color good.mfs) <("$memfs" ls --color=always good.mfs)
check "and colours" grep -q $'\033' <("$memfs" ls --color good.mfs)
expect 2 "pack: .*'--frobnicate'.*pack --help" "$memfs" pack --frobnicate tree
expect 2 "unknown option '-x'" "$memfs" ls -lx good.mfs
expect 2 "pack: needs DIR" "$memfs" pack
expect 4 "^memfs: a: No such file" "$memfs" pack a b c
expect 2 "unpack: needs IMAGE" "$memfs" unpack
expect 2 "ls: needs IMAGE" "$memfs" ls
expect 2 "cat: needs IMAGE PATH" "$memfs" cat good.mfs
expect 2 "verify: needs IMAGE" "$memfs" verify --quick
expect 2 "html shows one image, and 'b' is a second one" "$memfs" info --html x.html a b
for level in 0 20 -1 x 3x 99999999999999999999; do
    expect 2 "--level $level: " "$memfs" pack --level="$level" tree new.mfs
done
for size in 0 32K 32M 100000 3M 1.5M 64KB x K 99999999999999999999G; do
    expect 2 "--block .*: " "$memfs" pack --block "$size" tree new.mfs
done
expect 2 "--block 1k: must be from 64K to 16M" "$memfs" pack --block 1k tree new.mfs
expect 2 "--share some: must be one of parts\|files\|none" "$memfs" pack --share some tree new.mfs
expect 2 "--share '': must be one of" "$memfs" pack --share= tree new.mfs
expect 2 "--window 1: must be from 64K to 1G" "$memfs" pack --window 1 tree new.mfs
expect 2 "--window 2G: must be from 64K to 1G" "$memfs" pack --window 2G tree new.mfs
expect 2 "--memory 0: must be at least 1" "$memfs" pack --memory 0 tree new.mfs
expect 2 "--jobs 0: must be at least 1" "$memfs" pack -j 0 tree new.mfs
for few in "--memory 1M" "--memory 100M" "--memory 200M -l 19 --block 16M" "--memory 300M --window 1G"; do
    # shellcheck disable=SC2086
    expect 2 "--memory: too little for this level, --block and --window: at least [0-9]+K; " "$memfs" pack $few tree new.mfs
    check "there is no image" test ! -e new.mfs
done
least=$("$memfs" pack --memory 1 tree new.mfs 2>&1 | sed -n 's/.*at least \([0-9]*K\);.*/\1/p')
check "the least is enough" "$memfs" pack -q --memory "$least" tree least.mfs
check "more processors than are used may be asked for" "$memfs" verify -q -j 100000000000 least.mfs
rm -f least.mfs
expect 2 "--level '': not a number" "$memfs" pack --level= tree new.mfs
expect 2 "--max-bytes 0: must be at least 1" "$memfs" unpack --max-bytes 0 good.mfs new
expect 2 "unpack: .*name a directory.*\./-" "$memfs" unpack good.mfs -
mkdir -p other/sub
inside() { "$memfs" pack other - >other/sub/new.mfs; }
expect 2 "other/sub/new.mfs, lies in the directory that is packed" inside
rm -rf other
expect 2 "--jobs 0: " "$memfs" pack -j 0 tree new.mfs
expect 2 "--jobs 0: " "$memfs" unpack -j 0 good.mfs new
expect 2 "--max-bytes x: " "$memfs" unpack --max-bytes x good.mfs new
expect 2 "--level needs a value" "$memfs" pack tree new.mfs -l
expect 2 "--force takes no value" "$memfs" pack --force=yes tree new.mfs
expect 2 "--help takes no value" "$memfs" ls --help=yes
expect 2 "'odd.name' does not end in .mfs, so it gives no name for the directory: name DIR" "$memfs" unpack odd.name
expect 2 "'tree/.mfs' has nothing before .mfs, so it gives no name for the directory: name DIR" "$memfs" unpack tree/.mfs
expect 2 "'-' does not end in .mfs, so it gives no name" "$memfs" unpack -
expect 2 "'/' gives no name" "$memfs" pack /
expect 2 "in the directory that is packed" "$memfs" pack tree tree/sub/new.mfs
expect 2 "in the directory that is packed" "$memfs" pack . new.mfs
check "nothing was made" only . tree good.mfs .out .err .log

# ---- Sources ----
expect 4 "missing: .*No such file" "$memfs" pack missing new.mfs
expect 4 "^memfs: '': No such file" "$memfs" pack "" new.mfs
if [ "$(stat -f -c %T /proc/sys/kernel 2>/dev/null)" = proc ]; then
    expect 4 "made up; no image was made" "$memfs" pack /proc/sys/kernel new.mfs
    check "nothing was made" test ! -e new.mfs
else
    skip "files of /proc" "no /proc"
fi
ln -s tree to-tree
check "a symbolic link as the source is followed" "$memfs" pack to-tree new.mfs
check "the same bytes" cmp good.mfs new.mfs
rm -f new.mfs to-tree

# ---- Where the image goes ----
expect 4 "good.mfs: exists; -f replaces it if it is an image$" "$memfs" pack tree good.mfs
expect 4 "missing/new.mfs: .*No such file" "$memfs" pack tree missing/new.mfs
expect 4 "good.mfs/new.mfs: .*ot a directory" "$memfs" pack tree good.mfs/new.mfs
mkfifo fifo
expect 4 "fifo: exists and is no regular file" "$memfs" pack -f tree fifo
expect 4 "/dev/null: exists and is no regular file" "$memfs" pack -f tree /dev/null
mkdir dir.mfs
expect 4 "dir.mfs: exists and is no regular file; the last operand names the image" "$memfs" pack -f tree dir.mfs
rmdir dir.mfs
ln -s good.mfs link.mfs
expect 4 "link.mfs: exists and is no regular file" "$memfs" pack -f tree link.mfs
rm -f link.mfs
full() { "$memfs" pack tree - >/dev/full; }
expect 4 "standard output: No space left" full
limited() { (ulimit -f 100 && "$memfs" "$@"); }
expect 4 "new.mfs: .*File too large" limited pack tree new.mfs
expect 4 "new: noise: .*File too large" limited unpack good.mfs new
check "nothing is left of what got too large" only . tree good.mfs fifo .out .err .log
closed() { "$memfs" pack tree - >&-; }
expect 4 "standard output: " closed
readers_gone() { { "$memfs" pack tree/sub - || echo "$?" >codes; } | :; }
run readers_gone
check "a closed pipe is silent" test ! -s .err
rm -f codes
if [ "$root" ]; then
    mkdir mounted
    if mount -t tmpfs -o size=64k tmpfs mounted; then
        expect 4 "mounted/new.mfs: .*No space left" "$memfs" pack tree mounted/new.mfs
        check "no temporary file is left" only mounted
        expect 4 "mounted/new.*No space left" "$memfs" unpack good.mfs mounted/new
        check "no half of a tree is left" only mounted
        mkdir mounted/empty
        expect 4 "mounted/empty.*No space left" "$memfs" unpack good.mfs mounted/empty
        check "the directory that was there stays, empty" only mounted/empty
        # The host may not be through with what has been removed: it calls that busy.
        for ((tries = 0; tries < 100; tries++)); do
            ! mount -o remount,ro mounted 2>/dev/null || break
            sleep 0.1
        done
        expect 4 "mounted/new.mfs: .*ead-only" "$memfs" pack tree mounted/new.mfs
        expect 4 "mounted/new: .*ead-only" "$memfs" unpack good.mfs mounted/new
        umount mounted
    else
        skip "a full disk" "no tmpfs can be mounted here"
    fi
    rmdir mounted
else
    skip "a full disk" "not root"
fi

# ---- What cannot be read ----
if [ "$root" ] && command -v setpriv >/dev/null; then
    chmod 777 .
    nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups -- "$@"; }
else
    nobody() { "$@"; }
fi
mkdir -p secret/locked
echo a >secret/a && echo b >secret/b && echo c >secret/locked/c
chmod 000 secret/b secret/locked
if nobody test -x "$memfs" && ! nobody cat secret/b 2>/dev/null; then
    expect 4 "^memfs: secret: (b|locked): .*Permission denied.*no image was made" nobody "$memfs" pack secret new.mfs
    check "nothing was made" test ! -e new.mfs
    run nobody "$memfs" pack --keep-going secret new.mfs
    check "--keep-going exits with 1" test "$status" = 1
    check "--keep-going names both" test "$(grep -cE '^memfs: secret: (b|locked): .*left out$' .err)" = 2
    check "and makes the image" "$memfs" verify new.mfs
    check "with the rest in it" test "$("$memfs" cat new.mfs a)" = a
    expect 1 "b: no such file" "$memfs" cat new.mfs b
    rm -f new.mfs
    nobody_reads=$(mktemp "$work/unreadable.XXXXXX") && chmod 000 "$nobody_reads"
    expect 4 "unreadable.*Permission denied" nobody "$memfs" info "$nobody_reads"
    rm -f "$nobody_reads"
    if [ "$root" ]; then
        mkdir -m 733 drop
        check "pack into a directory that may be written to, but not read" nobody "$memfs" pack -q tree drop/new.mfs
        check "the image is there, and nothing else" only drop new.mfs
        rm -rf drop
    fi
    mkdir -m 755 theirs
    [ ! "$root" ] || expect 4 "theirs/new.mfs: .*ermission denied" nobody "$memfs" pack secret/../tree theirs/new.mfs
    [ ! "$root" ] || expect 4 "theirs/new: .*ermission denied" nobody "$memfs" unpack good.mfs theirs/new
    rm -rf theirs
else
    skip "what cannot be read" "everything can"
fi
chmod 755 . secret/locked
rm -rf secret

# A file that changes or vanishes while it is packed: its turn comes after a FIFO's
# worth of time, because standard output is a pipe that nobody reads at first, and what
# is read ahead is less than the file before it.
slow_pack() { # what happens meanwhile, options...
    local meanwhile=$1
    shift
    rm -rf moving && mkdir moving
    ln noise moving/a
    echo short >moving/z
    "$memfs" pack -j 2 -l 1 --block 64K "$@" moving - 2>.err | { sleep 0.3; eval "$meanwhile"; cat >.image; }
    status=${PIPESTATUS[0]}
}
head -c 40000000 /dev/urandom >noise
slow_pack "echo longer >>moving/z"
check "a file that grew: exit code 4" test "$status" = 4
check "it is named" grep -qE '^memfs: moving: z: changed while' .err
slow_pack "rm moving/z"
check "a file that vanished: exit code 4" test "$status" = 4
check "it is named" grep -qE '^memfs: moving: z: vanished while' .err
slow_pack "rm moving/z; mkdir moving/z"
check "a file that became a directory: exit code 4" test "$status" = 4
slow_pack "rm moving/z" --keep-going
check "vanished, --keep-going: exit code 1" test "$status" = 1
check "the image is whole" "$memfs" verify .image
check "without that file" test "$("$memfs" ls .image)" = a
rm -rf moving .image noise

# Several threads do with few descriptors, one after the other.
(
    at=deep
    for i in $(seq 40); do
        at=$at/$i
        mkdir -p "$at" && head -c 30000 /dev/urandom >"$at/f"
    done
)
few_descriptors() { (ulimit -n "$1" && "$memfs" pack -f --block 64K -j "$2" deep "few$2.mfs"); } # at most, threads
for most in 10 11 12 13 14 15 16 24; do
    for jobs in 1 16; do ! turn 3 "few descriptors" || check "$most descriptors, threads: $jobs" few_descriptors "$most" $jobs; done
done
check "the same bytes" cmp few1.mfs few16.mfs
rm -rf deep few*.mfs

# ---- Images ----
: >empty
echo "this is text, and long enough to be taken for a header if one does not look" >text
head -c 70000 good.mfs >short
head -c 1 good.mfs >byte
{ cat good.mfs && echo; } >longer
sed 's/\r$//' good.mfs >converted
tail -c +2 good.mfs >beheaded
poke() { # file, offset, octal escape
    cp good.mfs "$1" && printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
size=$(stat -c %s good.mfs)
poke magic 0 '\210'
poke block 5000 '\001\002\003\004'
poke root "$((size - 70))" '\377\377'
poke version 8 '\002'
poke feature 16 '\200'
poke trailer "$((size - 20))" '\377\377'
for image in empty text short byte longer beheaded magic version feature root trailer; do
    for command in "ls" "cat" "info" "verify" "verify --quick"; do
        turn 5 "images that are none" || continue
        path=
        [ "$command" != cat ] || path=noise
        # shellcheck disable=SC2086
        expect 3 "^memfs: $image: " "$memfs" $command $image $path
    done
    expect 3 "^memfs: $image: " "$memfs" unpack $image new
done
expect 3 "block: .*checksum" "$memfs" cat block noise
run "$memfs" verify block
check "verify names what is damaged, and exits with 3" test "$status" = 3 -a "$(grep -c '^memfs: block: .*checksum' .err)" -ge 1
expect 3 "block: .*checksum" "$memfs" verify --quick block
expect 3 "block: .*checksum" "$memfs" unpack block new
expect 0 "" "$memfs" ls -lR block
run "$memfs" verify good.mfs block text
check "verify goes on after a damaged image" test "$status" = 3 -a "$(tail -n 1 .err | cut -c 1-12)" = "memfs: text:" -a "$(wc -l <.out)" = 1
mkdir a-directory
expect 3 "a-directory: .*directory" "$memfs" ls a-directory
expect 3 "fifo: " "$memfs" ls fifo
expect 3 "/dev/null: |/dev/null: " "$memfs" info /dev/null
expect 4 "missing.mfs: .*No such file" "$memfs" ls missing.mfs
expect 4 "missing.mfs: .*No such file" "$memfs" unpack missing.mfs new
expect 4 "missing.mfs: .*No such file" "$memfs" verify missing.mfs

# An image that is replaced while one before it is read is the one that had the name at the beginning. Of so many that
# not all can be open, whatever has the name is read. A pipe takes less than is written: who has read of it is in the sandbox.
mkfifo slow
replaced() { # command, images behind standard input
    local status=0
    cp good.mfs later.mfs
    "$memfs" "$1" - "${@:2}" <slow >.out 2>.err &
    exec 8>slow
    head -c 200000 good.mfs >&8
    cp good.mfs newer.mfs && mv newer.mfs later.mfs
    tail -c +200001 good.mfs >&8
    exec 8>&-
    wait $! || status=$?
    cat .err
    return $status
}
many=()
for ((i = 0; i < 10; i++)); do many+=(later.mfs); done
few_descriptors() (ulimit -n 16 && replaced "$@")
for command in verify info; do
    check "$command: an image is replaced meanwhile" replaced "$command" good.mfs later.mfs
    check "$command: the same of many images" few_descriptors "$command" "${many[@]}"
done
rm -f slow later.mfs
nothing() { "$memfs" ls - </dev/null; }
expect 3 "standard input: " nothing
endless() { yes | timeout 10 "$memfs" ls -; return "${PIPESTATUS[1]}"; }
expect 3 "standard input: .*not an image" endless
if [ -z "${SANITIZE:-}" ]; then
    endless() { (ulimit -v 200000 && { head -c 1000 good.mfs && yes; } | timeout 20 "$memfs" ls -); }
    expect 4 "standard input: .*; an image from a pipe is held in memory: save it to a file" endless
fi
check "nothing was made" test ! -e new

# ---- Paths inside ----
expect 1 "good.mfs: missing: no such file" "$memfs" ls good.mfs missing
expect 1 "good.mfs: missing: no such file" "$memfs" cat good.mfs missing
expect 1 "noise/below: .*ot a directory" "$memfs" cat good.mfs noise/below
expect 1 "loop: .*ymbolic link" "$memfs" cat good.mfs loop
expect 1 "dangling: is a symbolic link to sub/nowhere, and that is not in the image" "$memfs" cat good.mfs dangling
expect 1 "good.mfs: '': no such file" "$memfs" ls good.mfs ""
expect 1 "sub: is a directory" "$memfs" cat good.mfs sub
expect 1 "fifo: is not a regular file" "$memfs" cat good.mfs fifo
run "$memfs" ls good.mfs missing sub
check "ls shows the others" test "$status" = 1 -a "$(tail -n 1 .out)" = text
run "$memfs" cat good.mfs missing link
check "cat writes the others" cmp .out tree/sub/text
odd() { "$memfs" ls good.mfs $'new\nline\033[31m'; }
expect 1 'new\\nline\\033\[31m: no such' odd

# ---- Where a tree goes ----
mkdir full && touch full/x
expect 4 "full: .*not empty.*--into" "$memfs" unpack good.mfs full
check "it is untouched" only full x
expect 4 "^memfs: empty: is there already: Not a directory; give an empty or a new directory$" "$memfs" unpack good.mfs empty
expect 4 "^memfs: a/b/c: cannot be made: No such file or directory; make its parent directory first$" "$memfs" unpack good.mfs a/b/c
expect 4 "^memfs: '': .*give a directory$" "$memfs" unpack good.mfs ""
ln -s a-directory to-directory
expect 4 "to-directory: .*symbolic link" "$memfs" unpack good.mfs to-directory
ln -s missing to-nowhere
expect 4 "to-nowhere: " "$memfs" unpack good.mfs to-nowhere
check "nothing was written through links" only a-directory
mkdir trap && ln -s ../a-directory trap/sub
expect 4 "trap" "$memfs" unpack -q --into good.mfs trap
check "nothing was written through a link in the directory" only a-directory
check "what was there stays, and nothing else" only trap sub

# ---- Standard output ----
for command in "ls -lR good.mfs" "cat good.mfs noise" "info good.mfs" "verify good.mfs" "--help" "pack --help"; do
    # shellcheck disable=SC2086
    to_full() { "$memfs" $command >/dev/full; }
    expect 4 "standard output: No space left" to_full
    # shellcheck disable=SC2086
    to_closed() { "$memfs" $command >&-; }
    expect 4 "standard output: " to_closed
done
head_of() { "$memfs" cat good.mfs noise | head -c 10; echo "${PIPESTATUS[0]}" >code; }
run head_of
check "a reader that has had enough: silence" test ! -s .err
check "and death by SIGPIPE" test "$(cat code)" = 141 -o "$(cat code)" = 0
done_testing
