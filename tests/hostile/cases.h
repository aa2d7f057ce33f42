/*
 * The table of hostile images and what is to become of each.
 */
#ifndef CASES_H
#define CASES_H

#include "bases.h"
#include "edits.h"

/* What each of the steps does, a letter each:
 *   info ls find cat verify diff hash tree du unpack   the commands, by exit code
 *   walk read export                                   the library: 0, or 3 for an image's error, 4 for another
 * 1 of diff is a difference that it shows; "." is any of 0, 1, 3 and 4. */
#define STEPS 13
#define COMMANDS 10

struct hostile_case {
    unsigned kind; /* the class in the list of what has gone wrong, 1 to 66 */
    const char *name;
    enum base base;
    const char *changes; /* fields.h; NULL: none */
    edit_fn *edit;       /* called when records have been changed; NULL: none */
    int error;           /* of opening or of verifying; 0: harmless */
    const char *finding; /* a part of what is said; for harmless ones, what it means */
    const char *steps;
    /* The same when checksums are left as they were. */
    int raw_error;
    const char *raw_steps;
};

extern const struct hostile_case hostile_cases[];
extern const size_t hostile_cases_count;

/* "header", "root and tables", ... */
const char *hostile_kind(unsigned kind);

#endif
