/*
 * The filesystem's own state, for the library's files.
 */
#ifndef MEMFS_FS_H
#define MEMFS_FS_H

#include "alloc.h"
#include "arena.h"
#include "heap.h"
#include "hint.h"
#include "hold.h"
#include "page_hint.h"
#include "table_state.h"

#define EXTENT_MEMORY 256   /* files of which it is remembered */
#define MEMFS_XATTR_RUNS 16 /* a set has 1 to 2^15 attributes */

struct memfs {
    struct memfs_allocator allocator;
    memfs_clock *clock;
    void *clock_context;
    memfs_backing *base;         /* held; NULL: none */
    memfs_backing *outside;      /* the one below all sealed filesystems; NULL: none */
    struct memfs_epochs *epochs; /* the base's, or our own */
    struct memfs_epochs own_epochs;
    uint64_t seeds[2]; /* of hashes of names */
    uint64_t layer;    /* 1 + the base's layers: tells our pages from those of sealed filesystems below */

    struct memfs_readers readers;
    pthread_mutex_t writer; /* held by the one writer in reach and commit */
    pthread_mutex_t gate_lock;
    pthread_cond_t gate_opened;
    _Atomic(int) gate_closed;  /* a commit is on its way: new readers wait */
    _Atomic(int) gate_waiters; /* readers that wait for it */

    struct holds holds;     /* look-up and open counts */
    _Atomic(int64_t) views; /* that are not released */

    /* Bound by `writer`; readers may read what they reach, but not during commits. */
    struct arena arena;
    struct hints hints;
    struct page_hints page_hints;
    struct table tables[MEMFS_TABLES];
    uint64_t heap_free[2][MEMFS_SIZE_CLASSES]; /* 1 + offset of the first free item by class; NAMES, BLOBS */
    uint32_t xattr_runs[MEMFS_XATTR_RUNS];     /* 1 + first of the free runs of 2^i records in XATTRS */
    uint32_t buckets;                          /* of the hash table over the deltas */
    uint32_t deltas;                           /* in the hash table */
    int splitting;                             /* reach has prepared to split a bucket */
    uint32_t adding;                           /* deltas that reach has prepared to add */
    uint32_t node_ahead; /* of an insertion's number is its node's, most likely: they are mostly made together */
    uint64_t nodes_in_use;
    _Atomic(uint64_t) changes;
    _Atomic(struct page *) garbage; /* dropped, and their last view has gone; any thread adds to it */

    /* Extents of the base that are in order: see extent.c. Zeroed: none is known. */
    _Atomic(_Atomic(uint32_t) *) chunks_ascend; /* a bit for each chunk of them; NULL until one is known to be */
    _Atomic(uint64_t) ascending[EXTENT_MEMORY];
};

/* The time for a change. Called in reach, by the writer. */
int64_t fs_now(memfs *fs);

#endif
