#!/bin/bash
# Small images of which very much could be made: budgets stop it and say so, before the first
# write where that can be known; and what is much but legal takes little memory.
. "$(dirname "$0")/lib.sh"

many=1000000
[ -z "${MEMFS_FAST:-}" ] || many=50000
check "make them" "$BUILD/tests/damage/make_bombs" . "$many" "$many"
mkdir small && echo hello >small/file && "$memfs" pack -q small || exit

# ---- One-byte extents, alternating over blocks of 16 MiB --------------------------------
# A terabyte and more would have to be decoded: the default stops it, too, but takes longer.
few=(--max-decoded 512M)
spent="^memfs: alternating.mfs: file: to read this, more than 512.0 MiB would have to be decompressed; --max-decoded gives more$"
expect 4 "$spent" "$memfs" cat "${few[@]}" alternating.mfs file
mkdir same
LC_ALL=C awk -v n="$many" 'BEGIN { for (i = 0; i < n; i++) printf "%c", (16777215 - i % 1000) % 251 + 1 }' >same/file
check "some came before" test "$(stat -c %s .out)" -gt 20 -a "$(stat -c %s .out)" -lt 50
check "and is right" cmp -n "$(stat -c %s .out)" .out same/file
expect 4 "$spent" "$memfs" hash "${few[@]}" alternating.mfs
expect 4 "$spent" "$memfs" unpack "${few[@]}" alternating.mfs new
check "nothing is left" test ! -e new
expect 4 "$spent" "$memfs" diff "${few[@]}" alternating.mfs same
expect 1 "what has to be decoded .*--max-decoded" "$memfs" verify "${few[@]}" alternating.mfs
for command in "ls -l" "find -size +1k" "du" "tree"; do
    read -ra words <<<"$command"
    run "$memfs" "${words[0]}" alternating.mfs "${words[@]:1}"
    check "${words[0]} does not read contents" test "$status" = 0 -a ! -s .err
done
# By default the limit is 16 GiB, which takes seconds to reach: cat does, with MEMFS_FULL the others as well.
if [ -z "${MEMFS_FAST:-}" ]; then
    expect 4 "alternating.mfs: file: to read this, more than 1[67].* GiB would .*--max-decoded" "$memfs" cat alternating.mfs file
fi
if [ -n "${MEMFS_FULL:-}" ]; then
    expect 1 "what has to be decoded exceeds the limit of 1[6-9][0-9]{9} bytes.*--max-decoded" "$memfs" verify alternating.mfs
    expect 4 "alternating.mfs: file: to read this, more than 1[67].* GiB would .*--max-decoded" "$memfs" unpack alternating.mfs new
    check "nothing is left" test ! -e new
    echo "tried  subcommands up to the limit by default: 3 of 3"
else
    echo "tried  subcommands up to the limit by default: $([ "${MEMFS_FAST:-}" ] && echo 0 || echo 1) of 3"
fi
# Tables count, too.
expect 4 "small.mfs: .*more than 100 bytes would have to be decompressed" "$memfs" ls -l --max-decoded 100 small.mfs
expect 0 "" "$memfs" ls -l --max-decoded 64K small.mfs
for value in 0 x -1 ""; do expect 2 "cat: --max-decoded" "$memfs" cat --max-decoded "$value" small.mfs file; done
expect 2 "unknown option '--max-decoded'" "$memfs" pack --max-decoded 1 small

# ---- A gibibyte of zeros from 37 KB -------------------------------------------------------
limited() { (ulimit -v 400000 && exec "$@"); }
count() { limited "$memfs" cat zeros.mfs file | wc -c; }
[ -z "${SANITIZE:-}" ] || limited() { "$@"; }
check "the image is small" test "$(stat -c %s zeros.mfs)" -lt 50000
check "a gibibyte through a pipe, in 400 MB of address space" test "$(count)" = 1073741824
expect 4 "^memfs: zeros.mfs: has 1.0 GiB of contents, and --max-bytes is 1023M; nothing was made" "$memfs" unpack --max-bytes 1023M zeros.mfs new
expect 4 "more than 1023.0 MiB would have to be decompressed" "$memfs" unpack --max-decoded 1023M zeros.mfs new
check "nothing is left" test ! -e new
expect 1 "the data of all files .*--max-bytes" "$memfs" verify --max-bytes 1023M zeros.mfs

# ---- Deep --------------------------------------------------------------------------------------
expect 4 "^memfs: deep.mfs: [^:]*\.\.\.: lies more than 4096 directories deep; --max-depth=N allows N" "$memfs" unpack deep.mfs new
check "nothing is made" test ! -e new
expect 0 "" "$memfs" find deep.mfs -maxdepth 2
check "find stops where it is told to" test "$(wc -l <.out)" = 3

done_testing
