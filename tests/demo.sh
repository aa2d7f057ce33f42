#!/bin/bash
# make demo: a real tree goes into an image and comes out again. Environment: BUILD.
set -eu
cd "$(dirname "$0")/.."
BUILD=${BUILD:-$PWD/build}
demo=$BUILD/demo
PATH=$BUILD:$PATH
export LC_ALL=C

tree=/usr/include
[ "$(find "$tree" -type f 2>/dev/null | head -n 100 | wc -l)" = 100 ] || tree=$PWD # hardly anything installed: this source
rm -rf "$demo"
mkdir -p "$demo"
if [ "$tree" = "$PWD" ]; then # but without what grows meanwhile
    mkdir "$demo/source"
    cp -a libmemfs format tools tests fuzz Makefile "$demo/source/"
    tree=$demo/source
fi
cd "$demo"

step() { printf '\n# %s\n' "$1"; }
show() { # runs a command that it shows
    echo "\$ $*"
    "$@"
}
timed() {
    local begin=$EPOCHREALTIME
    show "$@"
    awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { printf "  %.2f s\n", b - a }'
}
# Every attribute that memfs keeps for anyone, one node a line. A directory's size
# is its filesystem's own affair.
attributes() {
    find "$1" -mindepth 1 \( -type d -printf '%P %y %m %T@\n' \) -o -printf '%P %y %m %n %s %T@ %l\n' | sort
}

step "$tree becomes an image"
timed memfs pack -q "$tree" demo.mfs
files=$(find "$tree" -type f | wc -l)
raw=$(find "$tree" -type f -printf '%s\n' | awk '{ sum += $1 } END { printf "%d", sum }')
packed=$(stat -c %s demo.mfs)
awk -v n="$files" -v raw="$raw" -v packed="$packed" \
    'BEGIN { printf "  %d files, %.1f MB of contents: an image of %.1f MB (%.1f %%)\n", n, raw / 1e6, packed / 1e6, 100 * packed / raw }'

step "What is in it"
show memfs info demo.mfs
echo "\$ memfs ls -l demo.mfs | head -n 5"
memfs ls -l demo.mfs >listing
head -n 5 listing
memfs ls -R demo.mfs >listing
echo "  (memfs ls -R has $(wc -l <listing) lines)"

step "One file, straight from the image"
file=$(cd "$tree" && find . -type f -size +1k -printf '%P\n' | sort | head -n 1)
echo "\$ memfs cat demo.mfs $file | head -n 3"
memfs cat demo.mfs "$file" >one
head -n 3 one
cmp one "$tree/$file"
echo "  the same as $tree/$file"

step "Is it whole?"
timed memfs verify demo.mfs

step "Out again"
timed memfs unpack -q --same-modes demo.mfs unpacked

step "Does anything differ?"
show diff -r --no-dereference "$tree" unpacked
attributes "$tree" >attributes.tree
attributes unpacked >attributes.unpacked
diff attributes.tree attributes.unpacked
echo "  Nothing: contents, types, modes, links, sizes and times of $(wc -l <attributes.tree) names are the same."
rm -rf unpacked listing one
