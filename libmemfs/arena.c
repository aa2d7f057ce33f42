#include "arena.h"

#include "alloc.h"
#include "prefetch.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define SPAN_MIN ((size_t)16 << 10)
#define PIECES_MAX ((size_t)64 << 10)
#define HUGE_FROM (2 * MEMFS_HUGE_PAGE)
#define MERGE_SHARE 32 /* of what is used must have been freed for it to be merged */
#define SPAN_CHUNKS 8  /* a span is for chunks of which it holds at least so many */
#define FETCHED 512    /* bytes behind a piece: the line that is fetched when it is cut, and the next one */

struct arena_span {
    _Alignas(16) struct arena_span *next;
    size_t size; /* in all */
};

struct arena_large {
    _Alignas(16) struct arena_large *next, **link; /* link NULL: it is inside a span, or what was a chunk */
    size_t size;                                   /* in all */
};

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

/* What is left of a run is free. */
static void put_rest(struct arena *arena, const struct arena_run *run)
{
    const size_t skip = (size_t)(-(uintptr_t)run->at & 15);
    const size_t left = run->left < skip ? 0 : (run->left - skip) & ~(size_t)15;
    if (left)
        freelist_put(&arena->free, run->at + skip, left);
}

/* Cuts pieces from here on. */
static void set_pieces(struct arena *arena, void *at, size_t size)
{
    put_rest(arena, &arena->pieces);
    arena->pieces = (struct arena_run){.at = at, .left = size};
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
        set_pieces(arena, arena->chunks.at, arena->chunks.left);
    else
        put_rest(arena, &arena->chunks);
    arena->chunks = (struct arena_run){.at = (char *)(span + 1), .left = size - sizeof *span};
    return 0;
}

static int add_chunk(struct arena *arena, size_t size, void **out)
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

/* NULL if there is no room. What will be cut next is in no cache if it was never used. */
static void *cut_piece(struct arena *arena, unsigned class)
{
    struct arena_run *run = &arena->pieces;
    void *piece = cut(run, size_of_class(class), 16);
    if (run->left >= FETCHED + 2u * ARENA_LINE) {
        memfs_prefetch(run->at + FETCHED);
        memfs_prefetch(run->at + FETCHED + ARENA_LINE);
    }
    return piece;
}

/* Makes room for pieces. */
static int add_pieces(struct arena *arena)
{
    size_t size = arena->used / 64 < SPAN_MIN ? SPAN_MIN : (size_t)(arena->used / 64) & ~(size_t)15;
    void *memory = NULL;
    if (size > PIECES_MAX)
        size = PIECES_MAX;
    int r = add_chunk(arena, size, &memory);
    if (r && size > SPAN_MIN)
        r = add_chunk(arena, size = SPAN_MIN, &memory);
    if (r == 0)
        set_pieces(arena, memory, size);
    return r;
}

/* ---- Where no more can be had ---- */

/* Has so much been freed that it may be worth while to look at all that is free? */
static int merge(struct arena *arena)
{
    if (arena->free.bytes - arena->free.settled < arena->used / MERGE_SHARE)
        return 0;
    freelist_merge(&arena->free);
    return 1;
}

static void *take_block(struct arena *arena, size_t size)
{
    void *memory = freelist_take_block(&arena->free, size);
    return memory || !merge(arena) ? memory : freelist_take_block(&arena->free, size);
}

static void *large_inside(struct arena *arena, size_t size)
{
    struct arena_large *large = NULL;
    if (size > SIZE_MAX - sizeof *large - 15)
        return NULL;
    const size_t all = (sizeof *large + size + 15) & ~(size_t)15;
    large = take_block(arena, all);
    if (!large)
        return NULL;
    *large = (struct arena_large){.size = all};
    return large + 1;
}

static void *chunk_inside(struct arena *arena, size_t size)
{
    struct arena_run block = {.left = ((size + 15) & ~(size_t)15) + ARENA_LINE};
    block.at = take_block(arena, block.left);
    char *const from = block.at;
    char *memory = from ? cut(&block, size, ARENA_LINE) : NULL;
    if (memory && memory > from)
        freelist_put(&arena->free, from, (size_t)(memory - from));
    return memory;
}

static void *piece_inside(struct arena *arena, unsigned class)
{
    void *piece = freelist_split(&arena->free, class);
    if (!piece && !arena->free.blocks && merge(arena) && !(piece = freelist_take(&arena->free, class)))
        piece = freelist_split(&arena->free, class);
    if (piece || !arena->free.blocks)
        return piece;
    size_t size;
    void *block = freelist_take_whole_block(&arena->free, &size);
    set_pieces(arena, block, size);
    return cut(&arena->pieces, size_of_class(class), 16);
}

/* ---- Chunks, pieces and large ones ---- */

int arena_alloc_chunk(struct arena *arena, size_t size, void **out)
{
    int r = add_chunk(arena, size, out);
    if (r)
        *out = chunk_inside(arena, size);
    return *out ? 0 : r;
}

int arena_alloc(struct arena *arena, size_t size, void **out)
{
    if (size > ARENA_SMALL_MAX) {
        int r = alloc_large(arena, size, 0, out);
        if (r)
            *out = large_inside(arena, size);
        return *out ? 0 : r;
    }
    const unsigned class = size_class(size ? size : 1);
    *out = freelist_take(&arena->free, class);
    if (!*out)
        *out = cut_piece(arena, class);
    if (*out)
        return 0;
    int r = add_pieces(arena);
    *out = r ? piece_inside(arena, class) : cut_piece(arena, class);
    return *out ? 0 : r;
}

static void free_large(struct arena *arena, struct arena_large *large)
{
    if (!large->link) {
        freelist_put(&arena->free, large, large->size);
        return;
    }
    *large->link = large->next;
    if (large->next)
        large->next->link = large->link;
    arena->used -= large->size;
    memfs_free(&arena->allocator, large, large->size);
}

void arena_free(struct arena *arena, void *memory, size_t size)
{
    if (!memory)
        return;
    if (size > ARENA_SMALL_MAX)
        free_large(arena, (struct arena_large *)memory - 1);
    else
        freelist_put(&arena->free, memory, size_of_class(size_class(size ? size : 1)));
}

/* Where there is a capacity, nothing is taken that is not needed. */
static size_t span_bytes(const struct arena *arena, size_t size)
{
    return arena->capacity ? size : memfs_span_size(&arena->allocator, size);
}

int arena_alloc_span(struct arena *arena, size_t size, void **out)
{
    return take(arena, span_bytes(arena, size), 1, out);
}

void arena_free_span(struct arena *arena, void *memory, size_t size)
{
    if (!memory)
        return;
    size = span_bytes(arena, size);
    arena->used -= size;
    memfs_free(&arena->allocator, memory, size);
}
