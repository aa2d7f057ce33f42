#define _GNU_SOURCE
#include "alloc.h"
#include "host_fixture.h"
#include "pool.h"
#include "real_call.h"
#include "testlib.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

/* ---- The host, watched ------------------------------------------------------ */

#ifndef SYS_listxattrat
#define SYS_listxattrat 465
#endif

typedef int create_fn(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);
typedef int fstatat_fn(int fd, const char *name, struct stat *stat, int flags);
typedef long syscall_fn(long number, ...);
typedef ssize_t llistxattr_fn(const char *path, char *list, size_t size);

static create_fn *real_create;
static fstatat_fn *real_fstatat;
static syscall_fn *real_syscall;
static llistxattr_fn *real_llistxattr;

/* Before there are threads: but who calls earlier finds them, too. */
static int find_real_calls(void)
{
    if (real_llistxattr)
        return 0;
    *(void **)&real_create = real_call("pthread_create");
    *(void **)&real_fstatat = real_call("fstatat");
    *(void **)&real_syscall = real_call("syscall");
    *(void **)&real_llistxattr = real_call("llistxattr");
    return 0;
}

static struct {
    int no_threads;          /* the host has none to give */
    pthread_t walker;        /* the test's own thread */
    _Atomic(int) by_walker;  /* how often that has asked for what is called "marker", */
    _Atomic(int) by_others;  /* and how often others have */
    ino_t elsewhere;         /* a directory on a device of its own, which knows no attributes; 0: none */
    _Atomic(int) mute_asked; /* that has been asked for some */
} host;

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    find_real_calls();
    return host.no_threads ? EAGAIN : real_create(thread, attributes, run, argument);
}

static int elsewhere(int failed, struct stat *stat)
{
    if (!failed && host.elsewhere && stat->st_ino == host.elsewhere)
        stat->st_dev++;
    return failed;
}

int fstatat(int fd, const char *name, struct stat *stat, int flags)
{
    find_real_calls();
    if (strcmp(name, "marker") == 0)
        atomic_fetch_add(pthread_equal(pthread_self(), host.walker) ? &host.by_walker : &host.by_others, 1);
    return elsewhere(real_fstatat(fd, name, stat, flags), stat);
}

int fstat(int fd, struct stat *stat)
{
    find_real_calls();
    return elsewhere(real_fstatat(fd, "", stat, AT_EMPTY_PATH), stat);
}

/* Ends with the name of what knows no attributes? */
static int is_mute(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!host.elsewhere || strcmp(slash ? slash + 1 : path, "elsewhere") != 0)
        return 0;
    atomic_store(&host.mute_asked, 1);
    errno = ENOTSUP;
    return 1;
}

long syscall(long number, ...)
{
    long arguments[5]; /* as many as the library passes at most */
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 5; i++)
        arguments[i] = va_arg(list, long);
    va_end(list);
    find_real_calls();
    if (number == SYS_listxattrat && is_mute((const char *)arguments[1]))
        return -1;
    return real_syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4]);
}

ssize_t llistxattr(const char *path, char *list, size_t size)
{
    find_real_calls();
    return is_mute(path) ? -1 : real_llistxattr(path, list, size);
}

static struct rlimit descriptors; /* as they were */

static int setup(void **state)
{
    find_real_calls();
    host.walker = pthread_self();
    getrlimit(RLIMIT_NOFILE, &descriptors);
    return fixture_setup_in_memory(state);
}

/* After a failure, too, the next case finds the host as it is. */
static int teardown(void **state)
{
    host.no_threads = 0;
    host.elsewhere = 0;
    setrlimit(RLIMIT_NOFILE, &descriptors);
    return fixture_teardown(state);
}

