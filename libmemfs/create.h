/*
 * Making nodes, and giving them names.
 */
#ifndef MEMFS_CREATE_H
#define MEMFS_CREATE_H

#include "cred.h"
#include "dir.h"

struct creation {
    const struct memfs_cred *cred;
    memfs_node dir;
    struct dir_name *name; /* NULL: none */
    int is_free;           /* the name is known not to be there */
    uint64_t path_hash;    /* as struct path_end has it */
    uint32_t mode;         /* with the type */
    uint32_t major, minor;
    const char *target;
    size_t target_length;
    memfs_node linked; /* the node to be named; 0: a new one */
    memfs_node *out;
    int opens; /* out gets an open count, not a look-up count */
    /* What reach has prepared. */
    struct cred_new owner;
    struct dir_insertion insertion;
    uint64_t target_offset;
    int64_t now;
    uint32_t held; /* the number of the node to come, if it is held already */
};

/* For nothing yet. By hand: the room of what reach prepares need not be cleared. */
static inline void creation_init(struct creation *creation, const struct memfs_cred *cred, memfs_node dir,
                                 uint32_t mode)
{
    creation->cred = cred;
    creation->dir = dir;
    creation->name = NULL;
    creation->is_free = 0;
    creation->path_hash = 0;
    creation->mode = mode;
    creation->major = creation->minor = 0;
    creation->target = NULL;
    creation->target_length = 0;
    creation->linked = 0;
    creation->out = NULL;
    creation->opens = 0;
    xattr_plan_init(&creation->owner.acl);
    creation->insertion.name = NULL;
    creation->target_offset = 0;
    creation->held = 0;
}

/* For op_write(), with a struct creation. */
int create_reach(struct op *op, void *creation);
void create_commit(struct op *op, void *creation);

#endif
