/*
 * The arena: all private memory of one filesystem, from the caller's allocator,
 * capped, freed at once. Chunks of tables, which stay, are cut from spans as long
 * as they are small beside them. Small pieces are cut from what spans have left or
 * from such chunks by size class, and go back to free lists; large ones are
 * allocated one by one. Where no more can be had, at the cap for example, free
 * pieces serve other sizes, too, and large ones. Used by the filesystem's one
 * writer only.
 */
#ifndef MEMFS_ARENA_H
#define MEMFS_ARENA_H

#include "freelist.h"
#include "memfs.h"

#define ARENA_SMALL_MAX FREELIST_PIECE_MAX /* larger pieces are not rounded up to classes */

#define ARENA_LINE 64 /* chunks begin at a line of the processor's cache */

struct arena_span;
struct arena_large;

/* What is free at the end of a span. */
struct arena_run {
    char *at;
    size_t left;
};

struct arena {
    struct memfs_allocator allocator;
    uint64_t capacity; /* 0: none */
    uint64_t used;     /* bytes taken from the allocator */
    struct arena_span *spans;
    struct arena_large *large;
    struct arena_run pieces, chunks;
    struct freelist free;
};

void arena_init(struct arena *arena, const struct memfs_allocator *allocator, uint64_t capacity);
void arena_destroy(struct arena *arena);

/* 0, -ENOSPC at the cap, -ENOMEM. The memory is not cleared; aligned to 16. */
int arena_alloc(struct arena *arena, size_t size, void **out);
void arena_free(struct arena *arena, void *memory, size_t size);

/* The same for a chunk: aligned to a line, and never freed alone. */
int arena_alloc_chunk(struct arena *arena, size_t size, void **out);

/* The same for something large that grows by being replaced: on huge pages where it fills
 * half of one at least, and there is no capacity. It is not freed with the arena. NULL is accepted. */
int arena_alloc_span(struct arena *arena, size_t size, void **out);
void arena_free_span(struct arena *arena, void *memory, size_t size);

#endif
