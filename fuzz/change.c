/*
 * Inputs changed inside: images taken apart and sealed again, whatever stands
 * beside them left or changed as it stands.
 */
#include "fuzz.h"

#include <string.h>

#define BYTES_MOST 512u /* beside an image */

/* Other bytes beside an image: what was there changed, or with more behind. */
static size_t change_bytes(const struct fuzz_pieces *pieces, uint64_t seed, uint8_t **out)
{
    uint8_t bytes[BYTES_MOST];
    size_t size = pieces->second_size < sizeof bytes ? pieces->second_size : sizeof bytes;
    memcpy(bytes, pieces->second, size);
    if (size == 0 || fuzz_random(&seed) % 4 == 0) {
        size_t more = 1 + fuzz_random(&seed) % 48;
        for (; more && size < sizeof bytes; more--)
            bytes[size++] = (uint8_t)fuzz_random(&seed);
    } else {
        size = fuzz_mangle(bytes, size, fuzz_random(&seed));
    }
    struct fuzz_pieces changed = *pieces;
    changed.second = bytes;
    changed.second_size = size;
    *out = fuzz_join(&changed, &size);
    return *out ? size : 0;
}

/* One of two images; without a second one, the first one twice. */
static size_t change_image(const struct fuzz_pieces *pieces, int second, uint64_t seed, uint8_t **out)
{
    const int other_opens =
        second ? fuzz_opens(pieces->first, pieces->first_size) : fuzz_opens(pieces->second, pieces->second_size);
    if (fuzz_kind == FUZZ_TWO_IMAGES && pieces->second_size && !other_opens)
        return 0;
    struct fuzz_pieces changed = *pieces;
    if (second && !changed.second_size) {
        changed.second = pieces->first;
        changed.second_size = pieces->first_size;
    }
    uint8_t *resealed;
    size_t size = second ? fuzz_reseal(changed.second, changed.second_size, seed, &resealed)
                         : fuzz_reseal(changed.first, changed.first_size, seed, &resealed);
    if (!size)
        return 0;
    *(second ? &changed.second : &changed.first) = resealed;
    *(second ? &changed.second_size : &changed.first_size) = size;
    *out = fuzz_join(&changed, &size);
    free(resealed);
    return *out ? size : 0;
}

size_t fuzz_change(const uint8_t *data, size_t size, uint64_t seed, uint8_t **out)
{
    *out = NULL;
    if (fuzz_kind == FUZZ_BYTES)
        return 0;
    if (fuzz_kind == FUZZ_IMAGE)
        return fuzz_reseal(data, size, seed, out);
    const struct fuzz_pieces pieces = fuzz_split(data, size);
    const int second = fuzz_random(&seed) % 2 != 0;
    if (second && fuzz_kind == FUZZ_IMAGE_AND_BYTES && fuzz_opens(pieces.first, pieces.first_size))
        return change_bytes(&pieces, seed, out);
    return change_image(&pieces, second && fuzz_kind == FUZZ_TWO_IMAGES, seed, out);
}
