/*
 * Surgery on images: an image taken apart into records, which a test changes
 * one by one, and put together again with every checksum right, so that the lie
 * itself must be caught. All blocks are then stored raw.
 */
#ifndef SURGERY_H
#define SURGERY_H

#include "image.h"
#include "testlib.h"

struct surgery_entry {
    uint32_t node;
    uint8_t length, type, starts_run;
    char name[MEMFS_NAME_MAX + 1];
};

struct surgery_block {
    uint8_t *raw;
    size_t length;
};

struct surgery {
    struct memfs_header header;
    struct memfs_root root; /* its tables are made anew; counts are those below unless changed by edit_root */
    size_t nodes_count, entries_count, extents_count, xattrs_count, blobs_count, digests_count, blocks_count;
    struct memfs_node_record *nodes;
    struct surgery_entry *entries;
    struct memfs_extent *extents;
    struct memfs_xattr *xattrs;
    uint8_t *blobs;
    uint64_t *digests;
    struct surgery_block *blocks;
    /* Called on what is about to be written, if not NULL. level 0 are refs of
     * chunks and data blocks. */
    void (*edit_header)(uint8_t *bytes);
    void (*edit_raw)(unsigned table, uint64_t chunk, uint8_t *raw, size_t *length);
    void (*edit_ref)(unsigned table, unsigned level, uint64_t index, struct memfs_ref *ref);
    void (*edit_root)(struct memfs_root *root);
    void (*edit_root_bytes)(uint8_t *bytes, size_t *length);
    void (*edit_trailer)(struct memfs_trailer *trailer);
    /* Bytes put between things, which then belong to nothing. */
    size_t gap_before_blocks, gap_before_root;
};

void surgery_open(struct surgery *s, const struct test_buffer *image);
void surgery_close(struct surgery *s, struct test_buffer *out);
void surgery_free(struct surgery *s);

/* Room for more records of an array (count items of width); the new ones are zero. */
void *surgery_grow(void *array, size_t count, size_t more, size_t width);

#endif
