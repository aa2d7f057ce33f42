/*
 * Unpacking by several threads: whatever their number is, what comes out and
 * what is told is the same, and what fails leaves nothing.
 */
#define _GNU_SOURCE
#include "host_fixture.h"
#include "records.h"
#include "testlib.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#define DIRS 30
#define FILES 12
#define MANY 300
#define LARGE ((size_t)2 << 20)

static const unsigned counts[] = {1, 2, 8};
#define COUNTS (sizeof counts / sizeof counts[0])

/* What one thread does is nothing new to sanitizers and emulators: other suites let it do the same. */
static size_t first_count(void)
{
    return test_slowness() > 1;
}

/* ---- The tree ------------------------------------------------------------------- */

static void add_file(memfs *fs, struct test_random *random, const char *path, size_t size)
{
    char *bytes = malloc(size + 1);
    assert_non_null(bytes);
    test_random_fill(random, bytes, size);
    test_put(fs, path, bytes, size);
    struct memfs_setattr set = {.set = MEMFS_SET_MTIME, .mtime = (int64_t)size * 1234567891};
    assert_ok(memfs_setattr(fs, NULL, path, 0, &set));
    free(bytes);
}

static void add_directory(memfs *fs, struct test_random *random, int number)
{
    char path[64], other[64];
    snprintf(path, sizeof path, "d%02d", number);
    assert_ok(memfs_mkdir(fs, NULL, path, number % 3 ? 0755 : 0700));
    for (int i = 0; i < FILES; i++) {
        snprintf(path, sizeof path, "d%02d/f%02d", number, i);
        add_file(fs, random, path, (size_t)(number * i * 97 % 5000));
    }
    snprintf(path, sizeof path, "d%02d/sub", number);
    assert_ok(memfs_mkdir(fs, NULL, path, 0500));
    snprintf(path, sizeof path, "d%02d/sub/file", number);
    add_file(fs, random, path, 100);
    snprintf(other, sizeof other, "d%02d/f03", number / 2);
    snprintf(path, sizeof path, "d%02d/sub/link", number);
    assert_ok(memfs_link(fs, NULL, other, path));
    snprintf(path, sizeof path, "d%02d/symlink", number);
    assert_ok(memfs_symlink(fs, NULL, "f03", path));
}

static memfs *thaw(const struct test_buffer *bytes)
{
    memfs_image *image = NULL;
    memfs *fs = NULL;
    assert_ok(memfs_image_open_buffer(bytes->data, bytes->length, NULL, &image, NULL));
    struct memfs_options options = {.size = sizeof options, .backing = memfs_image_backing(image)};
    assert_ok(memfs_create(&options, &fs));
    memfs_image_close(image);
    return fs;
}

/* Wide and uneven, with links from everywhere to everywhere, as an image. */
static memfs *wide(struct test_buffer *image)
{
    struct test_random random = {1};
    struct memfs_options options = {.size = sizeof options};
    struct memfs_freeze_options freeze = {.size = sizeof freeze, .block_size = 64 << 10, .level = 1};
    struct memfs_sink sink = test_buffer_sink(image);
    char path[64];
    memfs *fs;
    assert_ok(memfs_create(&options, &fs));
    for (int i = 0; i < DIRS; i++)
        add_directory(fs, &random, i);
    assert_ok(memfs_mkdir(fs, NULL, "many", 0755));
    for (int i = 0; i < MANY; i++) {
        snprintf(path, sizeof path, "many/%04d", i * 7919 % MANY);
        add_file(fs, &random, path, (size_t)(i % 50));
    }
    add_file(fs, &random, "large", LARGE);
    assert_ok(memfs_link(fs, NULL, "d07/f05", "top"));
    assert_ok(memfs_mknod(fs, NULL, "d11/fifo", MEMFS_IFIFO | 0640, 0, 0));
    assert_ok(memfs_freeze(fs, &sink, &freeze, NULL));
    memfs_destroy(fs);
    return thaw(image);
}

