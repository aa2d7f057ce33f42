/*
 * Freezing: what is in the image, that its bytes depend on the tree alone, that
 * holes and equal files cost nothing, and that a failure leaves nothing behind.
 */
#include "hash.h"
#include "records.h"
#include "testlib.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#define KIB ((size_t)1024)
#define MIB (KIB * KIB)

static struct test_state *state_of(void **state)
{
    return *state;
}

static int freeze_with(memfs *fs, struct test_buffer *out, const struct memfs_freeze_options *options,
                       struct memfs_detail *detail)
{
    struct memfs_sink sink = test_buffer_sink(out);
    out->length = 0;
    return memfs_freeze(fs, &sink, options, detail);
}

/* What the image says of itself, after it has been verified. */
static struct memfs_image_info info_of(const struct test_buffer *image)
{
    memfs_image *opened = NULL;
    struct memfs_detail detail = {0};
    int error = memfs_image_open_buffer(image->data, image->length, NULL, &opened, &detail);
    if (error)
        print_error("%s\n", detail.text);
    assert_ok(error);
    struct memfs_image_info info;
    assert_ok(memfs_image_info(opened, &info));
    error = memfs_verify(opened, NULL, &detail);
    if (error)
        print_error("%s\n", detail.text);
    assert_ok(error);
    memfs_image_close(opened);
    return info;
}

/* Freezes, opens, compares with the filesystem itself; and freezes that again. */
static void check_round(struct test_state *state, struct test_buffer *image)
{
    struct test_buffer again = {0};
    test_freeze(state->fs, image);
    memfs *thawed = test_thaw(state, image, 0);
    test_same_fs(thawed, state->fs, 0);
    test_freeze(thawed, &again);
    test_same_bytes(&again, image);
    memfs_destroy(thawed);
    test_buffer_free(&again);
}

static void write_at(memfs *fs, const char *path, uint64_t offset, const void *data, size_t length)
{
    memfs_file *file = NULL;
    assert_ok(memfs_open(fs, NULL, path, MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &file));
    assert_result(memfs_pwrite(file, data, length, offset), length);
    memfs_close(file);
}

/* ---- What is in the image ------------------------------------------------------- */

static void test_freeze__empty(void **state)
{
    struct test_buffer image = {0};
    check_round(state_of(state), &image);
    struct memfs_image_info info = info_of(&image);
    assert_int_equal(info.nodes, 1);
    assert_int_equal(info.types[1], 1);
    assert_int_equal(info.blocks, 0);
    assert_int_equal(info.entries, 0);
    assert_int_equal(info.generation, 1);
    assert_int_equal(info.has_time, 0);
    assert_string_equal(info.message, "");
    test_buffer_free(&image);
}

static void test_freeze__everything(void **state)
{
    struct test_buffer image = {0};
    test_build_everything(state_of(state)->fs);
    check_round(state_of(state), &image);
    struct memfs_image_info info = info_of(&image);
    assert_int_equal(info.types[1], 6); /* with the root */
    assert_int_equal(info.types[3], 1);
    assert_int_equal(info.types[4], 1);
    assert_int_equal(info.types[5], 1);
    assert_int_equal(info.types[6], 1);
    assert_int_equal(info.generation, 1);
    test_buffer_free(&image);
}

static void test_freeze__message_and_time(void **state)
{
    struct test_buffer image = {0};
    char message[4097];
    memset(message, 'm', 4096);
    message[4096] = 0;
    struct memfs_freeze_options options = {.size = sizeof options, .has_time = 1, .time = -5, .message = message};
    assert_ok(freeze_with(state_of(state)->fs, &image, &options, NULL));
    struct memfs_image_info info = info_of(&image);
    assert_int_equal(info.has_time, 1);
    assert_int_equal(info.time, -5);
    assert_string_equal(info.message, message);
    test_buffer_free(&image);
}

static void test_freeze__hard_links(void **state)
{
    struct test_state *test = state_of(state);
    struct test_buffer image = {0};
    assert_ok(memfs_mkdir(test->fs, NULL, "b", 0755));
    assert_ok(memfs_mkdir(test->fs, NULL, "a", 0755));
    test_put_text(test->fs, "b/one", "linked");
    assert_ok(memfs_link(test->fs, NULL, "b/one", "a/two"));
    assert_ok(memfs_link(test->fs, NULL, "b/one", "three"));
    test_reopen(test, &image);
    assert_int_equal(test_lstat(test->fs, "b/one").nlink, 3);
    assert_int_equal(test_node(test->fs, "b/one"), test_node(test->fs, "a/two"));
    assert_int_equal(test_node(test->fs, "b/one"), test_node(test->fs, "three"));
    assert_int_equal(test_lstat(test->fs, "/").nlink, 4);
    test_expect_text(test->fs, "a/two", "linked");
    assert_int_equal(info_of(&image).nodes, 4);
    memfs_destroy(test->fs);
    test->fs = NULL;
    test_buffer_free(&image);
}

/* Hosts have minor numbers above 255. */
static void test_freeze__device_numbers_are_whole(void **state)
{
    struct test_state *test = state_of(state);
    struct test_buffer image = {0};
    assert_ok(memfs_mknod(test->fs, NULL, "char", MEMFS_IFCHR | 0600, 0x12345678, 0x9abcdef1));
    assert_ok(memfs_mknod(test->fs, NULL, "block", MEMFS_IFBLK | 0600, UINT32_MAX, 256));
    test_reopen(test, &image);
    assert_int_equal(test_lstat(test->fs, "char").rdev_major, 0x12345678);
    assert_int_equal(test_lstat(test->fs, "char").rdev_minor, 0x9abcdef1);
    assert_int_equal(test_lstat(test->fs, "block").rdev_major, UINT32_MAX);
    assert_int_equal(test_lstat(test->fs, "block").rdev_minor, 256);
    memfs_destroy(test->fs);
    test->fs = NULL;
    test_buffer_free(&image);
}

static void test_freeze__file_without_name_is_left_out(void **state)
{
    struct test_state *test = state_of(state);
    struct test_buffer image = {0}, plain = {0};
    test_freeze(test->fs, &plain);
    memfs_file *file = NULL;
    assert_ok(memfs_open(test->fs, NULL, "/", MEMFS_O_RDWR | MEMFS_O_TMPFILE, 0600, &file));
    assert_result(memfs_write(file, "gone", 4), 4);
    test_freeze(test->fs, &image);
    test_same_bytes(&image, &plain);
    memfs_close(file);
    test_buffer_free(&image);
    test_buffer_free(&plain);
}

/* More than a chunk of everything, and refs on three levels. */
static void test_freeze__many(void **state)
{
    struct test_state *test = state_of(state);
    struct test_buffer image = {0};
    char path[64], text[64];
    int files = (int)test_environment("MEMFS_SCALE", 100) * 200;
    for (int i = 0; i < files; i++) {
        if (i % 997 == 0) {
            snprintf(path, sizeof path, "d%d", i / 997);
            assert_ok(memfs_mkdir(test->fs, NULL, path, 0755));
        }
        snprintf(path, sizeof path, "d%d/f%d", i / 997, i * 7919 % files);
        int length = snprintf(text, sizeof text, "%d and %d", i % 5000, i % 3);
        test_put(test->fs, path, text, (size_t)length);
        if (i % 3 == 0)
            assert_ok(memfs_setxattr(test->fs, NULL, path, 1, "user.i", &i, sizeof i, 0));
    }
    check_round(test, &image);
    assert_int_equal(info_of(&image).types[0], files);
    test_buffer_free(&image);
}

