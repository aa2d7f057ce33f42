/*
 * Free lists: memory that has been given back, by size class, to be used again for the same size. Where there is no
 * other memory any more, pieces of a larger class are split, and neighbours are merged into blocks, which serve any
 * size.
 *
 * What is free holds its own links: ranges begin at multiples of 16 and are multiples of 16 bytes long.
 */
#ifndef MEMFS_FREELIST_H
#define MEMFS_FREELIST_H

#include "size_class.h"

#include <stdint.h>

#define FREELIST_PIECE_MAX ((size_t)2 << 10) /* free memory of more bytes is a block */

struct free_range;

/* Zeroed: nothing is free. */
struct freelist {
    struct free_range *pieces[MEMFS_SIZE_CLASSES];
    struct free_range *blocks;
    uint64_t bytes;   /* of all */
    uint64_t settled; /* of which so many, at least, have been found to have no free neighbour */
};

void freelist_put(struct freelist *list, void *memory, size_t size);

/* A piece of a class; NULL if there is none. */
void *freelist_take(struct freelist *list, unsigned size_class);
/* The same, split off a larger piece. */
void *freelist_split(struct freelist *list, unsigned size_class);
/* So much of a block, from its end; the first block, with its size. NULL if there is none. */
void *freelist_take_block(struct freelist *list, size_t size);
void *freelist_take_whole_block(struct freelist *list, size_t *size);

/* Merges neighbours: in time n log n of the pieces that have come since the last time, and linear in the others. */
void freelist_merge(struct freelist *list);

#endif
