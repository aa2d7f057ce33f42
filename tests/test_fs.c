/* Filesystems: making, destroying, counting, the cap, sealing. */
#include "testlib.h"

static void test_fs__defaults(void **state)
{
    (void)state;
    memfs *fs = NULL;
    assert_ok(memfs_create(NULL, &fs));
    struct memfs_stat stat = test_lstat(fs, "/");
    assert_int_equal(stat.node, MEMFS_ROOT);
    assert_int_equal(stat.mode, MEMFS_IFDIR | 0755);
    assert_int_equal(stat.nlink, 2);
    assert_int_equal(stat.size, 0);
    assert_int_equal(stat.mtime, 0);
    memfs_destroy(fs);
    memfs_destroy(NULL);
}

static void test_fs__root_options(void **state)
{
    (void)state;
    struct memfs_options options = {.size = sizeof options, .root_mode = 01777, .root_uid = 5, .root_gid = 6};
    memfs *fs = NULL;
    assert_ok(memfs_create(&options, &fs));
    struct memfs_stat stat = test_lstat(fs, "/");
    assert_int_equal(stat.mode, MEMFS_IFDIR | 01777);
    assert_int_equal(stat.uid, 5);
    assert_int_equal(stat.gid, 6);
    memfs_destroy(fs);
}

static void test_fs__statfs(void **state)
{
    struct test_state *test = *state;
    struct memfs_statfs before, after;
    assert_ok(memfs_statfs(test->fs, &before));
    assert_int_equal(before.nodes, 1);
    assert_int_equal(before.capacity, 0);
    assert_int_equal(before.changes, 0);
    test_put_text(test->fs, "a", "text");
    assert_ok(memfs_mkdir(test->fs, NULL, "d", 0755));
    assert_ok(memfs_statfs(test->fs, &after));
    assert_int_equal(after.nodes, 3);
    assert_true(after.changes > before.changes);
    assert_true(after.private_bytes >= before.private_bytes);
    assert_ok(memfs_unlink(test->fs, NULL, "a"));
    assert_ok(memfs_statfs(test->fs, &after));
    assert_int_equal(after.nodes, 2);
    struct memfs_statfs same;
    assert_result(memfs_unlink(test->fs, NULL, "a"), -ENOENT);
    assert_ok(memfs_statfs(test->fs, &same));
    assert_int_equal(same.changes, after.changes);
}

static memfs *capped(struct test_state *test, uint64_t capacity, memfs_backing *backing)
{
    struct memfs_options options = {.size = sizeof options,
                                    .allocator = &test->memory.hook,
                                    .capacity = capacity,
                                    .clock = test_clock_read,
                                    .clock_context = &test->clock,
                                    .backing = backing};
    memfs *fs = NULL;
    assert_ok(memfs_create(&options, &fs));
    return fs;
}

static void test_fs__cap_on_contents(void **state)
{
    struct test_state *test = *state;
    const uint64_t capacity = 2 << 20;
    memfs *fs = capped(test, capacity, NULL);
    static uint8_t data[65536];
    memset(data, 'x', sizeof data);
    memfs_file *file = NULL;
    assert_ok(memfs_open(fs, NULL, "f", MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &file));
    int64_t got;
    uint64_t written = 0;
    while ((got = memfs_write(file, data, sizeof data)) > 0)
        written += (uint64_t)got;
    assert_result(got, -ENOSPC);
    assert_in_range(written, capacity / 2, capacity);
    struct memfs_statfs statfs;
    assert_ok(memfs_statfs(fs, &statfs));
    assert_int_equal(statfs.capacity, capacity);
    assert_true(statfs.private_bytes <= capacity);
    assert_int_equal(test_lstat(fs, "f").size, written);
    assert_result(memfs_pread(file, data, sizeof data, 0), sizeof data);
    assert_int_equal(data[100], 'x');
    /* What is removed makes room for as much again. */
    assert_ok(memfs_ftruncate(file, 0));
    assert_result(memfs_pwrite(file, data, sizeof data, 0), sizeof data);
    memfs_close(file);
    assert_ok(memfs_unlink(fs, NULL, "f"));
    uint64_t again = 0;
    assert_ok(memfs_open(fs, NULL, "g", MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &file));
    while ((got = memfs_write(file, data, sizeof data)) > 0)
        again += (uint64_t)got;
    assert_result(got, -ENOSPC);
    assert_true(again + 2 * sizeof data >= written);
    memfs_close(file);
    memfs_destroy(fs);
}

/* Fills with files of a size: how many, with what of the last one has been written. */
static unsigned fill_with(memfs *fs, size_t size)
{
    static const uint8_t data[65536];
    char name[32];
    for (unsigned made = 0;; made++) {
        memfs_file *file = NULL;
        snprintf(name, sizeof name, "f%u", made);
        int64_t got = memfs_open(fs, NULL, name, MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &file);
        if (!got)
            got = memfs_write(file, data, size);
        memfs_close(file);
        if (got > 0)
            continue;
        assert_result(got, -ENOSPC);
        return made;
    }
}

