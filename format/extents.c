/*
 * Where the contents of an image's files are, for those who want to know.
 */
#include "columns.h"
#include "detail.h"
#include "image.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* A record of a table, out of its chunk. */
static int take_record(struct memfs_image *image, enum memfs_table table, uint64_t index, void *out, size_t size,
                       struct memfs_detail *detail)
{
    struct memfs_pin pin = {.object = NULL};
    const void *data;
    const int error = memfs_image_load(image, table, index >> MEMFS_CHUNK_SHIFT, &pin, &data, detail);
    if (error)
        return error;
    memcpy(out, (const uint8_t *)data + (index & (MEMFS_CHUNK_RECORDS - 1)) * size, size);
    image->backing.ops->unpin(&image->backing, &pin);
    return 0;
}

static int take_node(struct memfs_image *image, memfs_node node, struct memfs_node_record *out,
                     struct memfs_detail *detail)
{
    const uint32_t number = (uint32_t)node;
    if (number == 0 || number >= image->root.table[MEMFS_NODES].count)
        return -ESTALE;
    const int error = take_record(image, MEMFS_NODES, number, out, sizeof *out, detail);
    if (error)
        return error;
    if (out->generation != node >> 32) /* all that an image has are in use */
        return -ESTALE;
    return (out->mode & MEMFS_IFMT) == MEMFS_IFREG ? 0 : -EINVAL;
}

/* What is asked for, of one file. */
struct reading {
    struct memfs_image *image;
    struct memfs_detail *detail; /* may be NULL */
    struct memfs_node_record node;
    uint64_t end; /* of the extent before */
    struct memfs_ref ref;
    uint32_t block; /* whose ref that is */
    int has_ref;
};

/* Neighbours are mostly in one block. */
static int find_ref(struct reading *reading, uint32_t block)
{
    if (reading->has_ref && reading->block == block)
        return 0;
    const int error = memfs_image_find_ref(reading->image, MEMFS_DATA, block, &reading->ref, reading->detail);
    reading->has_ref = !error;
    reading->block = block;
    return error;
}

/* The record has been checked as far as it can be by itself (memfs_check_chunk). */
static int take_extent(struct reading *reading, uint32_t number, struct memfs_image_extent *out)
{
    struct memfs_extent extent;
    int error = take_record(reading->image, MEMFS_EXTENTS, (uint64_t)reading->node.extents.first + number, &extent,
                            sizeof extent, reading->detail);
    if (!error)
        error = find_ref(reading, extent.block);
    if (error)
        return error;
    const struct memfs_ref *ref = &reading->ref;
    if (extent.offset < reading->end || extent.offset > reading->node.size ||
        extent.length > reading->node.size - extent.offset || extent.start > ref->raw ||
        extent.length > ref->raw - extent.start)
        return memfs_detail_fill(reading->detail, MEMFS_ECORRUPT, MEMFS_NOWHERE,
                                 "its extent %" PRIu32 " overlaps another, or goes beyond file or block", number);
    reading->end = extent.offset + extent.length;
    *out = (struct memfs_image_extent){extent.offset, extent.length, extent.block, extent.start, ref->raw, ref->stored};
    return 0;
}

int64_t memfs_image_extents(memfs_image *image, memfs_node node, uint64_t first, struct memfs_image_extent *extents,
                            size_t count)
{
    struct reading reading = {.image = image};
    int error = take_node(image, node, &reading.node, NULL);
    const uint32_t all = reading.node.extents.count;
    struct memfs_image_extent before;
    if (!error && first > 0 && first < all)
        error = take_extent(&reading, (uint32_t)first - 1, &before);
    size_t got = 0;
    for (; !error && got < count && first < all && got < all - first; got++)
        error = take_extent(&reading, (uint32_t)(first + got), &extents[got]);
    return error ? error : (int64_t)got;
}

/* From offset on, if it lies in the extent. */
static int read_extent(const struct reading *reading, const struct memfs_image_extent *extent, uint64_t offset)
{
    struct memfs_pin pin = {.object = NULL};
    const uint8_t *data;
    if (extent->offset + extent->length <= offset)
        return 0;
    const int error = memfs_image_pin_block(reading->image, extent->block, (size_t)(extent->start + extent->length),
                                            &pin, &data, reading->detail);
    if (!error)
        reading->image->backing.ops->unpin(&reading->image->backing, &pin);
    return error;
}

int memfs_image_file_damage(memfs_image *image, memfs_node node, uint64_t offset, struct memfs_detail *out)
{
    struct memfs_detail found = {.offset = MEMFS_NOWHERE};
    struct reading reading = {.image = image, .detail = &found};
    int error = take_node(image, node, &reading.node, &found);
    for (uint32_t i = 0; !error && i < reading.node.extents.count; i++) {
        struct memfs_image_extent extent;
        error = take_extent(&reading, i, &extent);
        if (!error)
            error = read_extent(&reading, &extent, offset);
    }
    if (error && found.error != error)
        memfs_detail_fill(&found, error, MEMFS_NOWHERE, "%s", memfs_strerror(error));
    if (error)
        *out = found;
    return error;
}
