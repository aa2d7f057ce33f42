#define _DEFAULT_SOURCE
#include "alloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void *host_alloc(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void host_free(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    free(memory);
}

struct memfs_allocator memfs_allocator_or_default(const struct memfs_allocator *allocator)
{
    if (allocator)
        return *allocator;
    return (struct memfs_allocator){.alloc = host_alloc, .free = host_free};
}

void *memfs_alloc(const struct memfs_allocator *allocator, size_t size)
{
    return allocator->alloc(allocator->context, size ? size : 1);
}

void *memfs_alloc_zeroed(const struct memfs_allocator *allocator, size_t size)
{
    void *memory = memfs_alloc(allocator, size);
    if (memory)
        memset(memory, 0, size);
    return memory;
}

size_t memfs_span_size(const struct memfs_allocator *allocator, size_t size)
{
    if (allocator->alloc != host_alloc || size < MEMFS_HUGE_PAGE / 2)
        return size;
    return (size + MEMFS_HUGE_PAGE - 1) & ~(MEMFS_HUGE_PAGE - 1);
}

void *memfs_alloc_span(const struct memfs_allocator *allocator, size_t size)
{
    void *memory = NULL;
    if (allocator->alloc != host_alloc || size % MEMFS_HUGE_PAGE)
        return memfs_alloc(allocator, size);
    if (posix_memalign(&memory, MEMFS_HUGE_PAGE, size))
        return NULL;
#ifdef MADV_HUGEPAGE
    madvise(memory, size, MADV_HUGEPAGE); /* advice: it works without */
#endif
    return memory;
}

void *memfs_alloc_array(const struct memfs_allocator *allocator, size_t count, size_t width)
{
    if (width && count > SIZE_MAX / width)
        return NULL;
    return memfs_alloc(allocator, count * width);
}

void memfs_free(const struct memfs_allocator *allocator, void *memory, size_t size)
{
    if (memory)
        allocator->free(allocator->context, memory, size ? size : 1);
}

int memfs_grow_array(const struct memfs_allocator *allocator, void **array, size_t *room, size_t count, size_t need,
                     size_t width)
{
    if (need <= *room)
        return 0;
    size_t larger = *room > SIZE_MAX / 2 ? SIZE_MAX : *room * 2;
    if (larger < need)
        larger = need;
    if (larger < 16)
        larger = 16;
    void *copy = memfs_alloc_array(allocator, larger, width);
    if (!copy)
        return -ENOMEM;
    if (count)
        memcpy(copy, *array, count * width);
    memfs_free(allocator, *array, *room * width);
    *array = copy;
    *room = larger;
    return 0;
}
