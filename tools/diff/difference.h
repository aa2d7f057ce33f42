/*
 * What differs between the sides of a pair, for all who tell of it.
 */
#ifndef MEMFS_TOOLS_DIFFERENCE_H
#define MEMFS_TOOLS_DIFFERENCE_H

#include "diff/compare.h"

#define DIFFERENCE_KINDS 10 /* of DIFFERS_... */

/* Of DIFFERS_... by the place of its bit: "type", "contents" ... */
const char *difference_name(int kind);

/* What is told of a pair besides what stat knows, by side. Zeroed: nothing. */
struct difference {
    char target[2][MEMFS_TARGET_MAX]; /* of a symbolic link */
    size_t target_length[2];          /* 0: it cannot be read */
    struct buffer first[2];           /* the path of which it is another name */
    enum difference_first { FIRST_NONE, FIRST_FOUND, FIRST_UNKNOWN } has_first[2];
};

/* All of that, before the first word about the pair is written. What cannot be read is said. Nonzero: there is no
 * memory, and the pair is not to be told of. */
int difference_read(struct difference *difference, const struct compare *compare, const struct pair *pair,
                    const struct comparison *comparison);
void difference_free(struct difference *difference);

#endif
