#include "output/grid.h"

#define GAP 2
#define COLUMN_MIN 3 /* a name of one character and the gap */

static size_t divide_up(size_t a, size_t b)
{
    return a / b + (a % b != 0);
}

/* Whether so many columns fit, with one place at least to spare; their widths. A column that
 * stays empty at the end takes its least width. */
static int fits(struct grid *grid, const size_t *widths, size_t count, size_t columns, size_t line_width)
{
    size_t total = 0;
    grid->rows = divide_up(count, columns);
    for (size_t column = 0; column < columns; column++) {
        const size_t gap = column + 1 < columns ? GAP : 0;
        size_t widest = COLUMN_MIN;
        for (size_t i = column * grid->rows; i < (column + 1) * grid->rows && i < count; i++) {
            if (widths[i] + gap > widest)
                widest = widths[i] + gap;
        }
        grid->widths[column] = widest;
        total += widest;
        if (total >= line_width)
            return 0;
    }
    return 1;
}

int grid_arrange(struct grid *grid, const size_t *widths, size_t count, size_t line_width)
{
    size_t columns = divide_up(line_width, COLUMN_MIN);
    if (columns > count)
        columns = count;
    if (columns == 0)
        columns = 1;
    grid->memory.length = 0;
    int result = buffer_reserve(&grid->memory, columns * sizeof *grid->widths);
    if (result != 0)
        return result;
    grid->widths = (size_t *)(void *)grid->memory.data;
    while (columns > 1 && !fits(grid, widths, count, columns, line_width))
        columns--;
    if (columns == 1) {
        grid->rows = count;
        grid->widths[0] = 0; /* nothing stands beside it */
    }
    return 0;
}

void grid_free(struct grid *grid)
{
    buffer_free(&grid->memory);
}
