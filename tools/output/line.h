/*
 * A piece of a line, written by hand: there can be millions of lines, and printf() would
 * take most of the time.
 */
#ifndef MEMFS_TOOLS_LINE_H
#define MEMFS_TOOLS_LINE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The caller sees to it that everything fits. */
struct line {
    char text[1024];
    size_t length;
};

static inline void line_char(struct line *line, char c)
{
    line->text[line->length++] = c;
}

static inline void line_bytes(struct line *line, const char *bytes, size_t length)
{
    memcpy(line->text + line->length, bytes, length);
    line->length += length;
}

/* None for a count below 1. */
static inline void line_spaces(struct line *line, int count)
{
    while (count-- > 0)
        line_char(line, ' ');
}

/* How many a decimal number has. */
static inline int line_digits(uint64_t value)
{
    int count = 1;
    while (value >= 10) {
        value /= 10;
        count++;
    }
    return count;
}

/* At least width wide, with fill before it. */
static inline void line_number(struct line *line, uint64_t value, int width, char fill)
{
    const int count = line_digits(value);
    for (int i = count; i < width; i++)
        line_char(line, fill);
    line->length += (size_t)count;
    for (char *at = line->text + line->length; at > line->text + line->length - count; value /= 10)
        *--at = (char)('0' + value % 10);
}

/* "drwxr-xr-x" */
void line_mode(struct line *line, uint32_t mode);

/* "2024-07-01 12:00" in local time, from nanoseconds since 1970. The last one is kept for
 * the next call: files often have one time. */
void line_time(struct line *line, int64_t time);
/* "2024-07-01 12:00:00.123456789 +0200" */
void line_full_time(struct line *line, int64_t time);

#endif
