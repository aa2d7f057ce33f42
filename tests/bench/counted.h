/*
 * An allocator that counts what is held from it.
 */
#ifndef COUNTED_H
#define COUNTED_H

#include "bench.h"

#include <stdatomic.h>

static _Atomic uint64_t counted_bytes;

static void *counted_alloc(void *context, size_t size)
{
    (void)context;
    atomic_fetch_add(&counted_bytes, size);
    return malloc(size);
}

static void counted_free(void *context, void *memory, size_t size)
{
    (void)context;
    atomic_fetch_sub(&counted_bytes, size);
    free(memory);
}

static const struct memfs_allocator counted = {.alloc = counted_alloc, .free = counted_free};

#endif
