/*
 * What a file, or all files of a directory, weigh: sums that stay at their
 * greatest value rather than start over, since an image may claim any size.
 */
#ifndef MEMFS_TOOLS_WEIGHT_H
#define MEMFS_TOOLS_WEIGHT_H

#include <stdint.h>

struct weight {
    uint64_t size;   /* bytes of contents, holes counted */
    uint64_t stored; /* what the image stores for them (stored.h) */
    uint64_t files;  /* everything that is no directory */
};

static inline uint64_t weight_sum(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static inline void weight_add(struct weight *to, const struct weight *more)
{
    to->size = weight_sum(to->size, more->size);
    to->stored = weight_sum(to->stored, more->stored);
    to->files = weight_sum(to->files, more->files);
}

#endif
