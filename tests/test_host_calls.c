/*
 * Each call of the host fails in turn, with one error after the other, once and
 * ever after (and signals, or what a host lacks, come in the way of many): while a directory is scanned and read, while
 * a tree is written, into an empty place and over what is there, and while an image is published and opened. What comes
 * out is a failure, a problem that was told, or what would have come out anyway; nothing stays behind unsaid, no
 * descriptor, and no memory.
 */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE /* it has definitions of its own of what is defined here */
#include "host_fixture.h"
#include "real_call.h"
#include "testlib.h"

#include <linux/openat2.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

/* ---- The host ---------------------------------------------------------------------------------- */

#define CALLS(X)                                                                                                       \
    X(open)                                                                                                            \
    X(openat)                                                                                                          \
    X(syscall)                                                                                                         \
    X(close)                                                                                                           \
    X(access)                                                                                                          \
    X(fstat)                                                                                                           \
    X(fstatat)                                                                                                         \
    X(fstatfs)                                                                                                         \
    X(getdents64)                                                                                                      \
    X(read)                                                                                                            \
    X(pread)                                                                                                           \
    X(write)                                                                                                           \
    X(pwrite)                                                                                                          \
    X(lseek)                                                                                                           \
    X(ftruncate)                                                                                                       \
    X(readlinkat)                                                                                                      \
    X(fgetxattr)                                                                                                       \
    X(lgetxattr)                                                                                                       \
    X(llistxattr)                                                                                                      \
    X(fsetxattr)                                                                                                       \
    X(setxattr)                                                                                                        \
    X(fremovexattr)                                                                                                    \
    X(removexattr)                                                                                                     \
    X(mkdirat)                                                                                                         \
    X(mknodat)                                                                                                         \
    X(linkat)                                                                                                          \
    X(symlinkat)                                                                                                       \
    X(unlinkat)                                                                                                        \
    X(renameat)                                                                                                        \
    X(renameat2)                                                                                                       \
    X(fchmod)                                                                                                          \
    X(fchownat)                                                                                                        \
    X(futimens)                                                                                                        \
    X(utimensat)                                                                                                       \
    X(fsync)                                                                                                           \
    X(syncfs)                                                                                                          \
    X(getrandom)

#define CALL_NUMBER(name) CALL_##name,
#define CALL_NAME(name) #name,
enum call { CALLS(CALL_NUMBER) CALLS_COUNT };
static const char *const call_names[] = {CALLS(CALL_NAME)};

static struct {
    int watched;
    unsigned long made[CALLS_COUNT];
    enum call failing;
    unsigned long at; /* 0: none fails */
    int for_ever, error;
    unsigned long failures;
    /* What it is like, whatever fails: */
    int interrupts;    /* every other call that may be interrupted is */
    int is_anothers;   /* whoever asks owns nothing: no O_NOATIME */
    int lacks_openat2; /* and what came after it */
} host;

static int may_be_interrupted(enum call call)
{
    return call == CALL_open || call == CALL_openat || call == CALL_fstatfs || call == CALL_pread ||
           call == CALL_pwrite || call == CALL_ftruncate || call == CALL_getdents64 || call == CALL_syncfs;
}

static int refuse(int error)
{
    host.failures++;
    errno = error;
    return 1;
}

/* The last call that was made. */
static int is_interrupted(enum call call)
{
    return host.watched && host.interrupts && host.made[call] % 2 ? refuse(EINTR) : 0;
}

/* To open with flags, as far as that can be told before. */
static int fails_to_open(int flags)
{
    return host.watched && host.is_anothers && flags & O_NOATIME ? refuse(EPERM) : 0;
}

static int fails(enum call call)
{
    if (!host.watched)
        return 0;
    const unsigned long number = ++host.made[call];
    if (may_be_interrupted(call) && is_interrupted(call))
        return 1;
    if (call != host.failing || !host.at || number < host.at || (number > host.at && !host.for_ever))
        return 0;
    return refuse(host.error);
}

