#include "freeze.h"

#include "alloc.h"
#include "attributes.h"
#include "blocks.h"
#include "contents.h"
#include "emit.h"
#include "order.h"
#include "sized.h"

#include <errno.h>
#include <string.h>

#define LEVEL_DEFAULT 3
#define LEVEL_MOST 19
#define TELL_MILLISECONDS 50 /* between progress that is told while waiting */

/* All stages of one freeze. */
struct stages {
    struct memfs_freezing job;
    struct memfs_blocks blocks;
    struct memfs_order order;
    struct memfs_contents contents;
    struct memfs_attributes attributes;
    struct memfs_root root;
    struct memfs_means means;
};

static int tell(struct memfs_freezing *job)
{
    job->untold = 0;
    if (!job->options.progress || job->options.progress(job->options.progress_context, &job->progress) == 0)
        return 0;
    return memfs_freezing_fail(job, -ECANCELED, "cancelled");
}

int memfs_freezing_progress(struct memfs_freezing *job, uint64_t work)
{
    job->untold += work;
    return job->untold < MEMFS_WORK_TOLD ? 0 : tell(job);
}

int memfs_freezing_wait(struct memfs_freezing *job, const struct memfs_job *work)
{
    int error = 0;
    while (!error && !memfs_pool_wait_for(job->pool, work, TELL_MILLISECONDS))
        error = tell(job);
    return error;
}

int memfs_freezing_read(memfs *fs, memfs_node node, uint64_t offset, void *buffer, size_t length)
{
    size_t done = 0;
    while (done < length) {
        int64_t got = memfs_node_read(fs, node, offset + done, (char *)buffer + done, length - done);
        if (got < 0)
            return (int)got;
        if (got == 0)
            return -ESTALE;
        done += (size_t)got;
    }
    return 0;
}

int memfs_freezing_unchanged(struct memfs_freezing *job)
{
    struct memfs_statfs statfs;
    int error = memfs_statfs(job->fs, &statfs);
    if (error)
        return error;
    if (statfs.changes == job->changes)
        return 0;
    return memfs_freezing_fail(job, -EBUSY, "the filesystem was changed while it was frozen");
}

static int take_options(struct memfs_freezing *job, const struct memfs_freeze_options *given)
{
    struct memfs_freeze_options *options = &job->options;
    const int error = memfs_sized_take(options, sizeof *options, given, job->detail);
    if (error)
        return error;
    job->allocator = memfs_allocator_or_default(options->allocator);
    if (!options->level)
        options->level = LEVEL_DEFAULT;
    if (!options->block_size)
        options->block_size = MEMFS_BLOCK_DEFAULT;
    if (options->level < 1 || options->level > LEVEL_MOST)
        return memfs_freezing_fail(job, -EINVAL, "level %d is not one of 1 to %d", options->level, LEVEL_MOST);
    if (options->block_size < MEMFS_BLOCK_LEAST || options->block_size > MEMFS_BLOCK_MOST ||
        (options->block_size & (options->block_size - 1)) != 0)
        return memfs_freezing_fail(job, -EINVAL, "block size %lu is not a power of two from %u to %u",
                                   (unsigned long)options->block_size, MEMFS_BLOCK_LEAST, MEMFS_BLOCK_MOST);
    if (!options->window)
        options->window = MEMFS_KEPT_BYTES;
    if (options->window < MEMFS_REACH_LEAST || options->window > MEMFS_REACH_MOST)
        return memfs_freezing_fail(job, -EINVAL, "a window of %llu bytes is not one of 64 KiB to 1 GiB",
                                   (unsigned long long)options->window);
    if ((unsigned)options->share > MEMFS_SHARE_NONE)
        return memfs_freezing_fail(job, -EINVAL, "%d is not a way of sharing", (int)options->share);
    if (options->message && strlen(options->message) > MEMFS_MESSAGE_MAX)
        return memfs_freezing_fail(job, -EINVAL, "the message has %zu bytes, more than %u", strlen(options->message),
                                   MEMFS_MESSAGE_MAX);
    return 0;
}

static int begin(struct memfs_freezing *job)
{
    struct memfs_statfs statfs;
    int error = memfs_statfs(job->fs, &statfs);
    if (error)
        return error;
    job->changes = statfs.changes;
    return memfs_freezing_progress(job, MEMFS_WORK_TOLD);
}

/* Threads and buffers, as far as the memory that is allowed goes. */
static int begin_work(struct stages *stages, const struct memfs_sink *sink)
{
    struct memfs_freezing *job = &stages->job;
    uint64_t least;
    if (memfs_means_choose(&job->options, &stages->means, &least))
        return memfs_freezing_fail(
            job, -EINVAL, "%llu bytes of memory are too few for this level, block size and window: they need %llu",
            (unsigned long long)job->options.memory, (unsigned long long)least);
    int error = memfs_pool_create(&job->allocator, stages->means.threads, &job->pool);
    return error ? error : memfs_blocks_begin(&stages->blocks, job, sink, stages->means.presses);
}

