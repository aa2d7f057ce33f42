/*
 * A node of an image as members of a JSON object.
 */
#ifndef MEMFS_TOOLS_JSON_NODE_H
#define MEMFS_TOOLS_JSON_NODE_H

#include "json.h"
#include "memfs.h"

/* "file", "directory", "symlink", "fifo", "socket", "character" or "block". */
const char *json_type(uint32_t mode);

/* type, mode, nlink, uid, gid, size, allocated, mtime and inode; of a symbolic link target, of a device
 * device, an object of major and minor. 0, or the library's error, of reading the target; the object is whole all the
 * same. */
int json_node(struct json *json, memfs *fs, const struct memfs_stat *stat);

#endif
