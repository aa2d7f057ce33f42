#!/bin/bash
# The programs of tests/examples/, which users would copy: compiled as they would, against
# the public headers and the library, and run.
#
# Environment: BUILD, CC. The last line is "N passed, N failed".
set -eu
cd "$(dirname "$0")/.."
BUILD=${BUILD:-$PWD/build} CC=${CC:-gcc}
export LC_ALL=C
umask 022
PATH=$BUILD:$PATH
work=$(mktemp -d)
server=
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || :
    rm -rf "$work"
}
trap finish EXIT

passed=0 failed=0
check() { # what, command
    local status=0
    "${@:2}" >"$work/log" 2>&1 </dev/null || status=$?
    if [ "$status" = 0 ]; then
        passed=$((passed + 1))
        echo "ok   $1"
    else
        failed=$((failed + 1))
        echo "FAIL $1 (exit code $status)"
        head -n 40 "$work/log" | sed 's/^/     | /'
    fi
}
contains() { # pattern, file
    grep -qE -- "$1" "$2" || { cat "$2" && return 1; }
}

# Only the public headers are there to be found.
mkdir "$work/include"
cp libmemfs/memfs.h libmemfs/memfs_host.h format/memfs_image.h "$work/include"
compile() { # name, flags
    # shellcheck disable=SC2046
    check "$1.c compiles" "$CC" -std=c11 -D_POSIX_C_SOURCE=200809L -O1 -g -Wall -Wextra -Wpedantic -Wshadow -Wconversion \
        -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror -I"$work/include" "${@:2}" -o "$work/$1" "tests/examples/$1.c" \
        "$BUILD/libmemfs.a" $(pkg-config --libs libzstd libxxhash) $([ "$1" != web ] || pkg-config --cflags --libs libmicrohttpd) -pthread
    check "$1.c has fewer than 200 lines" test "$(wc -l <"tests/examples/$1.c")" -lt 200
}

# ---- A site -------------------------------------------------------------------------

site=$work/site
mkdir -p "$site/docs/a b" "$site/empty"
echo '<h1>Home</h1>' >"$site/index.html"
echo '<h1>Docs</h1>' >"$site/docs/index.html"
echo 'with blanks' >"$site/docs/a b/index.html"
echo 'body { color: teal }' >"$site/style.css"
: >"$site/nothing.txt"
seq 400000 >"$site/numbers.txt"
ln -s style.css "$site/theme.css"
ln -s ../../../../../../etc/passwd "$site/passwd"
mkfifo "$site/pipe"
memfs pack -q --block 64K "$site" "$work/site.mfs"

# ---- web.c --------------------------------------------------------------------------

compile web
"$work/web" "$work/site.mfs" >"$work/url" 2>"$work/web.err" &
server=$!
for _ in {1..100}; do
    [ ! -s "$work/url" ] || break
    sleep 0.05
done
check "web: says where it is" contains '^http://localhost:[0-9]+/$' "$work/url"
url=$(cat "$work/url")
# fetch PATH OPTION...: the body in $work/body, the header in $work/header; prints the status.
fetch() { curl -s --max-time 20 --path-as-is -o "$work/body" -D "$work/header" -w '%{http_code}' "${@:2}" "$url$1"; }
gets() { # status, path, file or "", options
    local got
    rm -f "$work/body"
    got=$(fetch "$2" "${@:4}")
    [ "$got" = "$1" ] || { echo "$got" && return 1; }
    [ -z "$3" ] || cmp "$3" "$work/body"
}
sends() { # pattern of a line of the last header
    tr -d '\r' <"$work/header" | grep -qixE -- "$1" || { cat "$work/header" && return 1; }
}
etag() { tr -d '\r' <"$work/header" | sed -nE 's/^etag: //Ip'; }
part() { tail -c "+$(($1 + 1))" "$site/numbers.txt" | head -c "$2"; }
size=$(stat -c %s "$site/numbers.txt")

check "web: a file" gets 200 style.css "$site/style.css"
check "web: its type" sends 'content-type: text/css'
check "web: its size" sends "content-length: $(stat -c %s "$site/style.css")"
tag=$(etag)
check "web: an index" gets 200 '' "$site/index.html"
check "web: an index below" gets 200 docs/ "$site/docs/index.html"
check "web: a directory has a slash" gets 301 docs ""
check "web: and says so" sends 'location: \./.*/'
check "web: which leads there" gets 200 docs/a%20b "$site/docs/a b/index.html" -L
check "web: a link" gets 200 theme.css "$site/style.css"
check "web: equal files have equal tags" test "$(etag)" = "$tag"
check "web: an empty file" gets 200 nothing.txt "$site/nothing.txt"
check "web: a large file" gets 200 numbers.txt "$site/numbers.txt"
for path in none empty/ pipe passwd ../../../../etc/passwd docs/none style.css/x; do
    check "web: 404 for $path" gets 404 "$path" ""
done
check "web: POST is not allowed" gets 405 style.css "" -d x
check "web: HEAD" gets 200 numbers.txt "" --head
check "web: with the size" sends "content-length: $size"

