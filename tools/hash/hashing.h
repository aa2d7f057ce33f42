/*
 * Digests of many files of an image: several threads work on them, and they are told in the
 * order in which they were given.
 */
#ifndef MEMFS_TOOLS_HASHING_H
#define MEMFS_TOOLS_HASHING_H

#include "hash/checksum.h"
#include "memfs_image.h"

struct hashing_file {
    char *path;
    memfs_node node;
    uint64_t size;
    int error; /* of reading it; then there is no digest */
    struct memfs_detail detail;
    unsigned char digest[CHECKSUM_BYTES_MAX];
    size_t digest_length;
    int done;
};

/* Called in the thread that adds files. Nonzero: standard output has failed, and no more is to be done. */
typedef int hashing_told(void *context, const struct hashing_file *file);

struct hashing_options {
    enum checksum_algorithm algorithm;
    unsigned threads; /* fewer if no more can be had */
    hashing_told *told;
    void *context;
    memfs_progress_fn *progress; /* called now and then, also with totals; nonzero cancels */
    uint64_t nodes_total, bytes_total;
};

struct hashing;

/* fs stands on image. 0 or -ENOMEM. */
int hashing_start(memfs *fs, memfs_image *image, const struct hashing_options *options, struct hashing **out);
/* A regular file; path is copied. 0, -ENOMEM, or -ECANCELED: no more. */
int hashing_add(struct hashing *hashing, const char *path, memfs_node node, uint64_t size);
/* Tells all that is left, unless it was cancelled, and frees. 0 or -ECANCELED. NULL is accepted. */
int hashing_finish(struct hashing *hashing);

#endif
