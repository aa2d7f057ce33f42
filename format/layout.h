/*
 * The constants and limits of the format. FORMAT.md explains them; they bind
 * the writer as they bind the reader.
 */
#ifndef MEMFS_LAYOUT_H
#define MEMFS_LAYOUT_H

#include "records.h"

/* Header: fixed, at offset 0. Trailer: fixed, at the end. */
#define MEMFS_HEADER_BYTES 64u
#define MEMFS_TRAILER_BYTES 64u
#define MEMFS_MAGIC_BYTES 8u
#define MEMFS_HEADER_MAGIC "\x89MFS\r\n\x1a\n"
#define MEMFS_TRAILER_MAGIC "\x89MFT\r\n\x1a\n"

#define MEMFS_FORMAT_MAJOR 1u
#define MEMFS_FORMAT_MINOR 0u

#define MEMFS_HASH_XXH3 1u /* kind of hash: XXH3, 64 bits, seed 0 */
#define MEMFS_HASH_BYTES 8u

/* Features that this version knows, of those without which an image is not read; of the other classes it knows none. */
#define MEMFS_KNOWN_INCOMPATIBLE 0u

#define MEMFS_BLOCK_LEAST (1u << 16)               /* block size: a power of two from here */
#define MEMFS_BLOCK_SHIFT 24u                      /* of a place in a block */
#define MEMFS_BLOCK_MOST (1u << MEMFS_BLOCK_SHIFT) /* to here */
#define MEMFS_BLOCK_DEFAULT (1u << 20)

/* The tables of an image, in the file's order: those of enum memfs_table below
 * MEMFS_BACKED, then the data blocks, whose "chunk" i is block i. */
#define MEMFS_DATA 6u
#define MEMFS_IMAGE_TABLES 7u
_Static_assert(MEMFS_BACKED == (int)MEMFS_DATA, "the data blocks follow the tables");

/* The root. */
#define MEMFS_ROOT_BYTES_MAX 16384u
#define MEMFS_MESSAGE_MAX 4096u
#define MEMFS_GENERATIONS_MAX 32u  /* earlier generations that the root tells of */
#define MEMFS_GENERATION_BYTES 24u /* one of them, in the root */
#define MEMFS_TYPES 7u             /* regular, directory, symlink, fifo, socket, character, block */
#define MEMFS_ROOT_LEAST 224u      /* a root without message, generations and refs */

/* Trees of refs. */
#define MEMFS_REFS_SHIFT 7u
#define MEMFS_REFS_PER_CHUNK (1u << MEMFS_REFS_SHIFT)
#define MEMFS_REFS_TOP 16u   /* refs of a table that stand in the root, at most */
#define MEMFS_REFS_HEIGHT 4u /* levels of ref chunks of a table, at most */
#define MEMFS_REF_BYTES 32u  /* one ref in the root */

/* How a block is stored. */
#define MEMFS_CODEC_RAW 0u
#define MEMFS_CODEC_ZSTD 1u
#define MEMFS_WINDOW_SHIFT 24u
#define MEMFS_WINDOW_MAX (1u << MEMFS_WINDOW_SHIFT) /* of a zstd frame */

/* As far back as a writer finds equal parts by default, and a reader who goes in order keeps what it decoded. */
#define MEMFS_KEPT_BYTES ((uint64_t)128 << 20)

/* Records exist below these: indices have 32 bits, and one value is kept free. */
#define MEMFS_COUNT_MAX 0xffffffffu

#endif
