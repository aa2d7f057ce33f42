/*
 * Climbing: does a path lead where hints say (hint.h)? Told from its directory upwards, by the names on the way to the
 * root; and of the last name by its entry. A walk down finds the same, since a directory has no name twice.
 *
 * All of it is reach. 0 is also what only a walk down can tell: of whatever is no insertion, not resident,
 * not allowed, or damaged.
 */
#ifndef MEMFS_CLIMB_H
#define MEMFS_CLIMB_H

#include "cred.h"
#include "dir.h"

/* Whether a path from the root leads to a directory, by its number, and it and all above it may be searched; then its
 * record. The number may be any; the path begins and ends with a name, or is empty: that leads to the root. */
int climb_up(struct op *op, const struct memfs_cred *cred, uint32_t dir, const char *path, size_t length,
             const struct memfs_node_record **node);

/* Whether an entry, which may be any, has this name in that directory; then its node, of any type. */
int climb_down(struct op *op, uint32_t dir, uint32_t entry, const char *name, size_t length, uint32_t *number,
               const struct memfs_node_record **node);

#endif
