/*
 * Writing to files of one page with nothing of the base, as most are (content.h), and to those that are to become one:
 * the page is all there is to prepare, and no plan (plan.h) is needed.
 */
#ifndef MEMFS_PAGED_H
#define MEMFS_PAGED_H

#include "node.h"
#include "page.h"

struct paged_write {
    /* By the caller: */
    uint64_t from, to; /* the range, of at least 1 byte */
    const void *data;
    int drops_setid; /* whoever writes may not change what the file runs as */
    /* By paged_reach_write(): */
    uint32_t node;
    struct memfs_node_record *record;
    struct page *page; /* which has the bytes, or will get them in place */
    int in_place;
    int64_t now;
};

/* Can the bytes up to `to` of this regular file be written so? */
int paged_fits(const struct memfs_node_record *node, uint64_t to);

/* ---- Reach ---- */

/* The last that can fail before commit: it is never cancelled. -ENOSPC, -ENOMEM, OP_MISS. */
int paged_reach_write(struct op *op, uint32_t number, struct paged_write *write);

/* ---- Commit ---- */

void paged_write(memfs *fs, struct paged_write *write);

#endif
