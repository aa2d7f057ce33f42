#include "freelist.h"

#include <string.h>

struct free_range {
    struct free_range *next;
    size_t size; /* known while it is merged, and of blocks */
};
_Static_assert(sizeof(struct free_range) <= 16, "it fits in the smallest piece");

static void push(struct free_range **list, void *memory, size_t size)
{
    struct free_range *range = memory;
    *range = (struct free_range){.next = *list, .size = size};
    *list = range;
}

/* The largest class of which a piece fits in a size. */
static unsigned class_within(size_t size)
{
    const unsigned class = size_class(size);
    return size_of_class(class) > size ? class - 1 : class;
}

/* A range of any size, as one block or as few pieces. */
static void put_range(struct freelist *list, char *at, size_t size)
{
    if (size > FREELIST_PIECE_MAX) {
        push(&list->blocks, at, size);
        return;
    }
    while (size) {
        const unsigned class = class_within(size);
        push(&list->pieces[class], at, size_of_class(class));
        at += size_of_class(class);
        size -= size_of_class(class);
    }
}

void freelist_put(struct freelist *list, void *memory, size_t size)
{
    list->bytes += size;
    put_range(list, memory, size);
}

/* ---- Taking ---- */

static void *pop(struct freelist *list, struct free_range **from, size_t size)
{
    struct free_range *range = *from;
    if (!range)
        return NULL;
    *from = range->next;
    list->bytes -= size;
    if (list->settled > list->bytes)
        list->settled = list->bytes;
    return range;
}

void *freelist_take(struct freelist *list, unsigned class)
{
    return pop(list, &list->pieces[class], size_of_class(class));
}

void *freelist_split(struct freelist *list, unsigned class)
{
    const size_t size = size_of_class(class);
    for (unsigned larger = class + 1; larger <= size_class(FREELIST_PIECE_MAX); larger++) {
        char *piece = freelist_take(list, larger);
        if (piece) {
            freelist_put(list, piece + size, size_of_class(larger) - size);
            return piece;
        }
    }
    return NULL;
}

void *freelist_take_block(struct freelist *list, size_t size)
{
    struct free_range **link = &list->blocks;
    while (*link && (*link)->size < size)
        link = &(*link)->next;
    if (!*link)
        return NULL;
    const size_t whole = (*link)->size;
    char *block = pop(list, link, whole);
    if (whole > size)
        freelist_put(list, block, whole - size);
    return block + (whole - size);
}

void *freelist_take_whole_block(struct freelist *list, size_t *size)
{
    *size = list->blocks ? list->blocks->size : 0;
    return pop(list, &list->blocks, *size);
}

/* ---- Merging ---- */

/* By address: they lie in objects of different kinds. */
static int is_before(const struct free_range *a, const struct free_range *b)
{
    return (uintptr_t)a < (uintptr_t)b;
}

/* Takes from a list what ascends or descends at its beginning, as a list that ascends. */
static struct free_range *take_run(struct free_range **list)
{
    struct free_range *first = *list, *last = first, *next = first->next;
    if (next && is_before(next, first)) {
        for (first->next = NULL; next && is_before(next, first); next = *list) {
            *list = next->next;
            next->next = first;
            first = next;
        }
        *list = next;
        return first;
    }
    while (next && is_before(last, next)) {
        last = next;
        next = next->next;
    }
    last->next = NULL;
    *list = next;
    return first;
}

static struct free_range *join(struct free_range *a, struct free_range *b)
{
    struct free_range *first = NULL, **end = &first;
    while (a && b) {
        struct free_range **least = is_before(a, b) ? &a : &b;
        *end = *least;
        end = &(*least)->next;
        *least = *end;
    }
    *end = a ? a : b;
    return first;
}

/* Natural merge sort (Knuth, volume 3, 5.2.4): bin i holds a list of 2^i runs, or none. */
static void sort_into(struct free_range *bins[64], struct free_range *list)
{
    while (list) {
        struct free_range *sorted = take_run(&list);
        unsigned i = 0;
        for (; bins[i]; i++) {
            sorted = join(bins[i], sorted);
            bins[i] = NULL;
        }
        bins[i] = sorted;
    }
}

/* All that is free, by address; the lists are empty then. */
static struct free_range *take_all(struct freelist *list)
{
    struct free_range *bins[64] = {NULL}, *all = NULL;
    for (unsigned class = 0; class < MEMFS_SIZE_CLASSES; class ++) {
        for (struct free_range *range = list->pieces[class]; range; range = range->next)
            range->size = size_of_class(class);
        sort_into(bins, list->pieces[class]);
        list->pieces[class] = NULL;
    }
    sort_into(bins, list->blocks);
    list->blocks = NULL;
    for (unsigned i = 0; i < 64; i++)
        all = join(bins[i], all);
    return all;
}

void freelist_merge(struct freelist *list)
{
    struct free_range *range = take_all(list);
    while (range) {
        char *const at = (char *)range;
        size_t size = range->size;
        for (range = range->next; (char *)range == at + size; range = range->next)
            size += range->size;
        put_range(list, at, size);
    }
    list->settled = list->bytes;
}
