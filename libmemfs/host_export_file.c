#define _GNU_SOURCE
#include "host_export.h"
#include "retry.h"

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

/* Takes the inode number of what was made. By that it is found again: numbers of two devices could not be told apart.
 */
static int take_ino(struct memfs_export *job, const struct stat *made, uint64_t *ino)
{
    uint64_t dev = MEMFS_EXPORT_NO_DEV;
    if (!atomic_compare_exchange_strong(&job->file_dev, &dev, (uint64_t)made->st_dev) && dev != (uint64_t)made->st_dev)
        return -EXDEV;
    *ino = made->st_ino;
    return 0;
}

/* Takes the inode number of what was just made without getting a descriptor,
 * from fd if it is open now (else -1: by its name), after making sure that it
 * is what it should be, and ours alone: of one that has another name, somebody has put
 * a link in its place, and it would get our mode there too. */
static int adopt(const struct memfs_export_worker *worker, int fd, const char *name, const struct memfs_stat *wanted,
                 uint64_t *ino)
{
    struct stat stat;
    const mode_t type = wanted->mode & S_IFMT;
    int above = memfs_host_trail_fd(&worker->trail);
    if (fd >= 0 ? fstat(fd, &stat) : fstatat(above, name, &stat, AT_SYMLINK_NOFOLLOW))
        return -errno;
    if ((stat.st_mode & S_IFMT) != type || stat.st_uid != worker->job->uid || stat.st_nlink > 1)
        return -ESTALE;
    if ((type == S_IFCHR || type == S_IFBLK) && stat.st_rdev != makedev(wanted->rdev_major, wanted->rdev_minor))
        return -ESTALE;
    return take_ino(worker->job, &stat, ino);
}

