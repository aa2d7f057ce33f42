/*
 * What is asked seldom: calls at the edges of what they accept, cursors whose entries are gone, pages that are holes,
 * and changes of a sealed filesystem whose records stand in several chunks, with allocations that fail.
 */
#include "alloc.h"
#include "backing.h"
#include "detail.h"
#include "testlib.h"

#define PAGE 65536u
#define APART 511u /* insertions between two of a directory, so that they stand in different chunks */

static const struct memfs_cred root = {.size = sizeof root};
static const struct memfs_cred user = {.size = sizeof user, .uid = 9, .gid = 9};

static void make(memfs *fs, const char *path)
{
    assert_ok(memfs_mknod(fs, NULL, path, MEMFS_IFREG | 0644, 0, 0));
}

static uint64_t changes_of(memfs *fs)
{
    struct memfs_statfs stat;
    assert_ok(memfs_statfs(fs, &stat));
    return stat.changes;
}

/* ---- Arguments ---------------------------------------------------------------------------------- */

static void test_corners__attributes(void **state)
{
    memfs *fs = ((struct test_state *)*state)->fs;
    const struct memfs_setattr set = {.set = MEMFS_SET_MODE, .mode = 0600};
    struct memfs_stat stat;
    make(fs, "file");
    assert_ok(memfs_symlink(fs, NULL, "file", "soft"));
    assert_result(memfs_access(fs, NULL, "file", 8), -EINVAL);
    assert_result(memfs_setattr(fs, &root, "soft", 0, &set), -EOPNOTSUPP);
    assert_ok(memfs_setattr(fs, NULL, "soft", 0, &set)); /* a link's mode is what it is */
    assert_int_equal(test_lstat(fs, "soft").mode, MEMFS_IFLNK | 0777);
    assert_ok(memfs_node_setattr(fs, NULL, test_node(fs, "file"), &set, &stat));
    assert_int_equal(stat.mode, MEMFS_IFREG | 0600);
    assert_int_equal(stat.size, 0);
}

static void test_corners__xattrs(void **state)
{
    memfs *fs = ((struct test_state *)*state)->fs;
    char names[32];
    make(fs, "file");
    assert_ok(memfs_setxattr(fs, NULL, "file", 1, "user.a", "b", 1, 0));
    assert_ok(memfs_symlink(fs, NULL, "file", "soft"));
    assert_result(memfs_getxattr(fs, &root, "soft", 0, "system.posix_acl_access", NULL, 0), -EOPNOTSUPP);
    assert_result(memfs_getxattr(fs, &root, "file", 1, "system.posix_acl_access", NULL, 0), -ENODATA);
    assert_result(memfs_getxattr(fs, NULL, "file", 1, "", NULL, 0), -ERANGE);
    assert_result(memfs_node_getxattr(fs, NULL, test_node(fs, "file"), "", NULL, 0), -ERANGE);
    assert_result(memfs_listxattr(fs, NULL, "soft", 0, names, sizeof names), 0);
    assert_result(memfs_listxattr(fs, NULL, "soft", 1, names, sizeof names), 7);
}

static void test_corners__renames(void **state)
{
    memfs *fs = ((struct test_state *)*state)->fs;
    const memfs_node top = MEMFS_ROOT;
    assert_ok(memfs_mkdir(fs, NULL, "d", 0700));
    make(fs, "d/file");
    make(fs, "file");
    const memfs_node dir = test_node(fs, "d");
    assert_result(memfs_node_rename(fs, NULL, top, "file", top, "new", MEMFS_RENAME_EXCHANGE + 1), -EINVAL);
    assert_result(memfs_node_rename(fs, &user, dir, "file", dir, "new", 0), -EACCES);
    assert_result(memfs_rename(fs, NULL, "d/", "file", MEMFS_RENAME_NOREPLACE), -EEXIST);
    assert_ok(memfs_rename(fs, NULL, "d/", "new", MEMFS_RENAME_NOREPLACE));
    test_expect_names(fs, "/", "file new ");
    test_expect_names(fs, "new", "file ");
}

