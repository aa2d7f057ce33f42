/*
 * A trail: the way from a directory of the host down to one below it, walked
 * one component at a time below held descriptors and never through a symbolic
 * link, to any depth, with a bounded number of descriptors. Going up again
 * uses ".." and makes sure that it leads to the directory it came from.
 */
#ifndef MEMFS_HOST_TRAIL_H
#define MEMFS_HOST_TRAIL_H

#include "host_tree.h"

#define MEMFS_TRAIL_HELD 32 /* descriptors held at most, of the deepest directories */

struct memfs_host_level {
    uint64_t dev, ino;
};

struct memfs_host_trail {
    struct memfs_allocator allocator;
    const struct memfs_host_tree *tree;
    uint32_t at;                     /* the directory where the trail ends */
    size_t depth;                    /* its level; the root's is 0 */
    struct memfs_host_level *levels; /* who they are, [0, depth] */
    size_t levels_room;
    uint32_t *way; /* for go(): the directories still to go down, the next one last */
    size_t way_room;
    int root;                   /* the root's descriptor: always held */
    size_t most;                /* descriptors held; may be set, from 2 to MEMFS_TRAIL_HELD, before it is gone */
    int held[MEMFS_TRAIL_HELD]; /* level n's at n % most, or -1 */
};

/* Takes over fd, the root's descriptor, on success. -ENOMEM, or fstat's error. */
int memfs_host_trail_begin(struct memfs_host_trail *trail, const struct memfs_allocator *allocator,
                           const struct memfs_host_tree *tree, int fd);
void memfs_host_trail_end(struct memfs_host_trail *trail); /* closes all */

/* Goes back to the root, and holds no other descriptor. */
void memfs_host_trail_rewind(struct memfs_host_trail *trail);

/* Makes sure that going to a directory of this depth needs no memory. */
int memfs_host_trail_reserve(struct memfs_host_trail *trail, size_t depth);

/* Goes to a directory. On failure the trail ends somewhere else, in good order.
 * -ENOMEM, -ESTALE, admit's errors, open's errors. */
int memfs_host_trail_go(struct memfs_host_trail *trail, uint32_t directory);

/* Goes up one level; the descriptor of where it was is the caller's. */
int memfs_host_trail_leave(struct memfs_host_trail *trail, int *left);

/* If error says that there are too many descriptors, closes all that can be had
 * again: those between the root and where the trail ends. Whether that closed
 * any, so that trying again makes sense; go() does so itself. */
int memfs_host_trail_retry(struct memfs_host_trail *trail, int error);

/* Of the directory where the trail ends; it stays the trail's. */
int memfs_host_trail_fd(const struct memfs_host_trail *trail);

/* Opens a directory by one name: no symbolic links, access time untouched
 * where that is allowed. A descriptor, or a negative errno. */
int memfs_host_open_directory(int parent, const char *name);

/* The same, and -EXDEV for what is mounted there, also from the same filesystem. (Before Linux 5.6 only st_dev can
 * tell.) */
int memfs_host_open_same_mount(int parent, const char *name);

#endif
