#include "hold.h"

#include "alloc.h"
#include "single_thread.h"

#include <errno.h>
#include <sched.h>
#include <stdint.h>

struct hold {
    uint32_t node; /* 0: empty */
    int is_alone;  /* nothing else keeps the node */
    uint64_t lookups, opens;
};

static void lock(struct hold_stripe *stripe)
{
    if (is_single_threaded()) /* nor can another begin while it is held: nothing is called */
        return;
    for (unsigned spins = 1; atomic_exchange_explicit(&stripe->locked, 1, memory_order_acquire); spins++) {
        if (spins % 64 == 0)
            sched_yield();
    }
}

static void unlock(struct hold_stripe *stripe)
{
    atomic_store_explicit(&stripe->locked, 0, memory_order_release);
}

static struct hold_stripe *stripe_of(struct holds *holds, uint32_t node)
{
    return &holds->stripes[node % HOLD_STRIPES];
}

static size_t home(const struct hold_stripe *stripe, uint32_t node)
{
    return (size_t)(node * 0x9E3779B97F4A7C15u >> 24) & (stripe->room - 1);
}

/* The slot of a node, or the empty one where it would stand. */
static struct hold *find(struct hold_stripe *stripe, uint32_t node)
{
    size_t i = home(stripe, node);
    while (stripe->slots[i].node && stripe->slots[i].node != node)
        i = (i + 1) & (stripe->room - 1);
    return &stripe->slots[i];
}

void holds_init(struct holds *holds)
{
    *holds = (struct holds){.stripes[0].room = 0};
}

void holds_destroy(struct holds *holds, const struct memfs_allocator *allocator)
{
    for (int i = 0; i < HOLD_STRIPES; i++)
        memfs_free(allocator, holds->stripes[i].slots, holds->stripes[i].room * sizeof(struct hold));
}

/* Makes the slots more than `room`, unless another thread has. Without the lock: memory may have to be waited for. */
static int grow(struct hold_stripe *stripe, const struct memfs_allocator *allocator, size_t room)
{
    struct hold_stripe larger = {.room = room ? room * 2 : 8};
    larger.slots = memfs_alloc_zeroed(allocator, larger.room * sizeof *larger.slots);
    if (!larger.slots)
        return -ENOMEM;
    struct hold *unused = larger.slots;
    size_t unused_room = larger.room;
    lock(stripe);
    if (stripe->room == room) {
        for (size_t i = 0; i < room; i++) {
            if (stripe->slots[i].node)
                *find(&larger, stripe->slots[i].node) = stripe->slots[i];
        }
        unused = stripe->slots;
        unused_room = room;
        stripe->slots = larger.slots;
        stripe->room = larger.room;
    }
    unlock(stripe);
    memfs_free(allocator, unused, unused_room * sizeof *unused);
    return 0;
}

/* Adds to a node's counts if it has a slot, or there is room for one; 0 with *room if there is not. */
static int try_add(struct hold_stripe *stripe, uint32_t node, uint64_t lookups, uint64_t opens, size_t *room)
{
    lock(stripe);
    *room = stripe->room;
    struct hold *hold = stripe->room ? find(stripe, node) : NULL;
    const int has_room = hold && (hold->node || stripe->used * 2 < stripe->room);
    if (has_room) {
        stripe->used += hold->node == 0;
        hold->node = node;
        hold->lookups += lookups;
        hold->opens += opens;
    }
    unlock(stripe);
    return has_room;
}

int holds_add(struct holds *holds, const struct memfs_allocator *allocator, uint32_t node, uint64_t lookups,
              uint64_t opens)
{
    struct hold_stripe *stripe = stripe_of(holds, node);
    size_t room;
    int r = 0;
    while (r == 0 && !try_add(stripe, node, lookups, opens, &room))
        r = grow(stripe, allocator, room);
    return r;
}

/* Empties a slot, and moves up those behind that it kept from their home. */
static void empty(struct hold_stripe *stripe, struct hold *hold)
{
    size_t mask = stripe->room - 1, hole = (size_t)(hold - stripe->slots);
    for (size_t i = (hole + 1) & mask; stripe->slots[i].node; i = (i + 1) & mask) {
        size_t distance = (i - home(stripe, stripe->slots[i].node)) & mask;
        if (distance >= ((i - hole) & mask)) {
            stripe->slots[hole] = stripe->slots[i];
            hole = i;
        }
    }
    stripe->slots[hole] = (struct hold){.node = 0};
    stripe->used--;
}

int holds_drop(struct holds *holds, uint32_t node, uint64_t lookups, uint64_t opens)
{
    struct hold_stripe *stripe = stripe_of(holds, node);
    int result = HOLDS_GONE;
    lock(stripe);
    struct hold *hold = stripe->room ? find(stripe, node) : NULL;
    if (hold && hold->node) {
        hold->lookups -= lookups < hold->lookups ? lookups : hold->lookups;
        hold->opens -= opens < hold->opens ? opens : hold->opens;
        result = hold->lookups || hold->opens ? HOLDS_KEPT : hold->is_alone ? HOLDS_LAST : HOLDS_GONE;
        if (result != HOLDS_KEPT)
            empty(stripe, hold);
    }
    unlock(stripe);
    return result;
}

int holds_alone(struct holds *holds, uint32_t node)
{
    struct hold_stripe *stripe = stripe_of(holds, node);
    lock(stripe);
    struct hold *hold = stripe->room ? find(stripe, node) : NULL;
    int has = hold && hold->node;
    if (has)
        hold->is_alone = 1;
    unlock(stripe);
    return has;
}

int holds_has(struct holds *holds, uint32_t node)
{
    struct hold_stripe *stripe = stripe_of(holds, node);
    lock(stripe);
    int has = stripe->room && find(stripe, node)->node;
    unlock(stripe);
    return has;
}

int holds_any(struct holds *holds)
{
    for (int i = 0; i < HOLD_STRIPES; i++) {
        struct hold_stripe *stripe = &holds->stripes[i];
        lock(stripe);
        int used = stripe->used != 0;
        unlock(stripe);
        if (used)
            return 1;
    }
    return 0;
}
