/*
 * Generations that have blocks in common with the one before, and others of their own: each
 * byte still belongs to one thing, whichever way the tables and their refs grow.
 */
#include "columns.h"
#include "hash.h"
#include "surgery.h"

#define BLOCK_BYTES 8u
#define BLOCKS_MOST 300u

/* Goes on after findings; *detail is the first. */
static int go_on(void *context, const struct memfs_detail *finding)
{
    (void)context;
    assert_true(finding->error < 0 && finding->text[0]);
    return 0;
}

static int verify_by(const struct memfs_source *source, struct test_memory *memory, struct memfs_detail *detail)
{
    memfs_image *image = NULL;
    const struct memfs_image_options options = {.size = sizeof options, .allocator = &memory->hook, .cache_bytes = 1};
    const struct memfs_verify_options how = {.size = sizeof how, .finding = go_on, .threads = 1};
    int error = memfs_image_open_source(source, &options, &image, detail);
    if (!error)
        error = memfs_verify(image, &how, detail);
    memfs_image_close(image);
    assert_int_equal(memory->live, 0);
    return error;
}

static int verify(const struct test_buffer *buffer, struct memfs_detail *detail)
{
    struct test_memory memory;
    struct test_source reads = {0};
    const struct memfs_source source = test_source_of(&reads, buffer);
    test_memory_init(&memory);
    return verify_by(&source, &memory, detail);
}

/* A file of one block, and so many blocks in all. */
static void make_image(size_t blocks, struct test_buffer *out)
{
    struct surgery s;
    struct test_buffer frozen = {0};
    memfs *fs = NULL;
    assert_ok(memfs_create(NULL, &fs));
    test_put_text(fs, "file", "12345678");
    assert_ok(memfs_setxattr(fs, NULL, "file", 0, "user.name", "value", 5, 0));
    test_freeze(fs, &frozen);
    memfs_destroy(fs);
    surgery_open(&s, &frozen);
    test_buffer_free(&frozen);
    s.blocks = surgery_grow(s.blocks, s.blocks_count, blocks, sizeof *s.blocks);
    while (s.blocks_count < blocks) {
        uint8_t *raw = calloc(1, BLOCK_BYTES);
        assert_non_null(raw);
        raw[0] = (uint8_t)s.blocks_count;
        s.blocks[s.blocks_count++] = (struct surgery_block){raw, BLOCK_BYTES};
    }
    surgery_close(&s, out);
    surgery_free(&s);
}

static struct memfs_ref put(struct test_buffer *out, const void *bytes, uint32_t length)
{
    const struct memfs_ref ref = {out->length, memfs_hash(bytes, length), length, length, MEMFS_CODEC_RAW};
    test_buffer_add(out, bytes, length);
    return ref;
}

/* The refs of all data blocks, of which there are to be `count`: others are dropped, new ones written. */
static void take_refs(memfs_image *image, size_t count, struct memfs_ref *refs, struct test_buffer *out)
{
    struct memfs_root *root = &image->root;
    const size_t before = (size_t)root->table[MEMFS_DATA].count;
    root->raw_bytes = root->stored_bytes = 0;
    for (size_t i = 0; i < count; i++) {
        if (i < before)
            assert_ok(memfs_image_find_ref(image, MEMFS_DATA, i, &refs[i], NULL));
        else
            refs[i] = put(out, "new blk", BLOCK_BYTES);
        root->raw_bytes += refs[i].raw;
        root->stored_bytes += refs[i].stored;
    }
}

/* Chunks of refs that are as they were stay where they were. */
static void put_refs(struct memfs_root_table *table, size_t count, const struct memfs_ref *refs, int bad,
                     struct test_buffer *out)
{
    uint8_t raw[5 + 25 * MEMFS_REFS_PER_CHUNK];
    const int had_chunks = table->count > MEMFS_REFS_TOP;
    table->count = count;
    if (count <= MEMFS_REFS_TOP)
        memcpy(table->refs, refs, count * sizeof *refs);
    for (size_t first = 0; count > MEMFS_REFS_TOP && first < count; first += MEMFS_REFS_PER_CHUNK) {
        struct memfs_ref *top = &table->refs[first / MEMFS_REFS_PER_CHUNK];
        const size_t here = count - first < MEMFS_REFS_PER_CHUNK ? count - first : MEMFS_REFS_PER_CHUNK;
        memfs_refs_encode(refs + first, here, raw);
        if (bad && first + here == count)
            raw[0] = 77;
        const uint32_t length = (uint32_t)memfs_refs_raw_bytes(here);
        if (!had_chunks || top->hash != memfs_hash(raw, length))
            *top = put(out, raw, length);
    }
}

