/* Resolving paths. */
#include "dir_hash.h"
#include "testlib.h"

static void tree(memfs *fs)
{
    assert_ok(memfs_mkdir(fs, NULL, "d", 0755));
    assert_ok(memfs_mkdir(fs, NULL, "d/e", 0755));
    test_put_text(fs, "f", "f");
    test_put_text(fs, "d/g", "g");
    assert_ok(memfs_symlink(fs, NULL, "d", "to_d"));
    assert_ok(memfs_symlink(fs, NULL, "/d/e", "d/abs"));
    assert_ok(memfs_symlink(fs, NULL, "../f", "d/up"));
    assert_ok(memfs_symlink(fs, NULL, "nowhere", "dangling"));
    assert_ok(memfs_symlink(fs, NULL, "loop", "loop"));
    assert_ok(memfs_symlink(fs, NULL, "pong", "ping"));
    assert_ok(memfs_symlink(fs, NULL, "ping", "pong"));
    assert_ok(memfs_symlink(fs, NULL, "d/", "slash_d"));
    assert_ok(memfs_symlink(fs, NULL, "f/", "slash_f"));
    assert_ok(memfs_symlink(fs, NULL, "/", "to_root"));
    assert_ok(memfs_symlink(fs, NULL, "..", "d/e/dotdot"));
}

static const struct {
    const char *path, *same;
    int stat, lstat; /* 0: there; 1: there, and a symbolic link */
} cases[] = {
    {"/", "/", 0, 0},
    {"//", "/", 0, 0},
    {".", "/", 0, 0},
    {"..", "/", 0, 0},
    {"../../d/..", "/", 0, 0},
    {"d", "d", 0, 0},
    {"/d", "d", 0, 0},
    {"//d///e//", "d/e", 0, 0},
    {"d/./e/.", "d/e", 0, 0},
    {"d/e/../g", "d/g", 0, 0},
    {"to_d", "d", 0, 1},
    {"to_d/", "d", 0, 0},
    {"to_d/.", "d", 0, 0},
    {"to_d/g", "d/g", 0, 0},
    {"to_d/../f", "f", 0, 0},
    {"to_d/abs", "d/e", 0, 1},
    {"to_d/up", "f", 0, 1},
    {"to_root/to_root/d/abs/", "d/e", 0, 0},
    {"to_root", "/", 0, 1},
    {"d/e/dotdot", "d", 0, 1},
    {"d/e/dotdot/e/dotdot/g", "d/g", 0, 0},
    {"slash_d", "d", 0, 1},
    {"slash_f", NULL, -ENOTDIR, 1},
    {"", NULL, -ENOENT, -ENOENT},
    {"none", NULL, -ENOENT, -ENOENT},
    {"none/", NULL, -ENOENT, -ENOENT},
    {"none/..", NULL, -ENOENT, -ENOENT},
    {"f/", NULL, -ENOTDIR, -ENOTDIR},
    {"f/.", NULL, -ENOTDIR, -ENOTDIR},
    {"f/..", NULL, -ENOTDIR, -ENOTDIR},
    {"f/x", NULL, -ENOTDIR, -ENOTDIR},
    {"dangling", NULL, -ENOENT, 1},
    {"dangling/", NULL, -ENOENT, -ENOENT},
    {"loop", NULL, -ELOOP, 1},
    {"loop/", NULL, -ELOOP, -ELOOP},
    {"loop/x", NULL, -ELOOP, -ELOOP},
    {"ping", NULL, -ELOOP, 1},
    {"d/up/", NULL, -ENOTDIR, -ENOTDIR},
};

static void test_path__table(void **state)
{
    struct test_state *test = *state;
    tree(test->fs);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct memfs_stat stat, lstat;
        int error = memfs_stat(test->fs, NULL, cases[i].path, &stat);
        int lerror = memfs_lstat(test->fs, NULL, cases[i].path, &lstat);
        if (error != cases[i].stat || lerror != (cases[i].lstat < 0 ? cases[i].lstat : 0))
            print_error("path %s\n", cases[i].path);
        assert_result(error, cases[i].stat);
        assert_result(lerror, cases[i].lstat < 0 ? cases[i].lstat : 0);
        if (cases[i].same)
            assert_int_equal(stat.node, test_node(test->fs, cases[i].same));
        if (lerror == 0)
            assert_int_equal((lstat.mode & MEMFS_IFMT) == MEMFS_IFLNK, cases[i].lstat == 1);
    }
}

