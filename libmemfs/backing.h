/*
 * The backing: where a filesystem's records and contents come from when they
 * are not its own. Implemented by images, host directories, sealed
 * filesystems. Immutable; all functions may be called from any thread.
 */
#ifndef MEMFS_BACKING_H
#define MEMFS_BACKING_H

#include "epoch.h"
#include "memfs.h"
#include "records.h"

/* Keeps something of a backing resident. Zeroed: holds nothing. */
struct memfs_pin {
    void *object;
    uint64_t private[2]; /* the backing's own */
};

struct memfs_backing_ops {
    void (*destroy)(memfs_backing *backing);

    /* Chunk of a table if it is resident, else NULL. Called by a reader (see
     * epoch.h): the chunk stays until the reader exits. Must not block. */
    const void *(*peek)(memfs_backing *backing, enum memfs_table table, uint64_t chunk);

    /* Makes a chunk resident, checked (memfs_check_chunk), and pins it. May
     * block and fail; then the pin holds nothing. Failures for lack of memory
     * and of input are met anew by the next call, damage is remembered. */
    int (*load)(memfs_backing *backing, enum memfs_table table, uint64_t chunk, struct memfs_pin *pin);

    /* Exactly length bytes that start at start in a block. May block. */
    int (*read)(memfs_backing *backing, uint32_t block, uint64_t start, void *buffer, size_t length);

    /* The same without a copy: up to length bytes, at least one, pinned. */
    int (*view)(memfs_backing *backing, uint32_t block, uint64_t start, size_t length, const void **data, size_t *got,
                struct memfs_pin *pin);

    /* NULL where nothing is known. The first byte at or after start, below
     * start + length, that may be other than zero; start + length if none. */
    int64_t (*seek_data)(memfs_backing *backing, uint32_t block, uint64_t start, uint64_t length);

    void (*unpin)(memfs_backing *backing, struct memfs_pin *pin);
};

struct memfs_backing {
    const struct memfs_backing_ops *ops;
    _Atomic(uint64_t) references;
    /* Indices below these exist. For BLOBS: bytes. Chunks up to the last are
     * full, the last has the rest. */
    uint64_t count[MEMFS_TABLES];
    uint64_t blocks;             /* blocks below this exist, for extents */
    uint64_t nodes_in_use;       /* for statfs */
    struct memfs_epochs *epochs; /* of the undermost backing */
    unsigned layers;             /* sealed filesystems from here downwards */
    memfs *sealed;               /* the sealed filesystem, if it is one, else NULL */
};

/* references is set to 1. ops and epochs must live as long as the backing. */
void memfs_backing_init(struct memfs_backing *backing, const struct memfs_backing_ops *ops,
                        struct memfs_epochs *epochs);

/* What a chunk *means*, for every backing, once, when it is loaded: all indices
 * in range, all enums known, reserved fields zero, names legal, runs strictly
 * sorted within the chunk. chunk has `count` native records (for ENTRIES with
 * its names behind, `bytes` in all; for BLOBS and DIGESTS nothing is to be
 * checked). 0 or MEMFS_ECORRUPT, with text in detail (may be NULL; offset is
 * left to the caller). */
int memfs_check_chunk(const struct memfs_backing *backing, enum memfs_table table, uint64_t chunk, const void *records,
                      size_t count, size_t bytes, struct memfs_detail *detail);

/* How many entries all directories of a filesystem can have, unless it changes: those of a lying image may all claim
 * the same ones, and whoever goes through a whole tree stops there. */
uint64_t memfs_entries_most(const memfs *fs);

/* Is a name legal: 1 to 255 bytes, no slash, no NUL, not "." or ".."? */
int memfs_name_ok(const char *name, size_t length);

/* Order of names: bytes, unsigned, the shorter first. <0, 0, >0. */
int memfs_name_compare(const char *a, size_t a_length, const char *b, size_t b_length);

#endif
