/*
 * Contents against their digests. Files are read in order, and their blocks decoded
 * ahead; those that no file needs come at the end, so that each is decoded.
 */
#include "alloc.h"
#include "detail.h"
#include "digest.h"
#include "verify_contents.h"
#include "verify_window.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define NO_BLOCK UINT64_MAX

/* Goes over what is to be read, in the order in which it will be, as far ahead of the
 * reading as there is room. A block is asked for whenever it is another than the one
 * before, and taken in just the same way. */
struct ahead {
    uint64_t node;   /* file that is looked at */
    uint32_t extent; /* of it, to be looked at next */
    uint64_t unused; /* when all files are done: the next block to be looked at */
    uint64_t block;  /* the last one that was found */
    int waiting;     /* it could not be asked for yet */
    struct memfs_look node_look, extent_look;
};

/* A file that was read, and its digest is not what it should be. */
struct wrong {
    uint64_t node, digest;
};

struct digests {
    struct memfs_verifying *v;
    const struct memfs_verify_files *files;
    uint64_t nodes, blocks;
    struct ahead ahead;
    struct memfs_verify_window_block block; /* that was taken, if taken */
    int taken;
    uint64_t part;                 /* extent that is read, as files->last counts them */
    struct memfs_damaged *damaged; /* in order of the nodes: files of blocks that were reported */
    size_t damaged_count, damaged_room;
    struct wrong *wrong; /* in order of the nodes */
    size_t wrong_count, wrong_room;
    struct memfs_look node_look, extent_look, digest_look, twin_look;
};

/* ---- Ahead ---------------------------------------------------------------------------- */

/* The next extent of this file that is in another block than the one before. */
static int find_in_file(struct digests *d, const struct memfs_node_record *node, int *found)
{
    struct ahead *ahead = &d->ahead;
    for (; ahead->extent < node->extents.count; ahead->extent++) {
        const struct memfs_extent *extent;
        if (memfs_verify_work(d->v, 0) ||
            memfs_look_extent(d->v, &ahead->extent_look, (uint64_t)node->extents.first + ahead->extent, &extent))
            return 1;
        if (extent->block == ahead->block)
            continue;
        ahead->block = extent->block;
        *found = 1;
        return 0;
    }
    return 0;
}

static int find_next(struct digests *d, int *found)
{
    struct ahead *ahead = &d->ahead;
    *found = 0;
    for (; ahead->node < d->nodes; ahead->node++, ahead->extent = 0) {
        const struct memfs_node_record *node;
        if (memfs_verify_work(d->v, 0) || memfs_look_node(d->v, &ahead->node_look, ahead->node, &node))
            return 1;
        if (!memfs_is_file(node) || d->files->twin[ahead->node] != 0)
            continue;
        if (find_in_file(d, node, found))
            return 1;
        if (*found)
            return 0;
    }
    while (!*found && ahead->unused < d->blocks) {
        *found = d->files->last[ahead->unused] == 0;
        ahead->block = ahead->unused++;
        if (memfs_verify_work(d->v, 0))
            return 1;
    }
    return 0;
}

static int ask_ahead(struct digests *d)
{
    for (;;) {
        int found = 1;
        if (!d->ahead.waiting && find_next(d, &found))
            return 1;
        if (!found)
            return 0;
        d->ahead.waiting = !memfs_verify_window_ask(d->v->window, (uint32_t)d->ahead.block);
        if (d->ahead.waiting)
            return 0;
    }
}

/* ---- Blocks ----------------------------------------------------------------------------- */

/* What is to be done once to each block that comes from the image. Of a damaged one only
 * the first sign is reported. */
static int meet(struct digests *d, const struct memfs_verify_window_block *block)
{
    const int again = memfs_bit(d->v->block_done, block->number);
    if (block->error == MEMFS_ECHECKSUM || block->error == MEMFS_ECORRUPT)
        memfs_verify_window_set_damaged(d->v->window, block->number);
    if (block->error && memfs_verify_error(d->v, block->error, block->detail))
        return 1;
    memfs_bit_set(d->v->block_done, block->number);
    if (!again && memfs_verify_progress(d->v, (uint64_t)block->ref.stored + block->ref.raw, 0))
        return 1;
    /* Files that are apart in the image may share blocks that are far from each other: what was decoded is gone when
     * the next one needs it. */
    return memfs_verify_decoded(d->v, block->ref.raw);
}

/* Goes on from one block to the next. */
static int take_block(struct digests *d)
{
    if (d->taken)
        memfs_verify_window_drop(d->v->window, d->files->last[d->block.number] > d->part);
    d->taken = 0;
    if (ask_ahead(d))
        return 1;
    memfs_verify_window_take(d->v->window, &d->block);
    d->taken = 1;
    return d->block.fresh ? meet(d, &d->block) : 0;
}

/* ---- Files -------------------------------------------------------------------------------- */

/* A chunk of extents, or of refs, is read again when it has gone from the cache, and may be another then: a hash like
 * XXH3 does not stop whoever writes to the image while it is verified. */
static int is_as_checked(const struct memfs_verify_window_block *block, const struct memfs_extent *extent)
{
    return block->number == extent->block &&
           (!block->data || (extent->start <= block->ref.raw && extent->length <= block->ref.raw - extent->start));
}

