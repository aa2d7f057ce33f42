#include "arena.h"

#include "alloc.h"

#include <errno.h>
#include <string.h>

#define SPAN_MIN ((size_t)16 << 10)
#define SPAN_MAX ((size_t)1 << 20)

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

static int take(struct arena *arena, size_t size, void *out)
{
    if (arena->capacity && (size > arena->capacity || arena->used > arena->capacity - size))
        return -ENOSPC;
    void *memory = memfs_alloc(&arena->allocator, size);
    if (!memory)
        return -ENOMEM;
    arena->used += size;
    *(void **)out = memory;
    return 0;
}

static int alloc_large(struct arena *arena, size_t size, void **out)
{
    struct arena_large *large = NULL;
    if (size > SIZE_MAX - sizeof *large)
        return -ENOMEM;
    int r = take(arena, sizeof *large + size, &large);
    if (r)
        return r;
    large->size = sizeof *large + size;
    large->next = arena->large;
    large->link = &arena->large;
    if (large->next)
        large->next->link = &large->next;
    arena->large = large;
    *out = large + 1;
    return 0;
}

/* Makes a new span the newest; what is left of the last one (less than ARENA_SMALL_MAX) is lost. */
static int add_span(struct arena *arena)
{
    size_t size = arena->used / 8 < SPAN_MIN ? SPAN_MIN : arena->used / 8;
    struct arena_span *span = NULL;
    if (size > SPAN_MAX)
        size = SPAN_MAX;
    size &= ~(size_t)15;
    int r = take(arena, size, &span);
    if (r && size > SPAN_MIN)
        r = take(arena, size = SPAN_MIN, &span);
    if (r)
        return r;
    *span = (struct arena_span){.next = arena->spans, .size = size};
    arena->spans = span;
    arena->span_left = size - sizeof *span;
    return 0;
}

int arena_alloc(struct arena *arena, size_t size, void **out)
{
    if (size > ARENA_SMALL_MAX)
        return alloc_large(arena, size, out);
    unsigned class = size_class(size ? size : 1);
    if (arena->free[class]) {
        *out = arena->free[class];
        memcpy(&arena->free[class], *out, sizeof(void *));
        return 0;
    }
    size = size_of_class(class);
    if (arena->span_left < size) {
        int r = add_span(arena);
        if (r)
            return r;
    }
    *out = (char *)arena->spans + arena->spans->size - arena->span_left;
    arena->span_left -= size;
    return 0;
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
