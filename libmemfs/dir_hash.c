#include "dir_hash.h"

#include <errno.h>
#include <string.h>

/* ---- Hashes ---- */

/* After MurmurHash64A's rounds (Appleby, 2008), with the filesystem's own seed. */
static uint64_t mix(uint64_t hash, uint64_t word)
{
    const uint64_t m = 0xC6A4A7935BD1E995u;
    word *= m;
    word ^= word >> 47;
    return (hash ^ word * m) * m;
}

static uint64_t finish(uint64_t hash)
{
    hash ^= hash >> 32;
    hash *= 0xD6E8FEB86659FD93u;
    return hash ^ hash >> 32;
}

uint64_t dir_hash_name(const memfs *fs, uint32_t dir, const char *name, size_t length)
{
    uint64_t hash = mix(fs->seed, (uint64_t)dir << 8 | length);
    for (; length >= 8; length -= 8, name += 8) {
        uint64_t word;
        memcpy(&word, name, 8);
        hash = mix(hash, word);
    }
    uint64_t word = 0;
    memcpy(&word, name, length);
    return finish(mix(hash, word));
}

uint64_t dir_hash_entry(const memfs *fs, uint32_t entry)
{
    return finish(mix(fs->seed, (uint64_t)entry << 32));
}

/* The bucket of a hash among `buckets`, at least 1: by as many bits as are
 * needed, or one fewer where that bucket is not there yet. */
static uint32_t bucket_of(uint64_t hash, uint32_t buckets)
{
    uint32_t mask = buckets == 1 ? 0 : UINT32_MAX >> __builtin_clz(buckets - 1);
    uint32_t bucket = (uint32_t)hash & mask;
    return bucket < buckets ? bucket : bucket & mask >> 1;
}

static int delta_hash(struct op *op, const struct delta *delta, uint64_t *out)
{
    const char *name;
    if (delta_length(delta) == 0) {
        *out = dir_hash_entry(op->fs, delta->node);
        return 0;
    }
    int r = heap_get(op, MEMFS_NAMES, delta_name(delta), delta_length(delta), &name);
    if (r == 0)
        *out = dir_hash_name(op->fs, delta->dir, name, delta_length(delta));
    return r;
}

/* ---- Finding ---- */

/* 1 + the first delta of a bucket. */
static int bucket_head(struct op *op, uint64_t hash, uint32_t *out)
{
    const uint32_t *head;
    if (op->fs->buckets == 0)
        return -ENOENT;
    int r = table_get(op, MEMFS_BUCKETS, bucket_of(hash, op->fs->buckets), &head);
    if (r == 0)
        *out = *head;
    return r;
}

int dir_hash_find(struct op *op, uint32_t dir, const char *name, size_t length, uint32_t *number,
                  const struct delta **out)
{
    uint64_t hash = dir_hash_name(op->fs, dir, name, length);
    uint32_t next;
    int r = bucket_head(op, hash, &next);
    for (; r == 0 && next; next = (*out)->chain) {
        r = table_get(op, MEMFS_DELTAS, next - 1, out);
        if (r)
            return r;
        if ((*out)->dir != dir || delta_length(*out) != length || delta_tag(*out) != hash >> 52)
            continue;
        /* The node is wanted next: fetch it beside the name, not after it. */
        table_prefetch(op, MEMFS_NODES, (*out)->node);
        const char *other;
        r = heap_get(op, MEMFS_NAMES, delta_name(*out), length, &other);
        if (r == 0 && memcmp(other, name, length) == 0) {
            *number = next - 1;
            return 0;
        }
    }
    return r ? r : -ENOENT;
}

static int is_override(const struct delta *delta, uint32_t dir, uint32_t entry)
{
    return delta_length(delta) == 0 && delta->dir == dir && delta->node == entry;
}

int dir_hash_find_override(struct op *op, uint32_t dir, uint32_t entry, uint32_t *number, const struct delta **out)
{
    uint32_t next;
    int r = bucket_head(op, dir_hash_entry(op->fs, entry), &next);
    for (; r == 0 && next; next = (*out)->chain) {
        r = table_get(op, MEMFS_DELTAS, next - 1, out);
        if (r)
            return r;
        if (is_override(*out, dir, entry)) {
            *number = next - 1;
            return 0;
        }
    }
    return r ? r : -ENOENT;
}

/* ---- Reach ---- */

