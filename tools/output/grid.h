/*
 * Things of several widths in columns, filled from top to bottom, as ls does it.
 */
#ifndef MEMFS_TOOLS_GRID_H
#define MEMFS_TOOLS_GRID_H

#include "system/buffer.h"

/* Zeroed: empty. */
struct grid {
    size_t rows;
    size_t *widths; /* of the columns, the space between them counted; in memory */
    struct buffer memory;
};

/* As many columns as fit a line of line_width with count things of these widths. 0 or -ENOMEM. */
int grid_arrange(struct grid *grid, const size_t *widths, size_t count, size_t line_width);
void grid_free(struct grid *grid);

#endif
