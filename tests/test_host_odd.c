/*
 * A host that answers what hosts hardly ever do: times out of the range, names and targets that none can have, a
 * descriptor of something else than was asked for, one more signal, one failure at a place of which something is to be
 * said. Rules say which call answers what; each of them has to be met. (In test_host_calls.c every call fails,
 * blindly.)
 */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE /* it has definitions of its own of what is defined here */
#include "host_fixture.h"
#include "real_call.h"
#include "records.h"
#include "testlib.h"

#include <pthread.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#ifndef SYS_listxattrat
#define SYS_listxattrat 465
#endif

/* ---- The host ---------------------------------------------------------------------------------- */

/* Changes what a call has said: its result, and out, what it fills. */
typedef int64_t lie_fn(int64_t result, void *out);

/* What a call does: fails with error, or is made and then, what it has said is changed. */
struct rule {
    const char *call;
    const char *name; /* of those that are about this: a file's, as asked for, or an attribute's; NULL: all */
    int flags;        /* of those that have all of these */
    unsigned skip;    /* so many first */
    unsigned times;   /* so many; 0: all */
    int error;
    lie_fn *lie;
    void (*before)(void);
};

#define RULES 6

static struct {
    _Atomic(int) watched;
    size_t count;
    struct rule rules[RULES];
    unsigned met[RULES], taken[RULES];
    pthread_mutex_t lock; /* of the rules, while watched */
} host = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* In any thread, and while others are watched. */
static void add(struct rule rule)
{
    pthread_mutex_lock(&host.lock);
    if (host.count == RULES)
        abort();
    host.met[host.count] = host.taken[host.count] = 0;
    host.rules[host.count++] = rule;
    pthread_mutex_unlock(&host.lock);
}

#define RULE(...) add((struct rule){__VA_ARGS__})

static void watch(void)
{
    host.watched = 1;
}

/* Returns how many rules were for something. */
static size_t forget(void)
{
    size_t taken = 0;
    for (size_t i = 0; i < host.count; i++)
        taken += host.taken[i] != 0;
    host.watched = 0;
    host.count = 0;
    return taken;
}

/* All rules were for something. */
static void unwatch(void)
{
    host.watched = 0;
    for (size_t i = 0; i < host.count; i++)
        if (!host.taken[i])
            print_error("rule %zu: no %s of %s\n", i, host.rules[i].call,
                        host.rules[i].name ? host.rules[i].name : "anything");
    const size_t count = host.count;
    assert_int_equal(forget(), count);
}

static const struct rule *find_rule(const char *call, const char *name, int flags)
{
    for (size_t i = 0; i < host.count; i++) {
        const struct rule *rule = &host.rules[i];
        if (strcmp(rule->call, call) || (rule->name && (!name || strcmp(rule->name, name))) ||
            (flags & rule->flags) != rule->flags)
            continue;
        const unsigned number = host.met[i]++;
        if (number < rule->skip || (rule->times && number >= rule->skip + rule->times))
            continue;
        host.taken[i]++;
        return rule;
    }
    return NULL;
}

static const struct rule *rule_for(const char *call, const char *name, int flags)
{
    if (!host.watched)
        return NULL;
    pthread_mutex_lock(&host.lock);
    const struct rule *rule = find_rule(call, name, flags);
    pthread_mutex_unlock(&host.lock);
    return rule;
}

static int fails(const struct rule *rule)
{
    if (rule && rule->before)
        rule->before();
    if (!rule || !rule->error)
        return 0;
    errno = rule->error;
    return 1;
}

static unsigned loosened; /* how often a directory was */

static const char *count_loosened(const char *path, mode_t mode)
{
    loosened += host.watched && mode == 0700;
    return path;
}

#define ODD(result, call, parameters, arguments, name, flags, out)                                                     \
    result call parameters                                                                                             \
    {                                                                                                                  \
        static _Atomic(uintptr_t) real;                                                                                \
        if (!real)                                                                                                     \
            real = (uintptr_t)real_call(#call);                                                                        \
        const struct rule *rule = rule_for(#call, name, flags);                                                        \
        if (fails(rule))                                                                                               \
            return (result)-1;                                                                                         \
        const result said = ((result(*) parameters)real)arguments;                                                     \
        return rule && rule->lie ? (result)rule->lie((int64_t)said, out) : said;                                       \
    }

ODD(int, fstat, (int fd, struct stat *stat), (fd, stat), NULL, 0, stat)
ODD(int, fstatat, (int fd, const char *name, struct stat *stat, int flags), (fd, name, stat, flags), name, flags, stat)
ODD(ssize_t, getdents64, (int fd, void *buffer, size_t size), (fd, buffer, size), NULL, 0, buffer)
ODD(ssize_t, pread, (int fd, void *buffer, size_t size, off_t offset), (fd, buffer, size, offset), NULL, 0, buffer)
ODD(ssize_t, pwrite, (int fd, const void *data, size_t size, off_t offset), (fd, data, size, offset), NULL, 0, NULL)
ODD(off_t, lseek, (int fd, off_t offset, int whence), (fd, offset, whence), NULL, whence, NULL)
ODD(int, ftruncate, (int fd, off_t size), (fd, size), NULL, 0, NULL)
ODD(ssize_t, readlinkat, (int fd, const char *name, char *buffer, size_t size), (fd, name, buffer, size), name, 0,
    buffer)
ODD(ssize_t, fgetxattr, (int fd, const char *name, void *value, size_t size), (fd, name, value, size), name, 0, value)
ODD(ssize_t, lgetxattr, (const char *path, const char *name, void *value, size_t size), (path, name, value, size), name,
    0, value)
ODD(ssize_t, llistxattr, (const char *path, char *list, size_t size), (path, list, size), NULL, 0, list)
ODD(int, fsetxattr, (int fd, const char *name, const void *value, size_t size, int flags),
    (fd, name, value, size, flags), name, 0, NULL)
ODD(int, fremovexattr, (int fd, const char *name), (fd, name), name, 0, NULL)
ODD(int, removexattr, (const char *path, const char *name), (path, name), name, 0, NULL)
ODD(int, mkdirat, (int fd, const char *name, mode_t mode), (fd, name, mode), name, 0, NULL)
ODD(int, unlinkat, (int fd, const char *name, int flags), (fd, name, flags), name, flags, NULL)
ODD(int, renameat, (int from, const char *old, int to, const char *new), (from, old, to, new), new, 0, NULL)
ODD(int, renameat2, (int from, const char *old, int to, const char *new, unsigned flags), (from, old, to, new, flags),
    new, (int)flags, NULL)
ODD(int, chmod, (const char *path, mode_t mode), (path, mode), count_loosened(path, mode), (int)mode, NULL)
ODD(int, fchmod, (int fd, mode_t mode), (fd, mode), NULL, (int)mode, NULL)
ODD(int, utimensat, (int fd, const char *name, const struct timespec times[2], int flags), (fd, name, times, flags),
    name, flags, NULL)
ODD(int, linkat, (int from, const char *old, int to, const char *new, int flags), (from, old, to, new, flags), new,
    flags, NULL)
ODD(int, syncfs, (int fd), (fd), NULL, 0, NULL)
ODD(uid_t, geteuid, (void), (), NULL, 0, NULL)
ODD(gid_t, getegid, (void), (), NULL, 0, NULL)
ODD(int, getgroups, (int size, gid_t groups[]), (size, groups), NULL, 0, groups)
ODD(ssize_t, getrandom, (void *buffer, size_t size, unsigned flags), (buffer, size, flags), NULL, 0, buffer)

/* It has closed nevertheless. */
int close(int fd)
{
    static _Atomic(uintptr_t) real;
    if (!real)
        real = (uintptr_t)real_call("close");
    const struct rule *rule = rule_for("close", NULL, 0);
    const int closed = ((int (*)(int))real)(fd);
    return fails(rule) ? -1 : closed;
}

int openat(int fd, const char *name, int flags, ...)
{
    static _Atomic(uintptr_t) real;
    va_list more;
    va_start(more, flags);
    const mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, mode_t) : 0;
    va_end(more);
    if (!real)
        real = (uintptr_t)real_call("openat");
    return fails(rule_for("openat", name, flags)) ? -1
                                                  : ((int (*)(int, const char *, int, ...))real)(fd, name, flags, mode);
}

/* Those that rules are for begin with a directory and a name. */
long syscall(long number, ...)
{
    static _Atomic(uintptr_t) real;
    long arguments[5];
    va_list more;
    va_start(more, number);
    for (size_t i = 0; i < 5; i++)
        arguments[i] = va_arg(more, long);
    va_end(more);
    if (!real)
        real = (uintptr_t)real_call("syscall");
    if (number == SYS_listxattrat && fails(rule_for("listxattrat", (const char *)arguments[1], 0)))
        return -1;
    if (number == SYS_openat2 && fails(rule_for("openat2", (const char *)arguments[1], 0)))
        return -1;
    return ((long (*)(long, ...))real)(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4]);
}

int fcntl(int fd, int command, ...)
{
    static _Atomic(uintptr_t) real;
    va_list more;
    va_start(more, command);
    const long argument = va_arg(more, long);
    va_end(more);
    if (!real)
        real = (uintptr_t)real_call("fcntl");
    return command == F_DUPFD_CLOEXEC && fails(rule_for("dup", NULL, 0))
               ? -1
               : ((int (*)(int, int, ...))real)(fd, command, argument);
}

