/*
 * What one freeze works with: how many threads, how much is read and compressed
 * at once, how far back its window reaches. Only the latter shows in the bytes.
 */
#ifndef MEMFS_MEANS_H
#define MEMFS_MEANS_H

#include "memfs_image.h"

struct memfs_means {
    unsigned threads;
    size_t presses; /* blocks compressed, or waiting to be written, at once */
    size_t units;   /* read ahead */
    uint64_t reach; /* bytes of the window; 0: nothing is looked for in it */
    size_t slabs;
};

/* The most that helps and fits into options->memory. *least is what would be needed at
 * the least. -EINVAL if that is more. The options' defaults are filled in. */
int memfs_means_choose(const struct memfs_freeze_options *options, struct memfs_means *out, uint64_t *least);

#endif
