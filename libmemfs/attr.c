#include "acl.h"
#include "content.h"
#include "cred.h"
#include "dir.h"
#include "path.h"
#include "plan.h"

#include <errno.h>
#include <string.h>

#define SET_TIMES (MEMFS_SET_ATIME | MEMFS_SET_MTIME | MEMFS_SET_ATIME_NOW | MEMFS_SET_MTIME_NOW)
#define SET_BOTH_NOW (MEMFS_SET_ATIME_NOW | MEMFS_SET_MTIME_NOW)
#define SET_ALL (MEMFS_SET_MODE | MEMFS_SET_UID | MEMFS_SET_GID | MEMFS_SET_SIZE | SET_TIMES | MEMFS_SET_CTIME)

/* ---- Looking ----------------------------------------------------------------- */

struct look {
    const struct memfs_cred *cred;
    memfs_node node;
    path_leaf *leaf;
    struct memfs_stat *stat;
    uint32_t mask;
    char *buffer;
    size_t size;
    int64_t length;
};

/* Calls leaf with the node of a handle, as path_apply() does with that of a path. */
static int look_body(struct op *op, void *argument)
{
    struct look *look = argument;
    const struct memfs_node_record *node = NULL;
    int error = node_get(op, look->node, &node);
    return error ? error : look->leaf(op, node_number(look->node), node, look);
}

static int stat_leaf(struct op *op, uint32_t number, const struct memfs_node_record *node, void *argument)
{
    const struct look *look = argument;
    struct memfs_stat stat;
    int error = node_stat(op, number, node, &stat);
    if (!error)
        *look->stat = stat;
    return error;
}

int memfs_node_stat(memfs *fs, memfs_node node, struct memfs_stat *out)
{
    struct look look = {.node = node, .leaf = stat_leaf, .stat = out};
    return op_read(fs, look_body, &look);
}

int memfs_stat(memfs *fs, const struct memfs_cred *cred, const char *path, struct memfs_stat *out)
{
    struct look look = {.stat = out};
    return path_apply(fs, cred, path, PATH_FOLLOW, stat_leaf, &look);
}

int memfs_lstat(memfs *fs, const struct memfs_cred *cred, const char *path, struct memfs_stat *out)
{
    struct look look = {.stat = out};
    return path_apply(fs, cred, path, 0, stat_leaf, &look);
}

static int access_leaf(struct op *op, uint32_t number, const struct memfs_node_record *node, void *argument)
{
    const struct look *look = argument;
    (void)number;
    return cred_check(op, look->cred, node, look->mask);
}

static int check_mask(uint32_t mask)
{
    return mask & ~(MEMFS_R_OK | MEMFS_W_OK | MEMFS_X_OK) ? -EINVAL : 0;
}

int memfs_node_access(memfs *fs, const struct memfs_cred *cred, memfs_node node, uint32_t mask)
{
    struct look look = {.cred = cred, .node = node, .leaf = access_leaf, .mask = mask};
    int error = check_mask(mask);
    return error ? error : op_read(fs, look_body, &look);
}

int memfs_access(memfs *fs, const struct memfs_cred *cred, const char *path, uint32_t mask)
{
    struct look look = {.cred = cred, .mask = mask};
    int error = check_mask(mask);
    return error ? error : path_apply(fs, cred, path, PATH_FOLLOW, access_leaf, &look);
}

static int readlink_leaf(struct op *op, uint32_t number, const struct memfs_node_record *node, void *argument)
{
    struct look *look = argument;
    const char *target = NULL;
    (void)number;
    if (node_type(node) != MEMFS_IFLNK)
        return -EINVAL;
    if (node->size == 0 || node->size > MEMFS_TARGET_MAX)
        return MEMFS_ECORRUPT;
    size_t length = (size_t)node->size;
    int error = heap_get(op, MEMFS_BLOBS, node->target, length, &target);
    if (error)
        return error;
    if (memchr(target, 0, length))
        return MEMFS_ECORRUPT;
    look->length = (int64_t)length;
    if (look->size)
        memcpy(look->buffer, target, length < look->size ? length : look->size);
    return 0;
}

int64_t memfs_node_readlink(memfs *fs, memfs_node node, char *buffer, size_t size)
{
    struct look look = {.node = node, .leaf = readlink_leaf, .buffer = buffer, .size = size};
    int error = op_read(fs, look_body, &look);
    return error ? error : look.length;
}

