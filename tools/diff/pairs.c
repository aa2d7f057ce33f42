#include "diff/pairs.h"

#include "list/depth.h"
#include "options.h"
#include "output/message.h"

#include <errno.h>
#include <string.h>

/* A pair of directories that is still to be read: its name, at the end of the stack of names,
 * belongs behind the first parent_length bytes of the path. */
struct pending {
    memfs_node node[2];
    unsigned has;
    size_t parent_length, name_length;
    uint64_t depth; /* of the pair */
};

/* ---- The path -------------------------------------------------------------------- */

/* The root has no name: its children stand without anything before them. */
static int set_path(struct pairs *pairs, size_t parent_length, const char *name, size_t length)
{
    pairs->path.length = parent_length;
    int result = 0;
    if (parent_length > 0)
        result = buffer_append(&pairs->path, "/", 1);
    if (result == 0)
        result = buffer_append(&pairs->path, name, length);
    return result == 0 ? buffer_append_text(&pairs->path, "") : result;
}

static int visit(struct pairs *pairs, struct pair *pair)
{
    pair->path = pairs->path.length > 0 ? pairs->path.data : ".";
    pair->path_length = pairs->path.length > 0 ? pairs->path.length : 1;
    return pairs->visit(pairs->context, pair);
}

/* As the caller wrote it, without slashes around and "." before it. */
static int set_start(struct pairs *pairs, const char *path)
{
    while (path[0] == '/' || (path[0] == '.' && (path[1] == '/' || path[1] == '\0')))
        path++;
    size_t length = strlen(path);
    while (length > 0 && path[length - 1] == '/')
        length--;
    return set_path(pairs, 0, path, length);
}

/* ---- Directories ----------------------------------------------------------------- */

static int push(struct pairs *pairs, const struct pair *pair, unsigned has, struct pending pending, const char *name)
{
    const size_t length = pending.name_length;
    pending.has = has;
    for (int side = 0; side < 2; side++)
        pending.node[side] = has & (1u << side) ? pair->stat[side].node : 0;
    int result = buffer_append(&pairs->names, name, length);
    return result == 0 ? buffer_append(&pairs->stack, &pending, sizeof pending) : result;
}

static unsigned dirs_of(const struct pair *pair)
{
    return (pair_is_dir(pair, OLD) ? HAS_OLD : 0) | (pair_is_dir(pair, NEW) ? HAS_NEW : 0);
}

/* Reads one side's directory; damage is said, and counts as an empty one. */
static int read_directory(struct pairs *pairs, int number, memfs_node node)
{
    struct side *side = pairs->sides[number];
    struct directory *directory = &pairs->directory[number];
    int result = directory_read(directory, side->fs, node, 1);
    pairs->listed[number] += directory->count;
    if (result == 0 && pairs->listed[number] > side->entries)
        result = MEMFS_ECORRUPT; /* directories that claim the same entries: there is hardly an end to them */
    if (result != 0)
        side_error(side, pairs->path.length > 0 ? pairs->path.data : NULL, result);
    return result;
}

/* Whether a directory of a pair lies deeper than it may; that is said. */
static int is_too_deep(struct pairs *pairs, const struct pair *pair, uint64_t depth)
{
    if (depth <= common.depth_max || dirs_of(pair) == 0)
        return 0;
    struct side *side = pairs->sides[pair_is_dir(pair, OLD) ? OLD : NEW];
    side->code = message_worse(side->code, depth_refuse(side->name, pairs->path.data, "max-depth"));
    return 1;
}

/* The next name of either side, which both may have: at counts the rows that are done. */
static const struct directory_row *next_row(const struct pairs *pairs, unsigned has, const size_t at[2],
                                            struct pair *pair)
{
    const struct directory_row *rows[2] = {NULL, NULL};
    for (int side = 0; side < 2; side++) {
        if ((has & (1u << side)) && at[side] < pairs->directory[side].count)
            rows[side] = &pairs->directory[side].rows[at[side]];
    }
    int order = !rows[NEW] ? -1 : !rows[OLD] ? 1 : strcmp(rows[OLD]->name, rows[NEW]->name);
    if (!rows[OLD] && !rows[NEW])
        return NULL;
    pair->has = (order <= 0 ? HAS_OLD : 0) | (order >= 0 ? HAS_NEW : 0);
    for (int side = 0; side < 2; side++) {
        if (pair->has & (1u << side))
            pair->stat[side] = rows[side]->stat;
    }
    return order <= 0 ? rows[OLD] : rows[NEW];
}

/* Visits the entries of a directory that the sides `has` have, and puts down where to go on. */
static int merge(struct pairs *pairs, const struct pending *dir)
{
    const size_t parent_length = pairs->path.length;
    size_t at[2] = {0, 0};
    struct pair pair;
    const struct directory_row *row;
    while ((row = next_row(pairs, dir->has, at, &pair))) {
        memcpy(pair.dir, dir->node, sizeof pair.dir);
        int result = set_path(pairs, parent_length, row->name, row->name_length);
        if (result != 0)
            return result;
        pair.name = pairs->path.data + (pairs->path.length - row->name_length);
        if (is_too_deep(pairs, &pair, dir->depth + 1))
            return -ECANCELED;
        const int down = visit(pairs, &pair);
        if (down < 0)
            return -ECANCELED;
        const unsigned has = (unsigned)down & dirs_of(&pair);
        const struct pending below = {
            .parent_length = parent_length, .name_length = row->name_length, .depth = dir->depth + 1};
        result = has ? push(pairs, &pair, has, below, row->name) : 0;
        if (result != 0)
            return result;
        for (int side = 0; side < 2; side++)
            at[side] += pair.has >> side & 1u;
    }
    return 0;
}

