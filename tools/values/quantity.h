/*
 * Quantities as people write them: 64K, 1.3 GiB, 2:05.
 */
#ifndef MEMFS_TOOLS_QUANTITY_H
#define MEMFS_TOOLS_QUANTITY_H

#include <stddef.h>
#include <stdint.h>

#define QUANTITY_ROOM 32 /* bytes that every text made here fits in */

/* Of what an image claims: stays at the greatest value rather than start over. */
static inline uint64_t quantity_sum(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* Digits; with suffixes behind them one of K, M, G, T in either case, alone or as KiB for powers of 1,024, as KB for
 * powers of 1,000: as GNU's. 0, or -1 if text is anything else or too large. */
int quantity_parse(const char *text, int suffixes, uint64_t *out);

/* As quantity_parse() takes it: "517", "64K", "16M". */
const char *quantity_exact(uint64_t value, char text[QUANTITY_ROOM]);

/* "517 bytes", "64.0 KiB", "1.3 GiB". */
const char *quantity_bytes(uint64_t bytes, char text[QUANTITY_ROOM]);

/* As ls -h and du -h write it, rounded up: "517", "1.5K", "23M". */
const char *quantity_short(uint64_t bytes, char text[QUANTITY_ROOM]);

/* "0:07", "2:05", "1:02:05". */
const char *quantity_seconds(uint64_t seconds, char text[QUANTITY_ROOM]);

/* part of whole in percent, "41.3 %"; whole is not 0. */
const char *quantity_percent(uint64_t part, uint64_t whole, char text[QUANTITY_ROOM]);

#endif
