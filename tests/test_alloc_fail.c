/*
 * One long story, told again and again: each time the n-th allocation fails, or
 * the n-th read of the image's source, or the n-th call of the backing; once, or
 * from then on. A step that fails must have changed nothing, and the story must
 * go on when it is told again. Then: the same under every cap of memory. With
 * MEMFS_FAST only one call of many fails; of those from which on all fail, every third but with MEMFS_FULL.
 */
#include "testlib.h"

#define LARGE 70000u

struct story {
    struct test_state *test;
    memfs *fs;
    uint64_t capacity;
    memfs_file *file;
    memfs_node node;
    memfs_image *image;
    memfs_backing *backing;
    struct test_buffer frozen; /* the image of the first half */
    struct test_buffer bytes;  /* of a freeze in this step */
    struct test_source source;
    struct test_fault fault;
    uint8_t data[LARGE];
};

/* A step returns 0 or an error, and then can be taken again. */
typedef int step_fn(struct story *story);

static int ok(int64_t result)
{
    return result < 0 ? (int)result : 0;
}

/* A node that has a name, so that it needs no look-up count. */
static int find(struct story *story, const char *path, memfs_node *out)
{
    int error = memfs_resolve(story->fs, NULL, path, 0, out);
    if (!error)
        memfs_node_forget(story->fs, *out, 1);
    return error;
}

/* ---- From nothing ------------------------------------------------------------------- */

static int create(struct story *story, memfs_backing *backing)
{
    struct memfs_options options = {.size = sizeof options,
                                    .allocator = &story->test->memory.hook,
                                    .capacity = story->capacity,
                                    .clock = test_clock_read,
                                    .clock_context = &story->test->clock,
                                    .backing = backing};
    return memfs_create(&options, &story->fs);
}

static int begin(struct story *story)
{
    return create(story, NULL);
}

static int make_dir(struct story *story)
{
    return memfs_mkdir(story->fs, NULL, "d", 0755);
}

static int make_deeper(struct story *story)
{
    memfs_node dir = 0;
    int error = find(story, "d", &dir);
    return error ? error : memfs_node_mkdir(story->fs, NULL, dir, "sub", 02755, NULL);
}

static int make_file(struct story *story)
{
    return memfs_open(story->fs, NULL, "d/f", MEMFS_O_RDWR | MEMFS_O_CREATE | MEMFS_O_EXCL, 0640, &story->file);
}

static int write_small(struct story *story)
{
    return ok(memfs_pwrite(story->file, "small", 5, 0));
}

static int write_large(struct story *story)
{
    return ok(memfs_pwrite(story->file, story->data, LARGE, 4000));
}

static int write_far(struct story *story)
{
    return ok(memfs_pwrite(story->file, "far", 3, UINT64_C(1) << 50));
}

static int append(struct story *story)
{
    return ok(memfs_node_write(story->fs, memfs_file_node(story->file), MEMFS_APPEND, story->data, 9000));
}

static int truncate_down(struct story *story)
{
    return memfs_ftruncate(story->file, 30001);
}

static int truncate_up(struct story *story)
{
    return memfs_ftruncate(story->file, 300000);
}

static int punch(struct story *story)
{
    return memfs_node_punch(story->fs, memfs_file_node(story->file), 5000, 20000);
}

static int allocate(struct story *story)
{
    return memfs_node_allocate(story->fs, memfs_file_node(story->file), 100000, 100000, 0);
}

static int close_file(struct story *story)
{
    memfs_close(story->file);
    story->file = NULL;
    return 0;
}

static int make_twin(struct story *story)
{
    return memfs_mknod(story->fs, NULL, "twin", MEMFS_IFREG | 0600, 0, 0);
}

static int copy(struct story *story)
{
    memfs_node from = 0, to = 0;
    int error = find(story, "d/f", &from);
    error = error ? error : find(story, "twin", &to);
    return error ? error : ok(memfs_node_copy(story->fs, from, 0, to, 10, 60000));
}

static int make_device(struct story *story)
{
    return memfs_mknod(story->fs, NULL, "d/null", MEMFS_IFCHR | 0666, 1, 3);
}

static int make_symlink(struct story *story)
{
    return memfs_symlink(story->fs, NULL, "/d/.//f", "d/sub/soft");
}

static int make_link(struct story *story)
{
    return memfs_link(story->fs, NULL, "d/f", "d/sub/hard");
}

