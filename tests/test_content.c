/* Contents: reading and writing at every border, holes, views, failures. */
#include "page.h"
#include "testlib.h"

#define PAGE 4096u
#define FAR (UINT64_C(1) << 62)

static memfs_node new_file(memfs *fs, const char *name)
{
    test_put(fs, name, "", 0);
    return test_node(fs, name);
}

static uint64_t size_of(memfs *fs, memfs_node node)
{
    struct memfs_stat stat;
    assert_ok(memfs_node_stat(fs, node, &stat));
    return stat.size;
}

static void truncate_to(memfs *fs, memfs_node node, uint64_t size)
{
    struct memfs_setattr set = {.set = MEMFS_SET_SIZE, .size = size};
    assert_ok(memfs_node_setattr(fs, NULL, node, &set, NULL));
}

static void expect_bytes(memfs *fs, memfs_node node, uint64_t offset, const uint8_t *want, size_t length)
{
    uint8_t *got = malloc(length + 1);
    assert_result(memfs_node_read(fs, node, offset, got, length), length);
    assert_memory_equal(got, want, length);
    free(got);
}

static const size_t borders[] = {1,    7,    63,    64,    65,    255,   4095,  4096,   4097,  8191,
                                 8192, 8193, 12288, 65535, 65536, 65537, 69632, 131071, 131073};
#define BORDERS (sizeof borders / sizeof *borders)

static void test_content__weight_of_holes(void **state)
{
    (void)state;
    for (uint32_t mask = 0; mask <= UINT16_MAX; mask++) {
        int set = 0;
        for (uint32_t left = mask; left; left &= left - 1)
            set++;
        assert_int_equal(page_weight(page_hole((uint16_t)mask)), -set);
    }
}

static void test_content__borders(void **state)
{
    struct test_state *test = *state;
    struct test_random random = {.state = 3};
    static uint8_t data[400000], more[70000];
    test_random_fill(&random, data, sizeof data);
    for (size_t i = 0; i < BORDERS; i++) {
        memfs_node node = new_file(test->fs, "f");
        assert_result(memfs_node_write(test->fs, node, 0, data, borders[i]), borders[i]);
        assert_int_equal(size_of(test->fs, node), borders[i]);
        expect_bytes(test->fs, node, 0, data, borders[i]);
        for (size_t j = 0; j < BORDERS; j += 2) {
            static uint8_t want[400000];
            memset(want, 0, sizeof want);
            memcpy(want, data, borders[i]);
            size_t length = borders[j] < sizeof more ? borders[j] : 100;
            uint64_t at = borders[BORDERS - 1 - j] - 1;
            memcpy(want + at, data + 1000, length);
            uint64_t size = at + length > borders[i] ? at + length : borders[i];
            truncate_to(test->fs, node, 0);
            assert_result(memfs_node_write(test->fs, node, 0, data, borders[i]), borders[i]);
            assert_result(memfs_node_write(test->fs, node, at, data + 1000, length), length);
            assert_int_equal(size_of(test->fs, node), size);
            expect_bytes(test->fs, node, 0, want, size);
        }
        assert_ok(memfs_unlink(test->fs, NULL, "f"));
    }
}

static void test_content__reads_end(void **state)
{
    struct test_state *test = *state;
    uint8_t got[16];
    test_put_text(test->fs, "f", "0123456789");
    memfs_node node = test_node(test->fs, "f");
    assert_result(memfs_node_read(test->fs, node, 0, got, 16), 10);
    assert_result(memfs_node_read(test->fs, node, 7, got, 16), 3);
    assert_memory_equal(got, "789", 3);
    assert_result(memfs_node_read(test->fs, node, 10, got, 16), 0);
    assert_result(memfs_node_read(test->fs, node, UINT64_MAX, got, 16), 0);
    assert_result(memfs_node_read(test->fs, node, 0, got, 0), 0);
    assert_result(memfs_node_read(test->fs, MEMFS_ROOT, 0, got, 1), -EISDIR);
    assert_result(memfs_node_write(test->fs, MEMFS_ROOT, 0, got, 1), -EISDIR);
}

static void test_content__append(void **state)
{
    struct test_state *test = *state;
    static uint8_t want[200000];
    struct test_random random = {.state = 9};
    test_random_fill(&random, want, sizeof want);
    memfs_node node = new_file(test->fs, "log");
    size_t at = 0;
    while (at < sizeof want) {
        size_t length = 1 + test_random_below(&random, 100);
        length = length < sizeof want - at ? length : sizeof want - at;
        assert_result(memfs_node_write(test->fs, node, MEMFS_APPEND, want + at, length), length);
        at += length;
    }
    expect_bytes(test->fs, node, 0, want, sizeof want);
    struct memfs_statfs statfs;
    assert_ok(memfs_statfs(test->fs, &statfs));
    assert_in_range(statfs.private_bytes, sizeof want, 3 * sizeof want + 600000);
}

