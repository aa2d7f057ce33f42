#include "backing.h"

#include <string.h>

void memfs_backing_init(struct memfs_backing *backing, const struct memfs_backing_ops *ops, struct memfs_epochs *epochs)
{
    memset(backing->count, 0, sizeof backing->count);
    backing->ops = ops;
    atomic_init(&backing->references, 1);
    backing->blocks = 0;
    backing->nodes_in_use = 0;
    backing->epochs = epochs;
    backing->layers = 0;
    backing->sealed = NULL;
}

void memfs_backing_retain(memfs_backing *backing)
{
    atomic_fetch_add(&backing->references, 1);
}

void memfs_backing_release(memfs_backing *backing)
{
    if (backing && atomic_fetch_sub(&backing->references, 1) == 1)
        backing->ops->destroy(backing);
}
