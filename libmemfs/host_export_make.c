#define _GNU_SOURCE
#include "backing.h"
#include "host_export.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* All of this is the caller's. */

static int problem(struct memfs_export_worker *caller, uint32_t directory, const char *name, int error,
                   const char *text)
{
    return memfs_export_problem(caller, MEMFS_PROBLEM_FILE, directory, name, error, text);
}

/* ---- Directories ---------------------------------------------------------------- */

/* Goes into what was just made, or has been put in its place since: only a
 * directory that is empty, and closed to others, can be ours. */
static int enter(struct memfs_export_worker *caller, uint32_t directory)
{
    struct memfs_export *job = caller->job;
    struct stat stat;
    int error = memfs_host_trail_go(&caller->trail, directory);
    if (error)
        return error;
    int fd = memfs_host_trail_fd(&caller->trail);
    if (fstat(fd, &stat))
        return -errno;
    if (stat.st_mode & 0077 & ~job->spare_mode)
        return -ESTALE;
    int any = memfs_export_any(job, fd);
    return any > 0 ? -ESTALE : any;
}

/* Takes the inode number of a directory that was just made, and is of our owner. */
static int adopt(const struct memfs_export_worker *caller, const char *name, uint64_t *ino)
{
    struct stat stat;
    if (fstatat(memfs_host_trail_fd(&caller->trail), name, &stat, AT_SYMLINK_NOFOLLOW))
        return -errno;
    if (!S_ISDIR(stat.st_mode) || stat.st_uid != caller->job->uid)
        return -ESTALE;
    *ino = stat.st_ino;
    return 0;
}

/* Makes a directory and goes into it; the trail lets nothing else pass for it
 * (see tree_admit() in host_export.c). What was left out has nothing in it. */
int memfs_export_make_directory(struct memfs_export_worker *caller, uint32_t directory)
{
    char name[MEMFS_NAME_MAX + 1];
    struct memfs_export *job = caller->job;
    struct memfs_export_dir *dir = memfs_export_dir(job, directory);
    if (dir->state == MEMFS_EXPORT_FOUND)
        atomic_fetch_add(&job->nodes_made, 1);
    if (dir->state != MEMFS_EXPORT_PLANNED)
        return 0;
    dir->state = MEMFS_EXPORT_LEFT_OUT;
    if (memfs_export_dir(job, dir->parent)->state == MEMFS_EXPORT_LEFT_OUT)
        return 0;
    int error = memfs_export_go(job, &caller->trail, dir->parent);
    if (error)
        return problem(caller, dir->parent, NULL, error,
                       memfs_export_is_exchanged(error) ? memfs_export_exchanged : "cannot be opened");
    job->tree.name(job, directory, name);
    if (mkdirat(memfs_host_trail_fd(&caller->trail), name, 0700))
        return problem(caller, directory, NULL, -errno, "cannot be made");
    dir->state = MEMFS_EXPORT_MADE;
    error = adopt(caller, name, &dir->ino);
    if (error && error != -ESTALE && !unlinkat(memfs_host_trail_fd(&caller->trail), name, AT_REMOVEDIR))
        dir->state = MEMFS_EXPORT_LEFT_OUT; /* it could not be told from others later */
    if (!error)
        error = enter(caller, directory);
    /* Not to be left out: what stands there may not be ours, and then is not removed either. */
    if (memfs_export_is_exchanged(error))
        dir->ino = 0;
    if (error)
        return memfs_export_fail(caller, directory, NULL, error,
                                 memfs_export_is_exchanged(error) ? memfs_export_exchanged : "cannot be opened");
    caller->exported.directories++;
    atomic_fetch_add(&job->nodes_made, 1);
    return memfs_export_tell(caller);
}

/* ---- Hard links ------------------------------------------------------------- */

/* A memfs_export_try: one more name for a file. */
static int try_link(struct memfs_export_worker *caller, const void *what, const char *name)
{
    const char *first = what;
    int from = memfs_host_trail_fd(&caller->job->link_trail), to = memfs_host_trail_fd(&caller->trail);
    return linkat(from, first, to, name, 0) ? -errno : 0;
}