static void test_freeze__deep(void **state)
{
    struct test_state *test = state_of(state);
    struct test_buffer image = {0};
    memfs_node node = MEMFS_ROOT, below;
    int depth = (int)test_environment("MEMFS_SCALE", 100) * 1000;
    for (int i = 0; i < depth; i++) {
        assert_ok(memfs_node_mkdir(test->fs, NULL, node, "d", 0755, &below));
        memfs_node_forget(test->fs, below, 1);
        node = below;
    }
    test_freeze(test->fs, &image);
    assert_int_equal(info_of(&image).nodes, depth + 1);
    memfs *thawed = test_thaw(test, &image, 0);
    node = MEMFS_ROOT;
    for (int i = 0; i < 1000; i++) {
        assert_ok(memfs_node_lookup(thawed, NULL, node, "d", &below));
        memfs_node_forget(thawed, below, 1);
        node = below;
    }
    memfs_destroy(thawed);
    test_buffer_free(&image);
}

/* ---- The same bytes ---------------------------------------------------------------- */

static void stamp(memfs *fs, const char *path)
{
    struct memfs_setattr set = {.set = MEMFS_SET_MTIME, .mtime = 42};
    assert_ok(memfs_setattr(fs, NULL, path, 0, &set));
}

static void stamp_all(memfs *fs)
{
    static const char *const paths[] = {"a/x", "a/y", "a/Z", "a", "b/\xff", "b", "l", "/"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        stamp(fs, paths[i]);
}

static void test_freeze__same_bytes_in_any_order(void **state)
{
    struct test_state *test = state_of(state);
    struct test_buffer one = {0}, other = {0};
    memfs *fs = test->fs;
    assert_ok(memfs_mkdir(fs, NULL, "a", 0755));
    test_put_text(fs, "a/Z", "upper");
    test_put_text(fs, "a/x", "equal");
    test_put_text(fs, "a/y", "equal");
    assert_ok(memfs_mkdir(fs, NULL, "b", 0755));
    assert_ok(memfs_symlink(fs, NULL, "a/x", "b/\xff"));
    assert_ok(memfs_link(fs, NULL, "a/y", "l"));
    stamp_all(fs);
    test_freeze(fs, &one);

    test->clock.now = 999999;
    fs = test_create(test, NULL);
    test_put_text(fs, "l", "first something longer");
    assert_ok(memfs_mkdir(fs, NULL, "later", 0700));
    assert_ok(memfs_mkdir(fs, NULL, "a", 0755));
    assert_ok(memfs_symlink(fs, NULL, "a/x", "a/moves"));
    test_put_text(fs, "later/gone", "gone");
    assert_ok(memfs_setxattr(fs, NULL, "later", 1, "user.gone", "gone", 4, 0));
    assert_ok(memfs_removexattr(fs, NULL, "later", 1, "user.gone"));
    test_put_text(fs, "a/x", "equal");
    assert_ok(memfs_rename(fs, NULL, "a/moves", "later/\xff", 0));
    test_put_text(fs, "a/Z", "upper and cut");
    assert_ok(memfs_truncate(fs, NULL, "a/Z", 5));
    test_put_text(fs, "l", "equal");
    assert_ok(memfs_unlink(fs, NULL, "later/gone"));
    assert_ok(memfs_rename(fs, NULL, "later", "b", 0));
    struct memfs_setattr mode = {.set = MEMFS_SET_MODE, .mode = 0755};
    assert_ok(memfs_setattr(fs, NULL, "b", 1, &mode));
    assert_ok(memfs_link(fs, NULL, "l", "a/y"));
    stamp_all(fs);
    test_freeze(fs, &other);
    test_same_bytes(&one, &other);
    memfs_destroy(fs);
    test_buffer_free(&one);
    test_buffer_free(&other);
}

static void test_freeze__options_change_bytes(void **state)
{
    struct test_state *test = state_of(state);
    struct test_buffer one = {0}, other = {0};
    test_build_everything(test->fs);
    struct memfs_freeze_options options = {.size = sizeof options, .level = 3, .block_size = 1u << 20, .threads = 4};
    test_freeze(test->fs, &one);
    assert_ok(freeze_with(test->fs, &other, &options, NULL)); /* the defaults, said aloud */
    test_same_bytes(&one, &other);
    options.block_size = 1u << 16;
    options.level = 19;
    assert_ok(freeze_with(test->fs, &other, &options, NULL));
    assert_int_equal(info_of(&other).block_size, 1u << 16);
    memfs *thawed = test_thaw(test, &other, 0);
    test_same_fs(thawed, test->fs, 0);
    memfs_destroy(thawed);
    test_buffer_free(&one);
    test_buffer_free(&other);
}

/* ---- Contents --------------------------------------------------------------------------- */

static void test_freeze__zeros_are_holes(void **state)
{
    struct test_state *test = state_of(state);
    struct test_buffer image = {0};
    uint8_t *data = test_random_bytes(1, 5 * 4096 + 100);
    memset(data + 4096, 0, 2 * 4096);
    memset(data + 5 * 4096, 0, 100);
    data[3 * 4096] = 1; /* a page that only begins so */
    test_put(test->fs, "file", data, 5 * 4096 + 100);
    test_put(test->fs, "zeros", data + 4096, 6000);
    check_round(test, &image);
    struct memfs_image_info info = info_of(&image);
    assert_int_equal(info.content_bytes, 5 * 4096 + 100 + 6000);
    assert_int_equal(info.data_bytes, 3 * 4096);
    memfs *thawed = test_thaw(test, &image, 0);
    memfs_node node = test_node(thawed, "file");
    assert_result(memfs_node_seek(thawed, node, 0, MEMFS_SEEK_HOLE), 4096);
    assert_result(memfs_node_seek(thawed, node, 4096, MEMFS_SEEK_DATA), 3 * 4096);
    assert_result(memfs_node_seek(thawed, node, 3 * 4096, MEMFS_SEEK_HOLE), 5 * 4096);
    assert_result(memfs_node_seek(thawed, node, 5 * 4096, MEMFS_SEEK_DATA), -ENXIO);
    assert_result(memfs_node_seek(thawed, test_node(thawed, "zeros"), 0, MEMFS_SEEK_DATA), -ENXIO);
    test_expect(thawed, "file", data, 5 * 4096 + 100);
    memfs_destroy(thawed);
    test_buffer_free(&image);
    free(data);
}

static void test_freeze__huge_sparse_file(void **state)
{
    struct test_state *test = state_of(state);
    struct test_buffer image = {0};
    uint64_t size = (uint64_t)1 << 62;
    write_at(test->fs, "sparse", 12345, "here", 4);
    write_at(test->fs, "sparse", size - 4096 - 7, "there", 5);
    assert_ok(memfs_truncate(test->fs, NULL, "sparse", size));
    write_at(test->fs, "sparse2", 12345, "here", 4); /* equal, and compared */
    write_at(test->fs, "sparse2", size - 4096 - 7, "there", 5);
    assert_ok(memfs_truncate(test->fs, NULL, "sparse2", size));
    for (int i = 0; i < 3; i++) { /* the sum of sizes does not wrap */
        static const char *const names[] = {"p", "q", "r"};
        test_put(test->fs, names[i], "", 0);
        assert_ok(memfs_truncate(test->fs, NULL, names[i], size));
    }
    test_freeze(test->fs, &image);
    struct memfs_image_info info = info_of(&image);
    assert_true(info.content_bytes == UINT64_MAX);
    assert_int_equal(info.raw_bytes, 2 * 4096);
    assert_int_equal(info.data_bytes, 4 * 4096);
    memfs *thawed = test_thaw(test, &image, 0);
    char text[8] = {0};
    assert_true(test_lstat(thawed, "sparse2").size == size);
    assert_result(memfs_node_read(thawed, test_node(thawed, "sparse2"), size - 4096 - 7, text, 5), 5);
    assert_string_equal(text, "there");
    memfs_destroy(thawed);
    test_buffer_free(&image);
}

static void test_freeze__contents_over_many_blocks(void **state)
{
    struct test_state *test = state_of(state);
    struct test_buffer image = {0};
    const size_t length = 3 * MIB + 4096 + 17;
    uint8_t *data = test_random_bytes(2, length);
    test_put(test->fs, "before", data, 100);
    test_put(test->fs, "large", data, length);
    memset(data + MIB - 4096, 0, 8192); /* a hole where the pieces that are read meet */
    test_put(test->fs, "later", data, length);
    struct memfs_freeze_options options = {
        .size = sizeof options, .block_size = 1u << 16, .allocator = &test->memory.hook, .share = MEMFS_SHARE_FILES};
    assert_ok(freeze_with(test->fs, &image, &options, NULL));
    struct memfs_image_info info = info_of(&image);
    assert_int_equal(info.raw_bytes, 100 + 2 * length - 8192);
    assert_int_equal(info.blocks, (info.raw_bytes + 65535) / 65536); /* more than stand in the root */
    memfs *thawed = test_thaw(test, &image, 0);
    test_expect(thawed, "later", data, length);
    test_same_fs(thawed, test->fs, 0);
    memfs_destroy(thawed);
    test_buffer_free(&image);
    free(data);
}

static void test_freeze__digests(void **state)
{
    struct test_state *test = state_of(state);
    struct test_buffer image = {0};
    const size_t large = 2 * MIB + 5;
    uint8_t *data = test_random_bytes(3, large);
    test_put(test->fs, "empty", "", 0);
    test_put_text(test->fs, "small", "small");
    test_put(test->fs, "large", data, large);
    memset(data + 4096, 0, 8192);
    test_put(test->fs, "hole", data, 20000);
    test_reopen(test, &image);
    uint64_t digest;
    assert_ok(memfs_node_digest(test->fs, test_node(test->fs, "empty"), &digest));
    assert_true(digest == memfs_hash("", 0));
    assert_ok(memfs_node_digest(test->fs, test_node(test->fs, "small"), &digest));
    assert_true(digest == memfs_hash("small", 5));
    test_put_text(test->fs, "small", "other");
    assert_result(memfs_node_digest(test->fs, test_node(test->fs, "small"), &digest), -ENODATA);
    uint8_t told[20000 - 8192 + 16] = {0};
    memcpy(told, data, 4096);
    told[4096 + 1] = 0x10; /* le64 4096, le64 8192 */
    told[4096 + 9] = 0x20;
    memcpy(told + 4096 + 16, data + 3 * 4096, 20000 - 3 * 4096);
    assert_ok(memfs_node_digest(test->fs, test_node(test->fs, "hole"), &digest));
    assert_true(digest == memfs_hash(told, sizeof told));
    free(data);
    data = test_random_bytes(3, large);
    assert_ok(memfs_node_digest(test->fs, test_node(test->fs, "large"), &digest));
    assert_true(digest == memfs_hash(data, large));
    memfs_destroy(test->fs);
    test->fs = NULL;
    test_buffer_free(&image);
    free(data);
}

static void test_freeze__equal_files_are_stored_once(void **state)
{
    struct test_state *test = state_of(state);
    struct test_buffer image = {0};
    const size_t large = 2 * MIB + 3000;
    uint8_t *data = test_random_bytes(4, large);
    test_put(test->fs, "small1", data, 10000);
    test_put(test->fs, "small2", data, 10000);
    test_put(test->fs, "small3", data, 9999);
    memset(data + 40960, 0, 40960);
    test_put(test->fs, "large1", data, large);
    test_put(test->fs, "large2", data, large);
    data[large - 1] ^= 1; /* as long, but not equal */
    test_put(test->fs, "large3", data, large);
    test_put(test->fs, "holes1", data, 100000);
    test_put(test->fs, "holes2", data, 100000);
    check_round(test, &image);
    const uint64_t all = 20000 + 9999 + 3 * (large - 40960) + 2 * (100000 - 40960);
    struct memfs_freeze_options options = {.size = sizeof options, .share = MEMFS_SHARE_FILES};
    assert_ok(freeze_with(test->fs, &image, &options, NULL));
    struct memfs_image_info info = info_of(&image);
    assert_int_equal(info.raw_bytes, 10000 + 9999 + 2 * (large - 40960) + 100000 - 40960);
    assert_int_equal(info.data_bytes, all);
    options.share = MEMFS_SHARE_NONE;
    assert_ok(freeze_with(test->fs, &image, &options, NULL));
    info = info_of(&image);
    assert_int_equal(info.raw_bytes, all);
    assert_int_equal(info.data_bytes, all);
    test_buffer_free(&image);
    free(data);
}

static void test_freeze__equal_strings_are_stored_once(void **state)
{
    struct test_state *test = state_of(state);
    struct test_buffer image = {0};
    static const char *const paths[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++) {
        test_put(test->fs, paths[i], "", 0);
        assert_ok(memfs_setxattr(test->fs, NULL, paths[i], 1, "user.one", "value", 5, 0));
        assert_ok(memfs_setxattr(test->fs, NULL, paths[i], 1, "user.two", i < 2 ? "value" : "", i < 2 ? 5 : 0, 0));
    }
    assert_ok(memfs_symlink(test->fs, NULL, "target", "l1"));
    assert_ok(memfs_symlink(test->fs, NULL, "target", "l2"));
    check_round(test, &image);
    struct memfs_image_info info = info_of(&image);
    assert_int_equal(info.xattrs, 4); /* two sets of two */
    assert_int_equal(info.blob_bytes, 8 + 5 + 8 + 6);
    test_buffer_free(&image);
}

/* Items do not cross the ends of chunks. */
static void test_freeze__large_attributes(void **state)
{
    struct test_state *test = state_of(state);
    struct test_buffer image = {0};
    uint8_t *data = test_random_bytes(5, MEMFS_XATTR_MAX);
    char path[16];
    for (int i = 0; i < 40; i++) {
        snprintf(path, sizeof path, "f%d", i);
        test_put(test->fs, path, "", 0);
        data[0] = (uint8_t)i;
        assert_ok(memfs_setxattr(test->fs, NULL, path, 1, "user.large", data,
                                 i == 7 ? MEMFS_XATTR_MAX : (size_t)(i * 1600 + 1), 0));
    }
    check_round(test, &image);
    test_buffer_free(&image);
    free(data);
}

/* ---- Files that cannot be read ----------------------------------------------------------- */

struct problems {
    int calls, error, answer;
    char path[64];
};

static int on_problem(void *context, const struct memfs_problem *problem)
{
    struct problems *problems = context;
    assert_true(problem->text && *problem->text);
    assert_int_equal(problem->kind, MEMFS_PROBLEM_FILE);
    problems->calls++;
    problems->error = problem->error;
    snprintf(problems->path, sizeof problems->path, "%s", problem->path);
    return problems->answer;
}

struct host {
    char path[64];
    int fd;
};

static void host_begin(struct host *host)
{
    const char *base = getenv("TMPDIR");
    snprintf(host->path, sizeof host->path, "%.40s/memfsXXXXXX", base && *base ? base : "/tmp");
    assert_non_null(mkdtemp(host->path));
    host->fd = open(host->path, O_RDONLY | O_DIRECTORY);
    assert_true(host->fd >= 0);
}

static void host_put(const struct host *host, const char *name, const void *data, size_t length)
{
    int fd = openat(host->fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_result(write(fd, data, length), length);
    struct timespec times[2] = {{1000, 0}, {1000, 0}};
    assert_ok(futimens(fd, times));
    close(fd);
}

static void host_stamp(const struct host *host, const char *name)
{
    struct timespec times[2] = {{2000, 0}, {2000, 0}};
    assert_ok(utimensat(host->fd, name, times, 0));
}

static int host_count(const struct host *host)
{
    int count = 0;
    DIR *dir = opendir(host->path);
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count - 2;
}

static void host_end(struct host *host)
{
    assert_ok(test_remove_tree(host->path));
    close(host->fd);
}

static memfs *scan(struct test_state *test, const struct host *host)
{
    struct memfs_scan_options options = {.size = sizeof options, .allocator = &test->memory.hook};
    memfs_backing *backing = NULL;
    assert_ok(memfs_host_scan(host->path, &options, &backing, NULL));
    memfs *fs = test_create(test, backing);
    memfs_backing_release(backing);
    return fs;
}

static void host_fill(const struct host *host, int with_lost)
{
    uint8_t *data = test_random_bytes(6, 3 * MIB);
    assert_ok(mkdirat(host->fd, "d", 0755));
    assert_ok(mkdirat(host->fd, "d/e", 0755));
    host_put(host, "a", data, 1000);
    if (with_lost) {
        host_put(host, "b", data + 500, 2000);
        host_put(host, "d/a", data + 600, 3 * MIB - 600);
        host_put(host, "d/e/only", "only", 4);
        assert_ok(linkat(host->fd, "b", host->fd, "d/b2", 0));
    }
    host_put(host, "c", data + 100, 30000);
    host_put(host, "d/z", data + 1000, 100000);
    assert_ok(symlinkat("target", host->fd, "d/l"));
    struct timespec times[2] = {{2000, 0}, {2000, 0}};
    assert_ok(utimensat(host->fd, "d/l", times, AT_SYMLINK_NOFOLLOW));
    host_stamp(host, "d/e");
    host_stamp(host, "d");
    host_stamp(host, ".");
    free(data);
}

static void test_freeze__files_left_out(void **state)
{
    struct test_state *test = state_of(state);
    struct host whole, rest;
    struct test_buffer image = {0}, want = {0};
    host_begin(&whole);
    host_begin(&rest);
    host_fill(&whole, 1);
    host_fill(&rest, 0);
    memfs *fs = scan(test, &rest);
    test_freeze(fs, &want);
    memfs_destroy(fs);

    fs = scan(test, &whole);
    assert_ok(unlinkat(whole.fd, "b", 0));
    assert_ok(unlinkat(whole.fd, "d/b2", 0));
    assert_ok(unlinkat(whole.fd, "d/e/only", 0));
    host_put(&whole, "d/a", "shorter", 7);
    struct problems problems = {.answer = 0};
    struct memfs_freeze_options options = {.size = sizeof options, .problem = on_problem, .problem_context = &problems};
    assert_ok(freeze_with(fs, &image, &options, NULL));
    assert_int_equal(problems.calls, 3);
    assert_int_equal(problems.error, -ENOENT);
    assert_string_equal(problems.path, "d/e/only");
    memfs *got = test_thaw(test, &image, 0), *wanted = test_thaw(test, &want, 0);
    test_same_fs(got, wanted, 0);
    test_same_bytes(&image, &want);
    memfs_destroy(got);
    memfs_destroy(wanted);

    struct memfs_detail detail = {0};
    assert_result(freeze_with(fs, &image, NULL, &detail), -ENOENT);
    assert_true(strncmp(detail.text, "b: ", 3) == 0);
    assert_int_equal(detail.error, -ENOENT);
    problems = (struct problems){.answer = 1};
    assert_result(freeze_with(fs, &image, &options, &detail), -ENOENT);
    assert_int_equal(problems.calls, 1);
    memfs_destroy(fs);
    host_end(&whole);
    host_end(&rest);
    test_buffer_free(&image);
    test_buffer_free(&want);
}

/* A tree with a large file between others, or without it. */
static void build_around(memfs *fs, int with_lost)
{
    const size_t large = 3 * MIB;
    uint8_t *data = test_random_bytes(8, large);
    memset(data + 2 * MIB, 0, 8192);
    assert_ok(memfs_mkdir(fs, NULL, "d", 0755));
    test_put(fs, "a", data, 30000);
    if (with_lost)
        test_put(fs, "b", data + 100, large - 100);
    test_put(fs, "c", data + 200, 40000);
    test_put(fs, "d/a", data + 300, 50000);
    free(data);
}

/* What a file has put into blocks before it fails stays there; nothing else of it does. */
static void test_freeze__file_fails_midway(void **state)
{
    struct test_state *test = state_of(state);
    struct test_buffer whole = {0}, image = {0};
    int dropped = 0;
    build_around(test->fs, 1);
    struct memfs_freeze_options options = {.size = sizeof options, .block_size = 1u << 16};
    assert_ok(freeze_with(test->fs, &whole, &options, NULL));
    memfs *without = test_create(test, NULL);
    build_around(without, 0);
    const int sizes = test_environment("MEMFS_FAST", 0) ? 1 : 2;
    for (int large = 0; large < sizes; large++) {
        struct problems problems = {.answer = 0};
        options = (struct memfs_freeze_options){.size = sizeof options,
                                                .block_size = large ? 1u << 24 : 1u << 16,
                                                .problem = on_problem,
                                                .problem_context = &problems};
        for (uint64_t nth = 1;; nth += test_step(3)) {
            memfs_image *opened = NULL;
            struct test_fault fault = {.fail_at = nth};
            assert_ok(memfs_image_open_buffer(whole.data, whole.length, NULL, &opened, NULL));
            memfs_backing *backing = test_fault_backing(memfs_image_backing(opened), &fault);
            memfs *fs = test_create(test, backing);
            memfs_backing_release(backing);
            memfs_image_close(opened);
            problems = (struct problems){.answer = 0};
            int error = freeze_with(fs, &image, &options, NULL);
            uint64_t failures = fault.failures;
            memfs_destroy(fs);
            if (!failures) {
                assert_ok(error);
                break;
            }
            if (error) { /* the record of a node, or of a directory */
                assert_result(error, -EIO);
                continue;
            }
            assert_int_equal(problems.calls, 1);
            assert_int_equal(problems.error, -EIO);
            info_of(&image);
            if (strcmp(problems.path, "b") != 0)
                continue;
            dropped++;
            memfs *got = test_thaw(test, &image, 0);
            test_same_fs(got, without, 0);
            memfs_destroy(got);
        }
    }
    assert_true((uint64_t)dropped * test_step(3) > 20);
    memfs_destroy(without);
    test_buffer_free(&whole);
    test_buffer_free(&image);
}

/* ---- Failures ------------------------------------------------------------------------------- */

static int counting_write(void *context, const void *data, size_t length)
{
    (void)context;
    (void)data;
    return (int)length; /* as write() does */
}

static void test_freeze__sink_returns_a_count(void **state)
{
    struct memfs_detail detail = {0};
    struct memfs_sink sink = {counting_write, NULL};
    assert_result(memfs_freeze(state_of(state)->fs, &sink, NULL, &detail), -EIO);
    assert_non_null(strstr(detail.text, "cannot write"));
}

struct failing_sink {
    int writes, fail_at;
};

static int failing_write(void *context, const void *data, size_t length)
{
    struct failing_sink *sink = context;
    assert_true(length > 0);
    assert_non_null(data);
    return ++sink->writes == sink->fail_at ? -EDQUOT : 0;
}

/* How many calls there are of which the failure is not taken for a file's: nodes' records. */
static unsigned fatal_failures(struct test_state *test, const struct test_buffer *whole, enum memfs_sharing share)
{
    struct test_buffer image = {0};
    unsigned fatal = 0;
    uint64_t failures = 1;
    for (uint64_t nth = 1; failures; nth += nth < 8 ? 1 : test_step(5)) {
        struct problems problems = {.answer = 0};
        const struct memfs_freeze_options options = {
            .size = sizeof options, .share = share, .problem = on_problem, .problem_context = &problems};
        struct test_fault fault = {.fail_at = nth};
        memfs *fs = test_thaw_fault(test, whole, &fault);
        fatal += freeze_with(fs, &image, &options, NULL) != 0;
        failures = fault.failures;
        memfs_destroy(fs);
    }
    test_buffer_free(&image);
    return fatal;
}

/* A large file that cannot be read while it is compared with an equal one is no reason to fail. */
static void test_freeze__twin_fails(void **state)
{
    struct test_state *test = state_of(state);
    struct test_buffer whole = {0};
    uint8_t *data = test_random_bytes(8, 3 * MIB);
    test_put(test->fs, "a", data, 3 * MIB);
    test_put(test->fs, "b", data, 3 * MIB);
    free(data);
    const struct memfs_freeze_options options = {.size = sizeof options, .share = MEMFS_SHARE_NONE};
    assert_ok(freeze_with(test->fs, &whole, &options, NULL));
    const unsigned fatal = fatal_failures(test, &whole, MEMFS_SHARE_NONE);
    assert_true(fatal > 0);
    assert_int_equal(fatal_failures(test, &whole, MEMFS_SHARE_FILES), fatal);
    assert_int_equal(fatal_failures(test, &whole, MEMFS_SHARE_PARTS), fatal);
    test_buffer_free(&whole);
}

/* Lack of descriptors says nothing about a file: nobody is asked whether to leave it out. */
static void test_freeze__no_descriptors_is_fatal(void **state)
{
    struct test_state *test = *state;
    struct test_buffer whole = {0}, image = {0};
    build_around(test->fs, 1);
    assert_ok(freeze_with(test->fs, &whole, NULL, NULL));
    static const int errors[] = {-EMFILE, -ENFILE, -ENOMEM};
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        struct problems problems = {.answer = 0};
        const struct memfs_freeze_options options = {
            .size = sizeof options, .problem = on_problem, .problem_context = &problems};
        uint64_t failures = 1;
        for (uint64_t nth = test_is_fast() ? 1 + i : 1; failures; nth += test_step(3)) {
            struct test_fault fault = {.fail_at = nth, .error = errors[i]};
            memfs_image *opened = NULL;
            assert_ok(memfs_image_open_buffer(whole.data, whole.length, NULL, &opened, NULL));
            memfs_backing *backing = test_fault_backing(memfs_image_backing(opened), &fault);
            memfs *fs = test_create(test, backing);
            memfs_backing_release(backing);
            memfs_image_close(opened);
            int error = freeze_with(fs, &image, &options, NULL);
            failures = fault.failures;
            memfs_destroy(fs);
            assert_result(error, failures ? errors[i] : 0);
            assert_int_equal(problems.calls, 0);
        }
    }
    test_buffer_free(&whole);
    test_buffer_free(&image);
}

static void test_freeze__sink_fails(void **state)
{
    struct test_state *test = state_of(state);
    test_build_everything(test->fs);
    struct failing_sink failing = {0};
    struct memfs_sink sink = {failing_write, &failing};
    struct memfs_freeze_options options = {
        .size = sizeof options, .block_size = 1u << 16, .allocator = &test->memory.hook};
    assert_ok(memfs_freeze(test->fs, &sink, &options, NULL));
    int writes = failing.writes;
    assert_true(writes > 8);
    for (int i = 1; i <= writes; i++) {
        struct memfs_detail detail = {0};
        failing = (struct failing_sink){.fail_at = i};
        uint64_t live = test->memory.live;
        assert_result(memfs_freeze(test->fs, &sink, &options, &detail), -EDQUOT);
        assert_int_equal(failing.writes, i); /* none came after it */
        assert_int_equal(detail.error, -EDQUOT);
        assert_int_equal(test->memory.live, live);
    }
}

static void test_freeze__memory_fails(void **state)
{
    struct test_state *test = state_of(state);
    struct test_buffer image = {0}, want = {0};
    test_build_everything(test->fs);
    test_freeze(test->fs, &want);
    struct memfs_freeze_options options = {.size = sizeof options, .allocator = &test->memory.hook};
    for (int after = 0; after < 2; after++) {
        for (uint64_t nth = 1;; nth += test_step(5)) {
            uint64_t live = test->memory.live, failures = test->memory.failures;
            struct memfs_detail detail = {0};
            test_memory_fail(&test->memory, nth, after);
            int error = freeze_with(test->fs, &image, &options, &detail);
            test_memory_heal(&test->memory);
            assert_int_equal(test->memory.live, live);
            if (!error) {
                assert_int_equal(test->memory.failures, failures);
                assert_true(nth > 10);
                break;
            }
            assert_result(error, -ENOMEM);
            assert_int_equal(detail.error, -ENOMEM);
            assert_true(test->memory.failures > failures);
        }
        test_same_bytes(&image, &want);
    }
    test_buffer_free(&image);
    test_buffer_free(&want);
}

/* Fails the n-th allocation of one size. */
struct choosy {
    size_t size;
    unsigned seen, fail_at;
};

static void *choosy_alloc(void *context, size_t size)
{
    struct choosy *choosy = context;
    if (size == choosy->size && ++choosy->seen == choosy->fail_at)
        return NULL;
    return malloc(size);
}

static void choosy_free(void *context, void *memory, size_t size)
{
    (void)context, (void)size;
    free(memory);
}

/* More than a piece of extents, several spans, a larger table of marks; files that are equal, and parts. */
static void build_large(memfs *fs)
{
    char name[16];
    uint8_t *bytes = test_random_bytes(9, 3 * MIB);
    for (unsigned i = 0; i < 1100; i++) {
        snprintf(name, sizeof name, "%04u", i);
        test_put(fs, name, bytes, 700);
    }
    test_put(fs, "a", bytes, MIB);
    test_put(fs, "b", bytes + 1000, 600000);
    test_put(fs, "c", bytes, MIB);
    test_put(fs, "d", bytes + MIB, 2 * MIB);
    free(bytes);
}

/* Where memory is got in large pieces: those of rows of extents, of marks, and of the window. */
static void test_freeze__large_pieces_fail(void **state)
{
    static const struct {
        size_t size;
        unsigned least; /* allocations of that size */
    } pieces[] = {{20480, 2}, {32768, 1}, {65536, 2}, {2 << 20, 2}};
    struct test_state *test = *state;
    struct test_buffer image = {0}, want = {0};
    build_large(test->fs);
    struct choosy choosy = {.size = 0};
    const struct memfs_allocator allocator = {choosy_alloc, choosy_free, &choosy};
    const struct memfs_freeze_options options = {
        .size = sizeof options, .allocator = &allocator, .block_size = 65536, .threads = 1, .level = 1};
    assert_ok(freeze_with(test->fs, &want, &options, NULL));
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        unsigned failed = 0;
        int error = -ENOMEM;
        while (error) {
            struct memfs_detail detail = {0};
            choosy = (struct choosy){pieces[i].size, 0, failed + 1};
            error = freeze_with(test->fs, &image, &options, &detail);
            assert_result(error, choosy.seen > failed ? -ENOMEM : 0);
            assert_int_equal(detail.error, error);
            failed += error != 0;
        }
        assert_true(failed >= pieces[i].least);
        test_same_bytes(&image, &want);
    }
    test_buffer_free(&image);
    test_buffer_free(&want);
}

