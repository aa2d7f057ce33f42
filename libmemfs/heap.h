/*
 * Heaps: BLOBS and NAMES, tables of bytes. An item never crosses the end of a
 * chunk, and never changes; its place is used again when it is freed.
 */
#ifndef MEMFS_HEAP_H
#define MEMFS_HEAP_H

#include "op.h"

/* The bytes at an offset: 0 with *out, OP_MISS. MEMFS_ECORRUPT if they are not
 * within the heap and one chunk. */
int heap_get(struct op *op, enum memfs_table id, uint64_t offset, size_t length, const char **out);

/* Space for an item of 1 to 65,536 bytes, filled from data. Nothing refers to it
 * yet, so that reach may do it; what fails later must heap_put() it. */
int heap_take(struct op *op, enum memfs_table id, const void *data, size_t length, uint64_t *offset);
void heap_put(memfs *fs, enum memfs_table id, uint64_t offset, size_t length);

#endif