static int count_threads(void)
{
    int count = 0;
    DIR *dir = opendir("/proc/self/task");
    while (dir && readdir(dir))
        count++;
    if (dir)
        closedir(dir);
    return count - 2;
}

/* A thread that was joined may be seen for a moment still. */
static int has_threads(int count)
{
    const struct timespec moment = {.tv_nsec = 1000000};
    for (int i = 0; i < 1000 && count_threads() != count; i++)
        nanosleep(&moment, NULL);
    return count_threads() == count;
}

static void *nothing(void *argument)
{
    return argument;
}

/* Sanitizers start a thread of their own with the first one. */
static void warm_up(void)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, nothing, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    const struct timespec moment = {.tv_nsec = 50000000};
    nanosleep(&moment, NULL);
}

/* ---- Who is told -------------------------------------------------------------------- */

struct watcher {
    pthread_t caller;
    int calls, cancel_at; /* 0: never */
    int threads_most;
    int ask_threads;
    struct memfs_progress last;
    struct test_buffer told; /* problems, a line each */
    int problems, refuse_at; /* 0: never */
};

static int watch(void *context, const struct memfs_progress *progress)
{
    struct watcher *watcher = context;
    assert_true(pthread_equal(watcher->caller, pthread_self()));
    assert_true(progress->nodes >= watcher->last.nodes && progress->bytes >= watcher->last.bytes);
    assert_true(!progress->nodes_total || progress->nodes <= progress->nodes_total);
    watcher->last = *progress;
    if (watcher->ask_threads) {
        int threads = count_threads();
        watcher->threads_most = threads > watcher->threads_most ? threads : watcher->threads_most;
    }
    return ++watcher->calls == watcher->cancel_at;
}

static int note(void *context, const struct memfs_problem *problem)
{
    struct watcher *watcher = context;
    assert_true(pthread_equal(watcher->caller, pthread_self()));
    test_buffer_print(&watcher->told, "%d %d %s: %s\n", (int)problem->kind, problem->error, problem->path,
                      problem->text);
    return ++watcher->problems == watcher->refuse_at;
}

static int export_with(memfs *fs, const char *name, unsigned threads, struct memfs_export_options *options,
                       struct memfs_detail *detail)
{
    struct watcher *watcher = options->progress_context;
    char path[sizeof fixture_top + 64];
    snprintf(path, sizeof path, "%s/%s", fixture_top, name);
    options->size = sizeof *options;
    options->threads = threads;
    if (watcher)
        watcher->caller = pthread_self();
    return memfs_host_export(fs, path, options, detail);
}

/* The problems as text, to be freed. */
static char *take_told(struct watcher *watcher)
{
    test_buffer_add(&watcher->told, "", 1);
    return (char *)watcher->told.data;
}

static int export_watched(memfs *fs, const char *name, unsigned threads, struct watcher *watcher)
{
    struct memfs_export_options options = {.progress = watch, .progress_context = watcher};
    return export_with(fs, name, threads, &options, NULL);
}

static void start_anew(void **state)
{
    assert_int_equal(fixture_teardown(state), 0);
    assert_int_equal(mkdir(fixture_top, 0755), 0);
}

static int is_there(const char *name)
{
    struct stat stat;
    return !lstat(at(name), &stat);
}

/* What the host has, as text, but for owners. */
static char *dump(const char *name)
{
    memfs_backing *backing = NULL;
    memfs *fs = NULL;
    assert_ok(memfs_host_scan(at(name), NULL, &backing, NULL));
    struct memfs_options options = {.size = sizeof options, .backing = backing};
    assert_ok(memfs_create(&options, &fs));
    memfs_backing_release(backing);
    char *text = test_dump(fs, 0);
    memfs_destroy(fs);
    return text;
}

/* ---- What comes out ------------------------------------------------------------------- */

