#include "diff/linkage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 64

/* The slot of a node, or the free one where it belongs; there is always a free one. */
static struct linkage_first *find(const struct linkage *linkage, memfs_node node)
{
    size_t at = (size_t)(node * UINT64_C(0x9E3779B97F4A7C15) >> 20) & (linkage->room - 1);
    while (linkage->slots[at].number != 0 && linkage->slots[at].node != node)
        at = (at + 1) & (linkage->room - 1);
    return &linkage->slots[at];
}

static int grow(struct linkage *linkage)
{
    struct linkage larger = *linkage;
    larger.room = linkage->room > 0 ? linkage->room * 2 : FIRST_ROOM;
    larger.slots = calloc(larger.room, sizeof *larger.slots);
    if (!larger.slots)
        return -ENOMEM;
    for (size_t i = 0; i < linkage->room; i++) {
        if (linkage->slots[i].number != 0)
            *find(&larger, linkage->slots[i].node) = linkage->slots[i];
    }
    free(linkage->slots);
    *linkage = larger;
    return 0;
}

int linkage_meet(struct linkage *linkage, memfs_node node, memfs_node dir, const char *name, uint64_t number,
                 struct linkage_first **first)
{
    int result = linkage->count >= linkage->room / 4 * 3 ? grow(linkage) : 0;
    if (result != 0)
        return result;
    struct linkage_first *slot = find(linkage, node);
    if (slot->number == 0) {
        const struct linkage_first met = {.node = node, .dir = dir, .name = linkage->names.length, .number = number};
        result = buffer_append(&linkage->names, name, strlen(name) + 1);
        if (result != 0)
            return result;
        *slot = met;
        linkage->count++;
    }
    *first = slot;
    return 0;
}

struct linkage_first *linkage_find(const struct linkage *linkage, memfs_node node)
{
    struct linkage_first *slot = linkage->room > 0 ? find(linkage, node) : NULL;
    return slot && slot->number != 0 ? slot : NULL;
}

void linkage_free(struct linkage *linkage)
{
    free(linkage->slots);
    buffer_free(&linkage->names);
    *linkage = (struct linkage){.slots = NULL};
}
