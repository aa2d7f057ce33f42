/*
 * What the tables XATTRS and BLOBS will hold: link targets and extended
 * attributes of all nodes, in the order of their first use. Equal strings are
 * stored once, and so are equal sets of attributes.
 */
#ifndef MEMFS_ATTRIBUTES_H
#define MEMFS_ATTRIBUTES_H

#include "intern.h"
#include "order.h"
#include "records.h"

struct memfs_attributes {
    struct memfs_freezing *job;
    struct memfs_rows blobs;  /* bytes */
    struct memfs_rows xattrs; /* struct memfs_xattr */
    struct memfs_intern intern;
    char *value; /* of the node that is being asked */
    struct memfs_xattr *set;
    size_t set_count, set_room;
};

void memfs_attributes_begin(struct memfs_attributes *attributes, struct memfs_freezing *job);
void memfs_attributes_end(struct memfs_attributes *attributes); /* one that is all zeros is accepted */

/* Asks every node of the order, and writes into it where its target and its
 * attributes stand. Errors of reading, -ENOMEM, MEMFS_ELIMIT. */
int memfs_attributes_gather(struct memfs_attributes *attributes, struct memfs_order *order);

#endif
