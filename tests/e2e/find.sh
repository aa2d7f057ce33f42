#!/bin/bash
# memfs find and GNU find agree, on a tree with everything and on a real one.
. "$(dirname "$0")/lib.sh"

# agree WORDS...: both find the same below '.'.
agree() {
    local what=$*
    turn 5 "expressions" || return 0
    (cd tree && exec find . "$@") >.want 2>.find.err
    run "$memfs" find tree.mfs . "$@"
    { [ "$status" = 0 ] || echo "exit code $status"; same_lines .want .out; [ ! -s .err ] || cat .err; } >.log 2>&1
    judge_log "find $what ($lines lines)" "$what"
}

check "make a tree" "$make_tree" --files 300 --huge 1000000 tree
check "pack it" "$memfs" pack tree

agree
agree -true
agree -false
agree -name 'file*'
agree -name '*.*'
agree -name '.'
agree -name '.*'
agree -name '[a-f]*[!0-9]'
agree -name '*\*'
agree -name ''
agree -iname 'FILE-0*'
agree -iname '*NOISE*'
agree -path './modes/*'
agree -path '*o*e*/*'
agree -path '*'
agree -path 'modes/*'
agree -ipath './MODES/*1*'
for type in f d l p s c b f,d l,p,s c,b f,d,l,p,s,c,b; do agree -type "$type"; done
for size in 0 1 -1 +1 2 +3 -2000 0c 1c 4096c +4095c -4097c 8193c 1w +100w 1k 2k +1k -2k 1M -1M +1M -2M 1G -1G 1b +8b; do
    agree ! -type d -size "$size"
done
agree -type f -empty
agree -empty
agree -not -empty
for reference in ./types/file ./types/symlink ./types/fifo ./modes ./times/0.000000000 ./times/1.000000000; do
    agree -newer "$reference"
done
for mode in 644 0644 755 -022 /022 -4000 /6000 /7000 -0 /0 0 000 7777 u=rw,go=r -u+w,g+w /u+s,g+s -u=rwx,g=rx /o=t +t \
    a=rx u+X -u+X u=rwX,g=u -a=u a+st -g+s,o=r u=rw,g=u-w =r +w -=x; do
    agree -perm "$mode"
done
agree -user root
agree -user 0
agree -user 1000
agree -group root
agree -group 65534
for id in 0 +0 -1 1000 +1000 -4294967295 4294967294; do
    agree -uid "$id"
    agree -gid "$id"
done
for links in 1 2 +1 +2 -2 3 -100; do agree ! -type d -links "$links"; done
for depth in 0 1 2 100; do
    agree -maxdepth "$depth"
    agree -mindepth "$depth"
    agree -mindepth 1 -maxdepth "$depth" -type f
done
agree -type f -maxdepth 1 # wherever it stands

# Times, far enough from every border that both look at one side of it.
touch -d '36 hours ago' tree/yesterday && touch -d '90 minutes ago' tree/lately && touch -d '2 days' tree/to-come
"$memfs" pack -f tree
for sign in "" + -; do
    for days in 0 1 2 10000; do agree -mtime "$sign$days"; done
    for minutes in 60 120 100000; do agree -mmin "$sign$minutes"; done
done
agree -newermt 2001-02-03
agree -newermt '2024-07-01 12:00:01' -type f
agree -samefile ./hard-links/file-1
agree -samefile ./yesterday
agree -wholename './types/*'
agree -iwholename './TYPES/*'
agree -depth -type d
agree -depth -maxdepth 2
agree -depth -mindepth 2 -maxdepth 3 -name '*1*'
agree -depth -name types -prune -o -print
check "-depth: what is in a directory comes before it" test "$("$memfs" find tree.mfs types -depth | tail -n 1)" = types
check "-inum" test "$("$memfs" find tree.mfs . -inum "$("$memfs" ls -i tree.mfs hard-links/file-1 | awk '{ print $1 }')" | sort)" = \
    "$("$memfs" find tree.mfs . -samefile hard-links/file-1 | sort)"

