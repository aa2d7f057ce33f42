/*
 * An operation in progress. Each has two halves. *Reach* finds, checks and
 * reserves, and may fail, having changed nothing that can be observed; *commit*
 * cannot fail. Both run as callbacks of op_read() or op_write(), without any
 * lock that is held across a call to a backing: when reach meets a chunk that
 * is not resident it returns OP_MISS, the runner lets go of everything, loads,
 * pins, and calls reach again from its start.
 */
#ifndef MEMFS_OP_H
#define MEMFS_OP_H

#include "backing.h"

/* Never leaves the library. */
#define OP_MISS (-9999)
#define OP_BUSY (-9997)

/* What one operation keeps resident at most; beyond, it lets go of everything
 * and relies on the cache. Whoever may come by very many chunks remembers how
 * far it has got, or ends its section here. */
#define OP_PINS_MAX 128u
#define OP_PINS_MANY 32u /* time to end a section that can be continued */
/* Loads of one operation at most: MEMFS_ELIMIT. No honest tree needs so many. */
#define OP_LOADS_MAX (1u << 17)

struct op {
    memfs *fs;
    unsigned slot; /* as a reader; MEMFS_READER_SLOTS: none */
    /* What was missing when reach returned OP_MISS. */
    enum memfs_table miss_table;
    uint64_t miss_chunk;
    uint32_t loads;
    size_t pin_count;
    struct memfs_pin pins[OP_PINS_MAX]; /* what has been loaded for this operation */
};

/* Runs body as a reader: other readers and the writer's reach run beside it,
 * commits do not. body must not block, and must not keep pointers beyond its
 * return, and must be ready to be called again. Returns what it returned. */
typedef int op_body(struct op *op, void *argument);
int op_read(memfs *fs, op_body *body, void *argument);

/* Runs reach as the one writer, then, if it returned 0, commit with all readers
 * excluded. commit may be NULL. A positive result of reach means success with
 * nothing to commit; it is returned as 0. Increments fs->changes. */
typedef void op_commit(struct op *op, void *argument);
int op_write(memfs *fs, op_body *reach, op_commit *commit, void *argument);

/* The same if nobody else writes just now, else OP_BUSY at once. */
int op_write_if_free(memfs *fs, op_body *reach, op_commit *commit, void *argument);

/* Notes that a chunk is missing; returns OP_MISS. */
static inline int op_miss(struct op *op, enum memfs_table table, uint64_t chunk)
{
    op->miss_table = table;
    op->miss_chunk = chunk;
    return OP_MISS;
}

#endif
