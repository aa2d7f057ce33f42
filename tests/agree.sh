#!/bin/bash
# memfs ls -l, find, du and hash say of a whole tree what ls, find, du and sha256sum say of it: of a sample
# (MEMFS_FAST), else of every tenth directory of /usr/share, or all of it (MEMFS_FULL), and of the generated tree with
# everything, and how much that was. AGREE_TREES names other directories.
. "$(dirname "$0")/e2e/lib.sh"
export TZ=UTC

# same WHAT [LEAST]: .want and .got have the same lines, and at least so many (default: 1).
same() {
    { [ "$(wc -l <.want)" -ge "${2:-1}" ] || echo "too few lines"; diff -a .want .got | head -n 20; } >.log
    judge_log "$1: $(wc -l <.want) lines" "$1"
}

# The same words for both; the order is that of bytes.
finds() { # directory, words...
    local dir=$1
    shift
    (cd "$dir" && find . "$@" -print0) | sort -z | tr '\0' '\n' >.want
    "$memfs" find image.mfs . "$@" -print0 | sort -z | tr '\0' '\n' >.got
    same "find $*" $(($# == 0))
}

agree() { # directory
    local dir=$1 depth
    check "pack $dir ($(find "$dir" -printf x | wc -c) entries)" "$memfs" pack -qf "$dir" image.mfs
    (cd "$dir" && LC_ALL=C ls -lAR --time-style=long-iso . 2>/dev/null) | squeezed >.want
    LC_ALL=C "$memfs" ls -lAR image.mfs . | squeezed >.got
    same "ls -lAR"
    finds "$dir"
    finds "$dir" -type f -size +3k -name '*[a-m]*'
    finds "$dir" \( -type l -o -perm /111 \) ! -type d
    finds "$dir" -links +1 ! -type d -o -empty -type f -o -newer .
    finds "$dir" -mindepth 2 -maxdepth 4 -type d -path '*/[a-f]*'
    (cd "$dir" && find . -type f -print0 | xargs -0 sha256sum) | sed -E 's/^(\\?[0-9a-f]+  )\.\//\1/' | sort >.want
    "$memfs" hash image.mfs | sort >.got
    same "hash"
    # Names with newlines are no lines of du, and hard links count where GNU's order meets them first: as one sum.
    if [ "$(find "$dir" \( -name $'*\n*' -o -links +1 ! -type d \) -print -quit)" ]; then
        skip "du -a of $dir" "it has names with newlines, or hard links"
        (cd "$dir" && gnu_du -s .) >.want
    else
        (cd "$dir" && gnu_du -a .) >.want
        "$memfs" du -a image.mfs . | sort -t$'\t' -k2 >.got
        same "du -a"
        sed -n '/\t\.$/p' .want >.sum && mv .sum .want
    fi
    "$memfs" du -s image.mfs . >.got
    same "du -s"
}

trees=(/usr/share "$work/tree")
files=2000
if [ -n "${AGREE_TREES:-}" ]; then
    read -ra trees <<<"$AGREE_TREES"
elif [ -n "${MEMFS_FAST:-}" ]; then
    trees=(/usr/share/doc/base-files /usr/share/perl5 "$work/tree")
    files=100
elif [ -z "${MEMFS_FULL:-}" ]; then
    mkdir share
    for dir in /usr/share/*/; do
        turn 10 "directories of /usr/share" || continue
        cp -a "$dir" share || exit 2
    done
    trees=("$work/share" "$work/tree")
    files=200
fi
"$make_tree" --files $files --huge 1000000 tree >/dev/null || exit 2
rm -rf tree/beyond-path-max # where ls and find do not go
for tree in "${trees[@]}"; do
    if [ -d "$tree" ]; then agree "$tree"; else skip "$tree" "it is not there"; fi
done

done_testing