# Precedence, short circuit, and what each action does on the way.
agree -name 'file*' -o -type d
agree -name 'file*' -o -type d -name '*1*'
agree -type d -name '*1*' -o -name 'file*'
agree -type f -a -name '*0*' -or -type l -and -name '*1*'
agree \( -name 'file*' -o -type d \) -name '*1*'
agree -name '*1*' \( -name 'file*' -o -type d \)
agree ! -name 'file*' -type f
agree ! \( -name 'file*' -type f \)
agree ! ! -type f
agree -not ! -not -type d
agree ! -type f -o -name '*0*'
agree \( \( \( -type f \) \) \)
agree ! \( ! \( -type f -o -type d \) -o -name '*1*' \)
agree -type f -print -o -type d -print
agree -type f -o -type d -print
agree -type f -print -o -print
agree -print -print
agree -name '*0*' -print -name '*1*' -print
agree -false -print
agree -false -o -print
agree -true -o -print
agree -type d -prune
agree -name modes -prune -o -print
agree -name modes -prune -o -type f
agree \( -name modes -o -name times \) -prune -o -type f -print
agree ! -name '.' -prune -print
agree -name modes -prune , -type d -print
agree -false , -type l
agree -type f -print , -name '*1*' -print
agree -type f , -type d -name '*1*' -o -type l
agree -path ./modes -prune -o -path ./types -o -type p
agree -quit
agree -type f -print -name 'no such name' -quit
deep=() && for ((i = 0; i < 3000; i++)); do deep+=("("); done
deep+=(-type l) && for ((i = 0; i < 3000; i++)); do deep+=(")"); done
agree "${deep[@]}"
not=() && for ((i = 0; i < 3001; i++)); do not+=(!); done
agree "${not[@]}" -type f
or=(-false) && for ((i = 0; i < 2000; i++)); do or+=(-o -name "*$i"); done
agree "${or[@]}"
run "$memfs" find tree.mfs . -type f -name 'noise*' -print -quit
check "-quit after the first" test "$(cat .out)" = ./contents/noise-0

# -print0, several starting points, and how their paths are printed.
with_nul() { cmp <(cd tree && find . -type f -print0 | sort -z) <("$memfs" find tree.mfs . -type f -print0 | sort -z); }
check "-print0" with_nul
starts() { # starting points
    (cd tree && find "$@") | sort >.want
    "$memfs" find tree.mfs "$@" | sort | diff .want -
}
check "a directory" starts modes
check "a directory with a slash" starts modes/
check "several" starts types modes ./times holes/only-a-hole
check "one in another" starts types/empty types
check "a symbolic link is not followed" starts types/symlink
check "a path with dots" starts types/../modes/./ ./.
absolute() { diff <("$memfs" find tree.mfs) <("$memfs" find tree.mfs . | sed 's|^\./|/|; s|^\.$|/|'); }
check "without PATH from /" absolute
check "/ is the same" cmp <("$memfs" find tree.mfs) <("$memfs" find tree.mfs /)
check "two slashes as find does" cmp <("$memfs" find tree.mfs // -maxdepth 1) <("$memfs" find tree.mfs -maxdepth 1 | sed 's|^/|//|')
check "the name of /" test "$("$memfs" find tree.mfs -name /)" = /
check "the name of a directory with slashes" test "$("$memfs" find tree.mfs types// -maxdepth 0 -name types)" = types//

# The order: a directory before what is in it, names by their bytes.
real=/usr/share/doc
[ -d $real ] || real=/usr/include
check "pack $real" "$memfs" pack $real real.mfs
in_order() { # words
    (cd $real && find . "$@") | tr '/' '\001' | sort | tr '\001' '/' >.want
    "$memfs" find real.mfs . "$@" >.out && cmp .want .out
}
check "$real in order" in_order
check "$real by size" in_order -type f -size +10k ! -name '*.gz'
check "$real by mode and links" in_order \( -type l -o -perm /111 \) ! -type d

# JSON.
run "$memfs" find --json tree.mfs types
check "paths are from the root, however they were asked for" cmp <("$memfs" find --json tree.mfs ./types/../types/ -path './types/../*') .out
check "the root's is ." test "$("$memfs" find --json tree.mfs / . -maxdepth 0 | cut -d, -f 1 | sort -u)" = '{"path":"."'
check "the objects of ls" cmp <("$memfs" ls --json tree.mfs types | sort) <("$memfs" find --json tree.mfs types -mindepth 1 | sort)
cat >check.py <<'END'
import json, os, stat, sys
kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink", stat.S_IFIFO: "fifo",
         stat.S_IFSOCK: "socket", stat.S_IFCHR: "character", stat.S_IFBLK: "block"}
