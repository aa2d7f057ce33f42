/*
 * The contents of files: extents, digests, and the sums in the root.
 */
#include "alloc.h"
#include "detail.h"
#include "digest.h"
#include "verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct contents {
    struct memfs_verifying *v;
    uint64_t content_bytes, data_bytes;
    uint8_t *read; /* bit by data block: it was decoded whole */
    struct memfs_look node_look, extent_look, digest_look;
};

/* Sizes may add up to more than 64 bits hold: the sum then stays at the largest. */
static uint64_t sum(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* ---- Extents ----------------------------------------------------------------------- */

/* *sound: the content can be read. */
static int check_extents(struct contents *c, uint64_t n, const struct memfs_node_record *node, int *sound)
{
    uint64_t end = 0;
    *sound = 0;
    for (uint32_t i = 0; i < node->extents.count; i++) {
        const uint64_t index = (uint64_t)node->extents.first + i;
        const struct memfs_extent *extent;
        if (memfs_look_extent(c->v, &c->extent_look, index, &extent))
            return 1;
        const uint64_t raw = c->v->block_raw[extent->block];
        if (extent->start > raw || extent->length > raw - extent->start)
            return memfs_verify_record(c->v, MEMFS_EXTENTS, index,
                                       "runs to %" PRIu64 " in block %" PRIu32 ", which has %" PRIu64 " bytes",
                                       extent->start + extent->length, extent->block, raw);
        if (extent->offset < end)
            return memfs_verify_record(c->v, MEMFS_EXTENTS, index, "overlaps the one before it, or stands behind it");
        end = extent->offset + extent->length;
        if (end > node->size)
            return memfs_verify_record(c->v, MEMFS_EXTENTS, index,
                                       "runs to %" PRIu64 " in node %" PRIu64 ", whose size is %" PRIu64, end, n,
                                       node->size);
        c->data_bytes = sum(c->data_bytes, extent->length);
    }
    *sound = 1;
    return 0;
}

/* ---- Digests ------------------------------------------------------------------------- */

/* A finding about the content of a file: named by its path as well. */
static int content_finding(struct contents *c, uint64_t n, int error, uint64_t offset, const char *text)
{
    struct memfs_verify_path path;
    if (memfs_verify_find_path(c->v, n, &path))
        return 1;
    return memfs_verify_finding(c->v, error, offset, "node %" PRIu64 "%s%s: its content %s", n,
                                path.text[path.start] ? ", " : "", path.text + path.start, text);
}

static int add_extent(struct contents *c, uint64_t n, const struct memfs_extent *extent, struct memfs_digest *digest,
                      int *sound)
{
    struct memfs_pin pin = {0};
    const uint8_t *data;
    struct memfs_detail detail = {0};
    const int error =
        memfs_image_pin_block(c->v->image, extent->block, c->v->block_raw[extent->block], &pin, &data, &detail);
    if (error != 0 && error != MEMFS_ECHECKSUM && error != MEMFS_ECORRUPT)
        return memfs_verify_error(c->v, error, &detail);
    if (error) {
        char text[64];
        *sound = 0;
        snprintf(text, sizeof text, "needs block %" PRIu32 ", which is damaged", extent->block);
        return content_finding(c, n, error, detail.offset, text);
    }
    memfs_bit_set(c->read, extent->block);
    memfs_digest_add(digest, data + extent->start, (size_t)extent->length);
    memfs_image_ops.unpin(&c->v->image->backing, &pin);
    return memfs_verify_progress(c->v, extent->length, 0);
}

static int check_digest(struct contents *c, uint64_t n, const struct memfs_node_record *node, uint64_t expected)
{
    struct memfs_digest digest;
    uint64_t at = 0;
    int sound = 1;
    memfs_digest_begin(&digest);
    for (uint32_t i = 0; sound && i < node->extents.count; i++) {
        const struct memfs_extent *extent;
        if (memfs_look_extent(c->v, &c->extent_look, (uint64_t)node->extents.first + i, &extent))
            return 1;
        memfs_digest_add_gap(&digest, extent->offset - at);
        if (add_extent(c, n, extent, &digest, &sound))
            return 1;
        at = extent->offset + extent->length;
    }
    if (!sound)
        return 0;
    memfs_digest_add_gap(&digest, node->size - at);
    const uint64_t found = memfs_digest_end(&digest);
    if (found != expected) {
        char text[80];
        snprintf(text, sizeof text, "has the digest %016" PRIx64 ", not %016" PRIx64, found, expected);
        return content_finding(c, n, MEMFS_ECORRUPT, MEMFS_NOWHERE, text);
    }
    return 0;
}

static int check_node(struct contents *c, uint64_t n)
{
    const struct memfs_node_record *node;
    uint64_t digest;
    if (memfs_look_node(c->v, &c->node_look, n, &node) || memfs_look_digest(c->v, &c->digest_look, n, &digest))
        return 1;
    if ((node->mode & MEMFS_IFMT) != MEMFS_IFREG)
        return digest ? memfs_verify_record(c->v, MEMFS_DIGESTS, n, "it is no regular file, but has a digest") : 0;
    int sound;
    c->content_bytes = sum(c->content_bytes, node->size);
    if (check_extents(c, n, node, &sound))
        return 1;
    return sound ? check_digest(c, n, node, digest) : 0;
}

/* Blocks of which no file has a part decode as they should, too. */
static int check_unused_blocks(struct contents *c, uint64_t blocks)
{
    for (uint64_t block = 0; block < blocks; block++) {
        if (memfs_bit(c->read, block))
            continue;
        struct memfs_pin pin = {0};
        const uint8_t *data;
        struct memfs_detail detail = {0};
        const int error =
            memfs_image_pin_block(c->v->image, (uint32_t)block, c->v->block_raw[block], &pin, &data, &detail);
        if (!error)
            memfs_image_ops.unpin(&c->v->image->backing, &pin);
        else if (memfs_verify_error(c->v, error, &detail))
            return 1;
        if (memfs_verify_progress(c->v, 0, 0))
            return 1;
    }
    return 0;
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

static int check_all(struct contents *c, uint64_t blocks)
{
    uint64_t digest;
    const uint64_t nodes = c->v->image->root.table[MEMFS_NODES].count;
    if (memfs_look_digest(c->v, &c->digest_look, 0, &digest))
        return 1;
    if (digest && memfs_verify_record(c->v, MEMFS_DIGESTS, 0, "node 0 is reserved, but has a digest"))
        return 1;
    for (uint64_t n = 1; n < nodes; n++)
        if (check_node(c, n))
            return 1;
    return check_sums(c) || check_unused_blocks(c, blocks);
}

int memfs_verify_contents(struct memfs_verifying *v)
{
    const uint64_t blocks = v->image->root.table[MEMFS_DATA].count;
    const size_t bytes = (size_t)(blocks / 8 + 1);
    struct contents c = {.v = v, .read = memfs_alloc_zeroed(&v->image->allocator, bytes)};
    int stop;
    if (c.read) {
        stop = check_all(&c, blocks);
    } else {
        struct memfs_detail detail = {0};
        stop = memfs_verify_error(v, -ENOMEM, &detail);
    }
    memfs_look_end(v, &c.node_look);
    memfs_look_end(v, &c.extent_look);
    memfs_look_end(v, &c.digest_look);
    memfs_free(&v->image->allocator, c.read, bytes);
    return stop;
}
