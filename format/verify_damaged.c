/*
 * Files that damaged blocks have a part in. An image can say which blocks a file has, but not
 * what it is called: all names are gone over, once for all such files.
 */
#include "verify_contents.h"

#include <inttypes.h>
#include <stdio.h>

struct naming {
    struct memfs_verifying *v;
    struct memfs_damaged *files;
    size_t count, told;
    struct memfs_look node_look, entry_look;
};

struct memfs_damaged *memfs_find_damaged(struct memfs_damaged *files, size_t count, uint32_t node)
{
    size_t from = 0, to = count;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        if (files[middle].node < node)
            from = middle + 1;
        else
            to = middle;
    }
    return from < count && files[from].node == node ? &files[from] : NULL;
}

static int tell(struct naming *naming, struct memfs_damaged *file, const struct memfs_verify_path *path)
{
    char text[80];
    file->told = 1;
    naming->told++;
    snprintf(text, sizeof text, "parts of it are in block %" PRIu32 ", which is damaged", file->block);
    return memfs_verify_file_finding(naming->v, MEMFS_ECHECKSUM, file->node, path, text);
}

static int look_at_entry(struct naming *naming, uint64_t index, uint32_t directory)
{
    const struct memfs_entry *entry;
    const char *name;
    if (memfs_verify_work(naming->v, 0) || memfs_look_entry(naming->v, &naming->entry_look, index, &entry, &name))
        return 1;
    struct memfs_damaged *file = memfs_find_damaged(naming->files, naming->count, entry->node);
    if (!file || file->told)
        return 0;
    struct memfs_verify_path path;
    return memfs_verify_entry_path(naming->v, index, directory, &path) || tell(naming, file, &path);
}

static int look_at_directory(struct naming *naming, uint32_t n)
{
    const struct memfs_node_record *node;
    if (memfs_verify_work(naming->v, 0) || memfs_look_node(naming->v, &naming->node_look, n, &node))
        return 1;
    const uint64_t first = node->run.first, count = (node->mode & MEMFS_IFMT) == MEMFS_IFDIR ? node->run.count : 0;
    for (uint64_t i = 0; i < count && naming->told < naming->count; i++)
        if (look_at_entry(naming, first + i, n))
            return 1;
    return 0;
}

int memfs_verify_damaged(struct memfs_verifying *v, struct memfs_damaged *files, size_t count)
{
    struct naming naming = {.v = v, .files = files, .count = count};
    const uint64_t nodes = v->image->root.table[MEMFS_NODES].count;
    int stop = 0;
    for (uint32_t n = MEMFS_ROOT; n < nodes && naming.told < count && !stop; n++)
        stop = look_at_directory(&naming, n);
    for (size_t i = 0; i < count && !stop; i++) /* that have no name */
        if (!files[i].told)
            stop = tell(&naming, &files[i], &(struct memfs_verify_path){.start = 0});
    memfs_look_end(v, &naming.node_look);
    memfs_look_end(v, &naming.entry_look);
    return stop;
}
