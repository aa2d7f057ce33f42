/*
 * One entry of an image as JSON: the members that ls and tree promise.
 */
#ifndef MEMFS_TOOLS_ENTRY_JSON_H
#define MEMFS_TOOLS_ENTRY_JSON_H

#include "directory.h"
#include "input.h"
#include "json.h"

/* A paragraph about them for the man page. */
#define ENTRY_JSON_MANUAL                                                                                              \
    "With --json, one object an entry: path (path_base64 where it is not valid UTF-8), type (file, directory, "        \
    "symlink, fifo, socket, character or block), mode (four octal digits), nlink, uid, gid, size (of a directory: "    \
    "its entries), allocated (of a file, bytes in pages of 4 KiB that are not holes), mtime (RFC 3339, UTC), inode "   \
    "(the node's "                                                                                                     \
    "number in the image: names with the same one are hard links), of a symbolic link target, and of a device "        \
    "major and minor."

/* Its members, into an object that was begun. 0 or the library's error. */
int entry_json_put(struct json *json, const struct input *input, const char *path, size_t length,
                   const struct memfs_stat *stat);

#endif
