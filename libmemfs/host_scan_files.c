#define _GNU_SOURCE
#include "host_scan_files.h"

#include "retry.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECOND 1000000000

int memfs_scan_files_init(struct memfs_scan_files *files, const struct memfs_scan_tables *tables,
                          const struct memfs_scan_sources *sources, struct memfs_host_trail *trail)
{
    files->sources = sources;
    files->clock = 0;
    for (int i = 0; i < MEMFS_SCAN_OPEN_FILES; i++)
        files->open[i] = (struct memfs_scan_open){.fd = -1};
    int error = memfs_scan_trails_init(&files->trails, trail);
    if (error)
        return error;
    error = pthread_mutex_init(&files->lock, NULL);
    if (error)
        memfs_scan_trails_end(&files->trails);
    else
        files->tables = tables;
    return -error;
}

void memfs_scan_files_end(struct memfs_scan_files *files)
{
    if (!files->tables)
        return;
    for (int i = 0; i < MEMFS_SCAN_OPEN_FILES; i++)
        if (files->open[i].fd >= 0)
            close(files->open[i].fd);
    memfs_scan_trails_end(&files->trails);
    pthread_mutex_destroy(&files->lock);
    files->tables = NULL;
}

int64_t memfs_scan_time(const struct timespec *time, int *cut)
{
    int64_t seconds = time->tv_sec, most = INT64_MAX / SECOND, least = INT64_MIN / SECOND - 1;
    if (seconds > most || (seconds == most && time->tv_nsec > INT64_MAX % SECOND)) {
        *cut = 1;
        return INT64_MAX;
    }
    if (seconds < least || (seconds == least && time->tv_nsec < SECOND + INT64_MIN % SECOND)) {
        *cut = 1;
        return INT64_MIN;
    }
    if (seconds < 0) /* so that no intermediate result leaves the range */
        return (seconds + 1) * SECOND + (time->tv_nsec - SECOND);
    return seconds * SECOND + time->tv_nsec;
}

static int is_unchanged(const struct memfs_scan_files *files, uint32_t number, int fd)
{
    const struct memfs_scan_file *file = memfs_rows_at(&files->tables->files, number);
    const struct memfs_extent *extent = memfs_rows_at(&files->tables->extents, number);
    struct stat stat;
    int cut = 0;
    if (fstat(fd, &stat))
        return -errno;
    int same = S_ISREG(stat.st_mode) && file->dev == (uint64_t)stat.st_dev && file->ino == (uint64_t)stat.st_ino &&
               extent->length == (uint64_t)stat.st_size && file->mtime == memfs_scan_time(&stat.st_mtim, &cut) &&
               file->ctime == memfs_scan_time(&stat.st_ctim, &cut);
    return same ? 0 : -ESTALE;
}

/* O_NONBLOCK, since by now there may be a FIFO under the name. */
static int open_file(int directory, const char *name)
{
    int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    int fd;
    MEMFS_RETRY(fd, openat(directory, name, flags | O_NOATIME));
    if (fd < 0 && errno == EPERM)
        MEMFS_RETRY(fd, openat(directory, name, flags));
    return fd < 0 ? -errno : fd;
}

/* ---- Opening --------------------------------------------------------------------- */

/* A file that is a source itself. */
static int open_source(const struct memfs_scan_sources *sources, uint32_t entry, int begin)
{
    int parent = memfs_scan_sources_enter(sources, entry, begin);
    int fd = parent < 0 ? parent : open_file(parent, sources->places[entry].base);
    memfs_scan_sources_leave(parent, begin);
    return fd;
}

static int open_here(const struct memfs_scan_files *files, const struct memfs_host_trail *trail,
                     const struct memfs_scan_file *file, const char *name)
{
    int directory = memfs_host_trail_fd(trail);
    if (files->sources->listed && file->directory == MEMFS_ROOT)
        return open_source(files->sources, file->entry, directory);
    return open_file(directory, name);
}

static int open_along(const struct memfs_scan_files *files, struct memfs_host_trail *trail,
                      const struct memfs_scan_file *file, const char *name)
{
    int fd = memfs_host_trail_go(trail, file->directory);
    if (!fd)
        fd = open_here(files, trail, file, name);
    if (fd < 0 && memfs_host_trail_retry(trail, fd))
        fd = open_here(files, trail, file, name);
    return fd;
}

static void close_unused(struct memfs_scan_files *files)
{
    pthread_mutex_lock(&files->lock);
    for (int i = 0; i < MEMFS_SCAN_OPEN_FILES; i++) {
        struct memfs_scan_open *slot = &files->open[i];
        if (slot->fd < 0 || slot->users)
            continue;
        close(slot->fd);
        *slot = (struct memfs_scan_open){.fd = -1};
    }
    pthread_mutex_unlock(&files->lock);
}

static int open_named(struct memfs_scan_files *files, const struct memfs_scan_file *file, const char *name)
{
    struct memfs_host_trail *trail = memfs_scan_trails_enter(&files->trails, file->directory);
    int fd = open_along(files, trail, file, name);
    if (memfs_host_is_scarce(fd)) {
        trail = memfs_scan_trails_begin_alone(&files->trails, trail);
        close_unused(files);
        fd = open_along(files, trail, file, name);
        memfs_scan_trails_end_alone(&files->trails);
    }
    memfs_scan_trails_give(&files->trails, trail);
    return fd;
}