static void test_path__symlink_limit(void **state)
{
    struct test_state *test = *state;
    char name[16], target[16];
    struct memfs_stat stat;
    test_put_text(test->fs, "l0", "end");
    for (int i = 1; i <= MEMFS_SYMLOOP_MAX + 1; i++) {
        snprintf(name, sizeof name, "l%d", i);
        snprintf(target, sizeof target, "l%d", i - 1);
        assert_ok(memfs_symlink(test->fs, NULL, target, name));
    }
    assert_ok(memfs_stat(test->fs, NULL, target, &stat));
    assert_int_equal(stat.size, 3);
    assert_result(memfs_stat(test->fs, NULL, name, &stat), -ELOOP);
}

/* The text of the third link lies where that of the first did, and its last name is as long. */
static void test_path__made_behind_links(void **state)
{
    struct test_state *test = *state;
    memfs_file *file = NULL;
    assert_ok(memfs_symlink(test->fs, NULL, "./l2", "l1"));
    assert_ok(memfs_symlink(test->fs, NULL, "m/ab", "l2"));
    assert_ok(memfs_symlink(test->fs, NULL, ".", "m"));
    assert_ok(memfs_open(test->fs, NULL, "l1", MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &file));
    memfs_close(file);
    assert_int_equal(test_lstat(test->fs, "ab").nlink, 1);
}

static void test_path__dots_and_slashes_of_changes(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    memfs_file *file = NULL;
    tree(fs);
    char *before = test_dump(fs, TEST_DUMP_TIMES);
    assert_result(memfs_mkdir(fs, NULL, "/", 0755), -EEXIST);
    assert_result(memfs_mkdir(fs, NULL, "d/.", 0755), -EEXIST);
    assert_result(memfs_mkdir(fs, NULL, "d/..", 0755), -EEXIST);
    assert_result(memfs_mkdir(fs, NULL, "none/.", 0755), -ENOENT);
    assert_result(memfs_mkdir(fs, NULL, "", 0755), -ENOENT);
    assert_result(memfs_mkdir(fs, NULL, "f/", 0755), -EEXIST);
    assert_result(memfs_mkdir(fs, NULL, "dangling", 0755), -EEXIST);
    assert_result(memfs_mkdir(fs, NULL, "dangling/", 0755), -EEXIST);
    assert_result(memfs_mkdir(fs, NULL, "none/x", 0755), -ENOENT);
    assert_result(memfs_mkdir(fs, NULL, "f/x", 0755), -ENOTDIR);
    assert_result(memfs_mknod(fs, NULL, "none/", MEMFS_IFREG | 0644, 0, 0), -ENOENT);
    assert_result(memfs_mknod(fs, NULL, "d/", MEMFS_IFREG | 0644, 0, 0), -EEXIST);
    assert_result(memfs_symlink(fs, NULL, "x", "none/"), -ENOENT);
    assert_result(memfs_symlink(fs, NULL, "x", "."), -EEXIST);
    assert_result(memfs_link(fs, NULL, "f", "d/.."), -EEXIST);
    assert_result(memfs_link(fs, NULL, "f/", "x"), -ENOTDIR);
    assert_result(memfs_unlink(fs, NULL, "/"), -EISDIR);
    assert_result(memfs_unlink(fs, NULL, "d"), -EISDIR);
    assert_result(memfs_unlink(fs, NULL, "d/"), -EISDIR);
    assert_result(memfs_unlink(fs, NULL, "d/."), -EISDIR);
    assert_result(memfs_unlink(fs, NULL, "f/"), -ENOTDIR);
    assert_result(memfs_unlink(fs, NULL, "to_d/"), -ENOTDIR);
    assert_result(memfs_unlink(fs, NULL, "none/"), -ENOENT);
    assert_result(memfs_unlink(fs, NULL, ""), -ENOENT);
    assert_result(memfs_rmdir(fs, NULL, "/"), -EBUSY);
    assert_result(memfs_rmdir(fs, NULL, "d/e/."), -EINVAL);
    assert_result(memfs_rmdir(fs, NULL, "d/e/.."), -ENOTEMPTY);
    assert_result(memfs_rmdir(fs, NULL, "f"), -ENOTDIR);
    assert_result(memfs_rmdir(fs, NULL, "to_d"), -ENOTDIR);
    assert_result(memfs_rmdir(fs, NULL, "to_d/"), -ENOTDIR);
    assert_result(memfs_truncate(fs, NULL, "d", 0), -EISDIR);
    assert_result(memfs_truncate(fs, NULL, "loop", 0), -ELOOP);
    assert_result(memfs_open(fs, NULL, "none/", MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &file), -EISDIR);
    assert_result(memfs_open(fs, NULL, "d/.", MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &file), -EISDIR);
    assert_result(memfs_open(fs, NULL, "f/", MEMFS_O_READ, 0, &file), -ENOTDIR);
    assert_result(memfs_open(fs, NULL, "f/", MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &file), -EISDIR);
    char *after = test_dump(fs, TEST_DUMP_TIMES);
    test_same_text(after, before, "after nothing but failures");
    free(before);
    free(after);
    assert_ok(memfs_mkdir(fs, NULL, "new///", 0755));
    assert_ok(memfs_rename(fs, NULL, "new/", "newer/", 0));
    assert_ok(memfs_rmdir(fs, NULL, "newer//"));
    assert_ok(memfs_open(fs, NULL, "dangling", MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &file));
    memfs_close(file);
    assert_int_equal(test_lstat(fs, "nowhere").mode & MEMFS_IFMT, MEMFS_IFREG);
    assert_ok(memfs_unlink(fs, NULL, "to_d"));
    assert_int_equal(test_lstat(fs, "d").nlink, 3);
}