static void test_content__truncate_shows_zeros(void **state)
{
    struct test_state *test = *state;
    static uint8_t data[140000], want[140000];
    memset(data, 0xff, sizeof data);
    for (size_t i = 0; i < BORDERS; i++)
        for (size_t j = 0; j < BORDERS; j++) {
            memfs_node node = new_file(test->fs, "f");
            assert_result(memfs_node_write(test->fs, node, 0, data, sizeof data), sizeof data);
            truncate_to(test->fs, node, borders[i]);
            truncate_to(test->fs, node, borders[i] + borders[j]);
            memset(want, 0xff, borders[i]);
            memset(want + borders[i], 0, sizeof want - borders[i]);
            size_t size = borders[i] + borders[j];
            assert_int_equal(size_of(test->fs, node), size);
            expect_bytes(test->fs, node, 0, want, size < sizeof want ? size : sizeof want);
            truncate_to(test->fs, node, 0);
        }
}

/* 2^62 bytes, of which a few pages are there. */
static void test_content__sparse(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    const uint64_t huge = UINT64_C(1) << 62;
    uint8_t got[8];
    memfs_node node = new_file(fs, "f");
    uint64_t live = atomic_load(&test->memory.live);
    assert_result(memfs_node_write(fs, node, huge - 4, "last", 4), 4);
    assert_result(memfs_node_write(fs, node, huge / 2 + 5, "middle", 6), 6);
    assert_result(memfs_node_write(fs, node, 3, "first", 5), 5);
    assert_in_range(atomic_load(&test->memory.live), 0, live + (1 << 20));
    assert_int_equal(size_of(fs, node), huge);
    expect_bytes(fs, node, huge - 6, (const uint8_t *)"\0\0last", 6);
    expect_bytes(fs, node, huge / 2 + 4, (const uint8_t *)"\0middle\0", 8);
    expect_bytes(fs, node, 12345678901234, (const uint8_t *)"\0\0\0\0", 4);
    assert_result(memfs_node_seek(fs, node, 0, MEMFS_SEEK_DATA), 0);
    assert_result(memfs_node_seek(fs, node, 0, MEMFS_SEEK_HOLE), PAGE);
    assert_result(memfs_node_seek(fs, node, PAGE, MEMFS_SEEK_DATA), huge / 2);
    assert_result(memfs_node_seek(fs, node, huge / 2 + 100, MEMFS_SEEK_HOLE), huge / 2 + PAGE);
    assert_result(memfs_node_seek(fs, node, huge / 2 + PAGE, MEMFS_SEEK_DATA), huge - PAGE);
    assert_result(memfs_node_seek(fs, node, huge - 2, MEMFS_SEEK_HOLE), huge);
    assert_result(memfs_node_seek(fs, node, huge, MEMFS_SEEK_DATA), -ENXIO);
    assert_in_range(test_lstat(fs, "f").allocated, 12, 3 * PAGE);
    struct test_buffer image = {0};
    test_reopen(test, &image);
    fs = test->fs;
    node = test_node(fs, "f");
    assert_in_range(image.length, 1, 10000);
    expect_bytes(fs, node, huge - 6, (const uint8_t *)"\0\0last", 6);
    expect_bytes(fs, node, huge / 2 + 4, (const uint8_t *)"\0middle\0", 8);
    assert_result(memfs_node_seek(fs, node, PAGE, MEMFS_SEEK_DATA), huge / 2);
    assert_result(memfs_node_read(fs, node, huge - 1, got, 8), 1);
    truncate_to(fs, node, huge / 2 + 7);
    truncate_to(fs, node, huge);
    expect_bytes(fs, node, huge / 2 + 4, (const uint8_t *)"\0mi\0\0\0\0\0", 8);
    expect_bytes(fs, node, huge - 8, (const uint8_t *)"\0\0\0\0\0\0\0\0", 8);
    test_end(test, &image);
}

static void test_content__size_limits(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    memfs_node node = new_file(fs, "f");
    struct memfs_setattr set = {.set = MEMFS_SET_SIZE, .size = MEMFS_SIZE_MAX};
    assert_ok(memfs_node_setattr(fs, NULL, node, &set, NULL));
    assert_result(memfs_node_write(fs, node, MEMFS_APPEND, "x", 1), -EFBIG);
    assert_result(memfs_node_write(fs, node, MEMFS_SIZE_MAX, "x", 1), -EFBIG);
    assert_result(memfs_node_write(fs, node, MEMFS_SIZE_MAX - 1, "x", 1), 1);
    assert_result(memfs_node_write(fs, node, MEMFS_SIZE_MAX - 1, "xx", 2), -EFBIG);
    assert_result(memfs_node_write(fs, node, (uint64_t)MEMFS_SIZE_MAX + 1, "x", 1), -EFBIG);
    set.size = (uint64_t)MEMFS_SIZE_MAX + 1;
    assert_either(memfs_node_setattr(fs, NULL, node, &set, NULL), -EFBIG, -EINVAL);
    assert_either(memfs_node_allocate(fs, node, MEMFS_SIZE_MAX, 10, 0), -EFBIG, -EINVAL);
    assert_either(memfs_node_allocate(fs, node, UINT64_MAX - 5, 10, 0), -EFBIG, -EINVAL);
    assert_int_equal(size_of(fs, node), MEMFS_SIZE_MAX);
    assert_result(memfs_node_seek(fs, node, 0, MEMFS_SEEK_DATA), (int64_t)(MEMFS_SIZE_MAX & ~4095));
    assert_ok(memfs_node_punch(fs, node, 0, MEMFS_SIZE_MAX));
    assert_result(memfs_node_seek(fs, node, 0, MEMFS_SEEK_HOLE), 0);
}

