#define _GNU_SOURCE
#include "host_export.h"
#include "retry.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* ---- The inode numbers of what was made ----------------------------------------- */

static uint64_t *ino_at(struct memfs_rows *inos, uint64_t i)
{
    return memfs_rows_at(inos, i);
}

static void sift(struct memfs_rows *inos, uint64_t i, uint64_t count)
{
    uint64_t value = *ino_at(inos, i);
    for (;;) {
        uint64_t child = 2 * i + 1;
        if (child >= count)
            break;
        if (child + 1 < count && *ino_at(inos, child) < *ino_at(inos, child + 1))
            child++;
        if (*ino_at(inos, child) <= value)
            break;
        *ino_at(inos, i) = *ino_at(inos, child);
        i = child;
    }
    *ino_at(inos, i) = value;
}

/* In place: lack of memory may be the reason why we are here. */
static void sort_inos(struct memfs_rows *inos)
{
    uint64_t count = inos->count;
    for (uint64_t i = count / 2; i-- > 0;)
        sift(inos, i, count);
    while (count > 1) {
        uint64_t largest = *ino_at(inos, 0);
        *ino_at(inos, 0) = *ino_at(inos, --count);
        *ino_at(inos, count) = largest;
        sift(inos, 0, count);
    }
}

static int has_ino(struct memfs_rows *inos, uint64_t ino)
{
    uint64_t low = 0, high = inos->count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (*ino_at(inos, middle) < ino)
            low = middle + 1;
        else
            high = middle;
    }
    return low < inos->count && *ino_at(inos, low) == ino;
}

static int is_ours(struct memfs_export *job, const struct stat *stat)
{
    if ((uint64_t)stat->st_dev != job->file_dev)
        return 0;
    for (unsigned i = 0; i < job->worker_room; i++)
        if (has_ino(&job->workers[i].inos, stat->st_ino))
            return 1;
    return 0;
}

/* ---- Removing ---------------------------------------------------------------------- */

static struct memfs_host_trail *trail_of(struct memfs_export *job)
{
    return &job->workers[0].trail;
}

struct emptying {
    struct memfs_export *job;
    uint32_t directory;
    int fd;
    uint64_t removed, kept;
};

static int remove_ours(void *context, const char *name, size_t length)
{
    struct emptying *emptying = context;
    struct stat stat;
    if (fstatat(emptying->fd, name, &stat, AT_SYMLINK_NOFOLLOW)) {
        emptying->kept += errno != ENOENT; /* for all that is known it is ours */
        return 0;
    }
    if (S_ISDIR(stat.st_mode) || !is_ours(emptying->job, &stat) ||
        memfs_export_stays(emptying->job, emptying->directory, name, length))
        return 0;
    if (unlinkat(emptying->fd, name, 0))
        emptying->kept++;
    else
        emptying->removed++;
    return 0;
}

/* Removes our files from a directory. Listing it again until nothing comes
 * up: some hosts skip entries when others are removed meanwhile. */
static uint64_t empty_directory(struct memfs_export *job, uint32_t directory, int fd)
{
    struct emptying emptying = {.job = job, .directory = directory, .fd = fd};
    do {
        emptying.removed = emptying.kept = 0;
        if (lseek(fd, 0, SEEK_SET) < 0 ||
            memfs_host_list_names(fd, job->buffer, MEMFS_EXPORT_BUFFER, remove_ours, &emptying))
            return 1;
    } while (emptying.removed);
    return emptying.kept;
}

/* Is it the directory that was made with this inode number? */
static int is_made(const struct memfs_export *job, const struct stat *stat, uint64_t ino)
{
    return (uint64_t)stat->st_dev == job->dev && (uint64_t)stat->st_ino == ino;
}

static int is_directory(const struct memfs_export *job, int above, const char *name, uint64_t ino)
{
    struct stat stat;
    return !fstatat(above, name, &stat, AT_SYMLINK_NOFOLLOW) && S_ISDIR(stat.st_mode) && is_made(job, &stat, ino);
}