int64_t memfs_readlink(memfs *fs, const struct memfs_cred *cred, const char *path, char *buffer, size_t size)
{
    struct look look = {.buffer = buffer, .size = size};
    int error = path_apply(fs, cred, path, 0, readlink_leaf, &look);
    return error ? error : look.length;
}

/* ---- The way up ------------------------------------------------------------------- */

#define CLIMB_MORE 1       /* what a section ends with that has taken long enough */
#define CLIMB_STEPS 1024   /* levels in one section at most */
#define CLIMB_RESTARTS 16u /* how often changes may interrupt it before it is done in one section */

/* A directory's way up, in sections. */
struct climb {
    memfs_node node;
    int has_names; /* the path is wanted, not only how long the way is */
    char *buffer;  /* the path is written at its end, backwards */
    size_t size;
    struct node_climb way;
    unsigned starts;
    int64_t length; /* of the path so far */
};

static void write_name(struct climb *climb, const char *name, size_t length)
{
    climb->length += (int64_t)length + 1;
    if ((uint64_t)climb->length >= climb->size)
        return; /* does not fit; how long it is is still to be found out */
    char *at = climb->buffer + (climb->size - 1 - (size_t)climb->length);
    at[0] = '/';
    memcpy(at + 1, name, length);
}

static int climb_step(struct op *op, struct climb *climb)
{
    struct node_climb way = climb->way;
    const struct memfs_node_record *left = NULL;
    const char *name = NULL;
    size_t length = 0;
    int error = node_climb_step(op, &way, &left);
    if (!error && climb->has_names)
        error = dir_entry_name(op, left->up.entry, &name, &length);
    if (error)
        return error;
    if (climb->has_names)
        write_name(climb, name, length);
    climb->way = way;
    return 0;
}

static int climb_section(struct op *op, void *argument)
{
    struct climb *climb = argument;
    const struct memfs_node_record *node = NULL;
    int error = node_get_dir(op, climb->node, &node);
    if (error)
        return error;
    if (node_climb_begin(op, node_number(climb->node), &climb->way)) {
        climb->length = 0;
        climb->starts++;
    }
    for (int steps = 0; !error && climb->way.reached != NODE_ROOT; steps++) {
        int is_long = steps >= CLIMB_STEPS || (steps && op->pin_count >= OP_PINS_MANY);
        if (is_long && climb->starts <= CLIMB_RESTARTS)
            return CLIMB_MORE;
        error = climb_step(op, climb);
    }
    return error;
}

static int climb_all(memfs *fs, struct climb *climb)
{
    int error;
    do
        error = op_read(fs, climb_section, climb);
    while (error == CLIMB_MORE);
    return error;
}

int64_t memfs_node_depth(memfs *fs, memfs_node dir)
{
    struct climb climb = {.node = dir};
    int error = climb_all(fs, &climb);
    return error ? error : (int64_t)climb.way.steps;
}

int64_t memfs_node_path(memfs *fs, memfs_node node, char *buffer, size_t size)
{
    struct climb climb = {.node = node, .has_names = 1, .buffer = buffer, .size = size};
    int error = climb_all(fs, &climb);
    if (error)
        return error;
    if (climb.length == 0)
        write_name(&climb, "", 0);
    if (size == 0)
        return climb.length;
    if ((uint64_t)climb.length >= size)
        return -ERANGE;
    size_t length = (size_t)climb.length;
    memmove(buffer, buffer + (size - 1 - length), length);
    buffer[length] = 0;
    return climb.length;
}

/* ---- Changing ----------------------------------------------------------------------- */

struct change {
    const struct memfs_cred *cred;
    memfs_node node;
    const struct memfs_setattr *set;
    int wants_stat;
    /* What reach leaves to commit. */
    struct memfs_node_record *own;
    struct content_plan content;
    struct xattr_plan xattrs;
    uint32_t mode; /* permission bits */
    uint32_t uid, gid;
    int64_t atime, mtime, ctime;
    struct memfs_stat stat; /* before */
};

static int check_size(const struct memfs_node_record *node, uint64_t size)
{
    if (node_is_dir(node))
        return -EISDIR;
    if (node_type(node) != MEMFS_IFREG)
        return -EINVAL;
    return size > (uint64_t)MEMFS_SIZE_MAX ? -EFBIG : 0;
}

