/*
 * Everything that an image has, read once through the library.
 */
#ifndef LOOK_H
#define LOOK_H

#include "memfs_image.h"

/* Opens the bytes and reads all names, attributes, targets, digests and contents (holes as
 * such). 0 and a hash of all that in *out, or the first error that was met. */
int look_at_bytes(const void *data, size_t length, uint64_t *out);

/* The same of an image that is open. */
int look_at_image(memfs_image *image, uint64_t *out);

#endif
