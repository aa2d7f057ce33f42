#include "surgery.h"

#include "columns.h"
#include "cursor.h"
#include "hash.h"

/* ---- Apart ------------------------------------------------------------------------ */

void *surgery_grow(void *array, size_t count, size_t more, size_t width)
{
    uint8_t *grown = realloc(array, (count + more + 1) * width);
    assert_non_null(grown);
    memset(grown + count * width, 0, more * width);
    return grown;
}

/* All records of a table but ENTRIES, one after the other. */
static void *take_table(struct memfs_image *image, enum memfs_table table, size_t width, size_t *count)
{
    *count = (size_t)image->root.table[table].count;
    uint8_t *all = surgery_grow(NULL, 0, *count, width);
    for (size_t chunk = 0; chunk < memfs_chunk_total(table, *count); chunk++) {
        struct memfs_pin pin = {0};
        const void *data;
        assert_ok(memfs_image_load(image, table, chunk, &pin, &data, NULL));
        memcpy(all + chunk * memfs_chunk_capacity(table) * width, data,
               memfs_chunk_records(table, *count, chunk) * width);
        image->backing.ops->unpin(&image->backing, &pin);
    }
    return all;
}

static void take_entries(struct surgery *s, struct memfs_image *image)
{
    s->entries_count = (size_t)image->root.table[MEMFS_ENTRIES].count;
    s->entries = surgery_grow(NULL, 0, s->entries_count, sizeof *s->entries);
    for (size_t i = 0; i < s->entries_count; i++) {
        struct memfs_pin pin = {0};
        const void *data;
        assert_ok(memfs_image_load(image, MEMFS_ENTRIES, i / MEMFS_CHUNK_RECORDS, &pin, &data, NULL));
        const struct memfs_entry *entry = (const struct memfs_entry *)data + i % MEMFS_CHUNK_RECORDS;
        s->entries[i] = (struct surgery_entry){entry->node, entry->length, entry->type, entry->starts_run, {0}};
        memcpy(s->entries[i].name, memfs_entry_name(data, entry), entry->length);
        image->backing.ops->unpin(&image->backing, &pin);
    }
}

static void take_blocks(struct surgery *s, struct memfs_image *image)
{
    s->blocks_count = (size_t)image->root.table[MEMFS_DATA].count;
    s->blocks = surgery_grow(NULL, 0, s->blocks_count, sizeof *s->blocks);
    for (size_t i = 0; i < s->blocks_count; i++) {
        struct memfs_ref ref;
        struct memfs_pin pin = {0};
        const uint8_t *data;
        assert_ok(memfs_image_find_ref(image, MEMFS_DATA, i, &ref, NULL));
        assert_ok(memfs_image_pin_block(image, (uint32_t)i, ref.raw, &pin, &data, NULL));
        s->blocks[i] = (struct surgery_block){surgery_grow(NULL, 0, ref.raw, 1), ref.raw};
        memcpy(s->blocks[i].raw, data, ref.raw);
        image->backing.ops->unpin(&image->backing, &pin);
    }
}

void surgery_open(struct surgery *s, const struct test_buffer *buffer)
{
    struct memfs_image *image = NULL;
    memset(s, 0, sizeof *s);
    assert_ok(memfs_image_open_buffer(buffer->data, buffer->length, NULL, &image, NULL));
    s->header = image->header;
    s->root = image->root;
    s->nodes = take_table(image, MEMFS_NODES, sizeof *s->nodes, &s->nodes_count);
    s->extents = take_table(image, MEMFS_EXTENTS, sizeof *s->extents, &s->extents_count);
    s->xattrs = take_table(image, MEMFS_XATTRS, sizeof *s->xattrs, &s->xattrs_count);
    s->blobs = take_table(image, MEMFS_BLOBS, 1, &s->blobs_count);
    s->digests = take_table(image, MEMFS_DIGESTS, sizeof *s->digests, &s->digests_count);
    take_entries(s, image);
    take_blocks(s, image);
    memfs_image_close(image);
}

static void *copy_of(const void *array, size_t count, size_t width)
{
    void *copy = malloc((count + 1) * width);
    assert_non_null(copy);
    if (count)
        memcpy(copy, array, count * width);
    return copy;
}

