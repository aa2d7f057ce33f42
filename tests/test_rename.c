/* Renaming: every errno, what is replaced, exchanged, left alone. */
#include "testlib.h"

static void tree(memfs *fs)
{
    assert_ok(memfs_mkdir(fs, NULL, "d", 0755));
    assert_ok(memfs_mkdir(fs, NULL, "d/sub", 0755));
    assert_ok(memfs_mkdir(fs, NULL, "d/sub/deep", 0755));
    assert_ok(memfs_mkdir(fs, NULL, "empty", 0755));
    assert_ok(memfs_mkdir(fs, NULL, "full", 0755));
    test_put_text(fs, "full/x", "x");
    test_put_text(fs, "f", "f");
    test_put_text(fs, "g", "g");
    assert_ok(memfs_link(fs, NULL, "f", "f2"));
    assert_ok(memfs_symlink(fs, NULL, "d", "s"));
}

static const struct {
    const char *from, *to;
    uint32_t flags;
    int result, also;
} cases[] = {
    {"none", "x", 0, -ENOENT, 0},
    {"f", "none/x", 0, -ENOENT, 0},
    {"f", "g/x", 0, -ENOTDIR, 0},
    {"f/x", "g", 0, -ENOTDIR, 0},
    {"f", "d", 0, -EISDIR, 0},
    {"f", "empty", 0, -EISDIR, 0},
    {"d", "f", 0, -ENOTDIR, 0},
    {"empty", "full", 0, -ENOTEMPTY, 0},
    {"d", "d/sub", 0, -EINVAL, -ENOTEMPTY},
    {"d", "d/new", 0, -EINVAL, 0},
    {"d", "d/sub/deep/new", 0, -EINVAL, 0},
    {"d/sub", "d", 0, -ENOTEMPTY, 0},
    {"d/sub/deep", "d", 0, -ENOTEMPTY, 0},
    {"d", "d/sub", MEMFS_RENAME_EXCHANGE, -EINVAL, 0},
    {"d/sub", "d", MEMFS_RENAME_EXCHANGE, -EINVAL, 0},
    {"f", "g", MEMFS_RENAME_NOREPLACE, -EEXIST, 0},
    {"f", "f", MEMFS_RENAME_NOREPLACE, -EEXIST, 0},
    {"f", "f2", MEMFS_RENAME_NOREPLACE, -EEXIST, 0},
    {"f", "none", MEMFS_RENAME_EXCHANGE, -ENOENT, 0},
    {"none", "f", MEMFS_RENAME_EXCHANGE, -ENOENT, 0},
    {"f", "g", MEMFS_RENAME_EXCHANGE | MEMFS_RENAME_NOREPLACE, -EINVAL, 0},
    {"f", "g", 8, -EINVAL, 0},
    {"f", "f2", 0, 0, 0},
    {"f", "f", 0, 0, 0},
    {"d", "d", 0, 0, 0},
    {"/", "x", 0, -EBUSY, 0},
    {"f", "/", 0, -EBUSY, 0},
    {"d/.", "x", 0, -EBUSY, 0},
    {"d/..", "x", 0, -EBUSY, 0},
    {"empty", "d/.", 0, -EBUSY, 0},
    {"empty", "d/..", 0, -EBUSY, 0},
    {"f/", "x", 0, -ENOTDIR, 0},
    {"f", "x/", 0, -ENOTDIR, 0},
    {"f", "g/", 0, -ENOTDIR, 0},
    {"s/", "x", 0, -ENOTDIR, 0},
    {"", "x", 0, -ENOENT, 0},
    {"f", "", 0, -ENOENT, 0},
};

static void test_rename__table(void **state)
{
    struct test_state *test = *state;
    tree(test->fs);
    char *before = test_dump(test->fs, TEST_DUMP_TIMES | TEST_DUMP_HOLES);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        atomic_fetch_add(&test->clock.now, 1);
        int got = memfs_rename(test->fs, NULL, cases[i].from, cases[i].to, cases[i].flags);
        if (got != cases[i].result && !(cases[i].also && got == cases[i].also)) {
            print_error("rename %s to %s flags %u\n", cases[i].from, cases[i].to, cases[i].flags);
            assert_result(got, cases[i].result);
        }
        char *after = test_dump(test->fs, TEST_DUMP_TIMES | TEST_DUMP_HOLES);
        test_same_text(after, before, cases[i].from);
        free(after);
    }
    free(before);
}

