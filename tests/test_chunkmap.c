#include "chunkmap.h"
#include "testlib.h"

static void *map_alloc(void *context, size_t size)
{
    const struct memfs_allocator *allocator = context;
    return allocator->alloc(allocator->context, size);
}

static void map_free(void *context, void *memory, size_t size)
{
    const struct memfs_allocator *allocator = context;
    allocator->free(allocator->context, memory, size);
}

/* The chunks that are put in, far from each other: the root grows several times, and pages stay absent in between. */
static const uint64_t numbers[] = {0,     1,     63,       64,        65,        255,       256, 257, 1000,
                                   16383, 16384, 1u << 20, 70000000u, 70000001u, 71000000u, 511, 130, 99999};
#define NUMBERS (sizeof numbers / sizeof numbers[0])

static void test_chunkmap__what_is_put_in_stays(void **state)
{
    (void)state;
    struct test_memory memory;
    struct memfs_chunkmap map;
    char chunks[NUMBERS];
    test_memory_init(&memory);
    memfs_chunkmap_init(&map);
    for (size_t i = 0; i < NUMBERS; i++) {
        assert_null(memfs_chunkmap_get(&map, numbers[i]));
        _Atomic(void *) *slot = memfs_chunkmap_reserve(&map, numbers[i], map_alloc, &memory.hook);
        assert_non_null(slot);
        assert_null(memfs_chunkmap_get(&map, numbers[i]));
        atomic_store(slot, &chunks[i]);
        for (size_t j = 0; j < NUMBERS; j++)
            assert_ptr_equal(memfs_chunkmap_get(&map, numbers[j]), j <= i ? &chunks[j] : NULL);
    }
    assert_null(memfs_chunkmap_get(&map, 2));
    assert_null(memfs_chunkmap_get(&map, 100000));
    assert_null(memfs_chunkmap_get(&map, UINT64_MAX));
    memfs_chunkmap_clear(&map, map_free, &memory.hook);
    assert_null(memfs_chunkmap_get(&map, 0));
    assert_int_equal(memory.live, 0);
}

/* Nothing is lost where there is no memory for more, and an empty map takes none. */
static void test_chunkmap__lack_of_memory(void **state)
{
    (void)state;
    char chunk;
    struct memfs_chunkmap map;
    struct test_memory memory;
    test_memory_init(&memory);
    memfs_chunkmap_init(&map);
    assert_int_equal(memory.live, 0);
    atomic_store(memfs_chunkmap_reserve(&map, 7, map_alloc, &memory.hook), &chunk);
    for (uint64_t fails = 1; fails <= 2; fails++) {
        test_memory_fail(&memory, fails, 0);
        assert_null(memfs_chunkmap_reserve(&map, 64 * 1000, map_alloc, &memory.hook));
        assert_ptr_equal(memfs_chunkmap_get(&map, 7), &chunk);
        assert_null(memfs_chunkmap_get(&map, 64 * 1000));
        test_memory_heal(&memory);
    }
    assert_non_null(memfs_chunkmap_reserve(&map, 64 * 1000, map_alloc, &memory.hook));
    assert_ptr_equal(memfs_chunkmap_get(&map, 7), &chunk);
    memfs_chunkmap_clear(&map, map_free, &memory.hook);
    assert_int_equal(memory.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chunkmap__what_is_put_in_stays),
        cmocka_unit_test(test_chunkmap__lack_of_memory),
    };
    return cmocka_run_group_tests_name("chunkmap", tests, NULL, NULL);
}
