#define _GNU_SOURCE
#include "host_export.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

const char memfs_export_exchanged[] = "something else was put in its place while unpacking";

int memfs_export_is_exchanged(int error)
{
    return error == -ESTALE || error == -ELOOP || error == -ENOTDIR || error == -ENOENT;
}

static int problem(struct memfs_export_worker *worker, uint32_t directory, const char *name, int error,
                   const char *text)
{
    return memfs_export_problem(worker, MEMFS_PROBLEM_FILE, directory, name, error, text);
}

/* ---- What is made, and known to be ours ------------------------------------ */

/* Takes the inode number of what was just made without getting a descriptor,
 * from fd if it is open now (else -1: by its name), after making sure that it
 * is of the type and owner that it should be. */
static int adopt(const struct memfs_export_worker *worker, int fd, const char *name, mode_t type, uint64_t *ino)
{
    struct stat stat;
    int above = memfs_host_trail_fd(&worker->trail);
    if (fd >= 0 ? fstat(fd, &stat) : fstatat(above, name, &stat, AT_SYMLINK_NOFOLLOW))
        return -errno;
    if ((stat.st_mode & S_IFMT) != type || stat.st_uid != worker->job->uid)
        return -ESTALE;
    *ino = stat.st_ino;
    return 0;
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

/* Where nobody else gets at it before all is done, a file can have its
 * permissions from the start; not those that end our own, since attributes need
 * them. */
static mode_t first_mode(const struct memfs_export *job, const struct memfs_stat *stat)
{
    mode_t mode = memfs_export_mode(job, stat);
    return job->closed && mode & 0200 ? mode & 0777 : 0600;
}

static int create(struct memfs_export_worker *worker, const struct memfs_dirent *entry)
{
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(memfs_host_trail_fd(&worker->trail), entry->name, flags, first_mode(worker->job, &entry->stat));
    return fd < 0 ? -errno : fd;
}

/* Too many descriptors: whether some could be closed. */
static int retry(struct memfs_export_worker *worker, int error)
{
    struct memfs_host_trail *links = &worker->job->link_trail;
    int closed = memfs_host_trail_retry(&worker->trail, error);
    return (!worker->told && links->tree && memfs_host_trail_retry(links, error)) || closed;
}

static int fill(struct memfs_export_worker *worker, int fd, const struct memfs_stat *stat, uint64_t *ino, int *mode,
                const char **text)
{
    struct stat made;
    if (fstat(fd, &made))
        return -errno;
    *ino = made.st_ino;
    *mode = made.st_mode & 07777;
    return memfs_export_content(worker, fd, stat, text);
}

static int make_regular(struct memfs_export_worker *worker, uint32_t directory, const struct memfs_dirent *entry,
                        uint64_t *ino)
{
    const char *text = "cannot be made";
    int fd = create(worker, entry);
    if (fd < 0 && retry(worker, fd))
        fd = create(worker, entry);
    if (fd < 0)
        return problem(worker, directory, entry->name, fd, text);
    struct memfs_export_made made = {directory, entry->name, fd, 0, -1};
    int error = fill(worker, fd, &entry->stat, ino, &made.mode, &text);
    int told = error ? problem(worker, directory, entry->name, error, text)
                     : memfs_export_attributes(worker, &made, &entry->stat);
    if (close(fd) && !error && errno != EINTR) {
        error = -errno;
        told = told ? told : problem(worker, directory, entry->name, error, "cannot be written");
    }
    if (error && !told) { /* left out */
        take_back(memfs_host_trail_fd(&worker->trail), entry->name, *ino);
        *ino = 0;
    }
    return told;
}

/* Opens without touching it what was just made, and gives it its attributes. */
static int dress(struct memfs_export_worker *worker, uint32_t directory, const struct memfs_dirent *entry,
                 uint64_t *ino)
{
    int fd = open_path(memfs_host_trail_fd(&worker->trail), entry->name);
    if (fd < 0 && retry(worker, fd))
        fd = open_path(memfs_host_trail_fd(&worker->trail), entry->name);
    int error = adopt(worker, fd < 0 ? -1 : fd, entry->name, entry->stat.mode & S_IFMT, ino);
    if (!error && fd < 0) /* it is known now, so that it can be removed */
        error = fd;
    struct memfs_export_made made = {directory, entry->name, fd, 1, -1};
    error = error ? problem(worker, directory, entry->name, error,
                            memfs_export_is_exchanged(error) ? memfs_export_exchanged : "cannot be opened")
                  : memfs_export_attributes(worker, &made, &entry->stat);
    if (fd >= 0)
        close(fd);
    return error;
}

static int make_special(struct memfs_export_worker *worker, uint32_t directory, const struct memfs_dirent *entry,
                        uint64_t *ino)
{
    mode_t type = entry->stat.mode & S_IFMT;
    dev_t device = makedev(entry->stat.rdev_major, entry->stat.rdev_minor);
    if ((type == S_IFCHR || type == S_IFBLK) && !worker->job->options.devices)
        return memfs_export_left_out(worker, MEMFS_PROBLEM_DEVICE, directory, entry->name,
                                     "devices are left out unless asked for");
    if (mknodat(memfs_host_trail_fd(&worker->trail), entry->name, type | 0600, device))
        return problem(worker, directory, entry->name, -errno, "cannot be made");
    return dress(worker, directory, entry, ino);
}

static int make_symlink(struct memfs_export_worker *worker, uint32_t directory, const struct memfs_dirent *entry,
                        uint64_t *ino)
{
    char target[MEMFS_TARGET_MAX + 1];
    int64_t length = memfs_node_readlink(worker->job->fs, entry->stat.node, target, sizeof target - 1);
    if (length < 0)
        return problem(worker, directory, entry->name, (int)length, "its target cannot be read");
    if (!length || length > MEMFS_TARGET_MAX || memchr(target, '\0', (size_t)length))
        return problem(worker, directory, entry->name, MEMFS_ECORRUPT, "its target is no text of 1 to 4,095 bytes");
    target[length] = '\0';
    if (symlinkat(target, memfs_host_trail_fd(&worker->trail), entry->name))
        return problem(worker, directory, entry->name, -errno, "cannot be made");
    return dress(worker, directory, entry, ino);
}

int memfs_export_is_first(const struct memfs_export *job, const struct memfs_export_link *link, uint32_t directory,
                          const struct memfs_dirent *entry)
{
    return link->directory == directory && link->name_length == entry->name_length &&
           !memcmp(memfs_host_list_at(&job->names, link->name), entry->name, entry->name_length);
}

/* Remembers under which name a file with several was made: nearly always the planned one. */
static int note_first(struct memfs_export_worker *worker, uint32_t directory, const struct memfs_dirent *entry,
                      uint64_t ino, struct memfs_export_link *link)
{
    struct memfs_export *job = worker->job;
    if (!memfs_export_is_first(job, link, directory, entry)) {
        if (memfs_host_list_put(&job->names, entry->name, entry->name_length, &link->name))
            return memfs_export_fail(worker, directory, entry->name, -ENOMEM, "cannot be made");
        link->directory = directory;
        link->name_length = entry->name_length;
    }
    link->ino = ino;
    link->made = 1;
    return 0;
}

static int make(struct memfs_export_worker *worker, uint32_t directory, const struct memfs_dirent *entry, uint64_t *ino)
{
    switch (entry->stat.mode & S_IFMT) {
    case S_IFREG:
        return make_regular(worker, directory, entry, ino);
    case S_IFLNK:
        return make_symlink(worker, directory, entry, ino);
    default:
        return make_special(worker, directory, entry, ino);
    }
}

int memfs_export_make_file(struct memfs_export_worker *worker, uint32_t directory, const struct memfs_dirent *entry,
                           struct memfs_export_link *link)
{
    uint64_t ino = 0;
    uint64_t *slot = memfs_host_list_add(&worker->inos); /* room, before there is something to be removed */
    if (!slot)
        return memfs_export_fail(worker, directory, entry->name, -ENOMEM, "cannot be made");
    int error = make(worker, directory, entry, &ino);
    if (ino)
        *slot = ino;
    else
        worker->inos.count--;
    return !error && ino && link ? note_first(worker, directory, entry, ino, link) : error;
}
