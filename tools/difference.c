#include "difference.h"

const char *difference_name(int kind)
{
    static const char *const names[DIFFERENCE_KINDS] = {"type",  "contents", "mode",   "owner",  "group",
                                                        "mtime", "target",   "device", "xattrs", "links"};
    return names[kind];
}

const char *difference_type(const struct memfs_stat *stat)
{
    static const char *const names[16] = {[MEMFS_IFIFO >> 12] = "fifo",      [MEMFS_IFCHR >> 12] = "character",
                                          [MEMFS_IFDIR >> 12] = "directory", [MEMFS_IFBLK >> 12] = "block",
                                          [MEMFS_IFREG >> 12] = "file",      [MEMFS_IFLNK >> 12] = "symlink",
                                          [MEMFS_IFSOCK >> 12] = "socket"};
    const char *name = names[(stat->mode & MEMFS_IFMT) >> 12];
    return name ? name : "unknown";
}

size_t difference_target(const struct compare *compare, const struct pair *pair, int side, char *target)
{
    const int64_t length =
        memfs_node_readlink(compare->sides[side]->fs, pair->stat[side].node, target, MEMFS_TARGET_MAX);
    return length < 0 ? 0 : length > MEMFS_TARGET_MAX ? MEMFS_TARGET_MAX : (size_t)length;
}

int difference_link(const struct compare *compare, const struct pair *pair, const struct comparison *comparison,
                    int side, struct buffer *path)
{
    if (comparison->first[side] == comparison->number)
        return 0;
    return compare_first_path(compare, pair, side, path) == 0 ? 1 : -1;
}
