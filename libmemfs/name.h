/*
 * Names given by callers. (What a backing's names must be: memfs_name_ok().)
 */
#ifndef MEMFS_NAME_H
#define MEMFS_NAME_H

#include <stddef.h>

/* The length of a name that may stand in a directory: 0, -ENOENT for an empty
 * one, -ENAMETOOLONG, -EINVAL for ".", ".." or one with a slash. */
int name_measure(const char *name, size_t *length);

#endif
