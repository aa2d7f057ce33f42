/*
 * A structure-aware mutator: takes an image apart into its decoded chunks,
 * changes some of them, or the root, or the header, and puts it together with
 * all checksums right again. Images whose refs have levels are left alone: the
 * seeds are small.
 */
#include "alloc.h"
#include "codec.h"
#include "columns.h"
#include "fuzz.h"
#include "hash.h"
#include "layout.h"
#include "root.h"

#include <string.h>

#define ROOM_BEHIND 16u         /* for being lengthened twice */
#define ENCODED_MOST (1u << 16) /* what is longer is stored raw */
#define RAW_MOST 600u           /* what is shorter is mostly stored raw too */
#define PARTS_MOST (MEMFS_IMAGE_TABLES * MEMFS_REFS_TOP)

/* A chunk or data block. */
struct part {
    struct memfs_ref *ref; /* in the root */
    unsigned table;
    size_t length;
    uint8_t *raw; /* with ROOM_BEHIND zeros behind */
};

struct image {
    struct memfs_header header;
    struct memfs_trailer trailer;
    struct memfs_root *root;
    struct part parts[PARTS_MOST]; /* in the file's order */
    unsigned count;
};

/* To make these takes longer than to use them: once for all. */
static struct {
    struct memfs_decoder *decoder;
    struct memfs_encoder *encoder;
} zstd;

static int prepare(void)
{
    const struct memfs_allocator allocator = memfs_allocator_or_default(NULL);
    if (!zstd.decoder && memfs_decoder_create(&allocator, &zstd.decoder))
        return -1;
    return zstd.encoder ? 0 : memfs_encoder_create(&allocator, 1, ENCODED_MOST, &zstd.encoder);
}

/* ---- Apart ------------------------------------------------------------------ */

static int take_part(struct image *image, const uint8_t *data, struct part *part)
{
    const struct memfs_ref *ref = part->ref;
    const char *reason;
    if (ref->raw > MEMFS_BLOCK_MOST)
        return -1;
    part->length = ref->raw;
    part->raw = malloc((size_t)ref->raw + ROOM_BEHIND);
    if (!part->raw)
        return -1;
    memset(part->raw, 0, (size_t)ref->raw + ROOM_BEHIND);
    image->count++;
    return memfs_decode(zstd.decoder, ref->codec, data + ref->offset, ref->stored, ref->raw, part->raw, ref->raw,
                        &reason);
}

static int take_parts(struct image *image, const uint8_t *data)
{
    static const unsigned order[MEMFS_IMAGE_TABLES] = {MEMFS_DATA,   MEMFS_NODES, MEMFS_ENTRIES, MEMFS_EXTENTS,
                                                       MEMFS_XATTRS, MEMFS_BLOBS, MEMFS_DIGESTS};
    for (unsigned i = 0; i < MEMFS_IMAGE_TABLES; i++) {
        struct memfs_root_table *table = &image->root->table[order[i]];
        uint64_t chunks = memfs_chunk_total(order[i], table->count);
        if (memfs_refs_height(chunks) > 0)
            return -1;
        for (uint64_t chunk = 0; chunk < chunks; chunk++) {
            struct part *part = &image->parts[image->count];
            *part = (struct part){.ref = &table->refs[chunk], .table = order[i]};
            if (take_part(image, data, part))
                return -1;
        }
    }
    return 0;
}

/* Header, trailer and root: what opening looks at. */
static int take_root(struct image *image, const uint8_t *data, size_t size)
{
    struct memfs_trailer *trailer = &image->trailer;
    if (size < MEMFS_HEADER_BYTES + MEMFS_TRAILER_BYTES || memfs_header_decode(data, &image->header, NULL) ||
        memfs_trailer_decode(data + size - MEMFS_TRAILER_BYTES, size - MEMFS_TRAILER_BYTES, trailer, NULL) ||
        memfs_root_decode(data + trailer->root_offset, trailer->root_length, &image->header, trailer, image->root,
                          NULL))
        return -1;
    return 0;
}

/* ---- Changes ----------------------------------------------------------------- */

static void change_bytes(uint8_t *data, size_t length, uint64_t *seed)
{
    for (uint64_t n = 1 + fuzz_random(seed) % 3; n && length; n--) {
        uint8_t *byte = &data[fuzz_random(seed) % length];
        uint64_t value = fuzz_random(seed);
        switch (fuzz_random(seed) % 5) {
        case 0:
            *byte ^= (uint8_t)(1u << value % 8);
            break;
        case 1:
            *byte = (uint8_t)(*byte + (value % 2 ? 1 : 255));
            break;
        case 2:
            *byte = value % 2 ? 0 : 255;
            break;
        case 3:
            *byte = data[value % length];
            break;
        default:
            *byte = (uint8_t)value;
        }
    }
}

