#include "epoch.h"

#include <sched.h>
#include <stddef.h>

int memfs_epochs_init(struct memfs_epochs *epochs)
{
    epochs->readers = NULL;
    epochs->retired = NULL;
    atomic_init(&epochs->now, 1);
    return -pthread_mutex_init(&epochs->lock, NULL);
}

static void free_list(struct memfs_retired *retired)
{
    while (retired) {
        struct memfs_retired *next = retired->next;
        retired->free(retired);
        retired = next;
    }
}

void memfs_epochs_destroy(struct memfs_epochs *epochs)
{
    free_list(epochs->retired);
    epochs->retired = NULL;
    pthread_mutex_destroy(&epochs->lock);
}

void memfs_readers_join(struct memfs_epochs *epochs, struct memfs_readers *readers)
{
    for (unsigned i = 0; i < MEMFS_READER_SLOTS; i++)
        atomic_init(&readers->slots[i].epoch, 0);
    atomic_init(&readers->used, 0);
    pthread_mutex_lock(&epochs->lock);
    readers->next = epochs->readers;
    readers->link = &epochs->readers;
    if (readers->next)
        readers->next->link = &readers->next;
    epochs->readers = readers;
    pthread_mutex_unlock(&epochs->lock);
}

void memfs_readers_leave(struct memfs_epochs *epochs, struct memfs_readers *readers)
{
    pthread_mutex_lock(&epochs->lock);
    *readers->link = readers->next;
    if (readers->next)
        readers->next->link = readers->link;
    pthread_mutex_unlock(&epochs->lock);
}

unsigned memfs_reader_enter_other(struct memfs_epochs *epochs, struct memfs_readers *readers, unsigned slot)
{
    for (unsigned tries = 1; !memfs_reader_try(epochs, readers, slot); tries++) {
        slot = (slot + 1) % MEMFS_READER_SLOTS;
        if (tries % MEMFS_READER_SLOTS == 0)
            sched_yield();
    }
    return slot;
}

/* The oldest epoch in which somebody may still be reading. */
static uint64_t oldest_reader(struct memfs_epochs *epochs)
{
    uint64_t oldest = UINT64_MAX;
    for (struct memfs_readers *r = epochs->readers; r; r = r->next) {
        for (uint32_t used = atomic_load(&r->used); used;) {
            uint64_t epoch = atomic_load(&r->slots[memfs_readers_next(&used)].epoch);
            if (epoch && epoch < oldest)
                oldest = epoch;
        }
    }
    return oldest;
}

/* Takes from the list what nobody can see any more: it is newest first, and all
 * from the first free one on are free. The lock is held. */
static struct memfs_retired *take_free(struct memfs_epochs *epochs)
{
    uint64_t oldest = oldest_reader(epochs);
    struct memfs_retired **link = &epochs->retired;
    while (*link && (*link)->epoch >= oldest)
        link = &(*link)->next;
    struct memfs_retired *gone = *link;
    *link = NULL;
    return gone;
}

void memfs_epochs_retire(struct memfs_epochs *epochs, struct memfs_retired *retired,
                         void (*free)(struct memfs_retired *retired))
{
    pthread_mutex_lock(&epochs->lock);
    retired->free = free;
    retired->epoch = atomic_fetch_add(&epochs->now, 1);
    retired->next = epochs->retired;
    epochs->retired = retired;
    struct memfs_retired *gone = take_free(epochs);
    pthread_mutex_unlock(&epochs->lock);
    free_list(gone);
}

void memfs_epochs_collect(struct memfs_epochs *epochs)
{
    pthread_mutex_lock(&epochs->lock);
    struct memfs_retired *gone = take_free(epochs);
    pthread_mutex_unlock(&epochs->lock);
    free_list(gone);
}
