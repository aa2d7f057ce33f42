/* Hard links, symbolic links, files without names. */
#include "testlib.h"

static void test_link__hard(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    test_put_text(fs, "a", "text");
    assert_ok(memfs_mkdir(fs, NULL, "d", 0755));
    assert_ok(memfs_link(fs, NULL, "a", "d/b"));
    assert_ok(memfs_link(fs, NULL, "d/b", "c"));
    assert_int_equal(test_node(fs, "a"), test_node(fs, "c"));
    assert_int_equal(test_lstat(fs, "a").nlink, 3);
    test_put_text(fs, "c", "other");
    test_expect_text(fs, "a", "other");
    assert_ok(memfs_unlink(fs, NULL, "a"));
    assert_int_equal(test_lstat(fs, "c").nlink, 2);
    assert_ok(memfs_unlink(fs, NULL, "c"));
    test_expect_text(fs, "d/b", "other");
    assert_result(memfs_link(fs, NULL, "d", "e"), -EPERM);
    assert_result(memfs_link(fs, NULL, "none", "e"), -ENOENT);
    assert_result(memfs_link(fs, NULL, "d/b", "d"), -EEXIST);
    assert_result(memfs_link(fs, NULL, "d/b", "d/b"), -EEXIST);
    assert_result(memfs_link(fs, NULL, "d/b", "d/b/x"), -ENOTDIR);
    assert_result(memfs_link(fs, NULL, "d/b", "none/x"), -ENOENT);
    assert_result(memfs_link(fs, NULL, "d/b", "e/"), -ENOENT);
    assert_int_equal(test_lstat(fs, "d/b").nlink, 1);
}

static void test_link__of_links_and_specials(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    struct test_buffer image = {0};
    assert_ok(memfs_symlink(fs, NULL, "nowhere", "s"));
    assert_ok(memfs_link(fs, NULL, "s", "s2"));
    assert_ok(memfs_mknod(fs, NULL, "p", MEMFS_IFIFO | 0600, 0, 0));
    assert_ok(memfs_link(fs, NULL, "p", "p2"));
    test_reopen(test, &image);
    fs = test->fs;
    assert_int_equal(test_node(fs, "s"), test_node(fs, "s2"));
    assert_int_equal(test_node(fs, "p"), test_node(fs, "p2"));
    assert_int_equal(test_lstat(fs, "s2").nlink, 2);
    assert_int_equal(test_lstat(fs, "p2").nlink, 2);
    test_end(test, &image);
}

static void test_link__symbolic(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    char target[5000], got[5000];
    memset(target, 't', sizeof target);
    target[MEMFS_TARGET_MAX + 1] = 0;
    assert_result(memfs_symlink(fs, NULL, target, "s"), -ENAMETOOLONG);
    assert_result(memfs_symlink(fs, NULL, "", "s"), -ENOENT);
    target[MEMFS_TARGET_MAX] = 0;
    assert_ok(memfs_symlink(fs, NULL, target, "s"));
    struct memfs_stat stat = test_lstat(fs, "s");
    assert_int_equal(stat.mode, MEMFS_IFLNK | 0777);
    assert_int_equal(stat.size, MEMFS_TARGET_MAX);
    assert_result(memfs_readlink(fs, NULL, "s", got, sizeof got), MEMFS_TARGET_MAX);
    assert_memory_equal(got, target, MEMFS_TARGET_MAX);
    memset(got, 'x', sizeof got);
    assert_result(memfs_readlink(fs, NULL, "s", got, 10), MEMFS_TARGET_MAX);
    assert_memory_equal(got, "ttttttttttx", 11);
    assert_result(memfs_readlink(fs, NULL, "s", NULL, 0), MEMFS_TARGET_MAX);
    assert_result(memfs_readlink(fs, NULL, "/", got, sizeof got), -EINVAL);
    assert_result(memfs_symlink(fs, NULL, "x", "s"), -EEXIST);
    test_put_text(fs, "f", "");
    assert_result(memfs_readlink(fs, NULL, "f", got, sizeof got), -EINVAL);
    assert_result(memfs_readlink(fs, NULL, "none", got, sizeof got), -ENOENT);
}

