/*
 * Marks: positions in contents that are worth remembering, about one in 256.
 * A rolling hash over the last 64 bytes decides, so that equal bytes have them at
 * the same places wherever they stand. (The gear hash of Xia et al., "Ddelta: A
 * deduplication-inspired fast delta compression approach", 2014.)
 */
#ifndef MEMFS_GEAR_H
#define MEMFS_GEAR_H

#include <stddef.h>
#include <stdint.h>

#define MEMFS_GEAR_BYTES 64u  /* that the hash covers */
#define MEMFS_MARKS_APART 64u /* marks are so many bytes apart at least, whatever the bytes are */
#define MEMFS_MARKS_SHIFT 8   /* one position in 2^8 */

struct memfs_gear {
    uint64_t of[256];
};

struct memfs_mark {
    uint32_t at;   /* of the last byte that the hash covers */
    uint32_t hash; /* decides nothing: positions that have it in common are compared */
};

void memfs_gear_init(struct memfs_gear *gear);

/* Finds the marks of a run of bytes, at most length / MEMFS_MARKS_APART, in order.
 * The first byte is number `base`. */
size_t memfs_gear_marks(const struct memfs_gear *gear, const uint8_t *bytes, size_t length, uint32_t base,
                        struct memfs_mark *marks);

#endif
