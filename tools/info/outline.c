#include "info/outline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KEPT ((size_t)8192) /* nodes that a reduction on the way leaves, beside open directories */
#define OPEN_SHARE 1e300    /* of a directory that is not complete: heavier than all */
#define GONE UINT32_MAX

_Static_assert(OUTLINE_MOST <= KEPT, "what goes on the way would have gone in the end");

/* How much of the tree a node is, in all respects. A directory is never less than what is in it. */
struct rank {
    double share;
    uint32_t number;
};

static struct outline_node *node_at(struct outline *outline, size_t number)
{
    return (struct outline_node *)(void *)outline->nodes.data + number;
}

/* ---- Reducing ----------------------------------------------------------------------- */

static double share_of(const struct outline *outline, const struct outline_node *node)
{
    const struct weight *whole = &outline->whole;
    return (double)node->weight.stored / (double)(whole->stored > 0 ? whole->stored : 1) +
           (double)node->weight.size / (double)(whole->size > 0 ? whole->size : 1) +
           (double)node->weight.files / (double)(whole->files > 0 ? whole->files : 1);
}

/* The heaviest first; of equals the earlier, so that none stands before its parent. */
static int compare(const void *a, const void *b)
{
    const struct rank *left = a, *right = b;
    if (left->share > right->share || left->share < right->share)
        return left->share > right->share ? -1 : 1;
    return left->number < right->number ? -1 : 1;
}

static void rank_all(struct outline *outline, struct rank *ranks)
{
    for (uint32_t i = 0; i < outline->count; i++)
        ranks[i] = (struct rank){share_of(outline, node_at(outline, i)), i};
    for (uint32_t i = outline->open;; i = node_at(outline, i)->parent) {
        ranks[i].share = OPEN_SHARE;
        if (i == 0)
            break;
    }
    qsort(ranks, outline->count, sizeof *ranks, compare);
}

static void keep_name(struct outline *outline, struct outline_node *node)
{
    char *names = outline->names.data;
    memmove(names + outline->names.length, names + node->name, node->name_length);
    node->name = outline->names.length;
    outline->names.length += node->name_length;
}

/* What has no node counts in its directory's others, unless that has none either. */
static void drop(struct outline *outline, const struct outline_node *node, uint32_t parent)
{
    if (parent == GONE)
        return;
    struct outline_node *in = node_at(outline, parent);
    in->others++;
    weight_add(&in->others_weight, &node->weight);
}

/* numbers[i]: GONE for those that go; becomes the new number. Parents come before their
 * children, so they have moved already. */
static void move_all(struct outline *outline, uint32_t *numbers)
{
    uint32_t count = 0;
    outline->names.length = 0;
    for (uint32_t i = 0; i < outline->count; i++) {
        struct outline_node node = *node_at(outline, i);
        const uint32_t parent = numbers[node.parent];
        if (numbers[i] == GONE) {
            drop(outline, &node, parent);
            continue;
        }
        numbers[i] = count;
        node.parent = i == 0 ? 0 : parent;
        keep_name(outline, &node);
        *node_at(outline, count++) = node;
    }
    outline->count = count;
    outline->nodes.length = count * sizeof(struct outline_node);
    outline->open = numbers[outline->open];
    outline->full = count > KEPT ? 2 * (size_t)count : 2 * KEPT; /* half of it is new by then, at least */
}

static int reduce(struct outline *outline, size_t most)
{
    outline->scratch.length = 0;
    const int result = buffer_reserve(&outline->scratch, outline->count * (sizeof(struct rank) + sizeof(uint32_t)));
    if (result != 0)
        return result;
    struct rank *ranks = (struct rank *)(void *)outline->scratch.data;
    uint32_t *numbers = (uint32_t *)(void *)(ranks + outline->count);
    rank_all(outline, ranks);
    for (size_t i = 0; i < outline->count; i++)
        numbers[ranks[i].number] = i < most || ranks[i].share >= OPEN_SHARE ? 0 : GONE;
    move_all(outline, numbers);
    return 0;
}

int outline_reduce(struct outline *outline, size_t most)
{
    return outline->count > most ? reduce(outline, most) : 0;
}

/* ---- Growing ------------------------------------------------------------------------- */

static int append(struct outline *outline, const char *name, uint8_t length, uint8_t is_directory,
                  const struct weight *weight)
{
    int result = outline->count >= outline->full ? reduce(outline, KEPT) : 0;
    const struct outline_node node = {.parent = outline->open,
                                      .name = outline->names.length,
                                      .name_length = length,
                                      .is_directory = is_directory,
                                      .weight = *weight};
    if (result == 0 && outline->count >= GONE)
        result = -ENOMEM;
    if (result == 0)
        result = buffer_append(&outline->names, name, length);
    if (result == 0)
        result = buffer_append(&outline->nodes, &node, sizeof node);
    if (result == 0)
        outline->count++;
    return result;
}

int outline_begin(struct outline *outline, const struct weight *whole)
{
    const struct weight none = {.files = 0};
    *outline = (struct outline){.whole = *whole, .full = 2 * KEPT};
    return append(outline, "", 0, 1, &none);
}

int outline_enter(struct outline *outline, const char *name, uint8_t length)
{
    const struct weight none = {.files = 0};
    const int result = append(outline, name, length, 1, &none);
    if (result == 0)
        outline->open = (uint32_t)outline->count - 1;
    return result;
}

void outline_leave(struct outline *outline)
{
    const struct outline_node *node = node_at(outline, outline->open);
    if (outline->open != 0)
        weight_add(&node_at(outline, node->parent)->weight, &node->weight);
    outline->open = node->parent;
}

int outline_add(struct outline *outline, const char *name, uint8_t length, const struct weight *weight)
{
    const int result = append(outline, name, length, 0, weight);
    if (result == 0)
        weight_add(&node_at(outline, outline->open)->weight, weight);
    return result;
}

void outline_free(struct outline *outline)
{
    buffer_free(&outline->nodes);
    buffer_free(&outline->names);
    buffer_free(&outline->scratch);
    memset(outline, 0, sizeof *outline);
}
