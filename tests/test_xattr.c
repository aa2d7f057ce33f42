/* Extended attributes: setting, sizes, errors, order, images. */
#include "testlib.h"

static void test_xattr__set_get_remove(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    char value[16], names[64];
    test_put_text(fs, "f", "text");
    memfs_node node = test_node(fs, "f");
    assert_result(memfs_node_getxattr(fs, NULL, node, "user.a", value, sizeof value), -ENODATA);
    assert_result(memfs_node_listxattr(fs, NULL, node, names, sizeof names), 0);
    assert_ok(memfs_node_setxattr(fs, NULL, node, "user.b", "bb", 2, 0));
    assert_ok(memfs_node_setxattr(fs, NULL, node, "user.a", "aaa", 3, MEMFS_XATTR_CREATE));
    assert_result(memfs_node_setxattr(fs, NULL, node, "user.a", "x", 1, MEMFS_XATTR_CREATE), -EEXIST);
    assert_result(memfs_node_setxattr(fs, NULL, node, "user.c", "x", 1, MEMFS_XATTR_REPLACE), -ENODATA);
    assert_result(memfs_node_setxattr(fs, NULL, node, "user.c", "x", 1, 4), -EINVAL);
    assert_result(memfs_node_getxattr(fs, NULL, node, "user.a", value, sizeof value), 3);
    assert_memory_equal(value, "aaa", 3);
    assert_result(memfs_node_getxattr(fs, NULL, node, "user.a", NULL, 0), 3);
    assert_result(memfs_node_getxattr(fs, NULL, node, "user.a", value, 2), -ERANGE);
    assert_result(memfs_node_getxattr(fs, NULL, node, "user.a", value, 3), 3);
    assert_result(memfs_node_listxattr(fs, NULL, node, names, sizeof names), 14);
    assert_memory_equal(names, "user.a\0user.b", 14);
    assert_result(memfs_node_listxattr(fs, NULL, node, NULL, 0), 14);
    assert_result(memfs_node_listxattr(fs, NULL, node, names, 13), -ERANGE);
    assert_ok(memfs_node_setxattr(fs, NULL, node, "user.a", "", 0, MEMFS_XATTR_REPLACE));
    assert_result(memfs_node_getxattr(fs, NULL, node, "user.a", value, sizeof value), 0);
    assert_ok(memfs_node_removexattr(fs, NULL, node, "user.a"));
    assert_result(memfs_node_removexattr(fs, NULL, node, "user.a"), -ENODATA);
    assert_result(memfs_node_listxattr(fs, NULL, node, names, sizeof names), 7);
    assert_ok(memfs_node_removexattr(fs, NULL, node, "user.b"));
    assert_result(memfs_node_listxattr(fs, NULL, node, names, sizeof names), 0);
}

static void test_xattr__by_path(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    char value[16];
    test_put_text(fs, "f", "text");
    assert_ok(memfs_symlink(fs, NULL, "f", "s"));
    assert_ok(memfs_setxattr(fs, NULL, "s", 1, "user.a", "f", 1, 0));
    assert_ok(memfs_setxattr(fs, NULL, "s", 0, "trusted.a", "s", 1, 0));
    assert_result(memfs_getxattr(fs, NULL, "f", 0, "user.a", value, sizeof value), 1);
    assert_result(memfs_getxattr(fs, NULL, "f", 0, "trusted.a", value, sizeof value), -ENODATA);
    assert_result(memfs_getxattr(fs, NULL, "s", 0, "trusted.a", value, sizeof value), 1);
    assert_int_equal(value[0], 's');
    assert_result(memfs_listxattr(fs, NULL, "s", 1, value, sizeof value), 7);
    assert_result(memfs_removexattr(fs, NULL, "s", 1, "trusted.a"), -ENODATA);
    assert_ok(memfs_removexattr(fs, NULL, "s", 0, "trusted.a"));
    assert_result(memfs_setxattr(fs, NULL, "none", 1, "user.a", "", 0, 0), -ENOENT);
}

