#include "hint.h"
#include "testlib.h"

/* Paths are numbers here, spread as hashes are. */
static uint64_t hash_of(uint32_t path)
{
    uint64_t hash = (path + 1) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 29;
}

static int knows(const struct hints *hints, uint32_t path, uint32_t insertion)
{
    uint32_t found = 0;
    return hints_find(hints, hash_of(path), &found) && found == insertion;
}

static unsigned count_known(const struct hints *hints, uint32_t paths)
{
    unsigned known = 0;
    for (uint32_t i = 0; i < paths; i++)
        known += knows(hints, i, i) ? 1 : 0;
    return known;
}

struct fixture {
    struct test_memory memory;
    struct arena arena;
    struct hints hints;
};

static void begin(struct fixture *fixture)
{
    test_memory_init(&fixture->memory);
    arena_init(&fixture->arena, &fixture->memory.hook, UINT64_MAX);
    fixture->hints = (struct hints){.count = 0};
}

static void end(struct fixture *fixture)
{
    hints_free(&fixture->hints, &fixture->arena);
    arena_destroy(&fixture->arena);
    assert_int_equal(fixture->memory.live, 0);
}

/* As insertions make them: one path after the other, from one size to the next. */
static void test_hint__most_survive_growth(void **state)
{
    (void)state;
    enum { PATHS = 20000 };
    struct fixture fixture;
    struct hints *hints = &fixture.hints;
    uint32_t found = 0;
    begin(&fixture);
    assert_int_equal(hints_find(hints, hash_of(1), &found), 0);
    hints_set(hints, hash_of(1), 1); /* nowhere */
    for (uint32_t i = 0; i < PATHS; i++) {
        hints_reach(hints, &fixture.arena, i);
        hints_grow(hints, &fixture.arena);
        hints_set(hints, hash_of(i), i);
    }
    assert_in_range(hints->count, PATHS, 2 * PATHS);
    assert_in_range(count_known(hints, PATHS), PATHS * 8 / 10, PATHS);
    unsigned strange = 0;
    for (uint32_t i = PATHS; i < 2 * PATHS; i++)
        strange += hints_find(hints, hash_of(i), &found) ? 1 : 0;
    assert_in_range(strange, 0, PATHS / 100);
    end(&fixture);
}

/* A path that leads elsewhere now has one hint, the new one. */
static void test_hint__the_latest_counts(void **state)
{
    (void)state;
    struct fixture fixture;
    struct hints *hints = &fixture.hints;
    uint32_t found = 0;
    begin(&fixture);
    hints_reach(hints, &fixture.arena, 1000);
    hints_grow(hints, &fixture.arena);
    for (uint32_t i = 0; i < 2 * hints->count - 1; i++) {
        hints_set(hints, hash_of(7), i);
        assert_int_equal(hints_find(hints, hash_of(7), &found), 1);
        assert_int_equal(found, i);
    }
    hints_set(hints, hash_of(7), 2 * hints->count - 1); /* does not fit: as before */
    hints_set(hints, hash_of(7), UINT32_MAX);
    assert_true(knows(hints, 7, 2 * hints->count - 2));
    end(&fixture);
}

/* Without memory all stays as it is, and numbers that are too large are not kept. */
static void test_hint__no_memory(void **state)
{
    (void)state;
    enum { PATHS = 3000 };
    struct fixture fixture;
    struct hints *hints = &fixture.hints;
    begin(&fixture);
    hints_reach(hints, &fixture.arena, 256);
    hints_grow(hints, &fixture.arena);
    const uint32_t count = hints->count;
    test_memory_fail(&fixture.memory, 1, 1);
    for (uint32_t i = 0; i < PATHS; i++) {
        hints_reach(hints, &fixture.arena, i);
        hints_grow(hints, &fixture.arena);
        hints_set(hints, hash_of(i), i);
    }
    test_memory_heal(&fixture.memory);
    if (fixture.memory.failures)
        assert_int_equal(hints->count, count);
    assert_in_range(count_known(hints, PATHS), 1, 2 * hints->count);
    end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hint__most_survive_growth),
        cmocka_unit_test(test_hint__the_latest_counts),
        cmocka_unit_test(test_hint__no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
