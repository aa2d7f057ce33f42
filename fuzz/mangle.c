/*
 * Inputs changed as they stand; checksums in them stay as they were.
 */
#include "fuzz.h"

#include <string.h>

size_t fuzz_mangle(uint8_t *data, size_t size, uint64_t seed)
{
    if (!size)
        return 0;
    uint64_t kind = fuzz_random(&seed) % 8;
    if (kind == 0)
        return fuzz_random(&seed) % size;
    if (kind == 1) {
        size_t from = fuzz_random(&seed) % size, to = fuzz_random(&seed) % size;
        size_t room = size - (from > to ? from : to);
        memmove(data + to, data + from, fuzz_random(&seed) % (room + 1));
        return size;
    }
    for (uint64_t n = 1 + fuzz_random(&seed) % 4; n; n--) {
        size_t at = fuzz_random(&seed) % size;
        if (kind < 5)
            data[at] ^= (uint8_t)(1u << fuzz_random(&seed) % 8);
        else
            data[at] = (uint8_t)fuzz_random(&seed);
    }
    return size;
}
