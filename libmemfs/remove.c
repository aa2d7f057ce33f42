#include "remove.h"

#include "path.h"

#include <errno.h>

struct removal {
    const struct memfs_cred *cred;
    memfs_node dir;
    struct dir_name *name;
    int is_rmdir;
    struct found found;
    int64_t now;
};

int remove_check(struct op *op, const struct memfs_cred *cred, const struct memfs_node_record *dir,
                 const struct memfs_node_record *node, int wants_dir)
{
    int r = cred_check(op, cred, dir, MEMFS_W_OK | MEMFS_X_OK);
    if (r == 0)
        r = cred_check_sticky(cred, dir, node);
    if (r)
        return r;
    if (wants_dir)
        return node_is_dir(node) ? 0 : -ENOTDIR;
    return node_is_dir(node) ? -EISDIR : 0;
}

int remove_check_empty(const memfs *fs, const struct memfs_node_record *dir)
{
    return dir_count(fs, dir) ? -ENOTEMPTY : 0;
}

static int reach_removal(struct op *op, void *argument)
{
    struct removal *removal = argument;
    const struct memfs_node_record *dir, *node;
    struct memfs_node_record *own;
    uint32_t dir_number = node_number(removal->dir);
    int r = node_get_dir(op, removal->dir, &dir);
    if (r == 0)
        r = cred_check(op, removal->cred, dir, MEMFS_X_OK);
    if (r == 0)
        r = dir_find(op, dir, removal->name, &removal->found, &node);
    if (r == 0)
        r = remove_check(op, removal->cred, dir, node, removal->is_rmdir);
    if (r == 0 && removal->is_rmdir)
        r = remove_check_empty(op->fs, node);
    if (r == 0)
        r = node_own(op, removal->found.node, &own);
    if (r == 0)
        r = node_own(op, dir_number, &own);
    if (r == 0)
        r = dir_reach_remove(op, dir_number, &removal->found);
    if (r == 0)
        removal->now = fs_now(op->fs);
    return r;
}

static void commit_removal(struct op *op, void *argument)
{
    struct removal *removal = argument;
    struct memfs_node_record *dir = table_mutable(op->fs, MEMFS_NODES, node_number(removal->dir));
    dir_remove(op->fs, node_number(removal->dir), removal->found.entry);
    dir->mtime = dir->ctime = removal->now;
    if (removal->is_rmdir)
        node_drop_subdir(dir);
    node_unlink(op->fs, removal->found.node, removal->now);
}

static int remove_name(memfs *fs, const struct memfs_cred *cred, memfs_node dir, const char *name, int is_rmdir)
{
    struct dir_name measured;
    struct removal removal = {.cred = cred, .dir = dir, .name = &measured, .is_rmdir = is_rmdir};
    int r = dir_name_measure(dir, name, &measured);
    return r ? r : op_write(fs, reach_removal, commit_removal, &removal);
}

int memfs_node_unlink(memfs *fs, const struct memfs_cred *cred, memfs_node dir, const char *name)
{
    return remove_name(fs, cred, dir, name, 0);
}

int memfs_node_rmdir(memfs *fs, const struct memfs_cred *cred, memfs_node dir, const char *name)
{
    return remove_name(fs, cred, dir, name, 1);
}

/* ---- By path ---- */

/* "." and ".." and the root cannot be removed. */
static int check_end(const struct path_end *end, int is_rmdir)
{
    if (path_end_is_normal(end))
        return 0;
    if (!is_rmdir)
        return -EISDIR;
    return end->name.length == 0 ? -EBUSY : end->name.length == 2 ? -ENOTEMPTY : -EINVAL;
}

/* A slash behind asks for a directory, which unlink does not remove. */
static int check_slash(struct op *op, struct path_end *end, struct removal *removal)
{
    const struct memfs_node_record *node;
    int r = cred_check(op, removal->cred, end->record, MEMFS_X_OK);
    if (r == 0)
        r = dir_find(op, end->record, &end->name, &removal->found, &node);
    if (r)
        return r;
    return node_is_dir(node) ? -EISDIR : -ENOTDIR;
}

static int removal_at(struct op *op, struct path_end *end, void *argument)
{
    struct removal *removal = argument;
    int r = check_end(end, removal->is_rmdir);
    if (r == 0 && end->slash && !removal->is_rmdir)
        r = check_slash(op, end, removal);
    if (r)
        return r;
    if (!end->is_writer)
        return PATH_CHANGE;
    removal->dir = end->dir;
    removal->name = &end->name;
    return reach_removal(op, removal);
}

static int remove_path(memfs *fs, const struct memfs_cred *cred, const char *path, int is_rmdir)
{
    struct removal removal = {.cred = cred, .is_rmdir = is_rmdir};
    return path_change(fs, cred, path, 0, removal_at, commit_removal, &removal);
}

int memfs_unlink(memfs *fs, const struct memfs_cred *cred, const char *path)
{
    return remove_path(fs, cred, path, 0);
}

int memfs_rmdir(memfs *fs, const struct memfs_cred *cred, const char *path)
{
    return remove_path(fs, cred, path, 1);
}
