/*
 * Reading: an operation copies what is private, and gathers where in the base
 * the rest stands; that is then read outside of the operation, straight into the
 * caller's buffer.
 */
#ifndef MEMFS_GATHER_H
#define MEMFS_GATHER_H

#include "content.h"

#define GATHER_PIECES 16
#define GATHER_COPY_MAX ((size_t)1 << 20) /* bytes copied in one operation */

struct gather {
    uint64_t position, end; /* in the file: what is to be read */
    unsigned char *to;      /* where the byte at position goes */
    size_t copied;
    unsigned count;
    struct gather_piece {
        uint32_t block;
        uint64_t start;
        unsigned char *to;
        size_t length;
    } pieces[GATHER_PIECES];
};

static inline uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Has the operation done its share? */
int gather_is_full(const struct gather *gather);

/* Reach: the visible bytes of the base, up to end at most. */
int gather_extents(struct op *op, struct gather *gather, const struct content *content, uint64_t end);

/* Outside of operations: reads the pieces. */
int gather_read(memfs *fs, const struct gather *gather);

/* All at once: bytes of the base alone. */
int gather_base(memfs *fs, const struct content *content, uint64_t offset, void *to, size_t length);

#endif
