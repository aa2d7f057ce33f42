/*
 * The format's hash, XXH3 with 64 bits. It shows damage, not malice.
 */
#ifndef MEMFS_HASH_H
#define MEMFS_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t memfs_hash(const void *data, size_t length);

/* The same over bytes that come in pieces. Lives where the caller puts it, and stays
 * there; there is nothing to be freed. XXH3's state wants 64 bytes of alignment, which
 * memory from the heap does not have: it is wherever in here that is. */
#define MEMFS_HASHER_ALIGNMENT 64u
struct memfs_hasher {
    unsigned char room[576 + MEMFS_HASHER_ALIGNMENT];
};
void memfs_hasher_begin(struct memfs_hasher *hasher);
void memfs_hasher_add(struct memfs_hasher *hasher, const void *data, size_t length);
uint64_t memfs_hasher_end(const struct memfs_hasher *hasher);

/* A hole in a content's digest: 16 bytes, le64 offset and le64 length. The
 * digest of a content is the hash of its bytes with each maximal hole (aligned
 * pages of zeros of MEMFS_HOLE_BYTES, the last one perhaps cut by the end of
 * the file) replaced by these. */
void memfs_hasher_add_hole(struct memfs_hasher *hasher, uint64_t offset, uint64_t length);

#endif
