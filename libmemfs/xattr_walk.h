/*
 * A walk over a node's attributes, in the order of their names, for who reads them all: each step goes on
 * where the last one ended, and is an operation of its own.
 */
#ifndef MEMFS_XATTR_WALK_H
#define MEMFS_XATTR_WALK_H

#include "xattr.h"

struct memfs_xattr_walk {
    char name[MEMFS_NAME_MAX + 1]; /* of the last step, with NUL */
    size_t name_length;
    /* Where it stands, which holds as long as nobody has changed the filesystem. */
    memfs *fs;
    memfs_node node;
    uint64_t changes;
    struct xattr_cursor cursor;
    struct memfs_xattr record;
};

/* node must be known as long; nothing is to be freed. */
void memfs_xattr_walk_begin(struct memfs_xattr_walk *walk, memfs *fs, memfs_node node);

/* 1 with the next name, 0 at the end, or an error, after which the same step can be tried again. Of a set
 * that is changed meanwhile, what comes behind the last name in the order of names. */
int memfs_xattr_walk_next(struct memfs_xattr_walk *walk);

/* The value of the last step's: its bytes, of which there are at most MEMFS_XATTR_MAX. memfs_node_getxattr()'s
 * errors; the walk may go on. */
int64_t memfs_xattr_walk_value(const struct memfs_xattr_walk *walk, void *buffer);

#endif
