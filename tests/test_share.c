/*
 * Equal files: a digest only says which to compare. Here all files have one, as nobody can
 * make with files: the bytes decide, wherever they are, and a file that cannot be read is
 * equal to none.
 */
#include "alloc.h"
#include "share.h"
#include "testlib.h"

#define SIZE (2 * MEMFS_SHARE_PIECE + 1000)
#define DIGEST 77u
#define HOLE_AT 8192u
#define HOLE_BYTES (300u << 10)         /* more than is compared at a time */
#define NUMBER(i) ((uint32_t)(2 + (i))) /* of the i-th file */

enum { FIRST, SAME, LATE, IN_HOLE, SHORT, LONGER, ENDS, FILES };
static const char *const names[FILES] = {"a", "b", "c", "d", "e", "f", "g"};

struct scene {
    struct memfs_detail detail;
    struct memfs_freezing job;
    struct memfs_order order;
    struct memfs_window window;
    struct memfs_rows extents;
    struct memfs_share share;
    memfs *fs;
};

static uint8_t *content; /* of the first file */

static void put(memfs *fs, const char *name, const void *bytes, size_t size)
{
    memfs_node node = 0;
    assert_ok(memfs_node_create(fs, NULL, MEMFS_ROOT, name, 0644, &node));
    assert_result(memfs_node_write(fs, node, 0, bytes, HOLE_AT), HOLE_AT);
    const size_t from = HOLE_AT + HOLE_BYTES;
    assert_result(memfs_node_write(fs, node, from, (const uint8_t *)bytes + from, size - from), size - from);
    memfs_node_forget(fs, node, 1);
}

/* All but one differ from the first one: in a byte of the last piece, in its hole, in size, by data behind its
 * end, by none at all from its hole on. */
static void build(memfs *fs)
{
    memfs_node node = 0;
    content = test_random_bytes(4, SIZE);
    memset(content + HOLE_AT, 0, HOLE_BYTES);
    for (int i = 0; i < FILES; i++)
        put(fs, names[i], content, i == SHORT ? SIZE - 1 : SIZE);
    const uint8_t byte = (uint8_t)~content[SIZE - 1];
    assert_result(memfs_node_write(fs, test_node(fs, names[LATE]), SIZE - 1, &byte, 1), 1);
    assert_result(memfs_node_write(fs, test_node(fs, names[IN_HOLE]), HOLE_AT + 4096, "x", 1), 1);
    /* Data that begins behind the size in question. */
    assert_ok(memfs_node_punch(fs, test_node(fs, names[ENDS]), HOLE_AT, SIZE - HOLE_AT));
    node = test_node(fs, names[LONGER]);
    assert_ok(memfs_node_punch(fs, node, HOLE_AT, SIZE - HOLE_AT));
    assert_result(memfs_node_write(fs, node, SIZE + 100000, "x", 1), 1);
}

static int cancel(void *context, const struct memfs_progress *progress)
{
    (void)context, (void)progress;
    return 1;
}

/* The first file is known, and so far back in the stream that it is not in the window; or not. */
static void begin(struct scene *scene, memfs *fs, int in_window)
{
    struct memfs_statfs statfs;
    *scene = (struct scene){.fs = fs};
    assert_ok(memfs_statfs(fs, &statfs));
    scene->job = (struct memfs_freezing){.fs = fs,
                                         .allocator = memfs_allocator_or_default(NULL),
                                         .detail = &scene->detail,
                                         .changes = statfs.changes,
                                         .options.progress = cancel};
    memfs_order_begin(&scene->order, &scene->job);
    assert_ok(memfs_order_walk(&scene->order));
    memfs_rows_begin(&scene->extents, &scene->job.allocator, sizeof(struct memfs_extent_row), 4);
    assert_ok(memfs_window_begin(&scene->window, &scene->job.allocator, 1u << 20, 1u << 20, 2));
    assert_ok(memfs_share_begin(&scene->share, &scene->order, &scene->window, &scene->extents));
    const uint32_t parts[2][2] = {{0, HOLE_AT}, {HOLE_AT + HOLE_BYTES, (uint32_t)SIZE - HOLE_AT - HOLE_BYTES}};
    for (size_t i = 0; i < 2; i++) {
        size_t room;
        struct memfs_extent_row *row = memfs_rows_add(&scene->extents);
        uint8_t *to = memfs_window_room(&scene->window, &room);
        assert_true(row && to && room >= parts[i][1]);
        *row = (struct memfs_extent_row){parts[i][0], 0, parts[i][1], 0, (uint32_t)scene->window.end};
        memcpy(to, content + parts[i][0], parts[i][1]);
        scene->window.end += parts[i][1];
    }
    struct memfs_order_node *first = memfs_order_at(&scene->order, NUMBER(FIRST));
    first->digest.low = DIGEST;
    first->run.first = 0;
    first->run.count = 2;
    if (!in_window)
        scene->window.reach = 1000;
    assert_ok(memfs_share_add(&scene->share, NUMBER(FIRST)));
}

