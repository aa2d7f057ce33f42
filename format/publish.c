/*
 * Where an image goes: a descriptor, or a file that appears whole or not at all.
 */
#ifdef __linux__
#define _GNU_SOURCE /* renameat2 */
#endif

#include "alloc.h"
#include "detail.h"
#include "memfs_image.h"
#include "random.h"
#include "retry.h"
#include "sized.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_BYTES ((size_t)1 << 16) /* what is larger is written as it is */
#define TRIES_MAX 100                  /* names of temporary files that may be taken */
#define SHOWN 120                      /* bytes of a path that a text shows */

/* ---- To a descriptor --------------------------------------------------------- */

struct writer {
    int fd;
    uint8_t *buffer; /* BUFFER_BYTES */
    size_t used;
};

static int write_all(int fd, const uint8_t *data, size_t length)
{
    while (length) {
        ssize_t done = write(fd, data, length);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -errno;
        if (done == 0)
            return -EIO;
        data += done;
        length -= (size_t)done;
    }
    return 0;
}

static int writer_flush(struct writer *writer)
{
    size_t used = writer->used;
    writer->used = 0;
    return write_all(writer->fd, writer->buffer, used);
}

static int writer_write(void *context, const void *data, size_t length)
{
    struct writer *writer = context;
    if (length > BUFFER_BYTES - writer->used) {
        int error = writer_flush(writer);
        if (error)
            return error;
    }
    if (length > BUFFER_BYTES)
        return write_all(writer->fd, data, length);
    memcpy(writer->buffer + writer->used, data, length);
    writer->used += length;
    return 0;
}

int memfs_freeze_fd(memfs *fs, int fd, const struct memfs_freeze_options *options, struct memfs_detail *detail)
{
    struct memfs_freeze_options taken;
    int error = memfs_sized_take(&taken, sizeof taken, options, detail);
    if (error)
        return error;
    struct memfs_allocator allocator = memfs_allocator_or_default(taken.allocator);
    struct writer writer = {.fd = fd, .buffer = memfs_alloc(&allocator, BUFFER_BYTES)};
    if (!writer.buffer)
        return memfs_detail_fill(detail, -ENOMEM, MEMFS_NOWHERE, "%s", memfs_strerror(-ENOMEM));
    struct memfs_sink sink = {writer_write, &writer};
    error = memfs_freeze(fs, &sink, &taken, detail);
    if (!error) {
        error = writer_flush(&writer);
        if (error)
            memfs_detail_fill(detail, error, MEMFS_NOWHERE, "cannot write the image's end: %s", memfs_strerror(error));
    }
    memfs_free(&allocator, writer.buffer, BUFFER_BYTES);
    return error;
}

/* ---- To a file ------------------------------------------------------------------ */

struct publication {
    const char *path;
    const char *name; /* its last part */
    char *temporary;  /* name of the file beside it; "" while there is none */
    size_t room;      /* for that */
    char *parent;     /* path of the directory */
    size_t parent_room;
    int directory, fd;
    int unreadable; /* the directory: what is in it may be changed, and cannot be synced */
    const struct memfs_freeze_options *options;
    struct memfs_detail *detail;
};

/* `what` failed. */
static int failed(const struct publication *publication, int error, const char *what)
{
    size_t length = strlen(publication->path);
    int cut = length > SHOWN;
    return memfs_detail_fill(publication->detail, error, MEMFS_NOWHERE, "%s%s: %s: %s", cut ? "..." : "",
                             publication->path + (cut ? length - SHOWN : 0), what, memfs_strerror(error));
}

