#include "node.h"

#include "content.h"
#include "dir.h"
#include "xattr.h"

#include <errno.h>
#include <string.h>

int node_get_below(struct op *op, uint32_t number, const struct memfs_node_record **out)
{
    int r = number && table_has(op, MEMFS_NODES, number) ? table_get(op, MEMFS_NODES, number, out) : MEMFS_ECORRUPT;
    return r == MEMFS_ECORRUPT ? -ESTALE : r;
}

int node_get_dir(struct op *op, memfs_node handle, const struct memfs_node_record **out)
{
    int r = node_get(op, handle, out);
    return r == 0 && !node_is_dir(*out) ? -ENOTDIR : r;
}

int node_own(struct op *op, uint32_t number, struct memfs_node_record **out)
{
    return table_own(op, MEMFS_NODES, number, out);
}

int node_stat(struct op *op, uint32_t number, const struct memfs_node_record *node, struct memfs_stat *out)
{
    *out = (struct memfs_stat){
        .node = node_handle(number, node),
        .mode = node->mode & MEMFS_MODE_BITS,
        .nlink = node->nlink,
        .uid = node->uid,
        .gid = node->gid,
        .atime = node->atime,
        .mtime = node->mtime,
        .ctime = node->ctime,
    };
    switch (node_type(node)) {
    case MEMFS_IFDIR:
        out->size = dir_count(op->fs, node);
        return 0;
    case MEMFS_IFREG:
        out->size = node->size;
        return content_allocated(op, node, &out->allocated);
    case MEMFS_IFLNK:
        out->size = node->size;
        return 0;
    case MEMFS_IFCHR:
    case MEMFS_IFBLK:
        out->rdev_major = node->rdev.major;
        out->rdev_minor = node->rdev.minor;
        return 0;
    default:
        return 0;
    }
}

int node_climb_begin(struct op *op, uint32_t dir, struct node_climb *climb)
{
    uint64_t changes = atomic_load(&op->fs->changes);
    if (climb->reached != 0 && climb->changes == changes)
        return 0;
    *climb = (struct node_climb){.reached = dir, .changes = changes};
    return 1;
}

int node_climb_step(struct op *op, struct node_climb *climb, const struct memfs_node_record **left)
{
    int r = node_by_number(op, climb->reached, left);
    if (r)
        return r;
    /* No way up is longer than there are nodes. */
    if (!node_is_dir(*left) || climb->steps >= table_count(&op->fs->tables[MEMFS_NODES]))
        return MEMFS_ECORRUPT;
    if ((*left)->nlink == 0)
        return -ENOENT;
    climb->steps++;
    climb->reached = (*left)->up.parent;
    return 0;
}

int node_is_above(struct op *op, uint32_t above, uint32_t dir, struct node_climb *climb)
{
    const struct memfs_node_record *left;
    node_climb_begin(op, dir, climb);
    while (climb->reached != above && climb->reached != NODE_ROOT) {
        int r = node_climb_step(op, climb, &left);
        if (r)
            return r == -ENOENT ? 0 : r;
    }
    return climb->reached == above;
}

struct memfs_node_record *node_take(memfs *fs, uint32_t mode, uint32_t uid, uint32_t gid, int64_t now, uint32_t *number)
{
    struct memfs_node_record *node;
    *number = table_take(fs, MEMFS_NODES, &node);
    node->mode = mode;
    node->uid = uid;
    node->gid = gid;
    node->nlink = 1;
    node->mtime = node->ctime = node->atime = now;
    fs->nodes_in_use++;
    return node;
}

/* Frees a node that nothing names or holds, with all that it has. */
static void release(memfs *fs, uint32_t number)
{
    struct memfs_node_record *node = table_mutable(fs, MEMFS_NODES, number);
    uint32_t generation = node->generation;
    xattr_free(fs, node);
    switch (node_type(node)) {
    case MEMFS_IFREG:
        content_free(fs, node);
        break;
    case MEMFS_IFLNK:
        heap_put(fs, MEMFS_BLOBS, node->target, (size_t)node->size);
        break;
    case MEMFS_IFDIR:
        dir_free(fs, node);
        break;
    default:
        break;
    }
    memset(node, 0, sizeof *node);
    node->generation = generation + 1;
    table_put(fs, MEMFS_NODES, number);
    fs->nodes_in_use--;
}

void node_unlink(memfs *fs, uint32_t number, int64_t now)
{
    struct memfs_node_record *node = table_mutable(fs, MEMFS_NODES, number);
    if (node_is_dir(node))
        node->nlink = 0;
    else if (node->nlink > 0) /* an image may have lied about it */
        node->nlink--;
    node->ctime = now;
    if (node->nlink == 0 && !holds_alone(&fs->holds, number))
        release(fs, number);
}

/* ---- Forgetting ---- */

static int reach_release(struct op *op, void *argument)
{
    const struct memfs_node_record *node;
    memfs_node handle = *(memfs_node *)argument;
    int r = node_get(op, handle, &node);
    if (r)
        return r;
    /* Nothing to do (1) if it has a name, or somebody holds it again. */
    return node->nlink > 0 || holds_alone(&op->fs->holds, node_number(handle));
}

static void commit_release(struct op *op, void *argument)
{
    /* Asked again, now that no reader can be about to hold it. */
    uint32_t number = node_number(*(memfs_node *)argument);
    if (!holds_alone(&op->fs->holds, number))
        release(op->fs, number);
}

void node_drop(memfs *fs, memfs_node handle, uint64_t lookups, uint64_t opens)
{
    /* A node without a name has been changed: its chunk is private, and this cannot fail. */
    if (holds_drop(&fs->holds, node_number(handle), lookups, opens) == HOLDS_LAST)
        op_write(fs, reach_release, commit_release, &handle);
}

/* Counts are by number: a node of our own may have got that of one that is gone. Loads nothing. */
static int read_is_same(struct op *op, void *argument)
{
    const memfs_node handle = *(memfs_node *)argument;
    const struct memfs_node_record *node = table_our_record(op->fs, MEMFS_NODES, node_number(handle));
    return node && node_handle(node_number(handle), node) != handle ? -ESTALE : 0;
}

void memfs_node_forget(memfs *fs, memfs_node node, uint64_t count)
{
    if (op_read(fs, read_is_same, &node) == 0)
        node_drop(fs, node, count, 0);
}
