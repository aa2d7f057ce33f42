/*
 * The contents of files: extents, and the sums in the root. What bounds the work comes
 * first: only when all extents are sound and the sums are right, contents are read.
 */
#include "verify_contents.h"

#include "alloc.h"
#include "columns.h"
#include "detail.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define RUNS_KNOWN 4096u

/* A run of extents that was looked at. Files may have one in common: thousands that have
 * a long one need it looked at once. */
struct run {
    uint64_t size, data;
    uint32_t first, count;
    uint32_t node; /* the first with this content; 0: nothing is known */
};

struct contents {
    struct memfs_verifying *v;
    struct memfs_verify_files files;
    struct memfs_twins twins;
    uint64_t nodes, extents, blocks;
    uint64_t content_bytes, data_bytes;
    uint8_t *owned; /* bit by extent: it is a file's */
    struct run *known;
    struct memfs_look node_look, extent_look, digest_look;
};

/* Sizes may add up to more than 64 bits hold: the sum then stays at the largest. */
static uint64_t sum(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

int memfs_verify_looked(struct memfs_verifying *v, struct memfs_verify_files *files, uint64_t extents)
{
    files->looked += extents * MEMFS_EXTENT_WORK;
    if (files->looked <= files->bytes_max)
        return 0;
    return memfs_verify_over_limit(v, "looking at the extents of all files", files->bytes_max);
}

/* ---- Each extent alone ----------------------------------------------------------------- */

static int check_extents(struct contents *c)
{
    for (uint64_t i = 0; i < c->extents; i++) {
        const struct memfs_extent *extent;
        if (memfs_verify_work(c->v, 0) || memfs_look_extent(c->v, &c->extent_look, i, &extent))
            return 1;
        const uint64_t raw = c->v->block_raw[extent->block];
        if ((extent->start > raw || extent->length > raw - extent->start) &&
            memfs_verify_record(c->v, MEMFS_EXTENTS, i,
                                "runs to %" PRIu64 " in block %" PRIu32 ", which has %" PRIu64 " bytes",
                                extent->start + extent->length, extent->block, raw))
            return 1;
    }
    return 0;
}

/* ---- The extents of each file -------------------------------------------------------------- */

static int check_next(struct contents *c, uint64_t n, const struct memfs_node_record *node, uint64_t index,
                      const struct memfs_extent *extent, uint64_t end)
{
    if (extent->offset < end)
        return memfs_verify_record(c->v, MEMFS_EXTENTS, index, "overlaps the one before it, or stands behind it");
    if (extent->offset + extent->length > node->size)
        return memfs_verify_record(c->v, MEMFS_EXTENTS, index,
                                   "runs to %" PRIu64 " in node %" PRIu64 ", whose size is %" PRIu64,
                                   extent->offset + extent->length, n, node->size);
    return 0;
}

static int check_run(struct contents *c, uint64_t n, const struct memfs_node_record *node, uint64_t *data,
                     uint64_t *mark)
{
    uint64_t end = 0;
    *mark = memfs_twins_mark(0, node->size);
    for (uint32_t i = 0; i < node->extents.count; i++) {
        const uint64_t index = (uint64_t)node->extents.first + i;
        const struct memfs_extent *extent;
        if (memfs_verify_work(c->v, 0) || memfs_look_extent(c->v, &c->extent_look, index, &extent) ||
            check_next(c, n, node, index, extent, end))
            return 1;
        end = extent->offset + extent->length;
        *data = sum(*data, extent->length);
        *mark = memfs_twins_mark(*mark, extent->offset);
        *mark = memfs_twins_mark(*mark, extent->length);
        *mark = memfs_twins_mark(*mark, (uint64_t)extent->block << 32 | extent->start);
        memfs_bit_set(c->owned, index);
    }
    return memfs_verify_looked(c->v, &c->files, node->extents.count);
}

/* This file will be read: so long, and no longer, its blocks are worth keeping. */
static int note_blocks(struct contents *c, const struct memfs_node_record *node)
{
    for (uint32_t i = 0; i < node->extents.count; i++) {
        const struct memfs_extent *extent;
        if (memfs_verify_work(c->v, 0) ||
            memfs_look_extent(c->v, &c->extent_look, (uint64_t)node->extents.first + i, &extent))
            return 1;
        const uint64_t part = ++c->files.parts;
        c->files.last[extent->block] = part < UINT32_MAX ? (uint32_t)part : UINT32_MAX;
    }
    return 0;
}

static struct run *run_of(struct contents *c, const struct memfs_node_record *node)
{
    const uint64_t mixed =
        (node->size ^ ((uint64_t)node->extents.first << 32 | node->extents.count) * 7) * 0x9e3779b97f4a7c15u;
    return &c->known[mixed >> 32 & (RUNS_KNOWN - 1)];
}

/* A file without extents is no matter of reading: nothing is known of it. */
static int check_file(struct contents *c, uint64_t n, const struct memfs_node_record *node)
{
    c->content_bytes = sum(c->content_bytes, node->size);
    if (node->extents.count == 0)
        return 0;
    struct run *run = run_of(c, node);
    if (run->node != 0 && run->first == node->extents.first && run->count == node->extents.count &&
        run->size == node->size) {
        c->files.twin[n] = run->node;
    } else {
        uint64_t mark;
        *run = (struct run){.size = node->size, .first = node->extents.first, .count = node->extents.count};
        if (check_run(c, n, node, &run->data, &mark) || memfs_twins_find(&c->twins, n, node, mark, &c->files.twin[n]))
            return 1;
        if (c->files.twin[n] == 0 && note_blocks(c, node))
            return 1;
        run->node = c->files.twin[n] ? c->files.twin[n] : (uint32_t)n;
    }
    c->data_bytes = sum(c->data_bytes, run->data);
    return 0;
}

static int check_nodes(struct contents *c)
{
    for (uint64_t n = 0; n < c->nodes; n++) {
        const struct memfs_node_record *node;
        uint64_t digest;
        if (memfs_verify_work(c->v, 0) || memfs_look_node(c->v, &c->node_look, n, &node) ||
            memfs_look_digest(c->v, &c->digest_look, n, &digest))
            return 1;
        if (memfs_is_file(node)) {
            if (check_file(c, n, node))
                return 1;
        } else if (digest && memfs_verify_record(c->v, MEMFS_DIGESTS, n, "it is no regular file, but has a digest")) {
            return 1;
        }
    }
    return 0;
}

static int check_owners(struct contents *c)
{
    uint64_t first = 0, count = 0;
    for (uint64_t i = 0; i < c->extents; i++) {
        if (memfs_verify_work(c->v, 0))
            return 1;
        if (!memfs_bit(c->owned, i) && count++ == 0)
            first = i;
    }
    if (count == 0)
        return 0;
    return memfs_verify_record(c->v, MEMFS_EXTENTS, first, "is no file's, the first of %" PRIu64 " such", count);
}

static int check_sums(struct contents *c)
{
    const struct memfs_root *root = &c->v->image->root;
    if (c->content_bytes != root->content_bytes || c->data_bytes != root->data_bytes)
        return memfs_verify_finding(c->v, MEMFS_ECORRUPT, c->v->image->trailer.root_offset,
                                    "root: files have %" PRIu64 " bytes, %" PRIu64 " of them data; it says %" PRIu64
                                    " and %" PRIu64,
                                    c->content_bytes, c->data_bytes, root->content_bytes, root->data_bytes);
    return 0;
}

/* ---- All ----------------------------------------------------------------------------------- */

static int check_all(struct contents *c)
{
    const uint64_t findings = c->v->findings;
    if (check_extents(c) || check_nodes(c) || check_owners(c) || check_sums(c))
        return 1;
    if (c->v->findings != findings)
        return 0; /* contents cannot be read, or not in a time that is known */
    if (c->data_bytes > c->files.bytes_max)
        return memfs_verify_over_limit(c->v, "the data of all files", c->files.bytes_max);
    memfs_twins_end(&c->twins);
    return memfs_verify_digests(c->v, &c->files);
}

static int make(struct contents *c)
{
    const struct memfs_allocator *allocator = &c->v->image->allocator;
    const size_t nodes = (size_t)c->nodes, blocks = (size_t)c->blocks;
    c->owned = memfs_alloc_zeroed(allocator, memfs_bits_bytes(c->extents));
    c->known = memfs_alloc_zeroed(allocator, RUNS_KNOWN * sizeof *c->known);
    c->files.twin = memfs_alloc_array(allocator, nodes, sizeof *c->files.twin);
    c->files.last = memfs_alloc_array(allocator, blocks + 1, sizeof *c->files.last);
    if (!c->owned || !c->known || !c->files.twin || !c->files.last)
        return -ENOMEM;
    memset(c->files.twin, 0, nodes * sizeof *c->files.twin);
    memset(c->files.last, 0, (blocks + 1) * sizeof *c->files.last);
    return memfs_twins_begin(&c->twins, c->v, &c->files);
}

int memfs_verify_contents(struct memfs_verifying *v)
{
    const struct memfs_allocator *allocator = &v->image->allocator;
    const struct memfs_root *root = &v->image->root;
    struct contents c = {.v = v,
                         .files.bytes_max = memfs_verify_bytes_max(v),
                         .nodes = root->table[MEMFS_NODES].count,
                         .extents = root->table[MEMFS_EXTENTS].count,
                         .blocks = root->table[MEMFS_DATA].count};
    const int stop = make(&c) ? memfs_verify_no_memory(v) : check_all(&c);
    memfs_look_end(v, &c.node_look);
    memfs_look_end(v, &c.extent_look);
    memfs_look_end(v, &c.digest_look);
    memfs_twins_end(&c.twins);
    memfs_free(allocator, c.owned, memfs_bits_bytes(c.extents));
    memfs_free(allocator, c.known, RUNS_KNOWN * sizeof *c.known);
    memfs_free(allocator, c.files.twin, (size_t)c.nodes * sizeof *c.files.twin);
    memfs_free(allocator, c.files.last, ((size_t)c.blocks + 1) * sizeof *c.files.last);
    return stop;
}