static void test_corners__sizes_beyond_all(void **state)
{
    struct test_state *test = *state;
    memfs_file *file = NULL;
    char byte = 1;
    void *array = &byte;
    size_t room = SIZE_MAX / 2 + 1;
    test_put_text(test->fs, "file", "text");
    make(test->fs, "other");
    assert_ok(memfs_open(test->fs, NULL, "file", MEMFS_O_WRITE, 0, &file));
    assert_result(memfs_ftruncate(file, (uint64_t)MEMFS_SIZE_MAX + 1), -EFBIG);
    memfs_close(file);
    const memfs_node node = test_node(test->fs, "file"), other = test_node(test->fs, "other");
    assert_result(memfs_node_copy(test->fs, node, 0, other, MEMFS_SIZE_MAX - 1, 4), -EFBIG);
    test_expect_text(test->fs, "file", "text");
    test_expect_text(test->fs, "other", "");
    const struct memfs_allocator *hook = &test->memory.hook;
    assert_null(memfs_alloc_array(hook, SIZE_MAX / 2 + 1, 2));
    assert_result(memfs_grow_array(hook, &array, &room, 1, SIZE_MAX / 2 + 2, 2), -ENOMEM);
    assert_ptr_equal(array, &byte);
    assert_int_equal(room, SIZE_MAX / 2 + 1);
    array = memfs_alloc_array(hook, 5, 0);
    assert_non_null(array);
    memfs_free(hook, array, 0);
}

static void test_corners__sizes_of_nothing(void **state)
{
    struct test_state *test = *state;
    char name[MEMFS_NAME_MAX + 2];
    struct memfs_detail detail = {.text = ""};
    memset(name, 'n', sizeof name);
    assert_true(memfs_name_ok(name, MEMFS_NAME_MAX));
    assert_false(memfs_name_ok(name, MEMFS_NAME_MAX + 1));
    assert_false(memfs_name_ok(name, 0));
    memfs_detail_append(NULL, "; more");
    memfs_detail_append(&detail, "; more"); /* to nothing nothing is added */
    assert_string_equal(detail.text, "");
    const uint64_t live = atomic_load(&test->memory.live);
    void *memory = memfs_alloc(&test->memory.hook, 0);
    assert_non_null(memory);
    memfs_free(&test->memory.hook, memory, 0);
    memfs_free(&test->memory.hook, NULL, 5);
    assert_int_equal(atomic_load(&test->memory.live), live);
}

/* ---- Contents ------------------------------------------------------------------------------------ */

/* A page of the base that has been hidden has no bytes of its own. */
static void test_corners__hidden_pages(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {.data = NULL};
    uint8_t *bytes = test_random_bytes(5, 2 * PAGE), got[8];
    struct memfs_view view;
    test_put(test->fs, "file", bytes, 2 * PAGE);
    test_reopen(test, &image);
    const memfs_node file = test_node(test->fs, "file");
    assert_ok(memfs_node_punch(test->fs, file, 0, PAGE));
    memset(bytes, 0, PAGE);
    assert_result(memfs_node_read(test->fs, file, PAGE - 4, got, sizeof got), sizeof got);
    assert_memory_equal(got, bytes + PAGE - 4, sizeof got);
    assert_ok(memfs_node_view(test->fs, file, 100, sizeof got, &view));
    assert_int_equal(view.length, sizeof got);
    assert_memory_equal(view.data, bytes, sizeof got);
    memfs_view_release(test->fs, &view);
    assert_ok(memfs_node_view(test->fs, file, PAGE, 0, &view));
    assert_int_equal(view.length, 0);
    memfs_view_release(test->fs, &view);
    assert_result(memfs_node_write(test->fs, file, 10, "new", 3), 3);
    memcpy(bytes + 10, "new", 3);
    test_expect(test->fs, "file", bytes, 2 * PAGE);
    free(bytes);
    test_end(test, &image);
}

/* Appended where no page begins, and none is there; read with more room than there can be bytes. */
static void test_corners__appended_behind_a_hole(void **state)
{
    memfs *fs = ((struct test_state *)*state)->fs;
    static uint8_t bytes[4 * PAGE + 200];
    make(fs, "file");
    assert_ok(memfs_truncate(fs, NULL, "file", 4 * PAGE + 100));
    const memfs_node file = test_node(fs, "file");
    assert_result(memfs_node_write(fs, file, MEMFS_APPEND, "appended", 8), 8);
    memset(bytes, 1, sizeof bytes);
    assert_result(memfs_node_read(fs, file, 0, bytes, SIZE_MAX), 4 * PAGE + 108);
    assert_memory_equal(bytes + 4 * PAGE + 100, "appended", 8);
    assert_int_equal(bytes[4 * PAGE + 99], 0);
    assert_int_equal(test_lstat(fs, "file").allocated, 4096);
}

