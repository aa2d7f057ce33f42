/*
 * Walks over attributes: what they show is what listing and asking for each name show, and what comes behind the
 * last name if the set is another by then.
 */
#include "testlib.h"
#include "xattr_walk.h"

#include <errno.h>
#include <stdlib.h>

#define MANY 4000

static char list[MEMFS_XATTR_LIST_MAX], value[MEMFS_XATTR_MAX], other[MEMFS_XATTR_MAX];

static void set(memfs *fs, const char *name, const char *text)
{
    assert_ok(memfs_setxattr(fs, NULL, "f", 1, name, text, strlen(text), 0));
}

/* Names of all kinds, values of all lengths: some twice, some none, one as long as can be. */
static void build(memfs *fs)
{
    static const char *const spaces[] = {"user.", "trusted.", "security.", "", "\xff"};
    struct test_random random = {.state = 5};
    uint8_t *bytes = test_random_bytes(6, MEMFS_XATTR_MAX);
    char name[MEMFS_NAME_MAX + 1];
    test_put_text(fs, "f", "");
    memset(name, 'n', MEMFS_NAME_MAX);
    name[MEMFS_NAME_MAX] = '\0';
    assert_ok(memfs_setxattr(fs, NULL, "f", 1, name, bytes, MEMFS_XATTR_MAX, 0));
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "%s%x", spaces[i % 5], i);
        const size_t at = test_random_below(&random, 2) * 100;
        assert_ok(memfs_setxattr(fs, NULL, "f", 1, name, bytes + at, test_random_below(&random, 30), 0));
    }
    free(bytes);
}

static void compare(memfs *fs)
{
    const memfs_node node = test_node(fs, "f");
    const int64_t length = memfs_node_listxattr(fs, NULL, node, list, sizeof list);
    struct memfs_xattr_walk walk;
    memfs_xattr_walk_begin(&walk, fs, node);
    int count = 0;
    for (const char *name = list; name < list + length; name += strlen(name) + 1, count++) {
        assert_result(memfs_xattr_walk_next(&walk), 1);
        assert_string_equal(walk.name, name);
        assert_int_equal(walk.name_length, strlen(name));
        const int64_t size = memfs_node_getxattr(fs, NULL, node, name, other, sizeof other);
        assert_result(memfs_xattr_walk_value(&walk, value), size);
        assert_memory_equal(value, other, (size_t)size);
    }
    assert_int_equal(count, MANY + 1);
    assert_result(memfs_xattr_walk_next(&walk), 0);
    assert_result(memfs_xattr_walk_next(&walk), 0);
}

static void test_xattr_walk__all(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    build(test->fs);
    compare(test->fs);
    test_reopen(test, &image);
    compare(test->fs);
    test_end(test, &image);
}

static void expect(struct memfs_xattr_walk *walk, const char *name, const char *text)
{
    assert_result(memfs_xattr_walk_next(walk), 1);
    assert_string_equal(walk->name, name);
    assert_result(memfs_xattr_walk_value(walk, value), strlen(text));
    assert_memory_equal(value, text, strlen(text));
}

static void test_xattr_walk__changed_meanwhile(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    struct memfs_xattr_walk walk;
    test_put_text(fs, "f", "");
    for (char name[] = "b"; name[0] < 'h'; name[0]++)
        set(fs, name, name);
    const memfs_node node = test_node(fs, "f");
    memfs_xattr_walk_begin(&walk, fs, node);
    expect(&walk, "b", "b");
    set(fs, "a", "before"); /* behind that only */
    set(fs, "bb", "between");
    expect(&walk, "bb", "between");
    assert_ok(memfs_removexattr(fs, NULL, "f", 1, "bb"));
    assert_result(memfs_xattr_walk_value(&walk, value), -ENODATA);
    assert_ok(memfs_removexattr(fs, NULL, "f", 1, "c"));
    expect(&walk, "d", "d");
    set(fs, "d", "another");
    assert_result(memfs_xattr_walk_value(&walk, value), 7);
    set(fs, "e", "another");
    expect(&walk, "e", "another");
    test_put_text(fs, "g", ""); /* it has nothing to do with it */
    expect(&walk, "f", "f");
    for (char name[] = "d"; name[0] < 'h'; name[0]++)
        assert_ok(memfs_removexattr(fs, NULL, "f", 1, name));
    assert_result(memfs_xattr_walk_next(&walk), 0);
    set(fs, "z", "");
    expect(&walk, "z", "");
    assert_result(memfs_xattr_walk_next(&walk), 0);
}

/* One that is not there any more, and one that is not readable just now. */
static void test_xattr_walk__fails(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    struct memfs_xattr_walk walk;
    unsigned met = 0;
    test_put_text(test->fs, "f", "");
    set(test->fs, "a", "1");
    set(test->fs, "b", "2");
    memfs_xattr_walk_begin(&walk, test->fs, UINT64_MAX);
    assert_result(memfs_xattr_walk_next(&walk), -ESTALE);
    test_freeze(test->fs, &image);
    for (uint64_t nth = 1, failed = 1; failed; nth++) {
        struct test_fault fault = {.fail_at = nth};
        memfs *fs = test_thaw_fault(test, &image, &fault);
        struct memfs_stat stat;
        failed = 0;
        if (!memfs_stat(fs, NULL, "f", &stat)) {
            memfs_xattr_walk_begin(&walk, fs, stat.node);
            int more = memfs_xattr_walk_next(&walk);
            if (more == -EIO) { /* which has left it where it was */
                more = memfs_xattr_walk_next(&walk);
                met++;
            }
            assert_result(more, 1);
            assert_string_equal(walk.name, "a");
            expect(&walk, "b", "2");
            failed = fault.failures;
        } else {
            failed = 1;
        }
        memfs_destroy(fs);
    }
    assert_true(met > 0);
    test_buffer_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_fs(test_xattr_walk__all),
        test_with_fs(test_xattr_walk__changed_meanwhile),
        test_with_fs(test_xattr_walk__fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
