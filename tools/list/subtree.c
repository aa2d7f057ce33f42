#include "list/subtree.h"

#include "list/directory.h"
#include "values/quantity.h"

#include <string.h>

static int count_rows(const struct directory *directory, struct subtree *out, struct buffer *stack)
{
    int result = 0;
    for (size_t i = 0; i < directory->count && result == 0; i++) {
        const struct memfs_stat *stat = &directory->rows[i].stat;
        const uint32_t type = stat->mode & MEMFS_IFMT;
        out->entries++;
        if (type == MEMFS_IFREG) {
            out->files++;
            out->bytes = quantity_sum(out->bytes, stat->size);
        }
        if (type == MEMFS_IFDIR)
            result = buffer_append(stack, &stat->node, sizeof stat->node);
    }
    return result;
}

int subtree_count(const struct side *side, memfs_node dir, struct subtree *out)
{
    struct directory directory = {.rows = NULL};
    struct buffer stack = {.data = NULL};
    *out = (struct subtree){.entries = 0};
    int result = buffer_append(&stack, &dir, sizeof dir);
    while (result == 0 && stack.length > 0) {
        stack.length -= sizeof dir;
        memcpy(&dir, stack.data + stack.length, sizeof dir);
        result = directory_read(&directory, side->fs, dir, 1);
        if (result == 0)
            result = count_rows(&directory, out, &stack);
        if (result == 0 && out->entries > side->entries)
            result = MEMFS_ECORRUPT;
    }
    directory_free(&directory);
    buffer_free(&stack);
    return result;
}
