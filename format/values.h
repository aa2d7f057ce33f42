/*
 * What is stored of a column's values, by its tag, and back.
 */
#ifndef MEMFS_VALUES_H
#define MEMFS_VALUES_H

#include "records.h"

/* Tags. */
#define MEMFS_COLUMN_PLAIN 0u
#define MEMFS_COLUMN_DIFFERENCES 1u /* each value less the one before, modulo 2^(8 * width); the first less 0 */
#define MEMFS_COLUMN_ENDS 2u        /* 0: where the extent before ends; else the value and one */
#define MEMFS_COLUMN_FRONTIER 3u    /* 0: the largest end so far; else the way from the end of one of the last others */

/* Of one chunk. */
struct memfs_values {
    size_t count;
    uint64_t mask; /* of the bytes that a value has */
    uint64_t of[MEMFS_CHUNK_RECORDS];
    uint64_t lengths[MEMFS_CHUNK_RECORDS]; /* of the extents, for the last two tags */
};

/* stored has room for as many. */
void memfs_values_store(const struct memfs_values *values, unsigned tag, uint64_t *stored);
/* values->of has what was stored. */
void memfs_values_restore(struct memfs_values *values, unsigned tag);

#endif
