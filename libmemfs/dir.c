#include "dir.h"

#include "dir_hash.h"
#include "name.h"

#include <errno.h>
#include <string.h>

/* ---- The state of a directory, changed or not ---- */

static struct dir_record state_of(const memfs *fs, const struct memfs_node_record *dir)
{
    if (!(dir->mode & MEMFS_NODE_CHANGED))
        return (struct dir_record){.first = dir->run.first, .count = dir->run.count};
    return *(const struct dir_record *)table_resident(fs, MEMFS_DIRS, dir->run.first);
}

uint64_t dir_count(const memfs *fs, const struct memfs_node_record *dir)
{
    const struct dir_record state = state_of(fs, dir);
    return (uint64_t)state.count - state.removed + state.inserted;
}

static uint32_t delta_entry(const memfs *fs, uint32_t delta)
{
    return (uint32_t)fs->tables[MEMFS_ENTRIES].base_count + delta;
}

static int entry_is_delta(const memfs *fs, uint32_t entry)
{
    return entry >= fs->tables[MEMFS_ENTRIES].base_count;
}

static uint32_t entry_delta(const memfs *fs, uint32_t entry)
{
    return entry - (uint32_t)fs->tables[MEMFS_ENTRIES].base_count;
}

/* ---- Names ---- */

int dir_name_measure(memfs_node dir, const char *text, struct dir_name *out)
{
    size_t length;
    int r = name_measure(text, &length);
    if (r == 0)
        dir_name_init(out, node_number(dir), text, length);
    return r;
}

static void need_hash(const memfs *fs, struct dir_name *name)
{
    if (!name->hash)
        name->hash = dir_hash_name(fs, name->dir, name->text, name->length);
}

/* ---- Finding ---- */

static int base_entry(struct op *op, uint32_t number, const struct memfs_entry **entry, const char **name)
{
    const void *chunk = NULL;
    int r = table_chunk(op, MEMFS_ENTRIES, number, &chunk);
    if (r)
        return r;
    *entry = (const struct memfs_entry *)chunk + (number & (MEMFS_CHUNK_RECORDS - 1));
    *name = memfs_entry_name(chunk, *entry);
    return 0;
}

static void found_in_base(struct found *out, uint32_t number, const struct memfs_entry *entry, const char *name)
{
    *out = (struct found){
        .entry = number, .node = entry->node, .type = entry->type, .length = entry->length, .name = name};
}

/* A run starts with its first entry, and no other starts within it: or it is
 * (in part) the run of another directory. */
static int check_run(const struct dir_record *state, uint32_t number, const struct memfs_entry *entry)
{
    return entry->starts_run == (number == state->first) ? 0 : MEMFS_ECORRUPT;
}

/* The order of a name and that of an entry. */
static int compare(const char *name, size_t length, uint32_t prefix, const void *chunk, const struct memfs_entry *entry)
{
    if (prefix != entry->prefix)
        return prefix < entry->prefix ? -1 : 1;
    return memfs_name_compare(name, length, memfs_entry_name(chunk, entry), entry->length);
}

