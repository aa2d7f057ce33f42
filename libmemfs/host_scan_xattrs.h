/*
 * Extended attributes of the host's files, and the strings of a scan.
 */
#ifndef MEMFS_HOST_SCAN_XATTRS_H
#define MEMFS_HOST_SCAN_XATTRS_H

#include "host_scan_tables.h"
#include "intern.h"

#include <sys/stat.h>

struct memfs_scan_xattrs {
    struct memfs_scan_tables *tables;
    struct memfs_intern intern;
    char *list, *value;      /* of the largest size, since the sizes may change between two calls */
    struct memfs_xattr *set; /* the set being read */
    const char **names;
    size_t set_room, names_room;
    _Atomic(int) by_path; /* the kernel lists attributes by a path only */
    int mute;             /* a device has answered that it knows no attributes: */
    dev_t mute_dev;       /* this one */
};

int memfs_scan_xattrs_init(struct memfs_scan_xattrs *xattrs, struct memfs_scan_tables *tables);
void memfs_scan_xattrs_free(struct memfs_scan_xattrs *xattrs);

/* Reads the attributes of an entry of an open directory ("." is itself), of
 * any type, without opening it, into *out as in memfs_node_record.xattrs. */
int memfs_scan_xattrs_read(struct memfs_scan_xattrs *xattrs, int directory, const char *name, const struct stat *stat,
                           uint32_t *out);

/* Whether there are any: any thread may ask. */
enum memfs_scan_has {
    MEMFS_SCAN_HAS_NONE,
    MEMFS_SCAN_HAS_ANY, /* or it cannot be told here */
    MEMFS_SCAN_HAS_MUTE /* none, nor has anything on its device */
};
enum memfs_scan_has memfs_scan_xattrs_ask(struct memfs_scan_xattrs *xattrs, int directory, const char *name,
                                          const struct stat *stat);

#endif
