/*
 * Tables of fixed-width records, in chunks. A chunk that is not the
 * filesystem's own comes from its base; the first change of a record makes its
 * chunk private. The numbers of a filesystem's own records begin at the first
 * chunk border behind the base's, and only they are ever used again.
 *
 * What each operation does again and again is inline: where the table is named its
 * shape is known, and it is a few instructions. `out` parameters are `T **` for the table's record
 * type T; they are void pointers in the declarations only, so that callers need no casts.
 */
#ifndef MEMFS_TABLE_H
#define MEMFS_TABLE_H

#include "fs.h"
#include "op.h"

#include <assert.h>
#include <string.h>

/* ---- What is resident: needs no operation, and cannot fail ---- */

/* A chunk of a table, private or of the base, if it is resident, else NULL. */
static inline const void *table_peek(const memfs *fs, enum memfs_table id, uint64_t chunk)
{
    const void *own = memfs_chunkmap_get(&fs->tables[id].map, chunk);
    return own || !fs->base ? own : fs->base->ops->peek(fs->base, id, chunk);
}

/* Where a record is in its chunk. */
static inline size_t table_place(enum memfs_table id, uint64_t number)
{
    return (size_t)(number & (((uint64_t)1 << table_shapes[id].shift) - 1)) * table_shapes[id].width;
}

/* A record that exists, in one of the tables that only filesystems have (DELTAS and those behind it): they are
 * resident, those of sealed filesystems too. */
static inline const void *table_resident(const memfs *fs, enum memfs_table id, uint64_t number)
{
    const char *chunk = table_peek(fs, id, number >> table_shapes[id].shift);
    assert(chunk);
    return chunk + table_place(id, number);
}

/* For commit: a record that was reached by table_own(), or is our own. */
static inline void *table_mutable(memfs *fs, enum memfs_table id, uint64_t number)
{
    return (char *)memfs_chunkmap_at(&fs->tables[id].map, number >> table_shapes[id].shift) + table_place(id, number);
}

/* ---- Reach ---- */

/* Is it the number of a record that exists or has existed? */
int table_has_below(const struct op *op, enum memfs_table id, uint64_t number); /* of none of our own */
static inline int table_has(const struct op *op, enum memfs_table id, uint64_t number)
{
    const struct table *table = &op->fs->tables[id];
    return number < table->start ? table_has_below(op, id, number) : number < table_count(table);
}

/* The record: 0 with *out, OP_MISS. MEMFS_ECORRUPT if there is no such number.
 * *out may be read until the operation's end. */
static inline int table_get(struct op *op, enum memfs_table id, uint64_t number, void *out)
{
    const uint64_t chunk = number >> table_shapes[id].shift;
    if (!table_in_range(&op->fs->tables[id], number))
        return MEMFS_ECORRUPT;
    const char *records = table_peek(op->fs, id, chunk);
    if (!records)
        return op_miss(op, id, chunk);
    records += table_place(id, number);
    memcpy(out, &records, sizeof records);
    return 0;
}

/* The chunk that holds the record (for ENTRIES, whose names stand behind). */
int table_chunk(struct op *op, enum memfs_table id, uint64_t number, const void **out);

/* Makes a chunk private, which is not; made if there is none. *out is it. */
int table_make_private(struct op *op, enum memfs_table id, uint64_t chunk, void **out);

/* The same for the chunk that holds a number, unless it is private. */
static inline int table_own_chunk(struct op *op, enum memfs_table id, uint64_t number, void **out)
{
    const uint64_t chunk = number >> table_shapes[id].shift;
    *out = memfs_chunkmap_get(&op->fs->tables[id].map, chunk);
    return *out ? 0 : table_make_private(op, id, chunk, out);
}

/* The record, in a private chunk, to be changed by commit. 0, OP_MISS, -ENOMEM,
 * -ENOSPC; MEMFS_ECORRUPT if there is no such number. */
static inline int table_own(struct op *op, enum memfs_table id, uint64_t number, void *out)
{
    const struct table *table = &op->fs->tables[id];
    if (!table_in_range(table, number))
        return MEMFS_ECORRUPT;
    void *chunk = NULL;
    int r = table_own_chunk(op, id, number, &chunk);
    if (r)
        return r;
    const char *record = (char *)chunk + table_place(id, number);
    memcpy(out, &record, sizeof record);
    return 0;
}

/* Makes so many numbers ready that have never been used. MEMFS_ELIMIT, OP_MISS, -ENOMEM, -ENOSPC. */
int table_make_ready(struct op *op, enum memfs_table id, uint64_t records);

/* Makes sure that table_take() can be called `records` times. The same. */
static inline int table_reserve(struct op *op, enum memfs_table id, uint32_t records)
{
    const struct table *table = &op->fs->tables[id];
    if (table_count(table) + records <= table->ready + table->free_count)
        return 0;
    return table_make_ready(op, id, records - table->free_count);
}

/* The number that the next table_take() will give. */
static inline uint32_t table_next(const memfs *fs, enum memfs_table id)
{
    const struct table *table = &fs->tables[id];
    return table->free ? table->free - 1 : (uint32_t)table_count(table);
}

/* ---- Commit ---- */

/* A number of our own, its record zeroed (a node keeps its generation). */
static inline uint32_t table_take(memfs *fs, enum memfs_table id, void *out)
{
    struct table *table = &fs->tables[id];
    const uint32_t number = table_next(fs, id);
    char *record = table_mutable(fs, id, number);
    if (table->free) {
        memcpy(&table->free, record + table_shapes[id].link, sizeof table->free);
        table->free_count--;
    } else {
        table_set_count(table, (uint64_t)number + 1);
    }
    const uint32_t generation = id == MEMFS_NODES ? ((struct memfs_node_record *)(void *)record)->generation : 0;
    memset(record, 0, table_shapes[id].width);
    if (id == MEMFS_NODES)
        ((struct memfs_node_record *)(void *)record)->generation = generation;
    memcpy(out, &record, sizeof record);
    return number;
}

/* Gives it back; numbers of the base are left alone. */
void table_put(memfs *fs, enum memfs_table id, uint32_t number);

#endif
