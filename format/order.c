#include "order.h"

#include "alloc.h"
#include "backing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_SHIFT 10
#define BATCH 64u
#define PAGE_SHIFT 12 /* numbers of a page of the map */
#define LISTED_SHIFT 16

/* New numbers by old ones. */
struct map {
    uint32_t **pages;
    size_t used, room;
};

/* One entry of the directory that is being visited. */
struct listed {
    memfs_node node;
    const char *name;
    uint8_t length, type;
};

struct walk {
    struct memfs_order *order;
    const struct memfs_allocator *allocator;
    struct map map;
    struct memfs_dirent *batch;
    struct memfs_rows names; /* bytes */
    struct listed *list;
    size_t count, room;
    uint64_t listed; /* entries of all directories until now */
};

void memfs_order_begin(struct memfs_order *order, struct memfs_freezing *job)
{
    order->job = job;
    memfs_rows_begin(&order->nodes, &job->allocator, sizeof(struct memfs_order_node), ROWS_SHIFT);
    memfs_entries_begin(&order->entries, &job->allocator);
}

void memfs_order_end(struct memfs_order *order)
{
    memfs_rows_end(&order->nodes);
    memfs_entries_end(&order->entries);
}

/* ---- The map ---------------------------------------------------------------- */

static uint32_t *map_place(struct walk *walk, memfs_node node)
{
    struct map *map = &walk->map;
    uint32_t number = (uint32_t)node;
    size_t page = number >> PAGE_SHIFT;
    if (page >= map->used) {
        void *array = map->pages;
        int error = memfs_grow_array(walk->allocator, &array, &map->room, map->used, page + 1, sizeof *map->pages);
        map->pages = array;
        if (error)
            return NULL;
        while (map->used <= page)
            map->pages[map->used++] = NULL;
    }
    if (!map->pages[page])
        map->pages[page] = memfs_alloc_zeroed(walk->allocator, sizeof(uint32_t) << PAGE_SHIFT);
    return map->pages[page] ? &map->pages[page][number & ((1u << PAGE_SHIFT) - 1)] : NULL;
}

static void map_free(struct walk *walk)
{
    struct map *map = &walk->map;
    for (size_t i = 0; i < map->used; i++)
        memfs_free(walk->allocator, map->pages[i], sizeof(uint32_t) << PAGE_SHIFT);
    memfs_free(walk->allocator, map->pages, map->room * sizeof *map->pages);
}

/* ---- One directory's entries, sorted ------------------------------------------- */

static int list_add(struct walk *walk, const struct memfs_dirent *entry)
{
    void *array = walk->list;
    int error =
        memfs_grow_array(walk->allocator, &array, &walk->room, walk->count, walk->count + 1, sizeof *walk->list);
    walk->list = array;
    if (error)
        return error;
    uint64_t at;
    char *name = memfs_rows_add_span(&walk->names, entry->name_length, &at);
    if (!name)
        return -ENOMEM;
    memcpy(name, entry->name, entry->name_length);
    walk->list[walk->count++] =
        (struct listed){entry->stat.node, name, entry->name_length, MEMFS_TYPE(entry->stat.mode)};
    return 0;
}

static int compare_listed(const void *a, const void *b)
{
    const struct listed *one = a, *other = b;
    return memfs_name_compare(one->name, one->length, other->name, other->length);
}

/* Directories that come from an image are sorted already. */
static void list_sort(struct walk *walk)
{
    for (size_t i = 1; i < walk->count; i++)
        if (compare_listed(&walk->list[i - 1], &walk->list[i]) > 0) {
            qsort(walk->list, walk->count, sizeof *walk->list, compare_listed);
            return;
        }
}

/* Room for the entries of one large directory is given back after it. */
static void list_clear(struct walk *walk)
{
    walk->names.count = 0;
    if (walk->room > (size_t)1 << LISTED_SHIFT) {
        memfs_rows_end(&walk->names);
        memfs_free(walk->allocator, walk->list, walk->room * sizeof *walk->list);
        walk->list = NULL;
        walk->room = 0;
    }
    walk->count = 0;
}

