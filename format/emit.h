/*
 * The tables of an image, its root and its trailer, from what the other stages
 * of freezing have found.
 */
#ifndef MEMFS_EMIT_H
#define MEMFS_EMIT_H

#include "attributes.h"
#include "blocks.h"
#include "contents.h"

/* Of the chunks of all tables. */
size_t memfs_emit_raw_most(void);

/* The header, with which an image begins. */
int memfs_emit_header(struct memfs_blocks *blocks);

/* The tables with their refs; fills root but for message and time. */
int memfs_emit_tables(struct memfs_blocks *blocks, const struct memfs_order *order,
                      const struct memfs_contents *contents, const struct memfs_attributes *attributes,
                      struct memfs_root *root);

/* Root and trailer, with which it ends. */
int memfs_emit_root(struct memfs_blocks *blocks, const struct memfs_root *root);

#endif
