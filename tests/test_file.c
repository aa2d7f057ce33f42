/* Open files: flags, positions, seeking. */
#include "testlib.h"

static void test_file__flags(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    memfs_file *file = NULL;
    char text[16];
    assert_result(memfs_open(fs, NULL, "f", MEMFS_O_RDWR, 0, &file), -ENOENT);
    assert_ok(memfs_open(fs, NULL, "f", MEMFS_O_RDWR | MEMFS_O_CREATE | MEMFS_O_EXCL, 0600, &file));
    assert_result(memfs_write(file, "0123456789", 10), 10);
    memfs_close(file);
    memfs_close(NULL);
    assert_int_equal(test_lstat(fs, "f").mode, MEMFS_IFREG | 0600);
    assert_result(memfs_open(fs, NULL, "f", MEMFS_O_RDWR | MEMFS_O_CREATE | MEMFS_O_EXCL, 0600, &file), -EEXIST);
    assert_ok(memfs_open(fs, NULL, "f", MEMFS_O_READ, 0, &file));
    assert_result(memfs_write(file, "x", 1), -EBADF);
    assert_result(memfs_pwrite(file, "x", 1, 0), -EBADF);
    assert_either(memfs_ftruncate(file, 0), -EBADF, -EINVAL);
    memfs_close(file);
    assert_ok(memfs_open(fs, NULL, "f", MEMFS_O_WRITE, 0, &file));
    assert_result(memfs_read(file, text, 1), -EBADF);
    assert_result(memfs_pread(file, text, 1, 0), -EBADF);
    assert_ok(memfs_ftruncate(file, 5));
    memfs_close(file);
    test_expect_text(fs, "f", "01234");
    assert_ok(memfs_open(fs, NULL, "f", MEMFS_O_WRITE | MEMFS_O_TRUNC, 0, &file));
    memfs_close(file);
    test_expect_text(fs, "f", "");
    assert_ok(memfs_mkdir(fs, NULL, "d", 0755));
    assert_result(memfs_open(fs, NULL, "d", MEMFS_O_WRITE, 0, &file), -EISDIR);
    assert_result(memfs_open(fs, NULL, "d", MEMFS_O_READ | MEMFS_O_CREATE, 0, &file), -EISDIR);
    assert_ok(memfs_open(fs, NULL, "d", MEMFS_O_READ | MEMFS_O_DIRECTORY, 0, &file));
    assert_int_equal(memfs_file_node(file), test_node(fs, "d"));
    assert_result(memfs_read(file, text, 1), -EISDIR);
    memfs_close(file);
    assert_result(memfs_open(fs, NULL, "f", MEMFS_O_READ | MEMFS_O_DIRECTORY, 0, &file), -ENOTDIR);
    assert_ok(memfs_symlink(fs, NULL, "f", "s"));
    assert_result(memfs_open(fs, NULL, "s", MEMFS_O_READ | MEMFS_O_NOFOLLOW, 0, &file), -ELOOP);
    assert_result(memfs_open(fs, NULL, "s", MEMFS_O_RDWR | MEMFS_O_CREATE | MEMFS_O_EXCL, 0, &file), -EEXIST);
    assert_ok(memfs_open(fs, NULL, "s", MEMFS_O_READ, 0, &file));
    assert_int_equal(memfs_file_node(file), test_node(fs, "f"));
    memfs_close(file);
    assert_result(memfs_open(fs, NULL, "f", 0, 0, &file), -EINVAL);
    assert_result(memfs_open(fs, NULL, "f", MEMFS_O_READ | 0x80000000u, 0, &file), -EINVAL);
    assert_result(memfs_node_open(fs, NULL, test_node(fs, "f"), MEMFS_O_READ | MEMFS_O_CREATE), -EINVAL);
}