static void test_content__punch(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    static uint8_t data[40 * PAGE];
    struct test_buffer image = {0};
    memset(data, 'd', sizeof data);
    test_put(fs, "f", data, sizeof data);
    for (int round = 0; round < 2; round++) {
        fs = test->fs;
        memfs_node node = test_node(fs, "f");
        assert_result(memfs_node_write(fs, node, 0, data, sizeof data), sizeof data);
        memset(data, 'd', sizeof data);
        assert_ok(memfs_node_punch(fs, node, 3 * PAGE + 10, 4 * PAGE));
        memset(data + 3 * PAGE + 10, 0, 4 * PAGE);
        expect_bytes(fs, node, 0, data, sizeof data);
        assert_result(memfs_node_seek(fs, node, 0, MEMFS_SEEK_HOLE), 4 * PAGE);
        assert_result(memfs_node_seek(fs, node, 4 * PAGE, MEMFS_SEEK_DATA), 7 * PAGE);
        assert_ok(memfs_node_punch(fs, node, 30 * PAGE, 100 * PAGE));
        memset(data + 30 * PAGE, 0, 10 * PAGE);
        assert_int_equal(size_of(fs, node), sizeof data);
        expect_bytes(fs, node, 0, data, sizeof data);
        assert_result(memfs_node_seek(fs, node, 30 * PAGE, MEMFS_SEEK_DATA), -ENXIO);
        assert_result(memfs_node_punch(fs, node, 0, 0), -EINVAL);
        assert_result(memfs_node_punch(fs, MEMFS_ROOT, 0, 1), -EISDIR);
        memset(data, 'd', sizeof data);
        assert_result(memfs_node_write(fs, node, 0, data, sizeof data), sizeof data);
        if (round == 0)
            test_reopen(test, &image);
    }
    test_end(test, &image);
}

/* A file's last page is whole where the file ends. */
static void test_content__punch_to_the_end(void **state)
{
    struct test_state *test = *state;
    static uint8_t data[PAGE + 10];
    struct test_buffer image = {0};
    memset(data, 'd', sizeof data);
    test_put(test->fs, "f", data, sizeof data);
    test_put(test->fs, "g", data, sizeof data);
    for (int round = 0; round < 2; round++) {
        const memfs_node f = test_node(test->fs, "f"), g = test_node(test->fs, "g");
        assert_ok(memfs_node_punch(test->fs, f, 0, PAGE + 9));
        assert_result(memfs_node_seek(test->fs, f, 0, MEMFS_SEEK_DATA), PAGE);
        expect_bytes(test->fs, f, PAGE + 8, (const uint8_t *)"\0d", 2);
        assert_ok(memfs_node_punch(test->fs, f, 0, PAGE + 10));
        assert_result(memfs_node_seek(test->fs, f, 0, MEMFS_SEEK_DATA), -ENXIO);
        assert_int_equal(test_lstat(test->fs, "f").allocated, 0);
        assert_ok(memfs_node_punch(test->fs, g, PAGE, 10));
        assert_result(memfs_node_seek(test->fs, g, 0, MEMFS_SEEK_HOLE), PAGE);
        assert_int_equal(test_lstat(test->fs, "g").allocated, PAGE);
        assert_int_equal(size_of(test->fs, g), sizeof data);
        assert_result(memfs_node_write(test->fs, f, 0, data, sizeof data), sizeof data);
        assert_result(memfs_node_write(test->fs, g, 0, data, sizeof data), sizeof data);
        if (round == 0)
            test_reopen(test, &image);
    }
    test_end(test, &image);
}

static void test_content__punch_frees(void **state)
{
    struct test_state *test = *state;
    static uint8_t data[1 << 20];
    struct memfs_statfs full, punched;
    memset(data, 'd', sizeof data);
    test_put(test->fs, "f", data, sizeof data);
    assert_int_equal(test_lstat(test->fs, "f").allocated, sizeof data);
    assert_ok(memfs_statfs(test->fs, &full));
    assert_ok(memfs_node_punch(test->fs, test_node(test->fs, "f"), 0, sizeof data));
    assert_int_equal(test_lstat(test->fs, "f").allocated, 0);
    assert_ok(memfs_statfs(test->fs, &punched));
    /* The memory serves again. */
    test_put(test->fs, "g", data, sizeof data);
    struct memfs_statfs again;
    assert_ok(memfs_statfs(test->fs, &again));
    assert_in_range(again.private_bytes, 0, full.private_bytes + 200000);
}

