/*
 * Contents of files. An unchanged file has its base extents. A changed one has
 * a map of pages of 64 KiB, each private, or absent: then the base's bytes show
 * through, as far as they are still visible, else zeros. A record in CONTENTS has
 * all that; pages are found through a tree of MAPS records (map.h). A file of one
 * page with nothing of the base, as most are, needs neither: its node names the page.
 *
 * A page belongs to the filesystem that made it; one of a sealed filesystem
 * below, or one that a view holds, is copied before it is changed.
 */
#ifndef MEMFS_CONTENT_H
#define MEMFS_CONTENT_H

#include "node.h"

#define PAGE_SHIFT 16
#define PAGE_BYTES (1u << PAGE_SHIFT)

#define MAP_HEIGHT_MAX 8 /* of the tree of maps */

/* Where the 4,096-byte page of an offset starts; the next start at or behind it. */
static inline uint64_t hole_floor(uint64_t offset)
{
    return offset & ~(uint64_t)(MEMFS_HOLE_BYTES - 1);
}

static inline uint64_t hole_ceil(uint64_t offset)
{
    return hole_floor(offset + MEMFS_HOLE_BYTES - 1);
}

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

/* What a node that is MEMFS_NODE_PAGED says, as a record would; and the other way round,
 * if the node can say it. */
struct content_record content_of_paged(const struct memfs_node_record *node);
int content_fits_node(const struct content_record *content);
void content_to_node(const struct content_record *content, struct memfs_node_record *node);

/* 0 for a regular file, -EISDIR, -EINVAL. */
int content_check_type(const struct memfs_node_record *node);

/* 0, and the errors of content_check_type(). */
int content_get(const memfs *fs, const struct memfs_node_record *node, struct content *out);

/* Fetches the beginning of a file's only page, if it has one: it will be read soon. */
void content_prefetch(const struct memfs_node_record *node);

/* Bytes of a regular file that are not holes, at 4,096 a page (the last counts whole). Of
 * files with more than 512 extents in the base only the span they cover is known. */
int content_allocated(struct op *op, const struct memfs_node_record *node, uint64_t *out);

/* Prepares setting the size; the node has been owned. What is prepared must go to
 * content_resize(), or to content_cancel() before reach returns an error or OP_MISS.
 * A plan (plan.h) starts by plan_init(), and is not moved. Attributes stay as they are.
 * -EFBIG, -EISDIR, -EINVAL, -ENOSPC, -ENOMEM, OP_MISS. */
struct content_plan;
int content_reach_resize(struct op *op, uint32_t node, uint64_t size, struct content_plan *plan);
void content_cancel(memfs *fs, struct content_plan *plan); /* one for nothing yet is fine */

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

#endif
