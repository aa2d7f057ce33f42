/*
 * Equal files are stored once. Files are found by the digest of their contents
 * and confirmed by reading the earlier one again: a digest decides nothing.
 */
#ifndef MEMFS_SHARE_H
#define MEMFS_SHARE_H

#include "order.h"

#define MEMFS_SHARE_PIECE ((size_t)1 << 18) /* bytes compared at a time */

struct memfs_share {
    const struct memfs_order *order;
    const struct memfs_allocator *allocator;
    uint32_t *slots; /* numbers of files by their digests; 0: free */
    size_t slots_used, slots_room;
    uint64_t *sizes; /* of large files; 0: free */
    size_t sizes_used, sizes_room;
    uint8_t *pieces[2];
};

/* Exactly length bytes of a file, or an error: -ESTALE if it ends before. */
int memfs_share_read(memfs *fs, memfs_node node, uint64_t offset, void *buffer, size_t length);

/* order must live as long. -ENOMEM */
int memfs_share_begin(struct memfs_share *share, const struct memfs_order *order);
void memfs_share_end(struct memfs_share *share); /* one that is all zeros is accepted */

/* Remembers a file whose digest stands in the order. -ENOMEM */
int memfs_share_add(struct memfs_share *share, uint32_t number);

/* An earlier file that is equal to one of size bytes with that digest: content
 * has them, or NULL: they are read. *out is 0 if there is none. -ENOMEM, and
 * errors of reading the later one; an earlier one that cannot be read is not
 * equal. */
int memfs_share_find(struct memfs_share *share, uint64_t digest, memfs_node node, uint64_t size, const uint8_t *content,
                     uint32_t *out);

/* Has there been a large file of that size? And: now there is one. -ENOMEM */
int memfs_share_knows_size(const struct memfs_share *share, uint64_t size);
int memfs_share_add_size(struct memfs_share *share, uint64_t size);

#endif