static int list_directory(struct walk *walk, memfs_node directory)
{
    struct memfs_freezing *job = walk->order->job;
    uint64_t cursor = 0;
    list_clear(walk);
    for (;;) {
        int64_t got = memfs_node_readdir(job->fs, NULL, directory, cursor, walk->batch, BATCH, 0);
        if (got <= 0) {
            list_sort(walk);
            return (int)got;
        }
        for (int64_t i = 0; i < got; i++) {
            int error = list_add(walk, &walk->batch[i]);
            if (error)
                return error;
        }
        cursor = walk->batch[got - 1].cursor;
        int error = memfs_freezing_progress(job, (uint64_t)got * (MEMFS_WORK_NODE / 4));
        if (error)
            return error;
    }
}

/* ---- Numbering -------------------------------------------------------------- */

static int number_node(struct walk *walk, memfs_node node, uint8_t type, uint32_t *out)
{
    struct memfs_order *order = walk->order;
    if (order->nodes.count >= MEMFS_COUNT_MAX)
        return memfs_freezing_fail(order->job, MEMFS_ELIMIT, "an image holds no more than %u nodes",
                                   MEMFS_COUNT_MAX - 1);
    uint32_t *place = map_place(walk, node);
    if (!place)
        return -ENOMEM;
    uint64_t number = order->nodes.count;
    struct memfs_order_node *record = memfs_rows_add(&order->nodes);
    if (!record)
        return -ENOMEM;
    record->number = (uint32_t)node;
    record->generation = (uint32_t)(node >> 32);
    record->type = type;
    record->nlink = type == MEMFS_TYPE(MEMFS_IFDIR) ? 2 : 0;
    *place = *out = (uint32_t)number;
    return 0;
}

/* A further entry that names a node which has its number. */
static int meet_again(struct walk *walk, uint32_t directory, uint32_t number, const struct listed *listed)
{
    struct memfs_freezing *job = walk->order->job;
    int error = memfs_freezing_unchanged(job);
    if (error)
        return error;
    const struct memfs_order_node *parent = memfs_order_at(walk->order, directory);
    const struct memfs_order_node *node = memfs_order_at(walk->order, number);
    if (listed->type == MEMFS_TYPE(MEMFS_IFDIR))
        return memfs_freezing_fail(job, MEMFS_ECORRUPT, "the directory \"%.*s\" in node %u has a second way in",
                                   (int)listed->length, listed->name, parent->number);
    if (listed->type != node->type)
        return memfs_freezing_fail(job, MEMFS_ECORRUPT, "the entry \"%.*s\" in node %u has type %u, its node has %u",
                                   (int)listed->length, listed->name, parent->number, listed->type, node->type);
    return 0;
}

/* Puts down one entry, and numbers what it names if that is new. */
static int put_entry(struct walk *walk, uint32_t directory, const struct listed *listed)
{
    struct memfs_order *order = walk->order;
    uint64_t entry = order->entries.rows.count;
    uint32_t *place = map_place(walk, listed->node);
    if (!place)
        return -ENOMEM;
    uint32_t number = *place;
    int is_directory = listed->type == MEMFS_TYPE(MEMFS_IFDIR);
    int error = 0;
    if (!number)
        error = number_node(walk, listed->node, listed->type, &number);
    else if (is_directory || memfs_order_at(order, number)->type != listed->type)
        error = meet_again(walk, directory, number, listed);
    if (error)
        return error;
    struct memfs_order_node *node = memfs_order_at(order, number);
    struct memfs_order_node *parent = memfs_order_at(order, directory);
    struct memfs_entry_row row = {.node = number, .length = listed->length, .type = listed->type};
    row.starts_run = parent->run.count == 0;
    error = memfs_entries_add(&order->entries, &row, listed->name);
    if (error == MEMFS_ELIMIT)
        return memfs_freezing_fail(order->job, error, "an image holds no more than %u entries", MEMFS_COUNT_MAX);
    if (error)
        return error;
    if (row.starts_run)
        parent->run.first = (uint32_t)entry;
    parent->run.count++;
    if (is_directory) {
        node->up.parent = directory;
        node->up.entry = (uint32_t)entry;
        parent->nlink++;
    } else {
        node->nlink++;
    }
    return 0;
}