static void test_path__names_too_long(void **state)
{
    struct test_state *test = *state;
    char path[600];
    struct memfs_stat stat;
    memset(path, 'n', sizeof path);
    path[256] = 0;
    assert_result(memfs_stat(test->fs, NULL, path, &stat), -ENAMETOOLONG);
    assert_result(memfs_mkdir(test->fs, NULL, path, 0755), -ENAMETOOLONG);
    assert_result(memfs_unlink(test->fs, NULL, path), -ENAMETOOLONG);
    assert_result(memfs_rename(test->fs, NULL, path, "x", 0), -ENAMETOOLONG);
    path[256] = '/';
    path[300] = 0;
    assert_result(memfs_stat(test->fs, NULL, path, &stat), -ENAMETOOLONG);
    path[255] = 0;
    assert_ok(memfs_mkdir(test->fs, NULL, path, 0755));
    assert_ok(memfs_stat(test->fs, NULL, path, &stat));
}

/* Far longer than any PATH_MAX; twice, from memory and from an image. */
static void test_path__very_long(void **state)
{
    enum { DEPTH = 3000, NAME = 100 };
    struct test_state *test = *state;
    struct test_buffer image = {0};
    static char path[DEPTH * (NAME + 1) + 10], got[sizeof path];
    size_t length = 0;
    memfs_node dir = MEMFS_ROOT, made = 0;
    for (int i = 0; i < DEPTH; i++) {
        path[length++] = '/';
        memset(path + length, 'a' + i % 26, NAME);
        path[length + NAME] = 0;
        assert_ok(memfs_node_mkdir(test->fs, NULL, dir, path + length, 0755, &made));
        length += NAME;
        if (dir != MEMFS_ROOT)
            memfs_node_forget(test->fs, dir, 1);
        dir = made;
    }
    memfs_node_forget(test->fs, dir, 1);
    for (int round = 0; round < 2; round++) {
        memfs_node node = test_node(test->fs, path);
        assert_result(memfs_node_path(test->fs, node, got, sizeof got), length);
        assert_string_equal(got, path);
        strcpy(path + length, "/f");
        test_put_text(test->fs, path, "deep");
        test_expect_text(test->fs, path, "deep");
        path[length] = 0;
        if (round == 0)
            test_reopen(test, &image);
    }
    test_end(test, &image);
}

static void path_sizes(memfs *fs, memfs_node node, const char *want)
{
    size_t length = strlen(want);
    char *got = malloc(length + 10);
    for (size_t size = length - 3; size <= length + 3; size++) {
        memset(got, '#', length + 10);
        assert_result(memfs_node_path(fs, node, got, size), size > length ? (int64_t)length : -ERANGE);
        assert_int_equal(got[size], '#');
        if (size > length)
            assert_string_equal(got, want);
    }
    assert_result(memfs_node_path(fs, node, NULL, 0), length);
    free(got);
}