static void test_content__allocate(void **state)
{
    struct test_state *test = *state;
    static uint8_t data[100 * PAGE];
    memset(data, 'a', sizeof data);
    memfs_node node = new_file(test->fs, "f");
    assert_ok(memfs_node_allocate(test->fs, node, 0, 50 * PAGE, 1));
    assert_int_equal(size_of(test->fs, node), 0);
    assert_ok(memfs_node_allocate(test->fs, node, 50 * PAGE, 50 * PAGE, 0));
    assert_int_equal(size_of(test->fs, node), sizeof data);
    test_memory_fail(&test->memory, 1, 1);
    for (uint64_t at = 0; at < sizeof data; at += 25 * PAGE)
        assert_result(memfs_node_write(test->fs, node, at, data + at, 25 * PAGE), 25 * PAGE);
    test_memory_heal(&test->memory);
    expect_bytes(test->fs, node, 0, data, sizeof data);
    assert_result(memfs_node_allocate(test->fs, node, 0, 0, 0), -EINVAL);
    assert_either(memfs_node_allocate(test->fs, MEMFS_ROOT, 0, 1, 0), -EISDIR, -ENODEV);
}

/* Writing where memory has been allocated needs none, whatever was there: a page that is too short, or one of a sealed
 * filesystem. */
static void test_content__allocated_is_enough(void **state)
{
    struct test_state *test = *state;
    static uint8_t data[16 * PAGE];
    memset(data, 'd', sizeof data);
    for (int is_sealed = 0; is_sealed < 2; is_sealed++) {
        const size_t size = is_sealed ? sizeof data : 4000;
        const char *name = is_sealed ? "sealed" : "short";
        test_put(test->fs, name, data, is_sealed ? size : 100);
        if (is_sealed) {
            memfs_backing *sealed = NULL;
            assert_ok(memfs_seal(test->fs, &sealed));
            test->fs = test_create(test, sealed);
            memfs_backing_release(sealed);
        }
        const memfs_node node = test_node(test->fs, name);
        assert_ok(memfs_node_allocate(test->fs, node, 0, size, 1));
        assert_int_equal(size_of(test->fs, node), is_sealed ? size : 100);
        test_memory_fail(&test->memory, 1, 1);
        assert_result(memfs_node_write(test->fs, node, 0, data, size), size);
        test_memory_heal(&test->memory);
        test_expect(test->fs, name, data, size);
    }
}

/* New contents have a new mtime; memory for what there is has none. */
static void test_content__times_of_allocating(void **state)
{
    struct test_state *test = *state;
    test_put_text(test->fs, "f", "text");
    const memfs_node node = test_node(test->fs, "f");
    const struct memfs_stat before = test_lstat(test->fs, "f");
    test->clock.now += 1000;
    assert_ok(memfs_node_allocate(test->fs, node, 0, 4, 0));
    assert_ok(memfs_node_allocate(test->fs, node, 0, 3 * PAGE, 1));
    const struct memfs_stat same = test_lstat(test->fs, "f");
    assert_int_equal(same.mtime, before.mtime);
    assert_int_equal(same.ctime, before.ctime + 1000);
    assert_ok(memfs_node_allocate(test->fs, node, 0, 5, 0));
    assert_int_equal(test_lstat(test->fs, "f").mtime, before.mtime + 1000);
}

static void test_content__copy(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    static uint8_t data[50 * PAGE], want[80 * PAGE];
    struct test_random random = {.state = 4};
    struct test_buffer image = {0};
    test_random_fill(&random, data, sizeof data);
    test_put(fs, "from", data, sizeof data);
    test_put(fs, "to", data, 1000);
    for (int round = 0; round < 2; round++) {
        fs = test->fs;
        memfs_node from = test_node(fs, "from"), to = test_node(fs, "to");
        memset(want, 0, sizeof want);
        memcpy(want, data, 1000);
        assert_result(memfs_node_copy(fs, from, 10, to, 5 * PAGE + 1, 20 * PAGE), 20 * PAGE);
        memcpy(want + 5 * PAGE + 1, data + 10, 20 * PAGE);
        expect_bytes(fs, to, 0, want, 25 * PAGE + 1);
        assert_result(memfs_node_copy(fs, from, sizeof data - 7, to, 30 * PAGE, 100), 7);
        memcpy(want + 30 * PAGE, data + sizeof data - 7, 7);
        assert_int_equal(size_of(fs, to), 30 * PAGE + 7);
        expect_bytes(fs, to, 0, want, 30 * PAGE + 7);
        assert_result(memfs_node_copy(fs, from, sizeof data, to, 0, 100), 0);
        assert_result(memfs_node_copy(fs, from, 0, to, 0, 0), 0);
        assert_result(memfs_node_copy(fs, to, 0, to, 40 * PAGE, 10 * PAGE), 10 * PAGE);
        memcpy(want + 40 * PAGE, want, 10 * PAGE);
        expect_bytes(fs, to, 0, want, 50 * PAGE);
        assert_result(memfs_node_copy(fs, to, 0, to, 100, 200), -EINVAL);
        assert_result(memfs_node_copy(fs, to, 100, to, 0, 200), -EINVAL);
        assert_result(memfs_node_copy(fs, MEMFS_ROOT, 0, to, 0, 1), -EISDIR);
        assert_result(memfs_node_copy(fs, to, 0, MEMFS_ROOT, 0, 1), -EISDIR);
        truncate_to(fs, to, 1000);
        if (round == 0)
            test_reopen(test, &image);
    }
    test_end(test, &image);
}