static void test_run__same_tree(void **state)
{
    struct test_buffer image = {0};
    char *want = NULL;
    (void)state;
    warm_up();
    memfs *fs = wide(&image);
    for (size_t i = first_count(); i < COUNTS; i++) {
        struct watcher watcher = {.ask_threads = 1};
        int descriptors = count_descriptors(), threads = count_threads();
        assert_ok(export_watched(fs, "out", counts[i], &watcher));
        assert_int_equal(count_descriptors(), descriptors);
        assert_true(has_threads(threads));
        assert_int_equal(watcher.threads_most > threads, counts[i] > 1); /* and none with one */
        assert_int_equal(watcher.last.nodes, watcher.last.nodes_total);
        assert_int_equal(watcher.last.bytes, watcher.last.bytes_total);
        char *got = dump("out");
        if (want)
            test_same_text(got, want, "with more threads");
        else
            want = strdup(got);
        free(got);
        start_anew(state);
    }
    free(want);
    memfs_destroy(fs);
    test_buffer_free(&image);
}

/* The same, but for times of directories, which change when something in them is replaced. */
static char *dump_even(const char *name)
{
    char command[sizeof fixture_top + 128];
    snprintf(command, sizeof command, "find '%s/%s' -type d -exec touch -d @5 {} +", fixture_top, name);
    assert_int_equal(system(command), 0);
    return dump(name);
}

static int note_made(void *context, const struct memfs_made *made)
{
    test_buffer_print(context, "%s%s\n", made->replaced ? "*" : "", made->path);
    return 0;
}

static int export_into(memfs *fs, unsigned threads, enum memfs_existing existing, struct watcher *watcher,
                       struct test_buffer *made, struct memfs_exported *exported)
{
    struct memfs_export_options options = {.into = 1,
                                           .existing = existing,
                                           .progress = watch,
                                           .progress_context = watcher,
                                           .made = made ? note_made : NULL,
                                           .made_context = made,
                                           .exported = exported};
    return export_with(fs, "out", threads, &options, NULL);
}

static void spoil(void)
{
    assert_int_equal(truncate(at("out/large"), 1), 0);
    assert_int_equal(unlink(at("out/many/0007")), 0);
    assert_int_equal(unlink(at("out/d07/f05")), 0);
    assert_int_equal(symlink("/nowhere", at("out/d07/f05")), 0);
}

/* Into what is there: nothing is changed that is skipped, refused, or cancelled half way. */
static void test_run__into(void **state)
{
    struct test_buffer image = {0}, first = {0};
    (void)state;
    memfs *fs = wide(&image);
    for (size_t i = first_count(); i < COUNTS; i++) {
        struct watcher plain = {.calls = 0}, replacing = plain, half = plain, others = plain;
        struct memfs_exported exported;
        struct test_buffer made = {0}, none = {0};
        assert_ok(export_watched(fs, "out", counts[i], &plain));
        char *want = dump_even("out");
        spoil();
        assert_ok(export_into(fs, counts[i], MEMFS_EXISTING_REPLACED, &replacing, &made, &exported));
        char *got = dump_even("out");
        test_same_text(got, want, "replaced");
        free(got);
        assert_int_equal(exported.directories, 0);
        assert_int_equal(exported.replaced, exported.files + exported.links - 1);
        if (i == first_count())
            test_buffer_add(&first, made.data, made.length);
        test_same_bytes(&made, &first);
        spoil();
        char *spoiled = dump_even("out");
        half.cancel_at = replacing.calls / 2;
        assert_result(export_into(fs, counts[i], MEMFS_EXISTING_REPLACED, &half, NULL, NULL), -ECANCELED);
        assert_result(export_into(fs, counts[i], MEMFS_EXISTING_REFUSED, &others, NULL, NULL), -EEXIST);
        got = dump_even("out");
        test_same_text(got, spoiled, "cancelled, and refused");
        free(got);
        put_text(at("out/many/0007"), "mine");
        others.last = (struct memfs_progress){0};
        assert_ok(export_into(fs, counts[i], MEMFS_EXISTING_SKIPPED, &others, &none, &exported));
        assert_int_equal(exported.files + exported.links + exported.directories + none.length, 0);
        assert_int_equal(exported.bytes, 0);
        free(want);
        free(spoiled);
        test_buffer_free(&made);
        test_buffer_free(&none);
        start_anew(state);
    }
    test_buffer_free(&first);
    memfs_destroy(fs);
    test_buffer_free(&image);
}

