/*
 * The tree that finds the private pages of a file: MAPS records of 64 slots.
 * Its height is what its last page needs; each level multiplies by 64.
 */
#ifndef MEMFS_MAP_H
#define MEMFS_MAP_H

#include "content.h"

#define MAP_PAGES_END ((uint64_t)1 << (63 - PAGE_SHIFT)) /* pages of the largest file */

/* ---- Reach ---- */

/* The slot of a page. *end: the page behind it; or, for an absent page, behind
 * all that are known to be absent with it. */
void map_find(const memfs *fs, const struct content *content, uint64_t page, uint64_t *slot, uint64_t *end);

/* Prepares map_set(); pages are reached in ascending order. Counts the records
 * that are needed at most. previous: the last page reached, or UINT64_MAX. */
int map_reach_set(struct op *op, const struct content *content, uint64_t page, uint64_t previous, uint32_t *records);

/* Prepares map_cut(). */
int map_reach_cut(struct op *op, const struct content *content, uint64_t page);

/* ---- Commit ---- */

/* Sets a slot; returns what was in it. */
uint64_t map_set(memfs *fs, struct content_record *content, uint64_t page, uint64_t value);

/* Drops all pages from this one on; returns what they weighed (page_weight()). */
int64_t map_cut(memfs *fs, struct content_record *content, uint64_t page);

#endif
