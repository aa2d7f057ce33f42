/*
 * This file is compiled twice where that pays: as it is, and for processors with
 * AVX2, by hash_avx2.c, in which HASH_OF names the functions. It chooses between them.
 */
#include "hash.h"

#define XXH_STATIC_LINKING_ONLY
#define XXH_INLINE_ALL
#include <xxhash.h>

#ifndef HASH_OF
#define HASH_OF(function) function##_plain
#define HASH_CHOOSES
#endif

_Static_assert(sizeof(XXH3_state_t) + MEMFS_HASHER_ALIGNMENT <= sizeof(struct memfs_hasher) + 1,
               "a hasher has room for XXH3's state, wherever it stands");

static XXH3_state_t *state_of(const struct memfs_hasher *hasher)
{
    const uintptr_t mask = MEMFS_HASHER_ALIGNMENT - 1;
    return (XXH3_state_t *)(((uintptr_t)hasher->room + mask) & ~mask);
}

uint64_t HASH_OF(memfs_hash)(const void *data, size_t length);
uint64_t HASH_OF(memfs_hash)(const void *data, size_t length)
{
    return XXH3_64bits(data, length);
}

void HASH_OF(memfs_hasher_add)(struct memfs_hasher *hasher, const void *data, size_t length);
void HASH_OF(memfs_hasher_add)(struct memfs_hasher *hasher, const void *data, size_t length)
{
    XXH3_64bits_update(state_of(hasher), data, length);
}

uint64_t HASH_OF(memfs_hasher_end)(const struct memfs_hasher *hasher);
uint64_t HASH_OF(memfs_hasher_end)(const struct memfs_hasher *hasher)
{
    return XXH3_64bits_digest(state_of(hasher));
}

#ifdef HASH_CHOOSES

#ifdef __x86_64__
uint64_t memfs_hash_avx2(const void *data, size_t length);
void memfs_hasher_add_avx2(struct memfs_hasher *hasher, const void *data, size_t length);
uint64_t memfs_hasher_end_avx2(const struct memfs_hasher *hasher);
#define CHOOSE(function) (__builtin_cpu_supports("avx2") ? function##_avx2 : function##_plain)
#else
#define CHOOSE(function) function##_plain
#endif

uint64_t memfs_hash(const void *data, size_t length)
{
    return CHOOSE(memfs_hash)(data, length);
}

void memfs_hasher_begin(struct memfs_hasher *hasher)
{
    XXH3_INITSTATE(state_of(hasher));
    XXH3_64bits_reset(state_of(hasher));
}

void memfs_hasher_add(struct memfs_hasher *hasher, const void *data, size_t length)
{
    CHOOSE(memfs_hasher_add)(hasher, data, length);
}

uint64_t memfs_hasher_end(const struct memfs_hasher *hasher)
{
    return CHOOSE(memfs_hasher_end)(hasher);
}

void memfs_hasher_add_hole(struct memfs_hasher *hasher, uint64_t offset, uint64_t length)
{
    unsigned char record[16];
    for (unsigned i = 0; i < 8; i++) {
        record[i] = (unsigned char)(offset >> (8 * i));
        record[8 + i] = (unsigned char)(length >> (8 * i));
    }
    memfs_hasher_add(hasher, record, sizeof record);
}

#endif
