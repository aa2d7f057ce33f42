#include "page_hint.h"
#include "testlib.h"

struct fixture {
    struct test_memory memory;
    struct arena arena;
    struct page_hints hints;
};

static void begin(struct fixture *fixture)
{
    test_memory_init(&fixture->memory);
    arena_init(&fixture->arena, &fixture->memory.hook, UINT64_MAX);
    fixture->hints = (struct page_hints){.count = 0};
}

static void end(struct fixture *fixture)
{
    page_hints_free(&fixture->hints, &fixture->arena);
    arena_destroy(&fixture->arena);
    assert_int_equal(fixture->memory.live, 0);
}

/* Pages are only fetched: any address does. Below 2^38 all have the same high bits. */
static const void *page_of(uint32_t node)
{
    return (const void *)(((uintptr_t)1 << 26) + node * (uintptr_t)192);
}

static void note(struct fixture *fixture, uint32_t node)
{
    page_hints_reach(&fixture->hints, &fixture->arena);
    page_hints_note(&fixture->hints, &fixture->arena, node, page_of(node));
}

static int knows(const struct page_hints *hints, uint32_t node)
{
    const uintptr_t line = (uintptr_t)page_of(node) >> PAGE_HINT_LINE;
    return hints->count && (hints->high | *page_hints_slot(hints, node)) == line;
}

static unsigned count_known(const struct page_hints *hints, uint32_t from, uint32_t to)
{
    unsigned known = 0;
    for (uint32_t i = from; i < to; i++)
        known += knows(hints, i) ? 1 : 0;
    return known;
}

/* All pages that were noted since there are hints, and 4 to 8 bytes for each. */
static void test_page_hint__all_survive_growth(void **state)
{
    (void)state;
    enum { FIRST = 1024, NODES = 20000 };
    struct fixture fixture;
    begin(&fixture);
    page_hints_prefetch(&fixture.hints, 7); /* nowhere */
    for (uint32_t i = 0; i < NODES; i++)
        note(&fixture, i);
    assert_int_equal(count_known(&fixture.hints, FIRST, NODES), NODES - FIRST);
    assert_in_range(fixture.hints.count, NODES, 2 * NODES);
    page_hints_prefetch(&fixture.hints, 7);
    page_hints_prefetch(&fixture.hints, UINT32_MAX);
    end(&fixture);
}

/* They take no memory while few pages are there, nor where few nodes have one. */
static void test_page_hint__few(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture);
    for (uint32_t i = 0; i < 1000; i++)
        note(&fixture, i * 1000);
    assert_int_equal(fixture.memory.calls, 0);
    for (uint32_t i = 1000; i < 1500; i++)
        note(&fixture, i * 1000);
    assert_in_range(fixture.memory.live, 1, 8 * 1500);
    end(&fixture);
}

/* Without memory those there are go on. */
static void test_page_hint__lack_of_memory(void **state)
{
    (void)state;
    enum { BEFORE = 3000, NODES = 6000 };
    struct fixture fixture;
    begin(&fixture);
    for (uint32_t i = 0; i < BEFORE; i++)
        note(&fixture, i);
    const uint32_t count = fixture.hints.count;
    test_memory_fail(&fixture.memory, 1, 1);
    for (uint32_t i = BEFORE; i < NODES; i++)
        note(&fixture, i);
    assert_in_range(atomic_load(&fixture.memory.failures), 1, NODES);
    assert_int_equal(fixture.hints.count, count);
    assert_int_equal(count_known(&fixture.hints, NODES - count, NODES), count);
    test_memory_heal(&fixture.memory);
    for (uint32_t i = NODES; fixture.hints.count == count; i++) {
        note(&fixture, i);
        assert_true(knows(&fixture.hints, i) && knows(&fixture.hints, i - count / 2)); /* half moved, too */
    }
    assert_int_equal(fixture.hints.count, 2 * count);
    end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page_hint__all_survive_growth),
        cmocka_unit_test(test_page_hint__few),
        cmocka_unit_test(test_page_hint__lack_of_memory),
    };
    return cmocka_run_group_tests_name("page_hint", tests, NULL, NULL);
}
