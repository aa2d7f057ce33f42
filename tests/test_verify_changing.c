/*
 * An image that is changed while it is verified, by somebody who knows its hash: a chunk of extents is another when it
 * is read again, and has the same XXH3-64.
 */
#include "digest.h"
#include "surgery.h"

#define XXH_STATIC_LINKING_ONLY
#define XXH_INLINE_ALL
#include <xxhash.h>

#define EXTENTS 512u                                   /* a chunk full, */
#define BLOCK 0xE100u                                  /* and bytes of the block that they lie in */
#define PLACES (1 + 4 * EXTENTS + 1 + 8 * EXTENTS + 1) /* where their starts are: behind lengths and offsets */
#define CHUNK (PLACES + 8 * EXTENTS)

static uint8_t before[CHUNK], after[CHUNK]; /* of the chunk */

/* ---- Two chunks with one hash ---- */

static void put_column(uint8_t *column, unsigned width, uint64_t (*value)(uint64_t))
{
    for (uint64_t i = 0; i < EXTENTS; i++) {
        for (unsigned byte = 0; byte < width; byte++)
            column[1 + byte * EXTENTS + i] = (uint8_t)(value(i) >> 8 * byte);
    }
}

static uint64_t one(uint64_t i)
{
    (void)i;
    return 1;
}

static uint64_t twice(uint64_t i)
{
    return 2 * i;
}

static uint64_t itself(uint64_t i)
{
    return i;
}

/* XXH3 multiplies the halves of each word, xored with a secret, and adds the word itself to what its neighbour has.
 * Where the lower half is the secret's nothing comes of the product, whatever the upper half is. So what is added to
 * one such word and taken from another with the same neighbour does not show. */
static int is_free(size_t at)
{
    const uint8_t *secret = XXH3_kSecret + at / 64 % 16 * 8 + at % 64;
    for (int i = 0; i < 4; i++) {
        if (secret[i] >= BLOCK >> 8)
            return 0; /* it stands for the upper bytes of starts */
    }
    return at >= PLACES + EXTENTS && at + 8 <= PLACES + 2 * EXTENTS;
}

static void put_word(size_t at, uint32_t now, uint32_t then)
{
    const uint8_t *secret = XXH3_kSecret + at / 64 % 16 * 8 + at % 64;
    memcpy(before + at, secret, 4);
    memcpy(after + at, secret, 4);
    for (int i = 0; i < 4; i++) {
        before[at + 4 + (size_t)i] = (uint8_t)(now >> 8 * i);
        after[at + 4 + (size_t)i] = (uint8_t)(then >> 8 * i);
    }
}

static void make_chunks(void)
{
    size_t found[2] = {0}, count = 0;
    put_column(before, 4, one);
    put_column(before + 1 + 4 * EXTENTS, 8, twice);
    put_column(before + PLACES - 1, 8, itself);
    memcpy(after, before, sizeof after);
    for (size_t lane = 0; lane < 8 && count < 2; lane++) {
        count = 0;
        for (size_t at = lane * 8; at < CHUNK && count < 2; at += 64) {
            if (is_free(at) && at / 1024 == (PLACES + 2 * EXTENTS - 8) / 1024) /* no scrambling in between */
                found[count++] = at;
        }
    }
    assert_int_equal(count, 2);
    put_word(found[0], 0x01010101, 0xFF010101);
    put_word(found[1], 0x01010101, 0x03010101);
    assert_memory_not_equal(before, after, CHUNK);
    assert_true(XXH3_64bits(before, CHUNK) == XXH3_64bits(after, CHUNK));
}

/* ---- The image ---- */

static void put_chunk(unsigned table, uint64_t chunk, uint8_t *raw, size_t *length)
{
    if (table != MEMFS_EXTENTS || chunk != 0)
        return;
    memcpy(raw, before, CHUNK);
    *length = CHUNK;
}

/* Of a: a byte of the block, and a zero behind it, and so on. */
static uint64_t digest_of(const uint8_t *block)
{
    struct memfs_digest digest;
    memfs_digest_begin(&digest);
    for (size_t i = 0; i < EXTENTS; i++) {
        const uint8_t *start = &before[PLACES + i];
        memfs_digest_add(&digest, block + (start[0] | start[EXTENTS] << 8), 1);
        memfs_digest_add_gap(&digest, 1);
    }
    return memfs_digest_end(&digest);
}