static int open_path(int directory, const char *name)
{
    int fd;
    MEMFS_RETRY(fd, openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
    return fd < 0 ? -errno : fd;
}

/* Removes what was made in this step alone, before it gets known. */
static void take_back(const struct memfs_export_worker *worker, const char *name, uint64_t ino)
{
    struct stat stat;
    const int directory = memfs_host_trail_fd(&worker->trail);
    if (!fstatat(directory, name, &stat, AT_SYMLINK_NOFOLLOW) && !S_ISDIR(stat.st_mode) &&
        memfs_export_is_made(worker->job, &stat, ino))
        unlinkat(directory, name, 0);
}

/* The same for what could not be looked at: it could not be told from others later. */
static void take_back_unknown(struct memfs_export_worker *worker, const char *name)
{
    worker->lost += unlinkat(memfs_host_trail_fd(&worker->trail), name, 0) && errno != ENOENT;
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

/* Too many descriptors: whether some could be closed. */
static int retry(struct memfs_export_worker *worker, int error)
{
    struct memfs_host_trail *links = &worker->job->link_trail;
    int closed = memfs_host_trail_retry(&worker->trail, error);
    return (!worker->told && links->tree && memfs_host_trail_retry(links, error)) || closed;
}

/* A memfs_export_try: a descriptor of a new file. */
static int try_create(struct memfs_export_worker *worker, const void *what, const char *name)
{
    const struct memfs_dirent *entry = what;
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, directory = memfs_host_trail_fd(&worker->trail);
    mode_t mode = first_mode(worker->job, &entry->stat);
    int fd;
    MEMFS_RETRY(fd, openat(directory, name, flags, mode));
    if (fd < 0 && retry(worker, -errno))
        MEMFS_RETRY(fd, openat(directory, name, flags, mode));
    return fd < 0 ? -errno : fd;
}

/* Nothing was made: it is left out. */
static int not_made(struct memfs_export_worker *worker, uint32_t directory, const struct memfs_dirent *entry,
                    const struct memfs_export_spot *spot, int error)
{
    if (spot->skipped)
        return 0;
    return problem(worker, directory, entry->name, error,
                   error == -EISDIR ? memfs_export_in_the_way : "cannot be made");
}

static int fill(struct memfs_export_worker *worker, struct memfs_export_made *made, const struct memfs_stat *stat,
                uint64_t *ino, const char **text)
{
    struct stat now;
    *text = "cannot be examined";
    if (fstat(made->fd, &now))
        return -errno;
    int error = take_ino(worker->job, &now, ino);
    made->mode = now.st_mode & 07777;
    made->is_owned = now.st_uid == stat->uid && now.st_gid == stat->gid;
    return error ? error : memfs_export_content(worker, made->fd, stat, text);
}

static int make_regular(struct memfs_export_worker *worker, uint32_t directory, const struct memfs_dirent *entry,
                        struct memfs_export_spot *spot, uint64_t *ino)
{
    const char *text = NULL;
    int fd = memfs_export_try_spot(worker, spot, try_create, entry);
    if (fd < 0)
        return not_made(worker, directory, entry, spot, fd);
    struct memfs_export_made made = {.directory = directory, .name = entry->name, .fd = fd, .mode = -1};
    int error = fill(worker, &made, &entry->stat, ino, &text);
    if (!*ino)
        take_back_unknown(worker, spot->name);
    int told = error ? problem(worker, directory, entry->name, error, text)
                     : memfs_export_attributes(worker, &made, &entry->stat);
    if (close(fd) && !error && errno != EINTR) {
        error = -errno;
        told = told ? told : problem(worker, directory, entry->name, error, "cannot be written");
    }
    if (error && !told && *ino) { /* left out */
        take_back(worker, spot->name, *ino);
        *ino = 0;
    }
    return told;
}

/* Opens without touching it what was just made, and gives it its attributes. */
static int dress(struct memfs_export_worker *worker, uint32_t directory, const struct memfs_dirent *entry,
                 const struct memfs_export_spot *spot, uint64_t *ino)
{
    int fd = open_path(memfs_host_trail_fd(&worker->trail), spot->name);
    if (fd < 0 && retry(worker, fd))
        fd = open_path(memfs_host_trail_fd(&worker->trail), spot->name);
    int error = adopt(worker, fd < 0 ? -1 : fd, spot->name, &entry->stat, ino);
    if (error && error != -ESTALE)
        take_back_unknown(worker, spot->name);
    if (!error && fd < 0) /* it is known now, so that it can be removed */
        error = fd;
    struct memfs_export_made made = {.directory = directory, .name = entry->name, .fd = fd, .is_path = 1, .mode = -1};
    error = error ? problem(worker, directory, entry->name, error,
                            memfs_export_is_exchanged(error) ? memfs_export_exchanged : "cannot be opened")
                  : memfs_export_attributes(worker, &made, &entry->stat);
    if (fd >= 0)
        close(fd);
    return error;
}

/* A memfs_export_try. */
static int try_special(struct memfs_export_worker *worker, const void *what, const char *name)
{
    const struct memfs_dirent *entry = what;
    dev_t device = makedev(entry->stat.rdev_major, entry->stat.rdev_minor);
    return mknodat(memfs_host_trail_fd(&worker->trail), name, (entry->stat.mode & S_IFMT) | 0600, device) ? -errno : 0;
}

int memfs_export_is_device(const struct memfs_dirent *entry)
{
    mode_t type = entry->stat.mode & S_IFMT;
    return type == S_IFCHR || type == S_IFBLK;
}

int memfs_export_leave_device(struct memfs_export_worker *worker, uint32_t directory, const struct memfs_dirent *entry)
{
    return memfs_export_left_out(worker, MEMFS_PROBLEM_DEVICE, directory, entry->name,
                                 "devices are left out unless asked for");
}

static int make_special(struct memfs_export_worker *worker, uint32_t directory, const struct memfs_dirent *entry,
                        struct memfs_export_spot *spot, uint64_t *ino)
{
    if (memfs_export_is_device(entry) && !worker->job->options.devices)
        return memfs_export_leave_device(worker, directory, entry);
    int error = memfs_export_try_spot(worker, spot, try_special, entry);
    return error ? not_made(worker, directory, entry, spot, error) : dress(worker, directory, entry, spot, ino);
}

/* A memfs_export_try. */
static int try_symlink(struct memfs_export_worker *worker, const void *what, const char *name)
{
    const char *target = what;
    return symlinkat(target, memfs_host_trail_fd(&worker->trail), name) ? -errno : 0;
}

static int make_symlink(struct memfs_export_worker *worker, uint32_t directory, const struct memfs_dirent *entry,
                        struct memfs_export_spot *spot, uint64_t *ino)
{
    char target[MEMFS_TARGET_MAX + 1];
    int64_t length = memfs_node_readlink(worker->job->fs, entry->stat.node, target, sizeof target - 1);
    if (length < 0)
        return problem(worker, directory, entry->name, (int)length, "its target cannot be read");
    if (!length || length > MEMFS_TARGET_MAX || memchr(target, '\0', (size_t)length))
        return problem(worker, directory, entry->name, MEMFS_ECORRUPT, "its target is no text of 1 to 4,095 bytes");
    target[length] = '\0';
    int error = memfs_export_try_spot(worker, spot, try_symlink, target);
    return error ? not_made(worker, directory, entry, spot, error) : dress(worker, directory, entry, spot, ino);
}

int memfs_export_is_first(const struct memfs_export *job, const struct memfs_export_link *link, uint32_t directory,
                          const struct memfs_dirent *entry)
{
    return link->directory == directory && link->name_length == entry->name_length &&
           !memcmp(memfs_rows_at(&job->names, link->name), entry->name, entry->name_length);
}

/* Remembers under which name a file with several was made: nearly always the planned one. */
static int note_first(struct memfs_export_worker *worker, uint32_t directory, const struct memfs_dirent *entry,
                      const struct memfs_export_spot *spot, uint64_t ino, struct memfs_export_link *link)
{
    struct memfs_export *job = worker->job;
    if (!memfs_export_is_first(job, link, directory, entry)) {
        if (memfs_rows_put(&job->names, entry->name, entry->name_length, &link->name))
            return memfs_export_fail(worker, directory, entry->name, -ENOMEM, "cannot be made");
        link->directory = directory;
        link->name_length = entry->name_length;
    }
    link->ino = ino;
    link->temporary = spot->temporary;
    link->made = 1;
    return 0;
}

static int make(struct memfs_export_worker *worker, uint32_t directory, const struct memfs_dirent *entry,
                struct memfs_export_spot *spot, uint64_t *ino)
{
    switch (entry->stat.mode & S_IFMT) {
    case S_IFREG:
        return make_regular(worker, directory, entry, spot, ino);
    case S_IFLNK:
        return make_symlink(worker, directory, entry, spot, ino);
    default:
        return make_special(worker, directory, entry, spot, ino);
    }
}

int memfs_export_make_file(struct memfs_export_worker *worker, uint32_t directory, const struct memfs_dirent *entry,
                           struct memfs_export_link *link)
{
    struct memfs_export_spot spot = {.name = entry->name};
    uint64_t ino = 0;
    uint64_t *slot = memfs_rows_add(&worker->inos); /* room, before there is something to be removed */
    if (!slot)
        return memfs_export_fail(worker, directory, entry->name, -ENOMEM, "cannot be made");
    int error = make(worker, directory, entry, &spot, &ino);
    if (ino)
        *slot = ino;
    else
        worker->inos.count--;
    if (!error)
        error = memfs_export_note(worker, directory, entry, &spot, ino);
    return !error && ino && link ? note_first(worker, directory, entry, &spot, ino, link) : error;
}
