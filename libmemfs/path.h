/*
 * Paths: from text to nodes. As many components as possible are walked in one
 * section of a reader, without look-up counts in between; symbolic links are
 * expanded into a buffer, so nothing recurses.
 */
#ifndef MEMFS_PATH_H
#define MEMFS_PATH_H

#include "node.h"

#define PATH_FOLLOW 1u /* a symbolic link at the end is followed */

/* The node of a path, with a look-up count for memfs_node_forget() (none for out NULL). A slash at
 * the end asks for a directory, and follows. 0, -ENOENT, -ENOTDIR, -EACCES,
 * -ELOOP, -ENAMETOOLONG, ... */
int path_resolve(memfs *fs, const struct memfs_cred *cred, const char *path, unsigned flags, memfs_node *out);

/* All but the last component: the directory, with a look-up count, and the
 * component, not looked up. name is "." or ".." if that stands last, and "" if
 * the path has no component ("/"). slash (may be NULL) says whether slashes follow. */
int path_parent(memfs *fs, const struct memfs_cred *cred, const char *path, memfs_node *dir,
                char name[MEMFS_NAME_MAX + 1], int *slash);

/* The same, but symbolic links at the end are followed, as open() with O_CREAT
 * needs it: name was not there, or was no symbolic link. A link with slashes
 * behind is not followed. */
int path_parent_follow(memfs *fs, const struct memfs_cred *cred, const char *path, memfs_node *dir,
                       char name[MEMFS_NAME_MAX + 1], int *slash);

/* Calls leaf with the path's node as a reader, in the section that found it:
 * for operations that only look. leaf must be ready to be called again. */
typedef int path_leaf(struct op *op, uint32_t number, const struct memfs_node_record *node, void *argument);
int path_apply(memfs *fs, const struct memfs_cred *cred, const char *path, unsigned flags, path_leaf *leaf,
               void *argument);

#endif
