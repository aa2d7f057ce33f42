/*
 * Paths from the image's root, whatever PATH of the command line they are below: what JSON has.
 */
#ifndef MEMFS_TOOLS_ROOTED_H
#define MEMFS_TOOLS_ROOTED_H

#include "memfs.h"
#include "system/buffer.h"

/* A directory's path from the root ("/", "/a/b"), with a NUL behind, in place of what is in out. 0 or the library's
 * error. */
int rooted_directory(struct buffer *out, memfs *fs, memfs_node dir);

/* Where a PATH lies, from the root ("/a/b"), with a NUL behind; with follow, and a symbolic link to a directory there,
 * that directory. 0 or the library's error. */
int rooted_path(struct buffer *out, memfs *fs, const char *path, int follow);

/* Puts what stands behind a PATH in place of what is behind the first start bytes. 0 or -ENOMEM. */
int rooted_append(struct buffer *rooted, size_t start, const char *behind);

#endif
