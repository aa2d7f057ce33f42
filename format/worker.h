/*
 * What loading a block needs for a moment: a decoder, and room for stored and
 * raw bytes. A few are kept for the next time.
 */
#ifndef MEMFS_WORKER_H
#define MEMFS_WORKER_H

#include "codec.h"

#include <pthread.h>

#define MEMFS_WORKERS_IDLE 4u

struct memfs_worker {
    struct memfs_worker *next;
    struct memfs_decoder *decoder;
    uint8_t *stored, *raw;
    size_t stored_room, raw_room;
};

struct memfs_workers {
    struct memfs_allocator allocator;
    pthread_mutex_t lock;
    struct memfs_worker *idle;
    unsigned count; /* of the idle */
};

int memfs_workers_init(struct memfs_workers *workers, const struct memfs_allocator *allocator);
void memfs_workers_destroy(struct memfs_workers *workers); /* all have been put back */

int memfs_worker_take(struct memfs_workers *workers, struct memfs_worker **out);
void memfs_worker_put(struct memfs_workers *workers, struct memfs_worker *worker); /* NULL is accepted */

/* Makes room for so many bytes; what was there is lost. -ENOMEM. */
int memfs_worker_stored(struct memfs_workers *workers, struct memfs_worker *worker, size_t length);
int memfs_worker_raw(struct memfs_workers *workers, struct memfs_worker *worker, size_t length);

#endif
