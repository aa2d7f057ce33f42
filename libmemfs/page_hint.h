/*
 * Hints to pages: a file's page is where its node says, and who opens the file by its path waits for the node first. So
 * that the page can be fetched at the same time, an array says by the node's number where its page probably is.
 *
 * A hint is never believed: what is there is only fetched into the processor's cache.
 */
#ifndef MEMFS_PAGE_HINT_H
#define MEMFS_PAGE_HINT_H

#include "arena.h"
#include "prefetch.h"

/* Zeroed: there are none. At most twice as many as pages have been noted, 4 bytes each, but for what arena_alloc_span()
 * rounds up; other nodes' pages may stand where a node's is looked for. Bound as the filesystem's records are. */
struct page_hints {
    uint32_t *slots; /* by the node's number, modulo their count: the low 32 bits of the page's line; 0: none */
    uint32_t count;  /* a power of two, or 0 */
    uint32_t noted;  /* pages */
    uint32_t *more;  /* twice as many, which are to take their place; NULL: none */
    uint32_t moved;  /* slots that stand in `more` already, the first ones: no commit moves many */
    uintptr_t high;  /* the other bits of the line of the page noted last */
};

/* Reach: prepares more slots if there are so many pages. Lack of memory is no failure. */
void page_hints_reach(struct page_hints *hints, struct arena *arena);
/* Commit: moves some slots to what was prepared, and notes where the page of a node is. */
void page_hints_note(struct page_hints *hints, struct arena *arena, uint32_t node, const void *page);
/* Gives back all of them. */
void page_hints_free(struct page_hints *hints, struct arena *arena);

#define PAGE_HINT_LINE 6 /* a line of the processor's cache, as a power of two */

/* A node's slot, if there are any. */
static inline uint32_t *page_hints_slot(const struct page_hints *hints, uint32_t node)
{
    const uint32_t at = node & (hints->count - 1);
    return at < hints->moved ? &hints->more[node & (2 * hints->count - 1)] : &hints->slots[at];
}

/* In any operation. The number may be any. */
static inline void page_hints_prefetch(const struct page_hints *hints, uint32_t node)
{
    const uint32_t slot = hints->count ? *page_hints_slot(hints, node) : 0;
    if (!slot)
        return;
    const char *line = (const char *)((hints->high | slot) << PAGE_HINT_LINE);
    memfs_prefetch(line);
    memfs_prefetch(line + (1u << PAGE_HINT_LINE));
}

#endif