/* ---- Host directories in ----------------------------------------------------------------------- */

static struct problems problems;

static int scan(const char *name, struct memfs_scan_options *options, memfs_backing **out)
{
    memset(&problems, 0, sizeof problems);
    options->problem = record_problem;
    options->problem_context = &problems;
    const int descriptors = count_descriptors();
    watch();
    const int error = memfs_host_scan(at(name), options, out, NULL);
    unwatch();
    if (error)
        assert_int_equal(count_descriptors(), descriptors);
    return error;
}

static memfs *create_on(memfs_backing *backing)
{
    const struct memfs_options options = {.size = sizeof options, .backing = backing};
    memfs *fs = NULL;
    assert_ok(memfs_create(&options, &fs));
    memfs_backing_release(backing);
    return fs;
}

static memfs *scanned(const char *name)
{
    struct memfs_scan_options options = {0};
    memfs_backing *backing = NULL;
    assert_ok(scan(name, &options, &backing));
    return create_on(backing);
}

static void expect_nothing_at(memfs *fs, const char *path)
{
    struct memfs_stat stat;
    assert_result(memfs_lstat(fs, NULL, path, &stat), -ENOENT);
}

static void make_directory(const char *name)
{
    assert_int_equal(mkdir(at(name), 0755), 0);
}

static void expect_problem(const char *path, int error)
{
    if (problems.count != 1 || !has_problem(&problems, path, error))
        fail_msg("%d problems, the last %s: %s (%d); want one, %s: %d", problems.count, problems.last_path,
                 problems.last_text, problems.last_error, path, error);
}

static struct timespec said_time;

static int64_t say_time(int64_t result, void *out)
{
    ((struct stat *)out)->st_mtim = said_time;
    return result;
}

#define MOST (INT64_MAX / SECOND)
#define LEAST (INT64_MIN / SECOND - 1)

static const struct {
    int64_t second, rest, want;
    int is_cut;
} times[] = {
    {MOST, INT64_MAX % SECOND, INT64_MAX, 0},
    {MOST, INT64_MAX % SECOND + 1, INT64_MAX, 1},
    {MOST + 1, 0, INT64_MAX, 1},
    {LEAST, SECOND + INT64_MIN % SECOND, INT64_MIN, 0},
    {LEAST, SECOND + INT64_MIN % SECOND - 1, INT64_MIN, 1},
    {LEAST - 1, SECOND - 1, INT64_MIN, 1},
};

static void test_host_odd__times(void **state)
{
    (void)state;
    make_directory("times");
    put_text(at("times/file"), "text");
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        struct memfs_stat stat;
        said_time = (struct timespec){(time_t)times[i].second, (long)times[i].rest};
        RULE("fstatat", "file", .lie = say_time);
        memfs *fs = scanned("times");
        assert_ok(memfs_stat(fs, NULL, "file", &stat));
        assert_true(stat.mtime == times[i].want);
        if (times[i].is_cut)
            expect_problem("file", -EOVERFLOW);
        else
            assert_int_equal(problems.count, 0);
        memfs_destroy(fs);
    }
}

/* A bound that is not reached changes nothing; and whoever does not want a time that is cut gets nothing. */
static void test_host_odd__time_and_bound(void **state)
{
    struct memfs_scan_options options = {.has_mtime_max = 1, .mtime_max = INT64_MAX};
    memfs_backing *backing = NULL;
    struct memfs_stat stat;
    (void)state;
    said_time = (struct timespec){5, 7};
    RULE("fstatat", "file", .lie = say_time);
    assert_ok(scan("times", &options, &backing));
    memfs *fs = create_on(backing);
    assert_ok(memfs_stat(fs, NULL, "file", &stat));
    assert_int_equal(stat.mtime, 5 * SECOND + 7);
    memfs_destroy(fs);
    said_time = (struct timespec){(time_t)(MOST + 1), 0};
    RULE("fstatat", "file", .lie = say_time);
    watch();
    assert_result(memfs_host_scan(at("times"), NULL, &backing, NULL), -EOVERFLOW);
    unwatch();
}

static int cancel(void *context, struct memfs_scan_found *found)
{
    (void)context, (void)found;
    return -1;
}

/* A scan that is over has no more to say of its root. */
static void test_host_odd__time_of_a_cancelled_root(void **state)
{
    struct memfs_scan_options options = {.filter = cancel};
    memfs_backing *backing = NULL;
    (void)state;
    said_time = (struct timespec){(time_t)(MOST + 1), 0};
    RULE("fstat", .lie = say_time);
    assert_result(scan("times", &options, &backing), -ECANCELED);
    assert_int_equal(problems.count, 0);
}

static const char *said_name;
static size_t said_length;

/* One more entry, at the end of the first part of a listing. */
static int64_t say_name(int64_t result, void *out)
{
    if (result <= 0)
        return result;
    const size_t head = offsetof(struct dirent64, d_name), length = (head + said_length + 8) & ~(size_t)7;
    uint8_t *entry = (uint8_t *)out + result;
    memset(entry, 0, length);
    ((struct dirent64 *)(void *)entry)->d_reclen = (unsigned short)length;
    memcpy(entry + head, said_name, said_length);
    return result + (int64_t)length;
}

static void expect_named(const char *name, size_t length, int error)
{
    said_name = name;
    said_length = length;
    RULE("getdents64", .times = 1, .lie = say_name);
    memfs *fs = scanned("names");
    if (error) {
        assert_int_equal(problems.count, 1);
        assert_int_equal(problems.last_error, error);
        assert_string_equal(problems.last_text, "is no name that can be stored");
    } else {
        assert_int_equal(problems.count, 0);
    }
    memfs_node node = test_node(fs, "file");
    struct memfs_dirent entries[3];
    assert_result(memfs_node_readdir(fs, NULL, MEMFS_ROOT, 0, entries, 3, 1), 1);
    assert_int_equal(entries[0].stat.node, node);
    memfs_destroy(fs);
}

/* Names that are none; and one twice, as of a directory that changes meanwhile. */
static void test_host_odd__names(void **state)
{
    char longest[300];
    (void)state;
    make_directory("names");
    put_text(at("names/file"), "text");
    memset(longest, 'n', sizeof longest);
    expect_named("a/b", 3, -EINVAL);
    expect_named(longest, sizeof longest, -ENAMETOOLONG);
    expect_named("file", 4, 0);
}

static int64_t say_nothing(int64_t result, void *out)
{
    (void)result, (void)out;
    return 0;
}

static int64_t say_all_of_it(int64_t result, void *out)
{
    (void)result;
    memset(out, 't', MEMFS_TARGET_MAX + 1);
    return MEMFS_TARGET_MAX + 1;
}

static int64_t say_no_type(int64_t result, void *out)
{
    ((struct stat *)out)->st_mode &= 07777;
    return result;
}

static void expect_left_out(const char *tree, const char *name, int error)
{
    memfs *fs = scanned(tree);
    expect_problem(name, error);
    expect_nothing_at(fs, name);
    memfs_destroy(fs);
}

static void test_host_odd__targets_and_types(void **state)
{
    (void)state;
    make_directory("types");
    assert_int_equal(symlink("somewhere", at("types/link")), 0);
    RULE("readlinkat", "link", .lie = say_nothing);
    expect_left_out("types", "link", -EINVAL);
    RULE("readlinkat", "link", .lie = say_all_of_it);
    expect_left_out("types", "link", -ENAMETOOLONG);
    RULE("fstatat", "link", .lie = say_no_type);
    expect_left_out("types", "link", -EINVAL);
}

static int64_t say_empty_name(int64_t result, void *out)
{
    (void)result;
    *(char *)out = '\0';
    return 1;
}

static int64_t say_long_name(int64_t result, void *out)
{
    (void)result;
    memset(out, 'x', MEMFS_NAME_MAX + 1);
    ((char *)out)[MEMFS_NAME_MAX + 1] = '\0';
    return MEMFS_NAME_MAX + 2;
}

static void expect_xattrs(const char *path, const char *names, size_t length)
{
    char list[64];
    memfs *fs = scanned("xattrs");
    assert_int_equal(problems.count, 0);
    assert_result(memfs_listxattr(fs, NULL, path, 1, list, sizeof list), length);
    assert_memory_equal(list, names, length);
    memfs_destroy(fs);
}

static void expect_no_xattrs(int error)
{
    struct memfs_stat stat;
    char list[64];
    memfs *fs = scanned("xattrs");
    expect_problem("file", error);
    assert_ok(memfs_stat(fs, NULL, "file", &stat)); /* without them */
    assert_result(memfs_listxattr(fs, NULL, "file", 1, list, sizeof list), 0);
    memfs_destroy(fs);
}

static void make_xattrs(void)
{
    make_directory("xattrs");
    put_text(at("xattrs/file"), "text");
    assert_int_equal(setxattr(at("xattrs/file"), "user.a", "1", 1, 0), 0);
    assert_int_equal(setxattr(at("xattrs/file"), "user.b", "2", 1, 0), 0);
}

/* As kernels before 6.13. */
static void ask_by_path(void)
{
    RULE("listxattrat", .error = ENOSYS);
}

