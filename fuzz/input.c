/*
 * Inputs taken apart, and counted.
 */
#include "fuzz.h"

#include <string.h>

#define TAIL_BYTES 4u

uint64_t fuzz_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* ---- Pieces -------------------------------------------------------------------- */

struct fuzz_pieces fuzz_split(const uint8_t *data, size_t size)
{
    const struct fuzz_pieces whole = {.first = data, .first_size = size, .second = data + size};
    if (size < TAIL_BYTES)
        return whole;
    const uint8_t *tail = data + size - TAIL_BYTES;
    const size_t second = tail[0] | (size_t)tail[1] << 8 | (size_t)tail[2] << 16 | (size_t)tail[3] << 24;
    if (second > size - TAIL_BYTES)
        return whole;
    const size_t first = size - TAIL_BYTES - second;
    return (struct fuzz_pieces){.first = data, .first_size = first, .second = data + first, .second_size = second};
}

uint8_t *fuzz_join(const struct fuzz_pieces *pieces, size_t *size)
{
    *size = pieces->first_size + pieces->second_size + TAIL_BYTES;
    uint8_t *out = malloc(*size);
    if (!out)
        return NULL;
    memcpy(out, pieces->first, pieces->first_size);
    memcpy(out + pieces->first_size, pieces->second, pieces->second_size);
    for (unsigned i = 0; i < TAIL_BYTES; i++)
        out[*size - TAIL_BYTES + i] = (uint8_t)(pieces->second_size >> (8 * i));
    return out;
}

/* ---- Decisions ------------------------------------------------------------------ */

struct fuzz_choices fuzz_choices_of(const uint8_t *data, size_t size)
{
    return (struct fuzz_choices){.at = data, .end = data + size};
}

int fuzz_more(const struct fuzz_choices *choices)
{
    return choices->at < choices->end;
}

uint32_t fuzz_below(struct fuzz_choices *choices, uint32_t limit)
{
    uint32_t value = 0;
    for (uint32_t reach = 1; reach < limit && fuzz_more(choices); reach <<= 8) {
        value = value << 8 | *choices->at++;
        if (reach > UINT32_MAX >> 8)
            break;
    }
    return value % limit;
}

int fuzz_chance(struct fuzz_choices *choices, uint32_t percent)
{
    return fuzz_below(choices, 100) >= 100 - percent; /* behind the end: no */
}

/* ---- Counts ------------------------------------------------------------------------ */

static unsigned long long all_inputs, opened_inputs;

static void tell(void)
{
    if (all_inputs)
        fprintf(stderr, "statistics: %llu of %llu inputs got past the checksums, %.1f %%\n", opened_inputs, all_inputs,
                100.0 * (double)opened_inputs / (double)all_inputs);
}

void fuzz_count(int opened)
{
    if (all_inputs++ == 0 && getenv("FUZZ_STATISTICS"))
        (void)atexit(tell);
    opened_inputs += opened != 0;
}
