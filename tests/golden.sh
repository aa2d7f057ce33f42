#!/bin/bash
# The golden images (tests/golden/make.sh made them): memfs and a second reader
# that was written from FORMAT.md alone (tests/reader.py) find them intact, and
# the same in them, which is what was found when they were made. What is packed
# again of it lists the same. The example in FORMAT.md is what it says.
#
# Environment: BUILD, MEMFS_FAST, MEMFS_FULL, PYTHON. The last line is "N passed, N failed".
set -u
. "$(dirname "$0")/e2e/lib.sh"
golden=$tests/golden
# Debian's packages are Debian's python's, which need not be the first in PATH.
for python in ${PYTHON:-python3 /usr/bin/python3}; do
    ! "$python" -c 'import xxhash, zstandard' 2>/dev/null || break
done
export PYTHON=$python PYTHONDONTWRITEBYTECODE=1
reader() { "$python" "$tests/reader.py" "$@"; }
listing() { if [ -f "$2/$1.txt" ]; then cat "$2/$1.txt"; else gzip -dc "$2/$1.txt.gz"; fi; }
expected() { listing "$1" "$golden"; }
plain_listings() { [ -f "$golden/$1.txt" ] && [ -f "$2/$1.txt" ]; }
# Owners are restored by root only.
fields() { if [ "$root" ]; then cat; else awk '{ $3 = $4 = "-" } 1'; fi; }
lists_as() { # name, directory with its listing
    if plain_listings "$@"; then diff "$golden/$1.txt" "$2/$1.txt"; else diff <(expected "$1") <(listing "$1" "$2"); fi
}
lists_but_owners_as() { if [ "$root" ]; then lists_as "$@"; else diff <(expected "$1" | fields) <(listing "$1" "$2" | fields); fi; }
unpack() { "$memfs" unpack -q ${root:+--all} --same-modes "$1" "$2"; }
same_trees() { if [ "$root" ]; then compare "$1" "$2"; else compare --unprivileged "$1" "$2"; fi; }

# What this host's files cannot have is no fault of an image's. Most filesystems on disks have not all times.
shm=$(mktemp -d -p /dev/shm 2>/dev/null) || shm=$work
trap 'rm -rf "$shm"; finish' EXIT
can_times() { touch -d @-9223372036.854775808 "$shm/probe" && [ "$(stat -c %.9Y "$shm/probe")" = -9223372036.854775808 ]; }
can_xattr() { : >probe && setfattr -n "$1.t" -v 1 probe 2>/dev/null; }
cannot() { # name: sets why
    case $1 in
    types | hard-links) [ "$root" ] || why="devices are root's" ;;
    xattrs) { can_xattr user && can_xattr trusted; } || why="attributes of all kinds are not to be had here" ;;
    many-xattrs) can_xattr user || why="attributes are not to be had here" ;;
    times) can_times || why="the filesystem has not all times" ;;
    *) false ;;
    esac
    [ -n "$why" ]
}

# Two images, of 9,000 files and of 136 MiB, are a half of the work: they go out and in, and are made anew, in make check-full.
is_tried() { [ "${MEMFS_FULL:-}" ] || [[ $1 != @(many|height-2) ]]; } # name
images=0
trip() { # name: out by both readers, and in again
    local place=$work
    [ "$1" != times ] || place=$shm
    check "$1: memfs unpacks it" unpack "$golden/$1.mfs" "$place/a"
    check "$1: it is the same as what the second reader extracts" same_trees "$place/a" "$place/second/$1"
    check "$1: packed again" "$memfs" pack -q "$place/a" "again/$1.mfs"
    chmod -R u+rwx "$place/a"
    rm -rf "$place/a"
}

mkdir -p listed again/listed second "$shm/second"
check "the second reader lists them" "$python" "$golden/check.py" list listed "$golden"/*.mfs
check "memfs finds them intact" "$memfs" verify -q "$golden"/*.mfs
trips=() extracted=() timed=()
for image in "$golden"/*.mfs; do
    name=${image##*/} why=
    name=${name%.mfs}
    images=$((images + 1))
    check "$name: the second reader lists what it did" lists_as "$name" listed
    is_tried "$name" || continue
    if cannot "$name"; then
        skip "$name: out and in" "$why"
        continue
    fi
    trips+=("$name")
    if [ "$name" = times ]; then timed+=("$image"); else extracted+=("$image"); fi
done
check "the second reader extracts them" "$python" "$golden/check.py" extract "$work/second" "${extracted[@]}"
[ ${#timed[@]} = 0 ] || check "and what has all times" "$python" "$golden/check.py" extract "$shm/second" "${timed[@]}"
for name in "${trips[@]}"; do trip "$name"; done
check "what was packed again is intact" "$memfs" verify -q again/*.mfs

echo "tried  out and in: ${#trips[@]} of $images images"
check "the second reader lists what was packed again" "$python" "$golden/check.py" list again/listed again/*.mfs
for image in again/*.mfs; do
    name=${image##*/} name=${name%.mfs}
    check "$name: packed again, it lists the same" lists_but_owners_as "$name" again/listed
done
short_enough() { [ "$(wc -l <"$tests/reader.py")" -le 300 ] && ! grep -nE '^.{121}' "$tests/reader.py"; }
check "the second reader has at most 300 lines, of at most 120 characters" short_enough
check "every kind of column, codec and height is in some image" "$python" "$golden/check.py" kinds "$golden"/*.mfs
check "FORMAT.md: its example is one-file.mfs, byte by byte" "$python" "$golden/check.py" example "$tests/../format/FORMAT.md" "$golden/one-file.mfs"
check "the second reader notices any byte that was changed, and an end that is missing" "$python" "$golden/check.py" damage "$golden/one-file.mfs"
check "names that lead outside are refused" "$python" "$golden/check.py" names "$memfs" "$golden/one-file.mfs"
count=60
[ -z "${MEMFS_FULL:-}" ] || count=600
check "of $count changed images memfs finds intact what the second reader does" \
    "$python" "$golden/check.py" agree "$memfs" "$count" "$golden"/*.mfs
head -c 500 "$golden/one-file.mfs" >cut.mfs
run reader list cut.mfs
check "the second reader refuses its first 500 bytes" test "$status" = 3

if [ -n "${MEMFS_FAST:-}" ]; then
    skip "make.sh" "takes longer"
elif [ "$root" ] && can_xattr user && can_xattr trusted && can_times; then
    mkdir made
    names=() wanted=()
    for image in "$golden"/*.mfs; do
        name=${image##*/} name=${name%.mfs}
        ! is_tried "$name" || ! turn 2 "images made anew" || names+=("$name")
    done
    [ "${MEMFS_FULL:-}" ] || wanted=("${names[@]}") # else all that it knows
    check "make.sh makes them" "$golden/make.sh" made "${wanted[@]}"
    check "none is missing, none is new" diff <(printf '%s.mfs\n' "${names[@]}") <(cd made && ls -- *.mfs)
    for image in made/*.mfs; do
        name=${image##*/} name=${name%.mfs}
        # Whoever made it had the second reader list it.
        check "$name: made anew, it lists the same" lists_as "$name" made
    done
else
    skip "make.sh" "not root, or not all attributes and times are to be had here"
fi
done_testing
