/*
 * What differs between the sides of a pair, for all who tell of it.
 */
#ifndef MEMFS_TOOLS_DIFFERENCE_H
#define MEMFS_TOOLS_DIFFERENCE_H

#include "diff/compare.h"

#define DIFFERENCE_KINDS 10 /* of DIFFERS_... */

/* Of DIFFERS_... by the place of its bit: "type", "contents" ... */
const char *difference_name(int kind);

/* A symbolic link's target, in room for MEMFS_TARGET_MAX bytes: how many came of it, none where it cannot be read. */
size_t difference_target(const struct compare *compare, const struct pair *pair, int side, char *target);

/* What a pair is another name of on one side, into path: 1; 0 if of nothing that has been met, -1 if that cannot be
 * told. */
int difference_link(const struct compare *compare, const struct pair *pair, const struct comparison *comparison,
                    int side, struct buffer *path);

#endif