static int has_inos(const struct memfs_export *job)
{
    for (unsigned i = 0; i < job->worker_room; i++)
        if (job->workers[i].inos.count)
            return 1;
    return 0;
}

/* Of one that was there. */
static uint64_t clear_directory(struct memfs_export *job, uint32_t directory)
{
    if (!has_inos(job))
        return 0;
    if (memfs_host_trail_go(trail_of(job), directory))
        return 1;
    return empty_directory(job, directory, memfs_host_trail_fd(trail_of(job)));
}

static uint64_t remove_directory(struct memfs_export *job, uint32_t directory)
{
    const struct memfs_export_dir *dir = memfs_export_dir(job, directory);
    char name[MEMFS_NAME_MAX + 1];
    uint64_t kept = 0;
    if (!dir->ino)
        return 1; /* it is lost: something else has its name */
    if (!memfs_host_trail_go(trail_of(job), directory))
        kept = empty_directory(job, directory, memfs_host_trail_fd(trail_of(job)));
    if (memfs_export_go(job, trail_of(job), dir->parent))
        return kept + 1;
    job->tree.name(job, directory, name);
    int above = memfs_host_trail_fd(trail_of(job));
    return kept + (!is_directory(job, above, name, dir->ino) || unlinkat(above, name, AT_REMOVEDIR));
}

/* Directories that have got their modes may be closed to us. */
static void loosen(struct memfs_export *job, uint32_t directory)
{
    const struct memfs_export_dir *dir = memfs_export_dir(job, directory);
    char name[MEMFS_NAME_MAX + 1], path[32];
    struct stat stat;
    if (memfs_export_go(job, trail_of(job), dir->parent))
        return;
    job->tree.name(job, directory, name);
    int fd;
    MEMFS_RETRY(fd, openat(memfs_host_trail_fd(trail_of(job)), name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (fd < 0)
        return;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (!fstat(fd, &stat) && is_made(job, &stat, dir->ino) && (stat.st_mode & 0700) != 0700)
        chmod(path, 0700); /* if that fails, removing will say so */
    close(fd);
}

static void loosen_all(struct memfs_export *job)
{
    size_t depth = 0;
    uint32_t directory = 0;
    fchmod(trail_of(job)->root, job->root_mode | 0700);
    for (;;) {
        int skip = !memfs_export_is_there(memfs_export_dir(job, directory));
        directory = memfs_export_next(job, directory, skip, &depth);
        if (!directory)
            return;
        if (memfs_export_dir(job, directory)->state == MEMFS_EXPORT_MADE)
            loosen(job, directory);
    }
}

uint64_t memfs_export_undo(struct memfs_export *job)
{
    uint64_t kept = 0;
    if (trail_of(job)->tree) {
        for (unsigned i = 0; i < job->worker_room; i++) {
            sort_inos(&job->workers[i].inos);
            kept += job->workers[i].lost;
        }
        if (job->finishing)
            loosen_all(job);
        for (uint32_t directory = memfs_export_deepest(job, 0); directory;
             directory = memfs_export_next_up(job, directory)) {
            if (memfs_export_dir(job, directory)->state == MEMFS_EXPORT_MADE)
                kept += remove_directory(job, directory);
            else if (memfs_export_dir(job, directory)->state == MEMFS_EXPORT_FOUND)
                kept += clear_directory(job, directory);
        }
        kept += empty_directory(job, 0, trail_of(job)->root);
        if (job->finishing || job->root_closed)
            kept += fchmod(trail_of(job)->root, job->root_mode) != 0;
    }
    /* Its number is not known if it could not be looked at: then nothing was made in it. */
    const uint64_t root = memfs_export_dir(job, 0)->ino;
    if (job->made_root)
        kept += (root && !is_directory(job, job->above, job->base, root)) ||
                unlinkat(job->above, job->base, AT_REMOVEDIR) != 0;
    return kept;
}
