#include "alloc.h"
#include "arena.h"
#include "testlib.h"

#define MIB ((size_t)1 << 20)

static void setup_arena(struct arena *arena, struct test_memory *memory, uint64_t capacity)
{
    test_memory_init(memory);
    arena_init(arena, &memory->hook, capacity);
}

static void test_arena__size_classes_hold_their_sizes_and_ascend(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 65536; size++) {
        unsigned class = size_class(size);
        assert_true(class < MEMFS_SIZE_CLASSES);
        assert_true(size_of_class(class) >= size);
        assert_true(class == 0 || size_of_class(class - 1) < size);
        assert_true(size_of_class(class) % 16 == 0);
    }
}

static void test_arena__freed_memory_is_used_again(void **state)
{
    (void)state;
    struct arena arena;
    struct test_memory memory;
    setup_arena(&arena, &memory, 0);
    for (int round = 0; round < 1000; round++) {
        void *pieces[20];
        for (size_t i = 0; i < 20; i++)
            assert_ok(arena_alloc(&arena, 1 + i * 97, &pieces[i]));
        for (size_t i = 0; i < 20; i++)
            arena_free(&arena, pieces[i], 1 + i * 97);
    }
    assert_true(memory.peak < 100000);
    arena_destroy(&arena);
    assert_int_equal(memory.live, 0);
}

static void test_arena__pieces_do_not_overlap(void **state)
{
    (void)state;
    struct arena arena;
    struct test_memory memory;
    struct test_random random = {.state = test_seed()};
    enum { PIECES = 2000 };
    static unsigned char *pieces[PIECES];
    static size_t sizes[PIECES];
    setup_arena(&arena, &memory, 0);
    for (size_t i = 0; i < PIECES; i++) {
        void *piece;
        sizes[i] = 1 + test_random_below(&random, i % 10 ? 300 : 9000);
        assert_ok(arena_alloc(&arena, sizes[i], &piece));
        assert_int_equal((uintptr_t)piece % 16, 0);
        pieces[i] = piece;
        memset(piece, (int)(i % 251), sizes[i]);
    }
    for (size_t i = 0; i < PIECES; i++) {
        for (size_t byte = 0; byte < sizes[i]; byte++)
            assert_int_equal(pieces[i][byte], i % 251);
    }
    arena_destroy(&arena);
    assert_int_equal(memory.live, 0);
}

static void test_arena__capacity_binds_and_freeing_makes_room(void **state)
{
    (void)state;
    struct arena arena;
    struct test_memory memory;
    void *first, *second;
    setup_arena(&arena, &memory, 100000);
    assert_ok(arena_alloc(&arena, 60000, &first));
    assert_result(arena_alloc(&arena, 60000, &second), -ENOSPC);
    assert_ok(arena_alloc(&arena, 100, &second));
    arena_free(&arena, first, 60000);
    assert_ok(arena_alloc(&arena, 60000, &first));
    assert_true(memory.peak <= 100000);
    assert_int_equal(memory.live, arena.used);
    arena_destroy(&arena);
    assert_int_equal(memory.live, 0);
}

static void test_arena__tells_lack_of_memory_from_the_cap(void **state)
{
    (void)state;
    struct arena arena;
    struct test_memory memory;
    void *piece;
    setup_arena(&arena, &memory, 0);
    test_memory_fail(&memory, 1, 1);
    assert_result(arena_alloc(&arena, 16, &piece), -ENOMEM);
    assert_result(arena_alloc(&arena, 100000, &piece), -ENOMEM);
    assert_result(arena_alloc(&arena, SIZE_MAX - 8, &piece), -ENOMEM);
    assert_int_equal(arena.used, 0);
    test_memory_heal(&memory);
    assert_ok(arena_alloc(&arena, 16, &piece));
    arena_destroy(&arena);
    assert_int_equal(memory.live, 0);
}

