/*
 * From refs to chunks and blocks: an image's side of the backing.
 */
#include "alloc.h"
#include "columns.h"
#include "detail.h"
#include "hash.h"
#include "image.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PREFIX_GRAIN ((size_t)128 << 10) /* what zstd decodes at once */
#define VIEW_MOST ((size_t)MEMFS_BLOCK_MOST)
#define AHEAD_BLOCKS 8u  /* so many threads find something to do while one decodes the block that all want */
#define AHEAD_BUDGET 32u /* blocks that a budget has room for, or nothing is decoded ahead */

/* ---- Keys: which table, which level of it, which chunk of that ------------------ */

/* A table's level 0 are its chunks; level n + 1 are the chunks of refs to level n. */
static uint64_t key_of(unsigned table, unsigned level, uint64_t index)
{
    return (uint64_t)table << 60 | (uint64_t)level << 56 | index;
}

static unsigned key_table(uint64_t key)
{
    return (unsigned)(key >> 60);
}

static unsigned key_level(uint64_t key)
{
    return (unsigned)(key >> 56) & 15;
}

static uint64_t key_index(uint64_t key)
{
    return key & (((uint64_t)1 << 56) - 1);
}

#define WHAT_BYTES 64

static void describe(unsigned table, unsigned level, uint64_t index, char what[WHAT_BYTES])
{
    if (level > 0)
        snprintf(what, WHAT_BYTES, "%s: level %u of refs, chunk %" PRIu64, memfs_table_name(table), level, index);
    else if (table == MEMFS_DATA)
        snprintf(what, WHAT_BYTES, "block %" PRIu64, index);
    else
        snprintf(what, WHAT_BYTES, "%s: chunk %" PRIu64, memfs_table_name(table), index);
}

/* ---- From the source ---------------------------------------------------------------- */

/* Of a source's errors those that say of reading what they say of everything. Others would be taken for an
 * answer about a node, or about an attribute: a file server that has lost the image must not look like
 * a directory that was removed, nor an odd device like a file without an ACL. */
static int passed_on(int error)
{
    static const int known[] = {EIO, ENOMEM, EINTR, ECANCELED, ETIMEDOUT, EOVERFLOW};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (error == -known[i])
            return error;
    return !error || (error <= MEMFS_ENOTIMAGE && error >= MEMFS_ELIMIT) ? error : -EIO;
}

int memfs_image_read(struct memfs_image *image, uint64_t offset, void *buffer, size_t length)
{
    atomic_fetch_add_explicit(&image->reads, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&image->read_bytes, length, memory_order_relaxed);
    const int error = image->source.read_at(image->source.context, offset, buffer, length);
    return passed_on(error);
}

static int read_verified(struct memfs_image *image, const struct memfs_ref *ref, const char *what, void *stored,
                         struct memfs_detail *detail)
{
    const int error = memfs_image_read(image, ref->offset, stored, ref->stored);
    if (error)
        return memfs_detail_fill(detail, error, ref->offset, "%s: cannot read its %" PRIu32 " bytes: %s", what,
                                 ref->stored, memfs_strerror(error));
    const uint64_t hash = memfs_hash(stored, ref->stored);
    if (hash != ref->hash)
        return memfs_detail_fill(detail, MEMFS_ECHECKSUM, ref->offset,
                                 "%s: its %" PRIu32 " bytes have checksum %016" PRIx64 ", expected %016" PRIx64, what,
                                 ref->stored, hash, ref->hash);
    return 0;
}

static int fetch(struct memfs_image *image, const struct memfs_ref *ref, const char *what, struct memfs_worker *worker,
                 struct memfs_detail *detail)
{
    const int error = memfs_worker_stored(&image->workers, worker, ref->stored);
    return error ? error : read_verified(image, ref, what, worker->stored, detail);
}

