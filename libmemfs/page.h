/*
 * Pages: private memory of files, 64 KiB of a file each, or less at its end.
 */
#ifndef MEMFS_PAGE_H
#define MEMFS_PAGE_H

#include "content.h"

#include <stdatomic.h>

/* Of pins, besides the number of views. */
#define PAGE_CLAIMED (1u << 30) /* the writer is about to change it in place */
#define PAGE_DROPPED (1u << 31) /* by its file: the last view frees it */

/* Bytes that were never written, or are beyond the file's end, are zero. */
struct page {
    _Atomic(uint32_t) pins;
    uint32_t capacity;  /* bytes behind */
    uint16_t allocated; /* bit i: the i-th 4,096 bytes are data, not a hole */
    uint16_t base;      /* bit i: so were the visible bytes of the base that they hide */
    uint32_t layer;     /* of the filesystem that made it */
    unsigned char bytes[];
};

static inline struct page *page_of_slot(uint64_t slot)
{
    return slot & 1 ? NULL : (struct page *)(uintptr_t)slot;
}

static inline uint64_t page_slot(const struct page *page)
{
    return (uint64_t)(uintptr_t)page;
}

static inline int page_is_ours(const memfs *fs, const struct page *page)
{
    return page->layer == (uint32_t)fs->layer;
}

/* The slot of a hole over data of the base. */
static inline uint64_t page_hole(uint16_t base)
{
    return base ? (uint64_t)base << 1 | 1 : 0;
}

/* The base's data that a slot hides. */
static inline uint16_t page_hidden(uint64_t slot)
{
    const struct page *page = page_of_slot(slot);
    return page ? page->base : (uint16_t)(slot >> 1);
}

/* What a slot adds to a file's count of allocated pages. */
int page_weight(uint64_t slot);

/* Bits of the 4,096-byte pages that [from, to) touches; that it covers. */
uint16_t page_touched(uint32_t from, uint32_t to);
uint16_t page_covered(uint32_t from, uint32_t to);

/* With room for at least `need` bytes, which the caller fills, all of capacity. -ENOSPC, -ENOMEM. */
int page_new(memfs *fs, uint32_t need, struct page **out);
void page_free(memfs *fs, struct page *page);

/* Bytes for a page that had `used` of them and needs more, `to`: appending piece by piece is linear. */
uint32_t page_room(uint32_t used, uint32_t to);

/* Fills a new page: the old bytes, of which there are `used`, but in [from, to) the data, or zeros for NULL. */
void page_fill(struct page *page, const void *old, uint32_t used, uint32_t from, const void *data, uint32_t to);

/* Commit: what is in the slot is not the file's any more. */
void page_drop(memfs *fs, uint64_t slot);

/* Reach: may the page be changed in place? Keeps new views from it until page_unclaim(). */
int page_claim(struct page *page);
void page_unclaim(struct page *page);

/* A reader: a view holds the page. Returns 0 if it is claimed, unless the
 * caller holds off the writer: then no claim can be in use. */
int page_pin(struct page *page, int writer_is_off);
void page_unpin(memfs *fs, struct page *page);

#endif