/* What is gone when it is read was never there; what cannot be asked is a problem. */
static void test_host_odd__xattrs(void **state)
{
    (void)state;
    make_xattrs();
    RULE("lgetxattr", "user.a", .error = ENODATA);
    expect_xattrs("file", "user.b", 7);
    RULE("lgetxattr", "user.b", .error = ENOTSUP);
    expect_xattrs("file", "user.a", 7);
    RULE("lgetxattr", "user.a", .error = EIO);
    expect_no_xattrs(-EIO);
    ask_by_path();
    RULE("llistxattr", .skip = 1, .times = 1, .error = ERANGE); /* the second file: that in the directory */
    expect_xattrs("file", "user.a\0user.b", 14);
    ask_by_path();
    RULE("llistxattr", .skip = 1, .times = 2, .error = ERANGE);
    expect_no_xattrs(-ERANGE);
    ask_by_path();
    RULE("llistxattr", .skip = 1, .times = 1, .error = EIO);
    expect_no_xattrs(-EIO);
}

static void test_host_odd__names_of_xattrs(void **state)
{
    (void)state;
    ask_by_path();
    RULE("llistxattr", .skip = 1, .times = 1, .lie = say_empty_name);
    RULE("lgetxattr", "", .lie = say_nothing);
    expect_no_xattrs(-EINVAL);
    ask_by_path();
    RULE("llistxattr", .skip = 1, .times = 1, .lie = say_long_name);
    RULE("lgetxattr", .lie = say_nothing);
    expect_no_xattrs(-EINVAL);
}

static int64_t say_another_device(int64_t result, void *out)
{
    ((struct stat *)out)->st_dev++;
    return result;
}

/* Whoever has none says nothing of what is on other devices, or of other types. */
static void test_host_odd__no_xattrs_here(void **state)
{
    (void)state;
    if (syscall(SYS_listxattrat, AT_FDCWD, fixture_top, 0, NULL, 0) < 0) {
        print_message("needs listxattrat() of Linux 6.13: skipped\n");
        return;
    }
    assert_int_equal(mknod(at("xattrs/a socket"), S_IFSOCK | 0600, 0), 0);
    RULE("listxattrat", "a socket", .error = ENOTSUP);
    expect_xattrs("file", "user.a\0user.b", 14);
    put_text(at("xattrs/b"), "text");
    RULE("fstatat", "b", .lie = say_another_device);
    RULE("listxattrat", "b", .error = ENOTSUP);
    expect_xattrs("file", "user.a\0user.b", 14);
}

/* ---- Files that are read ----------------------------------------------------------------------- */

#define PIECE 70000 /* less than a file has, so that it is kept open */
#define WHOLE 200000

static void make_contents(void)
{
    static uint8_t bytes[WHOLE];
    memset(bytes, 'x', sizeof bytes);
    make_directory("read");
    put_file(at("read/a"), bytes, sizeof bytes, 0644);
    put_file(at("read/b"), bytes, sizeof bytes, 0644);
}

static memfs *reading;

static int64_t read_piece(const char *name, uint64_t offset)
{
    static uint8_t bytes[PIECE];
    const int64_t got = memfs_node_read(reading, test_node(reading, name), offset, bytes, sizeof bytes);
    for (int64_t i = 0; i < got; i++)
        assert_int_equal(bytes[i], 'x');
    return got;
}

static int64_t say_type(int64_t result, void *out)
{
    ((struct stat *)out)->st_mode ^= S_IFREG ^ S_IFIFO;
    return result;
}

static int64_t say_another_inode(int64_t result, void *out)
{
    ((struct stat *)out)->st_ino++;
    return result;
}

static int64_t say_another_size(int64_t result, void *out)
{
    ((struct stat *)out)->st_size--;
    return result;
}

static int64_t say_another_mtime(int64_t result, void *out)
{
    ((struct stat *)out)->st_mtim.tv_nsec ^= 1;
    return result;
}

static int64_t say_another_ctime(int64_t result, void *out)
{
    ((struct stat *)out)->st_ctim.tv_nsec ^= 1;
    return result;
}

static void test_host_odd__read_another(void **state)
{
    lie_fn *const lies[] = {say_type,         say_another_device, say_another_inode,
                            say_another_size, say_another_mtime,  say_another_ctime};
    (void)state;
    make_contents();
    reading = scanned("read");
    const int descriptors = count_descriptors();
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        RULE("fstat", .times = 1, .lie = lies[i]);
        watch();
        assert_result(read_piece("a", 0), -ESTALE);
        unwatch();
        assert_int_equal(count_descriptors(), descriptors);
    }
    assert_result(read_piece("a", 0), PIECE);
    memfs_destroy(reading);
}

/* Descriptors of files that are kept open are given up when there are too few, and a signal is nothing. */
static void test_host_odd__read_with_few_descriptors(void **state)
{
    (void)state;
    const int errors[] = {EMFILE, ENFILE};
    for (size_t i = 0; i < 2; i++) {
        reading = scanned("read");
        assert_result(read_piece("a", 0), PIECE);
        const int descriptors = count_descriptors();
        RULE("openat", "b", .times = 1, .error = errors[i]);
        RULE("openat", "b", .times = 1, .error = EINTR);
        watch();
        assert_result(read_piece("b", 0), PIECE);
        unwatch();
        assert_int_equal(count_descriptors(), descriptors); /* one has taken the place of the other */
        assert_result(read_piece("a", PIECE), PIECE);
        watch();
        RULE("openat", .error = EIO);
        assert_result(read_piece("a", 0), PIECE);
        assert_int_equal(forget(), 0); /* it is kept open */
        memfs_destroy(reading);
    }
}

/* ---- Reads within reads: each begins, in a thread of its own, while the one before it is at a call ---- */

#define READERS 18 /* more than files are kept open */
#define KEPT 16

static struct {
    memfs_node nodes[READERS];
    int64_t got[READERS];
    unsigned count, begun; /* how many there are to be, and are */
} readers;

static void *read_first_byte(void *context)
{
    const unsigned number = *(unsigned *)context;
    char byte;
    readers.got[number] = memfs_node_read(reading, readers.nodes[number], 0, &byte, 1);
    return NULL;
}

static void read_more(void)
{
    unsigned number = readers.begun;
    pthread_t thread;
    if (number == readers.count)
        return;
    readers.begun++;
    if (pthread_create(&thread, NULL, read_first_byte, &number) || pthread_join(thread, NULL))
        abort();
}

/* All at once of so many, whose files lie in a directory. */
static void read_all(unsigned count)
{
    readers.count = count;
    readers.begun = 0;
    watch();
    read_more();
    unwatch();
    assert_int_equal(readers.begun, count);
    for (unsigned i = 0; i < count; i++)
        assert_result(readers.got[i], 1);
}

static void make_many(void)
{
    char name[16];
    make_directory("many");
    for (unsigned i = 0; i < READERS; i++) {
        snprintf(name, sizeof name, "many/%u", i);
        put_text(at(name), "text");
    }
}

static void scan_many(void)
{
    char name[16];
    reading = scanned("many");
    for (unsigned i = 0; i < READERS; i++) {
        snprintf(name, sizeof name, "%u", i);
        readers.nodes[i] = test_node(reading, name);
    }
}

/* No more are kept open than there is room for, and each of them once. */
static void test_host_odd__many_open_files(void **state)
{
    (void)state;
    make_many();
    scan_many();
    const int descriptors = count_descriptors();
    RULE("pread", .before = read_more);
    read_all(READERS);
    assert_int_equal(count_descriptors(), descriptors + KEPT);
    memfs_destroy(reading);
    scan_many();
    for (unsigned i = 1; i < READERS; i++)
        readers.nodes[i] = readers.nodes[0];
    RULE("openat", "0", O_NOATIME, .before = read_more);
    read_all(3);
    assert_int_equal(count_descriptors(), descriptors + 1 + 2); /* the file, and two ways more to directories */
    memfs_destroy(reading);
}

/* Ways to directories that others have used are given up when there are too few descriptors. */
static void test_host_odd__many_ways(void **state)
{
    char byte;
    (void)state;
    scan_many();
    const int descriptors = count_descriptors();
    RULE("openat", NULL, O_NOATIME, .before = read_more);
    read_all(4);
    assert_int_equal(count_descriptors(), descriptors + 4 + 3);
    RULE("openat", "5", .times = 1, .error = EMFILE);
    watch();
    assert_result(memfs_node_read(reading, readers.nodes[5], 0, &byte, 1), 1);
    unwatch();
    assert_int_equal(count_descriptors(), descriptors + 1);
    RULE("openat", NULL, O_NOATIME, .before = read_more); /* and made again */
    read_all(3);
    memfs_destroy(reading);
}

static pthread_mutex_t asking = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t asked = PTHREAD_COND_INITIALIZER;
static int is_asked;
static pthread_t waiting;

static void say_asked(void)
{
    pthread_mutex_lock(&asking);
    is_asked = 1;
    pthread_cond_signal(&asked);
    pthread_mutex_unlock(&asking);
}

/* Goes on when the other one has asked for what it does not get. */
static void begin_waiting(void)
{
    static unsigned second = 1;
    is_asked = 0;
    if (pthread_create(&waiting, NULL, read_first_byte, &second))
        abort();
    pthread_mutex_lock(&asking);
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 60;
    while (!is_asked)
        if (pthread_cond_timedwait(&asked, &asking, &end))
            abort(); /* it never asks */
    pthread_mutex_unlock(&asking);
}

static int64_t fail_after_dup(int64_t result, void *out)
{
    (void)result, (void)out;
    say_asked();
    errno = EIO;
    return -1;
}

