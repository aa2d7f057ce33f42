/*
 * Surgery on images: an image taken apart into records, which a test changes
 * one by one, and put together again: with every checksum right, so that the lie
 * itself must be caught, or with those from before the change, as an accident
 * leaves them. All blocks are then stored raw.
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

/* What is about to be written, and which of its kind. */
enum surgery_part {
    SURGERY_HEADER,  /* 64 bytes */
    SURGERY_RAW,     /* the raw bytes of a chunk: table and index */
    SURGERY_REF,     /* a struct memfs_ref: table, level and index; level 0 are refs of chunks and data blocks */
    SURGERY_ROOT,    /* the root's bytes: index is the generation */
    SURGERY_TRAILER, /* 64 bytes, the last eight hashed anew if they are not changed: index is the generation */
};
struct surgery_place {
    enum surgery_part part;
    unsigned table, level;
    uint64_t index;
};

/* A checksum as it was. */
struct surgery_sum {
    struct surgery_place place;
    uint64_t hash;
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
    /* Called on what is about to be written, if not NULL. level 0 are refs of chunks and data blocks.
     * A ref or trailer that was made to point elsewhere gets the checksum of what is written there, unless
     * it is told one. */
    void (*edit_header)(uint8_t *bytes);
    void (*edit_raw)(unsigned table, uint64_t chunk, uint8_t *raw, size_t *length);
    void (*edit_ref)(unsigned table, unsigned level, uint64_t index, struct memfs_ref *ref);
    void (*edit_root)(struct memfs_root *root);
    void (*edit_root_bytes)(uint8_t *bytes, size_t *length);
    void (*edit_trailer)(struct memfs_trailer *trailer);
    /* The same for all of them, and called last. length may be changed of raw chunks and roots, whose
     * buffers have room for some more. */
    void (*edit_any)(void *context, const struct surgery_place *place, void *what, size_t *length);
    void *context;
    /* Bytes put between things, which then belong to nothing. */
    size_t gap_before_blocks, gap_before_root;
    /* Generations that follow and change nothing. */
    unsigned generations_more;
    /* With stale, checksums are those of surgery_note_sums(). */
    int stale, noting;
    struct surgery_sum *sums;
    size_t sums_count, sums_next;
};

void surgery_open(struct surgery *s, const struct test_buffer *image);
/* As if another had been opened and changed in the same way: that takes longer. */
void surgery_copy(struct surgery *s, const struct surgery *from);
void surgery_close(struct surgery *s, struct test_buffer *out);
void surgery_free(struct surgery *s);

/* Notes the checksums of what there is now, before it is changed. */
void surgery_note_sums(struct surgery *s);

/* Room for more records of an array (count items of width); the new ones are zero. */
void *surgery_grow(void *array, size_t count, size_t more, size_t width);

#endif