static int set_attributes(struct story *story)
{
    struct memfs_setattr set = {
        .set = MEMFS_SET_MODE | MEMFS_SET_UID | MEMFS_SET_MTIME, .mode = 04711, .uid = 7, .mtime = -5};
    return memfs_setattr(story->fs, NULL, "d/sub/soft", 1, &set);
}

static int set_xattr(struct story *story)
{
    return memfs_setxattr(story->fs, NULL, "d/f", 1, "user.large", story->data, 3000, 0);
}

static int set_xattr_too(struct story *story)
{
    return memfs_setxattr(story->fs, NULL, "d/f", 1, "user.a", "b", 1, 0);
}

static int remove_xattr(struct story *story)
{
    return memfs_removexattr(story->fs, NULL, "d/f", 1, "user.large");
}

static int set_default_acl(struct story *story)
{
    static const uint8_t acl[] = {2, 0, 0,   0,   1,   0,   7,  0, 255, 255, 255, 255, 2,   0,  5,
                                  0, 9, 0,   0,   0,   4,   0,  5, 0,   255, 255, 255, 255, 16, 0,
                                  7, 0, 255, 255, 255, 255, 32, 0, 0,   0,   255, 255, 255, 255};
    return memfs_setxattr(story->fs, NULL, "d/sub", 1, "system.posix_acl_default", acl, sizeof acl, 0);
}

static int inherit_acl(struct story *story)
{
    return memfs_mkdir(story->fs, NULL, "d/sub/inherits", 0777);
}

static int open_tmpfile(struct story *story)
{
    return memfs_open(story->fs, NULL, "d", MEMFS_O_RDWR | MEMFS_O_TMPFILE, 0600, &story->file);
}

static int link_tmpfile(struct story *story)
{
    memfs_node dir = 0;
    int error = find(story, "d", &dir);
    return error ? error : memfs_node_link(story->fs, NULL, memfs_file_node(story->file), dir, "named");
}

static int rename_file(struct story *story)
{
    return memfs_rename(story->fs, NULL, "d/named", "renamed", 0);
}

static int rename_over(struct story *story)
{
    return memfs_rename(story->fs, NULL, "renamed", "twin", 0);
}

static int exchange(struct story *story)
{
    return memfs_rename(story->fs, NULL, "d/sub", "twin", MEMFS_RENAME_EXCHANGE);
}

static int make_many(struct story *story)
{
    char name[64];
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "twin/one of many names, number %d", i);
        int error = memfs_mknod(story->fs, NULL, name, MEMFS_IFREG | 0600, 0, 0);
        if (error && error != -EEXIST)
            return error;
    }
    return 0;
}

static int remove_file(struct story *story)
{
    return memfs_unlink(story->fs, NULL, "d/null");
}

static int remove_dir(struct story *story)
{
    return memfs_rmdir(story->fs, NULL, "twin/inherits");
}

/* ---- Looking -------------------------------------------------------------------------- */

static int read_all(struct story *story)
{
    static uint8_t bytes[LARGE];
    uint64_t at = 0;
    memfs_node node = 0;
    int64_t got = find(story, "d/f", &node);
    if (got)
        return (int)got;
    while ((got = memfs_node_read(story->fs, node, at, bytes, sizeof bytes)) > 0)
        at += (uint64_t)got;
    return ok(got);
}

static int look_by_view(struct story *story)
{
    struct memfs_view view;
    memfs_node node = 0;
    int error = find(story, "d/f", &node);
    error = error ? error : memfs_node_view(story->fs, node, 100, 5000, &view);
    if (!error)
        memfs_view_release(story->fs, &view);
    return error;
}

static int seek(struct story *story)
{
    memfs_node node = 0;
    int error = find(story, "d/f", &node);
    return error ? error : ok(memfs_node_seek(story->fs, node, 5000, MEMFS_SEEK_HOLE));
}

static int count_visit(void *context, const char *path, const struct memfs_stat *stat)
{
    struct story *story = context;
    char names[256];
    (void)path;
    return ok(memfs_node_listxattr(story->fs, NULL, stat->node, names, sizeof names));
}

static int walk(struct story *story)
{
    return memfs_walk(story->fs, NULL, "/", MEMFS_WALK_SORTED, count_visit, story);
}

static int glob(struct story *story)
{
    return memfs_glob(story->fs, NULL, "**/*o[a-z]*", count_visit, story);
}

