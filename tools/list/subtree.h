/*
 * How much is below a directory.
 */
#ifndef MEMFS_TOOLS_SUBTREE_H
#define MEMFS_TOOLS_SUBTREE_H

#include "memfs.h"

struct subtree {
    uint64_t entries, files, bytes; /* bytes of the files' contents */
};

/* Counts all that is below a directory, however deep, whatever symbolic links a path to it goes by. 0, -ENOMEM or
 * the library's error. */
int subtree_count(memfs *fs, memfs_node dir, struct subtree *out);

#endif