/* By bisection of the base run; its last steps are in one chunk. */
static int find_in_run(struct op *op, const struct dir_record *state, const struct dir_name *name, struct found *out)
{
    uint32_t prefix = memfs_name_prefix(name->text, name->length);
    uint32_t low = state->first, high = low + state->count, chunk_number = 0;
    const void *chunk = NULL;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (!chunk || middle >> MEMFS_CHUNK_SHIFT != chunk_number) {
            int r = table_chunk(op, MEMFS_ENTRIES, middle, &chunk);
            if (r)
                return r;
            chunk_number = middle >> MEMFS_CHUNK_SHIFT;
        }
        const struct memfs_entry *entry = (const struct memfs_entry *)chunk + (middle & (MEMFS_CHUNK_RECORDS - 1));
        int order = compare(name->text, name->length, prefix, chunk, entry);
        if (order == 0) {
            found_in_base(out, middle, entry, memfs_entry_name(chunk, entry));
            return check_run(state, middle, entry);
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return -ENOENT;
}

/* What the deltas make of a base entry that was found: -ENOENT if it was removed. */
static int apply_override(const memfs *fs, uint32_t dir, const struct dir_record *state, struct found *found)
{
    uint32_t number;
    const struct delta *delta = NULL;
    if (state->removed + state->replaced != 0)
        delta = dir_hash_find_override(fs, dir, found->entry, &number);
    if (!delta)
        return 0;
    if (delta->type == 0)
        return -ENOENT;
    found->node = delta->prev;
    found->type = delta->type;
    return 0;
}

static void found_in_deltas(const memfs *fs, uint32_t number, const struct delta *delta, struct found *out)
{
    *out = (struct found){.entry = delta_entry(fs, number),
                          .node = delta->node,
                          .type = delta->type,
                          .length = delta->length,
                          .name = delta_text(fs, delta)};
}

/* Most directories that have changed have no base run, or what is looked for is new:
 * the hash table alone answers, and the record need not be read. */
static int find_entry(struct op *op, const struct memfs_node_record *record, struct dir_name *name, struct found *out)
{
    if (record->mode & MEMFS_NODE_CHANGED) {
        uint32_t number;
        need_hash(op->fs, name);
        const struct delta *delta = dir_hash_find(op->fs, name, &number);
        if (delta) {
            found_in_deltas(op->fs, number, delta, out);
            return 0;
        }
    }
    const struct dir_record state = state_of(op->fs, record);
    int r = state.count ? find_in_run(op, &state, name, out) : -ENOENT;
    return r ? r : apply_override(op->fs, name->dir, &state, out);
}

/* The step from an entry to its node: they must agree on the type, and a
 * directory must name the way by which it was reached. That leaves each
 * directory one way in, and no way round. */
static int check_step(struct op *op, uint32_t dir, const struct found *found, const struct memfs_node_record **node)
{
    int r = node_by_number(op, found->node, node);
    if (r)
        return r;
    if (node_type(*node) >> 12 != found->type)
        return MEMFS_ECORRUPT;
    if (node_is_dir(*node) &&
        ((*node)->up.parent != dir || (*node)->up.entry != found->entry || found->node == NODE_ROOT))
        return MEMFS_ECORRUPT;
    return 0;
}

int dir_find(struct op *op, const struct memfs_node_record *record, struct dir_name *name, struct found *out,
             const struct memfs_node_record **node)
{
    const struct memfs_node_record *found_node;
    int r = find_entry(op, record, name, out);
    if (r == 0)
        r = check_step(op, name->dir, out, &found_node);
    if (r == 0 && node)
        *node = found_node;
    return r;
}

void dir_prefetch(const memfs *fs, struct dir_name *name)
{
    need_hash(fs, name);
    dir_hash_prefetch(fs, name->hash);
}

uint64_t memfs_entries_most(const memfs *fs)
{
    return fs->tables[MEMFS_ENTRIES].base_count + table_count(&fs->tables[MEMFS_DELTAS]);
}

/* ---- Insertions by their number ---- */

const struct delta *dir_insertion(struct op *op, uint32_t entry)
{
    const struct delta *delta;
    if (!entry_is_delta(op->fs, entry) || table_get(op, MEMFS_DELTAS, entry_delta(op->fs, entry), &delta) != 0)
        return NULL;
    return delta;
}

const struct delta *dir_hint(struct op *op, uint64_t hash, uint32_t *entry)
{
    const memfs *fs = op->fs;
    const struct delta *delta;
    uint32_t insertion = 0;
    if (!hints_find(&fs->hints, hash, &insertion))
        return NULL;
    const uint32_t number = (uint32_t)fs->tables[MEMFS_DELTAS].start + insertion;
    if (table_get(op, MEMFS_DELTAS, number, &delta) != 0)
        return NULL;
    node_prefetch(fs, number + fs->node_ahead);
    memfs_prefetch(delta);
    memfs_prefetch((const char *)(delta + 1) - 1);
    if (entry)
        *entry = delta_entry(fs, number);
    return delta;
}

void dir_prefetch_content(const memfs *fs, uint32_t entry)
{
    page_hints_prefetch(&fs->page_hints, entry_delta(fs, entry) + fs->node_ahead);
}

void dir_set_hint(const memfs *fs, uint64_t hash, uint32_t entry)
{
    const uint64_t start = fs->tables[MEMFS_DELTAS].start;
    if (entry_is_delta(fs, entry) && entry_delta(fs, entry) >= start)
        hints_set(&fs->hints, hash, entry_delta(fs, entry) - (uint32_t)start);
}

int dir_entry_name(struct op *op, uint32_t number, const char **name, size_t *length)
{
    if (!entry_is_delta(op->fs, number)) {
        const struct memfs_entry *entry;
        int r = base_entry(op, number, &entry, name);
        if (r == 0)
            *length = entry->length;
        return r;
    }
    const struct delta *delta;
    int r = table_get(op, MEMFS_DELTAS, entry_delta(op->fs, number), &delta);
    if (r)
        return r;
    *length = delta->length;
    *name = delta_text(op->fs, delta);
    return 0;
}

/* ---- Iterating ---- */

/* A cursor below INSERTIONS is the next position in the base run. Above, it has
 * the order and the number of the last insertion seen. */
#define INSERTIONS ((uint64_t)1 << 62)
#define ORDER_MASK (((uint32_t)1 << 30) - 1)
#define NEAR 64u        /* numbers and orders behind a cursor's, where the next entry is looked for first */
#define STEPS_MAX 4096u /* entries that are passed over before readers make way */

static uint64_t insertion_cursor(uint32_t number, const struct delta *delta)
{
    return INSERTIONS | (uint64_t)(delta->order & ORDER_MASK) << 32 | number;
}

/* Names of a run ascend within a chunk, which was checked when it was loaded; and from the last of
 * one chunk to the first of the next: or a directory might have a name twice. */
static int check_seam(struct op *op, const struct dir_record *state, uint32_t number, const struct memfs_entry *entry,
                      const char *name)
{
    const struct memfs_entry *before;
    const char *name_before;
    if (number & (MEMFS_CHUNK_RECORDS - 1) || number == state->first)
        return 0;
    int r = base_entry(op, number - 1, &before, &name_before);
    if (r)
        return r;
    return memfs_name_compare(name_before, before->length, name, entry->length) < 0 ? 0 : MEMFS_ECORRUPT;
}

static int next_in_run(struct op *op, uint32_t dir, const struct dir_record *state, uint64_t *cursor, struct found *out)
{
    for (unsigned steps = 0; *cursor < state->count; steps++) {
        uint32_t number = state->first + (uint32_t)*cursor;
        const struct memfs_entry *entry;
        const char *name;
        if (steps == STEPS_MAX)
            return DIR_MORE;
        int r = base_entry(op, number, &entry, &name);
        if (r == 0)
            r = check_run(state, number, entry);
        if (r == 0)
            r = check_seam(op, state, number, entry, name);
        if (r)
            return r;
        found_in_base(out, number, entry, name);
        ++*cursor;
        if (apply_override(op->fs, dir, state, out) == 0)
            return 1;
    }
    return 0;
}

static int is_after(const struct delta *delta, uint32_t order)
{
    return ((delta->order - order) & ORDER_MASK) - 1 < ORDER_MASK / 2;
}

static const struct delta *insertion_at(const memfs *fs, uint32_t one_more)
{
    return table_resident(fs, MEMFS_DELTAS, one_more - 1);
}

/* 1 + the first insertion after an order that is there no more: from both ends of the list by turns, since either may
 * be near, whatever the orders say of what has gone. */
static uint32_t find_after(const memfs *fs, const struct dir_record *state, uint32_t order)
{
    uint32_t next = state->head, back = state->tail, found = 0;
    while (next && !is_after(insertion_at(fs, next), order)) {
        if (!is_after(insertion_at(fs, back), order))
            return found;
        found = back;
        back = insertion_at(fs, back)->prev;
        next = insertion_at(fs, next)->next;
    }
    return next;
}

/* The same, or 0: insertions that were made together are mostly neighbours, too. From one that came a little later it
 * is as few steps back. */
static uint32_t find_near(const struct op *op, uint32_t dir, uint32_t number, uint32_t order)
{
    for (uint32_t i = 1; i <= NEAR && table_has(op, MEMFS_DELTAS, (uint64_t)number + i); i++) {
        const struct delta *delta = insertion_at(op->fs, number + i + 1);
        uint32_t found = number + i + 1;
        if (delta->dir != dir || !delta->length || ((delta->order - order) & ORDER_MASK) - 1 >= NEAR)
            continue;
        while (delta->prev && is_after(insertion_at(op->fs, delta->prev), order)) {
            found = delta->prev;
            delta = insertion_at(op->fs, found);
        }
        return found;
    }
    return 0;
}

/* 1 + the insertion that follows the cursor's. */
static uint32_t after_cursor(const struct op *op, uint32_t dir, const struct dir_record *state, uint64_t cursor)
{
    uint32_t number = (uint32_t)cursor, order = (uint32_t)(cursor >> 32) & ORDER_MASK;
    if (!(cursor & INSERTIONS))
        return state->head;
    if (table_has(op, MEMFS_DELTAS, number)) {
        const struct delta *delta = insertion_at(op->fs, number + 1);
        if (delta->dir == dir && delta->length && (delta->order & ORDER_MASK) == order)
            return delta->next;
    }
    const uint32_t near = find_near(op, dir, number, order);
    return near ? near : find_after(op->fs, state, order);
}

static int next_entry(struct op *op, uint32_t dir, const struct dir_record *state, uint64_t *cursor, struct found *out)
{
    if (!(*cursor & INSERTIONS)) {
        int r = next_in_run(op, dir, state, cursor, out);
        if (r)
            return r;
    }
    const uint32_t next = after_cursor(op, dir, state, *cursor);
    if (next == 0)
        return 0;
    const struct delta *delta = insertion_at(op->fs, next);
    found_in_deltas(op->fs, next - 1, delta, out);
    *cursor = insertion_cursor(next - 1, delta);
    return 1;
}

int dir_next(struct op *op, uint32_t dir, const struct memfs_node_record *record, uint64_t *cursor, struct found *out,
             const struct memfs_node_record **node)
{
    const struct dir_record state = state_of(op->fs, record);
    uint64_t position = *cursor;
    int r = next_entry(op, dir, &state, &position, out);
    if (r == OP_MISS || r == DIR_MORE)
        *cursor = position; /* all before was hidden */
    if (r != 1)
        return r;
    r = check_step(op, dir, out, node);
    if (r)
        return r;
    *cursor = position;
    return 1;
}

int dir_is_new(uint64_t cursor, uint32_t end)
{
    return cursor & INSERTIONS && (((uint32_t)(cursor >> 32) - end) & ORDER_MASK) < ORDER_MASK / 2;
}

/* The order that the next insertion gets. */
struct end {
    memfs_node dir;
    uint32_t order;
};

static int read_end(struct op *op, void *argument)
{
    struct end *end = argument;
    const struct memfs_node_record *record;
    int r = node_get_dir(op, end->dir, &record);
    if (r == 0)
        end->order = state_of(op->fs, record).order;
    return r;
}

int dir_end(memfs *fs, memfs_node dir, uint32_t *out)
{
    struct end end = {.dir = dir};
    int r = op_read(fs, read_end, &end);
    *out = end.order;
    return r;
}

/* ---- Changing: reach ---- */

/* Makes the directory's node and record ready to be changed. */
static int reach_record(struct op *op, uint32_t dir, struct memfs_node_record **node)
{
    struct dir_record *record;
    int r = node_own(op, dir, node);
    if (r)
        return r;
    return (*node)->mode & MEMFS_NODE_CHANGED ? table_own(op, MEMFS_DIRS, (*node)->run.first, &record)
                                              : table_reserve(op, MEMFS_DIRS, 2);
}

static int own_delta(struct op *op, uint32_t one_more)
{
    struct delta *delta;
    return one_more ? table_own(op, MEMFS_DELTAS, one_more - 1, &delta) : 0;
}

int dir_reach_insert(struct op *op, struct dir_name *name, struct dir_insertion *out)
{
    struct memfs_node_record *node;
    uint64_t offset = 0;
    need_hash(op->fs, name);
    int r = reach_record(op, name->dir, &node);
    if (r == 0)
        r = own_delta(op, state_of(op->fs, node).tail);
    if (r == 0)
        r = dir_hash_reach_add(op, name->hash);
    if (r == 0 && name->length > DELTA_TEXT)
        r = heap_take(op, MEMFS_NAMES, name->text, name->length, &offset);
    if (r == 0) {
        out->name = name;
        out->offset = offset;
    }
    return r;
}

void dir_cancel_insert(memfs *fs, struct dir_insertion *insertion)
{
    if (insertion->name && insertion->name->length > DELTA_TEXT)
        heap_put(fs, MEMFS_NAMES, insertion->offset, insertion->name->length);
    insertion->name = NULL;
}

/* Own what a change of an insertion touches: itself, its neighbours in the list, its bucket. */
static int reach_unlink(struct op *op, uint32_t number)
{
    struct delta *delta;
    int r = table_own(op, MEMFS_DELTAS, number, &delta);
    if (r == 0)
        r = own_delta(op, delta->prev);
    if (r == 0)
        r = own_delta(op, delta->next);
    return r ? r : dir_hash_reach_drop(op, number);
}

int dir_reach_remove(struct op *op, uint32_t dir, const struct found *found)
{
    struct memfs_node_record *node;
    int r = reach_record(op, dir, &node);
    if (r)
        return r;
    return entry_is_delta(op->fs, found->entry) ? reach_unlink(op, entry_delta(op->fs, found->entry))
                                                : dir_hash_reach_override(op, dir, found->entry);
}

int dir_reach_replace(struct op *op, uint32_t dir, const struct found *found)
{
    struct delta *delta;
    struct memfs_node_record *node;
    int r = reach_record(op, dir, &node);
    if (r)
        return r;
    return entry_is_delta(op->fs, found->entry) ? table_own(op, MEMFS_DELTAS, entry_delta(op->fs, found->entry), &delta)
                                                : dir_hash_reach_override(op, dir, found->entry);
}

/* ---- Changing: commit ---- */

static struct dir_record *changed_record(memfs *fs, uint32_t dir)
{
    struct memfs_node_record *node = table_mutable(fs, MEMFS_NODES, dir);
    if (node->mode & MEMFS_NODE_CHANGED)
        return table_mutable(fs, MEMFS_DIRS, node->run.first);
    struct dir_record *record;
    uint32_t number = table_take(fs, MEMFS_DIRS, &record);
    record->first = node->run.first;
    record->count = node->run.count;
    node->mode |= MEMFS_NODE_CHANGED;
    node->run.first = number;
    node->run.count = 0;
    return record;
}

uint32_t dir_insert(memfs *fs, const struct dir_insertion *insertion, uint32_t node, uint32_t type)
{
    const struct dir_name *name = insertion->name;
    struct dir_record *record = changed_record(fs, name->dir);
    struct delta *delta;
    uint32_t number = table_take(fs, MEMFS_DELTAS, &delta);
    delta_set_name(delta, name, insertion->offset);
    delta->type = (uint8_t)type;
    delta->node = node;
    delta->dir = name->dir;
    delta->order = record->order++;
    delta->prev = record->tail;
    if (record->tail)
        ((struct delta *)table_mutable(fs, MEMFS_DELTAS, record->tail - 1))->next = number + 1;
    else
        record->head = number + 1;
    record->tail = number + 1;
    record->inserted++;
    dir_hash_add(fs, name->hash, number);
    fs->node_ahead = node - number;
    return delta_entry(fs, number);
}

static void remove_insertion(memfs *fs, struct dir_record *record, uint32_t number)
{
    struct delta *delta = table_mutable(fs, MEMFS_DELTAS, number);
    dir_hash_drop(fs, number);
    if (delta->prev)
        ((struct delta *)table_mutable(fs, MEMFS_DELTAS, delta->prev - 1))->next = delta->next;
    else
        record->head = delta->next;
    if (delta->next)
        ((struct delta *)table_mutable(fs, MEMFS_DELTAS, delta->next - 1))->prev = delta->prev;
    else
        record->tail = delta->prev;
    record->inserted--;
    if (delta->length > DELTA_TEXT)
        heap_put(fs, MEMFS_NAMES, delta_name(delta), delta->length);
    memset(delta, 0, sizeof *delta);
    table_put(fs, MEMFS_DELTAS, number);
}

/* The delta that stands for a base entry, made if there is none. */
static struct delta * override(memfs *fs, struct dir_record *record, uint32_t dir, uint32_t entry)
{
    struct delta *delta = dir_hash_override(fs, dir, entry);
    if (delta) {
        if (delta->type)
            record->replaced--;
        else
            record->removed--;
        return delta;
    }
    uint32_t number = table_take(fs, MEMFS_DELTAS, &delta);
    delta->node = entry;
    delta->dir = dir;
    dir_hash_add(fs, dir_hash_entry(fs, dir, entry), number);
    return delta;
}

void dir_remove(memfs *fs, uint32_t dir, uint32_t entry)
{
    struct dir_record *record = changed_record(fs, dir);
    if (entry_is_delta(fs, entry)) {
        remove_insertion(fs, record, entry_delta(fs, entry));
        return;
    }
    override(fs, record, dir, entry)->type = 0;
    record->removed++;
}

void dir_replace(memfs *fs, uint32_t dir, uint32_t entry, uint32_t node, uint32_t type)
{
    struct dir_record *record = changed_record(fs, dir);
    if (entry_is_delta(fs, entry)) {
        struct delta *delta = table_mutable(fs, MEMFS_DELTAS, entry_delta(fs, entry));
        delta->node = node;
        delta->type = (uint8_t)type;
        return;
    }
    struct delta *delta = override(fs, record, dir, entry);
    delta->type = (uint8_t)type;
    delta->prev = node;
    record->replaced++;
}

void dir_free(memfs *fs, struct memfs_node_record *node)
{
    /* Removals of base entries stay: their numbers are never used again. */
    if (node->mode & MEMFS_NODE_CHANGED)
        table_put(fs, MEMFS_DIRS, node->run.first);
}
