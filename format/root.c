#include "root.h"

#include "columns.h"
#include "detail.h"
#include "hash.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

int memfs_type_index(unsigned type)
{
    static const unsigned types[MEMFS_TYPES] = {MEMFS_IFREG >> 12, MEMFS_IFDIR >> 12,  MEMFS_IFLNK >> 12,
                                                MEMFS_IFIFO >> 12, MEMFS_IFSOCK >> 12, MEMFS_IFCHR >> 12,
                                                MEMFS_IFBLK >> 12};
    for (unsigned i = 0; i < MEMFS_TYPES; i++)
        if (types[i] == type)
            return (int)i;
    return -1;
}

/* ---- Header ------------------------------------------------------------------- */

void memfs_header_encode(const struct memfs_header *header, void *bytes)
{
    struct memfs_appender out;
    memfs_appender_begin(&out, bytes, MEMFS_HEADER_BYTES);
    memfs_append_bytes(&out, MEMFS_HEADER_MAGIC, MEMFS_MAGIC_BYTES);
    memfs_append_u16(&out, header->major);
    memfs_append_u16(&out, header->minor);
    memfs_append_u8(&out, MEMFS_HASH_XXH3);
    memfs_append_u8(&out, MEMFS_HASH_BYTES);
    memfs_append_zeros(&out, 2);
    memfs_append_u64(&out, header->incompatible);
    memfs_append_u64(&out, header->read_only_compatible);
    memfs_append_u64(&out, header->compatible);
    memfs_append_u32(&out, header->block_size);
    memfs_append_zeros(&out, MEMFS_HEADER_BYTES - out.length);
    assert(!out.full);
}

int memfs_header_recognise(const void *bytes, struct memfs_detail *detail)
{
    struct memfs_cursor in;
    memfs_cursor_begin(&in, bytes, MEMFS_HEADER_BYTES);
    const uint8_t *magic = memfs_cursor_bytes(&in, MEMFS_MAGIC_BYTES);
    if (memcmp(magic, MEMFS_HEADER_MAGIC, MEMFS_MAGIC_BYTES) != 0) {
        if (memcmp(magic + 1, "MFS", 3) == 0)
            return memfs_detail_fill(
                detail, MEMFS_ENOTIMAGE, 0,
                "not an image any more: its first bytes were changed, perhaps by a transfer in text mode");
        return memfs_detail_fill(detail, MEMFS_ENOTIMAGE, 0,
                                 "not an image: it does not begin with the magic bytes 89 MFS");
    }
    const unsigned major = memfs_cursor_u16(&in);
    if (major > MEMFS_FORMAT_MAJOR)
        return memfs_detail_fill(detail, MEMFS_EVERSION, 8, "format version %u; this program knows %u and older", major,
                                 MEMFS_FORMAT_MAJOR);
    return 0;
}

static int check_features(const struct memfs_header *header, struct memfs_detail *detail)
{
    const uint64_t unknown = header->incompatible & ~(uint64_t)MEMFS_KNOWN_INCOMPATIBLE;
    if (unknown)
        return memfs_detail_fill(detail, MEMFS_EFEATURE, 16,
                                 "needs features unknown here: incompatible bits 0x%" PRIx64, unknown);
    return 0;
}

int memfs_header_decode(const void *bytes, struct memfs_header *out, struct memfs_detail *detail)
{
    int error = memfs_header_recognise(bytes, detail);
    if (error)
        return error;
    struct memfs_cursor in;
    memfs_cursor_begin(&in, bytes, MEMFS_HEADER_BYTES);
    memfs_cursor_bytes(&in, MEMFS_MAGIC_BYTES);
    struct memfs_header header = {.major = memfs_cursor_u16(&in), .minor = 0};
    header.minor = memfs_cursor_u16(&in);
    const unsigned kind = memfs_cursor_u8(&in);
    const unsigned width = memfs_cursor_u8(&in);
    memfs_cursor_reserved(&in, 2);
    header.incompatible = memfs_cursor_u64(&in);
    header.read_only_compatible = memfs_cursor_u64(&in);
    header.compatible = memfs_cursor_u64(&in);
    header.block_size = memfs_cursor_u32(&in);
    memfs_cursor_reserved(&in, memfs_cursor_left(&in));
    if (header.major == 0)
        return memfs_detail_fill(detail, MEMFS_ECORRUPT, 8, "header: there is no format version 0");
    error = check_features(&header, detail);
    if (error)
        return error;
    if (kind != MEMFS_HASH_XXH3 || width != MEMFS_HASH_BYTES)
        return memfs_detail_fill(detail, MEMFS_EFEATURE, 12, "header: hash kind %u with %u bytes is unknown here", kind,
                                 width);
    if (header.block_size < MEMFS_BLOCK_LEAST || header.block_size > MEMFS_BLOCK_MOST ||
        (header.block_size & (header.block_size - 1)) != 0)
        return memfs_detail_fill(detail, MEMFS_ECORRUPT, 40,
                                 "header: block size %" PRIu32 " is not a power of two from 64 KiB to 16 MiB",
                                 header.block_size);
    if (!memfs_cursor_complete(&in))
        return memfs_detail_fill(detail, MEMFS_ECORRUPT, 0, "header: a reserved byte is not zero");
    *out = header;
    return 0;
}

