#include "attributes.h"

#include "alloc.h"
#include "xattr_walk.h"

#include <errno.h>
#include <string.h>

#define XATTRS_SHIFT 9

void memfs_attributes_begin(struct memfs_attributes *attributes, struct memfs_freezing *job)
{
    *attributes = (struct memfs_attributes){.job = job};
    memfs_rows_begin(&attributes->blobs, &job->allocator, 1, MEMFS_BLOBS_SHIFT);
    memfs_rows_begin(&attributes->xattrs, &job->allocator, sizeof(struct memfs_xattr), XATTRS_SHIFT);
    memfs_intern_begin(&attributes->intern, &attributes->blobs, &attributes->xattrs);
}

void memfs_attributes_end(struct memfs_attributes *attributes)
{
    if (!attributes->job)
        return;
    const struct memfs_allocator *allocator = &attributes->job->allocator;
    memfs_intern_end(&attributes->intern);
    memfs_rows_end(&attributes->blobs);
    memfs_rows_end(&attributes->xattrs);
    memfs_free(allocator, attributes->value, MEMFS_XATTR_MAX);
    memfs_free(allocator, attributes->set, attributes->set_room * sizeof *attributes->set);
    *attributes = (struct memfs_attributes){0};
}

/* ---- What is stored once ------------------------------------------------------------ */

static int take_string(struct memfs_attributes *attributes, const void *bytes, size_t length, uint64_t *offset)
{
    const int error = memfs_intern_string(&attributes->intern, bytes, length, offset);
    if (error != MEMFS_ELIMIT)
        return error;
    return memfs_freezing_fail(attributes->job, error,
                               "link targets and attributes take more than the %llu bytes that an image holds",
                               (unsigned long long)MEMFS_HEAP_MAX);
}

static int take_set(struct memfs_attributes *attributes, uint32_t *xattrs)
{
    const int error = memfs_intern_set(&attributes->intern, attributes->set, attributes->set_count, xattrs);
    if (error != MEMFS_ELIMIT)
        return error;
    return memfs_freezing_fail(attributes->job, error, "an image holds no more than %u attributes", MEMFS_COUNT_MAX);
}

/* Adds the attribute at which the walk is to the set of the node that is being asked. */
static int take_attribute(struct memfs_attributes *attributes, const struct memfs_xattr_walk *walk)
{
    void *array = attributes->set;
    int error = memfs_grow_array(&attributes->job->allocator, &array, &attributes->set_room, attributes->set_count,
                                 attributes->set_count + 1, sizeof *attributes->set);
    attributes->set = array;
    if (error)
        return error;
    if (!attributes->value) {
        attributes->value = memfs_alloc(&attributes->job->allocator, MEMFS_XATTR_MAX);
        if (!attributes->value)
            return -ENOMEM;
    }
    const int64_t size = memfs_xattr_walk_value(walk, attributes->value);
    if (size < 0)
        return (int)size;
    struct memfs_xattr *xattr = &attributes->set[attributes->set_count++];
    memset(xattr, 0, sizeof *xattr);
    xattr->name_length = (uint8_t)walk->name_length;
    xattr->value_length = (uint32_t)size;
    error = take_string(attributes, walk->name, walk->name_length, &xattr->name);
    return error || !size ? error : take_string(attributes, attributes->value, (size_t)size, &xattr->value);
}

/* ---- Nodes ------------------------------------------------------------------------- */

static int take_attributes(struct memfs_attributes *attributes, struct memfs_order_node *node)
{
    struct memfs_xattr_walk walk;
    int error = 0, more;
    memfs_xattr_walk_begin(&walk, attributes->job->fs, memfs_order_handle(node));
    attributes->set_count = 0;
    while (!error && (more = memfs_xattr_walk_next(&walk)) != 0)
        error = more < 0 ? more : take_attribute(attributes, &walk);
    return error || !attributes->set_count ? error : take_set(attributes, &node->xattrs);
}

static int take_target(struct memfs_attributes *attributes, struct memfs_order_node *node)
{
    char target[MEMFS_TARGET_MAX];
    int64_t length = memfs_node_readlink(attributes->job->fs, memfs_order_handle(node), target, sizeof target);
    if (length < 0)
        return (int)length;
    if (length == 0 || length > (int64_t)sizeof target)
        return MEMFS_ECORRUPT;
    uint64_t offset;
    int error = take_string(attributes, target, (size_t)length, &offset);
    if (error)
        return error;
    node->target.low = (uint32_t)offset;
    node->target.high = (uint32_t)(offset >> 32);
    return 0;
}

int memfs_attributes_gather(struct memfs_attributes *attributes, struct memfs_order *order)
{
    for (uint64_t number = 1; number < order->nodes.count; number++) {
        struct memfs_order_node *node = memfs_order_at(order, number);
        int error = node->type == MEMFS_TYPE(MEMFS_IFLNK) ? take_target(attributes, node) : 0;
        if (!error)
            error = take_attributes(attributes, node);
        if (!error)
            error = memfs_freezing_progress(attributes->job, MEMFS_WORK_NODE / 4);
        if (error && !attributes->job->detail->error)
            return memfs_freezing_fail(attributes->job, error,
                                       "cannot read the target or the attributes of node %u: %s", node->number,
                                       memfs_strerror(error));
        if (error)
            return error;
    }
    return 0;
}
