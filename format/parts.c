#include "parts.h"

#include "alloc.h"
#include "prefetch.h"

#include <errno.h>
#include <string.h>

#define BITS_FIRST 12u

/* Twice as many slots as there are marks in a window, on the average. */
static unsigned bits_for(uint64_t reach)
{
    unsigned bits = BITS_FIRST;
    while ((uint64_t)1 << bits < reach >> (MEMFS_MARKS_SHIFT - 1))
        bits++;
    return bits;
}

void memfs_parts_begin(struct memfs_parts *parts, const struct memfs_allocator *allocator,
                       const struct memfs_window *window)
{
    *parts = (struct memfs_parts){.allocator = allocator, .window = window, .bits_most = bits_for(window->reach)};
}

void memfs_parts_end(struct memfs_parts *parts)
{
    if (parts->slots)
        memfs_free(parts->allocator, parts->slots, sizeof *parts->slots << parts->bits);
    *parts = (struct memfs_parts){0};
}

size_t memfs_parts_bytes(uint64_t reach)
{
    return (sizeof(struct memfs_parts_slot) << bits_for(reach)) / 2 * 3; /* and half as much while it grows */
}

static struct memfs_parts_slot *slot_of(struct memfs_parts_slot *slots, unsigned bits, uint32_t hash)
{
    return &slots[hash >> (32 - bits)];
}

static void put(struct memfs_parts *parts, const struct memfs_parts_slot *mark)
{
    struct memfs_parts_slot *slot = slot_of(parts->slots, parts->bits, mark->hash);
    parts->used += slot->at == 0;
    *slot = *mark;
}

/* Doubles the table. */
static int grow(struct memfs_parts *parts)
{
    struct memfs_parts_slot *before = parts->slots;
    const size_t count = before ? (size_t)1 << parts->bits : 0;
    const unsigned bits = before ? parts->bits + 1 : BITS_FIRST;
    struct memfs_parts_slot *slots = memfs_alloc_span(parts->allocator, sizeof *slots << bits);
    if (!slots)
        return -ENOMEM;
    memset(slots, 0, sizeof *slots << bits);
    parts->slots = slots;
    parts->bits = bits;
    parts->used = 0;
    for (size_t i = 0; i < count; i++) {
        if (before[i].at)
            put(parts, &before[i]);
    }
    memfs_free(parts->allocator, before, count * sizeof *before);
    return 0;
}

int memfs_parts_add(struct memfs_parts *parts, uint32_t hash, uint64_t at)
{
    const int full = !parts->slots || parts->used >= (size_t)1 << (parts->bits - 1);
    const int error = full && parts->bits < parts->bits_most ? grow(parts) : 0;
    if (!error)
        put(parts, &(struct memfs_parts_slot){hash, (uint32_t)at + 1});
    return error;
}

void memfs_parts_prefetch(const struct memfs_parts *parts, uint32_t hash)
{
    if (parts->slots)
        memfs_prefetch(slot_of(parts->slots, parts->bits, hash));
}

/* The newest position with those low bits that is in the stream; at the wrap of
 * 32 bits a slot may be free for one mark. */
static uint64_t position_of(const struct memfs_parts *parts, const struct memfs_parts_slot *slot)
{
    const uint32_t back = (uint32_t)parts->window->end - slot->at;
    return parts->window->end - 1 - back;
}

int memfs_parts_find(const struct memfs_parts *parts, uint32_t hash, const uint8_t *mark, size_t before, size_t behind,
                     size_t least, struct memfs_part *out)
{
    if (!parts->slots)
        return 0;
    const struct memfs_window *window = parts->window;
    const struct memfs_parts_slot *slot = slot_of(parts->slots, parts->bits, hash);
    if (!slot->at || slot->hash != hash)
        return 0;
    const uint64_t at = position_of(parts, slot);
    if (at >= window->end || at < memfs_window_start(window))
        return 0;
    const size_t forward = memfs_window_forward(window, at, mark, behind);
    if (forward == 0)
        return 0;
    const size_t backward = memfs_window_backward(window, at, mark, before);
    *out = (struct memfs_part){at - backward, backward, backward + forward};
    return out->length >= least;
}
