/* Directories: looking up, inserting, removing, reading with cursors. */
#include "testlib.h"

static void test_dir__names(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    char long_name[300];
    memset(long_name, 'n', sizeof long_name);
    long_name[256] = 0;
    assert_result(memfs_node_mkdir(fs, NULL, MEMFS_ROOT, long_name, 0755, NULL), -ENAMETOOLONG);
    assert_result(memfs_node_lookup(fs, NULL, MEMFS_ROOT, long_name, NULL), -ENAMETOOLONG);
    long_name[255] = 0;
    assert_ok(memfs_node_mkdir(fs, NULL, MEMFS_ROOT, long_name, 0755, NULL));
    assert_ok(memfs_node_lookup(fs, NULL, MEMFS_ROOT, long_name, NULL));
    static const char *const bad[] = {".", "..", "a/b", "/"};
    for (size_t i = 0; i < 4; i++) {
        assert_result(memfs_node_mkdir(fs, NULL, MEMFS_ROOT, bad[i], 0755, NULL), -EINVAL);
        assert_result(memfs_node_create(fs, NULL, MEMFS_ROOT, bad[i], 0755, NULL), -EINVAL);
        assert_result(memfs_node_symlink(fs, NULL, MEMFS_ROOT, bad[i], "t", NULL), -EINVAL);
        assert_result(memfs_node_lookup(fs, NULL, MEMFS_ROOT, bad[i], NULL), -EINVAL);
        assert_result(memfs_node_unlink(fs, NULL, MEMFS_ROOT, bad[i]), -EINVAL);
        assert_result(memfs_node_rmdir(fs, NULL, MEMFS_ROOT, bad[i]), -EINVAL);
    }
    assert_result(memfs_node_mkdir(fs, NULL, MEMFS_ROOT, "", 0755, NULL), -ENOENT);
    assert_result(memfs_node_lookup(fs, NULL, MEMFS_ROOT, "", NULL), -ENOENT);
    for (int byte = 1; byte < 256; byte++) {
        char name[3] = {'x', (char)byte, 0};
        if (byte != '/')
            assert_ok(memfs_node_create(fs, NULL, MEMFS_ROOT, name, 0644, NULL));
    }
    assert_int_equal(test_lstat(fs, "/").size, 255);
    assert_ok(memfs_node_lookup(fs, NULL, MEMFS_ROOT, "x\xfe", NULL));
}

static void test_dir__errors(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    test_put_text(fs, "f", "text");
    assert_ok(memfs_mkdir(fs, NULL, "d", 0755));
    assert_ok(memfs_mkdir(fs, NULL, "d/sub", 0755));
    memfs_node file = test_node(fs, "f"), dir = test_node(fs, "d");
    assert_result(memfs_node_lookup(fs, NULL, file, "x", NULL), -ENOTDIR);
    assert_result(memfs_node_mkdir(fs, NULL, file, "x", 0755, NULL), -ENOTDIR);
    assert_result(memfs_node_readdir(fs, NULL, file, 0, &(struct memfs_dirent){0}, 1, 0), -ENOTDIR);
    assert_result(memfs_node_mkdir(fs, NULL, MEMFS_ROOT, "f", 0755, NULL), -EEXIST);
    assert_result(memfs_node_create(fs, NULL, MEMFS_ROOT, "d", 0755, NULL), -EEXIST);
    assert_result(memfs_node_unlink(fs, NULL, MEMFS_ROOT, "d"), -EISDIR);
    assert_result(memfs_node_rmdir(fs, NULL, MEMFS_ROOT, "f"), -ENOTDIR);
    assert_result(memfs_node_rmdir(fs, NULL, MEMFS_ROOT, "d"), -ENOTEMPTY);
    assert_result(memfs_node_rmdir(fs, NULL, MEMFS_ROOT, "none"), -ENOENT);
    assert_result(memfs_node_unlink(fs, NULL, MEMFS_ROOT, "none"), -ENOENT);
    assert_result(memfs_node_mknod(fs, NULL, MEMFS_ROOT, "x", MEMFS_IFLNK | 0644, 0, 0, NULL), -EINVAL);
    assert_either(memfs_node_mknod(fs, NULL, MEMFS_ROOT, "x", MEMFS_IFDIR | 0644, 0, 0, NULL), -EINVAL, -EPERM);
    assert_result(memfs_node_mknod(fs, NULL, MEMFS_ROOT, "x", 0170000 | 0644, 0, 0, NULL), -EINVAL);
    assert_int_equal(test_lstat(fs, "d").nlink, 3);
    assert_int_equal(test_lstat(fs, "/").nlink, 3);
    assert_ok(memfs_node_rmdir(fs, NULL, dir, "sub"));
    assert_int_equal(test_lstat(fs, "d").nlink, 2);
}

