/*
 * The same for AFL++, as a library that it loads (AFL_CUSTOM_MUTATOR_LIBRARY).
 */
#include "fuzz.h"

#include <string.h>

void *afl_custom_init(void *afl, unsigned int seed);
size_t afl_custom_fuzz(void *state, uint8_t *data, size_t size, uint8_t **out, uint8_t *other, size_t other_size,
                       size_t max_size);
void afl_custom_deinit(void *state);

struct state {
    uint64_t seed;
    uint8_t *made; /* valid until the next call, as AFL++ asks */
};

void *afl_custom_init(void *afl, unsigned int seed)
{
    (void)afl;
    struct state *state = calloc(1, sizeof *state);
    if (state)
        state->seed = seed;
    return state;
}

size_t afl_custom_fuzz(void *context, uint8_t *data, size_t size, uint8_t **out, uint8_t *other, size_t other_size,
                       size_t max_size)
{
    (void)other;
    (void)other_size;
    struct state *state = context;
    free(state->made);
    state->made = NULL;
    size_t length = fuzz_change(data, size, fuzz_random(&state->seed), &state->made);
    if (length && length <= max_size) {
        *out = state->made;
        return length;
    }
    *out = data;
    return fuzz_mangle(data, size, fuzz_random(&state->seed));
}

void afl_custom_deinit(void *context)
{
    struct state *state = context;
    free(state->made);
    free(state);
}
