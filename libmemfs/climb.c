#include "climb.h"

#include "dir_hash.h"
#include "name.h"

/* The insertion of an entry, if there is one and the path ends with its name, which is
 * then taken off, with the slashes before it. */
static const struct delta *take_name(struct op *op, uint32_t entry, const char *path, size_t *length)
{
    const struct delta *delta = dir_insertion(op, entry);
    const size_t name_length = delta ? delta_length(delta) : 0;
    if (name_length == 0 || name_length > *length)
        return NULL;
    size_t left = *length - name_length;
    if ((left && path[left - 1] != '/') || !name_equal(path + left, delta_text(op->fs, delta), name_length))
        return NULL;
    while (left && path[left - 1] == '/')
        left--;
    *length = left;
    return delta;
}

/* What an entry and its node say of each other, as dir_find() checks it. */
static int agree(uint32_t entry, const struct delta *delta, const struct memfs_node_record *node)
{
    if (node_type(node) >> 12 != delta_type(delta))
        return 0;
    return !node_is_dir(node) || (node->up.parent == delta->dir && node->up.entry == entry);
}

static int may_search(struct op *op, const struct memfs_cred *cred, uint32_t dir, const struct memfs_node_record **node)
{
    return node_by_number(op, dir, node) == 0 && node_is_dir(*node) && cred_check(op, cred, *node, MEMFS_X_OK) == 0;
}

int climb(struct op *op, const struct memfs_cred *cred, uint32_t entry, const char *path, size_t length,
          uint32_t *number, const struct memfs_node_record **node)
{
    const struct memfs_node_record *dir;
    const struct delta *delta = take_name(op, entry, path, &length);
    if (!delta || node_by_number(op, delta->node, node) != 0 || !agree(entry, delta, *node))
        return 0;
    *number = delta->node;
    while (delta->dir != NODE_ROOT) {
        const uint32_t above = delta->dir;
        dir_prefetch(op->fs, above);
        if (!may_search(op, cred, above, &dir))
            return 0;
        entry = dir->up.entry;
        delta = take_name(op, entry, path, &length);
        if (!delta || delta->node != above || !agree(entry, delta, dir))
            return 0;
    }
    return length == 0 && may_search(op, cred, NODE_ROOT, &dir);
}