static void test_dir__removed_while_held(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    memfs_node dir = 0, up = 0;
    struct memfs_stat stat;
    struct memfs_dirent entry;
    assert_ok(memfs_node_mkdir(fs, NULL, MEMFS_ROOT, "d", 0755, &dir));
    test_put_text(fs, "f", "text");
    assert_ok(memfs_node_parent(fs, dir, &up));
    assert_int_equal(up, MEMFS_ROOT);
    memfs_node_forget(fs, up, 1);
    assert_ok(memfs_rmdir(fs, NULL, "d"));
    assert_ok(memfs_node_stat(fs, dir, &stat));
    assert_int_equal(stat.nlink, 0);
    assert_result(memfs_node_mkdir(fs, NULL, dir, "x", 0755, NULL), -ENOENT);
    assert_result(memfs_node_create(fs, NULL, dir, "x", 0755, NULL), -ENOENT);
    assert_result(memfs_node_symlink(fs, NULL, dir, "x", "t", NULL), -ENOENT);
    assert_result(memfs_node_link(fs, NULL, test_node(fs, "f"), dir, "x"), -ENOENT);
    assert_result(memfs_node_rename(fs, NULL, MEMFS_ROOT, "f", dir, "x", 0), -ENOENT);
    assert_result(memfs_node_tmpfile(fs, NULL, dir, 0644, &up), -ENOENT);
    assert_result(memfs_node_lookup(fs, NULL, dir, "x", NULL), -ENOENT);
    assert_result(memfs_node_readdir(fs, NULL, dir, 0, &entry, 1, 1), 0);
    memfs_node_forget(fs, dir, 1);
    assert_result(memfs_node_stat(fs, dir, &stat), -ESTALE);
}

static void test_dir__order_of_insertion(void **state)
{
    struct test_state *test = *state;
    static const char *const names[] = {"z", "a", "m", "b"};
    for (size_t i = 0; i < 4; i++)
        test_put_text(test->fs, names[i], names[i]);
    test_expect_names(test->fs, "/", "z a m b ");
    assert_ok(memfs_unlink(test->fs, NULL, "a"));
    test_expect_names(test->fs, "/", "z m b ");
    test_put_text(test->fs, "a", "again");
    test_expect_names(test->fs, "/", "z m b a ");
}

/* Base entries in order of their names, then insertions in theirs. */
static void test_dir__over_an_image(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    static const char *const names[] = {"z", "a", "m", "b", "dir", "zz"};
    for (size_t i = 0; i < 6; i++)
        if (i == 4)
            assert_ok(memfs_mkdir(test->fs, NULL, names[i], 0755));
        else
            test_put_text(test->fs, names[i], names[i]);
    test_reopen(test, &image);
    memfs *fs = test->fs;
    test_expect_names(fs, "/", "a b dir m z zz ");
    test_put_text(fs, "y", "new");
    test_put_text(fs, "c", "new");
    assert_ok(memfs_unlink(fs, NULL, "m"));
    test_expect_names(fs, "/", "a b dir z zz y c ");
    assert_result(memfs_unlink(fs, NULL, "m"), -ENOENT);
    assert_result(memfs_mkdir(fs, NULL, "z", 0755), -EEXIST);
    assert_result(memfs_node_lookup(fs, NULL, MEMFS_ROOT, "m", NULL), -ENOENT);
    assert_int_equal(test_lstat(fs, "/").size, 7);
    test_put_text(fs, "m", "again");
    test_expect_text(fs, "m", "again");
    test_expect_text(fs, "a", "a");
    assert_ok(memfs_rmdir(fs, NULL, "dir"));
    assert_int_equal(test_lstat(fs, "/").nlink, 2);
    for (size_t i = 0; i < 6; i++)
        if (i != 4)
            assert_ok(memfs_unlink(fs, NULL, names[i]));
    test_expect_names(fs, "/", "y c ");
    test_end(test, &image);
}

static void many(memfs *fs, const char *dir, unsigned first, unsigned count)
{
    char name[32];
    memfs_node node = test_node(fs, dir);
    for (unsigned i = first; i < first + count; i++) {
        snprintf(name, sizeof name, "name%06u", i);
        assert_ok(memfs_node_create(fs, NULL, node, name, 0644, NULL));
    }
}

