#include "cred.h"

#include "acl.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

int cred_is_privileged(const struct memfs_cred *cred)
{
    return !cred || cred->uid == 0;
}

int cred_in_group(const struct memfs_cred *cred, uint32_t gid)
{
    if (cred->gid == gid)
        return 1;
    for (uint32_t i = 0; i < cred->ngroups; i++)
        if (cred->groups[i] == gid)
            return 1;
    return 0;
}

/* A node's ACL, if it has one that makes sense: 1, 0, or an error. What an image
 * brought is not trusted to be well-formed; then the mode alone counts. */
static int find_acl(struct op *op, const struct memfs_node_record *node, const char *name, const char **acl,
                    size_t *size)
{
    if (!node->xattrs)
        return 0;
    int error = xattr_find(op, node, name, acl, size);
    if (error)
        return error == -ENODATA ? 0 : error;
    int empty;
    return acl_check(*acl, *size, &empty) == 0 && !empty;
}

int cred_check_given(struct op *op, const struct memfs_cred *cred, const struct memfs_node_record *node, uint32_t mask)
{
    if (cred->uid == 0)
        return (mask & MEMFS_X_OK) && !node_is_dir(node) && !(node->mode & 0111) ? -EACCES : 0;
    uint32_t allowed = node->mode;
    if (cred->uid == node->uid) {
        allowed >>= 6;
    } else {
        const char *acl = NULL;
        size_t size = 0;
        int has_acl = node->mode & 070 ? find_acl(op, node, XATTR_ACL_ACCESS, &acl, &size) : 0;
        if (has_acl < 0)
            return has_acl;
        if (has_acl)
            return acl_permits(acl, size, cred, node->gid, mask) ? 0 : -EACCES;
        if (cred_in_group(cred, node->gid))
            allowed >>= 3;
    }
    return mask & ~allowed ? -EACCES : 0;
}

int cred_check_sticky(const struct memfs_cred *cred, const struct memfs_node_record *dir,
                      const struct memfs_node_record *node)
{
    if (!(dir->mode & MODE_STICKY) || cred_is_privileged(cred) || cred->uid == node->uid || cred->uid == dir->uid)
        return 0;
    return -EPERM;
}

uint32_t cred_drop_setid(const struct memfs_cred *cred, uint32_t mode, uint32_t gid)
{
    if ((mode & MODE_GROUP_EXECUTE) || (!cred_is_privileged(cred) && !cred_in_group(cred, gid)))
        mode &= ~MODE_SETGID;
    return mode & ~MODE_SETUID;
}

/* The new node's ACLs from its directory's default one. */
static int inherit_acl(struct op *op, const char *acl, size_t size, struct cred_new *out)
{
    char *copy = memfs_alloc(&op->fs->allocator, size);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, acl, size);
    struct xattr_edit edits[2];
    size_t count = 0;
    if (acl_inherit(copy, size, &out->mode))
        edits[count++] = (struct xattr_edit){XATTR_ACL_ACCESS, copy, size};
    if ((out->mode & MEMFS_IFMT) == MEMFS_IFDIR)
        edits[count++] = (struct xattr_edit){XATTR_ACL_DEFAULT, acl, size};
    int error = count ? xattr_reach_edit(op, NULL, edits, count, &out->acl) : 0;
    memfs_free(&op->fs->allocator, copy, size);
    return error;
}

/* Group and setgid bit, with credentials: a setgid directory hands on its group,
 * and to directories the bit. */
static void apply_setgid(const struct memfs_cred *cred, const struct memfs_node_record *dir, struct cred_new *out)
{
    if (!(dir->mode & MODE_SETGID))
        return;
    out->gid = dir->gid;
    if ((out->mode & MEMFS_IFMT) == MEMFS_IFDIR)
        out->mode |= MODE_SETGID;
    else if ((out->mode & MODE_SETGID) && (out->mode & MODE_GROUP_EXECUTE) && !cred_is_privileged(cred) &&
             !cred_in_group(cred, dir->gid))
        out->mode &= ~MODE_SETGID;
}

int cred_reach_new(struct op *op, const struct memfs_cred *cred, const struct memfs_node_record *dir, uint32_t mode,
                   struct cred_new *out)
{
    uint32_t type = mode & MEMFS_IFMT;
    assert(!out->acl.active);
    out->mode = mode & MEMFS_MODE_BITS;
    out->uid = cred ? cred->uid : 0;
    out->gid = cred ? cred->gid : 0;
    if (cred) {
        if (type == MEMFS_IFDIR)
            out->mode &= ~(MODE_SETUID | MODE_SETGID);
        apply_setgid(cred, dir, out);
    }
    if (type == MEMFS_IFLNK)
        return 0;
    const char *acl = NULL;
    size_t size = 0;
    int has_acl = find_acl(op, dir, XATTR_ACL_DEFAULT, &acl, &size);
    if (has_acl < 0)
        return has_acl;
    if (has_acl)
        return inherit_acl(op, acl, size, out);
    if (cred)
        out->mode &= ~(cred->umask & 0777u);
    return 0;
}
