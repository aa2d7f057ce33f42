#include "create.h"

#include "path.h"

#include <errno.h>
#include <string.h>

static void cancel(memfs *fs, struct creation *creation)
{
    dir_cancel_insert(fs, &creation->insertion);
    xattr_cancel(fs, &creation->owner.acl);
    if (creation->target_offset) {
        heap_put(fs, MEMFS_BLOBS, creation->target_offset - 1, creation->target_length);
        creation->target_offset = 0;
    }
    if (creation->held)
        holds_drop(&fs->holds, creation->held, !creation->opens, creation->opens ? 1 : 0);
    creation->held = 0;
}

/* The directory, and that the name is free in it. As Linux's may_create(). */
static int reach_place(struct op *op, struct creation *creation, const struct memfs_node_record **dir)
{
    struct found found;
    int r = node_get_dir(op, creation->dir, dir);
    if (r == 0)
        r = cred_check(op, creation->cred, *dir, MEMFS_X_OK);
    if (r)
        return r;
    if (creation->name && !creation->is_free) {
        r = dir_find(op, *dir, creation->name, &found, NULL);
        if (r != -ENOENT)
            return r ? r : -EEXIST;
    }
    if ((*dir)->nlink == 0)
        return -ENOENT;
    return cred_check(op, creation->cred, *dir, MEMFS_W_OK | MEMFS_X_OK);
}

static int reach_target(struct op *op, struct creation *creation)
{
    uint64_t offset;
    if (!creation->target)
        return 0;
    int r = heap_take(op, MEMFS_BLOBS, creation->target, creation->target_length, &offset);
    if (r == 0)
        creation->target_offset = offset + 1;
    return r;
}

/* Holds the node before it is there, since commit cannot fail. */
static int reach_hold(struct op *op, struct creation *creation)
{
    if (!creation->out)
        return 0;
    uint32_t number = table_next(op->fs, MEMFS_NODES);
    int r = holds_add(&op->fs->holds, &op->fs->allocator, number, !creation->opens, creation->opens ? 1 : 0);
    if (r == 0)
        creation->held = number;
    return r;
}

static int is_device(const struct creation *creation)
{
    uint32_t type = creation->mode & MEMFS_IFMT;
    return type == MEMFS_IFCHR || type == MEMFS_IFBLK;
}

static int reach_all(struct op *op, struct creation *creation)
{
    const struct memfs_node_record *dir;
    int r = reach_place(op, creation, &dir);
    if (r == 0 && (creation->mode & MEMFS_IFMT) == MEMFS_IFDIR && dir->nlink == NODE_MAX_LINKS)
        return -EMLINK;
    if (r == 0 && is_device(creation) && !cred_is_privileged(creation->cred))
        return -EPERM;
    if (r == 0)
        r = cred_reach_new(op, creation->cred, dir, creation->mode, &creation->owner);
    if (r == 0)
        r = table_reserve(op, MEMFS_NODES, 1);
    if (r == 0 && creation->name)
        r = dir_reach_insert(op, creation->name, &creation->insertion);
    if (r == 0)
        r = reach_target(op, creation);
    if (r == 0)
        r = reach_hold(op, creation);
    return r;
}

int create_reach(struct op *op, void *argument)
{
    struct creation *creation = argument;
    int r = reach_all(op, creation);
    if (r)
        cancel(op->fs, creation);
    else
        creation->now = fs_now(op->fs);
    return r;
}

static void touch_dir(memfs *fs, uint32_t number, int64_t now)
{
    struct memfs_node_record *dir = table_mutable(fs, MEMFS_NODES, number);
    dir->mtime = dir->ctime = now;
}

static void name_node(memfs *fs, struct creation *creation, uint32_t number, struct memfs_node_record *node)
{
    uint32_t dir_number = node_number(creation->dir);
    uint32_t entry = dir_insert(fs, &creation->insertion, number, node_type(node) >> 12);
    if (creation->path_hash)
        dir_set_hint(fs, creation->path_hash, entry);
    if (node_is_dir(node)) {
        node->nlink = 2;
        node->up.parent = dir_number;
        node->up.entry = entry;
        ((struct memfs_node_record *)table_mutable(fs, MEMFS_NODES, dir_number))->nlink++;
    }
    touch_dir(fs, dir_number, creation->now);
}

void create_commit(struct op *op, void *argument)
{
    struct creation *creation = argument;
    uint32_t number;
    struct memfs_node_record *node =
        node_take(op->fs, creation->owner.mode, creation->owner.uid, creation->owner.gid, creation->now, &number);
    if (creation->owner.acl.active)
        xattr_replace(op->fs, node, &creation->owner.acl);
    if (creation->target) {
        node->size = creation->target_length;
        node->target = creation->target_offset - 1;
    } else if (is_device(creation)) {
        node->rdev.major = creation->major;
        node->rdev.minor = creation->minor;
    }
    if (creation->name) {
        name_node(op->fs, creation, number, node);
    } else {
        node->nlink = 0;
        node->mode |= MEMFS_NODE_LINKABLE;
        holds_alone(&op->fs->holds, number);
    }
    if (creation->out)
        *creation->out = node_handle(number, node);
}