static int open_directory(struct publication *publication, const struct memfs_allocator *allocator)
{
    const char *slash = strrchr(publication->path, '/');
    size_t length = slash ? (size_t)(slash - publication->path) : 0;
    publication->name = slash ? slash + 1 : publication->path;
    if (!*publication->name || strcmp(publication->name, ".") == 0 || strcmp(publication->name, "..") == 0)
        return failed(publication, *publication->path ? -EISDIR : -ENOENT, "is not the name of a file");
    publication->parent_room = length + 2;
    publication->parent = memfs_alloc(allocator, publication->parent_room);
    publication->room = strlen(publication->name) + 32;
    publication->temporary = memfs_alloc_zeroed(allocator, publication->room);
    if (!publication->parent || !publication->temporary)
        return failed(publication, -ENOMEM, "cannot be written");
    if (length)
        memcpy(publication->parent, publication->path, length);
    else
        publication->parent[length++] = slash ? '/' : '.';
    publication->parent[length] = 0;
    MEMFS_RETRY(publication->directory, open(publication->parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
#ifdef O_PATH
    if (publication->directory < 0 && errno == EACCES) {
        MEMFS_RETRY(publication->directory, open(publication->parent, O_PATH | O_DIRECTORY | O_CLOEXEC));
        publication->unreadable = 1;
    }
#endif
    return publication->directory < 0 ? failed(publication, -errno, "cannot open its directory") : 0;
}

/* Before all the work: may there be a file of that name? */
static int check_target(const struct publication *publication)
{
    struct stat stat;
    if (fstatat(publication->directory, publication->name, &stat, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? 0 : failed(publication, -errno, "cannot be examined");
    if (S_ISDIR(stat.st_mode))
        return failed(publication, -EISDIR, "cannot be written");
    if (!publication->options->replace)
        return failed(publication, -EEXIST, "is there already, and is not to be replaced");
    if (!S_ISREG(stat.st_mode) && !S_ISLNK(stat.st_mode))
        return failed(publication, -EEXIST, "is neither a file nor a link, and is not replaced");
    return 0;
}

static int make_temporary(struct publication *publication)
{
    const size_t name = strlen(publication->name);
    const int shown = name > MEMFS_NAME_MAX - 32 ? MEMFS_NAME_MAX - 32 : (int)name;
    for (int i = 0; i < TRIES_MAX; i++) {
        snprintf(publication->temporary, publication->room, ".%.*s.%016llx.tmp", shown, publication->name,
                 (unsigned long long)memfs_random());
        MEMFS_RETRY(publication->fd, openat(publication->directory, publication->temporary,
                                            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
        if (publication->fd >= 0)
            return 0;
        if (errno != EEXIST)
            break;
    }
    int error = -errno;
    publication->temporary[0] = 0;
    return failed(publication, error, "cannot make a temporary file beside it");
}

/* The umask belongs to the process: asking by setting it would be seen by other
 * threads, so that is the last resort, and strict while it lasts. */
static mode_t current_umask(void)
{
    char line[256];
    FILE *status = fopen("/proc/self/status", "re");
    int found = 0;
    while (status && !found && fgets(line, sizeof line, status))
        found = strncmp(line, "Umask:", 6) == 0;
    if (status)
        fclose(status);
    if (found)
        return (mode_t)strtoul(line + 6, NULL, 8) & 0777;
    mode_t before = umask(0777);
    umask(before);
    return before;
}

/* Once: after any other error it is not known what the host has thrown away, and a
 * second success would mean nothing. */
static int sync_fd(int fd)
{
    int failed;
    MEMFS_RETRY(failed, fsync(fd));
    return failed;
}

/* The bytes are written: makes them last. close comes in any case. */
static int settle(struct publication *publication)
{
    mode_t mode = publication->options->file_mode ? (mode_t)(publication->options->file_mode & 07777)
                                                  : (mode_t)0644 & ~current_umask();
    int error = 0;
    if (fchmod(publication->fd, mode) != 0)
        error = failed(publication, -errno, "cannot set the permissions of its temporary file");
    else if (sync_fd(publication->fd) != 0)
        error = failed(publication, -errno, "cannot sync its temporary file");
    int closed = close(publication->fd);
    publication->fd = -1;
    if (!error && closed != 0 && errno != EINTR)
        error = failed(publication, -errno, "cannot close its temporary file");
    return error;
}

/* Gives the temporary file its name, if there is none of that name. 0 or -1 with errno. */
static int name_new(const struct publication *publication)
{
#ifdef RENAME_NOREPLACE
    if (renameat2(publication->directory, publication->temporary, publication->directory, publication->name,
                  RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
#endif
    if (linkat(publication->directory, publication->temporary, publication->directory, publication->name, 0) != 0)
        return -1;
    /* From here on the image stands, whole and synced, and others may have opened it: that
     * its second name stays is no reason to say that it does not, nor to take it away. */
    unlinkat(publication->directory, publication->temporary, 0);
    return 0;
}

static int name_file(struct publication *publication)
{
    int renamed = publication->options->replace ? renameat(publication->directory, publication->temporary,
                                                           publication->directory, publication->name)
                                                : name_new(publication);
    if (renamed != 0)
        return failed(publication, -errno, "cannot give the temporary file this name");
    publication->temporary[0] = 0;
    if (!publication->unreadable && sync_fd(publication->directory) != 0 && errno != EINVAL)
        return failed(publication, -errno, "is in place, but its directory cannot be synced");
    return 0;
}

/* After a failure, of which the detail tells: also that it is still there. */
static void remove_temporary(const struct publication *publication, struct memfs_freeze_failure *failure)
{
    if (unlinkat(publication->directory, publication->temporary, 0) == 0 || errno == ENOENT)
        return;
    snprintf(failure->temporary, sizeof failure->temporary, "%s", publication->temporary);
    char note[SHOWN + 64];
    snprintf(note, sizeof note, "; its temporary file %.*s could not be removed", SHOWN, publication->temporary);
    memfs_detail_append(publication->detail, note);
}

static int publish(memfs *fs, struct publication *publication, const struct memfs_allocator *allocator)
{
    int error = open_directory(publication, allocator);
    if (!error)
        error = check_target(publication);
    if (!error)
        error = make_temporary(publication);
    if (!error)
        error = memfs_freeze_fd(fs, publication->fd, publication->options, publication->detail);
    if (!error)
        error = settle(publication);
    return error ? error : name_file(publication);
}

int memfs_freeze_path(memfs *fs, const char *path, const struct memfs_freeze_options *options,
                      struct memfs_detail *detail)
{
    struct memfs_freeze_options taken;
    int error = memfs_sized_take(&taken, sizeof taken, options, detail);
    if (error)
        return error;
    struct memfs_allocator allocator = memfs_allocator_or_default(taken.allocator);
    struct publication publication = {.path = path, .directory = -1, .fd = -1, .options = &taken, .detail = detail};
    error = publish(fs, &publication, &allocator);
    if (publication.fd >= 0)
        close(publication.fd);
    struct memfs_freeze_failure failure = {.temporary = ""};
    if (publication.temporary && publication.temporary[0])
        remove_temporary(&publication, &failure);
    if (error && taken.failure)
        memfs_sized_give(taken.failure, &failure, sizeof failure);
    if (publication.directory >= 0)
        close(publication.directory);
    memfs_free(&allocator, publication.temporary, publication.room);
    memfs_free(&allocator, publication.parent, publication.parent_room);
    return error;
}