#define FAILING(result, name, parameters, arguments)                                                                   \
    result name parameters                                                                                             \
    {                                                                                                                  \
        static result(*real) parameters;                                                                               \
        if (!real)                                                                                                     \
            *(void **)&real = real_call(#name);                                                                        \
        return fails(CALL_##name) ? (result)-1 : real arguments;                                                       \
    }

FAILING(int, access, (const char *path, int mode), (path, mode))
FAILING(int, fstat, (int fd, struct stat *stat), (fd, stat))
FAILING(int, fstatat, (int fd, const char *name, struct stat *stat, int flags), (fd, name, stat, flags))
FAILING(int, fstatfs, (int fd, struct statfs *statfs), (fd, statfs))
FAILING(ssize_t, getdents64, (int fd, void *buffer, size_t size), (fd, buffer, size))
FAILING(ssize_t, read, (int fd, void *buffer, size_t size), (fd, buffer, size))
FAILING(ssize_t, pread, (int fd, void *buffer, size_t size, off_t offset), (fd, buffer, size, offset))
FAILING(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size))
FAILING(ssize_t, pwrite, (int fd, const void *data, size_t size, off_t offset), (fd, data, size, offset))
FAILING(off_t, lseek, (int fd, off_t offset, int whence), (fd, offset, whence))
FAILING(int, ftruncate, (int fd, off_t size), (fd, size))
FAILING(ssize_t, readlinkat, (int fd, const char *name, char *buffer, size_t size), (fd, name, buffer, size))
FAILING(ssize_t, fgetxattr, (int fd, const char *name, void *value, size_t size), (fd, name, value, size))
FAILING(ssize_t, lgetxattr, (const char *path, const char *name, void *value, size_t size), (path, name, value, size))
FAILING(ssize_t, llistxattr, (const char *path, char *list, size_t size), (path, list, size))
FAILING(int, fsetxattr, (int fd, const char *name, const void *value, size_t size, int flags),
        (fd, name, value, size, flags))
FAILING(int, setxattr, (const char *path, const char *name, const void *value, size_t size, int flags),
        (path, name, value, size, flags))
FAILING(int, fremovexattr, (int fd, const char *name), (fd, name))
FAILING(int, removexattr, (const char *path, const char *name), (path, name))
FAILING(int, mkdirat, (int fd, const char *name, mode_t mode), (fd, name, mode))
FAILING(int, mknodat, (int fd, const char *name, mode_t mode, dev_t device), (fd, name, mode, device))
FAILING(int, linkat, (int from, const char *old, int to, const char *new, int flags), (from, old, to, new, flags))
FAILING(int, symlinkat, (const char *target, int fd, const char *name), (target, fd, name))
FAILING(int, unlinkat, (int fd, const char *name, int flags), (fd, name, flags))
FAILING(int, renameat, (int from, const char *old, int to, const char *new), (from, old, to, new))
FAILING(int, renameat2, (int from, const char *old, int to, const char *new, unsigned flags),
        (from, old, to, new, flags))
FAILING(int, fchmod, (int fd, mode_t mode), (fd, mode))
FAILING(int, fchownat, (int fd, const char *name, uid_t uid, gid_t gid, int flags), (fd, name, uid, gid, flags))
FAILING(int, futimens, (int fd, const struct timespec times[2]), (fd, times))
FAILING(int, utimensat, (int fd, const char *name, const struct timespec times[2], int flags), (fd, name, times, flags))
FAILING(int, fsync, (int fd), (fd))
FAILING(int, syncfs, (int fd), (fd))
FAILING(ssize_t, getrandom, (void *buffer, size_t size, unsigned flags), (buffer, size, flags))

/* It has closed nevertheless. */
int close(int fd)
{
    static int (*real)(int);
    if (!real)
        *(void **)&real = real_call("close");
    const int failed = fails(CALL_close), error = errno, closed = real(fd);
    errno = failed ? error : errno;
    return failed ? -1 : closed;
}

int open(const char *path, int flags, ...)
{
    static int (*real)(const char *, int, ...);
    va_list more;
    va_start(more, flags);
    const mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, mode_t) : 0;
    va_end(more);
    if (!real)
        *(void **)&real = real_call("open");
    return fails(CALL_open) ? -1 : real(path, flags, mode);
}

