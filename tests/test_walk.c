/* Walking and globbing. */
#include "records.h"
#include "testlib.h"

struct seen {
    struct test_buffer text;
    memfs *fs;
    const char *skip, *stop;
    int change;
};

static int visit(void *context, const char *path, const struct memfs_stat *stat)
{
    struct seen *seen = context;
    struct memfs_stat same = test_lstat(seen->fs, path);
    if (!seen->change) {
        assert_int_equal(same.node, stat->node);
        assert_int_equal(same.mode, stat->mode);
        assert_int_equal(same.size, stat->size);
    }
    test_buffer_print(&seen->text, "%s ", path);
    if (seen->stop && strcmp(path, seen->stop) == 0)
        return 77;
    return seen->skip && strcmp(path, seen->skip) == 0 ? MEMFS_WALK_SKIP : 0;
}

static void expect_walk(memfs *fs, const char *path, uint32_t flags, struct seen seen, int result, const char *want)
{
    seen.fs = fs;
    assert_result(memfs_walk(fs, NULL, path, flags, visit, &seen), result);
    test_buffer_add(&seen.text, "", 1);
    assert_string_equal((char *)seen.text.data, want);
    test_buffer_free(&seen.text);
}

static void expect_glob(memfs *fs, const char *pattern, int result, const char *want)
{
    struct seen seen = {.fs = fs};
    int got = memfs_glob(fs, NULL, pattern, visit, &seen);
    test_buffer_add(&seen.text, "", 1);
    if (got != result || strcmp((char *)seen.text.data, want) != 0)
        print_error("pattern %s\n", pattern);
    assert_result(got, result);
    assert_string_equal((char *)seen.text.data, want);
    test_buffer_free(&seen.text);
}

static void tree(memfs *fs)
{
    static const char *const dirs[] = {"d", "d/y", "d/x", "d/x/deep", "b"};
    static const char *const files[] = {"c.txt", "a.c", "d/x/one.c", "d/x/deep/two.c", "d/three.txt", ".hidden", "b/*"};
    for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++)
        assert_ok(memfs_mkdir(fs, NULL, dirs[i], 0755));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        test_put_text(fs, files[i], files[i]);
    assert_ok(memfs_symlink(fs, NULL, "d", "s"));
}

static void test_walk__orders(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    tree(test->fs);
    expect_walk(test->fs, "d", 0, (struct seen){0}, 0,
                "/d /d/y /d/x /d/x/deep /d/x/deep/two.c /d/x/one.c /d/three.txt ");
    expect_walk(test->fs, "/", MEMFS_WALK_SORTED, (struct seen){0}, 0,
                "/ /.hidden /a.c /b /b/* /c.txt /d /d/three.txt /d/x /d/x/deep /d/x/deep/two.c /d/x/one.c /d/y /s ");
    test_reopen(test, &image);
    expect_walk(test->fs, "/", 0, (struct seen){0}, 0,
                "/ /.hidden /a.c /b /b/* /c.txt /d /d/three.txt /d/x /d/x/deep /d/x/deep/two.c /d/x/one.c /d/y /s ");
    expect_walk(test->fs, "/d/x", MEMFS_WALK_SORTED | MEMFS_WALK_POST, (struct seen){0}, 0,
                "/d/x/deep/two.c /d/x/deep /d/x/one.c /d/x ");
    test_end(test, &image);
}

static void test_walk__skip_and_stop(void **state)
{
    struct test_state *test = *state;
    tree(test->fs);
    expect_walk(test->fs, "d", MEMFS_WALK_SORTED, (struct seen){.skip = "/d/x"}, 0, "/d /d/three.txt /d/x /d/y ");
    expect_walk(test->fs, "d", MEMFS_WALK_SORTED, (struct seen){.stop = "/d/x/deep"}, 77,
                "/d /d/three.txt /d/x /d/x/deep ");
    expect_walk(test->fs, "a.c", 0, (struct seen){0}, 0, "/a.c ");
    expect_walk(test->fs, "none", 0, (struct seen){0}, -ENOENT, "");
    expect_walk(test->fs, "s", 0, (struct seen){0}, 0, "/s ");
}

