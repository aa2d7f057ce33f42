/*
 * Changes that are more than a few fields.
 */
#ifndef EDITS_H
#define EDITS_H

#include "surgery.h"

typedef void edit_fn(struct surgery *s);

/* Of EVERYTHING. */
edit_fn edit_cycle;          /* a/b and its child c hang from each other */
edit_fn edit_ring;           /* the same, and names the way back: b is in c, c in b */
edit_fn edit_nodes_unnamed;  /* 5 more nodes that no entry names */
edit_fn edit_node_unnamed;   /* one */
edit_fn edit_heap_unnamed;   /* 10 more bytes of blobs */
edit_fn edit_extent_unnamed; /* a record that is no file's */
edit_fn edit_xattr_unnamed;  /* a set that is no node's */
edit_fn edit_target_crosses; /* a target that crosses the end of a chunk of blobs */
edit_fn edit_without_nodes;  /* only node 0 is left */
/* Of NAMES. */
edit_fn edit_runs_shared;   /* d1 to d6 claim the entries of d0 */
edit_fn edit_run_of_root;   /* d0 claims the entries of the root */
edit_fn edit_ring_of_six;   /* d0 is in d1, d1 in d2, ... d5 in d0 */
edit_fn edit_prefixes;      /* the names in d0 begin with the same 200 bytes */
edit_fn edit_name_chain;    /* each name in d0 is the one before and a byte */
edit_fn edit_same_words;    /* the names in d0 are of the same 8-byte words, in another order */
edit_fn edit_digests_equal; /* all files have the digest of one that is not empty */
edit_fn edit_seam_twice;    /* the first name of a chunk is the last one of the chunk before */
edit_fn edit_seam_link;     /* the same, and the first of the two is a symbolic link, the second a directory */
/* Of GENERATIONS. */
edit_fn edit_block_in_trailer; /* block 0 of the third is the beginning of the second's trailer */
/* Of SPARSE, and with the digest that they then have. */
edit_fn edit_sparse_2_62;     /* zeros has 2^62 bytes */
edit_fn edit_sparse_2_50;     /* 2^50 */
edit_fn edit_sparse_far_data; /* the last bytes of sparse are behind 2^62 */
/* Of BLOCKS. */
edit_fn edit_blocks_equal;      /* block 1 has the bytes of block 0 */
edit_fn edit_block_unused;      /* a block that is in no file */
edit_fn edit_files_overlap;     /* each file is 50 bytes of block 0, from 1 byte further on */
edit_fn edit_files_share;       /* each file is all of block 0 */
edit_fn edit_alternating;       /* f00 is 20,000 extents of a byte, of 40 blocks in turn */
edit_fn edit_ratio_bomb;        /* f00 is 256 MiB, in blocks that are a frame of 522 bytes each */
edit_fn edit_ratio_bomb_zeros;  /* the same of zeros */
edit_fn edit_ratio_bomb_shared; /* every file is that */
/* Of EMPTY. */
edit_fn edit_deep_thousand; /* 1,000 directories, each in the one before */
edit_fn edit_deep;          /* 50,000; with MEMFS_FULL a million */
edit_fn edit_deep_lying;    /* the same, and the last one claims the first */
edit_fn edit_deep_apart;    /* the same, and the first hangs from the last, no longer from the root */
edit_fn edit_deep_long;     /* 300 directories with names of 255 bytes */
edit_fn edit_wide;          /* 100,000 names of one file; with MEMFS_FULL a million */
edit_fn edit_wide_lying;    /* the same, but it says it has one link */
edit_fn edit_ten_million;   /* 20,000 directories that claim the same 500 entries */

#endif
