/*
 * That nodes and entries are one tree: each run belongs to one directory, each
 * directory has one way in and leads up to the root, types and link counts
 * agree, nothing is left without a name. What one record can tell by itself was seen when its
 * chunk was loaded (memfs_check_chunk): types are known, runs and parents are in their tables,
 * the first entry starts a run, none names the root.
 */
#include "alloc.h"
#include "backing.h"
#include "detail.h"
#include "verify.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

struct tree {
    struct memfs_verifying *v;
    uint64_t nodes, entries;
    /* By node. */
    uint8_t *type;    /* mode >> 12; 0: not in use */
    uint32_t *links;  /* entries that name it; of a directory: its subdirectories */
    uint32_t *parent; /* of a directory */
    uint8_t *named;   /* bit: an entry names this directory */
    uint8_t *rooted;  /* bit: the way up was followed to its end */
    uint8_t *trail;   /* bit: the way up is being followed, or was */
    /* By entry. */
    uint8_t *starts; /* bit: a run starts here */
    uint8_t *owned;  /* bit: it is a directory's run */
    struct memfs_look node_look, other_look, entry_look;
};

static int tree_make(struct tree *t)
{
    const struct memfs_allocator *allocator = &t->v->image->allocator;
    const size_t nodes = (size_t)t->nodes;
    t->type = memfs_alloc_zeroed(allocator, nodes);
    t->links = memfs_alloc_array(allocator, nodes, sizeof *t->links);
    t->parent = memfs_alloc_array(allocator, nodes, sizeof *t->parent);
    t->named = memfs_alloc_zeroed(allocator, memfs_bits_bytes(t->nodes));
    t->rooted = memfs_alloc_zeroed(allocator, memfs_bits_bytes(t->nodes));
    t->trail = memfs_alloc_zeroed(allocator, memfs_bits_bytes(t->nodes));
    t->starts = memfs_alloc_zeroed(allocator, memfs_bits_bytes(t->entries));
    t->owned = memfs_alloc_zeroed(allocator, memfs_bits_bytes(t->entries));
    if (!t->type || !t->links || !t->parent || !t->named || !t->rooted || !t->trail || !t->starts || !t->owned)
        return -ENOMEM;
    memset(t->links, 0, nodes * sizeof *t->links);
    memset(t->parent, 0, nodes * sizeof *t->parent);
    return 0;
}

static void tree_free(struct tree *t)
{
    const struct memfs_allocator *allocator = &t->v->image->allocator;
    const size_t nodes = (size_t)t->nodes;
    memfs_look_end(t->v, &t->node_look);
    memfs_look_end(t->v, &t->other_look);
    memfs_look_end(t->v, &t->entry_look);
    memfs_free(allocator, t->type, nodes);
    memfs_free(allocator, t->links, nodes * sizeof *t->links);
    memfs_free(allocator, t->parent, nodes * sizeof *t->parent);
    memfs_free(allocator, t->named, memfs_bits_bytes(t->nodes));
    memfs_free(allocator, t->rooted, memfs_bits_bytes(t->nodes));
    memfs_free(allocator, t->trail, memfs_bits_bytes(t->nodes));
    memfs_free(allocator, t->starts, memfs_bits_bytes(t->entries));
    memfs_free(allocator, t->owned, memfs_bits_bytes(t->entries));
}

static int is_dir(const struct tree *t, uint64_t node)
{
    return t->type[node] == MEMFS_IFDIR >> 12;
}

/* ---- What the nodes say ------------------------------------------------------------ */

static int gather_nodes(struct tree *t)
{
    uint64_t types[MEMFS_TYPES] = {0};
    for (uint64_t n = 1; n < t->nodes; n++) {
        const struct memfs_node_record *node;
        if (memfs_verify_work(t->v, 0) || memfs_look_node(t->v, &t->node_look, n, &node))
            return 1;
        t->type[n] = (uint8_t)((node->mode & MEMFS_IFMT) >> 12);
        const int index = memfs_type_index(t->type[n]);
        assert(index >= 0);
        types[index]++;
        if (n == MEMFS_ROOT || !is_dir(t, n))
            continue;
        t->parent[n] = node->up.parent;
        t->links[node->up.parent]++;
    }
    static const char *const names[MEMFS_TYPES] = {"regular files", "directories",       "symbolic links", "FIFOs",
                                                   "sockets",       "character devices", "block devices"};
    for (unsigned i = 0; i < MEMFS_TYPES; i++)
        if (types[i] != t->v->image->root.types[i] &&
            memfs_verify_finding(t->v, MEMFS_ECORRUPT, t->v->image->trailer.root_offset,
                                 "root: it says that there are %" PRIu64 " %s, but there are %" PRIu64,
                                 t->v->image->root.types[i], names[i], types[i]))
            return 1;
    return 0;
}

