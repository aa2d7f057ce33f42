/*
 * Strings and sets of attributes that are stored once, in the order of their first use, for who makes
 * the tables XATTRS and BLOBS: scanning and freezing.
 */
#ifndef MEMFS_INTERN_H
#define MEMFS_INTERN_H

#include "records.h"
#include "rows.h"

struct memfs_intern_table {
    uint64_t *slots; /* 0: free */
    size_t used, room;
};

struct memfs_intern {
    struct memfs_rows *blobs, *xattrs; /* bytes; struct memfs_xattr */
    uint64_t secret;                   /* of the hashes: who chooses strings cannot foresee where they meet */
    struct memfs_intern_table strings, sets;
};

/* The rows must live as long, and nobody else adds to them. Nothing is allocated yet. */
void memfs_intern_begin(struct memfs_intern *intern, struct memfs_rows *blobs, struct memfs_rows *xattrs);
void memfs_intern_end(struct memfs_intern *intern); /* leaves the rows; one that is all zeros is accepted */

/* Where 1 to MEMFS_BLOB_BYTES bytes stand, now if not before. -ENOMEM, MEMFS_ELIMIT. */
int memfs_intern_string(struct memfs_intern *intern, const void *bytes, size_t length, uint64_t *offset);

/* Where a set of at least one record stands, as in memfs_node_record.xattrs. Its strings have been interned, so that
 * sets are equal if their records are; unused fields are zero, and `last` is marked here. The same. */
int memfs_intern_set(struct memfs_intern *intern, struct memfs_xattr *set, size_t count, uint32_t *xattrs);

#endif
