/*
 * The digest of a content that comes in pieces, data and gaps in order: the
 * hash of its bytes, each maximal run of aligned pages of zeros replaced by 16
 * bytes that say where it is. Whether zeros were stored or left out makes no
 * difference.
 */
#ifndef MEMFS_DIGEST_H
#define MEMFS_DIGEST_H

#include "hash.h"
#include "records.h"

struct memfs_digest {
    struct memfs_hasher hasher;
    uint64_t offset; /* bytes taken so far */
    uint64_t hole;   /* where the run of zero pages began that is still growing */
    uint64_t hole_length;
    size_t fill; /* bytes of the page that is not whole yet */
    uint8_t page[MEMFS_HOLE_BYTES];
};

void memfs_digest_begin(struct memfs_digest *digest);
void memfs_digest_add(struct memfs_digest *digest, const void *data, size_t length);
/* length zeros, in a time that does not depend on how many. */
void memfs_digest_add_gap(struct memfs_digest *digest, uint64_t length);
/* The same at once, of bytes without a page of zeros. */
uint64_t memfs_digest_of(const void *data, size_t length);
uint64_t memfs_digest_end(struct memfs_digest *digest);

#endif
