/* Several threads: readers beside a writer, several filesystems on one image
 * whose cache is too small for all. Meant for the thread sanitizer; what is
 * read is checked. MEMFS_SCALE is in percent of the rounds. */
#include "fs.h"
#include "testlib.h"

#include <pthread.h>
#include <sched.h>

#define READERS 4
#define FILES 40
#define LARGE 60000u

struct shared {
    memfs *fs;
    _Atomic(int) stop;
    _Atomic(int) wrong;
    _Atomic(uint64_t) reads;
    unsigned rounds;
};

/* Files hold one byte value throughout, so that a torn write would show. */
static void read_one(struct shared *shared, unsigned number, uint8_t *bytes)
{
    char path[32];
    memfs_node node = 0;
    snprintf(path, sizeof path, "d%u/f%u", number % 4, number);
    int error = memfs_resolve(shared->fs, NULL, path, 1, &node);
    if (error == -ENOENT)
        return;
    int64_t got = error ? error : memfs_node_read(shared->fs, node, 0, bytes, LARGE);
    for (int64_t i = 1; i < got; i++)
        if (bytes[i] != bytes[0])
            got = -EIO;
    if (got < 0)
        atomic_store(&shared->wrong, (int)got);
    struct memfs_view view;
    error = memfs_node_view(shared->fs, node, 0, LARGE, &view);
    if (error) {
        atomic_store(&shared->wrong, error);
    } else {
        for (size_t i = 1; i < view.length; i++)
            if (((const uint8_t *)view.data)[i] != ((const uint8_t *)view.data)[0])
                atomic_store(&shared->wrong, -EIO);
        memfs_view_release(shared->fs, &view);
    }
    memfs_node_forget(shared->fs, node, 1);
    atomic_fetch_add(&shared->reads, 1);
}

static int count_visit(void *context, const char *path, const struct memfs_stat *stat)
{
    (void)path;
    (void)stat;
    ++*(unsigned *)context;
    return 0;
}

static void *reader(void *context)
{
    struct shared *shared = context;
    uint8_t *bytes = malloc(LARGE);
    struct test_random random = {.state = (uint64_t)(uintptr_t)bytes};
    for (unsigned i = 0; !atomic_load(&shared->stop); i++) {
        read_one(shared, (unsigned)test_random_below(&random, FILES), bytes);
        unsigned seen = 0;
        if (i % 16 == 0) {
            int error = memfs_walk(shared->fs, NULL, "/", 0, count_visit, &seen);
            if (error && error != -ENOENT && error != -ESTALE)
                atomic_store(&shared->wrong, error);
        }
    }
    free(bytes);
    return NULL;
}

static void write_one(struct shared *shared, struct test_random *random, uint8_t *bytes)
{
    unsigned number = (unsigned)test_random_below(random, FILES);
    char path[32], other[32];
    memfs_node node = 0;
    snprintf(path, sizeof path, "d%u/f%u", number % 4, number);
    snprintf(other, sizeof other, "d%u/new", number % 4);
    switch (test_random_below(random, 5)) {
    case 0: {
        memset(bytes, (int)test_random_below(random, 255) + 1, LARGE);
        int made = memfs_mknod(shared->fs, NULL, other, MEMFS_IFREG | 0644, 0, 0);
        int error = made ? made : memfs_resolve(shared->fs, NULL, other, 1, &node);
        if (error) {
            atomic_store(&shared->wrong, error);
            return;
        }
        if (memfs_node_write(shared->fs, node, 0, bytes, LARGE) != LARGE)
            atomic_store(&shared->wrong, -EIO);
        memfs_node_forget(shared->fs, node, 1);
        error = memfs_rename(shared->fs, NULL, other, path, 0);
        if (error)
            atomic_store(&shared->wrong, error);
        break;
    }
    case 1:
        memfs_unlink(shared->fs, NULL, path);
        break;
    case 2:
        memset(bytes, (int)test_random_below(random, 255) + 1, LARGE);
        if (memfs_resolve(shared->fs, NULL, path, 1, &node) == 0) {
            int64_t got = memfs_node_write(shared->fs, node, 0, bytes, LARGE);
            if (got != LARGE)
                atomic_store(&shared->wrong, (int)got);
            memfs_node_forget(shared->fs, node, 1);
        }
        break;
    case 3:
        memfs_setxattr(shared->fs, NULL, path, 1, "user.a", bytes, 100, 0);
        break;
    default:
        memfs_truncate(shared->fs, NULL, path, 0);
        break;
    }
}

