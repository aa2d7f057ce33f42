#!/bin/bash
# What each subcommand writes, and its help.
. "$(dirname "$0")/lib.sh"
export TZ=UTC

# says TEXT COMMAND...: writes exactly that, and exits with 0.
says() {
    local text=$1
    shift
    run "$@"
    { [ "$status" = 0 ] || { echo "exit code $status" && cat "$work/.err"; }; holds "$work/.out" "$text"; } >"$work/.log"
    judge_log "${*//$BUILD\//}" "$*"
}

mkdir -p small/sub/deeper small/empty
printf 'hello\n' >small/hello
printf '12345' >small/sub/five
printf 'x' >small/sub/deeper/x
ln -s sub/five small/link
ln -s nowhere small/dangling
ln small/hello small/sub/again
mkfifo small/fifo
chmod 4755 small/hello
chmod 1777 small/sub
chmod 644 small/sub/five small/sub/deeper/x small/fifo
[ ! "$root" ] || chown -hR 12:345 small
[ ! "$root" ] || chmod 4755 small/hello
find small -exec touch -h -d '2001-02-03 04:05:06' '{}' +
own="12 345"
[ "$root" ] || own="$(id -u) $(id -g)"

says "" "$memfs" pack small
check "pack makes small.mfs" test -f small.mfs
says 'dangling
empty
fifo
hello
link
sub
' "$memfs" ls small.mfs
says 'again
deeper
five
' "$memfs" ls small.mfs sub
says 'again
deeper
five
' "$memfs" ls small.mfs /sub/
says 'hello
sub/five

sub/deeper:
x
' "$memfs" ls small.mfs sub/five sub/deeper hello
says "lrwxrwxrwx 1 $own 7 2001-02-03 04:05 dangling -> nowhere
drwxr-xr-x 2 $own 0 2001-02-03 04:05 empty
prw-r--r-- 1 $own 0 2001-02-03 04:05 fifo
-rwsr-xr-x 2 $own 6 2001-02-03 04:05 hello
lrwxrwxrwx 1 $own 8 2001-02-03 04:05 link -> sub/five
drwxrwxrwt 3 $own 3 2001-02-03 04:05 sub
" "$memfs" ls -n small.mfs
says '/:
dangling
empty
fifo
hello
link
sub

/empty:

/sub:
again
deeper
five

/sub/deeper:
x
' "$memfs" ls -R small.mfs
says "sub:
-rwsr-xr-x 2 $own 6 2001-02-03 04:05 again
drwxr-xr-x 2 $own 1 2001-02-03 04:05 deeper
-rw-r--r-- 1 $own 5 2001-02-03 04:05 five

sub/deeper:
-rw-r--r-- 1 $own 1 2001-02-03 04:05 x
" "$memfs" ls small.mfs -nR sub
says 'link
' "$memfs" ls small.mfs link
says "lrwxrwxrwx 1 $own 8 2001-02-03 04:05 link -> sub/five
" "$memfs" ls -n small.mfs link
says 'dangling
' "$memfs" ls small.mfs dangling
says 'hello
' "$memfs" cat small.mfs hello
says 'hello
12345x' "$memfs" cat small.mfs hello link -- sub/deeper/../deeper/x
says '' "$memfs" ls small.mfs empty
cp small.mfs ./-odd
says 'hello
' "$memfs" cat -- -odd hello
says 'hello
' "$memfs" cat ./-odd hello
run "$memfs" info small.mfs
check "info counts" grep -q '^nodes  *9: 3 files, 4 directories, 2 symbolic links, 1 FIFO$\|^nodes  *10: 3 files, 4 directories, 2 symbolic links, 1 FIFO$' .out
check "info counts names too" grep -qE '^entries +[0-9]+$' .out
check "info says no features" grep -q '^features  *none$' .out
says 'small.mfs: intact (3 files, 12 bytes)
' "$memfs" verify small.mfs
says 'small.mfs: intact (3 files, 12 bytes)
-odd: intact (3 files, 12 bytes)
' "$memfs" verify small.mfs -- -odd
says 'small.mfs: all checksums are right
' "$memfs" verify --quick small.mfs
says '' "$memfs" verify -q small.mfs