/* Does the owner's right suffice for a new owner or group? */
static int owner_may_give(const struct change *change, const struct memfs_node_record *node)
{
    const struct memfs_setattr *set = change->set;
    if ((set->set & MEMFS_SET_UID) && set->uid != node->uid)
        return 0;
    return !(set->set & MEMFS_SET_GID) || set->gid == node->gid || cred_in_group(change->cred, set->gid);
}

/* May the caller do this? */
static int check_rights(struct op *op, const struct change *change, const struct memfs_node_record *node)
{
    uint32_t set = change->set->set;
    int error = set & MEMFS_SET_SIZE ? check_size(node, change->set->size) : 0;
    if (error || !change->cred)
        return error;
    if (set & MEMFS_SET_CTIME)
        return -EPERM;
    if ((set & MEMFS_SET_MODE) && node_type(node) == MEMFS_IFLNK)
        return -EOPNOTSUPP;
    int is_owner = cred_is_privileged(change->cred) || change->cred->uid == node->uid;
    if (!cred_is_privileged(change->cred) && (set & (MEMFS_SET_UID | MEMFS_SET_GID)) &&
        !(is_owner && owner_may_give(change, node)))
        return -EPERM;
    if ((set & MEMFS_SET_MODE) && !is_owner)
        return -EPERM;
    if ((set & SET_TIMES) && (set & SET_BOTH_NOW) != SET_BOTH_NOW && !is_owner)
        return -EPERM;
    uint32_t writes = set & MEMFS_SET_SIZE || (set & SET_TIMES && !is_owner) ? MEMFS_W_OK : 0;
    return cred_check(op, change->cred, node, writes);
}

static void compute(struct change *change, const struct memfs_node_record *node, int64_t now)
{
    const struct memfs_setattr *set = change->set;
    const struct memfs_cred *cred = change->cred;
    uint32_t what = set->set;
    int gives = (what & (MEMFS_SET_UID | MEMFS_SET_GID)) && !node_is_dir(node);
    change->mode = node->mode & MODE_ALL;
    if (gives || ((what & MEMFS_SET_SIZE) && !cred_is_privileged(cred)))
        change->mode = cred_drop_setid(cred, change->mode, node->gid);
    change->uid = what & MEMFS_SET_UID ? set->uid : node->uid;
    change->gid = what & MEMFS_SET_GID ? set->gid : node->gid;
    if ((what & MEMFS_SET_MODE) && node_type(node) != MEMFS_IFLNK) {
        change->mode = set->mode & MODE_ALL;
        if (!cred_is_privileged(cred) && !cred_in_group(cred, change->gid))
            change->mode &= ~MODE_SETGID;
    }
    change->atime = what & MEMFS_SET_ATIME ? set->atime : node->atime;
    change->mtime = what & MEMFS_SET_MTIME ? set->mtime : node->mtime;
    if (what & MEMFS_SET_ATIME_NOW)
        change->atime = now;
    if ((what & MEMFS_SET_MTIME_NOW) || ((what & MEMFS_SET_SIZE) && !(what & MEMFS_SET_MTIME)))
        change->mtime = now;
    change->ctime = what & MEMFS_SET_CTIME ? set->ctime : now;
}

/* The ACL that the node has, with the new mode, in memory of its own; *copy NULL if it
 * has none that makes sense. */
static int copy_acl(struct op *op, const struct memfs_node_record *node, uint32_t mode, void **copy, size_t *size)
{
    const char *acl = NULL;
    int error = xattr_find(op, node, XATTR_ACL_ACCESS, &acl, size);
    if (error)
        return error == -ENODATA ? 0 : error;
    int empty;
    if (acl_check(acl, *size, &empty) || empty)
        return 0;
    *copy = memfs_alloc(&op->fs->allocator, *size);
    if (!*copy)
        return -ENOMEM;
    memcpy(*copy, acl, *size);
    acl_set_mode(*copy, *size, mode);
    return 0;
}

/* A new mode changes the access ACL; a new owner or new contents end a file's
 * capabilities. */
