/*
 * What fuzz targets and the replay driver share.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Each target defines this: runs one input, returns 0. */
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

/* An image changed in its decoded parts, with all checksums right again. The
 * result is in *out (malloc's) and its length is returned; 0 if data is no image
 * that can be taken apart. Depends on data and seed alone. */
size_t fuzz_reseal(const uint8_t *data, size_t size, uint64_t seed, uint8_t **out);

#endif