static int take_even(void *context, memfs_node directory, const struct memfs_dirent *entry)
{
    (void)context;
    (void)directory;
    if ((entry->stat.mode & MEMFS_IFMT) == MEMFS_IFDIR)
        return MEMFS_SELECT_PARENT;
    return entry->name[entry->name_length - 1] % 2 ? MEMFS_SELECT_NOTHING : MEMFS_SELECT_ALL;
}

static void test_run__selected(void **state)
{
    struct test_buffer image = {0};
    char *want = NULL;
    (void)state;
    memfs *fs = wide(&image);
    for (size_t i = first_count(); i < COUNTS; i++) {
        struct watcher watcher = {.calls = 0};
        struct memfs_export_options options = {.progress = watch, .progress_context = &watcher, .select = take_even};
        assert_ok(export_with(fs, "out", counts[i], &options, NULL));
        assert_int_equal(watcher.last.nodes, watcher.last.nodes_total);
        assert_int_equal(is_there("out/many/0100"), 1);
        assert_int_equal(is_there("out/many/0101"), 0);
        char *got = dump("out");
        if (want)
            test_same_text(got, want, "with more threads");
        else
            want = strdup(got);
        free(got);
        start_anew(state);
    }
    free(want);
    memfs_destroy(fs);
    test_buffer_free(&image);
}

static memfs *thaw_fault(const struct test_buffer *bytes, struct test_fault *fault)
{
    memfs_image *image = NULL;
    memfs *fs = NULL;
    assert_ok(memfs_image_open_buffer(bytes->data, bytes->length, NULL, &image, NULL));
    struct memfs_options options = {.size = sizeof options,
                                    .backing = test_fault_backing(memfs_image_backing(image), fault)};
    assert_ok(memfs_create(&options, &fs));
    memfs_backing_release(options.backing);
    memfs_image_close(image);
    return fs;
}

/* Contents in pieces small and large, and one that fails in the middle. */
static void test_run__uneven_pieces(void **state)
{
    struct test_buffer image = {0};
    (void)state;
    memfs *whole = wide(&image);
    struct memfs_export_options options = {0};
    assert_ok(export_with(whole, "whole", 1, &options, NULL));
    char *want = dump("whole");
    memfs_destroy(whole);
    for (size_t i = first_count(); i < COUNTS; i++) {
        struct test_fault fault = {.view_most = 60000};
        struct watcher watcher = {0};
        memfs *fs = thaw_fault(&image, &fault);
        assert_ok(export_watched(fs, "out", counts[i], &watcher));
        assert_int_equal(watcher.last.bytes, watcher.last.bytes_total);
        char *got = dump("out");
        test_same_text(got, want, "in pieces");
        free(got);
        uint64_t calls = fault.calls;
        for (uint64_t n = calls / 10; n < calls / 2; n += calls / 10) {
            fault.calls = 0;
            fault.fail_at = n;
            assert_result(export_with(fs, "not", counts[i], &options, NULL), -EIO);
            assert_false(is_there("not"));
        }
        assert_int_equal(fault.held, 0);
        memfs_destroy(fs);
        start_anew(state);
    }
    free(want);
    test_buffer_free(&image);
}

/* Budgets are exact, and everything is checked before the first write. */
static void test_run__budgets(void **state)
{
    struct test_buffer image = {0};
    (void)state;
    memfs *fs = wide(&image);
    struct watcher watcher = {0};
    assert_ok(export_watched(fs, "out", 8, &watcher));
    uint64_t bytes = watcher.last.bytes_total;
    for (size_t i = first_count(); i < COUNTS; i++) {
        struct memfs_export_options options = {.bytes_max = bytes};
        start_anew(state);
        assert_ok(export_with(fs, "out", counts[i], &options, NULL));
        options.bytes_max--;
        assert_result(export_with(fs, "not", counts[i], &options, NULL), -EDQUOT);
        options = (struct memfs_export_options){.entries_max = 10};
        assert_result(export_with(fs, "not", counts[i], &options, NULL), -EDQUOT);
        assert_false(is_there("not"));
    }
    memfs_destroy(fs);
    test_buffer_free(&image);
}

