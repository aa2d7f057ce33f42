/*
 * Plans: a change to a range of a file, prepared page by page in reach, so that
 * commit only puts new pages into their slots and bytes into pages that are
 * changed in place.
 */
#ifndef MEMFS_PLAN_H
#define MEMFS_PLAN_H

#include "content.h"

/* Reach found that it needs bytes of the base: plan_fill(), then again. Never leaves the library. */
#define PLAN_FILL (-9998)

/* ---- Reach ---- */

/* Owns the node and looks at its contents; then size, base_limit, and the range can be set. */
int plan_begin(struct op *op, struct content_plan *plan, uint32_t node);

/* Prepares what the plan's range means for one page. Pages come in ascending order. */
int plan_page(struct op *op, struct content_plan *plan, uint64_t index);
/* The same for all pages of the range. */
int plan_pages(struct op *op, struct content_plan *plan);

/* Reserves what commit takes from tables. */
int plan_reserve(struct op *op, struct content_plan *plan);

/* ---- Commit ---- */

void plan_commit(memfs *fs, struct content_plan *plan);

/* ---- Outside of operations ---- */

/* op_write() with a plan of which `reach` is a part: argument must begin with it. */
int plan_run(memfs *fs, op_body *reach, struct content_plan *plan);

#endif