/* Counts bytes that are about to be decoded, if the budget has them. */
static int spend(struct memfs_image *image, const struct memfs_ref *ref, const char *what, size_t bytes,
                 struct memfs_detail *detail)
{
    const uint64_t end = atomic_load_explicit(&image->decoded_end, memory_order_relaxed);
    uint64_t before = atomic_load_explicit(&image->decoded_bytes, memory_order_relaxed);
    while (before <= end && bytes <= end - before)
        if (atomic_compare_exchange_weak_explicit(&image->decoded_bytes, &before, before + bytes, memory_order_relaxed,
                                                  memory_order_relaxed))
            return 0;
    return memfs_detail_fill(detail, MEMFS_ELIMIT, ref->offset,
                             "%s: to decode %zu bytes of it would exceed the budget of decoded bytes", what, bytes);
}

static int decode(struct memfs_image *image, const struct memfs_ref *ref, const char *what, struct memfs_worker *worker,
                  void *out, size_t wanted, struct memfs_detail *detail)
{
    const char *reason;
    int error = spend(image, ref, what, wanted, detail);
    if (error)
        return error;
    error = memfs_decode(worker->decoder, ref->codec, worker->stored, ref->stored, ref->raw, out, wanted, &reason);
    if (error && reason)
        return memfs_detail_fill(detail, error, ref->offset, "%s: %s", what, reason);
    return error;
}

/* Stored bytes, and what they decode to, both in the worker. */
static int fetch_raw(struct memfs_image *image, const struct memfs_ref *ref, const char *what,
                     struct memfs_worker *worker, struct memfs_detail *detail)
{
    int error = fetch(image, ref, what, worker, detail);
    if (!error)
        error = memfs_worker_raw(&image->workers, worker, ref->raw);
    return error ? error : decode(image, ref, what, worker, worker->raw, ref->raw, detail);
}

/* ---- Refs ------------------------------------------------------------------------------ */

int memfs_image_fetch_refs(struct memfs_image *image, const struct memfs_root *root, uint64_t end, unsigned table,
                           unsigned level, uint64_t index, const struct memfs_ref *ref, struct memfs_worker *worker,
                           struct memfs_ref *refs, size_t *got, struct memfs_detail *detail)
{
    char what[WHAT_BYTES];
    describe(table, level, index, what);
    int error = fetch_raw(image, ref, what, worker, detail);
    if (error)
        return error;
    const uint64_t count = root->table[table].count;
    const uint64_t first = index * MEMFS_REFS_PER_CHUNK;
    const uint64_t left = memfs_refs_width(memfs_chunk_total(table, count), level - 1) - first;
    *got = left < MEMFS_REFS_PER_CHUNK ? (size_t)left : MEMFS_REFS_PER_CHUNK;
    const char *reason;
    error = memfs_refs_decode(worker->raw, *got, refs, &reason);
    if (error)
        return memfs_detail_fill(detail, error, ref->offset, "%s: %s", what, reason);
    uint64_t least = 0, most = 0;
    for (size_t i = 0; i < *got; i++) {
        if (i == 0 || i + 1 == *got) /* all chunks are full but a table's last one */
            memfs_ref_bounds(table, count, level - 1, first + i, image->header.block_size, &least, &most);
        reason = memfs_ref_check(&refs[i], least, most, end);
        if (reason)
            return memfs_detail_fill(detail, MEMFS_ECORRUPT, ref->offset, "%s: ref %zu: %s", what, i, reason);
    }
    return 0;
}

static int load_refs(struct memfs_image *image, uint64_t key, const struct memfs_ref *ref, struct memfs_worker *worker,
                     struct memfs_buffer **out, struct memfs_detail *detail)
{
    struct memfs_buffer *buffer = memfs_buffer_make(&image->cache, MEMFS_REFS_PER_CHUNK * sizeof *ref);
    if (!buffer)
        return -ENOMEM;
    size_t got;
    const int error =
        memfs_image_fetch_refs(image, &image->root, image->trailer.root_offset, key_table(key), key_level(key),
                               key_index(key), ref, worker, (struct memfs_ref *)(void *)buffer->data, &got, detail);
    if (error)
        memfs_buffer_free(buffer);
    else
        *out = buffer;
    return error;
}

