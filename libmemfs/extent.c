#include "extent.h"

#include "page.h"

#define SUM_MAX MEMFS_CHUNK_RECORDS /* extents that are looked at for a sum: stat is not to cost more */

static int get(struct op *op, const struct content *content, uint64_t i, const struct memfs_extent **out)
{
    int r = table_get(op, MEMFS_EXTENTS, content->base_first + i, out);
    if (r)
        return r;
    const struct memfs_extent *extent = *out;
    if (extent->length == 0 || extent->length > content->bound || extent->offset > content->bound - extent->length)
        return MEMFS_ECORRUPT;
    return 0;
}

int extent_find(struct op *op, const struct content *content, uint64_t offset, struct memfs_extent *out)
{
    uint64_t low = 0, high = content->base_count, below_ends = 0;
    int found = 0;
    *out = (struct memfs_extent){0};
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        const struct memfs_extent *extent;
        int r = get(op, content, middle, &extent);
        if (r)
            return r;
        if (extent->offset + extent->length > offset) {
            *out = *extent;
            found = 1;
            high = middle;
        } else {
            below_ends = extent->offset + extent->length;
            low = middle + 1;
        }
    }
    return found && out->offset < below_ends ? MEMFS_ECORRUPT : found;
}

int extent_mask(struct op *op, const struct content *content, uint64_t page, uint16_t *out)
{
    uint64_t start = page << PAGE_SHIFT, end = start + PAGE_BYTES, position = start;
    uint64_t limit = content->base_limit < end ? content->base_limit : end;
    *out = 0;
    while (position < limit) {
        struct memfs_extent extent;
        int r = extent_find(op, content, position, &extent);
        if (r < 0)
            return r;
        if (r == 0 || extent.offset >= end)
            break;
        uint64_t first = extent.offset > position ? extent.offset : position;
        uint64_t last = extent.offset + extent.length < end ? extent.offset + extent.length : end;
        *out |= page_touched((uint32_t)(first - start), (uint32_t)(last - start));
        position = hole_ceil(last);
    }
    *out &= limit > start ? page_touched(0, (uint32_t)(limit - start)) : 0;
    return 0;
}

/* Makes all of the file's extents resident, chunk by chunk. */
static int get_chunks(struct op *op, const struct content *content)
{
    for (uint64_t i = 0; i < content->base_count;) {
        const struct memfs_extent *extent;
        int r = get(op, content, i, &extent);
        if (r)
            return r;
        i = ((content->base_first + i) | (MEMFS_CHUNK_RECORDS - 1)) + 1 - content->base_first;
    }
    return 0;
}

static int sum_span(struct op *op, const struct content *content, uint64_t end, uint64_t *out)
{
    const struct memfs_extent *first, *last;
    int r = get(op, content, 0, &first);
    if (r == 0)
        r = get(op, content, content->base_count - 1u, &last);
    if (r)
        return r;
    uint64_t from = first->offset >> MEMFS_HOLE_SHIFT;
    uint64_t to = ((last->offset + last->length - 1) >> MEMFS_HOLE_SHIFT) + 1;
    to = to < end ? to : end;
    *out = from < to ? to - from : 0;
    return 0;
}

int extent_sum(struct op *op, const struct content *content, uint64_t *out)
{
    uint64_t limit = content->base_limit, ends = 0, next = 0;
    uint64_t end = (limit >> MEMFS_HOLE_SHIFT) + ((limit & (MEMFS_HOLE_BYTES - 1)) != 0);
    *out = 0;
    if (limit == 0 || content->base_count == 0)
        return 0;
    if (content->base_count > SUM_MAX)
        return sum_span(op, content, end, out);
    int r = get_chunks(op, content);
    for (uint64_t i = 0; r == 0 && i < content->base_count && next < end; i++) {
        const struct memfs_extent *extent;
        r = get(op, content, i, &extent);
        if (r)
            break;
        if (extent->offset < ends)
            return MEMFS_ECORRUPT;
        ends = extent->offset + extent->length;
        uint64_t first = extent->offset >> MEMFS_HOLE_SHIFT, last = ((ends - 1) >> MEMFS_HOLE_SHIFT) + 1;
        first = first > next ? first : next;
        last = last < end ? last : end;
        if (first < last)
            *out += last - first;
        next = last > next ? last : next;
    }
    return r;
}