/* ---- Entries one after the other ------------------------------------------------------ */

struct last_name {
    size_t length;
    char bytes[MEMFS_NAME_MAX];
};

static int check_entry(struct tree *t, uint64_t i, const struct memfs_entry *entry, const char *name,
                       const struct last_name *last)
{
    struct memfs_verifying *v = t->v;
    if (entry->starts_run)
        memfs_bit_set(t->starts, i);
    else if (memfs_name_compare(last->bytes, last->length, name, entry->length) >= 0)
        if (memfs_verify_record(v, MEMFS_ENTRIES, i, "its name does not follow the one before it"))
            return 1;
    if (entry->type != t->type[entry->node] &&
        memfs_verify_record(v, MEMFS_ENTRIES, i, "its type is %u, but node %" PRIu32 " has type %u", entry->type,
                            entry->node, t->type[entry->node]))
        return 1;
    if (!is_dir(t, entry->node)) {
        t->links[entry->node]++;
        return 0;
    }
    if (memfs_bit(t->named, entry->node) &&
        memfs_verify_record(v, MEMFS_ENTRIES, i, "names the directory %" PRIu32 ", to which another way leads",
                            entry->node))
        return 1;
    memfs_bit_set(t->named, entry->node);
    return 0;
}

static int gather_entries(struct tree *t)
{
    struct last_name last = {0};
    for (uint64_t i = 0; i < t->entries; i++) {
        const struct memfs_entry *entry;
        const char *name;
        if (memfs_verify_work(t->v, 0) || memfs_look_entry(t->v, &t->entry_look, i, &entry, &name) ||
            check_entry(t, i, entry, name, &last))
            return 1;
        last.length = entry->length;
        memcpy(last.bytes, name, entry->length);
    }
    return 0;
}

/* ---- Directories ----------------------------------------------------------------------- */

/* Runs start where one starts and end where a later one does; no two start at one
 * place. When besides each start is taken and the sum of all lengths is right, they tile
 * the entries. */
static int check_run(struct tree *t, uint64_t n, const struct memfs_node_record *node, uint64_t *sum)
{
    const uint64_t first = node->run.first, count = node->run.count;
    *sum += count;
    if (count == 0)
        return 0;
    if (!memfs_bit(t->starts, first))
        return memfs_verify_record(t->v, MEMFS_NODES, n, "no run of entries starts at %" PRIu64, first);
    if (first + count < t->entries && !memfs_bit(t->starts, first + count))
        return memfs_verify_record(t->v, MEMFS_NODES, n, "its run ends at %" PRIu64 ", where none does", first + count);
    if (memfs_bit(t->owned, first))
        return memfs_verify_record(t->v, MEMFS_NODES, n, "its run at %" PRIu64 " belongs to another directory", first);
    memfs_bit_set(t->owned, first);
    return 0;
}

/* The entry by which a directory says it hangs names it, and is its parent's. */
static int check_way_in(struct tree *t, uint64_t n, uint32_t parent, uint32_t entry)
{
    struct memfs_verifying *v = t->v;
    const struct memfs_entry *in;
    const struct memfs_node_record *above;
    const char *name;
    if (!memfs_bit(t->named, n))
        return memfs_verify_record(v, MEMFS_NODES, n, "no entry names this directory");
    if (!is_dir(t, parent))
        return memfs_verify_record(v, MEMFS_NODES, n, "its parent %" PRIu32 " is not a directory", parent);
    if (memfs_look_entry(v, &t->entry_look, entry, &in, &name) || memfs_look_node(v, &t->other_look, parent, &above))
        return 1;
    if (in->node != n)
        return memfs_verify_record(v, MEMFS_NODES, n, "its entry %" PRIu32 " names node %" PRIu32, entry, in->node);
    if (entry < above->run.first || entry - above->run.first >= above->run.count)
        return memfs_verify_record(v, MEMFS_NODES, n, "its entry %" PRIu32 " is not one of its parent %" PRIu32, entry,
                                   parent);
    return 0;
}