static void fill(memfs *fs)
{
    static uint8_t bytes[LARGE];
    char path[32];
    for (unsigned i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "d%u", i);
        assert_ok(memfs_mkdir(fs, NULL, path, 0755));
    }
    for (unsigned i = 0; i < FILES; i++) {
        snprintf(path, sizeof path, "d%u/f%u", i % 4, i);
        memset(bytes, (int)i + 1, sizeof bytes);
        test_put(fs, path, bytes, sizeof bytes);
    }
}

static void readers_beside_a_writer(struct test_state *test, uint64_t rounds)
{
    rounds = rounds * test_environment("MEMFS_SCALE", 100) / 100;
    struct shared shared = {.fs = test->fs};
    struct test_random random = {.state = 11};
    pthread_t threads[READERS];
    uint8_t *bytes = malloc(LARGE);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, reader, &shared), 0);
    for (unsigned i = 0; i < 100 || atomic_load(&shared.reads) < 100; i++)
        write_one(&shared, &random, bytes);
    atomic_store(&shared.stop, 1);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    free(bytes);
    assert_ok(atomic_load(&shared.wrong));
}

static void test_threads__readers_beside_a_writer(void **state)
{
    struct test_state *test = *state;
    fill(test->fs);
    readers_beside_a_writer(test, 1500);
}

static void test_threads__over_an_image(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    fill(test->fs);
    test_freeze(test->fs, &image);
    memfs_destroy(test->fs);
    test->fs = test_thaw(test, &image, 300000);
    readers_beside_a_writer(test, 1000);
    char *changed = test_dump(test->fs, 0);
    struct test_buffer again = {0};
    test_freeze(test->fs, &again);
    memfs *thawed = test_thaw(test, &again, 0);
    char *same = test_dump(thawed, 0);
    test_same_text(same, changed, "frozen after all");
    free(same);
    free(changed);
    memfs_destroy(thawed);
    test_buffer_free(&again);
    test_end(test, &image);
}

/* Two writers take turns; each makes, moves and removes names of its own. */
static void *writer(void *context)
{
    struct shared *shared = context;
    char path[64], other[64];
    for (unsigned i = 0; i < shared->rounds; i++) {
        snprintf(path, sizeof path, "d%u/%p.%u", i % 4, (void *)&path, i);
        snprintf(other, sizeof other, "d%u/%p.%u", (i + 1) % 4, (void *)&path, i);
        int error = memfs_mknod(shared->fs, NULL, path, MEMFS_IFREG | 0644, 0, 0);
        error = error ? error : memfs_truncate(shared->fs, NULL, path, 5000);
        error = error ? error : memfs_rename(shared->fs, NULL, path, other, 0);
        error = error || i % 2 ? error : memfs_unlink(shared->fs, NULL, other);
        if (error)
            atomic_store(&shared->wrong, error);
    }
    return NULL;
}

static void test_threads__writers_take_turns(void **state)
{
    struct test_state *test = *state;
    fill(test->fs);
    struct shared shared = {.fs = test->fs, .rounds = 500};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, writer, &shared), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_ok(atomic_load(&shared.wrong));
    struct memfs_statfs statfs;
    assert_ok(memfs_statfs(test->fs, &statfs));
    assert_int_equal(statfs.nodes, 1 + 4 + FILES + 4 * 250);
}

/* ---- Makers of the same files ---------------------------------------------- */

