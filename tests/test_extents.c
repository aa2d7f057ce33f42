/*
 * Where the contents of an image's files are: memfs_image_extents().
 */
#include "surgery.h"
#include "testlib.h"

#define BLOCK 65536u
#define MANY 1500u /* extents, more than a chunk has */

struct fixture {
    struct test_buffer bytes;
    memfs_image *image;
    memfs *fs;
};

static void open_image(struct fixture *f)
{
    assert_ok(memfs_image_open_buffer(f->bytes.data, f->bytes.length, NULL, &f->image, NULL));
    const struct memfs_options options = {.size = sizeof options, .backing = memfs_image_backing(f->image)};
    assert_ok(memfs_create(&options, &f->fs));
}

static void close_image(struct fixture *f)
{
    memfs_destroy(f->fs);
    memfs_image_close(f->image);
}

/* Everything, a file of several blocks and a copy of it, and one of which every other page is a hole. */
static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    memfs *fs = NULL;
    assert_non_null(f);
    assert_ok(memfs_create(NULL, &fs));
    test_build_everything(fs);
    uint8_t *noise = test_random_bytes(5, 300000);
    test_put(fs, "noise", noise, 300000);
    test_put(fs, "twin", noise, 300000);
    test_put(fs, "holes", NULL, 0);
    for (uint64_t i = 0; i < MANY; i++)
        assert_result(memfs_node_write(fs, test_node(fs, "holes"), i * 8192, noise + i, 4096), 4096);
    free(noise);
    struct memfs_sink sink = test_buffer_sink(&f->bytes);
    const struct memfs_freeze_options options = {.size = sizeof options, .block_size = BLOCK};
    assert_ok(memfs_freeze(fs, &sink, &options, NULL));
    memfs_destroy(fs);
    open_image(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    close_image(f);
    test_buffer_free(&f->bytes);
    free(f);
    return 0;
}

/* ---- What is told is true ----------------------------------------------------------- */

/* Bytes between extents are zeros; those of an extent are the block's. */
static uint64_t check_contents(const struct fixture *f, memfs_node node, const struct memfs_image_extent *extents,
                               size_t count)
{
    struct memfs_stat stat;
    assert_ok(memfs_node_stat(f->fs, node, &stat));
    uint8_t *want = calloc(1, (size_t)stat.size + 1), *got = calloc(1, (size_t)stat.size + 1);
    uint64_t end = 0, sum = 0;
    for (size_t i = 0; i < count; i++) {
        const struct memfs_image_extent *extent = &extents[i];
        assert_true(extent->offset >= end && extent->length >= 1);
        end = extent->offset + extent->length;
        assert_true(end <= stat.size);
        assert_true(extent->start + extent->length <= extent->block_raw && extent->block_raw <= BLOCK);
        assert_true(extent->block_stored >= 1 && extent->block_stored <= extent->block_raw);
        assert_ok(memfs_image_read_block(f->image, extent->block, extent->start, want + extent->offset,
                                         (size_t)extent->length, NULL));
        sum += extent->length;
    }
    assert_result(memfs_node_read(f->fs, node, 0, got, (size_t)stat.size), (int64_t)stat.size);
    assert_memory_equal(got, want, (size_t)stat.size);
    free(want);
    free(got);
    return sum;
}

/* All extents, so many at once. */
static size_t take_all(const struct fixture *f, memfs_node node, size_t at_once, struct memfs_image_extent *extents)
{
    size_t count = 0;
    for (;;) {
        const int64_t got = memfs_image_extents(f->image, node, count, extents + count, at_once);
        assert_true(got >= 0 && (size_t)got <= at_once);
        if (got == 0)
            return count;
        count += (size_t)got;
        assert_true(count <= 2 * MANY);
    }
}

struct sums {
    const struct fixture *f;
    uint64_t data, files;
};

static int check_file(void *context, const char *path, const struct memfs_stat *stat)
{
    static const size_t at_once[] = {1, 2, 7, 512, 2 * MANY};
    static struct memfs_image_extent first[4 * MANY], again[4 * MANY];
    struct sums *sums = context;
    (void)path;
    if ((stat->mode & MEMFS_IFMT) != MEMFS_IFREG)
        return 0;
    const size_t count = take_all(sums->f, stat->node, 64, first);
    for (size_t i = 0; i < sizeof at_once / sizeof at_once[0]; i++) {
        assert_int_equal(take_all(sums->f, stat->node, at_once[i], again), count);
        assert_memory_equal(first, again, count * sizeof *first);
    }
    const uint64_t sum = check_contents(sums->f, stat->node, first, count);
    sums->data += stat->nlink == 1 ? sum : 0;
    sums->files++;
    return 0;
}

static void test_extents__are_where_contents_are(void **state)
{
    struct fixture *f = *state;
    struct sums sums = {.f = f};
    struct memfs_image_info info;
    assert_ok(memfs_walk(f->fs, NULL, "/", 0, check_file, &sums));
    assert_ok(memfs_image_info(f->image, &info));
    assert_true(sums.files >= info.types[0]);
    assert_true(sums.data <= info.data_bytes && sums.data > info.data_bytes - 100000); /* hard links apart */
}

