#include "list/subtree.h"

#include "list/rooted.h"
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

int subtree_count(memfs *fs, memfs_node dir, struct subtree *out)
{
    const struct memfs_walk_options options = {.size = sizeof options, .flags = MEMFS_WALK_NAMES};
    struct buffer path = {.length = 0};
    *out = (struct subtree){.entries = 0};
    int result = rooted_directory(&path, fs, dir);
    if (result == 0)
        result = memfs_walk_steps(fs, NULL, path.data, &options, count, out);
    buffer_free(&path);
    return result;
}
