/*
 * A directory of an image and what is below it, one entry after the other, without
 * recursion: what is still to be visited lies on a stack. Not a memfs_walk_steps(), which tells of one entry at a
 * time: ls shows a directory whole and in an order of its own before it goes into the first one below, and tree has
 * to know of each entry whether it is the last that is shown.
 */
#ifndef MEMFS_TOOLS_DESCENT_H
#define MEMFS_TOOLS_DESCENT_H

#include "list/directory.h"
#include "system/input.h"

/* Zeroed but for the first three. */
struct descent {
    memfs *fs;
    uint64_t entries;   /* that the image has */
    uint64_t depth_max; /* of directories, in steps from the root */

    struct buffer path;         /* of what is visited, with a NUL behind */
    size_t depth;               /* of that: 0 where it began, */
    uint64_t start_depth;       /* which lies so deep, if it is a directory */
    struct directory directory; /* that was read last */
    uint64_t listed;            /* entries read since the start */
    struct buffer stack;        /* of what is pending */
    struct buffer names;        /* theirs */
};

/* Starts at path, and what is there. 0, -ENOMEM or the library's error; MEMFS_ELIMIT for a directory that lies deeper
 * than depth_max. */
int descent_start(struct descent *descent, const char *path, const struct memfs_stat *stat);

/* Reads a directory, which path leads to. 0 or the library's error. Nothing is pending any more after
 * MEMFS_ECORRUPT for directories that claim the same entries, to which there would hardly be an end. */
int descent_read(struct descent *descent, memfs_node node, int with_stat);

/* A row of that directory is to be visited, before all that were pushed till now. 0 or -ENOMEM. */
int descent_push(struct descent *descent, const struct directory_row *row, int last);

/* What is visited next. Its name is the last component of path. */
struct descent_entry {
    struct memfs_stat stat;
    size_t name_length;
    int last; /* as it was pushed with */
};

/* 1, or 0 if there is none, or -ENOMEM, or MEMFS_ELIMIT for a directory that lies deeper than depth_max, and is where
 * path leads. */
int descent_next(struct descent *descent, struct descent_entry *entry);

void descent_free(struct descent *descent);

#endif
