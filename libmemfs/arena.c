#include "arena.h"

#include "alloc.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define SPAN_MIN ((size_t)16 << 10)
#define PIECES_MAX ((size_t)64 << 10)
#define HUGE_FROM (2 * MEMFS_HUGE_PAGE)
#define SPAN_CHUNKS 8 /* a span is for chunks of which it holds at least so many */

struct arena_span {
    _Alignas(16) struct arena_span *next;
    size_t size; /* in all */
};

struct arena_large {
    _Alignas(16) struct arena_large *next, **link;
    size_t size; /* in all */
};

unsigned size_class(size_t size)
{
    if (size <= 256)
        return (unsigned)((size + 15) / 16) - 1;
    /* Four steps a doubling: the top bit and the two below it, of size - 1. */
    unsigned log = 63u - (unsigned)__builtin_clzll(size - 1);
    return 16 + (log - 8) * 4 + (unsigned)((size - 1) >> (log - 2) & 3);
}

size_t size_of_class(unsigned class)
{
    if (class < 16)
        return (size_t)(class + 1) * 16;
    unsigned log = 8 + (class - 16) / 4;
    return ((size_t)1 << log) + ((size_t)((class - 16) % 4 + 1) << (log - 2));
}

void arena_init(struct arena *arena, const struct memfs_allocator *allocator, uint64_t capacity)
{
    *arena = (struct arena){.allocator = *allocator, .capacity = capacity};
}

void arena_destroy(struct arena *arena)
{
    while (arena->spans) {
        struct arena_span *span = arena->spans;
        arena->spans = span->next;
        memfs_free(&arena->allocator, span, span->size);
    }
    while (arena->large) {
        struct arena_large *large = arena->large;
        arena->large = large->next;
        memfs_free(&arena->allocator, large, large->size);
    }
}

static int take(struct arena *arena, size_t size, int is_span, void *out)
{
    if (arena->capacity && (size > arena->capacity || arena->used > arena->capacity - size))
        return -ENOSPC;
    void *memory = is_span ? memfs_alloc_span(&arena->allocator, size) : memfs_alloc(&arena->allocator, size);
    if (!memory)
        return -ENOMEM;
    arena->used += size;
    *(void **)out = memory;
    return 0;
}

/* slack: bytes behind, for the caller to align in. */
static int alloc_large(struct arena *arena, size_t size, size_t slack, void **out)
{
    struct arena_large *large = NULL;
    if (size > SIZE_MAX - sizeof *large - slack)
        return -ENOMEM;
    int r = take(arena, sizeof *large + size + slack, 0, &large);
    if (r)
        return r;
    large->size = sizeof *large + size + slack;
    large->next = arena->large;
    large->link = &arena->large;
    if (large->next)
        large->next->link = &large->next;
    arena->large = large;
    *out = large + 1;
    return 0;
}

/* A sixteenth of what there is; from HUGE_FROM on whole huge pages, one at least: what is
 * there first, mostly directories, is looked at most. */
static size_t span_size(const struct arena *arena)
{
    if (arena->used < HUGE_FROM)
        return arena->used / 16 < SPAN_MIN ? SPAN_MIN : (size_t)(arena->used / 16) & ~(size_t)15;
    const size_t size = (size_t)(arena->used / 64) & ~(MEMFS_HUGE_PAGE - 1);
    return size < MEMFS_HUGE_PAGE ? MEMFS_HUGE_PAGE : size;
}

static void *cut(struct arena_run *run, size_t size, size_t alignment)
{
    size_t skip = (size_t)(-(uintptr_t)run->at & (alignment - 1));
    if (run->left < skip || run->left - skip < size)
        return NULL;
    void *memory = run->at + skip;
    run->at += skip + size;
    run->left -= skip + size;
    return memory;
}

static int alloc_alone(struct arena *arena, size_t size, void **out)
{
    void *memory = NULL;
    int r = alloc_large(arena, size, ARENA_LINE - 16, &memory);
    *out = memory ? (char *)memory + (-(uintptr_t)memory & (ARENA_LINE - 1)) : NULL;
    return r;
}

static int add_span(struct arena *arena, size_t size)
{
    struct arena_span *span = NULL;
    int r = take(arena, size, 1, &span);
    if (r)
        return r;
    *span = (struct arena_span){.next = arena->spans, .size = size};
    arena->spans = span;
    /* What is left of the last one is too little for a chunk, but not for pieces. */
    if (arena->chunks.left > arena->pieces.left)
        arena->pieces = arena->chunks;
    arena->chunks = (struct arena_run){.at = (char *)(span + 1), .left = size - sizeof *span};
    return 0;
}

int arena_alloc_chunk(struct arena *arena, size_t size, void **out)
{
    *out = cut(&arena->chunks, size, ARENA_LINE);
    if (*out)
        return 0;
    size_t span = span_size(arena);
    if (size > span / SPAN_CHUNKS || add_span(arena, span))
        return alloc_alone(arena, size, out);
    *out = cut(&arena->chunks, size, ARENA_LINE);
    return 0;
}

/* Makes room for pieces. What is left (less than ARENA_SMALL_MAX) is lost. */
static int add_pieces(struct arena *arena)
{
    size_t size = arena->used / 64 < SPAN_MIN ? SPAN_MIN : (size_t)(arena->used / 64) & ~(size_t)15;
    void *memory = NULL;
    if (size > PIECES_MAX)
        size = PIECES_MAX;
    int r = arena_alloc_chunk(arena, size, &memory);
    if (r && size > SPAN_MIN)
        r = arena_alloc_chunk(arena, size = SPAN_MIN, &memory);
    if (r == 0)
        arena->pieces = (struct arena_run){.at = memory, .left = size};
    return r;
}

int arena_alloc(struct arena *arena, size_t size, void **out)
{
    if (size > ARENA_SMALL_MAX)
        return alloc_large(arena, size, 0, out);
    unsigned class = size_class(size ? size : 1);
    if (arena->free[class]) {
        *out = arena->free[class];
        memcpy(&arena->free[class], *out, sizeof(void *));
        return 0;
    }
    size = size_of_class(class);
    *out = cut(&arena->pieces, size, 16);
    if (*out)
        return 0;
    int r = add_pieces(arena);
    *out = r ? NULL : cut(&arena->pieces, size, 16);
    return r;
}

void arena_free(struct arena *arena, void *memory, size_t size)
{
    if (!memory)
        return;
    if (size > ARENA_SMALL_MAX) {
        struct arena_large *large = (struct arena_large *)memory - 1;
        *large->link = large->next;
        if (large->next)
            large->next->link = large->link;
        arena->used -= large->size;
        memfs_free(&arena->allocator, large, large->size);
        return;
    }
    unsigned class = size_class(size ? size : 1);
    memcpy(memory, &arena->free[class], sizeof(void *));
    arena->free[class] = memory;
}

int arena_alloc_span(struct arena *arena, size_t size, void **out)
{
    return take(arena, size, 1, out);
}

void arena_free_span(struct arena *arena, void *memory, size_t size)
{
    if (!memory)
        return;
    arena->used -= size;
    memfs_free(&arena->allocator, memory, size);
}
