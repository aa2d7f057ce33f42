/*
 * What `memfs diff` writes about pairs that differ, and how many there were.
 */
#ifndef MEMFS_TOOLS_DIFF_REPORT_H
#define MEMFS_TOOLS_DIFF_REPORT_H

#include "diff/difference.h"
#include "list/subtree.h"

enum diff_form {
    DIFF_LINES,   /* a line for each, with all that differs */
    DIFF_BRIEF,   /* with the path alone */
    DIFF_STAT,    /* only counts, at the end */
    DIFF_UNIFIED, /* lines, and texts by diff(1) */
    DIFF_JSON
};

struct diff_report {
    struct compare *compare;
    enum diff_form form;
    int json;     /* the counts as JSON too */
    int brief;    /* JSON with paths alone */
    int detailed; /* what is below a directory that only one side has is told by itself */
    int colors;
    uint64_t context;             /* lines, for DIFF_UNIFIED */
    int code;                     /* EXIT_INCOMPLETE once something was told */
    struct difference difference; /* of the pair that is told of */
    int more;                     /* of the line that is being written: something stands there */
    struct subtree one_sided[2];  /* removed, added: entries, and files and their bytes among them */
    uint64_t changed, same;
    uint64_t kinds[DIFFERENCE_KINDS];
    uint64_t bytes[2]; /* of files whose contents differ */
};

/* Each is told of in order. Nonzero: standard output has failed, or nothing more can be done. */
int diff_report_one_sided(struct diff_report *report, const struct pair *pair);
int diff_report_changed(struct diff_report *report, const struct pair *pair, const struct comparison *comparison);
void diff_report_same(struct diff_report *report);
void diff_report_end(struct diff_report *report);
void diff_report_free(struct diff_report *report);

#endif
