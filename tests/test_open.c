/*
 * Opening and reading images, whole ones and cut ones, and what no image is.
 */
#include "alloc.h"
#include "columns.h"
#include "image.h"
#include "surgery.h"
#include "testlib.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#define KIB ((size_t)1024)

struct fixture {
    struct test_buffer image; /* of everything, small blocks */
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    memfs *fs = NULL;
    assert_non_null(f);
    assert_ok(memfs_create(NULL, &fs));
    test_build_everything(fs);
    struct memfs_sink sink = test_buffer_sink(&f->image);
    const struct memfs_freeze_options options = {.size = sizeof options, .block_size = 65536, .message = "hello"};
    assert_ok(memfs_freeze(fs, &sink, &options, NULL));
    memfs_destroy(fs);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    test_buffer_free(&f->image);
    free(f);
    return 0;
}

static int open_bytes(const void *data, size_t length, struct memfs_detail *detail)
{
    memfs_image *image = NULL;
    const int error = memfs_image_open_buffer(data, length, NULL, &image, detail);
    if (!error)
        memfs_image_close(image);
    else
        assert_null(image);
    return error;
}

/* ---- Whole images ------------------------------------------------------------------ */

static void test_open__info(void **state)
{
    struct fixture *f = *state;
    memfs_image *image = NULL;
    struct memfs_image_info info;
    assert_ok(memfs_image_open_buffer(f->image.data, f->image.length, NULL, &image, NULL));
    assert_ok(memfs_image_info(image, &info));
    assert_int_equal(info.format_major, 1);
    assert_int_equal(info.block_size, 65536);
    assert_int_equal(info.generation, 1);
    assert_int_equal(info.image_bytes, f->image.length);
    assert_string_equal(info.message, "hello");
    assert_int_equal(info.nodes, 17);
    assert_int_equal(info.types[0], 5);
    assert_int_equal(info.types[1], 6);
    assert_int_equal(info.types[2], 2);
    assert_int_equal(info.entries, 19);
    assert_int_equal(info.content_bytes, 1000000 + 6 + 70000 + 70000);
    assert_int_equal(memfs_image_damage(image, NULL), 0);
    memfs_image_close(image);
    memfs_image_close(NULL);
}

static void test_open__reads_little(void **state)
{
    struct fixture *f = *state;
    struct test_source reads = {0};
    struct test_memory memory;
    memfs_image *image = NULL;
    test_memory_init(&memory);
    const struct memfs_source source = test_source_of(&reads, &f->image);
    const struct memfs_image_options options = {.size = sizeof options, .allocator = &memory.hook};
    assert_ok(memfs_image_open_source(&source, &options, &image, NULL));
    assert_true(reads.reads <= 3);
    assert_true(reads.bytes <= 64 * KIB);
    assert_true(memory.peak < 256 * KIB);
    struct memfs_image_statistics statistics;
    memfs_image_statistics(image, &statistics);
    assert_int_equal(statistics.reads, reads.reads);
    assert_int_equal(statistics.read_bytes, reads.bytes);
    assert_int_equal(statistics.decoded_bytes, 0);
    assert_int_equal(statistics.cached_bytes, 0);
    memfs_image_close(image);
    assert_int_equal(reads.closed, 1);
    assert_int_equal(memory.live, 0);
}

/* A filesystem keeps its image open. */
static void test_open__held_by_filesystem(void **state)
{
    struct fixture *f = *state;
    memfs_image *image = NULL;
    memfs *fs = NULL;
    assert_ok(memfs_image_open_buffer(f->image.data, f->image.length, NULL, &image, NULL));
    const struct memfs_options options = {.size = sizeof options, .backing = memfs_image_backing(image)};
    assert_ok(memfs_create(&options, &fs));
    memfs_image_close(image);
    test_expect_text(fs, "a/small", "small\n");
    memfs_destroy(fs);
}

/* ---- What is no image, or no longer one ------------------------------------------------- */

static void test_open__cut_at_every_length(void **state)
{
    struct fixture *f = *state;
    for (size_t length = 0; length < f->image.length; length += test_step(5)) {
        struct memfs_detail detail = {0};
        const int error = open_bytes(f->image.data, length, &detail);
        assert_int_equal(error, length < 8 ? MEMFS_ENOTIMAGE : MEMFS_ECORRUPT);
        assert_int_equal(detail.error, error);
        if (length >= 8)
            assert_non_null(strstr(detail.text, "truncated"));
    }
}

