#include "chunkmap.h"

#include <string.h>

static struct memfs_map_root *grow_root(struct memfs_chunkmap *map, uint64_t page, memfs_map_alloc *alloc,
                                        void *context)
{
    struct memfs_map_root *old = atomic_load(&map->root);
    uint64_t pages = old ? old->pages * 2 : 4;
    if (pages <= page)
        pages = page + 1;
    if (pages > SIZE_MAX / 2 / sizeof(void *))
        return NULL;
    struct memfs_map_root *root = alloc(context, sizeof *root + (size_t)pages * sizeof root->page[0]);
    if (!root)
        return NULL;
    root->older = old;
    root->pages = pages;
    for (uint64_t i = 0; i < pages; i++)
        atomic_init(&root->page[i], old && i < old->pages ? atomic_load(&old->page[i]) : NULL);
    atomic_store(&map->root, root);
    return root;
}

_Atomic(void *) *memfs_chunkmap_reserve(struct memfs_chunkmap *map, uint64_t chunk, memfs_map_alloc *alloc,
                                        void *context)
{
    uint64_t index = chunk >> MEMFS_MAP_SHIFT;
    struct memfs_map_root *root = atomic_load(&map->root);
    if (!root || index >= root->pages)
        root = grow_root(map, index, alloc, context);
    if (!root)
        return NULL;
    struct memfs_map_page *page = atomic_load(&root->page[index]);
    if (!page) {
        page = alloc(context, sizeof *page);
        if (!page)
            return NULL;
        for (unsigned i = 0; i < MEMFS_MAP_PAGE; i++)
            atomic_init(&page->chunks[i], NULL);
        atomic_store(&root->page[index], page);
    }
    return &page->chunks[chunk & (MEMFS_MAP_PAGE - 1)];
}

void memfs_chunkmap_clear(struct memfs_chunkmap *map, void (*free)(void *context, void *memory, size_t size),
                          void *context)
{
    struct memfs_map_root *root = atomic_load(&map->root);
    atomic_store(&map->root, NULL);
    for (uint64_t i = 0; root && i < root->pages; i++) {
        struct memfs_map_page *page = atomic_load(&root->page[i]);
        if (page)
            free(context, page, sizeof *page);
    }
    while (root) {
        struct memfs_map_root *older = root->older;
        free(context, root, sizeof *root + (size_t)root->pages * sizeof root->page[0]);
        root = older;
    }
}
