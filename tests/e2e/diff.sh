#!/bin/bash
# Two trees compared: each kind of change made by itself, between images and directories in all
# combinations; and against diff, patch and the tree with everything.
. "$(dirname "$0")/lib.sh"
export TZ=UTC

calm() { find "$@" -type d -exec touch -d @1000000000 '{}' +; }

# says CODE TEXT COMMAND...: writes exactly that.
says() {
    local code=$1 text=$2
    shift 2
    run "$@"
    {
        [ "$status" = "$code" ] || { echo "exit code $status, not $code" && cat .err; }
        holds .out "$text"
    } >.log
    judge_log "${*//$BUILD\//}" "$*"
}

# differs WHAT TEXT: what `memfs diff` says of old and new, whatever they are.
differs() {
    local what=$1 text=$2 code=1 old new
    [ -n "$text" ] || code=0
    for old in old old.mfs; do
        for new in new new.mfs; do
            turn 6 "images and directories" || continue
            [ $old = old ] || "$memfs" pack -q old - >old.mfs
            [ $new = new ] || "$memfs" pack -q new - >new.mfs
            run "$memfs" diff $old $new
            {
                [ "$status" = $code ] || { echo "exit code $status, not $code" && cat .err; }
                holds .out "$text"
            } >.log
            judge_log "$what: diff $old $new" "memfs diff $old $new"
        done
    done
}

# To standard output: nothing has to wait for a disk.
pack_both() { "$memfs" pack -q old - >old.mfs && "$memfs" pack -q new - >new.mfs; }

# changed WHAT COMMANDS TEXT: the same, of a copy to which the commands are applied.
changed() {
    rm -rf new
    cp -a old new
    (cd new && eval "$2") || judge "$1" 1 "$2" /dev/null
    calm new
    differs "$1" "$3"
}

mkdir -p old/sub/deeper old/full/er
printf 'one\ntwo\nthree\n' >old/text
head -c 300000 /dev/zero | tr '\0' x >old/large
: >old/empty
printf 'x' >old/sub/deeper/x
printf 'yy' >old/full/yy
printf 'z' >old/full/er/z
ln -s text old/symlink
ln old/text old/sub/again
ln old/text old/sub/once-more
mkfifo old/fifo
cp old/text old/other
chmod 644 old/text old/large old/empty old/other old/fifo
find old -exec touch -h -d @1000000000 '{}' +

changed "nothing" ":" ""
changed "times of access and change" "touch -a -d @5 text; chmod 600 text; chmod 644 text" ""
changed "a file came" "echo 1 >sub/file" $'+ sub/file\n'
changed "a file went" "rm sub/deeper/x" $'- sub/deeper/x\n'
changed "an empty directory came" "mkdir sub/new" $'+ sub/new/\n'
changed "a directory went" "rm -r full" $'- full/ (3 below)\n'
changed "contents of one size" "printf 'one\ntwO\nthree\n' >other; touch -d @1000000000 other" $'M other: contents\n'
changed "the last byte of many" "printf y | dd of=large bs=1 seek=299999 conv=notrunc status=none; touch -d @1000000000 large" $'M large: contents\n'
changed "contents and size" "echo four >>other; touch -d @1000000000 other" $'M other: contents (14 -> 19 bytes)\n'
changed "contents of a file with names" "echo four >>text; touch -d @1000000000 text" \
    $'M text: contents (14 -> 19 bytes)\nM sub/again: contents (14 -> 19 bytes)\nM sub/once-more: contents (14 -> 19 bytes)\n'
changed "mode" "chmod 4755 other" $'M other: mode 0644 -> 4755\n'
changed "mode of a directory" "chmod 700 sub" $'M sub: mode 0755 -> 0700\n'
changed "mode of the root" "chmod 711 ." $'M .: mode 0755 -> 0711\n'
changed "time" "touch -d '2001-09-09 01:46:41' other" $'M other: mtime 2001-09-09 01:46:40 -> 2001-09-09 01:46:41\n'
changed "a nanosecond" "touch -d '2001-09-09 01:46:40.000000001' other" \
    $'M other: mtime 2001-09-09 01:46:40.000000000 -> 2001-09-09 01:46:40.000000001\n'
changed "time before 1970" "touch -d '1969-12-31 23:59:59.5' other" \
    $'M other: mtime 2001-09-09 01:46:40.000000000 -> 1969-12-31 23:59:59.500000000\n'
