#include "dir_hash.h"
#include "testlib.h"

/* ---- Hashes of families of names that differ as little as names do ---------------- */

#define COUNT 8192u

typedef uint64_t family(const memfs *fs, uint32_t number);

static uint64_t numbered(const memfs *fs, uint32_t number)
{
    char name[32];
    return dir_hash_name(fs, 1, name, (size_t)snprintf(name, sizeof name, "file-%06u.txt", number));
}

/* Of 1 to 255 bytes, and the same with one bit more somewhere. */
static uint64_t of_every_length(const memfs *fs, uint32_t number)
{
    char name[255];
    const size_t length = 1 + number % 255;
    const uint32_t change = number / 255;
    memset(name, 0x40, sizeof name);
    if (change)
        name[(change * 7 + length / 2) % length] = (char)(0x40 + change);
    return dir_hash_name(fs, 1, name, length);
}

/* Two words, in both orders, each also with itself. */
static uint64_t of_two_words(const memfs *fs, uint32_t number)
{
    char name[32];
    return dir_hash_name(fs, 1, name, (size_t)snprintf(name, sizeof name, "%08u%08u", number % 91, number / 91));
}

static uint64_t in_every_directory(const memfs *fs, uint32_t number)
{
    return dir_hash_name(fs, number, "Makefile", 8);
}

static uint64_t path(const memfs *fs, uint32_t number)
{
    char text[64];
    return dir_hash_path(fs, text,
                         (size_t)snprintf(text, sizeof text, "a/directory-%02u/b/%u", number % 64, number / 64));
}

static uint64_t entry(const memfs *fs, uint32_t number)
{
    return dir_hash_entry(fs, 1, number);
}

static uint64_t entry_of_many(const memfs *fs, uint32_t number)
{
    return dir_hash_entry(fs, number, 7);
}

static uint64_t entry_like_dir(const memfs *fs, uint32_t number)
{
    return dir_hash_entry(fs, number, number);
}

static int compare_numbers(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* How far the sizes of classes are from equal: chi-square, of which classes - 1 is to be expected. */
static double unevenness(const uint64_t hashes[COUNT], unsigned shift, uint32_t classes)
{
    uint32_t *sizes = calloc(classes, sizeof *sizes);
    double sum = 0, mean = (double)COUNT / classes;
    assert_non_null(sizes);
    for (uint32_t i = 0; i < COUNT; i++)
        sizes[hashes[i] >> shift & (classes - 1)]++;
    for (uint32_t i = 0; i < classes; i++)
        sum += ((double)sizes[i] - mean) * ((double)sizes[i] - mean) / mean;
    free(sizes);
    return sum;
}

/* No two are equal; buckets (the lowest bits), tags in buckets (those above), and what hints take are as even as
 * chance makes them: no further from it than six standard deviations. */
static void expect_spread(family *hash_of, uint64_t seed)
{
    static uint64_t hashes[COUNT];
    static memfs fs;
    static const struct {
        unsigned shift;
        uint32_t classes;
        double most; /* classes - 1 + 6 * sqrt(2 * (classes - 1)) */
    } parts[] = {{0, 1024, 1295}, {10, 1024, 1295}, {27, 16, 47}, {32, 1024, 1295}, {8, 256, 391}, {16, 1024, 1295}};
    dir_hash_seed(&fs, seed);
    for (uint32_t i = 0; i < COUNT; i++)
        hashes[i] = hash_of(&fs, i);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const double found = unevenness(hashes, parts[i].shift, parts[i].classes);
        if (found > parts[i].most)
            fail_msg("bits from %u: %.0f, of at most %.0f", parts[i].shift, found, parts[i].most);
    }
    qsort(hashes, COUNT, sizeof hashes[0], compare_numbers);
    for (uint32_t i = 1; i < COUNT; i++)
        assert_true(hashes[i] != hashes[i - 1]);
}

static void test_dir_hash__names_are_spread(void **state)
{
    static family *const families[] = {numbered, of_every_length, of_two_words,  in_every_directory,
                                       path,     entry,           entry_of_many, entry_like_dir};
    static const uint64_t seeds[] = {1, 0x7F0123456780, 0xBF59BE8FFE72BF8, 0x243F6A8885A308D3};
    (void)state;
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
        for (size_t j = 0; j < sizeof seeds / sizeof seeds[0]; j++)
            expect_spread(families[i], seeds[j]);
}

/* ---- The table, by what a directory says ------------------------------------------------ */

static void name_number(uint32_t number, char name[256])
{
    const uint32_t length = 1 + number % 250;
    memset(name, 'n', length);
    snprintf(name + length - 1, 8, "%u", number);
}