/* The tree is removed from under the walk, deepest first, as `rm -r` does. */
static int remove_visited(void *context, const char *path, const struct memfs_stat *stat)
{
    if (strcmp(path, "/") == 0)
        return 0;
    int error =
        (stat->mode & MEMFS_IFMT) == MEMFS_IFDIR ? memfs_rmdir(context, NULL, path) : memfs_unlink(context, NULL, path);
    return error;
}

static void test_walk__changes_meanwhile(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    char path[32];
    tree(test->fs);
    for (int i = 0; i < 2000; i++) {
        snprintf(path, sizeof path, "d/x/deep/%d", i);
        test_put_text(test->fs, path, "");
    }
    test_reopen(test, &image);
    assert_ok(memfs_walk(test->fs, NULL, "/", MEMFS_WALK_POST, remove_visited, test->fs));
    test_expect_names(test->fs, "/", "");
    struct memfs_statfs statfs;
    assert_ok(memfs_statfs(test->fs, &statfs));
    assert_int_equal(statfs.nodes, 1);
    test_end(test, &image);
}

struct renaming {
    memfs *fs;
    unsigned visits, made;
};

/* Each file gets another name, beside a new one. */
static int rename_visited(void *context, const char *path, const struct memfs_stat *stat)
{
    struct renaming *renaming = context;
    char to[64];
    if ((stat->mode & MEMFS_IFMT) == MEMFS_IFDIR)
        return 0;
    assert_true(++renaming->visits <= 2000);
    snprintf(to, sizeof to, "d/new%u", renaming->made++);
    assert_ok(memfs_rename(renaming->fs, NULL, path, to, 0));
    snprintf(to, sizeof to, "d/new%u", renaming->made++);
    test_put_text(renaming->fs, to, "");
    return 0;
}

/* A directory ends where it ended when the walk came into it. */
static void test_walk__renames_meanwhile(void **state)
{
    static const uint32_t flags[] = {0, MEMFS_WALK_POST, MEMFS_WALK_SORTED};
    struct test_state *test = *state;
    struct test_buffer image = {0};
    struct renaming renaming = {.fs = test->fs};
    char path[32];
    assert_ok(memfs_mkdir(test->fs, NULL, "d", 0755));
    for (int i = 0; i < 100; i++) {
        snprintf(path, sizeof path, "d/file%d", i);
        test_put_text(test->fs, path, "");
    }
    unsigned files = 100;
    for (size_t i = 0; i < 3; i++, files *= 2, renaming.visits = 0) {
        assert_ok(memfs_walk(test->fs, NULL, "/", flags[i], rename_visited, &renaming));
        assert_int_equal(renaming.visits, files);
    }
    test_reopen(test, &image);
    renaming.fs = test->fs;
    assert_int_equal(test_lstat(test->fs, "d").size, files);
    assert_ok(memfs_walk(test->fs, NULL, "/", 0, rename_visited, &renaming));
    assert_int_equal(renaming.visits, files);
    renaming.visits = 0;
    assert_ok(memfs_glob(test->fs, NULL, "d/*", rename_visited, &renaming));
    assert_int_equal(renaming.visits, 2 * files);
    test_end(test, &image);
}

static void test_walk__permissions(void **state)
{
    struct test_state *test = *state;
    struct memfs_cred cred = {.size = sizeof cred, .uid = 4, .gid = 4};
    struct memfs_setattr set = {.set = MEMFS_SET_MODE, .mode = 0700};
    struct seen seen = {.fs = test->fs};
    tree(test->fs);
    assert_ok(memfs_setattr(test->fs, NULL, "d/x", 1, &set));
    assert_result(memfs_walk(test->fs, &cred, "d", 0, visit, &seen), -EACCES);
    test_buffer_free(&seen.text);
}

