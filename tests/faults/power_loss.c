/*
 * Follows a command's writes, renames and syncs, cuts the power after each of them, and
 * looks whether each file is then the old one or the new one, whole:
 *
 *   power_loss [-n STATES] [-b] [-e] DIR -- COMMAND...
 *
 *   -n STATES  so many states are tried after each step
 *   -b         only files that were there before must be whole; for those that are
 *              new it takes a sync
 *   -e         once the command has ended, all is as it was to be
 *
 * DIR has before/ and after/; the command is run in DIR/box. Prints "cases power loss
 * COUNT", and "not ok ..." for what went wrong.
 */
#define _GNU_SOURCE
#include "box.h"
#include "disk.h"
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILES_MOST 128

/* A file, as it was and as it is to be; NULL: not there. */
struct expected {
    char *path;
    char *before, *after;
    size_t before_length, after_length;
};

struct loss {
    struct box box;
    struct disk *disk;
    struct expected files[FILES_MOST];
    size_t file_count;
    uint64_t states;
    unsigned long cases;
    unsigned steps, syncs, wrong;
    int only_before, must_end;
};

/* nftw() has no context. */
static struct loss loss;

/* ---- Which files there are ---------------------------------------------------------- */

/* Where it lies in the box, or NULL. */
static char *path_in_box(const char *root, const char *path)
{
    const size_t length = strlen(root);
    char *in_box = NULL;
    if (strncmp(path, root, length) == 0 && path[length] == '/' &&
        asprintf(&in_box, "%s%s", loss.box.path, path + length) < 0)
        abort();
    return in_box;
}

static struct expected *expect(const char *root, const char *path)
{
    char *in_box = path_in_box(root, path);
    for (size_t i = 0; i < loss.file_count; i++) {
        if (strcmp(loss.files[i].path, in_box) == 0) {
            free(in_box);
            return &loss.files[i];
        }
    }
    if (loss.file_count == FILES_MOST)
        abort();
    loss.files[loss.file_count] = (struct expected){.path = in_box};
    return &loss.files[loss.file_count++];
}

static char *root_of(const char *name)
{
    char *root;
    return asprintf(&root, "%s/%s", loss.box.directory, name) < 0 ? NULL : root;
}

static int take_before(const char *path, const struct stat *stat, int type, struct FTW *where)
{
    (void)where;
    if (type != FTW_F || !S_ISREG(stat->st_mode))
        return 0;
    char *root = root_of("before");
    struct expected *expected = expect(root, path);
    expected->before = box_file(path, &expected->before_length);
    disk_add(loss.disk, expected->path);
    disk_write(loss.disk, expected->path, 0, expected->before, expected->before_length);
    free(root);
    return 0;
}

static int take_after(const char *path, const struct stat *stat, int type, struct FTW *where)
{
    (void)where;
    if (type != FTW_F || !S_ISREG(stat->st_mode))
        return 0;
    char *root = root_of("after");
    struct expected *expected = expect(root, path);
    expected->after = box_file(path, &expected->after_length);
    free(root);
    return 0;
}

static int begin(const char *directory)
{
    if (box_open(&loss.box, directory))
        return -1;
    loss.disk = disk_create();
    char *before = root_of("before"), *after = root_of("after");
    int failed = nftw(before, take_before, 16, FTW_PHYS) || nftw(after, take_after, 16, FTW_PHYS);
    disk_sync_all(loss.disk);
    free(before);
    free(after);
    return failed;
}

static void end(void)
{
    for (size_t i = 0; i < loss.file_count; i++) {
        free(loss.files[i].path);
        free(loss.files[i].before);
        free(loss.files[i].after);
    }
    if (loss.disk)
        disk_free(loss.disk);
    box_close(&loss.box);
}

/* ---- What is left of them ----------------------------------------------------------- */

static int is(const void *found, size_t found_length, const void *wanted, size_t length)
{
    return found && wanted ? found_length == length && memcmp(found, wanted, length) == 0 : found == wanted;
}

static void check_file(const struct expected *expected, int is_over, uint64_t number, const char *step)
{
    size_t length = 0;
    const void *found = disk_contents(loss.disk, expected->path, &length);
    if (is(found, length, expected->after, expected->after_length))
        return;
    if (!is_over &&
        (is(found, length, expected->before, expected->before_length) || (loss.only_before && !expected->before)))
        return;
    if (++loss.wrong <= 10)
        printf("not ok power loss after step %u, %s, state %llu: %s is %s, %zu bytes\n", loss.steps, step,
               (unsigned long long)number, expected->path, found ? "neither the old nor the new one" : "lost", length);
}

static void crash(const char *step, int is_over)
{
    for (uint64_t number = 0; number < loss.states; number++) {
        disk_crash(loss.disk, number);
        for (size_t i = 0; i < loss.file_count; i++)
            check_file(&loss.files[i], is_over, number, step);
        loss.cases++;
    }
}

/* ---- What the command does ------------------------------------------------------------ */

/* Where write() writes: the descriptor's position. */
static uint64_t position(const struct called *called)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)called->pid, (int)called->arguments[0]);
    char *text = box_file(path, NULL);
    const char *line = text ? strstr(text, "pos:") : NULL;
    uint64_t at = line ? strtoull(line + strlen("pos:"), NULL, 10) : 0;
    free(text);
    return at;
}

