/* Which operation sets which time of which node. */
#include "testlib.h"

/* The three times of a node before an operation, to say afterwards which moved
 * to the operation's time. */
struct watch {
    memfs *fs;
    struct test_clock *clock;
    struct {
        memfs_node node;
        struct memfs_stat before;
        const char *name;
    } nodes[8];
    size_t count;
};

static void watch(struct watch *watch, const char *name, memfs_node node)
{
    watch->nodes[watch->count].node = node;
    watch->nodes[watch->count].name = name;
    assert_ok(memfs_node_stat(watch->fs, node, &watch->nodes[watch->count].before));
    watch->count++;
}

/* want: for each watched node letters of a, m, c, or -, with spaces between. */
static void expect(struct watch *watch, const char *what, const char *want)
{
    char got[64] = "";
    int64_t now = atomic_load(&watch->clock->now);
    for (size_t i = 0; i < watch->count; i++) {
        struct memfs_stat stat;
        const struct memfs_stat *before = &watch->nodes[i].before;
        assert_ok(memfs_node_stat(watch->fs, watch->nodes[i].node, &stat));
        int a = stat.atime != before->atime, m = stat.mtime != before->mtime, c = stat.ctime != before->ctime;
        assert_true(!a || stat.atime == now);
        assert_true(!m || stat.mtime == now);
        assert_true(!c || stat.ctime == now);
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s%s%s%s", i ? " " : "", a ? "a" : "", m ? "m" : "",
                 c ? "c" : "", a || m || c ? "" : "-");
        watch->nodes[i].before = stat;
    }
    if (strcmp(got, want) != 0)
        print_error("%s\n", what);
    assert_string_equal(got, want);
    atomic_fetch_add(&watch->clock->now, 1);
}