static void test_freeze__bad_options(void **state)
{
    struct test_state *test = state_of(state);
    struct test_buffer image = {0};
    struct memfs_detail detail;
    char message[4098];
    memset(message, 'm', 4097);
    message[4097] = 0;
    const struct memfs_freeze_options bad[] = {
        {.size = sizeof bad[0], .level = 20},
        {.size = sizeof bad[0], .level = -1},
        {.size = sizeof bad[0], .block_size = 1u << 15},
        {.size = sizeof bad[0], .block_size = 1u << 25},
        {.size = sizeof bad[0], .block_size = 100000},
        {.size = sizeof bad[0], .message = message},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        memset(&detail, 0, sizeof detail);
        assert_result(freeze_with(test->fs, &image, &bad[i], &detail), -EINVAL);
        assert_int_equal(detail.error, -EINVAL);
        assert_true(strlen(detail.text) > 10);
        assert_int_equal(image.length, 0);
        uint64_t least = 1;
        assert_result(memfs_freeze_memory_least(&bad[i], &least, NULL), -EINVAL);
        assert_result(memfs_freeze(test->fs, NULL, &bad[i], NULL), -EINVAL);
        assert_int_equal(least, 1);
    }
}

struct watcher {
    int calls, cancel_at, change;
    memfs *fs;
    struct memfs_progress last;
};

