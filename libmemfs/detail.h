/*
 * What went wrong, put into words.
 */
#ifndef MEMFS_DETAIL_H
#define MEMFS_DETAIL_H

#include "memfs.h"

#define MEMFS_NOWHERE UINT64_MAX /* offset of a finding that has none */

/* Fills detail (which may be NULL) and is error, which is evaluated last. Not one function: who compiles or
 * analyses the caller is to see that an error comes back, and no 0. */
#define memfs_detail_fill(detail, error, offset, ...)                                                                  \
    (memfs_detail_put((detail), (offset), __VA_ARGS__), memfs_detail_error((detail), (error)))

/* Adds to a text, which loses its end where both are too long. Of an empty one, or none, nothing is
 * made. note is shorter than a text. */
void memfs_detail_append(struct memfs_detail *detail, const char *note);

/* The parts of memfs_detail_fill(). */
__attribute__((format(printf, 3, 4))) void memfs_detail_put(struct memfs_detail *detail, uint64_t offset,
                                                            const char *format, ...);
static inline int memfs_detail_error(struct memfs_detail *detail, int error)
{
    if (detail)
        detail->error = error;
    return error;
}

#endif
