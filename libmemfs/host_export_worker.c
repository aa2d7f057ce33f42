#include "host_export.h"

#include <errno.h>

int memfs_export_worker_begin(struct memfs_export *job, struct memfs_export_worker *worker)
{
    const struct memfs_allocator *allocator = &job->allocator;
    worker->job = job;
    worker->number = (unsigned)(worker - job->workers);
    memfs_rows_begin(&worker->inos, allocator, sizeof(uint64_t), 12);
    memfs_rows_begin(&worker->replacements, allocator, sizeof(struct memfs_export_replacement), 6);
    memfs_rows_begin(&worker->names, allocator, 1, 12);
    memfs_rows_begin(&worker->exceptions, allocator, sizeof(struct memfs_export_exception), 7);
    worker->batch = memfs_alloc_array(allocator, MEMFS_EXPORT_BATCH, sizeof *worker->batch);
    worker->value = memfs_alloc(allocator, MEMFS_XATTR_MAX);
    worker->gathered = memfs_alloc(allocator, MEMFS_EXPORT_GATHERED);
    return worker->batch && worker->value && worker->gathered ? 0 : -ENOMEM;
}

void memfs_export_worker_end(struct memfs_export_worker *worker)
{
    if (!worker->job)
        return;
    const struct memfs_allocator *allocator = &worker->job->allocator;
    memfs_host_trail_end(&worker->trail);
    memfs_rows_end(&worker->inos);
    memfs_rows_end(&worker->replacements);
    memfs_rows_end(&worker->names);
    memfs_rows_end(&worker->exceptions);
    memfs_free(allocator, worker->batch, MEMFS_EXPORT_BATCH * sizeof *worker->batch);
    memfs_free(allocator, worker->value, MEMFS_XATTR_MAX);
    memfs_free(allocator, worker->gathered, MEMFS_EXPORT_GATHERED);
}

/* ---- What went wrong -------------------------------------------------------- */

/* What comes behind the run is not wanted any more. */
static void stop_behind(struct memfs_export *job, uint64_t number)
{
    uint64_t stop = atomic_load(&job->stop);
    while (number + 1 < stop && !atomic_compare_exchange_weak(&job->stop, &stop, number + 1))
        continue;
}

int memfs_export_fail(struct memfs_export_worker *worker, uint32_t directory, const char *name, int error,
                      const char *text)
{
    struct memfs_export *job = worker->job;
    if (!worker->told)
        return memfs_host_fail(&job->report, directory, name, error, text);
    stop_behind(job, worker->told->number);
    return memfs_export_told_fail(worker->told, directory, name, error, text);
}

int memfs_export_problem(struct memfs_export_worker *worker, enum memfs_problem_kind kind, uint32_t directory,
                         const char *name, int error, const char *text)
{
    struct memfs_export *job = worker->job;
    if (!worker->told)
        return memfs_host_problem(&job->report, kind, directory, name, error, text);
    if (!job->options.problem || memfs_host_is_general(error))
        return memfs_export_fail(worker, directory, name, error, text);
    if (memfs_export_told_note(worker->told, kind, directory, name, error, text))
        return memfs_export_fail(worker, directory, name, -ENOMEM, text);
    return 0;
}

int memfs_export_left_out(struct memfs_export_worker *worker, enum memfs_problem_kind kind, uint32_t directory,
                          const char *name, const char *text)
{
    struct memfs_export *job = worker->job;
    if (!worker->told)
        return memfs_host_left_out(&job->report, kind, directory, name, text);
    if (!job->options.problem)
        return 0;
    if (memfs_export_told_note(worker->told, kind, directory, name, 0, text))
        return memfs_export_fail(worker, directory, name, -ENOMEM, text);
    return 0;
}

int memfs_export_tell(struct memfs_export_worker *worker)
{
    struct memfs_export *job = worker->job;
    struct memfs_progress progress = job->totals;
    if (worker->told && worker->told->number >= atomic_load_explicit(&job->stop, memory_order_relaxed))
        return -ECANCELED;
    if (worker->number || !job->options.progress)
        return 0;
    if (job->cancelled)
        return -ECANCELED;
    progress.nodes = atomic_load(&job->nodes_made);
    progress.bytes = atomic_load(&job->written);
    if (!job->options.progress(job->options.progress_context, &progress))
        return 0;
    job->cancelled = 1;
    atomic_store(&job->stop, 0);
    return memfs_host_fail(&job->report, 0, NULL, -ECANCELED, "unpacking was cancelled");
}
