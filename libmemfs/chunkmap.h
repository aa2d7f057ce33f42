/*
 * A sparse map from chunk numbers to chunks, read without a lock: a root of
 * pages of 64 pointers each, pages made when first needed. The root grows by
 * replacement; readers of an older root see what was there before. There is always
 * a root, and a page in each of its slots: empty ones stand for what is not there yet.
 */
#ifndef MEMFS_CHUNKMAP_H
#define MEMFS_CHUNKMAP_H

#include "memfs.h"

#include <stdatomic.h>

#define MEMFS_MAP_SHIFT 6
#define MEMFS_MAP_PAGE (1u << MEMFS_MAP_SHIFT)

struct memfs_map_page {
    _Atomic(void *) chunks[MEMFS_MAP_PAGE];
};

struct memfs_map_root {
    struct memfs_map_root *older; /* kept until the map is cleared, for readers */
    uint64_t pages;
    _Atomic(struct memfs_map_page *) page[];
};

struct memfs_chunkmap {
    _Atomic(struct memfs_map_root *) root;
};

/* Empty, without any memory. */
void memfs_chunkmap_init(struct memfs_chunkmap *map);

/* A chunk that is there. */
static inline void *memfs_chunkmap_at(const struct memfs_chunkmap *map, uint64_t chunk)
{
    const struct memfs_map_root *root = atomic_load(&map->root);
    const struct memfs_map_page *page = atomic_load(&root->page[chunk >> MEMFS_MAP_SHIFT]);
    return atomic_load(&page->chunks[chunk & (MEMFS_MAP_PAGE - 1)]);
}

/* A chunk, or NULL. */
static inline void *memfs_chunkmap_get(const struct memfs_chunkmap *map, uint64_t chunk)
{
    const struct memfs_map_root *root = atomic_load(&map->root);
    return chunk >> MEMFS_MAP_SHIFT < root->pages ? memfs_chunkmap_at(map, chunk) : NULL;
}

/* Memory for roots and pages; as memfs_allocator, but may be an arena. */
typedef void *memfs_map_alloc(void *context, size_t size);

/* Makes the slot of a chunk exist, and room for it in the root: the slot, or NULL if
 * there is no memory. One caller at a time per map. */
_Atomic(void *) *memfs_chunkmap_reserve(struct memfs_chunkmap *map, uint64_t chunk, memfs_map_alloc *alloc,
                                        void *context);

/* Gives roots and pages back (not the chunks). */
void memfs_chunkmap_clear(struct memfs_chunkmap *map, void (*free)(void *context, void *memory, size_t size),
                          void *context);

#endif
