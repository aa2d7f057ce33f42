/* A filesystem that one thread alone has used, when another begins: in the midst of an operation, by a callback. Each
 * case is a process of its own, since no other begins with one thread. */
#include "single_thread.h"
#include "testlib.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILES 700  /* of each thread: enough for several chunks of all tables, and for hints to grow */
#define LARGE 1024 /* bytes: what is freed in a commit, in which readers wait, is not smaller */

/* The callback in which the other thread begins, and in which of its calls. */
static const struct moment {
    enum { CLOCK, ALLOC, FREE_LARGE } kind;
    unsigned calls;
} moments[] = {{CLOCK, 20}, {ALLOC, 40}, {FREE_LARGE, 2}};

struct shared {
    memfs *fs; /* NULL: not made yet */
    struct moment begin_at;
    unsigned calls;
    pthread_t other;
    _Atomic(int) begun, wrong;
};

static void make(struct shared *shared, char who, unsigned number)
{
    char path[32];
    snprintf(path, sizeof path, "d/%c%u", who, number);
    memfs_file *file = NULL;
    int r = memfs_open(shared->fs, NULL, path, MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &file);
    if (r == 0) {
        r = memfs_write(file, path, sizeof path) == sizeof path ? 0 : -EIO;
        memfs_close(file);
    }
    if (r)
        atomic_store(&shared->wrong, r);
}

/* What is there is whole: names and contents are one. */
static void look(struct shared *shared, char who, unsigned number)
{
    char path[32], text[32];
    memfs_file *file = NULL;
    snprintf(path, sizeof path, "d/%c%u", who, number);
    int r = memfs_open(shared->fs, NULL, path, MEMFS_O_READ, 0, &file);
    if (r == -ENOENT)
        return;
    if (r == 0) {
        const int64_t length = memfs_read(file, text, sizeof text);
        r = length == 0 || (length == sizeof text && strcmp(text, path) == 0) ? 0 : -EIO;
        memfs_close(file);
    }
    if (r)
        atomic_store(&shared->wrong, r);
}

static void *work(void *context)
{
    struct shared *shared = context;
    for (unsigned i = 0; i < FILES; i++) {
        look(shared, 'a', i);
        make(shared, 'b', i);
    }
    return NULL;
}

/* Called by callbacks. */
static void call(struct shared *shared, int kind)
{
    if (!shared->fs || atomic_load(&shared->begun) || kind != (int)shared->begin_at.kind ||
        ++shared->calls < shared->begin_at.calls)
        return;
    atomic_store(&shared->begun, 1);
    if (pthread_create(&shared->other, NULL, work, shared))
        atomic_store(&shared->wrong, -EAGAIN);
}

static void *call_alloc(void *context, size_t size)
{
    call(context, ALLOC);
    return malloc(size);
}

static void call_free(void *context, void *memory, size_t size)
{
    if (size >= LARGE)
        call(context, FREE_LARGE);
    free(memory);
}

static int64_t call_clock(void *context)
{
    call(context, CLOCK);
    return 0;
}

static int count(void *context, const char *path, const struct memfs_stat *stat)
{
    (void)path;
    *(unsigned *)context += stat->size == 32 && (stat->mode & MEMFS_IFMT) == MEMFS_IFREG;
    return 0;
}

static int run_case(struct moment begin_at)
{
    struct shared shared = {.begin_at = begin_at};
    const struct memfs_allocator allocator = {.context = &shared, .alloc = call_alloc, .free = call_free};
    const struct memfs_options options = {
        .size = sizeof options, .allocator = &allocator, .clock = call_clock, .clock_context = &shared};
    unsigned found = 0;
    memfs *fs = NULL;
    if (memfs_create(&options, &fs) || memfs_mkdir(fs, NULL, "d", 0755))
        return 2;
    shared.fs = fs;
    for (unsigned i = 0; i < FILES; i++) {
        make(&shared, 'a', i);
        look(&shared, 'b', i);
    }
    if (!atomic_load(&shared.begun))
        return 3;
    if (pthread_join(shared.other, NULL) || atomic_load(&shared.wrong))
        return 4;
    if (memfs_walk(fs, NULL, "/", 0, count, &found) || found != 2 * FILES)
        return 5;
    memfs_destroy(fs);
    return 0;
}

static void expect_case(struct moment begin_at)
{
    int status = 0;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(60);
        _exit(run_case(begin_at));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (status)
        print_error("begun in call %u of callback %d\n", begin_at.calls, (int)begin_at.kind);
    assert_int_equal(status, 0);
}

static void test_single_thread__another_begins(void **state)
{
    (void)state;
#ifdef MEMFS_KNOWS_THREADS
    assert_true(is_single_threaded());
#else
    assert_false(is_single_threaded());
#endif
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++)
        for (unsigned calls = 1; calls <= moments[i].calls; calls++)
            expect_case((struct moment){moments[i].kind, calls});
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_single_thread__another_begins)};
    return cmocka_run_group_tests_name("single_thread", tests, NULL, NULL);
}
