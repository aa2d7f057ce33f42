#include "dir_hash.h"

#include "name.h"

#include <assert.h>
#include <string.h>

#define BUCKET_FILL 8 /* deltas a bucket on average, from which on there are more buckets */

/* ---- Hashes ---- */

/* Both halves of a product, folded, as wyhash mixes (Wang Yi, 2019). Each factor has a seed of its own, or what has
 * come of one: if one told the other, names could be chosen whose words change places in the product. Whoever knows
 * both seeds can choose any number of names of one hash. */
static inline uint64_t fold(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
    __extension__ typedef unsigned __int128 wide;
    return a * b ^ (uint64_t)((wide)a * b >> 64);
#else
    const uint64_t low = (a & UINT32_MAX) * (b & UINT32_MAX), high = (a >> 32) * (b >> 32);
    const uint64_t cross = (a & UINT32_MAX) * (b >> 32), other = (a >> 32) * (b & UINT32_MAX);
    const uint64_t carry = ((low >> 32) + (cross & UINT32_MAX) + (other & UINT32_MAX)) >> 32;
    return a * b ^ (high + (cross >> 32) + (other >> 32) + carry);
#endif
}

#define SPREAD 0x9E3779B97F4A7C15u /* the golden ratio's bits */

void dir_hash_seed(memfs *fs, uint64_t seed)
{
    fs->seeds[0] = seed;
    fs->seeds[1] = fold(seed ^ SPREAD, seed + 0x243F6A8885A308D3u); /* pi's */
}

/* Of a text in a place, a directory for example. The last words of a longer text overlap those before. */
static inline uint64_t hash_text(const memfs *fs, uint64_t place, const char *text, size_t length)
{
    const uint64_t seed = fs->seeds[0], length_seed = fs->seeds[1] + length * SPREAD;
    const char *const end = text + length;
    uint64_t hash = fs->seeds[1] + place * SPREAD;
    if (length <= 8)
        return fold(fold(name_short_word(text, length) ^ seed, hash), length_seed);
    for (; end - text > 16; text += 16)
        hash = fold(name_word(text) ^ seed, name_word(text + 8) ^ hash);
    if (length > 16)
        text = end - 16;
    return fold(fold(name_word(text) ^ seed, name_word(end - 8) ^ hash), length_seed);
}

uint64_t dir_hash_name(const memfs *fs, uint32_t dir, const char *name, size_t length)
{
    return hash_text(fs, dir, name, length);
}

uint64_t dir_hash_path(const memfs *fs, const char *path, size_t length)
{
    return hash_text(fs, 0, path, length);
}

uint64_t dir_hash_entry(const memfs *fs, uint32_t dir, uint32_t entry)
{
    return fold(fold(fs->seeds[0] + dir * SPREAD, fs->seeds[1] + entry * SPREAD), fs->seeds[1]);
}

/* Where a hash belongs: the bucket, and the tag there. Buckets are split one after the other, so that some are told by
 * one bit of the hash more than others. (Litwin, "Linear hashing", 1980.) */
struct place {
    uint32_t bucket;
    uint16_t tag;
};

/* The tag's bits begin at most 7 below those that do not choose the bucket already: mostly a bucket can be split by the
 * tags alone, and 9 bits at least tell its deltas from each other. */
static inline uint16_t tag_of(uint64_t hash, unsigned bits)
{
    return (uint16_t)(hash >> (bits & ~7u));
}

/* Among `buckets`, at least 1. */
static inline struct place place_of(uint64_t hash, uint32_t buckets)
{
    unsigned bits = 31u - (unsigned)__builtin_clz(buckets);
    uint32_t bucket = (uint32_t)hash & ((UINT32_C(1) << bits) - 1);
    if ((bucket | UINT32_C(1) << bits) < buckets) { /* it has been split: both halves have a bit more */
        bits++;
        bucket = (uint32_t)hash & ((UINT32_C(1) << bits) - 1);
    }
    return (struct place){.bucket = bucket, .tag = tag_of(hash, bits)};
}

/* ---- What is always resident ---- */

static inline const struct delta *look_at(const memfs *fs, uint32_t number)
{
    const struct delta *chunk = table_peek(fs, MEMFS_DELTAS, number >> MEMFS_CHUNK_SHIFT);
    return &chunk[number & (MEMFS_CHUNK_RECORDS - 1)];
}

static inline const struct bucket *look_into(const memfs *fs, uint32_t number)
{
    const struct bucket *chunk = table_peek(fs, MEMFS_BUCKETS, number >> MEMFS_BUCKETS_SHIFT);
    assert(chunk);
    return &chunk[number & ((1u << MEMFS_BUCKETS_SHIFT) - 1)];
}

