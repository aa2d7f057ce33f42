#!/bin/sh
# Compares two directories and all below them: contents, every field of stat,
# links, devices and extended attributes, by tools that know nothing of memfs.
#
# compare.sh [--walker] [--unprivileged] A B
#
# With --walker by the first of them alone, which sees everything: list_tree. With
# --unprivileged only what `memfs unpack` restores without options. Says what differs and
# exits 1. Environment: BUILD, or LIST_TREE for the program made of
# tests/tree/list_tree.c; FULL=1 has diff read files called "huge" as well.
set -u
export LC_ALL=C
mode= walker=
if [ "${1-}" = --walker ]; then
    walker=1
    shift
fi
if [ "${1-}" = --unprivileged ]; then
    mode=--unprivileged
    shift
fi
if [ $# -ne 2 ]; then
    echo "usage: compare.sh [--walker] [--unprivileged] A B" >&2
    exit 2
fi
list_tree=${LIST_TREE:-${BUILD:-$(dirname "$0")/../../build}/tests/tree/list_tree}
# Where the walker alone is asked and sees no difference nothing else is needed.
if [ -n "$walker" ] && one=$("$list_tree" $mode "$1") && other=$("$list_tree" $mode "$2") && [ -n "$one" ] && [ "$one" = "$other" ]; then
    exit 0
fi
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
differs=0

# same WHAT: compares $work/a with $work/b.
same()
{
    { [ ! -s "$work/a" ] && [ ! -s "$work/b" ]; } || cmp -s "$work/a" "$work/b" && return
    differs=1
    echo "differs: $1:"
    tr '\0' '\n' <"$work/a" >"$work/a.lines"
    tr '\0' '\n' <"$work/b" >"$work/b.lines"
    diff "$work/a.lines" "$work/b.lines" | head -n 10 | cut -c 1-160
}

# both COMMAND...: runs it in either directory, sorted output to $work/a and b.
both()
{
    (cd "$a" && "$@") 2>"$work/a.errors" | sort -z >"$work/a"
    (cd "$b" && "$@") 2>"$work/b.errors" | sort -z >"$work/b"
}

# getfattr names the attributes of each path; too long paths are for list_tree.
attributes()
{
    find . -print0 | sort -z | xargs -0 getfattr -d -m - -h -e hex --absolute-names --
}

a=$(cd "$1" && pwd -P) && b=$(cd "$2" && pwd -P) || exit 2

# 1. The walker that copes with everything.
: >"$work/b"
"$list_tree" $mode "$a" >"$work/a" && "$list_tree" $mode "$b" >"$work/b" || differs=1
same "list_tree"
[ -z "$walker" ] || exit "$differs"

# 2. Contents by diff. It cannot open paths beyond PATH_MAX, and takes any two
# special files for different: list_tree has both.
set -- -r --no-dereference
[ "${FULL-}" ] || set -- "$@" -x huge
diff "$@" "$a" "$b" 2>&1 | grep -a -v \
    -e 'File name too long$' \
    -e ' is a fifo while file .* is a fifo$' \
    -e ' is a socket while file .* is a socket$' \
    -e ' is a character special file while file .* is a character special file$' \
    -e ' is a block special file while file .* is a block special file$' \
    ${mode:+-e ': character-' -e ': block-' -e ': device-'} >"$work/a"
: >"$work/b"
same "diff -r --no-dereference"

# 3. Every field of stat by find. A directory's size and number of links belong
# to the host's filesystem.
if [ -z "$mode" ]; then
    both find . -type d -printf '%P %y %m %U %G %T@\0' -o -printf '%P %y %m %U %G %T@ %n %s %l\0'
    same "find -printf"
    both find . \( -type b -o -type c \) -execdir stat --printf '%n %t:%T\0' '{}' +
    same "stat, devices"
else
    both find . -type d -printf '%P %y %T@\0' -o ! -type b ! -type c -printf '%P %y %T@ %n %s %l\0'
    same "find -printf"
fi

# 4. Attributes by getfattr, where it is installed.
if [ -z "$mode" ] && command -v getfattr >/dev/null; then
    (cd "$a" && attributes) >"$work/a" 2>"$work/a.errors"
    (cd "$b" && attributes) >"$work/b" 2>"$work/b.errors"
    same "getfattr"
    if grep -a -v 'File name too long' "$work/a.errors" "$work/b.errors" >"$work/errors"; then
        echo "differs: getfattr said:"
        head -n 5 "$work/errors"
        differs=1
    fi
fi
exit "$differs"
