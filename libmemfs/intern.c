#include "intern.h"

#include "host_map.h"
#include "random.h"

#include <errno.h>
#include <string.h>

#define FIRST_ROOM 256u

/* A slot of `strings`: 40 bits of offset, 17 of length (1 to 65,536), 7 of the
 * hash. A slot of `sets`: 1 + first record, 32 bits of the hash. */
#define LENGTH_SHIFT 40
#define TAG_SHIFT 57

void memfs_intern_begin(struct memfs_intern *intern, struct memfs_rows *blobs, struct memfs_rows *xattrs)
{
    *intern = (struct memfs_intern){.blobs = blobs, .xattrs = xattrs, .secret = memfs_random()};
}

void memfs_intern_end(struct memfs_intern *intern)
{
    if (!intern->blobs)
        return;
    const struct memfs_allocator *allocator = &intern->blobs->allocator;
    memfs_free(allocator, intern->strings.slots, intern->strings.room * sizeof *intern->strings.slots);
    memfs_free(allocator, intern->sets.slots, intern->sets.room * sizeof *intern->sets.slots);
    *intern = (struct memfs_intern){.blobs = NULL};
}

/* Doubles a table of which seven eighths are used; hash_of tells where a slot goes. */
static int grow(const struct memfs_intern *intern, struct memfs_intern_table *table,
                uint64_t (*hash_of)(const struct memfs_intern *intern, uint64_t slot))
{
    const struct memfs_allocator *allocator = &intern->blobs->allocator;
    if (table->used < table->room - table->room / 8)
        return 0;
    size_t room = table->room ? table->room * 2 : FIRST_ROOM;
    if (room > SIZE_MAX / sizeof *table->slots)
        return -ENOMEM;
    uint64_t *slots = memfs_alloc_zeroed(allocator, room * sizeof *slots);
    if (!slots)
        return -ENOMEM;
    for (size_t i = 0; i < table->room; i++) {
        if (!table->slots[i])
            continue;
        size_t at = (size_t)hash_of(intern, table->slots[i]) & (room - 1);
        while (slots[at])
            at = (at + 1) & (room - 1);
        slots[at] = table->slots[i];
    }
    memfs_free(allocator, table->slots, table->room * sizeof *slots);
    table->slots = slots;
    table->room = room;
    return 0;
}

/* ---- Strings ------------------------------------------------------------------ */

static uint64_t slot_offset(uint64_t slot)
{
    return slot & (MEMFS_HEAP_MAX - 1);
}

static size_t slot_length(uint64_t slot)
{
    return (size_t)(slot >> LENGTH_SHIFT) & 0x1ffff;
}

static uint64_t hash_of_string(const struct memfs_intern *intern, uint64_t slot)
{
    return memfs_host_hash(intern->secret, memfs_rows_at(intern->blobs, slot_offset(slot)), slot_length(slot));
}

int memfs_intern_string(struct memfs_intern *intern, const void *bytes, size_t length, uint64_t *offset)
{
    struct memfs_intern_table *table = &intern->strings;
    int error = grow(intern, table, hash_of_string);
    if (error)
        return error;
    uint64_t hash = memfs_host_hash(intern->secret, bytes, length);
    uint64_t tag = hash >> TAG_SHIFT << TAG_SHIFT;
    size_t at = (size_t)hash & (table->room - 1);
    for (; table->slots[at]; at = (at + 1) & (table->room - 1)) {
        uint64_t slot = table->slots[at];
        if (slot >> TAG_SHIFT << TAG_SHIFT != tag || slot_length(slot) != length)
            continue;
        *offset = slot_offset(slot);
        if (memcmp(memfs_rows_at(intern->blobs, *offset), bytes, length) == 0)
            return 0;
    }
    if (intern->blobs->count + MEMFS_BLOB_BYTES + length > MEMFS_HEAP_MAX)
        return MEMFS_ELIMIT;
    error = memfs_rows_put(intern->blobs, bytes, length, offset);
    if (error)
        return error;
    table->slots[at] = tag | (uint64_t)length << LENGTH_SHIFT | *offset;
    table->used++;
    return 0;
}

/* ---- Sets of attributes --------------------------------------------------------- */

static uint64_t hash_of_set(const struct memfs_intern *intern, uint64_t slot)
{
    (void)intern;
    return slot >> 32;
}

static int same_set(const struct memfs_intern *intern, uint64_t first, const struct memfs_xattr *set, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (memcmp(memfs_rows_at(intern->xattrs, first + i), &set[i], sizeof set[i]) != 0)
            return 0;
    }
    return 1;
}

int memfs_intern_set(struct memfs_intern *intern, struct memfs_xattr *set, size_t count, uint32_t *xattrs)
{
    struct memfs_intern_table *table = &intern->sets;
    int error = grow(intern, table, hash_of_set);
    if (error)
        return error;
    set[count - 1].last = 1;
    uint64_t hash = memfs_host_hash(intern->secret, set, count * sizeof *set) >> 32;
    size_t at = (size_t)hash & (table->room - 1);
    for (; table->slots[at]; at = (at + 1) & (table->room - 1)) {
        *xattrs = (uint32_t)table->slots[at];
        if (table->slots[at] >> 32 == hash && same_set(intern, *xattrs - 1, set, count))
            return 0;
    }
    uint64_t first = intern->xattrs->count;
    if (first + count > UINT32_MAX)
        return MEMFS_ELIMIT;
    for (size_t i = 0; i < count; i++) {
        struct memfs_xattr *place = memfs_rows_add(intern->xattrs);
        if (!place)
            return -ENOMEM;
        *place = set[i];
    }
    *xattrs = (uint32_t)first + 1;
    table->slots[at] = hash << 32 | *xattrs;
    table->used++;
    return 0;
}
