/*
 * Extended attributes. A set is a run of records that never changes: changing
 * an attribute makes a new set. Sets of the base may be shared, our own have
 * one node each; names and values that stay are handed from set to set.
 */
#ifndef MEMFS_XATTR_H
#define MEMFS_XATTR_H

#include "node.h"

#define XATTR_ACL_ACCESS "system.posix_acl_access"
#define XATTR_ACL_DEFAULT "system.posix_acl_default"
#define XATTR_CAPABILITY "security.capability"

int xattr_begins_with(const char *name, size_t length, const char *prefix);
/* Which hosts give and take from root, or mean something by. */
int xattr_is_privileged(const char *name, size_t length);

/* ---- Reach ---- */

/* The value: 0 with *value and *size (valid during the operation), -ENODATA, OP_MISS,
 * MEMFS_ECORRUPT. */
int xattr_find(struct op *op, const struct memfs_node_record *node, const char *name, const char **value, size_t *size);

/* A walk over a node's set. Sets come from images: a walk ends, and what it shows
 * is in order and in bounds, or it fails with MEMFS_ECORRUPT. */
struct xattr_cursor {
    uint32_t next;      /* 1 + the next record; 0: at the end */
    size_t names_bytes; /* of all names so far, with NULs */
    const char *name;   /* of the last record; no NUL follows */
    size_t name_length;
};
struct xattr_cursor xattr_cursor(const struct memfs_node_record *node);
/* 1 with *out and the cursor's name, 0 at the end, or an error. */
int xattr_next(struct op *op, struct xattr_cursor *cursor, const struct memfs_xattr **out);

/* A change of one attribute. */
struct xattr_edit {
    const char *name;
    const void *value; /* NULL: remove it, if it is there */
    size_t size;
};
#define XATTR_EDITS_MAX 3

/* A new set, prepared, or none. Prepared in one try of reach; whoever then
 * fails, or is to try again, cancels it. */
struct xattr_plan {
    int active;
    struct xattr_item *items; /* of the new set; temporary memory */
    size_t count, room;
    struct memfs_xattr dropped[XATTR_EDITS_MAX]; /* names and values of the old set that go; lengths of 0: stay */
    size_t dropped_count;
};

/* None. */
static inline void xattr_plan_init(struct xattr_plan *plan)
{
    plan->active = 0;
    plan->items = NULL;
    plan->count = plan->room = plan->dropped_count = 0;
}

/* The node's set after some edits, in order of their names, which differ, at
 * most XATTR_EDITS_MAX. node NULL: on an empty set. -ENOSPC, -ENOMEM, ... */
int xattr_reach_edit(struct op *op, const struct memfs_node_record *node, const struct xattr_edit *edits, size_t count,
                     struct xattr_plan *plan);

/* The node's set with one attribute set, or removed for value NULL. flags:
 * MEMFS_XATTR_CREATE (-EEXIST), MEMFS_XATTR_REPLACE (-ENODATA). */
int xattr_reach_set(struct op *op, const struct memfs_node_record *node, const char *name, const void *value,
                    size_t size, uint32_t flags, struct xattr_plan *plan);
void xattr_cancel(memfs *fs, struct xattr_plan *plan); /* frees what is prepared, if anything */

/* ---- Commit ---- */
/* Gives the node (owned) the prepared set, freeing its old one. With none the node keeps what it has. */
void xattr_replace(memfs *fs, struct memfs_node_record *node, struct xattr_plan *plan);
void xattr_free(memfs *fs, struct memfs_node_record *node);

/* ---- Takes its own operation ---- */

/* Names and values of a node's attributes together, of privileged ones only if they are asked for. */
int memfs_node_xattr_bytes(memfs *fs, memfs_node node, int privileged, uint64_t *bytes);

#endif