/* ---- Problems ----------------------------------------------------------------------------- */

static void change_all(memfs *fs, uint32_t mode)
{
    char path[64];
    for (int i = 0; i < DIRS * FILES + MANY; i++) {
        struct memfs_setattr set = {.set = MEMFS_SET_MODE, .mode = mode};
        if (i < MANY)
            snprintf(path, sizeof path, "many/%04d", i);
        else
            snprintf(path, sizeof path, "d%02d/f%02d", (i - MANY) / FILES, (i - MANY) % FILES);
        assert_ok(memfs_setattr(fs, NULL, path, 0, &set));
    }
}

/* Three more problems with each of many files, and one that is told once for all. */
static void make_difficult(memfs *fs)
{
    static const char *const names[] = {"security.a", "trusted.b", "system.c"};
    struct memfs_setattr set = {.set = MEMFS_SET_UID, .uid = geteuid() + 1};
    char path[64];
    for (int i = 0; i < MANY; i++) {
        snprintf(path, sizeof path, "many/%04d", i);
        assert_ok(memfs_setattr(fs, NULL, path, 0, &set));
        for (int k = 0; k < 3; k++)
            assert_ok(memfs_setxattr(fs, NULL, path, 0, names[k], "1", 1, 0));
    }
    change_all(fs, 04755); /* last: a new owner ends setuid */
}

/* More than a run may note before they are told, and all in path order. */
static void test_run__problems_in_order(void **state)
{
    struct test_buffer image = {0};
    char *want = NULL;
    (void)state;
    memfs *fs = wide(&image);
    make_difficult(fs);
    for (size_t i = first_count(); i < COUNTS; i++) {
        struct watcher watcher = {0};
        struct memfs_export_options options = {
            .problem = note, .problem_context = &watcher, .progress = watch, .progress_context = &watcher};
        assert_ok(export_with(fs, "out", counts[i], &options, NULL));
        assert_int_equal(watcher.problems, DIRS * FILES + 4 * MANY + 1);
        char *got = take_told(&watcher);
        if (want)
            test_same_text(got, want, "problems");
        else
            want = strdup(got);
        free(got);
        start_anew(state);
    }
    free(want);
    memfs_destroy(fs);
    test_buffer_free(&image);
}

/* The caller may have enough of them at any time. */
static void test_run__problem_refused(void **state)
{
    struct test_buffer image = {0};
    (void)state;
    memfs *fs = wide(&image);
    change_all(fs, 04755);
    for (size_t i = first_count(); i < COUNTS; i++) {
        for (int n = 1; n < DIRS * FILES + MANY; n = n * 3 + 1) {
            struct watcher watcher = {.refuse_at = n};
            struct memfs_export_options options = {
                .problem = note, .problem_context = &watcher, .progress = watch, .progress_context = &watcher};
            assert_result(export_with(fs, "out", counts[i], &options, NULL), -ECANCELED);
            assert_int_equal(watcher.problems, n); /* none after it */
            assert_false(is_there("out"));
            test_buffer_free(&watcher.told);
        }
    }
    memfs_destroy(fs);
    test_buffer_free(&image);
}

/* What has the name of a directory keeps all of it out; its files that have other
 * names elsewhere are made there. */
