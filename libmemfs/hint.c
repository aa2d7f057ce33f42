#include "hint.h"

#include <string.h>

#define COUNT_LEAST UINT32_C(256)      /* a smaller filesystem is in the processor's cache anyway */
#define COUNT_MOST (UINT32_C(1) << 28) /* their bytes fit in 32 bits */

static size_t bytes_of(uint32_t count)
{
    return (size_t)count * sizeof(uint32_t);
}

static uint32_t next_count(const struct hints *hints)
{
    return hints->count ? 2 * hints->count : COUNT_LEAST;
}

void hints_reach(struct hints *hints, struct arena *arena, uint64_t insertions)
{
    void *more = NULL;
    if (hints->more || insertions < next_count(hints) || hints->count == COUNT_MOST)
        return;
    if (arena_alloc_span(arena, bytes_of(next_count(hints)), &more) == 0)
        hints->more = more;
}

/* A path's slot is one of two where it was: both know what it knew. No reader is about. */
void hints_grow(struct hints *hints, struct arena *arena)
{
    const uint32_t count = hints->count, more = next_count(hints);
    if (!hints->more)
        return;
    if (count == 0) {
        memset((void *)hints->more, 0, bytes_of(more));
    } else {
        memcpy((void *)hints->more, (const void *)hints->slots, bytes_of(count));
        memcpy((void *)(hints->more + count), (const void *)hints->slots, bytes_of(count));
    }
    arena_free_span(arena, (void *)hints->slots, bytes_of(count));
    hints->slots = hints->more;
    hints->count = more;
    hints->more = NULL;
}

void hints_free(struct hints *hints, struct arena *arena)
{
    if (hints->more)
        arena_free_span(arena, (void *)hints->more, bytes_of(next_count(hints)));
    arena_free_span(arena, (void *)hints->slots, bytes_of(hints->count));
    *hints = (struct hints){.count = 0};
}