static void change_root(struct memfs_root *root, uint64_t *seed)
{
    uint64_t *const totals[] = {&root->content_bytes, &root->data_bytes, &root->raw_bytes};
    uint64_t value = fuzz_random(seed), step = value & 1 ? 1 : UINT64_MAX;
    switch (fuzz_random(seed) % 3) {
    case 0:
        root->types[value / 2 % MEMFS_TYPES] += step;
        break;
    case 1:
        *totals[value / 2 % 3] += step;
        break;
    default: {
        /* Within the chunk: a root that lacks refs would not be opened at all. */
        uint64_t *count = &root->table[value / 2 % MEMFS_IMAGE_TABLES].count;
        if (*count > 1 && *count % MEMFS_CHUNK_RECORDS > 1)
            *count += step;
    }
    }
}

/* Mostly records; sometimes lengths, which the counts then contradict. */
static void change(struct image *image, uint64_t *seed)
{
    for (uint64_t n = 1 + fuzz_random(seed) % 2; n; n--) {
        struct part *part = &image->parts[fuzz_random(seed) % image->count];
        if (part->table >= MEMFS_DIGESTS) /* what is in these matters less: once more */
            part = &image->parts[fuzz_random(seed) % image->count];
        uint64_t kind = fuzz_random(seed) % 16;
        if (kind < 4 && part->table != MEMFS_ENTRIES && fuzz_random(seed) % 4) /* would be refused at once */
            kind = 4;
        if (kind == 0)
            change_root(image->root, seed);
        else if (kind == 1)
            image->header.block_size = MEMFS_BLOCK_LEAST << fuzz_random(seed) % 9;
        else if (kind == 2 && part->length > 8)
            part->length -= fuzz_random(seed) % 8;
        else if (kind == 3)
            part->length += fuzz_random(seed) % 8;
        else
            change_bytes(part->raw, part->length, seed);
    }
}

/* ---- Together ----------------------------------------------------------------- */

/* Few short ones compressed: that would take most of the time, and zstd is not what is sought. */
static size_t put_part(struct image *image, struct part *part, int compressed, uint8_t *at)
{
    const void *stored = part->raw;
    size_t length = part->length;
    uint8_t codec = MEMFS_CODEC_RAW;
    uint8_t *scratch = malloc(length + 1);
    if (!compressed || !scratch || length > ENCODED_MOST ||
        memfs_encode(zstd.encoder, part->raw, length, scratch, &stored, &length, &codec)) {
        stored = part->raw;
        length = part->length;
        codec = MEMFS_CODEC_RAW;
    }
    memcpy(at, stored, length);
    free(scratch);
    part->ref->hash = memfs_hash(at, length);
    part->ref->stored = (uint32_t)length;
    part->ref->raw = (uint32_t)part->length;
    part->ref->codec = codec;
    if (part->table == MEMFS_DATA)
        image->root->stored_bytes += length;
    return length;
}

static size_t put_together(struct image *image, uint64_t *seed, uint8_t *out)
{
    memfs_header_encode(&image->header, out);
    size_t at = MEMFS_HEADER_BYTES;
    image->root->stored_bytes = 0;
    for (unsigned i = 0; i < image->count; i++) {
        image->parts[i].ref->offset = at;
        at += put_part(image, &image->parts[i], image->parts[i].length > RAW_MOST || fuzz_random(seed) % 8 == 0,
                       out + at);
    }
    struct memfs_trailer *trailer = &image->trailer;
    trailer->root_offset = at;
    trailer->root_length = (uint32_t)memfs_root_encode(image->root, out + at);
    trailer->root_hash = memfs_hash(out + at, trailer->root_length);
    trailer->header_hash = memfs_hash(out, MEMFS_HEADER_BYTES);
    at += trailer->root_length;
    trailer->offset = at;
    memfs_trailer_encode(trailer, out + at);
    return at + MEMFS_TRAILER_BYTES;
}

static size_t reseal(const uint8_t *data, size_t size, uint64_t seed, uint8_t **out)
{
    static struct image image;
    static struct memfs_root root;
    image = (struct image){.root = &root};
    size_t length = 0;
    *out = NULL;
    if (take_root(&image, data, size) == 0 && take_parts(&image, data) == 0 && image.count > 0) {
        change(&image, &seed);
        size_t room = MEMFS_HEADER_BYTES + MEMFS_ROOT_BYTES_MAX + MEMFS_TRAILER_BYTES;
        for (unsigned i = 0; i < image.count; i++)
            room += image.parts[i].length;
        *out = malloc(room);
        if (*out)
            length = put_together(&image, &seed, *out);
    }
    for (unsigned i = 0; i < image.count; i++)
        free(image.parts[i].raw);
    return length;
}

int fuzz_opens(const uint8_t *data, size_t size)
{
    static struct image image;
    static struct memfs_root root;
    image = (struct image){.root = &root};
    return take_root(&image, data, size) == 0;
}

/* What a root cannot say is met at once, and nothing else with it: mostly something else is tried. */
size_t fuzz_reseal(const uint8_t *data, size_t size, uint64_t seed, uint8_t **out)
{
    *out = NULL;
    if (prepare())
        return 0;
    for (unsigned tries = seed % 64 ? 4 : 1;; tries--) {
        size_t length = reseal(data, size, fuzz_random(&seed), out);
        if (!length || tries == 1 || fuzz_opens(*out, length))
            return length;
        free(*out);
        *out = NULL;
    }
}