static inline const struct bucket *look_behind(const memfs *fs, const struct bucket *bucket)
{
    return table_resident(fs, MEMFS_OVERFLOWS, bucket->more - 1);
}

static uint64_t hash_of(const memfs *fs, const struct delta *delta)
{
    uint32_t length = delta->length;
    return length ? dir_hash_name(fs, delta->dir, delta_text(fs, delta), length)
                  : dir_hash_entry(fs, delta->dir, delta->node);
}

/* ---- Finding ---- */

/* The top bit of each of 4 tags that is this one; perhaps of others, too. */
static inline uint64_t equal_tags(uint64_t tags, uint16_t tag)
{
    const uint64_t ones = UINT64_MAX / UINT16_MAX;
    tags ^= tag * ones;
    return (tags - ones) & ~tags & ones << 15;
}

_Static_assert(BUCKET_SLOTS == 10, "two words of tags, and half a one");

/* The slots that may have a tag: of the first 4 the top bit of 16 bits each, of the next 4 the one below, and so on. */
static inline uint64_t candidates(const struct bucket *bucket, uint16_t tag)
{
    uint64_t first, second;
    uint32_t last;
    memcpy(&first, bucket->tags, sizeof first);
    memcpy(&second, bucket->tags + 4, sizeof second);
    memcpy(&last, bucket->tags + 8, sizeof last);
    return equal_tags(first, tag) | equal_tags(second, tag) >> 1 | (equal_tags(last, tag) & UINT32_MAX) >> 2;
}

static inline unsigned slot_of(uint64_t candidate)
{
    const unsigned bit = (unsigned)__builtin_ctzll(candidate), word = 15 - bit % 16, lane = bit / 16;
    if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
        return 4 * word + (word < 2 ? 3 : 1) - lane;
    return 4 * word + lane;
}

/* One after the other what may be found in a bucket: 1 + number, or 0 at the end. */
struct search {
    const struct bucket *bucket; /* or of OVERFLOWS, behind it */
    uint64_t slots;              /* of it, still to be looked at */
    uint16_t tag;
};

static inline struct search search_begin(const memfs *fs, uint64_t hash)
{
    const struct place place = place_of(hash, fs->buckets);
    const struct bucket *bucket = look_into(fs, place.bucket);
    return (struct search){.bucket = bucket, .slots = candidates(bucket, place.tag), .tag = place.tag};
}

static inline uint32_t search_next(const memfs *fs, struct search *search)
{
    for (;;) {
        while (search->slots) {
            const uint32_t next = search->bucket->slots[slot_of(search->slots)];
            search->slots &= search->slots - 1;
            if (next)
                return next;
        }
        if (!search->bucket->more)
            return 0;
        search->bucket = look_behind(fs, search->bucket);
        search->slots = candidates(search->bucket, search->tag);
    }
}

void dir_hash_prefetch(const memfs *fs, uint64_t hash)
{
    if (fs->buckets)
        memfs_prefetch(look_into(fs, place_of(hash, fs->buckets).bucket));
}

static int is_named(const memfs *fs, const struct delta *delta, const struct dir_name *name)
{
    return delta->dir == name->dir && delta->length == name->length &&
           name_equal(delta_text(fs, delta), name->text, name->length);
}

const struct delta *dir_hash_find(const memfs *fs, const struct dir_name *name, uint32_t *number)
{
    if (fs->buckets == 0)
        return NULL;
    struct search search = search_begin(fs, name->hash);
    for (uint32_t next; (next = search_next(fs, &search)) != 0;) {
        const struct delta *delta = look_at(fs, next - 1);
        /* The node is wanted next: fetched beside the delta, not after it. */
        node_prefetch(fs, next - 1 + fs->node_ahead);
        if (is_named(fs, delta, name)) {
            *number = next - 1;
            return delta;
        }
    }
    return NULL;
}

const struct delta *dir_hash_find_override(const memfs *fs, uint32_t dir, uint32_t entry, uint32_t *number)
{
    if (fs->buckets == 0)
        return NULL;
    struct search search = search_begin(fs, dir_hash_entry(fs, dir, entry));
    for (uint32_t next; (next = search_next(fs, &search)) != 0;) {
        const struct delta *delta = look_at(fs, next - 1);
        if (delta->length == 0 && delta->dir == dir && delta->node == entry) {
            *number = next - 1;
            return delta;
        }
    }
    return NULL;
}

/* ---- Reach ---- */

/* The slot that holds a delta with a tag: NULL if it is in none of these. */
static uint32_t *slot_with(struct bucket *bucket, uint16_t tag, uint32_t one_more)
{
    for (uint64_t slots = candidates(bucket, tag); slots; slots &= slots - 1) {
        if (bucket->slots[slot_of(slots)] == one_more)
            return &bucket->slots[slot_of(slots)];
    }
    return NULL;
}

