/*
 * Reading ahead in a scan: the directories to which the walk comes next are listed by a pool's threads before it is
 * there: their names, and what the host says of each. The walk lists itself what has not been listed, and a directory
 * whose names have changed since. (What a name stands for may change in between, as after any scan.)
 *
 * All functions are the walk's. Descriptors, and names that wait, are bounded.
 */
#ifndef MEMFS_HOST_SCAN_AHEAD_H
#define MEMFS_HOST_SCAN_AHEAD_H

#include "host_scan_names.h"
#include "host_scan_xattrs.h"
#include "pool.h"

#include <stdatomic.h>
#include <sys/stat.h>

/* What has been found under a name. */
struct memfs_scan_seen {
    struct stat stat;
    int error;      /* of looking: a negative errno */
    int has_xattrs; /* or may have some */
};

/* A directory's descriptor, as long as one below it is to be listed. */
struct memfs_scan_above {
    int fd;
    _Atomic(unsigned) users;
};

struct memfs_scan_listing {
    struct memfs_job work;
    struct memfs_scan_ahead *ahead;
    struct memfs_scan_listing *next; /* in the order of the walk */
    uint32_t directory;
    int submitted;
    struct memfs_scan_above *above; /* NULL: it has been tried */
    int error;                      /* of listing: then there are no names */
    struct stat stat;               /* of the directory, before it was listed */
    struct memfs_scan_names names;
    struct memfs_scan_seen *seen; /* by name */
    size_t seen_count;
    char name[MEMFS_NAME_MAX + 1]; /* in the directory above */
};

/* Zeroed: nothing is read ahead. */
struct memfs_scan_ahead {
    struct memfs_allocator allocator;
    struct memfs_pool *pool; /* NULL: nothing is read ahead */
    struct memfs_scan_xattrs *xattrs;
    char *buffers;                    /* one a thread */
    struct memfs_scan_above *above;   /* of those that are being added; NULL: none yet */
    struct memfs_scan_listing *added; /* last first */
    struct memfs_scan_listing *first; /* those before, in the order of the walk */
    size_t count;                     /* of all */
    unsigned open_most;
    _Atomic(unsigned) open; /* descriptors of directories above */
    _Atomic(size_t) listed; /* names */
};

/* threads: the walk's counted, so that one reads nothing ahead; nor is anything where there is no memory for it.
 * xattrs: NULL if none are wanted. */
void memfs_scan_ahead_begin(struct memfs_scan_ahead *ahead, const struct memfs_allocator *allocator, unsigned threads,
                            struct memfs_scan_xattrs *xattrs);
void memfs_scan_ahead_end(struct memfs_scan_ahead *ahead);

/* A directory below the one in which the walk stands, of which parent is the descriptor, to be listed behind those that
 * have been added there. Where there is no room, no memory or no descriptor it is left to the walk. */
void memfs_scan_ahead_add(struct memfs_scan_ahead *ahead, uint32_t directory, int parent, const char *name,
                          size_t length);
/* The walk has been through a directory: those added there come before all others. */
void memfs_scan_ahead_submit(struct memfs_scan_ahead *ahead);

/* What is known of the directory to which the walk has come, if its stat says that it is still that; else NULL. */
struct memfs_scan_listing *memfs_scan_ahead_take(struct memfs_scan_ahead *ahead, uint32_t directory,
                                                 const struct stat *stat);
void memfs_scan_ahead_give(struct memfs_scan_ahead *ahead, struct memfs_scan_listing *listing); /* NULL is accepted */

/* Has all descriptors closed, and from now on the walk left to itself; 0 if nothing is read ahead at all. */
int memfs_scan_ahead_settle(struct memfs_scan_ahead *ahead);

#endif