static int freeze_contents(struct stages *stages)
{
    stages->job.progress.nodes = 1; /* the root is done */
    stages->job.progress.nodes_total = stages->order.nodes.count - 1;
    int error = memfs_contents_begin(&stages->contents, &stages->order, &stages->blocks, &stages->means);
    if (!error)
        error = memfs_contents_take(&stages->contents);
    if (error)
        return error; /* threads may still be at work: what they use is given back at the end */
    stages->job.progress.nodes = stages->job.progress.nodes_total;
    memfs_contents_close(&stages->contents);
    return stages->contents.dropped ? memfs_order_prune(&stages->order) : 0;
}

static int freeze_root(struct stages *stages)
{
    const struct memfs_freeze_options *options = &stages->job.options;
    struct memfs_root *root = &stages->root;
    if (options->has_time) {
        root->has_time = 1;
        root->time = options->time;
    }
    if (options->message) {
        root->message_length = (uint32_t)strlen(options->message);
        memcpy(root->message, options->message, root->message_length);
    }
    return memfs_emit_root(&stages->blocks, root);
}

static int freeze_stages(struct stages *stages, const struct memfs_sink *sink)
{
    struct memfs_freezing *job = &stages->job;
    int error = begin_work(stages, sink);
    if (error)
        return error;
    memfs_order_begin(&stages->order, job);
    memfs_attributes_begin(&stages->attributes, job);
    error = memfs_emit_header(&stages->blocks);
    if (!error)
        error = memfs_order_walk(&stages->order);
    if (!error)
        error = memfs_freezing_unchanged(job);
    if (!error)
        error = freeze_contents(stages);
    if (!error)
        error = memfs_attributes_gather(&stages->attributes, &stages->order);
    if (!error)
        error =
            memfs_emit_tables(&stages->blocks, &stages->order, &stages->contents, &stages->attributes, &stages->root);
    if (!error)
        error = memfs_freezing_progress(job, MEMFS_WORK_TOLD);
    /* Asked before the trailer makes an image of what has been written. */
    if (!error)
        error = memfs_freezing_unchanged(job);
    return error ? error : freeze_root(stages);
}

static int freeze(memfs *fs, const struct memfs_sink *sink, const struct memfs_freezing *job)
{
    struct stages *stages = memfs_alloc_zeroed(&job->allocator, sizeof *stages);
    if (!stages)
        return -ENOMEM;
    stages->job = *job;
    stages->job.fs = fs;
    int error = begin(&stages->job);
    if (!error)
        error = freeze_stages(stages, sink);
    /* What cannot be true or is gone may be the work of a change meanwhile. */
    if (error == -ESTALE || error == -ENOENT || error == -ENOTDIR || error == MEMFS_ECORRUPT) {
        int changed = memfs_freezing_unchanged(&stages->job);
        error = changed ? changed : error;
    }
    if (stages->job.pool)
        memfs_pool_drain(stages->job.pool);
    memfs_attributes_end(&stages->attributes);
    memfs_contents_end(&stages->contents);
    memfs_order_end(&stages->order);
    memfs_blocks_end(&stages->blocks);
    memfs_pool_destroy(stages->job.pool);
    memfs_free(&job->allocator, stages, sizeof *stages);
    return error;
}

int memfs_freeze_memory_least(const struct memfs_freeze_options *options, uint64_t *least, struct memfs_detail *detail)
{
    struct memfs_detail own = {0};
    struct memfs_freezing job = {.detail = detail ? detail : &own};
    struct memfs_means means;
    *job.detail = (struct memfs_detail){.offset = MEMFS_NOWHERE};
    const int error = take_options(&job, options);
    if (error)
        return error;
    memfs_means_choose(&job.options, &means, least); /* that it may not be enough is not asked */
    return 0;
}

int memfs_freeze(memfs *fs, const struct memfs_sink *sink, const struct memfs_freeze_options *options,
                 struct memfs_detail *detail)
{
    struct memfs_detail own = {0};
    struct memfs_freezing job = {.detail = detail ? detail : &own};
    *job.detail = (struct memfs_detail){.offset = MEMFS_NOWHERE};
    int error = take_options(&job, options);
    if (!error)
        error = freeze(fs, sink, &job);
    if (error && !job.detail->error)
        memfs_freezing_fail(&job, error, "%s", memfs_strerror(error));
    return error;
}
