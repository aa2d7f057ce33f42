/*
 * Blocks on their way into an image: encoded, hashed, written front to back,
 * and remembered by their refs.
 */
#ifndef MEMFS_BLOCKS_H
#define MEMFS_BLOCKS_H

#include "codec.h"
#include "freeze.h"
#include "refs.h"
#include "root.h"
#include "rows.h"

struct memfs_blocks {
    struct memfs_freezing *job;
    const struct memfs_sink *sink;
    struct memfs_encoder *encoder;
    void *scratch;
    size_t scratch_bytes;
    uint64_t offset;                            /* bytes written */
    struct memfs_rows refs[MEMFS_IMAGE_TABLES]; /* struct memfs_ref, of level 0 */
    uint64_t raw_bytes, stored_bytes;           /* of the data blocks */
};

/* raw_most: of the largest block that will come. sink must live as long. -ENOMEM */
int memfs_blocks_begin(struct memfs_blocks *blocks, struct memfs_freezing *job, const struct memfs_sink *sink,
                       size_t raw_most);
void memfs_blocks_end(struct memfs_blocks *blocks); /* one that is all zeros is accepted */

/* Bytes that are no block. */
int memfs_blocks_write(struct memfs_blocks *blocks, const void *data, size_t length);

/* The next chunk of a table, or data block (MEMFS_DATA). -ENOMEM, the sink's errors. */
int memfs_blocks_add(struct memfs_blocks *blocks, unsigned table, const void *raw, size_t length);

/* Writes a table's ref chunks, level by level; out gets the top refs. */
int memfs_blocks_add_refs(struct memfs_blocks *blocks, unsigned table, struct memfs_root_table *out);

#endif
