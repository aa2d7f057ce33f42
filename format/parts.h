/*
 * Equal parts of files: which part of what comes is in the window already.
 * Marks (gear.h) of the kept bytes are remembered by their hash, the newest of
 * each place in the table; a mark that is met again is compared and grown byte
 * by byte in both directions. A hash alone decides nothing.
 */
#ifndef MEMFS_PARTS_H
#define MEMFS_PARTS_H

#include "gear.h"
#include "window.h"

#define MEMFS_REACH_LEAST ((uint64_t)1 << 16)
#define MEMFS_REACH_MOST ((uint64_t)1 << 30) /* positions are remembered by their low 32 bits */

struct memfs_parts_slot {
    uint32_t hash;
    uint32_t at; /* low 32 bits of the position in the stream, and one: 0 is a free slot */
};

struct memfs_parts {
    const struct memfs_allocator *allocator;
    const struct memfs_window *window;
    struct memfs_parts_slot *slots;
    unsigned bits;      /* 2^bits slots; without slots: 0 */
    unsigned bits_most; /* enough for a window */
    size_t used;        /* slots */
};

/* Something equal: bytes of the stream. */
struct memfs_part {
    uint64_t at;   /* where they begin in the stream */
    size_t before; /* how many of them stand before the mark's last byte */
    size_t length;
};

/* window must live as long. Nothing is allocated yet. */
void memfs_parts_begin(struct memfs_parts *parts, const struct memfs_allocator *allocator,
                       const struct memfs_window *window);
void memfs_parts_end(struct memfs_parts *parts); /* one that is all zeros is accepted */

/* Bytes of the table at most. */
size_t memfs_parts_bytes(uint64_t reach);

/* Remembers a mark whose last byte is number `at` of the stream. -ENOMEM */
int memfs_parts_add(struct memfs_parts *parts, uint32_t hash, uint64_t at);

/* Will soon be looked for. */
void memfs_parts_prefetch(const struct memfs_parts *parts, uint32_t hash);

/* Is something in the window equal to bytes around a mark? mark points to its last
 * byte; `before` bytes before it and `behind` bytes from it on may be taken. 1 with
 * *out, if it has at least `least` bytes, else 0. */
int memfs_parts_find(const struct memfs_parts *parts, uint32_t hash, const uint8_t *mark, size_t before, size_t behind,
                     size_t least, struct memfs_part *out);

#endif
