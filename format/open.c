/*
 * Opening: the header, the trailer, the root; nothing else is read.
 */
#include "alloc.h"
#include "columns.h"
#include "detail.h"
#include "hash.h"
#include "image.h"
#include "retry.h"
#include "sized.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define LEAST_BYTES (MEMFS_HEADER_BYTES + MEMFS_ROOT_LEAST + MEMFS_TRAILER_BYTES)

static int read_at(struct memfs_image *image, uint64_t offset, void *buffer, size_t length, const char *what,
                   struct memfs_detail *detail)
{
    const int error = memfs_image_read(image, offset, buffer, length);
    if (error)
        return memfs_detail_fill(detail, error, offset, "cannot read the %s: %s", what, memfs_strerror(error));
    return 0;
}

/* What is too short for an image is one that was cut off only if it begins as one. */
static int read_header(struct memfs_image *image, uint8_t bytes[MEMFS_HEADER_BYTES], struct memfs_detail *detail)
{
    const uint64_t size = image->source.size;
    memset(bytes, 0, MEMFS_HEADER_BYTES);
    int error =
        read_at(image, 0, bytes, size < MEMFS_HEADER_BYTES ? (size_t)size : MEMFS_HEADER_BYTES, "header", detail);
    if (error)
        return error;
    error = memfs_header_recognise(bytes, detail);
    if (error)
        return error;
    if (size < LEAST_BYTES)
        return memfs_detail_fill(detail, MEMFS_ECORRUPT, size,
                                 "truncated: %" PRIu64 " bytes are fewer than any image has", size);
    return 0;
}

static int read_trailer(struct memfs_image *image, const uint8_t header[MEMFS_HEADER_BYTES],
                        struct memfs_detail *detail)
{
    uint8_t bytes[MEMFS_TRAILER_BYTES];
    const uint64_t at = image->source.size - MEMFS_TRAILER_BYTES;
    int error = read_at(image, at, bytes, sizeof bytes, "trailer", detail);
    if (error)
        return error;
    error = memfs_trailer_decode(bytes, at, &image->trailer, detail);
    if (error)
        return error;
    if (memfs_hash(header, MEMFS_HEADER_BYTES) != image->trailer.header_hash)
        return memfs_detail_fill(detail, MEMFS_ECHECKSUM, 0, "header: its checksum does not match");
    return 0;
}

static int read_root(struct memfs_image *image, struct memfs_detail *detail)
{
    const struct memfs_trailer *trailer = &image->trailer;
    uint8_t *bytes = memfs_alloc(&image->allocator, trailer->root_length);
    if (!bytes)
        return -ENOMEM;
    int error = read_at(image, trailer->root_offset, bytes, trailer->root_length, "root", detail);
    if (!error && memfs_hash(bytes, trailer->root_length) != trailer->root_hash)
        error = memfs_detail_fill(detail, MEMFS_ECHECKSUM, trailer->root_offset, "root: its checksum does not match");
    if (!error)
        error = memfs_root_decode(bytes, trailer->root_length, &image->header, trailer, &image->root, detail);
    memfs_free(&image->allocator, bytes, trailer->root_length);
    return error;
}

static int read_ends(struct memfs_image *image, struct memfs_detail *detail)
{
    uint8_t header[MEMFS_HEADER_BYTES];
    int error = read_header(image, header, detail);
    if (!error)
        error = read_trailer(image, header, detail);
    if (!error)
        error = memfs_header_decode(header, &image->header, detail);
    if (!error)
        error = read_root(image, detail);
    return error;
}

static void publish(struct memfs_image *image)
{
    memfs_backing *backing = &image->backing;
    memfs_backing_init(backing, &memfs_image_ops, &image->epochs);
    for (unsigned table = 0; table < MEMFS_BACKED; table++)
        backing->count[table] = image->root.table[table].count;
    backing->blocks = image->root.table[MEMFS_DATA].count;
    memfs_frames_shape(&image->cache.frames, image->header.block_size, image->cache.budget);
    backing->nodes_in_use = 0;
    for (unsigned i = 0; i < MEMFS_TYPES; i++)
        backing->nodes_in_use += image->root.types[i];
}

