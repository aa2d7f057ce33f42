#!/bin/bash
# ls against GNU ls, with the same options on the same trees: a real one, and one with
# everything in it that a tree can have.
. "$(dirname "$0")/lib.sh"
shopt -s extglob
export TZ=America/New_York TERM=xterm
unset COLUMNS LS_COLORS NO_COLOR

"$make_tree" --files 100 --seed 7 tree >/dev/null || exit 2
rm -rf tree/beyond-path-max                    # where GNU ls does not go
rm -f tree/symlinks/absolute tree/symlinks/above # which lead out of the tree: nowhere, in an image
mkdir -p tree/hidden/.below/deeper tree/wide
touch tree/.hidden tree/hidden/.below/deeper/.x tree/hidden/.below/y tree/hidden/z
touch "tree/wide/$(printf 'long%.0s' {1..30}).c"
touch tree/wide/{$'caf\303\251',$'\346\274\242\345\255\227','a name with spaces',x,yy} tree/wide/{1..40}
find tree/hidden tree/wide -exec touch -d '2020-02-03 04:05:06.123' '{}' +
touch -d '2020-02-03 04:05:06.123000001' tree/wide/17
"$memfs" pack -q tree || exit 2
doc=/usr/share/doc
"$memfs" pack -q "$doc" doc.mfs || exit 2

# agree FILTER IMAGE DIR OPTIONS PATHS...: both write the same, after FILTER. OPTIONS are words.
agree() {
    local filter=$1 image=$2 dir=$3 options=$4 more=
    shift 4
    turn 4 "listings" || return 0
    # shellcheck disable=SC2086
    (cd "$dir" && exec ls --time-style=long-iso $options -- "$@") >.plain 2>/dev/null
    # shellcheck disable=SC2086
    "$memfs" ls ${options/-C -T0 -w+([0-9])/--columns} "$image" -- "$@" >.out 2>/dev/null </dev/null
    # What is the same as it is needs no filter.
    {
        [ -s .plain ] || echo "ls says nothing"
        cmp -s .plain .out || diff -a <("$filter" <.plain) <("$filter" <.out)
    } >"$work/.log" 2>&1
    [ $# -lt 2 ] || more=" and $(($# - 1)) more"
    judge_log "$options of ${1:0:40}$more in $image" "memfs ls $options"
}

# ---- Names, order, long listings --------------------------------------------------

for options in -R -AR -1R -rR -tR -trR -FR -ARF -lR -lAR -lRt -lARtr -lRr -nR -nARF; do
    agree squeezed tree.mfs tree "$options" .
    case $options in *F*) continue ;; esac # its links may lead out of it
    agree squeezed doc.mfs "$doc" "$options" .
done
for options in -l -la -A -d -ld -ldF -F -lF -r -lt -1; do
    agree squeezed tree.mfs tree "${options/a/A}" types hidden symlinks/one-byte symlinks/to-directory hard-links/file-1 .hidden .
    agree squeezed tree.mfs tree "${options/a/A}" wide
done

# Where nothing is a directory the columns are the same, too, and sizes can be compared.
# (GNU ls does not show a link that leads to itself, unless asked for details.)
mapfile -d '' -t files < <(cd tree && find . ! -type d ! -name to-directory ! -name 'loop*' -print0)
mapfile -d '' -t documents < <(cd "$doc" && find . -type f -print0 | head -z -n 1500)
for options in -g -o -go -on "-l --full-time" "-go --full-time"; do
    agree cat tree.mfs tree "$options" "${files[@]}"
done
for options in -l -n -lS -lSr -lt -ltr -lr -lh -lhS -lF -S -t -tr; do
    agree cat tree.mfs tree "$options" "${files[@]}"
    agree cat doc.mfs "$doc" "$options" "${documents[@]}"
done
for zone in UTC Asia/Kolkata; do
    TZ=$zone agree squeezed tree.mfs tree -lR times
done
for odd in $'symlinks/odd\nname' xattrs/acl; do
    [ ! -e "tree/$odd" ] && [ ! -L "tree/$odd" ] || agree cat tree.mfs tree -l "$odd" types/file
done

