/*
 * Contents of files. An unchanged file has its base extents. A changed one has
 * a record in CONTENTS: a map of pages of 64 KiB, each private, or absent: then
 * the base's bytes show through, as far as they are still visible, else zeros.
 * Pages are found through a tree of MAPS records (map.h); a file of one page has
 * none.
 *
 * A page belongs to the filesystem that made it; one of a sealed filesystem
 * below, or one that a view holds, is copied before it is changed.
 */
#ifndef MEMFS_CONTENT_H
#define MEMFS_CONTENT_H

#include "node.h"

#define PAGE_SHIFT 16
#define PAGE_BYTES (1u << PAGE_SHIFT)

#define MAP_SHIFT 6
#define MAP_SLOTS (1u << MAP_SHIFT)
#define MAP_HEIGHT_MAX 8

/* A slot of a map's lowest level, or the root of a file of one page: 0 for an
 * absent page, the address of a struct page, or an odd number for a hole that
 * hides the base: 1 + twice the mask of the base's data there. A slot higher up:
 * 0, or 1 + the index of a record. */
struct map_record {
    uint64_t slots[MAP_SLOTS];
};

/* A file that has changed. No root: height 0. */
struct content_record {
    uint64_t root;                   /* the slot above everything */
    uint64_t base_limit;             /* the base's bytes are visible below this */
    int64_t pages;                   /* 4,096-byte pages: private data, less what private pages and holes hide */
    uint32_t base_first, base_count; /* extents of the base */
    uint8_t height;                  /* of the tree of maps */
    uint8_t reserved[7];
};

/* What a file consists of, changed or not. */
struct content {
    uint64_t size;
    uint64_t bound; /* no extent ends beyond this */
    uint64_t base_limit;
    uint32_t base_first, base_count;
    uint64_t root;
    int64_t pages;
    unsigned height;
};

/* ---- Reach ---- */

/* 0 for a regular file, -EISDIR, -EINVAL. */
int content_check_type(const struct memfs_node_record *node);

/* 0, OP_MISS, and the errors of content_check_type(). */
int content_get(struct op *op, const struct memfs_node_record *node, struct content *out);

/* Bytes of the file that are not holes, at 4,096 a page (the last counts whole). Of
 * files with very many extents in the base only the span they cover is known. */
int content_allocated(struct op *op, const struct memfs_node_record *node, uint64_t *out);

/* Prepares setting the size; the node has been owned. What is prepared must go to
 * content_resize(), or to content_cancel() before reach returns an error or OP_MISS.
 * A plan starts zeroed and is not moved. -EFBIG, -EISDIR, -EINVAL, -ENOSPC, -ENOMEM, OP_MISS. */
struct content_plan;
int content_reach_resize(struct op *op, uint32_t node, uint64_t size, struct content_plan *plan);
void content_cancel(memfs *fs, struct content_plan *plan); /* zeroed is fine */

/* ---- Commit ---- */

/* Sets mtime and ctime, too. */
void content_resize(memfs *fs, struct content_plan *plan);
/* Frees the contents of a node (which is about to be released). */
void content_free(memfs *fs, struct memfs_node_record *node);

/* ---- Outside of operations ---- */

/* The size of a regular file; the errors of content_check_type(). */
int content_size(memfs *fs, memfs_node node, uint64_t *out);

/* ---- The writer, at any time ---- */

/* Frees pages whose last view has gone. */
void content_collect(memfs *fs);

/* ---- Plans (plan.c) ---- */

/* What happens to a range of a file. */
enum plan_kind {
    PLAN_WRITE,    /* gets bytes */
    PLAN_ALLOCATE, /* gets memory */
    PLAN_PUNCH,    /* becomes zeros; its whole 4,096-byte pages become holes */
    PLAN_CUT       /* is beyond the new end of the file */
};

/* One page, reached. The mask bits are the page's 4,096-byte pages. */
struct plan_change {
    uint64_t index;
    uint64_t value; /* of the slot */
    uint16_t allocated, base;
    uint8_t in_place; /* value is there already, and has been claimed */
};

struct plan_fill;

struct content_plan {
    uint32_t node;
    struct memfs_node_record *record;
    struct content_record *owned; /* NULL: to be made */
    struct content before;
    enum plan_kind kind;
    const unsigned char *data; /* PLAN_WRITE */
    uint64_t from, to;         /* the range */
    uint64_t size, base_limit; /* afterwards */
    uint64_t last;             /* page that got the last new slot; UINT64_MAX: none */
    uint32_t maps;             /* records needed at most */
    int keeps_mtime;
    int drops_setid; /* whoever writes may not change what the file runs as */
    int64_t now;

    struct plan_change *changes;
    size_t count, room; /* room 0: first_changes, if any */
    struct plan_change first_changes[4];

    struct plan_fill *fills; /* bytes of the base, for pages that are changed in part */
    uint64_t wanted;         /* the page whose bytes were missing when reach returned PLAN_FILL */
};

#endif
