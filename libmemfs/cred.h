/*
 * Who may do what: POSIX permissions and ACLs.
 */
#ifndef MEMFS_CRED_H
#define MEMFS_CRED_H

#include "node.h"
#include "xattr.h"

#define MODE_SETUID 04000u
#define MODE_SETGID 02000u
#define MODE_STICKY 01000u
#define MODE_GROUP_EXECUTE 010u
#define MODE_ALL 07777u /* with the permissions */

/* Is this caller allowed to do everything (no credentials, or uid 0)? */
int cred_is_privileged(const struct memfs_cred *cred);
/* For those who are not privileged: with credentials. */
int cred_in_group(const struct memfs_cred *cred, uint32_t gid);

/* mask of MEMFS_R_OK, MEMFS_W_OK, MEMFS_X_OK: 0, -EACCES, OP_MISS. As Linux: uid
 * 0 may execute a file only if somebody may. */
int cred_check_given(struct op *op, const struct memfs_cred *cred, const struct memfs_node_record *node, uint32_t mask);
static inline int cred_check(struct op *op, const struct memfs_cred *cred, const struct memfs_node_record *node,
                             uint32_t mask)
{
    return cred ? cred_check_given(op, cred, node, mask) : 0;
}

/* May the caller remove `node` from `dir`: sticky directories. 0, -EPERM. (Writing
 * to dir is to be checked besides.) */
int cred_check_sticky(const struct memfs_cred *cred, const struct memfs_node_record *dir,
                      const struct memfs_node_record *node);

/* What is left of a file's mode when it comes to have another owner, or when a
 * caller without privileges has changed it: no setuid, and no setgid where it is
 * more than a mark. gid is the file's. */
uint32_t cred_drop_setid(const struct memfs_cred *cred, uint32_t mode, uint32_t gid);

/* Owner, group and mode of a new node in dir: setgid directories, the umask or the
 * directory's default ACL, which also gives the new node's ACLs (plan). mode
 * has the type. Without credentials: owner 0:0 and the mode as given, but for
 * the default ACL. */
struct cred_new {
    uint32_t mode, uid, gid;
    struct xattr_plan acl; /* starts as none */
};
int cred_reach_new(struct op *op, const struct memfs_cred *cred, const struct memfs_node_record *dir, uint32_t mode,
                   struct cred_new *out);

#endif
