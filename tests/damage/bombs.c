#include "bombs.h"

#include "alloc.h"
#include "codec.h"
#include "digest.h"
#include "surgery.h"

static void whole_frame(unsigned table, unsigned level, uint64_t index, struct memfs_ref *ref)
{
    (void)index;
    if (table == MEMFS_DATA && level == 0) {
        ref->codec = MEMFS_CODEC_ZSTD;
        ref->raw = BOMB_BLOCK_BYTES;
    }
}

uint8_t bomb_alternating_byte(uint64_t i)
{
    return (uint8_t)((BOMB_BLOCK_BYTES - 1 - i % 1000) % 251 + 1);
}

static uint8_t *alternating_block(void)
{
    uint8_t *raw = malloc(BOMB_BLOCK_BYTES);
    assert_non_null(raw);
    for (uint32_t i = 0; i < BOMB_BLOCK_BYTES; i++)
        raw[i] = (uint8_t)(i % 251 + 1);
    return raw;
}

/* An image with one file, apart; its contents are to be all these blocks, each of
 * which is raw, compressed. */
static void begin(struct surgery *s, const uint8_t *raw, size_t extents)
{
    struct test_buffer buffer = {0};
    struct memfs_encoder *encoder = NULL;
    const struct memfs_allocator allocator = memfs_allocator_or_default(NULL);
    const void *stored;
    size_t length;
    uint8_t codec;
    memfs *fs = NULL;
    assert_ok(memfs_create(NULL, &fs));
    test_put_text(fs, "file", "x");
    test_freeze(fs, &buffer);
    memfs_destroy(fs);
    surgery_open(s, &buffer);
    test_buffer_free(&buffer);
    uint8_t *scratch = malloc(BOMB_BLOCK_BYTES);
    assert_non_null(scratch);
    assert_ok(memfs_encoder_create(&allocator, 1, BOMB_BLOCK_BYTES, &encoder));
    assert_ok(memfs_encode(encoder, raw, BOMB_BLOCK_BYTES, scratch, &stored, &length, &codec));
    assert_int_equal(codec, MEMFS_CODEC_ZSTD);
    assert_int_equal(s->blocks_count, 1);
    free(s->blocks[0].raw);
    s->blocks = surgery_grow(s->blocks, 0, BOMB_BLOCKS, sizeof *s->blocks);
    s->blocks_count = BOMB_BLOCKS;
    for (size_t i = 0; i < BOMB_BLOCKS; i++) {
        s->blocks[i] = (struct surgery_block){surgery_grow(NULL, 0, length, 1), length};
        memcpy(s->blocks[i].raw, stored, length);
    }
    memfs_encoder_destroy(encoder);
    free(scratch);
    s->header.block_size = BOMB_BLOCK_BYTES;
    s->edit_ref = whole_frame;
    s->extents = surgery_grow(s->extents, 0, extents, sizeof *s->extents);
    s->extents_count = extents;
    s->nodes[2].extents.count = (uint32_t)extents;
}

static void end(struct surgery *s, uint64_t size, uint64_t digest, struct test_buffer *out)
{
    s->nodes[2].size = s->root.content_bytes = s->root.data_bytes = size;
    s->digests[2] = digest;
    surgery_close(s, out);
    surgery_free(s);
}

void bomb_alternating(struct test_buffer *out, uint32_t extents)
{
    struct surgery s;
    struct memfs_digest digest;
    uint8_t *raw = alternating_block();
    begin(&s, raw, extents);
    free(raw);
    memfs_digest_begin(&digest);
    for (uint32_t i = 0; i < extents; i++) {
        const uint8_t byte = bomb_alternating_byte(i);
        s.extents[i] = (struct memfs_extent){i, 1, i % BOMB_BLOCKS, BOMB_BLOCK_BYTES - 1 - i % 1000};
        memfs_digest_add(&digest, &byte, 1);
    }
    end(&s, extents, memfs_digest_end(&digest), out);
}

void bomb_zeros(struct test_buffer *out)
{
    struct surgery s;
    struct memfs_digest digest;
    uint8_t *raw = calloc(1, BOMB_BLOCK_BYTES);
    assert_non_null(raw);
    begin(&s, raw, BOMB_BLOCKS);
    free(raw);
    for (uint32_t i = 0; i < BOMB_BLOCKS; i++)
        s.extents[i] = (struct memfs_extent){(uint64_t)i * BOMB_BLOCK_BYTES, BOMB_BLOCK_BYTES, i, 0};
    memfs_digest_begin(&digest);
    memfs_digest_add_gap(&digest, (uint64_t)BOMB_BLOCKS * BOMB_BLOCK_BYTES);
    end(&s, (uint64_t)BOMB_BLOCKS * BOMB_BLOCK_BYTES, memfs_digest_end(&digest), out);
}

void bomb_deep(struct test_buffer *out, uint32_t levels)
{
    memfs *fs = NULL;
    memfs_node node = MEMFS_ROOT, below;
    assert_ok(memfs_create(NULL, &fs));
    for (uint32_t i = 0; i < levels; i++) {
        assert_ok(memfs_node_mkdir(fs, NULL, node, "d", 0755, &below));
        memfs_node_forget(fs, below, 1);
        node = below;
    }
    test_freeze(fs, out);
    memfs_destroy(fs);
}