/* What a view shows stays, whatever happens to the file. */
static void views(struct test_state *test, size_t size)
{
    static uint8_t data[200000], other[200000];
    memfs *fs = test->fs;
    memfs_node node = test_node(fs, "f");
    struct memfs_view view[4];
    memset(other, 'o', sizeof other);
    assert_result(memfs_node_read(fs, node, 0, data, size), size);
    for (int i = 0; i < 4; i++) {
        uint64_t at = size / 4 * (uint64_t)i;
        assert_ok(memfs_node_view(fs, node, at, size, &view[i]));
        assert_in_range(view[i].length, 1, size - at);
        assert_memory_equal(view[i].data, data + at, view[i].length);
    }
    assert_result(memfs_node_write(fs, node, 0, other, size), size);
    expect_bytes(fs, node, 0, other, size);
    for (int i = 0; i < 4; i++)
        assert_memory_equal(view[i].data, data + size / 4 * (uint64_t)i, view[i].length);
    memfs_view_release(fs, &view[0]);
    assert_ok(memfs_node_view(fs, node, 0, size, &view[0]));
    assert_memory_equal(view[0].data, other, view[0].length);
    truncate_to(fs, node, 1);
    assert_memory_equal(view[0].data, other, view[0].length);
    assert_ok(memfs_unlink(fs, NULL, "f"));
    test_put(fs, "g", data, size);
    assert_memory_equal(view[0].data, other, view[0].length);
    for (int i = 0; i < 4; i++) {
        if (i)
            assert_memory_equal(view[i].data, data + size / 4 * (uint64_t)i, view[i].length);
        memfs_view_release(fs, &view[i]);
    }
    assert_ok(memfs_unlink(fs, NULL, "g"));
}

static void test_content__views(void **state)
{
    static const size_t sizes[] = {4, 100, 5000, 70000, 200000};
    struct test_state *test = *state;
    static uint8_t data[200000];
    struct test_random random = {.state = 4};
    struct test_buffer image = {0};
    test_random_fill(&random, data, sizeof data);
    for (size_t i = 0; i < 5; i++) {
        test_put(test->fs, "f", data, sizes[i]);
        views(test, sizes[i]);
        test_put(test->fs, "f", data, sizes[i]);
        test_reopen(test, &image);
        views(test, sizes[i]);
    }
    test_end(test, &image);
}

static void test_content__view_of_holes_and_ends(void **state)
{
    struct test_state *test = *state;
    struct memfs_view view;
    memfs_node node = new_file(test->fs, "f");
    truncate_to(test->fs, node, 1000000);
    uint64_t at = 0;
    while (at < 1000000) {
        assert_ok(memfs_node_view(test->fs, node, at, 1000000, &view));
        assert_in_range(view.length, 1, 1000000 - at);
        for (size_t i = 0; i < view.length; i++)
            assert_int_equal(((const uint8_t *)view.data)[i], 0);
        at += view.length;
        memfs_view_release(test->fs, &view);
    }
    assert_ok(memfs_node_view(test->fs, node, 1000000, 1, &view));
    assert_int_equal(view.length, 0);
    memfs_view_release(test->fs, &view);
    assert_result(memfs_node_view(test->fs, MEMFS_ROOT, 0, 1, &view), -EISDIR);
}

static void test_content__write_whole_or_nothing(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    static uint8_t data[300000];
    memset(data, 'w', sizeof data);
    test_put_text(fs, "f", "as it was");
    memfs_node node = test_node(fs, "f");
    char *before = test_dump(fs, TEST_DUMP_TIMES | TEST_DUMP_HOLES);
    uint64_t n = 1;
    int64_t got;
    for (;; n++) {
        atomic_fetch_add(&test->clock.now, 1);
        test_memory_fail(&test->memory, n, 0);
        got = memfs_node_write(fs, node, 4, data, sizeof data);
        test_memory_heal(&test->memory);
        if (got >= 0)
            break;
        assert_result(got, -ENOMEM);
        char *after = test_dump(fs, TEST_DUMP_TIMES | TEST_DUMP_HOLES);
        test_same_text(after, before, "after a write that failed");
        free(after);
    }
    assert_result(got, sizeof data);
    assert_true(n > 1);
    assert_int_equal(size_of(fs, node), 4 + sizeof data);
    free(before);
}

