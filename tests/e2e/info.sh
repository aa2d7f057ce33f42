#!/bin/bash
# memfs info: what it tells agrees with what is there, as text, as JSON and as a page.
# INFO_BROWSER=1: the page's part in a browser must not be skipped.
. "$(dirname "$0")/lib.sh"
export TZ=UTC PYTHONDONTWRITEBYTECODE=1

# json FILE EXPRESSION: what a Python expression over the object d in a file comes to. One Python answers all.
coproc json {
    exec python3 -c 'import json, sys
for line in sys.stdin:
    path, expression = line.rstrip("\n").split("\t")
    try:
        with open(path, "rb") as file: d = json.loads(file.read())
        print("is", eval(expression), flush=True)
    except Exception as error:
        print("fails", repr(error), flush=True)'
}
json() {
    local verdict answer
    printf '%s\t%s\n' "$1" "$2" >&"${json[1]}" && read -r verdict answer <&"${json[0]}" && echo "$answer" && [ "$verdict" = is ]
}

# same WHAT ONE OTHER
same() {
    printf '%s\n' "$2" >.one
    printf '%s\n' "$3" >.other
    check "$1" diff .one .other
}

# ---- A tree that is known ------------------------------------------------------------

mkdir -p tree/sub/deep tree/none
head -c 3000000 /dev/urandom >tree/noise.bin
cp tree/noise.bin tree/sub/copy.BIN
yes "one line and another" | head -c 2000000 >tree/sub/text.txt
printf 'x' >tree/sub/deep/x.c
printf 'yy' >tree/sub/deep/.hidden
printf 'zzz' >tree/README
truncate -s 500000 tree/sub/hole.img
ln tree/README tree/sub/again
ln -s README tree/link
mkfifo tree/fifo
"$memfs" pack -q tree tree.mfs || exit 2

expect 0 "" "$memfs" info tree.mfs
cp .out text
check "nodes by type" grep -qx 'nodes        13: 7 files, 4 directories, 1 symbolic link, 1 FIFO' text
check "hard links" grep -qx 'hard links   1 further names of files' text
check "contents" grep -qx 'contents     8500006 bytes (8.1 MiB)' text
check "holes" grep -qE '^holes +499712 bytes|^holes +500000 bytes' text
check "what is shared is the copy" grep -qE '^shared +(2|3)[0-9]{6} bytes \(2\.[0-9] MiB\), [0-9.]+ % of the data$' text
check "the image's size" grep -qE "^image size +$(stat -c %s tree.mfs) bytes" text
check "labels are aligned" test -z "$(grep -vE '^.{12} [^ ]' text)"
check "no more than that without being asked" test "$(wc -l <text)" -lt 22

# Whatever an image has, its root alone is read.
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
    strace -o .trace -P tree.mfs -e trace=pread64 "$memfs" info tree.mfs >/dev/null 2>&1
    check "three reads: header, trailer, root" test "$(grep -c '^pread64(' .trace)" = 3
else
    skip "how much is read" "no strace here"
fi

expect 0 "" "$memfs" info tree.mfs tree.mfs
check "several images, one after the other" cmp <("$memfs" info tree.mfs; echo; "$memfs" info tree.mfs) .out
expect 0 "" "$memfs" info --json tree.mfs tree.mfs
check "--json: one object each" test "$(grep -c '^{"image":"tree.mfs",.*}$' .out)" = 2
expect 4 "^memfs: none.mfs: No such file" "$memfs" info none.mfs tree.mfs
check "one that is not there does not hide the other" grep -q '^image  *tree.mfs$' .out
expect 0 "" "$memfs" info -v tree.mfs
cp .out verbose
check "-v begins with the same" diff text <(head -n "$(wc -l <text)" verbose)
check "-v lists tables" grep -qE '^nodes +1 +' verbose
check "-v has the distribution of blocks" grep -qE '^as they are +[1-9]' verbose
check "and what is compressed far" grep -qE '^0 to 10 % +[1-9][0-9]*  #+$' verbose

expect 0 "" "$memfs" info --largest 4 tree.mfs
tail -n 4 .out >.got
printf '%12s  %s\n' "2.9 MiB" noise.bin "2.9 MiB" sub/copy.BIN "1.9 MiB" sub/text.txt "488.3 KiB" sub/hole.img >.want
cut -c 1-14,29- .got >.sizes
check "--largest lists them in order" diff .want .sizes
check "a copy takes nothing" test "$(cut -c 15-28 .got | sed -n 2p | tr -s " ")" = " 0 bytes "
expect 0 "" "$memfs" info --largest 100 tree.mfs
check "--largest of more than there are" test "$(sed -n '/largest files$/,$p' .out | wc -l)" = 8
expect 0 "" "$memfs" info --extensions 2 tree.mfs
tail -n 3 .out >.got
printf '%12s  %10s  %s\n' "5.7 MiB" 2 .bin "1.9 MiB" 1 .txt "488.3 KiB" 4 "all others" >.want
cut -c 1-14,29- .got >.sizes
check "--extensions sums up, in lower case" diff .want .sizes