void surgery_copy(struct surgery *s, const struct surgery *from)
{
    *s = *from;
    s->nodes = copy_of(from->nodes, from->nodes_count, sizeof *s->nodes);
    s->entries = copy_of(from->entries, from->entries_count, sizeof *s->entries);
    s->extents = copy_of(from->extents, from->extents_count, sizeof *s->extents);
    s->xattrs = copy_of(from->xattrs, from->xattrs_count, sizeof *s->xattrs);
    s->blobs = copy_of(from->blobs, from->blobs_count, 1);
    s->digests = copy_of(from->digests, from->digests_count, sizeof *s->digests);
    s->blocks = copy_of(from->blocks, from->blocks_count, sizeof *s->blocks);
    for (size_t i = 0; i < s->blocks_count; i++)
        s->blocks[i].raw = copy_of(from->blocks[i].raw, from->blocks[i].length, 1);
    s->sums = copy_of(from->sums, from->sums_count, sizeof *s->sums);
}

void surgery_free(struct surgery *s)
{
    for (size_t i = 0; i < s->blocks_count; i++)
        free(s->blocks[i].raw);
    free(s->nodes);
    free(s->entries);
    free(s->extents);
    free(s->xattrs);
    free(s->blobs);
    free(s->digests);
    free(s->blocks);
    free(s->sums);
}

/* ---- Checksums ---------------------------------------------------------------------- */

static int same_place(const struct surgery_place *a, const struct surgery_place *b)
{
    return a->part == b->part && a->table == b->table && a->level == b->level && a->index == b->index;
}

/* The checksum of bytes, or that which stood at their place before. Places come in the
 * order in which they were noted, but for those that are new. */
static uint64_t sum_of(struct surgery *s, const struct surgery_place *place, const void *bytes, size_t length)
{
    const uint64_t hash = memfs_hash(bytes, length);
    if (s->noting) {
        s->sums = surgery_grow(s->sums, s->sums_count, 1, sizeof *s->sums);
        s->sums[s->sums_count++] = (struct surgery_sum){*place, hash};
    }
    for (size_t i = 0; s->stale && i < s->sums_count; i++) {
        const size_t at = (s->sums_next + i) % s->sums_count;
        if (same_place(&s->sums[at].place, place)) {
            s->sums_next = at + 1;
            return s->sums[at].hash;
        }
    }
    return hash;
}

static void edit_any(const struct surgery *s, const struct surgery_place *place, void *what, size_t *length)
{
    if (s->edit_any)
        s->edit_any(s->context, place, what, length);
}

void surgery_note_sums(struct surgery *s)
{
    struct test_buffer out = {0};
    s->noting = 1;
    s->sums_count = s->sums_next = 0;
    surgery_close(s, &out);
    s->noting = 0;
    test_buffer_free(&out);
}

/* ---- Together ----------------------------------------------------------------------- */

struct closing {
    struct surgery *s;
    struct test_buffer *out;
    struct memfs_root root;
    struct memfs_ref *refs[MEMFS_IMAGE_TABLES]; /* of level 0 */
    uint64_t chunks[MEMFS_IMAGE_TABLES];
};

/* Of what a changed ref or trailer now points at, if that is written already. */
static int sum_elsewhere(const struct closing *c, uint64_t offset, uint64_t length, uint64_t *hash)
{
    if (c->s->stale || offset > c->out->length || length > c->out->length - offset)
        return 0;
    *hash = memfs_hash(c->out->data + offset, (size_t)length);
    return 1;
}

static void put_block(struct closing *c, unsigned table, unsigned level, uint64_t index, const void *raw, size_t length,
                      struct memfs_ref *ref)
{
    const struct surgery_place place = {SURGERY_REF, table, level, index};
    *ref = (struct memfs_ref){c->out->length, sum_of(c->s, &place, raw, length), (uint32_t)length, (uint32_t)length,
                              MEMFS_CODEC_RAW};
    const struct memfs_ref before = *ref;
    test_buffer_add(c->out, raw, length);
    if (c->s->edit_ref)
        c->s->edit_ref(table, level, index, ref);
    size_t width = sizeof *ref;
    edit_any(c->s, &place, ref, &width);
    if (ref->hash == before.hash && (ref->offset != before.offset || ref->stored != before.stored))
        sum_elsewhere(c, ref->offset, ref->stored, &ref->hash);
}

static void put_gap(struct closing *c, size_t length)
{
    for (size_t i = 0; i < length; i++)
        test_buffer_add(c->out, "", 1);
}

static void put_blocks(struct closing *c)
{
    struct surgery *s = c->s;
    c->chunks[MEMFS_DATA] = s->blocks_count;
    c->refs[MEMFS_DATA] = surgery_grow(NULL, 0, s->blocks_count, sizeof(struct memfs_ref));
    for (size_t i = 0; i < s->blocks_count; i++)
        put_block(c, MEMFS_DATA, 0, i, s->blocks[i].raw, s->blocks[i].length, &c->refs[MEMFS_DATA][i]);
}

