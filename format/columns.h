/*
 * Chunks of records, as they are in memory and as they are in an image: there
 * column by column, each column a tag byte and then a plane for each byte of
 * its width (all lowest bytes first). One table describes every column, and
 * drives both directions.
 */
#ifndef MEMFS_COLUMNS_H
#define MEMFS_COLUMNS_H

#include "layout.h"
#include "memfs.h"
#include "values.h"

/* Records in a chunk of a table (bytes for BLOBS): all of them but for the last
 * chunk; and how many chunks hold count of them. */
size_t memfs_chunk_capacity(unsigned table);
uint64_t memfs_chunk_total(unsigned table, uint64_t count);
/* Records (bytes) in one chunk of a table of count. chunk must exist. */
size_t memfs_chunk_records(unsigned table, uint64_t count, uint64_t chunk);

/* "nodes", "entries", ... "blocks", for messages. */
const char *memfs_table_name(unsigned table);

/* The raw bytes that count records of a table may take: exactly, but for
 * ENTRIES, whose names count too. table is below MEMFS_BACKED. */
size_t memfs_chunk_raw_least(enum memfs_table table, size_t count);
size_t memfs_chunk_raw_most(enum memfs_table table, size_t count);

/* Encodes a native chunk: count records (for ENTRIES found through their
 * `name`, relative to records; for BLOBS bytes; DIGESTS are uint64_t) into raw,
 * which has room for memfs_chunk_raw_most(). Returns the length. Records must
 * be legal; ctime, atime, generation and prefix are not stored. */
size_t memfs_chunk_encode(enum memfs_table table, const void *records, size_t count, void *raw);

/* The bytes of a native chunk that comes of raw_length raw bytes, which must be
 * between least and most. */
size_t memfs_chunk_native_bytes(enum memfs_table table, size_t raw_length, size_t count);

/* Decodes into native, of exactly memfs_chunk_native_bytes(). What the records
 * mean is left to memfs_check_chunk(). MEMFS_ECORRUPT with reason in words. */
int memfs_chunk_decode(enum memfs_table table, const void *raw, size_t raw_length, size_t count, void *native,
                       const char **reason);

/* ---- Refs ------------------------------------------------------------------ */

struct memfs_ref; /* refs.h */

/* The raw bytes of a ref chunk of count refs, exactly. */
size_t memfs_refs_raw_bytes(size_t count);
/* raw has room for memfs_refs_raw_bytes(), count is at most MEMFS_REFS_PER_CHUNK. */
void memfs_refs_encode(const struct memfs_ref *refs, size_t count, void *raw);
/* raw has memfs_refs_raw_bytes(). The refs themselves are checked by
 * memfs_ref_check(). */
int memfs_refs_decode(const void *raw, size_t count, struct memfs_ref *refs, const char **reason);

#endif
