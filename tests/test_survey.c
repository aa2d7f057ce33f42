/*
 * The survey of an image's blocks: complete, in order, cheap, and not to be led astray.
 */
#include "surgery.h"
#include "testlib.h"

#define BLOCKS 20000u /* of a byte each: a tree of refs with two levels */

struct fixture {
    struct test_buffer small; /* of everything */
    struct test_buffer tall;  /* the same with many blocks */
};

static void make_small(struct test_buffer *out)
{
    memfs *fs = NULL;
    assert_ok(memfs_create(NULL, &fs));
    test_build_everything(fs);
    struct memfs_sink sink = test_buffer_sink(out);
    const struct memfs_freeze_options options = {.size = sizeof options, .block_size = 65536};
    assert_ok(memfs_freeze(fs, &sink, &options, NULL));
    memfs_destroy(fs);
}

static void add_blocks(struct surgery *s)
{
    s->blocks = surgery_grow(s->blocks, s->blocks_count, BLOCKS, sizeof *s->blocks);
    for (size_t i = 0; i < BLOCKS; i++) {
        uint8_t *raw = malloc(1);
        assert_non_null(raw);
        *raw = (uint8_t)i;
        s->blocks[s->blocks_count++] = (struct surgery_block){raw, 1};
    }
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct surgery s;
    assert_non_null(f);
    make_small(&f->small);
    surgery_open(&s, &f->small);
    add_blocks(&s);
    surgery_close(&s, &f->tall);
    surgery_free(&s);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    test_buffer_free(&f->small);
    test_buffer_free(&f->tall);
    free(f);
    return 0;
}

/* What was visited. */
struct seen {
    uint64_t blocks, stored;                /* of all */
    uint64_t data, data_raw, data_stored;   /* those with contents */
    uint64_t levels[MEMFS_REFS_HEIGHT + 1]; /* of the table "blocks" */
    uint64_t ref_offset;                    /* of the first chunk of refs; 0: none */
    struct memfs_image_block last;
    uint64_t stop_at; /* returns 7 there; 0: never */
};

static int see(void *context, const struct memfs_image_block *block)
{
    struct seen *seen = context;
    assert_true(block->stored > 0 && block->stored <= block->raw);
    assert_true(block->offset >= MEMFS_HEADER_BYTES);
    /* In one level of a table they come in order, refs before what they refer to. */
    if (seen->blocks > 0 && strcmp(block->table, seen->last.table) == 0 && block->level == seen->last.level)
        assert_true(block->index == seen->last.index + 1);
    if (strcmp(block->table, "blocks") == 0) {
        assert_true(block->index == seen->levels[block->level]);
        seen->levels[block->level]++;
        seen->data += block->level == 0;
        seen->data_raw += block->level == 0 ? block->raw : 0;
        seen->data_stored += block->level == 0 ? block->stored : 0;
    }
    if (block->level > 0 && seen->ref_offset == 0)
        seen->ref_offset = block->offset;
    seen->stored += block->stored;
    seen->last = *block;
    return ++seen->blocks == seen->stop_at ? 7 : 0;
}

static memfs_image *open_image(const struct test_buffer *buffer)
{
    memfs_image *image = NULL;
    struct memfs_detail detail = {0};
    if (memfs_image_open_buffer(buffer->data, buffer->length, NULL, &image, &detail) != 0)
        fail_msg("%s", detail.text);
    return image;
}

static int survey(const struct test_buffer *buffer, struct seen *seen, struct memfs_detail *detail)
{
    memfs_image *image = open_image(buffer);
    const int result = memfs_image_blocks(image, see, seen, detail);
    memfs_image_close(image);
    return result;
}

/* ---- Sound images -------------------------------------------------------------------- */

/* Header, blocks, root and trailer are all that a first generation has. */
static void expect_whole(const struct test_buffer *buffer)
{
    struct seen seen = {0};
    struct memfs_image_info info;
    memfs_image *image = open_image(buffer);
    assert_ok(memfs_image_blocks(image, see, &seen, NULL));
    assert_ok(memfs_image_info(image, &info));
    assert_int_equal(seen.data, info.blocks);
    assert_int_equal(seen.data_raw, info.raw_bytes);
    assert_int_equal(seen.data_stored, info.stored_bytes);
    assert_int_equal(seen.stored + MEMFS_HEADER_BYTES + image->trailer.root_length + MEMFS_TRAILER_BYTES,
                     info.image_bytes);
    memfs_image_close(image);
}

static void test_survey__all_of_it(void **state)
{
    struct fixture *f = *state;
    expect_whole(&f->small);
    expect_whole(&f->tall);
}

static void test_survey__levels(void **state)
{
    struct fixture *f = *state;
    struct seen seen = {0};
    assert_ok(survey(&f->tall, &seen, NULL));
    assert_true(seen.levels[0] > BLOCKS);
    assert_int_equal(seen.levels[1], (seen.levels[0] - 1) / MEMFS_REFS_PER_CHUNK + 1);
    assert_int_equal(seen.levels[2], (seen.levels[1] - 1) / MEMFS_REFS_PER_CHUNK + 1);
    assert_int_equal(seen.levels[3], 0);
}