/* A native chunk of entries. */
static void gather_entries(const struct surgery *s, size_t first, size_t count, uint8_t *native)
{
    struct memfs_entry *entries = (struct memfs_entry *)(void *)native;
    size_t at = count * sizeof *entries;
    for (size_t i = 0; i < count; i++) {
        const struct surgery_entry *from = &s->entries[first + i];
        entries[i] = (struct memfs_entry){.node = from->node,
                                          .name = (uint32_t)at,
                                          .length = from->length,
                                          .type = from->type,
                                          .starts_run = from->starts_run};
        memcpy(native + at, from->name, from->length);
        at += from->length;
    }
}

static void put_table(struct closing *c, enum memfs_table table, const void *records, size_t count, size_t width)
{
    struct surgery *s = c->s;
    const uint64_t chunks = memfs_chunk_total(table, count);
    /* Room for what a full chunk may be, in proportion, and for what edits add: ASan gives much memory slowly. */
    const size_t most = chunks ? memfs_chunk_records(table, count, 0) : 0;
    const size_t room = 4096 + (1 << 18) / memfs_chunk_capacity(table) * most;
    uint8_t *native = malloc(room), *raw = malloc(room);
    assert_true(native && raw);
    c->root.table[table].count = count;
    c->chunks[table] = chunks;
    c->refs[table] = surgery_grow(NULL, 0, chunks, sizeof(struct memfs_ref));
    for (uint64_t chunk = 0; chunk < chunks; chunk++) {
        const size_t first = (size_t)chunk * memfs_chunk_capacity(table);
        const size_t here = memfs_chunk_records(table, count, chunk);
        const void *from = native;
        if (table == MEMFS_ENTRIES)
            gather_entries(s, first, here, native);
        else
            from = (const uint8_t *)records + first * width;
        size_t length = memfs_chunk_encode(table, from, here, raw);
        if (s->edit_raw)
            s->edit_raw(table, chunk, raw, &length);
        edit_any(s, &(struct surgery_place){SURGERY_RAW, table, 0, chunk}, raw, &length);
        put_block(c, table, 0, chunk, raw, length, &c->refs[table][chunk]);
    }
    free(native);
    free(raw);
}

/* The levels of refs above level 0; the top one into the root. */
static void put_refs(struct closing *c, unsigned table)
{
    uint8_t raw[5 + 25 * MEMFS_REFS_PER_CHUNK];
    struct memfs_ref *refs = c->refs[table];
    uint64_t width = c->chunks[table];
    for (unsigned level = 1; width > MEMFS_REFS_TOP; level++) {
        const uint64_t above = (width - 1) / MEMFS_REFS_PER_CHUNK + 1;
        struct memfs_ref *up = surgery_grow(NULL, 0, above, sizeof *up);
        for (uint64_t i = 0; i < above; i++) {
            const uint64_t first = i * MEMFS_REFS_PER_CHUNK;
            const size_t count = (size_t)(width - first < MEMFS_REFS_PER_CHUNK ? width - first : MEMFS_REFS_PER_CHUNK);
            memfs_refs_encode(refs + first, count, raw);
            put_block(c, table, level, i, raw, memfs_refs_raw_bytes(count), &up[i]);
        }
        free(refs);
        refs = up;
        width = above;
    }
    if (width > 0)
        memcpy(c->root.table[table].refs, refs, width * sizeof *refs);
    free(refs);
}

/* Where a changed trailer says that the root is, with its checksum. */
static void seal_root(struct closing *c, const struct memfs_trailer *was, uint8_t *bytes)
{
    enum { ROOT_OFFSET = 24, ROOT_HASH = 40 };
    struct memfs_cursor in;
    struct memfs_appender out;
    memfs_cursor_begin(&in, bytes + ROOT_OFFSET, ROOT_HASH + MEMFS_HASH_BYTES - ROOT_OFFSET);
    const uint64_t offset = memfs_cursor_u64(&in);
    const uint32_t length = memfs_cursor_u32(&in);
    memfs_cursor_u32(&in); /* the generation */
    uint64_t hash = memfs_cursor_u64(&in);
    if (hash != was->root_hash || (offset == was->root_offset && length == was->root_length) ||
        !sum_elsewhere(c, offset, length, &hash))
        return;
    memfs_appender_begin(&out, bytes + ROOT_HASH, MEMFS_HASH_BYTES);
    memfs_append_u64(&out, hash);
}