seen = 0
for line in open(sys.argv[1]):
    o = json.loads(line)
    s = os.lstat(os.path.join(sys.argv[2], o["path"]))
    assert o["type"] == kinds[stat.S_IFMT(s.st_mode)], o
    assert o["mode"] == "%04o" % stat.S_IMODE(s.st_mode), o
    assert (o["uid"], o["gid"]) == (s.st_uid, s.st_gid), o
    assert o["mtime"].endswith(".%09dZ" % (s.st_mtime_ns % 10**9)), o
    assert o["inode"] > 0 and o["allocated"] >= 0, o
    if o["type"] != "directory":
        assert (o["nlink"], o["size"]) == (s.st_nlink, s.st_size), o
    if o["type"] == "symlink":
        assert o["target"] == os.readlink(os.path.join(sys.argv[2], o["path"])), o
    if o["type"] in ("character", "block"):
        assert (o["major"], o["minor"]) == (os.major(s.st_rdev), os.minor(s.st_rdev)), o
    seen += 1
assert seen == int(sys.argv[3]), seen
END
check "--json" python3 check.py .out tree "$(find tree/types | wc -l)"
mkdir odd && touch odd/$'bad\377' odd/$'new\nline' odd/'"quoted"'
"$memfs" pack odd
run "$memfs" find --json odd.mfs -type f
check "names that are not UTF-8" grep -qx '{"path_base64":"YmFk/w==",.*' .out
check "one line each" test "$(wc -l <.out)" = 3
expect 2 "--json and -print0" "$memfs" find --json odd.mfs -print0

# Names on a terminal.
if script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
    script -qec "$memfs find odd.mfs -name 'new*'" .typescript >.tty 2>&1 </dev/null
    check "names are escaped on a terminal" test "$(tr -d '\r' <.tty)" = '/new\nline'
else
    skip "names on a terminal" "no pseudo-terminal is to be had"
fi

