/*
 * Are bytes all zero? What is, is not stored: pages of contents, planes of columns.
 */
#ifndef MEMFS_ZEROS_H
#define MEMFS_ZEROS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline int memfs_all_zero(const uint8_t *bytes, size_t length)
{
    return length == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0);
}

#endif