struct load {
    struct memfs_image *image;
    const struct memfs_ref *ref; /* NULL: to be found */
    int tried;                   /* it was not there, and this thread has loaded it or failed to */
};
static memfs_loader load_any;

/* Walks down from the root: each step's ref is in the chunk of refs that the
 * step before has found. Comes back into the cache, for other keys: those of
 * higher levels, so that no two threads can wait for each other. */
int memfs_image_find_ref(struct memfs_image *image, unsigned table, uint64_t index, struct memfs_ref *out,
                         struct memfs_detail *detail)
{
    const uint64_t chunks = memfs_chunk_total(table, image->root.table[table].count);
    unsigned level = memfs_refs_height(chunks);
    struct memfs_ref ref = image->root.table[table].refs[index >> (MEMFS_REFS_SHIFT * level)];
    for (; level > 0; level--) {
        struct load load = {.image = image, .ref = &ref};
        struct memfs_item *item;
        const uint64_t chunk = index >> (MEMFS_REFS_SHIFT * level);
        const int error =
            memfs_cache_acquire(&image->cache, key_of(table, level, chunk), 1, 1, load_any, &load, &item, detail);
        if (error)
            return error;
        const struct memfs_ref *refs = (const struct memfs_ref *)(const void *)item->buffer->data;
        ref = refs[(index >> (MEMFS_REFS_SHIFT * (level - 1))) & (MEMFS_REFS_PER_CHUNK - 1)];
        memfs_cache_release(&image->cache, item);
    }
    *out = ref;
    return 0;
}

/* ---- Chunks of tables --------------------------------------------------------------------- */

static void *map_alloc(void *context, size_t size)
{
    struct memfs_image *image = context;
    void *memory = memfs_alloc(&image->cache.evicting, size);
    if (memory)
        atomic_fetch_add(&image->cache.bytes, size);
    return memory;
}

static void map_free(void *context, void *memory, size_t size)
{
    struct memfs_image *image = context;
    memfs_free(&image->allocator, memory, size);
    atomic_fetch_sub(&image->cache.bytes, size);
}

static int decode_chunk(struct memfs_image *image, enum memfs_table table, uint64_t chunk, const struct memfs_ref *ref,
                        const char *what, const void *raw, struct memfs_buffer *buffer, struct memfs_detail *detail)
{
    const size_t count = memfs_chunk_records(table, image->root.table[table].count, chunk);
    const char *reason;
    int error = memfs_chunk_decode(table, raw, ref->raw, count, buffer->data, &reason);
    if (error)
        return memfs_detail_fill(detail, error, ref->offset, "%s: %s", what, reason);
    struct memfs_detail found = {0};
    error = memfs_check_chunk(&image->backing, table, chunk, buffer->data, count, buffer->length, &found);
    if (error)
        return memfs_detail_fill(detail, error, ref->offset, "%s: %s", what, found.text);
    return 0;
}

static int load_chunk(struct memfs_image *image, uint64_t key, const struct memfs_ref *ref, struct memfs_worker *worker,
                      struct memfs_buffer **out, struct memfs_detail *detail)
{
    const enum memfs_table table = (enum memfs_table)key_table(key);
    const uint64_t chunk = key_index(key);
    char what[WHAT_BYTES];
    describe(table, 0, chunk, what);
    pthread_mutex_lock(&image->lock);
    _Atomic(void *) *slot = memfs_chunkmap_reserve(&image->map[table], chunk, map_alloc, image);
    pthread_mutex_unlock(&image->lock);
    if (!slot)
        return -ENOMEM;
    int error = fetch_raw(image, ref, what, worker, detail);
    if (error)
        return error;
    const size_t count = memfs_chunk_records(table, image->root.table[table].count, chunk);
    struct memfs_buffer *buffer = memfs_buffer_make(&image->cache, memfs_chunk_native_bytes(table, ref->raw, count));
    if (!buffer)
        return -ENOMEM;
    error = decode_chunk(image, table, chunk, ref, what, worker->raw, buffer, detail);
    if (error) {
        memfs_buffer_free(buffer);
        return error;
    }
    buffer->slot = slot;
    buffer->complete = 1;
    *out = buffer;
    return 0;
}

