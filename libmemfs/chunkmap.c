#include "chunkmap.h"

static const struct memfs_map_root empty_root;
static const struct memfs_map_page empty_page;

/* Pointers to what nobody writes to. */
static struct memfs_map_root *no_pages(void)
{
    return (struct memfs_map_root *)&empty_root;
}

static struct memfs_map_page *no_chunks(void)
{
    return (struct memfs_map_page *)&empty_page;
}

void memfs_chunkmap_init(struct memfs_chunkmap *map)
{
    atomic_init(&map->root, no_pages());
}

static struct memfs_map_root *grow_root(struct memfs_chunkmap *map, uint64_t page, memfs_map_alloc *alloc,
                                        void *context)
{
    struct memfs_map_root *old = atomic_load(&map->root);
    uint64_t pages = old->pages ? old->pages * 2 : 4;
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
        atomic_init(&root->page[i], i < old->pages ? atomic_load(&old->page[i]) : no_chunks());
    atomic_store(&map->root, root);
    return root;
}

_Atomic(void *) *memfs_chunkmap_reserve(struct memfs_chunkmap *map, uint64_t chunk, memfs_map_alloc *alloc,
                                        void *context)
{
    uint64_t index = chunk >> MEMFS_MAP_SHIFT;
    struct memfs_map_root *root = atomic_load(&map->root);
    if (index >= root->pages)
        root = grow_root(map, index, alloc, context);
    if (!root)
        return NULL;
    struct memfs_map_page *page = atomic_load(&root->page[index]);
    if (page == no_chunks()) {
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
    atomic_store(&map->root, no_pages());
    for (uint64_t i = 0; i < root->pages; i++) {
        struct memfs_map_page *page = atomic_load(&root->page[i]);
        if (page != no_chunks())
            free(context, page, sizeof *page);
    }
    while (root != no_pages()) {
        struct memfs_map_root *older = root->older;
        free(context, root, sizeof *root + (size_t)root->pages * sizeof root->page[0]);
        root = older;
    }
}