/* Each level in chunks of its own: the way down and up loads each a few times at most. */
static void test_path__many_chunks(void **state)
{
    enum { DEPTH = 60, WIDTH = 520 };
    struct test_state *test = *state;
    struct test_buffer image = {0};
    struct test_fault fault = {0};
    char path[DEPTH * 2 + 1] = "", name[16];
    memfs_node dir = MEMFS_ROOT;
    for (int i = 0; i < DEPTH; i++) {
        for (int j = 0; j < WIDTH; j++) {
            snprintf(name, sizeof name, "f%d", j);
            assert_ok(memfs_node_create(test->fs, NULL, dir, name, 0644, NULL));
        }
        assert_ok(memfs_node_mkdir(test->fs, NULL, dir, "d", 0755, NULL));
        strcat(path, "/d");
        dir = test_node(test->fs, path);
    }
    test_freeze(test->fs, &image);
    memfs_destroy(test->fs);
    test->fs = test_thaw_fault(test, &image, &fault);
    memfs_node node = test_node(test->fs, path);
    memfs_destroy(test->fs);
    test->fs = test_thaw_fault(test, &image, &fault); /* where the way up is cold, too */
    atomic_store(&fault.calls, 0);
    assert_result(memfs_node_depth(test->fs, node), DEPTH);
    assert_in_range(atomic_load(&fault.calls), DEPTH, DEPTH * 3 / 2); /* names are not looked at */
    memfs_destroy(test->fs);
    test->fs = test_thaw_fault(test, &image, &fault);
    path_sizes(test->fs, node, path);
    assert_in_range(atomic_load(&fault.calls), DEPTH, DEPTH * 20);
    assert_in_range(atomic_load(&fault.held_most), 1, 40); /* and they are not all held at once */
    assert_int_equal(atomic_load(&fault.held), 0);
    assert_ok(memfs_rename(test->fs, NULL, "d", "e", 0));
    path[1] = 'e';
    path_sizes(test->fs, node, path);
    path_sizes(test->fs, test_node(test->fs, "e/d"), "/e/d");
    test_end(test, &image);
}

#define HINTED 600u /* enough nodes that there are hints */

static uint64_t hash_of(const memfs *fs, const char *path)
{
    return dir_hash_path(fs, path, strlen(path));
}

/* All that hints say is wrong: numbers of other insertions, and of some that are not there. */
static void mislead(struct hints *hints)
{
    for (uint32_t i = 0; i < hints->count; i++)
        atomic_store(&hints->slots[i], atomic_load(&hints->slots[i]) ^ (i % 3 ? 1u : 2 * hints->count - 1));
}

/* With the same seed each time: the sets of hints that are full are the same. Nothing is in it yet. */
static memfs *seeded(struct test_state *test)
{
    dir_hash_seed(test->fs, 1);
    return test->fs;
}

static uint32_t hint_of(const memfs *fs, const char *path)
{
    uint32_t insertion = 0;
    assert_true(hints_find(&fs->hints, hash_of(fs, path), &insertion));
    return insertion;
}

static void fill(memfs *fs, const char *dir)
{
    char path[64];
    for (unsigned i = 0; i < HINTED; i++) {
        snprintf(path, sizeof path, "%s/fill-%u", dir, i);
        test_put(fs, path, "x", 1);
    }
}

