/*
 * The contents of all files, in the order of their numbers: what has been read
 * ahead is taken in turn, equal files and equal parts are found, and the rest is
 * kept in blocks, one after the other.
 */
#ifndef MEMFS_CONTENTS_H
#define MEMFS_CONTENTS_H

#include "ahead.h"
#include "blocks.h"
#include "means.h"
#include "parts.h"
#include "share.h"

struct memfs_contents {
    struct memfs_freezing *job;
    struct memfs_order *order;
    struct memfs_blocks *blocks;
    struct memfs_ahead ahead;
    struct memfs_window window;
    struct memfs_parts parts;
    struct memfs_share share;
    struct memfs_rows extents; /* struct memfs_extent_row */
    uint64_t dropped;          /* files whose contents could not be had */
    uint64_t content_bytes, data_bytes;
    /* the file that is being taken: */
    uint32_t number;
    uint32_t first;             /* its first extent */
    int done;                   /* nothing more of it is wanted */
    uint64_t data;              /* bytes of it that are in no hole */
    struct memfs_digest digest; /* of a large one */
};

/* order is walked, blocks have begun. -ENOMEM */
int memfs_contents_begin(struct memfs_contents *contents, struct memfs_order *order, struct memfs_blocks *blocks,
                         const struct memfs_means *means);
/* Also gives back what only reading needed, if called before the end. Nothing runs any more. */
void memfs_contents_close(struct memfs_contents *contents);
void memfs_contents_end(struct memfs_contents *contents); /* one that is all zeros is accepted */

/* Takes all files; extents and digests are then in the order, all data blocks have been
 * written, and files that could not be read are marked as dropped, if the problem function says so. */
int memfs_contents_take(struct memfs_contents *contents);

#endif
