#include "write.h"

#include "extent.h"
#include "map.h"
#include "plan.h"

#include <errno.h>

struct write {
    struct content_plan plan; /* first: see plan_run() */
    memfs_node node;
    uint64_t offset, length;
    int keep_size;
};

static int begin(struct op *op, struct write *write)
{
    const struct memfs_node_record *node;
    int r = node_get(op, write->node, &node);
    if (r == 0)
        r = content_check_type(node);
    return r ? r : plan_begin(op, &write->plan, node_number(write->node));
}

static int end(struct op *op, struct write *write, int r)
{
    if (r == 0)
        r = plan_reserve(op, &write->plan);
    if (r)
        content_cancel(op->fs, &write->plan);
    return r;
}

static void set_range(struct content_plan *plan, enum plan_kind kind, uint64_t from, uint64_t to)
{
    plan->kind = kind;
    plan->from = from;
    plan->to = to;
}

/* ---- Writing ---- */

static int reach_handle(struct op *op, void *argument)
{
    const memfs_node *handle = argument;
    const struct memfs_node_record *node;
    int r = node_get(op, *handle, &node);
    return r ? r : content_check_type(node);
}

static int reach_write(struct op *op, void *argument)
{
    struct write *write = argument;
    struct content_plan *plan = &write->plan;
    int r = begin(op, write);
    if (r)
        return r;
    uint64_t offset = write->offset == MEMFS_APPEND ? plan->before.size : write->offset;
    if (offset > MEMFS_SIZE_MAX || write->length > MEMFS_SIZE_MAX - offset)
        return -EFBIG;
    set_range(plan, PLAN_WRITE, offset, offset + write->length);
    if (plan->size < plan->to)
        plan->size = plan->to;
    return end(op, write, plan_pages(op, plan));
}

int64_t write_at(memfs *fs, memfs_node node, uint64_t offset, const void *buffer, size_t size, int drops_setid,
                 uint64_t *at)
{
    struct write write = {
        .plan = {.data = buffer, .drops_setid = drops_setid}, .node = node, .offset = offset, .length = size};
    if (size == 0) {
        *at = offset;
        return op_read(fs, reach_handle, &node);
    }
    int r = plan_run(fs, reach_write, &write.plan);
    *at = write.plan.from;
    return r ? r : (int64_t)size;
}

int64_t memfs_node_write(memfs *fs, memfs_node node, uint64_t offset, const void *buffer, size_t size)
{
    uint64_t at;
    return write_at(fs, node, offset, buffer, size, 0, &at);
}

static int reach_extend(struct op *op, void *argument)
{
    struct write *write = argument;
    int r = begin(op, write);
    if (r)
        return r;
    if (write->plan.before.size >= write->length)
        return 1;
    set_range(&write->plan, PLAN_ALLOCATE, 0, 0);
    write->plan.size = write->length;
    return end(op, write, 0);
}

int write_extend(memfs *fs, memfs_node node, uint64_t size)
{
    struct write write = {.node = node, .length = size};
    return size > MEMFS_SIZE_MAX ? -EFBIG : plan_run(fs, reach_extend, &write.plan);
}

/* ---- Allocating ---- */

static int reach_allocate(struct op *op, void *argument)
{
    struct write *write = argument;
    struct content_plan *plan = &write->plan;
    int r = begin(op, write);
    if (r)
        return r;
    set_range(plan, PLAN_ALLOCATE, write->offset, write->offset + write->length);
    if (!write->keep_size && plan->size < plan->to)
        plan->size = plan->to;
    plan->keeps_mtime = plan->size == plan->before.size;
    return end(op, write, plan_pages(op, plan));
}

int memfs_node_allocate(memfs *fs, memfs_node node, uint64_t offset, uint64_t length, int keep_size)
{
    struct write write = {.node = node, .offset = offset, .length = length, .keep_size = keep_size};
    int r = op_read(fs, reach_handle, &node);
    if (r)
        return r;
    if (length == 0)
        return -EINVAL;
    if (offset > MEMFS_SIZE_MAX || length > MEMFS_SIZE_MAX - offset)
        return -EFBIG;
    return plan_run(fs, reach_allocate, &write.plan);
}

/* ---- Punching ---- */

static uint64_t ceil_page(uint64_t offset)
{
    return (offset + MEMFS_HOLE_BYTES - 1) & ~(uint64_t)(MEMFS_HOLE_BYTES - 1);
}

/* The next page, from index on and below end, of an absent stretch that has visible data of the base. */
static int next_base_page(struct op *op, const struct content_plan *plan, uint64_t index, uint64_t end, uint64_t *out)
{
    uint64_t position = index << PAGE_SHIFT;
    struct memfs_extent extent;
    position = position > plan->from ? position : plan->from;
    *out = end;
    if (position >= plan->base_limit)
        return 0;
    int r = extent_find(op, &plan->before, position, &extent);
    if (r <= 0)
        return r;
    uint64_t first = extent.offset >> PAGE_SHIFT;
    first = first > index ? first : index;
    if (first < end)
        *out = first;
    return 0;
}

static int plan_holes(struct op *op, struct content_plan *plan)
{
    uint64_t last = (plan->to - 1) >> PAGE_SHIFT;
    int r = 0;
    for (uint64_t index = plan->from >> PAGE_SHIFT; r == 0 && index <= last; index++) {
        uint64_t slot, end;
        r = map_find(op, &plan->before, index, &slot, &end);
        if (r == 0 && slot == 0) {
            r = next_base_page(op, plan, index, end, &index);
            if (index == end) {
                index--;
                continue;
            }
        }
        if (r == 0 && index <= last)
            r = plan_page(op, plan, index);
    }
    return r;
}

static int reach_punch(struct op *op, void *argument)
{
    struct write *write = argument;
    struct content_plan *plan = &write->plan;
    int r = begin(op, write);
    if (r)
        return r;
    set_range(plan, PLAN_PUNCH, write->offset, write->offset + write->length);
    /* The file's last page is whole where the file ends. */
    if (plan->to >= plan->size && plan->to < ceil_page(plan->size))
        plan->to = ceil_page(plan->size);
    /* All the base's bytes from here on: they need not be hidden page by page. */
    if (plan->from < plan->base_limit && plan->to >= ceil_page(plan->base_limit))
        plan->base_limit = plan->from;
    return end(op, write, plan_holes(op, plan));
}

int memfs_node_punch(memfs *fs, memfs_node node, uint64_t offset, uint64_t length)
{
    struct write write = {.node = node, .offset = offset, .length = length};
    int r = op_read(fs, reach_handle, &node);
    if (r)
        return r;
    if (length == 0)
        return -EINVAL;
    if (offset > MEMFS_SIZE_MAX || length > MEMFS_SIZE_MAX - offset)
        return -EFBIG;
    return plan_run(fs, reach_punch, &write.plan);
}
