/*
 * Frames: what is given back is taken next, empty slabs go when asked to.
 */
#include "alloc.h"
#include "frames.h"
#include "testlib.h"

#define KIB ((size_t)1024)
#define MIB ((size_t)1024 * 1024)

struct fixture {
    struct test_memory memory;
    struct memfs_frames frames;
    struct memfs_slab *slab[40];
    unsigned char *frame[40];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    test_memory_init(&f->memory);
    assert_ok(memfs_frames_init(&f->frames, &f->memory.hook));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    memfs_frames_destroy(&f->frames);
    assert_int_equal(f->memory.live, 0);
    free(f);
    return 0;
}

/* Takes frame i, and writes to all of it; was a slab made for it? */
static int take(struct fixture *f, unsigned i)
{
    int grown;
    f->frame[i] = memfs_frames_take(&f->frames, 1, &f->slab[i], &grown);
    assert_non_null(f->frame[i]);
    memset(f->frame[i], (int)i, f->frames.frame_bytes);
    return grown;
}

static void give(struct fixture *f, unsigned i)
{
    for (size_t at = 0; at < f->frames.frame_bytes; at += 509)
        assert_int_equal(f->frame[i][at], i);
    memfs_frames_give(&f->frames, f->slab[i], f->frame[i]);
}

static void test_frames__slabs(void **state)
{
    struct fixture *f = *state;
    memfs_frames_shape(&f->frames, 64 * KIB, 256 * MIB);
    unsigned slabs = 0;
    for (unsigned i = 0; i < 40; i++)
        slabs += (unsigned)take(f, i);
    assert_int_equal(slabs, 2);
    assert_false(memfs_frames_shrink(&f->frames)); /* none is empty */
    for (unsigned i = 0; i < 40; i += 2)
        give(f, i);
    assert_false(memfs_frames_shrink(&f->frames));
    for (unsigned i = 0; i < 40; i += 2)
        assert_false(take(f, i));
    for (unsigned i = 0; i < 40; i++)
        give(f, i);
    assert_true(f->memory.live >= 4 * MIB); /* kept, */
    assert_true(memfs_frames_shrink(&f->frames));
    assert_false(take(f, 0));
    assert_false(memfs_frames_shrink(&f->frames)); /* this one is in use */
    give(f, 0);
    assert_true(memfs_frames_shrink(&f->frames));
    assert_false(memfs_frames_shrink(&f->frames));
    assert_int_equal(f->memory.live, 0); /* until somebody asks */
}

/* What is partly in use is filled before what is empty. */
static void test_frames__empty_ones_last(void **state)
{
    struct fixture *f = *state;
    memfs_frames_shape(&f->frames, MIB, 256 * MIB);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(take(f, i), i % 2 == 0);
    give(f, 0);
    give(f, 2);
    give(f, 3);
    assert_false(take(f, 0));
    assert_ptr_equal(f->slab[0], f->slab[1]);
    assert_true(memfs_frames_shrink(&f->frames));
    give(f, 0);
    give(f, 1);
}

/* A small budget has slabs of one frame, and large frames always. */
static void test_frames__alone(void **state)
{
    struct fixture *f = *state;
    memfs_frames_shape(&f->frames, MIB, 31 * MIB);
    assert_int_equal(f->frames.slab_bytes, MIB);
    memfs_frames_shape(&f->frames, MIB, 32 * MIB);
    assert_int_equal(f->frames.slab_bytes, MEMFS_HUGE_PAGE);
    memfs_frames_shape(&f->frames, 16 * MIB, 1000 * MIB);
    assert_int_equal(f->frames.slab_bytes, 16 * MIB);
    assert_true(take(f, 0));
    assert_true(take(f, 1));
    give(f, 0);
    assert_false(take(f, 0));
    give(f, 0);
    give(f, 1);
}

static void test_frames__no_memory(void **state)
{
    struct fixture *f = *state;
    memfs_frames_shape(&f->frames, MIB, 256 * MIB);
    int grown;
    assert_null(memfs_frames_take(&f->frames, 0, &f->slab[0], &grown)); /* it must not grow */
    for (uint64_t n = 1; n <= 2; n++) {
        test_memory_fail(&f->memory, n, 0);
        assert_null(memfs_frames_take(&f->frames, 1, &f->slab[0], &grown));
        assert_false(grown);
        assert_int_equal(f->memory.live, 0);
    }
    assert_true(take(f, 0));
    give(f, 0);
}

#define test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_frames__slabs),
        test(test_frames__empty_ones_last),
        test(test_frames__alone),
        test(test_frames__no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
