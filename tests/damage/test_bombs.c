/*
 * Bombs: what is legal, small, and much is stopped by a budget, or costs no more than it has.
 */
#include "bombs.h"

#include <sys/stat.h>
#include <unistd.h>

#define MIB ((uint64_t)1 << 20)
#define DECODED (300 * MIB) /* 18 blocks */

struct bomb {
    struct test_buffer bytes;
    struct test_memory memory;
    memfs_image *image;
    memfs *fs;
    memfs_node node;
};

static void light(struct bomb *bomb, uint64_t cache, uint64_t decoded)
{
    test_memory_init(&bomb->memory);
    const struct memfs_image_options options = {
        .size = sizeof options, .allocator = &bomb->memory.hook, .cache_bytes = cache, .decoded_max = decoded};
    assert_ok(memfs_image_open_buffer(bomb->bytes.data, bomb->bytes.length, &options, &bomb->image, NULL));
    const struct memfs_options fs_options = {.size = sizeof fs_options, .backing = memfs_image_backing(bomb->image)};
    assert_ok(memfs_create(&fs_options, &bomb->fs));
    bomb->node = test_node(bomb->fs, "file");
}

static void put_out(struct bomb *bomb)
{
    memfs_destroy(bomb->fs);
    memfs_image_close(bomb->image);
    assert_int_equal(bomb->memory.live, 0);
    test_buffer_free(&bomb->bytes);
}

static uint64_t decoded(const struct bomb *bomb)
{
    struct memfs_image_statistics statistics;
    memfs_image_statistics(bomb->image, &statistics);
    return statistics.decoded_bytes;
}

/* Views the file from `at` on, byte by byte; where that ends, and with what. */
static uint64_t view_bytes(struct bomb *bomb, uint64_t at, uint64_t end, int *error)
{
    for (*error = 0; at < end; at++) {
        struct memfs_view view;
        *error = memfs_node_view(bomb->fs, bomb->node, at, 1, &view);
        if (*error)
            return at;
        assert_int_equal(view.length, 1);
        assert_int_equal(*(const uint8_t *)view.data, bomb_alternating_byte(at));
        memfs_view_release(bomb->fs, &view);
    }
    return at;
}

/* The budget is spent; what was read until then was right, and what is in the cache can be had. */
static void test_bombs__alternating(void **state)
{
    (void)state;
    struct bomb bomb = {.fs = NULL};
    struct memfs_detail detail;
    uint8_t piece[4096];
    int error;
    bomb_alternating(&bomb.bytes, 5000);
    light(&bomb, 64 * MIB, DECODED);
    const uint64_t stopped = view_bytes(&bomb, 0, 5000, &error);
    assert_result(error, MEMFS_ELIMIT);
    assert_in_range(stopped, 17, 18);
    assert_true(decoded(&bomb) <= DECODED);
    assert_result(memfs_image_damage(bomb.image, &detail), MEMFS_ELIMIT);
    assert_non_null(strstr(detail.text, "budget of decoded bytes"));
    assert_result(memfs_node_read(bomb.fs, bomb.node, 0, piece, sizeof piece), MEMFS_ELIMIT);
    assert_int_equal(view_bytes(&bomb, stopped - 1, stopped, &error), stopped);
    assert_result(memfs_image_damage(bomb.image, NULL), MEMFS_ELIMIT);
    put_out(&bomb);
}

/* A grant counts from now; one that is taken back holds at once. */
static void test_bombs__allowed_anew(void **state)
{
    (void)state;
    struct bomb bomb = {.fs = NULL};
    int error;
    bomb_alternating(&bomb.bytes, 1000);
    light(&bomb, 64 * MIB, 0);
    assert_int_equal(view_bytes(&bomb, 0, 40, &error), 40);
    memfs_image_allow(bomb.image, 0);
    assert_int_equal(view_bytes(&bomb, 40, 80, &error), 40);
    assert_result(error, MEMFS_ELIMIT);
    const uint64_t before = decoded(&bomb);
    memfs_image_allow(bomb.image, DECODED);
    assert_in_range(view_bytes(&bomb, 40, 1000, &error), 57, 60);
    assert_result(error, MEMFS_ELIMIT);
    assert_true(decoded(&bomb) - before <= DECODED);
    memfs_image_allow(bomb.image, UINT64_MAX);
    assert_int_equal(view_bytes(&bomb, 60, 100, &error), 100);
    put_out(&bomb);
}

/* Who decodes counts, also to verify. */
static void test_bombs__verifying(void **state)
{
    (void)state;
    struct bomb bomb = {.fs = NULL};
    bomb_alternating(&bomb.bytes, 1000);
    light(&bomb, 0, DECODED);
    assert_result(memfs_verify(bomb.image, NULL, NULL), MEMFS_ELIMIT);
    assert_true(decoded(&bomb) <= DECODED);
    memfs_image_allow(bomb.image, UINT64_MAX);
    const struct memfs_verify_options options = {.size = sizeof options, .bytes_max = DECODED};
    assert_result(memfs_verify(bomb.image, &options, NULL), MEMFS_ELIMIT);
    put_out(&bomb);
}

/* A gibibyte from 37 KB is a file like others: each block decoded once, in little memory. */
static void test_bombs__zeros(void **state)
{
    (void)state;
    struct bomb bomb = {.fs = NULL};
    uint64_t at = 0;
    bomb_zeros(&bomb.bytes);
    assert_true(bomb.bytes.length < 50000);
    light(&bomb, 64 * MIB, 0);
    for (;;) {
        struct memfs_view view;
        assert_ok(memfs_node_view(bomb.fs, bomb.node, at, BOMB_BLOCK_BYTES, &view));
        const size_t length = view.length;
        for (size_t i = 0; i < length; i += 4096)
            assert_int_equal(((const uint8_t *)view.data)[i], 0);
        memfs_view_release(bomb.fs, &view);
        if (length == 0)
            break;
        at += length;
    }
    assert_int_equal(at, (uint64_t)BOMB_BLOCKS * BOMB_BLOCK_BYTES);
    assert_true(decoded(&bomb) < at + MIB);
    assert_true(bomb.memory.peak < 96 * MIB);
    put_out(&bomb);
}

static void test_bombs__deep(void **state)
{
    (void)state;
    struct test_buffer bytes = {0};
    char path[64];
    memfs_image *image = NULL;
    memfs *fs = NULL;
    struct stat status;
    struct memfs_detail detail;
    bomb_deep(&bytes, 20000);
    assert_ok(memfs_image_open_buffer(bytes.data, bytes.length, NULL, &image, NULL));
    const struct memfs_options options = {.size = sizeof options, .backing = memfs_image_backing(image)};
    assert_ok(memfs_create(&options, &fs));
    snprintf(path, sizeof path, "/tmp/memfs-bombs.%ld", (long)getpid());
    const struct memfs_export_options export = {.size = sizeof export, .depth_max = 4096};
    assert_result(memfs_host_export(fs, path, &export, &detail), -EDQUOT);
    assert_non_null(strstr(detail.text, "raise the budget of depth"));
    assert_result(lstat(path, &status), -1);
    memfs_destroy(fs);
    memfs_image_close(image);
    test_buffer_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bombs__alternating), cmocka_unit_test(test_bombs__allowed_anew),
        cmocka_unit_test(test_bombs__verifying),   cmocka_unit_test(test_bombs__zeros),
        cmocka_unit_test(test_bombs__deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
