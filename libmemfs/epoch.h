/*
 * When may memory be freed that readers look at without a lock? Each reader
 * stands in a slot that says since which epoch it reads. What is taken out of
 * sight is retired with the epoch of that moment, and freed when every reader
 * of that epoch or an earlier one has left. (Fraser, "Practical lock-freedom",
 * 2004, section 5.2.3: epoch-based reclamation.)
 *
 * Entering is sequentially consistent: a reader first shows itself and then looks,
 * whoever retires first hides and then looks for readers. (The only thread there is
 * just notes that it is there: whoever begins later sees that.) Leaving needs only come
 * after all that was read.
 */
#ifndef MEMFS_EPOCH_H
#define MEMFS_EPOCH_H

#include "single_thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#define MEMFS_READER_SLOTS 32 /* readers of one filesystem at one instant; more wait for a slot */

/* The readers of one filesystem (or of one checker). */
struct memfs_readers {
    struct memfs_readers *next, **link; /* among its epochs' readers */
    _Atomic(uint32_t) used;             /* bit i: slot i has ever had a reader: the others need not be looked at */
    struct {
        _Atomic(uint64_t) epoch;           /* 0: nobody */
        char apart[64 - sizeof(uint64_t)]; /* a cache line each */
    } slots[MEMFS_READER_SLOTS];
};

/* Embed it in what is to be retired. */
struct memfs_retired {
    struct memfs_retired *next;
    void (*free)(struct memfs_retired *retired);
    uint64_t epoch;
};

/* One for each backing from outside; filesystems on it share it. */
struct memfs_epochs {
    _Atomic(uint64_t) now; /* from 1 */
    pthread_mutex_t lock;  /* binds what follows */
    struct memfs_readers *readers;
    struct memfs_retired *retired; /* newest first */
};

int memfs_epochs_init(struct memfs_epochs *epochs);
void memfs_epochs_destroy(struct memfs_epochs *epochs); /* frees all that is retired; no readers are left */

void memfs_readers_join(struct memfs_epochs *epochs, struct memfs_readers *readers); /* initialises readers */
void memfs_readers_leave(struct memfs_epochs *epochs, struct memfs_readers *readers);

/* Shows a reader in a slot, unless there is one. */
static inline int memfs_reader_try(struct memfs_epochs *epochs, struct memfs_readers *readers, unsigned slot)
{
    _Atomic(uint64_t) *const shown = &readers->slots[slot].epoch;
    uint64_t nobody = 0;
    if (!(atomic_load(&readers->used) >> slot & 1))
        atomic_fetch_or(&readers->used, UINT32_C(1) << slot);
    if (!is_single_threaded())
        return atomic_compare_exchange_strong(shown, &nobody, atomic_load(&epochs->now));
    if (atomic_load_explicit(shown, memory_order_relaxed))
        return 0;
    atomic_store_explicit(shown, atomic_load(&epochs->now), memory_order_relaxed);
    return 1;
}

/* From this slot on, in the next one that is free. */
unsigned memfs_reader_enter_other(struct memfs_epochs *epochs, struct memfs_readers *readers, unsigned slot);

/* Begins reading; returns the slot to be given to memfs_reader_exit(). Never
 * waits for anything but a free slot. Do not block in between. */
static inline unsigned memfs_reader_enter(struct memfs_epochs *epochs, struct memfs_readers *readers)
{
    /* Where a thread tries first: threads differ in their stacks' addresses. */
    char here;
    const unsigned slot = (unsigned)(((uintptr_t)&here >> 16) * 0x9E3779B97F4A7C15u >> 58) % MEMFS_READER_SLOTS;
    return memfs_reader_try(epochs, readers, slot) ? slot : memfs_reader_enter_other(epochs, readers, slot);
}

static inline void memfs_reader_exit(struct memfs_readers *readers, unsigned slot)
{
    atomic_store_explicit(&readers->slots[slot].epoch, 0, memory_order_release);
}

/* Takes the lowest slot out of some that have been used. */
static inline unsigned memfs_readers_next(uint32_t *used)
{
    const unsigned slot = (unsigned)__builtin_ctz(*used);
    *used &= *used - 1;
    return slot;
}

/* Frees later what no new reader can find. Also frees what has become free.
 * Not to be called between enter and exit. */
void memfs_epochs_retire(struct memfs_epochs *epochs, struct memfs_retired *retired,
                         void (*free)(struct memfs_retired *retired));

/* Frees what has become free. Not to be called between enter and exit. */
void memfs_epochs_collect(struct memfs_epochs *epochs);

#endif
