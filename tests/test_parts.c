/*
 * Equal files and equal parts of files, found while freezing: what is found, that
 * it is confirmed by its bytes, and that the image does not depend on how many
 * threads found it.
 */
#include "alloc.h"
#include "memfs_image.h"
#include "parts.h"
#include "testlib.h"

#include <errno.h>
#include <string.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

static int freeze(memfs *fs, struct test_buffer *out, const struct memfs_freeze_options *options)
{
    struct memfs_sink sink = test_buffer_sink(out);
    struct memfs_detail detail = {0};
    out->length = 0;
    return memfs_freeze(fs, &sink, options, &detail);
}

/* Freezes, verifies, compares with what was frozen; returns the raw bytes of the blocks. */
static uint64_t freeze_and_compare(struct test_state *test, struct test_buffer *image,
                                   const struct memfs_freeze_options *options)
{
    memfs_image *opened = NULL;
    struct memfs_image_info info;
    struct memfs_detail detail = {0};
    assert_ok(freeze(test->fs, image, options));
    assert_ok(memfs_image_open_buffer(image->data, image->length, NULL, &opened, NULL));
    int error = memfs_verify(opened, NULL, &detail);
    if (error)
        print_error("verify: %s\n", detail.text);
    assert_ok(error);
    assert_ok(memfs_image_info(opened, &info));
    memfs_image_close(opened);
    memfs *thawed = test_thaw(test, image, 0);
    test_same_fs(thawed, test->fs, 0);
    memfs_destroy(thawed);
    return info.raw_bytes;
}

/* ---- Marks ---------------------------------------------------------------------- */

static void test_parts__marks_depend_on_64_bytes(void **state)
{
    (void)state;
    static struct memfs_gear gear;
    const size_t length = 100000;
    uint8_t *bytes = test_random_bytes(1, length);
    struct memfs_mark *marks = malloc(length * sizeof *marks), *others = malloc(length * sizeof *marks);
    memfs_gear_init(&gear);
    const size_t count = memfs_gear_marks(&gear, bytes, length, 0, marks);
    assert_in_range(count, length / 512, length / 128);
    /* From another start the same ones, from the first on that is 64 bytes behind it. */
    const size_t cut = 5000;
    const size_t other = memfs_gear_marks(&gear, bytes + cut, length - cut, 7, others);
    size_t first = 0;
    while (marks[first].at < cut + MEMFS_GEAR_BYTES)
        first++;
    for (size_t i = 0; i < other && i < count - first; i++) {
        const struct memfs_mark *theirs = &others[other - 1 - i], *ours = &marks[count - 1 - i];
        assert_int_equal(theirs->hash, ours->hash);
        assert_int_equal(theirs->at - 7 + cut, ours->at);
    }
    assert_true(other + first >= count);
    free(bytes);
    free(marks);
    free(others);
}

static void test_parts__marks_are_apart(void **state)
{
    (void)state;
    static struct memfs_gear gear;
    static uint8_t bytes[MIB];
    static struct memfs_mark marks[MIB / MEMFS_MARKS_APART];
    memfs_gear_init(&gear);
    for (int byte = 0; byte < 256; byte += (int)test_step(17)) {
        memset(bytes, byte, sizeof bytes);
        const size_t count = memfs_gear_marks(&gear, bytes, sizeof bytes, 0, marks);
        assert_true(count <= sizeof marks / sizeof *marks);
        for (size_t i = 1; i < count; i++)
            assert_true(marks[i].at - marks[i - 1].at >= MEMFS_MARKS_APART);
    }
    assert_int_equal(memfs_gear_marks(&gear, bytes, MEMFS_GEAR_BYTES - 1, 0, marks), 0);
}

/* ---- What is found ----------------------------------------------------------------- */

/* Bytes put into another file, at another place, cost next to nothing. */
static void test_parts__moved_bytes_are_found(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    uint8_t *bytes = test_random_bytes(2, 3 * MIB), *other = test_random_bytes(3, 3 * MIB);
    test_put(test->fs, "a", bytes, 3 * MIB);
    memcpy(other + 777, bytes + 12345, 100000);             /* forwards */
    memcpy(other + 200001, bytes + MIB - 50000, 100000);    /* over a block's end */
    memcpy(other + 2 * MIB - 100, other + 1500000, 300000); /* from the file itself */
    memcpy(other + MIB - 10, bytes + 2 * MIB, 5 * KIB);     /* over the end of what is read at once */
    test_put(test->fs, "b", other, 3 * MIB);
    const uint64_t shared = 100000 + 100000 + 300000 + 5 * KIB;
    struct memfs_freeze_options options = {.size = sizeof options};
    const uint64_t raw = freeze_and_compare(test, &image, &options);
    assert_in_range(raw, 6 * MIB - shared, 6 * MIB - shared + 8 * KIB);
    options.share = MEMFS_SHARE_FILES;
    assert_int_equal(freeze_and_compare(test, &image, &options), 6 * MIB);
    free(bytes);
    free(other);
    test_buffer_free(&image);
}