static int on_progress(void *context, const struct memfs_progress *progress)
{
    struct watcher *watcher = context;
    watcher->calls++;
    watcher->last = *progress;
    if (watcher->calls == watcher->change)
        stamp(watcher->fs, "/");
    return watcher->calls == watcher->cancel_at;
}

static void test_freeze__progress(void **state)
{
    struct test_state *test = state_of(state);
    struct test_buffer image = {0};
    test_build_everything(test->fs);
    struct watcher watcher = {.fs = test->fs};
    struct memfs_freeze_options options = {
        .size = sizeof options, .progress = on_progress, .progress_context = &watcher};
    assert_ok(freeze_with(test->fs, &image, &options, NULL));
    assert_int_equal(watcher.last.nodes, watcher.last.nodes_total);
    assert_int_equal(watcher.last.nodes, info_of(&image).nodes);
    assert_int_equal(watcher.last.bytes, info_of(&image).content_bytes);
    int calls = watcher.calls;
    assert_true(calls >= 2);
    for (int i = 1; i <= calls; i++) {
        watcher = (struct watcher){.cancel_at = i};
        assert_result(freeze_with(test->fs, &image, &options, NULL), -ECANCELED);
        assert_int_equal(watcher.calls, i);
    }
    test_buffer_free(&image);
}

