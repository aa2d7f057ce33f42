/*
 * An open image, inside the format's room.
 */
#ifndef MEMFS_IMAGE_INSIDE_H
#define MEMFS_IMAGE_INSIDE_H

#include "backing.h"
#include "cache.h"
#include "chunkmap.h"
#include "memfs_image.h"
#include "root.h"
#include "worker.h"

#define MEMFS_CACHE_DEFAULT ((uint64_t)256 << 20)

/* The data blocks whose decoding, as a whole, was begun last: what follows on one of them
 * is being read in order. As many threads read in order beside each other, or more. */
#define MEMFS_RECENT 16u
struct memfs_recent {
    _Atomic(uint32_t) next[MEMFS_RECENT]; /* the number behind it */
    _Atomic(unsigned) turn;
};

struct memfs_image {
    memfs_backing backing; /* first: an image is a backing */
    struct memfs_allocator allocator;
    struct memfs_source source;
    struct memfs_header header;
    struct memfs_trailer trailer;
    struct memfs_root root;
    struct memfs_epochs epochs;
    struct memfs_cache cache;
    struct memfs_workers workers;
    pthread_mutex_t lock;                    /* binds what follows up to damage */
    struct memfs_chunkmap map[MEMFS_BACKED]; /* bound for whoever reserves; readers need no lock */
    struct memfs_detail damage;              /* the newest; error 0: none */
    _Atomic(uint64_t) reads, read_bytes, decoded_bytes;
    _Atomic(uint64_t) decoded_end; /* what decoded_bytes may come to */
    struct memfs_recent recent;
};

/* Exactly length bytes of the source, counted. */
int memfs_image_read(struct memfs_image *image, uint64_t offset, void *buffer, size_t length);

/* The refs of ref chunk `index` of a level (what it has to refer to is known
 * by count) into refs[MEMFS_REFS_PER_CHUNK]; *got of them, each checked. */
int memfs_image_fetch_refs(struct memfs_image *image, const struct memfs_root *root, uint64_t end, unsigned table,
                           unsigned level, uint64_t index, const struct memfs_ref *ref, struct memfs_worker *worker,
                           struct memfs_ref *refs, size_t *got, struct memfs_detail *detail);

/* A chunk, pinned; as the backing's load, but tells what went wrong. The chunk
 * must exist. */
int memfs_image_load(struct memfs_image *image, enum memfs_table table, uint64_t chunk, struct memfs_pin *pin,
                     const void **data, struct memfs_detail *detail);

/* Is a chunk in the cache? It may go at any time: this asks, and looks at nothing in it, so that
 * who asks need not be a reader, as a caller of the backing's peek must. */
static inline int memfs_image_is_resident(const struct memfs_image *image, enum memfs_table table, uint64_t chunk)
{
    return memfs_chunkmap_get(&image->map[table], chunk) != NULL;
}

/* Where a chunk or data block lies. It must exist. */
int memfs_image_find_ref(struct memfs_image *image, unsigned table, uint64_t index, struct memfs_ref *out,
                         struct memfs_detail *detail);

/* A data block of which `need` bytes are decoded, pinned. MEMFS_ECORRUPT if it has
 * fewer. */
int memfs_image_pin_block(struct memfs_image *image, uint32_t block, size_t need, struct memfs_pin *pin,
                          const uint8_t **data, struct memfs_detail *detail);

/* Decodes a data block past the cache into raw, of ref->raw bytes. */
int memfs_image_decode_block(struct memfs_image *image, uint64_t block, const struct memfs_ref *ref,
                             struct memfs_worker *worker, void *raw, struct memfs_detail *detail);

/* The backing's read, with detail. */
int memfs_image_read_block(struct memfs_image *image, uint32_t block, uint64_t start, void *buffer, size_t length,
                           struct memfs_detail *detail);

extern const struct memfs_backing_ops memfs_image_ops;

/* Gives back everything that opening made; the source is closed. */
void memfs_image_free(struct memfs_image *image);

/* Sources (source.c). The descriptor is checked: a file or block device.
 * With owned it is closed with the source, or at once if there will be none. */
int memfs_source_of_fd(int fd, int owned, const struct memfs_allocator *allocator, struct memfs_source *out);
int memfs_source_of_buffer(const void *data, size_t length, const struct memfs_allocator *allocator,
                           struct memfs_source *out);

#endif
