/*
 * Structs that begin with their size, which a caller has set: those of an older caller are shorter than ours, of a
 * newer one longer.
 */
#ifndef MEMFS_SIZED_H
#define MEMFS_SIZED_H

#include "memfs.h"

/* Fills `out`, of `size` bytes, with options that were given: what they lack is zero; all of them for NULL. 0 as their
 * size stands for `size`, which is that of `out` in any case. -EINVAL with detail, which may be NULL: their size
 * does not even hold itself, or something is set behind what we know. */
int memfs_sized_take(void *out, size_t size, const void *given, struct memfs_detail *detail);

/* The other way: as much of ours, of `size` bytes, as the caller's struct has room for. Its size stays. */
void memfs_sized_give(void *out, const void *ours, size_t size);

#endif