static void test_arena__chunks_begin_at_lines_and_lose_little(void **state)
{
    (void)state;
    struct arena arena;
    struct test_memory memory;
    enum { CHUNKS = 3000, CHUNK = 6 << 10 };
    static unsigned char *chunks[CHUNKS];
    setup_arena(&arena, &memory, 0);
    for (size_t i = 0; i < CHUNKS; i++) {
        void *chunk, *piece;
        assert_ok(arena_alloc_chunk(&arena, CHUNK, &chunk));
        assert_int_equal((uintptr_t)chunk % ARENA_LINE, 0);
        assert_ok(arena_alloc(&arena, 1 + i % 200, &piece));
        memset(chunk, (int)(i % 251), CHUNK);
        memset(piece, 255, 1 + i % 200);
        chunks[i] = chunk;
    }
    for (size_t i = 0; i < CHUNKS; i++) {
        for (size_t byte = 0; byte < CHUNK; byte++)
            assert_int_equal(chunks[i][byte], i % 251);
    }
    assert_int_equal(memory.live, arena.used);
    assert_in_range(arena.used, CHUNKS * CHUNK, CHUNKS * (CHUNK + 200) * 5 / 4);
    arena_destroy(&arena);
    assert_int_equal(memory.live, 0);
}

static void test_arena__chunks_are_had_up_to_the_cap(void **state)
{
    (void)state;
    struct arena arena;
    struct test_memory memory;
    const uint64_t capacity = 3 << 20;
    const size_t size = 24 << 10;
    void *chunk;
    uint64_t count = 0;
    int r;
    setup_arena(&arena, &memory, capacity);
    while ((r = arena_alloc_chunk(&arena, size, &chunk)) == 0)
        count++;
    assert_int_equal(r, -ENOSPC);
    assert_true(count * size >= capacity - capacity / 8);
    assert_true(memory.peak <= capacity);
    arena_destroy(&arena);
    assert_int_equal(memory.live, 0);
}

/* Nothing has an address too, and none is given back. */
static void test_arena__pieces_of_nothing(void **state)
{
    (void)state;
    struct arena arena;
    struct test_memory memory;
    void *piece = NULL, *again = NULL;
    setup_arena(&arena, &memory, 0);
    arena_free(&arena, NULL, 16);
    assert_ok(arena_alloc(&arena, 0, &piece));
    assert_non_null(piece);
    arena_free(&arena, piece, 0);
    assert_ok(arena_alloc(&arena, 1, &again));
    assert_ptr_equal(again, piece);
    arena_destroy(&arena);
    assert_int_equal(memory.live, 0);
}

/* Where there is no memory for as many pieces as usual, there may be for some. */
static void test_arena__fewer_pieces_rather_than_none(void **state)
{
    (void)state;
    struct arena arena;
    struct test_memory memory;
    void *large, *piece;
    setup_arena(&arena, &memory, 0);
    assert_ok(arena_alloc(&arena, 2 << 20, &large));
    test_memory_fail(&memory, 1, 1);
    assert_result(arena_alloc(&arena, 16, &piece), -ENOMEM);
    test_memory_fail(&memory, 1, 0);
    assert_ok(arena_alloc(&arena, 16, &piece));
    assert_int_equal(memory.live, arena.used);
    arena_destroy(&arena);
    assert_int_equal(memory.live, 0);
}

/* 16 bytes behind a line: so does every span begin and end. */
static void *alloc_askew(void *context, size_t size)
{
    char *memory = aligned_alloc(ARENA_LINE, (size + 2 * ARENA_LINE - 1) & ~(size_t)(ARENA_LINE - 1));
    ++*(int *)context;
    return memory ? memory + 16 : NULL;
}

static void free_askew(void *context, void *memory, size_t size)
{
    (void)size;
    --*(int *)context;
    free((char *)memory - 16);
}

/* What is left of a span ends before the next line begins. */
static void test_arena__spans_that_end_within_a_line(void **state)
{
    (void)state;
    struct arena arena;
    int live = 0;
    const struct memfs_allocator askew = {.alloc = alloc_askew, .free = free_askew, .context = &live};
    void *chunk;
    arena_init(&arena, &askew, 0);
    for (int i = 0; i < 8; i++) {
        assert_ok(arena_alloc_chunk(&arena, i < 7 ? 2048 : 1992, &chunk));
        memset(chunk, i, i < 7 ? 2048 : 1992);
    }
    assert_int_equal(live, 1);
    assert_int_equal(arena.chunks.left, 8);
    assert_ok(arena_alloc_chunk(&arena, 1, &chunk));
    assert_int_equal((uintptr_t)chunk % ARENA_LINE, 0);
    assert_int_equal(live, 2);
    arena_destroy(&arena);
    assert_int_equal(live, 0);
}