static void end(struct scene *scene)
{
    memfs_share_end(&scene->share);
    memfs_window_end(&scene->window);
    memfs_rows_end(&scene->extents);
    memfs_order_end(&scene->order);
}

/* Whether a file is found to be equal to the first one, by its bytes or by reading it. */
static int find(struct scene *scene, int file, const uint8_t *bytes, int *error)
{
    uint32_t found = 0;
    const memfs_node node = memfs_order_handle(memfs_order_at(&scene->order, NUMBER(file)));
    *error = memfs_share_find(&scene->share, DIGEST, node, file == SHORT ? SIZE - 1 : SIZE, bytes, &found);
    assert_true(found == 0 || found == NUMBER(FIRST));
    return found != 0;
}

static void test_share__bytes_decide(void **state)
{
    struct test_state *test = *state;
    int error;
    build(test->fs);
    uint8_t *bytes = malloc(SIZE + 1);
    assert_non_null(bytes);
    for (int in_window = 0; in_window < 2; in_window++) {
        struct scene scene;
        begin(&scene, test->fs, in_window);
        for (int file = SAME; file < FILES; file++) {
            const int64_t got = memfs_node_read(test->fs, test_node(test->fs, names[file]), 0, bytes, SIZE);
            assert_result(got, file == SHORT ? SIZE - 1 : SIZE);
            assert_int_equal(find(&scene, file, bytes, &error), file == SAME);
            assert_ok(error);
            assert_int_equal(find(&scene, file, NULL, &error), file == SAME);
            assert_ok(error);
        }
        /* Where the last extent ends before the file does. */
        ((struct memfs_extent_row *)memfs_rows_at(&scene.extents, 1))->length -= 100;
        assert_int_equal(find(&scene, SAME, content, &error), !in_window);
        assert_ok(error);
        end(&scene);
    }
    free(bytes);
    free(content);
}

/* Each call of the backing fails in turn: that is told of if it is of more than the file. */
static void fail_each(struct test_state *test, const struct test_buffer *image, int code, const uint8_t *bytes)
{
    unsigned different = 0;
    for (uint64_t nth = 1;; nth++) {
        struct test_fault fault = {.error = code};
        struct scene scene;
        int error;
        memfs *fs = test_thaw_fault(test, image, &fault);
        begin(&scene, fs, 0);
        fault.fail_at = fault.calls + nth;
        const int found = find(&scene, SAME, bytes, &error);
        const uint64_t failures = fault.failures;
        end(&scene);
        memfs_destroy(fs);
        assert_result(error, failures && code == -ENOMEM ? code : 0);
        assert_int_equal(found, failures == 0);
        if (!failures)
            break;
        different++;
    }
    assert_true(different > 1);
}

static void test_share__reading_fails(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    build(test->fs);
    struct memfs_sink sink = test_buffer_sink(&image);
    const struct memfs_freeze_options options = {.size = sizeof options, .block_size = 65536};
    assert_ok(memfs_freeze(test->fs, &sink, &options, NULL));
    static const int codes[] = {-EIO, -ENOMEM};
    for (size_t i = 0; i < 2; i++) {
        fail_each(test, &image, codes[i], NULL);
        fail_each(test, &image, codes[i], content);
    }
    test_buffer_free(&image);
    free(content);
}

static void test_share__cancelled(void **state)
{
    struct test_state *test = *state;
    struct scene scene;
    int error;
    build(test->fs);
    begin(&scene, test->fs, 0);
    scene.job.untold = MEMFS_WORK_TOLD;
    assert_int_equal(find(&scene, SAME, NULL, &error), 0);
    assert_result(error, -ECANCELED);
    end(&scene);
    free(content);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_fs(test_share__bytes_decide),
        test_with_fs(test_share__reading_fails),
        test_with_fs(test_share__cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