#define EXPECT(operation, want)                                                                                        \
    do {                                                                                                               \
        assert_ok(operation);                                                                                          \
        expect(&seen, #operation, want);                                                                               \
    } while (0)

static void test_time__names(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    struct watch seen = {.fs = fs, .clock = &test->clock};
    memfs_node d = 0, e = 0, f = 0, sub = 0, g = 0;
    assert_ok(memfs_node_mkdir(fs, NULL, MEMFS_ROOT, "d", 0755, &d));
    assert_ok(memfs_node_mkdir(fs, NULL, MEMFS_ROOT, "e", 0755, &e));
    assert_ok(memfs_node_mkdir(fs, NULL, d, "sub", 0755, &sub));
    assert_ok(memfs_node_create(fs, NULL, d, "f", 0644, &f));
    assert_ok(memfs_node_create(fs, NULL, d, "g", 0644, &g));
    atomic_fetch_add(&test->clock.now, 1);
    watch(&seen, "d", d);
    watch(&seen, "e", e);
    watch(&seen, "f", f);
    watch(&seen, "sub", sub);
    watch(&seen, "g", g);
    EXPECT(memfs_mkdir(fs, NULL, "d/x", 0755), "mc - - - -");
    EXPECT(memfs_mknod(fs, NULL, "d/p", MEMFS_IFIFO | 0600, 0, 0), "mc - - - -");
    EXPECT(memfs_symlink(fs, NULL, "t", "e/s"), "- mc - - -");
    EXPECT(memfs_link(fs, NULL, "d/f", "e/f2"), "- mc c - -");
    EXPECT(memfs_unlink(fs, NULL, "d/f"), "mc - c - -");
    EXPECT(memfs_rmdir(fs, NULL, "d/x"), "mc - - - -");
    EXPECT(memfs_rename(fs, NULL, "e/f2", "d/f", 0), "mc mc c - -");
    EXPECT(memfs_rename(fs, NULL, "d/f", "d/f", 0), "- - - - -");
    EXPECT(memfs_rename(fs, NULL, "d/sub", "e/sub", 0), "mc mc - c -");
    EXPECT(memfs_rename(fs, NULL, "e/sub", "e/other", 0), "- mc - c -");
    EXPECT(memfs_rename(fs, NULL, "e/other", "d/f", MEMFS_RENAME_EXCHANGE), "mc mc c c -");
    EXPECT(memfs_rename(fs, NULL, "e/other", "d/g", 0), "mc mc c - c");
    EXPECT(memfs_rmdir(fs, NULL, "d/f"), "mc - - c -");
    assert_result(memfs_unlink(fs, NULL, "d/none"), -ENOENT);
    expect(&seen, "failure", "- - - - -");
    memfs_node_forget(fs, d, 1);
    memfs_node_forget(fs, e, 1);
    memfs_node_forget(fs, f, 1);
    memfs_node_forget(fs, sub, 1);
    memfs_node_forget(fs, g, 1);
}

static int wrote(int64_t result)
{
    return result < 0 ? (int)result : 0;
}

static void test_time__contents_and_attributes(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    struct watch seen = {.fs = fs, .clock = &test->clock};
    char text[8];
    test_put_text(fs, "f", "text");
    test_put_text(fs, "g", "text");
    assert_ok(memfs_symlink(fs, NULL, "f", "s"));
    memfs_node f = test_node(fs, "f"), g = test_node(fs, "g");
    atomic_fetch_add(&test->clock.now, 1);
    watch(&seen, "/", MEMFS_ROOT);
    watch(&seen, "f", f);
    watch(&seen, "g", g);
    EXPECT(wrote(memfs_node_write(fs, f, 0, "x", 1)), "- mc -");
    EXPECT(wrote(memfs_node_write(fs, f, MEMFS_APPEND, "x", 1)), "- mc -");
    EXPECT(wrote(memfs_node_write(fs, f, 0, "", 0)), "- - -");
    EXPECT(wrote(memfs_node_read(fs, f, 0, text, 8)), "- - -");
    EXPECT(memfs_truncate(fs, NULL, "f", 3), "- mc -");
    EXPECT(memfs_truncate(fs, NULL, "s", 2), "- mc -");
    EXPECT(wrote(memfs_node_copy(fs, f, 0, g, 0, 2)), "- - mc");
    EXPECT(wrote(memfs_node_copy(fs, f, 5, g, 0, 2)), "- - -");
    EXPECT(memfs_setxattr(fs, NULL, "f", 1, "user.a", "v", 1, 0), "- c -");
    EXPECT(memfs_removexattr(fs, NULL, "f", 1, "user.a"), "- c -");
    struct memfs_setattr set = {.set = MEMFS_SET_MODE, .mode = 0600};
    EXPECT(memfs_setattr(fs, NULL, "f", 1, &set), "- c -");
    set = (struct memfs_setattr){.set = MEMFS_SET_UID | MEMFS_SET_GID, .uid = 5, .gid = 5};
    EXPECT(memfs_setattr(fs, NULL, "f", 1, &set), "- c -");
    set = (struct memfs_setattr){.set = MEMFS_SET_ATIME_NOW};
    EXPECT(memfs_setattr(fs, NULL, "f", 1, &set), "- ac -");
    set = (struct memfs_setattr){.set = MEMFS_SET_MTIME_NOW | MEMFS_SET_ATIME_NOW};
    EXPECT(memfs_setattr(fs, NULL, "f", 1, &set), "- amc -");
    memfs_file *file = NULL;
    EXPECT(memfs_open(fs, NULL, "f", MEMFS_O_RDWR | MEMFS_O_TRUNC, 0, &file), "- mc -");
    EXPECT(memfs_ftruncate(file, 100), "- mc -");
    memfs_close(file);
    expect(&seen, "close", "- - -");
    EXPECT(memfs_node_punch(fs, f, 0, 50), "- mc -");
    EXPECT(memfs_node_allocate(fs, f, 0, 5000, 0), "- mc -");
}

/* What is new has one time for all, which its directory gets too. */
static void test_time__of_new_nodes(void **state)
{
    struct test_state *test = *state;
    atomic_store(&test->clock.now, 5000);
    assert_ok(memfs_mkdir(test->fs, NULL, "d", 0755));
    struct memfs_stat stat = test_lstat(test->fs, "d");
    assert_int_equal(stat.atime, 5000);
    assert_int_equal(stat.mtime, 5000);
    assert_int_equal(stat.ctime, 5000);
    assert_int_equal(test_lstat(test->fs, "/").mtime, 5000);
}

static void test_time__without_a_clock(void **state)
{
    (void)state;
    memfs *fs = NULL;
    assert_ok(memfs_create(NULL, &fs));
    test_put_text(fs, "f", "text");
    assert_int_equal(test_lstat(fs, "f").mtime, 0);
    assert_int_equal(test_lstat(fs, "f").ctime, 0);
    memfs_destroy(fs);
}

/* The coarse clock follows the other one, never runs ahead of it, and moves. */
static void test_time__clocks(void **state)
{
    (void)state;
    const int64_t second = 1000000000, before = memfs_clock_realtime(NULL), coarse = memfs_clock_coarse(NULL);
    assert_true(before > 1600000000 * second);
    assert_true(coarse > before - second);
    assert_true(coarse <= memfs_clock_realtime(NULL));
    while (memfs_clock_coarse(NULL) <= coarse)
        assert_true(memfs_clock_realtime(NULL) - before < 60 * second);
}

/* The ends of what 64 bits hold pass through images. */
static void test_time__extremes(void **state)
{
    struct test_state *test = *state;
    static const int64_t times[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, 4398046511104000000, INT64_MAX};
    struct test_buffer image = {0};
    char path[8];
    for (size_t i = 0; i < 7; i++) {
        struct memfs_setattr set = {.set = MEMFS_SET_MTIME | MEMFS_SET_ATIME, .mtime = times[i], .atime = times[6 - i]};
        snprintf(path, sizeof path, "f%zu", i);
        test_put_text(test->fs, path, "");
        assert_ok(memfs_setattr(test->fs, NULL, path, 1, &set));
        assert_int_equal(test_lstat(test->fs, path).atime, times[6 - i]);
    }
    test_reopen(test, &image);
    for (size_t i = 0; i < 7; i++) {
        snprintf(path, sizeof path, "f%zu", i);
        struct memfs_stat stat = test_lstat(test->fs, path);
        assert_int_equal(stat.mtime, times[i]);
        assert_int_equal(stat.ctime, times[i]);
        assert_int_equal(stat.atime, times[i]);
    }
    test_end(test, &image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_fs(test_time__names),        test_with_fs(test_time__contents_and_attributes),
        test_with_fs(test_time__of_new_nodes), cmocka_unit_test(test_time__without_a_clock),
        cmocka_unit_test(test_time__clocks),   test_with_fs(test_time__extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
