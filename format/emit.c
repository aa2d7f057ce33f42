#include "emit.h"

#include "alloc.h"
#include "columns.h"
#include "hash.h"

#include <errno.h>
#include <string.h>

#define NATIVE_BYTES (MEMFS_CHUNK_RECORDS * (sizeof(struct memfs_entry) + MEMFS_NAME_MAX))
_Static_assert(NATIVE_BYTES >= MEMFS_BLOB_BYTES, "a chunk of every table fits");
_Static_assert(NATIVE_BYTES >= MEMFS_CHUNK_RECORDS * sizeof(struct memfs_node_record), "a chunk of every table fits");

struct emission {
    struct memfs_freezing *job;
    struct memfs_blocks *blocks;
    const struct memfs_order *order;
    const struct memfs_contents *contents;
    const struct memfs_attributes *attributes;
    struct memfs_root *root;
    void *native;
};

/* Fills native with `count` records from `first` on: those of one chunk. */
typedef int fill_fn(struct emission *emission, uint64_t first, size_t count, void *native);

/* ---- Records ----------------------------------------------------------------- */

static int fill_node(struct emission *emission, const struct memfs_order_node *node, struct memfs_node_record *record)
{
    struct memfs_stat stat;
    int error = memfs_node_stat(emission->job->fs, memfs_order_handle(node), &stat);
    if (error)
        return memfs_freezing_fail(emission->job, error, "cannot read the attributes of node %u: %s", node->number,
                                   memfs_strerror(error));
    if (MEMFS_TYPE(stat.mode) != node->type)
        return memfs_freezing_fail(emission->job, MEMFS_ECORRUPT, "node %u has type %u, its entry says %u",
                                   node->number, MEMFS_TYPE(stat.mode), node->type);
    record->mode = stat.mode & MEMFS_MODE_BITS;
    record->nlink = node->nlink;
    record->uid = stat.uid;
    record->gid = stat.gid;
    record->mtime = stat.mtime;
    record->xattrs = node->xattrs;
    if (node->type == MEMFS_TYPE(MEMFS_IFDIR)) {
        record->run.first = node->run.first;
        record->run.count = node->run.count;
        record->up.parent = node->up.parent;
        record->up.entry = node->up.entry;
    } else if (node->type == MEMFS_TYPE(MEMFS_IFREG)) {
        record->size = stat.size;
        record->extents.first = node->run.first;
        record->extents.count = node->run.count;
    } else if (node->type == MEMFS_TYPE(MEMFS_IFLNK)) {
        record->size = stat.size;
        record->target = (uint64_t)node->target.high << 32 | node->target.low;
    } else if (node->type == MEMFS_TYPE(MEMFS_IFCHR) || node->type == MEMFS_TYPE(MEMFS_IFBLK)) {
        record->rdev.major = stat.rdev_major;
        record->rdev.minor = stat.rdev_minor;
    }
    return 0;
}

static int fill_nodes(struct emission *emission, uint64_t first, size_t count, void *native)
{
    struct memfs_node_record *records = native;
    memset(records, 0, count * sizeof *records);
    for (size_t i = first == 0; i < count; i++) {
        const struct memfs_order_node *node = memfs_order_at(emission->order, first + i);
        int type = memfs_type_index(node->type);
        if (type < 0)
            return memfs_freezing_fail(emission->job, MEMFS_ECORRUPT, "node %u has type %u", node->number, node->type);
        emission->root->types[type]++;
        int error = fill_node(emission, node, &records[i]);
        if (error)
            return error;
    }
    return 0;
}

static int fill_entries(struct emission *emission, uint64_t first, size_t count, void *native)
{
    struct memfs_entry *records = native;
    const struct memfs_entries *entries = &emission->order->entries;
    size_t length;
    const char *names = memfs_entries_names(entries, first >> MEMFS_CHUNK_SHIFT, &length);
    memset(records, 0, count * sizeof *records);
    size_t at = count * sizeof *records;
    memcpy((char *)native + at, names, length);
    for (size_t i = 0; i < count; i++) {
        const struct memfs_entry_row *row = memfs_entries_at(entries, first + i);
        records[i].node = row->node;
        records[i].name = (uint32_t)at;
        records[i].length = row->length;
        records[i].type = row->type;
        records[i].starts_run = row->starts_run;
        records[i].prefix = memfs_name_prefix((const char *)native + at, row->length);
        at += row->length;
    }
    return 0;
}

static int fill_extents(struct emission *emission, uint64_t first, size_t count, void *native)
{
    struct memfs_extent *records = native;
    for (size_t i = 0; i < count; i++) {
        const struct memfs_extent_row *row = memfs_rows_at(&emission->contents->extents, first + i);
        records[i] = (struct memfs_extent){(uint64_t)row->offset_high << 32 | row->offset_low, row->length, row->block,
                                           row->start};
    }
    return 0;
}

static int fill_xattrs(struct emission *emission, uint64_t first, size_t count, void *native)
{
    struct memfs_xattr *records = native;
    for (size_t i = 0; i < count; i++)
        records[i] = *(const struct memfs_xattr *)memfs_rows_at(&emission->attributes->xattrs, first + i);
    return 0;
}

static int fill_blobs(struct emission *emission, uint64_t first, size_t count, void *native)
{
    memcpy(native, memfs_rows_at(&emission->attributes->blobs, first), count);
    return 0;
}

