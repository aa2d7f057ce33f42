#include "host_map.h"

#include <errno.h>
#include <string.h>

void memfs_host_map_init(struct memfs_host_map *map, const struct memfs_allocator *allocator)
{
    *map = (struct memfs_host_map){.allocator = *allocator};
}

void memfs_host_map_free(struct memfs_host_map *map)
{
    memfs_free(&map->allocator, map->slots, map->room * sizeof *map->slots);
    map->slots = NULL;
    map->room = map->count = 0;
}

/* The finaliser of MurmurHash3. */
static uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdu;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53u;
    return x ^ x >> 33;
}

uint64_t memfs_host_hash(uint64_t secret, const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    uint64_t hash = mix(secret ^ mix(length + 0x9e3779b97f4a7c15u));
    while (length) {
        size_t step = length < 8 ? length : 8;
        uint64_t word = 0;
        memcpy(&word, at, step);
        hash = mix(hash ^ word) + 0x9e3779b97f4a7c15u;
        at += step;
        length -= step;
    }
    return hash;
}

/* The slot of the key, or the unused one where it would stand. */
static struct memfs_host_slot *probe(struct memfs_host_slot *slots, size_t room, uint64_t key0, uint64_t key1)
{
    size_t i = (size_t)mix(mix(key0) ^ key1) & (room - 1);
    while (slots[i].value && (slots[i].key[0] != key0 || slots[i].key[1] != key1))
        i = (i + 1) & (room - 1);
    return &slots[i];
}

uint64_t memfs_host_map_get(const struct memfs_host_map *map, uint64_t key0, uint64_t key1)
{
    return map->room ? probe(map->slots, map->room, key0, key1)->value : 0;
}

static int grow(struct memfs_host_map *map)
{
    size_t room = map->room ? map->room * 2 : 64;
    if (room > SIZE_MAX / sizeof *map->slots)
        return -ENOMEM;
    struct memfs_host_slot *slots = memfs_alloc_zeroed(&map->allocator, room * sizeof *slots);
    if (!slots)
        return -ENOMEM;
    for (size_t i = 0; i < map->room; i++)
        if (map->slots[i].value)
            *probe(slots, room, map->slots[i].key[0], map->slots[i].key[1]) = map->slots[i];
    memfs_free(&map->allocator, map->slots, map->room * sizeof *map->slots);
    map->slots = slots;
    map->room = room;
    return 0;
}

int memfs_host_map_put(struct memfs_host_map *map, uint64_t key0, uint64_t key1, uint64_t value)
{
    if (map->count >= map->room / 4 * 3 && grow(map))
        return -ENOMEM;
    *probe(map->slots, map->room, key0, key1) = (struct memfs_host_slot){{key0, key1}, value};
    map->count++;
    return 0;
}