static void take_write(const struct called *called, const char *path)
{
    const uint64_t *arguments = called->arguments;
    const uint64_t offset = called->call->number == SYS_pwrite64 ? arguments[3] : position(called);
    char *bytes = malloc(arguments[2] + 1);
    if (bytes && runner_read(called->pid, arguments[1], bytes, arguments[2]) == arguments[2])
        disk_write(loss.disk, path, offset, bytes, arguments[2]);
    free(bytes);
}

static void take_rename(const struct called *called, const char *path)
{
    char to[PATH_MAX];
    struct stat stat;
    const int exchange = called->call->number == SYS_renameat2 && called->arguments[4] & RENAME_EXCHANGE;
    runner_path_at(called->pid, called->arguments[2], called->arguments[3], to, sizeof to);
    const int is_there = lstat(to, &stat) == 0;
    if (called->call->number == SYS_linkat && !is_there)
        disk_link(loss.disk, path, to);
    else if (called->call->number != SYS_linkat) /* that fails where something is */
        disk_rename(loss.disk, path, to, exchange);
}

static int is_directory(const char *path)
{
    struct stat stat;
    return lstat(path, &stat) == 0 && S_ISDIR(stat.st_mode);
}

static void take_sync(const char *path)
{
    loss.syncs++;
    if (is_directory(path))
        disk_sync_directory(loss.disk, path);
    else
        disk_sync_file(loss.disk, path);
}

/* Whether it was one that changes the disk. */
static int take(const struct called *called, const char *path)
{
    switch (called->call->number) {
    case SYS_openat:
        if (called->arguments[2] & O_CREAT)
            disk_add(loss.disk, path);
        return (called->arguments[2] & O_CREAT) != 0;
    case SYS_write:
    case SYS_pwrite64:
        return take_write(called, path), 1;
    case SYS_ftruncate:
        return disk_resize(loss.disk, path, called->arguments[1]), 1;
    case SYS_linkat:
    case SYS_renameat:
    case SYS_renameat2:
        return take_rename(called, path), 1;
    case SYS_unlinkat:
        return disk_remove(loss.disk, path), 1;
    case SYS_fsync:
    case SYS_fdatasync:
        return take_sync(path), 1;
    case SYS_syncfs:
        loss.syncs++;
        return disk_sync_all(loss.disk), 1;
    default:
        return 0;
    }
}

/* The C library's, for a path alone. */
static int take_path(const struct called *called, const char *path)
{
#ifdef SYS_rename
    char to[PATH_MAX];
    switch (called->call->number) {
    case SYS_rename:
        runner_path_at(called->pid, (uint64_t)AT_FDCWD, called->arguments[1], to, sizeof to);
        return disk_rename(loss.disk, path, to, 0), 1;
    case SYS_link:
        runner_path_at(called->pid, (uint64_t)AT_FDCWD, called->arguments[1], to, sizeof to);
        return disk_link(loss.disk, path, to), 1;
    case SYS_unlink:
        return disk_remove(loss.disk, path), 1;
    default:
        break;
    }
#else
    (void)path;
#endif
    return called->call->number < 0;
}

/* A runner_watch. */
static void watch(void *context, const struct called *called)
{
    char path[PATH_MAX];
    (void)context;
    runner_path(called, path, sizeof path);
    const size_t length = strlen(loss.box.path);
    if (strncmp(path, loss.box.path, length) != 0 || (path[length] != '/' && path[length] != 0))
        return;
    if (!take(called, path) && !take_path(called, path))
        return;
    loss.steps++;
    crash(called->call->name, 0);
}

/* ---- All of it --------------------------------------------------------------------------- */

static int run_command(char *const *command)
{
    char *out = root_of("out"), *err = root_of("err");
    struct run run = {.command = command, .directory = loss.box.path, .out = out, .err = err, .watch = watch};
    struct ran ran;
    enum box_state state;
    int failed = runner_run(&run, &ran) || ran.status != 0 || box_look(&loss.box, &state) || state != BOX_AFTER;
    if (failed)
        printf("not ok %s failed, status %x\n", command[1], (unsigned)ran.status);
    free(out);
    free(err);
    return failed;
}

int main(int argc, char **argv)
{
    loss.states = 100;
    for (int option; (option = getopt(argc, argv, "+n:be")) != -1;) {
        if (option == 'n')
            loss.states = strtoull(optarg, NULL, 10);
        loss.only_before |= option == 'b';
        loss.must_end |= option == 'e';
    }
    if (argc - optind < 2 || loss.states < DISK_EXTREMES) {
        fprintf(stderr, "usage: power_loss [-n STATES] [-b] [-e] DIR -- COMMAND...\n");
        return 2;
    }
    const int dashes = optind + 2 < argc && strcmp(argv[optind + 1], "--") == 0;
    int failed = begin(argv[optind]) || run_command(argv + optind + 1 + dashes);
    if (!failed && loss.must_end)
        crash("its end", 1);
    if (!failed && (loss.steps < 3 || loss.syncs == 0))
        failed = printf("not ok %u steps and %u syncs were seen\n", loss.steps, loss.syncs) > 0;
    printf("cases power loss %lu\n", loss.cases);
    printf("wrong %u in states after %u steps, %u of them syncs\n", loss.wrong, loss.steps, loss.syncs);
    end();
    return failed || loss.wrong ? 1 : 0;
}
