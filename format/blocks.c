#include "blocks.h"

#include "alloc.h"
#include "columns.h"
#include "hash.h"

#include <errno.h>
#include <string.h>

int memfs_blocks_begin(struct memfs_blocks *blocks, struct memfs_freezing *job, const struct memfs_sink *sink,
                       size_t raw_most)
{
    *blocks = (struct memfs_blocks){.job = job, .sink = sink};
    for (unsigned table = 0; table < MEMFS_IMAGE_TABLES; table++)
        memfs_rows_begin(&blocks->refs[table], &job->allocator, sizeof(struct memfs_ref), MEMFS_REFS_SHIFT);
    size_t refs = memfs_refs_raw_bytes(MEMFS_REFS_PER_CHUNK);
    blocks->scratch_bytes = raw_most > refs ? raw_most : refs;
    blocks->scratch = memfs_alloc(&job->allocator, blocks->scratch_bytes);
    if (!blocks->scratch)
        return -ENOMEM;
    return memfs_encoder_create(&job->allocator, job->options.level, &blocks->encoder);
}

void memfs_blocks_end(struct memfs_blocks *blocks)
{
    if (!blocks->job)
        return;
    for (unsigned table = 0; table < MEMFS_IMAGE_TABLES; table++)
        memfs_rows_end(&blocks->refs[table]);
    memfs_free(&blocks->job->allocator, blocks->scratch, blocks->scratch_bytes);
    memfs_encoder_destroy(blocks->encoder);
    *blocks = (struct memfs_blocks){0};
}

int memfs_blocks_write(struct memfs_blocks *blocks, const void *data, size_t length)
{
    int error = blocks->sink->write(blocks->sink->context, data, length);
    if (error)
        return memfs_detail_fill(blocks->job->detail, error, blocks->offset, "cannot write %zu bytes of the image: %s",
                                 length, memfs_strerror(error));
    blocks->offset += length;
    return 0;
}

static int write_block(struct memfs_blocks *blocks, const void *raw, size_t length, struct memfs_ref *ref)
{
    const void *stored;
    size_t stored_length;
    uint8_t codec;
    int error = memfs_encode(blocks->encoder, raw, length, blocks->scratch, &stored, &stored_length, &codec);
    if (error)
        return error;
    *ref = (struct memfs_ref){.offset = blocks->offset,
                              .hash = memfs_hash(stored, stored_length),
                              .stored = (uint32_t)stored_length,
                              .raw = (uint32_t)length,
                              .codec = codec};
    return memfs_blocks_write(blocks, stored, stored_length);
}

int memfs_blocks_add(struct memfs_blocks *blocks, unsigned table, const void *raw, size_t length)
{
    struct memfs_ref *ref = memfs_rows_add(&blocks->refs[table]);
    if (!ref)
        return -ENOMEM;
    int error = write_block(blocks, raw, length, ref);
    if (error)
        return error;
    if (table == MEMFS_DATA) {
        blocks->raw_bytes += length;
        blocks->stored_bytes += ref->stored;
    }
    return 0;
}

/* Writes one level's refs as chunks, whose refs go to above. */
static int write_level(struct memfs_blocks *blocks, const struct memfs_rows *refs, struct memfs_rows *above, void *raw)
{
    for (uint64_t first = 0; first < refs->count; first += MEMFS_REFS_PER_CHUNK) {
        uint64_t left = refs->count - first;
        size_t count = left < MEMFS_REFS_PER_CHUNK ? (size_t)left : MEMFS_REFS_PER_CHUNK;
        memfs_refs_encode(memfs_rows_at(refs, first), count, raw);
        struct memfs_ref *ref = memfs_rows_add(above);
        if (!ref)
            return -ENOMEM;
        int error = write_block(blocks, raw, memfs_refs_raw_bytes(count), ref);
        if (error)
            return error;
    }
    return 0;
}

int memfs_blocks_add_refs(struct memfs_blocks *blocks, unsigned table, struct memfs_root_table *out)
{
    const struct memfs_allocator *allocator = &blocks->job->allocator;
    size_t raw_bytes = memfs_refs_raw_bytes(MEMFS_REFS_PER_CHUNK);
    void *raw = memfs_alloc(allocator, raw_bytes);
    int error = raw ? 0 : -ENOMEM;
    struct memfs_rows *level = &blocks->refs[table];
    while (!error && level->count > MEMFS_REFS_TOP) {
        struct memfs_rows above;
        memfs_rows_begin(&above, allocator, sizeof(struct memfs_ref), MEMFS_REFS_SHIFT);
        error = write_level(blocks, level, &above, raw);
        memfs_rows_end(level);
        *level = above;
    }
    memfs_free(allocator, raw, raw_bytes);
    for (uint64_t i = 0; !error && i < level->count; i++)
        out->refs[i] = *(const struct memfs_ref *)memfs_rows_at(level, i);
    return error;
}