static void test_open__bytes_behind(void **state)
{
    struct fixture *f = *state;
    test_buffer_add(&f->image, "x", 1);
    assert_result(open_bytes(f->image.data, f->image.length, NULL), MEMFS_ECORRUPT);
}

static void test_open__not_an_image(void **state)
{
    struct fixture *f = *state;
    struct memfs_detail detail;
    uint8_t bytes[1000] = {0};
    assert_result(open_bytes(bytes, 0, &detail), MEMFS_ENOTIMAGE);
    assert_result(open_bytes(bytes, sizeof bytes, &detail), MEMFS_ENOTIMAGE);
    memset(bytes, 'x', sizeof bytes);
    assert_result(open_bytes(bytes, sizeof bytes, &detail), MEMFS_ENOTIMAGE);
    assert_int_equal(detail.offset, 0);
    f->image.data[4] = '\n'; /* as a text mode does */
    assert_result(open_bytes(f->image.data, f->image.length, &detail), MEMFS_ENOTIMAGE);
    assert_non_null(strstr(detail.text, "text mode"));
}

static void test_open__paths_that_are_no_files(void **state)
{
    struct fixture *f = *state;
    char directory[] = "/tmp/memfs-open-XXXXXX", path[64];
    memfs_image *image = NULL;
    struct memfs_detail detail;
    assert_non_null(mkdtemp(directory));
    assert_result(memfs_image_open_path(directory, NULL, &image, &detail), -EISDIR);
    snprintf(path, sizeof path, "%s/x", directory);
    assert_result(memfs_image_open_path(path, NULL, &image, &detail), -ENOENT);
    assert_non_null(strstr(detail.text, path));
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_result(memfs_image_open_path(path, NULL, &image, &detail), -ESPIPE);
    assert_int_equal(unlink(path), 0);
    assert_result(memfs_image_open_path("/dev/null", NULL, &image, &detail), -ESPIPE);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_result(memfs_image_open_path(path, NULL, &image, &detail), MEMFS_ENOTIMAGE);
    assert_int_equal(write(fd, f->image.data, f->image.length), f->image.length);
    assert_ok(memfs_image_open_path(path, NULL, &image, &detail));
    memfs_image_close(image);
    image = NULL;
    assert_ok(memfs_image_open_fd(fd, NULL, &image, &detail));
    /* Truncated while it is open: an error, no signal. */
    assert_int_equal(ftruncate(fd, 100), 0);
    assert_result(memfs_verify(image, NULL, &detail), -EIO);
    memfs_image_close(image);
    assert_int_equal(fcntl(fd, F_GETFD) >= 0, 1);
    close(fd);
    unlink(path);
    rmdir(directory);
}

/* ---- Damage ---------------------------------------------------------------------------------- */

static int verify_bytes(const struct test_buffer *buffer, int quick, struct memfs_detail *detail)
{
    memfs_image *image = NULL;
    int error = memfs_image_open_buffer(buffer->data, buffer->length, NULL, &image, detail);
    if (error)
        return error;
    const struct memfs_verify_options options = {.size = sizeof options, .quick = quick};
    error = memfs_verify(image, &options, detail);
    memfs_image_close(image);
    return error;
}

static int is_image_error(int error)
{
    return error <= MEMFS_ENOTIMAGE && error >= MEMFS_ELIMIT;
}

/* No bit of an image can turn without being noticed. */
static void test_open__every_byte_counts(void **state)
{
    struct fixture *f = *state;
    struct memfs_detail detail;
    /* Random contents are most of it: of those, some are enough. */
    for (size_t at = 0; at<f->image.length; at += at> 1000 && at + 5000 < f->image.length ? 997 : test_step(7)) {
        const uint8_t bit = (uint8_t)(1u << at % 8);
        f->image.data[at] ^= bit;
        const int error = verify_bytes(&f->image, 1, &detail);
        if (!is_image_error(error))
            print_error("byte %zu: %d\n", at, error);
        assert_true(is_image_error(error));
        assert_true(is_image_error(verify_bytes(&f->image, 0, NULL)));
        f->image.data[at] ^= bit;
    }
    assert_ok(verify_bytes(&f->image, 0, NULL));
}

