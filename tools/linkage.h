/*
 * Which files of a tree are one file with several names, as far as they have been met.
 */
#ifndef MEMFS_TOOLS_LINKAGE_H
#define MEMFS_TOOLS_LINKAGE_H

#include "memfs.h"

#include <stddef.h>

/* The first name under which a file was met. */
struct linkage_first {
    memfs_node node; /* the file */
    memfs_node dir;  /* where the name is */
    uint64_t number; /* of the name, as the caller counts them */
};

/* Zeroed: none has been met. 24 bytes for each file with several names, and some room. */
struct linkage {
    struct linkage_first *slots; /* by the hash of node, which is 0 where there is none */
    size_t count, room;          /* room: a power of two, or 0 */
};

/* The first name of a file; if it has not been met before, this one becomes that. -ENOMEM. */
int linkage_meet(struct linkage *linkage, const struct linkage_first *name, struct linkage_first *first);
void linkage_free(struct linkage *linkage);

#endif