int openat(int fd, const char *path, int flags, ...)
{
    static int (*real)(int, const char *, int, ...);
    va_list more;
    va_start(more, flags);
    const mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, mode_t) : 0;
    va_end(more);
    if (!real)
        *(void **)&real = real_call("openat");
    return fails(CALL_openat) || fails_to_open(flags) ? -1 : real(fd, path, flags, mode);
}

/* Those that the library makes so have no more than four arguments. */
long syscall(long number, ...)
{
    static long (*real)(long, ...);
    long arguments[5];
    va_list more;
    va_start(more, number);
    for (size_t i = 0; i < 5; i++)
        arguments[i] = va_arg(more, long);
    va_end(more);
    if (!real)
        *(void **)&real = real_call("syscall");
    if (fails(CALL_syscall))
        return -1;
    if (host.watched && host.lacks_openat2 && refuse(ENOSYS))
        return -1;
    if (number == SYS_openat2 && is_interrupted(CALL_syscall))
        return -1;
    if (number == SYS_openat2 && fails_to_open((int)((const struct open_how *)arguments[2])->flags))
        return -1;
    return real(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4]);
}

/* ---- Every failure of an attempt --------------------------------------------------------------- */

/* What an attempt is to do: watch the host while the library works, and say
 * what became of it. */
struct attempt {
    int tolerant; /* problems are told, and left out */
    struct failing memory;
    struct memfs_allocator allocator;
    struct problems problems;
    int error;
    char *got; /* what came out, if there is no error */
};
typedef void attempt_fn(struct attempt *attempt);

static const int errors[] = {EIO,    EINTR,      EACCES, EPERM,  ENOENT, ENOTDIR, EISDIR, EINVAL, ELOOP, EEXIST, EMFILE,
                             ENFILE, EOPNOTSUPP, ENOSYS, ENOSPC, ERANGE, ENODATA, EXDEV,  EAGAIN, ENXIO, ESTALE};

#define ERRORS (sizeof errors / sizeof errors[0])

static void make_attempt(attempt_fn *run, struct attempt *attempt, int tolerant)
{
    *attempt = (struct attempt){.tolerant = tolerant};
    attempt->allocator = (struct memfs_allocator){failing_alloc, failing_free, &attempt->memory};
    const int descriptors = count_descriptors();
    run(attempt);
    host.watched = 0;
    if (attempt->memory.live || count_descriptors() != descriptors)
        fail_msg("%s, call %lu, %s: %ld allocations and %d descriptors left", call_names[host.failing], host.at,
                 strerror(host.error), attempt->memory.live, count_descriptors() - descriptors);
    assert_int_equal(!attempt->error, attempt->got != NULL);
}

/* Errors that say what a host lacks, or what has gone meanwhile: what comes out
 * may be less then. */
static int may_differ(void)
{
    const int error = host.error;
    const enum call call = host.failing;
    const int xattr =
        call == CALL_fgetxattr || call == CALL_lgetxattr || call == CALL_llistxattr || call == CALL_syscall;
    return xattr && (error == EOPNOTSUPP || error == ENODATA || error == ENOSYS || error == EPERM || error == ERANGE);
}

static unsigned long tried, failures, told;

static void try_one(attempt_fn *run, int tolerant, const char *want)
{
    struct attempt attempt;
    memset(host.made, 0, sizeof host.made);
    host.failures = 0;
    make_attempt(run, &attempt, tolerant);
    assert_true(host.failures > 0);
    tried++;
    failures += attempt.error != 0;
    told += attempt.problems.count != 0;
    if (!attempt.error && !attempt.problems.count && !may_differ() && strcmp(attempt.got, want)) {
        print_error("%s, call %lu%s, %s:\n", call_names[host.failing], host.at,
                    host.for_ever ? " and all after it" : "", strerror(host.error));
        test_same_text(attempt.got, want, "what came out although a call failed");
    }
    free(attempt.got);
}

/* Each call fails with some of the errors, and the first of a name with all, the first three with MEMFS_FULL; with
 * fewer where that is to be fast. */
