/*
 * Room for decoded blocks. Blocks of an image are decoded to one size, so that
 * the room of one that goes is that of the next one that comes: its pages are
 * there already. Frames lie in slabs of a huge page where that is larger, as
 * giving a process so many small pages costs a quarter of decoding what fills them.
 *
 * Free frames and empty slabs are kept until somebody asks for the memory.
 */
#ifndef MEMFS_FRAMES_H
#define MEMFS_FRAMES_H

#include "memfs.h"

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct memfs_slab {
    struct memfs_slab *next, *before; /* among those with a free frame */
    unsigned char *memory;
    uint32_t free; /* a bit a frame */
};

struct memfs_frames {
    struct memfs_allocator allocator;
    size_t frame_bytes; /* 0: there are none */
    size_t slab_bytes;
    pthread_mutex_t lock;    /* binds what follows; innermost, held for a moment */
    struct memfs_slab *open; /* slabs with a free frame, those that are empty last */
    struct memfs_slab *last;
    size_t empty; /* slabs without a frame in use */
};

int memfs_frames_init(struct memfs_frames *frames, const struct memfs_allocator *allocator);
void memfs_frames_destroy(struct memfs_frames *frames); /* no frame is in use */

/* Before the first use: how large a frame is (64 KiB or more), and how much all slabs
 * together will take at most, or so. */
void memfs_frames_shape(struct memfs_frames *frames, size_t frame_bytes, uint64_t budget);

/* A free frame; with grow one of a new slab, if there is none. NULL: there is none, or no memory.
 * *grown: was a slab made? */
unsigned char *memfs_frames_take(struct memfs_frames *frames, int grow, struct memfs_slab **slab, int *grown);
void memfs_frames_give(struct memfs_frames *frames, struct memfs_slab *slab, unsigned char *frame);

/* Frees an empty slab: 0 if there was none. */
int memfs_frames_shrink(struct memfs_frames *frames);

#endif
