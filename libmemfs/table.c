#include "table.h"

#include <errno.h>
#include <string.h>

void table_init(struct table *table, enum memfs_table id, const memfs_backing *base)
{
    uint64_t chunk = (uint64_t)1 << table_shapes[id].shift;
    table->base_count = base ? base->count[id] : 0;
    /* The buckets' numbers have no gap: that is what makes them addresses. */
    table->start = id == MEMFS_BUCKETS ? table->base_count : (table->base_count + chunk - 1) & ~(chunk - 1);
    atomic_init(&table->count, table->start);
    memfs_chunkmap_init(&table->changed);
    table->first_ours = (table->start + chunk - 1) >> table_shapes[id].shift;
    table->our_room = 0;
    atomic_init(&table->our_count, 0);
    atomic_init(&table->ours, NULL);
    table->ready = table->start;
    table->free = table->free_count = 0;
}

/* Each filesystem's own numbers begin behind a gap, which holds no records. */
int table_has_below(const struct op *op, enum memfs_table id, uint64_t number)
{
    const memfs *fs = op->fs;
    while (number < fs->tables[id].start) {
        if (number >= fs->tables[id].base_count)
            return 0;
        if (!fs->base->sealed)
            return 1;
        fs = fs->base->sealed;
    }
    return number < table_count(&fs->tables[id]);
}

const void *table_peek_below(const memfs *fs, enum memfs_table id, uint64_t chunk)
{
    const void *changed = table_changed_chunk(fs, id, chunk);
    return changed || !fs->base ? changed : fs->base->ops->peek(fs->base, id, chunk);
}

int table_get_below(struct op *op, enum memfs_table id, uint64_t number, const void **out)
{
    const void *chunk = NULL;
    int r = table_chunk(op, id, number, &chunk);
    if (r == 0)
        *out = (const char *)chunk + table_place(id, number);
    return r;
}

int table_chunk(struct op *op, enum memfs_table id, uint64_t number, const void **out)
{
    if (!table_in_range(&op->fs->tables[id], number))
        return MEMFS_ECORRUPT;
    uint64_t chunk = number >> table_shapes[id].shift;
    *out = table_peek(op->fs, id, chunk);
    return *out ? 0 : op_miss(op, id, chunk);
}

/* ---- Private chunks ---- */

struct map_memory {
    struct arena *arena;
    int error;
};

static void *alloc_for_map(void *context, size_t size)
{
    struct map_memory *memory = context;
    void *out = NULL;
    memory->error = arena_alloc(memory->arena, size, &out);
    return memory->error ? NULL : out;
}

/* Bytes of the base's chunk: the last one of a backing from outside is short. */
static size_t base_bytes(const memfs *fs, enum memfs_table id, uint64_t chunk)
{
    const struct table_shape *shape = &table_shapes[id];
    uint64_t first = chunk << shape->shift, records = (uint64_t)1 << shape->shift;
    if (fs->outside && first < fs->outside->count[id] && fs->outside->count[id] - first < records)
        records = fs->outside->count[id] - first;
    return (size_t)records * shape->width;
}

/* Memory for a chunk, as a copy of `from` or zeroed. */
static int new_chunk(struct op *op, enum memfs_table id, uint64_t chunk, const void *from, void **out)
{
    const size_t bytes = (size_t)table_shapes[id].width << table_shapes[id].shift;
    const size_t known = from ? base_bytes(op->fs, id, chunk) : 0;
    int r = arena_alloc_chunk(&op->fs->arena, bytes, out);
    if (r)
        return r;
    if (known)
        memcpy(*out, from, known);
    memset((char *)*out + known, 0, bytes - known);
    return 0;
}

/* Makes a chunk private that holds numbers of the base. Readers may see it at once: it says what they saw before. */
static int make_private(struct op *op, enum memfs_table id, uint64_t chunk, void **out)
{
    memfs *fs = op->fs;
    struct map_memory memory = {.arena = &fs->arena};
    const void *from = fs->base->ops->peek(fs->base, id, chunk);
    if (!from)
        return op_miss(op, id, chunk);
    _Atomic(void *) *slot = memfs_chunkmap_reserve(&fs->tables[id].changed, chunk, alloc_for_map, &memory);
    if (!slot)
        return memory.error ? memory.error : -ENOMEM;
    int r = new_chunk(op, id, chunk, from, out);
    if (r == 0)
        atomic_store(slot, *out);
    return r;
}