/* Files a and b, the extents of a in the first chunk, that of b in the second. */
static void make_image(struct test_buffer *out)
{
    static uint8_t bytes[BLOCK];
    struct test_buffer sound = {0};
    struct surgery s;
    memfs *fs = NULL;
    struct test_random random = {.state = 1};
    test_random_fill(&random, bytes, sizeof bytes);
    assert_ok(memfs_create(NULL, &fs));
    test_put(fs, "a", bytes, sizeof bytes);
    test_put(fs, "b", bytes, 1);
    test_freeze(fs, &sound);
    memfs_destroy(fs);
    surgery_open(&s, &sound);
    s.extents = surgery_grow(s.extents, s.extents_count, EXTENTS + 1 - s.extents_count, sizeof *s.extents);
    s.extents_count = EXTENTS + 1;
    for (uint32_t i = 0; i <= EXTENTS; i++)
        s.extents[i] =
            (struct memfs_extent){.offset = i < EXTENTS ? 2 * i : 0, .length = 1, .start = i < EXTENTS ? i : 0};
    s.digests[2] = digest_of(bytes);
    s.nodes[2].size = 2 * EXTENTS;
    s.nodes[2].extents.count = EXTENTS;
    s.nodes[3].extents.first = EXTENTS;
    s.root.content_bytes = 2 * EXTENTS + 1;
    s.root.data_bytes = EXTENTS + 1;
    s.edit_raw = put_chunk;
    surgery_close(&s, out);
    surgery_free(&s);
    test_buffer_free(&sound);
}

/* ---- Verifying ---- */

struct changing {
    const struct test_buffer *image;
    uint64_t chunk;     /* where it is */
    unsigned reads, at; /* of it; from which on it is another */
    int told;           /* that it is */
};

static int read_changing(void *context, uint64_t offset, void *buffer, size_t length)
{
    struct changing *c = context;
    memcpy(buffer, c->image->data + offset, length);
    if (offset <= c->chunk && c->chunk + CHUNK <= offset + length && ++c->reads >= c->at)
        memcpy((uint8_t *)buffer + (c->chunk - offset), after, CHUNK);
    return 0;
}

static int note(void *context, const struct memfs_detail *finding)
{
    struct changing *c = context;
    c->told += strstr(finding->text, "is being changed") ? 1 : 0;
    return 0;
}

static uint64_t place_of_chunk(const struct test_buffer *image)
{
    for (uint64_t at = 0; at + CHUNK <= image->length; at++) {
        if (memcmp(image->data + at, before, CHUNK) == 0)
            return at;
    }
    fail_msg("the chunk is not in the image");
    return 0;
}

/* Whenever it changes, nothing is read beyond the block, and the change is told wherever it is read. */
static void test_verify_changing__chunk_with_the_same_hash(void **state)
{
    (void)state;
    struct test_buffer image = {0};
    struct changing c = {.image = &image};
    unsigned told = 0;
    make_chunks();
    make_image(&image);
    c.chunk = place_of_chunk(&image);
    for (c.at = 1; c.at == 1 || c.reads >= c.at - 1; c.at++) {
        const struct memfs_source source = {.read_at = read_changing, .context = &c, .size = image.length};
        const struct memfs_image_options how = {.size = sizeof how, .cache_bytes = 1};
        const struct memfs_verify_options options = {.size = sizeof options, .finding = note, .finding_context = &c};
        memfs_image *opened = NULL;
        c.reads = 0;
        c.told = 0;
        assert_ok(memfs_image_open_source(&source, &how, &opened, NULL));
        const int result = memfs_verify(opened, &options, NULL);
        assert_result(result, c.reads < c.at ? 0 : MEMFS_ECORRUPT);
        memfs_image_close(opened);
        told += c.told ? 1 : 0;
        assert_true(c.at < 100);
    }
    assert_true(told > 0);
    test_buffer_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verify_changing__chunk_with_the_same_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
