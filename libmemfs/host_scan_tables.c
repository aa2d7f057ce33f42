#include "host_scan_tables.h"

#include <errno.h>
#include <string.h>

#define STAGED_NAMES (MEMFS_CHUNK_RECORDS * sizeof(struct memfs_entry))
#define STAGED_MAX (STAGED_NAMES + (size_t)MEMFS_CHUNK_RECORDS * MEMFS_NAME_MAX)

int memfs_scan_tables_init(struct memfs_scan_tables *tables, const struct memfs_allocator *allocator)
{
    *tables = (struct memfs_scan_tables){.allocator = *allocator, .staged_size = STAGED_NAMES};
    memfs_rows_begin(&tables->nodes, allocator, sizeof(struct memfs_node_record), MEMFS_CHUNK_SHIFT);
    memfs_rows_begin(&tables->extents, allocator, sizeof(struct memfs_extent), MEMFS_CHUNK_SHIFT);
    memfs_rows_begin(&tables->xattrs, allocator, sizeof(struct memfs_xattr), MEMFS_CHUNK_SHIFT);
    memfs_rows_begin(&tables->blobs, allocator, 1, MEMFS_BLOBS_SHIFT);
    memfs_rows_begin(&tables->files, allocator, sizeof(struct memfs_scan_file), MEMFS_CHUNK_SHIFT);
    memfs_rows_begin(&tables->entry_chunks, allocator, sizeof(struct memfs_scan_chunk), MEMFS_CHUNK_SHIFT);
    tables->staged = memfs_alloc_zeroed(allocator, STAGED_MAX);
    if (!tables->staged || !memfs_rows_add(&tables->nodes)) /* node 0 is never used */
        return -ENOMEM;
    return 0;
}

void memfs_scan_tables_free(struct memfs_scan_tables *tables)
{
    for (uint64_t i = 0; i < tables->entry_chunks.count; i++) {
        struct memfs_scan_chunk *chunk = memfs_rows_at(&tables->entry_chunks, i);
        memfs_free(&tables->allocator, chunk->memory, chunk->size);
    }
    memfs_rows_end(&tables->nodes);
    memfs_rows_end(&tables->extents);
    memfs_rows_end(&tables->xattrs);
    memfs_rows_end(&tables->blobs);
    memfs_rows_end(&tables->files);
    memfs_rows_end(&tables->entry_chunks);
    memfs_free(&tables->allocator, tables->staged, STAGED_MAX);
    tables->staged = NULL;
}

struct memfs_node_record *memfs_scan_node(const struct memfs_scan_tables *tables, uint32_t node)
{
    return memfs_rows_at(&tables->nodes, node);
}

const struct memfs_entry *memfs_scan_entry(const struct memfs_scan_tables *tables, uint32_t entry, const char **name)
{
    uint64_t chunk = entry >> MEMFS_CHUNK_SHIFT;
    const char *memory = tables->staged;
    if (chunk < tables->entry_chunks.count)
        memory = ((struct memfs_scan_chunk *)memfs_rows_at(&tables->entry_chunks, chunk))->memory;
    const struct memfs_entry *record =
        (const struct memfs_entry *)(const void *)memory + (entry & (MEMFS_CHUNK_RECORDS - 1));
    *name = memfs_entry_name(memory, record);
    return record;
}

int memfs_scan_add_node(struct memfs_scan_tables *tables, const struct memfs_node_record *record, uint32_t *node)
{
    if (tables->nodes.count >= UINT32_MAX)
        return MEMFS_ELIMIT;
    struct memfs_node_record *added = memfs_rows_add(&tables->nodes);
    if (!added)
        return -ENOMEM;
    *added = *record;
    *node = (uint32_t)(tables->nodes.count - 1);
    return 0;
}

/* Makes a chunk of its own size out of the staged one. */
static int finish_chunk(struct memfs_scan_tables *tables, uint32_t count)
{
    size_t names = tables->staged_size - STAGED_NAMES;
    size_t shift = STAGED_NAMES - count * sizeof(struct memfs_entry);
    struct memfs_scan_chunk *chunk = memfs_rows_add(&tables->entry_chunks);
    if (!chunk)
        return -ENOMEM;
    chunk->size = count * sizeof(struct memfs_entry) + names;
    chunk->memory = memfs_alloc(&tables->allocator, chunk->size);
    if (!chunk->memory) {
        tables->entry_chunks.count--;
        return -ENOMEM;
    }
    memcpy(chunk->memory, tables->staged, count * sizeof(struct memfs_entry));
    memcpy((char *)chunk->memory + count * sizeof(struct memfs_entry), tables->staged + STAGED_NAMES, names);
    struct memfs_entry *entries = chunk->memory;
    for (uint32_t i = 0; i < count; i++)
        entries[i].name -= (uint32_t)shift;
    tables->staged_size = STAGED_NAMES;
    return 0;
}

int memfs_scan_add_entry(struct memfs_scan_tables *tables, struct memfs_entry entry, const char *name)
{
    if (tables->entries >= UINT32_MAX)
        return MEMFS_ELIMIT;
    uint32_t within = (uint32_t)(tables->entries & (MEMFS_CHUNK_RECORDS - 1));
    entry.prefix = memfs_name_prefix(name, entry.length);
    entry.name = (uint32_t)tables->staged_size;
    memcpy(tables->staged + within * sizeof entry, &entry, sizeof entry);
    memcpy(tables->staged + tables->staged_size, name, entry.length);
    tables->staged_size += entry.length;
    tables->entries++;
    return within + 1 == MEMFS_CHUNK_RECORDS ? finish_chunk(tables, MEMFS_CHUNK_RECORDS) : 0;
}

int memfs_scan_add_file(struct memfs_scan_tables *tables, const struct memfs_scan_file *file, uint64_t size,
                        uint32_t *first)
{
    if (tables->files.count >= UINT32_MAX)
        return MEMFS_ELIMIT;
    uint32_t number = (uint32_t)tables->files.count;
    struct memfs_scan_file *added = memfs_rows_add(&tables->files);
    struct memfs_extent *extent = added ? memfs_rows_add(&tables->extents) : NULL;
    if (!extent)
        return -ENOMEM;
    *added = *file;
    *extent = (struct memfs_extent){.offset = 0, .length = size, .block = number, .start = 0};
    *first = number;
    return 0;
}

int memfs_scan_tables_finish(struct memfs_scan_tables *tables)
{
    uint32_t rest = (uint32_t)(tables->entries & (MEMFS_CHUNK_RECORDS - 1));
    int error = rest ? finish_chunk(tables, rest) : 0;
    if (error)
        return error;
    memfs_free(&tables->allocator, tables->staged, STAGED_MAX);
    tables->staged = NULL;
    return 0;
}

const void *memfs_scan_chunk(const struct memfs_scan_tables *tables, enum memfs_table table, uint64_t chunk)
{
    const struct memfs_rows *list = NULL;
    switch (table) {
    case MEMFS_NODES:
        list = &tables->nodes;
        break;
    case MEMFS_EXTENTS:
        list = &tables->extents;
        break;
    case MEMFS_XATTRS:
        list = &tables->xattrs;
        break;
    case MEMFS_BLOBS:
        list = &tables->blobs;
        break;
    case MEMFS_ENTRIES:
        if (chunk >= tables->entry_chunks.count)
            return NULL;
        return ((struct memfs_scan_chunk *)memfs_rows_at(&tables->entry_chunks, chunk))->memory;
    default:
        return NULL;
    }
    return chunk < list->pieces_used ? list->pieces[chunk] : NULL;
}
