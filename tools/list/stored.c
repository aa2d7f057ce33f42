#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* tdestroy */
#endif
#include "list/stored.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>

#define BATCH 64
/* What is believed: files of well-made images have far fewer extents to a byte of the image, and their
 * parts of blocks lie side by side, so that they become one. */
#define LOOK_LEAST ((uint64_t)1 << 20)
#define LOOK_PER_BYTE 64
#define RANGE_LEAST ((uint64_t)1 << 16)
#define BYTES_PER_RANGE 16

struct range {
    uint32_t block, start, end;
};

void stored_begin(struct stored *stored, memfs_image *image)
{
    struct memfs_image_info info;
    memfs_image_info(image, &info);
    *stored = (struct stored){.image = image};
    stored->look_most = LOOK_LEAST + info.image_bytes * LOOK_PER_BYTE;
    stored->range_most = RANGE_LEAST + info.image_bytes / BYTES_PER_RANGE;
}

void stored_end(struct stored *stored)
{
    tdestroy(stored->ranges, free);
    stored->ranges = NULL;
}

/* Ranges that overlap or touch count as equal: since those in the tree do not, that is an order. */
static int compare(const void *a, const void *b)
{
    const struct range *left = a, *right = b;
    if (left->block != right->block)
        return left->block < right->block ? -1 : 1;
    return left->end < right->start ? -1 : left->start > right->end;
}

/* What a part of a block takes. Parts that make up another one take, together, as much as that. */
static uint64_t share(const struct memfs_image_extent *extent, const struct range *range)
{
    return (uint64_t)range->end * extent->block_stored / extent->block_raw -
           (uint64_t)range->start * extent->block_stored / extent->block_raw;
}

/* Takes all ranges out that overlap or touch, makes them part of this one, and returns what they took. */
static uint64_t swallow(struct stored *stored, const struct memfs_image_extent *extent, struct range *range)
{
    uint64_t taken = 0;
    void *found;
    while ((found = tfind(range, &stored->ranges, compare))) {
        struct range *other = *(struct range **)found;
        tdelete(other, &stored->ranges, compare);
        taken += share(extent, other);
        range->start = other->start < range->start ? other->start : range->start;
        range->end = other->end > range->end ? other->end : range->end;
        free(other);
        stored->range_count--;
    }
    return taken;
}

static int add_extent(struct stored *stored, const struct memfs_image_extent *extent, uint64_t *bytes)
{
    struct range *range = malloc(sizeof *range);
    if (!range)
        return -ENOMEM;
    *range = (struct range){extent->block, extent->start, extent->start + (uint32_t)extent->length};
    const uint64_t taken = swallow(stored, extent, range);
    *bytes += share(extent, range) - taken;
    if (stored->range_count >= stored->range_most || !tsearch(range, &stored->ranges, compare)) {
        free(range);
        return stored->range_count >= stored->range_most ? MEMFS_ELIMIT : -ENOMEM;
    }
    stored->range_count++;
    return 0;
}

int stored_of(struct stored *stored, memfs_node node, uint64_t *bytes)
{
    struct memfs_image_extent extents[BATCH];
    int64_t got;
    int result = 0;
    *bytes = 0;
    for (uint64_t first = 0; result == 0; first += (uint64_t)got) {
        got = memfs_image_extents(stored->image, node, first, extents, BATCH);
        if (got <= 0)
            return (int)got;
        stored->looked += (uint64_t)got;
        if (stored->looked > stored->look_most)
            return MEMFS_ELIMIT;
        for (int64_t i = 0; i < got && result == 0; i++)
            result = add_extent(stored, &extents[i], bytes);
    }
    return result;
}
