#include "blocks.h"

#include "alloc.h"
#include "columns.h"
#include "emit.h"
#include "hash.h"

#include <errno.h>
#include <string.h>

/* Enough for any chunk of a table, or of refs. */
static size_t chunk_bytes(void)
{
    const size_t chunk = memfs_emit_raw_most(), refs = memfs_refs_raw_bytes(MEMFS_REFS_PER_CHUNK);
    return chunk > refs ? chunk : refs;
}

/* Enough for the stored bytes of any block. */
static size_t scratch_bytes(uint32_t block_size)
{
    const size_t chunk = chunk_bytes();
    return block_size > chunk ? block_size : chunk;
}

size_t memfs_press_bytes(uint32_t block_size)
{
    return scratch_bytes(block_size) + chunk_bytes();
}

int memfs_blocks_begin(struct memfs_blocks *blocks, struct memfs_freezing *job, const struct memfs_sink *sink,
                       size_t presses)
{
    const struct memfs_allocator *allocator = &job->allocator;
    *blocks = (struct memfs_blocks){.job = job, .sink = sink, .presses_count = presses};
    for (unsigned table = 0; table < MEMFS_IMAGE_TABLES; table++)
        memfs_rows_begin(&blocks->refs[table], allocator, sizeof(struct memfs_ref), MEMFS_REFS_SHIFT);
    blocks->scratch_bytes = scratch_bytes(job->options.block_size);
    blocks->presses = memfs_alloc_zeroed(allocator, presses * sizeof *blocks->presses);
    blocks->encoders = memfs_alloc_zeroed(allocator, memfs_pool_threads(job->pool) * sizeof *blocks->encoders);
    return blocks->presses && blocks->encoders ? 0 : -ENOMEM;
}

void memfs_blocks_end(struct memfs_blocks *blocks)
{
    if (!blocks->job)
        return;
    const struct memfs_allocator *allocator = &blocks->job->allocator;
    const unsigned threads = memfs_pool_threads(blocks->job->pool);
    for (unsigned table = 0; table < MEMFS_IMAGE_TABLES; table++)
        memfs_rows_end(&blocks->refs[table]);
    for (size_t i = 0; blocks->presses && i < blocks->presses_count; i++) {
        memfs_free(allocator, blocks->presses[i].scratch, blocks->scratch_bytes);
        memfs_free(allocator, blocks->presses[i].chunk, chunk_bytes());
    }
    memfs_free(allocator, blocks->presses, blocks->presses_count * sizeof *blocks->presses);
    for (unsigned i = 0; blocks->encoders && i < threads; i++)
        memfs_encoder_destroy(blocks->encoders[i]);
    memfs_free(allocator, blocks->encoders, threads * sizeof *blocks->encoders);
    *blocks = (struct memfs_blocks){0};
}

/* ---- Pressing: on any thread ---------------------------------------------------- */

static int press(struct memfs_press *press, unsigned worker)
{
    struct memfs_blocks *blocks = press->blocks;
    const struct memfs_freezing *job = blocks->job;
    struct memfs_encoder **encoder = &blocks->encoders[worker];
    struct memfs_ref *ref = press->ref;
    int error =
        *encoder ? 0 : memfs_encoder_create(&job->allocator, job->options.level, blocks->scratch_bytes, encoder);
    if (!error && !press->scratch && !(press->scratch = memfs_alloc(&job->allocator, blocks->scratch_bytes)))
        error = -ENOMEM;
    size_t stored;
    if (!error)
        error = memfs_encode(*encoder, press->raw, ref->raw, press->scratch, &press->stored, &stored, &ref->codec);
    if (error)
        return error;
    ref->stored = (uint32_t)stored;
    ref->hash = memfs_hash(press->stored, stored);
    return 0;
}

static void run_press(struct memfs_job *work, unsigned worker)
{
    struct memfs_press *self = (struct memfs_press *)work;
    self->error = press(self, worker);
}

/* ---- Writing ---------------------------------------------------------------------- */

int memfs_blocks_write(struct memfs_blocks *blocks, const void *data, size_t length)
{
    int error = blocks->sink->write(blocks->sink->context, data, length);
    if (error > 0) /* no answer of a sink: a count, as write() returns */
        error = -EIO;
    if (error)
        return memfs_detail_fill(blocks->job->detail, error, blocks->offset, "cannot write %zu bytes of the image: %s",
                                 length, memfs_strerror(error));
    blocks->offset += length;
    return 0;
}

static struct memfs_press *oldest(const struct memfs_blocks *blocks)
{
    return &blocks->presses[blocks->written % blocks->presses_count];
}

