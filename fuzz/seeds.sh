# shellcheck shell=bash
# Sourced: with which inputs fuzzing begins, and how large they become.

# Bytes of an input at most: small ones are run sooner. Decisions and text need fewer than images.
max_len() { # target
    if grep -q 'fuzz_kind = FUZZ_BYTES' "fuzz/$1.c"; then echo 1024; else echo 16384; fi
}

# Copies the seeds of a target, and what it once found, into a corpus.
seed() { # target, corpus
    local file most
    most=$(max_len "$1")
    for file in fuzz/seeds/*.mfs fuzz/seeds/"$1"/* fuzz/regressions/"$1"/*; do
        [ ! -f "$file" ] || [ "$(stat -c %s "$file")" -gt "$most" ] || cp "$file" "$2/seed-${file##*/}"
    done
}

# libFuzzer's option for the dictionary of a target, if it has one.
dictionary() { # target
    [ ! -f "fuzz/$1.dict" ] || echo "-dict=fuzz/$1.dict"
}