/* Whatever was learnt of a path, it leads where it leads now. */
static void test_path__moves_after_look_ups(void **state)
{
    struct test_state *test = *state;
    memfs *fs = seeded(test);
    char path[64], other[64];
    memfs_node node[2][HINTED];
    assert_ok(memfs_mkdir(fs, NULL, "a", 0755));
    assert_ok(memfs_mkdir(fs, NULL, "b", 0755));
    for (unsigned i = 0; i < 2 * HINTED; i++) {
        snprintf(path, sizeof path, "%c/%u", "ab"[i % 2], i / 2);
        assert_ok(memfs_mkdir(fs, NULL, path, 0755));
        snprintf(path, sizeof path, "%c/%u/f", "ab"[i % 2], i / 2);
        test_put(fs, path, "x", 1);
        node[i % 2][i / 2] = test_node(fs, path);
    }
    assert_in_range(fs->hints.count, HINTED, 8 * HINTED);
    hint_of(fs, "a/599/f");
    hint_of(fs, "a/599");
    assert_ok(memfs_rename(fs, NULL, "a", "b", MEMFS_RENAME_EXCHANGE));
    for (unsigned i = 0; i < HINTED; i++) {
        snprintf(path, sizeof path, "a/%u/f", i);
        snprintf(other, sizeof other, "b/%u/f", i);
        assert_int_equal(test_node(fs, path), node[1][i]);
        assert_int_equal(test_node(fs, other), node[0][i]);
        hints_set(&fs->hints, hash_of(fs, path), i);
        assert_int_equal(test_node(fs, path), node[1][i]);
        if (i == HINTED / 2)
            mislead(&fs->hints);
    }
    for (unsigned i = 0; i < HINTED; i++) {
        snprintf(path, sizeof path, "a/%u/f", i);
        assert_ok(memfs_unlink(fs, NULL, path));
        assert_result(memfs_resolve(fs, NULL, path, 0, NULL), -ENOENT);
        test_put(fs, path, "y", 1);
        assert_true(test_node(fs, path) != node[1][i]);
    }
    mislead(&fs->hints);
    assert_ok(memfs_rename(fs, NULL, "a", "b/c", 0));
    assert_result(memfs_resolve(fs, NULL, "a/1/f", 0, NULL), -ENOENT);
    assert_ok(memfs_resolve(fs, NULL, "b/c/1/f", 0, NULL));
}

/* What may not be searched is not passed, and what is no directory not either, whatever hints say. */
static void test_path__hints_open_no_doors(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    const struct memfs_cred stranger = {.size = sizeof stranger, .uid = 1000, .gid = 1000};
    fill(fs, "");
    assert_ok(memfs_mkdir(fs, NULL, "a", 0755));
    assert_ok(memfs_mkdir(fs, NULL, "a/closed", 0700));
    assert_ok(memfs_mkdir(fs, NULL, "a/closed/open", 0777));
    test_put(fs, "a/closed/open/f", "x", 1);
    assert_ok(memfs_symlink(fs, NULL, "f", "a/closed/open/l"));
    memfs_node file = test_node(fs, "a/closed/open/f"), link, followed;
    for (int round = 0; round < 3; round++) { /* the first learns, the others know */
        assert_result(memfs_resolve(fs, &stranger, "a/closed/open/f", 1, NULL), -EACCES);
        assert_result(memfs_resolve(fs, &stranger, "a/closed/open", 1, NULL), -EACCES);
        assert_result(memfs_unlink(fs, &stranger, "a/closed/open/f"), -EACCES);
        assert_result(memfs_resolve(fs, NULL, "a/closed/open/f/", 1, NULL), -ENOTDIR);
        assert_result(memfs_resolve(fs, NULL, "a/closed/open/f/g", 1, NULL), -ENOTDIR);
        assert_result(memfs_mkdir(fs, NULL, "a/closed/open/f/g", 0755), -ENOTDIR);
        assert_int_equal(test_node(fs, "//a/closed//open///f"), file);
        assert_int_equal(test_node(fs, "a/closed/./open/../open/f"), file);
        assert_ok(memfs_resolve(fs, NULL, "a/closed/open/l", 0, &link));
        assert_ok(memfs_resolve(fs, NULL, "a/closed/open/l", 1, &followed));
        assert_int_equal(followed, file);
        assert_true(link != file);
        assert_result(memfs_resolve(fs, NULL, "closed/open/f", 1, NULL), -ENOENT);
        assert_result(memfs_resolve(fs, NULL, "a/closed/open/", 1, &followed), 0);
    }
    const struct memfs_setattr opened = {.set = MEMFS_SET_MODE, .mode = 0755};
    assert_ok(memfs_node_setattr(fs, NULL, test_node(fs, "a/closed"), &opened, NULL));
    assert_ok(memfs_resolve(fs, &stranger, "a/closed/open/f", 1, NULL));
}

/* What is no directory leads nowhere, even if its record could be taken for that of one: a device has
 * its numbers where a directory has its parent and its entry. */
