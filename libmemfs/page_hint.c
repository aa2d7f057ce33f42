#include "page_hint.h"

#include <string.h>

#define COUNT_LEAST UINT32_C(1024) /* less is in the processor's cache anyway */
#define COUNT_MOST (UINT32_C(1) << 28)
#define SLOTS_A_TIME 16u /* moved with each page: long before there are to be more again */

static size_t bytes_of(uint32_t count)
{
    return (size_t)count * sizeof(uint32_t);
}

static uint32_t next_count(const struct page_hints *hints)
{
    return hints->count ? 2 * hints->count : COUNT_LEAST;
}

void page_hints_reach(struct page_hints *hints, struct arena *arena)
{
    void *more = NULL;
    if (hints->more || hints->noted < (hints->count ? hints->count : COUNT_LEAST) || hints->count == COUNT_MOST)
        return;
    if (arena_alloc_span(arena, bytes_of(next_count(hints)), &more) == 0)
        hints->more = more;
}

/* What a slot says is said by both that a node of it may have now. */
static void grow(struct page_hints *hints, struct arena *arena)
{
    const uint32_t count = hints->count;
    if (count == 0)
        memset(hints->more, 0, bytes_of(COUNT_LEAST));
    for (unsigned i = 0; i < SLOTS_A_TIME && hints->moved < count; i++, hints->moved++)
        hints->more[hints->moved] = hints->more[hints->moved + count] = hints->slots[hints->moved];
    if (hints->moved < count)
        return;
    arena_free_span(arena, hints->slots, bytes_of(count));
    hints->slots = hints->more;
    hints->count = next_count(hints);
    hints->more = NULL;
    hints->moved = 0;
}

void page_hints_note(struct page_hints *hints, struct arena *arena, uint32_t node, const void *page)
{
    const uintptr_t line = (uintptr_t)page >> PAGE_HINT_LINE;
    if (hints->more)
        grow(hints, arena);
    hints->noted += hints->noted < COUNT_MOST;
    hints->high = line & ~(uintptr_t)UINT32_MAX;
    if (hints->count)
        *page_hints_slot(hints, node) = (uint32_t)line;
}

void page_hints_free(struct page_hints *hints, struct arena *arena)
{
    if (hints->more)
        arena_free_span(arena, hints->more, bytes_of(next_count(hints)));
    arena_free_span(arena, hints->slots, bytes_of(hints->count));
    *hints = (struct page_hints){.count = 0};
}