static void test_walk__glob(void **state)
{
    struct test_state *test = *state;
    tree(test->fs);
    expect_glob(test->fs, "*.c", 0, "/a.c ");
    expect_glob(test->fs, "/*.c", 0, "/a.c ");
    expect_glob(test->fs, "*", 0, "/.hidden /a.c /b /c.txt /d /s ");
    expect_glob(test->fs, "?", 0, "/b /d /s ");
    expect_glob(test->fs, "[a-c]*", 0, "/a.c /b /c.txt ");
    expect_glob(test->fs, "[!a-c]*", 0, "/.hidden /d /s ");
    expect_glob(test->fs, "d/*/*.c", 0, "/d/x/one.c ");
    expect_glob(test->fs, "**/*.c", 0, "/a.c /d/x/deep/two.c /d/x/one.c ");
    expect_glob(test->fs, "d/**", 0, "/d/three.txt /d/x /d/x/deep /d/x/deep/two.c /d/x/one.c /d/y ");
    expect_glob(test->fs, "d/**/deep", 0, "/d/x/deep ");
    expect_glob(test->fs, "b/\\*", 0, "/b/* ");
    expect_glob(test->fs, "\\*", -ENOENT, "");
    expect_glob(test->fs, "nothing*", -ENOENT, "");
    expect_glob(test->fs, "[a", -EINVAL, "");
    expect_glob(test->fs, "a\\", -EINVAL, "");
    expect_glob(test->fs, "d/three.txt", 0, "/d/three.txt ");
}

static int print_step(void *context, const struct memfs_step *step)
{
    assert_int_equal(step->path_length, strlen(step->path));
    assert_ptr_equal(step->name, step->path + step->path_length - strlen(step->name));
    test_buffer_print(context, "%d:%s(%s) ", (int)step->depth, step->path, step->name);
    return 0;
}

static int print_failed(void *context, const struct memfs_step *step, int error)
{
    test_buffer_print(context, "%d:%s!%d ", (int)step->depth, step->path, error);
    return 0;
}

static void expect_steps(memfs *fs, const char *path, const struct memfs_walk_options *options, int result,
                         const char *want)
{
    struct test_buffer text = {0};
    assert_result(memfs_walk_steps(fs, NULL, path, options, print_step, &text), result);
    test_buffer_add(&text, "", 1);
    assert_string_equal((char *)text.data, want);
    test_buffer_free(&text);
}

static void test_walk__steps(void **state)
{
    struct test_state *test = *state;
    struct memfs_walk_options options = {.size = sizeof options, .flags = MEMFS_WALK_SORTED, .as = "./d/"};
    tree(test->fs);
    expect_steps(test->fs, "d/x", NULL, 0, "0:/d/x(x) 1:/d/x/deep(deep) 2:/d/x/deep/two.c(two.c) 1:/d/x/one.c(one.c) ");
    expect_steps(test->fs, "d/x", &options, 0, "0:./d/() 1:./d/deep(deep) 2:./d/deep/two.c(two.c) 1:./d/one.c(one.c) ");
    options.as = "/";
    expect_steps(test->fs, "d/y", &options, 0, "0:/() ");
    options.as = NULL;
    options.flags = MEMFS_WALK_SORTED | MEMFS_WALK_POST;
    expect_steps(test->fs, "/d", &options, 0,
                 "1:/d/three.txt(three.txt) 3:/d/x/deep/two.c(two.c) 2:/d/x/deep(deep) 2:/d/x/one.c(one.c) 1:/d/x(x) "
                 "1:/d/y(y) 0:/d(d) ");
    options.flags = MEMFS_WALK_SORTED | MEMFS_WALK_NAMES;
    expect_steps(test->fs, "d/x", &options, 0, "0:() 1:deep(deep) 2:two.c(two.c) 1:one.c(one.c) ");
    options.flags = MEMFS_WALK_NAMES;
    expect_steps(test->fs, "d/x/one.c", &options, 0, "0:() ");
    expect_steps(test->fs, "b", &options, 0, "0:() 1:*(*) ");
    options.as = "d";
    expect_steps(test->fs, "/d", &options, -EINVAL, "");
    options.as = NULL;
    options.flags |= MEMFS_WALK_POST;
    expect_steps(test->fs, "/d", &options, -EINVAL, "");
    options.flags = 8;
    expect_steps(test->fs, "/d", &options, -EINVAL, "");
}

struct unread {
    memfs_node top, wide;
    int of_wide, of_entries;
};

/* What failed is known by its node, also where it has no name any more. */
static int note_unread(void *context, const struct memfs_step *step, int error)
{
    struct unread *unread = context;
    assert_result(error, -EIO);
    assert_ptr_equal(step->name, step->path);
    if (step->depth == 0) {
        assert_int_equal(step->node, unread->top);
    } else if (step->depth == 1) {
        assert_int_equal(step->node, unread->wide);
        assert_int_equal(step->dir, unread->top);
        unread->of_wide += step->path[0] == '\0' && !step->stat;
    } else {
        assert_int_equal(step->dir, unread->wide);
        assert_int_equal(step->path[0], 'f');
        assert_int_not_equal(step->node, 0);
        unread->of_entries++;
    }
    return 0;
}