# ---- JSON -----------------------------------------------------------------------------

expect 0 "" "$memfs" info --json -v --largest 3 --extensions 10 tree.mfs
cp .out all.json
check "one object, one line" test "$(wc -l <all.json)" = 1
same "types" "$(json all.json 'd["types"]')" \
    "{'files': 7, 'directories': 4, 'symbolic_links': 1, 'fifos': 1, 'sockets': 0, 'character_devices': 0, 'block_devices': 0}"
same "bytes" "$(json all.json 'd["content_bytes"], d["image_bytes"], d["nodes"]')" "(8500006, $(stat -c %s tree.mfs), 13)"
same "every byte of the image belongs somewhere" \
    "$(json all.json 'sum(t["stored_bytes"] for t in d["tables"]) + d["rest_bytes"] - d["image_bytes"]')" 0
same "blocks add up" "$(json all.json 'sum(r["blocks"] for r in d["ratios"]) + d["uncompressed_blocks"] - d["blocks"]')" 0
same "blocks are the data" "$(json all.json '[(t["raw_bytes"], t["stored_bytes"], t["chunks"]) for t in d["tables"] if t["name"] == "blocks"][0] == (d["unique_bytes"], d["stored_bytes"], d["blocks"])')" True
same "the largest" "$(json all.json '[(f["path"], f["size"]) for f in d["largest"]]')" \
    "[('noise.bin', 3000000), ('sub/copy.BIN', 3000000), ('sub/text.txt', 2000000)]"
same "all that is stored is some extension's" "$(json all.json 'sum(e["stored"] for e in d["extensions"]) - d["stored_bytes"]')" 0
same "extensions" "$(json all.json 'sorted((e["extension"], e["files"], e["size"]) for e in d["extensions"])')" \
    "[('', 2, 5), ('bin', 2, 6000000), ('c', 1, 1), ('img', 1, 500000), ('txt', 1, 2000000)]"
expect 0 "" "$memfs" info --json tree.mfs
cp .out few.json
same "only what was asked for" "$(json few.json 'sorted(k for k in ("tables", "largest", "extensions", "ratios") if k in d)')" "[]"
expect 0 "" "$memfs" info --json --progress=json --largest 1 tree.mfs
SOURCE_DATE_EPOCH=86400 "$memfs" pack -qf tree dated.mfs
expect 0 "" "$memfs" info --json dated.mfs
same "the time" "$(json .out 'd.get("time")')" "1970-01-02T00:00:00.000000000Z"
check "from standard input" "$memfs" info - <tree.mfs
piped() { cat tree.mfs | "$memfs" info -v --largest 2 - >.piped; }
check "from a pipe" piped

# ---- Real trees, by other tools --------------------------------------------------------

# kinds DIRECTORY: how many of each type, each inode once, and the bytes of files, as find tells them.
kinds() {
    find "$1" -printf '%y %i %s\n' | sort -u | awk '{ n[$1]++; if ($1 == "f") bytes += $3 }
        END { printf "%d %d %d %d %d %d %d %d\n", n["f"], n["d"], n["l"], n["p"], n["s"], n["c"], n["b"], bytes }'
}
told='" ".join(str(n) for n in list(d["types"].values()) + [d["content_bytes"]])'
"$make_tree" --files 300 --huge 3000000 everything >/dev/null
"$memfs" pack -qf everything everything.mfs
expect 0 "" "$memfs" info --json -v --largest 20 --extensions 20 everything.mfs
same "the tree with everything" "$(json .out "$told")" "$(kinds everything)"
same "all that is stored is somebody's" "$(json .out 'sum(e["stored"] for e in d["extensions"]) - d["stored_bytes"]')" 0
expect 0 "" "$memfs" info --html everything.html everything.mfs