/* Cut where the map has nothing. */
static void test_corners__cut_in_a_hole(void **state)
{
    memfs *fs = ((struct test_state *)*state)->fs;
    make(fs, "file");
    const memfs_node file = test_node(fs, "file");
    assert_result(memfs_node_write(fs, file, 0, "first", 5), 5);
    assert_result(memfs_node_write(fs, file, 200 * (uint64_t)PAGE, "last", 4), 4);
    assert_ok(memfs_truncate(fs, NULL, "file", 100 * (uint64_t)PAGE));
    assert_int_equal(test_lstat(fs, "file").allocated, 4096);
    assert_result(memfs_node_seek(fs, file, 4096, MEMFS_SEEK_DATA), -ENXIO);
    assert_ok(memfs_truncate(fs, NULL, "file", 5));
    test_expect_text(fs, "file", "first");
}

/* A write to many pages of its own, for the list of which there is no memory. */
static void test_corners__many_pages_and_no_memory(void **state)
{
    enum { PAGES = 12 };
    struct test_state *test = *state;
    uint8_t *before = test_random_bytes(6, PAGES * PAGE), *after = test_random_bytes(7, PAGES * PAGE);
    test_put(test->fs, "file", before, PAGES * PAGE);
    const memfs_node file = test_node(test->fs, "file");
    uint64_t failed = 0;
    for (uint64_t nth = 1;; nth++) {
        test_memory_fail(&test->memory, nth, 0);
        const int64_t written = memfs_node_write(test->fs, file, 0, after, PAGES * PAGE);
        test_memory_heal(&test->memory);
        if (written > 0)
            break;
        assert_result(written, -ENOMEM);
        test_expect(test->fs, "file", before, PAGES * PAGE);
        failed++;
    }
    assert_true(failed > 0);
    test_expect(test->fs, "file", after, PAGES * PAGE);
    free(before);
    free(after);
}

/* ---- Cursors ------------------------------------------------------------------------------------------ */

/* The cursor behind the first entries. */
static uint64_t cursor_behind(memfs *fs, const char *path, size_t count)
{
    struct memfs_dirent entries[8];
    assert_result(memfs_node_readdir(fs, NULL, test_node(fs, path), 0, entries, count, 0), count);
    return entries[count - 1].cursor;
}

static void expect_next(memfs *fs, const char *path, uint64_t cursor, const char *want)
{
    struct memfs_dirent entry;
    const int64_t count = memfs_node_readdir(fs, NULL, test_node(fs, path), cursor, &entry, 1, 0);
    assert_result(count, want ? 1 : 0);
    if (want)
        assert_string_equal(entry.name, want);
}

/* All behind the cursor has gone, and what it was at: the end, though the beginning is nearer. */
static void test_corners__cursor_near_the_beginning(void **state)
{
    memfs *fs = ((struct test_state *)*state)->fs;
    char name[8];
    assert_ok(memfs_mkdir(fs, NULL, "d", 0755));
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "d/%d", i);
        make(fs, name);
    }
    const uint64_t cursor = cursor_behind(fs, "d", 3);
    for (int i = 1; i < 10; i++) {
        snprintf(name, sizeof name, "d/%d", i);
        assert_ok(memfs_unlink(fs, NULL, name));
    }
    expect_next(fs, "d", cursor, NULL);
    make(fs, "d/new");
    expect_next(fs, "d", cursor, "new");
}

/* What the cursor was at has gone, and its number is used for another entry, or for a removal. */
static void test_corners__cursor_at_a_number_used_again(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {.data = NULL};
    assert_ok(memfs_mkdir(test->fs, NULL, "d", 0755));
    make(test->fs, "d/a");
    make(test->fs, "d/b");
    test_reopen(test, &image);
    memfs *fs = test->fs;
    make(fs, "d/x");
    make(fs, "d/y");
    const uint64_t cursor = cursor_behind(fs, "d", 3);
    expect_next(fs, "d", cursor, "y");
    assert_ok(memfs_unlink(fs, NULL, "d/x"));
    assert_ok(memfs_unlink(fs, NULL, "d/a")); /* takes x's number */
    expect_next(fs, "d", cursor, "y");
    const uint64_t behind_y = cursor_behind(fs, "d", 2);
    expect_next(fs, "d", behind_y, NULL);
    assert_ok(memfs_unlink(fs, NULL, "d/y"));
    make(fs, "d/z"); /* takes y's number */
    expect_next(fs, "d", behind_y, "z");
    expect_next(fs, "d", cursor, "z");
    test_expect_names(fs, "d", "b z ");
    test_end(test, &image);
}