/* A part grows to the byte in both directions, and holes end it. */
static void test_parts__grow_to_the_byte(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    uint8_t *bytes = test_random_bytes(4, 64 * KIB), *other = test_random_bytes(5, 64 * KIB);
    test_put(test->fs, "a", bytes, 64 * KIB);
    memcpy(other + 10001, bytes + 20002, 30003);
    other[10000] = bytes[20001] ^ 1;
    other[10001 + 30003] = bytes[20002 + 30003] ^ 1;
    test_put(test->fs, "b", other, 64 * KIB);
    struct memfs_freeze_options options = {.size = sizeof options};
    assert_int_equal(freeze_and_compare(test, &image, &options), 2 * 64 * KIB - 30003);
    memset(other + 4 * 4096, 0, 4096);
    test_put(test->fs, "b", other, 64 * KIB);
    assert_int_equal(freeze_and_compare(test, &image, &options), 2 * 64 * KIB - 30003);
    free(bytes);
    free(other);
    test_buffer_free(&image);
}

/* What is further back than the window reaches is not found as a part; as a file it is. */
static void test_parts__window_reaches_so_far(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    uint8_t *bytes = test_random_bytes(6, 200 * KIB), *between = test_random_bytes(7, 300 * KIB);
    test_put(test->fs, "a", bytes, 200 * KIB);
    test_put(test->fs, "b", between, 300 * KIB);
    test_put(test->fs, "c", bytes, 200 * KIB - 1); /* equal parts */
    test_put(test->fs, "d", bytes, 200 * KIB);     /* an equal file */
    struct memfs_freeze_options options = {.size = sizeof options, .window = MIB};
    assert_int_equal(freeze_and_compare(test, &image, &options), 500 * KIB);
    options.window = 100 * KIB;
    options.block_size = 64 * KIB;
    assert_int_equal(freeze_and_compare(test, &image, &options), 700 * KIB - 1);
    free(bytes);
    free(between);
    test_buffer_free(&image);
}

/* ---- Hashes decide nothing ------------------------------------------------------------ */

struct collision {
    uint8_t one[MEMFS_GEAR_BYTES], other[MEMFS_GEAR_BYTES];
};

/* Among the first 64 MiB of test_random_bytes() of this seed: last bytes of marks, in pairs of equal hash (found by
 * sorting all marks by their hash, which takes a second; another table of gears needs other pairs). */
#define COLLIDING_SEED 8u
#define RANDOM_STEP 0x9e3779b97f4a7c15u /* of test_random_next(), from each byte to the next */
#define COLLISIONS (sizeof colliding / sizeof *colliding)
static const uint32_t colliding[][2] = {
    {7483791, 42879316}, {8824685, 14723012}, {22183359, 57311157}, {57946037, 63405532}};

/* The bytes of a mark there, without those before them: each takes one step of the generator. Returns its hash. */
static uint32_t bytes_of_mark(uint32_t end, uint8_t bytes[MEMFS_GEAR_BYTES])
{
    static struct memfs_gear gear;
    struct memfs_mark mark;
    const uint64_t first = end + 1 - MEMFS_GEAR_BYTES;
    struct test_random random = {.state = COLLIDING_SEED + first * RANDOM_STEP};
    test_random_fill(&random, bytes, MEMFS_GEAR_BYTES);
    memfs_gear_init(&gear);
    assert_int_equal(memfs_gear_marks(&gear, bytes, MEMFS_GEAR_BYTES, 0, &mark), 1);
    return mark.hash;
}

/* Different bytes with the same mark. */
static void find_collisions(struct collision found[COLLISIONS])
{
    for (size_t i = 0; i < COLLISIONS; i++) {
        const uint32_t one = bytes_of_mark(colliding[i][0], found[i].one);
        assert_int_equal(bytes_of_mark(colliding[i][1], found[i].other), one);
        assert_memory_not_equal(found[i].one, found[i].other, MEMFS_GEAR_BYTES);
    }
}

