/*
 * Files that have equal extents: which are found, and which only seem to be.
 */
#include "digest.h"
#include "surgery.h"
#include "verify_contents.h"

#define BLOCK 65536u
#define VAST ((uint64_t)1 << 60) /* the size of files, of which a few bytes are data */

static int verify_with(const struct test_buffer *buffer, const struct memfs_verify_options *how,
                       struct memfs_detail *detail)
{
    struct test_memory memory;
    memfs_image *image = NULL;
    test_memory_init(&memory);
    const struct memfs_image_options options = {.size = sizeof options, .allocator = &memory.hook};
    assert_ok(memfs_image_open_buffer(buffer->data, buffer->length, &options, &image, NULL));
    const int error = memfs_verify(image, how, detail);
    memfs_image_close(image);
    assert_int_equal(memory.live, 0);
    return error;
}

static int verify(const struct test_buffer *buffer, uint64_t bytes_max, struct memfs_detail *detail)
{
    const struct memfs_verify_options how = {.size = sizeof how, .bytes_max = bytes_max, .decoded_max = UINT64_MAX};
    return verify_with(buffer, &how, detail);
}

static int count_finding(void *context, const struct memfs_detail *finding)
{
    (void)finding;
    ++*(unsigned *)context;
    return 0;
}

static int verify_counting(const struct test_buffer *buffer, unsigned *findings, struct memfs_detail *detail)
{
    const struct memfs_verify_options how = {.size = sizeof how, .finding = count_finding, .finding_context = findings};
    return verify_with(buffer, &how, detail);
}

/* A filesystem of files with a block each, and the image of it. */
static void make_files(struct test_buffer *buffer, unsigned files)
{
    static uint8_t bytes[BLOCK];
    memfs *fs = NULL;
    char path[16];
    assert_ok(memfs_create(NULL, &fs));
    for (unsigned i = 0; i < files; i++) {
        memset(bytes, (int)(i % 255 + 1), sizeof bytes);
        snprintf((char *)bytes, 16, "%u", i);
        snprintf(path, sizeof path, "f%04u", i);
        test_put(fs, path, bytes, files < 10 ? BLOCK : 1000);
    }
    struct memfs_sink sink = test_buffer_sink(buffer);
    const struct memfs_freeze_options options = {
        .size = sizeof options, .block_size = BLOCK, .share = MEMFS_SHARE_NONE};
    assert_ok(memfs_freeze(fs, &sink, &options, NULL));
    memfs_destroy(fs);
}

/* What went into a mark, or the mark before: memfs_twins_mark() the other way. */
static uint64_t unmark(uint64_t mark, uint64_t other)
{
    const uint64_t factor = 0x9e3779b97f4a7c15u;
    uint64_t inverse = factor;
    for (unsigned i = 0; i < 6; i++)
        inverse *= 2 - factor * inverse;
    return (mark ^ mark >> 29 ^ mark >> 58) * inverse ^ other;
}

static uint64_t place_in(const struct memfs_extent *extent)
{
    return (uint64_t)extent->block << 32 | extent->start;
}

static uint64_t mark_of(uint64_t size, const struct memfs_extent *extents, uint32_t count)
{
    uint64_t mark = memfs_twins_mark(0, size);
    for (uint32_t i = 0; i < count; i++) {
        mark = memfs_twins_mark(mark, extents[i].offset);
        mark = memfs_twins_mark(mark, extents[i].length);
        mark = memfs_twins_mark(mark, place_in(&extents[i]));
    }
    return mark;
}

/* The last extent of a file so that it has this mark. */
static void end_with_mark(uint64_t mark, uint64_t size, struct memfs_extent *extents, uint32_t count)
{
    const uint64_t before = mark_of(size, extents, count - 1);
    struct memfs_extent *last = &extents[count - 1];
    *last = (struct memfs_extent){.length = 100};
    do
        last->offset = unmark(unmark(unmark(mark, place_in(last)), last->length), before);
    while ((last->offset < 1000 || last->offset > size - last->length) && last->start++ < 10000);
    assert_true(mark_of(size, extents, count) == mark);
}

/* A file's content, by its number, and its digest. */
static void give_extents(struct surgery *s, size_t file, uint64_t size, uint32_t first, uint32_t count)
{
    struct memfs_digest digest;
    uint64_t at = 0;
    memfs_digest_begin(&digest);
    for (uint32_t i = first; i < first + count; i++) {
        const struct memfs_extent *extent = &s->extents[i];
        memfs_digest_add_gap(&digest, extent->offset - at);
        memfs_digest_add(&digest, s->blocks[extent->block].raw + extent->start, (size_t)extent->length);
        at = extent->offset + extent->length;
        s->root.data_bytes += extent->length;
    }
    memfs_digest_add_gap(&digest, size - at);
    s->nodes[2 + file].size = size;
    s->nodes[2 + file].extents.first = first;
    s->nodes[2 + file].extents.count = count;
    s->digests[2 + file] = memfs_digest_end(&digest);
    s->root.content_bytes += size;
}