static void test_open__damage_is_remembered(void **state)
{
    struct fixture *f = *state;
    struct test_source reads = {0};
    memfs_image *image = NULL;
    memfs *fs = NULL;
    char buffer[16];
    f->image.data[100] ^= 1; /* in the first block */
    const struct memfs_source source = test_source_of(&reads, &f->image);
    assert_ok(memfs_image_open_source(&source, NULL, &image, NULL));
    const struct memfs_options options = {.size = sizeof options, .backing = memfs_image_backing(image)};
    assert_ok(memfs_create(&options, &fs));
    const memfs_node node = test_node(fs, "sparse");
    assert_result(memfs_node_read(fs, node, 0, buffer, sizeof buffer), MEMFS_ECHECKSUM);
    struct memfs_detail detail;
    assert_result(memfs_image_damage(image, &detail), MEMFS_ECHECKSUM);
    assert_int_equal(detail.offset, 64);
    assert_non_null(strstr(detail.text, "block 0"));
    const uint64_t before = reads.reads;
    assert_result(memfs_node_read(fs, node, 0, buffer, sizeof buffer), MEMFS_ECHECKSUM);
    assert_int_equal(reads.reads, before);
    assert_result(memfs_node_read(fs, node, 300000, buffer, sizeof buffer), sizeof buffer); /* a hole */
    memfs_destroy(fs);
    memfs_image_close(image);
}

/* Everything that opening, reading and verifying do, as far as it goes. */
static int use_all(const struct memfs_source *source, const struct memfs_allocator *allocator)
{
    memfs_image *image = NULL;
    const struct memfs_image_options options = {.size = sizeof options, .allocator = allocator};
    int error = memfs_image_open_source(source, &options, &image, NULL);
    if (error)
        return error;
    const struct memfs_verify_options how = {.size = sizeof how, .threads = 2};
    error = memfs_verify(image, &how, NULL);
    struct memfs_pin pin = {0};
    const void *data;
    size_t got;
    memfs_backing *backing = memfs_image_backing(image);
    if (!error)
        error = backing->ops->view(backing, 0, 10, 1000, &data, &got, &pin);
    if (!error) {
        assert_int_equal(got, 1000);
        backing->ops->unpin(backing, &pin);
    }
    memfs_image_close(image);
    return error;
}

static void test_open__no_memory(void **state)
{
    struct fixture *f = *state;
    struct test_memory memory;
    test_memory_init(&memory);
    for (int after = 0; after < 2; after++) {
        int errors = 0;
        uint64_t n = 0, before;
        do {
            struct test_source reads = {0};
            const struct memfs_source source = test_source_of(&reads, &f->image);
            before = memory.failures;
            test_memory_fail(&memory, ++n, after);
            const int error = use_all(&source, &memory.hook); /* one that failed may be made good by what is evicted */
            assert_true(error == 0 || error == -ENOMEM);
            assert_int_equal(memory.live, 0);
            assert_int_equal(reads.closed, 1);
            errors += error != 0;
        } while (memory.failures > before);
        assert_true(errors > 20);
    }
}

/* A source that is far away. */
struct remote {
    const struct test_buffer *image;
    int error;
};

static int read_remote(void *context, uint64_t offset, void *buffer, size_t length)
{
    const struct remote *remote = context;
    memcpy(buffer, remote->image->data + offset, length);
    return remote->error;
}

/* What it says comes to who reads, and is no damage. */
static void test_open__errors_of_a_source(void **state)
{
    struct fixture *f = *state;
    struct remote remote = {&f->image, -ETIMEDOUT};
    const struct memfs_source source = {.read_at = read_remote, .context = &remote, .size = f->image.length};
    struct memfs_detail detail = {0};
    memfs_image *image = NULL;
    memfs *fs = NULL;
    assert_result(memfs_image_open_source(&source, NULL, &image, &detail), -ETIMEDOUT);
    remote.error = 0;
    assert_ok(memfs_image_open_source(&source, NULL, &image, &detail));
    const struct memfs_options options = {.size = sizeof options, .backing = memfs_image_backing(image)};
    assert_ok(memfs_create(&options, &fs));
    remote.error = -ETIMEDOUT;
    assert_result(memfs_resolve(fs, NULL, "nothing", 1, NULL), -ETIMEDOUT);
    remote.error = 0;
    assert_result(memfs_resolve(fs, NULL, "nothing", 1, NULL), -ENOENT);
    memfs_destroy(fs);
    memfs_image_close(image);
}

