#include "alloc.h"
#include "hold.h"
#include "testlib.h"

static void test_hold__counts_until_both_are_gone(void **state)
{
    (void)state;
    struct holds holds;
    struct test_memory memory;
    test_memory_init(&memory);
    holds_init(&holds);
    assert_false(holds_any(&holds));
    assert_ok(holds_add(&holds, &memory.hook, 7, 2, 0));
    assert_ok(holds_add(&holds, &memory.hook, 7, 0, 1));
    assert_true(holds_has(&holds, 7));
    assert_false(holds_drop(&holds, 7, 5, 0)); /* not below 0 */
    assert_true(holds_has(&holds, 7));
    assert_true(holds_drop(&holds, 7, 0, 1));
    assert_false(holds_has(&holds, 7));
    assert_false(holds_any(&holds));
    holds_destroy(&holds, &memory.hook);
    assert_int_equal(memory.live, 0);
}

static void test_hold__many_nodes_come_and_go(void **state)
{
    (void)state;
    enum { NODES = 3000 };
    static unsigned counts[NODES];
    struct holds holds;
    struct test_memory memory;
    struct test_random random = {.state = test_seed()};
    test_memory_init(&memory);
    holds_init(&holds);
    for (int i = 0; i < 100000; i++) {
        uint32_t node = 1 + (uint32_t)test_random_below(&random, NODES - 1);
        if (test_random_below(&random, 2)) {
            assert_ok(holds_add(&holds, &memory.hook, node, 1, 0));
            counts[node]++;
        } else if (counts[node]) {
            counts[node]--;
            assert_int_equal(holds_drop(&holds, node, 1, 0), counts[node] == 0);
        }
    }
    for (uint32_t node = 1; node < NODES; node++)
        assert_int_equal(holds_has(&holds, node) != 0, counts[node] != 0);
    holds_destroy(&holds, &memory.hook);
    assert_int_equal(memory.live, 0);
}

static void test_hold__no_memory_changes_nothing(void **state)
{
    (void)state;
    struct holds holds;
    struct test_memory memory;
    test_memory_init(&memory);
    holds_init(&holds);
    test_memory_fail(&memory, 1, 1);
    assert_result(holds_add(&holds, &memory.hook, 3, 1, 0), -ENOMEM);
    assert_false(holds_has(&holds, 3));
    assert_true(holds_drop(&holds, 3, 1, 0));
    holds_destroy(&holds, &memory.hook);
}

static void test_hold__what_is_held_needs_no_memory(void **state)
{
    (void)state;
    struct holds holds;
    struct test_memory memory;
    test_memory_init(&memory);
    holds_init(&holds);
    for (uint32_t node = 1; node <= 20 * HOLD_STRIPES; node++) {
        test_memory_heal(&memory);
        assert_ok(holds_add(&holds, &memory.hook, node, 1, 0));
        test_memory_fail(&memory, 1, 1);
        assert_ok(holds_add(&holds, &memory.hook, node, 0, 1));
    }
    holds_destroy(&holds, &memory.hook);
}

static void test_hold__last_of_what_is_alone(void **state)
{
    (void)state;
    struct holds holds;
    struct test_memory memory;
    test_memory_init(&memory);
    holds_init(&holds);
    assert_false(holds_alone(&holds, 5));
    assert_ok(holds_add(&holds, &memory.hook, 5, 1, 1));
    assert_true(holds_alone(&holds, 5));
    assert_int_equal(holds_drop(&holds, 5, 1, 0), HOLDS_KEPT);
    assert_int_equal(holds_drop(&holds, 5, 0, 1), HOLDS_LAST);
    assert_ok(holds_add(&holds, &memory.hook, 5, 1, 0)); /* another node of that number */
    assert_int_equal(holds_drop(&holds, 5, 1, 0), HOLDS_GONE);
    assert_int_equal(holds_drop(&holds, 5, 1, 0), HOLDS_GONE);
    holds_destroy(&holds, &memory.hook);
    assert_int_equal(memory.live, 0);
}

/* A handle whose node is gone gives no count back of the one that has its number. */
static void test_hold__a_stale_handle_forgets_nothing(void **state)
{
    struct test_state *test = *state;
    struct test_buffer image = {0};
    struct memfs_stat stat;
    for (int round = 0; round < 2; round++) {
        memfs_node old = 0, node = 0;
        assert_ok(memfs_node_create(test->fs, NULL, MEMFS_ROOT, "old", 0644, &old));
        assert_ok(memfs_unlink(test->fs, NULL, "old"));
        memfs_node_forget(test->fs, old, 1);
        assert_ok(memfs_node_create(test->fs, NULL, MEMFS_ROOT, "new", 0644, &node));
        assert_true(node != old && (uint32_t)node == (uint32_t)old);
        assert_ok(memfs_unlink(test->fs, NULL, "new"));
        memfs_node_forget(test->fs, old, 1);
        assert_ok(memfs_node_stat(test->fs, node, &stat));
        memfs_node_forget(test->fs, node, 1);
        assert_result(memfs_node_stat(test->fs, node, &stat), -ESTALE);
        memfs_node_forget(test->fs, UINT32_MAX, 1);
        if (round == 0)
            test_reopen(test, &image);
    }
    test_end(test, &image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hold__counts_until_both_are_gone),
        cmocka_unit_test(test_hold__many_nodes_come_and_go),
        cmocka_unit_test(test_hold__no_memory_changes_nothing),
        cmocka_unit_test(test_hold__what_is_held_needs_no_memory),
        cmocka_unit_test(test_hold__last_of_what_is_alone),
        test_with_fs(test_hold__a_stale_handle_forgets_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
