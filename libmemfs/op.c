#include "op.h"

#include "content.h"
#include "fs.h"

#include <sched.h>

/* ---- The gate between readers and commits ---- */

static void wait_for_gate(memfs *fs)
{
    pthread_mutex_lock(&fs->gate_lock);
    atomic_fetch_add(&fs->gate_waiters, 1);
    while (atomic_load(&fs->gate_closed))
        pthread_cond_wait(&fs->gate_opened, &fs->gate_lock);
    atomic_fetch_sub(&fs->gate_waiters, 1);
    pthread_mutex_unlock(&fs->gate_lock);
}

/* Readers show themselves first and then look at the gate; the writer closes it
 * first and then looks for readers. */
static void enter_as_reader(struct op *op)
{
    for (;;) {
        op->slot = memfs_reader_enter(op->fs->epochs, &op->fs->readers);
        if (!atomic_load(&op->fs->gate_closed))
            return;
        memfs_reader_exit(&op->fs->readers, op->slot);
        wait_for_gate(op->fs);
    }
}

static void close_gate(struct op *op)
{
    if (is_single_threaded()) {
        atomic_store_explicit(&op->fs->gate_closed, 1, memory_order_relaxed);
        return;
    }
    atomic_store(&op->fs->gate_closed, 1);
    const struct memfs_readers *readers = &op->fs->readers;
    /* Who uses a slot only from now on sees the gate closed. */
    for (uint32_t used = atomic_load(&readers->used); used;) {
        const unsigned slot = memfs_readers_next(&used);
        for (unsigned spins = 1; slot != op->slot && atomic_load(&readers->slots[slot].epoch); spins++) {
            if (spins % 64 == 0)
                sched_yield();
        }
    }
}

/* (Whoever waits is another thread.) */
static void open_gate(struct op *op)
{
    if (is_single_threaded()) {
        atomic_store_explicit(&op->fs->gate_closed, 0, memory_order_relaxed);
        return;
    }
    atomic_store(&op->fs->gate_closed, 0);
    if (atomic_load(&op->fs->gate_waiters)) {
        pthread_mutex_lock(&op->fs->gate_lock);
        pthread_cond_broadcast(&op->fs->gate_opened);
        pthread_mutex_unlock(&op->fs->gate_lock);
    }
}

/* ---- What is missing ---- */

static void unpin_all(struct op *op)
{
    for (size_t i = 0; i < op->pin_count; i++)
        op->fs->base->ops->unpin(op->fs->base, &op->pins[i]);
    op->pin_count = 0;
}

/* Without any lock: loads what was missing, and keeps it for the operation. */
static int load_missing(struct op *op)
{
    memfs_backing *base = op->fs->base;
    if (++op->loads > OP_LOADS_MAX)
        return MEMFS_ELIMIT;
    if (op->pin_count == OP_PINS_MAX)
        unpin_all(op);
    op->pins[op->pin_count] = (struct memfs_pin){.object = NULL};
    int r = base->ops->load(base, op->miss_table, op->miss_chunk, &op->pins[op->pin_count]);
    if (r == 0)
        op->pin_count++;
    return r;
}

/* ---- Running ---- */

static void start(struct op *op, memfs *fs)
{
    op->fs = fs;
    op->loads = 0;
    op->pin_count = 0;
}

int op_read(memfs *fs, op_body *body, void *argument)
{
    struct op op;
    int r;
    start(&op, fs);
    do {
        enter_as_reader(&op);
        r = body(&op, argument);
        memfs_reader_exit(&fs->readers, op.slot);
    } while (r == OP_MISS && (r = load_missing(&op)) == 0);
    unpin_all(&op);
    return r;
}

/* The writer has a slot so that what its base has resident stays; what is its own it frees itself. */
static void enter_as_writer(struct op *op)
{
    op->slot = op->fs->base ? memfs_reader_enter(op->fs->epochs, &op->fs->readers) : MEMFS_READER_SLOTS;
}

static void exit_as_writer(struct op *op)
{
    if (op->slot < MEMFS_READER_SLOTS)
        memfs_reader_exit(&op->fs->readers, op->slot);
}

/* One try, by whoever has locked `writer`, which is unlocked. */
static int try_write(struct op *op, op_body *reach, op_commit *commit, void *argument)
{
    memfs *fs = op->fs;
    content_collect(fs);
    fs->splitting = 0;
    fs->adding = 0;
    enter_as_writer(op);
    int r = reach(op, argument);
    if (r == 0 && commit) {
        close_gate(op);
        commit(op, argument);
        atomic_store_explicit(&fs->changes, atomic_load(&fs->changes) + 1, memory_order_release); /* the only writer */
        open_gate(op);
    }
    exit_as_writer(op);
    pthread_mutex_unlock(&fs->writer);
    return r;
}

/* By whoever has locked `writer`. */
static int run_write(memfs *fs, op_body *reach, op_commit *commit, void *argument)
{
    struct op op;
    start(&op, fs);
    int r = try_write(&op, reach, commit, argument);
    while (r == OP_MISS && (r = load_missing(&op)) == 0) {
        pthread_mutex_lock(&fs->writer);
        r = try_write(&op, reach, commit, argument);
    }
    unpin_all(&op);
    return r > 0 ? 0 : r;
}

int op_write(memfs *fs, op_body *reach, op_commit *commit, void *argument)
{
    pthread_mutex_lock(&fs->writer);
    return run_write(fs, reach, commit, argument);
}

/* Not 0 if another thread has it. Without other threads glibc takes a lock by a plain store, which trying does not. */
static int lock_if_free(memfs *fs)
{
    return is_single_threaded() ? pthread_mutex_lock(&fs->writer) : pthread_mutex_trylock(&fs->writer);
}

int op_write_if_free(memfs *fs, op_body *reach, op_commit *commit, void *argument)
{
    return lock_if_free(fs) ? OP_BUSY : run_write(fs, reach, commit, argument);
}