/* Memory that failed writes had taken already can be taken again. */
static void test_content__failed_writes_lose_nothing(void **state)
{
    struct test_state *test = *state;
    struct memfs_options options = {.size = sizeof options, .allocator = &test->memory.hook, .capacity = 2 << 20};
    static uint8_t data[4 << 20];
    memfs *fs = NULL;
    memset(data, 'w', sizeof data);
    assert_ok(memfs_create(&options, &fs));
    test_put_text(fs, "f", "as it was");
    memfs_node node = test_node(fs, "f");
    for (int i = 0; i < 50; i++) {
        assert_result(memfs_node_write(fs, node, 0, data, sizeof data), -ENOSPC);
        assert_result(memfs_node_allocate(fs, node, 0, sizeof data, 0), -ENOSPC);
        assert_result(memfs_setxattr(fs, NULL, "none", 1, "user.a", data, 60000, 0), -ENOENT);
        assert_result(memfs_symlink(fs, NULL, "target", "f"), -EEXIST);
    }
    test_expect_text(fs, "f", "as it was");
    assert_result(memfs_node_write(fs, node, 0, data, 1 << 20), 1 << 20);
    memfs_destroy(fs);
}

static void test_content__digest(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    uint64_t one = 0, two = 1, three = 0;
    test_put_text(test->fs, "a", "equal");
    test_put_text(test->fs, "b", "equal");
    test_put_text(test->fs, "c", "other");
    assert_result(memfs_node_digest(test->fs, test_node(test->fs, "a"), &one), -ENODATA);
    test_reopen(test, &image);
    assert_ok(memfs_node_digest(test->fs, test_node(test->fs, "a"), &one));
    assert_ok(memfs_node_digest(test->fs, test_node(test->fs, "b"), &two));
    assert_ok(memfs_node_digest(test->fs, test_node(test->fs, "c"), &three));
    assert_true(one == two && one != three && one);
    assert_result(memfs_node_write(test->fs, test_node(test->fs, "a"), 0, "x", 1), 1);
    assert_result(memfs_node_digest(test->fs, test_node(test->fs, "a"), &one), -ENODATA);
    assert_result(memfs_node_digest(test->fs, MEMFS_ROOT, &one), -ENODATA);
    test_end(test, &image);
}

/* Changing a little of a large file of an image takes little. */
static void test_content__small_change_of_large_file(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    static uint8_t data[8 << 20];
    struct test_random random = {.state = 4};
    test_random_fill(&random, data, sizeof data);
    test_put(test->fs, "f", data, sizeof data);
    test_reopen(test, &image);
    memfs_node node = test_node(test->fs, "f");
    assert_result(memfs_node_write(test->fs, node, 5000000, "small", 5), 5);
    memcpy(data + 5000000, "small", 5);
    struct memfs_statfs statfs;
    assert_ok(memfs_statfs(test->fs, &statfs));
    assert_in_range(statfs.private_bytes, 1, 1 << 20);
    expect_bytes(test->fs, node, 0, data, sizeof data);
    test_end(test, &image);
}

/* Allocating over an image's bytes makes each page a few times at most; what fails on
 * the way leaves all as it was. */
static void test_content__allocate_over_base(void **state)
{
    enum { PAGES = 256 };
    struct test_state *test = *state;
    struct test_buffer image = {0};
    struct test_fault fault = {0};
    static uint8_t data[PAGES << 16];
    struct test_random random = {.state = 4};
    test_random_fill(&random, data, sizeof data);
    test_put(test->fs, "f", data, sizeof data);
    test_freeze(test->fs, &image);
    memfs_destroy(test->fs);
    test->fs = test_thaw_fault(test, &image, &fault);
    memfs_node node = test_node(test->fs, "f");
    char *before = test_dump(test->fs, TEST_DUMP_TIMES | TEST_DUMP_HOLES);
    for (uint64_t n = 1; n <= PAGES; n = n * 2 + 1) {
        atomic_store(&fault.fail_at, atomic_load(&fault.calls) + n);
        assert_result(memfs_node_allocate(test->fs, node, 100, sizeof data, 0), -EIO);
        atomic_store(&fault.fail_at, 0);
        char *after = test_dump(test->fs, TEST_DUMP_TIMES | TEST_DUMP_HOLES);
        test_same_text(after, before, "after an allocation that failed");
        free(after);
    }
    free(before);
    uint64_t calls = atomic_load(&test->memory.calls);
    assert_ok(memfs_node_allocate(test->fs, node, 100, sizeof data, 0));
    assert_in_range(atomic_load(&test->memory.calls) - calls, PAGES, 8 * PAGES);
    assert_int_equal(size_of(test->fs, node), sizeof data + 100);
    expect_bytes(test->fs, node, 0, data, sizeof data);
    expect_bytes(test->fs, node, sizeof data, (const uint8_t[100]){0}, 100);
    assert_int_equal(test_lstat(test->fs, "f").allocated, sizeof data + PAGE);
    test_end(test, &image);
}

/* Every other page of 4,096 bytes, so that there are many extents. */
static void put_comb(memfs *fs, const char *name, size_t teeth)
{
    uint8_t tooth[PAGE];
    memfs_node node = new_file(fs, name);
    for (size_t i = 0; i < teeth; i++) {
        memset(tooth, (int)(1 + i % 255), sizeof tooth);
        assert_result(memfs_node_write(fs, node, i * 2 * PAGE, tooth, sizeof tooth), sizeof tooth);
    }
}