static int is_tried(size_t error)
{
    const int is_fast = test_is_fast();
    if (host.for_ever) /* what is made again after EINTR, would be for ever */
        return host.at == 1 && errors[error] != EINTR && (!is_fast || error % 7 == 0);
    if (is_fast)
        return (host.at + error) % 17 == 0; /* fewer than there are errors: each call has one at least */
    const int is_full = test_environment("MEMFS_FULL", 0) != 0;
    return host.at <= (is_full ? 3 : 1) || (host.at + error) % (is_full ? 7 : 11) == 0;
}

static void fail_each(attempt_fn *run, int tolerant)
{
    struct attempt sound;
    unsigned long made[CALLS_COUNT];
    memset(&host, 0, sizeof host);
    make_attempt(run, &sound, tolerant);
    assert_ok(sound.error);
    memcpy(made, host.made, sizeof made);
    failures = told = 0;
    for (int call = 0; call < CALLS_COUNT; call++)
        for (unsigned long at = 1; at <= made[call]; at++)
            for (size_t i = 0; i < 2 * ERRORS; i++) {
                host.failing = (enum call)call;
                host.at = at;
                host.error = errors[i / 2];
                host.for_ever = i % 2;
                if (is_tried(i / 2))
                    try_one(run, tolerant, sound.got);
            }
    free(sound.got);
    assert_true(failures > 0);
    assert_int_equal(told > 0, tolerant);
}

/* With hosts that are not as one would like, and are none to complain of. */
static void try_hosts(attempt_fn *run)
{
    struct attempt sound;
    memset(&host, 0, sizeof host);
    make_attempt(run, &sound, 0);
    assert_ok(sound.error);
    for (unsigned kinds = 1; kinds < 8; kinds++) {
        struct attempt attempt;
        memset(&host, 0, sizeof host);
        host.interrupts = kinds & 1;
        host.is_anothers = kinds >> 1 & 1;
        host.lacks_openat2 = kinds >> 2 & 1;
        make_attempt(run, &attempt, 0);
        assert_ok(attempt.error);
        assert_true(host.failures > 0);
        test_same_text(attempt.got, sound.got, "what came out of a host that is as good as any");
        free(attempt.got);
    }
    free(sound.got);
}

/* One kind of call alone, with one error: all of its calls, one after the other. */
static void fail_calls(attempt_fn *run, enum call call, int error)
{
    struct attempt sound;
    memset(&host, 0, sizeof host);
    make_attempt(run, &sound, 0);
    assert_ok(sound.error);
    const unsigned long made = host.made[call];
    assert_true(made > 0);
    host.failing = call;
    host.error = error;
    for (host.at = 1; host.at <= made; host.at++)
        try_one(run, 0, sound.got);
    free(sound.got);
}

/* ---- Host directories in ----------------------------------------------------------------------- */

static void make_tree(const char *top)
{
    static uint8_t bytes[70000];
    char path[300];
    assert_int_equal(mkdir(at(top), 0755), 0);
    snprintf(path, sizeof path, "%s/d", top);
    assert_int_equal(mkdir(at(path), 0750), 0);
    snprintf(path, sizeof path, "%s/d/e", top);
    assert_int_equal(mkdir(at(path), 0700), 0);
    snprintf(path, sizeof path, "%s/d/e/small", top);
    put_text(at(path), "small");
    assert_int_equal(setxattr(at(path), "user.mime", "text", 4, 0), 0);
    char other[300];
    snprintf(other, sizeof other, "%s/linked", top);
    assert_int_equal(link(at(path), at(other)), 0);
    memset(bytes, 'x', sizeof bytes);
    snprintf(path, sizeof path, "%s/large", top);
    put_file(at(path), bytes, sizeof bytes, 0600);
    assert_int_equal(truncate(at(path), 1 << 20), 0);
    snprintf(path, sizeof path, "%s/target", top);
    assert_int_equal(symlink("d/e", at(path)), 0);
    snprintf(path, sizeof path, "%s/fifo", top);
    assert_int_equal(mkfifo(at(path), 0640), 0);
}

static memfs *create_on(struct attempt *attempt, memfs_backing *backing)
{
    struct memfs_options options = {.size = sizeof options, .allocator = &attempt->allocator, .backing = backing};
    memfs *fs = NULL;
    host.watched = 0;
    assert_ok(memfs_create(&options, &fs));
    memfs_backing_release(backing);
    return fs;
}