/* Files that differ in nothing but bytes of the same hash, in their middle or at their end. */
static void test_parts__rolling_hash_collides(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    static struct collision collisions[COLLISIONS];
    const size_t length = 40 * KIB;
    find_collisions(collisions);
    for (size_t i = 0; i < COLLISIONS; i++) {
        char path[3] = {(char)('a' + i), '1', 0};
        uint8_t *bytes = test_random_bytes(9 + i, length);
        memset(bytes + 1000, 'x', 2000); /* nothing but the collision marks what is around it */
        memcpy(bytes + 2000, collisions[i].one, MEMFS_GEAR_BYTES);
        memcpy(bytes + length - MEMFS_GEAR_BYTES, collisions[i].one, MEMFS_GEAR_BYTES);
        test_put(test->fs, path, bytes, length);
        memcpy(bytes + 2000, collisions[i].other, MEMFS_GEAR_BYTES);
        memcpy(bytes + length - MEMFS_GEAR_BYTES, collisions[i].other, MEMFS_GEAR_BYTES);
        path[1] = '2';
        test_put(test->fs, path, bytes, length);
        path[1] = '3';
        test_put(test->fs, path, bytes + 2000, MEMFS_GEAR_BYTES + 400);
        free(bytes);
    }
    struct memfs_freeze_options options = {.size = sizeof options};
    const uint64_t raw = freeze_and_compare(test, &image, &options);
    assert_true(raw < COLLISIONS * (length + 10 * KIB)); /* the rest is shared all the same */
    assert_true(raw >= COLLISIONS * (length + MEMFS_GEAR_BYTES));
    test_buffer_free(&image);
}

/* Marks wherever they can be, all of one hash: the time is linear all the same. */
static void test_parts__every_mark_is_the_same(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    uint8_t *bytes = malloc(4 * MIB);
    for (int byte = 1; byte < 256; byte += 51) {
        char path[8];
        memset(bytes, byte, 4 * MIB);
        for (size_t i = 0; i < 4 * MIB; i += 200) /* what is found is never long enough */
            bytes[i] = (uint8_t)(i / 200 + i / 51200);
        snprintf(path, sizeof path, "%d", byte);
        test_put(test->fs, path, bytes, 4 * MIB);
    }
    struct memfs_freeze_options options = {.size = sizeof options};
    freeze_and_compare(test, &image, &options);
    free(bytes);
    test_buffer_free(&image);
}

/* ---- The same bytes ---------------------------------------------------------------------- */

/* Small and large files, equal ones, parts of others, holes, and many that fit together. */
static void build_all(memfs *fs)
{
    struct test_random random = {.state = 10};
    uint8_t *bytes = test_random_bytes(11, 8 * MIB);
    char path[32];
    for (size_t i = 0; i < 8 * MIB; i++)
        bytes[i] &= 0x3f; /* so that compressing has something to do */
    const unsigned files = 400 / (unsigned)test_step(11);
    for (unsigned i = 0; i < files; i++) {
        const size_t start = (size_t)test_random_below(&random, 7 * MIB), most = i % 20 ? 30000 : 2 * MIB;
        size_t length = (size_t)test_random_below(&random, most);
        if (length > 8 * MIB - start)
            length = 8 * MIB - start;
        if (i % 50 == 0) {
            snprintf(path, sizeof path, "d%u", i / 50);
            assert_ok(memfs_mkdir(fs, NULL, path, 0755));
        }
        snprintf(path, sizeof path, "d%u/%03u", i / 50, i);
        test_put(fs, path, bytes + start, length);
        if (i % 7 == 0) {
            snprintf(path, sizeof path, "d%u/%03u-again", i / 50, i);
            test_put(fs, path, bytes + start, length);
        }
        if (i % 11 == 0) {
            assert_ok(memfs_truncate(fs, NULL, path, length + (size_t)test_random_below(&random, 3 * MIB)));
        }
    }
    free(bytes);
}