static int pass(void *context, const struct memfs_step *step)
{
    (void)context;
    assert_int_equal(step->node, step->stat->node);
    return 0;
}

/* Whether the n-th load of a table during the walk failed. */
static int walk_failing(struct test_state *test, const struct test_buffer *image, int table, uint64_t n,
                        struct unread *unread)
{
    struct test_fault fault = {.only = 1 + table};
    const struct memfs_walk_options options = {
        .size = sizeof options, .flags = MEMFS_WALK_NAMES, .failed = note_unread};
    memfs_destroy(test->fs);
    test->fs = test_thaw_fault(test, image, &fault);
    unread->top = test_node(test->fs, "d");
    unread->wide = test_node(test->fs, "d/wide");
    atomic_store(&fault.calls, 0);
    atomic_store(&fault.fail_at, n);
    const int result = memfs_walk_steps(test->fs, NULL, "d", &options, pass, unread);
    assert_true(result == 0 || result == -EIO); /* where it begins must be there */
    atomic_store(&fault.fail_at, 0);
    memfs_destroy(test->fs);
    test->fs = NULL;
    return atomic_load(&fault.failures) > 0;
}

static void test_walk__failed_names(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    struct unread unread = {0};
    char path[32];
    assert_ok(memfs_mkdir(test->fs, NULL, "d", 0755));
    assert_ok(memfs_mkdir(test->fs, NULL, "d/wide", 0755));
    for (int i = 0; i < 300; i++) {
        snprintf(path, sizeof path, "d/wide/f%d", i);
        test_put_text(test->fs, path, "");
    }
    test_freeze(test->fs, &image);
    for (uint64_t n = 1; walk_failing(test, &image, MEMFS_ENTRIES, n, &unread); n++)
        continue;
    for (uint64_t n = 1; walk_failing(test, &image, MEMFS_NODES, n, &unread); n = n * 3 / 2 + 1)
        continue;
    assert_true(unread.of_wide > 0 && unread.of_entries > 0);
    test_end(test, &image);
}

static void test_walk__too_deep(void **state)
{
    struct test_state *test = *state;
    struct memfs_walk_options options = {.size = sizeof options, .flags = MEMFS_WALK_SORTED};
    tree(test->fs);
    options.depth_max = 3; /* a file in the deepest directory is no deeper than that */
    expect_steps(test->fs, "d/x", &options, 0,
                 "0:/d/x(x) 1:/d/x/deep(deep) 2:/d/x/deep/two.c(two.c) 1:/d/x/one.c(one.c) ");
    options.depth_max = 2;
    expect_steps(test->fs, "d/x", &options, MEMFS_ELIMIT, "0:/d/x(x) ");
    expect_steps(test->fs, "d/x/deep", &options, MEMFS_ELIMIT, ""); /* counted from the root */
    expect_steps(test->fs, "d/x/deep/two.c", &options, 0, "0:/d/x/deep/two.c(two.c) ");
    options.failed = print_failed;
    expect_steps(test->fs, "d/x", &options, 0, "0:/d/x(x) 1:/d/x/deep!-4006 1:/d/x/one.c(one.c) ");
    options.flags |= MEMFS_WALK_POST;
    expect_steps(test->fs, "d/x", &options, 0, "1:/d/x/deep!-4006 1:/d/x/one.c(one.c) 0:/d/x(x) ");
}