/* No more have been listed than there are. */
static int check_listed(struct walk *walk)
{
    struct memfs_freezing *job = walk->order->job;
    walk->listed += walk->count;
    if (walk->listed <= memfs_entries_most(job->fs))
        return 0;
    const int error = memfs_freezing_unchanged(job);
    return error ? error
                 : memfs_freezing_fail(job, MEMFS_ECORRUPT,
                                       "several directories have the same entries: there are %llu in all",
                                       (unsigned long long)memfs_entries_most(job->fs));
}

static int visit(struct walk *walk, uint32_t directory)
{
    const struct memfs_order_node *node = memfs_order_at(walk->order, directory);
    struct memfs_freezing *job = walk->order->job;
    int error = list_directory(walk, memfs_order_handle(node));
    if (!error)
        error = check_listed(walk);
    if (error && !job->detail->error)
        return memfs_freezing_fail(job, error, "cannot read the directory that is node %u: %s", node->number,
                                   memfs_strerror(error));
    for (size_t i = 0; i < walk->count && !error; i++) {
        if (i && compare_listed(&walk->list[i - 1], &walk->list[i]) == 0)
            return memfs_freezing_fail(job, MEMFS_ECORRUPT, "the directory that is node %u has two entries \"%.*s\"",
                                       node->number, (int)walk->list[i].length, walk->list[i].name);
        error = put_entry(walk, directory, &walk->list[i]);
    }
    return error;
}

/* The next entry of a run, from `entry` on, that names a directory; 0: none. */
static uint32_t directory_in_run(const struct memfs_order *order, const struct memfs_order_node *node, uint64_t entry)
{
    uint64_t end = (uint64_t)node->run.first + node->run.count;
    for (; entry < end; entry++) {
        const struct memfs_entry_row *row = memfs_entries_at(&order->entries, entry);
        if (row->type == MEMFS_TYPE(MEMFS_IFDIR))
            return row->node;
    }
    return 0;
}

uint32_t memfs_order_next_directory(const struct memfs_order *order, uint32_t directory)
{
    const struct memfs_order_node *node = memfs_order_at(order, directory);
    uint64_t from = node->run.first;
    for (;;) {
        uint32_t found = directory_in_run(order, node, from);
        if (found || !node->up.parent)
            return found;
        from = (uint64_t)node->up.entry + 1;
        node = memfs_order_at(order, node->up.parent);
    }
}

int memfs_order_walk(struct memfs_order *order)
{
    struct walk walk = {.order = order, .allocator = &order->job->allocator};
    uint32_t directory = 0;
    int error = -ENOMEM;
    memfs_rows_begin(&walk.names, walk.allocator, 1, LISTED_SHIFT);
    walk.batch = memfs_alloc_array(walk.allocator, BATCH, sizeof *walk.batch);
    if (!walk.batch || !memfs_rows_add(&order->nodes))
        goto out;
    error = number_node(&walk, MEMFS_ROOT, MEMFS_TYPE(MEMFS_IFDIR), &directory);
    while (!error && directory) {
        error = visit(&walk, directory);
        if (!error)
            directory = memfs_order_next_directory(order, directory);
    }
out:
    memfs_rows_end(&walk.names);
    memfs_free(walk.allocator, walk.list, walk.room * sizeof *walk.list);
    memfs_free(walk.allocator, walk.batch, BATCH * sizeof *walk.batch);
    map_free(&walk);
    return error;
}

/* ---- Paths ---------------------------------------------------------------- */