/* Everything that memfs_image_free() takes back, or nothing. */
static int make_image(const struct memfs_allocator *allocator, uint64_t budget, struct memfs_image **out)
{
    struct memfs_image *image = memfs_alloc_zeroed(allocator, sizeof *image);
    if (!image)
        return -ENOMEM;
    image->allocator = *allocator;
    for (unsigned table = 0; table < MEMFS_BACKED; table++)
        memfs_chunkmap_init(&image->map[table]);
    int error = -pthread_mutex_init(&image->lock, NULL);
    if (error)
        goto no_lock;
    error = memfs_epochs_init(&image->epochs);
    if (error)
        goto no_epochs;
    error = memfs_cache_init(&image->cache, &image->allocator, &image->epochs, budget);
    if (error)
        goto no_cache;
    error = memfs_workers_init(&image->workers, &image->cache.evicting);
    if (error)
        goto no_workers;
    *out = image;
    return 0;
no_workers:
    memfs_cache_destroy(&image->cache);
no_cache:
    memfs_epochs_destroy(&image->epochs);
no_epochs:
    pthread_mutex_destroy(&image->lock);
no_lock:
    memfs_free(allocator, image, sizeof *image);
    return error;
}

static int take_options(struct memfs_image_options *taken, const struct memfs_image_options *options,
                        struct memfs_detail *detail)
{
    const int error = memfs_sized_take(taken, sizeof *taken, options, detail);
    if (taken->cache_bytes == 0)
        taken->cache_bytes = MEMFS_CACHE_DEFAULT;
    if (taken->decoded_max == 0)
        taken->decoded_max = UINT64_MAX;
    return error;
}

/* The source is closed in any case. */
static int open_source(const struct memfs_source *source, const struct memfs_image_options *taken, memfs_image **out,
                       struct memfs_detail *detail)
{
    const struct memfs_allocator allocator = memfs_allocator_or_default(taken->allocator);
    struct memfs_image *image = NULL;
    int error = make_image(&allocator, taken->cache_bytes, &image);
    if (error) {
        if (source->close)
            source->close(source->context);
        return memfs_detail_fill(detail, error, MEMFS_NOWHERE, "no memory to open an image");
    }
    image->source = *source;
    memfs_image_allow(image, taken->decoded_max);
    memfs_detail_fill(detail, 0, MEMFS_NOWHERE, "%s", "");
    error = read_ends(image, detail);
    if (error) {
        memfs_image_free(image);
        if (detail && detail->error == 0)
            memfs_detail_fill(detail, error, MEMFS_NOWHERE, "cannot open the image: %s", memfs_strerror(error));
        return error;
    }
    publish(image);
    *out = image;
    return 0;
}

int memfs_image_open_source(const struct memfs_source *source, const struct memfs_image_options *options,
                            memfs_image **out, struct memfs_detail *detail)
{
    struct memfs_image_options taken;
    const int error = take_options(&taken, options, detail);
    if (error && source->close)
        source->close(source->context);
    return error ? error : open_source(source, &taken, out, detail);
}

static int open_fd(int fd, int owned, const char *name, const struct memfs_image_options *taken, memfs_image **out,
                   struct memfs_detail *detail)
{
    const struct memfs_allocator allocator = memfs_allocator_or_default(taken->allocator);
    struct memfs_source source;
    const int error = memfs_source_of_fd(fd, owned, &allocator, &source);
    if (error == -EISDIR)
        return memfs_detail_fill(detail, error, MEMFS_NOWHERE, "%s is a directory, not an image", name);
    if (error == -ESPIPE)
        return memfs_detail_fill(detail, error, MEMFS_NOWHERE,
                                 "%s is no file: an image is read from its end, copy it to a file first", name);
    if (error)
        return memfs_detail_fill(detail, error, MEMFS_NOWHERE, "%s: %s", name, memfs_strerror(error));
    return open_source(&source, taken, out, detail);
}

