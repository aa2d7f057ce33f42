#include "values/nearest.h"

#include <string.h>

#define LENGTH_MAX 24 /* longer words are near to nothing */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Of Damerau and Levenshtein, without edits of what was exchanged. Rows are prefixes of a, columns of b. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][LENGTH_MAX + 1];
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            row[j] = least(above[j - 1] + (a[i - 1] != b[j - 1]), 1 + least(above[j], row[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

void nearest_look(struct nearest *nearest, const char *candidate)
{
    const size_t length = strlen(nearest->word), other = strlen(candidate);
    if (length < 2 || length > LENGTH_MAX || other > LENGTH_MAX)
        return;
    const size_t found = distance(nearest->word, length, candidate, other);
    if (found > (length + 1) / 3 || (nearest->found && found >= nearest->distance))
        return;
    nearest->found = candidate;
    nearest->distance = found;
}