static void fail_to_begin(void)
{
    RULE("fstat", .times = 1, .lie = fail_after_dup);
}

static void expect_waited(void)
{
    char byte;
    const int descriptors = count_descriptors();
    RULE("openat", "0", O_NOATIME, .times = 1, .before = begin_waiting);
    watch();
    assert_result(memfs_node_read(reading, readers.nodes[0], 0, &byte, 1), 1);
    assert_int_equal(pthread_join(waiting, NULL), 0);
    unwatch();
    assert_result(readers.got[1], 1);
    assert_int_equal(count_descriptors(), descriptors + 2); /* the files */
    memfs_destroy(reading);
}

/* Whoever gets no way of its own waits for the first one. */
static void test_host_odd__no_other_way(void **state)
{
    (void)state;
    scan_many();
    RULE("dup", .error = EMFILE, .before = say_asked);
    expect_waited();
    scan_many();
    RULE("dup", .before = fail_to_begin);
    expect_waited();
}

/* ---- Going up, where descriptors were given up --------------------------------------------------- */

#define DEPTH 60
#define FORK 20 /* further from the deepest than descriptors are held, and nearer to it than to the root */

static void make_deep(void)
{
    char path[2 * DEPTH + 16] = "deep";
    for (size_t i = 0; i < DEPTH; i++) {
        make_directory(path);
        if (i == FORK) {
            char fork[sizeof path + 8];
            snprintf(fork, sizeof fork, "%s/e", path);
            make_directory(fork);
            snprintf(fork, sizeof fork, "%s/e/file", path);
            put_text(at(fork), "text");
        }
        strcat(path, "/d");
    }
}

/* Nothing of all this is to be seen: where one way does not lead there, another one does. */
static void expect_all_of_it(const char *want)
{
    memfs *fs = scanned("deep");
    char *got = test_dump(fs, 0);
    assert_int_equal(problems.count, 0);
    test_same_text(got, want, "what was scanned of a deep tree");
    free(got);
    memfs_destroy(fs);
}

static unsigned ups; /* how often a directory above was opened */

static void count_up(void)
{
    ups++;
}

static void expect_ups(const char *want, unsigned count)
{
    ups = 0;
    RULE("openat", "..", .before = count_up);
    expect_all_of_it(want);
    assert_int_equal(ups, count);
}

static void test_host_odd__going_up(void **state)
{
    (void)state;
    make_deep();
    memfs *fs = scanned("deep");
    char *want = test_dump(fs, 0);
    memfs_destroy(fs);
    RULE("openat", "..", O_NOATIME, .before = count_up);
    expect_all_of_it(want);
    const unsigned count = ups;
    assert_true(count > 0);
    RULE("openat", "..", O_NOATIME, .times = 1, .error = EINTR);
    expect_ups(want, count); /* none was gone around */
    RULE("openat", "..", O_NOATIME, .error = EPERM);
    RULE("openat", "..", .times = 1, .error = EINTR);
    expect_ups(want, count);
    RULE("openat", "..", .times = 1, .error = EMFILE);
    expect_all_of_it(want);
    RULE("openat", "..", .times = 1, .error = ENFILE);
    expect_all_of_it(want);
    RULE("openat", "..", .error = EMFILE);
    expect_all_of_it(want);
    RULE("openat", "..", .error = EIO);
    expect_all_of_it(want);
    RULE("openat", "..", O_NOATIME, .error = EPERM);
    RULE("openat", "..", .error = EIO);
    expect_all_of_it(want);
    free(want);
}

static int is_next; /* the next descriptor that is examined is of a directory above */

static void look_next(void)
{
    is_next = 1;
}

static lie_fn *next_lie;

static int64_t examine_next(int64_t result, void *out)
{
    if (!is_next)
        return result;
    is_next = 0;
    return next_lie(result, out);
}

static int64_t fail_to_examine(int64_t result, void *out)
{
    (void)result, (void)out;
    errno = EIO;
    return -1;
}

static void look_first(void)
{
    is_next = !ups++;
}

/* The directory above is another one by now. */
static void test_host_odd__going_up_elsewhere(void **state)
{
    lie_fn *const lies[] = {say_another_device, say_another_inode, fail_to_examine};
    (void)state;
    memfs *fs = scanned("deep");
    char *want = test_dump(fs, 0);
    memfs_destroy(fs);
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        next_lie = lies[i];
        ups = 0;
        RULE("openat", "..", .before = look_first);
        RULE("fstat", .lie = examine_next);
        expect_all_of_it(want);
        assert_int_equal(ups, 1); /* no further: down again, from the root */
        assert_int_equal(is_next, 0);
    }
    free(want);
}

/* Directories on the way are given up for a file. */
static void test_host_odd__read_below(void **state)
{
    char path[2 * FORK + 8] = "", text[8];
    (void)state;
    for (size_t i = 0; i < FORK; i++)
        strcat(path, "d/");
    strcat(path, "e/file");
    memfs *fs = scanned("deep");
    RULE("openat", "file", .times = 1, .error = ENFILE);
    watch();
    assert_result(memfs_node_read(fs, test_node(fs, path), 0, text, sizeof text), 4);
    unwatch();
    assert_memory_equal(text, "text", 4);
    RULE("openat", "file", .error = ENFILE);
    watch();
    assert_result(memfs_node_read(fs, test_node(fs, path), 0, text, sizeof text), -ENFILE);
    unwatch();
    memfs_destroy(fs);
}

/* A directory that is of another device when it is entered stays empty, and nothing else does. */
static void test_host_odd__mounted(void **state)
{
    struct memfs_scan_options options = {.one_file_system = 1};
    memfs_backing *backing = NULL;
    (void)state;
    make_directory("mounts");
    make_directory("mounts/a");
    make_directory("mounts/b");
    put_text(at("mounts/a/file"), "text");
    put_text(at("mounts/b/file"), "text");
    next_lie = say_another_device;
    RULE("openat2", "a", .skip = 1, .before = look_next);
    RULE("fstat", .lie = examine_next);
    assert_ok(scan("mounts", &options, &backing));
    memfs *fs = create_on(backing);
    expect_nothing_at(fs, "a/file");
    test_node(fs, "b/file");
    assert_int_equal(problems.count, 0);
    memfs_destroy(fs);
}

/* ---- Host directories out ---------------------------------------------------------------------- */

static struct memfs_export_failure failure;
static struct memfs_detail detail;

static memfs *new_fs(void)
{
    static struct test_clock clock = {.now = 1000000007};
    struct memfs_options options = {.size = sizeof options, .clock = test_clock_read, .clock_context = &clock};
    memfs *fs = NULL;
    assert_ok(memfs_create(&options, &fs));
    return fs;
}

/* Files, some with more names, below directories. */
static memfs *tree(void)
{
    memfs *fs = new_fs();
    assert_ok(memfs_mkdir(fs, NULL, "d", 0750));
    assert_ok(memfs_mkdir(fs, NULL, "d/e", 0755));
    assert_ok(memfs_mkdir(fs, NULL, "d/e/f", 0755));
    test_put_text(fs, "d/e/first", "linked");
    test_put_text(fs, "file", "new");
    assert_ok(memfs_link(fs, NULL, "d/e/first", "d/e/f/second"));
    assert_ok(memfs_mknod(fs, NULL, "d/e/fifo", MEMFS_IFIFO | 0640, 0, 0));
    assert_ok(memfs_symlink(fs, NULL, "d/e", "target"));
    return fs;
}

static memfs *one_file(void)
{
    memfs *fs = new_fs();
    test_put_text(fs, "file", "new");
    return fs;
}

/* Owners are another matter: they depend on who runs this. */
static int record_but_owners(void *context, const struct memfs_problem *problem)
{
    return problem->kind == MEMFS_PROBLEM_OWNER ? 0 : record_problem(context, problem);
}

/* Writes it, while the host is watched; has the problems told if it is to be tolerant. */
static int export_to(const char *path, memfs *fs, struct memfs_export_options options, int is_tolerant)
{
    memset(&problems, 0, sizeof problems);
    memset(&detail, 0, sizeof detail);
    failure = (struct memfs_export_failure){0};
    options.failure = &failure;
    options.problem = is_tolerant ? record_but_owners : options.problem;
    options.problem_context = &problems;
    const int descriptors = count_descriptors();
    watch();
    const int error = memfs_host_export(fs, path, &options, &detail);
    unwatch();
    memfs_destroy(fs);
    assert_true(count_descriptors() <= descriptors); /* fewer, if it stood on a directory */
    return error;
}

static int export_one(memfs *fs, struct memfs_export_options options, int is_tolerant)
{
    return export_to(at("out"), fs, options, is_tolerant);
}

static int is_there(const char *name)
{
    struct stat stat;
    return !lstat(at(name), &stat);
}

/* Out of the way: all goes at the end. */
static void remove_out(void)
{
    static unsigned number;
    char name[32];
    snprintf(name, sizeof name, "out-%u", number++);
    if (is_there("out"))
        assert_int_equal(rename(at("out"), at(name)), 0);
}

static void expect_text(const char *name, const char *want)
{
    char text[16] = "";
    const int fd = open(at(name), O_RDONLY);
    assert_true(fd >= 0);
    assert_true(read(fd, text, sizeof text - 1) >= 0);
    close(fd);
    assert_string_equal(text, want);
}