static void test_run__left_out(void **state)
{
    static const char *const names[] = {"d00", "d07", "d29", "large", "many"};
    struct test_buffer image = {0};
    char *want = NULL, *problems = NULL, path[64];
    (void)state;
    memfs *fs = wide(&image);
    for (size_t i = first_count(); i < COUNTS; i++) {
        struct watcher watcher = {0};
        struct memfs_export_options options = {
            .into = 1, .problem = note, .problem_context = &watcher, .progress = watch, .progress_context = &watcher};
        assert_int_equal(mkdir(at("out"), 0755), 0);
        for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
            snprintf(path, sizeof path, "out/%s", names[k]);
            put_text(at(path), "mine");
            put_mtime(at(path), 0);
        }
        assert_ok(export_with(fs, "out", counts[i], &options, NULL));
        put_mtime(at("out"), 0);
        assert_int_equal(watcher.problems, 5);
        assert_true(is_there("out/d01/sub/link")); /* of d00/f03 */
        char *got = dump("out"), *told = take_told(&watcher);
        if (want) {
            test_same_text(got, want, "what is left");
            test_same_text(told, problems, "problems");
        } else {
            want = strdup(got);
            problems = strdup(told);
        }
        free(got);
        free(told);
        start_anew(state);
    }
    free(want);
    free(problems);
    memfs_destroy(fs);
    test_buffer_free(&image);
}

/* ---- Damage ---------------------------------------------------------------------------------- */

/* The large file comes first, then those of directories; random bytes do not get smaller. */
static void damage(struct test_buffer *image)
{
    assert_true(image->length > LARGE + 500000);
    memset(image->data + LARGE / 2, 0x5a, 16);
    memset(image->data + LARGE + 300000, 0x5a, 16);
}

static void test_run__damaged_blocks(void **state)
{
    struct test_buffer image = {0};
    char *first = NULL, *told = NULL;
    (void)state;
    memfs_destroy(wide(&image));
    damage(&image);
    for (size_t i = first_count(); i < COUNTS; i++) {
        memfs *fs = thaw(&image);
        struct memfs_detail detail = {0};
        struct memfs_export_options options = {0};
        assert_result(export_with(fs, "out", counts[i], &options, &detail), MEMFS_ECHECKSUM);
        assert_false(is_there("out"));
        struct watcher watcher = {0};
        options = (struct memfs_export_options){
            .problem = note, .problem_context = &watcher, .progress = watch, .progress_context = &watcher};
        assert_ok(export_with(fs, "some", counts[i], &options, NULL));
        assert_true(watcher.problems > 1);
        char *got = take_told(&watcher);
        if (first) {
            assert_string_equal(detail.text, first); /* the first in path order, whoever met it */
            test_same_text(got, told, "problems");
        } else {
            first = strdup(detail.text);
            told = strdup(got);
        }
        free(got);
        start_anew(state);
        memfs_destroy(fs);
    }
    free(first);
    free(told);
    test_buffer_free(&image);
}

/* ---- Failures ---------------------------------------------------------------------------------- */

static void test_run__cancelled_anywhere(void **state)
{
    struct test_buffer image = {0};
    (void)state;
    warm_up();
    memfs *fs = wide(&image);
    int descriptors = count_descriptors(), threads = count_threads();
    for (size_t i = first_count(); i < COUNTS; i++) {
        int error = -ECANCELED;
        for (int n = 1; error; n = n * 3 / 2 + 1) {
            struct watcher watcher = {.cancel_at = n};
            error = export_watched(fs, "out", counts[i], &watcher);
            assert_true(!error || error == -ECANCELED);
            assert_int_equal(watcher.calls, error ? n : watcher.calls); /* not asked again */
            assert_int_equal(is_there("out"), !error);
            assert_int_equal(count_descriptors(), descriptors);
            assert_true(has_threads(threads));
        }
        start_anew(state);
    }
    memfs_destroy(fs);
    test_buffer_free(&image);
}

