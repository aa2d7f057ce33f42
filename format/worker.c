#include "worker.h"

#include "alloc.h"

#include <errno.h>
#include <string.h>

#define ROOM_KEPT ((size_t)2 << 20) /* larger rooms are not kept for the next time */

int memfs_workers_init(struct memfs_workers *workers, const struct memfs_allocator *allocator)
{
    memset(workers, 0, sizeof *workers);
    workers->allocator = *allocator;
    return -pthread_mutex_init(&workers->lock, NULL);
}

static void drop_room(struct memfs_workers *workers, uint8_t **room, size_t *size)
{
    memfs_free(&workers->allocator, *room, *size);
    *room = NULL;
    *size = 0;
}

static void worker_free(struct memfs_workers *workers, struct memfs_worker *worker)
{
    drop_room(workers, &worker->stored, &worker->stored_room);
    drop_room(workers, &worker->raw, &worker->raw_room);
    memfs_decoder_destroy(worker->decoder);
    memfs_free(&workers->allocator, worker, sizeof *worker);
}

void memfs_workers_destroy(struct memfs_workers *workers)
{
    while (workers->idle) {
        struct memfs_worker *worker = workers->idle;
        workers->idle = worker->next;
        worker_free(workers, worker);
    }
    pthread_mutex_destroy(&workers->lock);
}

int memfs_worker_take(struct memfs_workers *workers, struct memfs_worker **out)
{
    pthread_mutex_lock(&workers->lock);
    struct memfs_worker *worker = workers->idle;
    if (worker) {
        workers->idle = worker->next;
        workers->count--;
    }
    pthread_mutex_unlock(&workers->lock);
    if (!worker) {
        worker = memfs_alloc_zeroed(&workers->allocator, sizeof *worker);
        if (!worker)
            return -ENOMEM;
        const int error = memfs_decoder_create(&workers->allocator, &worker->decoder);
        if (error) {
            worker_free(workers, worker);
            return error;
        }
    }
    *out = worker;
    return 0;
}

void memfs_worker_put(struct memfs_workers *workers, struct memfs_worker *worker)
{
    if (!worker)
        return;
    if (worker->stored_room > ROOM_KEPT)
        drop_room(workers, &worker->stored, &worker->stored_room);
    if (worker->raw_room > ROOM_KEPT)
        drop_room(workers, &worker->raw, &worker->raw_room);
    pthread_mutex_lock(&workers->lock);
    const int kept = workers->count < MEMFS_WORKERS_IDLE;
    if (kept) {
        worker->next = workers->idle;
        workers->idle = worker;
        workers->count++;
    }
    pthread_mutex_unlock(&workers->lock);
    if (!kept)
        worker_free(workers, worker);
}

static int make_room(struct memfs_workers *workers, uint8_t **room, size_t *size, size_t length)
{
    if (length <= *size)
        return 0;
    drop_room(workers, room, size);
    *room = memfs_alloc(&workers->allocator, length);
    if (!*room)
        return -ENOMEM;
    *size = length;
    return 0;
}

int memfs_worker_stored(struct memfs_workers *workers, struct memfs_worker *worker, size_t length)
{
    return make_room(workers, &worker->stored, &worker->stored_room, length);
}

int memfs_worker_raw(struct memfs_workers *workers, struct memfs_worker *worker, size_t length)
{
    return make_room(workers, &worker->raw, &worker->raw_room, length);
}
