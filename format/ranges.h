/*
 * Ranges of bytes of a file, to find out whether they tile it. Ranges that are
 * added one behind the other become one, so that a well-made image of any size
 * needs a few.
 */
#ifndef MEMFS_RANGES_H
#define MEMFS_RANGES_H

#include "memfs.h"

struct memfs_range {
    uint64_t offset, end;
};

struct memfs_ranges {
    struct memfs_allocator allocator;
    struct memfs_range *items;
    size_t count, room;
};

void memfs_ranges_begin(struct memfs_ranges *ranges, const struct memfs_allocator *allocator);
void memfs_ranges_end(struct memfs_ranges *ranges);

/* -ENOMEM */
int memfs_ranges_add(struct memfs_ranges *ranges, uint64_t offset, uint64_t length);

/* Sorts, and finds the next two that overlap, from item *at on: 1 with the bytes
 * that both have in overlap, or 0. */
void memfs_ranges_sort(struct memfs_ranges *ranges);
int memfs_ranges_overlap(const struct memfs_ranges *ranges, size_t *at, struct memfs_range *overlap);

/* Of sorted ranges, from item *at on, the next bytes at or after *from, below size,
 * that none has: 1 with the gap, *at and *from then being behind it, or 0. */
int memfs_ranges_gap(const struct memfs_ranges *ranges, size_t *at, uint64_t *from, uint64_t size,
                     struct memfs_range *gap);

#endif