/* Owns a bucket and all behind it. *has_room: is a slot of them free? */
static int own_bucket(struct op *op, uint32_t number, int *has_room)
{
    struct bucket *bucket;
    int r = table_own(op, MEMFS_BUCKETS, number, &bucket);
    *has_room = r == 0 && slot_with(bucket, 0, 0);
    while (r == 0 && bucket->more) {
        r = table_own(op, MEMFS_OVERFLOWS, bucket->more - 1, &bucket);
        *has_room |= r == 0 && slot_with(bucket, 0, 0);
    }
    return r;
}

/* The bucket whose deltas a new last bucket shares. */
static uint32_t split_source(uint32_t buckets)
{
    return buckets ^ (UINT32_C(1) << (31 - __builtin_clz(buckets)));
}

static int is_full(const memfs *fs)
{
    return fs->deltas / BUCKET_FILL >= fs->buckets && fs->buckets < UINT32_MAX / 2;
}

/* Prepares to split a bucket. Lack of memory is no failure: there are more overflows. */
static int reach_split(struct op *op)
{
    memfs *fs = op->fs;
    int has_room, r = table_reserve(op, MEMFS_BUCKETS, 1);
    if (r == 0)
        r = table_reserve(op, MEMFS_OVERFLOWS, fs->adding);
    if (r == 0 && fs->buckets)
        r = own_bucket(op, split_source(fs->buckets), &has_room);
    fs->splitting = r == 0;
    return fs->buckets && r != OP_MISS ? 0 : r;
}

int dir_hash_reach_add(struct op *op, uint64_t hash)
{
    memfs *fs = op->fs;
    const struct table *deltas = &fs->tables[MEMFS_DELTAS];
    hints_reach(&fs->hints, &fs->arena, table_count(deltas) - deltas->start);
    int has_room = 0, r = table_reserve(op, MEMFS_DELTAS, ++fs->adding);
    if (r == 0 && is_full(fs) && !fs->splitting)
        r = reach_split(op);
    if (r)
        return r;
    uint32_t bucket = place_of(hash, fs->buckets + (fs->splitting ? 1 : 0)).bucket;
    if (bucket < fs->buckets)
        r = own_bucket(op, bucket, &has_room);
    /* In a full filesystem what was removed makes room again. (A split moves what is free, and two may want it.) */
    if (r == 0 && (!has_room || fs->splitting || fs->adding > 1))
        r = table_reserve(op, MEMFS_OVERFLOWS, fs->adding);
    return r;
}

int dir_hash_reach_drop(struct op *op, uint32_t number)
{
    struct bucket *bucket;
    const struct place place = place_of(hash_of(op->fs, look_at(op->fs, number)), op->fs->buckets);
    int r = table_own(op, MEMFS_BUCKETS, place.bucket, &bucket);
    while (r == 0 && !slot_with(bucket, place.tag, number + 1))
        r = table_own(op, MEMFS_OVERFLOWS, bucket->more - 1, &bucket);
    return r;
}

int dir_hash_reach_override(struct op *op, uint32_t dir, uint32_t entry)
{
    uint32_t number;
    struct delta *delta;
    if (dir_hash_find_override(op->fs, dir, entry, &number))
        return table_own(op, MEMFS_DELTAS, number, &delta);
    return dir_hash_reach_add(op, dir_hash_entry(op->fs, dir, entry));
}

/* ---- Commit: all that is changed has been owned ---- */

static struct bucket *bucket_at(memfs *fs, uint32_t bucket)
{
    return table_mutable(fs, MEMFS_BUCKETS, bucket);
}

static struct bucket *overflow_at(memfs *fs, uint32_t one_more)
{
    return table_mutable(fs, MEMFS_OVERFLOWS, one_more - 1);
}

/* The one behind a bucket, made if there is none. */
static struct bucket *behind(memfs *fs, struct bucket *bucket)
{
    struct bucket *overflow;
    if (bucket->more)
        return overflow_at(fs, bucket->more);
    bucket->more = table_take(fs, MEMFS_OVERFLOWS, &overflow) + 1;
    return overflow;
}

static void put(memfs *fs, struct bucket *bucket, uint16_t tag, uint32_t one_more)
{
    uint32_t *free;
    while (!(free = slot_with(bucket, 0, 0)))
        bucket = behind(fs, bucket);
    *free = one_more;
    bucket->tags[free - bucket->slots] = tag;
}

/* A bucket that is split: where its halves, empty at first, are being filled, and the bit that tells them. */
struct halves {
    struct bucket *bucket[2];
    unsigned filled[2]; /* slots, from the first on */
    unsigned bit;
    uint32_t drained; /* 1 + the first of the overflows whose deltas stand in the halves now */
};

