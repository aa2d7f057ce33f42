#include "climb.h"

#include "dir_hash.h"
#include "name.h"

#include <assert.h>

/* The insertion of an entry, if there is one and the path ends with its name, which is
 * then taken off, with the slashes before it. */
static const struct delta *take_name(struct op *op, uint32_t entry, const char *path, size_t *length)
{
    const struct delta *delta = dir_insertion(op, entry);
    const size_t name_length = delta ? delta->length : 0;
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

/* What an entry and its node say of each other, as dir_find() checks it. (A directory of which some insertion is the
 * entry is not the root, which has none.) */
static int agree(uint32_t entry, const struct delta *delta, const struct memfs_node_record *node)
{
    if (node_type(node) >> 12 != delta->type)
        return 0;
    return !node_is_dir(node) || (node->up.parent == delta->dir && node->up.entry == entry);
}

static int may_search(struct op *op, const struct memfs_cred *cred, uint32_t dir, const struct memfs_node_record **node)
{
    return node_by_number(op, dir, node) == 0 && node_is_dir(*node) && cred_check(op, cred, *node, MEMFS_X_OK) == 0;
}

/* From node to node: the entries between are compared, but not waited for. */
int climb_up(struct op *op, const struct memfs_cred *cred, uint32_t dir, const char *path, size_t length,
             const struct memfs_node_record **node)
{
    if (!may_search(op, cred, dir, node))
        return 0;
    const struct memfs_node_record *at = *node;
    while (dir != NODE_ROOT) {
        const struct delta *delta = take_name(op, at->up.entry, path, &length);
        if (!delta || delta->node != dir || !agree(at->up.entry, delta, at))
            return 0;
        dir = at->up.parent;
        if (!may_search(op, cred, dir, &at))
            return 0;
    }
    return length == 0;
}

int climb_down(struct op *op, uint32_t dir, uint32_t entry, const char *name, size_t length, uint32_t *number,
               const struct memfs_node_record **node)
{
    const struct delta *delta = take_name(op, entry, name, &length);
    if (!delta || delta->dir != dir || node_by_number(op, delta->node, node) != 0)
        return 0;
    assert(length == 0); /* a name has no slash to which another could end */
    *number = delta->node;
    return agree(entry, delta, *node);
}
