/*
 * The hash table over the deltas of all directories of a filesystem. It grows
 * by linear hashing (Litwin, "Linear hashing: a new tool for file and table
 * addressing", 1980): one bucket at a time, never all at once.
 *
 * Deltas, their names and the buckets are the filesystem's own or come from
 * sealed ones below: they are always resident.
 */
#ifndef MEMFS_DIR_HASH_H
#define MEMFS_DIR_HASH_H

#include "dir.h"

#include <string.h>

/* ---- A delta's name ---- */

/* In NAMES, of one that is longer than DELTA_TEXT. */
static inline uint64_t delta_name(const struct delta *delta)
{
    uint64_t offset;
    memcpy(&offset, delta->text, sizeof offset);
    return offset;
}

static inline void delta_set_name(struct delta *delta, const struct dir_name *name, uint64_t offset)
{
    delta->length = (uint8_t)name->length;
    if (name->length <= DELTA_TEXT)
        memcpy(delta->text, name->text, name->length);
    else
        memcpy(delta->text, &offset, sizeof offset);
}

/* The name of an insertion. */
static inline const char *delta_text(const memfs *fs, const struct delta *delta)
{
    if (delta->length <= DELTA_TEXT)
        return delta->text;
    const char *chunk = table_peek(fs, MEMFS_NAMES, delta_name(delta) >> MEMFS_NAMES_SHIFT);
    return chunk + (delta_name(delta) & ((1u << MEMFS_NAMES_SHIFT) - 1));
}

/* ---- Hashes ---- */

/* Those of a filesystem depend on a seed that nobody should be able to tell. */
void dir_hash_seed(memfs *fs, uint64_t seed);

/* Of a name of 1 to 255 bytes in a directory; of a path of at least 1 byte. */
uint64_t dir_hash_name(const memfs *fs, uint32_t dir, const char *name, size_t length);
uint64_t dir_hash_path(const memfs *fs, const char *path, size_t length);
uint64_t dir_hash_entry(const memfs *fs, uint32_t dir, uint32_t entry);

/* ---- Looking: NULL if there is none ---- */

const struct delta *dir_hash_find(const memfs *fs, const struct dir_name *name, uint32_t *number);
/* The removal or replacement of a base entry of a directory. (An image may lie: two
 * directories may claim one entry.) */
const struct delta *dir_hash_find_override(const memfs *fs, uint32_t dir, uint32_t entry, uint32_t *number);
/* Fetches the bucket of a hash: it will be looked into soon. */
void dir_hash_prefetch(const memfs *fs, uint64_t hash);

/* ---- Reach: 0, -ENOMEM, -ENOSPC ... ---- */

/* Prepare adding a delta with this hash, dropping one, and changing what stands
 * for a base entry (adding it if nothing does). */
int dir_hash_reach_add(struct op *op, uint64_t hash);
int dir_hash_reach_drop(struct op *op, uint32_t number);
int dir_hash_reach_override(struct op *op, uint32_t dir, uint32_t entry);

/* ---- Commit ---- */

void dir_hash_add(memfs *fs, uint64_t hash, uint32_t number);
void dir_hash_drop(memfs *fs, uint32_t number);
/* What stands for a base entry, owned; NULL if nothing does. */
struct delta *dir_hash_override(memfs *fs, uint32_t dir, uint32_t entry);

#endif