/* ---- Trailer -------------------------------------------------------------------- */

void memfs_trailer_encode(const struct memfs_trailer *trailer, void *bytes)
{
    struct memfs_appender out;
    memfs_appender_begin(&out, bytes, MEMFS_TRAILER_BYTES);
    memfs_append_bytes(&out, MEMFS_TRAILER_MAGIC, MEMFS_MAGIC_BYTES);
    memfs_append_u64(&out, trailer->offset);
    memfs_append_u64(&out, trailer->previous);
    memfs_append_u64(&out, trailer->root_offset);
    memfs_append_u32(&out, trailer->root_length);
    memfs_append_u32(&out, trailer->generation);
    memfs_append_u64(&out, trailer->root_hash);
    memfs_append_u64(&out, trailer->header_hash);
    memfs_append_u64(&out, memfs_hash(bytes, out.length));
    assert(!out.full && out.length == MEMFS_TRAILER_BYTES);
}

_Static_assert(MEMFS_HEADER_BYTES >= MEMFS_TRAILER_BYTES,
               "a root that is behind a header is behind a trailer's length");

static const char *check_trailer(const struct memfs_trailer *trailer, uint64_t at)
{
    if (trailer->offset != at)
        return "it says that it stands elsewhere";
    if (trailer->root_length < MEMFS_ROOT_LEAST || trailer->root_length > MEMFS_ROOT_BYTES_MAX)
        return "the root's length is out of bounds";
    if (trailer->root_offset < MEMFS_HEADER_BYTES || trailer->root_offset > at ||
        at - trailer->root_offset != trailer->root_length)
        return "the root does not end where it begins";
    if (trailer->generation == 0)
        return "there is no generation 0";
    if ((trailer->generation == 1) != (trailer->previous == 0))
        return "only the first generation has none before it";
    if (trailer->previous != 0 && (trailer->previous < MEMFS_HEADER_BYTES + MEMFS_ROOT_LEAST ||
                                   trailer->previous > trailer->root_offset - MEMFS_TRAILER_BYTES))
        return "the generation before it does not end before its root";
    return NULL;
}

int memfs_trailer_decode(const void *bytes, uint64_t at, struct memfs_trailer *out, struct memfs_detail *detail)
{
    struct memfs_cursor in;
    memfs_cursor_begin(&in, bytes, MEMFS_TRAILER_BYTES);
    if (memcmp(memfs_cursor_bytes(&in, MEMFS_MAGIC_BYTES), MEMFS_TRAILER_MAGIC, MEMFS_MAGIC_BYTES) != 0)
        return memfs_detail_fill(detail, MEMFS_ECORRUPT, at,
                                 "no trailer here: the image is truncated, or bytes follow its end");
    struct memfs_trailer trailer;
    trailer.offset = memfs_cursor_u64(&in);
    trailer.previous = memfs_cursor_u64(&in);
    trailer.root_offset = memfs_cursor_u64(&in);
    trailer.root_length = memfs_cursor_u32(&in);
    trailer.generation = memfs_cursor_u32(&in);
    trailer.root_hash = memfs_cursor_u64(&in);
    trailer.header_hash = memfs_cursor_u64(&in);
    if (memfs_hash(bytes, in.at) != memfs_cursor_u64(&in))
        return memfs_detail_fill(detail, MEMFS_ECHECKSUM, at, "trailer: its checksum does not match");
    const char *reason = check_trailer(&trailer, at);
    if (reason)
        return memfs_detail_fill(detail, MEMFS_ECORRUPT, at, "trailer: %s", reason);
    *out = trailer;
    return 0;
}

