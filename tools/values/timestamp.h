/*
 * Points in time as people write them.
 */
#ifndef MEMFS_TOOLS_TIMESTAMP_H
#define MEMFS_TOOLS_TIMESTAMP_H

#include <stdint.h>

/* "@SECONDS" since 1970, or "YYYY-MM-DD", with "THH:MM" or "THH:MM:SS" behind (a space will do),
 * and "Z" for UTC, else local time; seconds may have a fraction. Into nanoseconds since 1970.
 * 0; -1 if it is anything else; -ERANGE if it is beyond the years 1677 to 2262. */
int timestamp_parse(const char *text, int64_t *nanoseconds);

#endif
