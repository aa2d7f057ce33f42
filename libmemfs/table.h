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

/* A chunk that holds our own numbers alone, or NULL. */
static inline void *table_our_chunk(const memfs *fs, enum memfs_table id, uint64_t chunk)
{
    const struct table *table = &fs->tables[id];
    const uint64_t index = chunk - table->first_ours;
    if (index >= atomic_load_explicit(&table->our_count, memory_order_acquire))
        return NULL;
    return atomic_load_explicit(&table->ours, memory_order_acquire)[index];
}

/* The same for any other chunk of which we have a private copy. */
static inline void *table_changed_chunk(const memfs *fs, enum memfs_table id, uint64_t chunk)
{
    return memfs_chunkmap_get(&fs->tables[id].changed, chunk);
}

/* A private chunk, whatever it holds, or NULL. */
static inline void *table_private_chunk(const memfs *fs, enum memfs_table id, uint64_t chunk)
{
    void *ours = table_our_chunk(fs, id, chunk);
    return ours ? ours : table_changed_chunk(fs, id, chunk);
}

/* A chunk of a table, private or of the base, if it is resident, else NULL. */
const void *table_peek_below(const memfs *fs, enum memfs_table id, uint64_t chunk); /* none of our own */
static inline const void *table_peek(const memfs *fs, enum memfs_table id, uint64_t chunk)
{
    const void *ours = table_our_chunk(fs, id, chunk);
    return ours ? ours : table_peek_below(fs, id, chunk);
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

/* A record of our own, in use or not, or NULL if the number cannot be one. */
static inline void *table_our_record(const memfs *fs, enum memfs_table id, uint64_t number)
{
    char *chunk = table_our_chunk(fs, id, number >> table_shapes[id].shift);
    return chunk ? chunk + table_place(id, number) : NULL;
}

/* For commit: a record that was reached by table_own(), or is our own. */
static inline void *table_mutable(memfs *fs, enum memfs_table id, uint64_t number)
{
    return (char *)table_private_chunk(fs, id, number >> table_shapes[id].shift) + table_place(id, number);
}

/* ---- Reach ---- */

/* Is it the number of a record that exists or has existed? */
int table_has_below(const struct op *op, enum memfs_table id, uint64_t number); /* of none of our own */
static inline int table_has(const struct op *op, enum memfs_table id, uint64_t number)
{
    const struct table *table = &op->fs->tables[id];
    return number < table->start ? table_has_below(op, id, number) : number < table_count(table);
}

/* The record: 0 with *out, OP_MISS. MEMFS_ECORRUPT if there can be no such number; one of our own that is not in
 * use has a record that says so. *out may be read until the operation's end. */
int table_get_below(struct op *op, enum memfs_table id, uint64_t number, const void **out); /* none of our own */
static inline int table_get(struct op *op, enum memfs_table id, uint64_t number, void *out)
{
    const void *record = table_our_record(op->fs, id, number);
    const int r = record ? 0 : table_get_below(op, id, number, &record);
    if (r == 0)
        memcpy(out, &record, sizeof record);
    return r;
}

/* The chunk that holds the record (for ENTRIES, whose names stand behind). */
int table_chunk(struct op *op, enum memfs_table id, uint64_t number, const void **out);

/* The private chunk that holds a number; made if there is none. OP_MISS, -ENOMEM, -ENOSPC. */
int table_own_chunk(struct op *op, enum memfs_table id, uint64_t number, void **out);

/* The record, in a private chunk, to be changed by commit. The same; MEMFS_ECORRUPT if there can be no such number. */
int table_own_below(struct op *op, enum memfs_table id, uint64_t number, void **out); /* none of our own */
static inline int table_own(struct op *op, enum memfs_table id, uint64_t number, void *out)
{
    void *record = table_our_record(op->fs, id, number);
    const int r = record ? 0 : table_own_below(op, id, number, &record);
    if (r == 0)
        memcpy(out, &record, sizeof record);
    return r;
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

/* Takes the first of the free records off their list, and clears it. */
void table_take_free(struct table *table, enum memfs_table id, char *record);

/* A number of our own, its record zeroed (a node keeps its generation), as those are that were never used. */
static inline uint32_t table_take(memfs *fs, enum memfs_table id, void *out)
{
    struct table *table = &fs->tables[id];
    const uint32_t number = table_next(fs, id);
    char *record = table_mutable(fs, id, number);
    if (table->free)
        table_take_free(table, id, record);
    else
        table_set_count(table, (uint64_t)number + 1);
    memcpy(out, &record, sizeof record);
    return number;
}

/* Gives it back; numbers of the base are left alone. */
void table_put(memfs *fs, enum memfs_table id, uint32_t number);

#endif
