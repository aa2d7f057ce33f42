/*
 * Refs: where a block lies and what it is. The refs of a table's chunks make a
 * tree: level 0 has the ref of chunk i at index i; a level with more than
 * MEMFS_REFS_TOP refs is itself cut into chunks of MEMFS_REFS_PER_CHUNK, whose
 * refs are the level above. The top level stands in the root.
 */
#ifndef MEMFS_REFS_H
#define MEMFS_REFS_H

#include "cursor.h"
#include "layout.h"
#include "memfs.h"

struct memfs_ref {
    uint64_t offset; /* in the image */
    uint64_t hash;   /* of the stored bytes */
    uint32_t stored; /* bytes there */
    uint32_t raw;    /* bytes decoded, at least 1 */
    uint8_t codec;   /* MEMFS_CODEC_... */
};

/* The shape of the tree over `chunks` refs at level 0. */
unsigned memfs_refs_height(uint64_t chunks);                /* levels below the top one: 0 to MEMFS_REFS_HEIGHT */
uint64_t memfs_refs_width(uint64_t chunks, unsigned level); /* refs at that level; at the height: the top refs */

/* The raw lengths that the ref number `index` of a level of a table of count
 * records may have: at level 0 of a chunk (or data block), above of a chunk of refs. */
void memfs_ref_bounds(unsigned table, uint64_t count, unsigned level, uint64_t index, uint32_t block_size,
                      uint64_t *least, uint64_t *most);

/* Is a ref sound in itself: codec known, lengths agreeing with it and with the
 * raw bytes expected, everything between the header and end? NULL, or what is wrong. */
const char *memfs_ref_check(const struct memfs_ref *ref, uint64_t raw_least, uint64_t raw_most, uint64_t end);

/* One ref as it stands in the root. */
void memfs_ref_append(struct memfs_appender *out, const struct memfs_ref *ref);
void memfs_ref_take(struct memfs_cursor *in, struct memfs_ref *out);

#endif
