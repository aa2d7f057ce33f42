/*
 * Long arrays that grow by pieces: nothing is moved, and an item keeps its
 * address. What freezing remembers of each file stands in these, and what
 * both directions of the host (scan, export) do of names and records.
 */
#ifndef MEMFS_ROWS_H
#define MEMFS_ROWS_H

#include "alloc.h"

#include <stddef.h>
#include <stdint.h>

struct memfs_rows {
    struct memfs_allocator allocator;
    void **pieces;
    size_t pieces_used, pieces_room;
    uint64_t count; /* items; who sets it to less takes the last ones back */
    size_t width;   /* bytes of an item */
    unsigned shift; /* items of a piece, as a power of two */
};

/* Nothing is allocated yet. */
void memfs_rows_begin(struct memfs_rows *rows, const struct memfs_allocator *allocator, size_t width, unsigned shift);
void memfs_rows_end(struct memfs_rows *rows); /* one that is all zeros is accepted */

/* A further item, zeroed; NULL: no memory. */
void *memfs_rows_add(struct memfs_rows *rows);

/* count further items side by side in one piece, of which it must be no more
 * than a part; what is left of the piece before is skipped. *at is the first
 * one's index. NULL: no memory. All are zero, unless some have been taken back. */
void *memfs_rows_add_span(struct memfs_rows *rows, size_t count, uint64_t *at);

/* The same for rows of bytes, with what they are to hold. -ENOMEM. */
int memfs_rows_put(struct memfs_rows *rows, const void *bytes, size_t length, uint64_t *at);

static inline void *memfs_rows_at(const struct memfs_rows *rows, uint64_t index)
{
    size_t within = (size_t)(index & (((uint64_t)1 << rows->shift) - 1));
    return (char *)rows->pieces[index >> rows->shift] + within * rows->width;
}

#endif
