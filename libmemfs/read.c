#include "content.h"
#include "gather.h"
#include "map.h"
#include "page.h"

#include <errno.h>
#include <string.h>

struct read {
    memfs_node node;
    uint64_t position, end;
    unsigned char *to;
    struct gather gather;
};

/* The bytes of a page or of a hole. */
static void copy_page(struct gather *gather, const struct page *page, uint64_t end)
{
    uint32_t from = (uint32_t)(gather->position & (PAGE_BYTES - 1));
    size_t length = (size_t)(least(end, gather->end) - gather->position), there = 0;
    if (page && from < page->capacity)
        there = (size_t)least(page->capacity - from, length);
    if (there)
        memcpy(gather->to, page->bytes + from, there);
    if (there < length)
        memset(gather->to + there, 0, length - there);
    gather->position += length;
    gather->to += length;
    gather->copied += length;
}

static int gather_content(struct op *op, struct gather *gather, const struct content *content)
{
    int r = 0;
    while (r == 0 && !gather_is_full(gather)) {
        uint64_t slot, end;
        map_find(op->fs, content, gather->position >> PAGE_SHIFT, &slot, &end);
        if (slot)
            copy_page(gather, page_of_slot(slot), end << PAGE_SHIFT);
        else
            r = gather_extents(op, gather, content, end << PAGE_SHIFT);
    }
    return r;
}

static int reach_read(struct op *op, void *argument)
{
    struct read *read = argument;
    struct gather *gather = &read->gather;
    const struct memfs_node_record *node;
    struct content content;
    gather->position = read->position;
    gather->to = read->to;
    gather->copied = gather->count = 0;
    int r = node_get(op, read->node, &node);
    if (r)
        return r;
    gather->end = least(read->end, node->size);
    if (node->mode & MEMFS_NODE_PAGED && gather->end <= PAGE_BYTES) { /* as most: what follows would do the same */
        if (gather->position < gather->end)
            copy_page(gather, page_of_slot(node->page), PAGE_BYTES);
        return 0;
    }
    r = content_get(op->fs, node, &content);
    if (r)
        return r;
    r = gather_content(op, gather, &content);
    /* What is there already need not be gathered again. */
    return r == OP_MISS && gather->position > read->position ? 0 : r;
}

int64_t memfs_node_read(memfs *fs, memfs_node node, uint64_t offset, void *buffer, size_t size)
{
    struct read read; /* by hand: the pieces' room need not be cleared */
    read.node = node;
    read.position = offset;
    read.to = buffer;
    uint64_t length = size;
    if (length > MEMFS_SIZE_MAX)
        length = MEMFS_SIZE_MAX;
    read.end = offset <= UINT64_MAX - length ? offset + length : UINT64_MAX;
    for (;;) {
        int r = op_read(fs, reach_read, &read);
        if (r == 0)
            r = gather_read(fs, &read.gather);
        if (r)
            return r;
        if (read.gather.position <= read.position)
            break;
        read.position = read.gather.position;
        read.to = read.gather.to;
        if (read.position >= read.gather.end)
            break;
    }
    return (int64_t)(read.position - offset);
}

/* ---- Digests ---- */

struct digest {
    memfs_node node;
    uint64_t value;
};

static int reach_digest(struct op *op, void *argument)
{
    struct digest *digest = argument;
    const struct memfs_node_record *node;
    uint32_t number = node_number(digest->node);
    int r = node_get(op, digest->node, &node);
    if (r)
        return r;
    const struct memfs_backing *outside = op->fs->outside;
    /* Numbers of an image's nodes are not used again: those below its count are its. */
    if (node_type(node) != MEMFS_IFREG || node->mode & MEMFS_NODE_CHANGED || !outside ||
        number >= outside->count[MEMFS_NODES] || number >= outside->count[MEMFS_DIGESTS])
        return -ENODATA;
    const uint64_t *value;
    r = table_get(op, MEMFS_DIGESTS, number, &value);
    if (r)
        return r;
    digest->value = *value;
    return digest->value ? 0 : -ENODATA;
}

int memfs_node_digest(memfs *fs, memfs_node node, uint64_t *out)
{
    struct digest digest = {.node = node};
    int r = op_read(fs, reach_digest, &digest);
    if (r == 0)
        *out = digest.value;
    return r;
}