/* The oldest block has been pressed. */
static int write_oldest(struct memfs_blocks *blocks)
{
    const struct memfs_press *press = oldest(blocks);
    if (press->error)
        return press->error;
    press->ref->offset = blocks->offset;
    int error = memfs_blocks_write(blocks, press->stored, press->ref->stored);
    if (error)
        return error;
    blocks->written++;
    if (press->table == MEMFS_DATA) {
        blocks->data_written++;
        blocks->raw_bytes += press->ref->raw;
        blocks->stored_bytes += press->ref->stored;
    }
    return memfs_freezing_progress(blocks->job, press->ref->raw);
}

static int settle_oldest(struct memfs_blocks *blocks)
{
    int error = memfs_freezing_wait(blocks->job, &oldest(blocks)->work);
    return error ? error : write_oldest(blocks);
}

int memfs_blocks_write_ready(struct memfs_blocks *blocks)
{
    int error = 0;
    while (!error && blocks->written < blocks->added && memfs_pool_is_done(blocks->job->pool, &oldest(blocks)->work))
        error = write_oldest(blocks);
    return error;
}

int memfs_blocks_settle(struct memfs_blocks *blocks, uint64_t data_blocks)
{
    int error = 0;
    while (!error && blocks->written < blocks->added && blocks->data_written < data_blocks)
        error = settle_oldest(blocks);
    return error;
}

int memfs_blocks_finish(struct memfs_blocks *blocks)
{
    int error = 0;
    while (!error && blocks->written < blocks->added)
        error = settle_oldest(blocks);
    return error;
}

/* ---- Adding ------------------------------------------------------------------------- */

/* The press of the next block, free. */
static int next_press(struct memfs_blocks *blocks, struct memfs_press **out)
{
    int error = blocks->added - blocks->written == blocks->presses_count ? settle_oldest(blocks) : 0;
    *out = &blocks->presses[blocks->added % blocks->presses_count];
    return error;
}

int memfs_blocks_room(struct memfs_blocks *blocks, void **out)
{
    struct memfs_press *press;
    int error = next_press(blocks, &press);
    if (error)
        return error;
    if (!press->chunk)
        press->chunk = memfs_alloc(&blocks->job->allocator, chunk_bytes());
    *out = press->chunk;
    return press->chunk ? 0 : -ENOMEM;
}

static int add(struct memfs_blocks *blocks, struct memfs_rows *refs, unsigned table, const void *raw, size_t length)
{
    struct memfs_press *press;
    int error = next_press(blocks, &press);
    struct memfs_ref *ref = error ? NULL : memfs_rows_add(refs);
    if (!ref)
        return error ? error : -ENOMEM;
    ref->raw = (uint32_t)length;
    press->work.run = run_press;
    press->blocks = blocks;
    press->ref = ref;
    press->table = table;
    press->raw = raw;
    memfs_pool_submit(blocks->job->pool, &press->work, 1);
    blocks->added++;
    return 0;
}

int memfs_blocks_add(struct memfs_blocks *blocks, unsigned table, const void *raw, size_t length)
{
    return add(blocks, &blocks->refs[table], table, raw, length);
}

/* ---- Refs ---------------------------------------------------------------------------- */

/* Writes one level's refs, which are all known, as chunks, whose refs go to above. */
static int write_level(struct memfs_blocks *blocks, const struct memfs_rows *refs, struct memfs_rows *above)
{
    for (uint64_t first = 0; first < refs->count; first += MEMFS_REFS_PER_CHUNK) {
        uint64_t left = refs->count - first;
        size_t count = left < MEMFS_REFS_PER_CHUNK ? (size_t)left : MEMFS_REFS_PER_CHUNK;
        void *raw;
        int error = memfs_blocks_room(blocks, &raw);
        if (error)
            return error;
        memfs_refs_encode(memfs_rows_at(refs, first), count, raw);
        error = add(blocks, above, MEMFS_IMAGE_TABLES, raw, memfs_refs_raw_bytes(count));
        if (error)
            return error;
    }
    return memfs_blocks_finish(blocks);
}

int memfs_blocks_add_refs(struct memfs_blocks *blocks, unsigned table, struct memfs_root_table *out)
{
    struct memfs_rows *level = &blocks->refs[table];
    int error = memfs_blocks_finish(blocks);
    while (!error && level->count > MEMFS_REFS_TOP) {
        struct memfs_rows above;
        memfs_rows_begin(&above, &blocks->job->allocator, sizeof(struct memfs_ref), MEMFS_REFS_SHIFT);
        error = write_level(blocks, level, &above);
        if (error)
            memfs_pool_drain(blocks->job->pool); /* nobody writes into refs that are given back */
        memfs_rows_end(level);
        *level = above;
    }
    for (uint64_t i = 0; !error && i < level->count; i++)
        out->refs[i] = *(const struct memfs_ref *)memfs_rows_at(level, i);
    return error;
}
