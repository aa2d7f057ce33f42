#include "cred.h"
#include "dir.h"

#include <errno.h>
#include <string.h>

struct lookup {
    const struct memfs_cred *cred;
    memfs_node dir;
    struct dir_name name;
    memfs_node *out;
};

static int hold(struct op *op, uint32_t number, const struct memfs_node_record *node, memfs_node *out)
{
    if (!out)
        return 0;
    int r = holds_add(&op->fs->holds, &op->fs->allocator, number, 1, 0);
    if (r == 0)
        *out = node_handle(number, node);
    return r;
}

static int read_lookup(struct op *op, void *argument)
{
    struct lookup *lookup = argument;
    const struct memfs_node_record *dir, *node;
    struct found found;
    int r = node_get_dir(op, lookup->dir, &dir);
    if (r == 0)
        r = cred_check(op, lookup->cred, dir, MEMFS_X_OK);
    if (r == 0)
        r = dir_find(op, dir, &lookup->name, &found, &node);
    return r ? r : hold(op, found.node, node, lookup->out);
}

int memfs_node_lookup(memfs *fs, const struct memfs_cred *cred, memfs_node dir, const char *name, memfs_node *out)
{
    struct lookup lookup = {.cred = cred, .dir = dir, .out = out};
    int r = dir_name_measure(dir, name, &lookup.name);
    return r ? r : op_read(fs, read_lookup, &lookup);
}

static int read_parent(struct op *op, void *argument)
{
    struct lookup *lookup = argument;
    const struct memfs_node_record *dir, *parent;
    int r = node_get_dir(op, lookup->dir, &dir);
    if (r)
        return r;
    if (dir->nlink == 0)
        return -ENOENT;
    uint32_t number = node_number(lookup->dir) == NODE_ROOT ? NODE_ROOT : dir->up.parent;
    r = node_by_number(op, number, &parent);
    if (r)
        return r;
    return node_is_dir(parent) ? hold(op, number, parent, lookup->out) : MEMFS_ECORRUPT;
}

int memfs_node_parent(memfs *fs, memfs_node dir, memfs_node *out)
{
    struct lookup lookup = {.dir = dir, .out = out};
    return op_read(fs, read_parent, &lookup);
}

/* ---- Listing ---- */

#define ENTRIES_MOST 1024u /* that are read before readers make way */

struct reading {
    const struct memfs_cred *cred;
    memfs_node dir;
    uint64_t cursor;
    struct memfs_dirent *entries;
    size_t count, filled;
    int with_stat;
};

static int fill(struct op *op, const struct found *found, const struct memfs_node_record *node, int with_stat,
                uint64_t cursor, struct memfs_dirent *out)
{
    if (with_stat) {
        int r = node_stat(op, found->node, node, &out->stat);
        if (r)
            return r;
    } else {
        out->stat = (struct memfs_stat){.node = node_handle(found->node, node), .mode = node_type(node)};
    }
    out->cursor = cursor;
    out->name_length = found->length;
    memcpy(out->name, found->name, found->length);
    out->name[found->length] = 0;
    return 0;
}

/* What has been filled stays filled: after a miss it goes on from there. */
static int read_entries(struct op *op, void *argument)
{
    struct reading *reading = argument;
    const struct memfs_node_record *dir, *node;
    int r = node_get_dir(op, reading->dir, &dir);
    if (r == 0)
        r = cred_check(op, reading->cred, dir, MEMFS_R_OK);
    while (r == 0 && reading->filled < reading->count) {
        struct found found;
        uint64_t cursor = reading->cursor;
        r = dir_next(op, node_number(reading->dir), dir, &cursor, &found, &node);
        if (r != 1) {
            reading->cursor = cursor;
            return r;
        }
        r = fill(op, &found, node, reading->with_stat, cursor, &reading->entries[reading->filled]);
        if (r == 0) {
            reading->cursor = cursor;
            reading->filled++;
            r = op->pin_count >= OP_PINS_MANY || reading->filled % ENTRIES_MOST == 0 ? DIR_MORE : 0;
        }
    }
    return r;
}

int64_t memfs_node_readdir(memfs *fs, const struct memfs_cred *cred, memfs_node dir, uint64_t cursor,
                           struct memfs_dirent *entries, size_t count, int with_stat)
{
    struct reading reading = {
        .cred = cred, .dir = dir, .cursor = cursor, .entries = entries, .count = count, .with_stat = with_stat};
    int r;
    do
        r = op_read(fs, read_entries, &reading);
    while (r == DIR_MORE && reading.filled < count);
    /* An error behind some entries is met again by the next call. */
    return reading.filled || r > 0 ? (int64_t)reading.filled : r;
}