/* The rest of a span, too little for a chunk, is free, though more is left for pieces. */
static void test_arena__the_rest_of_a_span_is_free(void **state)
{
    (void)state;
    static const size_t sizes[] = {2000, 1993}; /* the rest begins at a multiple of 16, or not */
    for (size_t i = 0; i < 2; i++) {
        struct arena arena;
        struct test_memory memory;
        unsigned char *chunks[8];
        void *chunk, *piece;
        setup_arena(&arena, &memory, 0);
        assert_ok(arena_alloc(&arena, 16, &piece));
        const size_t left = arena.pieces.left;
        for (size_t j = 0; j < 8; j++) {
            const size_t size = j < 7 ? sizes[i] : sizes[i] / 2;
            assert_ok(arena_alloc_chunk(&arena, size, &chunk));
            chunks[j] = memset(chunk, (int)j, size);
        }
        const uint64_t rest = arena.chunks.left;
        assert_true(rest >= 64 && rest < left);
        assert_int_equal(arena.free.bytes, 0);
        assert_ok(arena_alloc_chunk(&arena, 2048, &chunk));
        assert_in_range(arena.free.bytes, rest - 30, rest);
        for (unsigned class = 0; arena.free.bytes; class += piece == NULL) {
            piece = freelist_take(&arena.free, class);
            assert_int_equal((uintptr_t)piece % 16, 0);
            if (piece)
                memset(piece, 255, size_of_class(class));
        }
        for (size_t j = 0; j < 8; j++) {
            for (size_t byte = 0; byte < (j < 7 ? sizes[i] : sizes[i] / 2); byte++)
                assert_int_equal(chunks[j][byte], j);
        }
        arena_destroy(&arena);
        assert_int_equal(memory.live, 0);
    }
}

/* Of malloc's memory whole huge pages are taken, where there is no capacity; what was taken is given back. */
static void test_arena__spans_are_counted_as_they_are(void **state)
{
    const struct memfs_allocator allocator = memfs_allocator_or_default(NULL);
    static const struct {
        uint64_t capacity;
        size_t size, taken;
    } cases[] = {{0, MIB, 2 * MIB}, {0, 3 * MIB, 4 * MIB}, {0, 4096, 4096}, {8 * MIB, MIB, MIB}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena arena;
        void *span = NULL;
        arena_init(&arena, &allocator, cases[i].capacity);
        assert_ok(arena_alloc_span(&arena, cases[i].size, &span));
        memset(span, 1, cases[i].size);
        assert_int_equal(arena.used, cases[i].taken);
        arena_free_span(&arena, span, cases[i].size);
        assert_int_equal(arena.used, 0);
        arena_destroy(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena__spans_are_counted_as_they_are),
        cmocka_unit_test(test_arena__size_classes_hold_their_sizes_and_ascend),
        cmocka_unit_test(test_arena__freed_memory_is_used_again),
        cmocka_unit_test(test_arena__pieces_do_not_overlap),
        cmocka_unit_test(test_arena__capacity_binds_and_freeing_makes_room),
        cmocka_unit_test(test_arena__tells_lack_of_memory_from_the_cap),
        cmocka_unit_test(test_arena__chunks_begin_at_lines_and_lose_little),
        cmocka_unit_test(test_arena__chunks_are_had_up_to_the_cap),
        cmocka_unit_test(test_arena__pieces_of_nothing),
        cmocka_unit_test(test_arena__fewer_pieces_rather_than_none),
        cmocka_unit_test(test_arena__spans_that_end_within_a_line),
        cmocka_unit_test(test_arena__the_rest_of_a_span_is_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