static void test_dir__hundred_thousand(void **state)
{
    struct test_state *test = *state;
    enum { COUNT = 100000 };
    char name[32];
    memfs_node node = 0;
    assert_ok(memfs_mkdir(test->fs, NULL, "d", 0755));
    many(test->fs, "d", 0, COUNT);
    memfs_node dir = test_node(test->fs, "d");
    assert_int_equal(test_lstat(test->fs, "d").size, COUNT);
    for (unsigned i = 0; i < COUNT; i += 7) {
        snprintf(name, sizeof name, "name%06u", i);
        assert_ok(memfs_node_lookup(test->fs, NULL, dir, name, &node));
        memfs_node_forget(test->fs, node, 1);
    }
    for (unsigned i = 0; i < COUNT; i += 2) {
        snprintf(name, sizeof name, "name%06u", i);
        assert_ok(memfs_node_unlink(test->fs, NULL, dir, name));
    }
    struct test_buffer image = {0};
    for (int round = 0; round < 2; round++) {
        dir = test_node(test->fs, "d");
        assert_int_equal(test_lstat(test->fs, "d").size, COUNT / 2);
        for (unsigned i = 0; i < COUNT; i++) {
            snprintf(name, sizeof name, "name%06u", i);
            assert_result(memfs_node_lookup(test->fs, NULL, dir, name, NULL), i % 2 ? 0 : -ENOENT);
        }
        if (round == 0)
            test_reopen(test, &image);
    }
    struct memfs_dirent *entries = calloc(1000, sizeof *entries);
    uint64_t cursor = 0;
    int64_t got, total = 0;
    while ((got = memfs_node_readdir(test->fs, NULL, dir, cursor, entries, 1000, 0)) > 0) {
        for (int64_t i = 0; i < got; i++, total++) {
            snprintf(name, sizeof name, "name%06u", (unsigned)(2 * total + 1));
            assert_string_equal(entries[i].name, name);
            assert_int_equal(entries[i].name_length, 10);
            assert_int_equal(entries[i].stat.mode & MEMFS_IFMT, MEMFS_IFREG);
            assert_true(entries[i].cursor < UINT64_C(1) << 63);
        }
        cursor = entries[got - 1].cursor;
    }
    assert_int_equal(got, 0);
    assert_int_equal(total, COUNT / 2);
    free(entries);
    test_end(test, &image);
}

/* An entry that is there all the time comes exactly once, whatever else goes
 * and comes while a cursor moves. */
static void cursors(struct test_state *test, unsigned stable)
{
    memfs_node dir = test_node(test->fs, "d");
    struct test_random random = {.state = 5};
    uint8_t *seen = calloc(stable, 1);
    struct memfs_dirent entry;
    uint64_t cursor = 0;
    int64_t got;
    char name[32];
    static unsigned made; /* names of all rounds differ */
    unsigned most = made + 500;
    while ((got = memfs_node_readdir(test->fs, NULL, dir, cursor, &entry, 1, 0)) > 0) {
        cursor = entry.cursor;
        unsigned number = (unsigned)strtoul(entry.name + 4, NULL, 10);
        if (strncmp(entry.name, "name", 4) == 0 && number % 2) {
            assert_int_equal(seen[number], 0);
            seen[number] = 1;
        }
        snprintf(name, sizeof name, "name%06u", (unsigned)test_random_below(&random, stable) & ~1u);
        int error = memfs_node_unlink(test->fs, NULL, dir, name);
        assert_true(error == 0 || error == -ENOENT);
        if (made < most && test_random_below(&random, 2)) {
            snprintf(name, sizeof name, "other%u", made++);
            assert_ok(memfs_node_create(test->fs, NULL, dir, name, 0644, NULL));
        }
    }
    assert_result(got, 0);
    for (unsigned i = 1; i < stable; i += 2)
        assert_int_equal(seen[i], 1);
    free(seen);
}

static void test_dir__cursors_survive(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    assert_ok(memfs_mkdir(test->fs, NULL, "d", 0755));
    many(test->fs, "d", 0, 1000);
    cursors(test, 1000);
    many(test->fs, "d", 1000, 2000);
    test_reopen(test, &image);
    many(test->fs, "d", 3000, 1000);
    cursors(test, 4000);
    memfs_backing *sealed = NULL;
    assert_ok(memfs_seal(test->fs, &sealed));
    test->fs = test_create(test, sealed);
    memfs_backing_release(sealed);
    many(test->fs, "d", 4000, 1000);
    for (unsigned i = 0; i < 1000; i += 3) {
        char name[32];
        snprintf(name, sizeof name, "d/other%u", i);
        int error = memfs_unlink(test->fs, NULL, name);
        assert_true(error == 0 || error == -ENOENT);
    }
    cursors(test, 5000);
    test_end(test, &image);
}

