#include "digest.h"

#include "zeros.h"

#include <string.h>

/* As much of the hash as a digest has. */
static uint64_t known(uint64_t hash)
{
#ifdef MEMFS_WEAK_HASHES /* a build that tests what collisions do */
    return hash & 0xff;
#else
    return hash;
#endif
}

void memfs_digest_begin(struct memfs_digest *digest)
{
    digest->offset = digest->hole = digest->hole_length = 0;
    digest->fill = 0;
    memfs_hasher_begin(&digest->hasher);
}

static void end_hole(struct memfs_digest *digest)
{
    if (digest->hole_length > 0)
        memfs_hasher_add_hole(&digest->hasher, digest->hole, digest->hole_length);
    digest->hole_length = 0;
}

static void take_hole(struct memfs_digest *digest, uint64_t at, uint64_t length)
{
    if (digest->hole_length == 0)
        digest->hole = at;
    digest->hole_length += length;
}

static void take_data(struct memfs_digest *digest, const uint8_t *bytes, size_t length)
{
    end_hole(digest);
    memfs_hasher_add(&digest->hasher, bytes, length);
}

/* The page that has come in pieces, perhaps cut by the end of the content. */
static void take_filled_page(struct memfs_digest *digest)
{
    const size_t length = digest->fill;
    digest->fill = 0;
    if (length > 0 && memfs_all_zero(digest->page, length))
        take_hole(digest, digest->offset - length, length);
    else if (length > 0)
        take_data(digest, digest->page, length);
}

/* Whole pages: what stands between two holes is hashed at once. */
static void take_pages(struct memfs_digest *digest, const uint8_t *bytes, size_t length)
{
    size_t from = 0; /* what begins here is not taken yet */
    for (size_t at = 0; at < length; at += MEMFS_HOLE_BYTES) {
        if (!memfs_all_zero(bytes + at, MEMFS_HOLE_BYTES))
            continue;
        if (at > from)
            take_data(digest, bytes + from, at - from);
        take_hole(digest, digest->offset + at, MEMFS_HOLE_BYTES);
        from = at + MEMFS_HOLE_BYTES;
    }
    if (length > from)
        take_data(digest, bytes + from, length - from);
    digest->offset += length;
}

void memfs_digest_add(struct memfs_digest *digest, const void *data, size_t length)
{
    const uint8_t *bytes = data;
    while (length > 0) {
        const size_t whole = length / MEMFS_HOLE_BYTES * MEMFS_HOLE_BYTES;
        const size_t room = MEMFS_HOLE_BYTES - digest->fill;
        size_t part = length < room ? length : room;
        if (digest->fill == 0 && whole > 0) {
            take_pages(digest, bytes, whole);
            part = whole;
        } else {
            memcpy(digest->page + digest->fill, bytes, part);
            digest->fill += part;
            digest->offset += part;
            if (digest->fill == MEMFS_HOLE_BYTES)
                take_filled_page(digest);
        }
        bytes += part;
        length -= part;
    }
}

void memfs_digest_add_gap(struct memfs_digest *digest, uint64_t length)
{
    static const uint8_t zeros[MEMFS_HOLE_BYTES];
    if (digest->fill > 0) {
        const size_t room = MEMFS_HOLE_BYTES - digest->fill;
        const size_t part = length < room ? (size_t)length : room;
        memfs_digest_add(digest, zeros, part);
        length -= part;
    }
    const uint64_t whole = length / MEMFS_HOLE_BYTES * MEMFS_HOLE_BYTES;
    if (whole > 0)
        take_hole(digest, digest->offset, whole);
    digest->offset += whole;
    memfs_digest_add(digest, zeros, (size_t)(length - whole));
}

uint64_t memfs_digest_end(struct memfs_digest *digest)
{
    take_filled_page(digest);
    end_hole(digest);
    return known(memfs_hasher_end(&digest->hasher));
}

uint64_t memfs_digest_of(const void *data, size_t length)
{
    return known(memfs_hash(data, length));
}
