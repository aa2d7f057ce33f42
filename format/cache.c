#include "cache.h"

#include "alloc.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#define RETIRED_MOST ((uint64_t)1 << 20)
#define WAITS_MOST 100u
#define WAIT_NANOSECONDS 100000

/* ---- Buffers ------------------------------------------------------------------ */

/* What may go. */
enum evicted { ANY, BLOCKS };
static int evict_one(struct memfs_cache *cache, enum evicted what, size_t *freed);

/* A reader who was put to sleep keeps all that was retired since: whoever wants more
 * memory then gives him a moment to leave, but does not depend on it. */
static void wait_for_readers(struct memfs_cache *cache)
{
    const uint64_t most = cache->budget / 8 + RETIRED_MOST;
    for (unsigned tries = 0; tries < WAITS_MOST && atomic_load(&cache->retired) > most; tries++) {
        const struct timespec moment = {.tv_nsec = WAIT_NANOSECONDS};
        nanosleep(&moment, NULL);
        memfs_epochs_collect(cache->epochs);
    }
}

static uint64_t beyond(struct memfs_cache *cache, size_t size, uint64_t budget)
{
    const uint64_t wanted = atomic_load(&cache->bytes) + size;
    return wanted > budget ? wanted - budget : 0;
}

/* How many bytes went with an empty slab, if there was one. */
static size_t shrink(struct memfs_cache *cache)
{
    if (!memfs_frames_shrink(&cache->frames))
        return 0;
    atomic_fetch_sub(&cache->bytes, cache->frames.slab_bytes);
    return cache->frames.slab_bytes;
}

/* Evicts as much as is missing, not more: what is retired frees itself a little
 * later, and must not cost all the others their place. */
static void make_room(struct memfs_cache *cache, size_t size, uint64_t budget)
{
    uint64_t missing = beyond(cache, size, budget);
    size_t freed = 0;
    if (missing == 0)
        return;
    while (missing > 0 && ((freed = shrink(cache)) || evict_one(cache, ANY, &freed)))
        missing -= freed < missing ? freed : missing;
    wait_for_readers(cache);
}

void memfs_cache_trim(struct memfs_cache *cache, uint64_t bytes)
{
    make_room(cache, 0, bytes);
}

/* What is kept in case somebody wants it is no reason to fail: the budget is a wish, and there may be less memory. */
static void *evicting_alloc(void *context, size_t size)
{
    struct memfs_cache *cache = context;
    void *memory;
    size_t freed;
    while (!(memory = memfs_alloc(&cache->allocator, size)) && (shrink(cache) || evict_one(cache, ANY, &freed)))
        continue;
    return memory;
}

static void evicting_free(void *context, void *memory, size_t size)
{
    memfs_free(&((struct memfs_cache *)context)->allocator, memory, size);
}

/* A free frame, or that of the next block to go, or one of a new slab. NULL: there is no memory for a slab, and no
 * block to go. */
static unsigned char *frame_for(struct memfs_cache *cache, uint64_t share, struct memfs_slab **slab)
{
    unsigned char *frame;
    size_t freed;
    int grown;
    while (atomic_load(&cache->framed) + cache->frames.frame_bytes > share && evict_one(cache, BLOCKS, &freed))
        continue;
    uint64_t missing = beyond(cache, cache->frames.slab_bytes, cache->budget);
    while (!(frame = memfs_frames_take(&cache->frames, missing == 0, slab, &grown)) && missing > 0)
        missing = evict_one(cache, ANY, &freed) && freed < missing ? missing - freed : 0;
    while (!frame && evict_one(cache, BLOCKS, &freed))
        frame = memfs_frames_take(&cache->frames, 0, slab, &grown);
    if (grown)
        atomic_fetch_add(&cache->bytes, cache->frames.slab_bytes);
    if (frame)
        atomic_fetch_add(&cache->framed, cache->frames.frame_bytes);
    return frame;
}

/* What a buffer costs the budget: its item too. However small it is, it lengthens
 * a chain of its bucket, so that the budget has to bound the number of items as well.
 * Frames are paid for by the slab. */
static size_t charge(size_t room)
{
    const size_t size = sizeof(struct memfs_item) + sizeof(struct memfs_buffer) + room;
    return size < MEMFS_CACHE_CHARGE ? MEMFS_CACHE_CHARGE : size;
}

