/*
 * A node of a filesystem as members of a JSON object.
 */
#ifndef MEMFS_TOOLS_JSON_NODE_H
#define MEMFS_TOOLS_JSON_NODE_H

#include "memfs.h"
#include "output/json.h"

/* "file", "directory", "symlink", "fifo", "socket", "character" or "block". */
const char *json_type(uint32_t mode);

/* A paragraph about them for the man page. */
#define JSON_NODE_MANUAL                                                                                               \
    "With --json, one object an entry: path (from the image's root, without a slash before it, and \".\" for the "     \
    "root; path_base64 where it is not valid UTF-8), type (file, directory, "                                          \
    "symlink, fifo, socket, character or block), mode (four octal digits), nlink, uid, gid, size (of a directory: "    \
    "its entries), allocated (of a file, bytes in pages of 4 KiB that are not holes), mtime (RFC 3339, UTC), inode "   \
    "(the node's "                                                                                                     \
    "number in the image: names with the same one are hard links), of a symbolic link target, and of a device "        \
    "major and minor."

/* The member path: from the image's root, without a slash before it, and "." for the root. */
void json_path(struct json *json, const char *path, size_t length);

/* All of these but the path. 0, or the library's error, of reading the target; the object is whole all the same. */
int json_node(struct json *json, memfs *fs, const struct memfs_stat *stat);

#endif
