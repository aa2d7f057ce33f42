#include "fs.h"

#include "dir_hash.h"
#include "extent.h"
#include "random.h"
#include "sized.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#ifndef CLOCK_REALTIME_COARSE
#define CLOCK_REALTIME_COARSE CLOCK_REALTIME
#endif

static int64_t read_clock(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t memfs_clock_realtime(void *context)
{
    (void)context;
    return read_clock(CLOCK_REALTIME);
}

int64_t memfs_clock_coarse(void *context)
{
    (void)context;
    return read_clock(CLOCK_REALTIME_COARSE);
}

int64_t fs_now(memfs *fs)
{
    return fs->clock ? fs->clock(fs->clock_context) : 0;
}

/* ---- Making ---- */

static int init_locks(memfs *fs)
{
    int r = -pthread_mutex_init(&fs->writer, NULL);
    if (r)
        return r;
    r = -pthread_mutex_init(&fs->gate_lock, NULL);
    if (r)
        goto no_gate_lock;
    r = -pthread_cond_init(&fs->gate_opened, NULL);
    if (r)
        goto no_gate;
    holds_init(&fs->holds);
    return 0;
no_gate:
    pthread_mutex_destroy(&fs->gate_lock);
no_gate_lock:
    pthread_mutex_destroy(&fs->writer);
    return r;
}

static void destroy_locks(memfs *fs)
{
    holds_destroy(&fs->holds, &fs->allocator);
    pthread_cond_destroy(&fs->gate_opened);
    pthread_mutex_destroy(&fs->gate_lock);
    pthread_mutex_destroy(&fs->writer);
}

/* Takes over from the base what does not stand in tables. */
static void stand_on(memfs *fs, memfs_backing *base)
{
    memfs_backing_retain(base);
    fs->base = base;
    fs->epochs = base->epochs;
    fs->layer = base->layers + 1;
    fs->nodes_in_use = base->nodes_in_use;
    const memfs *below = base->sealed;
    fs->outside = below ? below->outside : base;
    if (below) {
        memcpy(fs->seeds, below->seeds, sizeof fs->seeds);
        fs->buckets = below->buckets;
        fs->deltas = below->deltas;
    }
}

static int reach_root(struct op *op, void *argument)
{
    (void)argument;
    table_set_count(&op->fs->tables[MEMFS_NODES], NODE_ROOT); /* number 0 is never used */
    return table_reserve(op, MEMFS_NODES, 1);
}

static void commit_root(struct op *op, void *argument)
{
    const struct memfs_options *options = argument;
    uint32_t mode = options->root_mode ? options->root_mode & 07777 : 0755, number;
    node_take(op->fs, MEMFS_IFDIR | mode, options->root_uid, options->root_gid, fs_now(op->fs), &number)->nlink = 2;
}

static int init_fs(memfs *fs, const struct memfs_options *options)
{
    fs->clock = options->clock;
    fs->clock_context = options->clock_context;
    fs->layer = 1;
    dir_hash_seed(fs, memfs_random()); /* nothing that can be seen depends on it */
    arena_init(&fs->arena, &fs->allocator, options->capacity);
    if (options->backing)
        stand_on(fs, options->backing);
    else
        fs->epochs = &fs->own_epochs;
    for (int id = 0; id < MEMFS_TABLES; id++)
        table_init(&fs->tables[id], (enum memfs_table)id, fs->base);
    memfs_readers_join(fs->epochs, &fs->readers);
    if (fs->base)
        return 0;
    struct memfs_options root = *options;
    int r = op_write(fs, reach_root, commit_root, &root);
    atomic_store(&fs->changes, 0);
    return r;
}

int memfs_create(const struct memfs_options *given, memfs **out)
{
    struct memfs_options options;
    int r = memfs_sized_take(&options, sizeof options, given, NULL);
    if (r)
        return r;
    struct memfs_allocator allocator = memfs_allocator_or_default(options.allocator);
    memfs *fs = memfs_alloc_zeroed(&allocator, sizeof *fs);
    if (!fs)
        return -ENOMEM;
    fs->allocator = allocator;
    r = init_locks(fs);
    if (r)
        goto no_locks;
    r = memfs_epochs_init(&fs->own_epochs);
    if (r)
        goto no_epochs;
    r = init_fs(fs, &options);
    if (r) {
        memfs_destroy(fs);
        return r;
    }
    *out = fs;
    return 0;
no_epochs:
    destroy_locks(fs);
no_locks:
    memfs_free(&allocator, fs, sizeof *fs);
    return r;
}

void memfs_destroy(memfs *fs)
{
    if (!fs)
        return;
    struct memfs_allocator allocator = fs->allocator;
    memfs_readers_leave(fs->epochs, &fs->readers);
    hints_free(&fs->hints, &fs->arena);
    page_hints_free(&fs->page_hints, &fs->arena);
    arena_destroy(&fs->arena);
    memfs_epochs_destroy(&fs->own_epochs);
    destroy_locks(fs);
    extent_forget(fs);
    memfs_backing_release(fs->base);
    memfs_free(&allocator, fs, sizeof *fs);
}

static int read_statfs(struct op *op, void *argument)
{
    struct memfs_statfs *out = argument;
    out->nodes = op->fs->nodes_in_use;
    return 0;
}

int memfs_statfs(memfs *fs, struct memfs_statfs *out)
{
    *out = (struct memfs_statfs){.capacity = fs->arena.capacity, .changes = atomic_load(&fs->changes)};
    op_read(fs, read_statfs, out);
    /* The arena is the writer's: it also grows in reach. */
    pthread_mutex_lock(&fs->writer);
    out->private_bytes = fs->arena.used;
    pthread_mutex_unlock(&fs->writer);
    return 0;
}
