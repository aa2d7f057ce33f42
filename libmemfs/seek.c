#include "content.h"
#include "extent.h"
#include "map.h"
#include "page.h"

#include <errno.h>

#define STEPS 1024 /* stretches looked at in one operation */

/* A stretch of a file that is all data or all hole. */
struct stretch {
    uint64_t end;
    int is_data;
    /* Data of the base: the bytes from `position` on stand here. length 0: not the base's. */
    uint32_t block;
    uint64_t start, position, length;
};

struct seek {
    memfs_node node;
    uint64_t position;
    int wants_data;
    int found;
    int asks; /* the base may know more about `stretch` */
    struct stretch stretch;
};

static void look_at_page(const struct page *page, uint64_t position, uint64_t end, struct stretch *out)
{
    uint32_t bit = (uint32_t)(position & (PAGE_BYTES - 1)) / MEMFS_HOLE_BYTES;
    unsigned mask = page ? page->allocated : 0;
    uint32_t next = bit + 1;
    while (next < 16 && (mask >> next & 1) == (mask >> bit & 1))
        next++;
    out->is_data = mask >> bit & 1;
    out->end = end - PAGE_BYTES + (uint64_t)next * MEMFS_HOLE_BYTES;
}

/* A page counts whole, wherever in it the limit is, as in extent_mask(). */
static int look_at_base(struct op *op, const struct content *content, uint64_t position, uint64_t end,
                        struct stretch *out)
{
    uint64_t limit = hole_ceil(content->base_limit) < end ? hole_ceil(content->base_limit) : end;
    struct memfs_extent extent;
    *out = (struct stretch){.end = end};
    int r = position < limit ? extent_find(op, content, hole_floor(position), &extent) : 0;
    if (r <= 0)
        return r;
    uint64_t first = hole_floor(extent.offset);
    if (first > position) {
        out->end = first < limit ? first : end;
        return 0;
    }
    uint64_t ends = extent.offset + extent.length;
    out->is_data = 1;
    out->end = hole_ceil(ends < limit ? ends : limit);
    out->position = extent.offset > position ? extent.offset : position;
    limit = limit < content->base_limit ? limit : content->base_limit;
    ends = ends < limit ? ends : limit;
    if (out->position < ends) {
        out->block = extent.block;
        out->start = extent.start + (out->position - extent.offset);
        out->length = ends - out->position;
    }
    return 0;
}

static int look(struct op *op, const struct content *content, uint64_t position, struct stretch *out)
{
    uint64_t slot, end;
    map_find(op->fs, content, position >> PAGE_SHIFT, &slot, &end);
    *out = (struct stretch){.end = end << PAGE_SHIFT};
    if (slot == 0)
        return look_at_base(op, content, position, end << PAGE_SHIFT, out);
    look_at_page(page_of_slot(slot), position, end << PAGE_SHIFT, out);
    return 0;
}

static int reach_seek(struct op *op, void *argument)
{
    struct seek *seek = argument;
    const struct memfs_node_record *node;
    struct content content;
    int r = node_get(op, seek->node, &node);
    if (r == 0)
        r = content_get(op->fs, node, &content);
    if (r)
        return r;
    seek->asks = 0;
    for (int i = 0; i < STEPS; i++) {
        if (seek->position >= content.size) {
            seek->position = content.size;
            seek->found = !seek->wants_data;
            return seek->found ? 0 : -ENXIO;
        }
        r = look(op, &content, seek->position, &seek->stretch);
        if (r)
            return r;
        if (seek->stretch.is_data && seek->stretch.length && op->fs->base->ops->seek_data) {
            seek->asks = 1;
            return 0;
        }
        if (seek->stretch.is_data == seek->wants_data) {
            seek->found = 1;
            return 0;
        }
        seek->position = seek->stretch.end;
    }
    return 0;
}

/* A host's file may have holes within its extent. */
static int ask_base(memfs *fs, struct seek *seek)
{
    const struct stretch *stretch = &seek->stretch;
    int64_t data = fs->base->ops->seek_data(fs->base, stretch->block, stretch->start, stretch->length);
    if (data < 0)
        return (int)data;
    uint64_t skip = (uint64_t)data - stretch->start;
    uint64_t first = skip >= stretch->length ? stretch->end : hole_floor(stretch->position + skip);
    if (first > seek->position && !seek->wants_data)
        seek->found = 1;
    else if (seek->wants_data && first < stretch->end) {
        seek->position = first > seek->position ? first : seek->position;
        seek->found = 1;
    } else
        seek->position = stretch->end;
    return 0;
}

static int reach_start(struct op *op, void *argument)
{
    const struct seek *seek = argument;
    const struct memfs_node_record *node;
    int r = node_get(op, seek->node, &node);
    if (r == 0)
        r = content_check_type(node);
    return r == 0 && seek->position >= node->size ? -ENXIO : r;
}

int64_t memfs_node_seek(memfs *fs, memfs_node node, uint64_t offset, enum memfs_whence whence)
{
    struct seek seek = {.node = node, .position = offset, .wants_data = whence == MEMFS_SEEK_DATA};
    int r = op_read(fs, reach_start, &seek);
    if (r == 0 && whence != MEMFS_SEEK_DATA && whence != MEMFS_SEEK_HOLE)
        r = -EINVAL;
    while (r == 0 && !seek.found) {
        r = op_read(fs, reach_seek, &seek);
        if (r == 0 && seek.asks)
            r = ask_base(fs, &seek);
    }
    return r ? r : (int64_t)seek.position;
}