static int check_access(struct story *story)
{
    struct memfs_cred cred = {.size = sizeof cred, .uid = 9, .gid = 9};
    int error = memfs_access(story->fs, &cred, "twin/soft/..", MEMFS_R_OK);
    return error == -ENOTDIR || error == -EACCES ? 0 : error;
}

/* ---- Freezing, opening, sealing ------------------------------------------------------------ */

/* By small blocks at a low level, as that is told a thousand times: zstd's tables are the most of it. */
static int freeze(struct story *story)
{
    struct memfs_sink sink = test_buffer_sink(&story->bytes);
    struct memfs_freeze_options options = {
        .size = sizeof options, .allocator = &story->test->memory.hook, .block_size = 65536, .level = 1};
    story->bytes.length = 0;
    return memfs_freeze(story->fs, &sink, &options, NULL);
}

static int go_on_with_the_image(struct story *story)
{
    memfs_destroy(story->fs);
    story->fs = NULL;
    test_buffer_add(&story->frozen, story->bytes.data, story->bytes.length);
    return 0;
}

static int open_image(struct story *story)
{
    struct memfs_source source = test_source_of(&story->source, &story->frozen);
    struct memfs_image_options options = {
        .size = sizeof options, .allocator = &story->test->memory.hook, .cache_bytes = 1};
    return memfs_image_open_source(&source, &options, &story->image, NULL);
}

static int stand_on_it(struct story *story)
{
    if (!story->backing)
        story->backing = test_fault_backing(memfs_image_backing(story->image), &story->fault);
    return create(story, story->backing);
}

static int verify(struct story *story)
{
    return memfs_verify(story->image, NULL, NULL);
}

static int write_at(struct story *story, const char *path, uint64_t offset, const void *data, size_t size)
{
    memfs_node node = 0;
    int error = find(story, path, &node);
    return error ? error : ok(memfs_node_write(story->fs, node, offset, data, size));
}

static int write_into(struct story *story)
{
    return write_at(story, "d/f", 6000, "changed", 7);
}

static int write_over_border(struct story *story)
{
    return write_at(story, "twin/hard", 65530, "changed, too", 12);
}

static int cut_base(struct story *story)
{
    struct memfs_setattr set = {.set = MEMFS_SET_SIZE, .size = 12345};
    memfs_node node = 0;
    int error = find(story, "d/sub", &node);
    return error ? error : memfs_node_setattr(story->fs, NULL, node, &set, NULL);
}

static int remove_base(struct story *story)
{
    return memfs_unlink(story->fs, NULL, "twin/soft");
}

static int rename_base(struct story *story)
{
    return memfs_rename(story->fs, NULL, "twin", "d/moved", 0);
}

static int replace_base(struct story *story)
{
    return memfs_rename(story->fs, NULL, "d/sub", "d/moved/hard", 0);
}

static int add_to_base(struct story *story)
{
    return memfs_symlink(story->fs, NULL, "target", "d/moved/new name");
}

static int change_base_xattr(struct story *story)
{
    return memfs_setxattr(story->fs, NULL, "d/f", 1, "user.a", "other", 5, MEMFS_XATTR_REPLACE);
}

static int change_base_mode(struct story *story)
{
    struct memfs_setattr set = {.set = MEMFS_SET_MODE | MEMFS_SET_GID, .mode = 0123, .gid = 8};
    return memfs_setattr(story->fs, NULL, "d/moved", 1, &set);
}

static int seal(struct story *story)
{
    memfs_backing *sealed = NULL;
    int error = memfs_seal(story->fs, &sealed);
    if (error)
        return error;
    memfs_backing_release(story->backing);
    story->backing = sealed;
    story->fs = NULL;
    return 0;
}

static int change_sealed(struct story *story)
{
    return memfs_rename(story->fs, NULL, "d/moved/new name", "d/f", 0);
}

static int write_sealed(struct story *story)
{
    return write_at(story, "d/moved/hard", 100, story->data, 20000);
}

#define STEP(function)                                                                                                 \
    {                                                                                                                  \
#function, function                                                                                            \
    }