static void test_content__many_extents(void **state)
{
    enum { PAGES = 1024 };
    struct test_state *test = *state;
    struct test_buffer image = {0};
    const size_t size = (size_t)PAGES << 16;
    uint8_t *data = malloc(size);
    put_comb(test->fs, "comb", PAGES * 8);
    put_comb(test->fs, "short", 512);
    put_comb(test->fs, "long", 513);
    test_reopen(test, &image);
    /* Exact as long as a sum is cheap, then an upper bound. */
    assert_int_equal(test_lstat(test->fs, "short").allocated, 512 * PAGE);
    assert_int_equal(test_lstat(test->fs, "long").allocated, (2 * 513 - 1) * PAGE);
    memfs_node node = test_node(test->fs, "comb");
    assert_ok(memfs_node_punch(test->fs, node, 3 * PAGE, size - 16 * PAGE));
    assert_result(memfs_node_seek(test->fs, node, PAGE, MEMFS_SEEK_DATA), 2 * PAGE);
    assert_result(memfs_node_seek(test->fs, node, 3 * PAGE, MEMFS_SEEK_DATA), (int64_t)size - 12 * PAGE);
    memfs_destroy(test->fs);
    test->fs = test_thaw(test, &image, 0);
    /* However many chunks of extents there are to be loaded on the way. */
    node = test_node(test->fs, "comb");
    memset(data, 'n', size);
    uint64_t calls = atomic_load(&test->memory.calls);
    assert_result(memfs_node_write(test->fs, node, 100, data, size - 200), size - 200);
    assert_in_range(atomic_load(&test->memory.calls) - calls, PAGES, 3 * PAGES);
    memset(data, 1, 100);
    memset(data + size - 100, 0, 100);
    expect_bytes(test->fs, node, 0, data, size - PAGE);
    free(data);
    test_end(test, &image);
}

/* A filesystem on an image with a file of six bytes, one that is a hole, and one with a byte at each end. */
static void far_files(struct test_state *test, struct test_buffer *image, uint64_t capacity)
{
    memfs_image *opened = NULL;
    if (!image->length) {
        test_put_text(test->fs, "short", "short\n");
        truncate_to(test->fs, new_file(test->fs, "hole"), FAR);
        memfs_node ends = new_file(test->fs, "ends");
        assert_result(memfs_node_write(test->fs, ends, 0, "a", 1), 1);
        assert_result(memfs_node_write(test->fs, ends, FAR - 1, "z", 1), 1);
        test_freeze(test->fs, image);
    }
    memfs_destroy(test->fs);
    const struct memfs_image_options options = {.size = sizeof options, .allocator = &test->memory.hook};
    assert_ok(memfs_image_open_buffer(image->data, image->length, &options, &opened, NULL));
    const struct memfs_options on_it = {.size = sizeof on_it,
                                        .allocator = &test->memory.hook,
                                        .clock = test_clock_read,
                                        .clock_context = &test->clock,
                                        .capacity = capacity,
                                        .backing = memfs_image_backing(opened)};
    assert_ok(memfs_create(&on_it, &test->fs));
    memfs_image_close(opened);
}

/* A range as far as files reach costs what is in it, not the pages it could have. */
static void test_content__far_ranges(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    static const char *const names[] = {"short", "hole", "ends"};
    for (size_t i = 0; i < 3; i++) {
        far_files(test, &image, 1 << 20);
        memfs_node node = test_node(test->fs, names[i]), hole = test_node(test->fs, "hole");
        assert_result(memfs_node_allocate(test->fs, node, 0, FAR, 1), -ENOSPC);
        assert_result(memfs_node_allocate(test->fs, node, 2, UINT64_C(1) << 47, 0), -ENOSPC);
        assert_ok(memfs_node_punch(test->fs, node, 1, FAR / 2));
        assert_int_equal(size_of(test->fs, node), i == 0 ? 6 : FAR);
        if (node != hole)
            assert_result(memfs_node_copy(test->fs, hole, 0, node, 2, FAR), (int64_t)FAR);
        expect_bytes(test->fs, node, 0, (const uint8_t *)(i == 0 ? "s\0\0\0" : i == 1 ? "\0\0\0" : "a\0\0"), 3);
        expect_bytes(test->fs, node, FAR - 2, (const uint8_t *)"\0\0", 2);
        assert_result(memfs_node_seek(test->fs, node, 65536, MEMFS_SEEK_DATA), -ENXIO);
        far_files(test, &image, 0);
        node = test_node(test->fs, names[i]);
        assert_result(memfs_node_allocate(test->fs, node, 0, FAR, 0), -ENOSPC);
        assert_ok(memfs_node_allocate(test->fs, node, FAR - 70000, 70000, 0));
        assert_int_equal(size_of(test->fs, node), FAR);
    }
    test_end(test, &image);
}