changed "time of a symbolic link" "touch -h -d @999999999 symlink" $'M symlink: mtime 2001-09-09 01:46:40 -> 2001-09-09 01:46:39\n'
changed "target" "ln -sfn other symlink; touch -h -d @1000000000 symlink" $'M symlink: target text -> other\n'
changed "several at once" "chmod 600 other; echo >>other; touch -d @1000000001 other" \
    $'M other: contents (14 -> 15 bytes), mode 0644 -> 0600, mtime 2001-09-09 01:46:40 -> 2001-09-09 01:46:41\n'
changed "the order is that of images" "touch -d @0 sub/deeper/x full/er/z empty; echo >zz; echo >sub/deeper/a" \
    $'M empty: mtime 2001-09-09 01:46:40 -> 1970-01-01 00:00:00
+ zz
M full/er/z: mtime 2001-09-09 01:46:40 -> 1970-01-01 00:00:00
+ sub/deeper/a
M sub/deeper/x: mtime 2001-09-09 01:46:40 -> 1970-01-01 00:00:00
'
rm -rf new && cp -a old new && calm old && touch -d @1000000001 new/sub
differs "time of a directory" $'M sub: mtime 2001-09-09 01:46:40 -> 2001-09-09 01:46:41\n'
changed "a link became a file" "cp -a text t; mv t text" \
    $'M sub/again: hard link text -> none\nM sub/once-more: hard link text -> sub/again\n'
changed "another one" "cp -a text t; mv t sub/once-more" $'M sub/once-more: hard link text -> none\n'
changed "a file became a link" "ln -f text other" $'M text: hard link none -> other\nM sub/again: hard link text -> other\nM sub/once-more: hard link text -> other\n'
changed "a linked file has one more name" "ln text sub/zz" $'+ sub/zz\n'
changed "and one less" "rm sub/again" $'- sub/again\n'
changed "two FIFOs became one" "ln fifo fifo-2" $'+ fifo-2\n'
mkdir old/many
for i in $(seq 300); do echo "$i" >"old/many/b$i"; done
echo same >old/many/a && echo same >old/many/aa && ln old/many/a old/many/z && ln old/many/aa old/many/zz
find old/many -exec touch -d @1000000000 '{}' +
calm old
changed "contents that are read once" "printf 'samE\n' >many/a; touch -d @1000000000 many/a" $'M many/a: contents\nM many/z: contents\n'
changed "names exchanged" "ln -f many/aa many/z; ln -f many/b1 many/zz" \
    $'M many/z: hard link many/a -> many/aa\nM many/zz: contents (5 -> 2 bytes), hard link many/aa -> many/b1\n'
rm -r old/many
calm old
if [ "$root" ]; then
    changed "owner" "chown -h 12 other" $'M other: owner 0 -> 12\n'
    changed "group of a symbolic link" "chown -h :345 symlink" $'M symlink: group 0 -> 345\n'
    changed "owner and group of a directory" "chown 4000000000:5 sub" $'M sub: owner 0 -> 4000000000, group 0 -> 5\n'
fi
if setfattr -n user.one -v 1 old/other 2>/dev/null; then
    setfattr -n user.two -v 2 old/other
    setfattr -n user.gone old/sub
    changed "nothing, with attributes" ":" ""
    changed "an attribute's value" "setfattr -n user.two -v 3 other" $'M other: xattr user.two changed\n'
    changed "attributes came and went" "setfattr -x user.one other; setfattr -n user.three other; setfattr -x user.gone sub" \
        $'M other: xattr user.one removed, xattr user.three added\nM sub: xattr user.gone removed\n'
    changed "an empty one is none of no value" "setfattr -n user.one other" $'M other: xattr user.one changed\n'
    setfattr -n user.one -v x new/other
    run "$memfs" diff --json old new
    check "JSON has the values" grep -qF '"xattrs":[{"name":"user.one","old":"1","new":"x"}]' .out
    says 0 "" "$memfs" diff --ignore xattrs old new
else
    skip "extended attributes" "none of them here"
fi