static void test_freeze__changed_meanwhile(void **state)
{
    struct test_state *test = state_of(state);
    struct test_buffer image = {0};
    struct memfs_detail detail = {0};
    test_build_everything(test->fs);
    struct watcher watcher = {.fs = test->fs, .change = 1};
    struct memfs_freeze_options options = {
        .size = sizeof options, .progress = on_progress, .progress_context = &watcher};
    assert_result(freeze_with(test->fs, &image, &options, &detail), -EBUSY);
    assert_int_equal(detail.error, -EBUSY);
    int calls = watcher.calls;
    watcher = (struct watcher){.fs = test->fs};
    assert_ok(freeze_with(test->fs, &image, &options, NULL));
    assert_true(watcher.calls > calls);
    watcher = (struct watcher){.fs = test->fs, .change = watcher.calls}; /* at the very end */
    assert_result(freeze_with(test->fs, &image, &options, &detail), -EBUSY);
    test_buffer_free(&image);
}

/* ---- Where it goes ---------------------------------------------------------------------------- */

static void expect_file(const char *path, const struct test_buffer *want)
{
    struct test_buffer got = {0};
    uint8_t bytes[4096];
    ssize_t length;
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    while ((length = read(fd, bytes, sizeof bytes)) > 0)
        test_buffer_add(&got, bytes, (size_t)length);
    close(fd);
    test_same_bytes(&got, want);
    test_buffer_free(&got);
}

