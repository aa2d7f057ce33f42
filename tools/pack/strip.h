/*
 * Paths without their first names, as tar's --strip-components has it.
 */
#ifndef MEMFS_TOOLS_STRIP_H
#define MEMFS_TOOLS_STRIP_H

#include "memfs.h"

/* Told of a path that, cut, would be one that something else has already. 0 leaves it out. */
typedef int strip_conflict_fn(void *context, const char *path);

/* Moves everything so many directories up; what has no more names than that goes away. Directories
 * that come to have one path become one, with the attributes of the first in path order. Paths that
 * were cut are as they were but for that. The library's error; -EEXIST for a conflict that is not
 * to be left out. The filesystem is then good for nothing but to be destroyed. */
int strip_components(memfs *fs, uint64_t components, strip_conflict_fn *conflict, void *context);

#endif
