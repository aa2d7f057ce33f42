#include "hash.h"

#define XXH_STATIC_LINKING_ONLY
#define XXH_INLINE_ALL
#include <xxhash.h>

_Static_assert(sizeof(XXH3_state_t) <= sizeof(struct memfs_hasher), "a hasher has room for XXH3's state");

uint64_t memfs_hash(const void *data, size_t length)
{
    return XXH3_64bits(data, length);
}

void memfs_hasher_begin(struct memfs_hasher *hasher)
{
    XXH3_INITSTATE((XXH3_state_t *)hasher->state);
    XXH3_64bits_reset((XXH3_state_t *)hasher->state);
}

void memfs_hasher_add(struct memfs_hasher *hasher, const void *data, size_t length)
{
    XXH3_64bits_update((XXH3_state_t *)hasher->state, data, length);
}

uint64_t memfs_hasher_end(const struct memfs_hasher *hasher)
{
    return XXH3_64bits_digest((const XXH3_state_t *)hasher->state);
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
