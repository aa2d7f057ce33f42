/*
 * Two trees walked in step, by the names that they have in common or not. Each directory's entries come sorted,
 * then, in that order, its subdirectories: the order in which images hold them. Not a memfs_walk_steps(), which has
 * one tree: here what one side has decides where the other one goes.
 */
#ifndef MEMFS_TOOLS_PAIRS_H
#define MEMFS_TOOLS_PAIRS_H

#include "diff/side.h"
#include "list/directory.h"

enum { OLD, NEW };
#define HAS_OLD 1u
#define HAS_NEW 2u
#define HAS_BOTH 3u

/* One path, and what is there on either side. */
struct pair {
    const char *path; /* from the root, without a slash before it; "." for the root */
    size_t path_length;
    unsigned has;              /* HAS_...: at least one */
    struct memfs_stat stat[2]; /* of those that it has */
    memfs_node dir[2];         /* the directories that it is in */
    const char *name;          /* the path from there on */
};

/* Called for each pair. Returns the sides to go down into, where they have a directory (HAS_...), or -1 to end. */
typedef int pairs_visit(void *context, const struct pair *pair);

/* Zeroed, but for the first three: ready. */
struct pairs {
    struct side *sides[2];
    pairs_visit *visit;
    void *context;
    struct buffer path;
    struct buffer stack; /* of directories that are still to be read */
    struct buffer names; /* theirs */
    struct directory directory[2];
    uint64_t listed[2]; /* names that were read below one path */
};

/* Visits a path and all below it. -ENOENT: neither side has it. -ECANCELED: visit ended it. What cannot be read is
 * said, and passed over. */
int pairs_walk(struct pairs *pairs, const char *path);
void pairs_free(struct pairs *pairs);

static inline int pair_is_dir(const struct pair *pair, int side)
{
    return (pair->has & (1u << side)) != 0 && (pair->stat[side].mode & MEMFS_IFMT) == MEMFS_IFDIR;
}

#endif
