/*
 * Names: those given by callers, and how any are compared. (What a backing's names must be: memfs_name_ok().)
 */
#ifndef MEMFS_NAME_H
#define MEMFS_NAME_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The length of a name that may stand in a directory: 0, -ENOENT for an empty
 * one, -ENAMETOOLONG, -EINVAL for ".", ".." or one with a slash. */
int name_measure(const char *name, size_t *length);

/* ---- Names by words: most are short, and compared before memcmp() would have begun ---- */

/* 8 bytes. */
static inline uint64_t name_word(const char *from)
{
    uint64_t word;
    memcpy(&word, from, sizeof word);
    return word;
}

/* All of 1 to 8 bytes; some are in it twice. */
static inline uint64_t name_short_word(const char *from, size_t length)
{
    uint32_t first, last;
    if (length < sizeof first)
        return (uint64_t)(uint8_t)from[0] << 16 | (uint64_t)(uint8_t)from[length / 2] << 8 | (uint8_t)from[length - 1];
    memcpy(&first, from, sizeof first);
    memcpy(&last, from + length - sizeof last, sizeof last);
    return (uint64_t)first << 32 | last;
}

/* Of at least 1 byte. The last word of a longer one overlaps the one before. */
static inline int name_equal(const char *a, const char *b, size_t length)
{
    if (length <= 8)
        return name_short_word(a, length) == name_short_word(b, length);
    for (size_t at = 0; at + 8 < length; at += 8) {
        if (name_word(a + at) != name_word(b + at))
            return 0;
    }
    return name_word(a + length - 8) == name_word(b + length - 8);
}

#endif
