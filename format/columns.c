#include "columns.h"

#include "refs.h"

#include <assert.h>
#include <string.h>

/* The native field that a column is: an unsigned integer of `native` bytes at
 * `at`, unless get and put say otherwise. Values beyond most are refused. */
struct memfs_column {
    const char *name;
    uint8_t width;  /* in the image */
    uint8_t native; /* in memory */
    uint16_t at;
    uint64_t most; /* 0: whatever fits the width */
    uint64_t (*get)(const void *record);
    void (*put)(void *record, uint64_t value);
};

#define COLUMNS_MOST 9

/* A record in memory has `native` bytes. */
struct memfs_columns {
    size_t native;
    size_t count;
    struct memfs_column column[COLUMNS_MOST];
};

/* ---- Fields that depend on a node's type; mode comes first ------------------ */

static uint32_t node_type(const struct memfs_node_record *node)
{
    return node->mode & MEMFS_IFMT;
}

static uint64_t get_size(const void *record)
{
    const struct memfs_node_record *node = record;
    if (node_type(node) == MEMFS_IFDIR)
        return node->run.first | (uint64_t)node->run.count << 32;
    return node->size;
}

static void put_size(void *record, uint64_t value)
{
    struct memfs_node_record *node = record;
    if (node_type(node) == MEMFS_IFDIR) {
        node->run.first = (uint32_t)value;
        node->run.count = (uint32_t)(value >> 32);
    } else {
        node->size = value;
    }
}

static uint64_t get_a(const void *record)
{
    const struct memfs_node_record *node = record;
    return node_type(node) == MEMFS_IFLNK ? (uint32_t)node->target : node->extents.first;
}

static void put_a(void *record, uint64_t value)
{
    struct memfs_node_record *node = record;
    if (node_type(node) == MEMFS_IFLNK)
        node->target = value;
    else
        node->extents.first = (uint32_t)value;
}

static uint64_t get_b(const void *record)
{
    const struct memfs_node_record *node = record;
    return node_type(node) == MEMFS_IFLNK ? node->target >> 32 : node->extents.count;
}

static void put_b(void *record, uint64_t value)
{
    struct memfs_node_record *node = record;
    if (node_type(node) == MEMFS_IFLNK)
        node->target |= value << 32;
    else
        node->extents.count = (uint32_t)value;
}

static uint64_t get_mtime(const void *record)
{
    return (uint64_t)((const struct memfs_node_record *)record)->mtime;
}

static void put_mtime(void *record, uint64_t value)
{
    struct memfs_node_record *node = record;
    memcpy(&node->mtime, &value, sizeof value); /* two's complement, whatever the value */
    node->ctime = node->atime = node->mtime;
}

/* ---- The columns ------------------------------------------------------------ */

#define FIELD(type, member, stored_width)                                                                              \
    .name = #member, .width = (stored_width), .native = sizeof(((type *)0)->member), .at = offsetof(type, member)

static const struct memfs_columns nodes = {sizeof(struct memfs_node_record),
                                           9,
                                           {{FIELD(struct memfs_node_record, mode, 2)},
                                            {FIELD(struct memfs_node_record, nlink, 4)},
                                            {FIELD(struct memfs_node_record, uid, 4)},
                                            {FIELD(struct memfs_node_record, gid, 4)},
                                            {.name = "size", .width = 8, .get = get_size, .put = put_size},
                                            {.name = "mtime", .width = 8, .get = get_mtime, .put = put_mtime},
                                            {FIELD(struct memfs_node_record, xattrs, 4)},
                                            {.name = "a", .width = 4, .get = get_a, .put = put_a},
                                            {.name = "b", .width = 4, .get = get_b, .put = put_b}}};

static const struct memfs_columns entries = {sizeof(struct memfs_entry),
                                             4,
                                             {{FIELD(struct memfs_entry, node, 4)},
                                              {FIELD(struct memfs_entry, length, 1)},
                                              {FIELD(struct memfs_entry, type, 1), .most = 15},
                                              {FIELD(struct memfs_entry, starts_run, 1), .most = 1}}};

static const struct memfs_columns extents = {sizeof(struct memfs_extent),
                                             4,
                                             {{FIELD(struct memfs_extent, offset, 8)},
                                              {FIELD(struct memfs_extent, length, 4)},
                                              {FIELD(struct memfs_extent, block, 4)},
                                              {FIELD(struct memfs_extent, start, 4)}}};

static const struct memfs_columns xattrs = {sizeof(struct memfs_xattr),
                                            5,
                                            {{FIELD(struct memfs_xattr, name, 8)},
                                             {FIELD(struct memfs_xattr, value, 8)},
                                             {FIELD(struct memfs_xattr, value_length, 4)},
                                             {FIELD(struct memfs_xattr, name_length, 1)},
                                             {FIELD(struct memfs_xattr, last, 1), .most = 1}}};

static const struct memfs_columns digests = {
    sizeof(uint64_t), 1, {{.name = "digest", .width = 8, .native = 8, .at = 0}}};

