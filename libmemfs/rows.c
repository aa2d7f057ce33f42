#include "rows.h"

#include <errno.h>
#include <string.h>

void memfs_rows_begin(struct memfs_rows *rows, const struct memfs_allocator *allocator, size_t width, unsigned shift)
{
    *rows = (struct memfs_rows){.allocator = *allocator, .width = width, .shift = shift};
}

void memfs_rows_end(struct memfs_rows *rows)
{
    for (size_t i = 0; i < rows->pieces_used; i++)
        memfs_free(&rows->allocator, rows->pieces[i], rows->width << rows->shift);
    memfs_free(&rows->allocator, rows->pieces, rows->pieces_room * sizeof *rows->pieces);
    *rows = (struct memfs_rows){.allocator = rows->allocator, .width = rows->width, .shift = rows->shift};
}

static int add_piece(struct memfs_rows *rows)
{
    void *array = rows->pieces;
    int error = memfs_grow_array(&rows->allocator, &array, &rows->pieces_room, rows->pieces_used, rows->pieces_used + 1,
                                 sizeof *rows->pieces);
    rows->pieces = array;
    if (error)
        return error;
    void *piece = memfs_alloc_zeroed(&rows->allocator, rows->width << rows->shift);
    if (!piece)
        return -ENOMEM;
    rows->pieces[rows->pieces_used++] = piece;
    return 0;
}

void *memfs_rows_add(struct memfs_rows *rows)
{
    if (rows->count >> rows->shift >= rows->pieces_used && add_piece(rows))
        return NULL;
    void *item = memfs_rows_at(rows, rows->count++);
    memset(item, 0, rows->width); /* it may have been in use before */
    return item;
}

void *memfs_rows_add_span(struct memfs_rows *rows, size_t count, uint64_t *at)
{
    uint64_t piece = (uint64_t)1 << rows->shift;
    uint64_t first = rows->count;
    if ((first & (piece - 1)) + count > piece)
        first = (first | (piece - 1)) + 1;
    if (first >> rows->shift >= rows->pieces_used && add_piece(rows))
        return NULL;
    rows->count = first + count;
    *at = first;
    return memfs_rows_at(rows, first);
}

int memfs_rows_put(struct memfs_rows *rows, const void *bytes, size_t length, uint64_t *at)
{
    void *place = memfs_rows_add_span(rows, length, at);
    if (!place)
        return -ENOMEM;
    memcpy(place, bytes, length);
    return 0;
}
