#include "columns.h"

#include "refs.h"
#include "values.h"
#include "zeros.h"

#include <assert.h>
#include <string.h>

/* The native field that a column is: an unsigned integer of `native` bytes at
 * `at`, unless get and put say otherwise. Values beyond most are refused. */
struct memfs_column {
    const char *name;
    uint8_t width;  /* in the image */
    uint8_t native; /* in memory */
    uint16_t at;
    uint8_t third; /* the tag it may have beside PLAIN and DIFFERENCES; 0: none */
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

/* An extent's block and where in it, as one number. */
static uint64_t get_place(const void *record)
{
    const struct memfs_extent *extent = record;
    return (uint64_t)extent->block << MEMFS_BLOCK_SHIFT | extent->start;
}

static void put_place(void *record, uint64_t value)
{
    struct memfs_extent *extent = record;
    extent->block = (uint32_t)(value >> MEMFS_BLOCK_SHIFT);
    extent->start = (uint32_t)value & (MEMFS_BLOCK_MOST - 1);
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

/* The lengths come first: the others are told with their help. */
static const struct memfs_columns extents = {sizeof(struct memfs_extent),
                                             3,
                                             {{FIELD(struct memfs_extent, length, 4)},
                                              {FIELD(struct memfs_extent, offset, 8), .third = MEMFS_COLUMN_ENDS},
                                              {.name = "place",
                                               .width = 8,
                                               .get = get_place,
                                               .put = put_place,
                                               .third = MEMFS_COLUMN_FRONTIER,
                                               .most = (UINT64_C(1) << 56) - 1}}};

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

/* Into all records at once: what kind of field it is, is asked once. */
static void put_fields(const struct memfs_column *column, size_t native, const uint64_t *values, size_t count,
                       uint8_t *records)
{
    if (column->put) {
        for (size_t i = 0; i < count; i++)
            column->put(records + i * native, values[i]);
        return;
    }
    records += column->at;
    if (column->native == 1) {
        for (size_t i = 0; i < count; i++)
            records[i * native] = (uint8_t)values[i];
    } else if (column->native == 4) {
        for (size_t i = 0; i < count; i++) {
            const uint32_t narrow = (uint32_t)values[i];
            memcpy(records + i * native, &narrow, sizeof narrow);
        }
    } else {
        for (size_t i = 0; i < count; i++)
            memcpy(records + i * native, &values[i], sizeof values[i]);
    }
}

static size_t bytes_set(const uint64_t *stored, size_t count)
{
    size_t set = 0;
    for (size_t i = 0; i < count; i++)
        for (uint64_t value = stored[i]; value; value >>= 8)
            set += (value & 0xff) != 0;
    return set;
}

static void get_lengths(const struct memfs_column *column, size_t native, const uint8_t *records,
                        struct memfs_values *values)
{
    for (size_t i = 0; column->third && i < values->count; i++)
        values->lengths[i] = ((const struct memfs_extent *)(const void *)(records + i * native))->length;
}

/* The tag with which fewest bytes are set. */
static unsigned choose_tag(const struct memfs_column *column, const struct memfs_values *values)
{
    const unsigned tags[] = {MEMFS_COLUMN_PLAIN, MEMFS_COLUMN_DIFFERENCES, column->third};
    uint64_t stored[MEMFS_CHUNK_RECORDS];
    unsigned best = MEMFS_COLUMN_PLAIN;
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < (column->third ? 3u : 2u); i++) {
        memfs_values_store(values, tags[i], stored);
        const size_t set = bytes_set(stored, values->count);
        if (set < least) {
            least = set;
            best = tags[i];
        }
    }
    return best;
}

/* Writes 1 + width * count bytes; returns them. */
static size_t encode_column(const struct memfs_column *column, size_t native, const uint8_t *records, size_t count,
                            uint8_t *out)
{
    struct memfs_values values = {.count = count, .mask = column_mask(column->width)};
    uint64_t stored[MEMFS_CHUNK_RECORDS];
    for (size_t i = 0; i < count; i++)
        values.of[i] = get_field(column, records + i * native) & values.mask;
    get_lengths(column, native, records, &values);
    const unsigned tag = choose_tag(column, &values);
    memfs_values_store(&values, tag, stored);
    *out++ = (uint8_t)tag;
    for (size_t byte = 0; byte < column->width; byte++)
        for (size_t i = 0; i < count; i++)
            out[byte * count + i] = (uint8_t)(stored[i] >> (8 * byte));
    return 1 + column->width * count;
}

static uint64_t load_word(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? __builtin_bswap64(word) : word;
}

/* The upper half of each square in a row changes places with the lower half of that in another. */
static inline void swap_squares(uint64_t *above, uint64_t *below, unsigned bits, uint64_t low)
{
    const uint64_t swapped = (*above >> bits ^ *below) & low;
    *below ^= swapped;
    *above ^= swapped << bits;
}

/* Eight words, of which each has a byte of eight values, become those values: squares of
 * four, then two, then one bytes change places. (Warren, "Hacker's Delight", 2nd ed., 7-3.) */
static inline void transpose(uint64_t *w)
{
    const uint64_t four = UINT64_C(0x00000000FFFFFFFF), two = UINT64_C(0x0000FFFF0000FFFF),
                   one = UINT64_C(0x00FF00FF00FF00FF);
    swap_squares(&w[0], &w[4], 32, four);
    swap_squares(&w[1], &w[5], 32, four);
    swap_squares(&w[2], &w[6], 32, four);
    swap_squares(&w[3], &w[7], 32, four);
    swap_squares(&w[0], &w[2], 16, two);
    swap_squares(&w[1], &w[3], 16, two);
    swap_squares(&w[4], &w[6], 16, two);
    swap_squares(&w[5], &w[7], 16, two);
    swap_squares(&w[0], &w[1], 8, one);
    swap_squares(&w[2], &w[3], 8, one);
    swap_squares(&w[4], &w[5], 8, one);
    swap_squares(&w[6], &w[7], 8, one);
}

/* A value has a byte from each plane; a plane that is NULL is all zeros. */
static void join_planes(const uint8_t *const planes[8], struct memfs_values *values)
{
    size_t i = 0;
    for (; i + 8 <= values->count; i += 8) {
        uint64_t words[8];
        for (unsigned byte = 0; byte < 8; byte++)
            words[byte] = planes[byte] ? load_word(planes[byte] + i) : 0;
        transpose(words);
        memcpy(&values->of[i], words, sizeof words);
    }
    for (; i < values->count; i++) {
        values->of[i] = 0;
        for (unsigned byte = 0; byte < 8; byte++)
            values->of[i] |= planes[byte] ? (uint64_t)planes[byte][i] << (8 * byte) : 0;
    }
}

static const char *decode_planes(const struct memfs_column *column, struct memfs_cursor *in,
                                 struct memfs_values *values)
{
    const uint8_t *planes[8] = {NULL};
    unsigned set = 0, last = 0;
    for (unsigned byte = 0; byte < column->width; byte++) {
        const uint8_t *plane = memfs_cursor_bytes(in, values->count);
        if (!plane)
            return "a column is cut short";
        if (memfs_all_zero(plane, values->count)) /* most are */
            continue;
        planes[byte] = plane;
        last = byte;
        set++;
    }
    if (set > 1)
        join_planes(planes, values);
    else if (set == 0)
        memset(values->of, 0, values->count * sizeof *values->of);
    for (size_t i = 0; set == 1 && i < values->count; i++)
        values->of[i] = (uint64_t)planes[last][i] << (8 * last);
    return NULL;
}

static const char *decode_column(const struct memfs_column *column, size_t native, struct memfs_cursor *in,
                                 size_t count, uint8_t *records)
{
    struct memfs_values values;
    values.count = count;
    values.mask = column_mask(column->width);
    const unsigned tag = memfs_cursor_u8(in);
    if (tag > MEMFS_COLUMN_DIFFERENCES && tag != column->third)
        return "a column's tag is unknown";
    const char *reason = decode_planes(column, in, &values);
    if (reason)
        return reason;
    get_lengths(column, native, records, &values);
    memfs_values_restore(&values, tag);
    for (size_t i = 0; column->most && i < count; i++)
        if (values.of[i] > column->most)
            return "a value is beyond what its column may hold";
    put_fields(column, native, values.of, count, records);
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