static void test_path__hints_to_a_device(void **state)
{
    struct test_state *test = *state;
    memfs *fs = seeded(test);
    assert_ok(memfs_mkdir(fs, NULL, "a", 0755));
    fill(fs, "a");
    const memfs_node dir = test_node(fs, "a");
    const uint32_t entry = HINTED + 1; /* of the device: insertions are counted from 0 */
    assert_ok(memfs_mknod(fs, NULL, "a/device", MEMFS_IFCHR | 0644, (uint32_t)dir, entry));
    for (int round = 0; round < 2; round++) {
        assert_ok(memfs_resolve(fs, NULL, "a/device", 0, NULL));
        assert_int_equal(hint_of(fs, "a/device"), entry);
        assert_result(memfs_resolve(fs, NULL, "a/device/f", 0, NULL), -ENOTDIR);
        assert_result(memfs_mkdir(fs, NULL, "a/device/f", 0755), -ENOTDIR);
    }
}

/* A path of which only the end is right leads nowhere; and the root can be closed, too. */
static void test_path__hints_to_a_part(void **state)
{
    struct test_state *test = *state;
    memfs *fs = seeded(test);
    const struct memfs_cred stranger = {.size = sizeof stranger, .uid = 1000, .gid = 1000};
    const struct memfs_setattr closed = {.set = MEMFS_SET_MODE, .mode = 0700};
    static const char *const wrong[] = {"x/a/f", "x/f", "xa/f", "a/xf", "f/f", "a/a/f", "af"};
    static const char *const above[] = {"x/a", "x", "xa", "a/a", "ax"};
    char path[64];
    fill(fs, "");
    assert_ok(memfs_mkdir(fs, NULL, "a", 0755));
    test_put(fs, "a/f", "x", 1);
    test_put(fs, "f", "x", 1);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const uint32_t insertion = hint_of(fs, strchr(wrong[i], 'a') ? "a/f" : "f");
        hints_set(&fs->hints, hash_of(fs, wrong[i]), insertion);
        const int there = memfs_resolve(fs, NULL, wrong[i], 0, NULL);
        assert_result(there, strcmp(wrong[i], "f/f") ? -ENOENT : -ENOTDIR);
        hints_set(&fs->hints, hash_of(fs, wrong[i]), insertion);
        assert_result(memfs_resolve(fs, NULL, wrong[i], 0, NULL), there);
    }
    for (size_t i = 0; i < sizeof above / sizeof *above; i++) { /* nor do those whose directory is a part of it */
        snprintf(path, sizeof path, "%s/f", above[i]);
        hints_set(&fs->hints, hash_of(fs, above[i]), hint_of(fs, "a"));
        hints_set(&fs->hints, hash_of(fs, path), hint_of(fs, "a/f"));
        assert_result(memfs_resolve(fs, NULL, path, 0, NULL), -ENOENT);
    }
    assert_ok(memfs_resolve(fs, &stranger, "f", 0, NULL));
    assert_ok(memfs_node_setattr(fs, NULL, MEMFS_ROOT, &closed, NULL));
    assert_result(memfs_resolve(fs, &stranger, "f", 0, NULL), -EACCES);
    assert_result(memfs_resolve(fs, &stranger, "a/f", 0, NULL), -EACCES);
}

/* Of two hints of a path one may be right, or both wrong in the same way. */
static void test_path__hints_to_a_sibling(void **state)
{
    struct test_state *test = *state;
    memfs *fs = seeded(test);
    static const char *const dirs[] = {"a", "b", "a/b"};
    fill(fs, "");
    for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
        char path[16];
        assert_ok(memfs_mkdir(fs, NULL, dirs[i], 0755));
        snprintf(path, sizeof path, "%s/f", dirs[i]);
        test_put(fs, path, "x", 1);
    }
    hints_set(&fs->hints, hash_of(fs, "ab"), hint_of(fs, "a/b"));
    hints_set(&fs->hints, hash_of(fs, "ab/f"), hint_of(fs, "a/b/f"));
    assert_result(memfs_resolve(fs, NULL, "ab/f", 0, NULL), -ENOENT);
    const memfs_node node = test_node(fs, "b/f");
    const uint32_t dir = hint_of(fs, "b"), last = hint_of(fs, "b/f");
    for (size_t to_dir = 0; to_dir < 3; to_dir++) {
        for (size_t to_last = 0; to_last < 3; to_last++) {
            char path[16];
            snprintf(path, sizeof path, "%s/f", dirs[to_last]);
            hints_set(&fs->hints, hash_of(fs, "b"), to_dir == 1 ? dir : hint_of(fs, dirs[to_dir]));
            hints_set(&fs->hints, hash_of(fs, "b/f"), to_last == 1 ? last : hint_of(fs, path));
            assert_int_equal(test_node(fs, "b/f"), node);
            assert_result(memfs_mkdir(fs, NULL, "b/f", 0755), -EEXIST);
        }
    }
}