/* ---- Root --------------------------------------------------------------------------- */

static uint64_t top_width(unsigned table, uint64_t count)
{
    const uint64_t chunks = memfs_chunk_total(table, count);
    return memfs_refs_width(chunks, memfs_refs_height(chunks));
}

size_t memfs_root_encode(const struct memfs_root *root, void *bytes)
{
    struct memfs_appender out;
    memfs_appender_begin(&out, bytes, MEMFS_ROOT_BYTES_MAX);
    for (unsigned i = 0; i < MEMFS_TYPES; i++)
        memfs_append_u64(&out, root->types[i]);
    memfs_append_u64(&out, root->content_bytes);
    memfs_append_u64(&out, root->data_bytes);
    memfs_append_u64(&out, root->raw_bytes);
    memfs_append_u64(&out, root->stored_bytes);
    memfs_append_u64(&out, (uint64_t)root->time);
    memfs_append_u32(&out, root->has_time);
    memfs_append_u32(&out, root->generations);
    memfs_append_u32(&out, root->message_length);
    memfs_append_u32(&out, 0);
    for (unsigned i = 0; i < root->generations; i++) {
        memfs_append_u64(&out, root->generation[i].trailer);
        memfs_append_u64(&out, (uint64_t)root->generation[i].time);
        memfs_append_u32(&out, root->generation[i].generation);
        memfs_append_u32(&out, root->generation[i].has_time);
    }
    memfs_append_bytes(&out, root->message, root->message_length);
    for (unsigned table = 0; table < MEMFS_IMAGE_TABLES; table++) {
        const uint64_t count = root->table[table].count, top = top_width(table, count);
        memfs_append_u64(&out, count);
        memfs_append_u8(&out, (uint8_t)memfs_refs_height(memfs_chunk_total(table, count)));
        memfs_append_u8(&out, (uint8_t)top);
        memfs_append_zeros(&out, 6);
        for (unsigned i = 0; i < top; i++)
            memfs_ref_append(&out, &root->table[table].refs[i]);
    }
    assert(!out.full);
    return out.length;
}

static int64_t take_time(struct memfs_cursor *in)
{
    const uint64_t bits = memfs_cursor_u64(in);
    int64_t time;
    memcpy(&time, &bits, sizeof time); /* two's complement on every host of C11 */
    return time;
}

static const char *take_totals(struct memfs_cursor *in, const struct memfs_trailer *trailer, struct memfs_root *root)
{
    for (unsigned i = 0; i < MEMFS_TYPES; i++)
        root->types[i] = memfs_cursor_u64(in);
    root->content_bytes = memfs_cursor_u64(in);
    root->data_bytes = memfs_cursor_u64(in);
    root->raw_bytes = memfs_cursor_u64(in);
    root->stored_bytes = memfs_cursor_u64(in);
    root->time = take_time(in);
    root->has_time = memfs_cursor_u32(in);
    root->generations = memfs_cursor_u32(in);
    root->message_length = memfs_cursor_u32(in);
    memfs_cursor_reserved(in, 4);
    if (root->has_time > 1 || (!root->has_time && root->time != 0))
        return "its time is neither there nor not";
    const uint32_t before = trailer->generation - 1;
    if (root->generations != (before < MEMFS_GENERATIONS_MAX ? before : MEMFS_GENERATIONS_MAX))
        return "it does not tell of all recent generations";
    if (root->message_length > MEMFS_MESSAGE_MAX)
        return "its message is too long";
    return NULL;
}

