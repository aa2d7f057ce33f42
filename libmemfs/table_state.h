/*
 * What a filesystem knows of a table (table.h), and the shapes of all tables.
 */
#ifndef MEMFS_TABLE_STATE_H
#define MEMFS_TABLE_STATE_H

#include "backing.h"
#include "chunkmap.h"

struct table {
    /* Chunks from `first_ours` on hold our own numbers alone, and are there from the first to the last: in an array, so
     * that a record of our own is found in a few instructions. Readers look at our_count first: what it counts is in
     * the array that they find then. Arrays that were replaced stay, for readers, until the arena goes. */
    uint64_t first_ours;
    _Atomic(uint64_t) our_count;
    _Atomic(void **) ours;
    uint64_t our_room;

    struct memfs_chunkmap changed; /* private copies of chunks before, which hold numbers of the base */
    uint64_t base_count;           /* records below this are the base's */
    uint64_t start;                /* first number of our own: base_count rounded up to a chunk */
    _Atomic(uint64_t) count;       /* numbers from here on were never used; start at first */
    uint64_t ready;                /* chunks of numbers from start to this are private; not below count, and of tables
                                      without table_take(), the heaps, not used */
    uint32_t free;                 /* 1 + first of our own numbers that are free again; 0: none */
    uint32_t free_count;
};

/* Shape of each table: width of a record, records in a chunk as a power of two,
 * and where a free record keeps 1 + the number of the next one. Here, so that whoever
 * names a table has its shape as constants. */
struct table_shape {
    uint16_t width, shift, link;
};
static const struct table_shape table_shapes[MEMFS_TABLES] = {
    [MEMFS_NODES] = {sizeof(struct memfs_node_record), MEMFS_CHUNK_SHIFT,
                     offsetof(struct memfs_node_record, next_free)},
    [MEMFS_ENTRIES] = {sizeof(struct memfs_entry), MEMFS_CHUNK_SHIFT, 0},
    [MEMFS_EXTENTS] = {sizeof(struct memfs_extent), MEMFS_CHUNK_SHIFT, 0},
    [MEMFS_XATTRS] = {sizeof(struct memfs_xattr), MEMFS_CHUNK_SHIFT, 0},
    [MEMFS_BLOBS] = {1, MEMFS_BLOBS_SHIFT, 0},
    [MEMFS_DIGESTS] = {sizeof(uint64_t), MEMFS_CHUNK_SHIFT, 0},
    [MEMFS_DELTAS] = {sizeof(struct delta), MEMFS_CHUNK_SHIFT, offsetof(struct delta, next)},
    [MEMFS_BUCKETS] = {sizeof(struct bucket), MEMFS_BUCKETS_SHIFT, 0},
    [MEMFS_OVERFLOWS] = {sizeof(struct bucket), MEMFS_OVERFLOWS_SHIFT, offsetof(struct bucket, more)},
    [MEMFS_NAMES] = {1, MEMFS_NAMES_SHIFT, 0},
    [MEMFS_DIRS] = {sizeof(struct dir_record), MEMFS_DIRS_SHIFT, 0},
    [MEMFS_CONTENTS] = {sizeof(struct content_record), MEMFS_CONTENTS_SHIFT, 0},
    [MEMFS_MAPS] = {sizeof(struct map_record), MEMFS_MAPS_SHIFT, 0},
};

static inline uint64_t table_count(const struct table *table)
{
    return atomic_load_explicit(&table->count, memory_order_relaxed);
}

static inline void table_set_count(struct table *table, uint64_t count)
{
    atomic_store_explicit(&table->count, count, memory_order_relaxed);
}

static inline int table_in_range(const struct table *table, uint64_t number)
{
    return number < table->base_count || (number >= table->start && number < table_count(table));
}

void table_init(struct table *table, enum memfs_table id, const memfs_backing *base);

#endif
