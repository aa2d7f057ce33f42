/*
 * A directory of the host as a backing: names and attributes resident, since
 * they were all read at once; contents left where they are.
 */
#ifndef MEMFS_HOST_SCAN_H
#define MEMFS_HOST_SCAN_H

#include "backing.h"
#include "host_scan_files.h"
#include "host_scan_sources.h"
#include "host_scan_tables.h"
#include "host_trail.h"
#include "memfs_host.h"

struct memfs_scan {
    memfs_backing backing; /* first: it is what others see */
    struct memfs_allocator allocator;
    struct memfs_epochs epochs;
    struct memfs_scan_tables tables;
    struct memfs_scan_sources sources;
    struct memfs_host_tree tree; /* over the tables; directories by node number */
    struct memfs_host_trail trail;
    struct memfs_scan_files files;
};

/* Fills the tables by walking the trail, which stands at the root (or where the sources' paths begin). */
int memfs_scan_walk(struct memfs_scan *scan, const struct memfs_scan_options *options, struct memfs_detail *detail);

#endif