static void expect_mode(const char *name, mode_t mode)
{
    struct stat found;
    assert_int_equal(lstat(at(name), &found), 0);
    assert_int_equal(found.st_mode & 07777, mode);
}

/* It fails, and all that was made is gone. */
static void expect_undone(memfs *fs, struct memfs_export_options options, int error)
{
    assert_result(export_one(fs, options, 0), error);
    assert_int_equal(failure.left_behind, 0);
    assert_false(is_there("out"));
}

/* It fails, and so many things stay. */
static void expect_left(memfs *fs, struct memfs_export_options options, int error, uint64_t left)
{
    assert_result(export_one(fs, options, 0), error);
    assert_int_equal(failure.left_behind, left);
    assert_non_null(strstr(detail.text, "could not be removed again"));
    assert_true(is_there("out"));
    remove_out();
}

static const struct memfs_export_options plain = {0}, synced = {.sync = 1};

static void expect_all_made(void)
{
    assert_result(export_one(tree(), plain, 0), 0);
    expect_text("out/file", "new");
    expect_text("out/d/e/f/second", "linked");
    expect_mode("out/d", 0750);
    expect_mode("out/d/e/fifo", 0640);
    assert_true(is_there("out/target"));
    remove_out();
}

static void test_host_odd__write_nothing(void **state)
{
    (void)state;
    RULE("pwrite", .lie = say_nothing);
    expect_undone(one_file(), plain, -EIO);
    RULE("pwrite", .times = 1, .error = EINTR);
    expect_all_made();
}

/* One file, "file", of which there is only so much to be seen at once. */
static memfs *in_pieces(struct test_fault *fault, off_t length)
{
    memfs_backing *scan = NULL;
    *fault = (struct test_fault){.view_most = 30000};
    assert_int_equal(truncate(at("pieces/file"), length), 0);
    assert_ok(memfs_host_scan(at("pieces"), NULL, &scan, NULL));
    memfs_backing *backing = test_fault_backing(scan, fault);
    memfs_backing_release(scan);
    return create_on(backing);
}

/* Small pieces are gathered: what cannot be written is known then, or at last. */
static void test_host_odd__write_what_was_gathered(void **state)
{
    static uint8_t bytes[400000];
    struct test_fault fault;
    struct stat stat;
    (void)state;
    memset(bytes, 'x', sizeof bytes);
    make_directory("pieces");
    put_file(at("pieces/file"), bytes, sizeof bytes, 0644);
    assert_result(export_one(in_pieces(&fault, sizeof bytes), plain, 0), 0);
    assert_int_equal(lstat(at("out/file"), &stat), 0);
    assert_int_equal(stat.st_size, sizeof bytes);
    remove_out();
    RULE("pwrite", .error = ENOSPC);
    expect_undone(in_pieces(&fault, sizeof bytes), plain, -ENOSPC);
    RULE("pwrite", .error = ENOSPC);
    expect_undone(in_pieces(&fault, 100000), plain, -ENOSPC);
}

static void test_host_odd__end_in_a_hole(void **state)
{
    struct stat stat;
    (void)state;
    for (unsigned skip = 0; skip < 2; skip++) {
        memfs *fs = one_file();
        assert_ok(memfs_truncate(fs, NULL, "file", 1 << 20));
        RULE("ftruncate", .skip = skip, .error = EFBIG);
        expect_undone(fs, plain, -EFBIG);
    }
    memfs *fs = one_file();
    assert_ok(memfs_truncate(fs, NULL, "file", 1 << 20));
    RULE("ftruncate", .times = 1, .error = EINTR);
    assert_result(export_one(fs, plain, 0), 0);
    assert_int_equal(lstat(at("out/file"), &stat), 0);
    assert_int_equal(stat.st_size, 1 << 20);
    remove_out();
}

/* ---- What was made, and is another thing when it is looked at ------------------------------------- */

static int64_t say_another_owner(int64_t result, void *out)
{
    ((struct stat *)out)->st_uid++;
    return result;
}

static int64_t say_link(int64_t result, void *out)
{
    ((struct stat *)out)->st_nlink++;
    return result;
}

/* What is not ours is not touched: it stays, and with it all directories above. */
static void test_host_odd__another_directory(void **state)
{
    (void)state;
    RULE("fstatat", "d", .times = 1, .lie = say_no_type);
    expect_left(tree(), plain, -ESTALE, 2);
    RULE("fstatat", "d", .times = 1, .lie = say_another_owner);
    expect_left(tree(), plain, -ESTALE, 2);
}

/* Something is mounted over it before it is entered. */
static void test_host_odd__mounted_directory(void **state)
{
    (void)state;
    next_lie = say_another_device;
    RULE("openat2", "d", .times = 1, .before = look_next);
    RULE("fstat", .lie = examine_next);
    expect_left(tree(), plain, -ESTALE, 2);
}

static void test_host_odd__unknown_directory(void **state)
{
    (void)state;
    RULE("fstatat", "d", .times = 1, .error = EIO);
    expect_undone(tree(), plain, -EIO);
    RULE("fstatat", "d", .times = 1, .error = EIO);
    RULE("unlinkat", "d", AT_REMOVEDIR, .error = EBUSY);
    expect_left(tree(), plain, -EIO, 2);
}

static lie_fn *lie_of_fifo;

static int64_t examine_fifo(int64_t result, void *out)
{
    return S_ISFIFO(((struct stat *)out)->st_mode) ? lie_of_fifo(result, out) : result;
}

static void test_host_odd__another_file(void **state)
{
    lie_fn *const lies[] = {say_type, say_another_owner, say_link};
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        lie_of_fifo = lies[i];
        RULE("fstat", .lie = examine_fifo);
        expect_left(tree(), plain, -ESTALE, 3); /* two directories above it, and out */
    }
}

static int64_t say_another_device_file(int64_t result, void *out)
{
    ((struct stat *)out)->st_rdev += S_ISCHR(((struct stat *)out)->st_mode) != 0;
    return result;
}

static void test_host_odd__another_device(void **state)
{
    (void)state;
    if (needs_root())
        return;
    memfs *fs = one_file();
    assert_ok(memfs_mknod(fs, NULL, "null", MEMFS_IFCHR | 0666, 1, 3));
    RULE("fstat", .lie = say_another_device_file);
    expect_left(fs, (struct memfs_export_options){.devices = 1}, -ESTALE, 1);
}

/* A file that was just made, and cannot be examined: it is removed at once, since it could not be known later. */
static void expect_unknown_file(int error, uint64_t left)
{
    next_lie = fail_to_examine;
    RULE("openat", "file", O_CREAT, .before = look_next);
    RULE("fstat", .lie = examine_next);
    if (error)
        RULE("unlinkat", "file", .error = error);
    if (left)
        expect_left(one_file(), plain, -EIO, left);
    else
        expect_undone(one_file(), plain, -EIO);
}

static void test_host_odd__unknown_file(void **state)
{
    (void)state;
    expect_unknown_file(0, 0);
    expect_unknown_file(EBUSY, 2);
}

/* A file that cannot be written is left out, and removed if it is still the same. */
static void expect_taken_back(lie_fn *lie, int is_left)
{
    RULE("pwrite", .error = EDQUOT);
    if (lie)
        RULE("fstatat", "file", .lie = lie);
    assert_result(export_one(one_file(), plain, 1), 0);
    expect_problem("file", -EDQUOT);
    assert_int_equal(is_there("out/file"), is_left);
    remove_out();
}

static int64_t say_directory(int64_t result, void *out)
{
    struct stat *stat = out;
    stat->st_mode = S_IFDIR | (stat->st_mode & 07777);
    (void)result;
    return 0;
}

static void test_host_odd__take_back(void **state)
{
    (void)state;
    expect_taken_back(NULL, 0);
    expect_taken_back(fail_to_examine, 1);
    expect_taken_back(say_directory, 1);
    expect_taken_back(say_another_inode, 1);
}

static int closing_error;

static void fail_to_close(void)
{
    RULE("close", .times = 1, .error = closing_error);
}

/* Some hosts say only then that something could not be written; that a signal came is nothing. */
static void test_host_odd__close(void **state)
{
    (void)state;
    closing_error = EINTR;
    RULE("openat", "file", O_CREAT, .before = fail_to_close);
    expect_all_made();
    closing_error = EIO;
    RULE("openat", "file", O_CREAT, .before = fail_to_close);
    expect_undone(one_file(), plain, -EIO);
    RULE("openat", "file", O_CREAT, .before = fail_to_close);
    assert_result(export_one(one_file(), plain, 1), 0);
    expect_problem("file", -EIO);
    assert_false(is_there("out/file"));
    remove_out();
    RULE("openat", "file", O_CREAT, .before = fail_to_close);
    RULE("pwrite", .error = EDQUOT); /* the first thing that went wrong is said */
    expect_undone(one_file(), plain, -EDQUOT);
    RULE("openat", "file", O_CREAT, .before = fail_to_close);
    RULE("fchmod", .times = 1, .error = EROFS);
    expect_undone(one_file(), (struct memfs_export_options){.mode_mask = 0200}, -EROFS);
}

