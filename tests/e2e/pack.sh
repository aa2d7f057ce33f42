#!/bin/bash
# What pack takes, what it leaves out, and what it stores of it: against git, find, cp, tar, chmod,
# chown and touch.
. "$(dirname "$0")/lib.sh"
export TZ=UTC

# same IMAGE DIR: the image has the bytes that packing the directory gives. Its root is DIR's.
same() { "$memfs" pack "$2" - >.truth.mfs && cmp "$1" .truth.mfs; }
# lists WANT COMMAND...: what a dry run writes, sorted, is what the file has.
lists() {
    local want=$1
    shift
    run "$@"
    { [ "$status" = 0 ] || { echo "exit code $status" && cat "$work/.err"; }; diff "$want" <(sort "$work/.out"); } >"$work/.log"
    judge "${*//$BUILD\//} lists $want" "$(($(wc -l <"$work/.log") > 0))" "$*" "$work/.log"
}
quoted() { printf '%s' "$1" | sed 's/[][+.*?]/\\&/g'; } # for expect
newest() { stat -c '%.9Y' "$@" | sort -n | tail -n 1; }

mkdir -p a/sub/deep b/sub b/only
echo one >a/sub/one && echo two >a/two && echo three >a/sub/deep/three
echo four >b/sub/four && echo five >b/only/five
echo single >single && chmod 640 single
ln -s a/two link && ln -s a to-a && ln a/two b/linked
mkfifo fifo
find a b single link to-a fifo -exec touch -h -d '2001-02-03 04:05:06.789' '{}' +
touch -d 2002-02-02 b

# ---- Several sources ----
mkdir want && cp -a a b single link to-a fifo want && touch -d "@$(newest a b single)" want
check "several sources" "$memfs" pack a b single link to-a fifo several.mfs
check "are in the root, which has the latest of their times" same several.mfs want
check "their order does not matter" "$memfs" pack fifo to-a single link b a other.mfs
check "the same bytes" cmp several.mfs other.mfs
check "paths lead to them" "$memfs" pack -f ./a "$PWD/b/" want/single want/./link a/../to-a a/sub/../../fifo other.mfs
check "the same bytes" cmp several.mfs other.mfs
check "links among sources are links" test "$("$memfs" ls -l several.mfs a/two | cut -d ' ' -f 2)" = 2
in_a() { (cd a && "$memfs" pack -f . ../b ../single ../link ../to-a ../fifo ../other.mfs); }
check "'.' has the name that it has" in_a
check "no: into itself" test ! -e a/other.mfs
check "the same bytes" cmp several.mfs other.mfs
check "from another directory" "$memfs" pack -f -C b ../a ../b ../single ../link ../to-a ../fifo ../other.mfs
check "the same bytes" cmp several.mfs other.mfs
rm -rf want

mkdir want && cp -a single want && touch -r single want
check "one file" "$memfs" pack single one.mfs
check "is in a root of its own" same one.mfs want
check "one file alone" "$memfs" pack single
check "the image is named after it" cmp one.mfs single.mfs
check "to a pipe" cmp one.mfs <("$memfs" pack single - | cat)
rm -rf want one.mfs single.mfs
mkdir want && cp -a link want && touch -hr link want
check "a symbolic link to a file is packed as it is" "$memfs" pack link one.mfs
check "is in a root of its own" same one.mfs want
check "one to a directory is followed if it is alone" "$memfs" pack -f to-a one.mfs
check "the same as the directory" same one.mfs a
check "several: a symbolic link is packed as it is" "$memfs" pack -f to-a single one.mfs
check "here too" test "$("$memfs" ls -l one.mfs to-a | cut -c 1)" = l
check "with a slash behind it it is followed" "$memfs" pack -f to-a/ single one.mfs
rm -rf want && cp -a a linked && mkdir want && mv linked want/to-a && cp -a single want && touch -r single want
check "as a directory of that name" same one.mfs want
expect 4 "^memfs: single/: Not a directory$" "$memfs" pack single/ a new.mfs
rm -rf want one.mfs

