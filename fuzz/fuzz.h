/*
 * What fuzz targets, the mutators and the replay driver share.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "memfs.h"
#include "memfs_image.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* What a target's inputs are, so that they can be changed where it tells. */
enum fuzz_kind {
    FUZZ_BYTES,           /* anything: decisions, text */
    FUZZ_IMAGE,           /* an image */
    FUZZ_IMAGE_AND_BYTES, /* an image, and what is to be done with it */
    FUZZ_TWO_IMAGES
};

/* Each target defines these: runs one input, returns 0. */
extern const enum fuzz_kind fuzz_kind;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that must hold for every input. */
#define FUZZ_REQUIRE(condition, ...)                                                                                   \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: not so: %s: ", __FILE__, __LINE__, #condition);                                    \
            fprintf(stderr, __VA_ARGS__);                                                                              \
            fputc('\n', stderr);                                                                                       \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* ---- Inputs (input.c) ------------------------------------------------------ */

uint64_t fuzz_random(uint64_t *state); /* splitmix64 */

/* An input of two pieces ends with the length of the second one, in 4 bytes. One
 * that says something impossible, as an image alone does, has a first piece only. */
struct fuzz_pieces {
    const uint8_t *first, *second;
    size_t first_size, second_size;
};
struct fuzz_pieces fuzz_split(const uint8_t *data, size_t size);
/* Into malloc's memory; NULL if there is none. */
uint8_t *fuzz_join(const struct fuzz_pieces *pieces, size_t *size);

/* Decisions taken from bytes, one after the other; behind the end all are 0. */
struct fuzz_choices {
    const uint8_t *at, *end;
};
struct fuzz_choices fuzz_choices_of(const uint8_t *data, size_t size);
int fuzz_more(const struct fuzz_choices *choices);
uint32_t fuzz_below(struct fuzz_choices *choices, uint32_t limit); /* 0 to limit - 1; limit is at least 1 */
int fuzz_chance(struct fuzz_choices *choices, uint32_t percent);

/* How many inputs there were, and how many of them had all checksums right up to
 * the root. Told at the end if FUZZ_STATISTICS is set. */
void fuzz_count(int opened);

/* ---- Memory (memory.c) ----------------------------------------------------- */

/* An allocator that counts, and requires that little is live at a time. */
struct fuzz_memory {
    struct memfs_allocator hook;
    size_t live;
};
void fuzz_memory_begin(struct fuzz_memory *memory);
void fuzz_memory_end(const struct fuzz_memory *memory); /* requires that nothing is left */

/* Bytes that a sink took. Zeroed: none. */
struct fuzz_buffer {
    uint8_t *data;
    size_t size, room;
};
struct memfs_sink fuzz_buffer_sink(struct fuzz_buffer *buffer);

/* ---- Changes -------------------------------------------------------------------- */

/* An image changed in its decoded parts, with all checksums right again (reseal.c). The
 * result is in *out (malloc's) and its length is returned; 0 if data is no image
 * that can be taken apart. Depends on data and seed alone. */
size_t fuzz_reseal(const uint8_t *data, size_t size, uint64_t seed, uint8_t **out);
int fuzz_opens(const uint8_t *data, size_t size); /* but for its hashes */

/* Changes a few bytes, cuts, or moves a piece: as they stand (mangle.c). Returns the new
 * size, which is no larger. */
size_t fuzz_mangle(uint8_t *data, size_t size, uint64_t seed);

/* An input changed inside, by its target's kind (change.c): as fuzz_reseal(). 0 if bytes of it
 * are to be changed as they stand. */
size_t fuzz_change(const uint8_t *data, size_t size, uint64_t seed, uint8_t **out);

#endif