# Names of images and directories.
says '' "$memfs" pack -f small/
mkdir -p place && cd place || exit 2
says '' "$memfs" pack ../small/.
check "the image of 'small/.' is small.mfs" only . small.mfs
says '' "$memfs" pack ../small/sub/..  other.mfs
says '' "$memfs" unpack -q other.mfs
says '' "$memfs" unpack -q ./small.mfs
check "other.mfs goes into other" only . small.mfs other.mfs other small
cd ..
rm -rf place
says '' "$memfs" pack small new.mfs
expect 4 "new.mfs: .*exists; -f replaces it if it is an image$" "$memfs" pack small new.mfs
says '' "$memfs" pack -f small new.mfs
check "the same bytes" cmp small.mfs new.mfs
check "the image's permissions are the umask's" test "$(stat -c %a new.mfs)" = 644
chmod 4600 new.mfs
says '' "$memfs" pack -f small new.mfs
check "-f keeps the permissions of what it replaces" test "$(stat -c %a new.mfs)" = 600
says '' "$memfs" pack -f --block 64k small new.mfs
hidden() { (umask 077 && "$memfs" pack small hidden.mfs); }
check "pack with umask 077" hidden
check "an image of secret files is secret" test "$(stat -c %a hidden.mfs)" = 600
mkdir nothing && touch nothing/empty
says '' "$memfs" pack nothing
run "$memfs" info nothing.mfs
check "info shows no ratio of nothing" test "$status" = 0 -a -z "$(grep ^ratio .out)"

# Into directories with something in them.
mkdir into && echo mine >into/other
expect 4 "into: .*not empty.*--into" "$memfs" unpack small.mfs into
check "it is untouched" only into other
says '' "$memfs" unpack -q --into small.mfs into
check "--into adds" test "$(cat into/other into/sub/five | tr -d '\n')" = mine12345
expect 4 "into|exists" "$memfs" unpack -q --into small.mfs into
check "a second time changes nothing" test "$(cat into/other into/sub/five | tr -d '\n')" = mine12345
mkdir -m 711 fresh
says '' "$memfs" unpack -q small.mfs fresh
check "an empty directory will do" test -f fresh/sub/five
check "it keeps its mode and gets a time of its own" test "$(stat -c %a fresh) $(stat -c %Y fresh)" != "711 981173106" -a "$(stat -c %a fresh)" = 711
if [ "$root" ]; then
    mkdir -m 711 exact
    says '' "$memfs" unpack -q --all small.mfs exact
    check "--all makes it the image's" test "$(stat -c '%a %u %Y' exact)" = "755 12 981173106"
    mkdir -m 711 exact-into && touch exact-into/mine
    says '' "$memfs" unpack -q --into --all small.mfs exact-into
    check "also with --into" test "$(stat -c '%a %u %Y' exact-into)" = "755 12 981173106" -a -e exact-into/mine
    mkdir -m 711 kept && touch kept/mine
    says '' "$memfs" unpack -q --into --same-owner --same-modes small.mfs kept
    check "without --all it keeps its own" test "$(stat -c '%a %u' kept)" = "711 0"
fi
check "--same-modes" "$memfs" unpack -q --same-modes small.mfs modes
check "modes are as they were" test "$(stat -c %a modes/sub)" = 1777
masked() { (umask 027 && "$memfs" unpack -q small.mfs masked); }
check "unpack with umask 027" masked
check "modes lose what the umask says" test "$(stat -c %a masked masked/sub masked/sub/five | tr '\n' ' ')" = "750 1750 640 "

# Budgets.
expect 4 "^memfs: small.mfs: has 12 bytes of contents, and --max-bytes is 11; nothing was made" "$memfs" unpack --max-bytes 11 small.mfs budget
expect 4 "^memfs: small.mfs: has [0-9]* entries, and --max-entries is 5; nothing was made" "$memfs" unpack --max-entries 5 small.mfs budget
check "nothing is left" test ! -e budget
says '' "$memfs" unpack -q --max-bytes 1K --max-entries 100 small.mfs budget

# Names on a terminal and in a pipe.
mkdir odd && touch odd/$'new\nline' odd/$'\033[31mred' odd/$'caf\303\251' odd/$'bad\377' odd/$'\342\200\256txt' odd/'a\b'
"$memfs" pack odd
says $'\033[31mred\na\\b\nbad\377\ncaf\303\251\nnew\nline\n\342\200\256txt\n' "$memfs" ls odd.mfs
if script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
    script -qec "$memfs ls -1 odd.mfs" .typescript >.tty 2>&1 </dev/null
    tr -d '\r' <.tty >.out
    printf '\\033[31mred\na\\\\b\nbad\\377\ncaf\303\251\nnew\\nline\n\\342\\200\\256txt\n' >.want
    check "names are escaped on a terminal" diff .want .out
    script -qec "$memfs pack odd -" .typescript >.tty 2>&1 </dev/null
    check "no image on a terminal" grep -q "not for a terminal" .tty
    script -qec "$memfs ls -" .typescript >.tty 2>&1 </dev/null
    check "no image from a terminal" grep -q "terminal" .tty
