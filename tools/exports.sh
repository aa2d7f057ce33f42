#!/bin/sh
# Prints the functions that public headers declare, sorted: tools/exports.sh HEADER...
set -eu

for header; do
    # As C, comments and macros gone; then declarations at file scope that are
    # neither types nor definitions.
    "${CC:-cc}" -std=c11 -E -P -Ilibmemfs -Iformat "$header" | awk '
        { text = text " " $0 }
        END {
            depth = 0
            statement = ""
            for (i = 1; i <= length(text); i++) {
                c = substr(text, i, 1)
                if (c == "{")
                    depth++
                if (depth == 0 && c != ";")
                    statement = statement c
                if (c == "}" && --depth == 0 && statement ~ /\)[ ]*$/)
                    statement = "" # a function with its body
                if (c == ";" && depth == 0) {
                    if (statement !~ /^ *typedef / && match(statement, /memfs_[a-z0-9_]+ *\(/)) {
                        name = substr(statement, RSTART, RLENGTH - 1)
                        sub(/ +$/, "", name)
                        print name
                    }
                    statement = ""
                }
            }
        }'
done | sort -u
