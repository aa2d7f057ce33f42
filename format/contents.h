/*
 * The contents of all files, in the order of their numbers: read, holes and
 * equal files found, the rest put into blocks one after the other.
 */
#ifndef MEMFS_CONTENTS_H
#define MEMFS_CONTENTS_H

#include "hash.h"
#include "order.h"
#include "share.h"

/* Takes the blocks as they fill, in order: all but the last have the block
 * size. What becomes of them, and when, is the taker's matter; the bytes are
 * the caller's again when put returns. */
struct memfs_block_sink {
    int (*put)(void *context, const void *raw, size_t length);
    void *context;
};

/* As struct memfs_extent, but tightly. */
struct memfs_extent_row {
    uint32_t offset_low, offset_high;
    uint32_t length, block, start;
};

struct memfs_contents {
    struct memfs_freezing *job;
    struct memfs_order *order;
    struct memfs_block_sink sink;
    struct memfs_share share;
    struct memfs_rows extents; /* struct memfs_extent_row */
    uint8_t *block;            /* that fills now */
    size_t fill;
    uint32_t number;  /* its */
    uint8_t *buffer;  /* of what is read */
    uint64_t dropped; /* files whose contents could not be had */
    uint64_t content_bytes, data_bytes;
    /* the file that is being read: */
    uint32_t directory, entry;
    uint32_t first; /* its first extent */
    int unreadable; /* the error is the file's own */
};

/* order is walked. -ENOMEM */
int memfs_contents_begin(struct memfs_contents *contents, struct memfs_order *order, struct memfs_block_sink sink);
/* Also gives back what only reading needed, if called before the end. */
void memfs_contents_close(struct memfs_contents *contents);
void memfs_contents_end(struct memfs_contents *contents); /* one that is all zeros is accepted */

/* Reads all files; extents and digests are then in the order, and files that
 * could not be read are marked there as dropped, if the problem function says so. */
int memfs_contents_read(struct memfs_contents *contents);

#endif