static void test_freeze__path(void **state)
{
    struct test_state *test = state_of(state);
    struct test_buffer want = {0};
    struct host host;
    char path[128];
    struct stat stat;
    host_begin(&host);
    test_build_everything(test->fs);
    test_freeze(test->fs, &want);
    snprintf(path, sizeof path, "%s/image", host.path);
    mode_t before = umask(027);
    assert_ok(memfs_freeze_path(test->fs, path, NULL, NULL));
    umask(before);
    expect_file(path, &want);
    assert_ok(lstat(path, &stat));
    assert_int_equal(stat.st_mode, S_IFREG | 0640);
    assert_int_equal(host_count(&host), 1);

    struct memfs_detail detail = {0};
    assert_result(memfs_freeze_path(test->fs, path, NULL, &detail), -EEXIST);
    assert_non_null(strstr(detail.text, path));
    test_put_text(test->fs, "new", "new");
    test_freeze(test->fs, &want);
    struct memfs_freeze_options options = {.size = sizeof options, .replace = 1, .file_mode = 0604};
    assert_ok(memfs_freeze_path(test->fs, path, &options, &detail));
    expect_file(path, &want);
    assert_ok(lstat(path, &stat));
    assert_int_equal(stat.st_mode, S_IFREG | 0604);
    assert_int_equal(host_count(&host), 1);
    host_end(&host);
    test_buffer_free(&want);
}

/* The old image stays, and nothing else does. */
static void test_freeze__path_fails(void **state)
{
    struct test_state *test = state_of(state);
    struct test_buffer old = {0};
    struct host host;
    char path[128], other[128];
    struct memfs_detail detail = {0};
    host_begin(&host);
    test_buffer_print(&old, "old");
    host_put(&host, "image", "old", 3);
    snprintf(path, sizeof path, "%s/image", host.path);
    struct watcher watcher = {.fs = test->fs, .cancel_at = 2};
    struct memfs_freeze_options options = {.size = sizeof options,
                                           .replace = 1,
                                           .allocator = &test->memory.hook,
                                           .progress = on_progress,
                                           .progress_context = &watcher};
    assert_result(memfs_freeze_path(test->fs, path, &options, &detail), -ECANCELED);
    expect_file(path, &old);
    options.progress = NULL;
    for (uint64_t nth = 1;; nth++) {
        test_memory_fail(&test->memory, nth, 0);
        int error = memfs_freeze_path(test->fs, path, &options, &detail);
        test_memory_heal(&test->memory);
        assert_int_equal(host_count(&host), 1);
        if (!error)
            break;
        assert_result(error, -ENOMEM);
        expect_file(path, &old);
    }
    snprintf(other, sizeof other, "%s/none/image", host.path);
    assert_result(memfs_freeze_path(test->fs, other, &options, &detail), -ENOENT);
    assert_ok(mkdirat(host.fd, "dir", 0755));
    snprintf(other, sizeof other, "%s/dir", host.path);
    assert_result(memfs_freeze_path(test->fs, other, &options, &detail), -EISDIR);
    snprintf(other, sizeof other, "%s/dir/", host.path);
    assert_result(memfs_freeze_path(test->fs, other, &options, &detail), -EISDIR);
    assert_ok(mkfifoat(host.fd, "fifo", 0600));
    snprintf(other, sizeof other, "%s/fifo", host.path);
    assert_result(memfs_freeze_path(test->fs, other, &options, &detail), -EEXIST);
    assert_result(memfs_freeze_path(test->fs, "", &options, &detail), -ENOENT);
    assert_int_equal(host_count(&host), 3);
    host_end(&host);
    test_buffer_free(&old);
}

