#!/bin/bash
# What goes in comes out: the tree with everything, real trees, pipes.
. "$(dirname "$0")/lib.sh"

files=400 huge=10737418240
[ -z "${MEMFS_FULL:-}" ] || files=2000
[ -z "${MEMFS_FAST:-}" ] || files=300 huge=1073741824

echo "tried  a tree with everything: $files small files in it"
check "make the tree with everything" "$make_tree" --files "$files" --huge "$huge" tree
grep '^left out' .log
check "pack it" "$memfs" pack tree
check "nothing is said" test ! -s .log
check "verify it" "$memfs" verify tree.mfs
check "verify --quick" "$memfs" verify --quick tree.mfs
check "the image is small in spite of a sparse file of 10 GiB" test "$(stat -c %s tree.mfs)" -lt 60000000

if [ "$root" ]; then
    check "unpack --all" "$memfs" unpack --all tree.mfs all
    check "everything is the same" compare tree all
    check "holes are holes" test "$(stat -c %b all/holes/huge)" -lt 2048
    check "pack again what was unpacked" "$memfs" pack all again.mfs
    check "the images are the same" cmp tree.mfs again.mfs
    rm -rf all
else
    skip "unpack --all" "not root"
fi

run "$memfs" unpack --same-modes tree.mfs plain
check "unpack without owners and the like" test "$status" = 0
check "all is the same but what has to be asked for" compare --unprivileged tree plain
if [ "$root" ]; then
    check "one line says what was left out" test "$(wc -l <.err)" = 1
    check "devices are counted" grep -q device .err
fi
check "no setuid" test -z "$(find plain -perm /6000 -print -quit)"
check "no devices" test -z "$(find plain -type b -print -quit -o -type c -print -quit)"
rm -rf plain

# However many work.
for jobs in 1 2 8; do
    turn 2 "numbers of threads" || continue
    check "unpack -j $jobs" "$memfs" unpack -q --same-modes -j "$jobs" tree.mfs plain
    check "it is the same" compare --unprivileged tree plain
    rm -rf plain
done

run "$memfs" unpack -q tree.mfs plain
check "unpack -q says nothing" test "$status" = 0 -a ! -s .err
rm -rf plain

# As somebody else: nothing can be restored that needs privileges.
if [ "$root" ] && command -v setpriv >/dev/null; then
    chmod 755 .
    mkdir -m 777 theirs
    nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups -- "$@"; }
    if nobody test -x "$memfs"; then
        run nobody "$memfs" unpack --same-modes tree.mfs theirs/plain
        check "unpack as nobody" test "$status" = 0
        check "it is said who can restore the rest" grep -q "left out by default: .*; root restores it with --all" .err
        check "it is the same" compare --unprivileged tree theirs/plain
        rm -rf trusted && mkdir trusted && touch trusted/a trusted/b trusted/c
        if setfattr -n trusted.t -v 1 trusted/a trusted/b trusted/c 2>/dev/null; then
            check "pack attributes that only root may set" "$memfs" pack trusted
            expect 1 "^memfs: theirs/trusted: a: its attribute trusted.t cannot be set: .*; left out, as were 2 more$" \
                nobody "$memfs" unpack -q --privileged-xattrs trusted.mfs theirs/trusted
            check "the files are there" test -f theirs/trusted/a -a -f theirs/trusted/c
            rm -rf theirs/trusted
        else
            skip "attributes that are refused" "no setfattr, or no such attributes here"
        fi
        expect 4 "theirs/owned.*not permitted; only root may restore owners" nobody "$memfs" unpack --same-owner tree.mfs theirs/owned
        check "and nothing is left" test ! -e theirs/owned
        mkdir foreign && touch foreign/setuid && chown 12 foreign/setuid && chmod 4755 foreign/setuid && "$memfs" pack -q foreign
        run nobody "$memfs" unpack --all --keep-going foreign.mfs theirs/foreign
        check "--all that is not to be had: what is missing" test "$status" = 1 -a "$(tail -n 1 .err)" = "memfs: theirs/foreign: unpacked without what needs the owners of the image: 1 setuid or setgid file"
        chmod -R u+rwX theirs/foreign && rm -rf theirs/foreign foreign
        expect 4 "^memfs: tree: .*ermission denied.*--keep-going" nobody "$memfs" pack tree theirs/x.mfs
        check "no image, no temporary file" only theirs plain
    else
        skip "as nobody" "the command lies in a private directory"
    fi
    rm -rf theirs
else
    skip "as nobody" "not root"
fi

include=/usr/include/linux
[ -z "${MEMFS_FULL:-}" ] || include=/usr/include
if [ -d "$include" ]; then
    echo "tried  a real tree: $include"
    check "pack $include" "$memfs" pack "$include" include.mfs
    check "verify it" "$memfs" verify include.mfs
    check "unpack it" "$memfs" unpack --same-modes ${root:+--all} include.mfs include
    if [ "$root" ]; then
        check "it is the same" compare "$include" include
    else
        check "it is the same" compare --unprivileged "$include" include
    fi
    rm -rf include
else
    skip "pack $include" "there is none"
fi

# Pipes.
pipe() { "$memfs" pack tree - | cat >piped.mfs; }
check "pack into a pipe" pipe
check "the same bytes as into a file" cmp tree.mfs piped.mfs
through() { cat tree.mfs | "$memfs" "$1" - "${@:2}"; }
for command in "ls types" info verify; do
    # shellcheck disable=SC2086
    ! turn 3 "commands that read a pipe" || check "$command from a pipe" through $command
done
run through cat types/file
check "cat from a pipe" cmp .out tree/types/file
redirected() { "$memfs" cat - types/file <tree.mfs; }
run redirected
check "cat from a redirected file" cmp .out tree/types/file
printf abc | cat - tree.mfs >shifted
behind() { { dd bs=3 count=1 of=/dev/null status=none && "$memfs" cat - types/file; } <shifted; }
run behind
check "cat from the rest of a file" cmp .out tree/types/file
unpack_pipe() { cat tree.mfs | "$memfs" unpack -q --same-modes - piped; }
check "unpack from a pipe" unpack_pipe
check "it is the same" compare --unprivileged tree piped

# Options of packing. The highest level takes zstd's time alone: but for MEMFS_FULL it gets two files.
mkdir few && cp -a tree/contents/{noise,text}-1048577 few
ways=("-l 1" "-l 19" "--block 64K" "--block 16M" "-j 4" "--level=5 --block=256K")
[ -z "${MEMFS_FAST:-}" ] || ways=("-l 1 --block 16M" "-l 9 --block 64K" "-j 4 --level=5 --block=256K")
for option in "${ways[@]}"; do
    source=tree/contents
    [ "$option" != "-l 19" ] || [ "${MEMFS_FULL:-}" ] || source=few
    # shellcheck disable=SC2086
    check "pack $option" "$memfs" pack $option "$source" c.mfs -f
    check "verify it" "$memfs" verify c.mfs
    for name in noise text; do
        check "$name of it" cmp <("$memfs" cat c.mfs "$name-1048577") "tree/contents/$name-1048577"
    done
done
check "pack --no-xattrs" "$memfs" pack --no-xattrs tree/xattrs plain.mfs
check "unpack it" "$memfs" unpack plain.mfs
check "there are none" test -z "$("$BUILD/tests/tree/list_tree" --unprivileged plain | grep user)"
done_testing