/* Each cursor is a place to come back to. */
static void test_dir__cursors_go_back(void **state)
{
    struct test_state *test = *state;
    many(test->fs, "/", 0, 100);
    struct memfs_dirent entries[100], again[100];
    assert_result(memfs_node_readdir(test->fs, NULL, MEMFS_ROOT, 0, entries, 100, 1), 100);
    assert_result(memfs_node_readdir(test->fs, NULL, MEMFS_ROOT, entries[99].cursor, again, 100, 1), 0);
    assert_result(memfs_node_readdir(test->fs, NULL, MEMFS_ROOT, 0, again, 0, 1), 0);
    for (int i = 0; i < 99; i++) {
        assert_result(memfs_node_readdir(test->fs, NULL, MEMFS_ROOT, entries[i].cursor, again, 100, 1), 99 - i);
        assert_string_equal(again[0].name, entries[i + 1].name);
        assert_int_equal(again[0].stat.node, entries[i + 1].stat.node);
    }
}

static void test_dir__first_insertion_is_small(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    assert_ok(memfs_mkdir(test->fs, NULL, "d", 0755));
    many(test->fs, "d", 0, 50000);
    test_reopen(test, &image);
    memfs_node dir = test_node(test->fs, "d");
    assert_ok(memfs_node_lookup(test->fs, NULL, dir, "name049999", NULL));
    uint64_t live = atomic_load(&test->memory.live);
    assert_ok(memfs_node_create(test->fs, NULL, dir, "new", 0644, NULL));
    assert_in_range(atomic_load(&test->memory.live), 0, live + (1 << 20));
    test_end(test, &image);
}

static void test_dir__path_of_a_directory(void **state)
{
    struct test_state *test = *state;
    char path[64];
    assert_ok(memfs_mkdir(test->fs, NULL, "a", 0755));
    assert_ok(memfs_mkdir(test->fs, NULL, "a/b", 0755));
    assert_ok(memfs_mkdir(test->fs, NULL, "a/b/c", 0755));
    test_put_text(test->fs, "f", "");
    assert_result(memfs_node_path(test->fs, MEMFS_ROOT, path, sizeof path), 1);
    assert_string_equal(path, "/");
    memfs_node node = test_node(test->fs, "a/b/c");
    assert_result(memfs_node_path(test->fs, node, path, sizeof path), 6);
    assert_string_equal(path, "/a/b/c");
    assert_result(memfs_node_path(test->fs, node, NULL, 0), 6);
    assert_result(memfs_node_path(test->fs, node, path, 6), -ERANGE);
    assert_result(memfs_node_path(test->fs, node, path, 7), 6);
    assert_result(memfs_node_path(test->fs, test_node(test->fs, "f"), path, sizeof path), -ENOTDIR);
    assert_result(memfs_node_depth(test->fs, node), 3);
    assert_result(memfs_node_depth(test->fs, MEMFS_ROOT), 0);
    assert_result(memfs_node_depth(test->fs, test_node(test->fs, "f")), -ENOTDIR);
    assert_ok(memfs_rename(test->fs, NULL, "a/b", "x", 0));
    assert_result(memfs_node_depth(test->fs, node), 2);
    assert_result(memfs_node_path(test->fs, node, path, sizeof path), 4);
    assert_string_equal(path, "/x/c");
    struct test_buffer image = {0};
    test_reopen(test, &image);
    assert_result(memfs_node_path(test->fs, test_node(test->fs, "x/c"), path, sizeof path), 4);
    assert_string_equal(path, "/x/c");
    test_end(test, &image);
}