/* All begin with a name when the last has come to it, so that most look for it before one has made it. */
struct makers {
    memfs *fs;
    _Atomic(unsigned) come; /* makers, to all names so far */
    unsigned names;
    _Atomic(int) wrong;
};

#define MAKERS 2

/* A barrier that wakes nobody: where there are as many processors, all go on within a few nanoseconds. */
static void meet(struct makers *makers, unsigned name)
{
    atomic_fetch_add(&makers->come, 1);
    for (unsigned spins = 1; atomic_load(&makers->come) < (name + 1) * MAKERS; spins++) {
        if (spins % 1024 == 0)
            sched_yield();
    }
}

static void *make_all(void *context)
{
    struct makers *makers = context;
    for (unsigned i = 0; i < makers->names; i++) {
        char path[32];
        memfs_file *file = NULL;
        snprintf(path, sizeof path, "both/%u", i);
        meet(makers, i);
        int error = memfs_open(makers->fs, NULL, path, MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &file);
        if (error)
            atomic_store(&makers->wrong, error);
        memfs_close(file);
    }
    return NULL;
}

static void test_threads__makers_of_the_same_files(void **state)
{
    struct test_state *test = *state;
    struct makers makers = {.fs = test->fs, .names = 20 * (unsigned)test_environment("MEMFS_SCALE", 100)};
    pthread_t threads[MAKERS];
    struct memfs_stat stat;
    assert_ok(memfs_mkdir(test->fs, NULL, "both", 0755));
    for (unsigned i = 0; i < MAKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_all, &makers), 0);
    for (unsigned i = 0; i < MAKERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&makers.wrong), 0);
    assert_ok(memfs_stat(test->fs, NULL, "both", &stat));
    assert_int_equal(stat.size, makers.names); /* a directory's size is how many entries it has */
}

/* ---- A tree that grows -------------------------------------------------------- */

/* Tables, buckets and hints grow several times under those who read. */
struct growing {
    memfs *fs;
    _Atomic(uint32_t) made; /* so many files are there */
    _Atomic(int) stop, wrong;
};

static void growing_path(uint32_t number, char path[32])
{
    snprintf(path, 32, "d/%07" PRIu32, number);
}

/* Each file holds its own number. */
static int is_right(memfs *fs, uint32_t number)
{
    char path[32];
    uint32_t held = 0;
    memfs_file *file = NULL;
    growing_path(number, path);
    if (memfs_open(fs, NULL, path, MEMFS_O_READ, 0, &file) != 0)
        return 0;
    const int64_t got = memfs_read(file, &held, sizeof held);
    memfs_close(file);
    return got == sizeof held && held == number;
}

static void *read_growing(void *context)
{
    struct growing *growing = context;
    struct test_random random = {.state = (uint64_t)(uintptr_t)&random};
    while (!atomic_load(&growing->stop)) {
        const uint32_t made = atomic_load(&growing->made);
        if (made && !is_right(growing->fs, made - 1))
            atomic_store(&growing->wrong, 1);
        if (made && !is_right(growing->fs, (uint32_t)test_random_below(&random, made)))
            atomic_store(&growing->wrong, 1);
    }
    return NULL;
}

static void make_growing(struct growing *growing, uint32_t number)
{
    char path[32];
    memfs_file *file = NULL;
    growing_path(number, path);
    assert_ok(memfs_open(growing->fs, NULL, path, MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &file));
    assert_result(memfs_write(file, &number, sizeof number), sizeof number);
    memfs_close(file);
    atomic_store(&growing->made, number + 1);
}

static void test_threads__a_tree_that_grows(void **state)
{
    struct test_state *test = *state;
    struct growing growing = {.fs = test->fs};
    pthread_t threads[2];
    const uint32_t files = 12000 / (uint32_t)test_slowness();
    assert_ok(memfs_mkdir(test->fs, NULL, "d", 0755));
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_growing, &growing), 0);
    for (uint32_t i = 0; i < files; i++)
        make_growing(&growing, i);
    atomic_store(&growing.stop, 1);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&growing.wrong), 0);
    for (uint32_t i = 0; i < files; i++)
        assert_true(is_right(test->fs, i));
}

