/*
 * A page for a browser that shows where the bytes of an image are. It stands alone: info.html
 * with the figures in it.
 */
#ifndef MEMFS_TOOLS_PICTURE_H
#define MEMFS_TOOLS_PICTURE_H

#include "info/census.h"
#include "info/storage.h"

#include <stdio.h>

/* Writes the page, with so many extensions at most; reduces the census's outline. 0, or the library's error;
 * *failed gets the errno of writing, or 0. */
int picture_write(FILE *stream, const struct input *input, const struct storage *storage, struct census *census,
                  uint64_t extensions, int *failed);

#endif