struct memfs_buffer *memfs_buffer_make(struct memfs_cache *cache, size_t length)
{
    make_room(cache, charge(length), cache->budget);
    struct memfs_buffer *buffer = memfs_alloc(&cache->evicting, sizeof *buffer + length);
    if (!buffer)
        return NULL;
    memset(buffer, 0, sizeof *buffer);
    buffer->cache = cache;
    buffer->data = buffer->inside;
    buffer->length = buffer->room = length;
    atomic_fetch_add(&cache->bytes, charge(length));
    return buffer;
}

/* A block that would leave half a frame unused is better kept inside; and so is one where a slab cannot be had. */
struct memfs_buffer *memfs_buffer_make_block(struct memfs_cache *cache, size_t length, uint64_t share)
{
    const size_t most = cache->frames.frame_bytes;
    if (length > most || length <= most / 2)
        return memfs_buffer_make(cache, length);
    struct memfs_buffer *buffer = memfs_buffer_make(cache, 0);
    if (!buffer)
        return NULL;
    buffer->data = frame_for(cache, share, &buffer->slab);
    buffer->length = length;
    if (buffer->data)
        return buffer;
    memfs_buffer_free(buffer);
    return memfs_buffer_make(cache, length);
}

void memfs_buffer_free(struct memfs_buffer *buffer)
{
    if (!buffer)
        return;
    struct memfs_cache *cache = buffer->cache;
    const size_t room = buffer->room;
    if (buffer->slab) {
        memfs_frames_give(&cache->frames, buffer->slab, buffer->data);
        atomic_fetch_sub(&cache->framed, cache->frames.frame_bytes);
    }
    memfs_free(&cache->allocator, buffer, sizeof *buffer + room);
    atomic_fetch_sub(&cache->bytes, charge(room));
}

static void free_retired(struct memfs_retired *retired)
{
    struct memfs_buffer *buffer =
        (struct memfs_buffer *)(void *)((char *)retired - offsetof(struct memfs_buffer, retired));
    atomic_fetch_sub(&buffer->cache->retired, charge(buffer->room));
    memfs_buffer_free(buffer);
}

/* ---- Items: all under their shard's lock ---------------------------------------- */

static uint64_t mix(uint64_t key)
{
    key *= 0x9e3779b97f4a7c15u;
    return key ^ key >> 32;
}

static struct memfs_shard *shard_of(struct memfs_cache *cache, uint64_t key)
{
    return &cache->shard[mix(key) % MEMFS_CACHE_SHARDS];
}

static struct memfs_item **bucket_of(struct memfs_shard *shard, uint64_t key)
{
    return &shard->bucket[mix(key) / MEMFS_CACHE_SHARDS % MEMFS_CACHE_BUCKETS];
}

static struct memfs_item *find(struct memfs_shard *shard, uint64_t key)
{
    struct memfs_item *item = *bucket_of(shard, key);
    while (item && item->key != key)
        item = item->chain;
    return item;
}

/* New items come behind the hand: it reaches them last. */
static void attach(struct memfs_shard *shard, struct memfs_item *item)
{
    struct memfs_item **bucket = bucket_of(shard, item->key);
    item->chain = *bucket;
    *bucket = item;
    if (!shard->hand) {
        shard->hand = item->next = item->before = item;
    } else {
        item->next = shard->hand;
        item->before = shard->hand->before;
        item->before->next = item->next->before = item;
    }
    shard->items++;
}

static void detach(struct memfs_shard *shard, struct memfs_item *item)
{
    struct memfs_item **link = bucket_of(shard, item->key);
    while (*link != item)
        link = &(*link)->chain;
    *link = item->chain;
    if (shard->hand == item)
        shard->hand = item->next == item ? NULL : item->next;
    item->next->before = item->before;
    item->before->next = item->next;
    shard->items--;
    item->detached = 1;
    if (item->buffer && item->buffer->slot && !item->error)
        atomic_store(item->buffer->slot, NULL);
}

