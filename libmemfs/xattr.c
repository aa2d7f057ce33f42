#include "xattr.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* What a plan has taken for itself. */
#define TAKEN_NAME 1u
#define TAKEN_VALUE 2u

struct xattr_item {
    struct memfs_xattr record;
    unsigned taken;
    const struct xattr_edit *edit; /* in reach: where name or value come from, NULL if both stay */
};

int xattr_begins_with(const char *name, size_t length, const char *prefix)
{
    const size_t prefix_length = strlen(prefix);
    return length >= prefix_length && memcmp(name, prefix, prefix_length) == 0;
}

int xattr_is_privileged(const char *name, size_t length)
{
    return xattr_begins_with(name, length, "security.") || xattr_begins_with(name, length, "trusted.") ||
           xattr_begins_with(name, length, "system.");
}

/* ---- Walking over a set --------------------------------------------------- */

struct xattr_cursor xattr_cursor(const struct memfs_node_record *node)
{
    return (struct xattr_cursor){.next = node ? node->xattrs : 0};
}

int xattr_next(struct op *op, struct xattr_cursor *cursor, const struct memfs_xattr **out)
{
    if (!cursor->next)
        return 0;
    uint32_t number = cursor->next - 1;
    if (!table_has(op, MEMFS_XATTRS, number))
        return MEMFS_ECORRUPT;
    const struct memfs_xattr *record = NULL;
    int error = table_get(op, MEMFS_XATTRS, number, &record);
    if (error)
        return error;
    const char *name = NULL;
    if (record->name_length == 0 || record->value_length > MEMFS_XATTR_MAX)
        return MEMFS_ECORRUPT;
    error = heap_get(op, MEMFS_BLOBS, record->name, record->name_length, &name);
    if (error)
        return error;
    cursor->names_bytes += record->name_length + 1u;
    if (cursor->names_bytes > MEMFS_XATTR_LIST_MAX || memchr(name, 0, record->name_length) ||
        (cursor->name && memfs_name_compare(cursor->name, cursor->name_length, name, record->name_length) >= 0))
        return MEMFS_ECORRUPT;
    cursor->name = name;
    cursor->name_length = record->name_length;
    cursor->next = record->last ? 0 : number + 2;
    *out = record;
    return 1;
}

/* The record of a name: 0, -ENODATA, ... */
static int set_find(struct op *op, const struct memfs_node_record *node, const char *name,
                    const struct memfs_xattr **out)
{
    struct xattr_cursor cursor = xattr_cursor(node);
    size_t length = strlen(name);
    int more;
    while ((more = xattr_next(op, &cursor, out)) > 0) {
        int order = memfs_name_compare(cursor.name, cursor.name_length, name, length);
        if (order == 0)
            return 0;
        if (order > 0)
            return -ENODATA;
    }
    return more ? more : -ENODATA;
}

int xattr_find(struct op *op, const struct memfs_node_record *node, const char *name, const char **value, size_t *size)
{
    const struct memfs_xattr *record = NULL;
    int error = set_find(op, node, name, &record);
    if (error)
        return error;
    *value = "";
    *size = record->value_length;
    return *size ? heap_get(op, MEMFS_BLOBS, record->value, *size, value) : 0;
}

/* ---- Preparing a set -------------------------------------------------------- */

static int plan_add(struct op *op, struct xattr_plan *plan, const struct memfs_xattr *record,
                    const struct xattr_edit *edit)
{
    void *items = plan->items;
    int error =
        memfs_grow_array(&op->fs->allocator, &items, &plan->room, plan->count, plan->count + 1, sizeof *plan->items);
    plan->items = items;
    if (error)
        return error;
    plan->items[plan->count] = (struct xattr_item){.edit = edit};
    if (record)
        plan->items[plan->count].record = *record;
    plan->count++;
    return 0;
}

