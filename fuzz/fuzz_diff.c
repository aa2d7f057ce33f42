/*
 * Compares two images in process, as memfs diff does: names, attributes, contents.
 *
 * Properties: no crash, no leak, bounded memory; an image that is intact does not differ
 * from itself; the other way round the same differs; two intact images that do not
 * differ freeze to the same bytes.
 */
#include "diff/compare.h"
#include "diff/pairs.h"
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#define PAIRS_MOST 3000u
#define BYTES_MOST (4u << 20) /* compared in one input */

/* What memfs diff would say of a side goes nowhere; that it would is enough. */
void side_error(struct side *side, const char *path, int error)
{
    FUZZ_REQUIRE(error < 0 && error != -ENOMEM, "%d of %s", error, path ? path : "all");
    side->code = 1;
}

int side_lacks(const struct side *side, const char *path, enum memfs_problem_kind kind)
{
    (void)side;
    (void)path;
    (void)kind;
    return 0;
}

/* ---- One comparison ---------------------------------------------------------------- */

struct diff {
    struct side sides[2];
    struct compare compare;
    struct pairs pairs;
    struct compare_room room;
    uint64_t differences, hash; /* of all paths, and in what they differ */
    uint64_t met, bytes;
    int failed; /* something could not be read */
};

/* The sum of what is told of each, so that neither order matters. */
static void add(struct diff *diff, const struct pair *pair, unsigned differs)
{
    uint64_t state = (uint64_t)(pair->has == HAS_BOTH) << 32 | differs;
    for (size_t i = 0; i < pair->path_length; i++)
        state = state * 31 + (uint8_t)pair->path[i];
    diff->hash += fuzz_random(&state);
    diff->differences++;
}

static unsigned compare_both(struct diff *diff, const struct pair *pair)
{
    struct comparison comparison;
    struct side *const sides[2] = {&diff->sides[OLD], &diff->sides[NEW]};
    int failed = OLD;
    if (compare_pair(&diff->compare, pair, &comparison)) {
        diff->failed = 1;
        return 0;
    }
    if (comparison.unread && diff->bytes < BYTES_MOST && pair->stat[OLD].size < BYTES_MOST) {
        diff->bytes += pair->stat[OLD].size;
        int result = compare_contents(sides, pair->stat, &diff->room, &failed);
        diff->failed |= result < 0;
        comparison.differs |= result > 0 ? DIFFERS_CONTENTS : 0;
    } else if (comparison.unread) {
        diff->failed = 1; /* nothing is known */
    }
    compare_keep(&diff->compare, pair, &comparison);
    return comparison.differs;
}

static int visit(void *context, const struct pair *pair)
{
    struct diff *diff = context;
    if (++diff->met > PAIRS_MOST) {
        diff->failed = 1;
        return -1;
    }
    const unsigned differs = pair->has == HAS_BOTH ? compare_both(diff, pair) : 0;
    if (pair->has != HAS_BOTH || differs)
        add(diff, pair, differs);
    return pair->has == HAS_BOTH && pair_is_dir(pair, OLD) && pair_is_dir(pair, NEW) ? (int)HAS_BOTH : 0;
}

struct outcome {
    uint64_t differences, hash;
    int complete;
};

static struct outcome compare(memfs *old, memfs *new, uint64_t old_entries, uint64_t new_entries)
{
    static struct diff diff;
    diff = (struct diff){.sides = {{.name = "old", .fs = old, .entries = old_entries},
                                   {.name = "new", .fs = new, .entries = new_entries}}};
    for (int side = 0; side < 2; side++)
        diff.compare.sides[side] = diff.pairs.sides[side] = &diff.sides[side];
    diff.pairs.visit = visit;
    diff.pairs.context = &diff;
    const int result = pairs_walk(&diff.pairs, "/");
    const int complete = !result && !diff.failed && !diff.sides[OLD].code && !diff.sides[NEW].code;
    pairs_free(&diff.pairs);
    compare_room_free(&diff.room);
    compare_free(&diff.compare);
    return (struct outcome){diff.differences, diff.hash, complete};
}

