#include "entry_json.h"

static const char *type_word(uint32_t mode)
{
    switch (mode & MEMFS_IFMT) {
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
    case MEMFS_IFBLK:
        return "block";
    default:
        return "file";
    }
}

static int put_target(struct json *json, const struct input *input, memfs_node node)
{
    char target[MEMFS_TARGET_MAX + 1];
    const int64_t length = memfs_node_readlink(input->fs, node, target, sizeof target);
    if (length < 0)
        return (int)length;
    json_bytes(json, "target", target, (size_t)length < sizeof target ? (size_t)length : sizeof target);
    return 0;
}

int entry_json_put(struct json *json, const struct input *input, const char *path, size_t length,
                   const struct memfs_stat *stat)
{
    json_bytes(json, "path", path, length);
    json_text(json, "type", type_word(stat->mode));
    json_mode(json, "mode", stat->mode);
    json_unsigned(json, "nlink", stat->nlink);
    json_unsigned(json, "uid", stat->uid);
    json_unsigned(json, "gid", stat->gid);
    json_unsigned(json, "size", stat->size);
    json_unsigned(json, "allocated", stat->allocated);
    json_time(json, "mtime", stat->mtime);
    json_unsigned(json, "inode", directory_inode(stat));
    switch (stat->mode & MEMFS_IFMT) {
    case MEMFS_IFLNK:
        return put_target(json, input, stat->node);
    case MEMFS_IFCHR:
    case MEMFS_IFBLK:
        json_unsigned(json, "major", stat->rdev_major);
        json_unsigned(json, "minor", stat->rdev_minor);
        return 0;
    default:
        return 0;
    }
}
