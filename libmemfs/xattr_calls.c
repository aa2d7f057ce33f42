#include "acl.h"
#include "cred.h"
#include "path.h"

#include <errno.h>
#include <string.h>

/* ---- Who may ------------------------------------------------------------------- */

static int is_acl(const char *name)
{
    return strcmp(name, XATTR_ACL_ACCESS) == 0 || strcmp(name, XATTR_ACL_DEFAULT) == 0;
}

static int may_user(struct op *op, const struct memfs_cred *cred, const struct memfs_node_record *node, uint32_t mask)
{
    int writes = mask == MEMFS_W_OK;
    if (node_type(node) != MEMFS_IFREG && !node_is_dir(node))
        return writes ? -EPERM : -ENODATA;
    int is_sticky = node_is_dir(node) && (node->mode & MODE_STICKY);
    if (writes && is_sticky && !cred_is_privileged(cred) && cred->uid != node->uid)
        return -EPERM;
    return cred_check(op, cred, node, mask);
}

/* May the caller use this attribute (not for writing ACLs), as Linux has it? mask
 * is MEMFS_R_OK or MEMFS_W_OK. */
static int may_use(struct op *op, const struct memfs_cred *cred, const struct memfs_node_record *node, const char *name,
                   uint32_t mask)
{
    if (!cred)
        return 0;
    if (is_acl(name))
        return node_type(node) == MEMFS_IFLNK ? -EOPNOTSUPP : 0;
    const char *rest = strchr(name, '.');
    const size_t length = strlen(name);
    int error = 0;
    if (xattr_begins_with(name, length, "security.")) {
        if (mask == MEMFS_W_OK && !cred_is_privileged(cred))
            error = -EPERM;
    } else if (xattr_begins_with(name, length, "trusted.")) {
        if (!cred_is_privileged(cred))
            error = mask == MEMFS_W_OK ? -EPERM : -ENODATA;
    } else if (xattr_begins_with(name, length, "user.")) {
        error = may_user(op, cred, node, mask);
    } else {
        error = xattr_begins_with(name, length, "system.") ? 0 : cred_check(op, cred, node, mask);
        return error ? error : -EOPNOTSUPP;
    }
    if (!error && !rest[1])
        error = -EINVAL;
    return error;
}

static int check_name(const char *name)
{
    size_t length = strlen(name);
    return length == 0 || length > MEMFS_NAME_MAX ? -ERANGE : 0;
}

/* ---- Looking --------------------------------------------------------------------- */

struct xattr_look {
    const struct memfs_cred *cred;
    memfs_node node;
    const char *name;
    char *buffer;
    size_t size;   /* 0: only the length is wanted */
    size_t length; /* of the result */
};

static int get_leaf(struct op *op, uint32_t number, const struct memfs_node_record *node, void *argument)
{
    struct xattr_look *look = argument;
    const char *value = NULL;
    (void)number;
    int error = may_use(op, look->cred, node, look->name, MEMFS_R_OK);
    if (!error)
        error = xattr_find(op, node, look->name, &value, &look->length);
    if (error || look->size == 0)
        return error;
    if (look->length > look->size)
        return -ERANGE;
    if (look->length)
        memcpy(look->buffer, value, look->length);
    return 0;
}

static int list_leaf(struct op *op, uint32_t number, const struct memfs_node_record *node, void *argument)
{
    struct xattr_look *look = argument;
    struct xattr_cursor cursor = xattr_cursor(node);
    const struct memfs_xattr *record = NULL;
    int more;
    (void)number;
    look->length = 0;
    while ((more = xattr_next(op, &cursor, &record)) > 0) {
        if (!cred_is_privileged(look->cred) && xattr_begins_with(cursor.name, cursor.name_length, "trusted."))
            continue;
        size_t end = look->length + cursor.name_length + 1;
        if (look->size) {
            if (end > look->size)
                return -ERANGE;
            memcpy(look->buffer + look->length, cursor.name, cursor.name_length);
            look->buffer[end - 1] = 0;
        }
        look->length = end;
    }
    return more;
}

static int get_body(struct op *op, void *argument)
{
    struct xattr_look *look = argument;
    const struct memfs_node_record *node = NULL;
    int error = node_get(op, look->node, &node);
    return error ? error : get_leaf(op, node_number(look->node), node, look);
}

static int list_body(struct op *op, void *argument)
{
    struct xattr_look *look = argument;
    const struct memfs_node_record *node = NULL;
    int error = node_get(op, look->node, &node);
    return error ? error : list_leaf(op, node_number(look->node), node, look);
}

int64_t memfs_node_getxattr(memfs *fs, const struct memfs_cred *cred, memfs_node node, const char *name, void *buffer,
                            size_t size)
{
    struct xattr_look look = {.cred = cred, .node = node, .name = name, .buffer = buffer, .size = size};
    int error = check_name(name);
    if (!error)
        error = op_read(fs, get_body, &look);
    return error ? error : (int64_t)look.length;
}

int64_t memfs_getxattr(memfs *fs, const struct memfs_cred *cred, const char *path, int follow, const char *name,
                       void *buffer, size_t size)
{
    struct xattr_look look = {.cred = cred, .name = name, .buffer = buffer, .size = size};
    int error = check_name(name);
    if (!error)
        error = path_apply(fs, cred, path, follow ? PATH_FOLLOW : 0, get_leaf, &look);
    return error ? error : (int64_t)look.length;
}

int64_t memfs_node_listxattr(memfs *fs, const struct memfs_cred *cred, memfs_node node, char *buffer, size_t size)
{
    struct xattr_look look = {.cred = cred, .node = node, .buffer = buffer, .size = size};
    int error = op_read(fs, list_body, &look);
    return error ? error : (int64_t)look.length;
}

