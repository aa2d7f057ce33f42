/*
 * The bytes of the heap: each is part of a link's target, or of an attribute's name
 * or value; but for zeros that fill a chunk up.
 */
#include "alloc.h"
#include "columns.h"
#include "verify.h"

#include <inttypes.h>
#include <string.h>

/* A heap of zeros is a bit in the image for each KiB that it claims: to stay within a
 * measure of the image, it is looked at in windows, as many as needed. Each costs a look
 * at all nodes and attributes; what is no attack has one. */
#define WINDOW_LEAST ((uint64_t)16 << 20) /* bytes of bits */

struct heap {
    struct memfs_verifying *v;
    uint64_t nodes, xattrs, bytes;
    uint64_t from, to; /* the window, of whole chunks */
    uint8_t *named;    /* bit by byte of the window */
    struct memfs_look node_look, xattr_look, blob_look;
};

/* ---- What is named ------------------------------------------------------------------- */

/* What is named stands in one chunk: all of it is in the window, or nothing. */
static void name(struct heap *h, uint64_t offset, uint64_t length)
{
    if (offset < h->from || offset >= h->to)
        return;
    uint64_t at = offset - h->from;
    const uint64_t end = at + length;
    for (; at < end && at % 8 != 0; at++)
        memfs_bit_set(h->named, at);
    if (end - at >= 8) {
        memset(h->named + at / 8, 0xff, (size_t)((end - at) / 8));
        at = end / 8 * 8;
    }
    for (; at < end; at++)
        memfs_bit_set(h->named, at);
}

static int name_targets(struct heap *h)
{
    for (uint64_t n = 1; n < h->nodes; n++) {
        const struct memfs_node_record *node;
        if (memfs_verify_work(h->v, 0) || memfs_look_node(h->v, &h->node_look, n, &node))
            return 1;
        if ((node->mode & MEMFS_IFMT) == MEMFS_IFLNK)
            name(h, node->target, node->size);
    }
    return 0;
}

static int name_attributes(struct heap *h)
{
    for (uint64_t i = 0; i < h->xattrs; i++) {
        const struct memfs_xattr *xattr;
        if (memfs_verify_work(h->v, 0) || memfs_look_xattr(h->v, &h->xattr_look, i, &xattr))
            return 1;
        name(h, xattr->name, xattr->name_length);
        if (xattr->value_length > 0)
            name(h, xattr->value, xattr->value_length);
    }
    return 0;
}

/* ---- What is not ---------------------------------------------------------------------- */

/* Only zeros may follow the last byte that is named, and only if another chunk follows. */
static int check_filling(struct heap *h, uint64_t from, uint64_t end)
{
    const char *bytes;
    if (from == end)
        return 0;
    if (end == h->bytes)
        return memfs_verify_record(h->v, MEMFS_BLOBS, from, "nothing names the last %" PRIu64 " bytes", end - from);
    if (memfs_look_blob(h->v, &h->blob_look, from, &bytes))
        return 1;
    for (uint64_t i = 0; i < end - from; i++)
        if (bytes[i] != 0)
            return memfs_verify_record(h->v, MEMFS_BLOBS, from + i, "nothing names this byte, which is not zero");
    return 0;
}

static int check_chunk(struct heap *h, uint64_t from, uint64_t end)
{
    uint64_t named = from, last = end; /* named without a break up to here; behind the last that is */
    while (named < end && memfs_bit(h->named, named - h->from))
        named++;
    while (last > named && !memfs_bit(h->named, last - 1 - h->from))
        last--;
    if (last > named)
        return memfs_verify_record(h->v, MEMFS_BLOBS, named,
                                   "nothing names this byte, though others behind it are named");
    return check_filling(h, named, end);
}

static int check_window(struct heap *h)
{
    memset(h->named, 0, memfs_bits_bytes(h->to - h->from));
    if (name_targets(h) || name_attributes(h))
        return 1;
    for (uint64_t from = h->from; from < h->to; from += MEMFS_BLOB_BYTES) {
        const uint64_t end = h->to - from < MEMFS_BLOB_BYTES ? h->to : from + MEMFS_BLOB_BYTES;
        if (memfs_verify_work(h->v, MEMFS_BLOB_BYTES) || check_chunk(h, from, end))
            return 1;
    }
    return 0;
}

static int check_windows(struct heap *h, uint64_t window)
{
    for (h->from = 0; h->from < h->bytes; h->from = h->to) {
        h->to = h->bytes - h->from < window ? h->bytes : h->from + window;
        if (check_window(h))
            return 1;
    }
    return 0;
}

int memfs_verify_heap(struct memfs_verifying *v)
{
    const struct memfs_root *root = &v->image->root;
    struct heap h = {.v = v,
                     .nodes = root->table[MEMFS_NODES].count,
                     .xattrs = root->table[MEMFS_XATTRS].count,
                     .bytes = root->table[MEMFS_BLOBS].count};
    const uint64_t size = v->image->source.size < MEMFS_HEAP_MAX ? v->image->source.size : MEMFS_HEAP_MAX;
    const uint64_t most = (WINDOW_LEAST + size) / MEMFS_BLOB_BYTES * MEMFS_BLOB_BYTES * 8;
    const uint64_t window = h.bytes < most ? h.bytes : most;
    if (window == 0)
        return 0;
    h.named = memfs_alloc(&v->image->allocator, memfs_bits_bytes(window));
    const int stop = h.named ? check_windows(&h, window) : memfs_verify_no_memory(v);
    memfs_look_end(v, &h.node_look);
    memfs_look_end(v, &h.xattr_look);
    memfs_look_end(v, &h.blob_look);
    memfs_free(&v->image->allocator, h.named, memfs_bits_bytes(window));
    return stop;
}
