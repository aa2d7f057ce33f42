/*
 * What unlink, rmdir and rename ask before an entry goes.
 */
#ifndef MEMFS_REMOVE_H
#define MEMFS_REMOVE_H

#include "cred.h"
#include "dir.h"

/* May the caller take `node` out of `dir`, and is it a directory or not, as
 * wanted? As Linux's may_delete(): -EACCES, -EPERM, -ENOTDIR, -EISDIR. */
int remove_check(struct op *op, const struct memfs_cred *cred, const struct memfs_node_record *dir,
                 const struct memfs_node_record *node, int wants_dir);

/* -ENOTEMPTY */
int remove_check_empty(const memfs *fs, const struct memfs_node_record *dir);

#endif
