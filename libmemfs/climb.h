/*
 * Climbing: is an insertion what a path from the root leads to? Told from the path's end,
 * by the names on the way up. A walk down finds the same, since a directory has no name twice.
 */
#ifndef MEMFS_CLIMB_H
#define MEMFS_CLIMB_H

#include "cred.h"
#include "dir.h"

/* Reach: whether an entry is, for whom all directories above may be searched; then its node.
 * The entry may be any; the path begins and ends with a name. 0 also for what only a walk
 * down can tell: for whatever is no insertion, not resident, not allowed, or damaged. */
int climb(struct op *op, const struct memfs_cred *cred, uint32_t entry, const char *path, size_t length,
          uint32_t *number, const struct memfs_node_record **node);

#endif