# ---- Types ----
make() { # type, name
    case $1 in
    file) echo content >"$2" ;;
    directory) mkdir "$2" && echo below >"$2/below" ;;
    symlink) ln -s nowhere "$2" ;;
    fifo) mkfifo "$2" ;;
    character) mknod "$2" c 1 3 ;;
    block) mknod "$2" b 7 200 ;;
    esac 2>/dev/null && { [ "$1" = symlink ] || chmod 755 "$2"; } && touch -h -d @1000000000 "$2"
}
types="file directory symlink fifo"
mv old all
for type in character block; do
    if make $type probe-$type; then types="$types $type"; else skip "$type devices" "they cannot be made"; fi
done
for before in $types; do
    for after in $types; do
        [ $before != $after ] && turn 3 "types" || continue
        rm -rf old new && mkdir old new && make $before old/it && make $after new/it
        calm old new
        below=
        [ $before != directory ] && [ $after != directory ] || below=" (1 below)"
        differs "$before to $after" "M it: type $before -> $after$below"$'\n'
    done
done
if [ -e probe-character ]; then
    rm -rf old new && mkdir old new && mknod old/c c 1 3 && mknod new/c c 1 5 && mknod old/b b 7 1 && mknod new/b b 8 1
    touch -d @1000000000 old/? new/?
    calm old new
    differs "devices" $'M b: device 7:1 -> 8:1\nM c: device 1:3 -> 1:5\n'
fi