static void remove_files(memfs *fs, unsigned made)
{
    char name[32];
    for (unsigned i = 0; i <= made; i++) {
        const unsigned number = (unsigned)((uint64_t)i * 7919 % (made + 1)); /* in some other order */
        snprintf(name, sizeof name, "f%u", number);
        const int r = memfs_unlink(fs, NULL, name);
        if (number < made || r != -ENOENT) /* the last may not have been made at all */
            assert_ok(r);
    }
}

/* Whatever sizes there were, what is free serves other ones when there is nothing else: smaller, larger, and so large
 * that they are no pieces any more. (Half of it is tables after the small ones.) */
static void test_fs__cap_and_other_sizes(void **state)
{
    struct test_state *test = *state;
    static const size_t sizes[] = {700, 100, 1500, 9000, 700, 30000, 90};
    memfs *fs = capped(test, 4 << 20, NULL);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const unsigned made = fill_with(fs, sizes[i]);
        if (made * (sizes[i] + 250) < (4 << 20) / 6)
            fail_msg("only %u files of %zu bytes", made, sizes[i]);
        remove_files(fs, made);
    }
    memfs_destroy(fs);
}

static void test_fs__cap_on_names(void **state)
{
    struct test_state *test = *state;
    memfs *fs = capped(test, 1 << 20, NULL);
    char name[64];
    int error = 0;
    unsigned made = 0;
    while (!error && made < 1000000) {
        snprintf(name, sizeof name, "file number %u", made);
        error = memfs_mknod(fs, NULL, name, MEMFS_IFREG | 0644, 0, 0);
        made += !error;
    }
    assert_result(error, -ENOSPC);
    assert_true(made > 1000);
    assert_result(memfs_lstat(fs, NULL, name, &(struct memfs_stat){0}), -ENOENT);
    assert_int_equal(test_lstat(fs, "/").size, made);
    assert_int_equal(test_lstat(fs, "file number 17").nlink, 1);
    char *names = test_names(fs, "/");
    free(names);
    /* Removing works in a full filesystem, or nobody could help it. */
    assert_ok(memfs_unlink(fs, NULL, "file number 17"));
    assert_ok(memfs_mknod(fs, NULL, "file number 17", MEMFS_IFREG | 0644, 0, 0));
    memfs_destroy(fs);
}

static void test_fs__cap_never_hits_a_read(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    char path[32];
    static uint8_t data[100000];
    memset(data, 'r', sizeof data);
    for (int i = 0; i < 60; i++) {
        snprintf(path, sizeof path, "f%d", i);
        data[0] = (uint8_t)i;
        test_put(test->fs, path, data, sizeof data);
    }
    test_reopen(test, &image);
    struct memfs_image_options options = {.size = sizeof options, .allocator = &test->memory.hook};
    memfs_image *opened = NULL;
    assert_ok(memfs_image_open_buffer(image.data, image.length, &options, &opened, NULL));
    memfs *fs = capped(test, 256 << 10, memfs_image_backing(opened));
    memfs_image_close(opened);
    for (int i = 0; i < 60; i++) {
        snprintf(path, sizeof path, "f%d", i);
        data[0] = (uint8_t)i;
        test_expect(fs, path, data, sizeof data);
    }
    memfs_destroy(fs);
    memfs_destroy(test->fs);
    test->fs = NULL;
    test_buffer_free(&image);
}

static void test_fs__seal_and_share(void **state)
{
    struct test_state *test = *state;
    test_build_everything(test->fs);
    char *before = test_dump(test->fs, TEST_DUMP_TIMES | TEST_DUMP_HOLES);
    memfs_backing *sealed = NULL;
    assert_ok(memfs_seal(test->fs, &sealed));
    test->fs = NULL;
    memfs *fs[3];
    for (int i = 0; i < 3; i++) {
        fs[i] = test_create(test, sealed);
        char *after = test_dump(fs[i], TEST_DUMP_TIMES | TEST_DUMP_HOLES);
        test_same_text(after, before, "sealed");
        free(after);
    }
    memfs_backing_release(sealed);
    test_put_text(fs[0], "a/small", "other");
    assert_ok(memfs_unlink(fs[1], NULL, "a/small"));
    assert_ok(memfs_rename(fs[1], NULL, "a/b", "moved", 0));
    test_expect_text(fs[0], "a/b/hard", "other");
    test_expect_text(fs[1], "moved/hard", "small\n");
    char *third = test_dump(fs[2], TEST_DUMP_TIMES | TEST_DUMP_HOLES);
    test_same_text(third, before, "beside changed ones");
    free(third);
    free(before);
    for (int i = 0; i < 3; i++)
        memfs_destroy(fs[i]);
}

