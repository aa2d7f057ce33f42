#include "attributes.h"

#include "alloc.h"
#include "host_map.h"
#include "random.h"
#include "xattr_walk.h"

#include <errno.h>
#include <string.h>

#define FIRST_ROOM 256u
#define XATTRS_SHIFT 9

/* A slot of `strings`: 40 bits of offset, 17 of length (1 to 65,536), 7 of the
 * hash. A slot of `sets`: 1 + first record, 32 bits of the hash. 0: free. */
#define LENGTH_SHIFT 40
#define TAG_SHIFT 57

void memfs_attributes_begin(struct memfs_attributes *attributes, struct memfs_freezing *job)
{
    *attributes = (struct memfs_attributes){.job = job, .secret = memfs_random()};
    memfs_rows_begin(&attributes->blobs, &job->allocator, 1, MEMFS_BLOBS_SHIFT);
    memfs_rows_begin(&attributes->xattrs, &job->allocator, sizeof(struct memfs_xattr), XATTRS_SHIFT);
}

void memfs_attributes_end(struct memfs_attributes *attributes)
{
    if (!attributes->job)
        return;
    const struct memfs_allocator *allocator = &attributes->job->allocator;
    memfs_rows_end(&attributes->blobs);
    memfs_rows_end(&attributes->xattrs);
    memfs_free(allocator, attributes->strings, attributes->strings_room * sizeof *attributes->strings);
    memfs_free(allocator, attributes->sets, attributes->sets_room * sizeof *attributes->sets);
    memfs_free(allocator, attributes->value, MEMFS_XATTR_MAX);
    memfs_free(allocator, attributes->set, attributes->set_room * sizeof *attributes->set);
    *attributes = (struct memfs_attributes){0};
}

/* ---- Strings ------------------------------------------------------------------ */

static uint64_t slot_offset(uint64_t slot)
{
    return slot & (MEMFS_HEAP_MAX - 1);
}

static size_t slot_length(uint64_t slot)
{
    return (size_t)(slot >> LENGTH_SHIFT) & 0x1ffff;
}

/* Doubles a table of which seven eighths are used; hash_of tells where a slot goes. */
static int grow(struct memfs_attributes *attributes, uint64_t **slots, size_t *room, size_t used,
                uint64_t (*hash_of)(const struct memfs_attributes *attributes, uint64_t slot))
{
    const struct memfs_allocator *allocator = &attributes->job->allocator;
    if (used < *room - *room / 8)
        return 0;
    size_t larger = *room ? *room * 2 : FIRST_ROOM;
    if (larger > SIZE_MAX / sizeof **slots)
        return -ENOMEM;
    uint64_t *copy = memfs_alloc_zeroed(allocator, larger * sizeof *copy);
    if (!copy)
        return -ENOMEM;
    for (size_t i = 0; i < *room; i++) {
        if (!(*slots)[i])
            continue;
        size_t at = (size_t)hash_of(attributes, (*slots)[i]) & (larger - 1);
        while (copy[at])
            at = (at + 1) & (larger - 1);
        copy[at] = (*slots)[i];
    }
    memfs_free(allocator, *slots, *room * sizeof *copy);
    *slots = copy;
    *room = larger;
    return 0;
}

static uint64_t hash_of_string(const struct memfs_attributes *attributes, uint64_t slot)
{
    return memfs_host_hash(attributes->secret, memfs_rows_at(&attributes->blobs, slot_offset(slot)), slot_length(slot));
}

static int add_string(struct memfs_attributes *attributes, const void *bytes, size_t length, uint64_t *offset)
{
    if (attributes->blobs.count + MEMFS_BLOB_BYTES + length > MEMFS_HEAP_MAX)
        return memfs_freezing_fail(attributes->job, MEMFS_ELIMIT,
                                   "link targets and attributes take more than the %llu bytes that an image holds",
                                   (unsigned long long)MEMFS_HEAP_MAX);
    return memfs_rows_put(&attributes->blobs, bytes, length, offset);
}

