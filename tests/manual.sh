#!/bin/bash
# Help, man pages and completions tell of the same subcommands and options; the pages
# are right for groff and mandoc; libmemfs(3) names every function, and its example works.
#
# Environment: BUILD, CC, MEMFS_FULL (else every third option with a choice of words). The last line is "N passed, N failed".
set -eu
cd "$(dirname "$0")/.."
root=$PWD
BUILD=${BUILD:-$PWD/build} CC=${CC:-gcc}
export LC_ALL=C.UTF-8
PATH=$BUILD:$PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$(sed -n 's/^#define MEMFS_VERSION "\(.*\)"/\1/p' libmemfs/memfs.h)

passed=0 failed=0
check() { # what, command
    local status=0
    "${@:2}" >"$work/log" 2>&1 </dev/null || status=$?
    if [ "$status" = 0 ]; then
        passed=$((passed + 1))
        echo "ok   $1"
    else
        failed=$((failed + 1))
        echo "FAIL $1"
        head -n 40 "$work/log" | sed 's/^/     | /'
    fi
}
same() { # what, expected, got: files or pipes
    check "$1" diff "$2" "$3"
}

# ---- What help says --------------------------------------------------------------

subcommands=$(memfs --help | sed -n '/^  [a-z]/{/^  memfs/d; s/^  \([a-z]*\) .*/\1/p}')
check "there are subcommands" test "$(wc -w <<<"$subcommands")" -ge 6
same "each has its file" <(printf '%s\n' tools/cmd_*.c | sed 's/.*cmd_\(.*\)\.c/\1/' | sort) <(sort <<<"$subcommands")

