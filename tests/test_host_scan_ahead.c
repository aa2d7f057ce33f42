#define _GNU_SOURCE
#include "host_fixture.h"
#include "real_call.h"
#include "testlib.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <time.h>

/* ---- The host, watched ------------------------------------------------------ */

typedef int create_fn(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);
typedef int fstatat_fn(int fd, const char *name, struct stat *stat, int flags);

static create_fn *real_create;
static fstatat_fn *real_fstatat;
static int no_threads;            /* the host has none to give */
static pthread_t walker;          /* the test's own thread */
static _Atomic(int) marker_asked; /* another one has asked for what is called "marker" */

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    return no_threads ? EAGAIN : real_create(thread, attributes, run, argument);
}

int fstatat(int fd, const char *name, struct stat *stat, int flags)
{
    if (strcmp(name, "marker") == 0 && !pthread_equal(pthread_self(), walker))
        atomic_store(&marker_asked, 1);
    return real_fstatat(fd, name, stat, flags);
}

static int find_real_calls(void **state)
{
    (void)state;
    *(void **)&real_create = real_call("pthread_create");
    *(void **)&real_fstatat = real_call("fstatat");
    walker = pthread_self();
    return 0;
}

/* ---- Scans as bytes ---------------------------------------------------------------- */

/* The image of what a scan finds, or its error. */
static int freeze_scan(const struct memfs_scan_options *options, struct test_buffer *image)
{
    memfs_backing *backing = NULL;
    memfs *fs = NULL;
    int error = memfs_host_scan(fixture_top, options, &backing, NULL);
    if (error)
        return error;
    const struct memfs_options standing = {.size = sizeof standing, .backing = backing};
    assert_ok(memfs_create(&standing, &fs));
    memfs_backing_release(backing);
    test_freeze(fs, image);
    memfs_destroy(fs);
    return 0;
}

static struct test_buffer image_by(unsigned threads)
{
    const struct memfs_scan_options options = {.size = sizeof options, .threads = threads};
    struct test_buffer image = {0};
    assert_ok(freeze_scan(&options, &image));
    return image;
}

static void expect_same(unsigned threads, const struct test_buffer *want)
{
    struct test_buffer got = image_by(threads);
    test_same_bytes(&got, want);
    test_buffer_free(&got);
}

static void put_numbered(const char *directory, int number)
{
    char name[320], text[16];
    snprintf(name, sizeof name, "%s/file-%d", directory, number);
    snprintf(text, sizeof text, "%d", number);
    put_text(at(name), text);
    put_mtime(at(name), number * SECOND);
}

static void put_directory(const char *path)
{
    assert_int_equal(mkdir(at(path), 0755), 0);
}

/* More directories beside each other than are held open, and below each other; one with more names than are
 * listed ahead; links, and attributes. */
static void put_tree(int directories, int names)
{
    char path[64], other[80], deep[256] = "deep";
    for (int i = 0; i < directories; i++) {
        snprintf(path, sizeof path, "d%03d", i);
        put_directory(path);
        for (int j = 0; j < i % 4; j++)
            put_numbered(path, 10 * i + j);
        snprintf(other, sizeof other, "%s/below", path);
        if (i % 3 == 0)
            put_directory(other);
        snprintf(other, sizeof other, "%s/link", path);
        if (i % 5 == 0)
            assert_int_equal(symlink("x", at(other)), 0);
    }
    for (int i = 0; i < 12; i++) {
        put_directory(deep);
        put_numbered(deep, i);
        strcat(deep, "/deeper");
    }
    put_directory("many");
    for (int i = 0; i < names; i++)
        put_numbered("many", i);
    put_directory("last");
    assert_int_equal(link(at("many/file-1"), at("last/other")), 0);
    put_numbered("last", 1);
    setxattr(at("last/file-1"), "user.some", "value", 5, 0);
    setxattr(at("last"), "user.other", "", 0, 0);
}

/* ---- Tests --------------------------------------------------------------------------- */

static void test_ahead__any_number_of_threads_finds_the_same(void **state)
{
    (void)state;
    put_tree(300, 1100);
    const int before = count_descriptors();
    struct test_buffer want = image_by(0);
    for (unsigned threads = 1; threads <= 8; threads *= 2)
        expect_same(threads, &want);
    no_threads = 1; /* what has been handed out is then listed by the walk itself */
    expect_same(4, &want);
    no_threads = 0;
    assert_int_equal(count_descriptors(), before);
    test_buffer_free(&want);
}

