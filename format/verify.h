/*
 * Verifying, inside the format's room: what its parts share. Each part goes on
 * after a finding where that makes sense, and returns nonzero to stop at once:
 * somebody wanted to, or it cannot go on (`failure`).
 */
#ifndef MEMFS_VERIFY_H
#define MEMFS_VERIFY_H

#include "image.h"

struct memfs_pool;
struct memfs_verify_window;

#define MEMFS_FINDINGS_TOLD 100u                /* the others are only counted */
#define MEMFS_VERIFY_CHUNK ((uint64_t)32 << 10) /* bytes that loading a chunk counts as */

struct memfs_verifying {
    struct memfs_image *image;
    struct memfs_verify_options options;
    struct memfs_detail first; /* finding, or the failure; error 0: none */
    uint64_t findings;         /* also those that are too many to be told */
    int failure;               /* not the image's: no memory, cancelled, reading */
    int stopped;               /* by who is told of the findings */
    struct memfs_pool *pool;
    struct memfs_verify_window *window; /* of data blocks, while records are checked */
    struct memfs_progress progress;
    uint64_t untold;     /* work since the progress was told */
    unsigned paths;      /* that were searched for */
    uint64_t cache_most; /* verifying lets the image's cache grow no further */
    uint32_t *block_raw; /* by data block: its raw length; 0: its ref could not be had */
    uint8_t *block_done; /* bit by data block: its hash was looked at */
    uint64_t decoded;    /* bytes of chunks, some of which are needed again when they are gone, and of data blocks */
    int tables_broken;   /* a chunk of a table, or of refs, could not be had */
};

/* Reports. Returns nonzero to stop. */
__attribute__((format(printf, 4, 5))) int memfs_verify_finding(struct memfs_verifying *v, int error, uint64_t offset,
                                                               const char *format, ...);
/* A contradiction in one record: MEMFS_ECORRUPT, at the offset of its chunk. */
__attribute__((format(printf, 4, 5))) int memfs_verify_record(struct memfs_verifying *v, enum memfs_table table,
                                                              uint64_t index, const char *format, ...);
/* An error that may be the image's or not: reports it, or fails with it. */
int memfs_verify_error(struct memfs_verifying *v, int error, const struct memfs_detail *detail);
int memfs_verify_no_memory(struct memfs_verifying *v);

/* Counts work of so many bytes and nodes, and a little for the call itself: every
 * loop calls it or the other, so that it can be stopped however little it does at
 * each turn. Returns nonzero to stop. */
int memfs_verify_progress(struct memfs_verifying *v, uint64_t bytes, uint64_t nodes);
/* The same for work, in bytes, that is not part of what the progress shows. */
int memfs_verify_work(struct memfs_verifying *v, uint64_t work);

/* What all contents together may have at most. */
uint64_t memfs_verify_bytes_max(const struct memfs_verifying *v);
/* Reports that a limit keeps the rest from being checked. Returns nonzero. */
int memfs_verify_over_limit(struct memfs_verifying *v, const char *what, uint64_t limit);
/* Counts bytes that are decoded. Returns nonzero to stop: it is over the limit. */
int memfs_verify_decoded(struct memfs_verifying *v, uint64_t bytes);

/* Looks at records one after the other; keeps the chunk of the last one pinned.
 * Zeroed: holds nothing. For BLOBS index is an offset. */
struct memfs_look {
    const void *data;
    struct memfs_pin pin;
    uint64_t chunk;
};
/* The chunk that has index. Returns nonzero to stop; the record is there until
 * the next call. */
int memfs_look_chunk(struct memfs_verifying *v, struct memfs_look *look, enum memfs_table table, uint64_t index);
void memfs_look_end(struct memfs_verifying *v, struct memfs_look *look);
int memfs_look_node(struct memfs_verifying *v, struct memfs_look *look, uint64_t index,
                    const struct memfs_node_record **out);
/* *name is its name, without NUL. */
int memfs_look_entry(struct memfs_verifying *v, struct memfs_look *look, uint64_t index, const struct memfs_entry **out,
                     const char **name);
int memfs_look_extent(struct memfs_verifying *v, struct memfs_look *look, uint64_t index,
                      const struct memfs_extent **out);
int memfs_look_xattr(struct memfs_verifying *v, struct memfs_look *look, uint64_t index,
                     const struct memfs_xattr **out);
int memfs_look_digest(struct memfs_verifying *v, struct memfs_look *look, uint64_t index, uint64_t *out);
int memfs_look_blob(struct memfs_verifying *v, struct memfs_look *look, uint64_t offset, const char **out);

/* The path of a node from text + start on, its beginning left out if it is longer than any that a host
 * takes; "" if it was not searched for, as for findings that are not told. Returns nonzero to stop. */
struct memfs_verify_path {
    size_t start;
    char text[4096];
};
int memfs_verify_find_path(struct memfs_verifying *v, uint64_t node, struct memfs_verify_path *path);
/* The same of an entry, where the directory that has it is known: that takes no search. */
int memfs_verify_entry_path(struct memfs_verifying *v, uint64_t entry, uint32_t directory,
                            struct memfs_verify_path *path);
/* A finding about a file, which may have a path. Returns nonzero to stop. */
int memfs_verify_file_finding(struct memfs_verifying *v, int error, uint64_t node, const struct memfs_verify_path *path,
                              const char *text);

/* The hash of a block's stored bytes. Called from any thread, each with its worker. */
int memfs_verify_hash(struct memfs_image *image, struct memfs_worker *worker, const struct memfs_ref *ref,
                      uint64_t *hash);
/* What is to be said of a block or chunk that could not be read, or whose hash is
 * another. */
int memfs_verify_unread(struct memfs_verifying *v, unsigned table, uint64_t index, const struct memfs_ref *ref,
                        int error);
int memfs_verify_mismatch(struct memfs_verifying *v, unsigned table, uint64_t index, const struct memfs_ref *ref,
                          uint64_t hash);

/* The parts, in order. */
int memfs_verify_stored(struct memfs_verifying *v);   /* all bytes but data blocks: hashes, tiling, generations */
int memfs_verify_chunks(struct memfs_verifying *v);   /* each chunk alone */
int memfs_verify_tree(struct memfs_verifying *v);     /* nodes and entries */
int memfs_verify_xattrs(struct memfs_verifying *v);   /* attribute sets, link targets */
int memfs_verify_heap(struct memfs_verifying *v);     /* each byte of BLOBS is named */
int memfs_verify_contents(struct memfs_verifying *v); /* extents, digests, totals; data blocks as well */
int memfs_verify_blocks(struct memfs_verifying *v);   /* hashes of the data blocks that are not done */

/* Bits by number. */
static inline int memfs_bit(const uint8_t *bits, uint64_t i)
{
    return bits[i >> 3] >> (i & 7) & 1;
}

static inline size_t memfs_bits_bytes(uint64_t bits)
{
    return (size_t)(bits / 8 + 1);
}

static inline void memfs_bit_set(uint8_t *bits, uint64_t i)
{
    bits[i >> 3] = (uint8_t)(bits[i >> 3] | 1u << (i & 7));
}

#endif