# Nonsense.
bad() { # what it says, words...
    local says=$1
    shift
    turn 4 "wrong expressions" || return 0
    expect 2 "^memfs: find: $says" "$memfs" find tree.mfs "$@"
    check "nothing was written" test ! -s .out
}
bad "'\(' has no '\)'" \( -type f
bad "'\(' has no '\)'" -true -o \( \( -type f \)
bad "'\)' has no '\('" -type f \)
bad "a test is missing between '\(' and '\)'" \( \)
bad "a test is missing between '\(' and '\)'" -type f \( \)
bad "a test is missing before '\)'" \)
bad "a test is missing before '-o'" -o -type f
bad "a test is missing before ','" , -type f
bad "a test is missing behind '-o'" -type f -o
bad "a test is missing behind '!'" -type f !
bad "a test is missing behind '\('" \(
bad "a test is missing between '-o' and '-a'" -true -o -a -true
bad "a test is missing between '!' and '\)'" \( ! \)
bad "-name needs a value, GLOB" -name
bad "-size needs a value" -true -size
bad "unknown word '-nmae' in the expression; did you mean -name?" -nmae x
bad "unknown word '-regex' in the expression: -name and -path" -regex x
bad "unknown word '-delete' in the expression: images are not changed" -delete
bad "-newermt .*: no time such as" -newermt yesterday
bad "-samefile needs a value, PATH" -samefile
bad "unknown word '-exec'.*xargs -0" -type f -exec rm '{}' ';'
bad "unknown word '-'" -
bad "'--json' in the expression: options stand before IMAGE" --json
bad "'--help' in the expression: options" -type f --help
bad "'sub' in the expression: paths stand before it" -type f sub
bad "'-maxdepth 1'|unknown word '-maxdepth 1'" "-maxdepth 1"
for value in "" x ff f, ,f f,,d "f d" F D; do bad "-type .*: must be of" -type "$value"; done
for value in "" x + - 1x 1kk k +-1 1.5 0x10 18446744073709551616 99999999999999999999999999 " 1" 1T; do
    bad "-size .*: must be a number" -size "$value"
done
for value in "" x + 1k -- 1- 18446744073709551616; do
    bad "-mtime .*: must be a number" -mtime "$value"
    bad "-mmin .*: must be a number" -mmin "$value"
    bad "-inum .*: must be a number" -inum "$value"
    bad "-links .*: must be a number" -links "$value"
    bad "-uid .*: must be a number" -uid "$value"
    bad "-gid .*: must be a number" -gid "$value"
done
for value in "" x 8 10000 -10000 / - u u=q =rwx, ,u=r u=r,,g=r 0x1 -8 rw 9 a; do bad "-perm .*: must be a mode" -perm "$value"; done
for value in "" "no such user" -1 +0 1x; do
    bad "-user .*: is not known to this host" -user "$value"
    bad "-group .*: is not known to this host" -group "$value"
done
for value in "" -1 +1 x 1k; do
    bad "-maxdepth .*: must be a number" -maxdepth "$value"
    bad "-mindepth .*: must be a number" -mindepth "$value"
done
expect 2 "find: needs IMAGE" "$memfs" find
expect 2 "find: '-name' before IMAGE .*: those come first" "$memfs" find -name x tree.mfs
expect 2 "find: unknown option '-Q'" "$memfs" find -Q tree.mfs
expect 2 "unknown word" "$memfs" find missing.mfs -nonsense

# What is not there.
expect 0 "" "$memfs" find tree.mfs -name 'no such name'
check "nothing is found" test ! -s .out
expect 1 "tree.mfs: missing: no such file" "$memfs" find tree.mfs missing
run "$memfs" find tree.mfs missing types -type p
check "the others are searched" test "$status" = 1 -a "$(cat .out)" = types/fifo
expect 1 "tree.mfs: '': no such file" "$memfs" find tree.mfs ""
expect 1 "tree.mfs: nowhere: no such file" "$memfs" find tree.mfs -newer nowhere
check "nothing was written" test ! -s .out
expect 4 "missing.mfs: .*No such file" "$memfs" find missing.mfs
expect 3 "not an image" "$memfs" find check.py

# Images that are empty, that come from a pipe, that are damaged; standard output that is.
mkdir empty && "$memfs" pack empty
check "an empty image" test "$("$memfs" find empty.mfs)" = /
check "-empty finds its root" test "$("$memfs" find empty.mfs -empty)" = /
piped() { "$memfs" find - types -type p <tree.mfs; }
check "an image on standard input" test "$(piped)" = types/fifo
to_full() { "$memfs" find tree.mfs >/dev/full; }
expect 4 "standard output: No space left" to_full
to_full() { "$memfs" find --json tree.mfs >/dev/full; }
expect 4 "standard output: No space left" to_full
to_closed() { "$memfs" find tree.mfs >&-; }
expect 4 "standard output: " to_closed
head_of() { "$memfs" find real.mfs | head -n 1; echo "${PIPESTATUS[0]}" >code; }
run head_of
check "a reader that has had enough: silence" test ! -s .err
check "and death by SIGPIPE" test "$(cat code)" = 141 -o "$(cat code)" = 0
damage() { # file, offset
    cp tree.mfs "$1" && printf '\001\002\003\004\005\006\007\010' | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
size=$(stat -c %s tree.mfs)
codes=
for back in 300 700 1200 2000 3500 6000 10000 15000; do
    damage damaged.mfs $((size - back))
    run timeout 20 "$memfs" find damaged.mfs
    [ "$status" = 0 ] || check "damage $back bytes before the end is said" grep -q '^memfs: damaged.mfs: ' .err
    codes+=" $status"
done
check "damage is exit code 3, or not met ($codes)" test -z "${codes//[ 03]/}" -a "$codes" != "${codes//3/}"
done_testing