static void test_link__tmpfile(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    memfs_node node = 0;
    struct memfs_stat stat;
    struct memfs_statfs before, after;
    assert_ok(memfs_statfs(fs, &before));
    assert_ok(memfs_node_tmpfile(fs, NULL, MEMFS_ROOT, 0640, &node));
    assert_ok(memfs_node_stat(fs, node, &stat));
    assert_int_equal(stat.nlink, 0);
    assert_int_equal(stat.mode, MEMFS_IFREG | 0640);
    assert_result(memfs_node_write(fs, node, 0, "text", 4), 4);
    test_expect_names(fs, "/", "");
    assert_ok(memfs_node_link(fs, NULL, node, MEMFS_ROOT, "named"));
    memfs_node_forget(fs, node, 1);
    test_expect_text(fs, "named", "text");
    assert_int_equal(test_lstat(fs, "named").nlink, 1);
    assert_ok(memfs_unlink(fs, NULL, "named"));
    assert_ok(memfs_node_tmpfile(fs, NULL, MEMFS_ROOT, 0640, &node));
    memfs_node_forget(fs, node, 1);
    assert_result(memfs_node_stat(fs, node, &stat), -ESTALE);
    assert_ok(memfs_statfs(fs, &after));
    assert_int_equal(before.nodes, after.nodes);
    test_put_text(fs, "f", "");
    assert_result(memfs_node_tmpfile(fs, NULL, test_node(fs, "f"), 0640, &node), -ENOTDIR);
}

static void test_link__open_files_live_on(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    memfs_node node = 0;
    struct memfs_stat stat;
    char text[16];
    test_put_text(fs, "f", "text");
    assert_ok(memfs_resolve(fs, NULL, "f", 1, &node));
    assert_ok(memfs_node_open(fs, NULL, node, MEMFS_O_RDWR));
    assert_ok(memfs_node_open(fs, NULL, node, MEMFS_O_READ));
    memfs_node_forget(fs, node, 1);
    assert_ok(memfs_unlink(fs, NULL, "f"));
    assert_result(memfs_node_write(fs, node, 4, " more", 5), 5);
    assert_result(memfs_node_read(fs, node, 0, text, sizeof text), 9);
    assert_memory_equal(text, "text more", 9);
    test_put_text(fs, "f", "new");
    assert_true(test_node(fs, "f") != node);
    memfs_node_close(fs, node);
    assert_ok(memfs_node_stat(fs, node, &stat));
    assert_int_equal(stat.nlink, 0);
    memfs_node_close(fs, node);
    assert_result(memfs_node_stat(fs, node, &stat), -ESTALE);
}

/* Counts add up, in any order of giving back. */
static void test_link__forget(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    memfs_node node = 0, same = 0;
    struct memfs_stat stat;
    assert_ok(memfs_node_create(fs, NULL, MEMFS_ROOT, "f", 0644, &node));
    for (int i = 0; i < 9; i++) {
        assert_ok(memfs_node_lookup(fs, NULL, MEMFS_ROOT, "f", &same));
        assert_int_equal(same, node);
    }
    assert_ok(memfs_unlink(fs, NULL, "f"));
    memfs_node_forget(fs, node, 4);
    memfs_node_forget(fs, node, 5);
    assert_ok(memfs_node_stat(fs, node, &stat));
    memfs_node_forget(fs, node, 1);
    assert_result(memfs_node_stat(fs, node, &stat), -ESTALE);
}

/* Open and removed files are not in an image. */
static void test_link__removed_do_not_freeze(void **state)
{
    struct test_state *test = *state;
    struct test_buffer one = {0}, two = {0};
    memfs_file *file = NULL;
    test_put_text(test->fs, "a", "a");
    test_freeze(test->fs, &one);
    test_put_text(test->fs, "b", "b");
    assert_ok(memfs_open(test->fs, NULL, "b", MEMFS_O_READ, 0, &file));
    assert_ok(memfs_unlink(test->fs, NULL, "b"));
    struct memfs_setattr set = {.set = MEMFS_SET_MTIME, .mtime = 1000};
    assert_ok(memfs_setattr(test->fs, NULL, "/", 1, &set));
    test_freeze(test->fs, &two);
    assert_int_equal(one.length, two.length);
    assert_memory_equal(one.data, two.data, one.length);
    memfs_close(file);
    test_buffer_free(&one);
    test_buffer_free(&two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_fs(test_link__hard),
        test_with_fs(test_link__of_links_and_specials),
        test_with_fs(test_link__symbolic),
        test_with_fs(test_link__tmpfile),
        test_with_fs(test_link__open_files_live_on),
        test_with_fs(test_link__forget),
        test_with_fs(test_link__removed_do_not_freeze),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
