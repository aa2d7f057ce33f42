#include "table.h"

#include <errno.h>

/* A sealed filesystem: its private chunks, and what it stands on. */
struct sealed {
    struct memfs_backing backing;
    memfs *fs;
};

static memfs *fs_of(memfs_backing *backing)
{
    return ((struct sealed *)backing)->fs;
}

static void destroy_sealed(memfs_backing *backing)
{
    struct sealed *sealed = (struct sealed *)backing;
    struct memfs_allocator allocator = sealed->fs->allocator;
    memfs_destroy(sealed->fs);
    memfs_free(&allocator, sealed, sizeof *sealed);
}

static const void *peek(memfs_backing *backing, enum memfs_table table, uint64_t chunk)
{
    return table_peek(fs_of(backing), table, chunk);
}

/* What is not private comes from below. */
static int load(memfs_backing *backing, enum memfs_table table, uint64_t chunk, struct memfs_pin *pin)
{
    memfs_backing *base = fs_of(backing)->base;
    return base ? base->ops->load(base, table, chunk, pin) : MEMFS_ECORRUPT;
}

static int read_block(memfs_backing *backing, uint32_t block, uint64_t start, void *buffer, size_t length)
{
    memfs_backing *base = fs_of(backing)->base;
    return base ? base->ops->read(base, block, start, buffer, length) : MEMFS_ECORRUPT;
}

static int view_block(memfs_backing *backing, uint32_t block, uint64_t start, size_t length, const void **data,
                      size_t *got, struct memfs_pin *pin)
{
    memfs_backing *base = fs_of(backing)->base;
    return base ? base->ops->view(base, block, start, length, data, got, pin) : MEMFS_ECORRUPT;
}

static int64_t seek_data(memfs_backing *backing, uint32_t block, uint64_t start, uint64_t length)
{
    memfs_backing *base = fs_of(backing)->base;
    return base && base->ops->seek_data ? base->ops->seek_data(base, block, start, length) : (int64_t)start;
}

static void unpin(memfs_backing *backing, struct memfs_pin *pin)
{
    memfs_backing *base = fs_of(backing)->base;
    base->ops->unpin(base, pin);
}

static const struct memfs_backing_ops sealed_ops = {
    .destroy = destroy_sealed,
    .peek = peek,
    .load = load,
    .read = read_block,
    .view = view_block,
    .seek_data = seek_data,
    .unpin = unpin,
};

int memfs_seal(memfs *fs, memfs_backing **out)
{
    if (holds_any(&fs->holds) || atomic_load(&fs->views))
        return -EBUSY;
    if (fs->layer > MEMFS_LAYERS_MAX) /* nobody could stand on it */
        return MEMFS_ELIMIT;
    struct sealed *sealed = memfs_alloc(&fs->allocator, sizeof *sealed);
    if (!sealed)
        return -ENOMEM;
    memfs_backing_init(&sealed->backing, &sealed_ops, fs->epochs);
    sealed->fs = fs;
    sealed->backing.sealed = fs;
    sealed->backing.layers = (unsigned)fs->layer;
    sealed->backing.blocks = fs->base ? fs->base->blocks : 0;
    sealed->backing.nodes_in_use = fs->nodes_in_use;
    for (int id = 0; id < MEMFS_TABLES; id++) {
        const struct table *table = &fs->tables[id];
        uint64_t count = table_count(table);
        sealed->backing.count[id] = count > table->start ? count : table->base_count;
    }
    *out = &sealed->backing;
    return 0;
}
