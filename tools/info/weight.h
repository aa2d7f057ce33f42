/*
 * What a file, or all files of a directory, weigh: sums that stay at their
 * greatest value rather than start over, since an image may claim any size.
 */
#ifndef MEMFS_TOOLS_WEIGHT_H
#define MEMFS_TOOLS_WEIGHT_H

#include "values/quantity.h"

struct weight {
    uint64_t size;   /* bytes of contents, holes counted */
    uint64_t stored; /* what the image stores for them (stored.h) */
    uint64_t files;  /* everything that is no directory */
};

static inline void weight_add(struct weight *to, const struct weight *more)
{
    to->size = quantity_sum(to->size, more->size);
    to->stored = quantity_sum(to->stored, more->stored);
    to->files = quantity_sum(to->files, more->files);
}

#endif