int64_t memfs_listxattr(memfs *fs, const struct memfs_cred *cred, const char *path, int follow, char *buffer,
                        size_t size)
{
    struct xattr_look look = {.cred = cred, .buffer = buffer, .size = size};
    int error = path_apply(fs, cred, path, follow ? PATH_FOLLOW : 0, list_leaf, &look);
    return error ? error : (int64_t)look.length;
}

struct xattr_sum {
    memfs_node node;
    int privileged;
    uint64_t bytes;
};

static int sum_body(struct op *op, void *argument)
{
    struct xattr_sum *sum = argument;
    const struct memfs_node_record *node = NULL;
    const struct memfs_xattr *record;
    int r = node_get(op, sum->node, &node);
    if (r)
        return r;
    sum->bytes = 0;
    struct xattr_cursor cursor = xattr_cursor(node);
    while ((r = xattr_next(op, &cursor, &record)) > 0) {
        if (sum->privileged || !xattr_is_privileged(cursor.name, cursor.name_length))
            sum->bytes += cursor.name_length + record->value_length;
    }
    return r;
}

int memfs_node_xattr_bytes(memfs *fs, memfs_node node, int privileged, uint64_t *bytes)
{
    struct xattr_sum sum = {.node = node, .privileged = privileged};
    int error = op_read(fs, sum_body, &sum);
    if (!error)
        *bytes = sum.bytes;
    return error;
}

/* ---- Changing --------------------------------------------------------------------- */

struct xattr_change {
    const struct memfs_cred *cred;
    memfs_node node;
    const char *name;
    const void *value; /* NULL: remove */
    size_t size;
    uint32_t flags;
    /* What reach leaves to commit. */
    struct memfs_node_record *own;
    struct xattr_plan plan;
    uint32_t mode;
    int64_t now;
};

/* An access ACL is in part the mode; one that says no more than it is not kept. */
static int reach_acl(struct op *op, struct xattr_change *change, const struct memfs_node_record *node)
{
    int is_access = strcmp(change->name, XATTR_ACL_ACCESS) == 0;
    int removes = 1;
    int error = change->value ? acl_check(change->value, change->size, &removes) : 0;
    if (error)
        return error;
    if (node_type(node) == MEMFS_IFLNK)
        return -EOPNOTSUPP;
    if (!is_access && !node_is_dir(node) && !removes)
        return -EACCES;
    if (!cred_is_privileged(change->cred) && change->cred->uid != node->uid)
        return -EPERM;
    if (is_access && !removes) {
        removes = !acl_to_mode(change->value, change->size, &change->mode);
        if (!cred_is_privileged(change->cred) && !cred_in_group(change->cred, node->gid))
            change->mode &= ~MODE_SETGID;
    }
    struct xattr_edit edit = {change->name, removes ? NULL : change->value, change->size};
    return xattr_reach_edit(op, node, &edit, 1, &change->plan);
}

static int reach_change(struct op *op, void *argument)
{
    struct xattr_change *change = argument;
    const struct memfs_node_record *node = NULL;
    int error = node_get(op, change->node, &node);
    if (error)
        return error;
    change->mode = node->mode;
    if (is_acl(change->name)) {
        error = reach_acl(op, change, node);
    } else {
        error = may_use(op, change->cred, node, change->name, MEMFS_W_OK);
        if (!error)
            error = xattr_reach_set(op, node, change->name, change->value, change->size, change->flags, &change->plan);
    }
    if (!error)
        error = node_own(op, node_number(change->node), &change->own);
    if (error)
        xattr_cancel(op->fs, &change->plan);
    else
        change->now = fs_now(op->fs);
    return error;
}

static void commit_change(struct op *op, void *argument)
{
    struct xattr_change *change = argument;
    xattr_replace(op->fs, change->own, &change->plan);
    change->own->mode = change->mode;
    change->own->ctime = change->now;
}

int memfs_node_setxattr(memfs *fs, const struct memfs_cred *cred, memfs_node node, const char *name, const void *value,
                        size_t size, uint32_t flags)
{
    if ((flags & ~(MEMFS_XATTR_CREATE | MEMFS_XATTR_REPLACE)) || (!value && size))
        return -EINVAL;
    int error = check_name(name);
    if (error)
        return error;
    if (size > MEMFS_XATTR_MAX)
        return -E2BIG;
    struct xattr_change change = {
        .cred = cred, .node = node, .name = name, .value = value ? value : "", .size = size, .flags = flags};
    return op_write(fs, reach_change, commit_change, &change);
}

int memfs_node_removexattr(memfs *fs, const struct memfs_cred *cred, memfs_node node, const char *name)
{
    struct xattr_change change = {.cred = cred, .node = node, .name = name};
    int error = check_name(name);
    return error ? error : op_write(fs, reach_change, commit_change, &change);
}

int memfs_setxattr(memfs *fs, const struct memfs_cred *cred, const char *path, int follow, const char *name,
                   const void *value, size_t size, uint32_t flags)
{
    memfs_node node;
    int error = path_resolve(fs, cred, path, follow ? PATH_FOLLOW : 0, &node);
    if (error)
        return error;
    error = memfs_node_setxattr(fs, cred, node, name, value, size, flags);
    memfs_node_forget(fs, node, 1);
    return error;
}

int memfs_removexattr(memfs *fs, const struct memfs_cred *cred, const char *path, int follow, const char *name)
{
    memfs_node node;
    int error = path_resolve(fs, cred, path, follow ? PATH_FOLLOW : 0, &node);
    if (error)
        return error;
    error = memfs_node_removexattr(fs, cred, node, name);
    memfs_node_forget(fs, node, 1);
    return error;
}
