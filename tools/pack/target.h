/*
 * Where an image is to go.
 */
#ifndef MEMFS_TOOLS_TARGET_H
#define MEMFS_TOOLS_TARGET_H

#include "pack/sources.h"
#include "system/buffer.h"
#include "system/place.h"

struct target {
    const char *path;     /* "-": standard output */
    struct buffer memory; /* of the path, if it was made up */
    struct place place;   /* what is there may be standard output's */
};

/* Into the current directory, named after what is packed. The exit code. */
int target_name(struct target *target, const char *source);

/* Looks at what is there already. The exit code; what is wrong is said. */
int target_find(struct target *target, int force);

/* What is there and has contents has to be an image. It is parsed, so that the sandbox comes before. The exit code. */
int target_check_replaced(const struct target *target);

/* The image may neither lie in one of the sources nor be one. */
int target_check(const struct target *target, const struct sources *sources);

void target_free(struct target *target);

#endif