expect 2 "^memfs: pack: 'a/sub' and 'b/sub/' would both be sub in the image: " "$memfs" pack a/sub b/sub/ new.mfs
expect 2 "'a' and '\./a' would both be a" "$memfs" pack a ./a new.mfs
expect 2 "'/' has no name" "$memfs" pack a / new.mfs
expect 4 "^memfs: missing: No such file or directory$" "$memfs" pack a missing new.mfs
expect 4 "^memfs: '': No such file or directory$" "$memfs" pack a '' new.mfs
expect 1 "^memfs: missing: No such file or directory; left out$" "$memfs" pack --keep-going missing single new.mfs
check "the others are there" test "$("$memfs" ls new.mfs)" = single
rm -f new.mfs
run "$memfs" pack --keep-going missing gone new.mfs
check "all missing: no image" test "$status" = 4 -a "$(wc -l <.err)" = 2 -a ! -e new.mfs
expect 2 "b/new.mfs would lie in the directory that is packed" "$memfs" pack a b b/new.mfs
expect 4 "single: exists; -f replaces it if it is an image$" "$memfs" pack a b single
cp several.mfs copy.mfs
expect 2 "^memfs: pack: copy.mfs is itself among what is packed" "$memfs" pack -f a copy.mfs copy.mfs
expect 2 "copy.mfs is itself among what is packed" "$memfs" pack -f copy.mfs "$PWD/copy.mfs"
check "it is untouched" cmp several.mfs copy.mfs
onto_itself() { "$memfs" pack a copy.mfs - >>copy.mfs; }
expect 2 "standard output, .*copy.mfs is itself among" onto_itself
rm -f copy.mfs

# ---- Rules, as git has them ----
mkdir -p rules/{build,src/build,doc/a/b/c,src/.hidden} rules/'sp ace' rules/doc/build
touch rules/{a.o,b.c,'#x','!y','tail ',README,doc/README,src/main.c,src/main.o,src/build/out,build/out,src/.hidden/h.o} \
    rules/doc/{a/x,a/b/x,a/b/c/x,build/keep} rules/'sp ace'/f rules/'[a]' rules/'back\slash' rules/'star*' rules/$'caf\303\251' \
    rules/$'new\nline' rules/$'bad\377'
ln -s build rules/build-link
(cd rules && find . -mindepth 1 -printf '%P\0') | sort -z >all
git=
if command -v git >/dev/null && git init -q --bare git; then
    git=1
    export GIT_DIR=$work/git GIT_WORK_TREE=$work/rules
    git config core.bare false