/* An image of nothing has a node, the root. */
static void test_survey__empty(void **state)
{
    (void)state;
    struct test_buffer buffer = {0};
    struct seen seen = {0};
    memfs *fs = NULL;
    assert_ok(memfs_create(NULL, &fs));
    test_freeze(fs, &buffer);
    memfs_destroy(fs);
    assert_ok(survey(&buffer, &seen, NULL));
    assert_int_equal(seen.data, 0);
    assert_true(seen.blocks > 0);
    test_buffer_free(&buffer);
}

static void test_survey__reads_refs_only(void **state)
{
    struct fixture *f = *state;
    struct seen seen = {0};
    memfs_image *image = open_image(&f->tall);
    struct memfs_image_statistics before, after;
    memfs_image_statistics(image, &before);
    assert_ok(memfs_image_blocks(image, see, &seen, NULL));
    memfs_image_statistics(image, &after);
    assert_int_equal(after.reads - before.reads, seen.levels[1] + seen.levels[2]);
    assert_int_equal(after.cached_bytes, before.cached_bytes);
    memfs_image_close(image);
}

static void test_survey__stops(void **state)
{
    struct fixture *f = *state;
    struct memfs_detail detail = {.offset = 1};
    struct seen seen = {.stop_at = 3};
    assert_int_equal(survey(&f->tall, &seen, &detail), 7);
    assert_int_equal(seen.blocks, 3);
}

/* ---- Others ---------------------------------------------------------------------------- */

/* Every block claims the same 60,000 bytes. */
static void claim_the_same(unsigned table, unsigned level, uint64_t index, struct memfs_ref *ref)
{
    (void)index;
    if (table == MEMFS_DATA && level == 0)
        *ref = (struct memfs_ref){.offset = MEMFS_HEADER_BYTES, .stored = 60000, .raw = 60000, .hash = 1};
}

/* The root must not tell at once that it cannot be. */
static void claim_less(struct memfs_root *root)
{
    root->stored_bytes = root->raw_bytes = 60000;
}

static void test_survey__overlap(void **state)
{
    struct fixture *f = *state;
    struct surgery s;
    struct test_buffer out = {0};
    struct seen seen = {0};
    struct memfs_detail detail = {0};
    surgery_open(&s, &f->small);
    add_blocks(&s);
    s.edit_ref = claim_the_same;
    s.edit_root = claim_less;
    surgery_close(&s, &out);
    surgery_free(&s);
    assert_result(survey(&out, &seen, &detail), MEMFS_ECORRUPT);
    assert_int_equal(detail.error, MEMFS_ECORRUPT);
    assert_non_null(strstr(detail.text, "overlap"));
    assert_true(seen.data <= out.length / 60000);
    test_buffer_free(&out);
}

static void test_survey__damaged_refs(void **state)
{
    struct fixture *f = *state;
    struct seen seen = {0}, again = {0};
    struct memfs_detail detail = {0};
    assert_ok(survey(&f->tall, &seen, NULL));
    f->tall.data[seen.ref_offset] ^= 1;
    assert_result(survey(&f->tall, &again, &detail), MEMFS_ECHECKSUM);
    f->tall.data[seen.ref_offset] ^= 1;
    assert_int_equal(detail.offset, seen.ref_offset);
    assert_non_null(strstr(detail.text, "refs"));
    assert_true(again.blocks < seen.blocks);
}

static void test_survey__no_memory(void **state)
{
    struct fixture *f = *state;
    struct test_memory memory;
    test_memory_init(&memory);
    int error = -ENOMEM;
    uint64_t failures = 0;
    for (uint64_t n = 1; error; n++) {
        memfs_image *image = NULL;
        struct seen seen = {0};
        struct memfs_detail detail = {0};
        const struct memfs_image_options options = {.size = sizeof options, .allocator = &memory.hook};
        test_memory_heal(&memory);
        assert_ok(memfs_image_open_buffer(f->tall.data, f->tall.length, &options, &image, NULL));
        test_memory_fail(&memory, n, 1);
        error = memfs_image_blocks(image, see, &seen, &detail);
        assert_true(error == 0 || (error == -ENOMEM && detail.error == -ENOMEM && detail.text[0]));
        memfs_image_close(image);
        assert_int_equal(memory.live, 0);
        failures += error != 0;
    }
    assert_true(failures > 1);
}

static void test_survey__reading_fails(void **state)
{
    struct fixture *f = *state;
    struct test_source reads = {0};
    struct seen seen = {0};
    struct memfs_detail detail = {0};
    memfs_image *image = NULL;
    const struct memfs_source source = test_source_of(&reads, &f->tall);
    assert_ok(memfs_image_open_source(&source, NULL, &image, NULL));
    reads.fail_at = reads.reads + 2;
    assert_result(memfs_image_blocks(image, see, &seen, &detail), -EIO);
    assert_int_equal(detail.error, -EIO);
    memfs_image_close(image);
}

#define test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_survey__all_of_it),       test(test_survey__levels),    cmocka_unit_test(test_survey__empty),
        test(test_survey__reads_refs_only), test(test_survey__stops),     test(test_survey__overlap),
        test(test_survey__damaged_refs),    test(test_survey__no_memory), test(test_survey__reading_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
