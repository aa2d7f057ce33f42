#include "page.h"

#include <string.h>

/* Here, since a compiler that must not count on the processor's instruction calls a function for it. (Warren, "Hacker's
 * Delight", 2nd ed., 5-1.) */
static int count_bits(uint16_t mask)
{
    uint32_t sums = mask - (mask >> 1 & 0x5555u);
    sums = (sums & 0x3333) + (sums >> 2 & 0x3333);
    sums = (sums + (sums >> 4)) & 0x0F0F;
    return (int)((sums + (sums >> 8)) & 0x1F);
}

int page_weight(uint64_t slot)
{
    if (!slot)
        return 0;
    const struct page *page = page_of_slot(slot);
    const uint16_t hidden = page_hidden(slot); /* mostly none */
    return (page ? count_bits(page->allocated) : 0) - (hidden ? count_bits(hidden) : 0);
}

/* Bits [first, end), end at most 16. */
static uint16_t bits(uint32_t first, uint32_t end)
{
    return (uint16_t)(first < end ? (1u << end) - (1u << first) : 0);
}

uint16_t page_touched(uint32_t from, uint32_t to)
{
    return from < to ? bits(from / MEMFS_HOLE_BYTES, (to + MEMFS_HOLE_BYTES - 1) / MEMFS_HOLE_BYTES) : 0;
}

uint16_t page_covered(uint32_t from, uint32_t to)
{
    return bits((from + MEMFS_HOLE_BYTES - 1) / MEMFS_HOLE_BYTES, to / MEMFS_HOLE_BYTES);
}

int page_new(memfs *fs, uint32_t need, struct page **out)
{
    size_t size = sizeof(struct page) + need;
    void *memory = NULL;
    size = size <= ARENA_SMALL_MAX ? size_of_class(size_class(size)) : (size + 255) & ~(size_t)255;
    if (size > sizeof(struct page) + PAGE_BYTES)
        size = sizeof(struct page) + PAGE_BYTES;
    int r = arena_alloc(&fs->arena, size, &memory);
    if (r)
        return r;
    struct page *page = memory;
    atomic_init(&page->pins, 0);
    page->capacity = (uint32_t)(size - sizeof *page);
    page->allocated = page->base = 0;
    page->layer = (uint32_t)fs->layer;
    *out = page;
    return 0;
}

void page_free(memfs *fs, struct page *page)
{
    arena_free(&fs->arena, page, sizeof *page + page->capacity);
}

uint32_t page_room(uint32_t used, uint32_t to)
{
    if (to >= used * 2)
        return to;
    return used * 2 < PAGE_BYTES ? used * 2 : PAGE_BYTES;
}

void page_fill(struct page *page, const void *old, uint32_t used, uint32_t from, const void *data, uint32_t to)
{
    const uint32_t head = from < used ? from : used, end = to > used ? to : used;
    if (head)
        memcpy(page->bytes, old, head);
    if (from > head)
        memset(page->bytes + head, 0, from - head);
    if (data)
        memcpy(page->bytes + from, data, to - from);
    else
        memset(page->bytes + from, 0, to - from);
    if (to < used)
        memcpy(page->bytes + to, (const unsigned char *)old + to, used - to);
    if (page->capacity > end)
        memset(page->bytes + end, 0, page->capacity - end);
}

void page_drop(memfs *fs, uint64_t slot)
{
    struct page *page = page_of_slot(slot);
    if (page && page_is_ours(fs, page) && atomic_fetch_or(&page->pins, PAGE_DROPPED) == 0)
        page_free(fs, page);
}

int page_claim(struct page *page)
{
    uint32_t none = 0;
    return atomic_compare_exchange_strong(&page->pins, &none, PAGE_CLAIMED);
}

void page_unclaim(struct page *page)
{
    atomic_fetch_and(&page->pins, ~PAGE_CLAIMED);
}

int page_pin(struct page *page, int writer_is_off)
{
    uint32_t pins = atomic_load(&page->pins), more;
    do {
        if (pins & PAGE_CLAIMED && !writer_is_off)
            return 0;
        more = (pins & ~PAGE_CLAIMED) + 1;
    } while (!atomic_compare_exchange_weak(&page->pins, &pins, more));
    return 1;
}

/* Garbage is linked through the pages' first bytes, which nobody sees any more. */
void page_unpin(memfs *fs, struct page *page)
{
    if (atomic_fetch_sub(&page->pins, 1) != (PAGE_DROPPED | 1))
        return;
    struct page *next = atomic_load(&fs->garbage);
    do
        memcpy(page->bytes, &next, sizeof next);
    while (!atomic_compare_exchange_weak(&fs->garbage, &next, page));
}

void content_collect(memfs *fs)
{
    struct page *page = atomic_load(&fs->garbage) ? atomic_exchange(&fs->garbage, NULL) : NULL;
    while (page) {
        struct page *next;
        memcpy(&next, page->bytes, sizeof next);
        page_free(fs, page);
        page = next;
    }
}
