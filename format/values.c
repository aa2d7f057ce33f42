#include "values.h"

#include <string.h>

static void store_differences(const struct memfs_values *values, uint64_t *stored)
{
    uint64_t before = 0;
    for (size_t i = 0; i < values->count; i++) {
        stored[i] = (values->of[i] - before) & values->mask;
        before = values->of[i];
    }
}

static void restore_differences(struct memfs_values *values)
{
    for (size_t i = 1; i < values->count; i++)
        values->of[i] = (values->of[i] + values->of[i - 1]) & values->mask;
}

static void store_ends(const struct memfs_values *values, uint64_t *stored)
{
    uint64_t end = 0;
    for (size_t i = 0; i < values->count; i++) {
        stored[i] = values->of[i] == end ? 0 : values->of[i] + 1;
        end = values->of[i] + values->lengths[i];
    }
}

static void restore_ends(struct memfs_values *values)
{
    uint64_t end = 0;
    for (size_t i = 0; i < values->count; i++) {
        values->of[i] = values->of[i] ? values->of[i] - 1 : end;
        end = values->of[i] + values->lengths[i];
    }
}

/* Extents in a file's order: bytes that were new stand behind all that was known, one
 * run after the other; bytes that are shared stand somewhere before, most often a little
 * behind where one of the last such extents ended. */
#define CURSORS 8u
#define CURSOR_BITS 3
#define NEAR ((uint64_t)1 << 17) /* zigzag: what is further away has nothing to do with a cursor */

struct frontier {
    uint64_t end;              /* of all so far */
    uint64_t cursors[CURSORS]; /* ends of shared extents, the last one first */
};

static void pass_end(struct frontier *frontier, uint64_t end)
{
    if (end > frontier->end)
        frontier->end = end;
}

/* An extent that began near a cursor has ended: the cursor moves, to the front. */
static void pass_shared(struct frontier *frontier, unsigned cursor, uint64_t end)
{
    for (; cursor > 0; cursor--)
        frontier->cursors[cursor] = frontier->cursors[cursor - 1];
    frontier->cursors[0] = end;
    pass_end(frontier, end);
}

/* Signed numbers with the sign lowest. */
static uint64_t zigzag(uint64_t difference)
{
    return difference << 1 ^ (difference >> 63 ? UINT64_MAX : 0);
}

static uint64_t unzigzag(uint64_t stored)
{
    return stored >> 1 ^ (stored & 1 ? UINT64_MAX : 0);
}

/* The nearest cursor, or if none is near the one that has not been used for longest. */
static unsigned choose_cursor(const struct frontier *frontier, uint64_t place)
{
    unsigned best = 0;
    for (unsigned i = 1; i < CURSORS; i++)
        if (zigzag(place - frontier->cursors[i]) < zigzag(place - frontier->cursors[best]))
            best = i;
    return zigzag(place - frontier->cursors[best]) < NEAR ? best : CURSORS - 1;
}

static void store_frontier(const struct memfs_values *values, uint64_t *stored)
{
    struct frontier frontier = {.end = 0};
    for (size_t i = 0; i < values->count; i++) {
        const uint64_t place = values->of[i], end = place + values->lengths[i];
        if (place == frontier.end) {
            stored[i] = 0;
            pass_end(&frontier, end);
            continue;
        }
        const unsigned cursor = choose_cursor(&frontier, place);
        stored[i] = (zigzag(place - frontier.cursors[cursor]) << CURSOR_BITS | cursor) + 1;
        pass_shared(&frontier, cursor, end);
    }
}

static void restore_frontier(struct memfs_values *values)
{
    struct frontier frontier = {.end = 0};
    for (size_t i = 0; i < values->count; i++) {
        const uint64_t stored = values->of[i] - 1;
        if (values->of[i] == 0) {
            values->of[i] = frontier.end;
            pass_end(&frontier, values->of[i] + values->lengths[i]);
            continue;
        }
        const unsigned cursor = (unsigned)(stored & (CURSORS - 1));
        values->of[i] = frontier.cursors[cursor] + unzigzag(stored >> CURSOR_BITS);
        pass_shared(&frontier, cursor, values->of[i] + values->lengths[i]);
    }
}

void memfs_values_store(const struct memfs_values *values, unsigned tag, uint64_t *stored)
{
    switch (tag) {
    case MEMFS_COLUMN_DIFFERENCES:
        store_differences(values, stored);
        break;
    case MEMFS_COLUMN_ENDS:
        store_ends(values, stored);
        break;
    case MEMFS_COLUMN_FRONTIER:
        store_frontier(values, stored);
        break;
    default:
        memcpy(stored, values->of, values->count * sizeof *stored);
    }
}

void memfs_values_restore(struct memfs_values *values, unsigned tag)
{
    if (tag == MEMFS_COLUMN_DIFFERENCES)
        restore_differences(values);
    else if (tag == MEMFS_COLUMN_ENDS)
        restore_ends(values);
    else if (tag == MEMFS_COLUMN_FRONTIER)
        restore_frontier(values);
}
