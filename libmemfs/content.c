#include "content.h"

#include "extent.h"
#include "map.h"
#include "page.h"
#include "plan.h"

#include <errno.h>

int content_check_type(const struct memfs_node_record *node)
{
    if (node_type(node) == MEMFS_IFREG)
        return 0;
    return node_is_dir(node) ? -EISDIR : -EINVAL;
}

struct content_record content_of_paged(const struct memfs_node_record *node)
{
    return (struct content_record){.root = node->page, .pages = node->mode >> MEMFS_NODE_PAGES_SHIFT};
}

int content_fits_node(const struct content_record *content)
{
    return content->height == 0 && content->base_count == 0;
}

void content_to_node(const struct content_record *content, struct memfs_node_record *node)
{
    node->page = content->root;
    node->mode &= (1u << MEMFS_NODE_PAGES_SHIFT) - 1;
    node->mode |= (uint32_t)content->pages << MEMFS_NODE_PAGES_SHIFT | MEMFS_NODE_CHANGED | MEMFS_NODE_PAGED;
}

/* Of a regular file. */
static void get(const memfs *fs, const struct memfs_node_record *node, struct content *out)
{
    *out = (struct content){.size = node->size};
    if (!(node->mode & MEMFS_NODE_CHANGED)) {
        out->bound = node->size;
        out->base_limit = node->extents.count ? node->size : 0;
        out->base_first = node->extents.first;
        out->base_count = node->extents.count;
        return;
    }
    const struct content_record paged = content_of_paged(node), *record = &paged;
    if (!(node->mode & MEMFS_NODE_PAGED))
        record = table_resident(fs, MEMFS_CONTENTS, node->extents.first);
    out->bound = UINT64_MAX;
    out->base_limit = record->base_limit;
    out->base_first = record->base_first;
    out->base_count = record->base_count;
    out->root = record->root;
    out->pages = record->pages;
    out->height = record->height;
}

int content_get(const memfs *fs, const struct memfs_node_record *node, struct content *out)
{
    int r = content_check_type(node);
    if (r == 0)
        get(fs, node, out);
    return r;
}

void content_prefetch(const struct memfs_node_record *node)
{
    const struct page *page = node->mode & MEMFS_NODE_PAGED ? page_of_slot(node->page) : NULL;
    if (page) {
        memfs_prefetch(page);
        memfs_prefetch((const char *)page + 64); /* the next line of the processor's cache */
    }
}

int content_allocated(struct op *op, const struct memfs_node_record *node, uint64_t *out)
{
    struct content content;
    uint64_t pages = 0;
    if (node->mode & MEMFS_NODE_PAGED) { /* as what follows would say, which is more for stat to do */
        *out = (uint64_t)(node->mode >> MEMFS_NODE_PAGES_SHIFT) * MEMFS_HOLE_BYTES;
        return 0;
    }
    get(op->fs, node, &content);
    int r = extent_sum(op, &content, &pages);
    if (r)
        return r;
    if (content.pages < 0 && pages < (uint64_t)-content.pages)
        return MEMFS_ECORRUPT; /* more hidden than there is: the extents are not in order */
    *out = (pages + (uint64_t)content.pages) * MEMFS_HOLE_BYTES;
    return 0;
}

struct size {
    memfs_node node;
    uint64_t size;
};

static int reach_size(struct op *op, void *argument)
{
    struct size *size = argument;
    const struct memfs_node_record *node;
    int r = node_get(op, size->node, &node);
    if (r == 0)
        r = content_check_type(node);
    if (r == 0)
        size->size = node->size;
    return r;
}

int content_size(memfs *fs, memfs_node node, uint64_t *out)
{
    struct size size = {.node = node};
    int r = op_read(fs, reach_size, &size);
    *out = size.size;
    return r;
}

/* The bytes from the new end on become zeros, where they stay at all. */
static int reach_cut(struct op *op, struct content_plan *plan)
{
    plan->kind = PLAN_CUT;
    plan->from = plan->size;
    plan->to = UINT64_MAX;
    if (plan->base_limit > plan->size)
        plan->base_limit = plan->size;
    uint64_t index = plan->size >> PAGE_SHIFT, slot, end;
    map_find(op->fs, &plan->before, index, &slot, &end);
    int r = slot && plan->size & (PAGE_BYTES - 1) ? plan_page(op, plan, index) : 0;
    return r ? r : map_reach_cut(op, &plan->before, (plan->size + PAGE_BYTES - 1) >> PAGE_SHIFT);
}

int content_reach_resize(struct op *op, uint32_t node, uint64_t size, struct content_plan *plan)
{
    if (size > MEMFS_SIZE_MAX)
        return -EFBIG;
    int r = plan_begin(op, plan, node);
    if (r)
        return r;
    plan->kind = PLAN_ALLOCATE;
    plan->size = size;
    if (size <= plan->before.size)
        r = reach_cut(op, plan);
    if (r == 0)
        r = plan_reserve(op, plan);
    if (r)
        content_cancel(op->fs, plan);
    return r;
}

void content_resize(memfs *fs, struct content_plan *plan)
{
    plan_commit(fs, plan);
}

static void free_record(memfs *fs, uint32_t number)
{
    /* Nothing of it is ours while its record is not. */
    if (!table_private_chunk(fs, MEMFS_CONTENTS, number >> table_shapes[MEMFS_CONTENTS].shift))
        return;
    map_cut(fs, table_mutable(fs, MEMFS_CONTENTS, number), 0);
    table_put(fs, MEMFS_CONTENTS, number);
}

void content_free(memfs *fs, struct memfs_node_record *node)
{
    if (node->mode & MEMFS_NODE_PAGED)
        page_drop(fs, node->page);
    else if (node->mode & MEMFS_NODE_CHANGED)
        free_record(fs, node->extents.first);
    node->mode &= ((1u << MEMFS_NODE_PAGES_SHIFT) - 1) & ~(MEMFS_NODE_CHANGED | MEMFS_NODE_PAGED);
    node->page = 0;
    node->size = 0;
}