static void test_walk__glob_depth(void **state)
{
    struct test_state *test = *state;
    struct memfs_walk_options options = {.size = sizeof options, .depth_max = 3};
    struct test_buffer text = {0};
    tree(test->fs);
    assert_ok(memfs_glob_steps(test->fs, NULL, "**/*.c", &options, print_step, &text));
    test_buffer_add(&text, "", 1);
    assert_string_equal((char *)text.data, "1:/a.c(a.c) 4:/d/x/deep/two.c(two.c) 3:/d/x/one.c(one.c) ");
    options.depth_max = 2;
    assert_result(memfs_glob_steps(test->fs, NULL, "**/*.c", &options, print_step, &text), MEMFS_ELIMIT);
    test_buffer_free(&text);
    options.failed = print_failed;
    assert_ok(memfs_glob_steps(test->fs, NULL, "**/*.c", &options, print_step, &text));
    test_buffer_add(&text, "", 1);
    assert_string_equal((char *)text.data, "1:/a.c(a.c) 3:/d/x/deep!-4006 3:/d/x/one.c(one.c) ");
    assert_ok(memfs_glob_steps(test->fs, NULL, "d/*/*.c", &options, print_step, &text));
    test_buffer_free(&text);
}

/* Sets, quoting, dots, repeated slashes and stars; and what is no pattern. */
static void test_walk__glob_patterns(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    tree(fs);
    test_put_text(fs, "]x", "");
    test_put_text(fs, "-x", "");
    test_put_text(fs, "!x", "");
    expect_glob(fs, "[]]x", 0, "/]x ");
    expect_glob(fs, "[!]]x", 0, "/!x /-x ");
    expect_glob(fs, "[a-]x", 0, "/-x ");
    expect_glob(fs, "[\\!]x", 0, "/!x ");
    expect_glob(fs, "[a-\\c].c", 0, "/a.c ");
    expect_glob(fs, "./d//x/./one.c", 0, "/d/x/one.c ");
    expect_glob(fs, "**/**/two.c", 0, "/d/x/deep/two.c ");
    expect_glob(fs, "/", 0, "/ ");
    expect_glob(fs, "s/x/*.c", 0, "/s/x/one.c ");
    expect_glob(fs, "*/x/deep/", 0, "/d/x/deep /s/x/deep ");
    expect_glob(fs, "a.c/", -ENOENT, "");
    expect_glob(fs, "a.c/*", -ENOENT, "");
    expect_glob(fs, "", -ENOENT, "");
    static const char *const malformed[] = {"d/..", "[a-", "[a-\\", "[\\", "[!", "x[", "*\\"};
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++)
        expect_glob(fs, malformed[i], -EINVAL, "");
}

/* What is visited takes away what would have been visited next. */
static int remove_next(void *context, const char *path, const struct memfs_stat *stat)
{
    struct seen *seen = context;
    (void)stat;
    test_buffer_print(&seen->text, "%s ", path);
    if (strcmp(path, "/b") == 0) {
        assert_ok(memfs_unlink(seen->fs, NULL, "b/*"));
        assert_ok(memfs_rmdir(seen->fs, NULL, "b"));
        assert_ok(memfs_unlink(seen->fs, NULL, "c.txt"));
        assert_ok(memfs_unlink(seen->fs, NULL, "d/x/deep/two.c"));
        assert_ok(memfs_rmdir(seen->fs, NULL, "d/x/deep"));
    }
    return 0;
}

static void expect_while_removing(memfs *fs, uint32_t flags, const char *want)
{
    struct seen seen = {.fs = fs};
    tree(fs);
    assert_ok(memfs_walk(fs, NULL, "/", flags, remove_next, &seen));
    test_buffer_add(&seen.text, "", 1);
    assert_string_equal((char *)seen.text.data, want);
    test_buffer_free(&seen.text);
}

static void test_walk__passes_over_what_goes_away(void **state)
{
    struct test_state *test = *state;
    expect_while_removing(test->fs, MEMFS_WALK_SORTED, "/ /.hidden /a.c /b /d /d/three.txt /d/x /d/x/one.c /d/y /s ");
    memfs_destroy(test->fs);
    test->fs = test_create(test, NULL);
    expect_while_removing(test->fs, MEMFS_WALK_SORTED | MEMFS_WALK_POST,
                          "/.hidden /a.c /b/* /b /d/three.txt /d/x/one.c /d/x /d/y /d /s / ");
}

static int say_and_answer(void *context, const char *path, const struct memfs_stat *stat)
{
    struct seen *seen = context;
    (void)stat;
    test_buffer_print(&seen->text, "%s ", path);
    return seen->stop && strcmp(path, seen->stop) == 0 ? -ECANCELED : MEMFS_WALK_SKIP;
}

