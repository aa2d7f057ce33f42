/*
 * Blocks: raw bytes in, stored bytes out, and back. The only file that knows
 * zstd. All memory comes from the caller's allocator.
 */
#ifndef MEMFS_CODEC_H
#define MEMFS_CODEC_H

#include "memfs.h"

/* ---- Encoding ----------------------------------------------------------- */

struct memfs_encoder;

/* Bytes that an encoder takes for raw bytes of a length, about. */
size_t memfs_encoder_bytes(int level, size_t length);

/* level is zstd's, 1 to 19; for raw bytes of up to length_most. -ENOMEM, -EINVAL. One
 * thread at a time. */
int memfs_encoder_create(const struct memfs_allocator *allocator, int level, size_t length_most,
                         struct memfs_encoder **out);
void memfs_encoder_destroy(struct memfs_encoder *encoder); /* NULL is accepted */

/* Encodes length raw bytes (1 to length_most). scratch has room for
 * length bytes. *stored then points into scratch (MEMFS_CODEC_ZSTD, fewer
 * bytes than raw) or is raw itself (MEMFS_CODEC_RAW, as many). -ENOMEM. */
int memfs_encode(struct memfs_encoder *encoder, const void *raw, size_t length, void *scratch, const void **stored,
                 size_t *stored_length, uint8_t *codec);

/* ---- Decoding ----------------------------------------------------------- */

struct memfs_decoder;

/* One thread at a time. */
int memfs_decoder_create(const struct memfs_allocator *allocator, struct memfs_decoder **out);
void memfs_decoder_destroy(struct memfs_decoder *decoder); /* NULL is accepted */

/* Decodes the first `wanted` (at most raw_length) bytes of a block into out,
 * which has room for all: what is behind those wanted is anything afterwards.
 * With wanted == raw_length the whole of the stored bytes is checked. stored
 * must have had its hash verified. MEMFS_ECORRUPT with a text that lacks the
 * block's name, -ENOMEM. */
int memfs_decode(struct memfs_decoder *decoder, uint8_t codec, const void *stored, size_t stored_length,
                 size_t raw_length, void *out, size_t wanted, const char **reason);

#endif
