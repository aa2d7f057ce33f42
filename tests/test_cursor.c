/*
 * The cursor and the appender: little-endian, never beyond their bytes.
 */
#include "cursor.h"
#include "testlib.h"

static void test_cursor__round_trip(void **state)
{
    (void)state;
    uint8_t bytes[32];
    struct memfs_appender out;
    memfs_appender_begin(&out, bytes, sizeof bytes);
    memfs_append_u8(&out, 0xfe);
    memfs_append_u16(&out, 0xfedc);
    memfs_append_u32(&out, 0xfedcba98u);
    memfs_append_u64(&out, 0xfedcba9876543210u);
    memfs_append_bytes(&out, "abc", 3);
    memfs_append_zeros(&out, 4);
    assert_int_equal(out.full, 0);
    assert_int_equal(out.length, 22);

    struct memfs_cursor in;
    memfs_cursor_begin(&in, bytes, out.length);
    assert_int_equal(memfs_cursor_u8(&in), 0xfe);
    assert_int_equal(memfs_cursor_u16(&in), 0xfedc);
    assert_int_equal(memfs_cursor_u32(&in), 0xfedcba98u);
    assert_true(memfs_cursor_u64(&in) == 0xfedcba9876543210u);
    assert_memory_equal(memfs_cursor_bytes(&in, 3), "abc", 3);
    assert_int_equal(memfs_cursor_left(&in), 4);
    assert_false(memfs_cursor_complete(&in));
    memfs_cursor_reserved(&in, 4);
    assert_true(memfs_cursor_complete(&in));
}

static void test_cursor__is_little_endian(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct memfs_cursor in;
    memfs_cursor_begin(&in, bytes, sizeof bytes);
    assert_true(memfs_cursor_u64(&in) == 0x0807060504030201u);
    uint8_t out_bytes[4];
    struct memfs_appender out;
    memfs_appender_begin(&out, out_bytes, sizeof out_bytes);
    memfs_append_u32(&out, 0x04030201u);
    assert_memory_equal(out_bytes, bytes, 4);
}

static void test_cursor__stops_at_the_end(void **state)
{
    (void)state;
    static const uint8_t bytes[7] = {1, 1, 1, 1, 1, 1, 1};
    for (size_t length = 0; length < 8; length++) {
        struct memfs_cursor in;
        memfs_cursor_begin(&in, bytes, length < 7 ? length : 7);
        assert_true(memfs_cursor_u64(&in) == 0);
        assert_true(in.broken);
        /* It stays broken, even for what would still fit. */
        assert_int_equal(memfs_cursor_u8(&in), 0);
        assert_null(memfs_cursor_bytes(&in, 0));
        assert_false(memfs_cursor_complete(&in));
    }
}

static void test_cursor__length_does_not_wrap(void **state)
{
    (void)state;
    static const uint8_t bytes[4] = {0};
    struct memfs_cursor in;
    memfs_cursor_begin(&in, bytes, sizeof bytes);
    memfs_cursor_u16(&in);
    assert_null(memfs_cursor_bytes(&in, SIZE_MAX));
    assert_true(in.broken);
    memfs_cursor_begin(&in, bytes, sizeof bytes);
    memfs_cursor_reserved(&in, SIZE_MAX - 1);
    assert_true(in.broken);
}

static void test_cursor__reserved_must_be_zero(void **state)
{
    (void)state;
    static const uint8_t bytes[4] = {0, 0, 1, 0};
    struct memfs_cursor in;
    memfs_cursor_begin(&in, bytes, sizeof bytes);
    memfs_cursor_reserved(&in, 4);
    assert_true(in.nonzero);
    assert_false(memfs_cursor_complete(&in));
}

static void test_cursor__appender_is_full(void **state)
{
    (void)state;
    uint8_t bytes[9];
    memset(bytes, 0x55, sizeof bytes);
    struct memfs_appender out;
    memfs_appender_begin(&out, bytes, 7);
    memfs_append_u64(&out, UINT64_MAX);
    assert_true(out.full);
    assert_int_equal(out.length, 0);
    memfs_append_u8(&out, 1);
    assert_int_equal(out.length, 0);
    assert_null(memfs_append_space(&out, 1));
    for (size_t i = 0; i < sizeof bytes; i++)
        assert_int_equal(bytes[i], 0x55);
    memfs_appender_begin(&out, bytes, 8);
    memfs_append_u64(&out, 0);
    assert_false(out.full);
    memfs_append_bytes(&out, bytes, SIZE_MAX);
    assert_true(out.full);
}

/* Nothing can be appended always, also where there is no room. */
static void test_cursor__append_nothing(void **state)
{
    (void)state;
    uint8_t bytes[2] = {0x55, 0x55};
    struct memfs_appender out;
    memfs_appender_begin(&out, bytes, 2);
    memfs_append_bytes(&out, NULL, 0);
    memfs_append_zeros(&out, 0);
    assert_int_equal(out.length, 0);
    memfs_append_zeros(&out, 1);
    memfs_append_bytes(&out, "x", 1);
    memfs_append_bytes(&out, NULL, 0);
    memfs_append_zeros(&out, 0);
    assert_false(out.full);
    memfs_append_zeros(&out, 1);
    assert_true(out.full);
    assert_int_equal(out.length, 2);
    assert_memory_equal(bytes, "\0x", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cursor__round_trip),
        cmocka_unit_test(test_cursor__is_little_endian),
        cmocka_unit_test(test_cursor__stops_at_the_end),
        cmocka_unit_test(test_cursor__length_does_not_wrap),
        cmocka_unit_test(test_cursor__reserved_must_be_zero),
        cmocka_unit_test(test_cursor__appender_is_full),
        cmocka_unit_test(test_cursor__append_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