/* ---- Walks -------------------------------------------------------------------------------------------- */

static int count_step(void *context, const struct memfs_step *step)
{
    (void)step;
    ++*(int *)context;
    return 0;
}

static int named; /* steps that had the name */

static int expect_name(void *context, const struct memfs_step *step)
{
    if (step->depth == 0) {
        named++;
        assert_string_equal(step->path, context);
        assert_string_equal(step->name, context);
    }
    return 0;
}

static void test_corners__walk_as_a_name(void **state)
{
    struct test_state *test = *state;
    char name[] = "name";
    const struct memfs_walk_options options = {.size = sizeof options, .as = name};
    assert_ok(memfs_mkdir(test->fs, NULL, "d", 0755));
    make(test->fs, "d/file");
    int error = -ENOMEM;
    unsigned failed = 0;
    for (uint64_t nth = 1; error == -ENOMEM; nth++) {
        named = 0;
        test_memory_fail(&test->memory, nth, 0);
        error = memfs_walk_steps(test->fs, NULL, "d", &options, expect_name, name);
        test_memory_heal(&test->memory);
        failed += error == -ENOMEM;
    }
    assert_ok(error);
    assert_true(failed > 1);
    assert_int_equal(named, 1); /* in the end */
}

/* Links that lead round and names that are too long match nothing, and stop nothing. */
static void test_corners__glob_of_what_cannot_be(void **state)
{
    memfs *fs = ((struct test_state *)*state)->fs;
    char pattern[MEMFS_NAME_MAX + 8] = "d/";
    int count = 0;
    assert_ok(memfs_mkdir(fs, NULL, "d", 0755));
    make(fs, "d/file");
    assert_ok(memfs_symlink(fs, NULL, "loop", "loop"));
    assert_ok(memfs_symlink(fs, NULL, "d/file/below", "below a file"));
    assert_ok(memfs_glob_steps(fs, NULL, "*/file", NULL, count_step, &count));
    assert_int_equal(count, 1);
    memset(pattern + 2, 'n', MEMFS_NAME_MAX + 1);
    assert_result(memfs_glob_steps(fs, NULL, pattern, NULL, count_step, &count), -ENOENT);
    assert_int_equal(count, 1);
    char target[MEMFS_NAME_MAX + 2];
    memset(target, 'n', sizeof target - 1);
    target[sizeof target - 1] = 0;
    assert_ok(memfs_symlink(fs, NULL, target, "long"));
    assert_ok(memfs_glob_steps(fs, NULL, "*/file", NULL, count_step, &count));
    assert_int_equal(count, 2);
}

static void test_corners__deep_glob_and_no_memory(void **state)
{
    enum { DEPTH = 20 };
    struct test_state *test = *state;
    char path[3 * DEPTH + 2] = "";
    for (int i = 0; i < DEPTH; i++) {
        strcat(path, i ? "/d" : "d");
        assert_ok(memfs_mkdir(test->fs, NULL, path, 0755));
    }
    int error = -ENOMEM, count = 0;
    unsigned failed = 0;
    for (uint64_t nth = 1; error == -ENOMEM; nth++) {
        count = 0;
        test_memory_fail(&test->memory, nth, 0);
        error = memfs_glob_steps(test->fs, NULL, "**/d", NULL, count_step, &count);
        test_memory_heal(&test->memory);
        failed += error == -ENOMEM;
    }
    assert_ok(error);
    assert_int_equal(count, DEPTH);
    assert_true(failed > DEPTH);
}

/* ---- Hash tables and hints ------------------------------------------------------------------------------- */

static void make_some(memfs *fs, const char *dir, unsigned from, unsigned count)
{
    char path[32];
    for (unsigned i = from; i < from + count; i++) {
        snprintf(path, sizeof path, "%s/%u", dir, i);
        make(fs, path);
    }
}

