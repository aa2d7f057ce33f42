/*
 * What went wrong in a part of an export, to be told when its turn has come:
 * problems, as far as one may go on after them, and the error that ended it.
 * So the caller is told in path order, by his own thread, whoever works.
 */
#ifndef MEMFS_HOST_EXPORT_TOLD_H
#define MEMFS_HOST_EXPORT_TOLD_H

#include "host_tree.h"
#include "rows.h"

#define MEMFS_TOLD_TEXT 160 /* bytes of a text, with NUL */

struct memfs_told_problem {
    enum memfs_problem_kind kind;
    int error; /* 0: left out by an option */
    uint32_t directory;
    int has_name;
    uint64_t name, text; /* in bytes, with NUL */
};

struct memfs_export_told {
    uint64_t number;            /* of the part: the order in which they are told */
    struct memfs_rows problems; /* struct memfs_told_problem */
    struct memfs_rows bytes;
    int owner_told;
    int error; /* that ended it, or 0 */
    uint32_t directory;
    int has_name;
    char name[MEMFS_NAME_MAX + 1];
    char text[MEMFS_TOLD_TEXT];
};

void memfs_export_told_init(struct memfs_export_told *told, const struct memfs_allocator *allocator);
void memfs_export_told_clear(struct memfs_export_told *told); /* frees, and is empty */

/* name may be NULL. -ENOMEM. */
int memfs_export_told_note(struct memfs_export_told *told, enum memfs_problem_kind kind, uint32_t directory,
                           const char *name, int error, const char *text);
/* Notes the error that ends it, unless there is one; returns error. Needs no memory. */
int memfs_export_told_fail(struct memfs_export_told *told, uint32_t directory, const char *name, int error,
                           const char *text);

/* Tells all that was noted; 0, or the error with which the export is to fail.
 * owner_told: whether it has been told that owners are left out. */
int memfs_export_told_tell(struct memfs_export_told *told, const struct memfs_host_report *report, int *owner_told);

#endif
