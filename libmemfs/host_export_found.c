#define _GNU_SOURCE
#include "backing.h"
#include "host_export.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* What is in a destination that may have things in it. What is seen here can
 * change until something is made in its place: whoever makes it then meets it
 * again, and nothing else than what is planned comes of it. */

const char memfs_export_in_the_way[] = "is a directory there, and a file of another type in the image";

static int problem(struct memfs_export_worker *caller, uint32_t directory, const char *name, int error,
                   const char *text)
{
    return memfs_export_problem(caller, MEMFS_PROBLEM_FILE, directory, name, error, text);
}

static const char mounted[] = "is mounted there";

/* What stands at the name, as fstatat() says; 1 if nothing does. */
static int look_at(const struct memfs_export_worker *caller, const char *name, struct stat *stat)
{
    if (!fstatat(memfs_host_trail_fd(&caller->trail), name, stat, AT_SYMLINK_NOFOLLOW))
        return 0;
    return errno == ENOENT ? 1 : -errno;
}

/* ---- Directories ---------------------------------------------------------------- */

static int refuse_directory(struct memfs_export_worker *caller, uint32_t directory, const struct stat *stat)
{
    if (S_ISDIR(stat->st_mode))
        return problem(caller, directory, NULL, -EXDEV, mounted);
    if (S_ISLNK(stat->st_mode))
        return problem(caller, directory, NULL, -ENOTDIR, "is a symbolic link there, which is not followed");
    return problem(caller, directory, NULL, -ENOTDIR, "is a directory in the image only");
}

static int look_at_directory(struct memfs_export_worker *caller, uint32_t directory)
{
    char name[MEMFS_NAME_MAX + 1];
    struct stat stat;
    struct memfs_export *job = caller->job;
    struct memfs_export_dir *dir = memfs_export_dir(job, directory);
    int error = memfs_export_go(job, &caller->trail, dir->parent);
    if (error)
        return problem(caller, dir->parent, NULL, error,
                       memfs_export_is_exchanged(error) ? memfs_export_exchanged : "cannot be opened");
    job->tree.name(job, directory, name);
    error = look_at(caller, name, &stat);
    if (error > 0)
        return 0;
    if (!error && S_ISDIR(stat.st_mode) && (uint64_t)stat.st_dev == job->dev) {
        dir->ino = stat.st_ino;
        dir->state = MEMFS_EXPORT_FOUND;
        return 0;
    }
    dir->state = MEMFS_EXPORT_LEFT_OUT;
    return error ? problem(caller, directory, NULL, error, "cannot be made")
                 : refuse_directory(caller, directory, &stat);
}

/* ---- Files ---------------------------------------------------------------------- */

static int set_fate(struct memfs_export_worker *caller, uint32_t directory, const struct memfs_dirent *entry,
                    enum memfs_export_fate fate)
{
    if (!memfs_host_map_put(&caller->job->exceptions, directory, entry->cursor, fate))
        return 0;
    return memfs_export_fail(caller, directory, entry->name, -ENOMEM, "cannot be left out");
}

static int refuse_file(struct memfs_export_worker *caller, uint32_t directory, const struct memfs_dirent *entry,
                       int error, const char *text)
{
    error = problem(caller, directory, entry->name, error, text);
    return error ? error : set_fate(caller, directory, entry, MEMFS_EXPORT_MISSING);
}

static int visit(struct memfs_export_worker *caller, uint32_t directory, const struct memfs_dirent *entry)
{
    struct stat stat;
    const struct memfs_export *job = caller->job;
    if ((entry->stat.mode & MEMFS_IFMT) == MEMFS_IFDIR || !memfs_name_ok(entry->name, entry->name_length) ||
        !memfs_export_is_wanted(job, directory, entry) || (memfs_export_is_device(entry) && !job->options.devices))
        return 0;
    int error = look_at(caller, entry->name, &stat);
    if (error)
        return error > 0 ? 0 : refuse_file(caller, directory, entry, error, "cannot be made");
    if (S_ISDIR(stat.st_mode))
        return refuse_file(caller, directory, entry, -EISDIR, memfs_export_in_the_way);
    if (job->options.existing == MEMFS_EXISTING_REFUSED)
        return refuse_file(caller, directory, entry, -EEXIST, "is there already");
    if (!job->options.plan_only)
        return 0; /* whoever makes it meets it again */
    return set_fate(caller, directory, entry,
                    job->options.existing == MEMFS_EXISTING_REPLACED ? MEMFS_EXPORT_REPLACES : MEMFS_EXPORT_SKIPPED);
}

static int look_inside(struct memfs_export_worker *caller, uint32_t directory)
{
    struct memfs_export_dir *dir = memfs_export_dir(caller->job, directory);
    const int is_empty = !dir->has_files && !dir->has_links && !dir->has_symlinks;
    if (is_empty && dir->state != MEMFS_EXPORT_FOUND)
        return memfs_export_tell(caller);
    int error = memfs_export_go(caller->job, &caller->trail, directory);
    if (error == -EXDEV) {
        dir->state = MEMFS_EXPORT_LEFT_OUT;
        return problem(caller, directory, NULL, error, mounted);
    }
    if (!error && is_empty)
        return memfs_export_tell(caller);
    if (error)
        return problem(caller, directory, NULL, error,
                       memfs_export_is_exchanged(error) ? memfs_export_exchanged : "cannot be opened");
    return memfs_export_list_all(caller, directory, visit);
}

int memfs_export_look(struct memfs_export *job)
{
    struct memfs_export_worker *caller = &job->workers[0];
    size_t depth = 0;
    uint32_t directory = 0;
    int error = 0;
    do {
        const struct memfs_export_dir *dir = memfs_export_dir(job, directory);
        if (dir->state == MEMFS_EXPORT_PLANNED)
            error = look_at_directory(caller, directory);
        int is_there = memfs_export_is_there(dir);
        if (!error && is_there)
            error = look_inside(caller, directory);
        directory = memfs_export_next(job, directory, !memfs_export_is_there(dir), &depth);
    } while (!error && directory);
    return error;
}