/* Waits until "b" has been listed, and then puts another in its place. */
static int exchange(void *context, struct memfs_scan_found *found)
{
    int *exchanged = context;
    if (*exchanged || strcmp(found->path, "a/trigger") != 0)
        return MEMFS_SCAN_TAKE;
    *exchanged = 1;
    for (int tries = 0; tries < 5000 && !atomic_load(&marker_asked); tries++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_int_equal(rename(at("b"), at("a/away")), 0);
    put_directory("b");
    put_text(at("b/new"), "new");
    return MEMFS_SCAN_TAKE;
}

static void test_ahead__what_has_become_another_directory_is_listed_again(void **state)
{
    (void)state;
    int exchanged = 0;
    put_directory("a");
    put_text(at("a/trigger"), "");
    put_directory("b");
    put_text(at("b/marker"), "");
    const struct memfs_scan_options options = {
        .size = sizeof options, .threads = 2, .filter = exchange, .filter_context = &exchanged};
    atomic_store(&marker_asked, 0);
    memfs_backing *backing = NULL;
    memfs *fs = NULL;
    assert_ok(memfs_host_scan(fixture_top, &options, &backing, NULL));
    assert_true(exchanged && marker_asked);
    const struct memfs_options standing = {.size = sizeof standing, .backing = backing};
    assert_ok(memfs_create(&standing, &fs));
    memfs_backing_release(backing);
    test_expect_names(fs, "b", "new ");
    test_expect_text(fs, "b/new", "new");
    memfs_destroy(fs);
}

/* Descriptors that directories wait with are given up for those that the walk needs. */
static void test_ahead__few_descriptors_are_enough(void **state)
{
    (void)state;
    struct rlimit before, small;
    put_tree(40, 2);
    struct test_buffer want = image_by(1);
    int next = dup(0), enough = 0;
    assert_true(next >= 0);
    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (int n = 1; n <= 20; n++) {
        int errors[2];
        for (unsigned i = 0; i < 2; i++) {
            struct test_buffer image = {0};
            const struct memfs_scan_options options = {.size = sizeof options, .threads = 1 + i};
            small = before;
            small.rlim_cur = (rlim_t)(next + n);
            assert_int_equal(setrlimit(RLIMIT_NOFILE, &small), 0);
            errors[i] = freeze_scan(&options, &image);
            assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
            if (!errors[i])
                test_same_bytes(&image, &want);
            test_buffer_free(&image);
        }
        assert_int_equal(errors[0], errors[1]);
        enough += !errors[1];
    }
    assert_in_range(enough, 10, 19);
    test_buffer_free(&want);
}

static void test_ahead__lack_of_memory(void **state)
{
    (void)state;
    put_tree(6, 2);
    const int before = count_descriptors();
    struct test_buffer want = image_by(1);
    long failed = 1, done_without = 0;
    no_threads = 1; /* so that the same allocation fails each time */
    for (long n = 1; failed; n++) {
        struct failing failing = {.fail_at = n};
        const struct memfs_allocator allocator = {failing_alloc, failing_free, &failing};
        const struct memfs_scan_options options = {.size = sizeof options, .allocator = &allocator, .threads = 4};
        struct test_buffer image = {0};
        int error = freeze_scan(&options, &image);
        failed = failing.failed;
        assert_true(error == 0 || error == -ENOMEM);
        if (!error)
            test_same_bytes(&image, &want);
        done_without += failed && !error;
        test_buffer_free(&image);
        assert_int_equal(failing.live, 0);
        assert_int_equal(count_descriptors(), before);
    }
    no_threads = 0;
    assert_true(done_without > 10); /* what cannot be listed ahead is listed later */
    test_buffer_free(&want);
}

static int cancel_at(void *context, const struct memfs_progress *progress)
{
    return progress->nodes >= *(uint64_t *)context;
}

static void test_ahead__cancelled(void **state)
{
    (void)state;
    put_tree(30, 2);
    const int before = count_descriptors();
    for (uint64_t at_node = 1; at_node < 60; at_node += 7) {
        struct memfs_scan_options options = {
            .size = sizeof options, .threads = 2, .progress = cancel_at, .progress_context = &at_node};
        memfs_backing *backing = NULL;
        assert_int_equal(memfs_host_scan(fixture_top, &options, &backing, NULL), -ECANCELED);
        assert_int_equal(count_descriptors(), before);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(test_ahead__##name, fixture_setup_in_memory, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(any_number_of_threads_finds_the_same),
        CASE(what_has_become_another_directory_is_listed_again),
        CASE(few_descriptors_are_enough),
        CASE(lack_of_memory),
        CASE(cancelled),
    };
    return cmocka_run_group_tests_name("host_scan_ahead", tests, find_real_calls, NULL);
}