static void test_xattr__limits(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    static char value[MEMFS_XATTR_MAX + 1], got[MEMFS_XATTR_MAX];
    struct test_random random = {.state = 1};
    struct test_buffer image = {0};
    test_random_fill(&random, value, sizeof value);
    test_put_text(fs, "f", "text");
    assert_result(memfs_setxattr(fs, NULL, "f", 1, "user.big", value, MEMFS_XATTR_MAX + 1, 0), -E2BIG);
    assert_ok(memfs_setxattr(fs, NULL, "f", 1, "user.big", value, MEMFS_XATTR_MAX, 0));
    char name[300] = "user.";
    memset(name + 5, 'n', sizeof name - 5);
    name[256] = 0;
    assert_result(memfs_setxattr(fs, NULL, "f", 1, name, "", 0, 0), -ERANGE);
    name[255] = 0;
    assert_ok(memfs_setxattr(fs, NULL, "f", 1, name, "long", 4, 0));
    assert_result(memfs_setxattr(fs, NULL, "f", 1, "", "", 0, 0), -ERANGE);
    test_reopen(test, &image);
    fs = test->fs;
    assert_result(memfs_getxattr(fs, NULL, "f", 1, "user.big", got, sizeof got), sizeof got);
    assert_memory_equal(got, value, sizeof got);
    assert_result(memfs_getxattr(fs, NULL, "f", 1, name, got, sizeof got), 4);
    int error = 0;
    unsigned count = 0;
    for (; !error && count < 1000; count += !error) {
        snprintf(name, 255, "user.%0200u", count);
        error = memfs_setxattr(fs, NULL, "f", 1, name, "v", 1, 0);
    }
    assert_result(error, -ENOSPC);
    assert_in_range(count, 300, 330);
    int64_t length = memfs_listxattr(fs, NULL, "f", 1, got, sizeof got);
    assert_in_range(length, 60000, MEMFS_XATTR_LIST_MAX);
    for (int64_t at = 0; at < length;) {
        int64_t next = at + (int64_t)strlen(got + at) + 1;
        assert_true(next >= length || strcmp(got + at, got + next) < 0);
        at = next;
    }
    test_end(test, &image);
}

/* Sets in an image are shared; changing one node's leaves the others. */
static void test_xattr__sharing(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    char path[16], value[16];
    for (int i = 0; i < 100; i++) {
        snprintf(path, sizeof path, "f%d", i);
        test_put_text(test->fs, path, "");
        assert_ok(memfs_setxattr(test->fs, NULL, path, 1, "user.b", "same", 4, 0));
        assert_ok(memfs_setxattr(test->fs, NULL, path, 1, "user.a", "same", 4, 0));
    }
    test_reopen(test, &image);
    assert_ok(memfs_setxattr(test->fs, NULL, "f7", 1, "user.b", "other", 5, 0));
    assert_ok(memfs_removexattr(test->fs, NULL, "f8", 1, "user.a"));
    for (int i = 0; i < 100; i++) {
        snprintf(path, sizeof path, "f%d", i);
        assert_result(memfs_getxattr(test->fs, NULL, path, 1, "user.b", value, sizeof value), i == 7 ? 5 : 4);
        assert_result(memfs_listxattr(test->fs, NULL, path, 1, value, sizeof value), i == 8 ? 7 : 14);
    }
    memfs_destroy(test->fs);
    test->fs = test_thaw(test, &image, 0);
    char *dump = test_dump(test->fs, 0);
    assert_non_null(strstr(dump, "/f7 "));
    free(dump);
    test_end(test, &image);
}

static void test_xattr__credentials(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    struct memfs_cred owner = {.size = sizeof owner, .uid = 5, .gid = 5},
                      other = {.size = sizeof other, .uid = 6, .gid = 6}, root = {.size = sizeof root};
    struct memfs_setattr set = {.set = MEMFS_SET_UID | MEMFS_SET_MODE, .uid = 5, .mode = 0644};
    char value[16];
    test_put_text(fs, "f", "");
    assert_ok(memfs_setattr(fs, NULL, "f", 1, &set));
    assert_ok(memfs_setxattr(fs, &owner, "f", 1, "user.a", "v", 1, 0));
    assert_result(memfs_setxattr(fs, &other, "f", 1, "user.a", "v", 1, 0), -EACCES);
    assert_result(memfs_removexattr(fs, &other, "f", 1, "user.a"), -EACCES);
    assert_result(memfs_getxattr(fs, &other, "f", 1, "user.a", value, sizeof value), 1);
    set.mode = 0600;
    assert_ok(memfs_setattr(fs, NULL, "f", 1, &set));
    assert_result(memfs_getxattr(fs, &other, "f", 1, "user.a", value, sizeof value), -EACCES);
    assert_result(memfs_setxattr(fs, &owner, "f", 1, "trusted.a", "v", 1, 0), -EPERM);
    assert_ok(memfs_setxattr(fs, &root, "f", 1, "trusted.a", "v", 1, 0));
    assert_either(memfs_getxattr(fs, &owner, "f", 1, "trusted.a", value, sizeof value), -ENODATA, -EPERM);
    assert_result(memfs_listxattr(fs, &owner, "f", 1, value, sizeof value), 7);
    assert_result(memfs_setxattr(fs, &owner, "f", 1, "security.a", "v", 1, 0), -EPERM);
    assert_result(memfs_setxattr(fs, &root, "f", 1, "nothing", "v", 1, 0), -EOPNOTSUPP);
    assert_ok(memfs_symlink(fs, NULL, "f", "s"));
    assert_result(memfs_setxattr(fs, &root, "s", 0, "user.a", "v", 1, 0), -EPERM);
}

