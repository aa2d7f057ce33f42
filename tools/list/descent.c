#include "list/descent.h"

#include <string.h>

/* The name, at the end of the stack of names, belongs behind the first parent_length
 * bytes of the path. */
struct pending {
    struct descent_entry entry;
    size_t parent_length;
    size_t depth;
};

static int is_directory(const struct memfs_stat *stat)
{
    return (stat->mode & MEMFS_IFMT) == MEMFS_IFDIR;
}

int descent_start(struct descent *descent, const char *path, const struct memfs_stat *stat)
{
    descent->stack.length = descent->names.length = descent->path.length = 0;
    descent->listed = 0;
    descent->depth = 0;
    const int counts = descent->depth_max < UINT64_MAX && is_directory(stat);
    const int64_t depth = counts ? memfs_node_depth(descent->fs, stat->node) : 0;
    descent->start_depth = depth > 0 ? (uint64_t)depth : 0;
    const int result = buffer_append_text(&descent->path, path);
    if (result != 0 || depth < 0)
        return result != 0 ? result : (int)depth;
    return descent->start_depth > descent->depth_max ? MEMFS_ELIMIT : 0;
}

int descent_read(struct descent *descent, memfs_node node, int with_stat)
{
    int result = directory_read(&descent->directory, descent->fs, node, with_stat);
    descent->listed += descent->directory.count;
    if (result != 0 || descent->listed <= descent->entries)
        return result;
    descent->stack.length = descent->names.length = 0;
    return MEMFS_ECORRUPT;
}

int descent_push(struct descent *descent, const struct directory_row *row, int last)
{
    const struct pending pending = {{row->stat, row->name_length, last}, descent->path.length, descent->depth + 1};
    int result = buffer_append(&descent->names, row->name, row->name_length);
    return result != 0 ? result : buffer_append(&descent->stack, &pending, sizeof pending);
}

int descent_next(struct descent *descent, struct descent_entry *entry)
{
    struct pending pending;
    struct buffer *path = &descent->path;
    if (descent->stack.length == 0)
        return 0;
    descent->stack.length -= sizeof pending;
    memcpy(&pending, descent->stack.data + descent->stack.length, sizeof pending);
    *entry = pending.entry;
    descent->depth = pending.depth;
    descent->names.length -= entry->name_length;
    path->length = pending.parent_length;
    int result = 0;
    if (path->length > 0 && path->data[path->length - 1] != '/')
        result = buffer_append(path, "/", 1);
    if (result == 0)
        result = buffer_append(path, descent->names.data + descent->names.length, entry->name_length);
    if (result == 0)
        result = buffer_append_text(path, "");
    if (result == 0 && is_directory(&entry->stat) && descent->start_depth + descent->depth > descent->depth_max)
        result = MEMFS_ELIMIT;
    return result != 0 ? result : 1;
}

void descent_free(struct descent *descent)
{
    buffer_free(&descent->path);
    buffer_free(&descent->stack);
    buffer_free(&descent->names);
    directory_free(&descent->directory);
}