static const struct memfs_columns refs = {sizeof(struct memfs_ref),
                                          5,
                                          {{FIELD(struct memfs_ref, offset, 8)},
                                           {FIELD(struct memfs_ref, stored, 4)},
                                           {FIELD(struct memfs_ref, raw, 4)},
                                           {FIELD(struct memfs_ref, codec, 1), .most = 1},
                                           {FIELD(struct memfs_ref, hash, 8)}}};

/* NULL for BLOBS, which are bytes as they are. */
static const struct memfs_columns *columns_of(enum memfs_table table)
{
    static const struct memfs_columns *const of[MEMFS_BACKED] = {
        [MEMFS_NODES] = &nodes,   [MEMFS_ENTRIES] = &entries, [MEMFS_EXTENTS] = &extents,
        [MEMFS_XATTRS] = &xattrs, [MEMFS_BLOBS] = NULL,       [MEMFS_DIGESTS] = &digests,
    };
    assert(table < MEMFS_BACKED);
    return of[table];
}

static size_t columns_bytes(const struct memfs_columns *columns, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < columns->count; i++)
        bytes += 1 + columns->column[i].width * count;
    return bytes;
}

/* ---- One column ------------------------------------------------------------- */

static uint64_t column_mask(unsigned width)
{
    return width == 8 ? UINT64_MAX : ((uint64_t)1 << (8 * width)) - 1;
}

static uint64_t get_field(const struct memfs_column *column, const uint8_t *record)
{
    if (column->get)
        return column->get(record);
    record += column->at;
    switch (column->native) {
    case 1:
        return *record;
    case 4: {
        uint32_t value;
        memcpy(&value, record, sizeof value);
        return value;
    }
    default: {
        uint64_t value;
        memcpy(&value, record, sizeof value);
        return value;
    }
    }
}

static void put_field(const struct memfs_column *column, uint8_t *record, uint64_t value)
{
    if (column->put) {
        column->put(record, value);
        return;
    }
    record += column->at;
    if (column->native == 1) {
        *record = (uint8_t)value;
    } else if (column->native == 4) {
        uint32_t narrow = (uint32_t)value;
        memcpy(record, &narrow, sizeof narrow);
    } else {
        memcpy(record, &value, sizeof value);
    }
}

static size_t bytes_set(uint64_t value)
{
    size_t set = 0;
    for (; value; value >>= 8)
        set += (value & 0xff) != 0;
    return set;
}

/* Writes 1 + width * count bytes; returns them. */
static size_t encode_column(const struct memfs_column *column, size_t native, const uint8_t *records, size_t count,
                            uint8_t *out)
{
    uint64_t values[MEMFS_CHUNK_RECORDS];
    const uint64_t mask = column_mask(column->width);
    size_t plain = 0, differing = 0;
    uint64_t before = 0;
    for (size_t i = 0; i < count; i++) {
        values[i] = get_field(column, records + i * native) & mask;
        plain += bytes_set(values[i]);
        differing += bytes_set((values[i] - before) & mask);
        before = values[i];
    }
    *out++ = differing < plain ? MEMFS_COLUMN_DIFFERENCES : MEMFS_COLUMN_PLAIN;
    before = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t stored = values[i];
        if (differing < plain)
            stored -= before;
        before = values[i];
        for (size_t byte = 0; byte < column->width; byte++)
            out[byte * count + i] = (uint8_t)(stored >> (8 * byte));
    }
    return 1 + column->width * count;
}

/* The plane of each byte of the values is added to them in turn. */
static const char *decode_column(const struct memfs_column *column, size_t native, struct memfs_cursor *in,
                                 size_t count, uint8_t *records)
{
    uint64_t values[MEMFS_CHUNK_RECORDS] = {0};
    const uint64_t mask = column_mask(column->width);
    const unsigned tag = memfs_cursor_u8(in);
    if (tag > MEMFS_COLUMN_DIFFERENCES)
        return "a column's tag is unknown";
    for (unsigned byte = 0; byte < column->width; byte++) {
        const uint8_t *plane = memfs_cursor_bytes(in, count);
        if (!plane)
            return "a column is cut short";
        for (size_t i = 0; i < count; i++)
            values[i] |= (uint64_t)plane[i] << (8 * byte);
    }
    for (size_t i = 1; tag == MEMFS_COLUMN_DIFFERENCES && i < count; i++)
        values[i] = (values[i] + values[i - 1]) & mask;
    for (size_t i = 0; i < count; i++) {
        if (column->most && values[i] > column->most)
            return "a value is beyond what its column may hold";
        put_field(column, records + i * native, values[i]);
    }
    return NULL;
}

static size_t encode_columns(const struct memfs_columns *columns, const void *records, size_t count, uint8_t *out)
{
    assert(count <= MEMFS_CHUNK_RECORDS);
    size_t length = 0;
    for (size_t i = 0; i < columns->count; i++)
        length += encode_column(&columns->column[i], columns->native, records, count, out + length);
    return length;
}