reals=(/usr/include/linux)
[ -z "${MEMFS_FULL:-}" ] && [ -d "${reals[0]}" ] || reals=(/usr/include /usr/share/doc)
echo "tried  real trees: ${reals[*]}"
for real in "${reals[@]}"; do
    [ -d "$real" ] || continue
    "$memfs" pack -qf --keep-going "$real" real.mfs 2>/dev/null
    "$memfs" info --json --largest 50 --extensions 100000 real.mfs >real.json
    # GNU find tells each inode's first name in the order of the image.
    find "$real" -type f -printf '%i %s %P\n' | LC_ALL=C sort -k 3 | awk '!seen[$1]++' >files
    same "$real: types and bytes" "$(json real.json "$told")" "$(kinds "$real")"
    same "$real: the largest sizes" "$(json real.json '[f["size"] for f in d["largest"]]')" \
        "$(sort -rnk 2 files | head -n 50 | awk '{ printf "%s%d", (NR > 1 ? ", " : "["), $2 } END { print "]" }')"
    python3 - files real.json <<'P' >.log 2>&1
import collections, json, re, sys
sums = collections.Counter(), collections.Counter()
for line in open(sys.argv[1], "rb"):
    inode, size, path = line.rstrip(b"\n").split(b" ", 2)
    stem, dot, end = path.rsplit(b"/", 1)[-1].rpartition(b".")
    end = end.decode().lower() if stem and dot and re.fullmatch(rb"[A-Za-z0-9_+-]{1,15}", end) else ""
    sums[0][end] += 1
    sums[1][end] += int(size)
found = {e["extension"]: (e["files"], e["size"]) for e in json.load(open(sys.argv[2]))["extensions"]}
wanted = {end: (sums[0][end], sums[1][end]) for end in sums[0]}
differ = [(end, found.get(end), wanted.get(end)) for end in found.keys() | wanted.keys() if found.get(end) != wanted.get(end)]
print(differ)
sys.exit(bool(differ))
P
    judge "$real: extensions" $? "" .log
done

# ---- Wrong usage ----------------------------------------------------------------------

expect 2 "info: needs IMAGE" "$memfs" info --html page.html
expect 2 "--largest 0: must be from 1 to 100000" "$memfs" info --largest 0 tree.mfs
expect 2 "--largest x: not a number" "$memfs" info --largest x tree.mfs
expect 2 "--extensions 1K: not a number" "$memfs" info --extensions 1K tree.mfs
expect 2 "--html and --json exclude each other" "$memfs" info --html page.html --json tree.mfs
expect 2 "--force is about the FILE of --html" "$memfs" info -f tree.mfs
expect 2 "tree.mfs: is the image itself" "$memfs" info -f --html ./tree.mfs tree.mfs
cp tree.mfs other.mfs && head -c 8 tree.mfs >cut.mfs
expect 2 "other.mfs: is an image, and not replaced" "$memfs" info -f --html other.mfs tree.mfs
expect 2 "other.mfs: is an image, and not replaced" "$memfs" info --html other.mfs tree.mfs
expect 2 "cut.mfs: is an image, and not replaced" "$memfs" info -f --html cut.mfs tree.mfs
check "nor is it" cmp tree.mfs other.mfs
rm -f other.mfs cut.mfs
check "the image is what it was" "$memfs" verify -q tree.mfs
expect 4 "nowhere.mfs: No such file" "$memfs" info --html page.html nowhere.mfs
expect 3 "README: .*not an image" "$memfs" info --html page.html tree/README
expect 4 "none/page.html: No such file" "$memfs" info --html missing/none/page.html tree.mfs
expect 4 "sub: exists and is no regular file" "$memfs" info -f --html tree/sub tree.mfs
expect 4 "'': No such file" "$memfs" info --html "" tree.mfs
expect 4 "missing/: .*Is a directory" "$memfs" info --html missing/ tree.mfs
check "nothing was made" test ! -e page.html

# ---- The page ---------------------------------------------------------------------------

