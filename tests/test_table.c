#include "table.h"
#include "testlib.h"

#define CHUNKS 20u /* more than the array of chunks begins with, and grows to at first */

/* Takes so many numbers, one after the other, and checks each record. */
static int take_all(struct op *op, void *argument)
{
    const uint32_t count = *(const uint32_t *)argument;
    for (uint32_t i = 0; i < count; i++) {
        struct content_record *record = NULL;
        int r = table_reserve(op, MEMFS_CONTENTS, 1);
        if (r)
            return r;
        const uint32_t next = table_next(op->fs, MEMFS_CONTENTS);
        assert_int_equal(table_take(op->fs, MEMFS_CONTENTS, &record), next);
        assert_int_equal(record->base_limit, 0);
        record->base_limit = next + UINT64_C(1);
    }
    return 1;
}

static const struct content_record *our_record(const memfs *fs, uint64_t number)
{
    return table_our_record(fs, MEMFS_CONTENTS, number);
}

/* Each number in [from, from + count) has the record that it was given, and what was never used is zero. */
static void expect_records(const memfs *fs, uint32_t from, uint32_t count)
{
    static const struct content_record unused;
    const uint32_t chunk = 1u << MEMFS_CONTENTS_SHIFT, ready = (from + count + chunk - 1) / chunk * chunk;
    for (uint32_t i = from; i < from + count; i++)
        assert_int_equal(our_record(fs, i)->base_limit, i + UINT64_C(1));
    for (uint32_t i = from + count; i < ready; i++)
        assert_memory_equal(our_record(fs, i), &unused, sizeof unused);
    assert_null(our_record(fs, ready));
    assert_null(our_record(fs, UINT64_MAX));
}

static void test_table__records_stay_as_chunks_come(void **state)
{
    struct test_state *test = *state;
    uint32_t count = 1, all = 0;
    const struct content_record *first = NULL;
    for (; all < CHUNKS << MEMFS_CONTENTS_SHIFT; count = count * 2 + 1) {
        assert_ok(op_write(test->fs, take_all, NULL, &count));
        all += count;
        expect_records(test->fs, 0, all);
        if (!first)
            first = our_record(test->fs, 0);
        assert_ptr_equal(our_record(test->fs, 0), first);
    }
}

/* What stands below is not ours, until it is changed: then there is a copy, which is private. */
static void test_table__numbers_below_are_not_ours(void **state)
{
    struct test_state *test = *state;
    uint32_t below = 3u << MEMFS_CONTENTS_SHIFT, count = 5;
    memfs_backing *sealed = NULL;
    assert_ok(op_write(test->fs, take_all, NULL, &below));
    assert_ok(memfs_seal(test->fs, &sealed));
    test->fs = test_create(test, sealed);
    memfs_backing_release(sealed);
    assert_ok(op_write(test->fs, take_all, NULL, &count));
    expect_records(test->fs, below, count);
    for (uint32_t i = 0; i < below; i += 100) {
        assert_null(our_record(test->fs, i));
        const struct content_record *seen = table_resident(test->fs, MEMFS_CONTENTS, i);
        assert_int_equal(seen->base_limit, i + UINT64_C(1));
        assert_null(table_private_chunk(test->fs, MEMFS_CONTENTS, i >> MEMFS_CONTENTS_SHIFT));
    }
}

static int own_one(struct op *op, void *argument)
{
    struct content_record *record = NULL;
    const uint32_t number = *(const uint32_t *)argument;
    int r = table_own(op, MEMFS_CONTENTS, number, &record);
    if (r == 0)
        record->base_limit = 1000000;
    return r ? r : 1;
}

static void test_table__a_change_below_is_private(void **state)
{
    struct test_state *test = *state;
    uint32_t below = 300, changed = 200, beyond = 301;
    memfs_backing *sealed = NULL;
    assert_ok(op_write(test->fs, take_all, NULL, &below));
    assert_ok(memfs_seal(test->fs, &sealed));
    memfs *one = test_create(test, sealed), *other = test_create(test, sealed);
    memfs_backing_release(sealed);
    test->fs = one;
    assert_ok(op_write(one, own_one, NULL, &changed));
    assert_int_equal(((const struct content_record *)table_resident(one, MEMFS_CONTENTS, changed))->base_limit,
                     1000000);
    assert_int_equal(((const struct content_record *)table_resident(one, MEMFS_CONTENTS, changed + 1))->base_limit,
                     202);
    assert_int_equal(((const struct content_record *)table_resident(other, MEMFS_CONTENTS, changed))->base_limit, 201);
    assert_result(op_write(one, own_one, NULL, &beyond), MEMFS_ECORRUPT); /* in the gap between them and our own */
    memfs_destroy(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_fs(test_table__records_stay_as_chunks_come),
        test_with_fs(test_table__numbers_below_are_not_ours),
        test_with_fs(test_table__a_change_below_is_private),
    };
    return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