/* user. is for files and directories; a sticky directory's are its owner's. */
static void test_xattr__where_user_names_may_be(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    struct memfs_cred root = {.size = sizeof root}, owner = {.size = sizeof owner, .uid = 1, .gid = 1},
                      other = {.size = sizeof other, .uid = 2, .gid = 2};
    struct memfs_setattr set = {.set = MEMFS_SET_UID, .uid = 1};
    char value[16];
    assert_ok(memfs_mknod(fs, NULL, "fifo", MEMFS_IFIFO | 0666, 0, 0));
    assert_result(memfs_setxattr(fs, &root, "fifo", 1, "user.a", "v", 1, 0), -EPERM);
    assert_result(memfs_getxattr(fs, &root, "fifo", 1, "user.a", value, sizeof value), -ENODATA);
    assert_ok(memfs_mkdir(fs, NULL, "shared", 01777));
    assert_ok(memfs_setattr(fs, NULL, "shared", 1, &set));
    assert_result(memfs_setxattr(fs, &other, "shared", 1, "user.a", "v", 1, 0), -EPERM);
    assert_ok(memfs_setxattr(fs, &owner, "shared", 1, "user.a", "v", 1, 0));
    assert_ok(memfs_setxattr(fs, &root, "shared", 1, "user.b", "v", 1, 0));
    assert_result(memfs_getxattr(fs, &other, "shared", 1, "user.a", value, sizeof value), 1);
    assert_ok(memfs_mkdir(fs, NULL, "open", 0777));
    assert_ok(memfs_setxattr(fs, &other, "open", 1, "user.a", "v", 1, 0));
}

static void test_xattr__other_namespaces(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    struct memfs_cred root = {.size = sizeof root}, other = {.size = sizeof other, .uid = 2, .gid = 2};
    char value[16];
    assert_ok(memfs_mknod(fs, NULL, "f", MEMFS_IFREG | 0600, 0, 0));
    assert_ok(memfs_symlink(fs, NULL, "f", "s"));
    assert_result(memfs_setxattr(fs, &root, "f", 1, "system.a", "v", 1, 0), -EOPNOTSUPP);
    assert_result(memfs_getxattr(fs, &other, "f", 1, "system.a", value, sizeof value), -EOPNOTSUPP);
    assert_result(memfs_getxattr(fs, &other, "f", 1, "a", value, sizeof value), -EACCES);
    assert_ok(memfs_setxattr(fs, &root, "f", 1, "security.a", "v", 1, 0));
    assert_result(memfs_getxattr(fs, &other, "f", 1, "security.a", value, sizeof value), 1);
    assert_result(memfs_setxattr(fs, &root, "f", 1, "user.", "v", 1, 0), -EINVAL);
    assert_result(memfs_setxattr(fs, NULL, "f", 1, "user.a", NULL, 1, 0), -EINVAL);
    assert_ok(memfs_setxattr(fs, NULL, "f", 1, "user.a", NULL, 0, 0));
    assert_result(memfs_getxattr(fs, NULL, "f", 1, "user.a", value, sizeof value), 0);
    assert_result(memfs_getxattr(fs, &root, "s", 0, "system.posix_acl_access", value, sizeof value), -EOPNOTSUPP);
    assert_result(memfs_listxattr(fs, NULL, "none", 1, value, sizeof value), -ENOENT);
    assert_result(memfs_removexattr(fs, NULL, "none", 1, "user.a"), -ENOENT);
    assert_result(memfs_getxattr(fs, NULL, "f", 1, "", value, sizeof value), -ERANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_fs(test_xattr__set_get_remove),   test_with_fs(test_xattr__by_path),
        test_with_fs(test_xattr__limits),           test_with_fs(test_xattr__sharing),
        test_with_fs(test_xattr__credentials),      test_with_fs(test_xattr__where_user_names_may_be),
        test_with_fs(test_xattr__other_namespaces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
