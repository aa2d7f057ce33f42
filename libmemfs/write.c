#include "write.h"

#include "paged.h"
#include "plan.h"

#include <errno.h>

/* More memory than any machine has. */
#define ALLOCATE_MOST ((uint64_t)SIZE_MAX >> (sizeof(size_t) > 4 ? 16 : 0))

struct write {
    struct content_plan plan; /* first: see plan_run() */
    memfs_node node;
    uint64_t offset, length;
    int keep_size;
    int is_paged; /* it needs no plan, but this: */
    struct paged_write paged;
};

static void init(struct write *write, memfs_node node, uint64_t offset, uint64_t length)
{
    plan_init(&write->plan);
    write->node = node;
    write->offset = offset;
    write->length = length;
    write->keep_size = 0;
}

static int begin_plan(struct op *op, struct write *write)
{
    int r = plan_begin(op, &write->plan, node_number(write->node));
    return r ? r : plan_end_capability(op, &write->plan);
}

static int begin(struct op *op, struct write *write)
{
    const struct memfs_node_record *node;
    int r = node_get(op, write->node, &node);
    if (r == 0)
        r = content_check_type(node);
    return r ? r : begin_plan(op, write);
}

/* Whatever has begun comes here. */
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

static int reach_planned(struct op *op, struct write *write, uint64_t offset)
{
    struct content_plan *plan = &write->plan;
    int r = begin_plan(op, write);
    if (r)
        return r;
    set_range(plan, PLAN_WRITE, offset, offset + write->length);
    if (plan->size < plan->to)
        plan->size = plan->to;
    return end(op, write, plan_pages(op, plan));
}

static int reach_write(struct op *op, void *argument)
{
    struct write *write = argument;
    const struct memfs_node_record *node;
    int r = node_get(op, write->node, &node);
    if (r == 0)
        r = content_check_type(node);
    if (r)
        return r;
    const uint64_t offset = write->offset == MEMFS_APPEND ? node->size : write->offset;
    if (offset > MEMFS_SIZE_MAX || write->length > MEMFS_SIZE_MAX - offset)
        return -EFBIG;
    write->paged.from = offset;
    write->paged.to = offset + write->length;
    write->is_paged = paged_fits(node, write->paged.to);
    return write->is_paged ? paged_reach_write(op, node_number(write->node), &write->paged)
                           : reach_planned(op, write, offset);
}

static void commit_write(struct op *op, void *argument)
{
    struct write *write = argument;
    if (write->is_paged)
        paged_write(op->fs, &write->paged);
    else
        plan_commit(op->fs, &write->plan);
}

int64_t write_at(memfs *fs, memfs_node node, uint64_t offset, const void *buffer, size_t size, int drops_setid,
                 uint64_t *at)
{
    struct write write;
    if (size == 0) {
        *at = offset;
        return op_read(fs, reach_handle, &node);
    }
    init(&write, node, offset, size);
    write.plan.data = write.paged.data = buffer;
    write.plan.drops_setid = write.paged.drops_setid = drops_setid;
    int r = plan_run(fs, reach_write, commit_write, &write.plan);
    if (r)
        return r;
    *at = write.paged.from;
    return (int64_t)size;
}

int64_t memfs_node_write(memfs *fs, memfs_node node, uint64_t offset, const void *buffer, size_t size)
{
    uint64_t at;
    return write_at(fs, node, offset, buffer, size, 0, &at);
}

static int reach_resize(struct op *op, void *argument)
{
    struct write *write = argument;
    const struct memfs_node_record *node;
    int r = node_get(op, write->node, &node);
    if (r == 0)
        r = content_reach_resize(op, node_number(write->node), write->length, &write->plan);
    if (r == 0 && (r = plan_end_capability(op, &write->plan)) != 0)
        content_cancel(op->fs, &write->plan);
    return r;
}

int write_resize(memfs *fs, memfs_node node, uint64_t size, int drops_setid)
{
    struct write write;
    init(&write, node, 0, size);
    write.plan.drops_setid = drops_setid;
    return plan_run(fs, reach_resize, plan_commit_op, &write.plan);
}

/* ---- Allocating and punching ---- */

static int run_range(memfs *fs, op_body *reach, struct write *write)
{
    int r = op_read(fs, reach_handle, &write->node);
    if (r)
        return r;
    if (write->length == 0)
        return -EINVAL;
    if (write->offset > MEMFS_SIZE_MAX || write->length > MEMFS_SIZE_MAX - write->offset)
        return -EFBIG;
    return plan_run(fs, reach, plan_commit_op, &write->plan);
}

static int reach_allocate(struct op *op, void *argument)
{
    struct write *write = argument;
    struct content_plan *plan = &write->plan;
    int r = begin(op, write);
    if (r)
        return r;
    if (write->length > ALLOCATE_MOST)
        return end(op, write, -ENOSPC);
    set_range(plan, PLAN_ALLOCATE, write->offset, write->offset + write->length);
    if (!write->keep_size && plan->size < plan->to)
        plan->size = plan->to;
    plan->keeps_mtime = plan->size == plan->before.size;
    return end(op, write, plan_pages(op, plan));
}

int memfs_node_allocate(memfs *fs, memfs_node node, uint64_t offset, uint64_t length, int keep_size)
{
    struct write write;
    init(&write, node, offset, length);
    write.keep_size = keep_size;
    return run_range(fs, reach_allocate, &write);
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
    if (plan->to >= plan->size && plan->to < hole_ceil(plan->size))
        plan->to = hole_ceil(plan->size);
    /* All the base's bytes from here on: they need not be hidden page by page. */
    if (plan->from < plan->base_limit && plan->to >= hole_ceil(plan->base_limit))
        plan->base_limit = plan->from;
    if (!write->keep_size && plan->size < write->offset + write->length)
        plan->size = write->offset + write->length;
    return end(op, write, plan_pages(op, plan));
}

int memfs_node_punch(memfs *fs, memfs_node node, uint64_t offset, uint64_t length)
{
    struct write write;
    init(&write, node, offset, length);
    write.keep_size = 1;
    return run_range(fs, reach_punch, &write);
}

int write_hole(memfs *fs, memfs_node node, uint64_t offset, uint64_t length)
{
    struct write write;
    init(&write, node, offset, length);
    return run_range(fs, reach_punch, &write);
}