/* Slots that are free say so by their tags: else they would not be used again. */
static void expect_free_buckets(const memfs *fs)
{
    static const struct bucket free_bucket;
    assert_true(fs->buckets > 1);
    for (uint32_t i = 0; i < fs->buckets; i++)
        assert_memory_equal(table_resident(fs, MEMFS_BUCKETS, i), &free_bucket, sizeof free_bucket);
}

#define NAMES 3001u

/* More than slots, so that buckets overflow, and are split. */
static void make_names(memfs *fs, uint32_t from, uint32_t to)
{
    char name[256];
    for (uint32_t i = from; i < to; i++) {
        name_number(i, name);
        test_put_text(fs, name, "");
    }
}

/* In another order. */
static void remove_names(memfs *fs, uint32_t count)
{
    char name[256];
    for (uint32_t i = 0; i < count; i++) {
        name_number((uint32_t)((uint64_t)i * 1009 % count), name);
        assert_ok(memfs_unlink(fs, NULL, name));
        assert_int_equal(memfs_unlink(fs, NULL, name), -ENOENT);
        name_number((uint32_t)((uint64_t)(i + 1) * 1009 % count), name);
        assert_int_equal(memfs_unlink(fs, NULL, "no such name"), -ENOENT);
        if (i + 1 < count)
            assert_int_equal(test_lstat(fs, name).nlink, 1);
    }
    assert_int_equal(test_lstat(fs, "/").size, 0);
    expect_free_buckets(fs);
}

/* Of the filesystem's own. */
static uint64_t overflows_in_use(const memfs *fs)
{
    const struct table *table = &fs->tables[MEMFS_OVERFLOWS];
    return table_count(table) - table->start - table->free_count;
}

static void test_dir_hash__names_of_every_length_are_found(void **state)
{
    struct test_state *test = *state;
    for (int round = 0; round < 2; round++) {
        make_names(test->fs, 0, NAMES);
        assert_true(overflows_in_use(test->fs) > NAMES / 100);
        remove_names(test->fs, NAMES);
        assert_int_equal(overflows_in_use(test->fs), 0);
    }
}

/* What overflowed below stays there, and is not changed: both can go on. */
static void test_dir_hash__over_a_sealed_one(void **state)
{
    struct test_state *test = *state;
    memfs_backing *sealed = NULL;
    make_names(test->fs, 0, NAMES);
    assert_ok(memfs_seal(test->fs, &sealed));
    for (int round = 0; round < 2; round++) {
        test->fs = test_create(test, sealed);
        make_names(test->fs, NAMES, 2 * NAMES);
        remove_names(test->fs, 2 * NAMES);
        assert_int_equal(overflows_in_use(test->fs), 0);
        make_names(test->fs, 0, NAMES);
        remove_names(test->fs, NAMES);
        if (round == 0)
            memfs_destroy(test->fs);
    }
    memfs_backing_release(sealed);
}

/* Until there is no room: what fails has changed nothing, and what had been made is there. */
static void expect_full(memfs_backing *sealed, uint64_t capacity)
{
    const struct memfs_options options = {.size = sizeof options, .capacity = capacity, .backing = sealed};
    char name[256];
    memfs *fs = NULL;
    uint32_t made = NAMES;
    assert_ok(memfs_create(&options, &fs));
    for (int error = 0; !error && made < 2 * NAMES; made += error == 0) {
        name_number(made, name);
        error = memfs_mknod(fs, NULL, name, MEMFS_IFREG | 0644, 0, 0);
        assert_true(error == 0 || error == -ENOSPC);
    }
    assert_int_equal(test_lstat(fs, "/").size, made);
    for (uint32_t i = 0; i < made; i++) {
        name_number(i, name);
        assert_int_equal(test_lstat(fs, name).nlink, 1);
    }
    memfs_destroy(fs);
}

static void test_dir_hash__no_room_over_a_sealed_one(void **state)
{
    struct test_state *test = *state;
    memfs_backing *sealed = NULL;
    make_names(test->fs, 0, NAMES);
    assert_ok(memfs_seal(test->fs, &sealed));
    for (uint64_t capacity = 40000; capacity < 1000000; capacity += 7919)
        expect_full(sealed, capacity);
    memfs_backing_release(sealed);
    test->fs = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dir_hash__names_are_spread),
        test_with_fs(test_dir_hash__names_of_every_length_are_found),
        test_with_fs(test_dir_hash__over_a_sealed_one),
        test_with_fs(test_dir_hash__no_room_over_a_sealed_one),
    };
    return cmocka_run_group_tests_name("dir_hash", tests, NULL, NULL);
}
