/*
 * How much of an image is whose: each byte of a block with contents takes its part of what the
 * block takes compressed, and belongs to the first file that is asked for. Asked for all files, the
 * sum is what the blocks take, to the byte, if all of their bytes are some file's.
 */
#ifndef MEMFS_TOOLS_STORED_H
#define MEMFS_TOOLS_STORED_H

#include "memfs_image.h"

/* Memory is bounded by the size of the image, however it lies. */
struct stored {
    memfs_image *image;
    void *ranges; /* a tree of parts of blocks that belong to somebody; they neither overlap nor touch */
    uint64_t range_count, range_most;
    uint64_t looked, look_most; /* extents */
};

void stored_begin(struct stored *stored, memfs_image *image);
void stored_end(struct stored *stored);

/* What the image stores for a regular file and for none before it. 0 or the library's error;
 * MEMFS_ELIMIT if the image has more extents, or more scattered ones, than are believed of one of its size. */
int stored_of(struct stored *stored, memfs_node node, uint64_t *bytes);

#endif