/* Reads files of it, one twice, while the host fails. */
static void read_some(struct attempt *attempt, memfs *fs)
{
    static const char *const paths[] = {"d/e/small", "large", "d/e/small"};
    static uint8_t bytes[1 << 20];
    for (size_t i = 0; i < 3 && !attempt->error; i++) {
        memfs_node node;
        if (memfs_resolve(fs, NULL, paths[i], 0, &node))
            continue; /* left out: a problem was told */
        host.watched = 1;
        const int64_t got = memfs_node_read(fs, node, i, bytes, sizeof bytes);
        const int64_t hole = got < 0 ? got : memfs_node_seek(fs, node, 0, MEMFS_SEEK_HOLE);
        host.watched = 0;
        attempt->error = hole < 0 ? (int)hole : 0;
        memfs_node_forget(fs, node, 1);
    }
}

static void finish(struct attempt *attempt, memfs *fs)
{
    attempt->got = attempt->error ? NULL : test_dump(fs, 0);
    memfs_destroy(fs);
}

static struct memfs_scan_options scan_options(struct attempt *attempt)
{
    return (struct memfs_scan_options){.allocator = &attempt->allocator,
                                       .problem = attempt->tolerant ? record_problem : NULL,
                                       .problem_context = &attempt->problems};
}

static void scan(struct attempt *attempt)
{
    const struct memfs_scan_options options = scan_options(attempt);
    memfs_backing *backing = NULL;
    host.watched = 1;
    attempt->error = memfs_host_scan(at("tree"), &options, &backing, NULL);
    host.watched = 0;
    assert_int_equal(!attempt->error, backing != NULL);
    if (attempt->error)
        return;
    memfs *fs = create_on(attempt, backing);
    read_some(attempt, fs);
    finish(attempt, fs);
}

static void test_host_calls__scan(void **state)
{
    (void)state;
    make_tree("tree");
    fail_each(scan, 0);
    fail_each(scan, 1);
    try_hosts(scan);
}

#define WIDE_DIRS 12ul
#define WIDE_FILES 10ul /* in each */

/* How often a tree costs a call: packing is mostly waiting for them. */
static void test_host_calls__few_of_them(void **state)
{
    const struct memfs_scan_options options = {.size = sizeof options};
    const unsigned long files = WIDE_DIRS * WIDE_FILES, dirs = WIDE_DIRS + 1;
    struct test_buffer image = {0};
    memfs_backing *backing = NULL;
    memfs *fs = NULL;
    (void)state;
    assert_int_equal(mkdir(at("wide"), 0755), 0);
    for (unsigned long i = 0; i < files; i++) {
        char path[32];
        snprintf(path, sizeof path, "wide/%lu", i / WIDE_FILES);
        assert_true(mkdir(at(path), 0755) == 0 || i % WIDE_FILES);
        snprintf(path, sizeof path, "wide/%lu/%lu", i / WIDE_FILES, i);
        put_text(at(path), path);
    }
    memset(&host, 0, sizeof host);
    host.watched = 1;
    assert_ok(memfs_host_scan(at("wide"), &options, &backing, NULL));
    const struct memfs_options standing = {.size = sizeof standing, .backing = backing};
    assert_ok(memfs_create(&standing, &fs));
    test_freeze(fs, &image);
    host.watched = 0;
    memfs_destroy(fs);
    memfs_backing_release(backing);
    test_buffer_free(&image);
    assert_in_range(host.made[CALL_getdents64], dirs, 2 * dirs);
    assert_in_range(host.made[CALL_fstatat], files, files + dirs);    /* when it is listed, */
    assert_in_range(host.made[CALL_openat], files, files + 3 * dirs); /* of directories where there is no openat2() */
    assert_in_range(host.made[CALL_fstat], files, files + 3 * dirs);  /* and when it has been read */
    assert_in_range(host.made[CALL_pread], files, files);
    /* Directories are opened to be listed and to be read, and once more where a place is wanted again. */
    assert_in_range(host.made[CALL_close], files, files + 3 * dirs);
}

#define DEPTH 40 /* deeper than descriptors are held */