/* Some cases need a second thread; say so, so that the skip is seen. */
static int has_threads(void)
{
    const struct memfs_allocator allocator = memfs_allocator_or_default(NULL);
    struct memfs_pool *pool = NULL;
    assert_ok(memfs_pool_create(&allocator, 2, &pool));
    const int has = memfs_pool_threads(pool) == 2;
    memfs_pool_destroy(pool);
    if (!has)
        print_message("the host gives no threads: skipped\n");
    return has;
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

/* Where the host's filesystem has any. */
static void put_attribute(const char *path)
{
    assert_true(setxattr(at(path), "user.some", "value", 5, 0) == 0 || errno == ENOTSUP);
}

/* Many directories beside each other, and below each other; one with more names than are listed ahead; links, and
 * attributes. */
static void put_tree(int directories, int names)
{
    char path[64], other[80], deep[256] = "a-deep";
    put_directory("a-many");
    for (int i = 0; i < names; i++)
        put_numbered("a-many", i);
    put_directory("a-named");
    assert_int_equal(link(at("a-many/file-1"), at("a-named/other")), 0);
    put_numbered("a-named", 1);
    put_attribute("a-named/file-1");
    put_attribute("a-named");
    for (int i = 0; i < 12; i++) {
        put_directory(deep);
        put_numbered(deep, i);
        strcat(deep, "/deeper");
    }
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
    host.no_threads = 1; /* what has been handed out is then listed by the walk itself */
    expect_same(4, &want);
    host.no_threads = 0;
    assert_int_equal(count_descriptors(), before);
    test_buffer_free(&want);
}

static int count_markers(void)
{
    return atomic_load(&host.by_others) + atomic_load(&host.by_walker);
}

/* Until so many of what is called "marker" have been asked for: by others, or by the walk's thread while it waited for
 * one of them. What a filter answers then: the scan is cancelled if they never are. */
static int wait_for_markers(int count)
{
    for (int tries = 0; tries < 10000 && count_markers() < count; tries++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return count_markers() >= count ? MEMFS_SCAN_TAKE : -1;
}

/* Called for "pNN/a/trigger" while the walk has not been in "pNN/b". */
static int wait_for_marker(void *context, struct memfs_scan_found *found)
{
    int *seen = context;
    const char *name = strrchr(found->path, '/');
    return name && strcmp(name, "/trigger") == 0 ? wait_for_markers(++*seen) : MEMFS_SCAN_TAKE;
}

/* One directory after the other, more than are known or held at once: each is listed before the walk comes to it, and
 * only once. */
static void test_ahead__directories_are_listed_before_the_walk_comes(void **state)
{
    (void)state;
    enum { PARENTS = 100, NAMES = 20 };
    char path[64];
    int seen = 0;
    if (!has_threads())
        skip();
    for (int i = 0; i < PARENTS; i++) {
        static const char *const below[] = {"", "/a", "/b"};
        for (size_t j = 0; j < sizeof below / sizeof below[0]; j++) {
            snprintf(path, sizeof path, "p%02d%s", i, below[j]);
            put_directory(path);
        }
        for (int j = 0; j < NAMES; j++)
            put_numbered(path, j);
        strcat(path, "/marker");
        put_text(at(path), "");
        snprintf(path, sizeof path, "p%02d/a/trigger", i);
        put_text(at(path), "");
    }
    const struct memfs_scan_options options = {
        .size = sizeof options, .threads = 2, .filter = wait_for_marker, .filter_context = &seen};
    host.by_walker = host.by_others = 0;
    memfs_backing *backing = NULL;
    assert_ok(memfs_host_scan(fixture_top, &options, &backing, NULL));
    memfs_backing_release(backing);
    assert_int_equal(seen, PARENTS);
    assert_int_equal(count_markers(), PARENTS);
    assert_true(host.by_others > 0);
}

struct change {
    void (*apply)(void);
    int applied;
};

/* Waits until "b" has been listed. */
static int change_listed(void *context, struct memfs_scan_found *found)
{
    struct change *change = context;
    if (change->applied || strcmp(found->path, "a/trigger") != 0)
        return MEMFS_SCAN_TAKE;
    change->applied = 1;
    if (wait_for_markers(1) != MEMFS_SCAN_TAKE)
        return -1;
    change->apply();
    return MEMFS_SCAN_TAKE;
}

static void expect_after(void (*apply)(void), const char *names)
{
    struct change change = {.apply = apply};
    if (!has_threads())
        skip();
    put_directory("a");
    put_text(at("a/trigger"), "");
    put_directory("b");
    put_text(at("b/marker"), "");
    const struct memfs_scan_options options = {
        .size = sizeof options, .threads = 2, .filter = change_listed, .filter_context = &change};
    host.by_walker = host.by_others = 0;
    memfs_backing *backing = NULL;
    memfs *fs = NULL;
    assert_ok(memfs_host_scan(fixture_top, &options, &backing, NULL));
    assert_true(change.applied);
    const struct memfs_options standing = {.size = sizeof standing, .backing = backing};
    assert_ok(memfs_create(&standing, &fs));
    memfs_backing_release(backing);
    test_expect_names(fs, "b", names);
    memfs_destroy(fs);
}

static void exchange_directory(void)
{
    assert_int_equal(rename(at("b"), at("a/away")), 0);
    put_directory("b");
    put_text(at("b/new"), "new");
}

static void test_ahead__another_directory_is_listed_again(void **state)
{
    (void)state;
    expect_after(exchange_directory, "new ");
}

/* Until the directory's ctime is another, as the host's clock for files may be coarse. */
static void add_name(void)
{
    struct stat before, now;
    assert_int_equal(stat(at("b"), &before), 0);
    put_text(at("b/new"), "new");
    do {
        assert_int_equal(chmod(at("b"), 0755), 0);
        assert_int_equal(stat(at("b"), &now), 0);
    } while (now.st_ctim.tv_sec == before.st_ctim.tv_sec && now.st_ctim.tv_nsec == before.st_ctim.tv_nsec);
}

static void test_ahead__a_changed_directory_is_listed_again(void **state)
{
    (void)state;
    expect_after(add_name, "marker new ");
}

/* Beside a directory on which something is mounted: that it knows no attributes says nothing of what is not in it. */
static void test_ahead__a_mute_device_is_not_its_neighbours(void **state)
{
    (void)state;
    struct stat status;
    put_directory("d");
    put_directory("d/elsewhere");
    put_text(at("d/file"), "text");
    put_attribute("d/file");
    assert_int_equal(stat(at("d/elsewhere"), &status), 0);
    struct test_buffer want = image_by(1);
    host.elsewhere = status.st_ino;
    for (int i = 0; i < 2; i++) {
        host.no_threads = i;
        host.mute_asked = 0;
        expect_same(2, &want);
        assert_true(host.mute_asked);
    }
    host.no_threads = 0;
    host.elsewhere = 0;
    test_buffer_free(&want);
}

/* What is mounted somewhere else, and stays empty, is not even looked into. */
static void test_ahead__other_filesystems_are_left_alone(void **state)
{
    (void)state;
    struct stat status;
    put_directory("elsewhere");
    put_text(at("elsewhere/marker"), "");
    put_directory("here");
    assert_int_equal(stat(at("elsewhere"), &status), 0);
    const struct memfs_scan_options options = {.size = sizeof options, .threads = 2, .one_file_system = 1};
    memfs_backing *backing = NULL;
    host.elsewhere = status.st_ino;
    host.no_threads = 1; /* so that what is handed out is done before the next is walked */
    host.by_walker = host.by_others = 0;
    assert_ok(memfs_host_scan(fixture_top, &options, &backing, NULL));
    memfs_backing_release(backing);
    host.no_threads = 0;
    host.elsewhere = 0;
    assert_int_equal(count_markers(), 0);
}

#define DESCRIPTORS 256

/* Takes all descriptors but so many. */
static void take_descriptors(int taken[DESCRIPTORS], int but)
{
    int count = 1;
    taken[0] = open("/", O_RDONLY | O_DIRECTORY);
    assert_true(taken[0] >= 0);
    while ((taken[count] = dup(taken[0])) >= 0)
        count++;
    while (but-- > 0 && count > 1)
        close(taken[--count]);
    taken[count] = -1;
}

static void give_descriptors(const int taken[DESCRIPTORS])
{
    for (int i = 0; taken[i] >= 0; i++)
        close(taken[i]);
}

/* Those by which directories are to be listed are given up for those that the walk needs. */
static void test_ahead__few_descriptors_are_enough(void **state)
{
    (void)state;
    struct rlimit small = descriptors;
    int enough = 0;
    put_tree(40, 2);
    struct test_buffer want = image_by(1);
    small.rlim_cur = small.rlim_max < DESCRIPTORS ? small.rlim_max : DESCRIPTORS;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &small), 0);
    for (int n = 1; n <= 20; n++) {
        int errors[2], taken[DESCRIPTORS];
        for (unsigned i = 0; i < 2; i++) {
            struct test_buffer image = {0};
            const struct memfs_scan_options options = {.size = sizeof options, .threads = 1 + i};
            take_descriptors(taken, n);
            errors[i] = freeze_scan(&options, &image);
            give_descriptors(taken);
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

/* Directories inside each other, each with one beside it that comes only when the walk is out again. */
static void put_ladder(size_t rungs)
{
    char deep[512] = "a";
    assert_true(2 * rungs < sizeof deep);
    for (size_t i = 0; i < rungs; i++, strcat(deep, "/a")) {
        put_directory(deep);
        deep[strlen(deep) - 1] = 'z';
        put_directory(deep);
        deep[strlen(deep) - 1] = 'a';
    }
}

static int most_descriptors(void *context, const struct memfs_progress *progress)
{
    int *most = context, now = count_descriptors();
    (void)progress;
    *most = now > *most ? now : *most;
    return 0;
}

/* However many directories wait, and however many descriptors there may be: 64 of those above them, 32 of the walk's
 * way, and what each of two threads has open. */
static void test_ahead__few_descriptors_are_held(void **state)
{
    (void)state;
    int most = 0;
    struct rlimit large = descriptors;
    large.rlim_cur = large.rlim_max < 1024 ? large.rlim_max : 1024;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &large), 0);
    put_ladder(150);
    const int before = count_descriptors();
    const struct memfs_scan_options options = {
        .size = sizeof options, .threads = 2, .progress = most_descriptors, .progress_context = &most};
    struct test_buffer want = image_by(1), image = {0};
    assert_ok(freeze_scan(&options, &image));
    test_same_bytes(&image, &want);
    assert_in_range(most - before, 32, 64 + 32 + 8);
    test_buffer_free(&image);
    test_buffer_free(&want);
}

static void test_ahead__lack_of_memory(void **state)
{
    (void)state;
    put_tree(6, 2);
    const int before = count_descriptors();
    struct test_buffer want = image_by(1);
    long failed = 1, done_without = 0;
    host.no_threads = 1; /* so that the same allocation fails each time */
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
    host.no_threads = 0;
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

#define CASE(name) cmocka_unit_test_setup_teardown(test_ahead__##name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(any_number_of_threads_finds_the_same),
        CASE(directories_are_listed_before_the_walk_comes),
        CASE(another_directory_is_listed_again),
        CASE(a_changed_directory_is_listed_again),
        CASE(a_mute_device_is_not_its_neighbours),
        CASE(other_filesystems_are_left_alone),
        CASE(few_descriptors_are_enough),
        CASE(few_descriptors_are_held),
        CASE(lack_of_memory),
        CASE(cancelled),
    };
    return cmocka_run_group_tests_name("host_scan_ahead", tests, NULL, NULL);
}