# Each is asked once, and all that is said is taken apart at once: lines "KIND/SUBCOMMAND, tab, TEXT", each of which
# goes into the file of that name, sorted.
into_files() {
    mkdir -p "${@/#/$work/}"
    for subcommand in $subcommands; do
        for kind; do : >"$work/$kind/$subcommand"; done
    done
    sort | (cd "$work" && awk -F '\t' '{ print $2 >$1 }')
}
mkdir "$work/help"
for subcommand in $subcommands; do memfs "$subcommand" --help >"$work/help/$subcommand"; done
# Options are "-l --level LEVEL", "--keep-going": letter, name, argument. Words are what may follow operands. Of what
# stands below the first line each word is a line: pages fill lines anew.
# shellcheck disable=SC2086
(cd "$work/help" && awk '
    function put(kind, text) { printf "%s/%s\t%s\n", kind, FILENAME, text }
    FNR == 1 { is_above = 1; is_words = 0; count = 0; next }
    /^$/ { is_above = is_words = 0 }
    is_above { for (i = 1; i <= NF; i++) put("described", sprintf("%04d %s", ++count, $i)) }
    /^Words:/ { is_words = 1 }
    match($0, /^  (-., |    )--[a-z0-9-]+( [^ ]+)?  /) {
        option = substr($0, 3, RLENGTH - 4)
        sub(/^ +/, "", option)
        sub(/,/, "", option)
        put("options", option)
    }
    is_words && match($0, /^  [^ ]+( [^ ]+)?   /) { put("words", substr($0, 3, RLENGTH - 5)) }' $subcommands) | into_files options words described
names() { sed -E 's/ [^ -][^ ]*$//' "$@" | tr ' ' '\n' | sort; }

# ---- Pages -------------------------------------------------------------------------

pages=()
for subcommand in $subcommands; do pages+=("$BUILD/man/memfs-$subcommand.1"); done
# The line behind each .TP, less its fonts.
awk 'FNR == 1 { name = FILENAME; sub(/.*memfs-/, "", name); sub(/\.1$/, "", name) }
    /^\.SH/ { kind = $2 == "OPTIONS" ? "page-options" : $2 == "EXPRESSION" ? "page-words" : "" }
    kind && /^\.TP/ { getline; gsub(/\\f./, ""); gsub(/\\-/, "-"); if (/^-.,/) sub(/,/, ""); printf "%s/%s\t%s\n", kind, name, $0 }' "${pages[@]}" |
    into_files page-options page-words
# One groff renders all, which is the dearest of it; in each there is one DESCRIPTION.
groff -K utf8 -t -man -Tutf8 -P-cbou -rLL=200n "${pages[@]}" | awk -v all="$(tr '\n' ' ' <<<"$subcommands")" '
    BEGIN { split(all, names, " ") }
    /^DESCRIPTION/ { name = names[++pages]; within = 1; count = 0; next }
    /^$/ { within = 0 }
    within { for (i = 1; i <= NF; i++) printf "page-described/%s\t%04d %s\n", name, ++count, $i }' | into_files page-described
of_version() { # a page is of this version, and of the day of the others
    grep -qE "^\.TH [^ ]+ [1357] \"$date\" \"memfs ${version//./\\.}\" " "$1"
}
no_warnings() { # pages
    groff -K utf8 -t -man -ww -z -Tutf8 -rLL=78n "$@" 2>&1 | grep . && return 1
    mandoc -T lint -W warning "$@" 2>&1 | grep -v 'referenced manual not found' | grep . && return 1
    return 0
}
sections() { # page: that it has them, in this order
    grep '^\.SH ' "$1" | grep -v EXPRESSION | diff - <(printf '.SH %s\n' NAME SYNOPSIS DESCRIPTION OPTIONS "EXIT STATUS" EXAMPLES "SEE ALSO")
}
date=$(sed -nE 's/^\.TH MEMFS 1 "([0-9]{4}-[0-9]{2}-[0-9]{2})" .*/\1/p' tools/memfs.1)
check "the pages have a date" test -n "$date"
all_pages=(tools/memfs.1 tools/man/libmemfs.3 tools/man/memfs-image.5 tools/man/memfs-security.7 "$BUILD"/man/*.1)
check "${#all_pages[@]} pages give no warnings" no_warnings "${all_pages[@]}"
for page in "${all_pages[@]}"; do
    check "${page##*/} is of this version" of_version "$page"
done
for subcommand in $subcommands; do
    page=$BUILD/man/memfs-$subcommand.1
    check "$subcommand --help names options" test "$(wc -l <"$work/options/$subcommand")" -ge 5
    same "memfs-$subcommand(1) has the options of --help" "$work/options/$subcommand" "$work/page-options/$subcommand"
    same "memfs-$subcommand(1) has the words of --help" "$work/words/$subcommand" "$work/page-words/$subcommand"
    check "memfs-$subcommand(1) has its sections" sections "$page"
    same "memfs-$subcommand(1) has what --help says" "$work/described/$subcommand" "$work/page-described/$subcommand"
done
check "help describes something" test -s "$work/described/pack"

# The overview: what all have in common, and where the rest is.
overview() { sed -n "/^\.SH $1/,/^\.SH/p" tools/memfs.1; }
same "memfs(1) refers to every subcommand's page" <(sed 's/.*/memfs-&/' <<<"$subcommands" | sort) \
    <(overview "SEE ALSO" | sed -nE 's/^\.BR (memfs\\-[a-z]+) \(1\).*/\1/p' | sed 's/\\-/-/' | sort)
grep -oh -- '--[a-z-]*' "$work"/options/* | sort | uniq -c >"$work/known"
overview "COMMON OPTIONS" | sed 's/\\-/-/g' >"$work/common"
for option in $(awk -v all="$(wc -w <<<"$subcommands")" '$1 == all { print $2 }' "$work/known") --json --progress --color; do
    check "memfs(1) has the common option $option" grep -qF -- "$option" "$work/common"
done
sed 's/^\.SH NOTES/.SM NOTES\n.planted/' tools/memfs.1 >"$work/planted.1"
check "warnings are noticed" eval '! no_warnings "$work/planted.1"'

# memfs-security(7): every subcommand has its place in the sandbox, and the options are real ones.
security() { sed -n "/^\.SH $1/,/^\.SH/p" tools/man/memfs-security.7 | sed 's/\\-/-/g'; }
security "THE SANDBOX" >"$work/sandbox"
grep '^\.B' "$work/sandbox" >"$work/bold"
for subcommand in $subcommands; do check "memfs-security(7) tells of $subcommand" grep -qw -- "$subcommand" "$work/bold"; done
check "memfs-security(7) tells of --no-sandbox" grep -q -- --no-sandbox "$work/sandbox"

# ---- libmemfs(3) ----------------------------------------------------------------------

same "libmemfs(3) names every function" <(sort "$BUILD/exports") \
    <(sed -n '/^\.SH FUNCTIONS/,/^\.SH RETURN/p' tools/man/libmemfs.3 | grep -oE 'memfs_[a-z_]+' | sort)
same "libmemfs(3) names every error" <(sed -nE 's/^ *(MEMFS_E[A-Z]+) = .*/\1/p' libmemfs/memfs.h) \
    <(sed -nE 's/^\.B (MEMFS_E[A-Z]+)$/\1/p' tools/man/libmemfs.3)
sed -n '/^\.EX/,/^\.EE/p' tools/man/libmemfs.3 | sed -e '/^\.E/d' -e 's/\\e/\\/g' -e 's/\\-/-/g' >"$work/example.c"
# shellcheck disable=SC2046
check "its example compiles" "$CC" -std=c11 -Wall -Wextra -Wpedantic -Werror -Ilibmemfs -Iformat -o "$work/example" "$work/example.c" \
    "$BUILD/libmemfs.a" $(pkg-config --libs libzstd libxxhash) -pthread
mkdir "$work/tree" && echo hello >"$work/tree/greeting"
same "its example works" <(printf '%8d %s\n' 1 / 6 /greeting) <("$work/example" "$work/tree" "$work/tree.mfs")
check "and says what fails" grep -q "$work/nothing: " <("$work/example" "$work/nothing" "$work/x.mfs" 2>&1)

# ---- Completions ------------------------------------------------------------------------

mkdir "$work/here" "$work/here/photos"
cd "$work/here"
touch notes.txt 'two words.mfs'
mkdir -p tree/sub/deeper "tree/with space"
touch tree/sub/file tree/sub/fine 'tree/$(touch evil)' $'tree/moves\e[2J' "tree/with space/x"
memfs pack -q tree photos.mfs

# The words that a shell offers at the end of a command line, sorted.
cat >"$work/bash" <<'END'
compopt() { :; }
. "$BUILD/completions/memfs.bash"
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_memfs
[ ${#COMPREPLY[@]} = 0 ] || printf '%s\n' "${COMPREPLY[@]}"
END
in_bash() { BUILD=$BUILD bash "$work/bash" "$@" | sort; }
# One fish answers all: it takes long to begin.
coproc fish {
    HOME=$work XDG_CONFIG_HOME=$work XDG_DATA_HOME=$work exec fish --no-config -c "source $BUILD/completions/memfs.fish
        while read -l dir; read -l line; cd \$dir; complete -C \$line </dev/null; echo; end"
}
exec {to_fish}>&"${fish[1]}" {from_fish}<&"${fish[0]}"
in_fish() { # the command line as a text
    local line
    printf '%s\n' "$PWD" "$1" >&"$to_fish"
    while IFS= read -r line <&"$from_fish" && [ "$line" ]; do printf '%s\n' "${line%%$'\t'*}"; done | sort
}
# _arguments' specifications, of which only the option's name, or the whole, is wanted.
cat >"$work/zsh" <<'END'
compdef() { :; }
_arguments() { while [[ $1 == -[sS] ]]; do shift; done; print -rl -- "$@"; }
. $BUILD/completions/memfs.zsh
for subcommand; do _memfs_$subcommand >$WORK/zsh-$subcommand; done
END
# shellcheck disable=SC2086
BUILD=$BUILD WORK=$work zsh -f "$work/zsh" $subcommands

for shell in bash zsh fish; do
    check "$shell takes the completion" "$shell" -n "$BUILD/completions/memfs.$shell"
done
offered() { printf '%s\n' "$@" | sort; }
# shellcheck disable=SC2086
{
    same "bash: subcommands" <(offered $subcommands help --help --version) <(in_bash memfs '')
    same "zsh: subcommands" <(offered $subcommands help) \
        <(sed -n '/^_memfs_subcommands=/,/^)/p' "$BUILD/completions/memfs.zsh" | sed -nE "s/^ *'([a-z]+):.*/\1/p" | sort)
    same "fish: subcommands" <(offered $subcommands help) <(in_fish 'memfs ')
}
choices=0
for subcommand in $subcommands; do
    names "$work/options/$subcommand" >"$work/names"
    same "bash: the options of $subcommand" "$work/names" <(in_bash memfs "$subcommand" -)
    if [ -s "$work/words/$subcommand" ]; then
        grep '^-' "$work/words/$subcommand" | sed 's/ .*//' >"$work/following"
        same "bash: the words of $subcommand" "$work/following" <(in_bash memfs "$subcommand" photos.mfs -)
        sort -u "$work/following" - <"$work/names" >"$work/both"
        mv "$work/both" "$work/names"
    fi
    same "fish: the options of $subcommand" "$work/names" <(in_fish "memfs $subcommand -" | grep '^-')
    same "zsh: the options of $subcommand" "$work/names" \
        <(sed -nE 's/^(\*|\([^)]*\))?(-[A-Za-z0-9-]+).*/\2/p' "$work/zsh-$subcommand" | sort)
    # Arguments of a choice are its words, in all three.
    while read -r option words; do
        choices=$((choices + 1))
        [ "${MEMFS_FULL:-}" ] || [ $((choices % 3)) = 0 ] || continue
        # shellcheck disable=SC2086
        offered ${words//|/ } >"$work/offered"
        echo "$option" >>"$work/choices"
        same "bash: the words of $subcommand $option" "$work/offered" <(in_bash memfs "$subcommand" "$option" '')
        same "bash: the words of $subcommand $option=" "$work/offered" <(in_bash memfs "$subcommand" "$option" = '')
        same "fish: the words of $subcommand $option" "$work/offered" <(in_fish "memfs $subcommand $option ")
        check "zsh: the words of $subcommand $option" grep -qF -- "$option=[" <(grep -F "(${words//|/ })" "$work/zsh-$subcommand")
    done < <(grep ' [a-z]*|' "$work/options/$subcommand" | grep -o -- '--.*')
done
echo "tried  choices of words: $(wc -l <"$work/choices") of $choices"
check "there were choices" test -s "$work/choices"

same "bash: a directory to unpack into" <(offered photos tree) <(in_bash memfs unpack photos.mfs '')
same "bash: an image to list" <(offered photos photos.mfs tree 'two words.mfs') <(in_bash memfs ls '')
same "bash: an image after options" <(offered photos photos.mfs) <(in_bash memfs verify -j 2 --quick ph)
same "bash: nothing for a number" /dev/null <(in_bash memfs verify -j '')
same "bash: help of a subcommand" <(offered verify) <(in_bash memfs help ve)
same "bash: what is in an image" <(offered 'with space/') <(in_bash memfs ls photos.mfs w)
same "bash: a directory in it" <(offered sub/) <(in_bash memfs ls photos.mfs su)
same "bash: what is in that" <(offered sub/file sub/fine) <(in_bash memfs cat photos.mfs sub/fi)
same "bash: names with blanks" <(offered 'with space/x') <(in_bash memfs cat photos.mfs 'with\ space/')
same "bash: in another directory" <(offered sub/) <(cd / && in_bash memfs ls -C "$work/here" photos.mfs su)
same "bash: a name is not run" <(offered '$(touch evil)') <(in_bash memfs cat photos.mfs '$')
check "nor leaves a trace" test ! -e evil
same "bash: nor does it move the cursor" /dev/null <(in_bash memfs cat photos.mfs mo)
mkdir -p odd dashes/-r && touch odd/-rf $'odd/new\nline' odd/new dashes/-r/f dashes/-x .hidden
memfs pack -q dashes dashes.mfs && memfs pack -q odd odd.mfs
same "bash: what begins with a dash is no option" <(offered ./-r ./-x) <(in_bash memfs cat dashes.mfs '')
same "bash: nor below" <(offered ./-r/f) <(in_bash memfs cat dashes.mfs ./-r/)
same "bash: a name with a newline is none in pieces" <(offered ./-rf new) <(in_bash memfs cat odd.mfs '')
same "bash: nor of the host" <(offered ./-rf new) <(cd odd && in_bash memfs pack '' | sort -u)
mv odd dashes odd.mfs dashes.mfs "$work" && rm .hidden
same "bash: no image, no names" /dev/null <(in_bash memfs cat notes.txt '')
same "fish: an image to list" <(offered photos.mfs) <(in_fish 'memfs ls photos.' )
same "fish: what is in an image" <(offered sub/file sub/fine) <(in_fish 'memfs cat photos.mfs sub/fi')
same "fish: a directory in it" <(offered sub/) <(in_fish 'memfs ls photos.mfs su')
same "fish: in another directory" <(offered sub/) <(cd / && in_fish "memfs ls -C $work/here photos.mfs su")
same "fish: names with blanks" <(offered 'with space/x') <(in_fish 'memfs cat photos.mfs with\ space/')
same "fish: no control characters" /dev/null <(in_fish 'memfs cat photos.mfs mo')
same "fish: a directory to unpack into" <(offered photos/) <(in_fish 'memfs unpack photos.mfs ph')
cd "$root"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
