#include "heap.h"

#include "table.h"

#include <errno.h>
#include <string.h>

/* By class of size, a list through the free items. */
static uint64_t *free_list(memfs *fs, enum memfs_table id, unsigned class)
{
    return &fs->heap_free[id == MEMFS_BLOBS][class];
}

int heap_get(struct op *op, enum memfs_table id, uint64_t offset, size_t length, const char **out)
{
    uint64_t chunk_bytes = (uint64_t)1 << table_shapes[id].shift;
    if (length > chunk_bytes - (offset & (chunk_bytes - 1)))
        return MEMFS_ECORRUPT;
    return table_get(op, id, offset, out);
}

static int take_fresh(struct op *op, enum memfs_table id, size_t size, uint64_t *offset)
{
    struct table *table = &op->fs->tables[id];
    uint64_t chunk_bytes = (uint64_t)1 << table_shapes[id].shift;
    uint64_t start = table_count(table);
    if (size > chunk_bytes - (start & (chunk_bytes - 1)))
        start = (start + chunk_bytes - 1) & ~(chunk_bytes - 1);
    if (start + size > MEMFS_HEAP_MAX)
        return MEMFS_ELIMIT;
    void *chunk;
    int r = table_own_chunk(op, id, start, &chunk);
    if (r)
        return r;
    table_set_count(table, start + size);
    *offset = start;
    return 0;
}

int heap_take(struct op *op, enum memfs_table id, const void *data, size_t length, uint64_t *offset)
{
    unsigned class = size_class(length);
    uint64_t *list = free_list(op->fs, id, class);
    if (*list) {
        *offset = *list - 1;
        memcpy(list, table_mutable(op->fs, id, *offset), sizeof *list);
    } else {
        int r = take_fresh(op, id, size_of_class(class), offset);
        if (r)
            return r;
    }
    memcpy(table_mutable(op->fs, id, *offset), data, length);
    return 0;
}

void heap_put(memfs *fs, enum memfs_table id, uint64_t offset, size_t length)
{
    if (length == 0 || offset < fs->tables[id].start)
        return;
    uint64_t *list = free_list(fs, id, size_class(length));
    memcpy(table_mutable(fs, id, offset), list, sizeof *list);
    *list = offset + 1;
}
