/*
 * libFuzzer's mutator: mostly changes that a target's inputs survive up to what it is
 * about (fuzz_change()), else the engine's own.
 */
#include "fuzz.h"

#include <string.h>

#define KEPT_MOST ((size_t)1 << 16)

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size); /* libFuzzer's */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

/* The last input that could be taken apart: it stands in for those that cannot, of which
 * a corpus has many, though nothing more comes of them. */
static struct {
    uint8_t data[KEPT_MOST];
    size_t size;
} kept;

static size_t change(const uint8_t *data, size_t size, uint64_t seed, uint8_t **out)
{
    size_t length = fuzz_change(data, size, seed, out);
    if (!length)
        return fuzz_change(kept.data, kept.size, seed, out);
    if (size <= sizeof kept.data) {
        memcpy(kept.data, data, size);
        kept.size = size;
    }
    return length;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    if (seed % 32 != 0) {
        uint8_t *changed;
        size_t length = change(data, size, seed, &changed);
        if (length && length <= max_size) {
            memcpy(data, changed, length);
            free(changed);
            return length;
        }
        free(changed);
    }
    return LLVMFuzzerMutate(data, size, max_size);
}