fi
# agree RULES: pack and git leave out the same. Paths NUL-separated, so that names may be anything.
agree() {
    local path paths
    local -A kept=()
    printf '%s' "$1" >git/info/exclude
    git -C rules check-ignore --no-index -z --stdin <all >ignored
    "$memfs" pack --exclude-from git/info/exclude rules - >ruled.mfs || [ $? = 1 ] || return # 1: nothing is left
    "$memfs" find ruled.mfs . -mindepth 1 -print0 >found || return
    mapfile -d '' -t paths <all
    for path in "${paths[@]}"; do kept[$path]=1; done
    mapfile -d '' -t paths <ignored
    for path in "${paths[@]}"; do unset 'kept[$path]'; done
    mapfile -d '' -t paths <found
    for path in "${paths[@]#./}"; do
        [ "${kept[$path]:-}" ] || { echo "memfs takes ${path@Q}" && return 1; }
        unset 'kept[$path]'
    done
    [ ${#kept[@]} = 0 ] || { echo "memfs leaves out ${!kept[*]}" && return 1; }
}
patterns=('*.o' 'build' 'build/' '/build' '/build/' 'src/build' 'README' '/README' 'doc/*' 'doc/**' '**/build' 'doc/**/x' 'a/**/x'
    '**/x' '**' '*' '/*' '**/' '*/' $'*.o\n!main.o' $'*\n!*/\n!*.c' $'/*\n!/src\n/src/*\n!/src/main.c' $'doc/\n!doc/a/x' '\#x' '#x' '\!y' '!y'
    'tail ' 'tail\ ' $'  \n\n*.o' $'*.o\r\nbuild\r\n' 'sp ace' 'sp?ace/' '[a]' '\[a\]' '[[]a]' '[!a-z]*' '[^a-z]*' '[[:upper:]]*' 'back\\slash'
    'star\*' 'caf?' 'caf??' $'caf\303\251' $'bad\377' 'new?line' '?' 'doc/?' 'doc/a/b/' 'doc/***/x' '.*' '.hidden' 'src/[.]hidden' '/' '//' '!'
    '*.[co]' '**/**/x' 'doc/**/**' 'doc/a/**/c/' 'build-link/' 'build-link' '[' 'a[' '*[' '\' 'a\' 'doc[/]a' 'README/' 'src/*.o' '*/*.o' '**.o'
    $'\357\273\277*.o' 'a/b' '/a/b' 'b/c/x')
if [ "$git" ]; then
    for pattern in "${patterns[@]}"; do
        ! turn 3 "rules" || check "rules ${pattern@Q}" agree "$pattern"
    done
    RANDOM=20261125
    words=('*' '**' 'a' '?' 'b' 'src' 'build' '*.o' 'x' '[abc]' 'main.*' 'doc' '*o*' '[!a]*' '**')
    for round in {1..40}; do
        text=
        for _ in 1 2 3; do
            pattern=${words[RANDOM % ${#words[@]}]}
            ((RANDOM % 2)) || pattern+=/${words[RANDOM % ${#words[@]}]}
            ((RANDOM % 3)) || pattern+=/${words[RANDOM % ${#words[@]}]}
            ((RANDOM % 4)) || pattern=/$pattern
            ((RANDOM % 4)) || pattern+=/
            ((RANDOM % 3)) || pattern='!'$pattern
            text+=$pattern$'\n'
        done
        ! turn 4 "rules at random" || check "rules of round $round: ${text@Q}" agree "$text"
    done
    unset GIT_DIR GIT_WORK_TREE
else
    skip "rules" "no git"
fi

printf '%s\n' b.c README >rules.some
check "--exclude" "$memfs" pack -f --exclude '*.o' --exclude /doc/ --exclude '!src/main.o' rules ruled.mfs
"$memfs" ls -R ruled.mfs >.out
check "leaves out what matches" test -z "$(grep -x 'a.o\|h.o\|/doc:' .out)"
check "but for what a later rule takes back" grep -qx main.o .out
printf '!*.o\n' >takes-back
check "rules of --exclude come after those of files" "$memfs" pack -f --exclude '*.o' --exclude-from takes-back rules ruled.mfs
check "wherever they stand" test -z "$("$memfs" ls -R ruled.mfs | grep '\.o$')"
from_input() { echo '*.o' | "$memfs" pack -f --exclude-from - rules ruled.mfs; }
check "rules from standard input" from_input
check "are rules" test -z "$("$memfs" ls -R ruled.mfs | grep '\.o$')"
check "a rule that matches nothing is fine" "$memfs" pack -f --exclude 'no such thing' a ruled.mfs
check "the same bytes" same ruled.mfs a
check "of several sources, rules are about paths in the image" "$memfs" pack -f --exclude /a/sub --exclude b/only a b ruled.mfs
check "these two are gone" test "$("$memfs" ls -R ruled.mfs | tr '\n' ' ')" = "/: a b  /a: two  /b: linked sub  /b/sub: four "
expect 1 "ruled.mfs: is empty" "$memfs" pack -f --exclude '*' a ruled.mfs
check "the root stays" test "$("$memfs" ls -aR ruled.mfs)" = /:
if [ "$root" ] && command -v setpriv >/dev/null; then
    nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups -- "$@"; }
    mkdir -m 700 a/closed && chmod 755 . && mkdir -m 777 theirs
    if nobody test -x "$memfs"; then
        expect 4 "a: closed: .*Permission denied" nobody "$memfs" pack a theirs/a.mfs
        check "what is left out need not be readable" nobody "$memfs" pack --exclude closed a theirs/a.mfs
        expect 1 "a: closed: .*left out" nobody "$memfs" pack --keep-going a theirs/b.mfs
        check "the same" cmp theirs/a.mfs theirs/b.mfs
    else
        skip "as somebody else" "the command is out of reach"
    fi
    rm -rf a/closed theirs && touch -d '2001-02-03 04:05:06.789' a
else
    skip "as somebody else" "not root"
fi
expect 2 "--exclude '': " "$memfs" pack --exclude '' a new.mfs
expect 4 "^memfs: none: No such file" "$memfs" pack --exclude-from none a new.mfs
expect 4 "^memfs: a: Is a directory" "$memfs" pack --exclude-from a a new.mfs
expect 4 "^memfs: /dev/zero: has a line of more than 1M: is it a list of rules" "$memfs" pack --exclude-from /dev/zero a new.mfs
expect 4 "^memfs: /dev/zero: has a line of more than 1M: is it a list of names" "$memfs" pack --files-from /dev/zero a new.mfs
many_rules() { yes '*.o' | head -c 68000000 | "$memfs" pack --exclude-from - a new.mfs; }
expect 4 "^memfs: standard input: has more than 64M: is it a list of rules" many_rules
for options in "" -q -n; do
    # shellcheck disable=SC2086
    expect 1 "^memfs: empty.mfs: is empty: what was asked for leaves nothing" "$memfs" pack $options -f --exclude '*' a empty.mfs
done
check "the image is there" "$memfs" verify -q empty.mfs && rm -f empty.mfs
mkdir bare
expect 0 "" "$memfs" pack -f --exclude '*' --owner 0 --strip-components 1 bare empty.mfs
expect 0 "" "$memfs" unpack --exclude '*' --strip-components 1 empty.mfs bare
rm -rf empty.mfs bare
expect 2 "standard input can be read only once" "$memfs" pack --exclude-from - --files-from - new.mfs
check "nothing was made" test ! -e new.mfs

# ---- Names from a list ----
mkdir base want && cp -a a b single base && (cd base && cp -a --parents a/sub/one a/two single ../want)
mkdir -p want/b/only && touch -r b/only want/b/only && touch -r b want/b && touch -r a/sub want/a/sub && touch -r a want/a && touch -r base want
printf '%s\n' a/sub/one ./a//two b/only/ single single '' . >list
check "--files-from" "$memfs" pack --files-from list base new.mfs
check "takes what is named, and the directories above as they are" same new.mfs want
rm -rf want base
listed() { find a b single link to-a fifo "$@" -print0 | "$memfs" pack -f -0 --files-from - new.mfs; }
check "all that find finds" listed
"$memfs" ls -alR new.mfs >found
"$memfs" ls -alR several.mfs >.out
check "is what packing it takes" diff .out found
check "only some" listed -name 't*'
run "$memfs" ls -R new.mfs
check "are some" test "$(tr '\n' ' ' <.out)" = "/: a to-a  /a: sub two  /a/sub: deep  /a/sub/deep: three "
find rules -mindepth 1 -printf '%P\0' | sort -zR >list0
check "names of all kinds" "$memfs" pack -f -0 --files-from list0 rules new.mfs
check "all of them: the same bytes as without" same new.mfs rules
printf 'new\nline\n' >list
run "$memfs" pack -f --files-from list rules new2.mfs
check "without -0 a name with a newline is two" test "$status" = 4 -a "$(grep -c 'no such file; no image was made' .err)" = 2 -a ! -e new2.mfs
expect 2 "list0 has NULs in it: -0 takes names that end with them" "$memfs" pack --files-from list0 rules new2.mfs
no_end() { printf 'a/two' | "$memfs" pack -f --files-from - new.mfs; }
check "the last newline may be missing" no_end
check "it is there" test "$("$memfs" cat new.mfs a/two)" = two
printf 'a/two\nto-a/two\nmissing\n' >list
run "$memfs" pack --files-from list no.mfs
check "what is named and not there: no image" test "$status" = 4 -a "$(wc -l <.err)" = 2 -a ! -e no.mfs
check "each is named" grep -q '^memfs: \.: missing: no such file; no image was made' .err
check "links are not followed" grep -q '^memfs: \.: to-a/two: is reached by a symbolic link' .err
run "$memfs" pack --keep-going --files-from list no.mfs
check "--keep-going: exit code 1" test "$status" = 1 -a "$("$memfs" ls -R no.mfs | tr '\n' ' ')" = "/: a  /a: two "
rm -f no.mfs
printf 'a/two\n%s\n../x\n' "$PWD/single" >list
run "$memfs" pack --files-from list no.mfs
check "paths that lead elsewhere: no image" test "$status" = 4 -a "$(wc -l <.err)" = 2 -a ! -e no.mfs
for name in ../x a/../a/two; do
    echo $name >list
    expect 4 "^memfs: list: $name: has '\.\.' in it" "$memfs" pack --files-from list no.mfs
done
printf '%s\n' "$PWD/single" >list
check "absolute paths below /" "$memfs" pack --files-from list / no.mfs
check "have their directories" test "$("$memfs" cat no.mfs "$PWD/single")" = single
rm -f no.mfs
printf 'a/two\na/sub/one\n' >list
check "rules hold for names too" "$memfs" pack -f --exclude 'sub/' --files-from list no.mfs
check "and are no error" test "$("$memfs" ls -R no.mfs | tr '\n' ' ')" = "/: a  /a: two "
printf 'no.mfs\na/two\n' >list
expect 2 "^memfs: pack: no.mfs is itself among what is packed" "$memfs" pack -f --files-from list no.mfs
expect 4 "no.mfs: exists; -f replaces it if it is an image$" "$memfs" pack --files-from list no.mfs
expect 2 "--files-from takes names relative to one directory: 'b' is one too many" "$memfs" pack --files-from list a b no.mfs
expect 4 "^memfs: single: is not a directory; --files-from" "$memfs" pack --files-from list single new3.mfs
expect 4 "^memfs: none: No such file" "$memfs" pack --files-from none new3.mfs
expect 2 "--null is about names from a list" "$memfs" pack -0 a new3.mfs
mkdir -p close/d && touch close/d/x close/d-e close/d.f close/d0
printf 'd-e\nd/x\nd.f\nd0\n' >list
check "names that stand close to a directory's" "$memfs" pack -f --files-from list close new3.mfs
check "do not hide it" same new3.mfs close
rm -rf close new3.mfs
check "one directory alone" "$memfs" pack -f -0 --files-from list0 rules
check "the image is named after it" same rules.mfs rules
rm -f rules.mfs
seq 1000 >list
run "$memfs" pack --files-from list new3.mfs
check "of many names that are not there a hundred are told" test "$status" = 4 -a "$(wc -l <.err)" = 101 -a "$(tail -n 1 .err)" = "memfs: .: 900 more names are not there; no image was made: --keep-going leaves out such files"
expect 1 "new3.mfs: is empty: what was asked for leaves nothing" "$memfs" pack --files-from /dev/null new3.mfs
check "an empty list is an empty image" test "$("$memfs" ls -R new3.mfs)" = /:
rm -f no.mfs new3.mfs

# ---- Attributes ----
mkdir -p modes/dir modes/sgid && touch modes/{plain,run,bits,none} && ln -s plain modes/link
chmod 755 modes/run && chmod 6711 modes/bits && chmod 2775 modes/sgid && chmod 1777 modes/dir && chmod 600 modes/none
for mode in u+rwX,go-w a=rX,u+w go= u=rwx,g=rx,o= g=u o=g-w u+s g+s,o-x +t a-s =rX u=rwX,g=u-w,o=g ug+rw,o-rwx a+x 755 0711 02755 00755 7777 u=r,u+wx,go=u-w g=o+w -t g-s,u-s; do
    turn 2 "modes" || continue
    cp -a modes changed
    (umask 0 && find changed -depth ! -type l -exec chmod "$mode" '{}' +)
    check "--mode $mode" "$memfs" pack -f --mode "$mode" modes modes.mfs
    check "does what chmod does" same modes.mfs changed
    chmod -R u+rwx changed
    rm -rf changed
done
for mode in '' 8 0888 17777 u u+q +rw,, ,u+r rwx u+r- 0x1ff -1 u+r,; do
    [ "$mode" = u+r- ] || ! turn 2 "wrong modes" || expect 2 "--mode $(quoted "${mode:-''}"): no mode such as" "$memfs" pack --mode "$mode" modes new.mfs.none
done
cp -a a changed
for time in @0 @1700000000 @-5 @1700000000.25 @-0.5 2023-11-14 2023-11-14T22:13 2023-11-14T22:13:20 "2023-11-14 22:13:20" 2023-11-14T22:13:20.123456789Z 1969-12-31T23:59:59Z 2024-02-29Z; do
    for zone in UTC America/New_York; do
        turn 3 "times in zones" || continue
        TZ=$zone find changed -exec touch -h -d "$time" '{}' +
        TZ=$zone check "--mtime $time in $zone" "$memfs" pack -f --mtime "$time" a times.mfs
        check "is what touch makes of it" same times.mfs changed
    done
done
rm -rf changed
for time in '' 0 @ @x @1.x now 2023 2023-1-1 2023-13-01 2023-02-29 2023-11-14T 2023-11-14T22 2023-11-14T24:00 2023-11-14T22:60 2023-11-14T22:13:20+01:00 2023-11-14ZZ "2023-11-14 "; do
    ! turn 3 "wrong times" || expect 2 "--mtime $(quoted "${time:-''}"): no time such as" "$memfs" pack --mtime "$time" a new.mfs.none
done
for time in @9300000000 @-9300000000 @99999999999999999999 2263-01-01 1600-01-01Z; do
    expect 2 "--mtime $time: beyond the years" "$memfs" pack --mtime "$time" a new.mfs.none
done
epoch() { SOURCE_DATE_EPOCH=$1 "$memfs" pack -f --mtime "$2" a epoch.mfs; }
check "--mtime with SOURCE_DATE_EPOCH" epoch 1000 @2000
check "the option decides" test "$("$memfs" ls -l epoch.mfs two | cut -d ' ' -f 6,7)" = "1970-01-01 00:33"
check "the image's own time is the environment's" grep -q 1970-01-01 <("$memfs" info epoch.mfs | grep -i '^packed\|time')
clamped() { SOURCE_DATE_EPOCH=1000 "$memfs" pack -f a b epoch.mfs; }
check "SOURCE_DATE_EPOCH with several sources" clamped
check "holds for the root too" test -z "$("$memfs" ls -lR epoch.mfs | grep -a : | grep -v '1970-01-01 00:16\|^/')"
check "--owner and --group" "$memfs" pack -f --owner 12 --group 4294967294 a owned.mfs
check "are stored for all" test "$("$memfs" ls -alnR owned.mfs | grep '^[-ld]' | cut -d ' ' -f 3,4 | sort -u)" = "12 4294967294"
if [ "$root" ]; then
    cp -a a changed && chown -hR 12:34 changed
    check "--owner 12 --group 34" "$memfs" pack -f --owner 12 --group 34 a owned.mfs
    check "are what chown makes of it" same owned.mfs changed
    rm -rf changed
fi
user=$(id -un) group=$(id -gn)
check "names" "$memfs" pack -f --owner "$user" --group "$group" a owned.mfs
check "are those of this machine" test "$("$memfs" ls -n owned.mfs two | cut -d ' ' -f 3,4)" = "$(id -u) $(id -g)"
for id in '' -1 4294967295 99999999999999999999 nobody-of-that-name 1x; do
    expect 2 "--owner ${id:-''}: no user of this machine" "$memfs" pack --owner "$id" a new.mfs.none
    expect 2 "--group ${id:-''}: no group of this machine" "$memfs" pack --group "$id" a new.mfs.none
done
check "nothing was made" test ! -e new.mfs.none
if setfattr -n user.test -v 1 single 2>/dev/null; then
    check "with attributes" "$memfs" pack -f a single with.mfs
    check "--no-xattrs" "$memfs" pack -f --no-xattrs a single without.mfs
    setfattr -x user.test single
    check "--no-xattrs: as if there were none" cmp without.mfs <("$memfs" pack a single - | cat)
    check "else they are there" test "$(cmp -s with.mfs without.mfs || echo differ)" = differ
else
    skip "--no-xattrs" "no attributes here"
fi

# ---- One filesystem ----
if [ "$root" ] && mkdir mounted && mount -t tmpfs tmpfs mounted; then
    mkdir -p mounted/inner rules/mount && touch mounted/inner/x
    mount --bind mounted/inner rules/mount
    check "mount points are crossed" "$memfs" pack -f rules crossed.mfs
    check "so that what is there is packed" grep -q x <("$memfs" ls crossed.mfs mount)
    check "--one-file-system" "$memfs" pack -f --one-file-system rules crossed.mfs
    check "leaves them empty" test -z "$("$memfs" ls crossed.mfs mount)"
    find rules -xdev -mindepth 1 -printf '%P\n' | sort >xdev
    check "as find -xdev" cmp xdev <("$memfs" pack -n --one-file-system rules none.mfs | sort)
    check "sources may lie on several" "$memfs" pack -f --one-file-system rules mounted/inner a crossed.mfs
    check "and are packed each" test -n "$("$memfs" ls crossed.mfs inner)" -a -n "$("$memfs" ls crossed.mfs a)"
    umount rules/mount
    umount mounted
    rmdir rules/mount mounted
else
    skip "--one-file-system" "nothing can be mounted here"
fi

# ---- Dry runs ----
(find a b single fifo -mindepth 0) | sort >tree.list
lists tree.list "$memfs" pack -n a b single fifo dry.mfs
(cd a && find . -mindepth 1 -printf '%P\n') | sort >a.list
lists a.list "$memfs" pack --dry-run -f a
lists a.list "$memfs" pack -n a -
lists a.list "$memfs" pack -n a several.mfs
check "nothing was written" only . $(ls -A)
check "no image" test ! -e dry.mfs -a ! -e a.mfs
run "$memfs" pack -n --json --mtime @1.5 --mode 700 --owner 7 --group 8 a
check "--json: one object a line" test "$status" = 0 -a "$(wc -l <.out)" = "$(wc -l <a.list)"
check "with all that is stored" grep -qx '{"path":"sub/one","type":"file","mode":"0700","uid":7,"gid":8,"size":4,"mtime":"1970-01-01T00:00:01.500000000Z"}' .out
check "directories have no size" grep -qx '{"path":"sub","type":"directory","mode":"0700","uid":7,"gid":8,"mtime":"1970-01-01T00:00:01.500000000Z"}' .out
expect 2 "would lie in the directory" "$memfs" pack -n a a/new.mfs
run "$memfs" pack -n a missing new.mfs
check "-n with what is not there" test "$status" = 4
to_full() { "$memfs" pack -n a >/dev/full; }
expect 4 "standard output: No space left" to_full
(cd /usr/include && find . -mindepth 1 -printf '%P\n') | sort >include.list
lists include.list "$memfs" pack -n /usr/include
(cd /usr/include && find . -mindepth 1 \( -name '*.h' -o -path './linux/*' -prune \) -prune -o -printf '%P\n') | sort >include.list
lists include.list "$memfs" pack -n --exclude '*.h' --exclude '/linux/**' /usr/include
many() { "$memfs" pack -n /usr/share/doc x.mfs | head -n 1; echo "${PIPESTATUS[0]}" >code; }
run many
check "a reader that has had enough: silence" test ! -s .err
rm -f code

# ---- What it tells ----
run "$memfs" pack -v a told.mfs
check "-v lists what is packed" test "$status" = 0 -a ! -s .err
check "all of it" cmp a.list <(sort .out)
run "$memfs" pack -f --json a told.mfs
check "--json says what came of it" grep -qxE '\{"image":"told.mfs","nodes":6,"bytes":'"$(stat -c %s told.mfs)"',"seconds":[0-9]+\.[0-9]{3}\}' .out
run "$memfs" pack -f --json -v a told.mfs
check "--json and -v: both" test "$(grep -c '"path"' .out) $(tail -n 1 .out | cut -c 1-9)" = '5 {"image":'
run "$memfs" pack -qf --json a told.mfs
check "-q: nothing" test "$status" = 0 -a ! -s .out -a ! -s .err
expect 2 "standard output is the image" "$memfs" pack --json a -
expect 2 "standard output is the image" "$memfs" pack -v a -
told_full() { "$memfs" pack --json a full.mfs >/dev/full; }
expect 4 "standard output: No space left" told_full

# ---- Paths cut short ----
# cut N SOURCES...: what tar makes of it.
cut_short() {
    local n=$1
    shift
    rm -rf want && mkdir want && tar --format=posix -cf - "$@" | tar -xpf - --strip-components="$n" -C want && touch -d "@$(newest "$@")" want
}
for n in 0 1 2 3 4 5; do
    cut_short "$n" a single b
    run "$memfs" pack -f --strip-components "$n" a single b cut.mfs
    check "--strip-components $n" test "$status" = "$((n < 4 ? 0 : 1))" # then nothing is left
    check "does what tar does" same cut.mfs want
done
check "of one directory" "$memfs" pack -f --strip-components 1 --exclude doc --exclude src/build --exclude build rules cut.mfs
check "its directories lose their names" test "$("$memfs" ls -a cut.mfs | tr '\n' ' ')" = ".hidden f main.c main.o "
rm -f new.mfs && mkdir -p conflict/{1,2,3} conflict/1/0 conflict/2/0 && touch conflict/1/0/{x,y} conflict/2/0/{y,z} conflict/3/0
chmod 700 conflict/1/0
expect 4 "^memfs: conflict: 3/0: has the path of another file without its first 1 name; no image was made" "$memfs" pack --strip-components 1 conflict new.mfs
check "no image" test ! -e new.mfs
run "$memfs" pack --keep-going --strip-components 1 conflict new.mfs
check "--keep-going leaves the second out" test "$status" = 1 -a "$(wc -l <.err)" = 2
check "directories become one" test "$("$memfs" ls -R new.mfs | tr '\n' ' ')" = "/: 0  /0: x y z "
check "with the attributes of the first" test "$("$memfs" ls -l new.mfs | cut -d ' ' -f 1)" = drwx------
printf 'a/sub/one\nb/sub/four\n' >list
check "names from a list" "$memfs" pack -f --files-from list --strip-components 2 cut.mfs
check "lose theirs" test "$("$memfs" ls cut.mfs | tr '\n' ' ')" = "four one "
(cd a/sub && find . -mindepth 1 -printf '%P\n') | sort >sub.list
lists sub.list "$memfs" pack -n --strip-components 1 a
for n in -1 x 4294967296 ''; do
    expect 2 "--strip-components ${n:-''}: " "$memfs" pack --strip-components="$n" a new.mfs.none
done
rm -rf conflict want new.mfs

# ---- A large tree, in two ways ----
check "make the tree with everything" "$make_tree" --files 300 --huge 1048576 tree
check "pack it" "$memfs" pack tree
(cd tree && find . -print0) >list0
check "pack all that find finds in it" "$memfs" pack -0 --files-from list0 tree listed.mfs
check "the same bytes" cmp tree.mfs listed.mfs
check "with options that change nothing" "$memfs" pack -f --exclude 'no such' --mode u-t+t tree listed.mfs
pieces() { (cd tree && find . -mindepth 1 -maxdepth 1 -print0 | sort -zR | xargs -0 sh -c '"$0" pack -f "$@" ../pieces.mfs' "$memfs"); }
check "pack its parts" pieces
check "all is there" cmp <("$memfs" ls -alnR tree.mfs) <("$memfs" ls -alnR pieces.mfs)
check "and intact" "$memfs" verify -q pieces.mfs
# An IMAGE that was forgotten: the last source is not replaced.
echo precious >last
expect 4 "last: exists and is no image" "$memfs" pack -f a last
check "it is there" grep -qx precious last
: >empty.mfs
expect 0 "" "$memfs" pack -q -f a empty.mfs
expect 1 "is empty: no path has more than 99 names" "$memfs" pack -q -f --strip-components 99 a empty.mfs
# Images as sources, and names that are too long.
mkdir -p twice && "$memfs" pack -q twice inner.mfs
expect 0 "^memfs: inner.mfs: is packed as a file, image or not; 'memfs unpack'" "$memfs" pack inner.mfs
check "it is" test "$("$memfs" ls inner.mfs.mfs)" = inner.mfs
expect 0 "" "$memfs" pack -q -f inner.mfs inner.mfs.mfs
long=$(printf 'n%.0s' {1..300})
for command in "pack a $long.mfs" "unpack inner.mfs $long"; do
    # shellcheck disable=SC2086
    expect 4 "^memfs: n{300}[.a-z]*: [^n.][^:]*: File name too long" "$memfs" $command
done
rm -rf twice inner.mfs inner.mfs.mfs
done_testing