/* name NULL: none. */
static int create(memfs *fs, const char *name, struct creation *creation)
{
    struct dir_name measured;
    int r = name ? dir_name_measure(creation->dir, name, &measured) : 0;
    creation->name = name ? &measured : NULL;
    return r ? r : op_write(fs, create_reach, create_commit, creation);
}

int memfs_node_create(memfs *fs, const struct memfs_cred *cred, memfs_node dir, const char *name, uint32_t mode,
                      memfs_node *out)
{
    struct creation creation;
    creation_init(&creation, cred, dir, MEMFS_IFREG | (mode & 07777));
    creation.out = out;
    return create(fs, name, &creation);
}

/* Linux keeps the permissions and the sticky bit; setgid comes from the parent. */
static uint32_t dir_mode(const struct memfs_cred *cred, uint32_t mode)
{
    return MEMFS_IFDIR | (mode & (cred ? 01777u : 07777u));
}

int memfs_node_mkdir(memfs *fs, const struct memfs_cred *cred, memfs_node dir, const char *name, uint32_t mode,
                     memfs_node *out)
{
    struct creation creation;
    creation_init(&creation, cred, dir, dir_mode(cred, mode));
    creation.out = out;
    return create(fs, name, &creation);
}

static int mkdir_at(struct op *op, struct path_end *end, void *argument)
{
    struct creation *creation = argument;
    if (!path_end_is_normal(end))
        return -EEXIST;
    if (!end->is_writer)
        return PATH_CHANGE;
    creation->dir = end->dir;
    creation->name = &end->name;
    return create_reach(op, creation);
}

int memfs_mkdir(memfs *fs, const struct memfs_cred *cred, const char *path, uint32_t mode)
{
    struct creation creation;
    creation_init(&creation, cred, 0, dir_mode(cred, mode));
    return path_change(fs, cred, path, 0, mkdir_at, create_commit, &creation);
}

int memfs_node_mknod(memfs *fs, const struct memfs_cred *cred, memfs_node dir, const char *name, uint32_t mode,
                     uint32_t rdev_major, uint32_t rdev_minor, memfs_node *out)
{
    uint32_t type = mode & MEMFS_IFMT ? mode & MEMFS_IFMT : MEMFS_IFREG;
    struct creation creation;
    creation_init(&creation, cred, dir, type | (mode & 07777));
    creation.major = rdev_major;
    creation.minor = rdev_minor;
    creation.out = out;
    switch (type) {
    case MEMFS_IFCHR:
    case MEMFS_IFBLK:
    case MEMFS_IFREG:
    case MEMFS_IFIFO:
    case MEMFS_IFSOCK:
        return create(fs, name, &creation);
    case MEMFS_IFDIR:
        return -EPERM;
    default:
        return -EINVAL;
    }
}

int memfs_node_symlink(memfs *fs, const struct memfs_cred *cred, memfs_node dir, const char *name, const char *target,
                       memfs_node *out)
{
    struct creation creation;
    creation_init(&creation, cred, dir, MEMFS_IFLNK | 0777);
    creation.out = out;
    creation.target = target;
    creation.target_length = strnlen(target, MEMFS_TARGET_MAX + 1);
    if (creation.target_length == 0)
        return -ENOENT;
    return creation.target_length > MEMFS_TARGET_MAX ? -ENAMETOOLONG : create(fs, name, &creation);
}

int memfs_node_tmpfile(memfs *fs, const struct memfs_cred *cred, memfs_node dir, uint32_t mode, memfs_node *out)
{
    struct creation creation;
    creation_init(&creation, cred, dir, MEMFS_IFREG | (mode & 07777));
    creation.out = out;
    return create(fs, NULL, &creation);
}

/* ---- Links ---- */

static int reach_link(struct op *op, void *argument)
{
    struct creation *creation = argument;
    const struct memfs_node_record *dir, *node;
    struct memfs_node_record *own;
    int r = node_get(op, creation->linked, &node);
    if (r == 0)
        r = reach_place(op, creation, &dir);
    if (r)
        return r;
    if (node_is_dir(node))
        return -EPERM;
    if (node->nlink == 0 && !(node->mode & MEMFS_NODE_LINKABLE))
        return -ENOENT;
    if (node->nlink == NODE_MAX_LINKS)
        return -EMLINK;
    r = node_own(op, node_number(creation->linked), &own);
    if (r == 0)
        r = dir_reach_insert(op, creation->name, &creation->insertion);
    if (r == 0) /* the insertion was the last that can fail, so it is never cancelled */
        creation->now = fs_now(op->fs);
    return r;
}

static void commit_link(struct op *op, void *argument)
{
    struct creation *creation = argument;
    uint32_t number = node_number(creation->linked);
    struct memfs_node_record *node = table_mutable(op->fs, MEMFS_NODES, number);
    node->nlink++;
    node->mode &= ~MEMFS_NODE_LINKABLE;
    node->ctime = creation->now;
    name_node(op->fs, creation, number, node);
}

int memfs_node_link(memfs *fs, const struct memfs_cred *cred, memfs_node node, memfs_node dir, const char *name)
{
    struct creation creation;
    struct dir_name measured;
    creation_init(&creation, cred, dir, 0);
    creation.linked = node;
    creation.name = &measured;
    int r = dir_name_measure(dir, name, &measured);
    return r ? r : op_write(fs, reach_link, commit_link, &creation);
}