/* Signals, and descriptors that are given up when there are too few. */
static void test_host_odd__make_with_few_descriptors(void **state)
{
    static const char *const names[] = {"first", "fifo", "target", "file"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        RULE("openat", names[i], .times = 1, .error = EINTR);
        expect_all_made();
        if (i == 3) /* nothing is held where it is made */
            continue;
        RULE("openat", names[i], .times = 1, .error = i % 2 ? ENFILE : EMFILE);
        RULE("openat", names[i], .times = 1, .error = EINTR);
        expect_all_made();
    }
    RULE("openat", "first", .times = 1, .error = EMFILE);
    assert_result(export_one(tree(), (struct memfs_export_options){.threads = 2}, 0), 0);
    expect_text("out/d/e/f/second", "linked");
    remove_out();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        RULE("openat", names[i], .error = EMFILE);
        expect_undone(tree(), plain, -EMFILE);
    }
}

/* ---- Attributes ---------------------------------------------------------------------------------- */

static const char access_acl[] = "system.posix_acl_access", default_acl[] = "system.posix_acl_default";

static const struct memfs_export_options privileged = {.into = 1, .privileged_xattrs = 1};

static memfs *two_files(void)
{
    memfs *fs = one_file();
    assert_ok(memfs_mknod(fs, NULL, "fifo", MEMFS_IFIFO | 0640, 0, 0));
    return fs;
}

/* Into a directory that may have an ACL for what is made in it. */
static void begin_with_acl(int error)
{
    make_directory("out");
    if (error)
        RULE("fgetxattr", default_acl, .error = error);
    else
        RULE("fgetxattr", default_acl, .lie = say_nothing);
}

/* Where there is none, there is none to be removed. */
static void expect_removed(int error)
{
    begin_with_acl(0);
    RULE("fremovexattr", access_acl, .error = error);
    RULE("fremovexattr", default_acl, .error = error);
    RULE("removexattr", .error = error);
    assert_result(export_one(two_files(), privileged, 1), 0);
    assert_int_equal(problems.count, 0);
    remove_out();
}

static void test_host_odd__inherited_acls(void **state)
{
    (void)state;
    expect_removed(ENODATA);
    expect_removed(EOPNOTSUPP);
    begin_with_acl(0);
    RULE("fremovexattr", access_acl, .error = EPERM);
    RULE("fremovexattr", default_acl, .error = ENODATA);
    RULE("removexattr", .error = ENODATA);
    assert_result(export_one(two_files(), privileged, 1), 0);
    expect_problem("file", -EPERM);
    expect_text("out/file", "new");
    remove_out();
    begin_with_acl(0);
    RULE("removexattr", .error = EPERM);
    assert_result(export_one(two_files(), privileged, 0), -EPERM);
    assert_non_null(strstr(detail.text, "an ACL it inherited cannot be removed"));
    assert_false(is_there("out/file"));
    remove_out();
}

/* Whether there is one is not known: then there may be one. */
static void test_host_odd__perhaps_inherited_acls(void **state)
{
    (void)state;
    begin_with_acl(EACCES);
    RULE("fremovexattr", .error = ENODATA);
    assert_result(export_one(one_file(), privileged, 0), 0);
    remove_out();
    const int none[] = {EOPNOTSUPP, ENODATA};
    for (size_t i = 0; i < 2; i++) {
        memfs *fs = one_file();
        begin_with_acl(none[i]);
        RULE("fremovexattr", .error = EIO);
        watch();
        assert_ok(memfs_host_export(fs, at("out"), &privileged, NULL));
        assert_int_equal(forget(), 1); /* none was removed */
        memfs_destroy(fs);
        remove_out();
    }
}

/* One that has its own needs none to be removed. */
static void test_host_odd__own_acl(void **state)
{
    static const uint8_t acl[] = {2, 0, 0,   0,   1,   0,   6,  0, 255, 255, 255, 255, 2,   0,  4,
                                  0, 5, 0,   0,   0,   4,   0,  4, 0,   255, 255, 255, 255, 16, 0,
                                  4, 0, 255, 255, 255, 255, 32, 0, 0,   0,   255, 255, 255, 255};
    (void)state;
    memfs *fs = one_file();
    assert_ok(memfs_setxattr(fs, NULL, "file", 0, access_acl, acl, sizeof acl, 0));
    begin_with_acl(0);
    RULE("fsetxattr", access_acl, .lie = say_nothing);
    RULE("fremovexattr", default_acl, .error = ENODATA);
    RULE("fremovexattr", access_acl, .error = EIO);
    watch();
    assert_ok(memfs_host_export(fs, at("out"), &privileged, NULL));
    assert_int_equal(forget(), 3);
    memfs_destroy(fs);
    remove_out();
}

/* Kernels before 5.8 need a path for that. */
static void test_host_odd__time_of_special(void **state)
{
    struct stat stat;
    (void)state;
    RULE("utimensat", "", AT_EMPTY_PATH, .error = EINVAL);
    assert_result(export_one(two_files(), plain, 0), 0);
    assert_int_equal(lstat(at("out/fifo"), &stat), 0);
    assert_int_equal(stat.st_mtim.tv_sec * SECOND + stat.st_mtim.tv_nsec, 1000000007);
    remove_out();
    RULE("utimensat", "", AT_EMPTY_PATH, .error = EROFS);
    assert_result(export_one(two_files(), plain, 1), 0);
    expect_problem("fifo", -EROFS);
    assert_int_equal(problems.last_kind, MEMFS_PROBLEM_TIME);
    remove_out();
}

/* ---- What is replaced ------------------------------------------------------------------------------ */

static const struct memfs_export_options replacing = {.into = 1, .existing = MEMFS_EXISTING_REPLACED};

static memfs *new_ones(void)
{
    memfs *fs = new_fs();
    test_put_text(fs, "a", "new");
    test_put_text(fs, "b", "new");
    make_directory("out");
    put_text(at("out/a"), "old");
    put_text(at("out/b"), "old");
    return fs;
}

static int64_t say_zero(int64_t result, void *out)
{
    memset(out, 0, (size_t)result);
    return result;
}

/* No name has the number 0, which says that there is none; one that is taken is left alone. */
static void test_host_odd__temporary_names(void **state)
{
    (void)state;
    memfs *fs = new_ones();
    put_text(at("out/.memfs-0000000000000001"), "other");
    RULE("getrandom", .lie = say_zero);
    assert_result(export_one(fs, replacing, 0), 0);
    expect_text("out/a", "new");
    expect_text("out/b", "new");
    expect_text("out/.memfs-0000000000000001", "other");
    assert_false(is_there("out/.memfs-0000000000000000"));
    remove_out();
    RULE("openat", NULL, O_CREAT, .error = EEXIST); /* all are */
    assert_result(export_one(new_ones(), replacing, 0), -EEXIST);
    expect_text("out/a", "old");
    remove_out();
}

/* The host cannot exchange names, says so in one way or another, and has replaced one when it fails. */
static void test_host_odd__replace_without_exchange(void **state)
{
    const int errors[] = {EINVAL, ENOSYS};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        RULE("renameat2", .error = errors[i]);
        assert_result(export_one(new_ones(), replacing, 0), 0);
        expect_text("out/a", "new");
        expect_text("out/b", "new");
        remove_out();
        RULE("renameat2", .error = errors[i]);
        RULE("renameat", "b", .error = EIO);
        assert_result(export_one(new_ones(), replacing, 0), -EIO);
        assert_int_equal(failure.left_replaced, 1);
        expect_text("out/a", "new");
        expect_text("out/b", "old");
        remove_out();
    }
}

/* The first is exchanged already when the second cannot be: it is restored, or else that is said, and the new one
 * left in its place, which would be empty. */
static void expect_restored(uint64_t left, const char *want)
{
    assert_result(export_one(new_ones(), replacing, 0), -EIO);
    assert_int_equal(failure.left_replaced, left);
    expect_text("out/a", want);
    expect_text("out/b", "old");
    remove_out();
}

static void test_host_odd__restore(void **state)
{
    (void)state;
    RULE("renameat2", "b", .error = EIO);
    expect_restored(0, "old");
    RULE("renameat2", .skip = 1, .error = EIO);
    expect_restored(1, "new");
    RULE("renameat2", "b", .error = EIO);
    RULE("fstatat", "a", .skip = 2, .times = 1, .error = EIO);
    expect_restored(1, "new");
    RULE("renameat2", "b", .error = EIO);
    RULE("fstatat", "a", .skip = 2, .times = 1, .lie = say_another_inode);
    expect_restored(1, "new");
}

#define MADE_ROOM 256

/* context: so many bytes. */
static int record_made(void *context, const struct memfs_made *made)
{
    char *text = context;
    const size_t length = strlen(text);
    snprintf(text + length, MADE_ROOM - length, "%s%s", made->path, made->replaced ? "! " : " ");
    return 0;
}

/* Of three files one is skipped, one left out, and one made. */
static void test_host_odd__tell_made(void **state)
{
    char made[MADE_ROOM] = "";
    struct memfs_export_options options = {
        .into = 1, .existing = MEMFS_EXISTING_SKIPPED, .made = record_made, .made_context = made};
    (void)state;
    memfs *fs = new_ones();
    assert_int_equal(unlink(at("out/b")), 0);
    test_put_text(fs, "c", "new");
    RULE("openat", "b", O_CREAT, .error = EDQUOT);
    assert_result(export_one(fs, options, 1), 0);
    assert_string_equal(made, "c ");
    expect_problem("b", -EDQUOT);
    expect_text("out/a", "old");
    remove_out();
}