/* A link's target that says less than it has is not followed, as it is not read. */
static void test_open__target_with_nul(void **state)
{
    struct test_buffer sound = {0}, out = {0};
    struct surgery s;
    memfs_image *image = NULL;
    memfs *fs = NULL;
    char target[16];
    (void)state;
    assert_ok(memfs_create(NULL, &fs));
    assert_ok(memfs_mkdir(fs, NULL, "ta", 0755));
    assert_ok(memfs_symlink(fs, NULL, "ta/get", "l"));
    test_freeze(fs, &sound);
    memfs_destroy(fs);
    surgery_open(&s, &sound);
    assert_memory_equal(s.blobs, "ta/get", 6);
    s.blobs[2] = 0;
    surgery_close(&s, &out);
    surgery_free(&s);
    assert_ok(memfs_image_open_buffer(out.data, out.length, NULL, &image, NULL));
    const struct memfs_options options = {.size = sizeof options, .backing = memfs_image_backing(image)};
    assert_ok(memfs_create(&options, &fs));
    assert_result(memfs_resolve(fs, NULL, "l", 1, NULL), MEMFS_ECORRUPT);
    assert_result(memfs_readlink(fs, NULL, "l", target, sizeof target), MEMFS_ECORRUPT);
    memfs_destroy(fs);
    memfs_image_close(image);
    test_buffer_free(&sound);
    test_buffer_free(&out);
}

/* Of refs to refs as well; from a source that nobody wants closed, and with nobody to tell why. */
static void test_open__no_memory_for_refs(void **state)
{
    struct fixture *f = *state;
    struct surgery s;
    struct test_buffer out = {0};
    struct test_memory memory;
    int error = -ENOMEM;
    surgery_open(&s, &f->image);
    s.blocks = surgery_grow(s.blocks, s.blocks_count, MEMFS_REFS_TOP, sizeof *s.blocks);
    for (size_t i = 0; i < MEMFS_REFS_TOP; i++)
        s.blocks[s.blocks_count++] = (struct surgery_block){calloc(1, 1), 1};
    const uint32_t last = (uint32_t)s.blocks_count - 1;
    surgery_close(&s, &out);
    surgery_free(&s);
    test_memory_init(&memory);
    const struct memfs_image_options options = {.size = sizeof options, .allocator = &memory.hook};
    unsigned failures = 0;
    for (uint64_t n = 1; error; n++) {
        struct test_source reads = {0};
        struct memfs_source source = test_source_of(&reads, &out);
        memfs_image *image = NULL;
        uint8_t byte = 1;
        source.close = NULL;
        test_memory_fail(&memory, n, 0);
        error = memfs_image_open_source(&source, &options, &image, NULL);
        if (!error)
            error = image->backing.ops->read(&image->backing, last, 0, &byte, 1);
        test_memory_heal(&memory);
        memfs_image_close(image);
        assert_true(error == 0 || error == -ENOMEM);
        assert_int_equal(byte, error != 0);
        assert_int_equal(memory.live, 0);
        assert_int_equal(reads.closed, 0);
        failures += error != 0;
    }
    assert_true(failures > 5);
    test_buffer_free(&out);
}

static void test_open__reading_fails(void **state)
{
    struct fixture *f = *state;
    for (int after = 0; after < 2; after++) {
        int error = -EIO;
        uint64_t failures = 0;
        for (uint64_t n = 1; error; n++) {
            struct test_source reads = {0};
            const struct memfs_source source = test_source_of(&reads, &f->image);
            reads.fail_at = n;
            reads.fail_after = after;
            error = use_all(&source, NULL);
            assert_true(error == 0 || error == -EIO);
            assert_int_equal(reads.closed, 1);
            failures += error != 0;
        }
        assert_true(failures > 10);
    }
}

/* ---- The cache ---------------------------------------------------------------------------------- */

#define BIG_BYTES (64 * 65536 + 1234)
#define MANY 5000u

/* A file of many blocks of 64 KiB that compress, and empty ones. */
static void make_big(struct test_buffer *out, uint8_t *bytes)
{
    memfs *fs = NULL;
    assert_ok(memfs_create(NULL, &fs));
    struct test_random random = {.state = 3};
    for (size_t i = 0; i < BIG_BYTES; i++)
        bytes[i] = (uint8_t)("0123456789abcdef"[test_random_next(&random) & 15]);
    test_put(fs, "big", bytes, BIG_BYTES);
    for (unsigned i = 0; i < MANY; i++) {
        char path[32];
        snprintf(path, sizeof path, "empty%u", i);
        test_put(fs, path, "", 0);
    }
    struct memfs_sink sink = test_buffer_sink(out);
    const struct memfs_freeze_options options = {.size = sizeof options, .block_size = 65536};
    assert_ok(memfs_freeze(fs, &sink, &options, NULL));
    memfs_destroy(fs);
}