static void test_rename__replaces(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    tree(fs);
    assert_ok(memfs_rename(fs, NULL, "g", "f", 0));
    test_expect_text(fs, "f", "g");
    test_expect_text(fs, "f2", "f");
    assert_int_equal(test_lstat(fs, "f2").nlink, 1);
    assert_result(memfs_lstat(fs, NULL, "g", &(struct memfs_stat){0}), -ENOENT);
    memfs_node deep = test_node(fs, "d/sub/deep");
    assert_ok(memfs_rename(fs, NULL, "d", "empty/", 0));
    assert_int_equal(test_node(fs, "empty/sub/deep"), deep);
    assert_int_equal(test_lstat(fs, "/").nlink, 4);
    assert_ok(memfs_rename(fs, NULL, "empty/sub", "full/sub", 0));
    assert_int_equal(test_lstat(fs, "empty").nlink, 2);
    assert_int_equal(test_lstat(fs, "full").nlink, 3);
    assert_int_equal(test_lstat(fs, "full/sub/../x").size, 1);
    memfs_node up = 0;
    assert_ok(memfs_node_parent(fs, test_node(fs, "full/sub"), &up));
    assert_int_equal(up, test_node(fs, "full"));
    memfs_node_forget(fs, up, 1);
    assert_ok(memfs_rename(fs, NULL, "s", "full/x", 0));
    assert_int_equal(test_lstat(fs, "full/x").mode & MEMFS_IFMT, MEMFS_IFLNK);
}

static void test_rename__exchanges(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    tree(fs);
    memfs_node file = test_node(fs, "f"), sub = test_node(fs, "d/sub"), full = test_node(fs, "full");
    assert_ok(memfs_rename(fs, NULL, "f", "d/sub", MEMFS_RENAME_EXCHANGE));
    assert_int_equal(test_node(fs, "f"), sub);
    assert_int_equal(test_node(fs, "d/sub"), file);
    assert_int_equal(test_lstat(fs, "d").nlink, 2);
    assert_int_equal(test_lstat(fs, "/").nlink, 6);
    assert_int_equal(test_node(fs, "f/.."), MEMFS_ROOT);
    assert_int_equal(test_lstat(fs, "f/deep").nlink, 2);
    assert_ok(memfs_rename(fs, NULL, "full", "f/deep", MEMFS_RENAME_EXCHANGE));
    assert_int_equal(test_node(fs, "f/deep"), full);
    test_expect_text(fs, "f/deep/x", "x");
    assert_int_equal(test_node(fs, "f/deep/.."), sub);
    assert_ok(memfs_rename(fs, NULL, "g", "f2", MEMFS_RENAME_EXCHANGE));
    test_expect_text(fs, "g", "f");
    assert_ok(memfs_rename(fs, NULL, "d/sub", "g", MEMFS_RENAME_EXCHANGE)); /* one file under two names */
    assert_int_equal(test_lstat(fs, "g").nlink, 2);
    assert_int_equal(test_lstat(fs, "/").size, 7);
}

/* Where each side has base entries. */
static void test_rename__over_an_image(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    memfs *fs;
    tree(test->fs);
    test_reopen(test, &image);
    fs = test->fs;
    assert_ok(memfs_rename(fs, NULL, "f", "d/sub", MEMFS_RENAME_EXCHANGE));
    assert_int_equal(test_lstat(fs, "f").mode & MEMFS_IFMT, MEMFS_IFDIR);
    test_expect_text(fs, "d/sub", "f");
    assert_ok(memfs_rename(fs, NULL, "f", "empty", 0));
    assert_int_equal(test_lstat(fs, "empty/deep").nlink, 2);
    assert_ok(memfs_rename(fs, NULL, "g", "d/sub", 0));
    test_expect_text(fs, "d/sub", "g");
    test_expect_text(fs, "f2", "f");
    assert_int_equal(test_lstat(fs, "f2").nlink, 1);
    assert_ok(memfs_rename(fs, NULL, "full", "d/sub2", 0));
    test_expect_text(fs, "d/sub2/x", "x");
    assert_int_equal(test_lstat(fs, "d").nlink, 3);
    test_reopen(test, &image);
    test_expect_text(test->fs, "d/sub2/x", "x");
    test_expect_text(test->fs, "d/sub", "g");
    test_end(test, &image);
}

static void test_rename__open_target_lives(void **state)
{
    struct test_state *test = *state;
    memfs_file *file = NULL;
    char text[4];
    tree(test->fs);
    assert_ok(memfs_open(test->fs, NULL, "g", MEMFS_O_READ, 0, &file));
    assert_ok(memfs_rename(test->fs, NULL, "f", "g", 0));
    assert_result(memfs_read(file, text, sizeof text), 1);
    assert_int_equal(text[0], 'g');
    struct memfs_stat stat;
    assert_ok(memfs_node_stat(test->fs, memfs_file_node(file), &stat));
    assert_int_equal(stat.nlink, 0);
    memfs_close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_fs(test_rename__table),
        test_with_fs(test_rename__replaces),
        test_with_fs(test_rename__exchanges),
        test_with_fs(test_rename__over_an_image),
        test_with_fs(test_rename__open_target_lives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
