/*
 * The cache of an image: decoded chunks and blocks, one byte budget over all
 * of them. What is pinned stays; the rest goes when room is needed, what was
 * not touched for longest first (CLOCK). It knows nothing of images: whoever
 * wants something brings along how to load it.
 *
 * Two threads that want one thing load it once: the first leaves a placeholder
 * and loads without a lock, the other waits for it. What is damaged is
 * remembered as an item of its own; other failures leave nothing behind.
 *
 * Locks: one a shard, never two at once, never held while loading or while
 * memory is retired, nor while memory is asked of `evicting`. An item is bound by
 * its shard's lock, a buffer's bytes do not change once it is in an item.
 */
#ifndef MEMFS_CACHE_H
#define MEMFS_CACHE_H

#include "epoch.h"
#include "frames.h"
#include "memfs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#define MEMFS_CACHE_SHARDS 8u
#define MEMFS_CACHE_BUCKETS 512u /* a shard */
#define MEMFS_CACHE_CHARGE 4096u /* bytes of the budget that an item takes, at least */

struct memfs_cache;

/* Decoded bytes, as long as a loader made them. */
struct memfs_buffer {
    struct memfs_retired retired;
    struct memfs_cache *cache;
    unsigned char *data;          /* inside, or a frame */
    size_t length;                /* of data; may be less than there is room for */
    size_t room;                  /* inside */
    struct memfs_slab *slab;      /* of the frame; NULL: none */
    _Atomic(void *) *slot;        /* where readers without a lock find data, which is inside; NULL: only by pin */
    _Atomic(unsigned) referenced; /* since CLOCK's hand last passed */
    int complete;                 /* else only the beginning of a block */
    _Alignas(max_align_t) unsigned char inside[];
};

struct memfs_item {
    struct memfs_item *chain;         /* in its bucket */
    struct memfs_item *next, *before; /* in its shard's ring */
    uint64_t key;
    struct memfs_buffer *buffer; /* NULL while it is being loaded */
    uint32_t pins;
    int error;    /* damage: buffer holds a struct memfs_detail */
    int detached; /* out of sight, kept by its pins */
};

struct memfs_shard {
    pthread_mutex_t lock;
    pthread_cond_t loaded;
    struct memfs_item *hand; /* somewhere in the ring; NULL: empty */
    size_t items;
    struct memfs_item *bucket[MEMFS_CACHE_BUCKETS];
};

struct memfs_cache {
    struct memfs_allocator allocator;
    struct memfs_allocator evicting; /* the same, but where it has no memory, what is not pinned goes until it has */
    struct memfs_epochs *epochs;
    uint64_t budget;
    _Atomic(uint64_t) retired; /* bytes of buffers that readers may still look at */
    _Atomic(uint64_t) bytes;   /* charged for all buffers, those retired and not yet freed too, and for all slabs */
    struct memfs_frames frames;
    _Atomic(uint64_t) framed; /* bytes of frames in use */
    _Atomic(unsigned) turn;   /* the shard to evict from next */
    struct memfs_shard shard[MEMFS_CACHE_SHARDS];
};

int memfs_cache_init(struct memfs_cache *cache, const struct memfs_allocator *allocator, struct memfs_epochs *epochs,
                     uint64_t budget);
/* Nothing may be pinned. What readers could see is freed with the epochs, to
 * be destroyed before this. */
void memfs_cache_empty(struct memfs_cache *cache);
void memfs_cache_destroy(struct memfs_cache *cache);

/* Room for length bytes, after making room in the budget; for a block a frame, if it
 * fills most of one: other blocks go first, if they can, until all frames take no more
 * than `share` bytes. NULL: no memory. */
struct memfs_buffer *memfs_buffer_make(struct memfs_cache *cache, size_t length);
struct memfs_buffer *memfs_buffer_make_block(struct memfs_cache *cache, size_t length, uint64_t share);
void memfs_buffer_free(struct memfs_buffer *buffer); /* one that no item has; NULL is accepted */

/* Loads the first `need` bytes of what key names, or more of it; `again` if a
 * shorter beginning was there before. Called without locks. */
typedef int memfs_loader(void *context, uint64_t key, size_t need, int again, struct memfs_buffer **out,
                         struct memfs_detail *detail);

/* Finds or loads, and pins. The buffer has `need` bytes, unless it is complete
 * with fewer. MEMFS_ECHECKSUM and MEMFS_ECORRUPT are remembered, with detail.
 * MEMFS_CACHE_BUSY: another thread is loading it, and this one does not want to wait. */
#define MEMFS_CACHE_BUSY 1
int memfs_cache_acquire(struct memfs_cache *cache, uint64_t key, size_t need, int waits, memfs_loader *loader,
                        void *context, struct memfs_item **out, struct memfs_detail *detail);
void memfs_cache_release(struct memfs_cache *cache, struct memfs_item *item);

/* Evicts until no more than so many bytes are left, or only what is pinned. */
void memfs_cache_trim(struct memfs_cache *cache, uint64_t bytes);

/* Marks what a reader found without a lock as used. */
static inline void memfs_buffer_touch(void *data)
{
    struct memfs_buffer *buffer = (struct memfs_buffer *)(void *)((char *)data - offsetof(struct memfs_buffer, inside));
    if (!atomic_load_explicit(&buffer->referenced, memory_order_relaxed))
        atomic_store_explicit(&buffer->referenced, 1, memory_order_relaxed);
}

#endif
