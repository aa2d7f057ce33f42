#include "output/json_node.h"

const char *json_type(uint32_t mode)
{
    switch (mode & MEMFS_IFMT) {
    case MEMFS_IFREG:
        return "file";
    case MEMFS_IFDIR:
        return "directory";
    case MEMFS_IFLNK:
        return "symlink";
    case MEMFS_IFIFO:
        return "fifo";
    case MEMFS_IFSOCK:
        return "socket";
    case MEMFS_IFCHR:
        return "character";
    default:
        return "block";
    }
}

static int put_target(struct json *json, memfs *fs, const struct memfs_stat *stat)
{
    char target[MEMFS_TARGET_MAX];
    const int64_t length = memfs_node_readlink(fs, stat->node, target, sizeof target);
    if (length < 0)
        return (int)length;
    json_bytes(json, "target", target, (size_t)length < sizeof target ? (size_t)length : sizeof target);
    return 0;
}

void json_path(struct json *json, const char *path, size_t length)
{
    while (length > 0 && path[0] == '/') {
        path++;
        length--;
    }
    json_bytes(json, "path", length > 0 ? path : ".", length > 0 ? length : 1);
}

int json_node(struct json *json, memfs *fs, const struct memfs_stat *stat)
{
    const uint32_t type = stat->mode & MEMFS_IFMT;
    json_text(json, "type", json_type(stat->mode));
    json_mode(json, "mode", stat->mode);
    json_unsigned(json, "nlink", stat->nlink);
    json_unsigned(json, "uid", stat->uid);
    json_unsigned(json, "gid", stat->gid);
    json_unsigned(json, "size", stat->size);
    json_unsigned(json, "allocated", stat->allocated);
    json_time(json, "mtime", stat->mtime);
    json_unsigned(json, "inode", stat->node & UINT32_MAX);
    if (type == MEMFS_IFLNK)
        return put_target(json, fs, stat);
    if (type == MEMFS_IFCHR || type == MEMFS_IFBLK) {
        json_unsigned(json, "major", stat->rdev_major);
        json_unsigned(json, "minor", stat->rdev_minor);
    }
    return 0;
}
