#define _GNU_SOURCE
#include "backing.h"
#include "host_export.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int problem(struct memfs_export *job, uint32_t directory, const char *name, int error, const char *text)
{
    return memfs_host_problem(&job->report, MEMFS_PROBLEM_FILE, directory, name, error, text);
}

/* Directories below us that are not what we made there. */
static const char exchanged[] = "something else was put in its place while unpacking";

static int is_exchanged(int error)
{
    return error == -ESTALE || error == -ELOOP || error == -ENOTDIR || error == -ENOENT;
}

/* ---- What is made, and known to be ours ------------------------------------ */

/* Takes the inode number of what was just made without getting a descriptor,
 * from fd if it is open now (else -1: by its name), after making sure that it
 * is of the type and owner that it should be. */
static int adopt(const struct memfs_export *job, int fd, const char *name, mode_t type, uint64_t *ino)
{
    struct stat stat;
    int above = memfs_host_trail_fd(&job->trail);
    if (fd >= 0 ? fstat(fd, &stat) : fstatat(above, name, &stat, AT_SYMLINK_NOFOLLOW))
        return -errno;
    if ((stat.st_mode & S_IFMT) != type || stat.st_uid != job->uid)
        return -ESTALE;
    *ino = stat.st_ino;
    return 0;
}

static int take_ino(int fd, uint64_t *ino)
{
    struct stat stat;
    if (fstat(fd, &stat))
        return -errno;
    *ino = stat.st_ino;
    return 0;
}

/* Room for one more inode number, before there is something to be removed. */
static uint64_t *reserve(struct memfs_export *job)
{
    return memfs_host_list_add(&job->inos);
}