# ---- Holes ----
rm -rf old new && mkdir old new
truncate -s 3M old/holes && printf x | dd of=old/holes bs=1 seek=1500000 conv=notrunc status=none
cp --sparse=never old/holes new/holes
truncate -s 4T old/huge new/huge
touch -d @1000000000 old/* new/*
calm old new
check "one is sparse, the other is not" test "$(stat -c %b old/holes)" -lt "$(stat -c %b new/holes)"
differs "a sparse file" ""
printf y | dd of=new/holes bs=1 seek=2500000 conv=notrunc status=none
printf y | dd of=new/huge bs=1 seek=4398046511103 conv=notrunc status=none
touch -d @1000000000 new/*
differs "a byte in a hole" $'M holes: contents\nM huge: contents\n'

# ---- Names ----
rm -rf old new && mkdir old new
touch old/$'new\nline' old/$'bad\377' new/$'caf\303\251' new/' blank' new/-x
touch -d @1000000000 old/* new/./*
calm old new
differs "odd names" $'+  blank\n+ -x\n- bad\377\n+ caf\303\251\n- new\nline\n'
run "$memfs" diff --json old new
check "JSON has them" diff - .out <<'X'
{"path":" blank","change":"added","type":"file","size":0}
{"path":"-x","change":"added","type":"file","size":0}
{"path_base64":"YmFk/w==","change":"removed","type":"file","size":0}
{"path":"café","change":"added","type":"file","size":0}
{"path":"new\u000aline","change":"removed","type":"file","size":0}
X
if script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
    TERM=xterm script -qec "$memfs diff old new" .typescript >.tty 2>&1 </dev/null
    tr -d '\r' <.tty >.out
    check "names are escaped on a terminal, and lines coloured" diff - .out <<X
$(printf '\033[32m+  blank\033[m\n\033[32m+ -x\033[m\n\033[31m- bad\\377\033[m\n\033[32m+ caf\303\251\033[m\n\033[31m- new\\nline\033[m')
X
else
    skip "names on a terminal" "no pseudo-terminal is to be had"
fi

# ---- Forms ----
rm -rf old new && mv all old && cp -a old new
(cd new && rm -r full && mkdir more && echo 12345 >more/a && echo 1 >more/b && chmod 600 other && echo four >>other && ln -sfn x symlink && touch -h -d @1000000000 symlink other)
calm old new
pack_both
says 1 '- full/ (3 below)
+ more/ (2 below)
M other: contents (14 -> 19 bytes), mode 0644 -> 0600
M symlink: target text -> x
' "$memfs" diff old.mfs new
says 1 '- full/
+ more/
M other: contents (14 -> 19 bytes), mode 0644 -> 0600
M symlink: target text -> x
- full/er/
- full/yy
- full/er/z
+ more/a
+ more/b
' "$memfs" diff -v old.mfs new.mfs
says 1 '- full/
+ more/
M other
M symlink
' "$memfs" diff --brief old new.mfs
says 1 'added    3: 2 files, 8 bytes
removed  4: 2 files, 3 bytes
changed  2: contents 1 (14 -> 19 bytes), mode 1, target 1
same     10
' "$memfs" diff --stat old.mfs new.mfs
says 1 'added    3: 2 files, 8 bytes
removed  4: 2 files, 3 bytes
changed  2: contents 1 (14 -> 19 bytes), mode 1, target 1
same     10
' "$memfs" diff --stat -v old.mfs new.mfs
says 1 '{"added":{"entries":3,"files":2,"bytes":8},"removed":{"entries":4,"files":2,"bytes":3},"changed":{"entries":2,"type":0,"contents":1,"mode":1,"owner":0,"group":0,"mtime":0,"target":1,"device":0,"xattrs":0,"links":0,"bytes":{"old":14,"new":19}},"same":10}
' "$memfs" diff --stat --json old.mfs new.mfs
says 0 'added    0: 0 files, 0 bytes
removed  0: 0 files, 0 bytes
changed  0
same     16
' "$memfs" diff --stat old.mfs old.mfs
says 1 '{"path":"full","change":"removed","type":"directory","below":3}
{"path":"more","change":"added","type":"directory","below":2}
{"path":"other","change":"changed","type":"file","attributes":{"contents":true,"size":{"old":14,"new":19},"mode":{"old":"0644","new":"0600"}}}
{"path":"symlink","change":"changed","type":"symlink","attributes":{"target":{"old":"text","new":"x"}}}
' "$memfs" diff --json old new
says 1 '{"path":"full","change":"removed","type":"directory"}
{"path":"more","change":"added","type":"directory"}
{"path":"other","change":"changed","type":"file"}
{"path":"symlink","change":"changed","type":"symlink"}
' "$memfs" diff --json --brief old new
says 1 $'\033[31m- full/ (3 below)\033[m
\033[32m+ more/ (2 below)\033[m
\033[36mM other\033[m: contents (14 -> 19 bytes), mode 0644 -> 0600
\033[36mM symlink\033[m: target text -> x
' "$memfs" diff --color always old new
says 1 'M other: mode 0644 -> 0600
' "$memfs" diff --ignore contents old.mfs new other text
says 0 '' "$memfs" diff --ignore contents,mode old.mfs new other
says 0 '' "$memfs" diff --ignore contents --ignore mode old.mfs new.mfs other
says 1 'M other: contents (14 -> 19 bytes)
' "$memfs" diff --contents-only old.mfs new.mfs /other ./sub/
says 0 '' "$memfs" diff old.mfs new sub sub/deeper text
cp -a new/text copy && mv copy new/text
says 1 'M sub/again: hard link text -> none
' "$memfs" diff old.mfs new text sub/again
ln -f new/sub/again new/text && touch -d @1000000000 new new/sub
says 0 '' "$memfs" diff old.mfs new text sub
says 1 '+ more/a
' "$memfs" diff old new.mfs more/a
touch -d @1 new/text
[ ! "$root" ] || chown 7:8 new/sub
says 0 '' "$memfs" diff --ignore time,owner old.mfs new sub text
says 0 '' "$memfs" diff old.mfs old.mfs
says 0 '' "$memfs" diff new new/.
from_pipe() { cat old.mfs | "$memfs" diff - new other; }
says 1 'M other: contents (14 -> 19 bytes), mode 0644 -> 0600
' from_pipe
to_pipe() { "$memfs" diff new - other <old.mfs; }
says 1 'M other: contents (19 -> 14 bytes), mode 0600 -> 0644
' to_pipe
mkdir nothing && "$memfs" pack -q nothing
says 0 '' "$memfs" diff nothing.mfs nothing
check "an empty image: all has come" test "$("$memfs" diff -v --ignore time,owner nothing.mfs old.mfs | grep -c "^+")" = 15

# ---- Texts ----
if command -v diff >/dev/null && command -v patch >/dev/null; then
    rm -rf old new && mkdir old new
    seq 100 >old/numbers && seq 100 | sed 's/^50$/fifty/' >new/numbers
    printf 'no end of line' >old/$'odd\n"name\\' && printf 'no end' >new/$'odd\n"name\\'
    echo a >old/'with blanks' && echo b >new/'with blanks'
    printf 'bin\0ary' >old/binary && printf 'bin\0arz' >new/binary
    touch -d @1000000000 old/* new/*
    calm old new
    pack_both
    run "$memfs" diff -U 1 old.mfs new numbers binary
    check "texts are shown as diff shows them" diff - .out <<'X'
M numbers: contents (292 -> 295 bytes)
--- a/numbers
+++ b/numbers
@@ -49,3 +49,3 @@
 49
-50
+fifty
 51
M binary: contents
Binary files a/binary and b/binary differ
X
    check "exit code 1" test "$status" = 1
    "$memfs" diff -U 3 old new.mfs >.patch
    cp -a old patched
    check "patch takes it" patch -s -d patched -p1 -i "$work/.patch"
    for name in numbers $'odd\n"name\\' 'with blanks'; do
        check "and makes the same of ${name@Q}" cmp "new/$name" "patched/$name"
    done
    check "-U 0 is taken" grep -q '^@@ -50 +50 @@$' <("$memfs" diff --unified 0 old new numbers)
    check "no temporary file is left" test -z "$(find "${TMPDIR:-/tmp}" -maxdepth 1 -name 'memfs-diff.*' -print -quit)"
    mkdir no-programs
    expect 4 "diff: is not installed, and -U needs it" env PATH="$work/no-programs" "$memfs" diff -U 3 old new numbers
    expect 4 "temporary file.*TMPDIR" env TMPDIR="$work/nowhere" "$memfs" diff -U 3 old new numbers
else
    skip "texts" "no diff or no patch"
fi

# ---- Against diff ----
rm -rf old new && cp -a /usr/include/linux old && cp -a old new
find new -type f | sort | awk 'NR % 7 == 0' | xargs rm
find new -type f | sort | awk 'NR % 11 == 0' | while read -r file; do echo "/* more */" >>"$file"; done
find new -type f | sort | awk 'NR % 13 == 0' | xargs -r -d '\n' sed -i '1s/^./#/'
mkdir new/came new/came/below && touch new/came/below/x new/came-too
diff -rq old new | sed -E 's/^Files old\/(.*) and .* differ$/M \1/; s/^Only in old(.*): (.*)$/- \1\/\2/; s/^Only in new(.*): (.*)$/+ \1\/\2/; s/^([-+]) \//\1 /' | sort >.want
pack_both
for old in old old.mfs; do
    for new in new new.mfs; do
        "$memfs" diff --brief --contents-only $old $new | sed 's/\/$//' | sort >.out
        check "$(wc -l <.want) differences are those of diff -rq: diff $old $new" diff .want .out
    done