/* *damaged is the first block of the file that cannot be decoded, or NO_BLOCK: then it has a digest. */
static int read_content(struct digests *d, const struct memfs_node_record *node, uint64_t *result, uint64_t *damaged)
{
    struct memfs_digest digest;
    uint64_t at = 0;
    *damaged = NO_BLOCK;
    memfs_digest_begin(&digest);
    for (uint32_t i = 0; i < node->extents.count; i++) {
        const struct memfs_extent *extent;
        d->part++;
        if (memfs_look_extent(d->v, &d->extent_look, (uint64_t)node->extents.first + i, &extent) ||
            ((!d->taken || d->block.number != extent->block) && take_block(d)) ||
            memfs_verify_work(d->v, extent->length))
            return 1;
        if (!is_as_checked(&d->block, extent)) {
            memfs_verify_record(d->v, MEMFS_EXTENTS, (uint64_t)node->extents.first + i,
                                "is not what it was: the image is being changed");
            return 1;
        }
        if (!d->block.data && *damaged == NO_BLOCK)
            *damaged = extent->block;
        if (*damaged == NO_BLOCK) {
            memfs_digest_add_gap(&digest, extent->offset - at);
            memfs_digest_add(&digest, d->block.data + extent->start, (size_t)extent->length);
        }
        at = extent->offset + extent->length;
    }
    if (*damaged == NO_BLOCK)
        memfs_digest_add_gap(&digest, node->size - at);
    *result = memfs_digest_end(&digest);
    return 0;
}

/* The digest of a file that was read, or which block was damaged. */
static int recall(struct digests *d, uint32_t node, uint64_t *digest, uint64_t *damaged)
{
    const struct memfs_damaged *file = memfs_find_damaged(d->damaged, d->damaged_count, node);
    size_t from = 0, to = d->wrong_count;
    *damaged = file ? file->block : NO_BLOCK;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        if (d->wrong[middle].node < node)
            from = middle + 1;
        else
            to = middle;
    }
    if (from == d->wrong_count || d->wrong[from].node != node)
        return memfs_look_digest(d->v, &d->twin_look, node, digest);
    *digest = d->wrong[from].digest;
    return 0;
}

static int remember(struct digests *d, uint64_t node, uint64_t digest)
{
    void *wrong = d->wrong;
    const int error = memfs_grow_array(&d->v->image->allocator, &wrong, &d->wrong_room, d->wrong_count,
                                       d->wrong_count + 1, sizeof *d->wrong);
    d->wrong = wrong;
    if (error)
        return memfs_verify_no_memory(d->v);
    d->wrong[d->wrong_count++] = (struct wrong){node, digest};
    return 0;
}

static int remember_damaged(struct digests *d, uint64_t node, uint64_t block)
{
    void *damaged = d->damaged;
    const int error = memfs_grow_array(&d->v->image->allocator, &damaged, &d->damaged_room, d->damaged_count,
                                       d->damaged_count + 1, sizeof *d->damaged);
    d->damaged = damaged;
    if (error)
        return memfs_verify_no_memory(d->v);
    d->damaged[d->damaged_count++] = (struct memfs_damaged){(uint32_t)node, (uint32_t)block, 0};
    return 0;
}

/* A finding about a file: named by its path as well. */
static int file_finding(struct digests *d, uint64_t n, int error, const char *text)
{
    struct memfs_verify_path path;
    if (memfs_verify_find_path(d->v, n, &path))
        return 1;
    return memfs_verify_file_finding(d->v, error, n, &path, text);
}

static int check_file(struct digests *d, uint64_t n, const struct memfs_node_record *node, uint64_t expected)
{
    const uint32_t twin = d->files->twin[n];
    uint64_t digest, damaged;
    if (twin ? recall(d, twin, &digest, &damaged) : read_content(d, node, &digest, &damaged))
        return 1;
    if (damaged != NO_BLOCK)
        return remember_damaged(d, n, damaged);
    if (digest == expected)
        return 0;
    if (!twin && remember(d, n, digest))
        return 1;
    char text[80];
    snprintf(text, sizeof text, "its content has the digest %016" PRIx64 ", not %016" PRIx64, digest, expected);
    return file_finding(d, n, MEMFS_ECORRUPT, text);
}

static int check_files(struct digests *d)
{
    for (uint64_t n = 1; n < d->nodes; n++) {
        const struct memfs_node_record *node;
        uint64_t digest;
        if (memfs_verify_work(d->v, 0) || memfs_look_node(d->v, &d->node_look, n, &node) ||
            memfs_look_digest(d->v, &d->digest_look, n, &digest))
            return 1;
        if (memfs_is_file(node) && check_file(d, n, node, digest))
            return 1;
    }
    return memfs_verify_damaged(d->v, d->damaged, d->damaged_count);
}

/* Blocks of which no file has a part decode as they should, too. */
static int check_unused_blocks(struct digests *d)
{
    for (uint64_t block = 0; block < d->blocks; block++)
        if (d->files->last[block] == 0 && take_block(d))
            return 1;
    return 0;
}

/* ---- All ------------------------------------------------------------------------------------- */

int memfs_verify_digests(struct memfs_verifying *v, const struct memfs_verify_files *files)
{
    const struct memfs_allocator *allocator = &v->image->allocator;
    struct digests d = {.v = v,
                        .files = files,
                        .nodes = v->image->root.table[MEMFS_NODES].count,
                        .blocks = v->image->root.table[MEMFS_DATA].count,
                        .ahead = {.node = 1, .block = NO_BLOCK}};
    const int stop = check_files(&d) || check_unused_blocks(&d);
    memfs_look_end(v, &d.ahead.node_look);
    memfs_look_end(v, &d.ahead.extent_look);
    memfs_look_end(v, &d.node_look);
    memfs_look_end(v, &d.extent_look);
    memfs_look_end(v, &d.digest_look);
    memfs_look_end(v, &d.twin_look);
    memfs_free(allocator, d.damaged, d.damaged_room * sizeof *d.damaged);
    memfs_free(allocator, d.wrong, d.wrong_room * sizeof *d.wrong);
    return stop;
}
