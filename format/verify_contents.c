/*
 * The contents of files: extents, digests, and the sums in the root. What bounds the
 * work comes first: only when all extents are sound and the sums are right, contents
 * are read.
 */
#include "alloc.h"
#include "columns.h"
#include "detail.h"
#include "digest.h"
#include "verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BYTES_MAX_LEAST ((uint64_t)64 << 30)
#define BYTES_MAX_RATIO 1024u
#define EXTENT_WORK 64u /* bytes that looking at an extent counts as */
#define KNOWN_SLOTS 4096u

/* A content that was looked at: files that have the same need it no second time. The
 * same are those with the same run of extents, and those whose only extent is the same. */
struct known {
    uint64_t size, offset, length;
    uint32_t first, count, block, start; /* first is 0 if count is 1, the others if not */
    uint64_t data, digest;
    int whole; /* it could be read; else no digest */
};

struct contents {
    struct memfs_verifying *v;
    uint64_t bytes_max;
    uint64_t nodes, extents, blocks;
    uint64_t content_bytes, data_bytes;
    uint64_t looked;         /* bytes that looking at extents counted as */
    uint64_t decoded_before; /* by the image, when reading began */
    uint8_t *wanted;         /* bit by data block: an extent is in it */
    uint8_t *owned;          /* bit by extent: it is a file's */
    struct known *known;
    uint64_t damaged, damaged_first; /* files with parts in damaged blocks */
    struct memfs_look node_look, extent_look, digest_look;
};

