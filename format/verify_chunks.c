/*
 * Each chunk alone: that it decodes, and that its records can be what they say. Several
 * threads load chunks ahead; findings come in order.
 */
#include "alloc.h"
#include "columns.h"
#include "pool.h"
#include "verify.h"

struct chunk {
    struct memfs_job job; /* first */
    struct memfs_image *image;
    enum memfs_table table;
    uint64_t number;
    struct memfs_pin pin; /* it stays where the parts that come next find it, if there is room */
    int error;
    struct memfs_detail detail;
};

/* Chunks in a ring: those from `taken` up to `made` are on their way. */
struct loading {
    struct memfs_verifying *v;
    struct chunk *ring;
    size_t room;
    uint64_t made, taken;
    unsigned table; /* of the chunk that comes next */
    uint64_t number;
};

static void load(struct memfs_job *job, unsigned worker)
{
    struct chunk *chunk = (struct chunk *)(void *)job;
    const void *data;
    (void)worker;
    chunk->error = memfs_image_load(chunk->image, chunk->table, chunk->number, &chunk->pin, &data, &chunk->detail);
}

static void submit(struct loading *l)
{
    const struct memfs_root *root = &l->v->image->root;
    while (l->made - l->taken < l->room && l->table < MEMFS_BACKED) {
        if (l->number >= memfs_chunk_total(l->table, root->table[l->table].count)) {
            l->table++;
            l->number = 0;
            continue;
        }
        struct chunk *chunk = &l->ring[l->made++ % l->room];
        *chunk = (struct chunk){
            .job.run = load, .image = l->v->image, .table = (enum memfs_table)l->table, .number = l->number++};
        memfs_pool_submit(l->v->pool, &chunk->job, 0);
    }
}

static int report(struct memfs_verifying *v, const struct chunk *chunk)
{
    if (chunk->error) {
        v->tables_broken = 1;
        if (memfs_verify_error(v, chunk->error, &chunk->detail))
            return 1;
    }
    if (chunk->table == MEMFS_NODES)
        v->progress.nodes += memfs_chunk_records(MEMFS_NODES, v->image->root.table[MEMFS_NODES].count, chunk->number) -
                             (chunk->number == 0);
    return memfs_verify_work(v, MEMFS_VERIFY_CHUNK);
}

static int load_all(struct loading *l)
{
    for (;;) {
        submit(l);
        if (l->taken == l->made)
            return 0;
        struct chunk *chunk = &l->ring[l->taken++ % l->room];
        memfs_pool_wait(l->v->pool, &chunk->job);
        memfs_image_ops.unpin(&l->v->image->backing, &chunk->pin);
        if (report(l->v, chunk))
            return 1;
    }
}

int memfs_verify_chunks(struct memfs_verifying *v)
{
    struct loading l = {.v = v, .room = 4 * (size_t)memfs_pool_threads(v->pool)};
    l.ring = memfs_alloc_array(&v->image->allocator, l.room, sizeof *l.ring);
    if (!l.ring)
        return memfs_verify_no_memory(v);
    const int stop = load_all(&l);
    memfs_pool_drain(v->pool);
    for (; l.taken < l.made; l.taken++)
        memfs_image_ops.unpin(&v->image->backing, &l.ring[l.taken % l.room].pin);
    memfs_free(&v->image->allocator, l.ring, l.room * sizeof *l.ring);
    return stop;
}
