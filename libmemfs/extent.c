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

/* ---- Do they ascend? ---- */

/* What is remembered of a file: its first extent in the high half, in the low one how many from there on ascend. */
static uint64_t known_of(uint64_t memory, uint64_t first)
{
    const uint64_t known = memory & UINT32_MAX;
    return memory >> 32 == first && known ? known : 1;
}

/* Bytes of a bit for each chunk of extents. */
static size_t chunk_bytes(const memfs *fs)
{
    return (size_t)(fs->base->count[MEMFS_EXTENTS] / MEMFS_CHUNK_RECORDS / 32 + 1) * sizeof(uint32_t);
}

/* Whether all of a chunk ascend and follow the last of the one before, which holds for every file that has both. */
static int chunk_ascends(const memfs *fs, uint64_t chunk)
{
    _Atomic(uint32_t) *bits = atomic_load(&fs->chunks_ascend);
    return bits && atomic_load_explicit(&bits[chunk / 32], memory_order_relaxed) >> chunk % 32 & 1;
}

/* Any reader. Without memory it is not remembered. */
static void chunk_set_ascends(memfs *fs, uint64_t chunk)
{
    _Atomic(uint32_t) *bits = atomic_load(&fs->chunks_ascend);
    if (!bits) {
        void *made = memfs_alloc_zeroed(&fs->allocator, chunk_bytes(fs));
        if (!made)
            return;
        if (atomic_compare_exchange_strong(&fs->chunks_ascend, &bits, made))
            bits = made;
        else
            memfs_free(&fs->allocator, made, chunk_bytes(fs));
    }
    atomic_fetch_or_explicit(&bits[chunk / 32], UINT32_C(1) << chunk % 32, memory_order_relaxed);
}

void extent_forget(memfs *fs)
{
    if (atomic_load(&fs->chunks_ascend))
        memfs_free(&fs->allocator, (void *)atomic_load(&fs->chunks_ascend), chunk_bytes(fs));
}

/* From those that are known to ascend to the end of their chunk, or of the file. */
static int ascend(struct op *op, const struct content *content, uint64_t *known)
{
    const uint64_t at = content->base_first + *known, chunk = at / MEMFS_CHUNK_RECORDS;
    const uint64_t left = (chunk + 1) * MEMFS_CHUNK_RECORDS - at;
    const int is_whole = left == MEMFS_CHUNK_RECORDS && content->base_count - *known >= left;
    const uint64_t end = content->base_count - *known < left ? content->base_count : *known + left;
    const struct memfs_extent *extent;
    if (is_whole && chunk_ascends(op->fs, chunk)) {
        *known = end;
        return 0;
    }
    int r = get(op, content, *known - 1, &extent);
    for (uint64_t i = *known; r == 0 && i < end; i++) {
        const uint64_t ends = extent->offset + extent->length;
        r = get(op, content, i, &extent);
        if (r == 0 && extent->offset < ends)
            return MEMFS_ECORRUPT;
    }
    if (r)
        return r;
    if (is_whole)
        chunk_set_ascends(op->fs, chunk);
    *known = end;
    return 0;
}

/* A search among extents in no order would find this or that, depending on where it is begun: then those who ask in
 * different ways would be told different contents of one file. So all of them are looked at before the first is used.
 * Of few that takes no time; where there are many, it is remembered: of the last files, and of each chunk. What is
 * remembered may be of another, larger file: the last of what ascends says whether all of it lies in this one. */
static int check_order(struct op *op, const struct content *content)
{
    const uint64_t first = content->base_first;
    if (content->base_count < 2)
        return 0;
    _Atomic(uint64_t) *memory = &op->fs->ascending[first * 0x9E3779B97F4A7C15u >> 32 & (EXTENT_MEMORY - 1)];
    const uint64_t was = atomic_load_explicit(memory, memory_order_relaxed);
    uint64_t known = known_of(was, first);
    int r = 0;
    while (r == 0 && known < content->base_count)
        r = ascend(op, content, &known);
    if (known != known_of(was, first))
        atomic_store_explicit(memory, first << 32 | known, memory_order_relaxed);
    const struct memfs_extent *last;
    return r ? r : get(op, content, content->base_count - 1u, &last);
}

/* ---- Finding ---- */

int extent_find(struct op *op, const struct content *content, uint64_t offset, struct memfs_extent *out)
{
    uint64_t low = 0, high = content->base_count;
    *out = (struct memfs_extent){0};
    int r = check_order(op, content), found = 0;
    while (r == 0 && low < high) {
        uint64_t middle = low + (high - low) / 2;
        const struct memfs_extent *extent;
        r = get(op, content, middle, &extent);
        if (r == 0 && extent->offset + extent->length > offset) {
            *out = *extent;
            found = 1;
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return r ? r : found;
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