static void test_fs__seal_is_constant(void **state)
{
    struct test_state *test = *state;
    char path[32];
    for (int i = 0; i < 20000; i++) {
        snprintf(path, sizeof path, "file%d", i);
        assert_ok(memfs_mknod(test->fs, NULL, path, MEMFS_IFREG | 0644, 0, 0));
    }
    uint64_t live = atomic_load(&test->memory.live);
    memfs_backing *sealed = NULL;
    assert_ok(memfs_seal(test->fs, &sealed));
    test->fs = test_create(test, sealed);
    memfs_backing_release(sealed);
    assert_in_range(atomic_load(&test->memory.live), 0, live + 100000);
    assert_int_equal(test_lstat(test->fs, "/").size, 20000);
}

static void test_fs__seal_refuses_what_is_held(void **state)
{
    struct test_state *test = *state;
    memfs_backing *sealed = NULL;
    memfs_file *file = NULL;
    memfs_node node = 0;
    struct memfs_view view;
    test_put_text(test->fs, "f", "text");
    assert_ok(memfs_open(test->fs, NULL, "f", MEMFS_O_READ, 0, &file));
    assert_result(memfs_seal(test->fs, &sealed), -EBUSY);
    memfs_close(file);
    assert_ok(memfs_resolve(test->fs, NULL, "f", 1, &node));
    assert_result(memfs_seal(test->fs, &sealed), -EBUSY);
    assert_ok(memfs_node_view(test->fs, node, 0, 4, &view));
    memfs_node_forget(test->fs, node, 1);
    assert_result(memfs_seal(test->fs, &sealed), -EBUSY);
    memfs_view_release(test->fs, &view);
    test_expect_text(test->fs, "f", "text");
    assert_ok(memfs_seal(test->fs, &sealed));
    test->fs = NULL;
    memfs_backing_release(sealed);
}

/* The last one cannot be sealed, and stays as it is. */
static void test_fs__layers(void **state)
{
    struct test_state *test = *state;
    memfs_backing *sealed = NULL;
    char path[32];
    int error = 0;
    unsigned layer = 0;
    for (; layer < 2 * MEMFS_LAYERS_MAX; layer++) {
        snprintf(path, sizeof path, "file%u", layer);
        test_put_text(test->fs, path, path);
        error = memfs_seal(test->fs, &sealed);
        if (error)
            break;
        struct memfs_options options = {.size = sizeof options, .allocator = &test->memory.hook, .backing = sealed};
        assert_ok(memfs_create(&options, &test->fs));
        memfs_backing_release(sealed);
    }
    assert_result(error, MEMFS_ELIMIT);
    assert_int_equal(layer, MEMFS_LAYERS_MAX);
    for (unsigned i = 0; i <= layer; i++) {
        snprintf(path, sizeof path, "file%u", i);
        assert_ok(memfs_resolve(test->fs, NULL, path, 1, NULL));
    }
    test_put_text(test->fs, "another", "still written to");
}

static void test_fs__layers_are_read_through(void **state)
{
    struct test_state *test = *state;
    char path[32];
    for (unsigned layer = 0; layer < 20; layer++) {
        snprintf(path, sizeof path, "file%u", layer);
        test_put_text(test->fs, path, path);
        if (layer >= 3) {
            snprintf(path, sizeof path, "file%u", layer - 3);
            assert_ok(memfs_unlink(test->fs, NULL, path));
        }
        memfs_backing *sealed = NULL;
        assert_ok(memfs_seal(test->fs, &sealed));
        test->fs = test_create(test, sealed);
        memfs_backing_release(sealed);
    }
    test_expect_names(test->fs, "/", "file17 file18 file19 ");
    test_expect_text(test->fs, "file17", "file17");
}

static void test_fs__stale_handles(void **state)
{
    struct test_state *test = *state;
    struct memfs_stat stat;
    test_put_text(test->fs, "f", "text");
    memfs_node node = test_node(test->fs, "f");
    assert_ok(memfs_unlink(test->fs, NULL, "f"));
    assert_result(memfs_node_stat(test->fs, node, &stat), -ESTALE);
    for (int i = 0; i < 5; i++)
        test_put_text(test->fs, (char[]){'a', (char)('a' + i), 0}, "other");
    assert_result(memfs_node_stat(test->fs, node, &stat), -ESTALE);
    assert_result(memfs_node_stat(test->fs, 0, &stat), -ESTALE);
    assert_result(memfs_node_stat(test->fs, UINT64_MAX, &stat), -ESTALE);
    assert_result(memfs_node_stat(test->fs, 123456789, &stat), -ESTALE);
    assert_result(memfs_node_mkdir(test->fs, NULL, node, "d", 0755, NULL), -ESTALE);
    assert_result(memfs_node_read(test->fs, node, 0, &stat, 1), -ESTALE);
}

