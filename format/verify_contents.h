/*
 * Verifying contents: what its parts share. Extents are checked first, and files found
 * that have equal ones; then contents are read.
 */
#ifndef MEMFS_VERIFY_CONTENTS_H
#define MEMFS_VERIFY_CONTENTS_H

#include "verify.h"

#define MEMFS_EXTENT_WORK 64u /* bytes that looking at an extent counts as */

struct memfs_verify_files {
    uint64_t bytes_max;
    uint64_t looked; /* bytes that looking at extents counted as */
    uint32_t *twin;  /* by node: an earlier file of equal extents and size, which is to be read; 0: none */
    uint64_t parts;  /* extents of the files to be read */
    uint32_t
        *last; /* by data block: the last of these that is in it, counted from 1 in the order of reading; 0: none */
};

static inline int memfs_is_file(const struct memfs_node_record *node)
{
    return (node->mode & MEMFS_IFMT) == MEMFS_IFREG;
}

/* Reports that a limit is exceeded: 1. */
int memfs_verify_over_limit(struct memfs_verifying *v, const char *what, uint64_t limit);
/* Counts extents that were looked at. Returns nonzero to stop. */
int memfs_verify_looked(struct memfs_verifying *v, struct memfs_verify_files *files, uint64_t extents);

/* Files that were met, to be found again by their extents, of which the digest is known
 * when one of them was read: it need not be read a second time, however far it is. Of
 * a limited size, so that of very many files some twins are not found. */
struct memfs_twins {
    struct memfs_verifying *v;
    struct memfs_verify_files *files;
    struct memfs_twin {
        uint32_t node, mark;
    } * table;
    uint64_t slots; /* a power of two; 0: nothing was made */
    struct memfs_look node_look, extent_look, other_look;
};
int memfs_twins_begin(struct memfs_twins *twins, struct memfs_verifying *v, struct memfs_verify_files *files);
void memfs_twins_end(struct memfs_twins *twins); /* also twice */

/* What files are looked up by: of a size and all fields of all extents, in turn. */
static inline uint64_t memfs_twins_mark(uint64_t mark, uint64_t field)
{
    mark = (mark ^ field) * 0x9e3779b97f4a7c15u;
    return mark ^ mark >> 29;
}
/* *twin is an earlier file of equal size and extents, or 0: then this one is remembered.
 * Returns nonzero to stop. */
int memfs_twins_find(struct memfs_twins *twins, uint64_t n, const struct memfs_node_record *node, uint64_t mark,
                     uint32_t *twin);

/* A file of which a part is in a block that cannot be decoded, the first such block. */
struct memfs_damaged {
    uint32_t node, block;
    int told;
};
struct memfs_damaged *memfs_find_damaged(struct memfs_damaged *files, size_t count, uint32_t node); /* or NULL */
/* Reports each, by its path: in order of the directories that they are in. They are sorted by node; it
 * takes one look at each entry, however many they are. */
int memfs_verify_damaged(struct memfs_verifying *v, struct memfs_damaged *files, size_t count);

/* That contents have their digests, and that all data blocks can be decoded. The
 * extents of all files are sound. */
int memfs_verify_digests(struct memfs_verifying *v, const struct memfs_verify_files *files);

#endif