/* A disk that is full somewhere in the middle. */
static void test_run__full_disk(void **state)
{
    struct test_buffer image = {0};
    char options[64];
    (void)state;
    assert_int_equal(mkdir(at("small"), 0755), 0);
    if (needs_root() || mount("tmpfs", at("small"), "tmpfs", 0, "size=64k")) {
        print_message("no tmpfs can be mounted here: skipped\n");
        skip();
    }
    memfs *fs = wide(&image);
    for (size_t i = first_count(); i < COUNTS; i++) {
        int error = -ENOSPC;
        for (int size = 256; error; size *= 2) {
            struct memfs_detail detail = {0};
            struct memfs_export_options export_options = {0};
            snprintf(options, sizeof options, "size=%dk", size);
            assert_int_equal(mount("tmpfs", at("small"), "tmpfs", MS_REMOUNT, options), 0);
            error = export_with(fs, "small/out", counts[i], &export_options, &detail);
            assert_true(!error || error == -ENOSPC);
            assert_int_equal(is_there("small/out"), error == 0);
            if (error)
                assert_null(strstr(detail.text, "could not be removed"));
        }
        assert_int_equal(umount(at("small")), 0);
        assert_int_equal(mount("tmpfs", at("small"), "tmpfs", 0, NULL), 0);
    }
    assert_int_equal(umount(at("small")), 0);
    memfs_destroy(fs);
    test_buffer_free(&image);
}

/* While a certain file is made, by whomever: somebody puts something else in the
 * place of a directory that the same or another worker fills. */
static const char *_Atomic trigger;
static const char *victim;
static int by_directory;

int openat(int directory, const char *name, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    const char *waited = atomic_load(&trigger);
    if (waited && flags & O_CREAT && !strcmp(name, waited) && is_there(victim) &&
        atomic_compare_exchange_strong(&trigger, &waited, NULL)) {
        char path[sizeof fixture_top + 64], stolen[sizeof fixture_top + 64], outside[sizeof fixture_top + 64];
        snprintf(path, sizeof path, "%s/%s", fixture_top, victim);
        snprintf(stolen, sizeof stolen, "%s/stolen", fixture_top);
        snprintf(outside, sizeof outside, "%s/outside", fixture_top);
        if (rename(path, stolen) || (by_directory ? mkdir(path, 0751) : symlink(outside, path)))
            abort();
    }
    return (int)syscall(SYS_openat, directory, name, flags, mode);
}

/* Whether a line is there twice of which this is a part. */
static int is_told_twice(const char *told, const char *part)
{
    char line[256];
    for (const char *at = told; *at; at += strcspn(at, "\n") + 1) {
        snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n") + 1, at);
        if (strstr(line, part) && strstr(at + strlen(line), line))
            return 1;
    }
    return 0;
}

/* What could be examined while the plan was made, and cannot be later. */
static void test_run__examined_no_more(void **state)
{
    struct test_buffer image = {0};
    memfs_destroy(wide(&image));
    for (size_t i = first_count(); i < COUNTS; i++) {
        int told = 0, failures;
        for (uint64_t n = test_is_fast() ? 1 + i : 1;; n += (test_is_fast() ? 3 * n / 2 : n / 2) + 1) {
            struct test_state own = {0};
            struct test_fault fault = {.only = 1 + MEMFS_EXTENTS, .fail_at = n, .fail_after = 1};
            struct watcher watcher = {0};
            struct memfs_export_options options = {
                .problem = note, .problem_context = &watcher, .progress = watch, .progress_context = &watcher};
            test_memory_init(&own.memory);
            memfs *fs = test_thaw_fault(&own, &image, &fault);
            assert_ok(export_with(fs, "out", counts[i], &options, NULL));
            failures = atomic_load(&fault.failures) > 0;
            char *text = take_told(&watcher);
            assert_false(is_told_twice(text, "cannot be examined"));
            told += strstr(text, "cannot be examined") != NULL;
            free(text);
            memfs_destroy(fs);
            start_anew(state);
            if (!failures)
                break;
        }
        assert_true(told > 2);
    }
    test_buffer_free(&image);
}