/* What was put down since `from` is turned around, so that the first is on top; the names with it. */
static int reverse(struct pairs *pairs, size_t from, size_t names_from)
{
    struct pending *pending = (struct pending *)(void *)(pairs->stack.data + from);
    const size_t count = (pairs->stack.length - from) / sizeof *pending, length = pairs->names.length - names_from;
    if (count < 2)
        return 0;
    int result = buffer_reserve(&pairs->names, length);
    if (result != 0)
        return result;
    char *names = pairs->names.data + names_from, *to = names + length * 2;
    const char *name = names;
    for (size_t i = 0; i < count; i++) {
        to -= pending[i].name_length;
        memcpy(to, name, pending[i].name_length);
        name += pending[i].name_length;
    }
    memmove(names, names + length, length);
    for (size_t i = 0; i < count / 2; i++) {
        const struct pending other = pending[i];
        pending[i] = pending[count - 1 - i];
        pending[count - 1 - i] = other;
    }
    return 0;
}

/* Sets the path; returns 0 if there was none to pop. */
static int pop(struct pairs *pairs, struct pending *pending, int *result)
{
    if (pairs->stack.length == 0)
        return 0;
    pairs->stack.length -= sizeof *pending;
    memcpy(pending, pairs->stack.data + pairs->stack.length, sizeof *pending);
    pairs->names.length -= pending->name_length;
    *result = set_path(pairs, pending->parent_length, pairs->names.data + pairs->names.length, pending->name_length);
    return 1;
}

static int walk_directories(struct pairs *pairs)
{
    struct pending dir;
    int result = 0;
    while (result == 0 && pop(pairs, &dir, &result)) {
        const size_t from = pairs->stack.length, names_from = pairs->names.length;
        int readable = result == 0;
        for (int side = 0; side < 2 && readable; side++)
            readable = !(dir.has & (1u << side)) || read_directory(pairs, side, dir.node[side]) == 0;
        if (readable)
            result = merge(pairs, &dir);
        if (readable && result == 0)
            result = reverse(pairs, from, names_from);
    }
    pairs->stack.length = pairs->names.length = 0;
    return result;
}

/* ---- The start -------------------------------------------------------------------- */

/* 1: the side has the path, with a look-up count on its node. */
static int find(struct side *side, const char *path, struct memfs_stat *stat)
{
    memfs_node node;
    int result = memfs_resolve(side->fs, NULL, path, 0, &node);
    if (result == -ENOENT || result == -ENOTDIR)
        return 0;
    if (result == 0) {
        result = memfs_node_stat(side->fs, node, stat);
        if (result != 0)
            memfs_node_forget(side->fs, node, 1);
    }
    if (result != 0)
        side_error(side, path, result);
    return result == 0 ? 1 : result;
}

/* The directory's, in steps from the root; of two the deeper one's. */
static int find_depth(struct pairs *pairs, const struct pair *pair, uint64_t *out)
{
    for (int number = 0; number < 2; number++) {
        if (!pair_is_dir(pair, number))
            continue;
        const int64_t depth = memfs_node_depth(pairs->sides[number]->fs, pair->stat[number].node);
        if (depth < 0) {
            side_error(pairs->sides[number], pairs->path.data, (int)depth);
            return (int)depth;
        }
        *out = (uint64_t)depth > *out ? (uint64_t)depth : *out;
    }
    return 0;
}

static int walk_pair(struct pairs *pairs, struct pair *pair)
{
    pair->dir[OLD] = pair->dir[NEW] = MEMFS_ROOT;
    pair->name = pairs->path.data;
    uint64_t depth = 0;
    int result = find_depth(pairs, pair, &depth);
    if (result != 0 || is_too_deep(pairs, pair, depth))
        return -ECANCELED;
    const int down = visit(pairs, pair);
    if (down < 0)
        return -ECANCELED;
    const unsigned has = (unsigned)down & dirs_of(pair);
    const struct pending start = {.name_length = pairs->path.length, .depth = depth};
    result = has ? push(pairs, pair, has, start, pairs->path.data) : 0;
    return result == 0 ? walk_directories(pairs) : result;
}

int pairs_walk(struct pairs *pairs, const char *path)
{
    struct pair pair = {.has = 0};
    int result = set_start(pairs, path), failed = 0;
    for (int side = 0; side < 2 && result == 0; side++) {
        pairs->listed[side] = 0;
        const int found = find(pairs->sides[side], path, &pair.stat[side]);
        pair.has |= found > 0 ? 1u << side : 0;
        failed |= found < 0;
    }
    if (result == 0 && !failed) /* what cannot be found out on one side is not compared */
        result = pair.has ? walk_pair(pairs, &pair) : -ENOENT;
    for (int side = 0; side < 2; side++) {
        if (pair.has & (1u << side))
            memfs_node_forget(pairs->sides[side]->fs, pair.stat[side].node, 1);
    }
    return result;
}

void pairs_free(struct pairs *pairs)
{
    buffer_free(&pairs->path);
    buffer_free(&pairs->stack);
    buffer_free(&pairs->names);
    directory_free(&pairs->directory[OLD]);
    directory_free(&pairs->directory[NEW]);
}
