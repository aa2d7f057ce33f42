#include "frames.h"

#include "alloc.h"

#include <assert.h>
#include <string.h>

#define FRAMES_MOST 32u /* bits of a slab's mask */
#define SLABS_LEAST 16u /* a budget has room for so many, else slabs are smaller */

int memfs_frames_init(struct memfs_frames *frames, const struct memfs_allocator *allocator)
{
    memset(frames, 0, sizeof *frames);
    frames->allocator = *allocator;
    return -pthread_mutex_init(&frames->lock, NULL);
}

void memfs_frames_shape(struct memfs_frames *frames, size_t frame_bytes, uint64_t budget)
{
    frames->frame_bytes = frames->slab_bytes = frame_bytes;
    if (frame_bytes < MEMFS_HUGE_PAGE && budget / MEMFS_HUGE_PAGE >= SLABS_LEAST)
        frames->slab_bytes = MEMFS_HUGE_PAGE;
    assert(frames->slab_bytes / frame_bytes <= FRAMES_MOST);
}

static uint32_t all_free(const struct memfs_frames *frames)
{
    return UINT32_MAX >> (FRAMES_MOST - frames->slab_bytes / frames->frame_bytes);
}

/* ---- The list of slabs with a free frame ------------------------------------------ */

static void link_first(struct memfs_frames *frames, struct memfs_slab *slab)
{
    slab->before = NULL;
    slab->next = frames->open;
    *(frames->open ? &frames->open->before : &frames->last) = slab;
    frames->open = slab;
}

static void link_last(struct memfs_frames *frames, struct memfs_slab *slab)
{
    slab->next = NULL;
    slab->before = frames->last;
    *(frames->last ? &frames->last->next : &frames->open) = slab;
    frames->last = slab;
}

static void unlink_slab(struct memfs_frames *frames, struct memfs_slab *slab)
{
    *(slab->before ? &slab->before->next : &frames->open) = slab->next;
    *(slab->next ? &slab->next->before : &frames->last) = slab->before;
}

/* ---- Frames ------------------------------------------------------------------------- */

static unsigned char *take_from(struct memfs_frames *frames, struct memfs_slab *slab)
{
    unsigned bit = 0;
    while (!(slab->free >> bit & 1))
        bit++;
    frames->empty -= slab->free == all_free(frames);
    slab->free &= ~((uint32_t)1 << bit);
    if (!slab->free)
        unlink_slab(frames, slab);
    return slab->memory + bit * frames->frame_bytes;
}

static struct memfs_slab *make_slab(struct memfs_frames *frames)
{
    struct memfs_slab *slab = memfs_alloc_zeroed(&frames->allocator, sizeof *slab);
    unsigned char *memory = slab ? memfs_alloc_span(&frames->allocator, frames->slab_bytes) : NULL;
    if (!memory) {
        memfs_free(&frames->allocator, slab, sizeof *slab);
        return NULL;
    }
    slab->memory = memory;
    slab->free = all_free(frames);
    return slab;
}

unsigned char *memfs_frames_take(struct memfs_frames *frames, int grow, struct memfs_slab **slab, int *grown)
{
    unsigned char *frame = NULL;
    *grown = 0;
    pthread_mutex_lock(&frames->lock);
    *slab = frames->open;
    if (*slab)
        frame = take_from(frames, *slab);
    pthread_mutex_unlock(&frames->lock);
    if (frame || !grow || !(*slab = make_slab(frames)))
        return frame;
    *grown = 1;
    pthread_mutex_lock(&frames->lock);
    link_first(frames, *slab);
    frames->empty++;
    frame = take_from(frames, *slab);
    pthread_mutex_unlock(&frames->lock);
    return frame;
}

void memfs_frames_give(struct memfs_frames *frames, struct memfs_slab *slab, unsigned char *frame)
{
    const size_t bit = (size_t)(frame - slab->memory) / frames->frame_bytes;
    pthread_mutex_lock(&frames->lock);
    assert(!(slab->free >> bit & 1));
    if (slab->free)
        unlink_slab(frames, slab);
    slab->free |= (uint32_t)1 << bit;
    if (slab->free == all_free(frames)) {
        frames->empty++;
        link_last(frames, slab);
    } else {
        link_first(frames, slab);
    }
    pthread_mutex_unlock(&frames->lock);
}

int memfs_frames_shrink(struct memfs_frames *frames)
{
    struct memfs_slab *slab = NULL;
    pthread_mutex_lock(&frames->lock);
    if (frames->empty > 0) {
        slab = frames->last;
        frames->empty--;
        unlink_slab(frames, slab);
    }
    pthread_mutex_unlock(&frames->lock);
    if (!slab)
        return 0;
    memfs_free(&frames->allocator, slab->memory, frames->slab_bytes);
    memfs_free(&frames->allocator, slab, sizeof *slab);
    return 1;
}

void memfs_frames_destroy(struct memfs_frames *frames)
{
    while (memfs_frames_shrink(frames))
        continue;
    assert(!frames->open);
    pthread_mutex_destroy(&frames->lock);
}