struct usurper {
    const char *directory;
    char temporary[300];
};

/* A memfs_progress_fn: a directory gets the name of the temporary file, so that nobody can unlink it. */
static int usurp(void *context, const struct memfs_progress *progress)
{
    struct usurper *usurper = context;
    char path[512];
    (void)progress;
    DIR *dir = opendir(usurper->directory);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) && !usurper->temporary[0];)
        if (strstr(entry->d_name, ".tmp"))
            snprintf(usurper->temporary, sizeof usurper->temporary, "%s", entry->d_name);
    closedir(dir);
    snprintf(path, sizeof path, "%s/%s", usurper->directory, usurper->temporary);
    assert_ok(unlink(path));
    assert_ok(mkdir(path, 0700));
    return 1;
}

static void test_freeze__what_stays_is_named(void **state)
{
    struct test_state *test = state_of(state);
    struct host host;
    char path[128], left[512];
    struct memfs_detail detail = {0};
    struct memfs_freeze_failure failure = {.size = sizeof failure, .temporary = "unset"};
    struct usurper usurper = {.temporary = ""};
    struct memfs_freeze_options options = {
        .size = sizeof options, .progress = usurp, .progress_context = &usurper, .failure = &failure};
    host_begin(&host);
    usurper.directory = host.path;
    snprintf(path, sizeof path, "%s/image", host.path);
    assert_result(memfs_freeze_path(test->fs, path, &options, &detail), -ECANCELED);
    assert_string_equal(failure.temporary, usurper.temporary);
    assert_non_null(strstr(detail.text, usurper.temporary));
    snprintf(left, sizeof left, "%s/%s", host.path, failure.temporary);
    assert_ok(rmdir(left));
    options.progress = NULL;
    assert_ok(memfs_freeze_path(test->fs, path, &options, &detail));
    assert_string_equal(failure.temporary, usurper.temporary); /* not touched */
    assert_result(memfs_freeze_path(test->fs, path, &options, &detail), -EEXIST);
    assert_string_equal(failure.temporary, "");
    host_end(&host);
}

static void test_freeze__path_names(void **state)
{
    /* An emulator looks below / in the place of its own system first, and there is no /dev. */
    static const char *const directories[] = {".", "..", "./..", "/", "dir/.", "dir/..", "/dev"};
    const size_t count = sizeof directories / sizeof *directories - (getenv("EMULATED") != NULL);
    struct test_state *test = state_of(state);
    struct host host;
    char path[600], before[4096];
    uint8_t *bytes = test_random_bytes(1, 700000); /* more than is written at once */
    struct memfs_detail detail = {0};
    struct test_buffer want = {0};
    host_begin(&host);
    test_put(test->fs, "random", bytes, 700000);
    free(bytes);
    test_freeze(test->fs, &want);
    assert_non_null(getcwd(before, sizeof before));
    assert_ok(chdir(host.path));
    assert_ok(mkdirat(host.fd, "dir", 0755));
    for (size_t i = 0; i < count; i++)
        assert_result(memfs_freeze_path(test->fs, directories[i], NULL, NULL), -EISDIR);
    assert_ok(memfs_freeze_path(test->fs, "image", NULL, NULL));
    expect_file("image", &want);
    /* As long as a name may be: that of the temporary file is cut. */
    snprintf(path, sizeof path, "dir/%0255d", 0);
    assert_ok(memfs_freeze_path(test->fs, path, NULL, NULL));
    expect_file(path, &want);
    /* The end of a long path is shown. */
    assert_result(memfs_freeze_path(test->fs, path, NULL, &detail), -EEXIST);
    assert_true(strncmp(detail.text, "...000", 6) == 0);
    assert_result(memfs_freeze_path(test->fs, path, NULL, NULL), -EEXIST);
    assert_ok(chdir(before));
    assert_int_equal(host_count(&host), 2);
    assert_ok(unlinkat(host.fd, path, 0));
    host_end(&host);
    test_buffer_free(&want);
}

/* Options of an older caller end where they say. */
static void test_freeze__short_options(void **state)
{
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    size_t *size = malloc(sizeof *size);
    assert_true(null >= 0 && size);
    *size = sizeof *size;
    assert_ok(memfs_freeze_fd(state_of(state)->fs, null, (const void *)size, NULL));
    free(size);
    close(null);
}

static void test_freeze__descriptor(void **state)
{
    struct test_state *test = state_of(state);
    struct test_buffer want = {0}, got = {0};
    struct memfs_detail detail = {0};
    int ends[2];
    test_build_everything(test->fs);
    test_freeze(test->fs, &want);
    assert_true(want.length > 65536); /* more than a pipe holds */
    assert_ok(pipe(ends));
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        _exit(memfs_freeze_fd(test->fs, ends[1], NULL, NULL) ? 1 : 0);
    }
    close(ends[1]);
    uint8_t bytes[1000];
    ssize_t length;
    while ((length = read(ends[0], bytes, sizeof bytes)) > 0)
        test_buffer_add(&got, bytes, (size_t)length);
    close(ends[0]);
    test_same_bytes(&got, &want);

    signal(SIGPIPE, SIG_IGN);
    assert_ok(pipe(ends));
    close(ends[0]);
    assert_result(memfs_freeze_fd(test->fs, ends[1], NULL, &detail), -EPIPE);
    assert_int_equal(detail.error, -EPIPE);
    close(ends[1]);
    assert_result(memfs_freeze_fd(test->fs, -1, NULL, &detail), -EBADF);
    int full = open("/dev/full", O_WRONLY);
    if (full >= 0) {
        memfs *small = test_create(test, NULL); /* it is written when it is complete */
        assert_result(memfs_freeze_fd(small, full, NULL, &detail), -ENOSPC);
        assert_true(strncmp(detail.text, "cannot write the image's end", 28) == 0);
        memfs_destroy(small);
        /* What is larger than is written at once, and many that are not. */
        uint8_t *random = test_random_bytes(1, MIB);
        test_put(test->fs, "random", random, MIB);
        free(random);
        for (uint32_t block = 65536; block <= MIB; block *= 16) {
            const struct memfs_freeze_options options = {.size = sizeof options, .block_size = block};
            assert_result(memfs_freeze_fd(test->fs, full, &options, &detail), -ENOSPC);
            assert_null(strstr(detail.text, "end"));
        }
        close(full);
    }
    test_buffer_free(&want);
    test_buffer_free(&got);
}

/* ---- A backing that fails --------------------------------------------------------------- */

static int note_problem(void *context, const struct memfs_problem *problem)
{
    unsigned *told = context;
    assert_true(problem->error < 0);
    ++*told;
    return 0;
}

