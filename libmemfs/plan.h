/*
 * Plans: a change to a range of a file, prepared page by page in reach, so that
 * commit only puts new pages into their slots and bytes into pages that are
 * changed in place.
 */
#ifndef MEMFS_PLAN_H
#define MEMFS_PLAN_H

#include "plan_base.h"
#include "xattr.h"

#include <stddef.h>

/* What happens to a range of a file. */
enum plan_kind {
    PLAN_WRITE,    /* gets bytes */
    PLAN_ALLOCATE, /* gets memory */
    PLAN_PUNCH,    /* becomes zeros; its whole 4,096-byte pages become holes */
    PLAN_CUT       /* is beyond the new end of the file */
};

/* One page, reached. The mask bits are the page's 4,096-byte pages. */
struct plan_change {
    uint64_t index;
    uint64_t value; /* of the slot */
    uint16_t allocated, base;
    uint8_t in_place; /* value is there already, and has been claimed */
};

struct content_plan {
    /* By plan_begin(): */
    uint32_t node;
    struct memfs_node_record *record;
    struct content_record *owned; /* in CONTENTS, or `own`; NULL: to be made */
    struct content_record own;    /* what stands in no record yet, and perhaps never will */
    struct content before;
    uint64_t size, base_limit; /* afterwards */
    uint64_t last;             /* page that got the last new slot; UINT64_MAX: none */
    uint32_t maps;             /* records needed at most */
    int64_t now;
    /* By whoever has begun it, who may change size and base_limit: */
    enum plan_kind kind;
    uint64_t from, to; /* the range */

    /* By plan_init(), from here on: */
    int keeps_mtime;
    int drops_setid;           /* whoever writes may not change what the file runs as */
    const unsigned char *data; /* PLAN_WRITE */
    struct xattr_plan xattrs;
    struct plan_change *changes;
    size_t count, room; /* room 0: first_changes, if any */
    int scouts;         /* extents have been missing: all are looked at before the first page is made */
    struct plan_base base;

    struct plan_change first_changes[4];
};

/* A plan for nothing yet, which can be cancelled. */
static inline void plan_init(struct content_plan *plan)
{
    plan->keeps_mtime = plan->drops_setid = 0;
    plan->data = NULL;
    xattr_plan_init(&plan->xattrs);
    plan->count = plan->room = 0;
    plan->scouts = 0;
    plan->base = (struct plan_base){.masks = NULL};
}

/* Reach needs bytes of the base: plan_run() loads them and tries again. Never leaves the library. */
#define PLAN_FILL (-9998)

/* ---- Reach ---- */

/* Owns the node and looks at its contents; then size, base_limit, and the range can be set. */
int plan_begin(struct op *op, struct content_plan *plan, uint32_t node);

/* Prepares what the plan's range means for one page that is private, or a hole over the base. */
int plan_page(struct op *op, struct content_plan *plan, uint64_t index);
/* The same for all pages of the range, whatever they are. Only in plan_run(). */
int plan_pages(struct op *op, struct content_plan *plan);

/* New contents end a file's capabilities, whoever writes. */
int plan_end_capability(struct op *op, struct content_plan *plan);

/* Reserves what commit takes from tables. */
int plan_reserve(struct op *op, struct content_plan *plan);

/* ---- Commit ---- */

void plan_commit(memfs *fs, struct content_plan *plan);
void plan_commit_op(struct op *op, void *plan); /* the same, for op_write() */

/* ---- Outside of operations ---- */

/* op_write() with a plan, which is its argument (or what that begins with). */
int plan_run(memfs *fs, op_body *reach, op_commit *commit, struct content_plan *plan);

#endif