/* Whatever has the file's name now. Without the lock. On success the thread is inside (see host_scan_trails.h). */
static int open_any(struct memfs_scan_files *files, uint32_t number)
{
    const struct memfs_scan_file *file = memfs_rows_at(&files->tables->files, number);
    char name[MEMFS_NAME_MAX + 1];
    const char *text = NULL;
    const struct memfs_entry *entry = memfs_scan_entry(files->tables, file->entry, &text);
    memcpy(name, text, entry->length);
    name[entry->length] = '\0';
    int fd = open_named(files, file, name);
    if (fd == -ELOOP || fd == -ENOTDIR || fd == -ENXIO || fd == -EISDIR)
        fd = -ESTALE; /* something of another type */
    if (fd < 0)
        memfs_scan_trails_leave(&files->trails);
    return fd;
}

/* The file that was scanned; else as above. */
static int open_scanned(struct memfs_scan_files *files, uint32_t number)
{
    int fd = open_any(files, number);
    int error = fd < 0 ? 0 : is_unchanged(files, number, fd);
    if (!error)
        return fd;
    close(fd);
    memfs_scan_trails_leave(&files->trails);
    return error;
}

/* ---- Files that are kept open ------------------------------------------------------ */

/* The slot to be used for a file: its own, or the one unused for longest; NULL
 * if all are in use. */
static struct memfs_scan_open *find_slot(struct memfs_scan_files *files, uint32_t number)
{
    struct memfs_scan_open *best = NULL;
    for (int i = 0; i < MEMFS_SCAN_OPEN_FILES; i++) {
        struct memfs_scan_open *slot = &files->open[i];
        if (slot->fd >= 0 && slot->file == number)
            return slot;
        if (!slot->users && (!best || slot->used < best->used))
            best = slot;
    }
    return best;
}

static int is_kept(const struct memfs_scan_open *slot, uint32_t number)
{
    return slot && slot->fd >= 0 && slot->file == number;
}

static int use_slot(struct memfs_scan_files *files, struct memfs_scan_open *slot)
{
    slot->users++;
    slot->used = ++files->clock;
    return slot->fd;
}

/* A descriptor for the file; *slot is NULL if it is not among those kept. The thread is
 * inside until release(). */
static int acquire(struct memfs_scan_files *files, uint32_t number, struct memfs_scan_open **slot)
{
    memfs_scan_trails_stay(&files->trails);
    pthread_mutex_lock(&files->lock);
    struct memfs_scan_open *found = find_slot(files, number);
    *slot = found;
    int fd = is_kept(found, number) ? use_slot(files, found) : -1;
    pthread_mutex_unlock(&files->lock);
    if (fd >= 0)
        return fd;
    memfs_scan_trails_leave(&files->trails);
    fd = open_scanned(files, number);
    if (fd < 0)
        return fd;
    pthread_mutex_lock(&files->lock);
    *slot = found = find_slot(files, number);
    int spare = -1; /* what is not needed any more: another thread may have been quicker */
    if (is_kept(found, number)) {
        spare = fd;
    } else if (found) {
        spare = found->fd;
        *found = (struct memfs_scan_open){.fd = fd, .file = number};
    }
    if (found)
        fd = use_slot(files, found);
    pthread_mutex_unlock(&files->lock);
    if (spare >= 0)
        close(spare);
    return fd;
}

static void release(struct memfs_scan_files *files, struct memfs_scan_open *slot, int fd, int keep)
{
    if (!slot)
        close(fd);
    pthread_mutex_lock(&files->lock);
    if (slot && !--slot->users && !keep) {
        close(slot->fd);
        slot->fd = -1;
        slot->used = 0;
    }
    pthread_mutex_unlock(&files->lock);
    memfs_scan_trails_leave(&files->trails);
}

static int read_whole(int fd, uint64_t start, char *buffer, size_t length)
{
    if (start > (uint64_t)INT64_MAX - length)
        return -ESTALE;
    while (length) {
        ssize_t got = pread(fd, buffer, length, (off_t)start);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : -ESTALE;
        start += (uint64_t)got;
        buffer += got;
        length -= (size_t)got;
    }
    return 0;
}

/* All of a file at once: it is not kept, and asked only once whether it is the one that was scanned: if it is
 * so when it has been read, it has been all the time. */
static int read_at_once(struct memfs_scan_files *files, uint32_t file, void *buffer, size_t length)
{
    int fd = open_any(files, file);
    if (fd < 0)
        return fd;
    int failed = read_whole(fd, 0, buffer, length), error = is_unchanged(files, file, fd);
    close(fd);
    memfs_scan_trails_leave(&files->trails);
    return error ? error : failed;
}

int memfs_scan_files_read(struct memfs_scan_files *files, uint32_t file, uint64_t start, void *buffer, size_t length)
{
    const struct memfs_extent *extent = memfs_rows_at(&files->tables->extents, file);
    if (start == 0 && length == extent->length)
        return read_at_once(files, file, buffer, length);
    struct memfs_scan_open *slot = NULL;
    int fd = acquire(files, file, &slot);
    if (fd < 0)
        return fd;
    int error = read_whole(fd, start, buffer, length);
    if (!error)
        error = is_unchanged(files, file, fd);
    release(files, slot, fd, !error && start + length < extent->length);
    return error;
}

int64_t memfs_scan_files_seek(struct memfs_scan_files *files, uint32_t file, uint64_t start, uint64_t length)
{
    const struct memfs_scan_file *scanned = memfs_rows_at(&files->tables->files, file);
    struct memfs_scan_open *slot = NULL;
    if (scanned->dense)
        return (int64_t)start;
    int fd = acquire(files, file, &slot);
    if (fd < 0)
        return fd;
    off_t found = lseek(fd, (off_t)start, SEEK_DATA);
    int64_t result = (int64_t)start; /* where the host cannot tell */
    if (found < 0 ? errno == ENXIO : (uint64_t)found > start + length)
        result = (int64_t)(start + length);
    else if (found >= 0)
        result = found;
    int error = is_unchanged(files, file, fd);
    release(files, slot, fd, !error);
    return error ? error : result;
}
