/*
 * Reading ahead: the contents of all files in the order of their numbers, read
 * by the pool's threads in units of at most 1 MiB, and looked through: where
 * their data is, what digest they have, which marks. Whoever takes the units
 * gets them in order, and the same ones at any number of threads.
 */
#ifndef MEMFS_AHEAD_H
#define MEMFS_AHEAD_H

#include "digest.h"
#include "gear.h"
#include "order.h"

#define MEMFS_UNIT_BYTES ((size_t)1 << 20)
#define MEMFS_UNIT_PIECES 256u
#define MEMFS_UNIT_RUNS (MEMFS_UNIT_PIECES + MEMFS_UNIT_BYTES / MEMFS_HOLE_BYTES)
#define MEMFS_UNIT_MARKS (MEMFS_UNIT_BYTES / MEMFS_MARKS_APART)

enum memfs_piece_kind {
    MEMFS_PIECE_WHOLE, /* a file of at most MEMFS_UNIT_BYTES, with its digest */
    MEMFS_PIECE_TWIN,  /* a larger one's digest alone, since it may be equal to an earlier one; its parts follow */
    MEMFS_PIECE_PART,  /* of a larger one: one of its ranges of MEMFS_UNIT_BYTES, from the first data in it on */
    MEMFS_PIECE_END    /* of a larger one: no further data follows */
};

/* What a unit has of one file. */
struct memfs_piece {
    enum memfs_piece_kind kind;
    int error;                 /* of reading it: it is the file's own */
    uint32_t number;           /* of the file, in the order */
    uint32_t directory, entry; /* by which it was met */
    uint64_t size;             /* of the file */
    uint64_t offset;           /* in the file */
    uint32_t at, length;       /* in the unit's bytes */
    uint32_t run, runs;        /* where there is data, in the unit's runs */
    uint64_t digest;
};

/* Bytes without a page of zeros, as many as there are in a row. */
struct memfs_run {
    uint32_t at, length; /* in the unit's bytes */
};

struct memfs_ahead;

struct memfs_unit {
    struct memfs_job work;
    struct memfs_ahead *ahead;
    size_t piece_count, run_count, mark_count;
    size_t used; /* of bytes */
    int error;   /* nobody's own: of memory and the like */
    uint8_t *bytes;
    struct memfs_piece *pieces;
    struct memfs_run *runs;
    struct memfs_mark *marks; /* of the runs, in order */
};

struct memfs_ahead {
    struct memfs_freezing *job;
    struct memfs_order *order;
    struct memfs_gear *gear; /* NULL: no marks are wanted */
    int twins;               /* digests of large files are wanted before their parts */
    struct memfs_unit *units;
    size_t units_count;
    uint64_t planned, taken; /* units; unit i is units[i % units_count] */
    /* where planning stands: */
    uint32_t directory, entry; /* the entry to be looked at next, counted within the directory */
    uint32_t next;             /* node that has not been met yet */
    uint32_t large;            /* number of a file of which parts are to come; 0: none */
    uint32_t large_entry;
    uint64_t large_size, large_at;
    uint32_t enough; /* file of which no more parts are wanted */
    uint64_t *sizes; /* of large files met so far; 0: free */
    uint64_t secret; /* of their hashes: who chooses sizes cannot foresee where they meet */
    size_t sizes_used, sizes_room;
};

/* Bytes that one unit takes. */
size_t memfs_unit_bytes(void);

/* order is walked; job has its pool. So many units are read ahead, with marks and
 * digests of large files if they are wanted. -ENOMEM */
int memfs_ahead_begin(struct memfs_ahead *ahead, struct memfs_order *order, size_t units, int marks, int twins);
void memfs_ahead_end(struct memfs_ahead *ahead); /* nothing runs any more; one that is all zeros is accepted */

/* The next unit, until memfs_ahead_give() gives it back; *out is NULL at the end.
 * Errors of statting, -ENOMEM, -EMFILE, -ENFILE, -ECANCELED. */
int memfs_ahead_take(struct memfs_ahead *ahead, struct memfs_unit **out);
void memfs_ahead_give(struct memfs_ahead *ahead);

/* No further parts of a file are wanted. (Some may still come.) */
void memfs_ahead_enough(struct memfs_ahead *ahead, uint32_t number);

#endif
