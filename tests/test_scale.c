/*
 * Figures at scale: memory of many files, costs in large directories, opening
 * and walking images. MEMFS_SCALE is in percent of 200,000 files; at 500 they
 * are the million that the budgets are made for. Smaller runs are held to them in
 * proportion.
 */
#include "testlib.h"

#include <time.h>

#define MEGABYTE 1000000u

static uint64_t scale(void)
{
    uint64_t percent = test_environment("MEMFS_SCALE", 100);
    return percent ? percent * 2000 : 1000;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Empty files with names of 16 bytes, a thousand to a directory. */
static void build(memfs *fs, uint64_t files)
{
    char name[32];
    memfs_node dir = 0;
    for (uint64_t i = 0; i < files; i++) {
        if (i % 1000 == 0) {
            if (dir)
                memfs_node_forget(fs, dir, 1);
            snprintf(name, sizeof name, "directory%07" PRIu64, i / 1000);
            assert_ok(memfs_node_mkdir(fs, NULL, MEMFS_ROOT, name, 0755, &dir));
        }
        snprintf(name, sizeof name, "file%012" PRIu64, i);
        assert_ok(memfs_node_create(fs, NULL, dir, name, 0644, NULL));
    }
    if (dir)
        memfs_node_forget(fs, dir, 1);
}

static void test_scale__memory_of_empty_files(void **state)
{
    struct test_state *test = *state;
    uint64_t files = scale();
    double start = seconds();
    build(test->fs, files);
    uint64_t live = atomic_load(&test->memory.live);
    print_message("%" PRIu64 " files: %" PRIu64 " bytes (%.1f a file), %.2f s\n", files, live,
                  (double)live / (double)files, seconds() - start);
    assert_in_range(live, 1, files * 128 + (files < 1000000 ? MEGABYTE : 0));
}

struct timing {
    double lookup, insert, remove;
};

static struct timing time_dir(memfs *fs, memfs_node dir, uint64_t count)
{
    enum { TURNS = 20000 };
    struct test_random random = {.state = 1};
    struct timing timing = {0};
    char name[32];
    double start = seconds();
    for (unsigned i = 0; i < TURNS; i++) {
        snprintf(name, sizeof name, "file%012" PRIu64, test_random_below(&random, count));
        assert_ok(memfs_node_lookup(fs, NULL, dir, name, NULL));
    }
    timing.lookup = (seconds() - start) / TURNS * 1e9;
    start = seconds();
    for (unsigned i = 0; i < TURNS / 200; i++) {
        snprintf(name, sizeof name, "new%u", i);
        assert_ok(memfs_node_create(fs, NULL, dir, name, 0644, NULL));
    }
    timing.insert = (seconds() - start) / (TURNS / 200) * 1e9;
    start = seconds();
    for (unsigned i = 0; i < TURNS / 200; i++) {
        snprintf(name, sizeof name, "new%u", i);
        assert_ok(memfs_node_unlink(fs, NULL, dir, name));
    }
    timing.remove = (seconds() - start) / (TURNS / 200) * 1e9;
    return timing;
}

static void print_timing(const char *what, uint64_t count, struct timing timing)
{
    print_message("%s, %" PRIu64 " entries: look-up %.0f ns, insertion %.0f ns, removal %.0f ns\n", what, count,
                  timing.lookup, timing.insert, timing.remove);
}

static int count_visit(void *context, const char *path, const struct memfs_stat *stat)
{
    (void)path;
    (void)stat;
    ++*(uint64_t *)context;
    return 0;
}

static void test_scale__large_directories(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    uint64_t sizes[] = {100, scale() * 2}, seen = 0;
    char name[32];
    for (int i = 0; i < 2; i++) {
        memfs_node dir = 0;
        assert_ok(memfs_node_mkdir(test->fs, NULL, MEMFS_ROOT, i ? "large" : "small", 0755, &dir));
        for (uint64_t j = 0; j < sizes[i]; j++) {
            snprintf(name, sizeof name, "file%012" PRIu64, j);
            assert_ok(memfs_node_create(test->fs, NULL, dir, name, 0644, NULL));
        }
        print_timing("in memory", sizes[i], time_dir(test->fs, dir, sizes[i]));
        memfs_node_forget(test->fs, dir, 1);
    }
    test_reopen(test, &image);
    memfs_node large = test_node(test->fs, "large");
    assert_ok(memfs_node_lookup(test->fs, NULL, large, "file000000000000", NULL));
    uint64_t live = atomic_load(&test->memory.live);
    assert_ok(memfs_node_create(test->fs, NULL, large, "first", 0644, NULL));
    assert_in_range(atomic_load(&test->memory.live), 0, live + (1 << 20));
    print_timing("from an image", sizes[0], time_dir(test->fs, test_node(test->fs, "small"), sizes[0]));
    print_timing("from an image, cold", sizes[1], time_dir(test->fs, large, sizes[1]));
    assert_ok(memfs_walk(test->fs, NULL, "/", 0, count_visit, &seen));
    print_timing("from an image, loaded", sizes[1], time_dir(test->fs, large, sizes[1]));
    test_end(test, &image);
}

/* Opens through a counting source. */
static memfs_image *open_counting(struct test_state *test, const struct test_buffer *bytes, struct test_source *source,
                                  uint64_t cache_bytes)
{
    memset(source, 0, sizeof *source);
    struct memfs_source from = test_source_of(source, bytes);
    struct memfs_image_options options = {
        .size = sizeof options, .allocator = &test->memory.hook, .cache_bytes = cache_bytes};
    memfs_image *image = NULL;
    assert_ok(memfs_image_open_source(&from, &options, &image, NULL));
    return image;
}

static void test_scale__opening_and_walking(void **state)
{
    struct test_state *test = *state;
    struct test_buffer bytes = {0};
    struct test_source source;
    uint64_t files = scale(), seen = 0;
    build(test->fs, files);
    test_put_text(test->fs, "directory0000000/content", "some content");
    double start = seconds();
    test_freeze(test->fs, &bytes);
    print_message("%" PRIu64 " files frozen: %zu bytes, %.2f s\n", files, bytes.length, seconds() - start);
    memfs_destroy(test->fs);
    test->fs = NULL;

    uint64_t live = atomic_load(&test->memory.live);
    start = seconds();
    memfs_image *image = open_counting(test, &bytes, &source, 0);
    test->fs = test_create(test, memfs_image_backing(image));
    uint64_t kept = atomic_load(&test->memory.live) - live;
    print_message("opened: %" PRIu64 " bytes read, %" PRIu64 " kept, %.0f us\n", atomic_load(&source.bytes), kept,
                  (seconds() - start) * 1e6);
    assert_in_range(atomic_load(&source.bytes), 1, 64 << 10);
    assert_in_range(kept, 1, 256 << 10);
    test_expect_text(test->fs, "directory0000000/content", "some content");
    print_message("one file read: %" PRIu64 " bytes in all\n", atomic_load(&source.bytes));
    assert_in_range(atomic_load(&source.bytes), 1, (1 << 20) + (64 << 10));
    memfs_destroy(test->fs);
    memfs_image_close(image);
    assert_int_equal(atomic_load(&source.closed), 1);

    image = open_counting(test, &bytes, &source, 16 << 20);
    test->fs = test_create(test, memfs_image_backing(image));
    memfs_image_close(image);
    atomic_store(&test->memory.peak, atomic_load(&test->memory.live));
    start = seconds();
    assert_ok(memfs_walk(test->fs, NULL, "/", 0, count_visit, &seen));
    print_message("walked: %" PRIu64 " nodes, peak %" PRIu64 " bytes, %.2f s\n", seen, atomic_load(&test->memory.peak),
                  seconds() - start);
    assert_int_equal(seen, 1 + (files + 999) / 1000 + files + 1);
    assert_in_range(atomic_load(&test->memory.peak), 1, 32 << 20);
    test_end(test, &bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_fs(test_scale__memory_of_empty_files),
        test_with_fs(test_scale__large_directories),
        test_with_fs(test_scale__opening_and_walking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
