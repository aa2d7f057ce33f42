#include "means.h"

#include "ahead.h"
#include "blocks.h"
#include "parts.h"

#include <errno.h>

/* Per thread: one is worked on, and one or two are ready for it. */
#define PRESSES_PER_THREAD 2u
#define UNITS_PER_THREAD 4u

static uint64_t bytes_of(const struct memfs_freeze_options *options, const struct memfs_means *means)
{
    uint64_t bytes = (uint64_t)means->slabs * options->block_size;
    bytes += options->share == MEMFS_SHARE_PARTS ? memfs_parts_bytes(means->reach) : 0;
    bytes += means->presses * (uint64_t)memfs_press_bytes(options->block_size);
    bytes += means->units * (uint64_t)memfs_unit_bytes();
    return bytes + means->threads * (uint64_t)memfs_encoder_bytes(options->level, options->block_size);
}

static void set(const struct memfs_freeze_options *options, struct memfs_means *means, unsigned threads, size_t presses,
                size_t units)
{
    means->threads = threads;
    means->presses = presses;
    means->units = units;
    means->slabs = memfs_window_slabs(means->reach, options->block_size, presses);
}

int memfs_means_choose(const struct memfs_freeze_options *options, struct memfs_means *out, uint64_t *least)
{
    struct memfs_means means = {.reach = options->share == MEMFS_SHARE_PARTS ? options->window : 0};
    set(options, &means, 1, 1, 1);
    *least = bytes_of(options, &means);
    if (options->memory && *least > options->memory)
        return -EINVAL;
    unsigned threads = options->threads ? options->threads : 1;
    threads = threads < MEMFS_POOL_MAX ? threads : MEMFS_POOL_MAX;
    for (; threads > 0; threads--) {
        for (size_t ready = PRESSES_PER_THREAD; ready > 0; ready--) {
            set(options, &means, threads, threads * ready, threads * ready * (UNITS_PER_THREAD / PRESSES_PER_THREAD));
            if (!options->memory || bytes_of(options, &means) <= options->memory) {
                *out = means;
                return 0;
            }
        }
    }
    set(options, &means, 1, 1, 1);
    *out = means;
    return 0;
}
