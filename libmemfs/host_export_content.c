#define _GNU_SOURCE
#include "host_export.h"
#include "retry.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const char unreadable[] = "its contents cannot be read";
static const char unwritable[] = "cannot be written";

static int write_whole(int fd, uint64_t offset, const char *bytes, size_t length)
{
    while (length) {
        ssize_t done = pwrite(fd, bytes, length, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done < 0 ? -errno : -EIO;
        offset += (uint64_t)done;
        bytes += done;
        length -= (size_t)done;
    }
    return 0;
}

/* What is written next: files that share parts with others consist of small
 * pieces, which are written together. */
struct output {
    struct memfs_export_worker *worker;
    int fd;
    uint64_t offset; /* of what is gathered */
    size_t length;
};

static int flush(struct output *output)
{
    size_t length = output->length;
    if (!length)
        return 0;
    output->length = 0;
    output->offset += length;
    int error = write_whole(output->fd, output->offset - length, output->worker->gathered, length);
    return error ? error : memfs_export_tell(output->worker);
}

/* Writes what follows what was put before; not yet, if it is small and more is to come. */
static int put(struct output *output, const char *bytes, size_t length, int is_last)
{
    if (!is_last && length < MEMFS_EXPORT_SMALL) {
        int error = output->length + length > MEMFS_EXPORT_GATHERED ? flush(output) : 0;
        memcpy(output->worker->gathered + output->length, bytes, length);
        output->length += length;
        return error;
    }
    int error = flush(output);
    if (!error)
        error = write_whole(output->fd, output->offset, bytes, length);
    output->offset += length;
    return error ? error : memfs_export_tell(output->worker);
}

static int count_written(struct memfs_export *job, size_t length)
{
    uint64_t written = atomic_fetch_add(&job->written, length) + length;
    if (!length)
        return -ESTALE; /* it has become shorter */
    /* Planned for less: it has grown. */
    return job->options.bytes_max && written > job->options.bytes_max ? -EDQUOT : 0;
}

static int copy_range(struct memfs_export_worker *worker, int fd, memfs_node node, uint64_t from, uint64_t to,
                      const char **text)
{
    struct memfs_export *job = worker->job;
    struct output output = {.worker = worker, .fd = fd, .offset = from};
    int error = 0;
    while (!error && from < to) {
        struct memfs_view view;
        size_t length = to - from < MEMFS_EXPORT_PIECE ? (size_t)(to - from) : MEMFS_EXPORT_PIECE;
        *text = unreadable;
        error = memfs_node_view(job->fs, node, from, length, &view);
        if (error)
            return error;
        *text = unwritable;
        error = count_written(job, view.length);
        from += view.length;
        if (!error)
            error = put(&output, view.data, view.length, from == to);
        memfs_view_release(job->fs, &view);
    }
    return error;
}

static int set_size(int fd, uint64_t size)
{
    int failed;
    MEMFS_RETRY(failed, ftruncate(fd, (off_t)size));
    return failed;
}

/* Asks for data before each piece, since a directory of the host as backing
 * knows where the next data is, but not where the next hole. */
int memfs_export_content(struct memfs_export_worker *worker, int fd, const struct memfs_stat *stat, const char **text)
{
    memfs *fs = worker->job->fs;
    uint64_t at = 0;
    int64_t hole = 0;
    *text = unwritable;
    if (stat->size > INT64_MAX)
        return -EFBIG;
    if (stat->allocated < stat->size && set_size(fd, stat->size))
        return -errno;
    while (at < stat->size) {
        *text = unreadable;
        int64_t data = memfs_node_seek(fs, stat->node, at, MEMFS_SEEK_DATA);
        if (data == -ENXIO)
            break;
        if (data >= hole)
            hole = memfs_node_seek(fs, stat->node, (uint64_t)data, MEMFS_SEEK_HOLE);
        if (data < 0 || hole < 0)
            return (int)(data < 0 ? data : hole);
        if (hole <= data) /* somebody is changing it */
            return -ESTALE;
        uint64_t end = (uint64_t)hole < stat->size ? (uint64_t)hole : stat->size;
        at = (uint64_t)data < end ? (uint64_t)data : end;
        end = end - at < MEMFS_EXPORT_PIECE ? end : at + MEMFS_EXPORT_PIECE;
        int error = copy_range(worker, fd, stat->node, at, end, text);
        if (error)
            return error;
        at = end;
    }
    *text = unwritable;
    /* Whatever ends in a hole has its size now, even if that was not foreseen. */
    return at < stat->size && set_size(fd, stat->size) ? -errno : 0;
}
