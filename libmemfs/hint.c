#include "hint.h"

#include <string.h>

#define NODES_MIN 256 /* a smaller filesystem has none */
#define GROWTH 4      /* times as many nodes as slots: then there are more */
#define SLOTS_MAX (UINT32_C(1) << 26)

/* Slots for so many nodes: a power of two. */
static uint32_t slots_for(uint64_t nodes)
{
    uint32_t slots = NODES_MIN;
    while (slots < SLOTS_MAX && slots < nodes)
        slots *= 2;
    return slots;
}

static size_t slots_bytes(const struct hints *hints)
{
    return ((size_t)hints->mask + 1) * sizeof *hints->slots;
}

static void free_one(const struct memfs_allocator *allocator, struct hints *hints)
{
    memfs_free(allocator, hints->slots, slots_bytes(hints));
    memfs_free(allocator, hints, sizeof *hints);
}

static struct hints *make(const struct memfs_allocator *allocator, uint32_t slots)
{
    struct hints *hints = memfs_alloc_zeroed(allocator, sizeof *hints);
    if (!hints)
        return NULL;
    hints->mask = slots - 1;
    hints->slots = memfs_alloc_span(allocator, slots_bytes(hints));
    if (!hints->slots) {
        memfs_free(allocator, hints, sizeof *hints);
        return NULL;
    }
    memset((void *)hints->slots, 0, slots_bytes(hints));
    return hints;
}

/* By the first reader that wants them. Lack of memory is no failure. */
static struct hints *replace(memfs *fs, struct hints *older, uint32_t slots)
{
    struct hints *hints = make(&fs->allocator, slots);
    if (!hints)
        return older;
    hints->older = older;
    if (atomic_compare_exchange_strong(&fs->hints, &older, hints))
        return hints;
    free_one(&fs->allocator, hints);
    return older;
}

struct hints *hints_get(memfs *fs)
{
    struct hints *hints = atomic_load(&fs->hints);
    uint64_t nodes = fs->nodes_in_use;
    if (hints && nodes < (uint64_t)hints->mask * GROWTH)
        return hints;
    if (nodes < NODES_MIN || (hints && hints->mask == SLOTS_MAX - 1))
        return hints;
    return replace(fs, hints, slots_for(nodes));
}

void hints_free(memfs *fs)
{
    struct hints *hints = atomic_load(&fs->hints);
    while (hints) {
        struct hints *older = hints->older;
        free_one(&fs->allocator, hints);
        hints = older;
    }
}
