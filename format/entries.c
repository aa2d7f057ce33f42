#include "entries.h"

#include "alloc.h"
#include "layout.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define OPEN_BYTES ((size_t)MEMFS_CHUNK_RECORDS * MEMFS_NAME_MAX)

struct entries_names {
    char *bytes;
    size_t length;
};

void memfs_entries_begin(struct memfs_entries *entries, const struct memfs_allocator *allocator)
{
    *entries = (struct memfs_entries){.allocator = allocator};
    memfs_rows_begin(&entries->rows, allocator, sizeof(struct memfs_entry_row), MEMFS_CHUNK_SHIFT);
    memfs_rows_begin(&entries->names, allocator, sizeof(struct entries_names), 6);
}

void memfs_entries_end(struct memfs_entries *entries)
{
    for (uint64_t chunk = 0; chunk < entries->names.count; chunk++)
        memfs_entries_forget(entries, chunk);
    memfs_rows_end(&entries->names);
    memfs_rows_end(&entries->rows);
    if (entries->open)
        memfs_free(entries->allocator, entries->open, OPEN_BYTES);
    entries->open = NULL;
    entries->open_length = 0;
}

void memfs_entries_forget(struct memfs_entries *entries, uint64_t chunk)
{
    assert(chunk < entries->names.count);
    struct entries_names *names = memfs_rows_at(&entries->names, chunk);
    memfs_free(entries->allocator, names->bytes, names->length);
    *names = (struct entries_names){0};
}

/* Moves the names of the chunk that has become full to where they need no more
 * room than they have bytes. */
static int close_chunk(struct memfs_entries *entries)
{
    char *bytes = memfs_alloc(entries->allocator, entries->open_length);
    if (!bytes)
        return -ENOMEM;
    struct entries_names *names = memfs_rows_add(&entries->names);
    if (!names) {
        memfs_free(entries->allocator, bytes, entries->open_length);
        return -ENOMEM;
    }
    memcpy(bytes, entries->open, entries->open_length);
    *names = (struct entries_names){bytes, entries->open_length};
    entries->open_length = 0;
    return 0;
}

int memfs_entries_add(struct memfs_entries *entries, const struct memfs_entry_row *row, const char *name)
{
    if (entries->rows.count >= MEMFS_COUNT_MAX)
        return MEMFS_ELIMIT;
    if (!entries->open) {
        entries->open = memfs_alloc(entries->allocator, OPEN_BYTES);
        if (!entries->open)
            return -ENOMEM;
    }
    if (entries->rows.count >> MEMFS_CHUNK_SHIFT > entries->names.count) {
        int error = close_chunk(entries);
        if (error)
            return error;
    }
    struct memfs_entry_row *place = memfs_rows_add(&entries->rows);
    if (!place)
        return -ENOMEM;
    *place = *row;
    memcpy(entries->open + entries->open_length, name, row->length);
    entries->open_length += row->length;
    return 0;
}

const char *memfs_entries_names(const struct memfs_entries *entries, uint64_t chunk, size_t *length)
{
    if (chunk == entries->names.count) {
        *length = entries->open_length;
        return entries->open;
    }
    const struct entries_names *names = memfs_rows_at(&entries->names, chunk);
    *length = names->length;
    return names->bytes;
}

const char *memfs_entries_name(const struct memfs_entries *entries, uint64_t index)
{
    size_t length;
    const char *name = memfs_entries_names(entries, index >> MEMFS_CHUNK_SHIFT, &length);
    for (uint64_t i = index & ~(uint64_t)(MEMFS_CHUNK_RECORDS - 1); i < index; i++)
        name += memfs_entries_at(entries, i)->length;
    return name;
}