struct alone {
    memfs *fs;
    const char *want;
    unsigned number;
    int wrong;
};

/* One of several filesystems on one image: changes its own, sees its own. */
static void *change_alone(void *context)
{
    struct alone *alone = context;
    struct shared shared = {.fs = alone->fs};
    struct test_random random = {.state = alone->number};
    uint8_t *bytes = malloc(LARGE);
    char *first = test_dump(alone->fs, 0);
    alone->wrong = strcmp(first, alone->want) != 0;
    free(first);
    for (unsigned i = 0; i < 150 / test_step(5); i++) {
        write_one(&shared, &random, bytes);
        read_one(&shared, (unsigned)test_random_below(&random, FILES), bytes);
    }
    char path[32];
    memfs_node node = 0;
    snprintf(path, sizeof path, "mine%u", alone->number);
    alone->wrong |= memfs_mknod(alone->fs, NULL, path, MEMFS_IFREG | 0644, 0, 0) != 0;
    alone->wrong |= memfs_resolve(alone->fs, NULL, path, 1, &node) != 0;
    memfs_node_forget(alone->fs, node, 1);
    alone->wrong |= atomic_load(&shared.wrong) != 0;
    free(bytes);
    return NULL;
}

static uint64_t cached_bytes(memfs_image *image)
{
    struct memfs_image_statistics statistics;
    memfs_image_statistics(image, &statistics);
    return statistics.cached_bytes;
}

static void test_threads__eight_on_one_image(void **state)
{
    struct test_state *test = *state;
    const uint64_t most = 200000 + (2 << 20);
    struct test_buffer bytes = {0};
    fill(test->fs);
    test_build_everything(test->fs);
    test_freeze(test->fs, &bytes);
    memfs_destroy(test->fs);
    test->fs = NULL;
    struct memfs_image_options options = {
        .size = sizeof options, .allocator = &test->memory.hook, .cache_bytes = 200000};
    memfs_image *image = NULL;
    assert_ok(memfs_image_open_buffer(bytes.data, bytes.length, &options, &image, NULL));
    struct alone alone[8];
    pthread_t threads[8];
    memfs *plain = test_create(test, memfs_image_backing(image));
    char *want = test_dump(plain, 0);
    for (unsigned i = 0; i < 8; i++)
        alone[i] = (struct alone){.fs = test_create(test, memfs_image_backing(image)), .want = want, .number = i};
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, change_alone, &alone[i]), 0);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(alone[i].wrong, 0);
        struct memfs_stat stat;
        for (unsigned j = 0; j < 8; j++) {
            char path[32];
            snprintf(path, sizeof path, "mine%u", j);
            assert_result(memfs_lstat(alone[i].fs, NULL, path, &stat), i == j ? 0 : -ENOENT);
        }
        memfs_destroy(alone[i].fs);
    }
    char *after = test_dump(plain, 0);
    test_same_text(after, want, "the one that was left alone");
    free(after);
    free(want);
    /* What was given up while a reader slept is freed by who needs memory next. */
    for (unsigned i = 0; i < 10 && cached_bytes(image) > most; i++)
        free(test_dump(plain, 0));
    assert_in_range(cached_bytes(image), 0, most);
    memfs_destroy(plain);
    memfs_image_close(image);
    test_buffer_free(&bytes);
}

/* ---- Verifying beside readers ---- */

static void *walk(void *context)
{
    struct shared *shared = context;
    while (!atomic_load(&shared->stop)) {
        unsigned seen = 0;
        const int error = memfs_walk(shared->fs, NULL, "/", 0, count_visit, &seen);
        if (error)
            atomic_store(&shared->wrong, error);
        atomic_fetch_add(&shared->reads, 1);
    }
    return NULL;
}

