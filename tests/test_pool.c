#include "alloc.h"
#include "pool.h"
#include "testlib.h"

#include <stdatomic.h>

#define JOBS 200

struct count {
    struct memfs_job job;
    _Atomic(int) *begun;
    int order; /* in which it was begun */
    unsigned worker;
};

static void count(struct memfs_job *job, unsigned worker)
{
    struct count *self = (struct count *)job;
    self->order = atomic_fetch_add(self->begun, 1);
    self->worker = worker;
}

static struct memfs_pool *make_pool(unsigned threads)
{
    struct memfs_allocator allocator = memfs_allocator_or_default(NULL);
    struct memfs_pool *pool = NULL;
    assert_ok(memfs_pool_create(&allocator, threads, &pool));
    return pool;
}

static void test_pool__all_jobs_are_done_once(void **state)
{
    (void)state;
    const unsigned threads[] = {0, 1, 2, 8};
    for (size_t i = 0; i < sizeof threads / sizeof threads[0]; i++) {
        static struct count jobs[JOBS];
        _Atomic(int) begun = 0;
        struct memfs_pool *pool = make_pool(threads[i]);
        assert_true(memfs_pool_threads(pool) <= (threads[i] ? threads[i] : 1));
        for (int j = 0; j < JOBS; j++) {
            jobs[j] = (struct count){.job.run = count, .begun = &begun};
            memfs_pool_submit(pool, &jobs[j].job, 0);
        }
        for (int j = 0; j < JOBS; j++) {
            memfs_pool_wait(pool, &jobs[j].job);
            assert_true(memfs_pool_is_done(pool, &jobs[j].job));
            assert_true(jobs[j].worker < memfs_pool_threads(pool));
        }
        assert_int_equal(begun, JOBS);
        memfs_pool_destroy(pool);
    }
}

static void test_pool__urgent_jobs_come_first(void **state)
{
    (void)state;
    _Atomic(int) begun = 0;
    struct count first = {.job.run = count, .begun = &begun}, second = first, urgent = first;
    struct memfs_pool *pool = make_pool(1);
    memfs_pool_submit(pool, &first.job, 0);
    memfs_pool_submit(pool, &second.job, 0);
    memfs_pool_submit(pool, &urgent.job, 1);
    memfs_pool_wait(pool, &second.job);
    assert_int_equal(urgent.order, 0);
    assert_int_equal(first.order, 1);
    assert_int_equal(second.order, 2);
    memfs_pool_destroy(pool);
}

static void test_pool__what_is_to_come_first_does(void **state)
{
    (void)state;
    _Atomic(int) begun = 0;
    struct count urgent = {.job.run = count, .begun = &begun}, second = urgent, first = urgent, last = urgent;
    struct memfs_pool *pool = make_pool(1);
    memfs_pool_submit_first(pool, &second.job);
    memfs_pool_submit(pool, &urgent.job, 1);
    memfs_pool_submit_first(pool, &first.job);
    memfs_pool_submit(pool, &last.job, 0);
    memfs_pool_wait(pool, &last.job);
    assert_int_equal(first.order, 0);
    assert_int_equal(second.order, 1);
    assert_int_equal(urgent.order, 2);
    assert_int_equal(last.order, 3);
    memfs_pool_destroy(pool);
}

static void test_pool__what_is_drained_is_not_done(void **state)
{
    (void)state;
    _Atomic(int) begun = 0;
    struct count job = {.job.run = count, .begun = &begun};
    struct memfs_pool *pool = make_pool(1);
    memfs_pool_submit(pool, &job.job, 0);
    memfs_pool_drain(pool);
    assert_int_equal(job.job.state, MEMFS_JOB_IDLE);
    assert_int_equal(begun, 0);
    memfs_pool_submit(pool, &job.job, 0); /* and may come again */
    memfs_pool_wait(pool, &job.job);
    assert_int_equal(begun, 1);
    memfs_pool_destroy(pool);
}

/* Waits until the other has begun: only two threads at a time get out of it. */
struct meeting {
    struct memfs_job job;
    _Atomic(int) *met;
    _Atomic(int) begun;
};

static void meet(struct memfs_job *job, unsigned worker)
{
    struct meeting *self = (struct meeting *)job;
    (void)worker;
    atomic_fetch_add(self->met, 1);
    while (atomic_load(self->met) < 2)
        ;
}

static void test_pool__jobs_run_beside_each_other(void **state)
{
    (void)state;
    _Atomic(int) met = 0;
    struct meeting one = {.job.run = meet, .met = &met}, other = one;
    struct memfs_pool *pool = make_pool(2);
    if (memfs_pool_threads(pool) < 2)
        skip();
    memfs_pool_submit(pool, &one.job, 0);
    memfs_pool_submit(pool, &other.job, 0);
    memfs_pool_wait(pool, &one.job);
    memfs_pool_wait(pool, &other.job);
    assert_int_equal(met, 2);
    memfs_pool_destroy(pool);
}

static void wait_for_gate(struct memfs_job *job, unsigned worker)
{
    struct meeting *self = (struct meeting *)job;
    (void)worker;
    atomic_store(&self->begun, 1);
    while (!atomic_load(self->met))
        ;
}

static void test_pool__waiting_ends_in_time(void **state)
{
    (void)state;
    _Atomic(int) gate = 0, begun = 0;
    struct meeting held = {.job.run = wait_for_gate, .met = &gate};
    struct count other = {.job.run = count, .begun = &begun};
    struct memfs_pool *pool = make_pool(2);
    if (memfs_pool_threads(pool) < 2)
        skip();
    memfs_pool_submit(pool, &held.job, 1);
    while (!atomic_load(&held.begun))
        ; /* until the thread has it, so that the caller does not take it */
    assert_int_equal(memfs_pool_wait_for(pool, &held.job, 1), 0);
    memfs_pool_submit(pool, &other.job, 0);
    assert_int_equal(memfs_pool_wait_for(pool, &held.job, 1000), 0); /* having done the other one instead */
    assert_int_equal(begun, 1);
    gate = 1;
    memfs_pool_wait(pool, &held.job);
    memfs_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pool__all_jobs_are_done_once),
        cmocka_unit_test(test_pool__urgent_jobs_come_first),
        cmocka_unit_test(test_pool__what_is_to_come_first_does),
        cmocka_unit_test(test_pool__what_is_drained_is_not_done),
        cmocka_unit_test(test_pool__jobs_run_beside_each_other),
        cmocka_unit_test(test_pool__waiting_ends_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