static int check_links(struct tree *t, uint64_t n, uint32_t nlink)
{
    const uint64_t links = is_dir(t, n) ? 2 + (uint64_t)t->links[n] : t->links[n];
    if (links == 0)
        return memfs_verify_record(t->v, MEMFS_NODES, n, "no entry names it");
    if (links != nlink)
        return memfs_verify_record(t->v, MEMFS_NODES, n, "its link count is %" PRIu32 ", but it has %" PRIu64 " links",
                                   nlink, links);
    return 0;
}

static int check_node(struct tree *t, uint64_t n, uint64_t *sum)
{
    const struct memfs_node_record *node;
    if (memfs_verify_work(t->v, 0) || memfs_look_node(t->v, &t->node_look, n, &node) || check_links(t, n, node->nlink))
        return 1;
    if ((node->mode & MEMFS_IFMT) >> 12 != t->type[n]) /* its chunk was read again */
        return memfs_verify_record(t->v, MEMFS_NODES, n, "is not what it was: the image is being changed") || 1;
    if (!is_dir(t, n))
        return 0;
    return check_run(t, n, node, sum) || (n != MEMFS_ROOT && check_way_in(t, n, node->up.parent, node->up.entry));
}

static int check_nodes(struct tree *t)
{
    uint64_t sum = 0;
    for (uint64_t n = 1; n < t->nodes; n++)
        if (check_node(t, n, &sum))
            return 1;
    for (uint64_t i = 0; i < t->entries; i++) {
        if (memfs_verify_work(t->v, 0))
            return 1;
        if (memfs_bit(t->starts, i) && !memfs_bit(t->owned, i) &&
            memfs_verify_record(t->v, MEMFS_ENTRIES, i, "starts a run that is no directory's"))
            return 1;
    }
    if (sum != t->entries)
        return memfs_verify_finding(t->v, MEMFS_ECORRUPT, MEMFS_NOWHERE,
                                    "entries: directories have %" PRIu64 " in all, but there are %" PRIu64, sum,
                                    t->entries);
    return 0;
}

/* ---- All ways lead to the root ------------------------------------------------------------ */

static int check_way_up(struct tree *t, uint64_t from)
{
    uint64_t n = from;
    while (!memfs_bit(t->rooted, n) && !memfs_bit(t->trail, n)) {
        memfs_bit_set(t->trail, n);
        n = t->parent[n];
        if (memfs_verify_work(t->v, 0))
            return 1;
    }
    const int loop = !memfs_bit(t->rooted, n);
    for (uint64_t m = from; !memfs_bit(t->rooted, m); m = t->parent[m]) {
        memfs_bit_set(t->rooted, m);
        if (memfs_verify_work(t->v, 0))
            return 1;
    }
    return loop ? memfs_verify_record(t->v, MEMFS_NODES, n, "this directory is below itself") : 0;
}

static int check_ways_up(struct tree *t)
{
    memfs_bit_set(t->rooted, 0); /* where those end whose parent is none, which was reported */
    memfs_bit_set(t->rooted, MEMFS_ROOT);
    for (uint64_t n = 1; n < t->nodes; n++)
        if (memfs_verify_work(t->v, 0) || (is_dir(t, n) && check_way_up(t, n)))
            return 1;
    return 0;
}

int memfs_verify_tree(struct memfs_verifying *v)
{
    struct tree t = {
        .v = v, .nodes = v->image->root.table[MEMFS_NODES].count, .entries = v->image->root.table[MEMFS_ENTRIES].count};
    const int stop = tree_make(&t) ? memfs_verify_no_memory(v)
                                   : gather_nodes(&t) || gather_entries(&t) || check_nodes(&t) || check_ways_up(&t);
    tree_free(&t);
    return stop;
}
