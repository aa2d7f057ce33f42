/*
 * Files that have equal extents, and so equal contents.
 */
#include "alloc.h"
#include "verify_contents.h"

#include <errno.h>
#include <string.h>

#define SLOTS_LEAST ((uint64_t)64)
#define SLOTS_MOST ((uint64_t)1 << 22)
#define PROBES 4u /* slots in which a file can be; the next one takes the place of one of them */

int memfs_twins_begin(struct memfs_twins *twins, struct memfs_verifying *v, struct memfs_verify_files *files)
{
    const struct memfs_root *root = &v->image->root;
    const uint64_t nodes = root->table[MEMFS_NODES].count, extents = root->table[MEMFS_EXTENTS].count;
    const uint64_t most = nodes < extents ? nodes : extents;
    *twins = (struct memfs_twins){.v = v, .files = files};
    uint64_t slots = SLOTS_LEAST;
    while (slots < 2 * most && slots < SLOTS_MOST)
        slots *= 2;
    twins->table = memfs_alloc_array(&v->image->allocator, (size_t)slots, sizeof *twins->table);
    if (!twins->table)
        return -ENOMEM;
    twins->slots = slots;
    memset(twins->table, 0, (size_t)slots * sizeof *twins->table);
    return 0;
}

void memfs_twins_end(struct memfs_twins *twins)
{
    if (twins->slots == 0)
        return;
    memfs_look_end(twins->v, &twins->node_look);
    memfs_look_end(twins->v, &twins->extent_look);
    memfs_look_end(twins->v, &twins->other_look);
    memfs_free(&twins->v->image->allocator, twins->table, (size_t)twins->slots * sizeof *twins->table);
    twins->slots = 0;
}

static int same_extent(const struct memfs_extent *one, const struct memfs_extent *other)
{
    return one->offset == other->offset && one->length == other->length && one->block == other->block &&
           one->start == other->start;
}

/* Marks may be equal by chance or by intent: the records decide. */
static int compare(struct memfs_twins *twins, const struct memfs_node_record *node, uint32_t other, int *equal)
{
    const struct memfs_node_record *record;
    *equal = 0;
    if (memfs_look_node(twins->v, &twins->node_look, other, &record))
        return 1;
    if (!memfs_is_file(record) || record->size != node->size || record->extents.count != node->extents.count)
        return 0;
    for (uint32_t i = 0; i < node->extents.count; i++) {
        const struct memfs_extent *mine, *its;
        if (memfs_verify_looked(twins->v, twins->files, 1) || memfs_verify_work(twins->v, 0) ||
            memfs_look_extent(twins->v, &twins->extent_look, (uint64_t)node->extents.first + i, &mine) ||
            memfs_look_extent(twins->v, &twins->other_look, (uint64_t)record->extents.first + i, &its))
            return 1;
        if (!same_extent(mine, its))
            return 0;
    }
    *equal = 1;
    return 0;
}

int memfs_twins_find(struct memfs_twins *twins, uint64_t n, const struct memfs_node_record *node, uint64_t mark,
                     uint32_t *twin)
{
    struct memfs_twin *place = NULL;
    const uint32_t short_mark = (uint32_t)(mark >> 32);
    *twin = 0;
    for (unsigned i = 0; i < PROBES; i++) {
        struct memfs_twin *slot = &twins->table[(mark + i) & (twins->slots - 1)];
        int equal = 0;
        if (slot->node == 0 || slot->mark != short_mark) {
            if (!place || (place->node != 0 && slot->node == 0))
                place = slot;
            continue;
        }
        if (compare(twins, node, slot->node, &equal))
            return 1;
        if (equal) {
            *twin = slot->node;
            return 0;
        }
    }
    if (place)
        *place = (struct memfs_twin){(uint32_t)n, short_mark};
    return 0;
}
