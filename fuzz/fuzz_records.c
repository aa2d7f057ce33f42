/*
 * Each decoder of records, and the codec, on bytes that no checksum has kept from it.
 *
 * Properties: what header, trailer and root decode to encodes to the same bytes; a
 * chunk's records that are legal encode to bytes that decode to the same records (a
 * column can be told in several ways, of which the encoder chooses one); the first
 * bytes of a block are what they are in the whole of it; what was encoded decodes.
 */
#include "alloc.h"
#include "backing.h"
#include "codec.h"
#include "columns.h"
#include "fuzz.h"
#include "hash.h"
#include "root.h"

#include <string.h>

#define RAW_MOST ((size_t)1 << 17)
#define ROOT_AT 100000u

static uint8_t raw[RAW_MOST], other_raw[RAW_MOST], native[RAW_MOST], other_native[RAW_MOST];

/* ---- Fixed records ------------------------------------------------------------------ */

/* So many bytes of the input, with zeros behind. */
static void take(uint8_t *bytes, size_t length, const uint8_t *data, size_t size)
{
    memset(bytes, 0, length);
    memcpy(bytes, data, size < length ? size : length);
}

static void try_header(const uint8_t *data, size_t size)
{
    struct memfs_header header;
    take(raw, MEMFS_HEADER_BYTES, data, size);
    memcpy(raw, MEMFS_HEADER_MAGIC, MEMFS_MAGIC_BYTES);
    struct memfs_detail detail = {.text = ""};
    if (memfs_header_recognise(raw, &detail) || memfs_header_decode(raw, &header, &detail)) {
        FUZZ_REQUIRE(detail.error && detail.text[0], "an error without a text");
        return;
    }
    memfs_header_encode(&header, other_raw);
    FUZZ_REQUIRE(memcmp(raw, other_raw, MEMFS_HEADER_BYTES) == 0, "another header");
}

static void try_trailer(const uint8_t *data, size_t size)
{
    struct memfs_trailer trailer;
    const size_t hashed = MEMFS_TRAILER_BYTES - MEMFS_HASH_BYTES;
    take(raw, MEMFS_TRAILER_BYTES, data, size);
    memcpy(raw, MEMFS_TRAILER_MAGIC, MEMFS_MAGIC_BYTES);
    const uint64_t hash = memfs_hash(raw, hashed);
    for (unsigned i = 0; i < MEMFS_HASH_BYTES; i++)
        raw[hashed + i] = (uint8_t)(hash >> (8 * i));
    /* It says first where it stands: believed here. */
    uint64_t at = 0;
    for (unsigned i = 0; i < 8; i++)
        at |= (uint64_t)raw[MEMFS_MAGIC_BYTES + i] << (8 * i);
    struct memfs_detail detail = {.text = ""};
    if (memfs_trailer_decode(raw, at, &trailer, &detail)) {
        FUZZ_REQUIRE(detail.error && detail.text[0], "an error without a text");
        return;
    }
    memfs_trailer_encode(&trailer, other_raw);
    FUZZ_REQUIRE(memcmp(raw, other_raw, MEMFS_TRAILER_BYTES) == 0, "another trailer");
}

static void try_root(const uint8_t *data, size_t size)
{
    static struct memfs_root root;
    const struct memfs_header header = {.major = MEMFS_FORMAT_MAJOR, .block_size = MEMFS_BLOCK_LEAST};
    const struct memfs_trailer trailer = {
        .offset = ROOT_AT + size, .root_offset = ROOT_AT, .root_length = (uint32_t)size, .generation = 1};
    struct memfs_detail detail = {.text = ""};
    if (size > MEMFS_ROOT_BYTES_MAX)
        return;
    if (memfs_root_decode(data, size, &header, &trailer, &root, &detail)) {
        FUZZ_REQUIRE(detail.error && detail.text[0], "an error without a text");
        return;
    }
    const size_t length = memfs_root_encode(&root, other_raw);
    FUZZ_REQUIRE(length == size && memcmp(data, other_raw, size) == 0, "another root, of %zu bytes", length);
}

/* ---- Chunks ------------------------------------------------------------------------------ */

static void try_refs(size_t count, const uint8_t *data, size_t size)
{
    static struct memfs_ref refs[MEMFS_REFS_PER_CHUNK], again[MEMFS_REFS_PER_CHUNK];
    const char *reason = NULL;
    count = 1 + count % MEMFS_REFS_PER_CHUNK;
    take(raw, memfs_refs_raw_bytes(count), data, size);
    memset(refs, 0, sizeof refs);
    if (memfs_refs_decode(raw, count, refs, &reason)) {
        FUZZ_REQUIRE(reason && *reason, "an error without a reason");
        return;
    }
    memfs_refs_encode(refs, count, other_raw);
    memset(again, 0, sizeof again);
    FUZZ_REQUIRE(memfs_refs_decode(other_raw, count, again, &reason) == 0, "%s", reason);
    FUZZ_REQUIRE(memcmp(refs, again, count * sizeof *refs) == 0, "other refs");
}