/* Generations count down by one, and each trailer stands before the next. */
static const char *take_generations(struct memfs_cursor *in, const struct memfs_trailer *trailer,
                                    struct memfs_root *root)
{
    uint64_t before = trailer->root_offset;
    for (unsigned i = 0; i < root->generations; i++) {
        struct memfs_generation *generation = &root->generation[i];
        generation->trailer = memfs_cursor_u64(in);
        generation->time = take_time(in);
        generation->generation = memfs_cursor_u32(in);
        generation->has_time = memfs_cursor_u32(in);
        if (generation->has_time > 1 || (!generation->has_time && generation->time != 0))
            return "an earlier generation's time is neither there nor not";
        if (generation->generation != trailer->generation - 1 - i)
            return "its generations do not count down";
        if (generation->trailer < MEMFS_HEADER_BYTES || generation->trailer >= before ||
            (i == 0 && generation->trailer != trailer->previous))
            return "its generations' trailers are not in order";
        before = generation->trailer;
    }
    return NULL;
}

static const char *take_message(struct memfs_cursor *in, struct memfs_root *root)
{
    const uint8_t *message = memfs_cursor_bytes(in, root->message_length);
    if (!message)
        return "it is cut short in its message";
    if (memchr(message, 0, root->message_length))
        return "its message contains NUL";
    memcpy(root->message, message, root->message_length);
    return NULL;
}

static const char *take_table(struct memfs_cursor *in, unsigned number, uint32_t block_size, uint64_t end,
                              struct memfs_root_table *table)
{
    table->count = memfs_cursor_u64(in);
    const unsigned height = memfs_cursor_u8(in);
    const unsigned top = memfs_cursor_u8(in);
    memfs_cursor_reserved(in, 6);
    if (table->count > (number == MEMFS_BLOBS ? MEMFS_HEAP_MAX : MEMFS_COUNT_MAX))
        return "it has too many records";
    if (memfs_chunk_total(number, table->count) > end)
        return "it has more chunks than the image has bytes";
    const unsigned expected = memfs_refs_height(memfs_chunk_total(number, table->count));
    if (height != expected || top != top_width(number, table->count))
        return "its tree of refs has not the shape that its records need";
    for (unsigned i = 0; i < top; i++) {
        uint64_t least, most;
        memfs_ref_take(in, &table->refs[i]);
        if (in->broken)
            return "it is cut short";
        memfs_ref_bounds(number, table->count, height, i, block_size, &least, &most);
        const char *reason = memfs_ref_check(&table->refs[i], least, most, end);
        if (reason)
            return reason;
    }
    return NULL;
}

static const char *check_totals(const struct memfs_root *root, const struct memfs_header *header, uint64_t end)
{
    const uint64_t nodes = root->table[MEMFS_NODES].count;
    if (nodes <= MEMFS_ROOT)
        return "it has no root directory";
    if (root->table[MEMFS_DIGESTS].count != nodes)
        return "it has not one digest a node";
    uint64_t used = 0;
    for (unsigned i = 0; i < MEMFS_TYPES; i++) {
        if (root->types[i] > nodes)
            return "more nodes are in use than there are";
        used += root->types[i];
    }
    if (used == 0 || used > nodes - 1)
        return "more nodes are in use than there are, or none";
    if (root->raw_bytes > root->table[MEMFS_DATA].count * header->block_size || root->stored_bytes > end ||
        root->stored_bytes > root->raw_bytes)
        return "its totals of bytes are impossible";
    return NULL;
}

int memfs_root_decode(const void *bytes, size_t length, const struct memfs_header *header,
                      const struct memfs_trailer *trailer, struct memfs_root *out, struct memfs_detail *detail)
{
    struct memfs_cursor in;
    memfs_cursor_begin(&in, bytes, length);
    memset(out, 0, sizeof *out);
    const char *reason = take_totals(&in, trailer, out);
    if (!reason)
        reason = take_generations(&in, trailer, out);
    if (!reason)
        reason = take_message(&in, out);
    for (unsigned table = 0; !reason && table < MEMFS_IMAGE_TABLES; table++) {
        reason = take_table(&in, table, header->block_size, trailer->root_offset, &out->table[table]);
        if (reason)
            return memfs_detail_fill(detail, MEMFS_ECORRUPT, trailer->root_offset + in.at, "root: table %s: %s",
                                     memfs_table_name(table), reason);
    }
    if (!reason && !memfs_cursor_complete(&in))
        reason = in.broken ? "it is cut short" : in.nonzero ? "a reserved byte is not zero" : "bytes are left over";
    if (!reason)
        reason = check_totals(out, header, trailer->root_offset);
    if (reason)
        return memfs_detail_fill(detail, MEMFS_ECORRUPT, trailer->root_offset, "root: %s", reason);
    return 0;
}
