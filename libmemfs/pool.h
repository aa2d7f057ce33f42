/*
 * A few threads that do jobs for one caller, who does jobs as well while
 * waiting for one. With one thread there is nobody but the caller, and all is
 * done when it is waited for. The caller alone may submit, wait and ask; jobs
 * run at the same time as each other and as the caller.
 */
#ifndef MEMFS_POOL_H
#define MEMFS_POOL_H

#include "memfs.h"

#define MEMFS_POOL_MAX 64u /* threads of a pool, the caller counted */

/* Embed it in what is to be done; zeroed. It stays where it is until it is done
 * or dropped, and may be submitted again then. worker: 0 for the caller, else
 * below the pool's threads: no two jobs run with one number at once. */
struct memfs_job {
    void (*run)(struct memfs_job *job, unsigned worker);
    struct memfs_job *next;
    enum { MEMFS_JOB_IDLE, MEMFS_JOB_QUEUED, MEMFS_JOB_RUNNING, MEMFS_JOB_DONE } state; /* under the pool's lock */
};

struct memfs_pool;

/* threads: the caller counted; 0 means 1, more than MEMFS_POOL_MAX that many. Where
 * the host refuses a thread, the pool has fewer. Signals are left to the
 * program's own threads. -ENOMEM. */
int memfs_pool_create(const struct memfs_allocator *allocator, unsigned threads, struct memfs_pool **out);
/* Drops what is queued, waits for what is running. NULL is accepted. */
void memfs_pool_destroy(struct memfs_pool *pool);

unsigned memfs_pool_threads(const struct memfs_pool *pool);

/* Jobs are begun in the order in which they are submitted, urgent ones before the others. */
void memfs_pool_submit(struct memfs_pool *pool, struct memfs_job *job, int urgent);

/* Urgent, and begun before all that are waiting. */
void memfs_pool_submit_first(struct memfs_pool *pool, struct memfs_job *job);

/* Is it done? What it has written can then be read. */
int memfs_pool_is_done(struct memfs_pool *pool, const struct memfs_job *job);

/* Until a submitted job is done; the caller does others meanwhile, or that one. */
void memfs_pool_wait(struct memfs_pool *pool, const struct memfs_job *job);

/* The same for at most so long beyond the job that the caller itself may be at;
 * returns whether it is done. */
int memfs_pool_wait_for(struct memfs_pool *pool, const struct memfs_job *job, unsigned milliseconds);

/* Takes out what is queued and not begun (their state is then idle), and waits for what is running. */
void memfs_pool_drain(struct memfs_pool *pool);

#endif
