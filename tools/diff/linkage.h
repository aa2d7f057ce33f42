/*
 * Which files of a tree are one file with several names, as far as they have been met.
 */
#ifndef MEMFS_TOOLS_LINKAGE_H
#define MEMFS_TOOLS_LINKAGE_H

#include "memfs.h"
#include "system/buffer.h"

#include <stdint.h>

/* The first name under which a file was met. */
struct linkage_first {
    memfs_node node; /* the file */
    memfs_node dir;  /* where the name is */
    size_t name;     /* where it stands in names */
    uint64_t number; /* of the name, as the caller counts them: from 1 */
    int mark;        /* the caller's; 0 at first */
};

/* Zeroed: none has been met. 40 bytes for each file with several names, the name, and some room. */
struct linkage {
    struct linkage_first *slots; /* by the hash of node; number is 0 where there is none */
    size_t count, room;          /* room: a power of two, or 0 */
    struct buffer names;         /* each with NUL */
};

/* The first name of a file, valid until the next call; if none has been met before, this one becomes that: name, from
 * dir on, of a number. -ENOMEM. */
int linkage_meet(struct linkage *linkage, memfs_node node, memfs_node dir, const char *name, uint64_t number,
                 struct linkage_first **first);
/* The same of a file that perhaps has not been met: NULL. */
struct linkage_first *linkage_find(const struct linkage *linkage, memfs_node node);
void linkage_free(struct linkage *linkage);

#endif