/* A table that cannot grow makes longer chains; what is made is found. */
static void test_corners__no_memory_for_more_buckets(void **state)
{
    struct test_state *test = *state;
    unsigned failed = 0, done_without = 0;
    for (uint64_t nth = 1, more = 1; more; nth++) {
        memfs *fs = test_create(test, NULL);
        assert_ok(memfs_mkdir(fs, NULL, "d", 0755));
        make(fs, "d/large"); /* takes what is left of the first span */
        assert_result(memfs_node_write(fs, test_node(fs, "d/large"), PAGE - 1, "text", 4), 4);
        make_some(fs, "d", 0, APART - 1);
        const uint64_t before = atomic_load(&test->memory.failures);
        test_memory_fail(&test->memory, nth, 0);
        const int error = memfs_mknod(fs, NULL, "d/new", MEMFS_IFREG | 0644, 0, 0);
        test_memory_heal(&test->memory);
        more = atomic_load(&test->memory.failures) - before;
        failed += error == -ENOMEM;
        done_without += !error && more;
        if (error) {
            assert_result(error, -ENOMEM);
            make(fs, "d/new");
        }
        make_some(fs, "d", APART - 1, 100);
        for (unsigned i = 0; i < APART + 99; i += 10) {
            char path[16];
            snprintf(path, sizeof path, "d/%u", i);
            assert_int_equal(test_lstat(fs, path).nlink, 1);
        }
        assert_int_equal(test_lstat(fs, "d").size, APART + 101);
        memfs_destroy(fs);
    }
    assert_true(failed > 0);
    assert_true(done_without > 0);
}

/* A change for which more hints were made fails, and is the last. */
static void test_corners__hints_that_are_not_used(void **state)
{
    struct test_state *test = *state;
    unsigned failed = 0;
    for (uint64_t nth = 1; nth < 5; nth++) {
        const uint64_t live = atomic_load(&test->memory.live);
        memfs *fs = test_create(test, NULL);
        assert_ok(memfs_mkdir(fs, NULL, "d", 0755));
        make_some(fs, "d", 0, 255);
        test_memory_fail(&test->memory, nth, 1);
        const int error = memfs_symlink(fs, NULL, "target", "d/a name that is longer than a delta has room for");
        test_memory_heal(&test->memory);
        assert_int_equal(test_lstat(fs, "d").size, error ? 255 : 256);
        failed += error == -ENOMEM;
        memfs_destroy(fs);
        assert_int_equal(atomic_load(&test->memory.live), live);
    }
    assert_true(failed > 1);
}

/* Paths that end below, in a sealed filesystem, or go up to the root again, have no hints, and are found without. */
static void test_corners__paths_without_hints(void **state)
{
    struct test_state *test = *state;
    memfs_backing *sealed = NULL;
    assert_ok(memfs_mkdir(test->fs, NULL, "a", 0755));
    make(test->fs, "a/file");
    assert_ok(memfs_seal(test->fs, &sealed));
    test->fs = test_create(test, sealed);
    memfs_backing_release(sealed);
    assert_ok(memfs_mkdir(test->fs, NULL, "new", 0755));
    make_some(test->fs, "new", 0, 600);
    make(test->fs, "top");
    for (int again = 0; again < 2; again++) {
        assert_int_equal(test_lstat(test->fs, "a/file").node, test_node(test->fs, "a/../a/file"));
        assert_int_equal(test_lstat(test->fs, "new/../top").node, test_node(test->fs, "top"));
        assert_int_equal(test_lstat(test->fs, "new/599").node, test_node(test->fs, "new/./599"));
    }
    assert_ok(memfs_unlink(test->fs, NULL, "a/file"));
    struct memfs_stat stat;
    assert_result(memfs_stat(test->fs, NULL, "a/file", &stat), -ENOENT);
}

/* ---- On a sealed filesystem -------------------------------------------------------------------------------- */

static int remove_between(memfs *fs)
{
    return memfs_unlink(fs, NULL, "a/x1");
}

static int move_between(memfs *fs)
{
    return memfs_rename(fs, NULL, "a/x1", "b/a longer name than a delta has room for", 0);
}

static int exchange_between(memfs *fs)
{
    return memfs_rename(fs, NULL, "a/x1", "b/3", MEMFS_RENAME_EXCHANGE);
}

static int replace_between(memfs *fs)
{
    return memfs_rename(fs, NULL, "b/3", "a/x1", 0);
}

static int cut_between_pages(memfs *fs)
{
    return memfs_truncate(fs, NULL, "big", PAGE);
}

static int cut_in_page(memfs *fs)
{
    return memfs_truncate(fs, NULL, "big", PAGE + 100);
}

