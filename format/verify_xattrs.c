/*
 * What stands in the heap: attribute sets and the targets of symbolic links.
 */
#include "alloc.h"
#include "backing.h"
#include "detail.h"
#include "verify.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

struct heap {
    struct memfs_verifying *v;
    uint64_t nodes, xattrs;
    uint8_t *starts; /* bit by attribute: a set starts here */
    uint8_t *owned;  /* bit: it is a node's */
    struct memfs_look node_look, xattr_look, blob_look;
};

struct last_name {
    size_t length;
    char bytes[MEMFS_NAME_MAX];
};

/* One attribute: its name is legal and follows the one before it in its set. */
static int check_xattr(struct heap *h, uint64_t i, const struct memfs_xattr *xattr, struct last_name *last)
{
    const char *name;
    if (memfs_look_blob(h->v, &h->blob_look, xattr->name, &name))
        return 1;
    if (memchr(name, 0, xattr->name_length))
        return memfs_verify_record(h->v, MEMFS_XATTRS, i, "its name contains NUL");
    if (last->length > 0 && memfs_name_compare(last->bytes, last->length, name, xattr->name_length) >= 0 &&
        memfs_verify_record(h->v, MEMFS_XATTRS, i, "its name does not follow the one before it"))
        return 1;
    last->length = xattr->name_length;
    memcpy(last->bytes, name, xattr->name_length);
    return 0;
}

static int check_sets(struct heap *h)
{
    struct last_name last = {0};
    uint64_t list = 0; /* bytes of the set's names, each with a NUL */
    for (uint64_t i = 0; i < h->xattrs; i++) {
        const struct memfs_xattr *xattr;
        if (memfs_verify_work(h->v, 0) || memfs_look_xattr(h->v, &h->xattr_look, i, &xattr))
            return 1;
        if (last.length == 0)
            memfs_bit_set(h->starts, i);
        if (check_xattr(h, i, xattr, &last))
            return 1;
        list += xattr->name_length + 1u;
        if (!xattr->last)
            continue;
        if (list > MEMFS_XATTR_LIST_MAX &&
            memfs_verify_record(h->v, MEMFS_XATTRS, i, "the names of its set have %" PRIu64 " bytes in all", list))
            return 1;
        list = 0;
        last.length = 0;
    }
    if (last.length > 0)
        return memfs_verify_record(h->v, MEMFS_XATTRS, h->xattrs - 1, "its set does not end");
    return 0;
}

static int check_target(struct heap *h, uint64_t n, const struct memfs_node_record *node)
{
    const char *target;
    if (memfs_look_blob(h->v, &h->blob_look, node->target, &target))
        return 1;
    if (memchr(target, 0, (size_t)node->size))
        return memfs_verify_record(h->v, MEMFS_NODES, n, "its target contains NUL");
    return 0;
}

static int check_nodes(struct heap *h)
{
    for (uint64_t n = 1; n < h->nodes; n++) {
        const struct memfs_node_record *node;
        if (memfs_verify_work(h->v, 0) || memfs_look_node(h->v, &h->node_look, n, &node))
            return 1;
        if (node->xattrs > 0)
            memfs_bit_set(h->owned, node->xattrs - 1);
        if (node->xattrs > 0 && !memfs_bit(h->starts, node->xattrs - 1) &&
            memfs_verify_record(h->v, MEMFS_NODES, n, "no set of attributes starts at %" PRIu32, node->xattrs - 1))
            return 1;
        if ((node->mode & MEMFS_IFMT) == MEMFS_IFLNK && check_target(h, n, node))
            return 1;
    }
    return 0;
}

static int check_owners(struct heap *h)
{
    uint64_t first = 0, count = 0;
    for (uint64_t i = 0; i < h->xattrs; i++) {
        if (memfs_verify_work(h->v, 0))
            return 1;
        if (memfs_bit(h->starts, i) && !memfs_bit(h->owned, i) && count++ == 0)
            first = i;
    }
    if (count == 0)
        return 0;
    return memfs_verify_record(h->v, MEMFS_XATTRS, first,
                               "starts a set that no node has, the first of %" PRIu64 " such", count);
}

int memfs_verify_xattrs(struct memfs_verifying *v)
{
    struct heap h = {
        .v = v, .nodes = v->image->root.table[MEMFS_NODES].count, .xattrs = v->image->root.table[MEMFS_XATTRS].count};
    const size_t bytes = memfs_bits_bytes(h.xattrs);
    h.starts = memfs_alloc_zeroed(&v->image->allocator, bytes);
    h.owned = memfs_alloc_zeroed(&v->image->allocator, bytes);
    const int stop =
        h.starts && h.owned ? check_sets(&h) || check_nodes(&h) || check_owners(&h) : memfs_verify_no_memory(v);
    memfs_look_end(v, &h.node_look);
    memfs_look_end(v, &h.xattr_look);
    memfs_look_end(v, &h.blob_look);
    memfs_free(&v->image->allocator, h.starts, bytes);
    memfs_free(&v->image->allocator, h.owned, bytes);
    return stop;
}