static const struct {
    const char *name;
    step_fn *take;
} steps[] = {
    STEP(begin),
    STEP(make_dir),
    STEP(make_deeper),
    STEP(make_file),
    STEP(write_small),
    STEP(write_large),
    STEP(write_far),
    STEP(append),
    STEP(truncate_down),
    STEP(truncate_up),
    STEP(punch),
    STEP(allocate),
    STEP(write_large),
    STEP(close_file),
    STEP(make_twin),
    STEP(copy),
    STEP(make_device),
    STEP(make_symlink),
    STEP(make_link),
    STEP(set_attributes),
    STEP(set_xattr),
    STEP(set_xattr_too),
    STEP(remove_xattr),
    STEP(set_default_acl),
    STEP(inherit_acl),
    STEP(open_tmpfile),
    STEP(write_small),
    STEP(link_tmpfile),
    STEP(close_file),
    STEP(rename_file),
    STEP(rename_over),
    STEP(exchange),
    STEP(make_many),
    STEP(remove_file),
    STEP(remove_dir),
    STEP(read_all),
    STEP(look_by_view),
    STEP(seek),
    STEP(walk),
    STEP(glob),
    STEP(check_access),
    STEP(freeze),
    STEP(go_on_with_the_image),
    STEP(open_image),
    STEP(stand_on_it),
    STEP(read_all),
    STEP(look_by_view),
    STEP(seek),
    STEP(walk),
    STEP(glob),
    STEP(check_access),
    STEP(verify),
    STEP(write_into),
    STEP(write_over_border),
    STEP(cut_base),
    STEP(remove_base),
    STEP(rename_base),
    STEP(replace_base),
    STEP(add_to_base),
    STEP(change_base_xattr),
    STEP(change_base_mode),
    STEP(make_device),
    STEP(read_all),
    STEP(freeze),
    STEP(seal),
    STEP(stand_on_it),
    STEP(read_all),
    STEP(change_sealed),
    STEP(write_sealed),
    STEP(walk),
    STEP(freeze),
};
#define STEPS (sizeof steps / sizeof *steps)

/* ---- Telling it ------------------------------------------------------------------------------ */

struct told {
    char *after[STEPS]; /* the filesystem after each step, when nothing fails */
    struct test_buffer frozen, bytes;
};

static char *state_of(struct story *story)
{
    return story->fs ? test_dump(story->fs, TEST_DUMP_TIMES) : strdup("none");
}

static struct story *story_new(struct test_state *test)
{
    struct story *story = calloc(1, sizeof *story);
    struct test_random random = {.state = 2};
    story->test = test;
    test_random_fill(&random, story->data, sizeof story->data);
    return story;
}

static void story_free(struct story *story)
{
    memfs_close(story->file);
    memfs_destroy(story->fs);
    memfs_backing_release(story->backing);
    memfs_image_close(story->image);
    test_buffer_free(&story->frozen);
    test_buffer_free(&story->bytes);
    assert_int_equal(atomic_load(&story->test->memory.live), 0);
    free(story);
}

static int take_step(struct story *story, size_t step)
{
    atomic_store(&story->test->clock.now, (int64_t)(1000 + step));
    return steps[step].take(story);
}

static void tell_plainly(struct test_state *test, struct told *told)
{
    struct story *story = story_new(test);
    for (size_t step = 0; step < STEPS; step++) {
        int error = take_step(story, step);
        if (error)
            print_error("step %zu, %s\n", step, steps[step].name);
        assert_ok(error);
        told->after[step] = state_of(story);
    }
    test_buffer_add(&told->frozen, story->frozen.data, story->frozen.length);
    test_buffer_add(&told->bytes, story->bytes.data, story->bytes.length);
    story_free(story);
}

static void told_free(struct told *told)
{
    for (size_t step = 0; step < STEPS; step++)
        free(told->after[step]);
    test_buffer_free(&told->frozen);
    test_buffer_free(&told->bytes);
}

static void same_state(struct story *story, const char *want, size_t step)
{
    char *got = state_of(story);
    test_same_text(got, want, steps[step].name);
    free(got);
}

/* ---- What fails -------------------------------------------------------------------------------- */

struct failure {
    const char *what;
    int error;
    _Atomic(uint64_t) *calls, *fail_at, *failures;
    _Atomic(int) *fail_after;
};

static struct failure of_memory(struct story *story)
{
    struct test_memory *memory = &story->test->memory;
    atomic_store(&memory->failures, 0);
    return (struct failure){"allocation",     -ENOMEM,           &memory->calls,
                            &memory->fail_at, &memory->failures, &memory->fail_after};
}

static struct failure of_source(struct story *story)
{
    struct test_source *source = &story->source;
    return (struct failure){"read", -EIO, &source->reads, &source->fail_at, &source->failures, &source->fail_after};
}

