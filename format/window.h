/*
 * The contents that freezing keeps: the bytes that go into data blocks, one
 * after the other, as one stream. The last of them, as many as the window
 * reaches back, stay in memory, so that what comes can be compared with them. A
 * slab holds the bytes of one block, and is the block that is compressed. Slabs
 * lie in spans, one behind the other: as many as fill a huge page, or one.
 */
#ifndef MEMFS_WINDOW_H
#define MEMFS_WINDOW_H

#include "memfs.h"

struct memfs_window {
    const struct memfs_allocator *allocator;
    uint8_t **spans;            /* NULL: not made yet */
    size_t count;               /* slabs; block i is in slab i % count */
    unsigned shift, span_shift; /* bytes of a block and of a span, as powers of two */
    uint64_t reach;             /* bytes before the end that may be compared */
    uint64_t end;               /* bytes kept so far */
};

/* Slabs that a window needs so that the blocks that are being compressed, at most
 * `pressing`, stay as they are too. */
size_t memfs_window_slabs(uint64_t reach, uint32_t block_size, size_t pressing);

/* allocator must live as long. -ENOMEM */
int memfs_window_begin(struct memfs_window *window, const struct memfs_allocator *allocator, uint32_t block_size,
                       uint64_t reach, size_t slabs);
void memfs_window_end(struct memfs_window *window); /* one that is all zeros is accepted */

static inline uint64_t memfs_window_start(const struct memfs_window *window)
{
    return window->end > window->reach ? window->end - window->reach : 0;
}

static inline uint32_t memfs_window_block_size(const struct memfs_window *window)
{
    return UINT32_C(1) << window->shift;
}

/* Where the next byte goes, and how many fit behind it into the same block, at least
 * one. The block that stood in the slab before must have been written. NULL: no memory. */
uint8_t *memfs_window_room(struct memfs_window *window, size_t *room);

/* The first byte of a block that is in the window, or being compressed. */
const uint8_t *memfs_window_block(const struct memfs_window *window, uint64_t block);

/* How many bytes from `at` of the stream on, up to its end, are those of bytes, of
 * which there are length; and how many before `at`, as far as the window reaches, are
 * those before bytes, of which there are length. */
size_t memfs_window_forward(const struct memfs_window *window, uint64_t at, const uint8_t *bytes, size_t length);
size_t memfs_window_backward(const struct memfs_window *window, uint64_t at, const uint8_t *bytes, size_t length);

#endif