/* The last eight bytes are the trailer's own checksum. */
static void put_trailer(struct closing *c, const struct memfs_trailer *trailer)
{
    const struct surgery_place place = {SURGERY_TRAILER, 0, 0, trailer->generation};
    struct memfs_appender own;
    uint8_t bytes[MEMFS_TRAILER_BYTES], sealed[MEMFS_HASH_BYTES];
    size_t length = sizeof bytes;
    memfs_trailer_encode(trailer, bytes);
    memcpy(sealed, bytes + sizeof bytes - sizeof sealed, sizeof sealed);
    edit_any(c->s, &place, bytes, &length);
    seal_root(c, trailer, bytes);
    if (memcmp(sealed, bytes + sizeof bytes - sizeof sealed, sizeof sealed) == 0) {
        memfs_appender_begin(&own, bytes + sizeof bytes - sizeof sealed, sizeof sealed);
        memfs_append_u64(&own, sum_of(c->s, &place, bytes, sizeof bytes - sizeof sealed));
    }
    test_buffer_add(c->out, bytes, sizeof bytes);
}

static void put_end(struct closing *c, struct memfs_trailer *trailer)
{
    struct surgery *s = c->s;
    const struct surgery_place place = {SURGERY_ROOT, 0, 0, trailer->generation};
    uint8_t bytes[2 * MEMFS_ROOT_BYTES_MAX];
    if (s->edit_root)
        s->edit_root(&c->root);
    size_t length = memfs_root_encode(&c->root, bytes);
    if (s->edit_root_bytes)
        s->edit_root_bytes(bytes, &length);
    edit_any(s, &place, bytes, &length);
    trailer->root_offset = c->out->length;
    trailer->root_length = (uint32_t)length;
    trailer->root_hash = sum_of(s, &place, bytes, length);
    test_buffer_add(c->out, bytes, length);
    trailer->offset = c->out->length;
    if (s->edit_trailer)
        s->edit_trailer(trailer);
    put_trailer(c, trailer);
}

/* A generation that changes nothing but the list of those before it. */
static void put_generation(struct closing *c, struct memfs_trailer *trailer)
{
    struct memfs_root *root = &c->root;
    const struct memfs_generation before = {trailer->offset, root->time, trailer->generation, root->has_time};
    memmove(root->generation + 1, root->generation, (MEMFS_GENERATIONS_MAX - 1) * sizeof before);
    root->generation[0] = before;
    if (root->generations < MEMFS_GENERATIONS_MAX)
        root->generations++;
    trailer->previous = trailer->offset;
    trailer->generation++;
    put_end(c, trailer);
}

static void sum_blocks(struct closing *c)
{
    c->root.table[MEMFS_DATA].count = c->s->blocks_count;
    c->root.raw_bytes = c->root.stored_bytes = 0;
    for (size_t i = 0; i < c->s->blocks_count; i++) {
        c->root.raw_bytes += c->refs[MEMFS_DATA][i].raw;
        c->root.stored_bytes += c->refs[MEMFS_DATA][i].stored;
    }
}

void surgery_close(struct surgery *s, struct test_buffer *out)
{
    struct closing *c = calloc(1, sizeof *c);
    uint8_t header[MEMFS_HEADER_BYTES];
    assert_non_null(c);
    s->sums_next = 0;
    c->s = s;
    c->out = out;
    c->root = s->root;
    out->length = 0;
    const struct surgery_place place = {.part = SURGERY_HEADER};
    size_t length = sizeof header;
    memfs_header_encode(&s->header, header);
    if (s->edit_header)
        s->edit_header(header);
    edit_any(s, &place, header, &length);
    struct memfs_trailer trailer = {.generation = 1, .header_hash = sum_of(s, &place, header, sizeof header)};
    test_buffer_add(out, header, sizeof header);
    put_gap(c, s->gap_before_blocks);
    put_blocks(c);
    sum_blocks(c);
    put_table(c, MEMFS_NODES, s->nodes, s->nodes_count, sizeof *s->nodes);
    put_refs(c, MEMFS_NODES);
    put_table(c, MEMFS_ENTRIES, NULL, s->entries_count, 0);
    put_refs(c, MEMFS_ENTRIES);
    put_table(c, MEMFS_EXTENTS, s->extents, s->extents_count, sizeof *s->extents);
    put_refs(c, MEMFS_EXTENTS);
    put_table(c, MEMFS_XATTRS, s->xattrs, s->xattrs_count, sizeof *s->xattrs);
    put_refs(c, MEMFS_XATTRS);
    put_table(c, MEMFS_BLOBS, s->blobs, s->blobs_count, 1);
    put_refs(c, MEMFS_BLOBS);
    put_table(c, MEMFS_DIGESTS, s->digests, s->digests_count, sizeof *s->digests);
    put_refs(c, MEMFS_DIGESTS);
    put_refs(c, MEMFS_DATA);
    put_gap(c, s->gap_before_root);
    put_end(c, &trailer);
    for (unsigned i = 0; i < s->generations_more; i++)
        put_generation(c, &trailer);
    free(c);
}