check "web: the first bytes" gets 206 numbers.txt <(part 0 100) -r 0-99
check "web: says which" sends "content-range: bytes 0-99/$size"
check "web: some in the middle" gets 206 numbers.txt <(part 65000 70000) -r 65000-134999
check "web: the last bytes" gets 206 numbers.txt <(tail -c 500 "$site/numbers.txt") -r -500
check "web: from somewhere on" gets 206 numbers.txt <(part 100000 "$size") -r 100000-
check "web: beyond the end" gets 206 numbers.txt <(part 2000000 "$size") -r 2000000-999999999
check "web: more than all" gets 206 numbers.txt "$site/numbers.txt" -r -999999999
check "web: outside" gets 416 numbers.txt "" -r "$size-"
check "web: says how much there is" sends "content-range: bytes \*/$size"
check "web: none" gets 416 numbers.txt "" -r -0
check "web: nothing of an empty file" gets 416 nothing.txt "" -r 0-
for range in x=0-1 bytes=1 bytes=5-2 bytes=0-1,3-4; do
    check "web: all for '$range'" gets 200 style.css "$site/style.css" -H "Range: $range"
done

check "web: not modified" gets 304 style.css "" -H "If-None-Match: $tag"
check "web: nor one of several" gets 304 style.css "" -H "If-None-Match: \"x\", $tag"
check "web: nor any" gets 304 style.css "" -H 'If-None-Match: *'
check "web: modified" gets 200 style.css "$site/style.css" -H 'If-None-Match: "x"'
check "web: a range of what has not changed" gets 206 style.css <(head -c 4 "$site/style.css") -r 0-3 -H "If-Range: $tag"
check "web: all of what has" gets 200 style.css "$site/style.css" -r 0-3 -H 'If-Range: "x"'
many() { # files at once
    local pids=() pid
    for _ in {1..8}; do
        curl -s --max-time 20 "$url/numbers.txt" | cmp - "$site/numbers.txt" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid" || return 1; done
}
check "web: many at once" many
kill "$server"
status=0
wait "$server" || status=$?
server=
check "web: served until it was ended" test "$status" = $((128 + 15))
check "web: had nothing to complain of" test ! -s "$work/web.err"
check "web: refuses what is no image" eval '! "$work/web" "$site/style.css"'

# ---- fixture.c ----------------------------------------------------------------------

compile fixture
check "fixture: runs" "$work/fixture"
cp "$work/log" "$work/fixture.out"
check "fixture: a thousand tests" contains '^1000 tests, each on its own: [0-9.]+ microseconds' "$work/fixture.out"
check "fixture: isolated" contains '^none saw another' "$work/fixture.out"
# One that is not isolated is noticed: all tests share one filesystem.
sed 's/&kept\[i\]) != 0/\&kept[i]) != 0 || (kept[i] = kept[0], 0)/' tests/examples/fixture.c >"$work/shared.c"
# shellcheck disable=SC2046
"$CC" -I"$work/include" -D_POSIX_C_SOURCE=200809L -o "$work/shared" "$work/shared.c" "$BUILD/libmemfs.a" $(pkg-config --libs libzstd libxxhash) -pthread
check "fixture: and it would notice" eval '! "$work/shared"'

# ---- embed.c ------------------------------------------------------------------------

compile embed -DIMAGE="\"$work/site.mfs\""
rm "$work/site.mfs"
check "embed: lists" "$work/embed"
cp "$work/log" "$work/embed.out"
check "embed: all of it" test "$(wc -l <"$work/embed.out")" = "$(find "$site" | wc -l)"
check "embed: sizes and paths" contains "^ *$size /numbers\.txt$" "$work/embed.out"
check "embed: contents" cmp <(cat "$site/docs/a b/index.html" "$site/numbers.txt") <("$work/embed" 'docs/a b/index.html' numbers.txt)
check "embed: what is not there" eval '! "$work/embed" none'
check "embed: what cannot be written" eval '! "$work/embed" numbers.txt >/dev/full'
check "embed: a list that cannot be written" eval '! "$work/embed" >/dev/full'

# ---- stranger.c -----------------------------------------------------------------------

compile stranger
stranger() { (umask 077 && "$work/stranger" "$@"); }
refuses() { # pattern, image
    ! stranger "$2" "$work/inbox" 2>"$work/stranger.err" || return
    contains "$1" "$work/stranger.err" && [ ! -e "$work/inbox" ]
}
mkdir -p "$work/small/a/b" && echo text >"$work/small/a/b/file"
truncate -s 1T "$work/small/hole"
memfs pack -q "$work/small" "$work/small.mfs"
check "stranger: takes what is small" stranger "$work/small.mfs" "$work/inbox"
cp "$work/log" "$work/stranger.out"
check "stranger: all of it" contains '^4 entries$' "$work/stranger.out"
check "stranger: with its contents" cmp "$work/small/a/b/file" "$work/inbox/a/b/file"
check "stranger: holes cost nothing" test "$(stat -c %s "$work/inbox/hole")" = $((1 << 40))
rm -r "$work/inbox"
mkdir "$work/many" && (cd "$work/many" && seq 10001 | xargs touch)
memfs pack -q "$work/many" "$work/many.mfs"
check "stranger: not too many" refuses 'many.mfs: ' "$work/many.mfs"
mkdir -p "$work/deep/$(printf 'd/%.0s' {1..66})"
memfs pack -q "$work/deep" "$work/deep.mfs"
check "stranger: not too deep" refuses 'deep.mfs: ' "$work/deep.mfs"
mkdir "$work/large" && head -c 68000000 /dev/zero | tr '\0' x >"$work/large/x"
memfs pack -q "$work/large" "$work/large.mfs"
check "stranger: not too large" refuses 'large.mfs: .*quota' "$work/large.mfs"
check "stranger: no image" refuses 'not an image' "$work/small/a/b/file"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