/* Skipping means nothing for a glob and for directories behind their entries; all else ends. */
static void test_walk__answers(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    struct seen seen = {.fs = fs};
    tree(fs);
    assert_ok(memfs_symlink(fs, NULL, "d/x", "to"));
    assert_ok(memfs_symlink(fs, NULL, "nowhere", "dangling"));
    assert_ok(memfs_glob(fs, NULL, "*/", say_and_answer, &seen));
    assert_ok(memfs_walk(fs, NULL, "/d/x", MEMFS_WALK_SORTED | MEMFS_WALK_POST, say_and_answer, &seen));
    assert_ok(memfs_walk(fs, NULL, "a.c", 0, say_and_answer, &seen));
    seen.stop = "/to/one.c";
    assert_result(memfs_glob(fs, NULL, "t?/*", say_and_answer, &seen), -ECANCELED);
    assert_result(memfs_glob(fs, NULL, "dangling/*", say_and_answer, &seen), -ENOENT);
    assert_result(memfs_walk(fs, NULL, "nowhere", 0, say_and_answer, &seen), -ENOENT);
    assert_result(memfs_walk(fs, NULL, "/", 8, say_and_answer, &seen), -EINVAL);
    test_buffer_add(&seen.text, "", 1);
    assert_string_equal((char *)seen.text.data,
                        "/b /d /s /to /d/x/deep/two.c /d/x/deep /d/x/one.c /d/x /a.c /to/deep /to/one.c ");
    test_buffer_free(&seen.text);
}

/* Patterns that make naive matchers take years. */
static void test_walk__glob_is_not_exponential(void **state)
{
    struct test_state *test = *state;
    char name[256];
    memset(name, 'a', 255);
    name[255] = 0;
    test_put_text(test->fs, name, "");
    expect_glob(test->fs, "*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", -ENOENT, "");
}

static int count_path(void *context, const char *path, const struct memfs_stat *stat)
{
    (void)path;
    (void)stat;
    ++*(unsigned *)context;
    return 0;
}

static int skip_step(void *context, const struct memfs_step *step)
{
    (void)context;
    (void)step;
    return 0;
}

static int cancel_at(void *context, const struct memfs_progress *progress)
{
    return progress->nodes >= *(const uint64_t *)context;
}

/* Also where nothing is visited; many links to a directory are no reason to end. */
static void test_walk__progress(void **state)
{
    memfs *fs = ((struct test_state *)*state)->fs;
    char path[64];
    uint64_t at = 150;
    unsigned count = 0;
    const struct memfs_walk_options options = {.size = sizeof options, .progress = cancel_at, .progress_context = &at};
    assert_ok(memfs_mkdir(fs, NULL, "d", 0755));
    for (unsigned i = 0; i < 100; i++) {
        snprintf(path, sizeof path, "d/f%u", i);
        test_put_text(fs, path, "");
        snprintf(path, sizeof path, "l%u", i);
        assert_ok(memfs_symlink(fs, NULL, "d", path));
    }
    assert_ok(memfs_glob(fs, NULL, "*/f1*", count_path, &count));
    assert_int_equal(count, 101 * 11);
    assert_result(memfs_glob_steps(fs, NULL, "**/nothing", &options, skip_step, NULL), -ECANCELED);
    at = 1000;
    assert_result(memfs_glob_steps(fs, NULL, "**/nothing", &options, skip_step, NULL), -ENOENT);
    at = 5;
    assert_result(memfs_walk_steps(fs, NULL, "/", &options, skip_step, NULL), -ECANCELED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_fs(test_walk__orders),
        test_with_fs(test_walk__skip_and_stop),
        test_with_fs(test_walk__changes_meanwhile),
        test_with_fs(test_walk__renames_meanwhile),
        test_with_fs(test_walk__permissions),
        test_with_fs(test_walk__steps),
        test_with_fs(test_walk__failed_names),
        test_with_fs(test_walk__too_deep),
        test_with_fs(test_walk__glob),
        test_with_fs(test_walk__glob_depth),
        test_with_fs(test_walk__glob_patterns),
        test_with_fs(test_walk__passes_over_what_goes_away),
        test_with_fs(test_walk__answers),
        test_with_fs(test_walk__glob_is_not_exponential),
        test_with_fs(test_walk__progress),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
