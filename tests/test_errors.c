/* Every error the library has: provoked, named, mapped to an errno. */
#include "memfs_host.h"
#include "testlib.h"

#include <unistd.h>
#include <xxhash.h>

#define HEADER 64u
#define TRAILER 64u

static void put_le(uint8_t *at, uint64_t value, size_t width)
{
    for (size_t i = 0; i < width; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get_le(const uint8_t *at, size_t width)
{
    uint64_t value = 0;
    for (size_t i = width; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

/* Makes the hashes of header, root and trailer right again. */
static void reseal(struct test_buffer *image)
{
    uint8_t *trailer = image->data + image->length - TRAILER;
    uint64_t root = get_le(trailer + 24, 8);
    put_le(trailer + 40, XXH3_64bits(image->data + root, (size_t)get_le(trailer + 32, 4)), 8);
    put_le(trailer + 48, XXH3_64bits(image->data, HEADER), 8);
    put_le(trailer + 56, XXH3_64bits(trailer, 56), 8);
}

static int opens(struct test_state *test, const struct test_buffer *image, struct memfs_detail *detail)
{
    struct memfs_image_options options = {.size = sizeof options, .allocator = &test->memory.hook};
    memfs_image *opened = NULL;
    memset(detail, 0, sizeof *detail);
    int error = memfs_image_open_buffer(image->data, image->length, &options, &opened, detail);
    memfs_image_close(opened);
    return error;
}

/* Opening must fail like this, and say so. */
static void refuses(struct test_state *test, const struct test_buffer *image, int want)
{
    struct memfs_detail detail;
    assert_result(opens(test, image, &detail), want);
    assert_int_equal(detail.error, want);
    assert_true(detail.text[0] != 0);
}

static void an_image(struct test_state *test, struct test_buffer *image)
{
    test_build_everything(test->fs);
    test_freeze(test->fs, image);
}

static void test_errors__not_an_image(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0}, other = {0};
    refuses(test, &image, MEMFS_ENOTIMAGE);
    test_buffer_print(&other, "%0500d", 7);
    refuses(test, &other, MEMFS_ENOTIMAGE);
    an_image(test, &image);
    /* What text mode does to a file. */
    image.data[4] = '\n';
    refuses(test, &image, MEMFS_ENOTIMAGE);
    test_buffer_free(&image);
    test_buffer_free(&other);
}

static void test_errors__newer_version(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    an_image(test, &image);
    put_le(image.data + 8, 2, 2);
    reseal(&image);
    refuses(test, &image, MEMFS_EVERSION);
    test_buffer_free(&image);
}

static void test_errors__unknown_features(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    struct memfs_detail detail;
    an_image(test, &image);
    image.data[16] = 1;
    reseal(&image);
    refuses(test, &image, MEMFS_EFEATURE);
    image.data[16] = 0;
    image.data[24] = 1; /* concerns writers only */
    reseal(&image);
    assert_ok(opens(test, &image, &detail));
    image.data[24] = 0;
    image.data[39] = 0x80; /* concerns nobody */
    reseal(&image);
    assert_ok(opens(test, &image, &detail));
    image.data[39] = 0;
    image.data[12] = 99; /* another hash */
    reseal(&image);
    refuses(test, &image, MEMFS_EFEATURE);
    test_buffer_free(&image);
}

static void test_errors__checksum(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    an_image(test, &image);
    static const size_t places[] = {41, 60}; /* of the header: no reading of other bytes can say it */
    for (size_t i = 0; i < 2; i++) {
        image.data[places[i]] ^= 1;
        refuses(test, &image, MEMFS_ECHECKSUM);
        image.data[places[i]] ^= 1;
    }
    uint64_t root = get_le(image.data + image.length - TRAILER + 24, 8);
    image.data[root + 5] ^= 1;
    refuses(test, &image, MEMFS_ECHECKSUM);
    image.data[root + 5] ^= 1;
    /* In a data block it is seen when that is read, and remembered. */
    image.data[HEADER + 3] ^= 1;
    memfs *fs = test_thaw(test, &image, 0);
    static uint8_t bytes[70000];
    memfs_node node = test_node(fs, "a/b/large");
    for (int i = 0; i < 2; i++)
        assert_result(memfs_node_read(fs, node, 0, bytes, sizeof bytes), MEMFS_ECHECKSUM);
    assert_int_equal(memfs_errno(MEMFS_ECHECKSUM), EIO);
    memfs_destroy(fs);
    test_buffer_free(&image);
}

static void test_errors__damage_is_told(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    struct memfs_image_options options = {.size = sizeof options, .allocator = &test->memory.hook};
    struct memfs_detail detail;
    memfs_image *opened = NULL;
    uint8_t byte;
    an_image(test, &image);
    image.data[HEADER + 3] ^= 1;
    assert_ok(memfs_image_open_buffer(image.data, image.length, &options, &opened, NULL));
    assert_ok(memfs_image_damage(opened, &detail));
    memfs *fs = test_create(test, memfs_image_backing(opened));
    assert_result(memfs_node_read(fs, test_node(fs, "a/b/large"), 0, &byte, 1), MEMFS_ECHECKSUM);
    assert_result(memfs_image_damage(opened, &detail), MEMFS_ECHECKSUM);
    assert_int_equal(detail.offset, HEADER);
    assert_true(detail.text[0] != 0);
    memfs_destroy(fs);
    assert_result(memfs_verify(opened, NULL, &detail), MEMFS_ECHECKSUM);
    memfs_image_close(opened);
    test_buffer_free(&image);
}

/* Whatever else was read meanwhile. */
static void test_errors__damage_of_a_file(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    struct memfs_image_options options = {.size = sizeof options, .allocator = &test->memory.hook};
    struct memfs_detail detail = {0};
    memfs_image *opened = NULL;
    an_image(test, &image);
    image.data[HEADER + 3] ^= 1;
    assert_ok(memfs_image_open_buffer(image.data, image.length, &options, &opened, NULL));
    memfs *fs = test_create(test, memfs_image_backing(opened));
    memfs_node damaged = test_node(fs, "a/b/large");
    assert_result(memfs_image_file_damage(opened, damaged, 0, &detail), MEMFS_ECHECKSUM);
    assert_result(detail.error, MEMFS_ECHECKSUM);
    assert_int_equal(detail.offset, HEADER);
    detail = (struct memfs_detail){0};
    assert_ok(memfs_image_file_damage(opened, damaged, UINT64_MAX, &detail)); /* there is nothing behind it */
    assert_int_equal(detail.error, 0);
    assert_result(memfs_image_file_damage(opened, test_node(fs, "a"), 0, &detail), -EINVAL);
    assert_result(memfs_image_file_damage(opened, 999, 0, &detail), -ESTALE);
    memfs_destroy(fs);
    memfs_image_close(opened);
    test_buffer_free(&image);
}

static void test_errors__corrupt(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    an_image(test, &image);
    image.data[50] = 1; /* reserved */
    reseal(&image);
    refuses(test, &image, MEMFS_ECORRUPT);
    image.data[50] = 0;
    put_le(image.data + 40, 3u << 16, 4); /* no power of two */
    reseal(&image);
    refuses(test, &image, MEMFS_ECORRUPT);
    test_buffer_free(&image);
}

/* Whatever is cut off: an error, at the latest when it is read. */
static void test_errors__truncated(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    struct memfs_detail detail;
    an_image(test, &image);
    size_t length = image.length;
    for (size_t cut = 1; cut <= length; cut += cut < 200 ? 1 : 97) {
        image.length = length - cut;
        int error = opens(test, &image, &detail);
        assert_true(error == MEMFS_ENOTIMAGE || error == MEMFS_ECORRUPT || error == MEMFS_ECHECKSUM);
    }
    test_buffer_free(&image);
}

static void test_errors__limit(void **state)
{
    struct test_state *test = *state;
    int error = 0;
    for (unsigned i = 0; i <= MEMFS_LAYERS_MAX && !error; i++) {
        memfs_backing *sealed = NULL;
        error = memfs_seal(test->fs, &sealed);
        if (error)
            break;
        struct memfs_options options = {.size = sizeof options, .allocator = &test->memory.hook, .backing = sealed};
        assert_ok(memfs_create(&options, &test->fs));
        memfs_backing_release(sealed);
    }
    assert_result(error, MEMFS_ELIMIT);
}

static int stop(void *context, const struct memfs_progress *progress)
{
    (void)progress;
    return ++*(int *)context;
}

static void test_errors__of_freezing(void **state)
{
    struct test_state *test = *state;
    struct test_buffer bytes = {.limit = 1000};
    struct memfs_sink sink = test_buffer_sink(&bytes);
    struct memfs_freeze_options options = {.size = sizeof options, .allocator = &test->memory.hook};
    struct memfs_detail detail = {0};
    int calls = 0;
    test_build_everything(test->fs);
    assert_result(memfs_freeze(test->fs, &sink, &options, &detail), -ENOSPC);
    assert_int_equal(detail.error, -ENOSPC);
    options.progress = stop;
    options.progress_context = &calls;
    bytes.limit = 0;
    assert_result(memfs_freeze(test->fs, &sink, &options, &detail), -ECANCELED);
    options.progress = NULL;
    options.level = 99;
    assert_result(memfs_freeze(test->fs, &sink, &options, &detail), -EINVAL);
    options.level = 0;
    options.block_size = 100000;
    assert_result(memfs_freeze(test->fs, &sink, &options, &detail), -EINVAL);
    test_buffer_free(&bytes);
}

static void test_errors__of_opening(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    struct memfs_image_options options = {.size = sizeof options, .allocator = &test->memory.hook};
    struct memfs_detail detail = {0};
    memfs_image *opened = NULL;
    assert_result(memfs_image_open_path("/nowhere/at all", &options, &opened, &detail), -ENOENT);
    assert_non_null(strstr(detail.text, "/nowhere/at all"));
    assert_result(memfs_image_open_path("/", &options, &opened, &detail), -EISDIR);
    assert_result(memfs_image_open_path("/dev/null", &options, &opened, &detail), -ESPIPE);
    assert_result(memfs_image_open_fd(-1, &options, &opened, &detail), -EBADF);
    an_image(test, &image);
    struct test_source source = {.fail_at = 2};
    struct memfs_source from = test_source_of(&source, &image);
    assert_result(memfs_image_open_source(&from, &options, &opened, &detail), -EIO);
    assert_int_equal(atomic_load(&source.closed), 1);
    test_memory_fail(&test->memory, 1, 1);
    assert_result(memfs_image_open_source(&from, &options, &opened, &detail), -ENOMEM);
    test_memory_heal(&test->memory);
    test_buffer_free(&image);
}

/* What could not be opened is closed again. */
static void test_errors__descriptor_after_failure(void **state)
{
    struct test_state *test = *state;
    const struct memfs_image_options options = {.size = sizeof options, .allocator = &test->memory.hook};
    memfs_image *opened = NULL;
    const int lowest = dup(0);
    close(lowest);
    assert_result(memfs_image_open_path("/", &options, &opened, NULL), -EISDIR);
    assert_result(memfs_image_open_path("/dev/null", &options, &opened, NULL), -ESPIPE);
    test_memory_fail(&test->memory, 1, 1);
    assert_result(memfs_image_open_path("/proc/self/exe", &options, &opened, NULL), -ENOMEM);
    test_memory_heal(&test->memory);
    const int after = dup(0);
    close(after);
    assert_int_equal(after, lowest);
}

/* The errno values, each once; other suites have them case by case. */
static void test_errors__errnos(void **state)
{
    struct test_state *test = *state;
    memfs *fs = test->fs;
    struct memfs_cred cred = {.size = sizeof cred, .uid = 1};
    struct memfs_stat stat;
    memfs_file *file = NULL;
    char byte, name[300] = {0};
    test_put_text(fs, "f", "text");
    assert_ok(memfs_mkdir(fs, NULL, "d", 0700));
    assert_ok(memfs_mkdir(fs, NULL, "d/e", 0700));
    assert_ok(memfs_symlink(fs, NULL, "loop", "loop"));
    memfs_node node = test_node(fs, "f");
    memset(name, 'n', 256);
    assert_result(memfs_stat(fs, NULL, "none", &stat), -ENOENT);
    assert_result(memfs_stat(fs, NULL, "f/x", &stat), -ENOTDIR);
    assert_result(memfs_stat(fs, NULL, "loop", &stat), -ELOOP);
    assert_result(memfs_stat(fs, NULL, name, &stat), -ENAMETOOLONG);
    assert_result(memfs_stat(fs, &cred, "d/e", &stat), -EACCES);
    assert_result(memfs_setattr(fs, &cred, "f", 1, &(struct memfs_setattr){.set = MEMFS_SET_MODE}), -EPERM);
    assert_result(memfs_mkdir(fs, NULL, "d", 0755), -EEXIST);
    assert_result(memfs_unlink(fs, NULL, "d"), -EISDIR);
    assert_result(memfs_rmdir(fs, NULL, "d"), -ENOTEMPTY);
    assert_result(memfs_rmdir(fs, NULL, "/"), -EBUSY);
    assert_result(memfs_rename(fs, NULL, "d", "d/e/x", 0), -EINVAL);
    assert_result(memfs_node_stat(fs, 12345, &stat), -ESTALE);
    assert_result(memfs_node_seek(fs, node, 4, MEMFS_SEEK_DATA), -ENXIO);
    assert_result(memfs_node_write(fs, node, MEMFS_SIZE_MAX, "x", 1), -EFBIG);
    assert_result(memfs_getxattr(fs, NULL, "f", 1, "user.a", &byte, 1), -ENODATA);
    assert_ok(memfs_setxattr(fs, NULL, "f", 1, "user.a", "long", 4, 0));
    assert_result(memfs_getxattr(fs, NULL, "f", 1, "user.a", &byte, 1), -ERANGE);
    assert_result(memfs_setxattr(fs, NULL, "f", 1, "user.b", name, MEMFS_XATTR_MAX + 1, 0), -E2BIG);
    cred.uid = 0;
    assert_result(memfs_setxattr(fs, &cred, "f", 1, "strange", "", 0, 0), -EOPNOTSUPP);
    assert_ok(memfs_open(fs, NULL, "f", MEMFS_O_READ, 0, &file));
    assert_result(memfs_write(file, "x", 1), -EBADF);
    assert_result(memfs_lseek(file, INT64_MAX, MEMFS_SEEK_END), -EOVERFLOW);
    test_memory_fail(&test->memory, 1, 1);
    struct memfs_options options = {.size = sizeof options, .allocator = &test->memory.hook};
    memfs *other = NULL;
    assert_result(memfs_create(&options, &other), -ENOMEM);
    test_memory_heal(&test->memory);
    memfs_close(file);
}

static void test_errors__in_words(void **state)
{
    (void)state;
    static const int own[] = {MEMFS_ENOTIMAGE, MEMFS_EVERSION, MEMFS_EFEATURE,
                              MEMFS_ECHECKSUM, MEMFS_ECORRUPT, MEMFS_ELIMIT};
    for (size_t i = 0; i < 6; i++) {
        assert_true(memfs_errno(own[i]) > 0);
        assert_true(strlen(memfs_strerror(own[i])) > 5);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(memfs_strerror(own[i]), memfs_strerror(own[j]));
    }
    for (int error = 1; error < 134; error++) {
        assert_int_equal(memfs_errno(-error), error);
        assert_non_null(memfs_strerror(-error));
    }
    assert_string_equal(memfs_strerror(-ENOENT), "No such file or directory"); /* whatever the locale */
    assert_string_equal(memfs_strerror(-9999), "unknown error");
    assert_string_not_equal(memfs_strerror(-ETIMEDOUT), "unknown error"); /* as reading from a network may give it */
    assert_int_equal(memfs_errno(0), 0);
    assert_non_null(memfs_strerror(0));
    assert_int_equal(memfs_errno(-9999), EIO);
    assert_non_null(memfs_strerror(INT32_MIN));
    assert_true(memfs_errno(INT32_MIN) > 0);
}

/* ---- Callers of other versions ------------------------------------------------------- */

/* Options of one who knows fewer fields, who gives no size, and who knows more than there are: the
 * fields behind size are not read. */
#define SIZES(type, first_unknown) ((const size_t[]){offsetof(type, first_unknown), 0, sizeof(type) + 64})
#define UNREAD 0 /* the size at which the field is not read */

static int step_into(void *context, const struct memfs_step *step)
{
    (void)context, (void)step;
    return 0;
}

static int create_sized(size_t size)
{
    const struct {
        struct memfs_options options;
        char more[64];
    } given = {.options = {.size = size, .capacity = 1}};
    memfs *fs = NULL;
    const int error = memfs_create(&given.options, &fs);
    memfs_destroy(fs);
    return error;
}

static int walk_sized(memfs *fs, size_t size)
{
    const struct {
        struct memfs_walk_options options;
        char more[64];
    } given = {.options = {.size = size, .depth_max = 1}};
    return memfs_walk_steps(fs, NULL, "/", &given.options, step_into, NULL);
}

static int export_sized(memfs *fs, size_t size)
{
    const struct {
        struct memfs_export_options options;
        char more[64];
    } given = {.options = {.size = size, .entries_max = 1, .plan_only = 1}};
    const int error = memfs_host_export(fs, "/nowhere/at all", &given.options, NULL);
    return error == -ENOENT ? 0 : error;
}

static int freeze_sized(memfs *fs, size_t size)
{
    const struct {
        struct memfs_freeze_options options;
        char more[64];
    } given = {.options = {.size = size, .level = 77}};
    struct test_buffer out = {0};
    const struct memfs_sink sink = test_buffer_sink(&out);
    const int error = memfs_freeze(fs, &sink, &given.options, NULL);
    test_buffer_free(&out);
    return error;
}

static int verify_sized(const struct test_buffer *image, size_t open_size, size_t size)
{
    const struct {
        struct memfs_image_options options;
        char more[64];
    } given = {.options = {.size = open_size, .decoded_max = 1}};
    const struct {
        struct memfs_verify_options options;
        char more[64];
    } how = {.options = {.size = size, .bytes_max = 1}};
    memfs_image *opened = NULL;
    assert_ok(memfs_image_open_buffer(image->data, image->length, &given.options, &opened, NULL));
    struct memfs_stat stat;
    const struct memfs_options options = {.size = sizeof options, .backing = memfs_image_backing(opened)};
    memfs *fs = NULL;
    assert_ok(memfs_create(&options, &fs));
    int error = memfs_stat(fs, NULL, "a/small", &stat);
    error = error ? error : memfs_verify(opened, &how.options, NULL);
    memfs_destroy(fs);
    memfs_image_close(opened);
    return error;
}

static void test_errors__sizes_of_options(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    const size_t known = offsetof(struct memfs_verify_options, bytes_max);
    test_build_everything(test->fs);
    test_freeze(test->fs, &image);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(create_sized(SIZES(struct memfs_options, capacity)[i]) == 0, i == UNREAD);
        assert_int_equal(walk_sized(test->fs, SIZES(struct memfs_walk_options, depth_max)[i]) == 0, i == UNREAD);
        assert_int_equal(export_sized(test->fs, SIZES(struct memfs_export_options, entries_max)[i]) == 0, i == UNREAD);
        assert_int_equal(freeze_sized(test->fs, SIZES(struct memfs_freeze_options, level)[i]) == 0, i == UNREAD);
        assert_int_equal(verify_sized(&image, SIZES(struct memfs_image_options, decoded_max)[i], known) == 0,
                         i == UNREAD);
        assert_int_equal(verify_sized(&image, SIZES(struct memfs_image_options, decoded_max)[UNREAD],
                                      SIZES(struct memfs_verify_options, bytes_max)[i]) == 0,
                         i == UNREAD);
    }
    test_buffer_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_fs(test_errors__not_an_image),
        test_with_fs(test_errors__newer_version),
        test_with_fs(test_errors__unknown_features),
        test_with_fs(test_errors__checksum),
        test_with_fs(test_errors__damage_is_told),
        test_with_fs(test_errors__damage_of_a_file),
        test_with_fs(test_errors__corrupt),
        test_with_fs(test_errors__truncated),
        test_with_fs(test_errors__limit),
        test_with_fs(test_errors__of_freezing),
        test_with_fs(test_errors__of_opening),
        test_with_fs(test_errors__descriptor_after_failure),
        test_with_fs(test_errors__errnos),
        cmocka_unit_test(test_errors__in_words),
        test_with_fs(test_errors__sizes_of_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
