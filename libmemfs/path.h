/*
 * Paths: from text to nodes. As many components as possible are walked in one
 * section of a reader, without look-up counts in between; symbolic links are
 * expanded into a buffer, so nothing recurses.
 */
#ifndef MEMFS_PATH_H
#define MEMFS_PATH_H

#include "dir.h"

#define PATH_FOLLOW 1u /* a symbolic link at the end is followed */
#define PATH_READS 2u  /* the contents of what is found will be read next */
#define PATH_MAKES 4u  /* what is not found will be made, with a hint to it */

/* The node of a path, with a look-up count for memfs_node_forget() (none for out NULL). A slash at
 * the end asks for a directory, and follows. 0, -ENOENT, -ENOTDIR, -EACCES,
 * -ELOOP, -ENAMETOOLONG, ... */
int path_resolve(memfs *fs, const struct memfs_cred *cred, const char *path, unsigned flags, memfs_node *out);

/* Where a path ends: the directory, and the last component in it. */
struct path_end {
    memfs_node dir;
    const struct memfs_node_record *record; /* of dir */
    struct dir_name name;                   /* legal, if it is a normal one; of 0 bytes: the path has none ("/") */
    int slash;                              /* slashes follow */
    int is_writer;
    uint64_t path_hash; /* for a hint to what will stand there; 0: none */
    /* With PATH_FOLLOW a normal name without slashes has been looked for: */
    int has_looked;
    struct found found;
    const struct memfs_node_record *node; /* NULL: it is not there */
};

/* Is it a name, not "." or ".." or none? */
int path_end_is_normal(const struct path_end *end);

/* Calls reach with a path's end, which is not looked up, as the writer, and then commit, as op_write() does.
 * While others write, or without commit, it is called as a reader first; if it returns PATH_CHANGE, once more.
 * The end stays until commit has returned. With PATH_FOLLOW symbolic links at the end are followed, as open() with
 * O_CREAT needs it: then the name was not there, or was no symbolic link. A link with slashes behind is not followed.
 */
#define PATH_CHANGE 100
typedef int path_reach(struct op *op, struct path_end *end, void *argument);
int path_change(memfs *fs, const struct memfs_cred *cred, const char *path, unsigned flags, path_reach *reach,
                op_commit *commit, void *argument);

/* The directory in which a path ends, with a look-up count, and the last component.
 * name is "." or ".." if that stands last, and "" if the path has no component.
 * slash (may be NULL) says whether slashes follow. */
int path_parent(memfs *fs, const struct memfs_cred *cred, const char *path, memfs_node *dir,
                char name[MEMFS_NAME_MAX + 1], int *slash);

/* Calls leaf with the path's node as a reader, in the section that found it:
 * for operations that only look. leaf must be ready to be called again. */
typedef int path_leaf(struct op *op, uint32_t number, const struct memfs_node_record *node, void *argument);
int path_apply(memfs *fs, const struct memfs_cred *cred, const char *path, unsigned flags, path_leaf *leaf,
               void *argument);

#endif
