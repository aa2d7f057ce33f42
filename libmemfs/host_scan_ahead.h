/*
 * Reading ahead in a scan: directories to which the walk will come are listed by a pool's threads before it is there,
 * those first to which it comes first: their names, and what the host says of each. What is not listed ahead, or has
 * become another directory since, the walk lists itself.
 *
 * All functions are the walk's. Descriptors, and names that wait, are bounded.
 */
#ifndef MEMFS_HOST_SCAN_AHEAD_H
#define MEMFS_HOST_SCAN_AHEAD_H

#include "host_scan_names.h"
#include "host_scan_xattrs.h"
#include "pool.h"

#include <sys/stat.h>

/* What has been found under a name. */
struct memfs_scan_seen {
    struct stat stat;
    int error;      /* of looking: a negative errno */
    int has_xattrs; /* or may have some */
};

struct memfs_scan_listing {
    struct memfs_job work;
    struct memfs_scan_ahead *ahead;
    struct memfs_scan_listing *next; /* in the order of the walk */
    uint32_t directory;
    int fd;           /* -1: closed */
    int error;        /* of listing: then there are no names */
    struct stat stat; /* of the directory */
    struct memfs_scan_names names;
    struct memfs_scan_seen *seen; /* by name */
    size_t seen_count;
};

/* Zeroed: nothing is read ahead. */
struct memfs_scan_ahead {
    struct memfs_allocator allocator;
    struct memfs_pool *pool; /* NULL: nothing is read ahead */
    struct memfs_scan_xattrs *xattrs;
    char *buffers;                    /* one a thread */
    struct memfs_scan_listing *first; /* handed to the pool */
    struct memfs_scan_listing *added; /* and not yet, last first */
    _Atomic(unsigned) open;           /* descriptors */
    _Atomic(size_t) waiting;          /* names and directories */
};

/* threads: the walk's counted, so that one reads nothing ahead. xattrs: NULL if none are wanted. -ENOMEM */
int memfs_scan_ahead_begin(struct memfs_scan_ahead *ahead, const struct memfs_allocator *allocator, unsigned threads,
                           struct memfs_scan_xattrs *xattrs);
void memfs_scan_ahead_end(struct memfs_scan_ahead *ahead);

/* A directory, open, that is to be listed behind those added before; fd is taken over, and closed where there is no
 * room or no memory. */
void memfs_scan_ahead_add(struct memfs_scan_ahead *ahead, uint32_t directory, int fd);
/* Those that have been added will be walked before all others. */
void memfs_scan_ahead_submit(struct memfs_scan_ahead *ahead);

/* What is known of the directory to which the walk has come, if it is still the one with this stat; else NULL. */
struct memfs_scan_listing *memfs_scan_ahead_take(struct memfs_scan_ahead *ahead, uint32_t directory,
                                                 const struct stat *stat);
void memfs_scan_ahead_give(struct memfs_scan_ahead *ahead, struct memfs_scan_listing *listing); /* NULL is accepted */

/* Has all descriptors closed; 0 if there were none. */
int memfs_scan_ahead_settle(struct memfs_scan_ahead *ahead);

#endif
