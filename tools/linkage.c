#include "linkage.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_ROOM 64

/* The slot of a node, or the free one where it belongs; there is always a free one. */
static struct linkage_first *find(const struct linkage *linkage, memfs_node node)
{
    size_t at = (size_t)(node * UINT64_C(0x9E3779B97F4A7C15) >> 20) & (linkage->room - 1);
    while (linkage->slots[at].node != 0 && linkage->slots[at].node != node)
        at = (at + 1) & (linkage->room - 1);
    return &linkage->slots[at];
}

static int grow(struct linkage *linkage)
{
    struct linkage larger = {.room = linkage->room > 0 ? linkage->room * 2 : FIRST_ROOM, .count = linkage->count};
    larger.slots = calloc(larger.room, sizeof *larger.slots);
    if (!larger.slots)
        return -ENOMEM;
    for (size_t i = 0; i < linkage->room; i++) {
        if (linkage->slots[i].node != 0)
            *find(&larger, linkage->slots[i].node) = linkage->slots[i];
    }
    free(linkage->slots);
    *linkage = larger;
    return 0;
}

int linkage_meet(struct linkage *linkage, const struct linkage_first *name, struct linkage_first *first)
{
    if (linkage->count >= linkage->room / 4 * 3) {
        int result = grow(linkage);
        if (result != 0)
            return result;
    }
    struct linkage_first *slot = find(linkage, name->node);
    if (slot->node == 0) {
        *slot = *name;
        linkage->count++;
    }
    *first = *slot;
    return 0;
}

void linkage_free(struct linkage *linkage)
{
    free(linkage->slots);
    *linkage = (struct linkage){.slots = NULL};
}
