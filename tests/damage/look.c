#include "look.h"

#include "hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PIECE ((size_t)1 << 16)

struct look {
    memfs *fs;
    struct memfs_hasher hasher;
    uint8_t piece[PIECE];
};

static void add(struct look *look, const void *data, size_t length)
{
    memfs_hasher_add(&look->hasher, data, length);
}

static int look_at_attributes(struct look *look, const struct memfs_stat *stat)
{
    const uint64_t numbers[] = {stat->node,       stat->mode, stat->nlink,     stat->uid,        stat->gid,
                                stat->rdev_major, stat->size, stat->allocated, stat->rdev_minor, (uint64_t)stat->mtime};
    add(look, numbers, sizeof numbers);
    char names[4096];
    const int64_t length = memfs_node_listxattr(look->fs, NULL, stat->node, names, sizeof names);
    if (length < 0)
        return (int)length;
    add(look, names, (size_t)length);
    for (const char *name = names; name < names + length; name += strlen(name) + 1) {
        const int64_t got = memfs_node_getxattr(look->fs, NULL, stat->node, name, look->piece, PIECE);
        if (got < 0)
            return (int)got;
        add(look, look->piece, (size_t)got);
    }
    return 0;
}

static int look_at_target(struct look *look, const struct memfs_stat *stat)
{
    const int64_t length = memfs_node_readlink(look->fs, stat->node, (char *)look->piece, PIECE);
    if (length >= 0)
        add(look, look->piece, (size_t)length);
    return length < 0 ? (int)length : 0;
}

/* The data from `at` to the next hole; *end is where that is. */
static int look_at_data(struct look *look, memfs_node node, uint64_t at, uint64_t *end)
{
    const int64_t hole = memfs_node_seek(look->fs, node, at, MEMFS_SEEK_HOLE);
    if (hole < 0)
        return (int)hole;
    *end = (uint64_t)hole;
    add(look, &at, sizeof at);
    while (at < *end) {
        const size_t want = *end - at < PIECE ? (size_t)(*end - at) : PIECE;
        const int64_t got = memfs_node_read(look->fs, node, at, look->piece, want);
        if (got <= 0)
            return got < 0 ? (int)got : -EIO;
        add(look, look->piece, (size_t)got);
        at += (uint64_t)got;
    }
    return 0;
}

static int look_at_contents(struct look *look, const struct memfs_stat *stat)
{
    uint64_t digest, at = 0;
    int error = memfs_node_digest(look->fs, stat->node, &digest);
    if (error && error != -ENODATA)
        return error;
    add(look, &digest, error ? 0 : sizeof digest);
    for (error = 0; !error && at < stat->size;) {
        const int64_t data = memfs_node_seek(look->fs, stat->node, at, MEMFS_SEEK_DATA);
        if (data == -ENXIO)
            break;
        error = data < 0 ? (int)data : look_at_data(look, stat->node, (uint64_t)data, &at);
    }
    return error;
}

static int visit(void *context, const char *path, const struct memfs_stat *stat)
{
    struct look *look = context;
    add(look, path, strlen(path) + 1);
    int error = look_at_attributes(look, stat);
    if (!error && (stat->mode & MEMFS_IFMT) == MEMFS_IFLNK)
        error = look_at_target(look, stat);
    if (!error && (stat->mode & MEMFS_IFMT) == MEMFS_IFREG)
        error = look_at_contents(look, stat);
    return error;
}

int look_at_image(memfs_image *image, uint64_t *out)
{
    struct memfs_options options = {.size = sizeof options, .backing = memfs_image_backing(image)};
    struct look *look = malloc(sizeof *look);
    if (!look)
        return -ENOMEM;
    int error = memfs_create(&options, &look->fs);
    if (!error) {
        memfs_hasher_begin(&look->hasher);
        error = memfs_walk(look->fs, NULL, "/", MEMFS_WALK_SORTED, visit, look);
        *out = memfs_hasher_end(&look->hasher);
        memfs_destroy(look->fs);
    }
    free(look);
    return error;
}

int look_at_bytes(const void *data, size_t length, uint64_t *out)
{
    memfs_image *image = NULL;
    int error = memfs_image_open_buffer(data, length, NULL, &image, NULL);
    if (!error)
        error = look_at_image(image, out);
    memfs_image_close(image);
    return error;
}