/* A hole is copied in one change, the end of the file and its attributes with it. */
static void test_content__copy_of_a_hole_fails_whole(void **state)
{
    static const char capability[] = "security.capability";
    enum { SIZE = 1 << 20 };
    struct test_state *test = *state;
    struct test_buffer image = {0};
    const struct memfs_setattr long_hole = {.set = MEMFS_SET_SIZE, .size = SIZE};
    unsigned failures = 0;
    test_put_text(test->fs, "from", "");
    assert_ok(memfs_setattr(test->fs, NULL, "from", 1, &long_hole));
    test_put_text(test->fs, "to", "some text");
    assert_ok(memfs_setxattr(test->fs, NULL, "to", 1, capability, "any", 3, 0));
    test_freeze(test->fs, &image);
    for (uint64_t n = 1; n == 1 || failures == n - 1; n++) {
        memfs_destroy(test->fs);
        test->fs = test_thaw(test, &image, 0);
        memfs_node from = test_node(test->fs, "from"), to = test_node(test->fs, "to");
        char *before = test_dump(test->fs, TEST_DUMP_TIMES | TEST_DUMP_HOLES);
        test->clock.now += 1000;
        test_memory_fail(&test->memory, n, 1);
        const int64_t result = memfs_node_copy(test->fs, from, 0, to, 100, SIZE);
        test_memory_heal(&test->memory);
        assert_true(result == SIZE || result == -ENOMEM);
        if (result == -ENOMEM) {
            char *after = test_dump(test->fs, TEST_DUMP_TIMES | TEST_DUMP_HOLES);
            test_same_text(after, before, "after a copy that failed");
            free(after);
            failures++;
        }
        free(before);
        memfs_node_forget(test->fs, from, 1);
        memfs_node_forget(test->fs, to, 1);
    }
    assert_true(failures > 2);
    assert_int_equal(test_lstat(test->fs, "to").size, SIZE + 100);
    test_end(test, &image);
}

/* A byte here and there takes what it needs, not a page of 64 KiB. */
static void test_content__scattered_bytes_are_small(void **state)
{
    struct test_state *test = *state;
    memfs_node node = 0;
    assert_ok(memfs_node_create(test->fs, NULL, MEMFS_ROOT, "f", 0644, &node));
    uint64_t before = test->memory.live;
    for (uint64_t i = 0; i < 1000; i++)
        assert_result(memfs_node_write(test->fs, node, i * 131072, "x", 1), 1);
    assert_true(test->memory.live - before < 1 << 20);
    memfs_node_forget(test->fs, node, 1);
}

static uint64_t private_bytes(memfs *fs)
{
    struct memfs_statfs statfs;
    assert_ok(memfs_statfs(fs, &statfs));
    return statfs.private_bytes;
}

/* A copy of what is changed has as much room as that had: only what grows gets more. */
static void test_content__a_copy_takes_no_more(void **state)
{
    struct test_state *test = *state;
    static char bytes[40000];
    memfs_backing *sealed = NULL;
    memset(bytes, 'x', sizeof bytes);
    test_put(test->fs, "f", bytes, sizeof bytes);
    assert_ok(memfs_seal(test->fs, &sealed));
    test->fs = test_create(test, sealed);
    memfs_backing_release(sealed);
    const memfs_node node = test_node(test->fs, "f");
    const struct memfs_setattr mode = {.set = MEMFS_SET_MODE, .mode = 0600};
    assert_ok(memfs_node_setattr(test->fs, NULL, node, &mode, NULL)); /* it is private now, its bytes are not */
    const uint64_t before = private_bytes(test->fs);
    assert_result(memfs_node_write(test->fs, node, 5, "y", 1), 1);
    assert_in_range(private_bytes(test->fs) - before, sizeof bytes, sizeof bytes + 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_content__weight_of_holes),
        test_with_fs(test_content__borders),
        test_with_fs(test_content__reads_end),
        test_with_fs(test_content__append),
        test_with_fs(test_content__truncate_shows_zeros),
        test_with_fs(test_content__sparse),
        test_with_fs(test_content__size_limits),
        test_with_fs(test_content__punch),
        test_with_fs(test_content__punch_to_the_end),
        test_with_fs(test_content__punch_frees),
        test_with_fs(test_content__allocate),
        test_with_fs(test_content__allocated_is_enough),
        test_with_fs(test_content__times_of_allocating),
        test_with_fs(test_content__copy),
        test_with_fs(test_content__views),
        test_with_fs(test_content__view_of_holes_and_ends),
        test_with_fs(test_content__write_whole_or_nothing),
        test_with_fs(test_content__failed_writes_lose_nothing),
        test_with_fs(test_content__digest),
        test_with_fs(test_content__small_change_of_large_file),
        test_with_fs(test_content__allocate_over_base),
        test_with_fs(test_content__many_extents),
        test_with_fs(test_content__far_ranges),
        test_with_fs(test_content__copy_of_a_hole_fails_whole),
        test_with_fs(test_content__scattered_bytes_are_small),
        test_with_fs(test_content__a_copy_takes_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
