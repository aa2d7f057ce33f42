/*
 * Nodes: finding one by its handle, making and releasing one.
 */
#ifndef MEMFS_NODE_H
#define MEMFS_NODE_H

#include "prefetch.h"
#include "table.h"

#include <errno.h>

#define NODE_ROOT 1u
#define NODE_MAX_LINKS UINT32_MAX

static inline uint32_t node_number(memfs_node handle)
{
    return (uint32_t)handle;
}

static inline memfs_node node_handle(uint32_t number, const struct memfs_node_record *node)
{
    return (memfs_node)node->generation << 32 | number;
}

static inline uint32_t node_type(const struct memfs_node_record *node)
{
    return node->mode & MEMFS_IFMT;
}

static inline int node_is_dir(const struct memfs_node_record *node)
{
    return node_type(node) == MEMFS_IFDIR;
}

/* ---- Reach ---- */

/* A node by its number, which came from an entry; MEMFS_ECORRUPT if unused. */
static inline int node_by_number(struct op *op, uint32_t number, const struct memfs_node_record **out)
{
    int r = table_get(op, MEMFS_NODES, number, out);
    return r ? r : (*out)->mode == 0 ? MEMFS_ECORRUPT : 0;
}

/* The node of a handle: 0, OP_MISS, -ESTALE. */
int node_get_below(struct op *op, uint32_t number, const struct memfs_node_record **out); /* none of our own */
static inline int node_get(struct op *op, memfs_node handle, const struct memfs_node_record **out)
{
    const uint32_t number = node_number(handle);
    *out = table_our_record(op->fs, MEMFS_NODES, number);
    if (!*out) {
        int r = node_get_below(op, number, out);
        if (r)
            return r;
    }
    return (*out)->mode == 0 || (*out)->generation != handle >> 32 ? -ESTALE : 0;
}
/* The same for a directory: also -ENOTDIR. */
int node_get_dir(struct op *op, memfs_node handle, const struct memfs_node_record **out);

/* Tells the processor that the node will be read soon, if it is resident. The number may be any. */
static inline void node_prefetch(const memfs *fs, uint32_t number)
{
    const struct memfs_node_record *chunk = table_peek(fs, MEMFS_NODES, number >> MEMFS_CHUNK_SHIFT);
    if (chunk)
        memfs_prefetch(&chunk[number & (MEMFS_CHUNK_RECORDS - 1)]);
}

/* To be changed by commit. */
int node_own(struct op *op, uint32_t number, struct memfs_node_record **out);
/* All of stat. */
int node_stat(struct op *op, uint32_t number, const struct memfs_node_record *node, struct memfs_stat *out);
/* A way up to the root. It starts zeroed; begun again after OP_MISS, or in the next
 * section, it goes on from where it was as long as nothing changes. */
struct node_climb {
    uint32_t reached; /* 0: it is to begin */
    uint64_t changes, steps;
};
/* At a directory, or goes on: nonzero if it is at its beginning. */
int node_climb_begin(struct op *op, uint32_t dir, struct node_climb *climb);
/* One level up, from *left. -ENOENT for one that was removed and is still held: it hangs nowhere. */
int node_climb_step(struct op *op, struct node_climb *climb, const struct memfs_node_record **left);
/* Is `above` an ancestor of `dir`, or `dir` itself? 1, 0, or an error. */
int node_is_above(struct op *op, uint32_t above, uint32_t dir, struct node_climb *climb);

/* Gives back look-up and open counts, and releases the node if that was all
 * that kept it. Takes its own operation. */
void node_drop(memfs *fs, memfs_node node, uint64_t lookups, uint64_t opens);

/* ---- Commit ---- */

/* A new node (table_reserve(op, MEMFS_NODES, 1) before). Sets times. */
struct memfs_node_record *node_take(memfs *fs, uint32_t mode, uint32_t uid, uint32_t gid, int64_t now,
                                    uint32_t *number);
/* A directory has one subdirectory less. An image may have lied about how many there were. */
static inline void node_drop_subdir(struct memfs_node_record *dir)
{
    if (dir->nlink > 2)
        dir->nlink--;
}

/* Takes one link away, and releases the node if that was its last and nothing holds it. */
void node_unlink(memfs *fs, uint32_t number, int64_t now);

#endif
