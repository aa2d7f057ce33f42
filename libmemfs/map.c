#include "map.h"

#include "page.h"

/* Index at a level: level 0 is the page itself. */
static uint64_t index_at(uint64_t page, unsigned level)
{
    return page >> (MAP_SHIFT * level);
}

static unsigned slot_at(uint64_t page, unsigned level)
{
    return (unsigned)(index_at(page, level) & (MAP_SLOTS - 1));
}

static unsigned height_for(uint64_t page)
{
    unsigned height = 0;
    while (index_at(page, height))
        height++;
    return height;
}

/* ---- Reach ---- */

/* A record, wherever it is: those of sealed filesystems are always resident, and are only looked at. */
static struct map_record *record_at(const memfs *fs, uint64_t slot)
{
    return (struct map_record *)(uintptr_t)table_resident(fs, MEMFS_MAPS, slot - 1);
}

void map_find(const memfs *fs, const struct content *content, uint64_t page, uint64_t *slot, uint64_t *end)
{
    unsigned level = content->height;
    uint64_t value = content->root;
    *slot = 0;
    *end = MAP_PAGES_END;
    if (value == 0 || index_at(page, level))
        return;
    while (level && value) {
        level--;
        value = record_at(fs, value)->slots[slot_at(page, level)];
    }
    *slot = value;
    *end = (index_at(page, level) + 1) << (MAP_SHIFT * level);
}

int map_reach_set(struct op *op, const struct content *content, uint64_t page, uint64_t previous, uint32_t *records)
{
    unsigned level = content->height, height = height_for(page);
    uint64_t value = content->root;
    if (height > level) {
        /* Above the old root come new ones; under them a path of its own. */
        unsigned known = previous == UINT64_MAX || height_for(previous) < level ? level : height_for(previous);
        *records += height > known ? height - known : 0;
        level = height;
        value = 0;
    }
    while (level && value) {
        struct map_record *map;
        int r = table_own(op, MEMFS_MAPS, value - 1, &map);
        if (r)
            return r;
        level--;
        value = map->slots[slot_at(page, level)];
    }
    for (; level; level--)
        *records += previous == UINT64_MAX || index_at(previous, level) != index_at(page, level);
    return 0;
}

int map_reach_cut(struct op *op, const struct content *content, uint64_t page)
{
    uint64_t value = content->root;
    if (index_at(page, content->height))
        return 0;
    for (unsigned level = content->height; level && value; level--) {
        struct map_record *map;
        int r = table_own(op, MEMFS_MAPS, value - 1, &map);
        if (r)
            return r;
        value = map->slots[slot_at(page, level - 1)];
    }
    return 0;
}

/* ---- Commit ---- */

static struct map_record *take(memfs *fs, uint64_t *slot)
{
    struct map_record *map;
    *slot = (uint64_t)table_take(fs, MEMFS_MAPS, &map) + 1;
    return map;
}

static void grow(memfs *fs, struct content_record *content)
{
    uint64_t below = content->root;
    if (below)
        take(fs, &content->root)->slots[0] = below;
    content->height++;
}

uint64_t map_set(memfs *fs, struct content_record *content, uint64_t page, uint64_t value)
{
    while (index_at(page, content->height))
        grow(fs, content);
    uint64_t *slot = &content->root;
    for (unsigned level = content->height; level; level--) {
        struct map_record *map = *slot ? record_at(fs, *slot) : take(fs, slot);
        slot = &map->slots[slot_at(page, level - 1)];
    }
    uint64_t before = *slot;
    *slot = value;
    if (content->root == 0)
        content->height = 0;
    return before;
}

static int64_t drop_slot(memfs *fs, uint64_t slot)
{
    int64_t weight = page_weight(slot);
    page_drop(fs, slot);
    return weight;
}

/* Drops everything below a slot of a level. */
static int64_t drop_tree(memfs *fs, uint64_t top, unsigned height)
{
    uint64_t value[MAP_HEIGHT_MAX + 1];
    unsigned next[MAP_HEIGHT_MAX + 1];
    int64_t weight = 0;
    value[height] = top;
    next[height] = 0;
    for (unsigned level = height; level <= height;) {
        if (level && value[level] && next[level] < MAP_SLOTS) {
            value[level - 1] = record_at(fs, value[level])->slots[next[level]++];
            next[--level] = 0;
            continue;
        }
        if (level && value[level])
            table_put(fs, MEMFS_MAPS, (uint32_t)(value[level] - 1));
        else if (value[level])
            weight += drop_slot(fs, value[level]);
        level++;
    }
    return weight;
}

int64_t map_cut(memfs *fs, struct content_record *content, uint64_t page)
{
    int64_t weight = 0;
    uint64_t *slot = &content->root;
    if (page == 0) {
        weight = drop_tree(fs, content->root, content->height);
        content->root = 0;
        content->height = 0;
        return weight;
    }
    if (index_at(page, content->height))
        return 0;
    for (unsigned level = content->height; level && *slot; level--) {
        struct map_record *map = record_at(fs, *slot);
        unsigned first = slot_at(page, level - 1);
        /* The slot that page is in stays, unless page is the first in it. */
        unsigned stays = (page & (((uint64_t)1 << (MAP_SHIFT * (level - 1))) - 1)) != 0;
        for (unsigned i = first + stays; i < MAP_SLOTS; i++) {
            if (map->slots[i] == 0)
                continue;
            weight += drop_tree(fs, map->slots[i], level - 1);
            map->slots[i] = 0;
        }
        if (!stays)
            break;
        slot = &map->slots[first];
    }
    return weight;
}