static int fill_digests(struct emission *emission, uint64_t first, size_t count, void *native)
{
    uint64_t *records = native;
    for (size_t i = 0; i < count; i++) {
        const struct memfs_order_node *node = memfs_order_at(emission->order, first + i);
        records[i] = node->type == MEMFS_TYPE(MEMFS_IFREG) ? memfs_order_digest(node) : 0;
    }
    return 0;
}

/* ---- Tables ------------------------------------------------------------------- */

static fill_fn *const fillers[MEMFS_BACKED] = {
    [MEMFS_NODES] = fill_nodes,   [MEMFS_ENTRIES] = fill_entries, [MEMFS_EXTENTS] = fill_extents,
    [MEMFS_XATTRS] = fill_xattrs, [MEMFS_BLOBS] = fill_blobs,     [MEMFS_DIGESTS] = fill_digests,
};

size_t memfs_emit_raw_most(void)
{
    size_t most = 0;
    for (int table = 0; table < MEMFS_BACKED; table++) {
        size_t raw = memfs_chunk_raw_most((enum memfs_table)table, memfs_chunk_capacity((unsigned)table));
        most = raw > most ? raw : most;
    }
    return most;
}

static int emit_table(struct emission *emission, enum memfs_table table, uint64_t count)
{
    uint64_t first = 0;
    for (uint64_t chunk = 0; first < count; chunk++) {
        size_t records = memfs_chunk_records(table, count, chunk);
        void *raw;
        int error = fillers[table](emission, first, records, emission->native);
        if (!error)
            error = memfs_blocks_room(emission->blocks, &raw);
        if (!error)
            error = memfs_blocks_add(emission->blocks, table, raw,
                                     memfs_chunk_encode(table, emission->native, records, raw));
        if (error)
            return error;
        first += records;
    }
    emission->root->table[table].count = count;
    return memfs_blocks_add_refs(emission->blocks, table, &emission->root->table[table]);
}

static void encode_header(const struct memfs_blocks *blocks, uint8_t bytes[MEMFS_HEADER_BYTES])
{
    struct memfs_header header = {
        .major = MEMFS_FORMAT_MAJOR, .minor = MEMFS_FORMAT_MINOR, .block_size = blocks->job->options.block_size};
    memfs_header_encode(&header, bytes);
}

int memfs_emit_header(struct memfs_blocks *blocks)
{
    uint8_t bytes[MEMFS_HEADER_BYTES];
    encode_header(blocks, bytes);
    return memfs_blocks_write(blocks, bytes, sizeof bytes);
}

int memfs_emit_tables(struct memfs_blocks *blocks, const struct memfs_order *order,
                      const struct memfs_contents *contents, const struct memfs_attributes *attributes,
                      struct memfs_root *root)
{
    const struct memfs_allocator *allocator = &blocks->job->allocator;
    struct emission emission = {.job = blocks->job,
                                .blocks = blocks,
                                .order = order,
                                .contents = contents,
                                .attributes = attributes,
                                .root = root};
    const uint64_t counts[MEMFS_BACKED] = {
        [MEMFS_NODES] = order->nodes.count,        [MEMFS_ENTRIES] = order->entries.rows.count,
        [MEMFS_EXTENTS] = contents->extents.count, [MEMFS_XATTRS] = attributes->xattrs.count,
        [MEMFS_BLOBS] = attributes->blobs.count,   [MEMFS_DIGESTS] = order->nodes.count,
    };
    emission.native = memfs_alloc(allocator, NATIVE_BYTES);
    int error = emission.native ? 0 : -ENOMEM;
    for (int table = 0; table < MEMFS_BACKED && !error; table++)
        error = emit_table(&emission, (enum memfs_table)table, counts[table]);
    memfs_free(allocator, emission.native, NATIVE_BYTES);
    if (error)
        return error;
    root->table[MEMFS_DATA].count = blocks->refs[MEMFS_DATA].count;
    root->content_bytes = contents->content_bytes;
    root->data_bytes = contents->data_bytes;
    root->raw_bytes = blocks->raw_bytes;
    root->stored_bytes = blocks->stored_bytes;
    return memfs_blocks_add_refs(blocks, MEMFS_DATA, &root->table[MEMFS_DATA]);
}

int memfs_emit_root(struct memfs_blocks *blocks, const struct memfs_root *root)
{
    const struct memfs_allocator *allocator = &blocks->job->allocator;
    uint8_t *bytes = memfs_alloc(allocator, MEMFS_ROOT_BYTES_MAX);
    if (!bytes)
        return -ENOMEM;
    uint8_t header[MEMFS_HEADER_BYTES];
    encode_header(blocks, header);
    size_t length = memfs_root_encode(root, bytes);
    struct memfs_trailer trailer = {.offset = blocks->offset + length,
                                    .root_offset = blocks->offset,
                                    .root_length = (uint32_t)length,
                                    .generation = 1,
                                    .root_hash = memfs_hash(bytes, length),
                                    .header_hash = memfs_hash(header, sizeof header)};
    int error = memfs_blocks_write(blocks, bytes, length);
    memfs_free(allocator, bytes, MEMFS_ROOT_BYTES_MAX);
    if (error)
        return error;
    uint8_t end[MEMFS_TRAILER_BYTES];
    memfs_trailer_encode(&trailer, end);
    return memfs_blocks_write(blocks, end, sizeof end);
}