static const char *decode_columns(const struct memfs_columns *columns, struct memfs_cursor *in, size_t count,
                                  void *records)
{
    assert(count <= MEMFS_CHUNK_RECORDS);
    memset(records, 0, columns->native * count);
    const char *reason = NULL;
    for (size_t i = 0; !reason && i < columns->count; i++)
        reason = decode_column(&columns->column[i], columns->native, in, count, records);
    return reason;
}

/* ---- Chunks ------------------------------------------------------------------ */

static unsigned chunk_shift(unsigned table)
{
    if (table == MEMFS_DATA)
        return 0;
    return table == MEMFS_BLOBS ? MEMFS_BLOBS_SHIFT : MEMFS_CHUNK_SHIFT;
}

size_t memfs_chunk_capacity(unsigned table)
{
    return (size_t)1 << chunk_shift(table);
}

uint64_t memfs_chunk_total(unsigned table, uint64_t count)
{
    return count ? ((count - 1) >> chunk_shift(table)) + 1 : 0;
}

size_t memfs_chunk_records(unsigned table, uint64_t count, uint64_t chunk)
{
    const uint64_t left = count - (chunk << chunk_shift(table));
    const size_t capacity = memfs_chunk_capacity(table);
    return left < capacity ? (size_t)left : capacity;
}

const char *memfs_table_name(unsigned table)
{
    static const char *const names[MEMFS_IMAGE_TABLES] = {"nodes", "entries", "extents", "xattrs",
                                                          "blobs", "digests", "blocks"};
    return table < MEMFS_IMAGE_TABLES ? names[table] : "?";
}

size_t memfs_chunk_raw_least(enum memfs_table table, size_t count)
{
    const struct memfs_columns *columns = columns_of(table);
    if (!columns)
        return count;
    /* Each name has a byte at least. */
    return columns_bytes(columns, count) + (table == MEMFS_ENTRIES ? count : 0);
}

size_t memfs_chunk_raw_most(enum memfs_table table, size_t count)
{
    const struct memfs_columns *columns = columns_of(table);
    if (!columns)
        return count;
    return columns_bytes(columns, count) + (table == MEMFS_ENTRIES ? count * MEMFS_NAME_MAX : 0);
}

size_t memfs_chunk_encode(enum memfs_table table, const void *records, size_t count, void *raw)
{
    const struct memfs_columns *columns = columns_of(table);
    if (!columns) {
        memcpy(raw, records, count);
        return count;
    }
    uint8_t *out = raw;
    size_t length = encode_columns(columns, records, count, out);
    if (table == MEMFS_ENTRIES) {
        const struct memfs_entry *entry = records;
        for (size_t i = 0; i < count; i++, entry++) {
            memcpy(out + length, memfs_entry_name(records, entry), entry->length);
            length += entry->length;
        }
    }
    return length;
}

size_t memfs_chunk_native_bytes(enum memfs_table table, size_t raw_length, size_t count)
{
    const struct memfs_columns *columns = columns_of(table);
    if (!columns)
        return count;
    const size_t names = table == MEMFS_ENTRIES ? raw_length - columns_bytes(columns, count) : 0;
    return columns->native * count + names;
}

/* The names follow the columns, one after the other: puts them behind the
 * records, and into each record where its own is. */
static const char *decode_names(struct memfs_cursor *in, size_t count, void *native)
{
    struct memfs_entry *entry = native;
    size_t at = count * sizeof *entry;
    for (size_t i = 0; i < count; i++, entry++) {
        const uint8_t *name = memfs_cursor_bytes(in, entry->length);
        if (!name)
            return "the names are longer than their place";
        memcpy((char *)native + at, name, entry->length);
        entry->name = (uint32_t)at;
        entry->prefix = memfs_name_prefix((const char *)name, entry->length);
        at += entry->length;
    }
    return NULL;
}

int memfs_chunk_decode(enum memfs_table table, const void *raw, size_t raw_length, size_t count, void *native,
                       const char **reason)
{
    const struct memfs_columns *columns = columns_of(table);
    *reason = NULL;
    if (!columns) {
        memcpy(native, raw, count);
        return 0;
    }
    struct memfs_cursor in;
    memfs_cursor_begin(&in, raw, raw_length);
    *reason = decode_columns(columns, &in, count, native);
    if (!*reason && table == MEMFS_ENTRIES)
        *reason = decode_names(&in, count, native);
    if (!*reason && !memfs_cursor_complete(&in))
        *reason = "bytes are left over behind the records";
    return *reason ? MEMFS_ECORRUPT : 0;
}

size_t memfs_refs_raw_bytes(size_t count)
{
    return columns_bytes(&refs, count);
}

void memfs_refs_encode(const struct memfs_ref *from, size_t count, void *raw)
{
    encode_columns(&refs, from, count, raw);
}

int memfs_refs_decode(const void *raw, size_t count, struct memfs_ref *to, const char **reason)
{
    struct memfs_cursor in;
    memfs_cursor_begin(&in, raw, memfs_refs_raw_bytes(count));
    *reason = decode_columns(&refs, &in, count, to);
    return *reason ? MEMFS_ECORRUPT : 0;
}