done
"$memfs" diff -j 1 old.mfs new.mfs >.one
"$memfs" diff -j 8 old.mfs new.mfs >.many
check "the same with one thread and with eight" cmp .one .many
"$memfs" diff --trust-digests old.mfs new.mfs >.trusting
check "and by digests" cmp .one .trusting

# ---- The tree with everything ----
rm -rf old new
"$make_tree" --files 300 --huge 100000000 old >/dev/null
rm -f old.mfs && "$memfs" pack -q old 2>/dev/null
says 0 "" "$memfs" diff old.mfs old
if [ "$root" ]; then
    "$memfs" unpack -q --all old.mfs new 2>/dev/null
    says 0 "" "$memfs" diff old.mfs new
    says 0 "" "$memfs" diff old new
fi
"$memfs" diff -v nothing.mfs old.mfs --ignore time,owner,mode --json >.out
check "every path is told once" test "$(wc -l <.out)" = "$(("$(find old -print0 | tr -dc '\0' | wc -c)" - 1))"

# ---- What goes wrong ----
run "$memfs" diff --help
check "--help fits 100 columns" test "$status" = 0 -a -z "$(awk 'length > 100' .out)"
expect 2 "diff: needs A B" "$memfs" diff
expect 2 "diff: needs A B" "$memfs" diff old.mfs
expect 2 "only one of A and B" "$memfs" diff - -
expect 2 "--ignore 'size': must be" "$memfs" diff --ignore size old.mfs new
expect 2 "--ignore '': must be" "$memfs" diff --ignore= old.mfs new
expect 2 "--ignore '': must be" "$memfs" diff --ignore time, old.mfs new
expect 2 "nothing to compare" "$memfs" diff --contents-only --ignore contents old.mfs new
expect 2 "exclude each other" "$memfs" diff --brief --stat old.mfs new
expect 2 "exclude each other" "$memfs" diff --brief -U 3 old.mfs new
run "$memfs" diff -U 3 old.mfs new
cp .out want
run "$memfs" diff -ru old.mfs new
check "-u is -U 3, and -r nothing new" cmp want .out
run "$memfs" diff -u -U 1 old.mfs new
check "beside -U it counts for nothing" cmp <("$memfs" diff -U 1 old.mfs new) .out
expect 2 "exclude each other" "$memfs" diff --json -U 3 old.mfs new
expect 2 "--unified x: not a number" "$memfs" diff -U x old.mfs new
expect 2 "--unified 1000001: must be from 0" "$memfs" diff -U 1000001 old.mfs new
expect 2 "--jobs 0: must be" "$memfs" diff -j 0 old.mfs new
expect 4 "missing: No such file" "$memfs" diff missing old.mfs
expect 4 "missing: No such file" "$memfs" diff old missing
expect 1 "no/such: no such file or directory on either side" "$memfs" diff old.mfs old no/such
expect 1 "no/such: no such file or directory on either side" "$memfs" diff old.mfs old.mfs no/such
echo "no image" >text
expect 3 "text: .*not an image" "$memfs" diff old text
expect 3 "text: .*not an image" "$memfs" diff text old.mfs

