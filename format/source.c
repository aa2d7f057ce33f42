/*
 * Sources: descriptors and memory.
 */
#include "alloc.h"
#include "image.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct plain_source {
    struct memfs_allocator allocator;
    int fd, owned;
    const unsigned char *data;
    size_t length;
};

static int fd_read_at(void *context, uint64_t offset, void *buffer, size_t length)
{
    const struct plain_source *source = context;
    unsigned char *to = buffer;
    while (length > 0) {
        if (offset > INT64_MAX)
            return -EOVERFLOW;
        const ssize_t got = pread(source->fd, to, length, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            return -EIO; /* the file became shorter after it was opened */
        to += got;
        offset += (uint64_t)got;
        length -= (size_t)got;
    }
    return 0;
}

static int buffer_read_at(void *context, uint64_t offset, void *buffer, size_t length)
{
    const struct plain_source *source = context;
    if (offset > source->length || length > source->length - offset)
        return -EIO;
    if (length)
        memcpy(buffer, source->data + offset, length);
    return 0;
}

static void plain_close(void *context)
{
    struct plain_source *source = context;
    if (source->owned)
        close(source->fd);
    const struct memfs_allocator allocator = source->allocator;
    memfs_free(&allocator, source, sizeof *source);
}

/* The size of what can be read at any offset; others are refused. */
static int seekable_size(int fd, uint64_t *size)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return -errno;
    if (S_ISDIR(status.st_mode))
        return -EISDIR;
    if (S_ISREG(status.st_mode)) {
        *size = (uint64_t)status.st_size;
        return 0;
    }
    if (!S_ISBLK(status.st_mode))
        return -ESPIPE;
    const off_t end = lseek(fd, 0, SEEK_END);
    if (end < 0)
        return -errno;
    *size = (uint64_t)end;
    return 0;
}

static int make_source(const struct memfs_allocator *allocator, struct plain_source **out)
{
    *out = memfs_alloc_zeroed(allocator, sizeof **out);
    if (!*out)
        return -ENOMEM;
    (*out)->allocator = *allocator;
    return 0;
}

int memfs_source_of_fd(int fd, int owned, const struct memfs_allocator *allocator, struct memfs_source *out)
{
    uint64_t size = 0;
    struct plain_source *source = NULL;
    int error = seekable_size(fd, &size);
    if (!error)
        error = make_source(allocator, &source);
    if (error) {
        if (owned)
            close(fd);
        return error;
    }
    source->fd = fd;
    source->owned = owned;
    *out = (struct memfs_source){fd_read_at, plain_close, source, size};
    return 0;
}

int memfs_source_of_buffer(const void *data, size_t length, const struct memfs_allocator *allocator,
                           struct memfs_source *out)
{
    struct plain_source *source = NULL;
    const int error = make_source(allocator, &source);
    if (error)
        return error;
    source->data = data;
    source->length = length;
    *out = (struct memfs_source){buffer_read_at, plain_close, source, length};
    return 0;
}