/* ---- Two images --------------------------------------------------------------------- */

struct opened {
    memfs_image *image;
    memfs *fs;
    uint64_t entries;
    int intact;
};

static int open_image(struct opened *opened, struct fuzz_memory *memory, const uint8_t *data, size_t size)
{
    static struct memfs_image_info info;
    struct memfs_image_options image_options = {
        .size = sizeof image_options, .allocator = &memory->hook, .cache_bytes = 256u << 10};
    *opened = (struct opened){.fs = NULL};
    if (memfs_image_open_buffer(data, size, &image_options, &opened->image, NULL))
        return -1;
    struct memfs_options options = {
        .size = sizeof options, .allocator = &memory->hook, .backing = memfs_image_backing(opened->image)};
    opened->intact = memfs_verify(opened->image, NULL, NULL) == 0;
    if (memfs_image_info(opened->image, &info) == 0)
        opened->entries = info.entries;
    return memfs_create(&options, &opened->fs);
}

static void close_image(struct opened *opened)
{
    memfs_destroy(opened->fs);
    memfs_image_close(opened->image);
}

static void freeze(memfs *fs, struct fuzz_memory *memory, struct fuzz_buffer *buffer)
{
    struct memfs_freeze_options options = {
        .size = sizeof options, .allocator = &memory->hook, .level = 1, .block_size = 65536};
    struct memfs_sink sink = fuzz_buffer_sink(buffer);
    buffer->size = 0;
    const int error = memfs_freeze(fs, &sink, &options, NULL);
    FUZZ_REQUIRE(!error, "an intact image does not freeze: %s", memfs_strerror(error));
}

static void require_same_bytes(struct opened *images, struct fuzz_memory *memory)
{
    static struct fuzz_buffer buffers[2];
    for (int i = 0; i < 2; i++)
        freeze(images[i].fs, memory, &buffers[i]);
    FUZZ_REQUIRE(buffers[0].size == buffers[1].size && memcmp(buffers[0].data, buffers[1].data, buffers[0].size) == 0,
                 "images that do not differ freeze to other bytes");
}

static void compare_images(struct opened *images, struct fuzz_memory *memory)
{
    struct opened *old = &images[OLD], *new = &images[NEW];
    const struct outcome there = compare(old->fs, new->fs, old->entries, new->entries);
    const struct outcome back = compare(new->fs, old->fs, new->entries, old->entries);
    if (there.complete && back.complete)
        FUZZ_REQUIRE(there.differences == back.differences && there.hash == back.hash,
                     "%llu differences, and %llu the other way", (unsigned long long)there.differences,
                     (unsigned long long)back.differences);
    for (int i = 0; i < 2; i++) {
        if (!images[i].intact)
            continue;
        const struct outcome own = compare(images[i].fs, images[i].fs, images[i].entries, images[i].entries);
        FUZZ_REQUIRE(own.differences == 0, "an intact image differs from itself in %llu paths",
                     (unsigned long long)own.differences);
    }
    if (there.complete && !there.differences && old->intact && new->intact)
        require_same_bytes(images, memory);
}

const enum fuzz_kind fuzz_kind = FUZZ_TWO_IMAGES;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_pieces pieces = fuzz_split(data, size);
    struct fuzz_memory memory;
    fuzz_memory_begin(&memory);
    struct opened images[2];
    if (!pieces.second_size) {
        pieces.second = pieces.first;
        pieces.second_size = pieces.first_size;
    }
    const int old = open_image(&images[OLD], &memory, pieces.first, pieces.first_size);
    const int new = open_image(&images[NEW], &memory, pieces.second, pieces.second_size);
    fuzz_count(!old && !new);
    if (!old && !new)
        compare_images(images, &memory);
    close_image(&images[NEW]);
    close_image(&images[OLD]);
    fuzz_memory_end(&memory);
    return 0;
}
