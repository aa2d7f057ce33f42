/*
 * Text files of two trees as diff(1) shows them.
 */
#ifndef MEMFS_TOOLS_UNIFIED_H
#define MEMFS_TOOLS_UNIFIED_H

#include "diff/pairs.h"

/* Writes how the contents of two regular files differ, with so many lines of context, as "a/PATH" and "b/PATH", to
 * standard output. Both are put into temporary files for it. What goes wrong is said. EXIT_FAILED if it would with
 * other files too. */
int unified_show(struct side *const sides[2], const struct pair *pair, uint64_t context, int colors);

/* Where these files are made. */
const char *unified_directory(void);

#endif