static int reach_xattrs(struct op *op, struct change *change, const struct memfs_node_record *node)
{
    uint32_t set = change->set->set;
    struct xattr_edit edits[2];
    size_t count = 0;
    if (!node->xattrs)
        return 0;
    if (!node_is_dir(node) && (set & (MEMFS_SET_UID | MEMFS_SET_GID | MEMFS_SET_SIZE))) {
        const char *value = NULL;
        size_t size = 0;
        int error = xattr_find(op, node, XATTR_CAPABILITY, &value, &size);
        if (error && error != -ENODATA)
            return error;
        if (!error)
            edits[count++] = (struct xattr_edit){.name = XATTR_CAPABILITY};
    }
    void *acl = NULL;
    size_t size = 0;
    int error = set & MEMFS_SET_MODE ? copy_acl(op, node, change->mode, &acl, &size) : 0;
    if (acl)
        edits[count++] = (struct xattr_edit){XATTR_ACL_ACCESS, acl, size};
    if (!error && count)
        error = xattr_reach_edit(op, node, edits, count, &change->xattrs);
    memfs_free(&op->fs->allocator, acl, size);
    return error;
}

static int reach_change(struct op *op, void *argument)
{
    struct change *change = argument;
    const struct memfs_node_record *node = NULL;
    uint32_t number = node_number(change->node);
    plan_init(&change->content);
    int error = node_get(op, change->node, &node);
    if (!error)
        error = check_rights(op, change, node);
    if (!error && change->wants_stat)
        error = node_stat(op, number, node, &change->stat);
    if (error)
        return error;
    compute(change, node, fs_now(op->fs));
    error = reach_xattrs(op, change, node);
    if (!error)
        error = node_own(op, number, &change->own);
    if (!error && (change->set->set & MEMFS_SET_SIZE))
        error = content_reach_resize(op, number, change->set->size, &change->content);
    if (error) {
        xattr_cancel(op->fs, &change->xattrs);
        content_cancel(op->fs, &change->content);
    }
    return error;
}

static void commit_change(struct op *op, void *argument)
{
    struct change *change = argument;
    struct memfs_node_record *own = change->own;
    if (change->set->set & MEMFS_SET_SIZE)
        content_resize(op->fs, &change->content);
    xattr_replace(op->fs, own, &change->xattrs);
    own->mode = (own->mode & ~MODE_ALL) | change->mode;
    own->uid = change->uid;
    own->gid = change->gid;
    own->atime = change->atime;
    own->mtime = change->mtime;
    own->ctime = change->ctime;
}

static void stat_after(const struct change *change, struct memfs_stat *out)
{
    *out = change->stat;
    out->mode = (out->mode & ~MODE_ALL) | change->mode;
    out->uid = change->uid;
    out->gid = change->gid;
    out->atime = change->atime;
    out->mtime = change->mtime;
    out->ctime = change->ctime;
    if (change->set->set & MEMFS_SET_SIZE)
        out->size = change->set->size;
}

int memfs_node_setattr(memfs *fs, const struct memfs_cred *cred, memfs_node node, const struct memfs_setattr *set,
                       struct memfs_stat *out)
{
    struct change change = {.cred = cred, .node = node, .set = set, .wants_stat = out != NULL};
    if (set->set & ~SET_ALL)
        return -EINVAL;
    if (!set->set)
        return out ? memfs_node_stat(fs, node, out) : memfs_node_access(fs, NULL, node, 0);
    int error = op_write(fs, reach_change, commit_change, &change);
    if (error || !out)
        return error;
    /* How much is allocated now has to be asked; that may fail, but the change did not. */
    if (!(set->set & MEMFS_SET_SIZE) || memfs_node_stat(fs, node, out) != 0)
        stat_after(&change, out);
    return 0;
}

int memfs_setattr(memfs *fs, const struct memfs_cred *cred, const char *path, int follow,
                  const struct memfs_setattr *set)
{
    memfs_node node;
    int error = path_resolve(fs, cred, path, follow ? PATH_FOLLOW : 0, &node);
    if (error)
        return error;
    error = memfs_node_setattr(fs, cred, node, set, NULL);
    memfs_node_forget(fs, node, 1);
    return error;
}

int memfs_truncate(memfs *fs, const struct memfs_cred *cred, const char *path, uint64_t size)
{
    struct memfs_setattr set = {.set = MEMFS_SET_SIZE, .size = size};
    return memfs_setattr(fs, cred, path, 1, &set);
}
