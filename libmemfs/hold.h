/*
 * Look-up and open counts: which nodes live on without a name. They stand
 * beside the nodes, since few nodes have any.
 */
#ifndef MEMFS_HOLD_H
#define MEMFS_HOLD_H

#include "memfs.h"

#include <stdatomic.h>

#define HOLD_STRIPES 16

struct hold; /* number of the node, its counts */

struct holds {
    struct hold_stripe {
        _Atomic(int) locked; /* held for a few instructions only, in which nothing is called that may wait */
        struct hold *slots;  /* open addressing; a node of 0 is empty */
        size_t room, used;
        char apart[64 - 2 * sizeof(size_t) - 2 * sizeof(void *)]; /* a cache line each */
    } stripes[HOLD_STRIPES];
};

void holds_init(struct holds *holds);
void holds_destroy(struct holds *holds, const struct memfs_allocator *allocator);

/* Adds to a node's counts. -ENOMEM, but never for a node that is held already. */
int holds_add(struct holds *holds, const struct memfs_allocator *allocator, uint32_t node, uint64_t lookups,
              uint64_t opens);
/* What becomes of a node whose counts have been dropped. */
enum { HOLDS_KEPT, HOLDS_GONE, HOLDS_LAST }; /* LAST: gone, and nothing else keeps the node */
/* Takes from them, not below 0. */
int holds_drop(struct holds *holds, uint32_t node, uint64_t lookups, uint64_t opens);
/* Is the node held? If so, nothing else keeps it from now on: whoever drops the last
 * count learns it. */
int holds_alone(struct holds *holds, uint32_t node);
int holds_has(struct holds *holds, uint32_t node);
int holds_any(struct holds *holds);

#endif
