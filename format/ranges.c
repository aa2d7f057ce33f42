#include "ranges.h"

#include "alloc.h"

#include <stdlib.h>
#include <string.h>

void memfs_ranges_begin(struct memfs_ranges *ranges, const struct memfs_allocator *allocator)
{
    *ranges = (struct memfs_ranges){.allocator = *allocator};
}

void memfs_ranges_end(struct memfs_ranges *ranges)
{
    memfs_free(&ranges->allocator, ranges->items, ranges->room * sizeof *ranges->items);
    ranges->items = NULL;
    ranges->count = ranges->room = 0;
}

int memfs_ranges_add(struct memfs_ranges *ranges, uint64_t offset, uint64_t length)
{
    if (ranges->count > 0 && ranges->items[ranges->count - 1].end == offset) {
        ranges->items[ranges->count - 1].end += length;
        return 0;
    }
    void *items = ranges->items;
    const int error = memfs_grow_array(&ranges->allocator, &items, &ranges->room, ranges->count, ranges->count + 1,
                                       sizeof *ranges->items);
    ranges->items = items;
    if (error)
        return error;
    ranges->items[ranges->count++] = (struct memfs_range){offset, offset + length};
    return 0;
}

static int by_offset(const void *a, const void *b)
{
    const struct memfs_range *one = a, *other = b;
    if (one->offset != other->offset)
        return one->offset < other->offset ? -1 : 1;
    return one->end < other->end ? -1 : one->end > other->end;
}

void memfs_ranges_sort(struct memfs_ranges *ranges)
{
    if (ranges->count > 1)
        qsort(ranges->items, ranges->count, sizeof *ranges->items, by_offset);
}

int memfs_ranges_overlap(const struct memfs_ranges *ranges, size_t *at, struct memfs_range *overlap)
{
    for (; *at + 1 < ranges->count; ++*at) {
        const struct memfs_range *one = &ranges->items[*at], *next = one + 1;
        if (next->offset < one->end) {
            *overlap = (struct memfs_range){next->offset, next->end < one->end ? next->end : one->end};
            ++*at;
            return 1;
        }
    }
    return 0;
}

int memfs_ranges_gap(const struct memfs_ranges *ranges, size_t *at, uint64_t *from, uint64_t size,
                     struct memfs_range *gap)
{
    while (*at < ranges->count) {
        const struct memfs_range *range = &ranges->items[(*at)++];
        if (range->end <= *from)
            continue;
        *gap = (struct memfs_range){*from, range->offset};
        *from = range->end;
        if (gap->end > gap->offset)
            return 1;
    }
    if (*from >= size)
        return 0;
    *gap = (struct memfs_range){*from, size};
    *from = size;
    return 1;
}
