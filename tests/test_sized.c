#include "memfs_host.h"
#include "sized.h"
#include "testlib.h"

#include <unistd.h>

/* As a caller may know it who is older, or newer. */
struct given {
    size_t size;
    uint32_t first, second;
};

struct newer {
    struct given known;
    uint32_t third, fourth;
};

static void expect(const void *given, uint32_t first, uint32_t second)
{
    struct given taken;
    memset(&taken, 0xFF, sizeof taken);
    assert_ok(memfs_sized_take(&taken, sizeof taken, given, NULL));
    assert_int_equal(taken.size, sizeof taken);
    assert_int_equal(taken.first, first);
    assert_int_equal(taken.second, second);
}

static void expect_refused(const void *given)
{
    struct given taken;
    struct memfs_detail detail = {0};
    memset(&taken, 0xFF, sizeof taken);
    assert_result(memfs_sized_take(&taken, sizeof taken, given, &detail), -EINVAL);
    assert_int_equal(detail.error, -EINVAL);
    assert_non_null(strstr(detail.text, "size"));
    assert_int_equal(taken.first | taken.second, 0);
}

static void test_sized__as_the_caller_knows_them(void **state)
{
    (void)state;
    struct newer given = {{.first = 1, .second = 2}, 0, 0};
    expect(NULL, 0, 0);
    expect(&given, 1, 2);
    given.known.size = sizeof given.known;
    expect(&given, 1, 2);
    given.known.size = sizeof given;
    expect(&given, 1, 2);
    given.known.size = offsetof(struct given, second);
    expect(&given, 1, 0);
    given.known.size = sizeof(size_t);
    expect(&given, 0, 0);
}

static void test_sized__wrong_sizes(void **state)
{
    (void)state;
    struct newer given = {{.first = 1, .second = 2}, 0, 4};
    for (size_t size = 1; size < sizeof(size_t); size++) {
        given.known.size = size;
        expect_refused(&given);
    }
    given.known.size = sizeof given;
    expect_refused(&given);
    given.known.size = offsetof(struct newer, fourth);
    expect(&given, 1, 2);
}

/* What is told to a caller: as much as there is room for. */
static void test_sized__given_back(void **state)
{
    (void)state;
    const struct given ours = {sizeof ours, 1, 2};
    struct newer out = {{.size = 0}, 7, 7};
    memfs_sized_give(&out, &ours, sizeof ours);
    assert_int_equal(out.known.size, 0);
    assert_int_equal(out.known.second, 2);
    out = (struct newer){{.size = sizeof out}, 7, 7};
    memfs_sized_give(&out, &ours, sizeof ours);
    assert_int_equal(out.known.size, sizeof out);
    assert_int_equal(out.known.first, 1);
    assert_int_equal(out.third, 7);
    out = (struct newer){{.size = offsetof(struct given, second), .second = 5}, 7, 7};
    memfs_sized_give(&out, &ours, sizeof ours);
    assert_int_equal(out.known.first, 1);
    assert_int_equal(out.known.second, 5);
    out = (struct newer){{.size = 3, .first = 5}, 7, 7};
    memfs_sized_give(&out, &ours, sizeof ours);
    assert_int_equal(out.known.first, 5);
}

/* ---- Each function that takes some -------------------------------------------------------------------------- */

static int visit(void *context, const struct memfs_step *step)
{
    (void)context;
    (void)step;
    return 0;
}

static void close_counting(void *context)
{
    ++*(int *)context;
}

static const size_t wrong = 3;

static void test_sized__filesystems(void **state)
{
    struct test_state *test = *state;
    memfs *fs = NULL;
    assert_result(memfs_create((const void *)&wrong, &fs), -EINVAL);
    assert_null(fs);
    assert_result(memfs_walk_steps(test->fs, NULL, "/", (const void *)&wrong, visit, NULL), -EINVAL);
    assert_result(memfs_glob_steps(test->fs, NULL, "*", (const void *)&wrong, visit, NULL), -EINVAL);
}

static void test_sized__images(void **state)
{
    struct test_state *test = *state;
    struct memfs_detail detail = {0};
    struct test_buffer bytes = {0};
    memfs_image *image = NULL;
    uint64_t least = 0;
    int closed = 0;
    test_freeze(test->fs, &bytes);
    assert_result(memfs_image_open_buffer(bytes.data, bytes.length, (const void *)&wrong, &image, &detail), -EINVAL);
    assert_result(memfs_image_open_path("/dev/null", (const void *)&wrong, &image, &detail), -EINVAL);
    assert_result(memfs_image_open_fd(0, (const void *)&wrong, &image, &detail), -EINVAL);
    const struct memfs_source source = {.close = close_counting, .context = &closed};
    assert_result(memfs_image_open_source(&source, (const void *)&wrong, &image, &detail), -EINVAL);
    assert_int_equal(closed, 1);
    assert_null(image);
    assert_ok(memfs_image_open_buffer(bytes.data, bytes.length, NULL, &image, &detail));
    assert_result(memfs_verify(image, (const void *)&wrong, &detail), -EINVAL);
    assert_int_equal(detail.error, -EINVAL);
    memfs_image_close(image);
    assert_result(memfs_freeze_memory_least((const void *)&wrong, &least, &detail), -EINVAL);
    assert_result(memfs_freeze_fd(test->fs, -1, (const void *)&wrong, &detail), -EINVAL);
    assert_result(memfs_freeze(test->fs, NULL, (const void *)&wrong, &detail), -EINVAL);
    test_buffer_free(&bytes);
}

static void test_sized__hosts(void **state)
{
    struct test_state *test = *state;
    struct memfs_detail detail = {0};
    memfs_backing *backing = NULL;
    const struct memfs_scan_source here = {.path = "."};
    const char *path = "made-by-test_sized";
    assert_result(memfs_host_scan("/", (const void *)&wrong, &backing, &detail), -EINVAL);
    assert_result(memfs_host_scan_list(&here, 1, (const void *)&wrong, &backing, &detail), -EINVAL);
    assert_null(backing);
    assert_result(memfs_host_export(test->fs, path, (const void *)&wrong, &detail), -EINVAL);
    assert_result(memfs_freeze_path(test->fs, path, (const void *)&wrong, &detail), -EINVAL);
    assert_int_equal(access(path, F_OK), -1); /* nothing was made */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sized__as_the_caller_knows_them),
        cmocka_unit_test(test_sized__wrong_sizes),
        cmocka_unit_test(test_sized__given_back),
        test_with_fs(test_sized__filesystems),
        test_with_fs(test_sized__images),
        test_with_fs(test_sized__hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