rm -rf old new && mkdir old && { head -c 299999 /dev/urandom && printf x; } >old/noise && echo 1 >old/one && cp -a old new
echo 2 >new/two && rm -f old.mfs && "$memfs" pack -q old
cp old.mfs damaged.mfs && printf 'XXXX' | dd of=damaged.mfs bs=1 seek=1000 conv=notrunc status=none
run "$memfs" diff damaged.mfs new
check "damage: exit code 3" test "$status" = 3
check "the file and the place are named" grep -qE '^memfs: damaged.mfs: noise: .*at byte' .err
check "the rest is compared" grep -qx '+ two' .out
expect 0 "" "$memfs" diff damaged.mfs damaged.mfs
# Damage shows what is read at all.
says 0 "" "$memfs" diff --trust-digests damaged.mfs old.mfs
cp -a old other && printf y | dd of=other/noise bs=1 seek=299999 conv=notrunc status=none
touch -r old/noise other/noise && "$memfs" pack -q other
says 1 $'M noise: contents\n' "$memfs" diff damaged.mfs other.mfs noise
head -c 1000 old.mfs >cut.mfs
expect 3 "cut.mfs: " "$memfs" diff new cut.mfs

# Root may read everything.
run_unprivileged() {
    if [ "$root" ]; then
        run setpriv --reuid=65534 --regid=65534 --clear-groups ./memfs "$@"
    else
        run ./memfs "$@"
    fi
}
chmod 755 .
cp "$memfs" memfs
run_unprivileged --version
if [ "$status" = 0 ]; then
    mkdir old/closed new/closed old/unsearchable new/unsearchable
    touch old/{closed,unsearchable}/x new/{closed,unsearchable}/x
    chmod 0 new/noise new/closed && chmod 644 new/unsearchable
    run_unprivileged diff --ignore mode,time old new
    cp .err .said
    check "something could not be compared: exit code 4" test "$status" = 4
    check "what it was is said" diff - .said <<'X'
memfs: new: closed: cannot be read: Permission denied; left out
memfs: new: noise: cannot be read: Permission denied; left out
memfs: new: unsearchable/x: cannot be read: Permission denied; left out
X
    check "and is no difference; all else is compared" diff - .out <<<'+ two'
    chmod 755 new/closed new/unsearchable
    chmod 644 new/noise
else
    skip "what cannot be read" "no other user to be"
fi
if [ -e /dev/full ]; then
    full() { "$memfs" diff old.mfs new >/dev/full; }
    expect 4 "standard output: No space" full
fi
closed() { "$memfs" diff -v nothing.mfs /usr/include | head -n 1 >/dev/null; return "${PIPESTATUS[0]}"; }
expect 141 "" closed
# An image makes a large file at no cost.
if command -v diff >/dev/null; then
    mkdir -p wide1 wide2 && truncate -s 70M wide1/f wide2/f && printf 'a\n' | dd of=wide1/f conv=notrunc status=none
    head -c 5000 /dev/zero | tr '\0' 'a' | dd of=wide1/f conv=notrunc status=none
    head -c 5000 /dev/zero | tr '\0' 'b' | dd of=wide2/f conv=notrunc status=none
    echo one >wide1/z && echo two >wide2/z
    run "$memfs" diff -U 1 wide1 wide2
    check "what is too large for diff is said, and the rest is shown" test "$(grep -c '^Large files a/f and b/f differ$\|^+two$' .out)" = 2
fi
done_testing
