#include "host_list.h"

#include <errno.h>
#include <string.h>

void memfs_host_list_init(struct memfs_host_list *list, const struct memfs_allocator *allocator, size_t width,
                          unsigned shift)
{
    *list = (struct memfs_host_list){.allocator = *allocator, .width = width, .shift = shift};
}

void memfs_host_list_free(struct memfs_host_list *list)
{
    for (size_t i = 0; i < list->chunk_count; i++)
        memfs_free(&list->allocator, list->chunks[i], list->width << list->shift);
    memfs_free(&list->allocator, list->chunks, list->chunk_room * sizeof *list->chunks);
    list->chunks = NULL;
    list->chunk_count = list->chunk_room = 0;
    list->count = 0;
}

static int add_chunk(struct memfs_host_list *list)
{
    void *array = list->chunks;
    if (memfs_grow_array(&list->allocator, &array, &list->chunk_room, list->chunk_count, list->chunk_count + 1,
                         sizeof *list->chunks))
        return -ENOMEM;
    list->chunks = array;
    void *chunk = memfs_alloc_zeroed(&list->allocator, list->width << list->shift);
    if (!chunk)
        return -ENOMEM;
    list->chunks[list->chunk_count++] = chunk;
    return 0;
}

void *memfs_host_list_add(struct memfs_host_list *list)
{
    if (list->count >> list->shift >= list->chunk_count && add_chunk(list))
        return NULL;
    void *record = memfs_host_list_at(list, list->count++);
    memset(record, 0, list->width);
    return record;
}

int memfs_host_list_put(struct memfs_host_list *list, const void *bytes, size_t length, uint64_t *offset)
{
    uint64_t size = (uint64_t)1 << list->shift;
    uint64_t at = list->count;
    if ((at & (size - 1)) + length > size)
        at = (at | (size - 1)) + 1;
    if (at >> list->shift >= list->chunk_count && add_chunk(list))
        return -ENOMEM;
    memcpy(memfs_host_list_at(list, at), bytes, length);
    list->count = at + length;
    *offset = at;
    return 0;
}