static void test_extents__equal_contents_are_in_one_place(void **state)
{
    struct fixture *f = *state;
    struct memfs_image_extent noise[16], twin[16];
    const int64_t count = memfs_image_extents(f->image, test_node(f->fs, "noise"), 0, noise, 16);
    assert_true(count >= 300000 / (int)BLOCK);
    assert_result(memfs_image_extents(f->image, test_node(f->fs, "twin"), 0, twin, 16), count);
    for (int64_t i = 0; i < count; i++) {
        assert_int_equal(noise[i].block, twin[i].block);
        assert_int_equal(noise[i].start, twin[i].start);
    }
}

static void test_extents__of_a_changed_file_are_the_images(void **state)
{
    struct fixture *f = *state;
    struct memfs_image_extent before[16], after[16];
    const memfs_node node = test_node(f->fs, "noise");
    const int64_t count = memfs_image_extents(f->image, node, 0, before, 16);
    test_put_text(f->fs, "noise", "short");
    assert_result(memfs_image_extents(f->image, node, 0, after, 16), count);
    assert_memory_equal(before, after, (size_t)count * sizeof *before);
}

/* ---- What is refused -------------------------------------------------------------------- */

static void test_extents__of_no_file(void **state)
{
    struct fixture *f = *state;
    struct memfs_image_extent extents[2];
    struct memfs_image_info info;
    const memfs_node node = test_node(f->fs, "noise");
    assert_ok(memfs_image_info(f->image, &info));
    assert_result(memfs_image_extents(f->image, MEMFS_ROOT, 0, extents, 2), -EINVAL);
    assert_result(memfs_image_extents(f->image, 0, 0, extents, 2), -ESTALE);
    assert_result(memfs_image_extents(f->image, info.nodes + 1, 0, extents, 2), -ESTALE);
    assert_result(memfs_image_extents(f->image, UINT32_MAX, 0, extents, 2), -ESTALE);
    assert_result(memfs_image_extents(f->image, node + (UINT64_C(1) << 32), 0, extents, 2), -ESTALE);
    assert_result(memfs_image_extents(f->image, node, 0, extents, 0), 0);
    assert_result(memfs_image_extents(f->image, node, 1000, extents, 2), 0);
    assert_result(memfs_image_extents(f->image, node, UINT64_MAX, extents, 2), 0);
    test_put_text(f->fs, "new", "text");
    assert_result(memfs_image_extents(f->image, test_node(f->fs, "new"), 0, extents, 2), -ESTALE);
}

/* One lie about the last extent of noise. */
typedef void lie_fn(struct surgery *s, struct memfs_node_record *node, struct memfs_extent *extent);

static void lie_overlap(struct surgery *s, struct memfs_node_record *node, struct memfs_extent *extent)
{
    (void)s;
    (void)node;
    extent->offset--;
}

static void lie_beyond_the_file(struct surgery *s, struct memfs_node_record *node, struct memfs_extent *extent)
{
    (void)s;
    node->size = extent->offset + extent->length - 1;
}

static void lie_behind_the_file(struct surgery *s, struct memfs_node_record *node, struct memfs_extent *extent)
{
    (void)s;
    extent->offset = node->size + 1;
}

static void lie_beyond_the_block(struct surgery *s, struct memfs_node_record *node, struct memfs_extent *extent)
{
    (void)node;
    extent->start = (uint32_t)(s->blocks[extent->block].length - extent->length + 1);
}

static void lie_behind_the_block(struct surgery *s, struct memfs_node_record *node, struct memfs_extent *extent)
{
    (void)node;
    extent->start = (uint32_t)s->blocks[extent->block].length + 1;
}

static void expect_lie(const struct fixture *f, lie_fn *lie)
{
    struct memfs_image_extent extents[16];
    struct fixture lying = {.image = NULL};
    struct surgery s;
    const memfs_node node = test_node(f->fs, "noise");
    surgery_open(&s, &f->bytes);
    struct memfs_node_record *record = &s.nodes[(uint32_t)node];
    assert_true(record->extents.count >= 2);
    const uint32_t last = record->extents.count - 1;
    lie(&s, record, &s.extents[record->extents.first + last]);
    surgery_close(&s, &lying.bytes);
    surgery_free(&s);
    open_image(&lying);
    assert_result(memfs_image_extents(lying.image, node, 0, extents, 16), MEMFS_ECORRUPT);
    assert_result(memfs_image_extents(lying.image, node, last, extents, 16), MEMFS_ECORRUPT);
    close_image(&lying);
    test_buffer_free(&lying.bytes);
}

static void test_extents__lies(void **state)
{
    expect_lie(*state, lie_overlap);
    expect_lie(*state, lie_beyond_the_file);
    expect_lie(*state, lie_behind_the_file);
    expect_lie(*state, lie_beyond_the_block);
    expect_lie(*state, lie_behind_the_block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_extents__are_where_contents_are, setup, teardown),
        cmocka_unit_test_setup_teardown(test_extents__equal_contents_are_in_one_place, setup, teardown),
        cmocka_unit_test_setup_teardown(test_extents__of_a_changed_file_are_the_images, setup, teardown),
        cmocka_unit_test_setup_teardown(test_extents__of_no_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_extents__lies, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
