/*
 * Equal files are stored once. Files are found by the digest of their contents
 * and confirmed by their bytes: in the window, if all of the earlier one is there,
 * else by reading it again. A digest decides nothing.
 */
#ifndef MEMFS_SHARE_H
#define MEMFS_SHARE_H

#include "order.h"
#include "window.h"

#define MEMFS_SHARE_PIECE ((size_t)1 << 18) /* bytes compared at a time */

/* As struct memfs_extent, but tightly. */
struct memfs_extent_row {
    uint32_t offset_low, offset_high;
    uint32_t length, block, start;
};

static inline uint64_t memfs_extent_row_offset(const struct memfs_extent_row *row)
{
    return (uint64_t)row->offset_high << 32 | row->offset_low;
}

struct memfs_share {
    const struct memfs_order *order;
    const struct memfs_window *window;
    const struct memfs_rows *extents; /* struct memfs_extent_row, of the earlier files */
    const struct memfs_allocator *allocator;
    uint64_t *slots; /* files by their digests; 0: free */
    size_t slots_used, slots_room;
    uint64_t secret; /* of where they are: who chooses contents cannot foresee where they meet */
    uint8_t *pieces[2];
};

/* All must live as long. -ENOMEM */
int memfs_share_begin(struct memfs_share *share, const struct memfs_order *order, const struct memfs_window *window,
                      const struct memfs_rows *extents);
void memfs_share_end(struct memfs_share *share); /* one that is all zeros is accepted */

/* Remembers a file whose digest stands in the order. -ENOMEM */
int memfs_share_add(struct memfs_share *share, uint32_t number);

/* An earlier file that is equal to one of size bytes, some of which are no hole, with that
 * digest: content has them, or is NULL: they are read. *out is 0 if there is none.
 * -ENOMEM; one that cannot be read is equal to none. */
int memfs_share_find(struct memfs_share *share, uint64_t digest, memfs_node node, uint64_t size, const uint8_t *content,
                     uint32_t *out);

#endif
