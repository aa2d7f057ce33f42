#include "freelist.h"
#include "testlib.h"

#define ROOM ((size_t)1 << 20)

static unsigned char *new_room(void)
{
    unsigned char *room = aligned_alloc(64, ROOM);
    assert_non_null(room);
    return room;
}

/* Puts pieces of 256 bytes, in an order drawn from a seed. */
static void put_pieces(struct freelist *list, unsigned char *room, uint64_t seed)
{
    static uint16_t order[ROOM / 256];
    struct test_random random = {.state = seed};
    for (uint32_t i = 0; i < ROOM / 256; i++) {
        const uint32_t j = (uint32_t)test_random_below(&random, i + 1);
        order[i] = order[j];
        order[j] = (uint16_t)i;
    }
    for (uint32_t i = 0; i < ROOM / 256; i++)
        freelist_put(list, room + (size_t)order[i] * 256, 256);
}

static void test_freelist__a_piece_comes_back_for_its_class(void **state)
{
    (void)state;
    struct freelist list = {.bytes = 0};
    unsigned char *room = new_room();
    freelist_put(&list, room, 48);
    assert_null(freelist_take(&list, size_class(32)));
    assert_null(freelist_take(&list, size_class(64)));
    assert_ptr_equal(freelist_take(&list, size_class(48)), room);
    assert_null(freelist_take(&list, size_class(48)));
    assert_int_equal(list.bytes, 0);
    free(room);
}

static void test_freelist__a_larger_piece_is_split(void **state)
{
    (void)state;
    struct freelist list = {.bytes = 0};
    unsigned char *room = new_room();
    freelist_put(&list, room, 2048);
    assert_null(freelist_split(&list, size_class(2048)));
    assert_ptr_equal(freelist_split(&list, size_class(112)), room);
    assert_int_equal(list.bytes, 2048 - 112);
    size_t rest = 0;
    for (unsigned class = 0; class < MEMFS_SIZE_CLASSES; class ++)
        while (freelist_take(&list, class))
            rest += size_of_class(class);
    assert_int_equal(rest, 2048 - 112);
    assert_int_equal(list.bytes, 0);
    free(room);
}

/* Whatever the order, as in any order of freeing: all of one, and of two with a hole between. */
static void test_freelist__neighbours_become_blocks(void **state)
{
    (void)state;
    unsigned char *room = new_room();
    for (uint64_t seed = 1; seed < 20; seed++) {
        struct freelist list = {.bytes = 0};
        size_t size = 0;
        put_pieces(&list, room, seed);
        assert_null(freelist_take_block(&list, 4096));
        void *hole = freelist_take(&list, size_class(256));
        freelist_merge(&list);
        assert_int_equal(list.settled, ROOM - 256);
        assert_null(freelist_take_block(&list, ROOM - 256 + 16));
        freelist_put(&list, hole, 256);
        assert_int_equal(list.bytes - list.settled, 256);
        freelist_merge(&list);
        assert_ptr_equal(freelist_take_whole_block(&list, &size), room);
        assert_int_equal(size, ROOM);
        assert_int_equal(list.bytes, 0);
    }
    free(room);
}

static void test_freelist__ascending_and_descending_are_sorted_too(void **state)
{
    (void)state;
    unsigned char *room = new_room();
    for (int descends = 0; descends < 2; descends++) {
        struct freelist list = {.bytes = 0};
        size_t size;
        for (size_t i = 0; i < ROOM / 64; i++)
            freelist_put(&list, room + 64 * (descends ? ROOM / 64 - 1 - i : i), 64);
        freelist_merge(&list);
        assert_ptr_equal(freelist_take_whole_block(&list, &size), room);
        assert_int_equal(size, ROOM);
    }
    free(room);
}

/* Random pieces are taken, split and given back, with bytes of their own in them: none overlaps another, and in the end
 * all is one block again. */
static void test_freelist__nothing_is_lost(void **state)
{
    (void)state;
    enum { HELD = 500 };
    unsigned char *room = new_room(), *held[HELD] = {NULL};
    size_t sizes[HELD] = {0}, size = 0;
    struct freelist list = {.bytes = 0};
    struct test_random random = {.state = test_seed()};
    freelist_put(&list, room, ROOM);
    for (unsigned step = 0; step < 40000; step++) {
        const size_t i = (size_t)test_random_below(&random, HELD);
        if (held[i]) {
            for (size_t byte = 0; byte < sizes[i]; byte++)
                assert_int_equal(held[i][byte], i % 251);
            freelist_put(&list, held[i], sizes[i]);
            held[i] = NULL;
            continue;
        }
        sizes[i] = 16 * (size_t)(1 + test_random_below(&random, step % 3 ? 128 : 1024));
        if (sizes[i] > FREELIST_PIECE_MAX) {
            held[i] = freelist_take_block(&list, sizes[i]);
        } else {
            const unsigned class = size_class(sizes[i]);
            sizes[i] = size_of_class(class);
            held[i] = freelist_take(&list, class);
            if (!held[i])
                held[i] = freelist_split(&list, class);
            if (!held[i])
                held[i] = freelist_take_block(&list, sizes[i]);
        }
        if (held[i])
            memset(held[i], (int)(i % 251), sizes[i]);
        else
            freelist_merge(&list);
    }
    for (size_t i = 0; i < HELD; i++)
        if (held[i])
            freelist_put(&list, held[i], sizes[i]);
    freelist_merge(&list);
    assert_ptr_equal(freelist_take_whole_block(&list, &size), room);
    assert_int_equal(size, ROOM);
    free(room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_freelist__a_piece_comes_back_for_its_class),
        cmocka_unit_test(test_freelist__a_larger_piece_is_split),
        cmocka_unit_test(test_freelist__neighbours_become_blocks),
        cmocka_unit_test(test_freelist__ascending_and_descending_are_sorted_too),
        cmocka_unit_test(test_freelist__nothing_is_lost),
    };
    return cmocka_run_group_tests_name("freelist", tests, NULL, NULL);
}