static struct failure of_backing(struct story *story)
{
    struct test_fault *fault = &story->fault;
    return (struct failure){"call of the backing", -EIO, &fault->calls, &fault->fail_at, &fault->failures,
                            &fault->fail_after};
}

static void heal(const struct failure *failure)
{
    atomic_store(failure->fail_at, 0);
}

/* A step that may fail: then everything must be as before, and the second time
 * it must work. Returns whether it failed. */
static int take_risky_step(struct story *story, const struct told *told, size_t step, const struct failure *failure,
                           uint64_t nth)
{
    int error = take_step(story, step);
    if (error == 0)
        return 0;
    heal(failure);
    if (error != failure->error || atomic_load(failure->failures) == 0)
        print_error("%s %" PRIu64 " fails, in step %zu, %s\n", failure->what, nth, step, steps[step].name);
    assert_result(error, failure->error);
    assert_true(atomic_load(failure->failures) > 0);
    if (steps[step].take != make_many) /* several calls: what the first ones did stays */
        same_state(story, step ? told->after[step - 1] : "none", step);
    error = take_step(story, step);
    if (error)
        print_error("%s %" PRIu64 " failed, then again step %zu, %s\n", failure->what, nth, step, steps[step].name);
    assert_ok(error);
    return 1;
}

/* Returns how many calls failed (0: the story has fewer than nth), and counts the steps that did. */
static uint64_t tell_with(struct test_state *test, const struct told *told, struct failure (*of)(struct story *),
                          uint64_t nth, int after, uint64_t *steps_failed)
{
    struct story *story = story_new(test);
    struct failure failure = of(story);
    atomic_store(failure.fail_after, after);
    atomic_store(failure.fail_at, atomic_load(failure.calls) + nth);
    for (size_t step = 0; step < STEPS; step++)
        if (take_risky_step(story, told, step, &failure, nth)) {
            ++*steps_failed;
            same_state(story, told->after[step], step);
        }
    heal(&failure);
    uint64_t failures = atomic_load(failure.failures);
    if (failures)
        same_state(story, told->after[STEPS - 1], STEPS - 1);
    assert_int_equal(story->bytes.length, told->bytes.length);
    assert_memory_equal(story->bytes.data, told->bytes.data, told->bytes.length);
    assert_int_equal(story->frozen.length, told->frozen.length);
    assert_memory_equal(story->frozen.data, told->frozen.data, told->frozen.length);
    story_free(story);
    return failures;
}

/* With MEMFS_FAST each call of so many fails; of those from which on all fail, others than of those that fail once. */
static void every(struct test_state *test, struct failure (*of)(struct story *), int after, uint64_t fast)
{
    struct told told = {0};
    uint64_t nth = 1, steps_failed = 0, told_with = 0;
    memfs_destroy(test->fs);
    test->fs = NULL;
    tell_plainly(test, &told);
    uint64_t stride = test_step(fast);
    if (stride > 1)
        nth += after ? stride / 2 : 0;
    else if (after && !test_environment("MEMFS_FULL", 0))
        stride = 3;
    for (; tell_with(test, &told, of, nth, after, &steps_failed); nth += stride)
        told_with++;
    print_message("tried  %" PRIu64 " calls failed in turn%s, %" PRIu64 " times a step with them\n", told_with,
                  after ? " and all after them" : "", steps_failed);
    assert_true(nth > 20);
    assert_true(steps_failed > told_with / 2);
    told_free(&told);
}

static void test_alloc_fail__once(void **state)
{
    every(*state, of_memory, 0, 19);
}

static void test_alloc_fail__from_then_on(void **state)
{
    every(*state, of_memory, 1, 19);
}

static void test_alloc_fail__source_once(void **state)
{
    every(*state, of_source, 0, 11);
}

static void test_alloc_fail__source_from_then_on(void **state)
{
    every(*state, of_source, 1, 11);
}

static void test_alloc_fail__backing_once(void **state)
{
    every(*state, of_backing, 0, 11);
}

static void test_alloc_fail__backing_from_then_on(void **state)
{
    every(*state, of_backing, 1, 11);
}

/* Under a cap the story stops at some step, having done nothing of it; all can
 * still be read. */
