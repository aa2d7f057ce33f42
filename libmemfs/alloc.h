/*
 * Memory by the caller's hook, with products checked for overflow.
 */
#ifndef MEMFS_ALLOC_H
#define MEMFS_ALLOC_H

#include "memfs.h"

/* The given allocator, or malloc's for NULL. */
struct memfs_allocator memfs_allocator_or_default(const struct memfs_allocator *allocator);

/* NULL if there is no memory, or the size overflows. */
void *memfs_alloc(const struct memfs_allocator *allocator, size_t size);
void *memfs_alloc_zeroed(const struct memfs_allocator *allocator, size_t size);
void *memfs_alloc_array(const struct memfs_allocator *allocator, size_t count, size_t width);

/* For memory that is touched all over, in no order: whole huge pages of malloc's
 * are asked for as such, so that one translation serves 2 MiB of addresses. */
#define MEMFS_HUGE_PAGE ((size_t)2 << 20)
void *memfs_alloc_span(const struct memfs_allocator *allocator, size_t size);
/* What is best asked for instead of a size, at most SIZE_MAX / 2: of malloc's memory whole huge pages, if it is half of
 * one at least. */
size_t memfs_span_size(const struct memfs_allocator *allocator, size_t size);

/* size as it was allocated; NULL is accepted. */
void memfs_free(const struct memfs_allocator *allocator, void *memory, size_t size);

/* Doubles (at least to `need` items) an array that holds `count` items and has
 * room for `*room`; for temporary arrays of operations, not for tables. */
int memfs_grow_array(const struct memfs_allocator *allocator, void **array, size_t *room, size_t count, size_t need,
                     size_t width);

#endif
