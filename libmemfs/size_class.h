/*
 * Size classes: multiples of 16 up to 256, then four steps a doubling. Pieces of the arena and of the heaps are
 * rounded up to them.
 */
#ifndef MEMFS_SIZE_CLASS_H
#define MEMFS_SIZE_CLASS_H

#include <stddef.h>

#define MEMFS_SIZE_CLASSES 64

/* size is at least 1 and at most 64 KiB. */
unsigned size_class(size_t size);
size_t size_of_class(unsigned size_class);

#endif
