#include "hold.h"

#include "alloc.h"

#include <errno.h>
#include <stdint.h>

struct hold {
    uint32_t node; /* 0: empty */
    int is_alone;  /* nothing else keeps the node */
    uint64_t lookups, opens;
};

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

int holds_init(struct holds *holds)
{
    for (int i = 0; i < HOLD_STRIPES; i++) {
        holds->stripes[i] = (struct hold_stripe){.slots = NULL};
        int r = pthread_mutex_init(&holds->stripes[i].lock, NULL);
        if (r) {
            while (i--)
                pthread_mutex_destroy(&holds->stripes[i].lock);
            return -r;
        }
    }
    return 0;
}

void holds_destroy(struct holds *holds, const struct memfs_allocator *allocator)
{
    for (int i = 0; i < HOLD_STRIPES; i++) {
        struct hold_stripe *stripe = &holds->stripes[i];
        memfs_free(allocator, stripe->slots, stripe->room * sizeof *stripe->slots);
        pthread_mutex_destroy(&stripe->lock);
    }
}

static int grow(struct hold_stripe *stripe, const struct memfs_allocator *allocator)
{
    if (stripe->room && stripe->used * 2 < stripe->room)
        return 0;
    struct hold_stripe larger = {.room = stripe->room ? stripe->room * 2 : 8};
    larger.slots = memfs_alloc_zeroed(allocator, larger.room * sizeof *larger.slots);
    if (!larger.slots)
        return -ENOMEM;
    for (size_t i = 0; i < stripe->room; i++) {
        if (stripe->slots[i].node)
            *find(&larger, stripe->slots[i].node) = stripe->slots[i];
    }
    memfs_free(allocator, stripe->slots, stripe->room * sizeof *stripe->slots);
    stripe->slots = larger.slots;
    stripe->room = larger.room;
    return 0;
}

int holds_add(struct holds *holds, const struct memfs_allocator *allocator, uint32_t node, uint64_t lookups,
              uint64_t opens)
{
    struct hold_stripe *stripe = stripe_of(holds, node);
    int r = 0;
    pthread_mutex_lock(&stripe->lock);
    struct hold *hold = stripe->room ? find(stripe, node) : NULL;
    if (!hold || !hold->node) {
        r = grow(stripe, allocator);
        hold = r ? NULL : find(stripe, node);
    }
    if (hold) {
        stripe->used += hold->node == 0;
        hold->node = node;
        hold->lookups += lookups;
        hold->opens += opens;
    }
    pthread_mutex_unlock(&stripe->lock);
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
    pthread_mutex_lock(&stripe->lock);
    struct hold *hold = stripe->room ? find(stripe, node) : NULL;
    if (hold && hold->node) {
        hold->lookups -= lookups < hold->lookups ? lookups : hold->lookups;
        hold->opens -= opens < hold->opens ? opens : hold->opens;
        result = hold->lookups || hold->opens ? HOLDS_KEPT : hold->is_alone ? HOLDS_LAST : HOLDS_GONE;
        if (result != HOLDS_KEPT)
            empty(stripe, hold);
    }
    pthread_mutex_unlock(&stripe->lock);
    return result;
}

int holds_alone(struct holds *holds, uint32_t node)
{
    struct hold_stripe *stripe = stripe_of(holds, node);
    pthread_mutex_lock(&stripe->lock);
    struct hold *hold = stripe->room ? find(stripe, node) : NULL;
    int has = hold && hold->node;
    if (has)
        hold->is_alone = 1;
    pthread_mutex_unlock(&stripe->lock);
    return has;
}

int holds_has(struct holds *holds, uint32_t node)
{
    struct hold_stripe *stripe = stripe_of(holds, node);
    pthread_mutex_lock(&stripe->lock);
    int has = stripe->room && find(stripe, node)->node;
    pthread_mutex_unlock(&stripe->lock);
    return has;
}

int holds_any(struct holds *holds)
{
    for (int i = 0; i < HOLD_STRIPES; i++) {
        struct hold_stripe *stripe = &holds->stripes[i];
        pthread_mutex_lock(&stripe->lock);
        int used = stripe->used != 0;
        pthread_mutex_unlock(&stripe->lock);
        if (used)
            return 1;
    }
    return 0;
}
