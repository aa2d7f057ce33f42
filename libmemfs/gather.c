#include "gather.h"

#include "extent.h"

#include <string.h>

int gather_is_full(const struct gather *gather)
{
    return gather->position >= gather->end || gather->count == GATHER_PIECES || gather->copied >= GATHER_COPY_MAX;
}

static void advance(struct gather *gather, size_t length)
{
    gather->position += length;
    gather->to += length;
}

static void add_zeros(struct gather *gather, uint64_t end)
{
    size_t length = (size_t)least(end - gather->position, GATHER_COPY_MAX);
    memset(gather->to, 0, length);
    gather->copied += length;
    advance(gather, length);
}

static void add_piece(struct gather *gather, const struct memfs_extent *extent, uint64_t end)
{
    struct gather_piece *piece = &gather->pieces[gather->count++];
    uint64_t skip = gather->position - extent->offset;
    piece->block = extent->block;
    piece->start = extent->start + skip;
    piece->to = gather->to;
    piece->length = (size_t)least(extent->length - skip, end - gather->position);
    advance(gather, piece->length);
}

int gather_extents(struct op *op, struct gather *gather, const struct content *content, uint64_t end)
{
    end = least(end, gather->end);
    uint64_t visible = least(end, content->base_limit);
    while (gather->position < end && !gather_is_full(gather)) {
        struct memfs_extent extent;
        int r = gather->position < visible ? extent_find(op, content, gather->position, &extent) : 0;
        if (r < 0)
            return r;
        if (r == 0 || extent.offset >= visible)
            add_zeros(gather, end);
        else if (extent.offset > gather->position)
            add_zeros(gather, extent.offset);
        else
            add_piece(gather, &extent, visible);
    }
    return 0;
}

int gather_read(memfs *fs, const struct gather *gather)
{
    int r = 0;
    for (unsigned i = 0; r == 0 && i < gather->count; i++) {
        const struct gather_piece *piece = &gather->pieces[i];
        r = fs->base->ops->read(fs->base, piece->block, piece->start, piece->to, piece->length);
    }
    return r;
}

struct base_request {
    struct gather gather;
    const struct content *content;
    uint64_t position;
    unsigned char *to;
};

static int reach_base(struct op *op, void *argument)
{
    struct base_request *request = argument;
    struct gather *gather = &request->gather;
    gather->position = request->position;
    gather->to = request->to;
    gather->count = 0;
    gather->copied = 0;
    int r = gather_extents(op, gather, request->content, gather->end);
    return r == OP_MISS && gather->position > request->position ? 0 : r;
}

int gather_base(memfs *fs, const struct content *content, uint64_t offset, void *to, size_t length)
{
    struct base_request request = {.gather.end = offset + length, .content = content, .position = offset, .to = to};
    int r = 0;
    while (r == 0 && request.position < request.gather.end) {
        r = op_read(fs, reach_base, &request);
        if (r == 0)
            r = gather_read(fs, &request.gather);
        request.position = request.gather.position;
        request.to = request.gather.to;
    }
    return r;
}
