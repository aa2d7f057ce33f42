#include "plan_base.h"

#include "extent.h"
#include "gather.h"
#include "map.h"

#include <errno.h>
#include <string.h>

struct plan_mask {
    uint64_t index;
    uint16_t mask;
};

struct plan_fill {
    uint64_t index;
    unsigned char *bytes; /* PAGE_BYTES; NULL: not loaded yet */
};

/* The first of some ascending items, each of which begins with its index, from an index on. */
static size_t lower_bound(const void *items, size_t count, size_t width, uint64_t index)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        uint64_t there;
        memcpy(&there, (const char *)items + middle * width, sizeof there);
        if (there < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- Where there is data ---- */

static int add_mask(struct op *op, struct plan_base *base, uint64_t index, uint16_t mask)
{
    void *masks = base->masks;
    int r = memfs_grow_array(&op->fs->allocator, &masks, &base->mask_room, base->mask_count, base->mask_count + 1,
                             sizeof *base->masks);
    base->masks = masks;
    if (r == 0)
        base->masks[base->mask_count++] = (struct plan_mask){.index = index, .mask = mask};
    return r;
}

int plan_base_scout(struct op *op, struct plan_base *base, const struct content *content, uint64_t first, uint64_t end)
{
    if (first < base->from || first > base->to) {
        base->mask_count = 0;
        base->from = base->to = first;
    }
    while (base->to < end && base->to << PAGE_SHIFT < content->base_limit) {
        struct memfs_extent extent;
        uint16_t mask;
        int r = extent_find(op, content, base->to << PAGE_SHIFT, &extent);
        if (r < 0)
            return r;
        uint64_t index = r ? extent.offset >> PAGE_SHIFT : end;
        index = index > base->to ? index : base->to;
        if (index >= end)
            break;
        r = extent_mask(op, content, index, &mask);
        if (r == 0 && mask)
            r = add_mask(op, base, index, mask);
        if (r)
            return r;
        base->to = index + 1;
    }
    base->to = base->to < end ? end : base->to;
    return 0;
}

static size_t mask_from(const struct plan_base *base, uint64_t index)
{
    return lower_bound(base->masks, base->mask_count, sizeof *base->masks, index);
}

int plan_base_mask(struct op *op, const struct plan_base *base, const struct content *content, uint64_t index,
                   uint16_t *out)
{
    if (index < base->from || index >= base->to)
        return extent_mask(op, content, index, out);
    size_t i = mask_from(base, index);
    *out = i < base->mask_count && base->masks[i].index == index ? base->masks[i].mask : 0;
    return 0;
}

uint64_t plan_base_next(const struct plan_base *base, uint64_t index)
{
    size_t i = mask_from(base, index);
    return i < base->mask_count ? base->masks[i].index : UINT64_MAX;
}

int plan_base_seek(struct op *op, const struct plan_base *base, const struct content *content, uint64_t *index)
{
    struct memfs_extent extent;
    if (*index >= base->from && *index < base->to) {
        const uint64_t next = plan_base_next(base, *index);
        *index = next < base->to ? next : base->to;
        if (next < base->to)
            return 0;
    }
    int r = extent_find(op, content, *index << PAGE_SHIFT, &extent);
    if (r < 0)
        return r;
    const uint64_t next = r ? extent.offset >> PAGE_SHIFT : MAP_PAGES_END;
    *index = next > *index ? next : *index;
    return 0;
}

/* ---- Bytes ---- */

static size_t fill_from(const struct plan_base *base, uint64_t index)
{
    return lower_bound(base->fills, base->fill_count, sizeof *base->fills, index);
}

const unsigned char *plan_base_bytes(const struct plan_base *base, uint64_t index)
{
    size_t i = fill_from(base, index);
    return i < base->fill_count && base->fills[i].index == index ? base->fills[i].bytes : NULL;
}

int plan_base_want(struct op *op, struct plan_base *base, uint64_t index)
{
    size_t at = fill_from(base, index);
    void *fills = base->fills;
    int r = memfs_grow_array(&op->fs->allocator, &fills, &base->fill_room, base->fill_count, base->fill_count + 1,
                             sizeof *base->fills);
    base->fills = fills;
    if (r)
        return r;
    memmove(base->fills + at + 1, base->fills + at, (base->fill_count++ - at) * sizeof *base->fills);
    base->fills[at] = (struct plan_fill){.index = index};
    return 0;
}

static int load(memfs *fs, struct plan_fill *fill, const struct content *content)
{
    uint64_t start = fill->index << PAGE_SHIFT, limit = content->base_limit;
    size_t visible = limit <= start ? 0 : limit - start < PAGE_BYTES ? (size_t)(limit - start) : PAGE_BYTES;
    unsigned char *bytes = memfs_alloc(&fs->allocator, PAGE_BYTES);
    if (!bytes)
        return -ENOMEM;
    memset(bytes + visible, 0, PAGE_BYTES - visible);
    int r = gather_base(fs, content, start, bytes, visible);
    if (r)
        memfs_free(&fs->allocator, bytes, PAGE_BYTES);
    else
        fill->bytes = bytes;
    return r;
}

int plan_base_load(memfs *fs, struct plan_base *base, const struct content *content)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < base->fill_count; i++)
        if (!base->fills[i].bytes)
            r = load(fs, &base->fills[i], content);
    return r;
}

void plan_base_free(memfs *fs, struct plan_base *base)
{
    for (size_t i = 0; i < base->fill_count; i++)
        memfs_free(&fs->allocator, base->fills[i].bytes, PAGE_BYTES);
    memfs_free(&fs->allocator, base->fills, base->fill_room * sizeof *base->fills);
    memfs_free(&fs->allocator, base->masks, base->mask_room * sizeof *base->masks);
    *base = (struct plan_base){0};
}