struct change {
    size_t count; /* of data blocks */
    void (*edit)(struct memfs_root *root);
    int another_image; /* the generation before says that it is of one */
    int bad_refs;      /* the last new chunk of refs has a tag that nobody knows */
};

static void disown_last(struct test_buffer *out)
{
    uint8_t *at = out->data + out->length - MEMFS_TRAILER_BYTES;
    struct memfs_trailer trailer;
    struct memfs_detail detail = {0};
    assert_ok(memfs_trailer_decode(at, out->length - MEMFS_TRAILER_BYTES, &trailer, &detail));
    trailer.header_hash ^= 1;
    memfs_trailer_encode(&trailer, at);
}

static void append(struct test_buffer *out, const struct change *change)
{
    struct memfs_ref refs[BLOCKS_MOST];
    uint8_t bytes[MEMFS_ROOT_BYTES_MAX], end[MEMFS_TRAILER_BYTES];
    const struct test_buffer before = *out;
    struct test_buffer own = {0};
    memfs_image *image = NULL;
    test_buffer_add(&own, before.data, before.length);
    assert_ok(memfs_image_open_buffer(own.data, own.length, NULL, &image, NULL));
    struct memfs_root *root = &image->root;
    struct memfs_trailer trailer = image->trailer;
    if (change->another_image)
        disown_last(out);
    take_refs(image, change->count, refs, out);
    put_refs(&root->table[MEMFS_DATA], change->count, refs, change->bad_refs, out);
    memmove(root->generation + 1, root->generation, (MEMFS_GENERATIONS_MAX - 1) * sizeof *root->generation);
    root->generation[0] = (struct memfs_generation){trailer.offset, root->time, trailer.generation, root->has_time};
    root->generations++;
    if (change->edit)
        change->edit(root);
    trailer.previous = trailer.offset;
    trailer.generation++;
    trailer.root_offset = out->length;
    trailer.root_length = (uint32_t)memfs_root_encode(root, bytes);
    trailer.root_hash = memfs_hash(bytes, trailer.root_length);
    trailer.offset = trailer.root_offset + trailer.root_length;
    memfs_trailer_encode(&trailer, end);
    memfs_image_close(image);
    test_buffer_free(&own);
    test_buffer_add(out, bytes, trailer.root_length);
    test_buffer_add(out, end, sizeof end);
}

/* ---- Sound ones --------------------------------------------------------------------------------- */

static void test_verify_stored__tables_that_grow_and_shrink(void **state)
{
    static const size_t counts[][3] = {{130, 131, 132}, {128, 129, 130}, {129, 128, 127}, {17, 16, 15},
                                       {16, 17, 18},    {130, 130, 1},   {1, 257, 256},   {256, 257, 1},
                                       {200, 16, 200},  {257, 130, 129}};
    (void)state;
    struct test_buffer image = {0};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct memfs_detail detail = {0};
        make_image(counts[i][0], &image);
        append(&image, &(struct change){.count = counts[i][1]});
        append(&image, &(struct change){.count = counts[i][2]});
        if (verify(&image, &detail))
            fail_msg("%zu, %zu, then %zu blocks: %s", counts[i][0], counts[i][1], counts[i][2], detail.text);
    }
    test_buffer_free(&image);
}

/* ---- Lies ----------------------------------------------------------------------------------------- */

/* A chunk of attributes that both have, of which the newer one tells something else. */
static void other_hash(struct memfs_root *root)
{
    root->table[MEMFS_XATTRS].refs[0].hash ^= 1;
}
static void other_place(struct memfs_root *root)
{
    root->table[MEMFS_XATTRS].refs[0].offset -= 1;
}
static void other_raw(struct memfs_root *root)
{
    root->table[MEMFS_DATA].refs[0].raw++;
    root->table[MEMFS_DATA].refs[0].codec = MEMFS_CODEC_ZSTD;
    root->raw_bytes++;
}
static void other_length(struct memfs_root *root)
{
    root->table[MEMFS_DATA].refs[0].stored--;
    root->table[MEMFS_DATA].refs[0].raw--;
    root->raw_bytes--;
    root->stored_bytes--;
}
static void other_sums(struct memfs_root *root)
{
    root->raw_bytes--;
}
static void had_time(struct memfs_root *root)
{
    root->generation[0].has_time = 1;
}
static void time_without(struct memfs_root *root)
{
    root->generation[0].time = 5;
}
static void time_neither(struct memfs_root *root)
{
    root->generation[0].has_time = 2;
}
static void trailer_in_header(struct memfs_root *root)
{
    root->generation[0].trailer = MEMFS_HEADER_BYTES - 1;
}
static void trailer_behind(struct memfs_root *root)
{
    root->generation[0].trailer = UINT64_MAX;
}

