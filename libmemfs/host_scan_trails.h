/*
 * Ways to the directories of scanned files, for several threads that open files
 * at once. Where descriptors are scarce, one thread after the other goes on alone.
 */
#ifndef MEMFS_HOST_SCAN_TRAILS_H
#define MEMFS_HOST_SCAN_TRAILS_H

#include "host_trail.h"

#include <pthread.h>

#define MEMFS_SCAN_TRAILS 4 /* threads that go to directories at once; more wait */

struct memfs_scan_trails {
    pthread_mutex_t lock; /* binds what follows */
    pthread_cond_t changed;
    size_t count, idle;                               /* count 0: not initialised */
    struct memfs_host_trail *made[MEMFS_SCAN_TRAILS]; /* all; the first is not ours */
    struct memfs_host_trail *free[MEMFS_SCAN_TRAILS]; /* the idle ones */
    unsigned inside;                                  /* threads that have a file open, or are about to */
    int alone;                                        /* one wants to be, or is: no other begins */
};

/* first is used from now on, and stays the caller's. A negative errno. */
int memfs_scan_trails_init(struct memfs_scan_trails *trails, struct memfs_host_trail *first);
void memfs_scan_trails_end(struct memfs_scan_trails *trails); /* one that is all zeros is accepted */

/* A trail to open a file of a directory with, of the idle ones that which ends nearest to it; from then on
 * the thread is inside, until it says that it has closed the file (or has kept it open with others, that can
 * be closed). */
struct memfs_host_trail *memfs_scan_trails_enter(struct memfs_scan_trails *trails, uint32_t directory);
void memfs_scan_trails_give(struct memfs_scan_trails *trails, struct memfs_host_trail *trail);
void memfs_scan_trails_leave(struct memfs_scan_trails *trails);

/* Inside, for a file that is open already. */
void memfs_scan_trails_stay(struct memfs_scan_trails *trails);

/* Waits until nobody else is inside, and closes all trails but one, which takes the place
 * of the caller's. Until the end of this nobody else begins. */
struct memfs_host_trail *memfs_scan_trails_begin_alone(struct memfs_scan_trails *trails,
                                                       struct memfs_host_trail *trail);
void memfs_scan_trails_end_alone(struct memfs_scan_trails *trails);

#endif
