/*
 * Lists that grow by a chunk and never move what is in them. Both directions
 * of the host (scan, export) keep their records and names in these.
 */
#ifndef MEMFS_HOST_LIST_H
#define MEMFS_HOST_LIST_H

#include "alloc.h"

#include <stddef.h>
#include <stdint.h>

struct memfs_host_list {
    struct memfs_allocator allocator;
    void **chunks;
    size_t chunk_count, chunk_room;
    uint64_t count; /* records */
    size_t width;   /* bytes of a record */
    unsigned shift; /* records of a chunk, as a power of two */
};

void memfs_host_list_init(struct memfs_host_list *list, const struct memfs_allocator *allocator, size_t width,
                          unsigned shift);
void memfs_host_list_free(struct memfs_host_list *list);

/* One more record, zeroed; NULL if there is no memory. `list->count--` takes it back. */
void *memfs_host_list_add(struct memfs_host_list *list);

/* For lists of bytes: stores an item of 1 to (1 << shift) bytes so that it does
 * not cross a chunk's end; what is skipped is zero. -ENOMEM. */
int memfs_host_list_put(struct memfs_host_list *list, const void *bytes, size_t length, uint64_t *offset);

static inline void *memfs_host_list_at(const struct memfs_host_list *list, uint64_t index)
{
    uint64_t within = index & (((uint64_t)1 << list->shift) - 1);
    return (char *)list->chunks[index >> list->shift] + within * list->width;
}

#endif