static int open_path(int directory, const char *name)
{
    int fd = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* Removes what was made in this step alone, before it gets known. */
static void take_back(int directory, const char *name, uint64_t ino)
{
    struct stat stat;
    if (!fstatat(directory, name, &stat, AT_SYMLINK_NOFOLLOW) && !S_ISDIR(stat.st_mode) && stat.st_ino == ino)
        unlinkat(directory, name, 0);
}

/* ---- Files -------------------------------------------------------------------- */

static int create(struct memfs_export *job, const char *name)
{
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(memfs_host_trail_fd(&job->trail), name, flags, 0600);
    return fd < 0 ? -errno : fd;
}

/* Too many descriptors: whether some could be closed. */
static int retry(struct memfs_export *job, int error)
{
    int closed = memfs_host_trail_retry(&job->trail, error);
    return (job->link_trail.tree && memfs_host_trail_retry(&job->link_trail, error)) || closed;
}

static int make_regular(struct memfs_export *job, uint32_t directory, const struct memfs_dirent *entry, uint64_t *ino)
{
    int above = memfs_host_trail_fd(&job->trail);
    const char *text = "cannot be made";
    int fd = create(job, entry->name);
    if (fd < 0 && retry(job, fd))
        fd = create(job, entry->name);
    if (fd < 0)
        return problem(job, directory, entry->name, fd, text);
    int error = take_ino(fd, ino);
    if (!error)
        error = memfs_export_content(job, fd, &entry->stat, &text);
    struct memfs_export_made made = {directory, entry->name, fd, 0};
    int told =
        error ? problem(job, directory, entry->name, error, text) : memfs_export_attributes(job, &made, &entry->stat);
    if (close(fd) && !error && errno != EINTR) {
        error = -errno;
        told = told ? told : problem(job, directory, entry->name, error, "cannot be written");
    }
    if (error && !told) { /* left out */
        take_back(above, entry->name, *ino);
        *ino = 0;
    }
    return told;
}

/* Opens without touching it what was just made, and gives it its attributes. */
static int dress(struct memfs_export *job, uint32_t directory, const struct memfs_dirent *entry, uint64_t *ino)
{
    int fd = open_path(memfs_host_trail_fd(&job->trail), entry->name);
    if (fd < 0 && retry(job, fd))
        fd = open_path(memfs_host_trail_fd(&job->trail), entry->name);
    int error = adopt(job, fd < 0 ? -1 : fd, entry->name, entry->stat.mode & S_IFMT, ino);
    if (!error && fd < 0) /* it is known now, so that it can be removed */
        error = fd;
    struct memfs_export_made made = {directory, entry->name, fd, 1};
    error = error ? problem(job, directory, entry->name, error, is_exchanged(error) ? exchanged : "cannot be opened")
                  : memfs_export_attributes(job, &made, &entry->stat);
    if (fd >= 0)
        close(fd);
    return error;
}

static int make_special(struct memfs_export *job, uint32_t directory, const struct memfs_dirent *entry, uint64_t *ino)
{
    mode_t type = entry->stat.mode & S_IFMT;
    dev_t device = makedev(entry->stat.rdev_major, entry->stat.rdev_minor);
    if ((type == S_IFCHR || type == S_IFBLK) && !job->options.devices)
        return memfs_host_left_out(&job->report, MEMFS_PROBLEM_DEVICE, directory, entry->name,
                                   "devices are left out unless asked for");
    if (mknodat(memfs_host_trail_fd(&job->trail), entry->name, type | 0600, device))
        return problem(job, directory, entry->name, -errno, "cannot be made");
    return dress(job, directory, entry, ino);
}

static int make_symlink(struct memfs_export *job, uint32_t directory, const struct memfs_dirent *entry, uint64_t *ino)
{
    char target[MEMFS_TARGET_MAX + 1];
    int64_t length = memfs_node_readlink(job->fs, entry->stat.node, target, sizeof target - 1);
    if (length < 0)
        return problem(job, directory, entry->name, (int)length, "its target cannot be read");
    if (!length || length > MEMFS_TARGET_MAX || memchr(target, '\0', (size_t)length))
        return problem(job, directory, entry->name, MEMFS_ECORRUPT, "its target is no text of 1 to 4,095 bytes");
    target[length] = '\0';
    if (symlinkat(target, memfs_host_trail_fd(&job->trail), entry->name))
        return problem(job, directory, entry->name, -errno, "cannot be made");
    return dress(job, directory, entry, ino);
}

/* Remembers under which name a file with several was made. */
static int note_first(struct memfs_export *job, uint32_t directory, const struct memfs_dirent *entry, uint64_t ino,
                      struct memfs_export_link *link)
{
    if (memfs_host_list_put(&job->names, entry->name, entry->name_length, &link->name))
        return memfs_host_fail(&job->report, directory, entry->name, -ENOMEM, "cannot be made");
    link->directory = directory;
    link->name_length = entry->name_length;
    link->ino = ino;
    link->made = 1;
    return 0;
}

static int make_node(struct memfs_export *job, uint32_t directory, const struct memfs_dirent *entry,
                     struct memfs_export_link *link)
{
    uint64_t ino = 0;
    uint64_t *slot = reserve(job);
    int error;
    if (!slot)
        return memfs_host_fail(&job->report, directory, entry->name, -ENOMEM, "cannot be made");
    switch (entry->stat.mode & S_IFMT) {
    case S_IFREG:
        error = make_regular(job, directory, entry, &ino);
        break;
    case S_IFLNK:
        error = make_symlink(job, directory, entry, &ino);
        break;
    default:
        error = make_special(job, directory, entry, &ino);
    }
    if (ino)
        *slot = ino;
    else
        job->inos.count--;
    if (!error && ino && link)
        error = note_first(job, directory, entry, ino, link);
    return error;
}

/* ---- Hard links ------------------------------------------------------------- */

static int link_to(struct memfs_export *job, const struct memfs_export_link *link, const char *name)
{
    char first[MEMFS_NAME_MAX + 1];
    struct stat stat;
    int error = memfs_host_trail_go(&job->link_trail, link->directory);
    if (error)
        return error;
    memcpy(first, memfs_host_list_at(&job->names, link->name), link->name_length);
    first[link->name_length] = '\0';
    int to = memfs_host_trail_fd(&job->trail);
    if (linkat(memfs_host_trail_fd(&job->link_trail), first, to, name, 0))
        return -errno;
    if (!fstatat(to, name, &stat, AT_SYMLINK_NOFOLLOW) && stat.st_ino == link->ino)
        return 0;
    unlinkat(to, name, 0); /* the first name had been given to something else */
    return -ESTALE;
}

static int make_link(struct memfs_export *job, uint32_t directory, const struct memfs_dirent *entry,
                     const struct memfs_export_link *link)
{
    int error = link_to(job, link, entry->name);
    return error ? problem(job, directory, entry->name, error, "cannot be linked to its first name") : 0;
}

static int is_first(const struct memfs_export *job, const struct memfs_export_link *link, uint32_t directory,
                    const struct memfs_dirent *entry)
{
    return link->directory == directory && link->name_length == entry->name_length &&
           !memcmp(memfs_host_list_at(&job->names, link->name), entry->name, entry->name_length);
}

/* ---- The three rounds over the directories ------------------------------------- */

static int visit_file(struct memfs_export *job, uint32_t directory, const struct memfs_dirent *entry)
{
    uint32_t type = entry->stat.mode & MEMFS_IFMT;
    if (type == MEMFS_IFDIR || type == MEMFS_IFLNK || !memfs_name_ok(entry->name, entry->name_length))
        return 0;
    struct memfs_export_link *link = entry->stat.nlink > 1 ? memfs_export_find_link(job, entry->stat.node) : NULL;
    if (link && link->made)
        return 0;
    int error = make_node(job, directory, entry, link);
    job->progress.nodes++;
    return error ? error : memfs_export_tell(job);
}

static int visit_link(struct memfs_export *job, uint32_t directory, const struct memfs_dirent *entry)
{
    uint32_t type = entry->stat.mode & MEMFS_IFMT;
    if (type == MEMFS_IFDIR || type == MEMFS_IFLNK || entry->stat.nlink < 2 ||
        !memfs_name_ok(entry->name, entry->name_length))
        return 0;
    const struct memfs_export_link *link = memfs_export_find_link(job, entry->stat.node);
    if (!link || !link->made || is_first(job, link, directory, entry))
        return 0;
    int error = make_link(job, directory, entry, link);
    return error ? error : memfs_export_tell(job);
}

static int visit_symlink(struct memfs_export *job, uint32_t directory, const struct memfs_dirent *entry)
{
    if ((entry->stat.mode & MEMFS_IFMT) != MEMFS_IFLNK || !memfs_name_ok(entry->name, entry->name_length))
        return 0;
    struct memfs_export_link *link = entry->stat.nlink > 1 ? memfs_export_find_link(job, entry->stat.node) : NULL;
    if (link && link->made)
        return make_link(job, directory, entry, link);
    int error = make_node(job, directory, entry, link);
    job->progress.nodes++;
    return error ? error : memfs_export_tell(job);
}

/* Goes into what was just made, or has been put in its place since: only a
 * directory that is empty, and closed to others, can be ours. */
static int enter(struct memfs_export *job, uint32_t directory)
{
    struct stat stat;
    int error = memfs_host_trail_go(&job->trail, directory);
    if (error)
        return error;
    int fd = memfs_host_trail_fd(&job->trail);
    if (fstat(fd, &stat))
        return -errno;
    if (stat.st_mode & 0077 & ~job->spare_mode)
        return -ESTALE;
    int any = memfs_export_any(job, fd);
    return any > 0 ? -ESTALE : any;
}

/* Makes a directory and goes into it; the trail lets nothing else pass for it
 * (see tree_admit() in host_export.c). */
static int make_directory(struct memfs_export *job, uint32_t directory)
{
    char name[MEMFS_NAME_MAX + 1];
    struct memfs_export_dir *dir = memfs_export_dir(job, directory);
    dir->state = MEMFS_EXPORT_LEFT_OUT;
    int error = memfs_host_trail_go(&job->trail, dir->parent);
    if (error)
        return problem(job, dir->parent, NULL, error, is_exchanged(error) ? exchanged : "cannot be opened");
    job->tree.name(job, directory, name);
    if (mkdirat(memfs_host_trail_fd(&job->trail), name, 0700))
        return problem(job, directory, NULL, -errno, "cannot be made");
    dir->state = MEMFS_EXPORT_MADE;
    error = adopt(job, -1, name, S_IFDIR, &dir->ino);
    if (!error)
        error = enter(job, directory);
    /* Not to be left out: what stands there may not be ours, and then is not removed either. */
    if (is_exchanged(error))
        dir->ino = 0;
    if (error)
        return memfs_host_fail(&job->report, directory, NULL, error,
                               is_exchanged(error) ? exchanged : "cannot be opened");
    job->progress.nodes++;
    return memfs_export_tell(job);
}

static int make_all(struct memfs_export *job)
{
    size_t depth = 0;
    uint32_t directory = 0;
    job->progress.nodes = 1; /* the root was made already */
    int error = memfs_export_list(job, 0, visit_file);
    while (!error) {
        int skip = memfs_export_dir(job, directory)->state == MEMFS_EXPORT_LEFT_OUT;
        if (!(directory = memfs_export_next(job, directory, skip, &depth)))
            break;
        error = make_directory(job, directory);
        if (!error && memfs_export_dir(job, directory)->state == MEMFS_EXPORT_MADE)
            error = memfs_export_list(job, directory, visit_file);
    }
    return error;
}

static int link_all(struct memfs_export *job, int symlinks)
{
    size_t depth = 0;
    uint32_t directory = 0;
    int error = 0;
    do {
        const struct memfs_export_dir *dir = memfs_export_dir(job, directory);
        int made = dir->state == MEMFS_EXPORT_MADE;
        if (made && (symlinks ? dir->has_symlinks : dir->has_links)) {
            error = memfs_host_trail_go(&job->trail, directory);
            error = error ? problem(job, directory, NULL, error, is_exchanged(error) ? exchanged : "cannot be opened")
                          : memfs_export_list(job, directory, symlinks ? visit_symlink : visit_link);
        }
        directory = memfs_export_next(job, directory, !made, &depth);
    } while (!error && directory);
    return error;
}

int memfs_export_make(struct memfs_export *job)
{
    int error = make_all(job);
    if (!error && job->any_links)
        error = link_all(job, 0);
    if (!error && job->any_symlinks)
        error = link_all(job, 1);
    return error;
}
