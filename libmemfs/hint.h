/*
 * Hints: to which nodes paths probably lead. A look-up waits for memory, one name after
 * the other, since only a directory's number tells where its names are. So the numbers
 * are kept that paths and their beginnings led to last time: by them all places on a
 * path's way are fetched at once, before it is walked.
 *
 * A hint is never believed: it may be of another path, or of a node that is gone. What
 * it fetched then goes unused.
 */
#ifndef MEMFS_HINT_H
#define MEMFS_HINT_H

#include "fs.h"

/* By the hash of a path: a node's number, or 0. A larger table replaces it as
 * the filesystem grows; older ones stay for their readers. */
struct hints {
    struct hints *older;
    uint32_t mask; /* slots, less one */
    _Atomic(uint32_t) *slots;
};

/* For a reader; NULL if there are none. */
struct hints *hints_get(memfs *fs);
void hints_free(memfs *fs);

/* The slot of a path, from the hash of its names. */
static inline _Atomic(uint32_t) *hint_slot(struct hints *hints, uint64_t hash)
{
    return &hints->slots[hash & hints->mask];
}

static inline uint32_t hint_get(_Atomic(uint32_t) *slot)
{
    return atomic_load_explicit(slot, memory_order_relaxed);
}

/* Most paths lead where they did: then no line is written that other threads read. */
static inline void hint_set(_Atomic(uint32_t) *slot, uint32_t node)
{
    if (hint_get(slot) != node)
        atomic_store_explicit(slot, node, memory_order_relaxed);
}

#endif
