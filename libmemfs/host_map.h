/*
 * A map from a pair of numbers to a number: hard links by device and inode,
 * strings by hash and length.
 */
#ifndef MEMFS_HOST_MAP_H
#define MEMFS_HOST_MAP_H

#include "alloc.h"

#include <stddef.h>
#include <stdint.h>

struct memfs_host_slot {
    uint64_t key[2];
    uint64_t value; /* 0: unused */
};

struct memfs_host_map {
    struct memfs_allocator allocator;
    struct memfs_host_slot *slots;
    size_t room, count; /* room is 0 or a power of two */
};

void memfs_host_map_init(struct memfs_host_map *map, const struct memfs_allocator *allocator);
void memfs_host_map_free(struct memfs_host_map *map);

/* The value, or 0. */
uint64_t memfs_host_map_get(const struct memfs_host_map *map, uint64_t key0, uint64_t key1);

/* key must not be there, and value not be 0. -ENOMEM. */
int memfs_host_map_put(struct memfs_host_map *map, uint64_t key0, uint64_t key1, uint64_t value);

/* A hash of bytes, to be used as a key: equal hashes prove nothing. Who does not know the
 * secret, of memfs_random(), cannot foresee which bytes have equal ones, or meet in a table. */
uint64_t memfs_host_hash(uint64_t secret, const void *bytes, size_t length);

#endif