static void scan_deep(struct attempt *attempt)
{
    const struct memfs_scan_options options = scan_options(attempt);
    memfs_backing *backing = NULL;
    host.watched = 1;
    attempt->error = memfs_host_scan(at("deep"), &options, &backing, NULL);
    host.watched = 0;
    if (!attempt->error)
        finish(attempt, create_on(attempt, backing));
}

/* Two at the top, so that it goes all the way up again. */
static void test_host_calls__scan_deep(void **state)
{
    char path[2 * DEPTH + 8] = "deep";
    (void)state;
    for (size_t i = 0; i < DEPTH; i++) {
        assert_int_equal(mkdir(at(path), 0755), 0);
        strcat(path, "/d");
    }
    assert_int_equal(mkdir(at("deep/e"), 0755), 0);
    put_text(at("deep/e/file"), "text");
    fail_each(scan_deep, 0);
    try_hosts(scan_deep);
    fail_calls(scan_deep, CALL_openat, EMFILE); /* on the way up, where descriptors have been given up */
    fail_calls(scan_deep, CALL_openat, EIO);
}

static void scan_list(struct attempt *attempt)
{
    const char *const tree = at("tree"), *const file = at("tree/d/e/small");
    const struct memfs_scan_source sources[] = {{"d", tree}, {"file", file}, {"here", "."}};
    struct memfs_scan_options options = scan_options(attempt);
    memfs_backing *backing = NULL;
    options.one_file_system = 1;
    host.watched = 1;
    attempt->error = memfs_host_scan_list(sources, 3, &options, &backing, NULL);
    host.watched = 0;
    if (attempt->error)
        return;
    memfs *fs = create_on(attempt, backing);
    memfs_node node;
    if (!memfs_resolve(fs, NULL, "file", 0, &node)) {
        char text[8];
        host.watched = 1;
        const int64_t got = memfs_node_read(fs, node, 0, text, sizeof text);
        host.watched = 0;
        attempt->error = got < 0 ? (int)got : 0;
        memfs_node_forget(fs, node, 1);
    }
    finish(attempt, fs);
}

static void test_host_calls__scan_list(void **state)
{
    char before[4096];
    (void)state;
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(at("tree/d")), 0);
    fail_each(scan_list, 0);
    fail_each(scan_list, 1);
    try_hosts(scan_list);
    assert_int_equal(chdir(before), 0);
}

/* ---- Host directories out ---------------------------------------------------------------------- */

static char *dump_of(const char *name)
{
    memfs_backing *backing = NULL;
    struct memfs_options options = {.size = sizeof options};
    memfs *fs = NULL;
    assert_ok(memfs_host_scan(at(name), NULL, &backing, NULL));
    options.backing = backing;
    assert_ok(memfs_create(&options, &fs));
    memfs_backing_release(backing);
    char *text = test_dump(fs, 0);
    memfs_destroy(fs);
    return text;
}

/* What is to be written: with attributes that need root only if it is root's.
 */
static memfs *tree_to_write(void)
{
    static struct test_clock clock = {.now = 1000000007};
    struct memfs_options options = {.size = sizeof options, .clock = test_clock_read, .clock_context = &clock};
    memfs *fs = NULL;
    uint8_t *bytes = calloc(1, 300000);
    assert_non_null(bytes);
    memset(bytes + 200000, 'y', 100000);
    assert_ok(memfs_create(&options, &fs));
    assert_ok(memfs_mkdir(fs, NULL, "d", 0750));
    assert_ok(memfs_mkdir(fs, NULL, "d/e", 0500));
    test_put_text(fs, "d/e/small", "small");
    test_put_text(fs, "d/file", "new");
    test_put(fs, "large", bytes, 300000);
    free(bytes);
    memfs_node large = test_node(fs, "large");
    assert_ok(memfs_node_punch(fs, large, 0, 196608));
    assert_ok(memfs_link(fs, NULL, "d/e/small", "linked"));
    assert_ok(memfs_link(fs, NULL, "d/e/small", "d/linked"));
    assert_ok(memfs_symlink(fs, NULL, "d/e", "target"));
    assert_ok(memfs_mknod(fs, NULL, "fifo", MEMFS_IFIFO | 0640, 0, 0));
    if (geteuid() == 0)
        assert_ok(memfs_mknod(fs, NULL, "null", MEMFS_IFCHR | 0640, 1, 3));
    assert_ok(memfs_setxattr(fs, NULL, "d/file", 0, "user.mime", "text", 4, 0));
    assert_ok(memfs_setxattr(fs, NULL, "d", 0, "user.mime", "dir", 3, 0));
    return fs;
}

