/*
 * The path of a node with which something is wrong. An image can say what a
 * directory is called, but not what a file is: that is searched for.
 */
#include "verify.h"

#include <string.h>

#define PATHS_MOST 20u /* so many are searched for: it takes long, and many findings need no names */

/* Puts a name before what is there already; returns 0 when no more fits. */
static int put_before(struct memfs_verify_path *path, const char *name, size_t length)
{
    if (length + 1 + 4 > path->start) {
        memcpy(path->text + path->start - 4, ".../", 4);
        path->start -= 4;
        return 0;
    }
    if (path->text[path->start])
        path->text[--path->start] = '/';
    path->start -= length;
    memcpy(path->text + path->start, name, length);
    return 1;
}

struct search {
    struct memfs_verifying *v;
    struct memfs_look node_look, entry_look;
};

/* An entry that names a node. */
static int find_entry(struct search *s, uint64_t node, uint64_t *out)
{
    const uint64_t entries = s->v->image->root.table[MEMFS_ENTRIES].count;
    for (*out = 0; *out < entries; ++*out) {
        const struct memfs_entry *entry;
        const char *name;
        if (memfs_verify_work(s->v, 0) || memfs_look_entry(s->v, &s->entry_look, *out, &entry, &name))
            return 1;
        if (entry->node == node)
            return 0;
    }
    return 0;
}

/* The directory whose entry it is; 0 if there is none. */
static int find_owner(struct search *s, uint64_t entry, uint32_t *out)
{
    const uint64_t nodes = s->v->image->root.table[MEMFS_NODES].count;
    *out = 0;
    for (uint32_t n = MEMFS_ROOT; n < nodes; n++) {
        const struct memfs_node_record *node;
        if (memfs_verify_work(s->v, 0) || memfs_look_node(s->v, &s->node_look, n, &node))
            return 1;
        if ((node->mode & MEMFS_IFMT) == MEMFS_IFDIR && entry >= node->run.first &&
            entry - node->run.first < node->run.count) {
            *out = n;
            return 0;
        }
    }
    return 0;
}

/* From an entry of a directory up to the root: the buffer is full before the
 * way can get too long. */
static int write_path(struct search *s, uint64_t entry, uint32_t directory, struct memfs_verify_path *path)
{
    for (;;) {
        const struct memfs_entry *record;
        const struct memfs_node_record *node;
        const char *name;
        if (memfs_look_entry(s->v, &s->entry_look, entry, &record, &name))
            return 1;
        if (!put_before(path, name, record->length) || directory <= MEMFS_ROOT)
            return 0;
        if (memfs_look_node(s->v, &s->node_look, directory, &node))
            return 1;
        if ((node->mode & MEMFS_IFMT) != MEMFS_IFDIR) /* as was told: it hangs nowhere */
            return 0;
        entry = node->up.entry;
        directory = node->up.parent;
    }
}

static void begin_path(struct memfs_verify_path *path)
{
    path->start = sizeof path->text - 1;
    path->text[path->start] = 0;
}

int memfs_verify_entry_path(struct memfs_verifying *v, uint64_t entry, uint32_t directory,
                            struct memfs_verify_path *path)
{
    struct search s = {.v = v};
    begin_path(path);
    if (v->findings >= MEMFS_FINDINGS_TOLD)
        return 0;
    const int stop = write_path(&s, entry, directory, path);
    memfs_look_end(v, &s.node_look);
    memfs_look_end(v, &s.entry_look);
    return stop;
}

int memfs_verify_find_path(struct memfs_verifying *v, uint64_t node, struct memfs_verify_path *path)
{
    struct search s = {.v = v};
    begin_path(path);
    if (v->paths++ >= PATHS_MOST)
        return 0;
    uint64_t entry = 0;
    uint32_t owner = 0;
    int stop = find_entry(&s, node, &entry);
    if (!stop && entry < v->image->root.table[MEMFS_ENTRIES].count)
        stop = find_owner(&s, entry, &owner);
    if (!stop && owner != 0)
        stop = write_path(&s, entry, owner, path);
    memfs_look_end(v, &s.node_look);
    memfs_look_end(v, &s.entry_look);
    return stop;
}
