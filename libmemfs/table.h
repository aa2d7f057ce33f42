/*
 * Tables of fixed-width records, in chunks. A chunk that is not the
 * filesystem's own comes from its base; the first change of a record makes its
 * chunk private. The numbers of a filesystem's own records begin at the first
 * chunk border behind the base's, and only they are ever used again.
 */
#ifndef MEMFS_TABLE_H
#define MEMFS_TABLE_H

#include "chunkmap.h"
#include "op.h"

struct table {
    struct memfs_chunkmap map; /* private chunks */
    uint64_t base_count;       /* records below this are the base's */
    uint64_t start;            /* first number of our own: base_count rounded up to a chunk */
    _Atomic(uint64_t) count;   /* numbers from here on were never used; start at first */
    uint32_t free;             /* 1 + first of our own numbers that are free again; 0: none */
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
    [MEMFS_DELTAS] = {sizeof(struct delta), MEMFS_CHUNK_SHIFT, offsetof(struct delta, chain)},
    [MEMFS_BUCKETS] = {sizeof(struct bucket), BUCKETS_SHIFT, 0},
    [MEMFS_NAMES] = {1, NAMES_SHIFT, 0},
    [MEMFS_DIRS] = {sizeof(struct dir_record), DIRS_SHIFT, 0},
    [MEMFS_CONTENTS] = {sizeof(struct content_record), CONTENTS_SHIFT, 0},
    [MEMFS_MAPS] = {sizeof(struct map_record), MAPS_SHIFT, 0},
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

/* ---- Reach ---- */

/* Is it the number of a record that exists or has existed? */
int table_has(const struct op *op, enum memfs_table id, uint64_t number);

/* The record: 0 with *out, OP_MISS. MEMFS_ECORRUPT if there is no such number.
 * *out may be read until the operation's end. */
static inline int table_get(struct op *op, enum memfs_table id, uint64_t number, void *out);

/* The chunk that holds the record (for ENTRIES, whose names stand behind). */
int table_chunk(struct op *op, enum memfs_table id, uint64_t number, const void **out);

/* The record, in a private chunk, to be changed by commit. 0, OP_MISS, -ENOMEM,
 * -ENOSPC; MEMFS_ECORRUPT if there is no such number. */
static inline int table_own(struct op *op, enum memfs_table id, uint64_t number, void *out);

/* Makes sure that table_take() can be called `records` times. MEMFS_ELIMIT. */
int table_reserve(struct op *op, enum memfs_table id, uint32_t records);

/* The number that the next table_take() will give. */
uint32_t table_next(const memfs *fs, enum memfs_table id);

/* Makes a chunk private, which is not; made if there is none. */
int table_make_private(struct op *op, enum memfs_table id, uint64_t chunk);
/* The same for the chunk that holds a number, unless it is private. */
static inline int table_own_chunk(struct op *op, enum memfs_table id, uint64_t number);

/* ---- Commit ---- */

/* A number of our own, its record zeroed (a node keeps its generation). */
uint32_t table_take(memfs *fs, enum memfs_table id, void *out);
/* Gives it back; numbers of the base are left alone. */
void table_put(memfs *fs, enum memfs_table id, uint32_t number);
/* A record that has been reached by table_own(), or is our own. */
static inline void *table_mutable(memfs *fs, enum memfs_table id, uint64_t number);

/* `out` parameters are `T **` for the table's record type T; they are void
 * pointers in the declarations only, so that callers need no casts. */

#endif