/* A directory has come where a link is to be. */
static void test_host_odd__directory_in_the_way(void **state)
{
    (void)state;
    make_directory("out");
    RULE("linkat", "second", .error = EEXIST);
    RULE("fstatat", "second", .times = 1, .lie = say_directory);
    assert_result(export_one(tree(), replacing, 1), 0);
    expect_problem("d/e/f/second", -EISDIR);
    assert_false(is_there("out/d/e/f/second"));
    remove_out();
}

/* Devices that were not asked for are told where they are planned, or made. */
static void test_host_odd__devices(void **state)
{
    for (int is_planned = 0; is_planned < 2; is_planned++)
        for (int into = 0; into < 2; into++) {
            char made[MADE_ROOM] = "";
            struct memfs_export_options options = {
                .into = into, .plan_only = is_planned, .made = record_made, .made_context = made};
            (void)state;
            memfs *fs = one_file();
            assert_ok(memfs_mknod(fs, NULL, "null", MEMFS_IFCHR | 0666, 1, 3));
            make_directory("out");
            assert_result(export_one(fs, options, 1), 0);
            assert_string_equal(made, "file ");
            expect_problem("null", 0);
            assert_int_equal(problems.last_kind, MEMFS_PROBLEM_DEVICE);
            assert_int_equal(is_there("out/file"), !is_planned);
            assert_false(is_there("out/null"));
            remove_out();
        }
}

/* Directories that have nothing but links are looked into as well. */
static void test_host_odd__found_links(void **state)
{
    static const char *const names[] = {"dirs", "links", "symlinks"};
    struct memfs_export_options options = {.into = 1};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        memfs *fs = one_file();
        assert_ok(memfs_mkdir(fs, NULL, "dirs", 0755));
        assert_ok(memfs_mkdir(fs, NULL, "dirs/name", 0755));
        assert_ok(memfs_mkdir(fs, NULL, "links", 0755));
        assert_ok(memfs_link(fs, NULL, "file", "links/name"));
        assert_ok(memfs_mkdir(fs, NULL, "symlinks", 0755));
        assert_ok(memfs_symlink(fs, NULL, "target", "symlinks/name"));
        char path[32], name[40];
        snprintf(path, sizeof path, "out/%s", names[i]);
        snprintf(name, sizeof name, "%s/name", path);
        make_directory("out");
        make_directory(path);
        put_text(at(name), "old");
        assert_result(export_one(fs, options, 0), i ? -EEXIST : -ENOTDIR);
        assert_false(is_there("out/file"));
        expect_text(name, "old");
        remove_out();
    }
}

/* What is mounted there is no part of it; what cannot be looked at is left out. */
static void test_host_odd__found(void **state)
{
    (void)state;
    make_directory("out");
    make_directory("out/d");
    RULE("fstatat", "d", .lie = say_another_device);
    assert_result(export_one(tree(), replacing, 0), -EXDEV);
    assert_false(is_there("out/file"));
    char made[MADE_ROOM] = "";
    struct memfs_export_options telling = replacing;
    telling.made = record_made;
    telling.made_context = made;
    RULE("fstatat", "d", .lie = say_another_device);
    assert_result(export_one(tree(), telling, 1), 0);
    expect_problem("d", -EXDEV);
    assert_string_equal(made, "file target ");
    expect_text("out/file", "new");
    assert_false(is_there("out/d/e"));
    remove_out();
    make_directory("out");
    RULE("fstatat", "d", .error = EIO);
    assert_result(export_one(tree(), replacing, 1), 0);
    expect_problem("d", -EIO);
    assert_false(is_there("out/d"));
    remove_out();
}

/* ---- Where to -------------------------------------------------------------------------------------- */

static void test_host_odd__destination(void **state)
{
    char longest[300];
    const struct memfs_export_options planned = {.plan_only = 1};
    (void)state;
    memset(longest, 'n', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_result(export_to(at(longest), one_file(), plain, 0), -ENAMETOOLONG);
    assert_result(export_to("", one_file(), plain, 0), -ENOENT);
    assert_result(export_to("/", one_file(), planned, 0), -ENOTEMPTY);
    assert_result(export_to(at("none/out"), one_file(), planned, 0), -ENOENT);
    assert_non_null(strstr(detail.text, "make its parent directory first"));
    make_directory("out");
    assert_result(export_one(one_file(), planned, 0), 0);
    assert_false(is_there("out/file"));
    RULE("getdents64", .error = EIO);
    assert_result(export_one(one_file(), planned, 0), -EIO);
    remove_out();
}

static void test_host_odd__lost_destination(void **state)
{
    const int errors[] = {EIO, ENOENT};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        RULE("openat", "out", .error = errors[i]);
        expect_undone(one_file(), plain, -errors[i]);
        assert_non_null(strstr(detail.text, "cannot be made or opened"));
        RULE("openat", "out", .error = errors[i]);
        RULE("unlinkat", "out", .error = EBUSY);
        assert_result(export_one(one_file(), plain, 0), -errors[i]);
        assert_non_null(strstr(detail.text, "was made, but cannot be written to"));
        remove_out();
    }
}

/* An empty directory that was there is closed to others meanwhile, and opened again however that ends. */
static void test_host_odd__reopen(void **state)
{
    (void)state;
    make_directory("out");
    RULE("dup", .times = 1, .error = EMFILE);
    assert_result(export_one(one_file(), plain, 0), -EMFILE);
    expect_mode("out", 0755);
    RULE("dup", .times = 1, .error = EMFILE);
    RULE("fchmod", .skip = 1, .error = EROFS);
    assert_result(export_one(one_file(), plain, 0), -EMFILE);
    assert_non_null(strstr(detail.text, "its mode cannot be restored"));
    expect_mode("out", 0700);
    remove_out();
    make_directory("out");
    RULE("fchmod", NULL, 0755, .times = 1, .error = EROFS); /* at last, and then not */
    assert_result(export_one(one_file(), plain, 0), -EROFS);
    assert_non_null(strstr(detail.text, "its mode cannot be restored"));
    assert_false(is_there("out/file"));
    expect_mode("out", 0755);
    remove_out();
    make_directory("out"); /* one that cannot be closed is none the worse */
    RULE("fchmod", .times = 1, .error = EPERM);
    assert_result(export_one(one_file(), plain, 0), 0);
    expect_mode("out", 0755);
    remove_out();
    make_directory("out");
    next_lie = fail_to_examine;
    RULE("fchmod", .times = 1, .before = look_next);
    RULE("fstat", .lie = examine_next);
    assert_result(export_one(one_file(), plain, 0), 0);
    expect_mode("out", 0755);
    remove_out();
}

static int64_t say_somebody(int64_t result, void *out)
{
    (void)out;
    return result + 1;
}

/* Whoever is not root, and in no group of the directory's, would take its setgid away for good. */
static void test_host_odd__setgid(void **state)
{
    (void)state;
    make_directory("out");
    assert_int_equal(chmod(at("out"), 02755), 0);
    RULE("geteuid", .lie = say_nothing);
    RULE("fchmod", NULL, 02755, .times = 1);            /* it has been closed, and is restored */
    assert_result(export_one(one_file(), plain, 0), 0); /* root */
    expect_mode("out", 02755);
    remove_out();
    make_directory("out");
    assert_int_equal(chmod(at("out"), 02755), 0);
    RULE("geteuid", .lie = say_somebody);
    RULE("fchmod", NULL, 02755, .times = 1);
    assert_result(export_one(one_file(), plain, 0), 0); /* in its group */
    expect_mode("out", 02755);
    remove_out();
    make_directory("out");
    assert_int_equal(chmod(at("out"), 02755), 0);
    RULE("geteuid", .lie = say_somebody);
    RULE("getegid", .lie = say_somebody);
    RULE("getgroups", .lie = say_nothing);
    RULE("fchmod", NULL, 02755, .error = EIO); /* it is never restored */
    watch();
    memfs *fs = one_file();
    assert_ok(memfs_host_export(fs, at("out"), &plain, NULL));
    assert_int_equal(forget(), 3);
    memfs_destroy(fs);
    expect_mode("out", 02755);
    expect_text("out/file", "new");
    remove_out();
}

/* Into what is not there yet: it is made. */
static void test_host_odd__into_nothing(void **state)
{
    (void)state;
    assert_result(export_one(tree(), replacing, 0), 0);
    expect_text("out/d/e/f/second", "linked");
    remove_out();
    RULE("pwrite", .error = EIO);
    expect_undone(tree(), replacing, -EIO);
}

/* Whether somebody is told of it or not. */
static void test_host_odd__no_memory_at_all(void **state)
{
    memfs *fs = one_file();
    (void)state;
    for (int is_told = 0; is_told < 2; is_told++) {
        struct failing memory = {.fail_at = 1};
        const struct memfs_allocator allocator = {failing_alloc, failing_free, &memory};
        const struct memfs_export_options options = {.allocator = &allocator};
        memset(&detail, 0, sizeof detail);
        assert_result(memfs_host_export(fs, at("out"), &options, is_told ? &detail : NULL), -ENOMEM);
        assert_int_equal(detail.error, is_told ? -ENOMEM : 0);
        assert_int_equal(memory.failed, 1);
        assert_int_equal(memory.live, 0);
        assert_false(is_there("out"));
    }
    memfs_destroy(fs);
}

static void set_owner(memfs *fs, const char *path, uint32_t uid, uint32_t gid)
{
    const struct memfs_setattr set = {.set = MEMFS_SET_UID | MEMFS_SET_GID, .uid = uid, .gid = gid};
    assert_ok(memfs_setattr(fs, NULL, path, 0, &set));
}