/* A record of the old set that an edit has met. */
static int plan_change(struct op *op, struct xattr_plan *plan, const struct memfs_xattr *old,
                       const struct xattr_edit *edit)
{
    struct memfs_xattr drop = *old, keep = *old;
    keep.value = keep.value_length = 0;
    if (edit->value)
        drop.name_length = 0;
    plan->dropped[plan->dropped_count++] = drop;
    return edit->value ? plan_add(op, plan, &keep, edit) : 0;
}

/* Merges the old set with the edits. */
static int plan_merge(struct op *op, const struct memfs_node_record *node, const struct xattr_edit *edits, size_t count,
                      struct xattr_plan *plan)
{
    struct xattr_cursor cursor = xattr_cursor(node);
    const struct memfs_xattr *old = NULL;
    size_t next = 0;
    int more;
    int error = 0;
    while (!error && (more = xattr_next(op, &cursor, &old)) != 0) {
        if (more < 0)
            return more;
        assert(old);
        int order = -1;
        while (!error && next < count) {
            order = memfs_name_compare(cursor.name, cursor.name_length, edits[next].name, strlen(edits[next].name));
            if (order <= 0)
                break;
            error = edits[next].value ? plan_add(op, plan, NULL, &edits[next]) : 0;
            next++;
        }
        if (!error && next < count && order == 0)
            error = plan_change(op, plan, old, &edits[next++]);
        else if (!error)
            error = plan_add(op, plan, old, NULL);
    }
    for (; !error && next < count; next++)
        error = edits[next].value ? plan_add(op, plan, NULL, &edits[next]) : 0;
    return error;
}

/* Stores new names and values. */
static int plan_store(struct op *op, struct xattr_plan *plan)
{
    size_t names_bytes = 0;
    for (size_t i = 0; i < plan->count; i++) {
        const struct xattr_item *item = &plan->items[i];
        names_bytes += 1 + (item->record.name_length ? item->record.name_length : strlen(item->edit->name));
    }
    if (names_bytes > MEMFS_XATTR_LIST_MAX)
        return -ENOSPC;
    int error = 0;
    for (size_t i = 0; !error && i < plan->count; i++) {
        struct xattr_item *item = &plan->items[i];
        if (!item->edit)
            continue;
        if (item->record.name_length == 0) {
            size_t length = strlen(item->edit->name);
            error = heap_take(op, MEMFS_BLOBS, item->edit->name, length, &item->record.name);
            if (error)
                return error;
            item->record.name_length = (uint8_t)length;
            item->taken |= TAKEN_NAME;
        }
        if (item->edit->size) {
            error = heap_take(op, MEMFS_BLOBS, item->edit->value, item->edit->size, &item->record.value);
            if (error)
                return error;
            item->record.value_length = (uint32_t)item->edit->size;
            item->taken |= TAKEN_VALUE;
        }
    }
    return 0;
}

/* Runs of 2^i records are kept for sets of the next smaller sizes. */
static unsigned run_shift(size_t count)
{
    unsigned shift = 0;
    while ((size_t)1 << shift < count)
        shift++;
    return shift;
}

int xattr_reach_edit(struct op *op, const struct memfs_node_record *node, const struct xattr_edit *edits, size_t count,
                     struct xattr_plan *plan)
{
    *plan = (struct xattr_plan){.active = 1};
    int error = plan_merge(op, node, edits, count, plan);
    if (!error)
        error = plan_store(op, plan);
    if (!error && plan->count && !op->fs->xattr_runs[run_shift(plan->count)])
        error = table_reserve(op, MEMFS_XATTRS, (uint32_t)1 << run_shift(plan->count));
    if (error)
        xattr_cancel(op->fs, plan);
    return error;
}