/* ---- Data blocks ----------------------------------------------------------------------------- */

static int follows(struct memfs_recent *recent, uint64_t block)
{
    for (unsigned i = 0; i < MEMFS_RECENT && block > 0; i++)
        if (atomic_load_explicit(&recent->next[i], memory_order_relaxed) == block)
            return 1;
    return 0;
}

static void note_whole(struct memfs_recent *recent, uint64_t block)
{
    const unsigned turn = atomic_fetch_add_explicit(&recent->turn, 1, memory_order_relaxed);
    atomic_store_explicit(&recent->next[turn % MEMFS_RECENT], (uint32_t)block + 1, memory_order_relaxed);
}

/* What is read in order is used once, mostly: it does not take the place of all else, nor new memory, which
 * the system has to clear. Blocks that share parts with earlier ones need these again. So it is three quarters
 * of the budget, but of a large one half, or what parts are looked for in. */
static uint64_t in_order_share(uint64_t budget)
{
    const uint64_t most = budget / 4 * 3, enough = budget / 2 > MEMFS_KEPT_BYTES ? budget / 2 : MEMFS_KEPT_BYTES;
    return most < enough ? most : enough;
}

/* How much of a block is decoded for one who needs so much of it: no more, where it is
 * met by chance; all, for one who comes back, and for several who read blocks in order,
 * each of them now here and now there, but all of them near. */
static size_t choose_prefix(struct memfs_image *image, uint64_t block, const struct memfs_ref *ref, size_t need,
                            int again)
{
    const size_t prefix = (need + PREFIX_GRAIN - 1) / PREFIX_GRAIN * PREFIX_GRAIN;
    if (again || ref->codec == MEMFS_CODEC_RAW || prefix >= ref->raw || follows(&image->recent, block))
        return ref->raw;
    return prefix;
}

static int load_block(struct memfs_image *image, uint64_t key, const struct memfs_ref *ref, size_t need, int again,
                      struct memfs_worker *worker, struct memfs_buffer **out, struct memfs_detail *detail)
{
    char what[WHAT_BYTES];
    describe(MEMFS_DATA, 0, key_index(key), what);
    const int raw = ref->codec == MEMFS_CODEC_RAW;
    const size_t length = choose_prefix(image, key_index(key), ref, need, again);
    const int in_order = follows(&image->recent, key_index(key));
    if (length == ref->raw)
        note_whole(&image->recent, key_index(key));
    int error = raw ? spend(image, ref, what, ref->raw, detail) : fetch(image, ref, what, worker, detail);
    if (error)
        return error;
    const uint64_t budget = image->cache.budget;
    struct memfs_buffer *buffer =
        memfs_buffer_make_block(&image->cache, ref->raw, in_order ? in_order_share(budget) : budget);
    if (!buffer)
        return -ENOMEM;
    buffer->length = length;
    buffer->complete = length == ref->raw;
    if (raw)
        error = read_verified(image, ref, what, buffer->data, detail);
    else
        error = decode(image, ref, what, worker, buffer->data, buffer->length, detail);
    if (error)
        memfs_buffer_free(buffer);
    else
        *out = buffer;
    return error;
}

int memfs_image_decode_block(struct memfs_image *image, uint64_t block, const struct memfs_ref *ref,
                             struct memfs_worker *worker, void *raw, struct memfs_detail *detail)
{
    char what[WHAT_BYTES];
    describe(MEMFS_DATA, 0, block, what);
    int error = fetch(image, ref, what, worker, detail);
    if (!error)
        error = decode(image, ref, what, worker, raw, ref->raw, detail);
    return error;
}

/* ---- Into the cache ------------------------------------------------------------------------------ */

