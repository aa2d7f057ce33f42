/*
 * Blocks on their way into an image: pressed (encoded and hashed) by the pool's
 * threads, several at a time, written front to back by the caller, and
 * remembered by their refs.
 */
#ifndef MEMFS_BLOCKS_H
#define MEMFS_BLOCKS_H

#include "codec.h"
#include "freeze.h"
#include "refs.h"
#include "root.h"
#include "rows.h"

struct memfs_blocks;

/* One block that is being pressed. */
struct memfs_press {
    struct memfs_job work;
    struct memfs_blocks *blocks;
    struct memfs_ref *ref; /* where it is remembered */
    unsigned table;
    const void *raw;
    void *chunk;        /* room for a chunk's raw bytes; NULL: not made yet */
    void *scratch;      /* for stored bytes */
    const void *stored; /* that, or raw */
    int error;
};

struct memfs_blocks {
    struct memfs_freezing *job;
    const struct memfs_sink *sink;
    struct memfs_encoder **encoders; /* one a thread; NULL: not made yet */
    struct memfs_press *presses;
    size_t presses_count;
    size_t scratch_bytes;
    uint64_t added, written; /* blocks; those between are in the presses, block i in i % presses_count */
    uint64_t data_written;   /* data blocks among the written */
    uint64_t offset;         /* bytes written */
    struct memfs_rows refs[MEMFS_IMAGE_TABLES]; /* struct memfs_ref, of level 0 */
    uint64_t raw_bytes, stored_bytes;           /* of the data blocks */
};

/* Bytes that a press takes. */
size_t memfs_press_bytes(uint32_t block_size);

/* job has its pool; so many presses. sink must live as long. -ENOMEM */
int memfs_blocks_begin(struct memfs_blocks *blocks, struct memfs_freezing *job, const struct memfs_sink *sink,
                       size_t presses);
void memfs_blocks_end(struct memfs_blocks *blocks); /* one that is all zeros is accepted */

/* Bytes that are no block; all that were added have been written. */
int memfs_blocks_write(struct memfs_blocks *blocks, const void *data, size_t length);

/* The next chunk of a table, or data block (MEMFS_DATA). raw stays as it is until the
 * block has been written. -ENOMEM, -ECANCELED, the sink's errors. */
int memfs_blocks_add(struct memfs_blocks *blocks, unsigned table, const void *raw, size_t length);

/* Room for the raw bytes of the next chunk of a table, which is free again when it has
 * been written. -ENOMEM, -ECANCELED, the sink's errors. */
int memfs_blocks_room(struct memfs_blocks *blocks, void **out);

/* Writes those that are ready, without waiting; until so many data blocks are written;
 * until all blocks are. */
int memfs_blocks_write_ready(struct memfs_blocks *blocks);
int memfs_blocks_settle(struct memfs_blocks *blocks, uint64_t data_blocks);
int memfs_blocks_finish(struct memfs_blocks *blocks);

/* Writes a table's ref chunks, level by level; out gets the top refs. */
int memfs_blocks_add_refs(struct memfs_blocks *blocks, unsigned table, struct memfs_root_table *out);

#endif
