#include "list/subtree.h"

#include "values/quantity.h"

/* A memfs_step_fn. */
static int count(void *context, const struct memfs_step *step)
{
    struct subtree *out = context;
    if (step->depth == 0)
        return 0;
    out->entries++;
    if ((step->stat->mode & MEMFS_IFMT) == MEMFS_IFREG) {
        out->files++;
        out->bytes = quantity_sum(out->bytes, step->stat->size);
    }
    return 0;
}

int subtree_count(memfs *fs, const char *path, struct subtree *out)
{
    const struct memfs_walk_options options = {.size = sizeof options, .flags = MEMFS_WALK_NAMES};
    *out = (struct subtree){.entries = 0};
    return memfs_walk_steps(fs, NULL, path, &options, count, out);
}