static void open_without_contents(struct surgery *s, unsigned files, size_t extents)
{
    struct test_buffer buffer = {0};
    make_files(&buffer, files);
    surgery_open(s, &buffer);
    test_buffer_free(&buffer);
    s->extents = surgery_grow(s->extents, 0, extents, sizeof *s->extents);
    s->extents_count = extents;
    s->root.content_bytes = s->root.data_bytes = 0;
}

/* Files that differ in one field, of which an enemy has made the marks equal. */
static void make_marks_equal(struct test_buffer *out)
{
    enum { FILES = 8, COUNT = 2 };
    static const struct memfs_extent first[FILES] = {
        {0, 100, 0, 0}, {1, 100, 0, 0}, {0, 99, 0, 0},  {0, 100, 1, 0},
        {0, 100, 0, 1}, {0, 100, 0, 0}, {0, 100, 0, 0}, {0, 100, 0, 0},
    };
    struct surgery s;
    open_without_contents(&s, FILES, FILES * COUNT + 1);
    s.extents[0] = first[0];
    s.extents[1] = (struct memfs_extent){5000, 100, 2, 0};
    const uint64_t mark = mark_of(VAST, s.extents, COUNT);
    give_extents(&s, 0, VAST, 0, COUNT);
    for (uint32_t file = 1; file < FILES; file++) {
        const uint64_t size = file == 5 ? VAST - 1 : VAST;
        const uint32_t count = file == 6 ? COUNT + 1 : COUNT, at = file * COUNT + (file > 6);
        s.extents[at] = first[file];
        s.extents[at + 1] = s.extents[1];
        if (file < FILES - 1)
            end_with_mark(mark, size, &s.extents[at], count);
        give_extents(&s, file, size, at, count);
    }
    surgery_close(&s, out);
    surgery_free(&s);
}

/* The records decide which files are equal, and comparing them is limited as looking at them is. */
static void test_verify_twins__equal_marks(void **state)
{
    (void)state;
    struct test_buffer out = {0};
    struct memfs_detail detail = {0};
    make_marks_equal(&out);
    const int error = verify(&out, 0, &detail);
    if (error)
        print_error("%s\n", detail.text);
    assert_ok(error);
    unsigned refused = 0;
    for (uint64_t limit = 1000; limit < 6000; limit += 64)
        if (verify(&out, limit, &detail) != 0)
            assert_int_equal(++refused, (limit - 1000) / 64 + 1);
    assert_true(refused > 10 && refused < 70);
    test_buffer_free(&out);
}

/* Files that have the beginning of one run of extents, or are longer than another that has it. */
static void test_verify_twins__runs_in_common(void **state)
{
    (void)state;
    enum { FILES = 400 };
    struct test_random random = {.state = 6};
    struct surgery s;
    struct test_buffer out = {0};
    struct memfs_detail detail = {0};
    open_without_contents(&s, FILES, 2);
    s.extents[0] = (struct memfs_extent){0, 100, 0, 0};
    s.extents[1] = (struct memfs_extent){200, 100, 1, 0};
    for (uint32_t file = 0; file < FILES; file++)
        give_extents(&s, file, 300 + test_random_below(&random, VAST / FILES), 0, 1 + file % 2);
    surgery_close(&s, &out);
    surgery_free(&s);
    const int error = verify(&out, 0, &detail);
    if (error)
        print_error("%s\n", detail.text);
    assert_ok(error);
    test_buffer_free(&out);
}

/* The digest of a file that is right is not that of one behind it that is wrong. */
static void test_verify_twins__beside_a_wrong_one(void **state)
{
    enum { FILES = 4, WRONG = 1, TWIN = 2 };
    (void)state;
    struct surgery s;
    struct test_buffer out = {0};
    struct memfs_detail detail = {0};
    open_without_contents(&s, FILES, FILES);
    for (uint32_t file = 0; file < FILES; file++) {
        s.extents[file] = (struct memfs_extent){0, 100, file == TWIN ? 0 : file, 0};
        give_extents(&s, file, 100, file, 1);
    }
    s.digests[2 + WRONG]++;
    surgery_close(&s, &out);
    surgery_free(&s);
    unsigned findings = 0;
    assert_result(verify_counting(&out, &findings, &detail), MEMFS_ECORRUPT);
    assert_int_equal(findings, 1);
    assert_non_null(strstr(detail.text, "node 3, f0001: its content has the digest"));
    test_buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verify_twins__equal_marks),
        cmocka_unit_test(test_verify_twins__runs_in_common),
        cmocka_unit_test(test_verify_twins__beside_a_wrong_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
