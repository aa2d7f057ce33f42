#include "xattr_walk.h"

#include "heap.h"
#include "op.h"

#include <string.h>

void memfs_xattr_walk_begin(struct memfs_xattr_walk *walk, memfs *fs, memfs_node node)
{
    walk->name[0] = '\0';
    walk->name_length = 0;
    walk->fs = fs;
    walk->node = node;
    walk->changes = UINT64_MAX; /* the first step looks for the set, as if it were another */
}

static int is_unchanged(const struct memfs_xattr_walk *walk)
{
    return walk->changes == atomic_load(&walk->fs->changes);
}

static int next_body(struct op *op, void *argument)
{
    struct memfs_xattr_walk *walk = argument;
    const struct memfs_node_record *node = NULL;
    const struct memfs_xattr *record = NULL;
    int more = node_get(op, walk->node, &node);
    if (more)
        return more;
    struct xattr_cursor cursor = is_unchanged(walk) ? walk->cursor : xattr_cursor(node);
    do
        more = xattr_next(op, &cursor, &record);
    while (more > 0 && memfs_name_compare(cursor.name, cursor.name_length, walk->name, walk->name_length) <= 0);
    if (more <= 0)
        return more;
    memcpy(walk->name, cursor.name, cursor.name_length);
    walk->name[cursor.name_length] = '\0';
    walk->name_length = cursor.name_length;
    cursor.name = walk->name; /* what it was may go after the operation */
    walk->cursor = cursor;
    walk->record = *record;
    walk->changes = atomic_load(&op->fs->changes);
    return 1;
}

int memfs_xattr_walk_next(struct memfs_xattr_walk *walk)
{
    return op_read(walk->fs, next_body, walk);
}

struct value_look {
    const struct memfs_xattr_walk *walk;
    void *buffer;
    size_t size;
};

static int value_body(struct op *op, void *argument)
{
    struct value_look *look = argument;
    const struct memfs_xattr_walk *walk = look->walk;
    const struct memfs_node_record *node = NULL;
    const char *value = NULL;
    int error = node_get(op, walk->node, &node);
    look->size = walk->record.value_length;
    if (!error && !is_unchanged(walk))
        error = xattr_find(op, node, walk->name, &value, &look->size);
    else if (!error && look->size)
        error = heap_get(op, MEMFS_BLOBS, walk->record.value, look->size, &value);
    if (!error && look->size)
        memcpy(look->buffer, value, look->size);
    return error;
}

int64_t memfs_xattr_walk_value(const struct memfs_xattr_walk *walk, void *buffer)
{
    struct value_look look = {.walk = walk, .buffer = buffer};
    const int error = op_read(walk->fs, value_body, &look);
    return error ? error : (int64_t)look.size;
}
