/* A filesystem that one thread alone has used, when another begins: in the midst of an operation, by a callback. Each
 * case is a program of its own, since no other begins with one thread: after fork() the thread sanitizer has one more.
 */
#include "single_thread.h"
#include "testlib.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILES 700  /* of each thread: enough for several chunks of all tables, and for hints to grow */
#define LARGE 1024 /* bytes: what is freed in a commit, in which readers wait, is not smaller */

#ifdef MEMFS_KNOWS_THREADS
#define KNOWS_THREADS 1
#else
#define KNOWS_THREADS 0
#endif

/* The callback in which the other thread begins, and in which of its calls. */
enum { CLOCK, ALLOC, FREE_LARGE };
static const struct moment {
    int kind;
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
    if (!shared->fs || atomic_load(&shared->begun) || kind != shared->begin_at.kind ||
        ++shared->calls < shared->begin_at.calls)
        return;
    const struct timespec moment = {.tv_nsec = 3000000};
    atomic_store(&shared->begun, 1);
    if (pthread_create(&shared->other, NULL, work, shared))
        atomic_store(&shared->wrong, -EAGAIN);
    nanosleep(&moment, NULL); /* so that it is at work, as far as it may be, before this one goes on */
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
    if (!is_single_threaded() && KNOWS_THREADS)
        return 6;
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

static char *program;

/* Emulators do not run what they run: then the process goes on without being a program of its own. */
static void run_program(struct moment begin_at)
{
    char kind[16], calls[16];
    char *const arguments[] = {program, kind, calls, NULL};
    snprintf(kind, sizeof kind, "%d", begin_at.kind);
    snprintf(calls, sizeof calls, "%u", begin_at.calls);
    alarm(60);
    execv(program, arguments);
    _exit(run_case(begin_at));
}

static void expect_case(struct moment begin_at)
{
    int status = 0;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        run_program(begin_at);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (status)
        print_error("begun in call %u of callback %d\n", begin_at.calls, begin_at.kind);
    assert_int_equal(status, 0);
}

static void test_single_thread__another_begins(void **state)
{
    (void)state;
    assert_int_equal(is_single_threaded(), KNOWS_THREADS);
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++)
        for (unsigned calls = 1; calls <= moments[i].calls; calls++)
            expect_case((struct moment){moments[i].kind, calls});
}

int main(int argc, char **argv)
{
    if (argc == 3)
        return run_case((struct moment){atoi(argv[1]), (unsigned)atoi(argv[2])});
    program = argv[0];
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_single_thread__another_begins)};
    return cmocka_run_group_tests_name("single_thread", tests, NULL, NULL);
}