# Hard links have one number.
classes() { awk '{ if (!($1 in seen)) seen[$1] = ++n; print seen[$1], $2 }'; }
(cd tree && ls -1i hard-links/* hard-links/below/* -d | classes) >.want
# shellcheck disable=SC2046
"$memfs" ls -1id tree.mfs $(cd tree && echo hard-links/* hard-links/below/*) | classes >.got
check "-i: hard links have one number" diff .want .got
check "-i: the same with -l" diff <("$memfs" ls -i1 tree.mfs types | awk '{ print $1 }') <("$memfs" ls -il tree.mfs types | awk '{ print $1 }')

# ---- Columns ------------------------------------------------------------------------

for width in 1 20 80 200 5000; do
    export COLUMNS=$width
    for options in "" -F -r -A; do
        agree plain tree.mfs tree "-C -T0 -w$width $options" wide types modes .
        agree plain doc.mfs "$doc" "-C -T0 -w$width $options" .
    done
done
for odd in 0 -1 abc 99999999999999999999 ""; do
    export COLUMNS=$odd
    check "COLUMNS='$odd' is none" diff <("$memfs" ls --columns tree.mfs) <(COLUMNS=80 "$memfs" ls --columns tree.mfs)
done
unset COLUMNS
in_terminal() { script -qec "stty cols $1 -onlcr; $2" .typescript </dev/null; }
if script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
    for width in 20 80 200; do
        in_terminal $width "cd tree && ls -NT0 wide types modes" >.want 2>&1
        in_terminal $width "$memfs ls --color=never tree.mfs wide types modes" >.got 2>&1
        check "a terminal of $width columns" diff .want .got
        export COLUMNS=30
        in_terminal $width "$memfs ls --color=never tree.mfs wide types modes" >.got 2>&1
        check "COLUMNS overrides the terminal's $width" diff <(cd tree && ls -NC -T0 -w30 wide types modes) .got
        unset COLUMNS
    done
    in_terminal 80 "$memfs ls tree.mfs symlinks" >.got 2>&1
    check "names in columns are escaped" grep -qF 'odd\nname' .got
    in_terminal 80 "cd tree && LS_COLORS= ls -NT0 --color=auto types" >.want 2>&1
    in_terminal 80 "LS_COLORS= $memfs ls tree.mfs types" >.got 2>&1
    check "colours on a terminal" diff .want .got
    in_terminal 80 "LS_COLORS= NO_COLOR=1 $memfs ls tree.mfs types" >.got 2>&1
    check "no colours with NO_COLOR" test -s .got -a "$(grep -c $'\033' .got)" = 0
else
    skip "columns on a terminal" "no pseudo-terminal is to be had"
fi

# ---- Colours --------------------------------------------------------------------------

# Where a name goes beyond the line's end its rest is cleared; for that GNU ls takes no account of
# mode and owners before it.
uncleared() { squeezed | LC_ALL=C sed 's/\x1b\[K//g; s/<0>X/<0>/g'; }
palette="$(dircolors -b | sed -n "s/^LS_COLORS='\(.*\)';/\1/p")"
check "dircolors has a palette" test -n "$palette"
while IFS= read -r LS_COLORS; do
    export LS_COLORS
    for options in --color=always "-F --color=always" "-C -T0 -w80 --color=always"; do
        agree squeezed tree.mfs tree "$options" types modes symlinks hard-links xattrs contents wide
    done
    agree uncleared tree.mfs tree "-l --color=always" types modes symlinks hard-links xattrs contents wide
    agree uncleared tree.mfs tree "-lARF --color=always" .
done <<EOT
$palette
$palette:or=31;1:mi=05;37
$palette:ln=target:mh=44
di=00:ex=0:*.5=35:*-1=36:*-1=37:*E=01
no=33:di=:ec=\\e[m:rs=7:fi=1
lc=<:rc=>:cl=X:no=a\\x41\\101^A\\_:di=^[
ex=:su=0:sg=0:tw=0:ow=0:st=0:ca=0
EOT
# Here links may lead out of the tree: what is there has no colour.
LS_COLORS=$(sed -E 's/:(or|mi)=[^:]*//g' <<<"$palette")
for options in "-R --color=always" "-lR --color=always"; do
    agree uncleared doc.mfs "$doc" "$options" .
done
if [ "$root" ] && getcap tree/xattrs/capable 2>/dev/null | grep -q cap_; then
    LS_COLORS=ca=45 "$memfs" ls --color=always tree.mfs xattrs/capable xattrs/large >.got
    check "file capabilities have a colour" test "$(cat .got)" = "$(printf '\033[0m\033[45mxattrs/capable\033[0m\nxattrs/large')"
fi
LS_COLORS='' agree squeezed tree.mfs tree --color=always types modes
unset LS_COLORS
agree squeezed tree.mfs tree --color=always types modes
for wrong in di 'di=\' 'zz=1' '*x' 'di=^ ' d; do
    LS_COLORS=$wrong expect 0 "LS_COLORS: cannot be read" "$memfs" ls --color=always tree.mfs types
    check "and there is no colour" test -s .out -a "$(grep -c $'\033' .out)" = 0
done
expect 2 "--color maybe: must be one of" "$memfs" ls --color=maybe tree.mfs

# ---- Owners ---------------------------------------------------------------------------

me=$(id -un) mine=$(id -u)
mkdir own && touch own/file && "$memfs" pack -q own
check "owners by name" test "$("$memfs" ls -l own.mfs | awk '{ print $3 }')" = "$me"
check "and by number" test "$("$memfs" ls -n own.mfs | awk '{ print $3 }')" = "$mine"

# ---- JSON -------------------------------------------------------------------------------

if command -v python3 >/dev/null; then
    cat >compare.py <<'EOP'
import base64, json, os, stat, sys
from datetime import datetime, timezone
top, words = os.fsencode(sys.argv[1]), {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink",
    stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket", stat.S_IFCHR: "character", stat.S_IFBLK: "block"}
def raw(entry, key):
    return entry[key].encode() if key in entry else base64.b64decode(entry[key + "_base64"], validate=True)
seen, numbers = set(), {}
for line in sys.stdin.buffer:
    entry = json.loads(line)
    path = raw(entry, "path")
    status = os.lstat(os.path.join(top, path.lstrip(b"/")))
    word = words[stat.S_IFMT(status.st_mode)]
    seconds, rest = divmod(status.st_mtime_ns, 10**9)
    time = datetime.fromtimestamp(0, timezone.utc).replace(tzinfo=None)
    from datetime import timedelta
    time = (time + timedelta(seconds=seconds)).isoformat() + ".%09dZ" % rest
    want = {"type": word, "mode": "%04o" % (status.st_mode & 0o7777), "uid": status.st_uid, "gid": status.st_gid, "mtime": time}
    if word != "directory":
        want.update(nlink=status.st_nlink, size=status.st_size)
    if word in ("character", "block"):
        want.update(major=os.major(status.st_rdev), minor=os.minor(status.st_rdev), size=0)
    for key, value in want.items():
        assert entry[key] == value, (path, key, entry[key], value)
    if word == "symlink":
        assert raw(entry, "target") == os.readlink(os.path.join(top, path.lstrip(b"/"))), path
    assert 0 <= entry["allocated"] < entry["size"] + 4096 or word in ("directory", "symlink"), path
    assert numbers.setdefault(entry["inode"], status.st_ino) == status.st_ino, path
    assert path not in seen
    seen.add(path)
want = {os.path.relpath(os.path.join(at, name), top) for at, dirs, files in os.walk(top) for name in dirs + files}
assert seen == want, seen ^ want
print(len(seen))
EOP
    for name in tree doc; do
        dir=$([ $name = tree ] && echo tree || echo $doc)
        agrees() { "$memfs" ls --json -AR $name.mfs | PYTHONDONTWRITEBYTECODE=1 python3 compare.py "$dir"; }
        check "--json: all that stat says of $name" agrees
    done
else
    skip "--json against stat" "no python3"
fi
check "--json without -R, hidden left out" test "$("$memfs" ls --json tree.mfs hidden | cut -d, -f 1)" = '{"path":"hidden/z"'
# Controls of one byte and of two, what turns the direction, a tag that is not seen, and what is to stay as it is.
mkdir deceiving && touch deceiving/$'a\177b\302\233c\342\200\256d\363\240\201\201\303\251\360\237\230\200"'
"$memfs" pack -q deceiving
check "--json: what a terminal obeys or does not show" test "$("$memfs" ls --json deceiving.mfs | cut -d, -f 1)" = \
    '{"path":"a\u007fb\u009bc\u202ed\udb40\udc41'$'\303\251\360\237\230\200''\""'
check "paths are from the root, however they were asked for" test "$("$memfs" ls --json tree.mfs /hidden/../hidden ./hidden// |
    cut -d, -f 1 | sort -u)" = '{"path":"hidden/z"'
check "the root's is ." test "$("$memfs" ls -d --json tree.mfs hidden/.. | cut -d, -f 1)" = '{"path":"."'
check "--json of several: no headings" test "$("$memfs" ls --json tree.mfs hidden wide types/file | grep -vc '^{"path":.*}$')" = 0

# ---- What is wrong --------------------------------------------------------------------------

expect 2 "--by-time and --by-size exclude each other" "$memfs" ls -tS tree.mfs
expect 2 "--columns and --long exclude each other" "$memfs" ls --columns -l tree.mfs
expect 2 "--columns and --lines exclude each other" "$memfs" ls --columns -1 tree.mfs
expect 2 "--columns and --no-owner exclude each other" "$memfs" ls --columns -g tree.mfs
expect 2 "--columns and --json exclude each other" "$memfs" ls --columns --json tree.mfs
expect 2 "unknown option '-z'" "$memfs" ls -z tree.mfs
expect 1 "tree.mfs: types/missing: no such file" "$memfs" ls -l tree.mfs types/missing types/file
check "and the other is listed" test "$(wc -l <.out)" = 1
expect 1 "types/file/: " "$memfs" ls tree.mfs types/file/
expect 0 "" "$memfs" ls -d tree.mfs
check "-d without PATH is the root" test "$(cat .out)" = /
mkdir none && "$memfs" pack -q none
for options in "" -l -R -a --columns -lARtFhi --color=always; do
    # shellcheck disable=SC2086
    expect 0 "" "$memfs" ls $options none.mfs
    check "nothing but a heading" test "$(grep -vc '^/:$' .out)" = 0
done
expect 0 "" "$memfs" ls --json none.mfs
check "--json of nothing is nothing" test ! -s .out
for options in -lR -R --json "-R --columns" "-lR --color=always"; do
    # shellcheck disable=SC2086
    full() { "$memfs" ls $options doc.mfs >/dev/full; }
    expect 4 "standard output: " full
    early() { "$memfs" ls $options doc.mfs | head -n 1 >/dev/null; return "${PIPESTATUS[0]}"; }
    run early
    check "$options: who stops reading is no trouble" test ! -s .err
done
# Damage in the tables, which lie at the end.
size=$(stat -c %s tree.mfs)
found=
for back in {1000..25000..3000}; do
    cp tree.mfs hurt.mfs
    printf '\252\125\252\125\252' | dd of=hurt.mfs bs=1 seek=$((size - back)) conv=notrunc 2>/dev/null
    for options in -l "" --json "-l --color=always" --columns; do
        turn 3 "damage" || continue
        # shellcheck disable=SC2086
        run timeout 20 "$memfs" ls -R $options hurt.mfs
        [ "$status" != 0 ] || continue
        found=1
        check "damage $back bytes from the end: ls -R $options" test "$status" = 3 -a "$(grep -vc '^memfs: hurt.mfs: ' .err)" = 0
    done
done
check "some damage was met" test -n "$found"
# An access control list that cannot be read is not one that is not there.
mkdir acl && echo listed >acl/file && echo plain >acl/plain
if setfacl -m u:1:r acl/file 2>/dev/null; then
    "$memfs" pack -q acl
    "$memfs" ls -l acl.mfs >sound
    check "an access control list's sign" grep -q '^-[rwx-]*+ .* file$' sound
    marked=
    size=$(stat -c %s acl.mfs)
    for ((at = 0; at < size; at += 16)); do
        turn 2 "damage to a list's image" || continue
        cp acl.mfs hurt.mfs
        printf '\252\125' | dd of=hurt.mfs bs=1 seek=$at conv=notrunc 2>/dev/null
        run "$memfs" ls -l hurt.mfs
        [ "$status" = 3 ] || check "damage at byte $at: ls -l tells what it tells of the sound image" cmp sound .out
        [[ ! $(<.out) =~ (^|$'\n')-[rwx-]*\?\ [^$'\n']*\ file($|$'\n') ]] || marked=$status
    done
    check "of a list that cannot be read '?' is told, and that it is damage" test "$marked" = 3
else
    skip "access control lists" "this filesystem has none"
fi
# Times to the ends of what 64 bits of nanoseconds hold.
check "the earliest time" grep -q '"mtime":"1677-09-21T00:12:43.1' <("$memfs" ls --json "$tests/golden/times.mfs")
check "and the latest" grep -q '"mtime":"2262-04-11T23:47:16.8' <("$memfs" ls --json "$tests/golden/times.mfs")
done_testing
