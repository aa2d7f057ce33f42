/*
 * How much is below a directory.
 */
#ifndef MEMFS_TOOLS_SUBTREE_H
#define MEMFS_TOOLS_SUBTREE_H

#include "diff/side.h"

struct subtree {
    uint64_t entries, files, bytes; /* bytes of the files' contents */
};

/* Counts all that is below a directory. 0 or the library's error; MEMFS_ECORRUPT if it is more than the side can have.
 */
int subtree_count(const struct side *side, memfs_node dir, struct subtree *out);

#endif
