/*
 * Images that are legal and small, and from which very much comes.
 */
#ifndef BOMBS_H
#define BOMBS_H

#include "testlib.h"

#define BOMB_BLOCKS 64u
#define BOMB_BLOCK_BYTES (1u << 24)

/* A file "file" of so many bytes, each an extent of its own: byte i is the last but i % 1000 of
 * block i % BOMB_BLOCKS. A block is one compressed frame of BOMB_BLOCK_BYTES; all together are
 * more than any cache of the project holds. */
void bomb_alternating(struct test_buffer *out, uint32_t extents);
uint8_t bomb_alternating_byte(uint64_t i); /* of the file */

/* A file "file" of BOMB_BLOCKS blocks of zeros that are stored as data. */
void bomb_zeros(struct test_buffer *out);

/* Directories "d" in each other. */
void bomb_deep(struct test_buffer *out, uint32_t levels);

#endif