expect 0 "" "$memfs" info --html page.html tree.mfs
check "says nothing" test ! -s .out
check "nothing beside it" test -z "$(find . -maxdepth 1 -name '*.tmp')"
check "its permissions are the umask's" test "$(stat -c %a page.html)" = 644
expect 4 "page.html: exists; -f replaces it" "$memfs" info --html page.html tree.mfs
echo old >old.html && chmod 600 old.html
expect 0 "" "$memfs" info -f --html old.html tree.mfs
check "-f replaces it, and keeps its permissions" test "$(stat -c %a old.html)" = 600
check "the same bytes" cmp page.html old.html
to_standard_output() { "$memfs" info --html - tree.mfs | cmp - page.html; }
check "'-' is standard output" to_standard_output
full() { "$memfs" info --html - tree.mfs >/dev/full; }
expect 4 "standard output: No space left" full
closed() { "$memfs" info --json -v tree.mfs >&-; }
expect 4 "standard output: " closed
reader_gone() { { "$memfs" info --html - tree.mfs || :; } | :; }
run reader_gone
check "a closed pipe is silent" test ! -s .err
limited() { (ulimit -f 10 && "$memfs" info --html big.html tree.mfs); }
expect 4 "big.html: .*File too large" limited
check "no half of a page" test -z "$(find . -maxdepth 1 -name '*big.html*')"
# Interrupted while it reads, slowly.
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
    strace -o /dev/null -e trace=pread64 -e inject=pread64:delay_enter=500000 "$memfs" info --html slow.html everything.mfs 2>.err &
    tracer=$!
    for ((i = 0; i < 500; i++)); do
        [ -z "$(find . -maxdepth 1 -name '.slow.html*.tmp')" ] || break
        sleep 0.02
    done
    check "while it lasts there is a temporary file" test "$i" -lt 500
    same "nobody else may read it" "$(stat -c %a .slow.html*.tmp)" 600
    kill -TERM "$(cat /proc/$tracer/task/$tracer/children)"
    wait "$tracer"
    same "it dies by the signal" $? 143
    check "and leaves nothing behind" test -z "$(find . -maxdepth 1 -name '*slow.html*')"
else
    skip "an interrupt" "no strace here"
fi
check "it stands alone" test -z "$(grep -oE '(src|href)="[^"]*"|url\([^)]*\)|@import|https?://[^" <]*' page.html | grep -v '^href="data:,"$')"

figures() { # page: the figures in it
    python3 -c 'import re, sys
page = open(sys.argv[1], "rb").read().decode()
print(re.search(r"<script type=\"application/json\" id=\"figures\">(.*?)</script>", page, re.S)[1])' "$1"
}
figures page.html >page.json
same "the page's figures are those of --json" "$(json page.json '{k: v for k, v in d.items() if k not in ("memfs", "tree", "largest", "extensions")}')" \
    "$(json all.json '{k: v for k, v in d.items() if k not in ("largest", "extensions")}')"
same "its tree is the whole" "$(json page.json 'd["tree"][0]["s"], d["tree"][0]["f"], len(d["tree"])')" "(8500006, 9, 13)"

# Names that want to be something else.
mkdir -p evil/'<b>bold'
mkdir evil/'<' # a path of two names
printf 1 >evil/'</script><img src=x onerror="pwned = 1">'
printf 1 >evil/'<script>pwned = 1<!--'
printf 22 >evil/'<img src=x onerror="pwned = 1">'
printf 333 >evil/'"quoted'"'"'& &lt; \u003c'
printf 4444 >evil/$'bidi\342\200\256txt.exe'
printf 55555 >evil/$'not\377utf\303\251'
printf 666666 >evil/$'new\nline\ttab'
printf 7 >evil/'<b>bold'/'<!--<script>'
printf 88 >evil/'${pwned = 1}`'
"$memfs" pack -q evil
cp evil.mfs '<script>pwned = 1<!--.mfs'
expect 0 "" "$memfs" info --html evil.html '<script>pwned = 1<!--.mfs'
check "no name ends the element it is in" test "$(grep -o '<script\|</script\|<!--' evil.html | sort | uniq -c | tr -s ' \n' ' ')" = " 2 </script 2 <script "
figures evil.html >evil.json
same "names come as they are" \
    "$(json evil.json 'sorted(ascii(r.get("n") or r["n_base64"]) for r in d["tree"][1:])')" \
    "$(python3 -c 'import base64, os
def name(entry):
    try: return entry.decode()
    except UnicodeDecodeError: return base64.b64encode(entry).decode()
print(sorted(ascii(name(e)) for top, dirs, files in os.walk(b"evil") for e in dirs + files))')"

# An empty image; one that lies or is damaged.
mkdir nothing
"$memfs" pack -q nothing
expect 0 "" "$memfs" info -v --largest 5 --extensions 5 nothing.mfs
expect 0 "" "$memfs" info --html nothing.html nothing.mfs
cp tree.mfs damaged.mfs
# The tables stand behind the header of 64 bytes, and the contents.
size=$(stat -c %s damaged.mfs)
rest=$(json all.json 'd["image_bytes"] - d["stored_bytes"]')
printf '\377\377\377\377' | dd of=damaged.mfs bs=1 seek=$((size - rest + 64 + 10)) conv=notrunc status=none
expect 0 "" "$memfs" info damaged.mfs
expect 3 "damaged.mfs: .*checksum.*verify" "$memfs" info --largest 3 damaged.mfs
check "what is known is shown" grep -q '^contents ' .out
expect 3 "damaged.mfs: .*checksum" "$memfs" info --json --largest 3 damaged.mfs
check "in an object that is whole" json .out 'd["nodes"]'
expect 3 "damaged.mfs: .*checksum" "$memfs" info --html damaged.html damaged.mfs
check "there is no page of it" test -z "$(find . -maxdepth 1 -name '*damaged.html*')"