static void test_file__positions(void **state)
{
    struct test_state *test = *state;
    memfs_file *file = NULL;
    char text[16] = {0};
    assert_ok(memfs_open(test->fs, NULL, "f", MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &file));
    assert_result(memfs_write(file, "0123456789", 10), 10);
    assert_result(memfs_read(file, text, 16), 0);
    assert_result(memfs_lseek(file, 3, MEMFS_SEEK_SET), 3);
    assert_result(memfs_read(file, text, 2), 2);
    assert_memory_equal(text, "34", 2);
    assert_result(memfs_lseek(file, -1, MEMFS_SEEK_CUR), 4);
    assert_result(memfs_pread(file, text, 2, 8), 2);
    assert_memory_equal(text, "89", 2);
    assert_result(memfs_pwrite(file, "x", 1, 0), 1);
    assert_result(memfs_read(file, text, 1), 1);
    assert_memory_equal(text, "4", 1);
    assert_result(memfs_lseek(file, -2, MEMFS_SEEK_END), 8);
    assert_result(memfs_write(file, "abc", 3), 3);
    assert_result(memfs_lseek(file, 0, MEMFS_SEEK_CUR), 11);
    assert_result(memfs_lseek(file, -12, MEMFS_SEEK_CUR), -EINVAL);
    assert_result(memfs_lseek(file, -1, MEMFS_SEEK_SET), -EINVAL);
    assert_result(memfs_lseek(file, INT64_MAX, MEMFS_SEEK_END), -EOVERFLOW);
    assert_result(memfs_lseek(file, 0, (enum memfs_whence)99), -EINVAL);
    assert_result(memfs_lseek(file, 0, MEMFS_SEEK_CUR), 11);
    assert_result(memfs_lseek(file, 10000, MEMFS_SEEK_SET), 10000);
    assert_result(memfs_read(file, text, 1), 0);
    assert_result(memfs_write(file, "y", 1), 1);
    assert_result(memfs_lseek(file, 0, MEMFS_SEEK_HOLE), 4096);
    assert_result(memfs_lseek(file, 4096, MEMFS_SEEK_DATA), 8192);
    assert_result(memfs_lseek(file, 0, MEMFS_SEEK_CUR), 8192);
    assert_result(memfs_lseek(file, 20000, MEMFS_SEEK_DATA), -ENXIO);
    memfs_close(file);
    assert_int_equal(test_lstat(test->fs, "f").size, 10001);
}

static void test_file__append(void **state)
{
    struct test_state *test = *state;
    memfs_file *one = NULL, *two = NULL;
    char text[16];
    uint32_t flags = MEMFS_O_RDWR | MEMFS_O_CREATE | MEMFS_O_APPEND;
    assert_ok(memfs_open(test->fs, NULL, "f", flags, 0644, &one));
    assert_ok(memfs_open(test->fs, NULL, "f", flags, 0644, &two));
    assert_result(memfs_write(one, "1", 1), 1);
    assert_result(memfs_write(two, "22", 2), 2);
    assert_result(memfs_write(one, "3", 1), 1);
    assert_result(memfs_lseek(one, 0, MEMFS_SEEK_CUR), 4);
    assert_result(memfs_lseek(two, 0, MEMFS_SEEK_CUR), 3);
    assert_result(memfs_lseek(one, 0, MEMFS_SEEK_SET), 0);
    assert_result(memfs_read(one, text, 2), 2);
    assert_result(memfs_write(one, "4", 1), 1);
    memfs_close(one);
    memfs_close(two);
    test_expect_text(test->fs, "f", "12234");
}

static void test_file__tmpfile(void **state)
{
    struct test_state *test = *state;
    memfs_file *file = NULL;
    assert_ok(memfs_mkdir(test->fs, NULL, "d", 0755));
    test_put_text(test->fs, "f", "");
    assert_ok(memfs_open(test->fs, NULL, "d", MEMFS_O_RDWR | MEMFS_O_TMPFILE, 0600, &file));
    assert_result(memfs_write(file, "text", 4), 4);
    assert_ok(memfs_node_link(test->fs, NULL, memfs_file_node(file), test_node(test->fs, "d"), "named"));
    memfs_close(file);
    test_expect_text(test->fs, "d/named", "text");
    /* With O_EXCL it never gets a name. */
    assert_ok(memfs_open(test->fs, NULL, "d", MEMFS_O_RDWR | MEMFS_O_TMPFILE | MEMFS_O_EXCL, 0600, &file));
    assert_result(memfs_write(file, "text", 4), 4);
    memfs_node secret = memfs_file_node(file);
    assert_result(memfs_node_link(test->fs, NULL, secret, test_node(test->fs, "d"), "other"), -ENOENT);
    memfs_close(file);
    struct memfs_stat stat;
    assert_result(memfs_node_stat(test->fs, secret, &stat), -ESTALE);
    assert_result(memfs_open(test->fs, NULL, "d", MEMFS_O_READ | MEMFS_O_TMPFILE, 0600, &file), -EINVAL);
    assert_result(memfs_open(test->fs, NULL, "f", MEMFS_O_RDWR | MEMFS_O_TMPFILE, 0600, &file), -ENOTDIR);
    assert_result(memfs_open(test->fs, NULL, "none", MEMFS_O_RDWR | MEMFS_O_TMPFILE, 0600, &file), -ENOENT);
}