/* Frees a detached item that nobody pins; without the lock. */
static void discard(struct memfs_cache *cache, struct memfs_item *item)
{
    struct memfs_buffer *buffer = item->buffer;
    memfs_free(&cache->allocator, item, sizeof *item);
    if (!buffer || !buffer->slot) {
        memfs_buffer_free(buffer);
        return;
    }
    atomic_fetch_add(&cache->retired, charge(buffer->room));
    memfs_epochs_retire(cache->epochs, &buffer->retired, free_retired);
}

/* ---- Eviction ------------------------------------------------------------------- */

/* CLOCK, one turn of the hand at most: the item it has taken out, or NULL. */
static struct memfs_item *sweep(struct memfs_shard *shard, enum evicted what)
{
    for (size_t steps = shard->items; steps > 0; steps--) {
        struct memfs_item *item = shard->hand;
        shard->hand = item->next;
        if (item->pins > 0 || !item->buffer || (what == BLOCKS && !item->buffer->slab))
            continue;
        if (atomic_exchange_explicit(&item->buffer->referenced, 0, memory_order_relaxed))
            continue;
        detach(shard, item);
        return item;
    }
    return NULL;
}

/* The second turn meets items that the first has marked as not referenced. */
static int evict_one(struct memfs_cache *cache, enum evicted what, size_t *freed)
{
    for (unsigned tries = 0; tries < 2 * MEMFS_CACHE_SHARDS; tries++) {
        struct memfs_shard *shard = &cache->shard[atomic_fetch_add(&cache->turn, 1) % MEMFS_CACHE_SHARDS];
        pthread_mutex_lock(&shard->lock);
        struct memfs_item *item = sweep(shard, what);
        pthread_mutex_unlock(&shard->lock);
        if (item) {
            *freed = charge(item->buffer->room);
            discard(cache, item);
            return 1;
        }
    }
    return 0;
}

/* ---- Finding and loading ------------------------------------------------------------ */

/* A buffer that tells of damage; NULL without memory: then it is met anew. */
static struct memfs_buffer *remember(struct memfs_cache *cache, const struct memfs_detail *detail)
{
    struct memfs_buffer *buffer = memfs_buffer_make(cache, sizeof *detail);
    if (buffer) {
        memcpy(buffer->data, detail, sizeof *detail);
        buffer->complete = 1;
    }
    return buffer;
}

/* Loads into the placeholder, which only this thread and waiters know. */
static int fill(struct memfs_cache *cache, struct memfs_shard *shard, struct memfs_item *item, size_t need, int again,
                memfs_loader *loader, void *context, struct memfs_detail *detail)
{
    struct memfs_buffer *buffer = NULL;
    struct memfs_detail found = {0};
    const int error = loader(context, item->key, need, again, &buffer, &found);
    const int damaged = error == MEMFS_ECHECKSUM || error == MEMFS_ECORRUPT;
    if (damaged)
        buffer = remember(cache, &found);
    if (error && detail)
        *detail = found;
    pthread_mutex_lock(&shard->lock);
    item->error = error;
    item->buffer = buffer;
    if (error)
        item->pins--;
    if (!buffer)
        detach(shard, item);
    else if (!error && buffer->slot)
        atomic_store(buffer->slot, buffer->data);
    pthread_cond_broadcast(&shard->loaded);
    pthread_mutex_unlock(&shard->lock);
    if (!buffer)
        discard(cache, item);
    return error;
}

/* Waits until what key names is not being loaded, or says so; pins it if it is
 * there and suffices. What does not suffice is taken out of sight: *shorter, to be
 * discarded if nobody pins it. */
static int find_loaded(struct memfs_shard *shard, uint64_t key, size_t need, int waits, struct memfs_item **out,
                       struct memfs_item **shorter)
{
    struct memfs_item *item;
    while ((item = find(shard, key)) && !item->buffer) {
        if (!waits)
            return MEMFS_CACHE_BUSY;
        pthread_cond_wait(&shard->loaded, &shard->lock);
    }
    *out = item;
    if (!item)
        return 0;
    if (item->buffer->length >= need || item->buffer->complete) {
        atomic_store_explicit(&item->buffer->referenced, 1, memory_order_relaxed);
        item->pins += item->error == 0;
        return item->error;
    }
    detach(shard, item);
    *shorter = item;
    *out = NULL;
    return 0;
}