# Images of an enemy: whatever they are, an answer, and a message where it is not all well.
odd=0
for image in "$tests"/../fuzz/seeds/*; do
    for how in "-v --largest 9 --extensions 9" "--json -v --largest 9" "--html odd.html -f"; do
        turn 4 "seeds of the fuzzer, in three ways" || continue # four and three: each way has its turn
        # shellcheck disable=SC2086
        run timeout 20 "$memfs" info $how "$image"
        [ "$status" = 0 ] && [ ! -s .err ] || { [ "$status" = 3 ] && [ -s .err ]; } || { odd=1 && echo "$image: $how: $status" && cat .err; }
    done
done >.odd
judge "seeds of the fuzzer" "$odd" "" .odd

# More files than a page shows: what it leaves out is counted.
many() { # files
    python3 -c 'import os, sys
n = int(sys.argv[1])
for i in range(n):
    path = "many/%d/%d" % (i % 7, i % 101)
    if i < 707: os.makedirs(path, exist_ok=True)
    with open(path + "/f%d.x%d" % (i, i % 3), "w") as file: file.write("x" * (i % 1000))' "$1"
}
count=20000 # so many that nodes have to go before the end
[ ! "${MEMFS_FAST:-}" ] || count=9000
many $count
"$memfs" pack -q many
expect 0 "" "$memfs" info --html many.html many.mfs
check "a page of many files is no larger than 1 MB" test "$(stat -c %s many.html)" -lt 1000000
figures many.html >many.json
"$memfs" du -a --json --stored many.mfs >many.du
same "5,000 nodes" "$(json many.json 'len(d["tree"])')" 5000
python3 - many.json <<'P' >.log 2>&1
import json, sys
tree = json.load(open(sys.argv[1]))["tree"]
# Each directory is what is in it: its nodes and the others.
for key, others in ("s", "os"), ("t", "ot"), ("f", "of"):
    sums = [row.get(others, 0) for row in tree]
    for i, row in enumerate(tree[1:], 1):
        assert row["p"] < i
        sums[row["p"]] += row[key]
    for row, sum_ in zip(tree, sums):
        if "d" in row:
            assert row[key] == sum_, (row, sum_)
# And they are the heaviest of all that du tells of: by their shares of bytes, stored bytes and files together.
rows = [(d["bytes"], d["stored"], d["files"]) for d in map(json.loads, open("many.du"))]
whole = [max(column) for column in zip(*rows)]
share = lambda row: row[1] / whole[1] + row[0] / whole[0] + row[2] / whole[2]
want = sorted(map(share, rows), reverse=True)[:5000]
got = sorted((share((r["s"], r["t"], r["f"])) for r in tree), reverse=True)
assert len(rows) > 9000 and len(got) == 5000
assert all(abs(a - b) < 1e-12 for a, b in zip(want, got)), [(a, b) for a, b in zip(want, got) if a != b][:5]
P
judge "they are the heaviest, and sums are right" $? "" .log

# Many directories in one another.
python3 -c 'import os
os.mkdir("deep"); os.chdir("deep")
for i in range(600): os.mkdir("d" * 10); os.chdir("d" * 10)
open("end", "w").write("x" * 10000)'
"$memfs" pack -q deep
expect 0 "" "$memfs" info --largest 1 --html deep.html deep.mfs
figures deep.html >deep.json
same "a deep file has its path" "$(json deep.json 'd["largest"][0]["path"].count("/")')" 600

# ---- In a browser -------------------------------------------------------------------------

in_browser() { # page, width, height, scheme
    ! turn 4 "pages in a browser" || check "in a browser: $1, $2 x $3, $4" python3 "$tests/e2e/browser.py" "$@"
}
if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then
    in_browser many.html 1600 1000 light
    in_browser many.html 390 844 dark
    in_browser page.html 390 844 light
    in_browser evil.html 1600 1000 dark
elif [ "${INFO_BROWSER:-}" ]; then
    check "there are chromium and chromedriver" false
else
    echo "!!!!!! THE PAGE WAS NOT LOOKED AT: 'make check-browser' installs a browser, and does" >&2
    skip "the page in a browser" "no chromium and chromedriver here; 'make check-browser' installs them"
fi
done_testing
