/*
 * The entries of all directories as freezing puts them in order: what the
 * table ENTRIES will hold, as tightly as it can be looked up in.
 */
#ifndef MEMFS_ENTRIES_H
#define MEMFS_ENTRIES_H

#include "records.h"
#include "rows.h"

struct memfs_entry_row {
    uint32_t node;
    uint8_t length;
    uint8_t type;
    uint8_t starts_run;
    uint8_t reserved;
};

struct memfs_entries {
    const struct memfs_allocator *allocator;
    struct memfs_rows rows;  /* struct memfs_entry_row */
    struct memfs_rows names; /* struct entries_names: of each full chunk of entries */
    char *open;              /* names of the chunk that is not full yet */
    size_t open_length;
};

/* allocator must live as long as this does. */
void memfs_entries_begin(struct memfs_entries *entries, const struct memfs_allocator *allocator);
void memfs_entries_end(struct memfs_entries *entries); /* one that is all zeros is accepted */

/* row->length bytes of name. -ENOMEM; MEMFS_ELIMIT. */
int memfs_entries_add(struct memfs_entries *entries, const struct memfs_entry_row *row, const char *name);

static inline struct memfs_entry_row *memfs_entries_at(const struct memfs_entries *entries, uint64_t index)
{
    return memfs_rows_at(&entries->rows, index);
}

/* An entry's name, of as many bytes as it says, without a NUL. Takes longer the
 * further back the entry stands in its chunk. */
const char *memfs_entries_name(const struct memfs_entries *entries, uint64_t index);

/* The names of a chunk, one after the other. */
const char *memfs_entries_names(const struct memfs_entries *entries, uint64_t chunk, size_t *length);

/* Gives back the names of a chunk, which is not asked for again. */
void memfs_entries_forget(struct memfs_entries *entries, uint64_t chunk);

#endif