static int link_to(struct memfs_export_worker *caller, const struct memfs_export_link *link,
                   struct memfs_export_spot *spot)
{
    char first[MEMFS_NAME_MAX + 1];
    struct stat stat;
    struct memfs_export *job = caller->job;
    int error = memfs_export_go(job, &job->link_trail, link->directory);
    if (error)
        return error;
    memcpy(first, memfs_rows_at(&job->names, link->name), link->name_length);
    first[link->name_length] = '\0';
    if (link->temporary)
        memfs_export_temporary_name(link->temporary, first);
    error = memfs_export_try_spot(caller, spot, try_link, first);
    if (error)
        return error;
    int to = memfs_host_trail_fd(&caller->trail);
    if (!fstatat(to, spot->name, &stat, AT_SYMLINK_NOFOLLOW) && memfs_export_is_made(job, &stat, link->ino))
        return 0;
    unlinkat(to, spot->name, 0); /* the first name had been given to something else */
    return -ESTALE;
}

static int make_link(struct memfs_export_worker *caller, uint32_t directory, const struct memfs_dirent *entry,
                     const struct memfs_export_link *link)
{
    struct memfs_export_spot spot = {.name = entry->name, .is_link = 1};
    int error = link_to(caller, link, &spot), missing = error != 0;
    if (error && !spot.skipped)
        error = problem(caller, directory, entry->name, error,
                        error == -EISDIR ? memfs_export_in_the_way : "cannot be linked to its first name");
    else
        error = 0;
    return error ? error : memfs_export_note(caller, directory, entry, &spot, missing ? 0 : link->ino);
}

/* ---- Rounds over the directories, when all files have been made ------------------ */

/* A file whose first name could not be made gets the next one for its first. */
static int visit_link(struct memfs_export_worker *caller, uint32_t directory, const struct memfs_dirent *entry)
{
    struct memfs_export *job = caller->job;
    uint32_t type = entry->stat.mode & MEMFS_IFMT;
    if (type == MEMFS_IFDIR || type == MEMFS_IFLNK || entry->stat.nlink < 2 ||
        !memfs_name_ok(entry->name, entry->name_length) || !memfs_export_is_wanted(job, directory, entry))
        return 0;
    struct memfs_export_link *link = memfs_export_find_link(job, entry->stat.node);
    if (!link || memfs_export_is_first(job, link, directory, entry))
        return 0;
    int error =
        link->made ? make_link(caller, directory, entry, link) : memfs_export_make_file(caller, directory, entry, link);
    return error ? error : memfs_export_tell(caller);
}

static int visit_symlink(struct memfs_export_worker *caller, uint32_t directory, const struct memfs_dirent *entry)
{
    struct memfs_export *job = caller->job;
    if ((entry->stat.mode & MEMFS_IFMT) != MEMFS_IFLNK || !memfs_name_ok(entry->name, entry->name_length) ||
        !memfs_export_is_wanted(job, directory, entry))
        return 0;
    struct memfs_export_link *link = entry->stat.nlink > 1 ? memfs_export_find_link(job, entry->stat.node) : NULL;
    if (link && link->made)
        return make_link(caller, directory, entry, link);
    int error = memfs_export_make_file(caller, directory, entry, link);
    atomic_fetch_add(&job->nodes_made, 1);
    return error ? error : memfs_export_tell(caller);
}

static int link_all(struct memfs_export_worker *caller, int symlinks)
{
    struct memfs_export *job = caller->job;
    size_t depth = 0;
    uint32_t directory = 0;
    int error = 0;
    do {
        const struct memfs_export_dir *dir = memfs_export_dir(job, directory);
        int made = memfs_export_is_there(dir);
        if (made && (symlinks ? dir->has_symlinks : dir->has_links)) {
            error = memfs_export_go(job, &caller->trail, directory);
            error = error ? problem(caller, directory, NULL, error,
                                    memfs_export_is_exchanged(error) ? memfs_export_exchanged : "cannot be opened")
                          : memfs_export_list_all(caller, directory, symlinks ? visit_symlink : visit_link);
        }
        directory = memfs_export_next(job, directory, !made, &depth);
    } while (!error && directory);
    return error;
}

int memfs_export_make(struct memfs_export *job)
{
    struct memfs_export_worker *caller = &job->workers[0];
    int error = memfs_export_gather(job);
    if (!error)
        error = memfs_export_make_runs(job);
    for (int symlinks = 0; symlinks < 2 && !error; symlinks++) {
        if (!(symlinks ? job->any_symlinks : job->any_links))
            continue;
        error = memfs_export_gather(job);
        if (!error)
            error = link_all(caller, symlinks);
    }
    return error;
}
