/*
 * The names of one directory of the host, sorted.
 */
#ifndef MEMFS_HOST_SCAN_NAMES_H
#define MEMFS_HOST_SCAN_NAMES_H

#include "alloc.h"

#include <stddef.h>
#include <stdint.h>

struct memfs_scan_name {
    uint64_t prefix; /* the first 8 bytes, big-endian, zero-padded */
    uint64_t offset; /* in text, where it ends with NUL */
    size_t length;
};

/* May be read again, for another directory: the memory is reused. */
struct memfs_scan_names {
    struct memfs_allocator allocator;
    struct memfs_scan_name *names, *spare;
    size_t count, names_room, spare_room;
    void *text;
    size_t text_used, text_room;
    size_t most; /* names, in this reading */
};

void memfs_scan_names_init(struct memfs_scan_names *names, const struct memfs_allocator *allocator);
void memfs_scan_names_free(struct memfs_scan_names *names);

#define MEMFS_SCAN_NAMES_BUFFER ((size_t)64 << 10)

/* Reads an open directory from its start: all names but "." and "..", in
 * ascending order, each once. On failure there are none. buffer, of MEMFS_SCAN_NAMES_BUFFER
 * bytes, is for the host's records. -E2BIG for more names than `most`. */
int memfs_scan_names_read(struct memfs_scan_names *names, int fd, void *buffer, size_t most);

/* Frees what only reading needs. */
void memfs_scan_names_trim(struct memfs_scan_names *names);

static inline const char *memfs_scan_names_text(const struct memfs_scan_names *names, size_t i)
{
    return (const char *)names->text + names->names[i].offset;
}

#endif
