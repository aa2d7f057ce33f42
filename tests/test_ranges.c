/*
 * Ranges of bytes: which lie over each other, and what is between them, compared with a byte
 * that is counted for each.
 */
#include "alloc.h"
#include "ranges.h"
#include "testlib.h"

#define SIZE 64u

/* How many ranges each byte is in. */
static void add(struct memfs_ranges *ranges, unsigned counts[SIZE], uint64_t offset, uint64_t length)
{
    assert_ok(memfs_ranges_add(ranges, offset, length));
    for (uint64_t i = offset; i < offset + length; i++)
        counts[i]++;
}

static void expect_gaps(const struct memfs_ranges *ranges, const unsigned counts[SIZE])
{
    unsigned char gap_at[SIZE] = {0};
    struct memfs_range gap;
    size_t at = 0;
    uint64_t from = 0, before = 0;
    while (memfs_ranges_gap(ranges, &at, &from, SIZE, &gap)) {
        assert_true(gap.offset < gap.end && gap.end <= SIZE);
        assert_true(gap.offset >= before);
        before = gap.end;
        memset(gap_at + gap.offset, 1, (size_t)(gap.end - gap.offset));
    }
    for (size_t i = 0; i < SIZE; i++)
        assert_int_equal(gap_at[i], counts[i] == 0);
}

/* There is an overlap if a byte is in two; each that is told is of bytes that are. */
static void expect_overlaps(const struct memfs_ranges *ranges, const unsigned counts[SIZE])
{
    struct memfs_range overlap;
    size_t at = 0;
    unsigned found = 0, twice = 0;
    while (memfs_ranges_overlap(ranges, &at, &overlap)) {
        assert_true(overlap.offset < overlap.end && overlap.end <= SIZE);
        for (uint64_t i = overlap.offset; i < overlap.end; i++)
            assert_true(counts[i] > 1);
        found++;
    }
    for (size_t i = 0; i < SIZE; i++)
        twice += counts[i] > 1;
    assert_int_equal(found > 0, twice > 0);
}

static void test_ranges__against_counts(void **state)
{
    (void)state;
    const struct memfs_allocator allocator = memfs_allocator_or_default(NULL);
    struct test_random random = {.state = 11};
    unsigned whole = 0;
    for (unsigned round = 0; round < 3000; round++) {
        struct memfs_ranges ranges;
        unsigned counts[SIZE] = {0};
        memfs_ranges_begin(&ranges, &allocator);
        for (uint64_t i = test_random_below(&random, 9); i > 0; i--) {
            const uint64_t grain = round % 2 ? 1 : 8, grains = SIZE / grain, first = test_random_below(&random, grains);
            add(&ranges, counts, first * grain, (1 + test_random_below(&random, grains - first)) * grain);
        }
        memfs_ranges_sort(&ranges);
        expect_gaps(&ranges, counts);
        expect_overlaps(&ranges, counts);
        whole += counts[0] && counts[SIZE - 1];
        memfs_ranges_end(&ranges);
    }
    assert_true(whole > 100);
}

/* What follows at once makes a range longer: no memory is needed for it. */
static void test_ranges__no_memory(void **state)
{
    (void)state;
    struct test_memory memory;
    struct memfs_ranges ranges;
    test_memory_init(&memory);
    memfs_ranges_begin(&ranges, &memory.hook);
    test_memory_fail(&memory, 1, 0);
    assert_result(memfs_ranges_add(&ranges, 5, 5), -ENOMEM);
    assert_int_equal(ranges.count, 0);
    test_memory_heal(&memory);
    assert_ok(memfs_ranges_add(&ranges, 5, 5));
    test_memory_fail(&memory, 1, 1);
    assert_ok(memfs_ranges_add(&ranges, 10, 7));
    assert_int_equal(ranges.count, 1);
    assert_int_equal(ranges.items[0].end, 17);
    test_memory_heal(&memory);
    memfs_ranges_end(&ranges);
    assert_int_equal(memory.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges__against_counts),
        cmocka_unit_test(test_ranges__no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
