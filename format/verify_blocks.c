/*
 * The stored bytes of data blocks: that each has its hash. Several threads read and
 * hash them, in the file's order as its writer made it; findings come in order of the
 * blocks.
 */
#include "alloc.h"
#include "columns.h"
#include "detail.h"
#include "hash.h"
#include "pool.h"
#include "verify.h"

#include <errno.h>
#include <inttypes.h>

#define PIECE_BYTES ((size_t)256 << 10) /* read and hashed at once */
#define BATCH_BLOCKS 64u
#define BATCH_BYTES ((uint64_t)1 << 20) /* no further block is added to a batch that has so many */

struct block {
    uint64_t index, hash;
    struct memfs_ref ref;
    int error; /* of reading it */
};

/* Blocks that one job hashes: few if they are large, more if they are small. */
struct batch {
    struct memfs_job job; /* first */
    struct memfs_verifying *v;
    size_t count;
    struct block block[BATCH_BLOCKS];
};

/* Batches in a ring: those from `taken` up to `made` are on their way. */
struct hashing {
    struct memfs_verifying *v;
    struct batch *ring;
    size_t room;
    uint64_t made, taken;
    uint64_t blocks, next; /* block that is in no batch yet */
};

int memfs_verify_hash(struct memfs_image *image, struct memfs_worker *worker, const struct memfs_ref *ref,
                      uint64_t *hash)
{
    struct memfs_hasher hasher;
    memfs_hasher_begin(&hasher);
    int error = memfs_worker_stored(&image->workers, worker, PIECE_BYTES);
    for (uint32_t at = 0; !error && at < ref->stored;) {
        const size_t piece = ref->stored - at < PIECE_BYTES ? ref->stored - at : PIECE_BYTES;
        error = memfs_image_read(image, ref->offset + at, worker->stored, piece);
        if (!error)
            memfs_hasher_add(&hasher, worker->stored, piece);
        at += (uint32_t)piece;
    }
    *hash = memfs_hasher_end(&hasher);
    return error;
}

int memfs_verify_unread(struct memfs_verifying *v, unsigned table, uint64_t index, const struct memfs_ref *ref,
                        int error)
{
    struct memfs_detail detail;
    memfs_detail_fill(&detail, error, ref->offset, "%s: cannot read %s %" PRIu64 ": %s", memfs_table_name(table),
                      table == MEMFS_DATA ? "block" : "chunk", index, memfs_strerror(error));
    return memfs_verify_error(v, error, &detail);
}

int memfs_verify_mismatch(struct memfs_verifying *v, unsigned table, uint64_t index, const struct memfs_ref *ref,
                          uint64_t hash)
{
    return memfs_verify_finding(
        v, MEMFS_ECHECKSUM, ref->offset,
        "%s: the %" PRIu32 " bytes of %s %" PRIu64 " have checksum %016" PRIx64 ", expected %016" PRIx64,
        memfs_table_name(table), ref->stored, table == MEMFS_DATA ? "block" : "chunk", index, hash, ref->hash);
}

/* ---- In any thread ------------------------------------------------------------------ */

static void hash_batch(struct memfs_job *job, unsigned number)
{
    struct batch *batch = (struct batch *)(void *)job;
    struct memfs_image *image = batch->v->image;
    struct memfs_worker *worker = NULL;
    (void)number;
    const int error = memfs_worker_take(&image->workers, &worker);
    for (size_t i = 0; i < batch->count; i++) {
        struct block *block = &batch->block[i];
        block->error = error ? error : memfs_verify_hash(image, worker, &block->ref, &block->hash);
    }
    memfs_worker_put(&image->workers, worker);
}

/* ---- In the caller's ------------------------------------------------------------------ */

/* The next blocks that were met and are not verified yet; none at the end. */
static int fill(struct hashing *h, struct batch *batch)
{
    uint64_t bytes = 0;
    for (batch->count = 0; h->next < h->blocks && batch->count < BATCH_BLOCKS && bytes < BATCH_BYTES; h->next++) {
        struct block *block = &batch->block[batch->count];
        struct memfs_detail detail = {0};
        if (memfs_verify_work(h->v, 0))
            return 1;
        if (h->v->block_raw[h->next] == 0 || memfs_bit(h->v->block_done, h->next))
            continue;
        const int error = memfs_image_find_ref(h->v->image, MEMFS_DATA, h->next, &block->ref, &detail);
        if (error && memfs_verify_error(h->v, error, &detail))
            return 1;
        block->index = h->next;
        bytes += block->ref.stored;
        batch->count += error == 0;
    }
    return 0;
}

static int submit(struct hashing *h)
{
    while (h->made - h->taken < h->room) {
        struct batch *batch = &h->ring[h->made % h->room];
        if (fill(h, batch))
            return 1;
        if (batch->count == 0)
            return 0;
        batch->v = h->v;
        batch->job.run = hash_batch;
        memfs_pool_submit(h->v->pool, &batch->job, 0);
        h->made++;
    }
    return 0;
}

static int report_block(struct memfs_verifying *v, const struct block *block)
{
    if (block->error)
        return memfs_verify_unread(v, MEMFS_DATA, block->index, &block->ref, block->error);
    memfs_bit_set(v->block_done, block->index);
    if (block->hash != block->ref.hash && memfs_verify_mismatch(v, MEMFS_DATA, block->index, &block->ref, block->hash))
        return 1;
    return memfs_verify_progress(v, block->ref.stored, 0);
}

static int report(struct memfs_verifying *v, const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (report_block(v, &batch->block[i]))
            return 1;
    }
    return 0;
}

static int hash_all(struct hashing *h)
{
    for (;;) {
        if (submit(h))
            return 1;
        if (h->taken == h->made)
            return 0;
        const struct batch *batch = &h->ring[h->taken % h->room];
        memfs_pool_wait(h->v->pool, &batch->job);
        h->taken++;
        if (report(h->v, batch))
            return 1;
    }
}

int memfs_verify_blocks(struct memfs_verifying *v)
{
    struct hashing h = {
        .v = v, .room = 2 * (size_t)memfs_pool_threads(v->pool), .blocks = v->image->root.table[MEMFS_DATA].count};
    h.ring = memfs_alloc_zeroed(&v->image->allocator, h.room * sizeof *h.ring);
    if (!h.ring)
        return memfs_verify_no_memory(v);
    const int stop = hash_all(&h);
    memfs_pool_drain(v->pool);
    memfs_free(&v->image->allocator, h.ring, h.room * sizeof *h.ring);
    return stop;
}
