#include "remove.h"

#include <errno.h>

/* One side of a rename. */
struct side {
    memfs_node dir;
    struct dir_name name;
    const struct memfs_node_record *dir_record;
    struct found found;
    const struct memfs_node_record *node; /* NULL: nothing is there */
};

struct renaming {
    const struct memfs_cred *cred;
    uint32_t flags;
    struct side from, to;
    struct node_climb from_climb, to_climb; /* up from each side's directory */
    struct dir_insertion insertion;
    int64_t now;
};

static int reach_side(struct op *op, const struct memfs_cred *cred, struct side *side)
{
    int r = cred_check(op, cred, side->dir_record, MEMFS_X_OK);
    if (r == 0)
        r = dir_find(op, side->dir_record, &side->name, &side->found, &side->node);
    if (r)
        side->node = NULL;
    return r;
}

/* Neither may end up within itself. */
static int check_no_loop(struct op *op, struct renaming *renaming)
{
    const struct side *from = &renaming->from, *to = &renaming->to;
    int r = 0;
    if (node_is_dir(from->node))
        r = node_is_above(op, from->found.node, node_number(to->dir), &renaming->to_climb);
    if (r)
        return r < 0 ? r : -EINVAL;
    if (to->node && node_is_dir(to->node))
        r = node_is_above(op, to->found.node, node_number(from->dir), &renaming->from_climb);
    if (r > 0)
        return renaming->flags & MEMFS_RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
    return r;
}

/* A directory that gets another parent is written to: its "..". */
static int check_parent_change(struct op *op, const struct renaming *renaming, const struct side *moved)
{
    if (renaming->from.dir == renaming->to.dir || !node_is_dir(moved->node))
        return 0;
    return cred_check(op, renaming->cred, moved->node, MEMFS_W_OK);
}

static int check_target(struct op *op, const struct renaming *renaming)
{
    const struct side *from = &renaming->from, *to = &renaming->to;
    if (!to->node) {
        if (to->dir_record->nlink == 0)
            return -ENOENT;
        return cred_check(op, renaming->cred, to->dir_record, MEMFS_W_OK | MEMFS_X_OK);
    }
    if (renaming->flags & MEMFS_RENAME_EXCHANGE) {
        int r = remove_check(op, renaming->cred, to->dir_record, to->node, node_is_dir(to->node));
        return r ? r : check_parent_change(op, renaming, to);
    }
    return remove_check(op, renaming->cred, to->dir_record, to->node, node_is_dir(from->node));
}

static int check_links(const struct renaming *renaming)
{
    const struct side *from = &renaming->from, *to = &renaming->to;
    int comes = node_is_dir(from->node), goes = to->node && node_is_dir(to->node);
    int exchange = (renaming->flags & MEMFS_RENAME_EXCHANGE) != 0;
    if (from->dir == to->dir)
        return 0;
    if (comes && !goes && to->dir_record->nlink == NODE_MAX_LINKS)
        return -EMLINK;
    return exchange && goes && !comes && from->dir_record->nlink == NODE_MAX_LINKS ? -EMLINK : 0;
}

/* 0, or 1 where nothing is to be done. */
static int check(struct op *op, struct renaming *renaming)
{
    struct side *from = &renaming->from, *to = &renaming->to;
    int r = node_get_dir(op, from->dir, &from->dir_record);
    if (r == 0)
        r = node_get_dir(op, to->dir, &to->dir_record);
    if (r == 0)
        r = reach_side(op, renaming->cred, from);
    if (r)
        return r;
    r = reach_side(op, renaming->cred, to);
    if (r && r != -ENOENT)
        return r;
    if (to->node && renaming->flags & MEMFS_RENAME_NOREPLACE)
        return -EEXIST;
    if (!to->node && renaming->flags & MEMFS_RENAME_EXCHANGE)
        return -ENOENT;
    r = check_no_loop(op, renaming);
    if (r)
        return r;
    if (to->node && from->found.node == to->found.node)
        return 1; /* two names of one node: POSIX does nothing */
    r = remove_check(op, renaming->cred, from->dir_record, from->node, node_is_dir(from->node));
    if (r == 0)
        r = check_target(op, renaming);
    if (r == 0)
        r = check_parent_change(op, renaming, from);
    if (r == 0)
        r = check_links(renaming);
    if (r == 0 && to->node && node_is_dir(to->node) && !(renaming->flags & MEMFS_RENAME_EXCHANGE))
        r = remove_check_empty(op->fs, to->node);
    return r;
}