/* Hints lead through directories that a sealed filesystem below has, too; and no longer where they were moved. */
static void test_path__hints_above_a_base(void **state)
{
    struct test_state *test = *state;
    const struct memfs_cred stranger = {.size = sizeof stranger, .uid = 1000, .gid = 1000};
    const struct memfs_setattr closed = {.set = MEMFS_SET_MODE, .mode = 0700};
    memfs_backing *base = NULL;
    assert_ok(memfs_mkdir(test->fs, NULL, "d", 0755));
    assert_ok(memfs_mkdir(test->fs, NULL, "d/e", 0755));
    assert_ok(memfs_seal(test->fs, &base));
    test->fs = test_create(test, base);
    memfs_backing_release(base);
    memfs *fs = test->fs;
    fill(fs, "d");
    test_put(fs, "d/e/f", "x", 1);
    const memfs_node node = test_node(fs, "d/e/f");
    for (int round = 0; round < 3; round++) {
        assert_int_equal(test_node(fs, "d/e/f"), node);
        assert_ok(memfs_resolve(fs, &stranger, "d/e/f", 1, NULL));
        hint_of(fs, "d/e/f");
    }
    assert_ok(memfs_rename(fs, NULL, "d", "moved", 0));
    assert_result(memfs_resolve(fs, NULL, "d/e/f", 1, NULL), -ENOENT);
    assert_int_equal(test_node(fs, "moved/e/f"), node);
    assert_ok(memfs_node_setattr(fs, NULL, test_node(fs, "moved"), &closed, NULL));
    assert_result(memfs_resolve(fs, &stranger, "moved/e/f", 1, NULL), -EACCES);
    assert_int_equal(test_node(fs, "moved/e/f"), node);
}

/* A directory that was removed, but is held, still says that it hangs where now another has its name; and what was
 * removed in it, that it is there. */
static void test_path__hints_to_what_is_gone(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    memfs_node gone;
    assert_ok(memfs_mkdir(test->fs, NULL, "d", 0755));
    test_put(test->fs, "d/x", "x", 1);
    test_freeze(test->fs, &image);
    memfs_destroy(test->fs);
    memfs *fs = test->fs = test_thaw(test, &image, 1 << 20);
    fill(fs, "");
    assert_ok(memfs_rename(fs, NULL, "d", "e", 0));
    assert_ok(memfs_resolve(fs, NULL, "e", 0, &gone));
    assert_ok(memfs_unlink(fs, NULL, "e/x"));
    assert_ok(memfs_rmdir(fs, NULL, "e"));
    assert_ok(memfs_mkdir(fs, NULL, "e", 0755));
    test_put(fs, "e/f", "x", 1);
    const memfs_node node = test_node(fs, "e/f");
    for (uint32_t i = 0; i < HINTED + 16; i++) { /* all insertions, and what else has their numbers */
        hints_set(&fs->hints, hash_of(fs, "e"), 0);
        hints_set(&fs->hints, hash_of(fs, "e/f"), i);
        assert_int_equal(test_node(fs, "e/f"), node);
        hints_set(&fs->hints, hash_of(fs, "e"), i);
        assert_int_equal(test_node(fs, "e/f"), node);
    }
    memfs_node_forget(fs, gone, 1);
    test_end(test, &image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_fs(test_path__table),
        test_with_fs(test_path__symlink_limit),
        test_with_fs(test_path__made_behind_links),
        test_with_fs(test_path__dots_and_slashes_of_changes),
        test_with_fs(test_path__names_too_long),
        test_with_fs(test_path__very_long),
        test_with_fs(test_path__many_chunks),
        test_with_fs(test_path__moves_after_look_ups),
        test_with_fs(test_path__hints_open_no_doors),
        test_with_fs(test_path__hints_to_a_device),
        test_with_fs(test_path__hints_to_a_part),
        test_with_fs(test_path__hints_to_a_sibling),
        test_with_fs(test_path__hints_above_a_base),
        test_with_fs(test_path__hints_to_what_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