/* Listing what is all removed passes over it once, in a small cache, and keeps little. */
static void test_dir__removed_entries_are_passed_over(void **state)
{
    enum { ENTRIES = 30000 };
    struct test_state *test = *state;
    struct test_buffer image = {0};
    char name[32];
    struct memfs_dirent entries[4];
    assert_ok(memfs_mkdir(test->fs, NULL, "d", 0755));
    many(test->fs, "d", 0, ENTRIES);
    test_freeze(test->fs, &image);
    memfs_destroy(test->fs);
    test->fs = test_thaw(test, &image, 64 << 10);
    memfs_node dir = test_node(test->fs, "d");
    for (unsigned i = 0; i < ENTRIES; i++) {
        snprintf(name, sizeof name, "name%06u", i);
        assert_ok(memfs_node_unlink(test->fs, NULL, dir, name));
    }
    uint64_t before = test->memory.live;
    atomic_store(&test->memory.peak, before);
    assert_result(memfs_node_readdir(test->fs, NULL, dir, 0, entries, 4, 1), 0);
    assert_true(test->memory.peak - before < 1 << 20);
    many(test->fs, "d", 7, 3);
    assert_result(memfs_node_readdir(test->fs, NULL, dir, 0, entries, 4, 1), 3);
    assert_result(memfs_rmdir(test->fs, NULL, "d"), -ENOTEMPTY);
    test_end(test, &image);
}

/* A cursor whose entry has gone goes on behind its place, wherever that is. */
static void test_dir__cursors_of_removed_entries(void **state)
{
    enum { ENTRIES = 300 };
    struct test_state *test = *state;
    struct memfs_dirent all[ENTRIES], next;
    many(test->fs, "/", 0, ENTRIES);
    assert_result(memfs_node_readdir(test->fs, NULL, MEMFS_ROOT, 0, all, ENTRIES, 0), ENTRIES);
    for (unsigned i = 0; i < ENTRIES; i += 2)
        assert_ok(memfs_node_unlink(test->fs, NULL, MEMFS_ROOT, all[i].name));
    for (unsigned i = 0; i < ENTRIES; i += 2) {
        assert_result(memfs_node_readdir(test->fs, NULL, MEMFS_ROOT, all[i].cursor, &next, 1, 0), 1);
        assert_string_equal(next.name, all[i + 1].name);
    }
    assert_ok(memfs_node_unlink(test->fs, NULL, MEMFS_ROOT, all[ENTRIES - 1].name));
    assert_result(memfs_node_readdir(test->fs, NULL, MEMFS_ROOT, all[ENTRIES - 1].cursor, &next, 1, 0), 0);
}

/* The same for any that stay, and with others, in other places, that have taken the numbers of those that went. */
static void test_dir__cursors_among_few_that_stay(void **state)
{
    enum { ENTRIES = 400 };
    struct test_state *test = *state;
    struct test_random random = {.state = 7};
    static struct memfs_dirent all[ENTRIES];
    struct memfs_dirent next;
    for (unsigned share = 1; share <= 256; share *= 4) {
        char dir[32], first[32];
        int stays[ENTRIES] = {0};
        snprintf(dir, sizeof dir, "share%u", share);
        assert_ok(memfs_mkdir(test->fs, NULL, dir, 0755));
        many(test->fs, dir, 0, ENTRIES);
        const memfs_node node = test_node(test->fs, dir);
        assert_result(memfs_node_readdir(test->fs, NULL, node, 0, all, ENTRIES, 0), ENTRIES);
        for (unsigned i = 0; i < ENTRIES; i++) {
            stays[i] = test_random_below(&random, share) == 0;
            if (!stays[i])
                assert_ok(memfs_node_unlink(test->fs, NULL, node, all[i].name));
        }
        const int is_same = share == 4 || share == 64;
        many(test->fs, is_same ? dir : "/", 1000 * share, share);
        snprintf(first, sizeof first, "name%06u", 1000 * share);
        for (unsigned i = 0; i < ENTRIES; i++) {
            unsigned want = i + 1;
            while (want < ENTRIES && !stays[want])
                want++;
            const int64_t got = memfs_node_readdir(test->fs, NULL, node, all[i].cursor, &next, 1, 0);
            assert_result(got, is_same || want < ENTRIES);
            if (got)
                assert_string_equal(next.name, want < ENTRIES ? all[want].name : first);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_fs(test_dir__names),
        test_with_fs(test_dir__errors),
        test_with_fs(test_dir__removed_while_held),
        test_with_fs(test_dir__order_of_insertion),
        test_with_fs(test_dir__over_an_image),
        test_with_fs(test_dir__hundred_thousand),
        test_with_fs(test_dir__cursors_survive),
        test_with_fs(test_dir__cursors_go_back),
        test_with_fs(test_dir__removed_entries_are_passed_over),
        test_with_fs(test_dir__cursors_of_removed_entries),
        test_with_fs(test_dir__cursors_among_few_that_stay),
        test_with_fs(test_dir__first_insertion_is_small),
        test_with_fs(test_dir__path_of_a_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
