/*
 * Contents of the files of a scan, read when they are asked for, and only if
 * the files are still those that were scanned.
 */
#ifndef MEMFS_HOST_SCAN_FILES_H
#define MEMFS_HOST_SCAN_FILES_H

#include "host_scan_sources.h"
#include "host_scan_tables.h"
#include "host_scan_trails.h"

#define MEMFS_SCAN_OPEN_FILES 16 /* kept open, for reads that come in pieces */

struct memfs_scan_open {
    int fd; /* -1: the slot is free */
    uint32_t file;
    unsigned users;
    uint64_t used; /* when it was, by `clock` */
};

struct memfs_scan_files {
    const struct memfs_scan_tables *tables;
    const struct memfs_scan_sources *sources;
    pthread_mutex_t lock; /* binds what follows; not held while a file is opened or read */
    struct memfs_scan_trails trails;
    struct memfs_scan_open open[MEMFS_SCAN_OPEN_FILES];
    uint64_t clock;
};

/* The trail is used from now on, and stays the caller's. */
int memfs_scan_files_init(struct memfs_scan_files *files, const struct memfs_scan_tables *tables,
                          const struct memfs_scan_sources *sources, struct memfs_host_trail *trail);
void memfs_scan_files_end(struct memfs_scan_files *files);

/* Exactly so many bytes. -ESTALE if the file is not what it was, -ENOENT if it
 * is gone, the host's errors. Any thread. */
int memfs_scan_files_read(struct memfs_scan_files *files, uint32_t file, uint64_t start, void *buffer, size_t length);

/* The first byte of a range that may not be zero; the range's end if none. */
int64_t memfs_scan_files_seek(struct memfs_scan_files *files, uint32_t file, uint64_t start, uint64_t length);

/* What a stat says about a time, cut to what 64-bit nanoseconds hold;
 * *cut is set to 1 if that changes it. */
int64_t memfs_scan_time(const struct timespec *time, int *cut);

#endif
