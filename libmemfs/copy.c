#include "content.h"
#include "write.h"

#include <errno.h>

#define PIECE ((size_t)64 << 10)

struct copy {
    memfs *fs;
    memfs_node from, to;
    uint64_t source, target, left;
    unsigned char *buffer;
};

/* How much of a hole is next in the source. */
static int64_t hole_ahead(const struct copy *copy)
{
    int64_t data = memfs_node_seek(copy->fs, copy->from, copy->source, MEMFS_SEEK_DATA);
    if (data == -ENXIO)
        data = memfs_node_seek(copy->fs, copy->from, copy->source, MEMFS_SEEK_HOLE) == -ENXIO ? (int64_t)copy->source
                                                                                              : INT64_MAX;
    if (data < 0)
        return data;
    uint64_t hole = (uint64_t)data - copy->source;
    return (int64_t)(hole < copy->left ? hole : copy->left);
}

/* One piece: its length, 0 at the source's end. */
static int64_t copy_piece(const struct copy *copy)
{
    int64_t hole = hole_ahead(copy);
    if (hole < 0)
        return hole;
    if (hole > 0) {
        int r = write_hole(copy->fs, copy->to, copy->target, (uint64_t)hole);
        return r ? r : hole;
    }
    size_t size = copy->left < PIECE ? (size_t)copy->left : PIECE;
    int64_t got = memfs_node_read(copy->fs, copy->from, copy->source, copy->buffer, size);
    return got > 0 ? memfs_node_write(copy->fs, copy->to, copy->target, copy->buffer, (size_t)got) : got;
}

static int check(memfs *fs, const struct copy *copy, uint64_t *length)
{
    uint64_t size, to_size;
    int r = content_size(fs, copy->from, &size);
    if (r == 0)
        r = content_size(fs, copy->to, &to_size);
    if (r)
        return r;
    uint64_t there = copy->source < size ? size - copy->source : 0;
    *length = *length < there ? *length : there;
    if (*length && (copy->target > MEMFS_SIZE_MAX || *length > MEMFS_SIZE_MAX - copy->target))
        return -EFBIG;
    if (copy->from == copy->to && copy->source < copy->target + *length && copy->target < copy->source + *length)
        return -EINVAL;
    return 0;
}

int64_t memfs_node_copy(memfs *fs, memfs_node from, uint64_t from_offset, memfs_node to, uint64_t to_offset,
                        uint64_t length)
{
    struct copy copy = {.fs = fs, .from = from, .to = to, .source = from_offset, .target = to_offset};
    int64_t r = check(fs, &copy, &length);
    if (r || length == 0)
        return r;
    copy.buffer = memfs_alloc(&fs->allocator, PIECE);
    if (!copy.buffer)
        return -ENOMEM;
    for (copy.left = length; copy.left; copy.left -= (uint64_t)r) {
        r = copy_piece(&copy);
        if (r <= 0)
            break;
        copy.source += (uint64_t)r;
        copy.target += (uint64_t)r;
    }
    memfs_free(&fs->allocator, copy.buffer, PIECE);
    uint64_t done = length - copy.left;
    return done ? (int64_t)done : r;
}
