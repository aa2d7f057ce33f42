/*
 * The order of an image: which number each node gets, and the entries of all
 * directories. Depth first: visiting a directory puts down its entries, sorted
 * by the bytes of their names, and numbers those children that have no number
 * yet; then its subdirectories are visited in that order.
 */
#ifndef MEMFS_ORDER_H
#define MEMFS_ORDER_H

#include "entries.h"
#include "freeze.h"
#include "rows.h"

/* What is remembered of a node; in pieces of 32 bits, since it is remembered of each. */
struct memfs_order_node {
    uint32_t number, generation; /* its handle in the filesystem */
    union {
        struct {
            uint32_t first, count;
        } run; /* directory: its entries; file: its extents */
        struct {
            uint32_t low, high;
        } target; /* symbolic link: offset in BLOBS */
    };
    union {
        struct {
            uint32_t parent, entry;
        } up; /* directory */
        struct {
            uint32_t low, high;
        } digest; /* file */
    };
    uint32_t nlink;
    uint32_t xattrs; /* as in the record */
    uint8_t type;    /* mode >> 12 */
    uint8_t dropped; /* 1: its contents could not be had, and it is left out */
    uint8_t reserved[2];
};

struct memfs_order {
    struct memfs_freezing *job;
    struct memfs_rows nodes; /* struct memfs_order_node by new number; 0 is not used */
    struct memfs_entries entries;
};

#define MEMFS_TYPE(mode) ((uint8_t)(((mode)&MEMFS_IFMT) >> 12))

void memfs_order_begin(struct memfs_order *order, struct memfs_freezing *job);
void memfs_order_end(struct memfs_order *order); /* one that is all zeros is accepted */

/* Walks the whole filesystem. Errors of reading, -ENOMEM, -ECANCELED;
 * MEMFS_ELIMIT; MEMFS_ECORRUPT for a directory with two ways in. */
int memfs_order_walk(struct memfs_order *order);

static inline struct memfs_order_node *memfs_order_at(const struct memfs_order *order, uint64_t number)
{
    return memfs_rows_at(&order->nodes, number);
}

static inline memfs_node memfs_order_handle(const struct memfs_order_node *node)
{
    return (uint64_t)node->generation << 32 | node->number;
}

static inline uint64_t memfs_order_digest(const struct memfs_order_node *node)
{
    return (uint64_t)node->digest.high << 32 | node->digest.low;
}

/* The directory visited after one; 0 after the last. */
uint32_t memfs_order_next_directory(const struct memfs_order *order, uint32_t directory);

/* The path by way of an entry of a directory, relative to the root, with NUL.
 * To be freed, *size bytes; NULL: no memory. */
char *memfs_order_path(const struct memfs_order *order, uint32_t directory, uint32_t entry, size_t *size);

/* Takes out the nodes that are dropped and their entries, and gives the others
 * the numbers they would have without them. -ENOMEM. */
int memfs_order_prune(struct memfs_order *order);

#endif
