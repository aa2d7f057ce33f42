#include "listing.h"

#include "backing.h"
#include "fs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int trail_append(const struct memfs_allocator *allocator, struct trail *trail, const char *name)
{
    size_t length = strlen(name);
    void *bytes = trail->bytes;
    int error = memfs_grow_array(allocator, &bytes, &trail->room, trail->length, trail->length + length + 2, 1);
    trail->bytes = bytes;
    if (error)
        return error;
    if (trail->length == 0 || trail->bytes[trail->length - 1] != '/')
        trail->bytes[trail->length++] = '/';
    memcpy(trail->bytes + trail->length, name, length + 1);
    trail->length += length;
    return 0;
}

void trail_cut(struct trail *trail, size_t length)
{
    trail->length = length;
    if (trail->bytes)
        trail->bytes[length] = 0;
}

const char *trail_text(const struct trail *trail)
{
    return trail->length ? trail->bytes : "/";
}

void trail_free(const struct memfs_allocator *allocator, struct trail *trail)
{
    memfs_free(allocator, trail->bytes, trail->room);
    *trail = (struct trail){0};
}

int listing_add(const struct memfs_allocator *allocator, struct listing *listing, memfs_node node, const char *name)
{
    size_t size = strlen(name) + 1;
    void *items = listing->items, *bytes = listing->bytes;
    int error =
        memfs_grow_array(allocator, &items, &listing->room, listing->count, listing->count + 1, sizeof *listing->items);
    listing->items = items;
    if (!error)
        error = memfs_grow_array(allocator, &bytes, &listing->bytes_room, listing->used, listing->used + size, 1);
    listing->bytes = bytes;
    if (error)
        return error;
    listing->items[listing->count++] = (struct listed){.node = node, .offset = listing->used};
    memcpy(listing->bytes + listing->used, name, size);
    listing->used += size;
    return 0;
}

static int compare_listed(const void *a, const void *b)
{
    return strcmp(((const struct listed *)a)->name, ((const struct listed *)b)->name);
}

void listing_sort(struct listing *listing)
{
    int sorted = 1;
    for (size_t i = 0; i < listing->count; i++) {
        listing->items[i].name = listing->bytes + listing->items[i].offset;
        if (i > 0 && compare_listed(&listing->items[i - 1], &listing->items[i]) > 0)
            sorted = 0;
    }
    if (!sorted)
        qsort(listing->items, listing->count, sizeof *listing->items, compare_listed);
}

int listing_read(memfs *fs, const struct memfs_cred *cred, memfs_node dir, struct memfs_dirent *batch,
                 size_t batch_count, struct listing *out)
{
    uint64_t cursor = 0;
    *out = (struct listing){0};
    for (;;) {
        int64_t count = memfs_node_readdir(fs, cred, dir, cursor, batch, batch_count, 0);
        int error = count < 0 ? (int)count : 0;
        for (int64_t i = 0; !error && i < count; i++)
            error = listing_add(&fs->allocator, out, batch[i].stat.node, batch[i].name);
        if (error) {
            listing_free(&fs->allocator, out);
            return error;
        }
        if (count == 0)
            break;
        cursor = batch[count - 1].cursor;
    }
    listing_sort(out);
    return 0;
}

void listing_free(const struct memfs_allocator *allocator, struct listing *listing)
{
    memfs_free(allocator, listing->items, listing->room * sizeof *listing->items);
    memfs_free(allocator, listing->bytes, listing->bytes_room);
    *listing = (struct listing){0};
}

void met_begin(struct met *met, memfs *fs, const struct memfs_walk_options *options)
{
    *met = (struct met){.fs = fs,
                        .changes = atomic_load(&fs->changes),
                        .progress = options->progress,
                        .progress_context = options->progress_context};
}

int met_add(struct met *met)
{
    const struct memfs_progress progress = {.nodes = ++met->all};
    if (++met->entries > memfs_entries_most(met->fs) && atomic_load(&met->fs->changes) == met->changes)
        return MEMFS_ECORRUPT;
    return met->progress && met->progress(met->progress_context, &progress) ? -ECANCELED : 0;
}

int walk_visit_plain(void *context, const struct memfs_step *step)
{
    const struct walk_plain *plain = context;
    return plain->visit(plain->context, step->path, step->stat);
}
