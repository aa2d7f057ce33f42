#include "epoch.h"
#include "testlib.h"

struct thing {
    struct memfs_retired retired;
    int freed;
};

static void mark_freed(struct memfs_retired *retired)
{
    struct thing *thing = (struct thing *)retired;
    thing->freed++;
}

static void test_epoch__frees_at_once_without_readers(void **state)
{
    (void)state;
    struct memfs_epochs epochs;
    struct thing thing = {.freed = 0};
    assert_ok(memfs_epochs_init(&epochs));
    memfs_epochs_retire(&epochs, &thing.retired, mark_freed);
    assert_int_equal(thing.freed, 1);
    memfs_epochs_destroy(&epochs);
    assert_int_equal(thing.freed, 1);
}

static void test_epoch__waits_for_the_readers_of_its_time_only(void **state)
{
    (void)state;
    struct memfs_epochs epochs;
    static struct memfs_readers one, other;
    struct thing things[4] = {{.freed = 0}};
    assert_ok(memfs_epochs_init(&epochs));
    memfs_readers_join(&epochs, &one);
    memfs_readers_join(&epochs, &other);
    unsigned early = memfs_reader_enter(&epochs, &one);
    memfs_epochs_retire(&epochs, &things[0].retired, mark_freed);
    unsigned late = memfs_reader_enter(&epochs, &other);
    memfs_epochs_retire(&epochs, &things[1].retired, mark_freed);
    assert_int_equal(things[0].freed + things[1].freed, 0);
    memfs_reader_exit(&one, early);
    memfs_epochs_retire(&epochs, &things[2].retired, mark_freed);
    assert_int_equal(things[0].freed, 1); /* the late reader came after it was hidden */
    assert_int_equal(things[1].freed + things[2].freed, 0);
    memfs_reader_exit(&other, late);
    memfs_epochs_retire(&epochs, &things[3].retired, mark_freed);
    for (int i = 0; i < 4; i++)
        assert_int_equal(things[i].freed, 1);
    memfs_readers_leave(&epochs, &one);
    memfs_readers_leave(&epochs, &other);
    memfs_epochs_destroy(&epochs);
}

static void test_epoch__destroying_frees_what_is_left(void **state)
{
    (void)state;
    struct memfs_epochs epochs;
    static struct memfs_readers readers;
    struct thing thing = {.freed = 0};
    assert_ok(memfs_epochs_init(&epochs));
    memfs_readers_join(&epochs, &readers);
    unsigned slot = memfs_reader_enter(&epochs, &readers);
    memfs_epochs_retire(&epochs, &thing.retired, mark_freed);
    memfs_reader_exit(&readers, slot);
    memfs_readers_leave(&epochs, &readers);
    assert_int_equal(thing.freed, 0);
    memfs_epochs_destroy(&epochs);
    assert_int_equal(thing.freed, 1);
}

static void test_epoch__many_readers_have_slots_of_their_own(void **state)
{
    (void)state;
    struct memfs_epochs epochs;
    static struct memfs_readers readers;
    unsigned slots[MEMFS_READER_SLOTS];
    uint64_t seen = 0;
    assert_ok(memfs_epochs_init(&epochs));
    memfs_readers_join(&epochs, &readers);
    for (int i = 0; i < MEMFS_READER_SLOTS; i++) {
        slots[i] = memfs_reader_enter(&epochs, &readers);
        assert_false(seen >> slots[i] & 1);
        seen |= (uint64_t)1 << slots[i];
    }
    for (int i = 0; i < MEMFS_READER_SLOTS; i++)
        memfs_reader_exit(&readers, slots[i]);
    memfs_readers_leave(&epochs, &readers);
    memfs_epochs_destroy(&epochs);
}

static void test_epoch__each_slot_counts(void **state)
{
    (void)state;
    struct memfs_epochs epochs;
    static struct memfs_readers readers;
    assert_ok(memfs_epochs_init(&epochs));
    memfs_readers_join(&epochs, &readers);
    for (unsigned slot = 0; slot < MEMFS_READER_SLOTS; slot++) {
        struct thing thing = {.freed = 0};
        assert_true(memfs_reader_try(&epochs, &readers, slot));
        memfs_epochs_retire(&epochs, &thing.retired, mark_freed);
        assert_int_equal(thing.freed, 0);
        memfs_reader_exit(&readers, slot);
        memfs_epochs_collect(&epochs);
        assert_int_equal(thing.freed, 1);
    }
    memfs_readers_leave(&epochs, &readers);
    memfs_epochs_destroy(&epochs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_epoch__frees_at_once_without_readers),
        cmocka_unit_test(test_epoch__waits_for_the_readers_of_its_time_only),
        cmocka_unit_test(test_epoch__destroying_frees_what_is_left),
        cmocka_unit_test(test_epoch__many_readers_have_slots_of_their_own),
        cmocka_unit_test(test_epoch__each_slot_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