static int set_size(memfs *fs)
{
    const struct memfs_setattr set = {.set = MEMFS_SET_SIZE | MEMFS_SET_UID, .size = PAGE + 100, .uid = 3};
    return memfs_node_setattr(fs, NULL, test_node(fs, "big"), &set, NULL);
}

static int punch(memfs *fs)
{
    return memfs_node_punch(fs, test_node(fs, "big"), 0, PAGE + 5000);
}

static int link_between(memfs *fs)
{
    return memfs_link(fs, NULL, "a/x1", "b/another name that no delta has room for");
}

typedef int change_fn(memfs *fs);
static change_fn *const changes[] = {remove_between,    move_between, exchange_between, replace_between,
                                     cut_between_pages, cut_in_page,  set_size,         punch,
                                     link_between};

/* x0, x1 and x2 of a are insertions in chunks of their own, as are their nodes. */
static memfs_backing *seal_large(struct test_state *test)
{
    memfs *fs = test_create(test, NULL);
    memfs_backing *sealed = NULL;
    assert_ok(memfs_mkdir(fs, NULL, "a", 0755));
    assert_ok(memfs_mkdir(fs, NULL, "b", 0755));
    make(fs, "big");
    assert_result(memfs_node_write(fs, test_node(fs, "big"), 0, "first", 5), 5);
    assert_result(memfs_node_write(fs, test_node(fs, "big"), 2 * PAGE - 5, "second", 6), 6);
    assert_result(memfs_node_write(fs, test_node(fs, "big"), 200 * (uint64_t)PAGE, "last", 4), 4);
    make(fs, "a/x0");
    make_some(fs, "b", 0, APART);
    make(fs, "a/x1");
    make_some(fs, "b", APART, APART);
    make(fs, "a/x2");
    assert_ok(memfs_seal(fs, &sealed));
    return sealed;
}

/* The n-th allocation of a change fails, or all from there on: it has changed nothing, and works the next time. */
static uint64_t change_with(struct test_state *test, memfs_backing *sealed, change_fn *change, uint64_t nth, int after)
{
    memfs *fs = test_create(test, sealed);
    const uint64_t before = atomic_load(&test->memory.failures);
    struct memfs_stat stat = test_lstat(fs, "big");
    test_memory_fail(&test->memory, nth, after);
    const int error = change(fs);
    test_memory_heal(&test->memory);
    if (error) {
        assert_result(error, -ENOMEM);
        assert_int_equal(changes_of(fs), 0);
        assert_int_equal(test_lstat(fs, "big").size, stat.size);
        assert_int_equal(test_lstat(fs, "big").allocated, stat.allocated);
        test_expect_names(fs, "a", "x0 x1 x2 ");
        assert_ok(change(fs));
    }
    assert_int_equal(changes_of(fs), 1);
    memfs_destroy(fs);
    return atomic_load(&test->memory.failures) - before;
}

static void test_corners__sealed_and_no_memory(void **state)
{
    struct test_state *test = *state;
    memfs_backing *sealed = seal_large(test);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        uint64_t failed = 0;
        for (int after = 0; after < 2; after++)
            for (uint64_t nth = 1, more = 1; more; nth++)
                failed += more = change_with(test, sealed, changes[i], nth, after);
        assert_true(failed > 2);
    }
    memfs_backing_release(sealed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_fs(test_corners__attributes),
        test_with_fs(test_corners__xattrs),
        test_with_fs(test_corners__renames),
        test_with_fs(test_corners__sizes_beyond_all),
        test_with_fs(test_corners__sizes_of_nothing),
        test_with_fs(test_corners__hidden_pages),
        test_with_fs(test_corners__appended_behind_a_hole),
        test_with_fs(test_corners__cut_in_a_hole),
        test_with_fs(test_corners__many_pages_and_no_memory),
        test_with_fs(test_corners__cursor_near_the_beginning),
        test_with_fs(test_corners__cursor_at_a_number_used_again),
        test_with_fs(test_corners__walk_as_a_name),
        test_with_fs(test_corners__glob_of_what_cannot_be),
        test_with_fs(test_corners__deep_glob_and_no_memory),
        test_with_fs(test_corners__no_memory_for_more_buckets),
        test_with_fs(test_corners__hints_that_are_not_used),
        test_with_fs(test_corners__paths_without_hints),
        test_with_fs(test_corners__sealed_and_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