/* Files in two chunks of nodes, and a directory with other names of them, now from the one and now from the other. */
static void fill_two_chunks(memfs *fs)
{
    const unsigned files = 2 * MEMFS_CHUNK_RECORDS;
    char path[32], other[32];
    assert_ok(memfs_mkdir(fs, NULL, "a", 0755));
    assert_ok(memfs_mkdir(fs, NULL, "b", 0755));
    for (unsigned i = 0; i < files; i++) {
        snprintf(path, sizeof path, "a/%04u", i);
        snprintf(other, sizeof other, "b/%04u", i % MEMFS_CHUNK_RECORDS * 2 + i / MEMFS_CHUNK_RECORDS);
        assert_ok(memfs_mknod(fs, NULL, path, MEMFS_IFREG | 0644, 0, 0));
        assert_ok(memfs_link(fs, NULL, path, other));
    }
}

/* Each chunk that is loaded drives out what others have loaded, while verifying asks whether it is there. */
static void test_threads__verifying_beside_readers(void **state)
{
    struct test_state *test = *state;
    struct test_buffer bytes = {0};
    memfs_image *image = NULL;
    pthread_t threads[READERS];
    fill_two_chunks(test->fs);
    test_freeze(test->fs, &bytes);
    memfs_destroy(test->fs);
    const struct memfs_image_options options = {.size = sizeof options, .cache_bytes = 1};
    assert_ok(memfs_image_open_buffer(bytes.data, bytes.length, &options, &image, NULL));
    test->fs = test_create(test, memfs_image_backing(image));
    struct shared shared = {.fs = test->fs};
    for (int i = 0; i < READERS; i++)
        assert_ok(pthread_create(&threads[i], NULL, walk, &shared));
    for (unsigned i = 0; i < 100 || atomic_load(&shared.reads) < READERS; i++)
        assert_ok(memfs_verify(image, NULL, NULL));
    atomic_store(&shared.stop, 1);
    for (int i = 0; i < READERS; i++)
        assert_ok(pthread_join(threads[i], NULL));
    assert_ok(atomic_load(&shared.wrong));
    memfs_image_close(image);
    test_end(test, &bytes);
}

/* ---- Each reader counts ---- */

static void *change(void *context)
{
    memfs *fs = context;
    return memfs_mkdir(fs, NULL, "made", 0755) ? context : NULL;
}

/* A writer that stands at its gate does not open it while a reader is in any of the slots. */
static void test_threads__a_writer_waits_for_each_slot(void **state)
{
    memfs *fs = ((struct test_state *)*state)->fs;
    for (unsigned slot = 0; slot < MEMFS_READER_SLOTS; slot++) {
        pthread_t writer;
        void *failed = fs;
        assert_true(memfs_reader_try(fs->epochs, &fs->readers, slot));
        assert_ok(pthread_create(&writer, NULL, change, fs));
        while (!atomic_load(&fs->gate_closed))
            sched_yield();
        const uint64_t changes = atomic_load(&fs->changes);
        for (unsigned i = 0; i < 100; i++) {
            sched_yield();
            assert_true(atomic_load(&fs->gate_closed));
        }
        assert_int_equal(atomic_load(&fs->changes), changes);
        memfs_reader_exit(&fs->readers, slot);
        assert_ok(pthread_join(writer, &failed));
        assert_null(failed);
        assert_int_equal(atomic_load(&fs->changes), changes + 1);
        assert_ok(memfs_rmdir(fs, NULL, "made"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_fs(test_threads__readers_beside_a_writer),  test_with_fs(test_threads__over_an_image),
        test_with_fs(test_threads__writers_take_turns),       test_with_fs(test_threads__eight_on_one_image),
        test_with_fs(test_threads__makers_of_the_same_files), test_with_fs(test_threads__a_tree_that_grows),
        test_with_fs(test_threads__verifying_beside_readers), test_with_fs(test_threads__a_writer_waits_for_each_slot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
