/*
 * One freeze: what all its stages share.
 */
#ifndef MEMFS_FREEZE_H
#define MEMFS_FREEZE_H

#include "detail.h"
#include "layout.h"
#include "memfs_image.h"
#include "pool.h"

#include <errno.h>

struct memfs_freezing {
    memfs *fs;
    struct memfs_allocator allocator;
    struct memfs_freeze_options options; /* as given, with the defaults filled in */
    struct memfs_pool *pool;
    struct memfs_detail *detail; /* never NULL; error is 0 until something is wrong */
    struct memfs_progress progress;
    uint64_t untold;  /* work done since the progress was told */
    uint64_t changes; /* of the filesystem, when freezing began */
};

/* Work is counted in bytes; a node, and what little belongs to it, counts as: */
#define MEMFS_WORK_NODE 4096u
#define MEMFS_WORK_TOLD ((uint64_t)1 << 22)

/* Counts work, and tells the progress when there is enough of it. -ECANCELED. */
int memfs_freezing_progress(struct memfs_freezing *job, uint64_t work);

/* Waits for a job, and tells the progress meanwhile. -ECANCELED: it may still run. */
int memfs_freezing_wait(struct memfs_freezing *job, const struct memfs_job *work);

/* Lack of memory and of descriptors says nothing about the file that was read. */
static inline int memfs_freezing_is_general(int error)
{
    return error == -ENOMEM || error == -EMFILE || error == -ENFILE;
}

/* Exactly length bytes of a file, or an error: -ESTALE if it ends before. Any thread. */
int memfs_freezing_read(memfs *fs, memfs_node node, uint64_t offset, void *buffer, size_t length);

/* -EBUSY if the filesystem has been changed since freezing began. */
int memfs_freezing_unchanged(struct memfs_freezing *job);

/* Says what went wrong, and returns error. */
#define memfs_freezing_fail(job, error, ...) memfs_detail_fill((job)->detail, (error), MEMFS_NOWHERE, __VA_ARGS__)

/* Sizes of files add up to more than 64 bits hold, since files may be nearly
 * all holes; the sum then stays at the largest number. */
static inline uint64_t memfs_freezing_sum(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

#endif
