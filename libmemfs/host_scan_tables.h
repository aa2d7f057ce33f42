/*
 * The tables that a scan fills: native records in path order, for good.
 */
#ifndef MEMFS_HOST_SCAN_TABLES_H
#define MEMFS_HOST_SCAN_TABLES_H

#include "backing.h"
#include "rows.h"

/* What tells whether a regular file is still the one that was scanned. Its size
 * is the length of its extent: block, extent and file have one number. */
struct memfs_scan_file {
    uint64_t dev, ino;
    int64_t mtime, ctime;
    uint32_t directory, entry; /* where to find it */
    uint8_t dense;             /* 1: has no holes, as far as the host's allocation tells */
};

struct memfs_scan_chunk {
    void *memory;
    size_t size;
};

struct memfs_scan_tables {
    struct memfs_allocator allocator;
    struct memfs_rows nodes, extents, xattrs, blobs, files;
    struct memfs_rows entry_chunks; /* struct memfs_scan_chunk: those that are finished */
    uint64_t entries;
    char *staged;       /* the entries chunk being filled; its names begin behind 512 entries */
    size_t staged_size; /* bytes of it that are used */
};

int memfs_scan_tables_init(struct memfs_scan_tables *tables, const struct memfs_allocator *allocator);
void memfs_scan_tables_free(struct memfs_scan_tables *tables);

struct memfs_node_record *memfs_scan_node(const struct memfs_scan_tables *tables, uint32_t node);
/* Valid until the next entry is added. */
const struct memfs_entry *memfs_scan_entry(const struct memfs_scan_tables *tables, uint32_t entry, const char **name);

/* The new node's number. -ENOMEM, MEMFS_ELIMIT. */
int memfs_scan_add_node(struct memfs_scan_tables *tables, const struct memfs_node_record *record, uint32_t *node);
int memfs_scan_add_entry(struct memfs_scan_tables *tables, struct memfs_entry entry, const char *name);
/* The content of a nonempty regular file; returns its extents' run in `first`. */
int memfs_scan_add_file(struct memfs_scan_tables *tables, const struct memfs_scan_file *file, uint64_t size,
                        uint32_t *first);

/* No more entries come: gives the last chunk its final form. */
int memfs_scan_tables_finish(struct memfs_scan_tables *tables);

/* Chunk of a table, or NULL if there is none. */
const void *memfs_scan_chunk(const struct memfs_scan_tables *tables, enum memfs_table table, uint64_t chunk);

#endif
