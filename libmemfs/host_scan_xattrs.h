/*
 * Extended attributes of the host's files, and the strings of a scan. Equal
 * strings and equal sets of attributes are stored once.
 */
#ifndef MEMFS_HOST_SCAN_XATTRS_H
#define MEMFS_HOST_SCAN_XATTRS_H

#include "host_map.h"
#include "host_scan_tables.h"

#include <sys/stat.h>

struct memfs_scan_xattrs {
    struct memfs_scan_tables *tables;
    uint64_t secret;               /* of the hashes: who chooses strings cannot foresee where they meet */
    struct memfs_host_map strings; /* by hash and length: 1 + offset in blobs */
    struct memfs_host_map sets;    /* by hash and count: 1 + first record */
    char *list, *value;            /* of the largest size, since the sizes may change between two calls */
    struct memfs_xattr *set;       /* the set being read */
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

/* Stores 1 to 65,536 bytes in blobs. */
int memfs_scan_string(struct memfs_scan_xattrs *xattrs, const void *bytes, size_t length, uint64_t *offset);

#endif
