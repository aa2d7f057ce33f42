/*
 * Several places of the host that a scan puts beside each other into one root,
 * which itself is nowhere on the host. A place is found by the directory that has
 * it and its name there, both anew each time: no descriptor is held for it.
 */
#ifndef MEMFS_HOST_SCAN_SOURCES_H
#define MEMFS_HOST_SCAN_SOURCES_H

#include "memfs_host.h"

struct memfs_scan_place {
    char *memory; /* of the texts, size bytes */
    size_t size;
    const char *name;   /* in the root */
    const char *parent; /* "": the current directory as it was at the time of the scan */
    const char *base;   /* in parent, without a slash; "." for parent itself */
};

/* Sorted by name. Once the root has been scanned, a place has the number of its entry there. */
struct memfs_scan_sources {
    struct memfs_allocator allocator;
    int listed; /* 0: the root is a directory of the host, and there are no places */
    struct memfs_scan_place *places;
    size_t count, room;
};

/* Copies all, and sorts them. -EEXIST or -EINVAL for names, and *wrong is that name; -ENOMEM. */
int memfs_scan_sources_init(struct memfs_scan_sources *sources, const struct memfs_allocator *allocator,
                            const struct memfs_scan_source *list, size_t count, const char **wrong);
void memfs_scan_sources_free(struct memfs_scan_sources *sources); /* zeroed is fine */

/* Opens where relative paths begin. A descriptor with O_PATH, or a negative errno. */
int memfs_scan_sources_begin(const struct memfs_scan_source *list, size_t count);

/* The directory that has the place: begin itself, or one to be given to memfs_scan_sources_leave().
 * A negative errno. */
int memfs_scan_sources_enter(const struct memfs_scan_sources *sources, size_t place, int begin);
void memfs_scan_sources_leave(int parent, int begin);

#endif