/* From there on nothing is taken back; nor is it on a host that says ever after
 * that nothing is there. */
static int all_is_new(const struct memfs_detail *detail)
{
    return (host.for_ever && host.error == ENOENT) || strstr(detail->text, "all is in its place") ||
           strstr(detail->text, "was replaced, and cannot be removed");
}

static void export_to(struct attempt *attempt, struct memfs_export_options *options)
{
    memfs *fs = tree_to_write();
    struct memfs_export_failure failure = {0};
    struct memfs_detail detail = {0};
    struct stat stat;
    options->allocator = &attempt->allocator;
    options->owner = options->devices = options->privileged_xattrs = geteuid() == 0;
    options->setuid = options->root_attributes = options->sync = 1;
    options->problem = attempt->tolerant ? record_problem : NULL;
    options->problem_context = &attempt->problems;
    options->failure = &failure;
    host.watched = 1;
    attempt->error = memfs_host_export(fs, at("out"), options, &detail);
    host.watched = 0;
    memfs_destroy(fs);
    if (!attempt->error) {
        if (options->into) { /* these keep theirs */
            put_mtime(at("out"), 0);
            put_mtime(at("out/d"), 0);
            put_mtime(at("out/other"), 0);
        }
        attempt->got = dump_of("out");
    } else if (!options->into && failure.left_behind == 0) {
        assert_int_equal(lstat(at("out"), &stat), -1);
    } else if (!failure.left_behind && !failure.left_replaced && !all_is_new(&detail)) {
        char text[4] = "";
        int fd = open(at("out/d/file"), O_RDONLY);
        assert_int_equal(read(fd, text, 3), 3);
        close(fd);
        if (strcmp(text, "old") || !lstat(at("out/large"), &stat))
            fail_msg("%s, call %lu, %s: changed (%s), and said \"%s\"", call_names[host.failing], host.at,
                     strerror(host.error), text, detail.text);
    }
    assert_int_equal(test_remove_tree(at("out")), 0);
}

static void export_new(struct attempt *attempt)
{
    struct memfs_export_options options = {0};
    export_to(attempt, &options);
}

static void test_host_calls__export(void **state)
{
    (void)state;
    fail_each(export_new, 0);
    fail_each(export_new, 1);
    try_hosts(export_new);
    fail_calls(export_new, CALL_openat, EMFILE);
}

static unsigned long owners_given(memfs *fs)
{
    const struct memfs_export_options options = {.size = sizeof options, .owner = 1, .devices = 1};
    memset(host.made, 0, sizeof host.made);
    host.watched = 1;
    const int error = memfs_host_export(fs, at("out"), &options, NULL);
    host.watched = 0;
    assert_ok(error);
    assert_int_equal(test_remove_tree(at("out")), 0);
    return host.made[CALL_fchownat];
}

/* Files that are made with the owner that they are to have are not given it again. */
static void test_host_calls__owners_that_are_right(void **state)
{
    (void)state;
    const struct memfs_setattr another = {.set = MEMFS_SET_UID, .uid = 1};
    if (geteuid() != 0) {
        print_message("only root gives owners: skipped\n");
        return;
    }
    memfs *fs = tree_to_write();
    const unsigned long no_files = owners_given(fs); /* three directories, a link, a FIFO and a device */
    assert_int_equal(no_files, 6);
    assert_ok(memfs_setattr(fs, NULL, "d/file", 0, &another));
    assert_int_equal(owners_given(fs), no_files + 1);
    memfs_destroy(fs);
}

static void export_into(struct attempt *attempt)
{
    struct memfs_export_options options = {.into = 1, .existing = MEMFS_EXISTING_REPLACED};
    assert_int_equal(mkdir(at("out"), 02755), 0);
    assert_int_equal(mkdir(at("out/d"), 0755), 0);
    put_text(at("out/d/file"), "old");
    put_text(at("out/linked"), "old");
    put_text(at("out/target"), "old");
    put_text(at("out/other"), "old");
    export_to(attempt, &options);
}

