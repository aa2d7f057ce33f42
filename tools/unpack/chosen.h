/*
 * Which paths of an image are taken: those that are named, or match a pattern, with
 * all that is below them, and the directories on the way.
 */
#ifndef MEMFS_TOOLS_CHOSEN_H
#define MEMFS_TOOLS_CHOSEN_H

#include "memfs_host.h"
#include "system/buffer.h"

/* Zeroed but for the first two: empty. */
struct chosen {
    memfs *fs;
    uint64_t depth_max;     /* of directories that patterns look into */
    void *marks;            /* a tree of tsearch(3) */
    struct buffer too_deep; /* the path of one that lies deeper, if that is why the last chosen_add() failed; else "" */
};

/* Takes what a path of the image names, a symbolic link as itself, or else what
 * matches it as a pattern of memfs_glob(). -ENOENT if nothing does, -EINVAL if it is
 * none, MEMFS_ELIMIT if it takes looking into a directory that is too deep; on failure some of it may be taken. */
int chosen_add(struct chosen *chosen, const char *pattern);

/* Is everything taken? */
int chosen_is_whole(const struct chosen *chosen);

/* A memfs_select_fn, whose context is the chosen. */
int chosen_take(void *context, memfs_node directory, const struct memfs_dirent *entry);

void chosen_free(struct chosen *chosen);

#endif
