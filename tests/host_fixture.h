/*
 * What the suites of host directories share: a temporary directory, removed
 * with all below it, an allocator that fails when told to, and a recorder of
 * problems.
 */
#ifndef HOST_FIXTURE_H
#define HOST_FIXTURE_H

#include "memfs_host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* clang-format off: it would sort this before the headers that it needs */
#include <cmocka.h>
/* clang-format on */

#define SECOND 1000000000LL

static char fixture_top[2048]; /* the temporary directory */

/* A path below it; eight may be in use at once, by each thread. */
static inline const char *at(const char *name)
{
    static _Thread_local char paths[8][4400];
    static _Thread_local unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", fixture_top, name);
    return path;
}

static inline int fixture_setup_below(const char *base)
{
    umask(022);
    snprintf(fixture_top, sizeof fixture_top, "%s/memfs-host-XXXXXX", base);
    return mkdtemp(fixture_top) && !chmod(fixture_top, 0755) ? 0 : -1;
}

static inline int fixture_setup(void **state)
{
    const char *base = getenv("TMPDIR");
    (void)state;
    return fixture_setup_below(base && *base ? base : "/tmp");
}

/* Where removing thousands of directories does not wait for a disk; files have attributes there since Linux 6.6. */
static inline int fixture_setup_in_memory(void **state)
{
    if (fixture_setup_below("/dev/shm"))
        return fixture_setup(state);
    if (setxattr(fixture_top, "user.probe", "", 0, 0) == 0)
        return removexattr(fixture_top, "user.probe");
    return rmdir(fixture_top) ? -1 : fixture_setup(state);
}

/* rm knows how to remove deep trees. */
static inline int fixture_teardown(void **state)
{
    char command[9000];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s' 2>/dev/null || { chmod -R u+rwX '%s'; rm -rf '%s'; }", fixture_top,
             fixture_top, fixture_top);
    return system(command) == 0 ? 0 : -1;
}

static inline void put_file(const char *path, const void *bytes, size_t length, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), (ssize_t)length);
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

static inline void put_text(const char *path, const char *text)
{
    put_file(path, text, strlen(text), 0644);
}

static inline void put_mtime(const char *path, int64_t nanoseconds)
{
    int64_t second = nanoseconds / SECOND - (nanoseconds % SECOND < 0);
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {second, (long)(nanoseconds - second * SECOND)}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static inline int count_descriptors(void)
{
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir && readdir(dir))
        count++;
    if (dir)
        closedir(dir);
    return count;
}

/* Problems, as they were told. answer is what the callback returns. */
struct problems {
    int answer, count, last_error;
    enum memfs_problem_kind last_kind;
    char last_path[512], last_text[256];
    int errors[16];
    char paths[16][64];
};

static inline int record_problem(void *context, const struct memfs_problem *problem)
{
    struct problems *problems = context;
    if (problems->count < 16) {
        problems->errors[problems->count] = problem->error;
        snprintf(problems->paths[problems->count], 64, "%s", problem->path);
    }
    problems->count++;
    problems->last_kind = problem->kind;
    problems->last_error = problem->error;
    snprintf(problems->last_path, sizeof problems->last_path, "%s", problem->path);
    snprintf(problems->last_text, sizeof problems->last_text, "%s", problem->text);
    return problems->answer;
}

static inline int has_problem(const struct problems *problems, const char *path, int error)
{
    for (int i = 0; i < problems->count && i < 16; i++)
        if (problems->errors[i] == error && !strcmp(problems->paths[i], path))
            return 1;
    return 0;
}

/* Fails the allocation number fail_at (from 1), or all from there if for_ever. */
struct failing {
    long calls, fail_at, failed, live;
    int for_ever;
};

static inline void *failing_alloc(void *context, size_t size)
{
    struct failing *failing = context;
    failing->calls++;
    if (failing->fail_at &&
        (failing->calls == failing->fail_at || (failing->for_ever && failing->calls > failing->fail_at))) {
        failing->failed++;
        return NULL;
    }
    size_t *memory = malloc(size + 16);
    if (!memory)
        return NULL;
    *memory = size;
    failing->live++;
    return memory + 2;
}

static inline void failing_free(void *context, void *memory, size_t size)
{
    struct failing *failing = context;
    size_t *start = (size_t *)memory - 2;
    if (*start != size) {
        fprintf(stderr, "freed with size %zu, allocated with %zu\n", size, *start);
        abort();
    }
    failing->live--;
    free(start);
}

/* Some cases need root; say so, so that the skip is seen. */
static inline int needs_root(void)
{
    if (geteuid() == 0)
        return 0;
    print_message("needs root: skipped\n");
    return 1;
}

#endif
