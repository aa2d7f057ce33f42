/*
 * What a plan has found out about the base, in pages of the file: where it has
 * data, and the bytes of pages that are changed in part. The base never
 * changes, so that this holds from one try of reach to the next, whatever other
 * writers do between them; only what is visible of it may become less.
 */
#ifndef MEMFS_PLAN_BASE_H
#define MEMFS_PLAN_BASE_H

#include "content.h"

/* Starts zeroed. */
struct plan_base {
    struct plan_mask *masks; /* the pages with data among those in [from, to), ascending */
    size_t mask_count, mask_room;
    uint64_t from, to;
    struct plan_fill *fills; /* ascending */
    size_t fill_count, fill_room;
};

/* ---- Reach ---- */

/* Looks at all pages in [first, end), or goes on where OP_MISS interrupted it. */
int plan_base_scout(struct op *op, struct plan_base *base, const struct content *content, uint64_t first, uint64_t end);

/* extent_mask(), which is not asked where all has been looked at. */
int plan_base_mask(struct op *op, const struct plan_base *base, const struct content *content, uint64_t index,
                   uint16_t *out);

/* The first page from index on that has data, of those looked at; UINT64_MAX if none. */
uint64_t plan_base_next(const struct plan_base *base, uint64_t index);

/* *index goes to it, wherever that has been looked at or not; behind all pages if there is none. */
int plan_base_seek(struct op *op, const struct plan_base *base, const struct content *content, uint64_t *index);

/* All bytes of a page, zeros where none were visible; NULL if they have not been loaded. */
const unsigned char *plan_base_bytes(const struct plan_base *base, uint64_t index);

/* Has plan_base_load() load them. */
int plan_base_want(struct op *op, struct plan_base *base, uint64_t index);

/* ---- Outside of operations ---- */

int plan_base_load(memfs *fs, struct plan_base *base, const struct content *content);
void plan_base_free(memfs *fs, struct plan_base *base);

#endif