static void test_alloc_fail__caps(void **state)
{
    struct test_state *test = *state;
    struct told told = {0};
    size_t step = 0, furthest = 0;
    unsigned stopped = 0;
    memfs_destroy(test->fs);
    test->fs = NULL;
    tell_plainly(test, &told);
    for (uint64_t capacity = 1000; step < STEPS && capacity < 100000000; capacity += capacity / 16 + 500) {
        struct story *story = story_new(test);
        int error = 0;
        story->capacity = capacity;
        for (step = 0; step < STEPS && !error; step += !error)
            error = take_step(story, step);
        if (error) {
            stopped++;
            if (error != -ENOSPC)
                print_error("cap %" PRIu64 ", step %zu, %s\n", capacity, step, steps[step].name);
            assert_result(error, -ENOSPC);
            if (steps[step].take != make_many)
                same_state(story, step ? told.after[step - 1] : "none", step);
        }
        furthest = step > furthest ? step : furthest;
        story_free(story);
    }
    print_message("tried  %u caps of memory that stop the story\n", stopped);
    assert_int_equal(furthest, STEPS);
    assert_true(stopped > 20);
    told_free(&told);
}

/* ---- Large sealed directories: each change makes other chunks private ------------------------ */

#define SEALED_NAMES 5000u

typedef int change_fn(memfs *fs, unsigned number);

static void sealed_name(char name[32], unsigned number)
{
    snprintf(name, 32, "name %u", number);
}

static int change_create(memfs *fs, unsigned number)
{
    char name[32];
    sealed_name(name, SEALED_NAMES + number);
    return memfs_node_create(fs, NULL, MEMFS_ROOT, name, 0644, NULL);
}

static int change_unlink(memfs *fs, unsigned number)
{
    char name[32];
    sealed_name(name, number * 997 % SEALED_NAMES);
    return memfs_node_unlink(fs, NULL, MEMFS_ROOT, name);
}

static int change_rename(memfs *fs, unsigned number)
{
    char from[32], to[32];
    sealed_name(from, number * 997 % SEALED_NAMES);
    sealed_name(to, number * 499 % SEALED_NAMES);
    return memfs_node_rename(fs, NULL, MEMFS_ROOT, from, MEMFS_ROOT, to, 0);
}

static int change_exchange(memfs *fs, unsigned number)
{
    char from[32], to[32];
    sealed_name(from, number * 997 % SEALED_NAMES);
    sealed_name(to, number * 499 % SEALED_NAMES);
    return memfs_node_rename(fs, NULL, MEMFS_ROOT, from, MEMFS_ROOT, to, MEMFS_RENAME_EXCHANGE);
}

/* Fails each allocation of one change in turn, on filesystems of their own. */
static uint64_t change_sealed_dir(struct test_state *test, memfs_backing *sealed, change_fn *change, unsigned number)
{
    for (uint64_t nth = 1;; nth++) {
        memfs *fs = test_create(test, sealed), *untouched = test_create(test, sealed);
        test_memory_fail(&test->memory, nth, 0);
        int error = change(fs, number);
        test_memory_heal(&test->memory);
        if (error) {
            assert_result(error, -ENOMEM);
            char *names = test_names(fs, "/"), *want = test_names(untouched, "/");
            test_same_text(names, want, "names after a failure");
            free(names);
            free(want);
            assert_ok(change(fs, number));
        }
        memfs_destroy(fs);
        memfs_destroy(untouched);
        if (!error)
            return nth - 1;
    }
}

static void test_alloc_fail__sealed_directories(void **state)
{
    static change_fn *const changes[] = {change_create, change_unlink, change_rename, change_exchange};
    struct test_state *test = *state;
    memfs_backing *sealed = NULL;
    char name[32];
    uint64_t failed = 0;
    for (unsigned i = 0; i < SEALED_NAMES; i++) {
        sealed_name(name, i);
        assert_ok(memfs_node_create(test->fs, NULL, MEMFS_ROOT, name, 0644, NULL));
    }
    assert_ok(memfs_seal(test->fs, &sealed));
    test->fs = NULL;
    for (unsigned number = 1; number < 4; number++)
        for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
            failed += change_sealed_dir(test, sealed, changes[i], number);
    memfs_backing_release(sealed);
    assert_true(failed > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_fs(test_alloc_fail__once),         test_with_fs(test_alloc_fail__from_then_on),
        test_with_fs(test_alloc_fail__source_once),  test_with_fs(test_alloc_fail__source_from_then_on),
        test_with_fs(test_alloc_fail__backing_once), test_with_fs(test_alloc_fail__backing_from_then_on),
        test_with_fs(test_alloc_fail__caps),         test_with_fs(test_alloc_fail__sealed_directories),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
