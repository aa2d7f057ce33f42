/*
 * Extents of the base: where the bytes of a file are that nobody has changed.
 * An image may lie about their order: that of a file is looked at as a whole when the first of them is used, which
 * takes all chunks that hold them (one has 512), and is remembered for a while.
 */
#ifndef MEMFS_EXTENT_H
#define MEMFS_EXTENT_H

#include "content.h"

/* Frees what is remembered of their order. No operation is under way. */
void extent_forget(memfs *fs);

/* All for reach, with OP_MISS and MEMFS_ECORRUPT. */

/* The first extent that ends behind offset: 1, or 0 if there is none. */
int extent_find(struct op *op, const struct content *content, uint64_t offset, struct memfs_extent *out);

/* Which 4,096-byte pages of a page have data of the base: those that an extent
 * touches, and that start below the limit. */
int extent_mask(struct op *op, const struct content *content, uint64_t page, uint16_t *out);

/* How many such there are in the file; of more than 512 extents only how many there
 * are from the first to the last, holes included. */
int extent_sum(struct op *op, const struct content *content, uint64_t *out);

#endif