/* Owns a bucket and all deltas in it. */
static int own_bucket(struct op *op, uint32_t bucket)
{
    uint32_t *head;
    int r = table_own(op, MEMFS_BUCKETS, bucket, &head);
    uint32_t next = r ? 0 : *head;
    while (r == 0 && next) {
        struct delta *delta;
        r = table_own(op, MEMFS_DELTAS, next - 1, &delta);
        if (r == 0)
            next = delta->chain;
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
    return fs->deltas >= fs->buckets && fs->buckets < UINT32_MAX / 2;
}

/* Prepares to split a bucket. Lack of memory is no failure: chains grow longer. */
static int reach_split(struct op *op)
{
    memfs *fs = op->fs;
    int r = table_reserve(op, MEMFS_BUCKETS, 1);
    if (r == 0 && fs->buckets)
        r = own_bucket(op, split_source(fs->buckets));
    fs->splitting = r == 0;
    return fs->buckets && r != OP_MISS ? 0 : r;
}

int dir_hash_reach_add(struct op *op, uint64_t hash)
{
    memfs *fs = op->fs;
    uint32_t *head;
    int r = table_reserve(op, MEMFS_DELTAS, ++fs->adding);
    if (r == 0 && is_full(fs) && !fs->splitting)
        r = reach_split(op);
    if (r)
        return r;
    uint32_t bucket = bucket_of(hash, fs->buckets + (fs->splitting ? 1 : 0));
    return bucket < fs->buckets ? table_own(op, MEMFS_BUCKETS, bucket, &head) : 0;
}

/* Owns the bucket and what stands before the delta in it. */
static int own_way_to(struct op *op, uint64_t hash, uint32_t number)
{
    uint32_t *head;
    uint32_t bucket = bucket_of(hash, op->fs->buckets);
    int r = table_own(op, MEMFS_BUCKETS, bucket, &head);
    uint32_t next = r ? 0 : *head;
    while (r == 0 && next) {
        struct delta *delta;
        r = table_own(op, MEMFS_DELTAS, next - 1, &delta);
        if (r == 0 && next - 1 == number)
            return 0;
        if (r == 0)
            next = delta->chain;
    }
    return r ? r : MEMFS_ECORRUPT;
}

int dir_hash_reach_drop(struct op *op, uint32_t number)
{
    const struct delta *delta;
    uint64_t hash;
    int r = table_get(op, MEMFS_DELTAS, number, &delta);
    if (r == 0)
        r = delta_hash(op, delta, &hash);
    return r ? r : own_way_to(op, hash, number);
}

int dir_hash_reach_override(struct op *op, uint32_t dir, uint32_t entry)
{
    uint32_t number;
    const struct delta *delta;
    int r = dir_hash_find_override(op, dir, entry, &number, &delta);
    uint64_t hash = dir_hash_entry(op->fs, entry);
    if (r != -ENOENT)
        return r ? r : own_way_to(op, hash, number);
    /* Commit will look through the whole bucket before it adds one. */
    r = op->fs->buckets ? own_bucket(op, bucket_of(hash, op->fs->buckets)) : 0;
    return r ? r : dir_hash_reach_add(op, hash);
}

/* ---- Commit: all that is touched has been owned ---- */

static struct delta *delta_at(memfs *fs, uint32_t number)
{
    return table_mutable(fs, MEMFS_DELTAS, number);
}

static uint32_t *head_at(memfs *fs, uint32_t bucket)
{
    return table_mutable(fs, MEMFS_BUCKETS, bucket);
}

/* As delta_hash(): what stands in the private heap and those of sealed
 * filesystems below is always resident. */
static uint64_t known_hash(memfs *fs, const struct delta *delta)
{
    struct op op = {.fs = fs};
    uint64_t hash = 0;
    delta_hash(&op, delta, &hash);
    return hash;
}

/* Adds a bucket, and moves to it what belongs there. */
static void split(memfs *fs)
{
    uint32_t *fresh, bucket = table_take(fs, MEMFS_BUCKETS, &fresh);
    fs->buckets = bucket + 1;
    fs->splitting = 0;
    if (bucket == 0)
        return;
    uint32_t *head = head_at(fs, split_source(bucket)), next = *head;
    *head = 0;
    while (next) {
        struct delta *delta = delta_at(fs, next - 1);
        uint32_t *to = bucket_of(known_hash(fs, delta), fs->buckets) == bucket ? fresh : head;
        uint32_t after = delta->chain;
        delta->chain = *to;
        *to = next;
        next = after;
    }
}

void dir_hash_add(memfs *fs, uint64_t hash, uint32_t number)
{
    if (fs->splitting)
        split(fs);
    uint32_t *head = head_at(fs, bucket_of(hash, fs->buckets));
    delta_at(fs, number)->chain = *head;
    *head = number + 1;
    fs->deltas++;
}

void dir_hash_drop(memfs *fs, uint32_t number)
{
    struct delta *delta = delta_at(fs, number);
    uint32_t *link = head_at(fs, bucket_of(known_hash(fs, delta), fs->buckets));
    while (*link != number + 1)
        link = &delta_at(fs, *link - 1)->chain;
    *link = delta->chain;
    fs->deltas--;
}

struct delta *dir_hash_override(memfs *fs, uint32_t dir, uint32_t entry)
{
    uint32_t next = fs->buckets ? *head_at(fs, bucket_of(dir_hash_entry(fs, entry), fs->buckets)) : 0;
    while (next) {
        struct delta *delta = delta_at(fs, next - 1);
        if (is_override(delta, dir, entry))
            return delta;
        next = delta->chain;
    }
    return NULL;
}
