#include "diff/difference.h"

const char *difference_name(int kind)
{
    static const char *const names[DIFFERENCE_KINDS] = {"type",  "contents", "mode",   "owner",  "group",
                                                        "mtime", "target",   "device", "xattrs", "links"};
    return names[kind];
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
