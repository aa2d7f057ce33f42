#include "diff/difference.h"

#include <errno.h>

const char *difference_name(int kind)
{
    static const char *const names[DIFFERENCE_KINDS] = {"type",  "contents", "mode",   "owner",  "group",
                                                        "mtime", "target",   "device", "xattrs", "links"};
    return names[kind];
}

static int said(const struct compare *compare, const struct pair *pair, int side, int result)
{
    if (result != 0)
        side_error(compare->sides[side], pair->path, result);
    return result;
}

static int read_target(struct difference *difference, const struct compare *compare, const struct pair *pair, int side)
{
    const int64_t length = memfs_node_readlink(compare->sides[side]->fs, pair->stat[side].node,
                                               difference->target[side], sizeof difference->target[side]);
    difference->target_length[side] = length < 0 ? 0 : (size_t)length;
    return said(compare, pair, side, length < 0 ? (int)length : 0);
}

static int read_first(struct difference *difference, const struct compare *compare, const struct pair *pair, int side)
{
    const int result = compare_first_path(compare, pair, side, &difference->first[side]);
    difference->has_first[side] = result == 0 ? FIRST_FOUND : FIRST_UNKNOWN;
    return said(compare, pair, side, result);
}

int difference_read(struct difference *difference, const struct compare *compare, const struct pair *pair,
                    const struct comparison *comparison)
{
    int result = 0;
    for (int side = 0; side < 2 && result != -ENOMEM; side++) {
        difference->has_first[side] = FIRST_NONE;
        if (comparison->differs & DIFFERS_TARGET)
            result = read_target(difference, compare, pair, side);
        if (result != -ENOMEM && (comparison->differs & DIFFERS_LINKS) && comparison->first[side] != comparison->number)
            result = read_first(difference, compare, pair, side);
    }
    return result == -ENOMEM ? result : 0;
}

void difference_free(struct difference *difference)
{
    buffer_free(&difference->first[OLD]);
    buffer_free(&difference->first[NEW]);
}