/* Makes room for one more chunk of our own. */
static int grow_ours(struct arena *arena, struct table *table)
{
    void **ours = atomic_load(&table->ours), *memory = NULL;
    const uint64_t count = atomic_load(&table->our_count), room = table->our_room ? 2 * table->our_room : 4;
    if (count < table->our_room)
        return 0;
    if (room > SIZE_MAX / 2 / sizeof *ours)
        return -ENOMEM;
    int r = arena_alloc(arena, (size_t)room * sizeof *ours, &memory);
    if (r)
        return r;
    if (count)
        memcpy(memory, ours, (size_t)count * sizeof *ours);
    atomic_store(&table->ours, memory);
    table->our_room = room;
    return 0;
}

static int add_chunk(struct op *op, enum memfs_table id, uint64_t chunk, void **out)
{
    struct table *table = &op->fs->tables[id];
    const uint64_t count = atomic_load(&table->our_count);
    assert(chunk == table->first_ours + count);
    int r = grow_ours(&op->fs->arena, table);
    if (r == 0)
        r = new_chunk(op, id, chunk, NULL, out);
    if (r)
        return r;
    atomic_load(&table->ours)[count] = *out;
    atomic_store(&table->our_count, count + 1);
    return 0;
}

int table_own_chunk(struct op *op, enum memfs_table id, uint64_t number, void **out)
{
    const uint64_t chunk = number >> table_shapes[id].shift;
    *out = table_private_chunk(op->fs, id, chunk);
    if (*out)
        return 0;
    return chunk < op->fs->tables[id].first_ours ? make_private(op, id, chunk, out) : add_chunk(op, id, chunk, out);
}

int table_own_below(struct op *op, enum memfs_table id, uint64_t number, void **out)
{
    void *chunk = NULL;
    if (!table_in_range(&op->fs->tables[id], number))
        return MEMFS_ECORRUPT;
    int r = table_own_chunk(op, id, number, &chunk);
    if (r == 0)
        *out = (char *)chunk + table_place(id, number);
    return r;
}

/* The highest count a table may reach. */
static uint64_t count_max(const memfs *fs, enum memfs_table id)
{
    /* Numbers of entries go on from the base's entries to the deltas. */
    return id == MEMFS_DELTAS ? UINT32_MAX - fs->tables[MEMFS_ENTRIES].base_count : UINT32_MAX;
}

int table_make_ready(struct op *op, enum memfs_table id, uint64_t records)
{
    struct table *table = &op->fs->tables[id];
    const uint64_t most = count_max(op->fs, id), count = table_count(table);
    if (records > most || count > most - records)
        return MEMFS_ELIMIT;
    const uint64_t step = (uint64_t)1 << table_shapes[id].shift, last = count + records - 1;
    for (uint64_t number = count;; number += step) {
        void *chunk;
        int r = table_own_chunk(op, id, number < last ? number : last, &chunk);
        if (r)
            return r;
        if (number >= last)
            break;
    }
    table->ready = (last | (step - 1)) + 1;
    table->ready = table->ready < most ? table->ready : most;
    return 0;
}

void table_take_free(struct table *table, enum memfs_table id, char *record)
{
    const uint32_t generation = id == MEMFS_NODES ? ((struct memfs_node_record *)(void *)record)->generation : 0;
    memcpy(&table->free, record + table_shapes[id].link, sizeof table->free);
    table->free_count--;
    memset(record, 0, table_shapes[id].width);
    if (id == MEMFS_NODES)
        ((struct memfs_node_record *)(void *)record)->generation = generation;
}

void table_put(memfs *fs, enum memfs_table id, uint32_t number)
{
    struct table *table = &fs->tables[id];
    if (number < table->start)
        return;
    char *record = table_mutable(fs, id, number);
    memcpy(record + table_shapes[id].link, &table->free, sizeof table->free);
    table->free = number + 1;
    table->free_count++;
}