/* A placeholder for what is about to be loaded, pinned by its loader. */
static struct memfs_item *place(struct memfs_cache *cache, struct memfs_shard *shard, uint64_t key)
{
    struct memfs_item *item = memfs_alloc_zeroed(&cache->allocator, sizeof *item);
    if (!item)
        return NULL;
    item->key = key;
    item->pins = 1;
    attach(shard, item);
    return item;
}

/* What find_loaded() finds, or a placeholder in its place, which is this thread's to fill; *again: there was
 * something shorter. */
static int find_or_place(struct memfs_cache *cache, uint64_t key, size_t need, int waits, struct memfs_item **out,
                         int *again, struct memfs_detail *detail)
{
    struct memfs_shard *shard = shard_of(cache, key);
    struct memfs_item *item = NULL, *shorter = NULL;
    pthread_mutex_lock(&shard->lock);
    int error = find_loaded(shard, key, need, waits, &item, &shorter);
    if (item && error && detail)
        memcpy(detail, item->buffer->data, sizeof *detail);
    if (!item && !error && !(item = place(cache, shard, key)))
        error = -ENOMEM;
    const int discards = shorter && shorter->pins == 0;
    pthread_mutex_unlock(&shard->lock);
    if (discards)
        discard(cache, shorter);
    *again |= shorter != NULL;
    *out = item;
    return error;
}

int memfs_cache_acquire(struct memfs_cache *cache, uint64_t key, size_t need, int waits, memfs_loader *loader,
                        void *context, struct memfs_item **out, struct memfs_detail *detail)
{
    struct memfs_item *item;
    int error, again = 0;
    size_t freed;
    while ((error = find_or_place(cache, key, need, waits, &item, &again, detail)) == -ENOMEM &&
           evict_one(cache, ANY, &freed))
        continue;
    if (!error && !item->buffer)
        error = fill(cache, shard_of(cache, key), item, need, again, loader, context, detail);
    if (!error)
        *out = item;
    return error;
}

void memfs_cache_release(struct memfs_cache *cache, struct memfs_item *item)
{
    struct memfs_shard *shard = shard_of(cache, item->key);
    pthread_mutex_lock(&shard->lock);
    const int last = --item->pins == 0 && item->detached;
    pthread_mutex_unlock(&shard->lock);
    if (last)
        discard(cache, item);
}

/* ---- Life -------------------------------------------------------------------------- */

int memfs_cache_init(struct memfs_cache *cache, const struct memfs_allocator *allocator, struct memfs_epochs *epochs,
                     uint64_t budget)
{
    memset(cache, 0, sizeof *cache);
    cache->allocator = *allocator;
    cache->evicting = (struct memfs_allocator){.alloc = evicting_alloc, .free = evicting_free, .context = cache};
    cache->epochs = epochs;
    cache->budget = budget;
    unsigned made = 0;
    int error = memfs_frames_init(&cache->frames, allocator);
    if (error)
        return error;
    for (; made < MEMFS_CACHE_SHARDS; made++) {
        error = pthread_mutex_init(&cache->shard[made].lock, NULL);
        if (error)
            break;
        error = pthread_cond_init(&cache->shard[made].loaded, NULL);
        if (error) {
            pthread_mutex_destroy(&cache->shard[made].lock);
            break;
        }
    }
    if (!error)
        return 0;
    while (made-- > 0) {
        pthread_cond_destroy(&cache->shard[made].loaded);
        pthread_mutex_destroy(&cache->shard[made].lock);
    }
    memfs_frames_destroy(&cache->frames);
    return -error;
}

void memfs_cache_empty(struct memfs_cache *cache)
{
    for (unsigned i = 0; i < MEMFS_CACHE_SHARDS; i++) {
        struct memfs_shard *shard = &cache->shard[i];
        while (shard->hand) {
            struct memfs_item *item = shard->hand;
            assert(item->pins == 0);
            detach(shard, item);
            discard(cache, item);
        }
    }
}

void memfs_cache_destroy(struct memfs_cache *cache)
{
    for (unsigned i = 0; i < MEMFS_CACHE_SHARDS; i++) {
        pthread_cond_destroy(&cache->shard[i].loaded);
        pthread_mutex_destroy(&cache->shard[i].lock);
    }
    memfs_frames_destroy(&cache->frames);
}