static void expect_sound(const struct test_buffer *frozen)
{
    memfs_image *image = NULL;
    struct memfs_detail detail = {0};
    assert_ok(memfs_image_open_buffer(frozen->data, frozen->length, NULL, &image, NULL));
    if (memfs_verify(image, NULL, &detail))
        fail_msg("%s", detail.text);
    memfs_image_close(image);
}

/* The n-th call fails: so does freezing, with that error; or a file is left out, and that is told; or
 * what failed was not needed, and the bytes are those of all. Whether there was such a call. */
static int freeze_failing(struct test_state *test, const struct test_buffer *image, struct test_fault fault,
                          struct memfs_freeze_options *options, unsigned *told)
{
    struct test_buffer frozen = {0};
    const struct memfs_sink sink = test_buffer_sink(&frozen);
    struct memfs_detail detail = {0};
    memfs *fs = test_thaw_fault(test, image, &fault);
    *told = 0;
    const int error = memfs_freeze(fs, &sink, options, &detail);
    const int failed = fault.failures > 0;
    memfs_destroy(fs);
    if (error) {
        assert_result(error, fault.error);
        assert_result(detail.error, error);
    } else {
        expect_sound(&frozen);
    }
    test_buffer_free(&frozen);
    return failed;
}

static void test_freeze__backing_fails(void **state)
{
    static const int errors[] = {-EIO, -ESTALE, -ENOENT};
    struct test_state *test = state_of(state);
    struct test_buffer image = {0};
    unsigned left_out = 0, told;
    uint8_t *bytes = test_random_bytes(3, 300000);
    test_build_everything(test->fs);
    test_put(test->fs, "first", bytes, 300000);
    test_put(test->fs, "second", bytes, 300000);
    test_put(test->fs, "part", bytes + 50000, 200000);
    free(bytes);
    test_freeze(test->fs, &image);
    for (size_t i = 0; i < 12; i++) {
        struct memfs_freeze_options options = {.size = sizeof options,
                                               .block_size = 65536,
                                               .share = i / 6 ? MEMFS_SHARE_FILES : MEMFS_SHARE_PARTS,
                                               .problem = i % 2 ? note_problem : NULL,
                                               .problem_context = &told};
        const uint64_t step = test_step(5);
        struct test_fault fault = {.error = errors[i / 2 % 3], .fail_at = 1 + i % step, .fail_after = i % 4 == 1};
        while (freeze_failing(test, &image, fault, &options, &told)) {
            left_out += told;
            fault.fail_at += step;
        }
        assert_true(fault.fail_at > 10);
    }
    assert_true(left_out > 0);
    test_buffer_free(&image);
}

/* Its path is shown from near the end; and there may be no memory for it. */
static void test_freeze__path_of_what_fails(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0}, frozen = {0};
    char path[300], most[320];
    memset(path, 'n', sizeof path);
    path[3] = '/';
    path[210] = 0;
    snprintf(most, sizeof most, "...%s: cannot", path + 60);
    assert_ok(memfs_mkdir(test->fs, NULL, "nnn", 0755));
    test_put_text(test->fs, path, "text");
    test_freeze(test->fs, &image);
    unsigned shown = 0, none = 0;
    for (uint64_t nth = 1, failed = 1; failed; nth++) {
        for (int memory = 0; memory < 2; memory++) {
            struct memfs_detail detail = {0};
            struct test_fault fault = {.fail_at = nth};
            struct choosy choosy = {memory ? 0 : strlen(path) + 1, 0, 1};
            const struct memfs_allocator allocator = {choosy_alloc, choosy_free, &choosy};
            const struct memfs_freeze_options options = {.size = sizeof options, .allocator = &allocator};
            memfs *fs = test_thaw_fault(test, &image, &fault);
            const int error = freeze_with(fs, &frozen, &options, &detail);
            failed = fault.failures;
            memfs_destroy(fs);
            shown += memory && strncmp(detail.text, most, strlen(most)) == 0;
            none += !memory && error == -ENOMEM;
            assert_true((error != 0) == (failed > 0));
        }
    }
    assert_true(shown > 0);
    assert_int_equal(none, shown);
    test_buffer_free(&image);
    test_buffer_free(&frozen);
}

/* Attributes that are in several chunks of the heap: of each, reading fails in turn. */
static void test_freeze__attributes_fail(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0}, frozen = {0};
    uint8_t *bytes = test_random_bytes(2, 60000);
    test_put_text(test->fs, "file", "text");
    for (char name[] = "user.a"; name[5] < 'd'; name[5]++) {
        bytes[0] = (uint8_t)name[5];
        assert_ok(memfs_setxattr(test->fs, NULL, "file", 0, name, bytes, 60000, 0));
    }
    free(bytes);
    test_freeze(test->fs, &image);
    uint64_t failed = 1, nth = 1;
    for (; failed; nth++) {
        struct memfs_detail detail = {0};
        struct test_fault fault = {.fail_at = nth, .only = 1 + MEMFS_BLOBS};
        memfs *fs = test_thaw_fault(test, &image, &fault);
        const int error = freeze_with(fs, &frozen, NULL, &detail);
        failed = fault.failures;
        memfs_destroy(fs);
        assert_result(error, failed ? -EIO : 0);
        assert_int_equal(failed != 0, strstr(detail.text, "the attributes of node") != NULL);
    }
    assert_true(nth > 3);
    test_same_bytes(&frozen, &image);
    test_buffer_free(&image);
    test_buffer_free(&frozen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_fs(test_freeze__empty),
        test_with_fs(test_freeze__everything),
        test_with_fs(test_freeze__message_and_time),
        test_with_fs(test_freeze__hard_links),
        test_with_fs(test_freeze__device_numbers_are_whole),
        test_with_fs(test_freeze__file_without_name_is_left_out),
        test_with_fs(test_freeze__many),
        test_with_fs(test_freeze__deep),
        test_with_fs(test_freeze__same_bytes_in_any_order),
        test_with_fs(test_freeze__options_change_bytes),
        test_with_fs(test_freeze__zeros_are_holes),
        test_with_fs(test_freeze__huge_sparse_file),
        test_with_fs(test_freeze__contents_over_many_blocks),
        test_with_fs(test_freeze__digests),
        test_with_fs(test_freeze__equal_files_are_stored_once),
        test_with_fs(test_freeze__equal_strings_are_stored_once),
        test_with_fs(test_freeze__large_attributes),
        test_with_fs(test_freeze__files_left_out),
        test_with_fs(test_freeze__file_fails_midway),
        test_with_fs(test_freeze__twin_fails),
        test_with_fs(test_freeze__no_descriptors_is_fatal),
        test_with_fs(test_freeze__sink_returns_a_count),
        test_with_fs(test_freeze__sink_fails),
        test_with_fs(test_freeze__memory_fails),
        test_with_fs(test_freeze__large_pieces_fail),
        test_with_fs(test_freeze__bad_options),
        test_with_fs(test_freeze__progress),
        test_with_fs(test_freeze__changed_meanwhile),
        test_with_fs(test_freeze__path),
        test_with_fs(test_freeze__path_fails),
        test_with_fs(test_freeze__what_stays_is_named),
        test_with_fs(test_freeze__path_names),
        test_with_fs(test_freeze__backing_fails),
        test_with_fs(test_freeze__path_of_what_fails),
        test_with_fs(test_freeze__attributes_fail),
        test_with_fs(test_freeze__descriptor),
        test_with_fs(test_freeze__short_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
