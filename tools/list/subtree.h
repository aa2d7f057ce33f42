/*
 * How much is below a directory.
 */
#ifndef MEMFS_TOOLS_SUBTREE_H
#define MEMFS_TOOLS_SUBTREE_H

#include "memfs.h"

struct subtree {
    uint64_t entries, files, bytes; /* bytes of the files' contents */
};

/* Counts all that is below a directory, however deep. 0 or the library's error. */
int subtree_count(memfs *fs, const char *path, struct subtree *out);

#endif