else
    skip "names on a terminal" "no pseudo-terminal is to be had"
fi

# Help.
run "$memfs" --version
check "--version" grep -qx 'memfs [0-9.]*' .out
"$memfs" --help >.help
for help in "help" "help help" "help --help" "-h" "--help help"; do
    # shellcheck disable=SC2086
    run "$memfs" $help
    check "$help: the list" cmp .help .out
done
run "$memfs"
check "no subcommand: wrong usage" test "$status" = 2
for command in $("$memfs" help | awk '/^  [a-z]/ && !/^  memfs/ { print $1 }'); do
    run "$memfs" "$command" --help
    cp .out .help
    check "$command --help" test "$status" = 0 -a ! -s .err
    check "fits 100 columns" test -z "$(awk 'length > 100' .help)"
    run "$memfs" help "$command"
    check "help $command is the same" cmp .help .out
    if grep -q '^  -h, --help' .help; then # a command may need the letter for something else
        run "$memfs" "$command" -h
        check "$command -h is the same" cmp .help .out
    fi
    check "memfs --help has it" grep -q "^  $command " <("$memfs" --help)
done
exits='1 different, or incomplete (something named was not there, or was left out)'
"$memfs" --help >.help
check "the exit codes are in --help" grep -qF "$exits" .help
check "and in the README, in the same words" grep -qF "$exits" "$tests/../README.md"

# ---- Symbolic links that are named ------------------------------------------------------------------
mkdir -p named/dir && echo x >named/dir/file && ln -s dir named/to-dir && ln -s dir/file named/to-file && "$memfs" pack -q named
goes() { # WHAT CONTENT COMMAND...: the lines that it prints, in one
    run "${@:3}"
    check "$1: ${*:4}" test "$(sed 's/^[0-9a-f]\{64\}  //; s/\t/ /' .out | tr '\n' ' ')" = "$2 "
}
goes "goes there" file "$memfs" ls named.mfs to-dir
goes "takes the link" to-dir@ "$memfs" ls -F named.mfs to-dir
goes "takes the link" to-dir "$memfs" ls -d named.mfs to-dir
goes "takes the link" to-file "$memfs" ls named.mfs to-file
goes "goes there" "to-dir \`-- file  1 directory, 1 file" env LC_ALL=C "$memfs" tree named.mfs to-dir
goes "goes there" x "$memfs" cat named.mfs to-file
goes "goes there" to-file "$memfs" hash named.mfs to-file
goes "goes there" dir/file "$memfs" hash named.mfs to-dir
goes "takes the link" to-dir "$memfs" find named.mfs to-dir
goes "takes the link" "3 to-dir" "$memfs" du named.mfs to-dir
goes "takes the link" "to-dir" "$memfs" unpack -n --only to-dir named.mfs other
mkdir -p changed/dir && ln -s dir changed/to-dir && ln -s dir/file changed/to-file && touch -hd @0 named/to-dir changed/to-dir && "$memfs" pack -fq named && "$memfs" pack -q changed
run "$memfs" diff named.mfs changed.mfs to-dir
check "takes the link: diff" test "$status" = 0
run "$memfs" diff named.mfs changed.mfs to-dir/
check "with a slash: diff goes there" test "$status" = 1
mkdir -p without && "$memfs" pack -q without
for path in dir/ to-dir/; do
    goes "with a slash, on one side only" '{"path":"'${path%/}'","change":"removed","type":"directory","below":1}' "$memfs" diff --json named.mfs without.mfs $path
    run "$memfs" diff --stat named.mfs without.mfs $path
    check "with a slash: diff --stat counts what is below $path" grep -q '1 file' .out
done
goes "with a slash" "to-dir/ to-dir/file" "$memfs" find named.mfs to-dir/
goes "with a slash" "2 to-dir/" "$memfs" du named.mfs to-dir/
goes "with a slash" file "$memfs" ls -F named.mfs to-dir/

done_testing
