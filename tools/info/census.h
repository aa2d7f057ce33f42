/*
 * A census of an image: one walk over its tree counts what it is asked for. A file with
 * several names counts at the first one that is met. Not a memfs_walk_steps(): it has to know when a directory is
 * left, may meet a million levels and keeps 16 bytes for each, and says at which directory's entries it failed.
 */
#ifndef MEMFS_TOOLS_CENSUS_H
#define MEMFS_TOOLS_CENSUS_H

#include "info/extensions.h"
#include "info/largest.h"
#include "info/outline.h"
#include "list/stored.h"
#include "system/input.h"

struct census {
    struct largest largest;
    struct extensions extensions;
    struct outline outline; /* if asked for */
    int outlined;
    struct stored stored;
};

/* Walks over the whole image, which must have been opened with a filesystem. EXIT_DONE, or says what
 * is wrong; census_free() in any case. */
int census_take(struct census *census, const struct input *input, size_t largest, int outlined);
void census_free(struct census *census);

#endif