static void test_run__exchanged_directory(void **state)
{
    static const char *const victims[] = {"out/d02", "out/d11", "out/d11/sub"};
    struct test_buffer image = {0};
    (void)state;
    memfs *fs = wide(&image);
    for (size_t i = 0; i < COUNTS * 3 * 2; i++) {
        struct memfs_export_options options = {0};
        struct stat stat;
        assert_int_equal(mkdir(at("outside"), 0755), 0);
        victim = victims[i / 2 % 3];
        by_directory = i % 2;
        atomic_store(&trigger, "f07");
        int error = export_with(fs, "out", counts[i / 6], &options, NULL);
        assert_null(atomic_load(&trigger));
        assert_true(error == -ESTALE || error == -ELOOP || error == -ENOTDIR || error == -ENOENT);
        assert_int_equal(lstat(at(victim), &stat), 0);
        assert_int_equal(stat.st_mode & S_IFMT, by_directory ? S_IFDIR : S_IFLNK); /* neither filled nor removed */
        assert_int_equal(rmdir(at(by_directory ? victim : "outside")), 0);
        start_anew(state);
    }
    memfs_destroy(fs);
    test_buffer_free(&image);
}

static void test_run__failing_allocations(void **state)
{
    struct test_buffer image = {0};
    (void)state;
    warm_up();
    memfs *fs = wide(&image);
    change_all(fs, 04755); /* so that there is something to note */
    int descriptors = count_descriptors(), threads = count_threads();
    for (int after = 0; after < 2; after++) {
        int error = -ENOMEM;
        for (uint64_t n = 1; error; n += (test_is_fast() ? n / 2 : n / 8) + 1) {
            struct test_memory memory;
            struct watcher watcher = {0};
            test_memory_init(&memory);
            test_memory_fail(&memory, n, after);
            struct memfs_export_options options = {.allocator = &memory.hook,
                                                   .problem = note,
                                                   .problem_context = &watcher,
                                                   .progress = watch,
                                                   .progress_context = &watcher};
            error = export_with(fs, "out", 8, &options, NULL);
            assert_int_equal(memory.live, 0);
            assert_int_equal(count_descriptors(), descriptors);
            assert_true(has_threads(threads));
            assert_int_equal(error, memory.failures ? -ENOMEM : 0);
            assert_int_equal(is_there("out"), !error);
            test_buffer_free(&watcher.told);
        }
        start_anew(state);
    }
    memfs_destroy(fs);
    test_buffer_free(&image);
}

/* Fewer descriptors than all workers want: fewer work. */
static void test_run__few_descriptors(void **state)
{
    struct test_buffer image = {0};
    (void)state;
    memfs *fs = wide(&image);
    int descriptors = count_descriptors(), next = dup(0), error = -EMFILE, n = 1;
    assert_true(next >= 0);
    close(next);
    for (; error || n < 100; n++) {
        struct rlimit before, small;
        struct watcher watcher = {0};
        struct memfs_export_options options = {
            .problem = note, .problem_context = &watcher, .progress = watch, .progress_context = &watcher};
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        small = before;
        small.rlim_cur = (rlim_t)(next + n);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &small), 0);
        int was = error;
        error = export_with(fs, "out", 8, &options, NULL);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_true(!error || (error == -EMFILE && was == error)); /* never again, once there are enough */
        assert_int_equal(watcher.problems, 0);
        assert_int_equal(is_there("out"), !error);
        assert_int_equal(count_descriptors(), descriptors);
        if (!error && was)
            assert_in_range(n, 4, 12);
        if (!error) {
            start_anew(state);
            n += 7;
        }
    }
    memfs_destroy(fs);
    test_buffer_free(&image);
}

#define CASE(name) cmocka_unit_test_setup_teardown(test_run__##name, fixture_setup_in_memory, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(same_tree),
        CASE(into),
        CASE(selected),
        CASE(uneven_pieces),
        CASE(budgets),
        CASE(problems_in_order),
        CASE(problem_refused),
        CASE(left_out),
        CASE(damaged_blocks),
        CASE(cancelled_anywhere),
        CASE(full_disk),
        CASE(examined_no_more),
        CASE(exchanged_directory),
        CASE(failing_allocations),
        CASE(few_descriptors),
    };
    return cmocka_run_group_tests_name("host_export_run", tests, NULL, NULL);
}
