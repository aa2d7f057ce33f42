#!/bin/bash
# tree against tree(1), with the same options on the same trees.
. "$(dirname "$0")/lib.sh"
export TZ=UTC TERM=xterm
unset COLUMNS LS_COLORS NO_COLOR TREE_COLORS TREE_CHARSET

# says TEXT COMMAND...: writes exactly that, and exits with 0.
says() {
    local text=$1
    shift
    run "$@"
    { [ "$status" = 0 ] || { echo "exit code $status" && cat "$work/.err"; }; holds "$work/.out" "$text"; } >"$work/.log"
    judge_log "${*//$BUILD\//}" "$*"
}

mkdir -p small/sub/deeper/.below small/.hidden small/empty
printf '12345' >small/sub/five
printf '%02000d' 1 >small/sub/deeper/more
touch small/sub/deeper/.below/x small/.hidden/y small/.dot
ln -s sub/five small/link
mkfifo small/fifo
chmod 755 small/sub/five
"$memfs" pack -q small
says '/
├── empty
├── fifo
├── link -> sub/five
└── sub
    ├── deeper
    │   └── more
    └── five

4 directories, 4 files
' "$memfs" tree small.mfs
plain() { LC_ALL=C "$memfs" tree small.mfs sub empty; }
says 'sub
|-- deeper
|   `-- more
`-- five
empty

3 directories, 2 files
' plain
says '/
├── .dot
├── .hidden/
│   └── y
├── empty/
├── fifo|
├── link -> sub/five*
└── sub/
    ├── deeper/
    └── five*

5 directories, 5 files
' "$memfs" tree -F -a -L 2 small.mfs
says 'link -> sub/five

0 directories, 1 file
' "$memfs" tree small.mfs link
says '[   2]  sub
├── [   2]  deeper
│   └── [2.0K]  more
└── [   5]  five

2 directories, 2 files
' "$memfs" tree -h small.mfs sub
says '/
├── empty
└── sub
    └── deeper

4 directories
' "$memfs" tree -d small.mfs
says 'sub/five

0 directories, 1 file
' "$memfs" tree small.mfs sub/five
says 'sub
└── deeper

2 directories
' "$memfs" tree -dL 1 small.mfs sub

# ---- tree(1) ------------------------------------------------------------------------

# Symbolic links to directories are files here, whatever they lead to; sizes of directories
# are those of the host's there; its blanks do not break.
squeezed() { LC_ALL=C sed -E -e 's/\xc2\xa0/ /g' -e '1s/\.?\/?$/\//' -e 's/\[ *[0-9]+\]  (.*\/)$/[SIZE]  \1/'; }
"$make_tree" --files 100 --seed 7 tree >/dev/null || exit 2
rm -rf tree/beyond-path-max tree/symlinks/to-directory tree/symlinks/absolute tree/symlinks/above tree/names tree/symlinks/odd*
"$memfs" pack -q tree || exit 2
files=1000
[ -z "${MEMFS_FULL:-}" ] || files=3000
mkdir doc && (cd /usr/share/doc && find . -type f -print0 | head -z -n "$files" | xargs -0 cp --parents -t "$work/doc")
"$memfs" pack -q doc || exit 2

agree() { # name, options
    local name=$1
    shift
    turn 2 "listings" || return 0
    (cd "$name" && tree -N "$@") 2>/dev/null | squeezed >.want
    "$memfs" tree "$@" "$name.mfs" 2>/dev/null </dev/null | squeezed >.got
    { [ -s .want ] || echo "tree says nothing"; diff -a .want .got; } >"$work/.log" 2>&1
    judge_log "tree $* of $name" "tree $*"
}
if command -v tree >/dev/null && tree --version | grep -q '^tree v2'; then
    for name in tree doc; do
        for options in "" -a -d -ad "-L 1" "-L 2" "-L 3 -a" -F -Fa -sF -saF; do
            # shellcheck disable=SC2086
            agree $name $options
        done
    done
else
    skip "tree against tree(1)" "there is none of version 2"
fi

# ---- Colours, JSON --------------------------------------------------------------------

