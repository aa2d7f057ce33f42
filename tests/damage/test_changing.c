/*
 * An image's file that is changed while eight threads read it: they meet errors, or what the
 * image has, and nothing else. Another process changes it, again and again from when it
 * is told to until it is told to stop; then the file is whole again.
 */
#include "testlib.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define READERS 8
#define FILES 40u
#define READS 20u /* of a reader, in a round */
#define FILE_BYTES ((size_t)40000)
#define KIB ((uint64_t)1024)

/* What another process does to the file, once. */
typedef void change_fn(const char *path, const struct test_buffer *image, struct test_random *random);

struct changing {
    struct test_buffer image;
    char path[64];
    memfs *fs;
    memfs_node nodes[FILES];
    uint64_t rounds;
    _Atomic(uint64_t) right, errors; /* reads */
    _Atomic(int) wrong;
};

struct reader {
    pthread_t thread;
    struct changing *c;
    uint64_t seed;
};

/* Bytes that compress, or not; each file has its own. */
static void fill(uint8_t *bytes, unsigned number)
{
    struct test_random random = {.state = number};
    test_random_fill(&random, bytes, FILE_BYTES);
    for (size_t i = 0; number % 2 && i < FILE_BYTES; i++)
        bytes[i] &= 15;
}

static void make_image(struct test_buffer *out)
{
    static uint8_t bytes[FILE_BYTES];
    memfs *fs = NULL;
    assert_ok(memfs_create(NULL, &fs));
    for (unsigned i = 0; i < FILES; i++) {
        char path[64];
        fill(bytes, i);
        snprintf(path, sizeof path, "file%u", i);
        test_put(fs, path, bytes, FILE_BYTES);
    }
    struct memfs_sink sink = test_buffer_sink(out);
    const struct memfs_freeze_options options = {.size = sizeof options, .block_size = 65536};
    assert_ok(memfs_freeze(fs, &sink, &options, NULL));
    memfs_destroy(fs);
}

/* ---- Reading --------------------------------------------------------------------------- */

static void note(struct changing *c, int64_t result, int right)
{
    if (result < 0)
        atomic_fetch_add(&c->errors, 1);
    else if (right)
        atomic_fetch_add(&c->right, 1);
    else
        atomic_store(&c->wrong, 1);
}

static void read_once(struct changing *c, struct test_random *random, const uint8_t *want, uint8_t *got,
                      unsigned number)
{
    const size_t offset = (size_t)test_random_below(random, FILE_BYTES);
    const size_t length = (size_t)test_random_below(random, FILE_BYTES - offset) + 1;
    const int64_t result = memfs_node_read(c->fs, c->nodes[number], offset, got, length);
    note(c, result, result == (int64_t)length && memcmp(got, want + offset, length) == 0);
    struct memfs_view view;
    const int viewed = memfs_node_view(c->fs, c->nodes[number], offset, length, &view);
    note(c, viewed, !viewed && view.length > 0 && memcmp(view.data, want + offset, view.length) == 0);
    if (!viewed)
        memfs_view_release(c->fs, &view);
}

static void *read_all(void *context)
{
    const struct reader *reader = context;
    struct test_random random = {.state = reader->seed};
    uint8_t *want = malloc(FILE_BYTES), *got = malloc(FILE_BYTES);
    for (unsigned i = 0; want && got && i < READS; i++) {
        const unsigned number = (unsigned)test_random_below(&random, FILES);
        fill(want, number);
        read_once(reader->c, &random, want, got, number);
    }
    if (!want || !got)
        atomic_store(&reader->c->wrong, 1);
    free(want);
    free(got);
    return NULL;
}

/* ---- Changing: in another process ------------------------------------------------------------- */

/* Its exit code is nonzero when something failed that is not to. */
static void must(int done)
{
    if (!done)
        _exit(1);
}

static void write_whole(const char *path, int flags, const uint8_t *bytes, size_t length)
{
    const int fd = open(path, O_WRONLY | flags, 0600);
    must(fd >= 0 && pwrite(fd, bytes, length, 0) == (ssize_t)length && close(fd) == 0);
}

static void truncates(const char *path, const struct test_buffer *image, struct test_random *random)
{
    must(truncate(path, (off_t)test_random_below(random, image->length)) == 0);
    write_whole(path, 0, image->data, image->length);
}

static void rewrites(const char *path, const struct test_buffer *image, struct test_random *random)
{
    uint8_t *other = malloc(image->length);
    must(other != NULL);
    memcpy(other, image->data, image->length);
    const size_t at = (size_t)test_random_below(random, image->length);
    test_random_fill(random, other + at, (size_t)test_random_below(random, image->length - at) + 1);
    write_whole(path, 0, other, image->length);
    write_whole(path, 0, image->data, image->length);
    free(other);
}