/* One of another group is as much another's as one of another user. */
static void test_host_odd__owners_left_out(void **state)
{
    const struct memfs_export_options options = {.problem = record_problem};
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        memfs *fs = one_file();
        set_owner(fs, "/", geteuid(), getegid());
        set_owner(fs, "file", geteuid() + i % 2, getegid() + i / 2);
        assert_result(export_one(fs, options, 0), 0);
        if (i) {
            expect_problem("file", 0);
            assert_int_equal(problems.last_kind, MEMFS_PROBLEM_OWNER);
        } else {
            assert_int_equal(problems.count, 0);
        }
        remove_out();
    }
}

/* The host would leave as it is what has the highest number. */
static void test_host_odd__highest_owners(void **state)
{
    const struct memfs_export_options options = {.owner = 1};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        memfs *fs = one_file();
        set_owner(fs, "/", geteuid(), getegid());
        set_owner(fs, "file", i ? geteuid() : UINT32_MAX, i ? UINT32_MAX : getegid());
        expect_undone(fs, options, -EINVAL);
        assert_non_null(strstr(detail.text, "its owner cannot be set"));
    }
}

/* ---- An image that cannot be read any more ---------------------------------------------------------- */

static memfs *thaw(const struct test_buffer *bytes, struct test_fault *fault)
{
    const struct memfs_image_options tight = {.size = sizeof tight, .cache_bytes = 1};
    memfs_image *image = NULL;
    assert_ok(memfs_image_open_buffer(bytes->data, bytes->length, &tight, &image, NULL));
    memfs_backing *backing = test_fault_backing(memfs_image_backing(image), fault);
    memfs_image_close(image);
    return create_on(backing);
}

/* All that is there, one time after the other. */
static memfs *all_kinds(void)
{
    memfs *fs = tree();
    assert_ok(memfs_setxattr(fs, NULL, "file", 0, "user.a", "1", 1, 0));
    assert_ok(memfs_setxattr(fs, NULL, "d", 0, "user.b", "2", 1, 0));
    return fs;
}

/* What is in "out" as it was: a file and a directory. */
static void begin_out(void)
{
    make_directory("out");
    make_directory("out/d");
    put_text(at("out/file"), "old");
}

/* From one call on, what a table has cannot be read. Returns how many calls failed. */
static uint64_t export_unread(const struct test_buffer *image, int table, uint64_t nth, int is_tolerant)
{
    struct test_fault fault = {.fail_at = nth, .fail_after = 1, .only = 1 + table};
    char made[128] = "";
    struct memfs_export_options options = replacing;
    options.made = record_made;
    options.made_context = made;
    begin_out();
    const int error = export_one(thaw(image, &fault), options, is_tolerant);
    if (error) {
        assert_result(error, -EIO);
        assert_true(fault.failures > 0);
        assert_int_equal(failure.left_behind + failure.left_replaced, 0);
        expect_text("out/file", "old");
        assert_false(is_there("out/target") || is_there("out/d/e"));
    } else if (problems.count) {
        assert_true(is_tolerant && fault.failures > 0);
        assert_int_equal(problems.last_error, -EIO);
    } else {
        assert_string_equal(made, "d/e d/e/f d/e/f/second d/e/fifo d/e/first file! target ");
        expect_text("out/file", "new");
    }
    remove_out();
    return fault.failures;
}

static void test_host_odd__unread_image(void **state)
{
    const int tables[] = {MEMFS_NODES, MEMFS_ENTRIES, MEMFS_XATTRS, MEMFS_BLOBS};
    struct test_buffer image = {0};
    (void)state;
    memfs *fs = all_kinds();
    test_freeze(fs, &image);
    memfs_destroy(fs);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        for (int is_tolerant = 0; is_tolerant < 2; is_tolerant++) {
            uint64_t nth = 1;
            while (export_unread(&image, tables[i], nth, is_tolerant))
                nth++;
            assert_true(nth > 1);
        }
    test_buffer_free(&image);
}

/* ---- Removing what was made ----------------------------------------------------------------------- */

static void test_host_odd__undo(void **state)
{
    (void)state;
    RULE("syncfs", .error = EIO);
    expect_undone(tree(), synced, -EIO);
    RULE("syncfs", .times = 1, .error = EINTR);
    assert_result(export_one(tree(), synced, 0), 0);
    remove_out();
    RULE("syncfs", .error = EIO);
    RULE("unlinkat", "file", .error = EBUSY);
    expect_left(tree(), synced, -EIO, 2);
    RULE("syncfs", .error = EIO);
    RULE("lseek", .error = EIO);
    expect_left(tree(), synced, -EIO, 8);
}

static int unopened;

static void close_ways(void)
{
    RULE("openat2", "d", .error = unopened);
}

static memfs *closed_tree(void)
{
    memfs *fs = tree();
    assert_ok(memfs_setattr(fs, NULL, "d", 0, &(struct memfs_setattr){.set = MEMFS_SET_MODE, .mode = 0500}));
    return fs;
}

/* A directory that is closed to us is loosened, if it is the one that was made; or cannot be gone to any more. */
static void test_host_odd__undo_elsewhere(void **state)
{
    lie_fn *const lies[] = {say_another_inode, fail_to_examine};
    (void)state;
    if (needs_root()) /* others cannot empty it then */
        return;
    RULE("syncfs", .error = EIO);
    RULE("openat", "d", O_PATH, .times = 1, .error = EINTR);
    loosened = 0;
    expect_undone(closed_tree(), synced, -EIO);
    assert_int_equal(loosened, 1);
    for (size_t i = 0; i < 2; i++) {
        next_lie = lies[i];
        loosened = 0;
        RULE("syncfs", .error = EIO);
        RULE("openat", "d", O_PATH, .before = look_next);
        RULE("fstat", .lie = examine_next);
        expect_undone(closed_tree(), synced, -EIO);
        assert_int_equal(loosened, 0);
    }
    unopened = EIO;
    RULE("syncfs", .error = EIO, .before = close_ways);
    expect_left(tree(), synced, -EIO, 4);
}

static int begin(void **state)
{
    (void)state;
    forget();
    remove_out();
    is_next = 0;
    ups = 0;
    return 0;
}

#define WITH_RULES(test) cmocka_unit_test_setup(test, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RULES(test_host_odd__times),
        WITH_RULES(test_host_odd__time_and_bound),
        WITH_RULES(test_host_odd__time_of_a_cancelled_root),
        WITH_RULES(test_host_odd__names),
        WITH_RULES(test_host_odd__targets_and_types),
        WITH_RULES(test_host_odd__xattrs),
        WITH_RULES(test_host_odd__names_of_xattrs),
        WITH_RULES(test_host_odd__no_xattrs_here),
        WITH_RULES(test_host_odd__read_another),
        WITH_RULES(test_host_odd__read_with_few_descriptors),
        WITH_RULES(test_host_odd__many_open_files),
        WITH_RULES(test_host_odd__many_ways),
        WITH_RULES(test_host_odd__no_other_way),
        WITH_RULES(test_host_odd__going_up),
        WITH_RULES(test_host_odd__going_up_elsewhere),
        WITH_RULES(test_host_odd__read_below),
        WITH_RULES(test_host_odd__mounted),
        WITH_RULES(test_host_odd__write_nothing),
        WITH_RULES(test_host_odd__write_what_was_gathered),
        WITH_RULES(test_host_odd__end_in_a_hole),
        WITH_RULES(test_host_odd__another_directory),
        WITH_RULES(test_host_odd__mounted_directory),
        WITH_RULES(test_host_odd__unknown_directory),
        WITH_RULES(test_host_odd__another_file),
        WITH_RULES(test_host_odd__another_device),
        WITH_RULES(test_host_odd__unknown_file),
        WITH_RULES(test_host_odd__take_back),
        WITH_RULES(test_host_odd__close),
        WITH_RULES(test_host_odd__make_with_few_descriptors),
        WITH_RULES(test_host_odd__inherited_acls),
        WITH_RULES(test_host_odd__perhaps_inherited_acls),
        WITH_RULES(test_host_odd__own_acl),
        WITH_RULES(test_host_odd__time_of_special),
        WITH_RULES(test_host_odd__temporary_names),
        WITH_RULES(test_host_odd__replace_without_exchange),
        WITH_RULES(test_host_odd__restore),
        WITH_RULES(test_host_odd__tell_made),
        WITH_RULES(test_host_odd__directory_in_the_way),
        WITH_RULES(test_host_odd__devices),
        WITH_RULES(test_host_odd__found_links),
        WITH_RULES(test_host_odd__found),
        WITH_RULES(test_host_odd__destination),
        WITH_RULES(test_host_odd__lost_destination),
        WITH_RULES(test_host_odd__reopen),
        WITH_RULES(test_host_odd__setgid),
        WITH_RULES(test_host_odd__into_nothing),
        WITH_RULES(test_host_odd__no_memory_at_all),
        WITH_RULES(test_host_odd__owners_left_out),
        WITH_RULES(test_host_odd__highest_owners),
        WITH_RULES(test_host_odd__unread_image),
        WITH_RULES(test_host_odd__undo),
        WITH_RULES(test_host_odd__undo_elsewhere),
    };
    return cmocka_run_group_tests(tests, fixture_setup_in_memory, fixture_teardown);
}