static void test_host_calls__export_into(void **state)
{
    (void)state;
    fail_each(export_into, 0);
    fail_each(export_into, 1);
}

/* ---- Images ------------------------------------------------------------------------------------ */

static int is_there(const char *name)
{
    struct stat stat;
    return !lstat(at(name), &stat);
}

/* A name beside it that should not be, unless it is named. */
static void expect_no_temporary(const struct memfs_freeze_failure *failure)
{
    DIR *dir = opendir(at("images"));
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir));)
        if (strstr(entry->d_name, ".tmp") && strcmp(entry->d_name, failure->temporary))
            fail_msg("%s, call %lu, %s: left %s, and named \"%s\"", call_names[host.failing], host.at,
                     strerror(host.error), entry->d_name, failure->temporary);
    closedir(dir);
}

static char *open_and_dump(struct attempt *attempt)
{
    struct memfs_image_options options = {.size = sizeof options, .allocator = &attempt->allocator};
    memfs_image *image = NULL;
    attempt->error = memfs_image_open_path(at("images/image"), &options, &image, NULL);
    host.watched = 0;
    if (attempt->error)
        return NULL;
    memfs_backing *backing = memfs_image_backing(image);
    memfs_backing_retain(backing);
    memfs *fs = create_on(attempt, backing);
    memfs_image_close(image);
    read_some(attempt, fs);
    char *text = attempt->error ? NULL : test_dump(fs, 0);
    memfs_destroy(fs);
    return text;
}

static void publish(struct attempt *attempt, int replace)
{
    struct memfs_freeze_failure failure = {.size = sizeof failure};
    struct memfs_freeze_options options = {
        .size = sizeof options, .allocator = &attempt->allocator, .replace = replace, .failure = &failure};
    struct memfs_detail detail = {0};
    memfs *fs = tree_to_write();
    assert_int_equal(mkdir(at("images"), 0755), 0);
    if (replace)
        assert_int_equal(symlink("old", at("images/image")), 0);
    host.watched = 1;
    attempt->error = memfs_freeze_path(fs, at("images/image"), &options, &detail);
    host.watched = 0;
    memfs_destroy(fs);
    expect_no_temporary(&failure);
    if (!attempt->error)
        attempt->got = open_and_dump(attempt);
    else if (!strstr(detail.text, "is in place"))
        assert_int_equal(is_there("images/image"), replace);
    assert_int_equal(test_remove_tree(at("images")), 0);
}

static void publish_new(struct attempt *attempt)
{
    publish(attempt, 0);
}

static void publish_over(struct attempt *attempt)
{
    publish(attempt, 1);
}

static void test_host_calls__publish(void **state)
{
    (void)state;
    fail_each(publish_new, 0);
    fail_each(publish_over, 0);
}

static void open_image(struct attempt *attempt)
{
    host.watched = 1;
    attempt->got = open_and_dump(attempt);
}

static void test_host_calls__open(void **state)
{
    memfs *fs = tree_to_write();
    (void)state;
    assert_int_equal(mkdir(at("images"), 0755), 0);
    assert_ok(memfs_freeze_path(fs, at("images/image"), NULL, NULL));
    memfs_destroy(fs);
    fail_each(open_image, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_host_calls__scan),
        cmocka_unit_test(test_host_calls__few_of_them),
        cmocka_unit_test(test_host_calls__scan_deep),
        cmocka_unit_test(test_host_calls__scan_list),
        cmocka_unit_test(test_host_calls__export),
        cmocka_unit_test(test_host_calls__export_into),
        cmocka_unit_test(test_host_calls__publish),
        cmocka_unit_test(test_host_calls__open),
        cmocka_unit_test(test_host_calls__owners_that_are_right),
    };
    const int failed = cmocka_run_group_tests(tests, fixture_setup_in_memory, fixture_teardown);
    print_message("tried  %d of the C library's functions, %lu failures of one call or of all from it on\n",
                  (int)CALLS_COUNT, tried);
    return failed;
}