/* A directory that is removed while it is held has no place, and nothing gets one in it. */
static void test_fs__removed_directory(void **state)
{
    struct test_state *test = *state;
    memfs_node dir, other;
    char path[64];
    struct memfs_dirent entry;
    assert_ok(memfs_mkdir(test->fs, NULL, "d", 0755));
    assert_ok(memfs_mkdir(test->fs, NULL, "e", 0755));
    assert_ok(memfs_resolve(test->fs, NULL, "d", 0, &dir));
    assert_ok(memfs_rmdir(test->fs, NULL, "d"));
    assert_result(memfs_node_parent(test->fs, dir, &other), -ENOENT);
    assert_result(memfs_node_path(test->fs, dir, path, sizeof path), -ENOENT);
    assert_result(memfs_node_lookup(test->fs, NULL, dir, "x", &other), -ENOENT);
    assert_result(memfs_node_mkdir(test->fs, NULL, dir, "x", 0755, NULL), -ENOENT);
    assert_result(memfs_node_rename(test->fs, NULL, MEMFS_ROOT, "e", dir, "e", 0), -ENOENT);
    assert_ok(memfs_node_readdir(test->fs, NULL, dir, 0, &entry, 1, 1));
    memfs_node_forget(test->fs, dir, 1);
    assert_result(memfs_node_parent(test->fs, dir, &other), -ESTALE);
}

static void test_fs__impossible_arguments(void **state)
{
    struct test_state *test = *state;
    const struct memfs_setattr huge = {.set = MEMFS_SET_SIZE, .size = UINT64_MAX};
    const struct memfs_setattr unknown = {.set = UINT32_C(1) << 31};
    const struct memfs_setattr nothing = {0};
    struct memfs_stat stat;
    char byte = 'x';
    test_put_text(test->fs, "f", "text");
    const memfs_node node = test_node(test->fs, "f");
    assert_result(memfs_node_setattr(test->fs, NULL, node, &huge, &stat), -EFBIG);
    assert_result(memfs_node_setattr(test->fs, NULL, MEMFS_ROOT, &huge, &stat), -EISDIR);
    assert_result(memfs_node_setattr(test->fs, NULL, node, &unknown, &stat), -EINVAL);
    assert_ok(memfs_node_setattr(test->fs, NULL, node, &nothing, NULL));
    assert_ok(memfs_node_setattr(test->fs, NULL, node, &nothing, &stat));
    assert_int_equal(stat.size, 4);
    assert_result(memfs_truncate(test->fs, NULL, "f", UINT64_MAX), -EFBIG);
    assert_result(memfs_node_write(test->fs, node, UINT64_MAX - 1, &byte, 1), -EFBIG);
    assert_result(memfs_node_allocate(test->fs, node, UINT64_MAX - 1, 1, 0), -EFBIG);
    assert_result(memfs_node_copy(test->fs, node, 0, node, UINT64_MAX - 1, 2), -EFBIG);
    assert_result(memfs_node_read(test->fs, node, UINT64_MAX, &byte, 1), 0);
    assert_result(memfs_node_seek(test->fs, node, 0, (enum memfs_whence)77), -EINVAL);
    assert_result(memfs_rename(test->fs, NULL, "f", "g", 77), -EINVAL);
    assert_result(memfs_node_lookup(test->fs, NULL, MEMFS_ROOT, "", NULL), -ENOENT);
    /* No type is a regular file's. */
    assert_ok(memfs_node_mknod(test->fs, NULL, MEMFS_ROOT, "plain", 0640, 0, 0, NULL));
    assert_int_equal(test_lstat(test->fs, "plain").mode, MEMFS_IFREG | 0640);
    test_expect_text(test->fs, "f", "text");
}

static void test_fs__version(void **state)
{
    (void)state;
    assert_string_equal(memfs_version(), MEMFS_VERSION);
    assert_true(memfs_version() == memfs_version());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fs__version),
        cmocka_unit_test(test_fs__defaults),
        cmocka_unit_test(test_fs__root_options),
        test_with_fs(test_fs__statfs),
        test_with_fs(test_fs__cap_on_contents),
        test_with_fs(test_fs__cap_and_other_sizes),
        test_with_fs(test_fs__cap_on_names),
        test_with_fs(test_fs__cap_never_hits_a_read),
        test_with_fs(test_fs__seal_and_share),
        test_with_fs(test_fs__seal_is_constant),
        test_with_fs(test_fs__seal_refuses_what_is_held),
        test_with_fs(test_fs__layers),
        test_with_fs(test_fs__layers_are_read_through),
        test_with_fs(test_fs__stale_handles),
        test_with_fs(test_fs__removed_directory),
        test_with_fs(test_fs__impossible_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
