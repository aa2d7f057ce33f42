/*
 * Access control lists, as Linux stores them in attributes: little-endian, a
 * version and then entries of tag, permissions and id.
 */
#ifndef MEMFS_ACL_H
#define MEMFS_ACL_H

#include "memfs.h"

/* Is it an ACL? 0, -EINVAL. One without any entries is none: then *empty is 1. */
int acl_check(const void *acl, size_t size, int *empty);

/* The functions below want an ACL that acl_check() accepts, and not empty. */

/* Puts the permissions that the ACL stands for into mode; returns whether the
 * ACL says more than the mode can. */
int acl_to_mode(const void *acl, size_t size, uint32_t *mode);

/* A mode without the ACL: its group bits, which say what the ACL gives anybody but owner and others at most, become
 * what it gives the owning group. */
uint32_t acl_leave(const void *acl, size_t size, uint32_t mode);

/* Gives the ACL the permissions of a new mode. */
void acl_set_mode(void *acl, size_t size, uint32_t mode);

/* A default ACL becomes that of a new node: takes from it what mode does not
 * have, and from mode what the ACL does not. Returns whether the ACL says more
 * than the mode can. */
int acl_inherit(void *acl, size_t size, uint32_t *mode);

/* Does the ACL of a node with this owner give the caller, who is not the owner, all of mask? */
int acl_permits(const void *acl, size_t size, const struct memfs_cred *cred, uint32_t gid, uint32_t mask);

#endif