/* Sizes may add up to more than 64 bits hold: the sum then stays at the largest. */
static uint64_t sum(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static int over_limit(struct contents *c, const char *what, uint64_t bytes)
{
    memfs_verify_finding(c->v, MEMFS_ELIMIT, MEMFS_NOWHERE,
                         "%s (%" PRIu64 " bytes) is more than verifying an image of this size may take (%" PRIu64
                         "); a higher limit has to be given",
                         what, bytes, c->bytes_max);
    return 1;
}

static int is_file(const struct memfs_node_record *node)
{
    return (node->mode & MEMFS_IFMT) == MEMFS_IFREG;
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
        memfs_bit_set(c->wanted, extent->block);
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

static int check_run(struct contents *c, uint64_t n, const struct memfs_node_record *node, uint64_t *data)
{
    uint64_t end = 0;
    for (uint32_t i = 0; i < node->extents.count; i++) {
        const uint64_t index = (uint64_t)node->extents.first + i;
        const struct memfs_extent *extent;
        if (memfs_verify_work(c->v, 0) || memfs_look_extent(c->v, &c->extent_look, index, &extent) ||
            check_next(c, n, node, index, extent, end))
            return 1;
        end = extent->offset + extent->length;
        *data = sum(*data, extent->length);
        memfs_bit_set(c->owned, index);
    }
    c->looked += (uint64_t)node->extents.count * EXTENT_WORK;
    return c->looked > c->bytes_max ? over_limit(c, "looking at the extents of all files", c->looked) : 0;
}

static struct known *slot_of(struct contents *c, const struct known *key)
{
    const uint64_t mixed =
        (key->size ^ key->offset * 3 ^ key->length * 5 ^ ((uint64_t)key->first << 32 | key->count) * 7 ^
         ((uint64_t)key->block << 32 | key->start) * 11) *
        0x9e3779b97f4a7c15u;
    return &c->known[mixed >> 32 & (KNOWN_SLOTS - 1)];
}

static int is_known(const struct known *known, const struct known *key)
{
    return known->count == key->count && known->first == key->first && known->size == key->size &&
           known->offset == key->offset && known->length == key->length && known->block == key->block &&
           known->start == key->start;
}

/* A file without extents is no matter of reading: nothing is known of it. */
static int check_file(struct contents *c, uint64_t n, const struct memfs_node_record *node)
{
    c->content_bytes = sum(c->content_bytes, node->size);
    if (node->extents.count == 0)
        return 0;
    struct known key = {.size = node->size, .first = node->extents.first, .count = node->extents.count};
    struct known *known = slot_of(c, &key);
    if (!is_known(known, &key)) {
        if (check_run(c, n, node, &key.data))
            return 1;
        *known = key;
    }
    c->data_bytes = sum(c->data_bytes, known->data);
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
        if (is_file(node)) {
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

/* ---- Digests ------------------------------------------------------------------------- */

/* A finding about a file: named by its path as well. */
static int file_finding(struct contents *c, uint64_t n, int error, const char *text)
{
    struct memfs_verify_path path;
    if (memfs_verify_find_path(c->v, n, &path))
        return 1;
    return memfs_verify_finding(c->v, error, MEMFS_NOWHERE, "node %" PRIu64 "%s%s: %s", n,
                                path.text[path.start] ? ", " : "", path.text + path.start, text);
}

/* Files that are apart in the image may share blocks that are far from each other: what
 * was decoded is gone from the cache when the next one needs it. */
static int check_decoded(struct contents *c)
{
    const uint64_t decoded = atomic_load(&c->v->image->decoded_bytes) - c->decoded_before;
    return decoded > c->bytes_max ? over_limit(c, "what has to be decoded", decoded) : 0;
}

/* Of a damaged block only the first sign is reported. */
static int block_failed(struct contents *c, uint64_t block, int error, const struct memfs_detail *detail)
{
    if (error != MEMFS_ECHECKSUM && error != MEMFS_ECORRUPT)
        return memfs_verify_error(c->v, error, detail);
    memfs_bit_set(c->v->block_bad, block);
    return memfs_verify_error(c->v, error, detail);
}

static int add_extent(struct contents *c, const struct memfs_extent *extent, struct memfs_digest *digest, int *whole)
{
    struct memfs_pin pin = {0};
    const uint8_t *data;
    struct memfs_detail detail = {0};
    *whole = !memfs_bit(c->v->block_bad, extent->block);
    if (!*whole)
        return 0;
    const int error =
        memfs_image_pin_block(c->v->image, extent->block, c->v->block_raw[extent->block], &pin, &data, &detail);
    if (error) {
        *whole = 0;
        return block_failed(c, extent->block, error, &detail);
    }
    memfs_digest_add(digest, data + extent->start, (size_t)extent->length);
    memfs_image_ops.unpin(&c->v->image->backing, &pin);
    return memfs_verify_progress(c->v, extent->length, 0) || check_decoded(c);
}

static int read_content(struct contents *c, const struct memfs_node_record *node, struct known *key)
{
    struct memfs_digest digest;
    uint64_t at = 0;
    memfs_digest_begin(&digest);
    key->whole = 1;
    for (uint32_t i = 0; key->whole && i < node->extents.count; i++) {
        const struct memfs_extent *extent;
        if (memfs_look_extent(c->v, &c->extent_look, (uint64_t)node->extents.first + i, &extent))
            return 1;
        memfs_digest_add_gap(&digest, extent->offset - at);
        if (add_extent(c, extent, &digest, &key->whole))
            return 1;
        at = extent->offset + extent->length;
        key->data += extent->length;
    }
    if (key->whole)
        memfs_digest_add_gap(&digest, node->size - at);
    key->digest = memfs_digest_end(&digest);
    return 0;
}

static int make_key(struct contents *c, const struct memfs_node_record *node, struct known *key)
{
    *key = (struct known){.size = node->size, .first = node->extents.first, .count = node->extents.count};
    if (key->count != 1)
        return 0;
    const struct memfs_extent *extent;
    if (memfs_look_extent(c->v, &c->extent_look, key->first, &extent))
        return 1;
    key->first = 0;
    key->offset = extent->offset;
    key->length = extent->length;
    key->block = extent->block;
    key->start = extent->start;
    return 0;
}

static int check_digest(struct contents *c, uint64_t n, const struct memfs_node_record *node, uint64_t expected)
{
    struct known key;
    if (make_key(c, node, &key))
        return 1;
    struct known *known = slot_of(c, &key);
    if (key.count == 0 || !is_known(known, &key)) {
        if (read_content(c, node, &key))
            return 1;
        *known = key;
    } else if (memfs_verify_progress(c->v, known->data, 0)) {
        return 1;
    }
    if (!known->whole) {
        if (c->damaged++ == 0)
            c->damaged_first = n;
        return 0;
    }
    if (known->digest == expected)
        return 0;
    char text[80];
    snprintf(text, sizeof text, "its content has the digest %016" PRIx64 ", not %016" PRIx64, known->digest, expected);
    return file_finding(c, n, MEMFS_ECORRUPT, text);
}

static int report_damaged(struct contents *c)
{
    char text[80];
    if (c->damaged == 0)
        return 0;
    snprintf(text, sizeof text, "parts of it are in damaged blocks; of %" PRIu64 " file%s in all", c->damaged,
             c->damaged == 1 ? "" : "s");
    return file_finding(c, c->damaged_first, MEMFS_ECHECKSUM, text);
}

static int check_digests(struct contents *c)
{
    memset(c->known, 0, KNOWN_SLOTS * sizeof *c->known);
    for (uint64_t n = 1; n < c->nodes; n++) {
        const struct memfs_node_record *node;
        uint64_t digest;
        if (memfs_verify_work(c->v, 0) || memfs_look_node(c->v, &c->node_look, n, &node) ||
            memfs_look_digest(c->v, &c->digest_look, n, &digest))
            return 1;
        if (is_file(node) && check_digest(c, n, node, digest))
            return 1;
    }
    return report_damaged(c);
}

/* Blocks of which no file has a part decode as they should, too. */
static int check_unused_blocks(struct contents *c)
{
    struct memfs_worker *worker = NULL;
    int stop = 0;
    if (memfs_worker_take(&c->v->image->workers, &worker))
        return memfs_verify_no_memory(c->v);
    for (uint64_t block = 0; !stop && block < c->blocks; block++) {
        struct memfs_detail detail = {0};
        int error = 0;
        if (!memfs_bit(c->wanted, block) && !memfs_bit(c->v->block_bad, block))
            error = memfs_image_test_block(c->v->image, block, worker, &detail);
        stop = (error && block_failed(c, block, error, &detail)) || memfs_verify_work(c->v, c->v->block_raw[block]) ||
               check_decoded(c);
    }
    memfs_worker_put(&c->v->image->workers, worker);
    return stop;
}

/* ---- All ----------------------------------------------------------------------------------- */

static int check_all(struct contents *c)
{
    const uint64_t findings = c->v->findings;
    if (check_extents(c) || check_nodes(c) || check_owners(c) || check_sums(c))
        return 1;
    if (c->v->findings != findings)
        return 0; /* contents cannot be read, or not in a time that is known */
    if (c->data_bytes > c->bytes_max)
        return over_limit(c, "the data of all files", c->data_bytes);
    c->decoded_before = atomic_load(&c->v->image->decoded_bytes);
    return check_digests(c) || check_unused_blocks(c);
}

int memfs_verify_contents(struct memfs_verifying *v)
{
    const struct memfs_allocator *allocator = &v->image->allocator;
    const struct memfs_root *root = &v->image->root;
    struct contents c = {.v = v,
                         .bytes_max = v->options.bytes_max,
                         .nodes = root->table[MEMFS_NODES].count,
                         .extents = root->table[MEMFS_EXTENTS].count,
                         .blocks = root->table[MEMFS_DATA].count};
    const uint64_t size = v->image->source.size;
    if (c.bytes_max == 0)
        c.bytes_max = size > UINT64_MAX / BYTES_MAX_RATIO ? UINT64_MAX : size * BYTES_MAX_RATIO;
    if (v->options.bytes_max == 0 && c.bytes_max < BYTES_MAX_LEAST)
        c.bytes_max = BYTES_MAX_LEAST;
    c.wanted = memfs_alloc_zeroed(allocator, memfs_bits_bytes(c.blocks));
    c.owned = memfs_alloc_zeroed(allocator, memfs_bits_bytes(c.extents));
    c.known = memfs_alloc_zeroed(allocator, KNOWN_SLOTS * sizeof *c.known);
    const int stop = c.wanted && c.owned && c.known ? check_all(&c) : memfs_verify_no_memory(v);
    memfs_look_end(v, &c.node_look);
    memfs_look_end(v, &c.extent_look);
    memfs_look_end(v, &c.digest_look);
    memfs_free(allocator, c.wanted, memfs_bits_bytes(c.blocks));
    memfs_free(allocator, c.owned, memfs_bits_bytes(c.extents));
    memfs_free(allocator, c.known, KNOWN_SLOTS * sizeof *c.known);
    return stop;
}
