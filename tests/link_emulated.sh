#!/bin/sh
# Links a program for another machine, and lets an emulator run it under its name:
# tests/link_emulated.sh EMULATOR COMPILER... -o PROGRAM ... . Libraries are only linked.
set -eu
emulator=$1
shift
"$@"
library=
program=
for word; do
    [ "$word" != -shared ] || library=1
    [ "${before:-}" != -o ] || program=$word
    before=$word
done
[ -z "$library" ] || exit 0
mv "$program" "$program.elf"
printf '#!/bin/sh\nexec %s -0 "$0" "$0.elf" "$@"\n' "$emulator" >"$program"
chmod +x "$program"