/* A backing with so much of everything that records can be legal. */
static int is_legal(enum memfs_table table, size_t count, size_t bytes)
{
    static const struct memfs_backing backing = {.count = {1u << 20, 1u << 20, 1u << 20, 1u << 20, 1u << 24, 1u << 20},
                                                 .blocks = 1u << 20};
    struct memfs_detail detail = {.text = ""};
    const int first = memfs_check_chunk(&backing, table, 0, native, count, bytes, &detail);
    const int second = memfs_check_chunk(&backing, table, 1, native, count, bytes, &detail);
    FUZZ_REQUIRE(!second || detail.text[0], "an error without a text");
    return !first || !second;
}

static void try_chunk(enum memfs_table table, size_t count, const uint8_t *data, size_t size)
{
    const char *reason = NULL;
    count = 1 + count % memfs_chunk_capacity(table);
    const size_t least = memfs_chunk_raw_least(table, count), most = memfs_chunk_raw_most(table, count);
    size_t length = size < least ? least : size > most ? most : size;
    take(raw, length, data, size);
    const size_t bytes = memfs_chunk_native_bytes(table, length, count);
    FUZZ_REQUIRE(bytes <= RAW_MOST, "%zu bytes of records", bytes);
    if (memfs_chunk_decode(table, raw, length, count, native, &reason)) {
        FUZZ_REQUIRE(reason && *reason, "an error without a reason");
        return;
    }
    if (!is_legal(table, count, bytes))
        return;
    const size_t again = memfs_chunk_encode(table, native, count, other_raw);
    FUZZ_REQUIRE(again == length && again <= most, "%zu bytes became %zu", length, again);
    FUZZ_REQUIRE(memfs_chunk_decode(table, other_raw, again, count, other_native, &reason) == 0, "%s", reason);
    FUZZ_REQUIRE(memcmp(native, other_native, bytes) == 0, "other records");
    FUZZ_REQUIRE(memfs_chunk_encode(table, other_native, count, raw) == again && memcmp(raw, other_raw, again) == 0,
                 "other bytes the second time");
}

/* ---- Blocks -------------------------------------------------------------------------------- */

static struct memfs_decoder *decoder(void)
{
    static struct memfs_decoder *made;
    const struct memfs_allocator allocator = memfs_allocator_or_default(NULL);
    FUZZ_REQUIRE(made || memfs_decoder_create(&allocator, &made) == 0, "memory");
    return made;
}

static void try_decode(size_t raw_length, const uint8_t *data, size_t size)
{
    const char *reason = NULL;
    raw_length = 1 + raw_length % (RAW_MOST / 2);
    const size_t wanted = 1 + raw_length / 3;
    memset(raw, 0, raw_length);
    if (memfs_decode(decoder(), MEMFS_CODEC_ZSTD, data, size, raw_length, raw, raw_length, &reason)) {
        FUZZ_REQUIRE(reason && *reason, "an error without a reason");
        return;
    }
    FUZZ_REQUIRE(memfs_decode(decoder(), MEMFS_CODEC_ZSTD, data, size, raw_length, other_raw, wanted, &reason) == 0 &&
                     memcmp(raw, other_raw, wanted) == 0,
                 "the first %zu bytes of %zu are others", wanted, raw_length);
}

static void try_encode(const uint8_t *data, size_t size)
{
    static struct memfs_encoder *encoder;
    const struct memfs_allocator allocator = memfs_allocator_or_default(NULL);
    const void *stored = NULL;
    const char *reason = NULL;
    size_t length = 0;
    uint8_t codec = 0;
    if (size == 0 || size > RAW_MOST)
        return;
    FUZZ_REQUIRE(encoder || memfs_encoder_create(&allocator, 1, RAW_MOST, &encoder) == 0, "memory");
    FUZZ_REQUIRE(memfs_encode(encoder, data, size, raw, &stored, &length, &codec) == 0, "memory");
    FUZZ_REQUIRE(codec == MEMFS_CODEC_RAW ? length == size : length < size, "%zu bytes became %zu", size, length);
    FUZZ_REQUIRE(memfs_decode(decoder(), codec, stored, length, size, other_raw, size, &reason) == 0, "%s", reason);
    FUZZ_REQUIRE(memcmp(other_raw, data, size) == 0, "other bytes");
}

const enum fuzz_kind fuzz_kind = FUZZ_BYTES;

/* The first byte says which record, the next two how many. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    const unsigned which = data[0] % 12u;
    const size_t count = data[1] | (size_t)data[2] << 8;
    data += 3;
    size -= 3;
    if (which < MEMFS_BACKED)
        try_chunk((enum memfs_table)which, count, data, size);
    else if (which == 6)
        try_header(data, size);
    else if (which == 7)
        try_trailer(data, size);
    else if (which == 8)
        try_root(data, size);
    else if (which == 9)
        try_refs(count, data, size);
    else if (which == 10)
        try_decode(count, data, size);
    else
        try_encode(data, size);
    return 0;
}