/* Where 1 to MEMFS_BLOB_BYTES bytes stand, now if not before. */
static int intern(struct memfs_attributes *attributes, const void *bytes, size_t length, uint64_t *offset)
{
    int error =
        grow(attributes, &attributes->strings, &attributes->strings_room, attributes->strings_used, hash_of_string);
    if (error)
        return error;
    uint64_t hash = memfs_host_hash(attributes->secret, bytes, length);
    uint64_t tag = hash >> TAG_SHIFT << TAG_SHIFT;
    size_t at = (size_t)hash & (attributes->strings_room - 1);
    for (; attributes->strings[at]; at = (at + 1) & (attributes->strings_room - 1)) {
        uint64_t slot = attributes->strings[at];
        if (slot >> TAG_SHIFT << TAG_SHIFT != tag || slot_length(slot) != length)
            continue;
        *offset = slot_offset(slot);
        if (memcmp(memfs_rows_at(&attributes->blobs, *offset), bytes, length) == 0)
            return 0;
    }
    error = add_string(attributes, bytes, length, offset);
    if (error)
        return error;
    attributes->strings[at] = tag | (uint64_t)length << LENGTH_SHIFT | *offset;
    attributes->strings_used++;
    return 0;
}

/* ---- Sets of attributes --------------------------------------------------------- */

static uint64_t hash_of_set(const struct memfs_attributes *attributes, uint64_t slot)
{
    (void)attributes;
    return slot >> 32;
}

static int same_set(const struct memfs_attributes *attributes, uint64_t first)
{
    for (size_t i = 0; i < attributes->set_count; i++) {
        const struct memfs_xattr *other = memfs_rows_at(&attributes->xattrs, first + i);
        if (memcmp(other, &attributes->set[i], sizeof *other) != 0)
            return 0;
    }
    return 1;
}

/* Where the set stands, now if not before. Its strings stand already, so that
 * sets are equal if their records are. */
static int intern_set(struct memfs_attributes *attributes, uint64_t *first)
{
    int error = grow(attributes, &attributes->sets, &attributes->sets_room, attributes->sets_used, hash_of_set);
    if (error)
        return error;
    uint64_t hash =
        memfs_host_hash(attributes->secret, attributes->set, attributes->set_count * sizeof *attributes->set) >> 32;
    size_t at = (size_t)hash & (attributes->sets_room - 1);
    for (; attributes->sets[at]; at = (at + 1) & (attributes->sets_room - 1)) {
        *first = (attributes->sets[at] & UINT32_MAX) - 1;
        if (attributes->sets[at] >> 32 == hash && same_set(attributes, *first))
            return 0;
    }
    *first = attributes->xattrs.count;
    if (*first + attributes->set_count > MEMFS_COUNT_MAX)
        return memfs_freezing_fail(attributes->job, MEMFS_ELIMIT, "an image holds no more than %u attributes",
                                   MEMFS_COUNT_MAX);
    for (size_t i = 0; i < attributes->set_count; i++) {
        struct memfs_xattr *place = memfs_rows_add(&attributes->xattrs);
        if (!place)
            return -ENOMEM;
        *place = attributes->set[i];
    }
    attributes->sets[at] = hash << 32 | (*first + 1);
    attributes->sets_used++;
    return 0;
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
    error = intern(attributes, walk->name, walk->name_length, &xattr->name);
    return error || !size ? error : intern(attributes, attributes->value, (size_t)size, &xattr->value);
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
    if (error)
        return error;
    if (!attributes->set_count)
        return 0;
    attributes->set[attributes->set_count - 1].last = 1;
    uint64_t first;
    error = intern_set(attributes, &first);
    if (!error)
        node->xattrs = (uint32_t)first + 1;
    return error;
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
    int error = intern(attributes, target, (size_t)length, &offset);
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
