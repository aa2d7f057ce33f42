#include "gear.h"

/* SplitMix64 (Steele et al., "Fast splittable pseudorandom number generators",
 * 2014), begun with 0. Other numbers would do as well, but the bytes of images
 * depend on them. */
void memfs_gear_init(struct memfs_gear *gear)
{
    uint64_t state = 0;
    for (int i = 0; i < 256; i++) {
        uint64_t z = state += 0x9e3779b97f4a7c15u;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        gear->of[i] = z ^ z >> 31;
    }
}

/* Each byte moves the hash up by a bit: after 64 more nothing is left of it, and
 * the topmost bits know all 64. */
static inline uint64_t roll(const struct memfs_gear *gear, uint64_t hash, uint8_t byte)
{
    return (hash << 1) + gear->of[byte];
}

static inline int is_mark(uint64_t hash)
{
    return hash >> (64 - MEMFS_MARKS_SHIFT) == 0;
}

static uint32_t mark_hash(uint64_t hash)
{
#ifdef MEMFS_WEAK_HASHES /* a build that tests what collisions do */
    return (uint32_t)(hash >> 40) & 0xff;
#else
    return (uint32_t)((hash * 0x9e3779b97f4a7c15u) >> 32);
#endif
}

/* Rolls over bytes [from, length) until a mark: where it is, or length. */
static size_t next_mark(const struct memfs_gear *gear, const uint8_t *bytes, size_t from, size_t length, uint64_t *hash)
{
    uint64_t h = *hash;
    size_t at = from;
    for (; at + 4 <= length; at += 4) {
        const uint64_t a = roll(gear, h, bytes[at]), b = roll(gear, a, bytes[at + 1]);
        const uint64_t c = roll(gear, b, bytes[at + 2]), d = roll(gear, c, bytes[at + 3]);
        if (is_mark(a) || is_mark(b) || is_mark(c) || is_mark(d))
            break;
        h = d;
    }
    for (; at < length; at++) {
        h = roll(gear, h, bytes[at]);
        if (is_mark(h))
            break;
    }
    *hash = h;
    return at;
}

size_t memfs_gear_marks(const struct memfs_gear *gear, const uint8_t *bytes, size_t length, uint32_t base,
                        struct memfs_mark *marks)
{
    size_t count = 0, at = 0;
    uint64_t hash = 0;
    if (length < MEMFS_GEAR_BYTES)
        return 0;
    while (at < MEMFS_GEAR_BYTES - 1)
        hash = roll(gear, hash, bytes[at++]);
    while ((at = next_mark(gear, bytes, at, length, &hash)) < length) {
        marks[count++] = (struct memfs_mark){base + (uint32_t)at, mark_hash(hash)};
        const size_t next = at + MEMFS_MARKS_APART;
        for (at++; at < next && at < length; at++)
            hash = roll(gear, hash, bytes[at]);
    }
    return count;
}