static int own_nodes(struct op *op, const struct renaming *renaming)
{
    struct memfs_node_record *own;
    int r = node_own(op, node_number(renaming->from.dir), &own);
    if (r == 0)
        r = node_own(op, node_number(renaming->to.dir), &own);
    if (r == 0)
        r = node_own(op, renaming->from.found.node, &own);
    if (r == 0 && renaming->to.node)
        r = node_own(op, renaming->to.found.node, &own);
    return r;
}

static int reach_rename(struct op *op, void *argument)
{
    struct renaming *renaming = argument;
    struct side *from = &renaming->from, *to = &renaming->to;
    int r = check(op, renaming);
    if (r == 0)
        r = own_nodes(op, renaming);
    if (r == 0)
        r = renaming->flags & MEMFS_RENAME_EXCHANGE ? dir_reach_replace(op, node_number(from->dir), &from->found)
                                                    : dir_reach_remove(op, node_number(from->dir), &from->found);
    if (r == 0)
        r = to->node ? dir_reach_replace(op, node_number(to->dir), &to->found)
                     : dir_reach_insert(op, &to->name, &renaming->insertion);
    if (r == 0) /* the insertion was the last that can fail, so it is never cancelled */
        renaming->now = fs_now(op->fs);
    return r;
}

/* `number` now hangs at an entry of `dir`. */
static void hang(memfs *fs, uint32_t number, memfs_node dir, uint32_t entry, int64_t now)
{
    struct memfs_node_record *node = table_mutable(fs, MEMFS_NODES, number);
    struct memfs_node_record *parent = table_mutable(fs, MEMFS_NODES, node_number(dir));
    node->ctime = now;
    parent->mtime = parent->ctime = now;
    if (!node_is_dir(node))
        return;
    node->up.parent = node_number(dir);
    node->up.entry = entry;
    parent->nlink++;
}

/* A directory no longer hangs in `dir`. */
static void unhang(memfs *fs, uint32_t number, memfs_node dir)
{
    struct memfs_node_record *parent = table_mutable(fs, MEMFS_NODES, node_number(dir));
    if (node_is_dir(table_mutable(fs, MEMFS_NODES, number)))
        node_drop_subdir(parent);
}

static void commit_exchange(memfs *fs, struct renaming *renaming)
{
    struct side *from = &renaming->from, *to = &renaming->to;
    unhang(fs, from->found.node, from->dir);
    unhang(fs, to->found.node, to->dir);
    dir_replace(fs, node_number(from->dir), from->found.entry, to->found.node, to->found.type);
    dir_replace(fs, node_number(to->dir), to->found.entry, from->found.node, from->found.type);
    hang(fs, from->found.node, to->dir, to->found.entry, renaming->now);
    hang(fs, to->found.node, from->dir, from->found.entry, renaming->now);
}

static void commit_move(memfs *fs, struct renaming *renaming)
{
    struct side *from = &renaming->from, *to = &renaming->to;
    uint32_t moved = from->found.node, entry = to->found.entry;
    struct memfs_node_record *from_dir = table_mutable(fs, MEMFS_NODES, node_number(from->dir));
    unhang(fs, moved, from->dir);
    if (to->node) {
        unhang(fs, to->found.node, to->dir);
        dir_replace(fs, node_number(to->dir), entry, moved, from->found.type);
        node_unlink(fs, to->found.node, renaming->now);
    } else {
        entry = dir_insert(fs, &renaming->insertion, moved, from->found.type);
    }
    dir_remove(fs, node_number(from->dir), from->found.entry);
    from_dir->mtime = from_dir->ctime = renaming->now;
    hang(fs, moved, to->dir, entry, renaming->now);
}

static void commit_rename(struct op *op, void *argument)
{
    struct renaming *renaming = argument;
    if (renaming->flags & MEMFS_RENAME_EXCHANGE)
        commit_exchange(op->fs, renaming);
    else
        commit_move(op->fs, renaming);
}

int memfs_node_rename(memfs *fs, const struct memfs_cred *cred, memfs_node from_dir, const char *from,
                      memfs_node to_dir, const char *to, uint32_t flags)
{
    struct renaming renaming = {.cred = cred, .flags = flags, .from.dir = from_dir, .to.dir = to_dir};
    if (flags > MEMFS_RENAME_EXCHANGE)
        return -EINVAL;
    int r = dir_name_measure(from_dir, from, &renaming.from.name);
    if (r == 0)
        r = dir_name_measure(to_dir, to, &renaming.to.name);
    return r ? r : op_write(fs, reach_rename, commit_rename, &renaming);
}