int memfs_image_open_fd(int fd, const struct memfs_image_options *options, memfs_image **out,
                        struct memfs_detail *detail)
{
    struct memfs_image_options taken;
    const int error = take_options(&taken, options, detail);
    return error ? error : open_fd(fd, 0, "the descriptor", &taken, out, detail);
}

int memfs_image_open_path(const char *path, const struct memfs_image_options *options, memfs_image **out,
                          struct memfs_detail *detail)
{
    struct memfs_image_options taken;
    int error = take_options(&taken, options, detail);
    if (error)
        return error;
    /* Without O_NONBLOCK a FIFO would wait here for somebody who writes. */
    int fd;
    MEMFS_RETRY(fd, open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (fd < 0) {
        error = -errno;
        return memfs_detail_fill(detail, error, MEMFS_NOWHERE, "cannot open %s: %s", path, memfs_strerror(error));
    }
    struct memfs_image *image = NULL;
    error = open_fd(fd, 1, path, &taken, &image, detail);
    if (!error)
        *out = image;
    return error;
}

int memfs_image_open_buffer(const void *data, size_t length, const struct memfs_image_options *options,
                            memfs_image **out, struct memfs_detail *detail)
{
    struct memfs_image_options taken;
    int error = take_options(&taken, options, detail);
    if (error)
        return error;
    const struct memfs_allocator allocator = memfs_allocator_or_default(taken.allocator);
    struct memfs_source source;
    error = memfs_source_of_buffer(data, length, &allocator, &source);
    if (error)
        return memfs_detail_fill(detail, error, MEMFS_NOWHERE, "no memory to open an image");
    return open_source(&source, &taken, out, detail);
}

void memfs_image_close(memfs_image *image)
{
    if (image)
        memfs_backing_release(&image->backing);
}

memfs_backing *memfs_image_backing(memfs_image *image)
{
    return &image->backing;
}

void memfs_image_allow(memfs_image *image, uint64_t decoded_bytes)
{
    const uint64_t so_far = atomic_load(&image->decoded_bytes);
    atomic_store(&image->decoded_end, decoded_bytes > UINT64_MAX - so_far ? UINT64_MAX : so_far + decoded_bytes);
}

int memfs_image_damage(memfs_image *image, struct memfs_detail *out)
{
    pthread_mutex_lock(&image->lock);
    const struct memfs_detail damage = image->damage;
    pthread_mutex_unlock(&image->lock);
    if (out)
        *out = damage;
    return damage.error;
}

int memfs_image_info(memfs_image *image, struct memfs_image_info *out)
{
    const struct memfs_root *root = &image->root;
    memset(out, 0, sizeof *out);
    out->format_major = image->header.major;
    out->format_minor = image->header.minor;
    out->features_incompatible = image->header.incompatible;
    out->features_read_only_compatible = image->header.read_only_compatible;
    out->features_compatible = image->header.compatible;
    out->image_bytes = image->source.size;
    out->block_size = image->header.block_size;
    out->generation = image->trailer.generation;
    out->has_time = (int)root->has_time;
    out->time = root->time;
    memcpy(out->message, root->message, root->message_length);
    out->nodes = image->backing.nodes_in_use;
    memcpy(out->types, root->types, sizeof out->types);
    out->content_bytes = root->content_bytes;
    out->data_bytes = root->data_bytes;
    out->stored_bytes = root->stored_bytes;
    out->raw_bytes = root->raw_bytes;
    out->blocks = root->table[MEMFS_DATA].count;
    out->entries = root->table[MEMFS_ENTRIES].count;
    out->extents = root->table[MEMFS_EXTENTS].count;
    out->xattrs = root->table[MEMFS_XATTRS].count;
    out->blob_bytes = root->table[MEMFS_BLOBS].count;
    return 0;
}

void memfs_image_statistics(memfs_image *image, struct memfs_image_statistics *out)
{
    out->reads = atomic_load(&image->reads);
    out->read_bytes = atomic_load(&image->read_bytes);
    out->decoded_bytes = atomic_load(&image->decoded_bytes);
    out->cached_bytes = atomic_load(&image->cache.bytes);
}