char *memfs_order_path(const struct memfs_order *order, uint32_t directory, uint32_t entry, size_t *size)
{
    size_t length = memfs_entries_at(&order->entries, entry)->length;
    for (uint32_t up = directory; memfs_order_at(order, up)->up.parent; up = memfs_order_at(order, up)->up.parent)
        length += 1u + memfs_entries_at(&order->entries, memfs_order_at(order, up)->up.entry)->length;
    char *path = memfs_alloc(&order->job->allocator, length + 1);
    if (!path)
        return NULL;
    *size = length + 1;
    char *end = path + length;
    *end = 0;
    for (;;) {
        size_t name = memfs_entries_at(&order->entries, entry)->length;
        end -= name;
        memcpy(end, memfs_entries_name(&order->entries, entry), name);
        if (end == path)
            return path;
        *--end = '/';
        entry = memfs_order_at(order, directory)->up.entry;
        directory = memfs_order_at(order, directory)->up.parent;
    }
}

/* ---- Pruning -------------------------------------------------------------- */

/* For each item how many before it are dropped, and one further for the end. */
static int count_before(const struct memfs_order *order, uint64_t count, int entries, struct memfs_rows *before)
{
    uint32_t dropped = 0;
    for (uint64_t i = 0; i <= count; i++) {
        uint32_t *place = memfs_rows_add(before);
        if (!place)
            return -ENOMEM;
        *place = dropped;
        if (i < count)
            dropped += memfs_order_at(order, entries ? memfs_entries_at(&order->entries, i)->node : i)->dropped;
    }
    return 0;
}

static uint32_t less(const struct memfs_rows *before, uint32_t index)
{
    return index - *(const uint32_t *)memfs_rows_at(before, index);
}

/* The entries that stay, in a list of their own; the old one is given back on
 * the way. */
static int prune_entries(struct memfs_order *order, const struct memfs_rows *before)
{
    struct memfs_entries kept;
    memfs_entries_begin(&kept, &order->job->allocator);
    const char *name = NULL;
    uint8_t starts = 0;
    for (uint64_t i = 0; i < order->entries.rows.count; i++) {
        size_t length;
        if (i % MEMFS_CHUNK_RECORDS == 0) {
            if (i)
                memfs_entries_forget(&order->entries, (i >> MEMFS_CHUNK_SHIFT) - 1);
            name = memfs_entries_names(&order->entries, i >> MEMFS_CHUNK_SHIFT, &length);
        }
        struct memfs_entry_row row = *memfs_entries_at(&order->entries, i);
        starts |= row.starts_run;
        if (!memfs_order_at(order, row.node)->dropped) {
            row.node = less(before, row.node);
            row.starts_run = starts;
            starts = 0;
            int error = memfs_entries_add(&kept, &row, name);
            if (error) {
                memfs_entries_end(&kept);
                return error;
            }
        }
        name += row.length;
    }
    memfs_entries_end(&order->entries);
    order->entries = kept;
    return 0;
}

static void prune_nodes(struct memfs_order *order, const struct memfs_rows *nodes, const struct memfs_rows *entries)
{
    uint64_t kept = 1;
    for (uint64_t i = 1; i < order->nodes.count; i++) {
        struct memfs_order_node node = *memfs_order_at(order, i);
        if (node.dropped)
            continue;
        if (node.type == MEMFS_TYPE(MEMFS_IFDIR)) {
            uint32_t first = less(entries, node.run.first);
            node.run.count = less(entries, node.run.first + node.run.count) - first;
            node.run.first = node.run.count ? first : 0;
            node.up.entry = less(entries, node.up.entry);
            node.up.parent = less(nodes, node.up.parent);
        }
        *memfs_order_at(order, kept++) = node;
    }
    order->nodes.count = kept;
}

int memfs_order_prune(struct memfs_order *order)
{
    struct memfs_rows nodes, entries;
    memfs_rows_begin(&nodes, &order->job->allocator, sizeof(uint32_t), ROWS_SHIFT);
    memfs_rows_begin(&entries, &order->job->allocator, sizeof(uint32_t), ROWS_SHIFT);
    int error = count_before(order, order->nodes.count, 0, &nodes);
    if (!error)
        error = count_before(order, order->entries.rows.count, 1, &entries);
    if (!error)
        error = prune_entries(order, &nodes);
    if (!error)
        prune_nodes(order, &nodes, &entries);
    memfs_rows_end(&nodes);
    memfs_rows_end(&entries);
    return error;
}