static int load_any(void *context, uint64_t key, size_t need, int again, struct memfs_buffer **out,
                    struct memfs_detail *detail)
{
    struct load *load = context;
    struct memfs_image *image = load->image;
    struct memfs_ref ref;
    int error = 0;
    load->tried = 1;
    if (load->ref)
        ref = *load->ref;
    else
        error = memfs_image_find_ref(image, key_table(key), key_index(key), &ref, detail);
    struct memfs_worker *worker = NULL;
    if (!error)
        error = memfs_worker_take(&image->workers, &worker);
    if (error)
        return error;
    if (key_level(key) > 0)
        error = load_refs(image, key, &ref, worker, out, detail);
    else if (key_table(key) == MEMFS_DATA)
        error = load_block(image, key, &ref, need, again, worker, out, detail);
    else
        error = load_chunk(image, key, &ref, worker, out, detail);
    memfs_worker_put(&image->workers, worker);
    return error;
}

/* Another thread is decoding this block: if blocks are read in order, the time until it is
 * done is spent on the next one that nobody has. What goes wrong there is told to whoever
 * needs that block. */
static void load_ahead(struct memfs_image *image, uint64_t block)
{
    const uint64_t count = image->root.table[MEMFS_DATA].count;
    const size_t whole = image->header.block_size;
    if (image->cache.budget / AHEAD_BUDGET < whole || !follows(&image->recent, block) ||
        !follows(&image->recent, block + 1))
        return;
    for (uint64_t next = block + 1; next < count && next <= block + AHEAD_BLOCKS; next++) {
        struct load load = {.image = image};
        struct memfs_item *item;
        const int error =
            memfs_cache_acquire(&image->cache, key_of(MEMFS_DATA, 0, next), whole, 0, load_any, &load, &item, NULL);
        if (!error)
            memfs_cache_release(&image->cache, item);
        if (load.tried || error < 0)
            return;
    }
}

static int acquire(struct memfs_image *image, unsigned table, uint64_t index, size_t need, struct memfs_item **out,
                   struct memfs_detail *detail)
{
    struct load load = {.image = image};
    struct memfs_detail found = {.offset = MEMFS_NOWHERE};
    const uint64_t key = key_of(table, 0, index);
    int error = memfs_cache_acquire(&image->cache, key, need, table != MEMFS_DATA, load_any, &load, out, &found);
    if (error == MEMFS_CACHE_BUSY) {
        load_ahead(image, index);
        error = memfs_cache_acquire(&image->cache, key, need, 1, load_any, &load, out, &found);
    }
    if (!error)
        return 0;
    if (found.error == 0)
        memfs_detail_fill(&found, error, MEMFS_NOWHERE, "%s %" PRIu64 ": %s", memfs_table_name(table), index,
                          memfs_strerror(error));
    if (error == MEMFS_ECHECKSUM || error == MEMFS_ECORRUPT || error == MEMFS_ELIMIT) {
        pthread_mutex_lock(&image->lock);
        image->damage = found;
        pthread_mutex_unlock(&image->lock);
    }
    if (detail)
        *detail = found;
    return error;
}

int memfs_image_load(struct memfs_image *image, enum memfs_table table, uint64_t chunk, struct memfs_pin *pin,
                     const void **data, struct memfs_detail *detail)
{
    struct memfs_item *item;
    const int error = acquire(image, table, chunk, 1, &item, detail);
    if (error)
        return error;
    pin->object = item;
    *data = item->buffer->data;
    return 0;
}

/* Pins a block of which length bytes from start are decoded, at least one. */
static int acquire_block(struct memfs_image *image, uint32_t block, uint64_t start, size_t length,
                         struct memfs_item **out, struct memfs_detail *detail)
{
    if (block >= image->root.table[MEMFS_DATA].count || start >= MEMFS_BLOCK_MOST || length > MEMFS_BLOCK_MOST - start)
        return memfs_detail_fill(detail, MEMFS_ECORRUPT, MEMFS_NOWHERE,
                                 "block %" PRIu32 ": bytes from %" PRIu64 " are asked for, which it cannot have", block,
                                 start);
    const int error = acquire(image, MEMFS_DATA, block, (size_t)start + length, out, detail);
    if (error || (*out)->buffer->length >= start + length)
        return error;
    memfs_detail_fill(detail, MEMFS_ECORRUPT, MEMFS_NOWHERE,
                      "block %" PRIu32 " has %zu bytes, but %zu from %" PRIu64 " are asked for", block,
                      (*out)->buffer->length, length, start);
    memfs_cache_release(&image->cache, *out);
    return MEMFS_ECORRUPT;
}