/* Where a change is refused: when the image is opened, or when it is verified. */
static void test_verify_stored__lies_of_a_generation(void **state)
{
    static const struct {
        struct change change;
        int error;
        int opens;
        const char *text;
    } lies[] = {
        {{2, other_hash, 0, 0}, MEMFS_ECHECKSUM, 1, "checksum"},
        {{2, other_place, 0, 0}, MEMFS_ECHECKSUM, 1, "checksum"},
        {{2, other_raw, 0, 0}, MEMFS_ECORRUPT, 1, "overlap"},
        {{2, other_length, 0, 0}, MEMFS_ECORRUPT, 1, "overlap"},
        {{2, other_sums, 0, 0}, MEMFS_ECORRUPT, 0, "totals"},
        {{2, had_time, 0, 0}, MEMFS_ECORRUPT, 1, "what it tells of generation 1 is not so"},
        {{2, time_without, 0, 0}, MEMFS_ECORRUPT, 0, "neither there nor not"},
        {{2, time_neither, 0, 0}, MEMFS_ECORRUPT, 0, "neither there nor not"},
        {{2, trailer_in_header, 0, 0}, MEMFS_ECORRUPT, 0, "not in order"},
        {{2, trailer_behind, 0, 0}, MEMFS_ECORRUPT, 0, "not in order"},
        {{2, NULL, 1, 0}, MEMFS_ECORRUPT, 1, "of another image"},
        {{200, NULL, 0, 1}, MEMFS_ECORRUPT, 1, "level 1 of refs, chunk 1: a column's tag is unknown"},
    };
    (void)state;
    struct test_buffer buffer = {0};
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct memfs_detail detail = {0};
        memfs_image *image = NULL;
        make_image(lies[i].change.bad_refs ? 201 : 2, &buffer);
        append(&buffer, &lies[i].change);
        int error = memfs_image_open_buffer(buffer.data, buffer.length, NULL, &image, &detail);
        assert_int_equal(error == 0, lies[i].opens);
        memfs_image_close(image);
        if (!error)
            error = verify(&buffer, &detail);
        if (!strstr(detail.text, lies[i].text))
            fail_msg("lie %zu: \"%s\", wanted \"%s\"", i, detail.text, lies[i].text);
        assert_result(error, lies[i].error);
    }
    test_buffer_free(&buffer);
}

/* ---- Damage ------------------------------------------------------------------------------------------ */

/* Whatever byte is damaged, of whichever generation, that is found; and nothing else happens. */
static void test_verify_stored__each_byte_damaged(void **state)
{
    (void)state;
    struct test_buffer image = {0};
    make_image(129, &image);
    append(&image, &(struct change){.count = 128});
    append(&image, &(struct change){.count = 131});
    unsigned found = 0;
    for (size_t at = MEMFS_HEADER_BYTES; at < image.length; at += 5 * test_step(5)) {
        struct memfs_detail detail = {0};
        memfs_image *opened = NULL;
        image.data[at] ^= 0x10;
        if (memfs_image_open_buffer(image.data, image.length, NULL, &opened, NULL) == 0) {
            const int error = verify(&image, &detail);
            assert_either(error, MEMFS_ECHECKSUM, MEMFS_ECORRUPT);
            found++;
        }
        memfs_image_close(opened);
        image.data[at] ^= 0x10;
    }
    assert_true(found > 1000 / test_step(5));
    assert_ok(verify(&image, NULL));
    test_buffer_free(&image);
}

/* Each read fails in turn, and each allocation with all after it: of one alone the cache can make good. */
static void test_verify_stored__each_step_fails(void **state)
{
    (void)state;
    struct test_buffer image = {0};
    make_image(257, &image);
    append(&image, &(struct change){.count = 260});
    append(&image, &(struct change){.count = 259});
    for (int of_memory = 0; of_memory < 2; of_memory++) {
        uint64_t failures = 1, nth = 1;
        for (; failures; nth++) {
            struct memfs_detail detail = {0};
            struct test_memory memory;
            struct test_source reads = {.fail_at = of_memory ? 0 : nth};
            const struct memfs_source source = test_source_of(&reads, &image);
            test_memory_init(&memory);
            test_memory_fail(&memory, of_memory ? nth : 0, 1);
            const int error = verify_by(&source, &memory, &detail);
            failures = of_memory ? memory.failures : reads.failures;
            assert_result(error, !failures ? 0 : of_memory ? -ENOMEM : -EIO);
        }
        assert_true(nth > 20);
    }
    test_buffer_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verify_stored__tables_that_grow_and_shrink),
        cmocka_unit_test(test_verify_stored__lies_of_a_generation),
        cmocka_unit_test(test_verify_stored__each_byte_damaged),
        cmocka_unit_test(test_verify_stored__each_step_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