int xattr_reach_set(struct op *op, const struct memfs_node_record *node, const char *name, const void *value,
                    size_t size, uint32_t flags, struct xattr_plan *plan)
{
    const struct memfs_xattr *record = NULL;
    xattr_plan_init(plan);
    int error = set_find(op, node, name, &record);
    if (error == 0 && (flags & MEMFS_XATTR_CREATE))
        return -EEXIST;
    if (error == -ENODATA && value && !(flags & MEMFS_XATTR_REPLACE))
        error = 0;
    if (error)
        return error;
    struct xattr_edit edit = {name, value, size};
    return xattr_reach_edit(op, node, &edit, 1, plan);
}

void xattr_cancel(memfs *fs, struct xattr_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct xattr_item *item = &plan->items[i];
        if (item->taken & TAKEN_NAME)
            heap_put(fs, MEMFS_BLOBS, item->record.name, item->record.name_length);
        if (item->taken & TAKEN_VALUE)
            heap_put(fs, MEMFS_BLOBS, item->record.value, item->record.value_length);
    }
    memfs_free(&fs->allocator, plan->items, plan->room * sizeof *plan->items);
    xattr_plan_init(plan);
}

/* ---- Commit ------------------------------------------------------------------ */

/* No number of XATTRS is given back to its table, so that numbers taken in a row
 * follow each other. A free run's first record has 1 + the next one's number as its name. */
static uint32_t run_take(memfs *fs, size_t count)
{
    unsigned shift = run_shift(count);
    uint32_t first = 0;
    struct memfs_xattr *record = NULL;
    if (fs->xattr_runs[shift]) {
        first = fs->xattr_runs[shift] - 1;
        record = table_mutable(fs, MEMFS_XATTRS, first);
        fs->xattr_runs[shift] = (uint32_t)record->name;
        return first;
    }
    first = table_take(fs, MEMFS_XATTRS, &record);
    for (size_t i = 1; i < (size_t)1 << shift; i++)
        table_take(fs, MEMFS_XATTRS, &record);
    return first;
}

static void run_put(memfs *fs, uint32_t first, size_t count)
{
    unsigned shift = run_shift(count);
    struct memfs_xattr *record = table_mutable(fs, MEMFS_XATTRS, first);
    record->name = fs->xattr_runs[shift];
    fs->xattr_runs[shift] = first + 1;
}

static void item_put(memfs *fs, const struct memfs_xattr *record)
{
    if (record->name_length)
        heap_put(fs, MEMFS_BLOBS, record->name, record->name_length);
    if (record->value_length)
        heap_put(fs, MEMFS_BLOBS, record->value, record->value_length);
}

/* Frees the run of a set of our own; with its names and values, or without. */
static void set_free(memfs *fs, uint32_t set, int with_items)
{
    if (!set || set - 1 < fs->tables[MEMFS_XATTRS].start)
        return;
    uint32_t first = set - 1;
    size_t count = 0;
    const struct memfs_xattr *record = NULL;
    do {
        record = table_mutable(fs, MEMFS_XATTRS, first + count++);
        if (with_items)
            item_put(fs, record);
    } while (!record->last);
    run_put(fs, first, count);
}

void xattr_free(memfs *fs, struct memfs_node_record *node)
{
    set_free(fs, node->xattrs, 1);
    node->xattrs = 0;
}

void xattr_replace(memfs *fs, struct memfs_node_record *node, struct xattr_plan *plan)
{
    if (!plan->active)
        return;
    for (size_t i = 0; i < plan->dropped_count; i++)
        item_put(fs, &plan->dropped[i]);
    uint32_t set = 0;
    if (plan->count) {
        uint32_t first = run_take(fs, plan->count);
        for (size_t i = 0; i < plan->count; i++) {
            struct memfs_xattr *record = table_mutable(fs, MEMFS_XATTRS, first + i);
            *record = plan->items[i].record;
            record->last = i + 1 == plan->count;
        }
        set = first + 1;
    }
    set_free(fs, node->xattrs, 0);
    node->xattrs = set;
    memfs_free(&fs->allocator, plan->items, plan->room * sizeof *plan->items);
    xattr_plan_init(plan);
}