int memfs_image_read_block(struct memfs_image *image, uint32_t block, uint64_t start, void *buffer, size_t length,
                           struct memfs_detail *detail)
{
    struct memfs_item *item;
    if (length == 0)
        return 0;
    const int error = acquire_block(image, block, start, length, &item, detail);
    if (error)
        return error;
    memcpy(buffer, item->buffer->data + start, length);
    memfs_cache_release(&image->cache, item);
    return 0;
}

int memfs_image_pin_block(struct memfs_image *image, uint32_t block, size_t need, struct memfs_pin *pin,
                          const uint8_t **data, struct memfs_detail *detail)
{
    struct memfs_item *item;
    const int error = acquire_block(image, block, 0, need, &item, detail);
    if (error)
        return error;
    pin->object = item;
    *data = item->buffer->data;
    return 0;
}

/* ---- The backing ----------------------------------------------------------------------------------- */

static struct memfs_image *image_of(memfs_backing *backing)
{
    return (struct memfs_image *)(void *)backing;
}

static void image_destroy(memfs_backing *backing)
{
    memfs_image_free(image_of(backing));
}

static const void *image_peek(memfs_backing *backing, enum memfs_table table, uint64_t chunk)
{
    if (table >= MEMFS_BACKED)
        return NULL;
    void *data = memfs_chunkmap_get(&image_of(backing)->map[table], chunk);
    if (data)
        memfs_buffer_touch(data);
    return data;
}

static int image_load(memfs_backing *backing, enum memfs_table table, uint64_t chunk, struct memfs_pin *pin)
{
    struct memfs_image *image = image_of(backing);
    if (table >= MEMFS_BACKED || chunk >= memfs_chunk_total(table, image->root.table[table].count))
        return MEMFS_ECORRUPT;
    const void *data;
    return memfs_image_load(image, table, chunk, pin, &data, NULL);
}

static int image_read(memfs_backing *backing, uint32_t block, uint64_t start, void *buffer, size_t length)
{
    return memfs_image_read_block(image_of(backing), block, start, buffer, length, NULL);
}

static int image_view(memfs_backing *backing, uint32_t block, uint64_t start, size_t length, const void **data,
                      size_t *got, struct memfs_pin *pin)
{
    struct memfs_item *item;
    if (start >= MEMFS_BLOCK_MOST)
        return MEMFS_ECORRUPT;
    if (length > VIEW_MOST - start)
        length = (size_t)(VIEW_MOST - start);
    const int error = acquire_block(image_of(backing), block, start, length, &item, NULL);
    if (error)
        return error;
    *data = item->buffer->data + start;
    *got = length;
    pin->object = item;
    return 0;
}

static void image_unpin(memfs_backing *backing, struct memfs_pin *pin)
{
    if (pin->object)
        memfs_cache_release(&image_of(backing)->cache, pin->object);
    pin->object = NULL;
}

const struct memfs_backing_ops memfs_image_ops = {
    .destroy = image_destroy,
    .peek = image_peek,
    .load = image_load,
    .read = image_read,
    .view = image_view,
    .seek_data = NULL,
    .unpin = image_unpin,
};

/* Readers are gone, so that nothing is pinned. */
void memfs_image_free(struct memfs_image *image)
{
    memfs_cache_empty(&image->cache);
    memfs_epochs_destroy(&image->epochs);
    for (unsigned table = 0; table < MEMFS_BACKED; table++)
        memfs_chunkmap_clear(&image->map[table], map_free, image);
    memfs_workers_destroy(&image->workers);
    memfs_cache_destroy(&image->cache);
    pthread_mutex_destroy(&image->lock);
    if (image->source.close)
        image->source.close(image->source.context);
    const struct memfs_allocator allocator = image->allocator;
    memfs_free(&allocator, image, sizeof *image);
}