static void put_in_place(const char *path, const uint8_t *bytes, size_t length)
{
    char beside[80];
    snprintf(beside, sizeof beside, "%s.new", path);
    write_whole(beside, O_CREAT | O_TRUNC, bytes, length);
    must(rename(beside, path) == 0);
}

/* What is cut short takes its name, and then the whole again. */
static void replaces(const char *path, const struct test_buffer *image, struct test_random *random)
{
    put_in_place(path, image->data, (size_t)test_random_below(random, image->length) + 1);
    put_in_place(path, image->data, image->length);
}

/* The other process: a byte begins, the next one ends, and is answered. */
struct changer {
    pid_t process;
    int to; /* a socket */
};

static void change_when_told(int from, const struct changing *c, change_fn *change)
{
    struct test_random random = {.state = 1};
    char byte;
    while (recv(from, &byte, 1, 0) == 1) {
        do
            change(c->path, &c->image, &random);
        while (recv(from, &byte, 1, MSG_DONTWAIT) < 0);
        must(send(from, &byte, 1, 0) == 1);
    }
    _exit(0);
}

static struct changer start_changer(const struct changing *c, change_fn *change)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(pair[0]);
        change_when_told(pair[1], c, change);
    }
    close(pair[1]);
    return (struct changer){child, pair[0]};
}

static void begin_change(const struct changer *changer)
{
    assert_int_equal(send(changer->to, "b", 1, MSG_NOSIGNAL), 1);
}

static void end_change(const struct changer *changer)
{
    char byte;
    assert_int_equal(send(changer->to, "e", 1, MSG_NOSIGNAL), 1);
    assert_int_equal(recv(changer->to, &byte, 1, 0), 1);
}

static void stop_changer(const struct changer *changer)
{
    int status;
    close(changer->to);
    assert_int_equal(waitpid(changer->process, &status, 0), changer->process);
    assert_int_equal(status, 0);
}

/* ---- Both ------------------------------------------------------------------------------------------ */

static void begin(struct changing *c)
{
    *c = (struct changing){.rounds = test_environment("MEMFS_SCALE", 100) * 2 / 5};
    make_image(&c->image);
    snprintf(c->path, sizeof c->path, "/tmp/memfs-changing.%ld", (long)getpid());
    write_whole(c->path, O_CREAT | O_TRUNC, c->image.data, c->image.length);
}

/* The cache is so small that most is read again and again. Damage is remembered: hence the
 * image is opened anew for each round. */
static void open_whole(struct changing *c, memfs_image **image)
{
    const struct memfs_image_options options = {.size = sizeof options, .cache_bytes = 200 * KIB};
    assert_ok(memfs_image_open_path(c->path, &options, image, NULL));
    const struct memfs_options fs_options = {.size = sizeof fs_options, .backing = memfs_image_backing(*image)};
    assert_ok(memfs_create(&fs_options, &c->fs));
    for (unsigned i = 0; i < FILES; i++) {
        char path[64];
        snprintf(path, sizeof path, "file%u", i);
        c->nodes[i] = test_node(c->fs, path);
    }
}

static void read_round(struct changing *c, const struct changer *changer)
{
    struct reader readers[READERS];
    memfs_image *image = NULL;
    open_whole(c, &image);
    begin_change(changer);
    for (unsigned i = 0; i < READERS; i++) {
        readers[i] = (struct reader){.c = c, .seed = c->rounds * READERS + i};
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_all, &readers[i]), 0);
    }
    for (unsigned i = 0; i < READERS; i++)
        pthread_join(readers[i].thread, NULL);
    memfs_destroy(c->fs);
    memfs_image_close(image);
    end_change(changer);
}

/* So many rounds, and more until both have come: right ones and errors, if any are to come. */
static void read_while(const char *what, change_fn *change, int errors_come)
{
    struct changing c;
    begin(&c);
    const struct changer changer = start_changer(&c, change);
    for (unsigned more = 10000; (c.rounds > 0 || !c.right || (errors_come && !c.errors)) && more > 0; more--) {
        read_round(&c, &changer);
        c.rounds -= c.rounds > 0;
    }
    stop_changer(&changer);
    print_message("tried  %s while it is read: %" PRIu64 " reads right, %" PRIu64 " errors, none wrong\n", what,
                  c.right, c.errors);
    assert_false(c.wrong);
    assert_true(c.right > 0 && (c.errors > 0) == errors_come);
    unlink(c.path);
    test_buffer_free(&c.image);
}

static void test_changing__truncated(void **state)
{
    (void)state;
    read_while("truncated", truncates, 1);
}

static void test_changing__rewritten(void **state)
{
    (void)state;
    read_while("rewritten", rewrites, 1);
}

/* Whoever has opened one has that one. */
static void test_changing__replaced(void **state)
{
    (void)state;
    read_while("replaced", replaces, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changing__truncated),
        cmocka_unit_test(test_changing__rewritten),
        cmocka_unit_test(test_changing__replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