struct reader {
    pthread_t thread;
    memfs *fs;
    const uint8_t *bytes;
    uint64_t seed;
    unsigned looks; /* of look_around() */
    int error;
};

static void *read_around(void *context)
{
    struct reader *reader = context;
    struct test_random random = {.state = reader->seed};
    uint8_t *buffer = malloc(200000);
    memfs_node node = 0;
    reader->error = !buffer || memfs_resolve(reader->fs, NULL, "big", 1, &node);
    for (unsigned i = 0; i < 300 && !reader->error; i++) {
        const size_t offset = (size_t)test_random_below(&random, BIG_BYTES - 200000);
        const size_t length = 1 + (size_t)test_random_below(&random, i % 8 ? 5000 : 199999);
        const int64_t got = memfs_node_read(reader->fs, node, offset, buffer, length);
        reader->error = got != (int64_t)length || memcmp(buffer, reader->bytes + offset, length) != 0;
    }
    if (node)
        memfs_node_forget(reader->fs, node, 1);
    free(buffer);
    return NULL;
}

static void test_open__threads_and_a_small_cache(void **state)
{
    (void)state;
    struct test_buffer buffer = {0};
    struct reader readers[4];
    memfs_image *image = NULL;
    memfs *fs = NULL;
    uint8_t *bytes = malloc(BIG_BYTES);
    assert_non_null(bytes);
    make_big(&buffer, bytes);
    const struct memfs_image_options image_options = {.size = sizeof image_options, .cache_bytes = 300 * KIB};
    assert_ok(memfs_image_open_buffer(buffer.data, buffer.length, &image_options, &image, NULL));
    const struct memfs_options options = {.size = sizeof options, .backing = memfs_image_backing(image)};
    assert_ok(memfs_create(&options, &fs));
    for (unsigned i = 0; i < 4; i++) {
        readers[i] = (struct reader){.fs = fs, .bytes = bytes, .seed = i};
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_around, &readers[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(readers[i].thread, NULL);
        assert_int_equal(readers[i].error, 0);
    }
    struct memfs_image_statistics statistics;
    memfs_image_statistics(image, &statistics);
    /* What four readers had pinned at the end may still be there. */
    assert_true(statistics.cached_bytes <= 300 * KIB + 5 * 70 * KIB);
    memfs_destroy(fs);
    memfs_image_close(image);
    test_buffer_free(&buffer);
    free(bytes);
}

#define DIRS 100u
#define FILES 100u /* of a directory */

static void *look_around(void *context)
{
    struct reader *reader = context;
    struct test_random random = {.state = reader->seed};
    for (unsigned i = 0; i < reader->looks && !reader->error; i++) {
        char path[64], text[64];
        struct memfs_stat stat;
        const unsigned dir = (unsigned)test_random_below(&random, DIRS),
                       file = (unsigned)test_random_below(&random, FILES);
        snprintf(path, sizeof path, "directory%u/file%u", dir, file);
        reader->error = memfs_stat(reader->fs, NULL, path, &stat) != 0 || stat.uid != dir * FILES + file;
        if (i % 10)
            continue;
        const int64_t got = memfs_node_read(reader->fs, stat.node, 0, text, sizeof text);
        reader->error |= got != (int64_t)strlen(path) || memcmp(text, path, (size_t)got) != 0;
    }
    return NULL;
}

/* Chunks are evicted while others look at them, and their refs have a level of their own. */
static void test_open__threads_and_evicted_chunks(void **state)
{
    (void)state;
    struct test_buffer buffer = {0};
    struct test_memory memory;
    struct reader readers[4];
    memfs *fs = NULL;
    memfs_image *image = NULL;
    char path[64];
    test_memory_init(&memory);
    assert_ok(memfs_create(NULL, &fs));
    for (unsigned dir = 0; dir < DIRS; dir++) {
        snprintf(path, sizeof path, "directory%u", dir);
        assert_ok(memfs_mkdir(fs, NULL, path, 0755));
        for (unsigned file = 0; file < FILES; file++) {
            const struct memfs_setattr set = {.set = MEMFS_SET_UID, .uid = dir * FILES + file};
            snprintf(path, sizeof path, "directory%u/file%u", dir, file);
            test_put_text(fs, path, path);
            assert_ok(memfs_setattr(fs, NULL, path, 1, &set));
        }
    }
    test_freeze(fs, &buffer);
    memfs_destroy(fs);
    const struct memfs_image_options image_options = {
        .size = sizeof image_options, .allocator = &memory.hook, .cache_bytes = 150 * KIB};
    assert_ok(memfs_image_open_buffer(buffer.data, buffer.length, &image_options, &image, NULL));
    assert_true(memfs_refs_height(memfs_chunk_total(MEMFS_NODES, image->root.table[MEMFS_NODES].count)) == 1);
    const struct memfs_options options = {.size = sizeof options, .backing = memfs_image_backing(image)};
    assert_ok(memfs_create(&options, &fs));
    for (unsigned i = 0; i < 4; i++) {
        readers[i] = (struct reader){.fs = fs, .seed = i, .looks = 3000 / (unsigned)test_step(5)};
        assert_int_equal(pthread_create(&readers[i].thread, NULL, look_around, &readers[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(readers[i].thread, NULL);
        assert_int_equal(readers[i].error, 0);
    }
    assert_true(memory.peak < 6000 * KIB); /* the cache, and what four readers need for decoding */
    memfs_destroy(fs);
    memfs_image_close(image);
    assert_int_equal(memory.live, 0);
    test_buffer_free(&buffer);
}

/* A first read decodes a beginning only; a second one that needs more, the whole; a
 * third one nothing. */
static void test_open__decodes_what_is_needed(void **state)
{
    (void)state;
    struct test_buffer buffer = {0};
    memfs *fs = NULL;
    memfs_image *image = NULL;
    const size_t size = 1 << 20;
    uint8_t *bytes = calloc(1, size);
    uint8_t read[100];
    assert_non_null(bytes);
    struct test_random random = {.state = 1};
    for (size_t i = 0; i < size; i++) /* compressed, though nothing in it is there twice */
        bytes[i] = (uint8_t)test_random_below(&random, 16) | 1;
    assert_ok(memfs_create(NULL, &fs));
    test_put(fs, "f", bytes, size);
    test_freeze(fs, &buffer);
    memfs_destroy(fs);
    assert_ok(memfs_image_open_buffer(buffer.data, buffer.length, NULL, &image, NULL));
    memfs_backing *backing = memfs_image_backing(image);
    struct memfs_image_statistics statistics;
    static const struct {
        uint64_t start, decoded;
    } steps[] = {{0, 131072}, {100000, 131072}, {200000, 131072 + 1048576}, {1048476, 131072 + 1048576}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        assert_ok(backing->ops->read(backing, 0, steps[i].start, read, sizeof read));
        assert_memory_equal(read, bytes + steps[i].start, sizeof read);
        memfs_image_statistics(image, &statistics);
        assert_int_equal(statistics.decoded_bytes, steps[i].decoded);
    }
    assert_result(backing->ops->read(backing, 0, 1048477, read, sizeof read), MEMFS_ECORRUPT);
    assert_result(backing->ops->read(backing, 0, UINT64_MAX - 10, read, sizeof read), MEMFS_ECORRUPT);
    assert_result(backing->ops->read(backing, 1, 0, read, sizeof read), MEMFS_ECORRUPT);
    assert_ok(backing->ops->read(backing, 0, 0, read, sizeof read)); /* asking beyond it has not damaged the block */
    memfs_image_close(image);
    test_buffer_free(&buffer);
    free(bytes);
}

static int count_item(void *context, const char *path, const struct memfs_stat *stat)
{
    (void)path;
    (void)stat;
    ++*(unsigned *)context;
    return 0;
}

/* All of it, chunks and blocks. */
static void expect_all(memfs *fs, const uint8_t *bytes)
{
    unsigned found = 0;
    assert_ok(memfs_walk(fs, NULL, "/", 0, count_item, &found));
    assert_int_equal(found, 1 + MANY + 1);
    test_expect(fs, "big", bytes, BIG_BYTES);
}

/* Far less memory than the budget: what is not pinned makes room, be it a block in a slab or a chunk. Where there is
 * not enough for a slab, blocks do without. */
static void test_open__less_memory_than_the_budget(void **state)
{
    (void)state;
    static const uint64_t caps[] = {700 * KIB, 1500 * KIB, 2500 * KIB, 4500 * KIB, UINT64_MAX};
    struct test_buffer buffer = {0};
    uint8_t *bytes = malloc(BIG_BYTES);
    assert_non_null(bytes);
    make_big(&buffer, bytes);
    for (size_t i = 0; i < sizeof caps / sizeof *caps; i++) {
        struct test_memory memory;
        memfs_image *image = NULL;
        memfs *fs = NULL;
        test_memory_init(&memory);
        memory.live_most = caps[i];
        const struct memfs_image_options options = {.size = sizeof options, .allocator = &memory.hook};
        assert_ok(memfs_image_open_buffer(buffer.data, buffer.length, &options, &image, NULL));
        const struct memfs_options on = {.size = sizeof on, .backing = memfs_image_backing(image)};
        assert_ok(memfs_create(&on, &fs));
        expect_all(fs, bytes);
        expect_all(fs, bytes);
        assert_true(memory.failures > 0 || caps[i] == UINT64_MAX);
        memfs_destroy(fs);
        memfs_image_close(image);
        assert_int_equal(memory.live, 0);
    }
    test_buffer_free(&buffer);
    free(bytes);
}

/* A view stays whole though its block is replaced by more of itself, or evicted. */
static void test_open__views_stay(void **state)
{
    (void)state;
    struct test_buffer buffer = {0};
    memfs_image *image = NULL;
    uint8_t *bytes = malloc(BIG_BYTES);
    assert_non_null(bytes);
    make_big(&buffer, bytes);
    const struct memfs_image_options options = {.size = sizeof options, .cache_bytes = 1};
    assert_ok(memfs_image_open_buffer(buffer.data, buffer.length, &options, &image, NULL));
    memfs_backing *backing = memfs_image_backing(image);
    struct memfs_pin pins[65] = {{0}};
    const void *data[65];
    for (unsigned i = 0; i < 64; i++) {
        size_t got;
        assert_ok(backing->ops->view(backing, i, 5, 1000, &data[i], &got, &pins[i]));
        assert_int_equal(got, 1000);
    }
    uint8_t last[8];
    for (unsigned i = 0; i < 64; i++)
        assert_ok(backing->ops->read(backing, i, 65528, last, 8));
    for (unsigned i = 0; i < 64; i++) {
        assert_memory_equal(data[i], bytes + i * 65536 + 5, 1000);
        backing->ops->unpin(backing, &pins[i]);
    }
    memfs_image_close(image);
    test_buffer_free(&buffer);
    free(bytes);
}

/* Ten thousand blocks of a byte each: a tree of refs with two levels. */
static void test_open__tall_tree_of_refs(void **state)
{
    struct fixture *f = *state;
    struct surgery s;
    struct test_buffer out = {0};
    const size_t blocks = 10000;
    surgery_open(&s, &f->image);
    s.blocks = surgery_grow(s.blocks, s.blocks_count, blocks, sizeof *s.blocks);
    for (size_t i = 0; i < blocks; i++) {
        struct surgery_block *block = &s.blocks[s.blocks_count + i];
        block->raw = malloc(1);
        assert_non_null(block->raw);
        block->raw[0] = (uint8_t)i;
        block->length = 1;
    }
    const size_t before = s.blocks_count;
    s.blocks_count += blocks;
    surgery_close(&s, &out);
    surgery_free(&s);
    memfs_image *image = NULL;
    assert_ok(memfs_image_open_buffer(out.data, out.length, NULL, &image, NULL));
    memfs_backing *backing = memfs_image_backing(image);
    size_t reads = 0;
    for (size_t i = 0; i < blocks; i += 37, reads++) {
        uint8_t byte;
        assert_ok(backing->ops->read(backing, (uint32_t)(before + i), 0, &byte, 1));
        assert_int_equal(byte, (uint8_t)i);
    }
    struct memfs_image_statistics statistics;
    memfs_image_statistics(image, &statistics);
    assert_true(statistics.cached_bytes >= reads * 4096); /* the budget bounds the number of items, too */
    assert_ok(memfs_verify(image, NULL, NULL));
    memfs_image_close(image);
    test_buffer_free(&out);
}

/* With room for nothing, everything is loaded again and again; but it comes to an end. */
static void test_open__cache_of_one_byte(void **state)
{
    struct fixture *f = *state;
    memfs_image *image = NULL;
    memfs *fs = NULL;
    const struct memfs_image_options options = {.size = sizeof options, .cache_bytes = 1};
    assert_ok(memfs_image_open_buffer(f->image.data, f->image.length, &options, &image, NULL));
    const struct memfs_options on = {.size = sizeof on, .backing = memfs_image_backing(image)};
    assert_ok(memfs_create(&on, &fs));
    unsigned found = 0;
    assert_ok(memfs_walk(fs, NULL, "/", 0, count_item, &found));
    assert_int_equal(found, 20); /* 19 entries and the root */
    test_expect_text(fs, "a/small", "small\n");
    assert_ok(memfs_verify(image, NULL, NULL));
    memfs_destroy(fs);
    memfs_image_close(image);
}

#define test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

/* What the image does not have is not given to whom asks its backing for it. */
static void test_open__backing_is_asked_too_much(void **state)
{
    struct fixture *f = *state;
    memfs_image *image = NULL;
    assert_ok(memfs_image_open_buffer(f->image.data, f->image.length, NULL, &image, NULL));
    memfs_backing *backing = memfs_image_backing(image);
    const struct memfs_backing_ops *ops = backing->ops;
    const uint32_t blocks = (uint32_t)image->root.table[MEMFS_DATA].count;
    struct memfs_pin pin = {0};
    const void *data = NULL;
    uint8_t bytes[16];
    size_t got = 0;
    assert_result(ops->load(backing, (enum memfs_table)MEMFS_BACKED, 0, &pin), MEMFS_ECORRUPT);
    assert_result(ops->load(backing, MEMFS_NODES, UINT32_MAX, &pin), MEMFS_ECORRUPT);
    assert_null(ops->peek(backing, (enum memfs_table)MEMFS_BACKED, 0));
    assert_null(ops->peek(backing, MEMFS_NODES, UINT32_MAX));
    assert_ok(ops->read(backing, 0, 0, bytes, 0));
    assert_result(ops->read(backing, blocks, 0, bytes, 1), MEMFS_ECORRUPT);
    assert_result(ops->read(backing, 0, UINT64_C(1) << 40, bytes, 1), MEMFS_ECORRUPT);
    assert_result(ops->read(backing, 0, 65530, bytes, 16), MEMFS_ECORRUPT); /* beyond its end */
    assert_result(ops->view(backing, 0, UINT64_C(1) << 40, 1, &data, &got, &pin), MEMFS_ECORRUPT);
    assert_result(ops->view(backing, blocks, 0, 1, &data, &got, &pin), MEMFS_ECORRUPT);
    assert_ok(ops->view(backing, 0, 0, 1000, &data, &got, &pin));
    assert_int_equal(got, 1000);
    ops->unpin(backing, &pin);
    memfs_image_close(image);
}

/* Sources read what they have, and nothing else. */
static void test_open__sources_are_asked_too_much(void **state)
{
    const struct memfs_allocator allocator = memfs_allocator_or_default(NULL);
    struct memfs_source source;
    uint8_t bytes[8];
    FILE *file = tmpfile();
    (void)state;
    assert_non_null(file);
    assert_true(fputs("12345678", file) > 0 && fflush(file) == 0);
    assert_ok(memfs_source_of_fd(fileno(file), 0, &allocator, &source));
    assert_int_equal(source.size, 8);
    assert_ok(source.read_at(source.context, 4, bytes, 4));
    assert_memory_equal(bytes, "5678", 4);
    assert_result(source.read_at(source.context, UINT64_MAX, bytes, 1), -EOVERFLOW);
    assert_ok(ftruncate(fileno(file), 6));
    assert_result(source.read_at(source.context, 4, bytes, 4), -EIO); /* it became shorter */
    source.close(source.context);
    assert_ok(fclose(file)); /* was left open */
    assert_ok(memfs_source_of_buffer("12345678", 8, &allocator, &source));
    assert_ok(source.read_at(source.context, 8, bytes, 0));
    assert_result(source.read_at(source.context, 9, bytes, 0), -EIO);
    assert_result(source.read_at(source.context, 4, bytes, 5), -EIO);
    source.close(source.context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_open__info),
        test(test_open__backing_is_asked_too_much),
        test(test_open__sources_are_asked_too_much),
        test(test_open__reads_little),
        test(test_open__held_by_filesystem),
        test(test_open__cut_at_every_length),
        test(test_open__bytes_behind),
        test(test_open__not_an_image),
        test(test_open__paths_that_are_no_files),
        test(test_open__every_byte_counts),
        test(test_open__damage_is_remembered),
        test(test_open__no_memory),
        test(test_open__no_memory_for_refs),
        test(test_open__reading_fails),
        test(test_open__errors_of_a_source),
        cmocka_unit_test(test_open__target_with_nul),
        cmocka_unit_test(test_open__threads_and_a_small_cache),
        cmocka_unit_test(test_open__less_memory_than_the_budget),
        cmocka_unit_test(test_open__threads_and_evicted_chunks),
        cmocka_unit_test(test_open__decodes_what_is_needed),
        cmocka_unit_test(test_open__views_stay),
        test(test_open__tall_tree_of_refs),
        test(test_open__cache_of_one_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
