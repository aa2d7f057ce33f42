/*
 * Hints: to which nodes paths probably lead. A look-up waits for memory, one name after
 * the other, since only a directory's number tells where its names are. So the numbers
 * are kept that paths and their beginnings led to last time: by them all places on a
 * path's way are fetched at once, before it is walked.
 *
 * A hint is never believed: it may be of another path, or of a node that is gone. Then
 * what it fetched goes unused.
 */
#ifndef MEMFS_HINT_H
#define MEMFS_HINT_H

#include "alloc.h"
#include "arena.h"

#include <stdatomic.h>

/* By the hash of a path a node's number, or 0. Their number follows that of a
 * filesystem's own insertions: 2 to 4 bytes each. Zeroed: there are none. */
struct hints {
    _Atomic(uint32_t) *slots; /* any reader sets them; the rest is bound by the writer, and changes in commits */
    uint32_t count;           /* a power of two, or 0 */
    _Atomic(uint32_t) *more;  /* prepared: twice as many */
};

/* Reach: prepares more slots if there are so many insertions. Lack of memory is no failure. */
void hints_reach(struct hints *hints, struct arena *arena, uint64_t insertions);
/* Commit: takes what was prepared. */
void hints_grow(struct hints *hints, struct arena *arena);
/* Gives back all of them. */
void hints_free(struct hints *hints, struct arena *arena);

/* The slot of a path, from the hash of its names; there are some. */
static inline _Atomic(uint32_t) *hint_slot(const struct hints *hints, uint64_t hash)
{
    return &hints->slots[hash & (hints->count - 1)];
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
