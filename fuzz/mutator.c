/*
 * The mutator that libFuzzer calls: mostly the structure-aware one, so that the
 * inputs get past the checksums, else the engine's own.
 */
#include "fuzz.h"

#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size); /* libFuzzer's */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    if (seed % 16 != 0) {
        uint8_t *resealed;
        size_t length = fuzz_reseal(data, size, seed, &resealed);
        if (length && length <= max_size) {
            memcpy(data, resealed, length);
            free(resealed);
            return length;
        }
        free(resealed);
    }
    return LLVMFuzzerMutate(data, size, max_size);
}
