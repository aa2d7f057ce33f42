/*
 * Hints: to which insertions paths probably lead. A look-up waits for memory, one name
 * after the other, since only a directory's number tells where its names are. A hint
 * is where a path led last time: whether it still does is told from the directory upwards, and
 * by the last name in it (climb.h), which is less to wait for.
 *
 * A hint is never believed: it may be of another path, or of an insertion that is gone.
 */
#ifndef MEMFS_HINT_H
#define MEMFS_HINT_H

#include "alloc.h"
#include "arena.h"

#include <stdatomic.h>

#define HINT_SET 16 /* slots in which a path's hint may stand: as many bytes as a line of the processor's cache */

/* By the hash of a path one of the filesystem's own insertions, counted from 0. There
 * are as many slots as insertions, or up to twice as many: 4 to 8 bytes each, but for
 * what arena_alloc_span() rounds up. Zeroed: there are none. */
struct hints {
    _Atomic(uint32_t) *slots; /* any reader sets them; the rest is bound by the writer, and changes in commits */
    uint32_t count;           /* a power of two, or 0 */
    _Atomic(uint32_t) *more;  /* twice as many, which are to take their place; NULL: none */
    uint32_t moved;           /* sets that stand in `more` already, the first ones: no commit moves many */
};

/* Reach: prepares more slots if there are so many insertions. Lack of memory is no failure. */
void hints_reach(struct hints *hints, struct arena *arena, uint64_t insertions);
/* Commit: moves some sets to what was prepared. */
void hints_grow(struct hints *hints, struct arena *arena);
/* Gives back all of them. */
void hints_free(struct hints *hints, struct arena *arena);

/* In any operation, by readers too: slots are set by others meanwhile. Whether there is an insertion to which
 * a path may lead, or another path; and which. */
int hints_find(const struct hints *hints, uint64_t hash, uint32_t *insertion);
/* Insertions beyond twice the slots are not kept. */
void hints_set(const struct hints *hints, uint64_t hash, uint32_t insertion);

/* Where a path's hint stands will soon be looked at. */
void hints_prefetch(const struct hints *hints, uint64_t hash);

#endif