/* There is always an overflow to be used again: of 10 (n + 1) deltas in n of them and a bucket no two halves
 * need more than n. */
static void put_half(memfs *fs, struct halves *halves, unsigned half, uint16_t tag, uint32_t one_more)
{
    if (halves->filled[half] == BUCKET_SLOTS) {
        struct bucket *overflow = overflow_at(fs, halves->drained);
        halves->bucket[half]->more = halves->drained;
        halves->drained = overflow->more;
        *overflow = (struct bucket){.more = 0};
        halves->bucket[half] = overflow;
        halves->filled[half] = 0;
    }
    struct bucket *bucket = halves->bucket[half];
    bucket->slots[halves->filled[half]] = one_more;
    bucket->tags[halves->filled[half]++] = tag;
}

static void put_by_hash(memfs *fs, struct halves *halves, uint32_t one_more)
{
    const uint64_t hash = hash_of(fs, look_at(fs, one_more - 1));
    put_half(fs, halves, hash >> halves->bit & 1, tag_of(hash, halves->bit + 1), one_more);
}

static void split_slots(memfs *fs, struct halves *halves, const struct bucket *old)
{
    const int has_tags = (halves->bit + 1) % 8 != 0; /* else the tags' bits change */
    for (unsigned i = 0; i < BUCKET_SLOTS && !has_tags; i++) {
        if (old->slots[i])
            memfs_prefetch(look_at(fs, old->slots[i] - 1));
    }
    for (unsigned i = 0; i < BUCKET_SLOTS; i++) {
        if (old->slots[i] && has_tags)
            put_half(fs, halves, old->tags[i] >> (halves->bit & 7u) & 1, old->tags[i], old->slots[i]);
        else if (old->slots[i])
            put_by_hash(fs, halves, old->slots[i]);
    }
}

/* What stands behind the bucket. What is not needed any more is free. */
static void split_overflows(memfs *fs, struct halves *halves, uint32_t one_more)
{
    while (one_more) {
        struct bucket *overflow = overflow_at(fs, one_more);
        const struct bucket old = *overflow;
        overflow->more = halves->drained;
        halves->drained = one_more;
        split_slots(fs, halves, &old);
        one_more = old.more;
    }
    while (halves->drained) {
        const uint32_t number = halves->drained - 1;
        halves->drained = overflow_at(fs, halves->drained)->more;
        table_put(fs, MEMFS_OVERFLOWS, number);
    }
}

/* Adds a bucket, and moves to it what belongs there. */
static void split(memfs *fs)
{
    struct halves halves = {.filled = {0, 0}};
    const uint32_t number = table_take(fs, MEMFS_BUCKETS, &halves.bucket[1]);
    fs->buckets = number + 1;
    fs->splitting = 0;
    if (number == 0)
        return;
    halves.bucket[0] = bucket_at(fs, split_source(number));
    halves.bit = 31u - (unsigned)__builtin_clz(number);
    const struct bucket old = *halves.bucket[0];
    *halves.bucket[0] = (struct bucket){.more = 0};
    split_slots(fs, &halves, &old);
    split_overflows(fs, &halves, old.more);
}

void dir_hash_add(memfs *fs, uint64_t hash, uint32_t number)
{
    hints_grow(&fs->hints, &fs->arena);
    if (fs->splitting)
        split(fs);
    const struct place place = place_of(hash, fs->buckets);
    put(fs, bucket_at(fs, place.bucket), place.tag, number + 1);
    fs->deltas++;
}

static int is_empty(const struct bucket *bucket)
{
    for (unsigned i = 0; i < BUCKET_SLOTS; i++) {
        if (bucket->slots[i])
            return 0;
    }
    return 1;
}

void dir_hash_drop(memfs *fs, uint32_t number)
{
    const struct place place = place_of(hash_of(fs, look_at(fs, number)), fs->buckets);
    struct bucket *bucket = bucket_at(fs, place.bucket), *before = NULL;
    uint32_t *slot;
    while (!(slot = slot_with(bucket, place.tag, number + 1))) {
        before = bucket;
        bucket = overflow_at(fs, bucket->more);
    }
    *slot = 0;
    bucket->tags[slot - bucket->slots] = 0;
    fs->deltas--;
    if (before && is_empty(bucket)) {
        const uint32_t overflow = before->more - 1;
        before->more = bucket->more;
        table_put(fs, MEMFS_OVERFLOWS, overflow);
    }
}

struct delta *dir_hash_override(memfs *fs, uint32_t dir, uint32_t entry)
{
    uint32_t number;
    return dir_hash_find_override(fs, dir, entry, &number) ? table_mutable(fs, MEMFS_DELTAS, number) : NULL;
}
