/*
 * What went wrong, put into words.
 */
#ifndef MEMFS_DETAIL_H
#define MEMFS_DETAIL_H

#include "memfs.h"

#define MEMFS_NOWHERE UINT64_MAX /* offset of a finding that has none */

/* Fills detail (which may be NULL) and returns error. */
__attribute__((format(printf, 4, 5))) int memfs_detail_fill(struct memfs_detail *detail, int error, uint64_t offset,
                                                            const char *format, ...);

#endif