eval "$(dircolors -b)"
export LS_COLORS
bare() { sed -E 's/\x1b\[K//g; /^total /d; s/^.{10}[ +].*[0-9]{4,}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2} //; s/^(\x1b\[0m)?[│├└─ ]+//; /types|modes|^$/d; /directories,/d; s/^\x1b\[0m(.)/\1/'; }
for dir in types modes; do
    (cd tree && ls -l --time-style=long-iso --color=always $dir) | bare >.want
    "$memfs" tree -L 1 --color=always tree.mfs $dir | bare >.got
    check "colours of $dir are those of ls" diff .want .got
done
check "and nothing else is different" diff <("$memfs" tree tree.mfs) <("$memfs" tree --color=always tree.mfs | sed -E 's/\x1b\[[0-9;]*[mK]//g')
check "no colours in a pipe" test "$("$memfs" tree tree.mfs | grep -c $'\033')" = 0
unset LS_COLORS
"$memfs" tree --json -a small.mfs | sed -E 's/.*"path":"([^"]*)".*"type":"([^"]*)".*"depth":([0-9]*)}$/\1 \2 \3/' >.got
check "--json: what is shown, and how deep" diff - .got <<'EOT'
. directory 0
.dot file 1
.hidden directory 1
.hidden/y file 2
empty directory 1
fifo fifo 1
link symlink 1
sub directory 1
sub/deeper directory 2
sub/deeper/.below directory 3
sub/deeper/.below/x file 4
sub/deeper/more file 3
sub/five file 2
EOT
check "--json: the members are those of ls" diff <("$memfs" ls --json -aR tree.mfs | sort) <("$memfs" tree --json -a tree.mfs | sed -n 's/,"depth":[1-9][0-9]*}$/}/p' | sort)
check "--json -d: directories only" test "$("$memfs" tree --json -d small.mfs | grep -vc '"type":"directory"')" = 0

# ---- What is odd or wrong ---------------------------------------------------------------

expect 2 "--depth 0: must be at least 1" "$memfs" tree -L 0 small.mfs
expect 2 "--depth x: not a number" "$memfs" tree -L x small.mfs
expect 2 "tree: needs IMAGE" "$memfs" tree
expect 2 "unknown option '-z'" "$memfs" tree -z small.mfs
expect 1 "small.mfs: missing: no such file" "$memfs" tree small.mfs missing sub
check "and the other is shown" grep -q '^2 directories, 2 files$' .out
expect 3 "tree: is a directory" "$memfs" tree tree
mkdir none && "$memfs" pack -q none
says '/

1 directory, 0 files
' "$memfs" tree none.mfs
mkdir -p odd/$'new\nline' odd/$'bad\377' && "$memfs" pack -q odd
says $'/\n├── bad\377\n└── new\nline\n\n3 directories, 0 files\n' "$memfs" tree odd.mfs
if script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
    script -qec "$memfs tree --color=never odd.mfs" .typescript </dev/null | tr -d '\r' >.got
    check "names are escaped on a terminal" diff <(printf '/\n├── bad\\377\n└── new\\nline\n\n3 directories, 0 files\n') .got
else
    skip "names on a terminal" "no pseudo-terminal is to be had"
fi
full() { "$memfs" tree doc.mfs >/dev/full; }
expect 4 "standard output: " full
early() { "$memfs" tree doc.mfs | head -n 1 >/dev/null; return "${PIPESTATUS[0]}"; }
run early
check "who stops reading is no trouble" test ! -s .err
# A chain of directories: nothing recurses.
mkdir -p "deep/$(printf 'd/%.0s' {1..1000})" && "$memfs" pack -q deep
shallow() { (ulimit -s 256 && "$memfs" tree deep.mfs | tail -n 1); }
check "a deep tree" test "$(shallow)" = "1001 directories, 0 files"
# Damage in the tables, which lie at the end.
size=$(stat -c %s tree.mfs)
found=
for back in {1000..25000..3000}; do
    cp tree.mfs hurt.mfs
    printf '\252\125\252\125\252' | dd of=hurt.mfs bs=1 seek=$((size - back)) conv=notrunc 2>/dev/null
    for options in -a -s --json; do
        run timeout 20 "$memfs" tree $options hurt.mfs
        [ "$status" != 0 ] || continue
        found=1
        check "damage $back bytes from the end: tree $options" test "$status" = 3 -a "$(grep -vc '^memfs: hurt.mfs: ' .err)" = 0
    done
done
check "some damage was met" test -n "$found"
done_testing