static void test_file__read_does_not_touch(void **state)
{
    struct test_state *test = *state;
    memfs_file *file = NULL;
    char text[4];
    test_put_text(test->fs, "f", "text");
    struct memfs_stat before = test_lstat(test->fs, "f");
    atomic_fetch_add(&test->clock.now, 100);
    assert_ok(memfs_open(test->fs, NULL, "f", MEMFS_O_READ, 0, &file));
    assert_result(memfs_read(file, text, 4), 4);
    memfs_close(file);
    struct memfs_stat after = test_lstat(test->fs, "f");
    assert_int_equal(before.atime, after.atime);
    assert_int_equal(before.mtime, after.mtime);
    assert_int_equal(before.ctime, after.ctime);
}

/* What is opened says no by its type. */
static void test_file__types(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    memfs_file *file = NULL;
    test_put_text(fs, "f", "text");
    assert_ok(memfs_symlink(fs, NULL, "f", "s"));
    assert_ok(memfs_mknod(fs, NULL, "fifo", MEMFS_IFIFO | 0666, 0, 0));
    assert_ok(memfs_mkdir(fs, NULL, "d", 0755));
    const uint32_t directory = MEMFS_O_READ | MEMFS_O_DIRECTORY;
    assert_result(memfs_open(fs, NULL, "f", directory, 0, &file), -ENOTDIR);
    assert_result(memfs_open(fs, NULL, "s", directory | MEMFS_O_NOFOLLOW, 0, &file), -ENOTDIR);
    assert_result(memfs_open(fs, NULL, "s", MEMFS_O_READ | MEMFS_O_NOFOLLOW, 0, &file), -ELOOP);
    assert_result(memfs_open(fs, NULL, "fifo", directory, 0, &file), -ENOTDIR);
    assert_result(memfs_open(fs, NULL, "fifo", MEMFS_O_READ, 0, &file), -ENXIO);
    assert_result(memfs_open(fs, NULL, "d", directory | MEMFS_O_CREATE, 0, &file), -EINVAL);
    assert_result(memfs_open(fs, NULL, "d", MEMFS_O_READ | MEMFS_O_TMPFILE, 0, &file), -EINVAL);
    assert_result(memfs_open(fs, NULL, "d", MEMFS_O_RDWR | MEMFS_O_TMPFILE | MEMFS_O_TRUNC, 0, &file), -EINVAL);
    assert_result(memfs_node_open(fs, NULL, test_node(fs, "f"), 0), -EINVAL);
    assert_result(memfs_node_open(fs, NULL, test_node(fs, "f"), MEMFS_O_READ | 0x80000000u), -EINVAL);
    assert_ok(memfs_open(fs, NULL, "f", MEMFS_O_RDWR, 0, &file));
    assert_result(memfs_pwrite(file, "x", 1, (uint64_t)MEMFS_SIZE_MAX + 1), -EFBIG);
    assert_result(memfs_lseek(file, -1, MEMFS_SEEK_DATA), -ENXIO);
    memfs_close(file);
    test_expect_text(fs, "f", "text");
}

/* Setting nothing asks whether the node is there; what is unknown is refused. */
static void test_file__sets_nothing(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    struct memfs_setattr nothing = {.set = 0}, unknown = {.set = 0x40000000u};
    struct memfs_stat out;
    memfs_node node = 0;
    assert_ok(memfs_node_create(fs, NULL, MEMFS_ROOT, "f", 0640, &node));
    atomic_fetch_add(&test->clock.now, 100);
    struct memfs_stat before = test_lstat(fs, "f");
    assert_ok(memfs_node_setattr(fs, NULL, node, &nothing, NULL));
    assert_ok(memfs_node_setattr(fs, NULL, node, &nothing, &out));
    assert_memory_equal(&out, &before, sizeof out);
    assert_result(memfs_node_setattr(fs, NULL, node, &unknown, &out), -EINVAL);
    assert_int_equal(test_lstat(fs, "f").ctime, before.ctime);
    assert_ok(memfs_unlink(fs, NULL, "f"));
    memfs_node_forget(fs, node, 1);
    assert_result(memfs_node_setattr(fs, NULL, node, &nothing, NULL), -ESTALE);
    assert_result(memfs_node_setattr(fs, NULL, node, &nothing, &out), -ESTALE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_fs(test_file__flags),
        test_with_fs(test_file__positions),
        test_with_fs(test_file__append),
        test_with_fs(test_file__tmpfile),
        test_with_fs(test_file__read_does_not_touch),
        test_with_fs(test_file__types),
        test_with_fs(test_file__sets_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