static void test_parts__same_bytes_at_any_number_of_threads(void **state)
{
    struct test_state *test = *state;
    struct test_buffer want = {0}, got = {0};
    static const unsigned threads[] = {2, 8};
    static const struct {
        uint32_t block_size;
        uint64_t window, memory[2];
        enum memfs_sharing share;
    } ways[] = {
        {1u << 20, 4 * MIB, {16 * MIB, 24 * MIB}, MEMFS_SHARE_PARTS},
        {1u << 16, 100 * KIB, {5 * MIB, 8 * MIB}, MEMFS_SHARE_PARTS},
        {1u << 16, MIB, {6 * MIB, 9 * MIB}, MEMFS_SHARE_FILES},
        {1u << 22, MIB, {30 * MIB, 60 * MIB}, MEMFS_SHARE_NONE},
    };
    build_all(test->fs);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct memfs_freeze_options options = {.size = sizeof options,
                                               .level = 1,
                                               .block_size = ways[i].block_size,
                                               .window = ways[i].window,
                                               .share = ways[i].share};
        freeze_and_compare(test, &want, &options);
        for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
            options.threads = threads[t];
            options.memory = 0;
            assert_ok(freeze(test->fs, &got, &options));
            test_same_bytes(&got, &want);
            const size_t first = test_is_fast() ? (i + t) % 2 : 0; /* of memory: one of the two, or both */
            for (size_t m = first; m < 2; m += test_step(2)) {
                options.memory = ways[i].memory[m];
                assert_ok(freeze(test->fs, &got, &options));
                test_same_bytes(&got, &want);
            }
        }
    }
    test_buffer_free(&want);
    test_buffer_free(&got);
}

/* Freezing what was thawed finds the same again: equal files from before the window too. */
static void test_parts__freezing_again_gives_the_same(void **state)
{
    struct test_state *test = *state;
    struct test_buffer want = {0}, got = {0};
    build_all(test->fs);
    struct memfs_freeze_options options = {.size = sizeof options, .level = 1, .window = MIB, .threads = 3};
    assert_ok(freeze(test->fs, &want, &options));
    memfs *thawed = test_thaw(test, &want, 0);
    assert_ok(freeze(thawed, &got, &options));
    test_same_bytes(&got, &want);
    memfs_destroy(thawed);
    test_buffer_free(&want);
    test_buffer_free(&got);
}

/* ---- Bounds ------------------------------------------------------------------------------- */

static void test_parts__memory_is_bounded(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    struct test_memory memory = {0};
    test_memory_init(&memory);
    build_all(test->fs);
    struct memfs_freeze_options options = {
        .size = sizeof options, .allocator = &memory.hook, .threads = 8, .window = 4 * MIB, .memory = 16 * MIB};
    assert_ok(freeze(test->fs, &image, &options));
    assert_true(memory.peak < 17 * MIB); /* names and the like on top */
    assert_int_equal(memory.live, 0);
    test_buffer_free(&image);
}

/* Too little is refused, with what would do; and that does. */
static void test_parts__too_little_memory_is_refused(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    struct memfs_sink sink = test_buffer_sink(&image);
    struct memfs_detail detail = {0};
    struct memfs_freeze_options options = {.size = sizeof options, .threads = 4, .memory = MIB, .window = 4 * MIB};
    test_put_text(test->fs, "a", "a");
    assert_result(memfs_freeze(test->fs, &sink, &options, &detail), -EINVAL);
    assert_int_equal(image.length, 0);
    const char *least = strstr(detail.text, "they need ");
    assert_non_null(least);
    options.memory = strtoull(least + strlen("they need "), NULL, 10);
    assert_true(options.memory > 4 * MIB);
    assert_ok(freeze(test->fs, &image, &options));
    options.memory--;
    assert_result(freeze(test->fs, &image, &options), -EINVAL);
    options.memory = 0;
    static const uint64_t windows[] = {1, MEMFS_REACH_LEAST - 1, MEMFS_REACH_MOST + 1};
    for (size_t i = 0; i < 3; i++) {
        options.window = windows[i];
        assert_result(freeze(test->fs, &image, &options), -EINVAL);
    }
    options.window = 0;
    options.share = (enum memfs_sharing)3;
    assert_result(freeze(test->fs, &image, &options), -EINVAL);
    test_buffer_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts__marks_depend_on_64_bytes),
        cmocka_unit_test(test_parts__marks_are_apart),
        test_with_fs(test_parts__moved_bytes_are_found),
        test_with_fs(test_parts__grow_to_the_byte),
        test_with_fs(test_parts__window_reaches_so_far),
        test_with_fs(test_parts__rolling_hash_collides),
        test_with_fs(test_parts__every_mark_is_the_same),
        test_with_fs(test_parts__same_bytes_at_any_number_of_threads),
        test_with_fs(test_parts__freezing_again_gives_the_same),
        test_with_fs(test_parts__memory_is_bounded),
        test_with_fs(test_parts__too_little_memory_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
