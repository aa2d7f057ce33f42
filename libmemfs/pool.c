#include "pool.h"

#include "alloc.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

struct queue {
    struct memfs_job *first, **end;
};

struct memfs_pool {
    struct memfs_allocator allocator;
    pthread_mutex_t lock;   /* binds what follows */
    pthread_cond_t waiting; /* threads, for jobs */
    pthread_cond_t ended;   /* the caller, for the end of one */
    struct queue urgent, other;
    unsigned running; /* jobs */
    int closing;
    unsigned threads; /* the caller counted; does not change once made */
    struct worker {
        struct memfs_pool *pool;
        unsigned number;
        pthread_t thread;
    } workers[MEMFS_POOL_MAX - 1];
};

static void queue_clear(struct queue *queue)
{
    queue->first = NULL;
    queue->end = &queue->first;
}

static struct memfs_job *queue_take(struct queue *queue)
{
    struct memfs_job *job = queue->first;
    if (!job)
        return NULL;
    queue->first = job->next;
    if (!queue->first)
        queue->end = &queue->first;
    return job;
}

/* The lock is held, and is held again on return. 1 if there was a job. */
static int do_one(struct memfs_pool *pool, unsigned worker)
{
    struct memfs_job *job = queue_take(&pool->urgent);
    if (!job)
        job = queue_take(&pool->other);
    if (!job)
        return 0;
    job->state = MEMFS_JOB_RUNNING;
    pool->running++;
    pthread_mutex_unlock(&pool->lock);
    job->run(job, worker);
    pthread_mutex_lock(&pool->lock);
    pool->running--;
    job->state = MEMFS_JOB_DONE;
    pthread_cond_signal(&pool->ended);
    return 1;
}

static void *work(void *argument)
{
    const struct worker *worker = argument;
    struct memfs_pool *pool = worker->pool;
    pthread_mutex_lock(&pool->lock);
    while (!pool->closing) {
        if (!do_one(pool, worker->number))
            pthread_cond_wait(&pool->waiting, &pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* ---- Life ------------------------------------------------------------------- */

static int init_locks(struct memfs_pool *pool)
{
    pthread_condattr_t monotonic;
    int error = pthread_condattr_init(&monotonic);
    if (error)
        return -error;
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    error = pthread_mutex_init(&pool->lock, NULL);
    if (!error && (error = pthread_cond_init(&pool->waiting, NULL)) != 0)
        pthread_mutex_destroy(&pool->lock);
    if (!error && (error = pthread_cond_init(&pool->ended, &monotonic)) != 0) {
        pthread_cond_destroy(&pool->waiting);
        pthread_mutex_destroy(&pool->lock);
    }
    pthread_condattr_destroy(&monotonic);
    return -error;
}

/* As many as can be had. */
static void start_threads(struct memfs_pool *pool, unsigned threads)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (pool->threads < threads) {
        struct worker *worker = &pool->workers[pool->threads - 1];
        *worker = (struct worker){.pool = pool, .number = pool->threads};
        if (pthread_create(&worker->thread, NULL, work, worker) != 0)
            break;
        pool->threads++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int memfs_pool_create(const struct memfs_allocator *allocator, unsigned threads, struct memfs_pool **out)
{
    struct memfs_pool *pool = memfs_alloc_zeroed(allocator, sizeof *pool);
    if (!pool)
        return -ENOMEM;
    pool->allocator = *allocator;
    queue_clear(&pool->urgent);
    queue_clear(&pool->other);
    pool->threads = 1;
    int error = init_locks(pool);
    if (error) {
        memfs_free(allocator, pool, sizeof *pool);
        return error;
    }
    start_threads(pool, threads < MEMFS_POOL_MAX ? threads : MEMFS_POOL_MAX);
    *out = pool;
    return 0;
}

void memfs_pool_destroy(struct memfs_pool *pool)
{
    if (!pool)
        return;
    memfs_pool_drain(pool);
    pthread_mutex_lock(&pool->lock);
    pool->closing = 1;
    pthread_cond_broadcast(&pool->waiting);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 1; i < pool->threads; i++)
        pthread_join(pool->workers[i - 1].thread, NULL);
    pthread_cond_destroy(&pool->ended);
    pthread_cond_destroy(&pool->waiting);
    pthread_mutex_destroy(&pool->lock);
    const struct memfs_allocator allocator = pool->allocator;
    memfs_free(&allocator, pool, sizeof *pool);
}

unsigned memfs_pool_threads(const struct memfs_pool *pool)
{
    return pool->threads;
}

/* ---- Jobs ------------------------------------------------------------------- */

/* place: where in a queue; its end moves if that was there. With the lock; who is woken for it needs that, too, and is
 * woken after it has been let go of. */
static void put_in(struct queue *queue, struct memfs_job **place, struct memfs_job *job)
{
    job->state = MEMFS_JOB_QUEUED;
    job->next = *place;
    if (queue->end == place)
        queue->end = &job->next;
    *place = job;
}

void memfs_pool_submit(struct memfs_pool *pool, struct memfs_job *job, int urgent)
{
    struct queue *queue = urgent ? &pool->urgent : &pool->other;
    pthread_mutex_lock(&pool->lock);
    put_in(queue, queue->end, job);
    pthread_mutex_unlock(&pool->lock);
    pthread_cond_signal(&pool->waiting);
}

void memfs_pool_submit_first(struct memfs_pool *pool, struct memfs_job *job)
{
    pthread_mutex_lock(&pool->lock);
    put_in(&pool->urgent, &pool->urgent.first, job);
    pthread_mutex_unlock(&pool->lock);
    pthread_cond_signal(&pool->waiting);
}

int memfs_pool_is_done(struct memfs_pool *pool, const struct memfs_job *job)
{
    pthread_mutex_lock(&pool->lock);
    int done = job->state == MEMFS_JOB_DONE;
    pthread_mutex_unlock(&pool->lock);
    return done;
}

void memfs_pool_wait(struct memfs_pool *pool, const struct memfs_job *job)
{
    pthread_mutex_lock(&pool->lock);
    while (job->state != MEMFS_JOB_DONE) {
        if (!do_one(pool, 0))
            pthread_cond_wait(&pool->ended, &pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
}

int memfs_pool_wait_for(struct memfs_pool *pool, const struct memfs_job *job, unsigned milliseconds)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    uint64_t nanoseconds = (uint64_t)end.tv_nsec + (uint64_t)milliseconds * 1000000;
    end.tv_sec += (time_t)(nanoseconds / 1000000000);
    end.tv_nsec = (long)(nanoseconds % 1000000000);
    int late = 0;
    pthread_mutex_lock(&pool->lock);
    while (job->state != MEMFS_JOB_DONE && !late) {
        if (do_one(pool, 0))
            late = job->state != MEMFS_JOB_DONE; /* it took its time: the caller looks around first */
        else
            late = pthread_cond_timedwait(&pool->ended, &pool->lock, &end) == ETIMEDOUT;
    }
    int done = job->state == MEMFS_JOB_DONE;
    pthread_mutex_unlock(&pool->lock);
    return done;
}

static void drop_queued(struct queue *queue)
{
    struct memfs_job *job;
    while ((job = queue_take(queue)) != NULL)
        job->state = MEMFS_JOB_IDLE;
}

void memfs_pool_drain(struct memfs_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    drop_queued(&pool->urgent);
    drop_queued(&pool->other);
    while (pool->running > 0)
        pthread_cond_wait(&pool->ended, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}
