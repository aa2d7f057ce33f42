/*
 * Verifying: sound images are found sound; each lie that has its checksums right
 * is found by its own finding.
 */
#include "alloc.h"
#include "codec.h"
#include "columns.h"
#include "digest.h"
#include "hash.h"
#include "surgery.h"
#include "testlib.h"

/* The nodes of test_build_everything(), by the order of freezing. */
enum {
    NODE_A = 2,
    NODE_DEV,
    NODE_SPARSE,
    NODE_B,
    NODE_DANGLING,
    NODE_EMPTY,
    NODE_SMALL,
    NODE_C,
    NODE_LARGE,
    NODE_PIPE,
    NODE_SOFT,
    NODE_TWIN,
    NODE_NONE,
    NODE_DISK,
    NODE_NULL,
    NODE_SOCKET
};
/* And its entries. */
enum { ENTRY_A, ENTRY_DEV, ENTRY_SPARSE, ENTRY_B, ENTRY_DANGLING, ENTRY_DANGLING2, ENTRY_EMPTY, ENTRY_SMALL, ENTRY_C };

static struct test_buffer everything;

static int group_setup(void **state)
{
    (void)state;
    memfs *fs = NULL;
    assert_ok(memfs_create(NULL, &fs));
    test_build_everything(fs);
    struct memfs_sink sink = test_buffer_sink(&everything);
    const struct memfs_freeze_options options = {.size = sizeof options, .block_size = 65536};
    assert_ok(memfs_freeze(fs, &sink, &options, NULL));
    memfs_destroy(fs);
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    test_buffer_free(&everything);
    return 0;
}

struct findings {
    unsigned count;
    int stop_after;
    char all[8192];
};

static int take_finding(void *context, const struct memfs_detail *finding)
{
    struct findings *findings = context;
    const size_t used = strlen(findings->all);
    assert_true(finding->error < 0);
    assert_true(finding->text[0]);
    snprintf(findings->all + used, sizeof findings->all - used, "%s\n", finding->text);
    return ++findings->count == (unsigned)findings->stop_after;
}

static int verify_with(const struct test_buffer *buffer, unsigned threads, int quick, struct findings *findings,
                       struct memfs_detail *detail)
{
    struct test_memory memory;
    memfs_image *image = NULL;
    test_memory_init(&memory);
    const struct memfs_image_options options = {.size = sizeof options, .allocator = &memory.hook};
    int error = memfs_image_open_buffer(buffer->data, buffer->length, &options, &image, detail);
    if (error) {
        snprintf(findings->all, sizeof findings->all, "%s\n", detail->text);
        assert_int_equal(memory.live, 0);
        return error;
    }
    const struct memfs_verify_options how = {
        .size = sizeof how, .quick = quick, .finding = take_finding, .finding_context = findings, .threads = threads};
    error = memfs_verify(image, &how, detail);
    memfs_image_close(image);
    assert_int_equal(memory.live, 0);
    assert_true(memory.peak < 64u << 20);
    return error;
}

/* What is found is the same, in the same order, for any number of threads. */
static int verify(const struct test_buffer *buffer, int quick, struct findings *findings, struct memfs_detail *detail)
{
    const struct findings before = *findings;
    const int error = verify_with(buffer, 1, quick, findings, detail);
    for (unsigned threads = 2; threads <= 8; threads += 6) {
        static struct findings others;
        struct memfs_detail other = {0};
        others = before;
        assert_int_equal(verify_with(buffer, threads, quick, &others, &other), error);
        assert_int_equal(others.count, findings->count);
        assert_string_equal(others.all, findings->all);
        assert_string_equal(other.text, detail->text);
        assert_true(other.offset == detail->offset);
    }
    return error;
}

static void test_verify__sound(void **state)
{
    (void)state;
    struct findings findings = {0};
    struct memfs_detail detail = {0};
    assert_ok(verify(&everything, 1, &findings, &detail));
    assert_ok(verify(&everything, 0, &findings, &detail));
    assert_int_equal(findings.count, 0);
}

/* Surgery that changes nothing leaves a sound image. */
static void test_verify__surgery_is_sound(void **state)
{
    (void)state;
    struct surgery s;
    struct test_buffer out = {0};
    struct findings findings = {0};
    struct memfs_detail detail = {0};
    surgery_open(&s, &everything);
    surgery_close(&s, &out);
    surgery_free(&s);
    const int error = verify(&out, 0, &findings, &detail);
    if (error)
        print_error("%s", findings.all);
    assert_ok(error);
    test_buffer_free(&out);
}

/* ---- Lies ----------------------------------------------------------------------------- */

static void future_version(uint8_t *bytes)
{
    bytes[8] = 2;
}
static void version_zero(uint8_t *bytes)
{
    bytes[8] = 0;
}
static void newer_minor(uint8_t *bytes)
{
    bytes[10] = 9;
}
static void incompatible_feature(uint8_t *bytes)
{
    bytes[16] = 1;
}
static void other_features(uint8_t *bytes)
{
    bytes[24] = 1;
    bytes[39] = 0x80;
}
static void hash_kind(uint8_t *bytes)
{
    bytes[12] = 2;
}
static void block_size_zero(uint8_t *bytes)
{
    memset(bytes + 40, 0, 4);
}
static void block_size_odd(uint8_t *bytes)
{
    bytes[40] = 1;
}
static void block_size_huge(uint8_t *bytes)
{
    bytes[42] = 0;
    bytes[43] = 2;
}
static void header_reserved(uint8_t *bytes)
{
    bytes[63] = 1;
}
static void header_reserved_middle(uint8_t *bytes)
{
    bytes[15] = 1;
}

static void trailer_elsewhere(struct memfs_trailer *trailer)
{
    trailer->offset--;
}
static void generation_zero(struct memfs_trailer *trailer)
{
    trailer->generation = 0;
}
static void generation_without_one_before(struct memfs_trailer *trailer)
{
    trailer->generation = 2;
}
static void previous_in_first(struct memfs_trailer *trailer)
{
    trailer->previous = 500;
}
static void previous_goes_forward(struct memfs_trailer *trailer)
{
    trailer->generation = 2;
    trailer->previous = trailer->offset;
}
static void root_too_long(struct memfs_trailer *trailer)
{
    trailer->root_length = MEMFS_ROOT_BYTES_MAX + 1;
    trailer->root_offset = trailer->offset - trailer->root_length;
}
static void root_wraps(struct memfs_trailer *trailer)
{
    trailer->root_offset = UINT64_MAX - 100;
}
static void root_elsewhere(struct memfs_trailer *trailer)
{
    trailer->root_offset--;
}

static void types_lie(struct memfs_root *root)
{
    root->types[0]--;
    root->types[3]++;
}
static void types_beyond(struct memfs_root *root)
{
    root->types[5] = UINT64_MAX;
}
static void content_bytes_lie(struct memfs_root *root)
{
    root->content_bytes++;
}
static void data_bytes_lie(struct memfs_root *root)
{
    root->data_bytes++;
}
static void stored_bytes_lie(struct memfs_root *root)
{
    root->stored_bytes--;
}
static void raw_bytes_beyond(struct memfs_root *root)
{
    root->raw_bytes = UINT64_MAX;
}
static void time_without(struct memfs_root *root)
{
    root->time = 1;
}
static void has_time_two(struct memfs_root *root)
{
    root->has_time = 2;
}
static void message_nul(struct memfs_root *root)
{
    root->message_length = 1;
    root->message[0] = 0;
}
static void generations_in_first(struct memfs_root *root)
{
    root->generations = 1;
}
static void digests_fewer(struct memfs_root *root)
{
    root->table[MEMFS_DIGESTS].count--;
    root->table[MEMFS_DIGESTS].refs[0].raw -= 8;
    root->table[MEMFS_DIGESTS].refs[0].stored -= 8;
}
static void nodes_more(struct memfs_root *root)
{
    root->table[MEMFS_NODES].count++;
}
static void top_ref_wraps(struct memfs_root *root)
{
    root->table[MEMFS_NODES].refs[0].offset = UINT64_MAX - 3;
}
static void top_ref_negative(struct memfs_root *root)
{
    root->table[MEMFS_NODES].refs[0].offset |= (uint64_t)1 << 63;
}
static void top_ref_in_header(struct memfs_root *root)
{
    root->table[MEMFS_NODES].refs[0].offset = 10;
}
static void top_ref_twice(struct memfs_root *root)
{
    root->table[MEMFS_DATA].refs[1] = root->table[MEMFS_DATA].refs[0];
}
static void top_ref_codec(struct memfs_root *root)
{
    root->table[MEMFS_NODES].refs[0].codec = 7;
}
static void top_ref_hash(struct memfs_root *root)
{
    root->table[MEMFS_BLOBS].refs[0].hash ^= 1;
}
static void root_cut(uint8_t *bytes, size_t *length)
{
    (void)bytes;
    *length -= 1;
}
static void root_longer(uint8_t *bytes, size_t *length)
{
    bytes[(*length)++] = 0;
}
static void root_reserved(uint8_t *bytes, size_t *length)
{
    (void)length;
    bytes[108] = 1;
}
static void root_message_long(uint8_t *bytes, size_t *length)
{
    (void)length;
    bytes[105] = 0xff;
}
static void root_count_huge(uint8_t *bytes, size_t *length)
{
    (void)length;
    memset(bytes + 112, 0xff, 8);
}
static void root_height(uint8_t *bytes, size_t *length)
{
    (void)length;
    bytes[120] = 1;
}

static void column_tag(unsigned table, uint64_t chunk, uint8_t *raw, size_t *length)
{
    (void)chunk;
    (void)length;
    if (table == MEMFS_NODES)
        raw[0] = 9;
}
static void block_twice(unsigned table, unsigned level, uint64_t index, struct memfs_ref *ref)
{
    (void)level;
    if (table == MEMFS_DIGESTS && index == 0)
        ref->offset -= 8;
}

static void node_zero(struct surgery *s)
{
    s->nodes[0] = s->nodes[NODE_PIPE];
}
static void root_is_file(struct surgery *s)
{
    s->nodes[1].mode = MEMFS_IFREG;
}
static void unknown_type(struct surgery *s)
{
    s->nodes[NODE_PIPE].mode = 0030000;
}
static void entry_type(struct surgery *s)
{
    s->entries[ENTRY_SMALL].type = MEMFS_IFIFO >> 12;
}
static void size_negative(struct surgery *s)
{
    s->nodes[NODE_LARGE].size = UINT64_MAX;
}
static void size_smaller(struct surgery *s)
{
    s->nodes[NODE_LARGE].size--;
}
static void size_larger(struct surgery *s)
{
    s->nodes[NODE_LARGE].size++;
}
static void nlink_more(struct surgery *s)
{
    s->nodes[NODE_SMALL].nlink++;
}
static void nlink_zero(struct surgery *s)
{
    s->nodes[NODE_SMALL].nlink = 0;
}
static void nlink_of_directory(struct surgery *s)
{
    s->nodes[NODE_A].nlink--;
}
static void directory_twice(struct surgery *s)
{
    s->entries[ENTRY_SMALL].node = NODE_C;
    s->entries[ENTRY_SMALL].type = MEMFS_IFDIR >> 12;
}
static void orphan(struct surgery *s)
{
    s->entries[ENTRY_DANGLING].node = s->entries[ENTRY_DANGLING2].node = NODE_SOFT;
}
static void entry_node_beyond(struct surgery *s)
{
    s->entries[ENTRY_SMALL].node = (uint32_t)s->nodes_count;
}
static void entry_names_root(struct surgery *s)
{
    s->entries[ENTRY_EMPTY].node = 1;
}
static void own_parent(struct surgery *s)
{
    s->nodes[NODE_B].up.parent = NODE_B;
}
static void parent_wrong(struct surgery *s)
{
    s->nodes[NODE_B].up.parent = NODE_DEV;
}
static void parent_file(struct surgery *s)
{
    s->nodes[NODE_B].up.parent = NODE_SMALL;
}
static void parent_zero(struct surgery *s)
{
    s->nodes[NODE_B].up.parent = 0;
}
static void up_entry_wrong(struct surgery *s)
{
    s->nodes[NODE_B].up.entry = ENTRY_EMPTY;
}
static void root_has_parent(struct surgery *s)
{
    s->nodes[1].up.parent = NODE_A;
}
/* a/b and its child c hang from each other. */
static void cycle(struct surgery *s)
{
    const struct surgery_entry entry = s->entries[ENTRY_B];
    s->entries[ENTRY_B] = s->entries[ENTRY_C];
    s->entries[ENTRY_C] = entry;
    s->entries[ENTRY_B].starts_run = s->entries[ENTRY_C].starts_run = 1;
    s->nodes[NODE_B].up.entry = ENTRY_C;
    s->nodes[NODE_B].up.parent = NODE_B;
    s->nodes[NODE_C].up.entry = ENTRY_B;
    s->nodes[NODE_C].up.parent = NODE_A;
}
static void name_twice(struct surgery *s)
{
    s->entries[ENTRY_DANGLING2] = s->entries[ENTRY_DANGLING];
}
static void names_unsorted(struct surgery *s)
{
    s->entries[ENTRY_DEV].name[0] = 'A';
}
static void name_empty(struct surgery *s)
{
    s->entries[ENTRY_DANGLING].length = 0;
    s->entries[ENTRY_DANGLING2].length = 20; /* so that the chunk has its length */
}
static void name_dots(struct surgery *s)
{
    s->entries[ENTRY_A].length = 2;
    memcpy(s->entries[ENTRY_A].name, "..", 2);
}
static void name_slash(struct surgery *s)
{
    s->entries[ENTRY_DANGLING].name[2] = '/';
}
static void name_nul(struct surgery *s)
{
    s->entries[ENTRY_DANGLING].name[2] = 0;
}
static void run_beyond(struct surgery *s)
{
    s->nodes[NODE_DEV].run.count++;
}
static void run_shorter(struct surgery *s)
{
    s->nodes[NODE_A].run.count--;
}
static void run_stolen(struct surgery *s)
{
    s->nodes[NODE_EMPTY].run = s->nodes[NODE_DEV].run;
}
static void run_in_the_middle(struct surgery *s)
{
    s->nodes[NODE_A].run.first++;
    s->nodes[NODE_A].run.count--;
}
static void run_starts_twice(struct surgery *s)
{
    s->entries[ENTRY_DANGLING2].starts_run = 1;
}
static void target_beyond(struct surgery *s)
{
    s->nodes[NODE_SOFT].target = s->blobs_count;
}
static void target_empty(struct surgery *s)
{
    s->nodes[NODE_SOFT].size = 0;
}
static void target_long(struct surgery *s)
{
    s->nodes[NODE_SOFT].size = 4096;
}
static void target_nul(struct surgery *s)
{
    s->blobs[s->nodes[NODE_SOFT].target + 3] = 0;
}
static void fifo_with_size(struct surgery *s)
{
    s->nodes[NODE_PIPE].size = 1;
}
static void extents_beyond(struct surgery *s)
{
    s->nodes[NODE_LARGE].extents.count = (uint32_t)s->extents_count + 1;
}
static void extent_block(struct surgery *s)
{
    s->extents[0].block = (uint32_t)s->blocks_count;
}
static void extent_past_block(struct surgery *s)
{
    s->extents[0].start = 65000;
}
static void extent_empty(struct surgery *s)
{
    s->extents[0].length = 0;
}
static void extents_unsorted(struct surgery *s)
{
    const struct memfs_extent first = s->extents[0];
    s->extents[0] = s->extents[1];
    s->extents[1] = first;
}
static void extents_overlap(struct surgery *s)
{
    s->extents[1].offset = s->extents[0].offset + s->extents[0].length - 1;
}
static void content_changed(struct surgery *s)
{
    s->blocks[0].raw[10] ^= 1;
}
static void digest_of_directory(struct surgery *s)
{
    s->digests[NODE_A] = 5;
}
static void digest_wrong(struct surgery *s)
{
    s->digests[NODE_SMALL]++;
}
static void xattr_beyond(struct surgery *s)
{
    s->nodes[NODE_A].xattrs = (uint32_t)s->xattrs_count + 1;
}
static void xattr_in_the_middle(struct surgery *s)
{
    for (size_t i = 0; i < s->xattrs_count; i++)
        if (!s->xattrs[i].last)
            s->nodes[NODE_A].xattrs = (uint32_t)i + 2;
}
static void xattr_not_last(struct surgery *s)
{
    s->xattrs[s->xattrs_count - 1].last = 0;
}
static void xattr_order(struct surgery *s)
{
    for (size_t i = 0; i + 1 < s->xattrs_count; i++)
        if (!s->xattrs[i].last)
            s->xattrs[i + 1].name = s->xattrs[i].name, s->xattrs[i + 1].name_length = s->xattrs[i].name_length;
}
static void xattr_name_nul(struct surgery *s)
{
    s->blobs[s->xattrs[0].name + 1] = 0;
}
static void xattr_name_empty(struct surgery *s)
{
    s->xattrs[0].name_length = 0;
}
static void xattr_value_beyond(struct surgery *s)
{
    s->xattrs[0].value = s->blobs_count;
}
static void blob_wraps(struct surgery *s)
{
    s->xattrs[0].value = UINT64_MAX;
}
/* Records that nobody refers to. */
static void extent_more(struct surgery *s)
{
    s->extents = surgery_grow(s->extents, s->extents_count, 1, sizeof *s->extents);
    s->extents[s->extents_count++] = (struct memfs_extent){.offset = 5, .length = 1};
}
static void extent_more_past_block(struct surgery *s)
{
    extent_more(s);
    s->extents[s->extents_count - 1].start = 65536;
}
static void xattr_more(struct surgery *s)
{
    s->xattrs = surgery_grow(s->xattrs, s->xattrs_count, 1, sizeof *s->xattrs);
    s->xattrs[s->xattrs_count] = s->xattrs[0];
    s->xattrs[s->xattrs_count++].last = 1;
}
/* Each name is the beginning of one of two: few bytes, which are more together than a list may have. */
static void xattr_names_long(struct surgery *s)
{
    const size_t names = 2 * MEMFS_NAME_MAX, heap = s->blobs_count;
    s->blobs = surgery_grow(s->blobs, heap, names, 1);
    s->blobs_count += names;
    memset(s->blobs + heap, 'a', MEMFS_NAME_MAX);
    memset(s->blobs + heap + MEMFS_NAME_MAX, 'b', MEMFS_NAME_MAX);
    s->xattrs = surgery_grow(s->xattrs, s->xattrs_count, names, sizeof *s->xattrs);
    s->nodes[NODE_SMALL].xattrs = (uint32_t)s->xattrs_count + 1;
    for (size_t i = 0; i < names; i++)
        s->xattrs[s->xattrs_count++] = (struct memfs_xattr){.name = heap + i / MEMFS_NAME_MAX * MEMFS_NAME_MAX,
                                                            .name_length = (uint8_t)(1 + i % MEMFS_NAME_MAX),
                                                            .last = i + 1 == names};
}
static void xattrs_of_nobody(struct surgery *s)
{
    for (size_t i = 0; i < s->nodes_count; i++)
        s->nodes[i].xattrs = 0;
}
static void blob_more(struct surgery *s)
{
    s->blobs = surgery_grow(s->blobs, s->blobs_count++, 1, 1);
}
static void blob_between(struct surgery *s)
{
    s->nodes[NODE_SOFT].target++;
    s->nodes[NODE_SOFT].size--;
}
static void blobs_of_nobody_in_a_full_chunk(struct surgery *s)
{
    s->blobs = surgery_grow(s->blobs, s->blobs_count, MEMFS_BLOB_BYTES, 1);
    memcpy(s->blobs + MEMFS_BLOB_BYTES, s->blobs, s->blobs_count);
    s->blobs[MEMFS_BLOB_BYTES - 1] = 1;
    s->blobs_count += MEMFS_BLOB_BYTES;
    s->nodes[NODE_SOFT].target += MEMFS_BLOB_BYTES;
}
/* A block that no file has a part of, and that is no zstd frame. */
static void block_more(struct surgery *s)
{
    s->blocks = surgery_grow(s->blocks, s->blocks_count, 1, sizeof *s->blocks);
    s->blocks[s->blocks_count++] = (struct surgery_block){calloc(1, 51), 51};
}
static void no_frame(unsigned table, unsigned level, uint64_t index, struct memfs_ref *ref)
{
    (void)level;
    (void)index;
    if (table == MEMFS_DATA && ref->stored == 51) {
        ref->codec = MEMFS_CODEC_ZSTD;
        ref->raw = 100;
    }
}
static void run_of_nothing(struct surgery *s)
{
    s->nodes[NODE_EMPTY].run.first = 1;
}
static void extents_of_nothing(struct surgery *s)
{
    s->nodes[NODE_NONE].extents.first = 1;
}
static void nodes_without_entries(struct surgery *s)
{
    const struct memfs_node_record node = s->nodes[NODE_PIPE];
    s->nodes = surgery_grow(s->nodes, s->nodes_count, 5, sizeof *s->nodes);
    s->digests = surgery_grow(s->digests, s->digests_count, 5, sizeof *s->digests);
    for (size_t i = 0; i < 5; i++)
        s->nodes[s->nodes_count++] = node;
    s->digests_count += 5;
}
static void gap_at_the_start(struct surgery *s)
{
    s->gap_before_blocks = 1;
}
static void gap_at_the_end(struct surgery *s)
{
    s->gap_before_root = 100;
}

struct lie {
    const char *name;
    int error;        /* of opening or of verifying; 0: harmless */
    const char *text; /* part of a finding */
    void (*edit)(struct surgery *s);
    void (*edit_header)(uint8_t *bytes);
    void (*edit_root)(struct memfs_root *root);
    void (*edit_root_bytes)(uint8_t *bytes, size_t *length);
    void (*edit_trailer)(struct memfs_trailer *trailer);
    void (*edit_raw)(unsigned table, uint64_t chunk, uint8_t *raw, size_t *length);
    void (*edit_ref)(unsigned table, unsigned level, uint64_t index, struct memfs_ref *ref);
};

#define LIE(function, text)                                                                                            \
    {                                                                                                                  \
#function, MEMFS_ECORRUPT, text, .edit = function                                                              \
    }
#define HEADER(function, error, text)                                                                                  \
    {                                                                                                                  \
#function, error, text, .edit_header = function                                                                \
    }
#define ROOT(function, text)                                                                                           \
    {                                                                                                                  \
#function, MEMFS_ECORRUPT, text, .edit_root = function                                                         \
    }
#define BYTES(function, text)                                                                                          \
    {                                                                                                                  \
#function, MEMFS_ECORRUPT, text, .edit_root_bytes = function                                                   \
    }
#define TRAILER(function, text)                                                                                        \
    {                                                                                                                  \
#function, MEMFS_ECORRUPT, text, .edit_trailer = function                                                      \
    }

static const struct lie lies[] = {
    HEADER(future_version, MEMFS_EVERSION, "version 2"),
    HEADER(version_zero, MEMFS_ECORRUPT, "version 0"),
    HEADER(newer_minor, 0, ""),
    HEADER(incompatible_feature, MEMFS_EFEATURE, "0x1"),
    HEADER(other_features, 0, ""),
    HEADER(hash_kind, MEMFS_EFEATURE, "hash kind 2"),
    HEADER(block_size_zero, MEMFS_ECORRUPT, "block size 0"),
    HEADER(block_size_odd, MEMFS_ECORRUPT, "block size"),
    HEADER(block_size_huge, MEMFS_ECORRUPT, "block size 33554432"),
    HEADER(header_reserved, MEMFS_ECORRUPT, "reserved"),
    HEADER(header_reserved_middle, MEMFS_ECORRUPT, "reserved"),
    TRAILER(trailer_elsewhere, "stands elsewhere"),
    TRAILER(generation_zero, "generation 0"),
    TRAILER(generation_without_one_before, "first generation"),
    TRAILER(previous_in_first, "first generation"),
    TRAILER(previous_goes_forward, "before its root"),
    TRAILER(root_too_long, "out of bounds"),
    TRAILER(root_wraps, "does not end where"),
    TRAILER(root_elsewhere, "does not end where"),
    ROOT(types_lie, "regular files"),
    ROOT(types_beyond, "more nodes"),
    ROOT(content_bytes_lie, "files have"),
    ROOT(data_bytes_lie, "of them data"),
    ROOT(stored_bytes_lie, "its blocks have"),
    ROOT(raw_bytes_beyond, "impossible"),
    ROOT(time_without, "time"),
    ROOT(has_time_two, "time"),
    ROOT(message_nul, "NUL"),
    ROOT(generations_in_first, "generations"),
    ROOT(digests_fewer, "one digest a node"),
    ROOT(nodes_more, "raw length"),
    ROOT(top_ref_wraps, "before the root"),
    ROOT(top_ref_negative, "before the root"),
    ROOT(top_ref_in_header, "overlaps the header"),
    ROOT(top_ref_twice, ""),
    ROOT(top_ref_codec, "codec"),
    {"top_ref_hash", MEMFS_ECHECKSUM, "blobs", .edit_root = top_ref_hash},
    BYTES(root_cut, "cut short"),
    BYTES(root_longer, "left over"),
    BYTES(root_reserved, "reserved"),
    BYTES(root_message_long, "message is too long"),
    BYTES(root_count_huge, "too many records"),
    BYTES(root_height, "shape"),
    {"column_tag", MEMFS_ECORRUPT, "tag", .edit_raw = column_tag},
    {"block_twice", MEMFS_ECORRUPT, "8 bytes belong to two parts", .edit_ref = block_twice},
    LIE(node_zero, "reserved"),
    LIE(root_is_file, "root is not a directory"),
    LIE(unknown_type, "unknown type"),
    LIE(entry_type, "its type is 1"),
    LIE(size_negative, "size is negative"),
    LIE(size_smaller, "whose size is"),
    LIE(size_larger, "it says 1140006"),
    LIE(nlink_more, "link count is 3"),
    LIE(nlink_zero, "no links"),
    LIE(nlink_of_directory, "link count"),
    LIE(directory_twice, "another way"),
    LIE(orphan, "no entry names it"),
    LIE(entry_node_beyond, "does not exist"),
    LIE(entry_names_root, "does not exist"),
    LIE(own_parent, "not one of its parent"),
    LIE(parent_wrong, "not one of its parent"),
    LIE(parent_file, "not a directory"),
    LIE(parent_zero, "does not exist"),
    LIE(up_entry_wrong, "names node"),
    LIE(root_has_parent, "root has a parent"),
    LIE(cycle, "below itself"),
    LIE(name_twice, "does not follow"),
    LIE(names_unsorted, "does not follow"),
    LIE(name_empty, "not a legal one"),
    LIE(name_dots, "not a legal one"),
    LIE(name_slash, "not a legal one"),
    LIE(name_nul, "not a legal one"),
    LIE(run_beyond, "beyond the end"),
    LIE(run_shorter, "where none does"),
    LIE(run_stolen, "belongs to another"),
    LIE(run_in_the_middle, "no run of entries starts"),
    LIE(run_starts_twice, "starts a run that is no"),
    LIE(target_beyond, "outside of the heap"),
    LIE(target_empty, "target has 0"),
    LIE(target_long, "target has 4096"),
    LIE(target_nul, "contains NUL"),
    LIE(fifo_with_size, "not zero"),
    LIE(extents_beyond, "beyond the end"),
    LIE(extent_block, "does not exist"),
    LIE(extent_past_block, "runs to"),
    LIE(extent_empty, "empty"),
    LIE(extents_unsorted, "overlaps"),
    LIE(extents_overlap, "overlaps"),
    LIE(content_changed, "sparse: its content has the digest"),
    LIE(digest_of_directory, "no regular file"),
    LIE(digest_wrong, "small: its content has the digest"),
    LIE(xattr_beyond, "beyond the end"),
    LIE(xattr_in_the_middle, "no set"),
    LIE(xattr_not_last, "does not end"),
    LIE(xattr_order, "does not follow"),
    LIE(xattr_name_nul, "NUL"),
    LIE(xattr_name_empty, "outside of the heap"),
    LIE(xattr_value_beyond, "outside of the heap"),
    LIE(blob_wraps, "outside of the heap"),
    LIE(extent_more, "is no file's, the first of 1"),
    LIE(extent_more_past_block, "runs to 65537"),
    LIE(xattr_more, "a set that no node has"),
    LIE(xattr_names_long, "the names of its set have 65790 bytes"),
    LIE(xattrs_of_nobody, "a set that no node has"),
    LIE(blob_more, "nothing names the last 1 bytes"),
    LIE(blob_between, "nothing names this byte, though"),
    LIE(blobs_of_nobody_in_a_full_chunk, "not zero"),
    {"no_frame", MEMFS_ECORRUPT, "block 2: ", .edit = block_more, .edit_ref = no_frame},
    LIE(run_of_nothing, "none but somewhere"),
    LIE(extents_of_nothing, "none but somewhere"),
    LIE(nodes_without_entries, "no entry names some nodes"),
    LIE(gap_at_the_start, "belong to nothing"),
    LIE(gap_at_the_end, "belong to nothing"),
};

#define HANDLES 20 /* a little more than the image has nodes */

static void read_node(memfs *fs, memfs_node node)
{
    static const char *const names[] = {"user.one", "trusted.link", "user.none"};
    const struct memfs_cred other = {.uid = 77, .gid = 77};
    struct memfs_dirent entries[4];
    struct memfs_stat stat;
    struct memfs_view view;
    char bytes[5000];
    uint64_t digest;
    memfs_node above;
    memfs_node_stat(fs, node, &stat);
    memfs_node_digest(fs, node, &digest);
    memfs_node_read(fs, node, 0, bytes, sizeof bytes);
    memfs_node_read(fs, node, 69000, bytes, sizeof bytes);
    if (memfs_node_view(fs, node, 4000, 3000, &view) == 0)
        memfs_view_release(fs, &view);
    for (uint64_t at = 0; at < 300000; at += 65536) {
        memfs_node_seek(fs, node, at, MEMFS_SEEK_DATA);
        memfs_node_seek(fs, node, at, MEMFS_SEEK_HOLE);
    }
    memfs_node_readlink(fs, node, bytes, sizeof bytes);
    memfs_node_listxattr(fs, NULL, node, bytes, sizeof bytes);
    memfs_node_listxattr(fs, &other, node, bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        memfs_node_getxattr(fs, NULL, node, names[i], bytes, sizeof bytes);
    memfs_node_path(fs, node, bytes, sizeof bytes);
    memfs_node_access(fs, &other, node, MEMFS_R_OK | MEMFS_X_OK);
    if (memfs_node_lookup(fs, NULL, node, "small", &above) == 0)
        memfs_node_forget(fs, above, 1);
    if (memfs_node_parent(fs, node, &above) == 0)
        memfs_node_forget(fs, above, 1);
    memfs_node_readdir(fs, NULL, node, 0, entries, 4, 1);
    memfs_node_readdir(fs, NULL, node, 2, entries, 4, 0);
}

static void change_node(memfs *fs, memfs_node node)
{
    const struct memfs_setattr set = {.set = MEMFS_SET_SIZE | MEMFS_SET_MODE, .size = 4097, .mode = 0640};
    static const char bytes[5000] = "changed";
    memfs_node other = 1 + node % (HANDLES - 1);
    struct memfs_stat stat;
    memfs_node_write(fs, node, 60000, bytes, sizeof bytes);
    memfs_node_copy(fs, node, 0, other, 100, 70000);
    memfs_node_punch(fs, node, 100, 8000);
    memfs_node_allocate(fs, node, 4000, 9000, 1);
    memfs_node_setattr(fs, NULL, node, &set, &stat);
    memfs_node_setxattr(fs, NULL, node, "user.one", "other", 5, 0);
    memfs_node_setxattr(fs, NULL, node, "user.more", "more", 4, 0);
    memfs_node_removexattr(fs, NULL, node, "trusted.link");
    memfs_node_mkdir(fs, NULL, node, "new", 0755, NULL);
    memfs_node_link(fs, NULL, node, MEMFS_ROOT, "linked");
    memfs_node_rename(fs, NULL, node, "small", other, "moved", 0);
    memfs_node_rename(fs, NULL, node, "b", other, "c", MEMFS_RENAME_EXCHANGE);
    memfs_node_rename(fs, NULL, MEMFS_ROOT, "a", node, "deeper", 0);
    memfs_node_unlink(fs, NULL, node, "hard");
    memfs_node_unlink(fs, NULL, node, "sparse");
    memfs_node_rmdir(fs, NULL, node, "empty");
    memfs_node_rmdir(fs, NULL, node, "c");
}

static int go_on(void *context, const char *path, const struct memfs_stat *stat)
{
    unsigned *visits = context;
    (void)path, (void)stat;
    return ++*visits > 1000;
}

static void use_paths(memfs *fs)
{
    static const char *const patterns[] = {"**",          "a/*/hard", "a/b/**/none", "*/small/",
                                           "a/b/../soft", "dev/n*",   "**/c/"};
    static const char *const paths[] = {"a/b/soft",    "a/b/../small", "a/dangling2",
                                        "a/b/c/none/", "dev/pipe",     "a/b/c/../.."};
    const struct memfs_cred other = {.uid = 77, .gid = 77};
    struct memfs_stat stat;
    unsigned visits = 0;
    memfs_walk(fs, NULL, "/", MEMFS_WALK_SORTED, go_on, &visits);
    memfs_walk(fs, &other, "a", 0, go_on, &visits);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        memfs_glob(fs, i % 2 ? &other : NULL, patterns[i], go_on, &visits);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        memfs_stat(fs, NULL, paths[i], &stat);
        memfs_lstat(fs, &other, paths[i], &stat);
    }
}

/* What can be frozen of it is a sound image, whatever it is. */
static void freeze_again(memfs *fs, const struct memfs_freeze_options *options)
{
    static struct findings findings;
    struct test_buffer frozen = {0};
    struct memfs_sink sink = test_buffer_sink(&frozen);
    struct memfs_detail detail = {0};
    findings = (struct findings){0};
    const int error = memfs_freeze(fs, &sink, options, &detail);
    assert_int_equal(error, detail.error);
    if (!error && verify_with(&frozen, 1, 0, &findings, &detail))
        fail_msg("what was frozen has: %s", findings.all);
    test_buffer_free(&frozen);
}

/* Reads, freezes and changes everything as a program would; what comes of it is any result but
 * a crash, a leak, or an image that lies too. */
static void use(const struct test_buffer *buffer, size_t number)
{
    const struct memfs_freeze_options plain = {.size = sizeof plain},
                                      whole = {.size = sizeof whole, .share = MEMFS_SHARE_NONE, .threads = 2};
    struct test_memory memory;
    memfs_image *image = NULL;
    memfs *fs = NULL;
    test_memory_init(&memory);
    const struct memfs_image_options how = {.size = sizeof how, .allocator = &memory.hook};
    if (memfs_image_open_buffer(buffer->data, buffer->length, &how, &image, NULL))
        return;
    const struct memfs_options options = {
        .size = sizeof options, .allocator = &memory.hook, .backing = memfs_image_backing(image)};
    assert_ok(memfs_create(&options, &fs));
    use_paths(fs);
    freeze_again(fs, &plain);
    freeze_again(fs, &whole);
    for (memfs_node node = 1; node < HANDLES; node++)
        read_node(fs, node);
    for (memfs_node node = 1; node < HANDLES; node++)
        change_node(fs, node);
    use_paths(fs);
    memfs_destroy(fs);
    const memfs_node step = test_step(5);
    for (memfs_node node = 1 + number % step; node < HANDLES; node += step) { /* each the first that is changed */
        assert_ok(memfs_create(&options, &fs));
        change_node(fs, node);
        read_node(fs, node);
        memfs_destroy(fs);
    }
    memfs_image_close(image);
    assert_int_equal(memory.live, 0);
}

/* It stops at any finding that it is told to stop at. */
static void stop_at_findings(const struct test_buffer *buffer, int error, unsigned count, size_t number)
{
    const unsigned step = (unsigned)test_step(3);
    for (unsigned i = 1 + (unsigned)(number % step); i <= count && i < 8; i += step) {
        static struct findings findings;
        struct memfs_detail detail = {0};
        findings = (struct findings){.stop_after = (int)i};
        assert_result(verify_with(buffer, i % 2 ? 1 : 3, 0, &findings, &detail), error);
        assert_int_equal(findings.count, i);
    }
}

/* TSan and emulators; but with ASan all lies are told. */
static int is_slow(void)
{
    return test_slowness() > 3;
}

static void check_lie(const struct lie *lie, size_t number)
{
    struct surgery s;
    struct test_buffer out = {0};
    struct findings findings = {0};
    struct memfs_detail detail = {0};
    surgery_open(&s, &everything);
    if (lie->edit)
        lie->edit(&s);
    s.edit_header = lie->edit_header;
    s.edit_root = lie->edit_root;
    s.edit_root_bytes = lie->edit_root_bytes;
    s.edit_trailer = lie->edit_trailer;
    s.edit_raw = lie->edit_raw;
    s.edit_ref = lie->edit_ref;
    surgery_close(&s, &out);
    surgery_free(&s);
    const int error = verify(&out, 0, &findings, &detail);
    if (error != lie->error || !strstr(findings.all, lie->text))
        print_error("%s: %d, wanted %d with \"%s\" in:\n%s", lie->name, error, lie->error, lie->text, findings.all);
    assert_int_equal(error, lie->error);
    assert_non_null(strstr(findings.all, lie->text));
    stop_at_findings(&out, error, findings.count, number);
    if (number % test_step(3) == 0)
        use(&out, number);
    test_buffer_free(&out);
}

static void test_verify__lies(void **state)
{
    (void)state;
    const size_t step = is_slow() ? 3 : 1;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i += step)
        check_lie(&lies[i], i);
}

static void add_gaps(struct surgery *s)
{
    s->gap_before_blocks = 1;
    s->gap_before_root = 1;
    s->digests[NODE_SMALL]++;
}

static void test_verify__findings_stop(void **state)
{
    (void)state;
    struct surgery s;
    struct test_buffer out = {0};
    struct memfs_detail detail = {0};
    surgery_open(&s, &everything);
    add_gaps(&s);
    surgery_close(&s, &out);
    surgery_free(&s);
    struct findings findings = {0};
    assert_result(verify(&out, 0, &findings, &detail), MEMFS_ECORRUPT);
    assert_int_equal(findings.count, 3);
    assert_int_equal(detail.offset, 64);
    memset(&findings, 0, sizeof findings);
    assert_result(verify(&out, 1, &findings, &detail), MEMFS_ECORRUPT);
    assert_int_equal(findings.count, 2);
    memset(&findings, 0, sizeof findings);
    findings.stop_after = 1;
    assert_result(verify(&out, 0, &findings, &detail), MEMFS_ECORRUPT);
    assert_int_equal(findings.count, 1);
    test_buffer_free(&out);
}

static int cancel(void *context, const struct memfs_progress *progress)
{
    (void)context;
    assert_true(progress->bytes <= progress->bytes_total);
    return 1;
}

static void test_verify__cancelled(void **state)
{
    (void)state;
    memfs *fs = NULL;
    memfs_image *image = NULL;
    struct test_buffer buffer = {0};
    const size_t size = 6 << 20;
    uint8_t *bytes = malloc(size);
    struct test_random random = {.state = 1};
    assert_non_null(bytes);
    test_random_fill(&random, bytes, size);
    assert_ok(memfs_create(NULL, &fs));
    test_put(fs, "f", bytes, size);
    test_freeze(fs, &buffer);
    memfs_destroy(fs);
    assert_ok(memfs_image_open_buffer(buffer.data, buffer.length, NULL, &image, NULL));
    const struct memfs_verify_options options = {.size = sizeof options, .progress = cancel};
    assert_result(memfs_verify(image, &options, NULL), -ECANCELED);
    memfs_image_close(image);
    test_buffer_free(&buffer);
    free(bytes);
}

struct patience {
    unsigned calls, most;
};

static int lose_patience(void *context, const struct memfs_progress *progress)
{
    struct patience *patience = context;
    assert_true(progress->bytes <= progress->bytes_total);
    assert_true(progress->nodes <= progress->nodes_total);
    return ++patience->calls == patience->most;
}

/* So many of everything that each pass over it makes a call of progress at least once. */
#define MANY_RECORDS 66000u

static void build_numbered(memfs *fs)
{
    char path[32], bytes[8];
    for (unsigned i = 0; i < MANY_RECORDS; i++) {
        if (i % 600 == 0) {
            snprintf(path, sizeof path, "%u", i / 600);
            assert_ok(memfs_mkdir(fs, NULL, path, 0755));
        }
        snprintf(path, sizeof path, "%u/%u", i / 600, i);
        snprintf(bytes, sizeof bytes, "%u", i);
        test_put_text(fs, path, bytes);
        assert_ok(memfs_setxattr(fs, NULL, path, 0, "user.n", bytes, strlen(bytes), 0));
    }
}

/* Until nobody loses patience any more; with MEMFS_FAST at every fifth call. */
static void cancel_anywhere(const struct test_buffer *buffer, int want)
{
    memfs_image *image = NULL;
    struct patience patience = {.most = 1};
    unsigned cancelled = 0;
    assert_ok(memfs_image_open_buffer(buffer->data, buffer->length, NULL, &image, NULL));
    const struct memfs_verify_options options = {
        .size = sizeof options, .progress = lose_patience, .progress_context = &patience};
    int error, stopped;
    do {
        struct memfs_detail detail = {0};
        patience.calls = 0;
        error = memfs_verify(image, &options, &detail);
        stopped = patience.calls == patience.most;
        assert_true(error == (stopped ? -ECANCELED : want) || (stopped && error == want));
        cancelled += error == -ECANCELED;
        patience.most += (unsigned)test_step(5);
    } while (stopped);
    assert_true(cancelled > 10 / test_step(5));
    memfs_image_close(image);
}

static void test_verify__cancelled_anywhere(void **state)
{
    (void)state;
    memfs *fs = NULL;
    memfs_image *image = NULL;
    struct test_buffer buffer = {0};
    struct memfs_ref ref;
    assert_ok(memfs_create(NULL, &fs));
    build_numbered(fs);
    test_freeze(fs, &buffer);
    memfs_destroy(fs);
    cancel_anywhere(&buffer, 0);
    /* With a block damaged, whose files are named. */
    assert_ok(memfs_image_open_buffer(buffer.data, buffer.length, NULL, &image, NULL));
    assert_ok(memfs_image_find_ref(image, MEMFS_DATA, 0, &ref, NULL));
    memfs_image_close(image);
    buffer.data[ref.offset]++;
    cancel_anywhere(&buffer, MEMFS_ECHECKSUM);
    test_buffer_free(&buffer);
}

/* Reading fails at any place. The cache holds next to nothing, so that each pass reads what it needs
 * anew. Reading is what is told of, whatever was found before; that all is well, never. */
static void fail_reads(const struct test_buffer *buffer, int quick, int after)
{
    uint64_t failures = 0, at = 0;
    do {
        struct test_memory memory;
        struct test_source source = {0};
        struct findings findings = {0};
        struct memfs_detail detail = {0};
        memfs_image *image = NULL;
        test_memory_init(&memory);
        const struct memfs_source from = test_source_of(&source, buffer);
        const struct memfs_image_options options = {
            .size = sizeof options, .allocator = &memory.hook, .cache_bytes = 1};
        const struct memfs_verify_options how = {
            .size = sizeof how, .quick = quick, .finding = take_finding, .finding_context = &findings, .threads = 1};
        assert_ok(memfs_image_open_source(&from, &options, &image, &detail));
        atomic_store(&source.fail_after, after);
        atomic_store(&source.fail_at, atomic_load(&source.reads) + ++at);
        const int error = memfs_verify(image, &how, &detail);
        memfs_image_close(image);
        failures = atomic_load(&source.failures);
        assert_int_equal(memory.live, 0);
        if (failures && (error == 0 || detail.error != error))
            fail_msg("read %" PRIu64 "%s failed: %d, and said %d: %s", at, after ? " and all after it" : "", error,
                     detail.error, detail.text);
    } while (failures);
    assert_true(at > 3);
}

static void test_verify__reading_fails(void **state)
{
    (void)state;
    struct surgery s;
    struct test_buffer damaged = {0};
    surgery_open(&s, &everything);
    s.digests[NODE_LARGE]++; /* whose path is looked for */
    surgery_close(&s, &damaged);
    surgery_free(&s);
    for (int after = 0; after < 2; after++) {
        fail_reads(&everything, 0, after);
        fail_reads(&everything, 1, after);
        fail_reads(&damaged, 0, after);
    }
    damaged.data[64]++; /* in the first block of contents */
    fail_reads(&damaged, 0, 0);
    test_buffer_free(&damaged);
}

/* A source of blocks of 64 KiB, stored raw, that knows of the third that it is damaged. */
static int read_but_third(void *context, uint64_t offset, void *buffer, size_t length)
{
    const struct test_buffer *image = context;
    memcpy(buffer, image->data + offset, length);
    return offset < 64 + 3 * 65536 && offset + length > 64 + 2 * 65536 ? MEMFS_ECHECKSUM : 0;
}

static void test_verify__source_finds_damage(void **state)
{
    (void)state;
    const size_t length = 8 * 65536;
    struct test_buffer image = {0};
    struct findings findings = {0};
    struct memfs_detail detail = {0};
    memfs_image *opened = NULL;
    memfs *fs = NULL;
    uint8_t *bytes = test_random_bytes(1, length);
    struct memfs_sink sink = test_buffer_sink(&image);
    const struct memfs_freeze_options small = {.size = sizeof small, .block_size = 65536};
    assert_ok(memfs_create(NULL, &fs));
    test_put(fs, "f", bytes, length);
    assert_ok(memfs_freeze(fs, &sink, &small, NULL));
    memfs_destroy(fs);
    image.data[64 + 4 * 65536]++;
    image.data[64 + 6 * 65536]++;
    const struct memfs_source source = {.read_at = read_but_third, .context = &image, .size = image.length};
    const struct memfs_verify_options how = {
        .size = sizeof how, .quick = 1, .finding = take_finding, .finding_context = &findings};
    assert_ok(memfs_image_open_source(&source, NULL, &opened, NULL));
    assert_result(memfs_verify(opened, &how, &detail), MEMFS_ECHECKSUM);
    memfs_image_close(opened);
    assert_int_equal(findings.count, 3);
    assert_non_null(strstr(findings.all, "cannot read block 2"));
    assert_non_null(strstr(findings.all, "bytes of block 4"));
    assert_non_null(strstr(findings.all, "bytes of block 6"));
    test_buffer_free(&image);
    free(bytes);
}

/* ---- Generations ----------------------------------------------------------------------- */

/* Appends a generation that changes nothing. edit may be NULL. */
static void append_generation(struct test_buffer *buffer, void (*edit)(struct memfs_trailer *, struct memfs_root *))
{
    memfs_image *image = NULL;
    uint8_t bytes[MEMFS_ROOT_BYTES_MAX], end[MEMFS_TRAILER_BYTES];
    assert_ok(memfs_image_open_buffer(buffer->data, buffer->length, NULL, &image, NULL));
    struct memfs_root *root = &image->root;
    struct memfs_trailer trailer = image->trailer;
    const struct memfs_generation before = {image->trailer.offset, root->time, image->trailer.generation,
                                            root->has_time};
    memmove(root->generation + 1, root->generation, (MEMFS_GENERATIONS_MAX - 1) * sizeof before);
    root->generation[0] = before;
    if (root->generations < MEMFS_GENERATIONS_MAX)
        root->generations++;
    trailer.previous = trailer.offset;
    trailer.generation++;
    if (edit)
        edit(&trailer, root);
    trailer.root_offset = buffer->length;
    trailer.root_length = (uint32_t)memfs_root_encode(root, bytes);
    trailer.root_hash = memfs_hash(bytes, trailer.root_length);
    trailer.offset = trailer.root_offset + trailer.root_length;
    memfs_image_close(image);
    test_buffer_add(buffer, bytes, trailer.root_length);
    memfs_trailer_encode(&trailer, end);
    test_buffer_add(buffer, end, sizeof end);
}

static void copy_everything(struct test_buffer *out)
{
    out->length = 0;
    test_buffer_add(out, everything.data, everything.length);
}

static void test_verify__generations(void **state)
{
    (void)state;
    struct test_buffer buffer = {0};
    copy_everything(&buffer);
    for (uint32_t generation = 2; generation < 40; generation++) {
        struct findings findings = {0};
        struct memfs_detail detail = {0};
        struct memfs_image_info info;
        memfs_image *image = NULL;
        append_generation(&buffer, NULL);
        const int error = verify(&buffer, generation % 8 != 0, &findings, &detail);
        if (error)
            print_error("%s", findings.all);
        assert_ok(error);
        assert_ok(memfs_image_open_buffer(buffer.data, buffer.length, NULL, &image, NULL));
        assert_ok(memfs_image_info(image, &info));
        assert_int_equal(info.generation, generation);
        memfs_image_close(image);
    }
    test_buffer_free(&buffer);
}

static void generation_skipped(struct memfs_trailer *trailer, struct memfs_root *root)
{
    trailer->generation++;
    root->generations++;
    root->generation[1] = root->generation[0];
    root->generation[0].generation++;
    root->generation[1].trailer--;
}
static void list_not_counting_down(struct memfs_trailer *trailer, struct memfs_root *root)
{
    (void)trailer;
    root->generation[0].generation = 7;
}
static void list_names_another(struct memfs_trailer *trailer, struct memfs_root *root)
{
    (void)trailer;
    root->generation[0].trailer--;
}
static void previous_within_root(struct memfs_trailer *trailer, struct memfs_root *root)
{
    trailer->previous += 10;
    root->generation[0].trailer += 10;
}
static void previous_no_trailer(struct memfs_trailer *trailer, struct memfs_root *root)
{
    trailer->previous -= 10;
    root->generation[0].trailer -= 10;
}

static void list_lies_about_time(struct memfs_trailer *trailer, struct memfs_root *root)
{
    (void)trailer;
    root->generation[0].has_time = 1;
    root->generation[0].time = 77;
}
/* A data block of this generation is the root of the one before; its checksum is right. */
static void block_over_root(struct memfs_trailer *trailer, struct memfs_root *root)
{
    struct memfs_ref *ref = &root->table[MEMFS_DATA].refs[0];
    root->raw_bytes -= ref->raw;
    root->stored_bytes -= ref->stored;
    ref->offset = trailer->root_offset;
    ref->stored = ref->raw = trailer->root_length;
    ref->codec = MEMFS_CODEC_RAW;
    ref->hash = trailer->root_hash;
    root->raw_bytes += ref->raw;
    root->stored_bytes += ref->stored;
}
/* A block of the generation before at another number. */
static void blocks_exchanged(struct memfs_trailer *trailer, struct memfs_root *root)
{
    (void)trailer;
    const struct memfs_ref first = root->table[MEMFS_DATA].refs[0];
    root->table[MEMFS_DATA].refs[0] = root->table[MEMFS_DATA].refs[1];
    root->table[MEMFS_DATA].refs[1] = first;
}

static void test_verify__generations_that_lie(void **state)
{
    (void)state;
    static const struct {
        void (*edit)(struct memfs_trailer *, struct memfs_root *);
        const char *text;
    } chain[] = {{list_lies_about_time, "what it tells of generation 1"},
                 {block_over_root, "overlap"},
                 {blocks_exchanged, "overlap"},
                 {generation_skipped, "not of generation 2"},
                 {list_not_counting_down, "do not count down"},
                 {list_names_another, "not in order"},
                 {previous_within_root, "does not end before its root"},
                 {previous_no_trailer, "no trailer here"}};
    struct test_buffer buffer = {0};
    for (size_t i = 0; i < sizeof chain / sizeof *chain; i++) {
        struct findings findings = {0};
        struct memfs_detail detail = {0};
        copy_everything(&buffer);
        append_generation(&buffer, chain[i].edit);
        const int error = verify(&buffer, 1, &findings, &detail);
        if (!strstr(findings.all, chain[i].text))
            print_error("%d: %s, wanted %s\n", error, findings.all, chain[i].text);
        assert_int_equal(error, MEMFS_ECORRUPT);
        assert_non_null(strstr(findings.all, chain[i].text));
    }
    test_buffer_free(&buffer);
}

/* The newest generation opens whatever the one before is; verifying finds that. */
static void test_verify__generation_before_is_damaged(void **state)
{
    (void)state;
    struct test_buffer buffer = {0};
    copy_everything(&buffer);
    append_generation(&buffer, NULL);
    for (size_t back = 1; back < 200; back += 7) {
        struct findings findings = {0};
        struct memfs_detail detail = {0};
        memfs_image *image = NULL;
        buffer.data[everything.length - back] ^= 4;
        assert_ok(memfs_image_open_buffer(buffer.data, buffer.length, NULL, &image, NULL));
        memfs_image_close(image);
        const int error = verify(&buffer, 1, &findings, &detail);
        assert_true(error == MEMFS_ECHECKSUM || error == MEMFS_ECORRUPT);
        buffer.data[everything.length - back] ^= 4;
    }
    test_buffer_free(&buffer);
}

static void older_trailer_elsewhere(struct memfs_trailer *trailer, struct memfs_root *root)
{
    (void)trailer;
    root->generation[1].trailer--;
}

/* What a root tells of a generation that is not the one before it. */
static void test_verify__list_of_generations(void **state)
{
    (void)state;
    struct test_buffer buffer = {0};
    struct findings findings = {0};
    struct memfs_detail detail = {0};
    copy_everything(&buffer);
    append_generation(&buffer, NULL);
    append_generation(&buffer, older_trailer_elsewhere);
    append_generation(&buffer, NULL);
    assert_result(verify(&buffer, 1, &findings, &detail), MEMFS_ECORRUPT);
    assert_int_equal(findings.count, 1); /* generation 4 tells what 3 does */
    assert_non_null(strstr(detail.text, "root of generation 3: what it tells of generation 1"));
    test_buffer_free(&buffer);
}

/* Blocks that generations share are read once, however many there are. */
static void test_verify__generations_cost_what_is_new(void **state)
{
    (void)state;
    struct test_buffer buffer = {0};
    memfs_image *image = NULL;
    struct memfs_image_statistics statistics;
    copy_everything(&buffer);
    for (int i = 0; i < 500; i++)
        append_generation(&buffer, NULL);
    const struct memfs_verify_options options = {.size = sizeof options, .quick = 1};
    assert_ok(memfs_image_open_buffer(buffer.data, buffer.length, NULL, &image, NULL));
    assert_ok(memfs_verify(image, &options, NULL));
    memfs_image_statistics(image, &statistics);
    assert_true(statistics.read_bytes <= buffer.length * 2);
    memfs_image_close(image);
    test_buffer_free(&buffer);
}

/* A table that needs more refs than the generation before: its first ones are the same,
 * though they stand in the root there, and in a chunk of refs here. */
static void test_verify__generations_of_different_height(void **state)
{
    (void)state;
    struct surgery s;
    struct test_buffer buffer = {0};
    struct findings findings = {0};
    struct memfs_detail detail = {0};
    memfs_image *image = NULL;
    surgery_open(&s, &everything);
    s.blocks = surgery_grow(s.blocks, s.blocks_count, 16 - s.blocks_count, sizeof *s.blocks);
    for (; s.blocks_count < 16; s.blocks_count++)
        s.blocks[s.blocks_count] = (struct surgery_block){calloc(1, 100), 100};
    surgery_close(&s, &buffer);
    surgery_free(&s);
    uint8_t raw[5 + 25 * 17], root_bytes[MEMFS_ROOT_BYTES_MAX], end[MEMFS_TRAILER_BYTES];
    struct memfs_ref refs[17];
    assert_ok(memfs_image_open_buffer(buffer.data, buffer.length, NULL, &image, NULL));
    struct memfs_root *root = &image->root;
    struct memfs_root_table *table = &root->table[MEMFS_DATA];
    memcpy(refs, table->refs, 16 * sizeof *refs);
    refs[16] = (struct memfs_ref){buffer.length, memfs_hash("new", 3), 3, 3, MEMFS_CODEC_RAW};
    test_buffer_add(&buffer, "new", 3);
    memfs_refs_encode(refs, 17, raw);
    table->count = 17;
    table->refs[0] =
        (struct memfs_ref){buffer.length, memfs_hash(raw, sizeof raw), sizeof raw, sizeof raw, MEMFS_CODEC_RAW};
    test_buffer_add(&buffer, raw, sizeof raw);
    root->raw_bytes += 3;
    root->stored_bytes += 3;
    root->generations = 1;
    root->generation[0] = (struct memfs_generation){image->trailer.offset, root->time, 1, root->has_time};
    struct memfs_trailer trailer = image->trailer;
    trailer.previous = trailer.offset;
    trailer.generation = 2;
    trailer.root_offset = buffer.length;
    trailer.root_length = (uint32_t)memfs_root_encode(root, root_bytes);
    trailer.root_hash = memfs_hash(root_bytes, trailer.root_length);
    trailer.offset = trailer.root_offset + trailer.root_length;
    memfs_image_close(image);
    test_buffer_add(&buffer, root_bytes, trailer.root_length);
    memfs_trailer_encode(&trailer, end);
    test_buffer_add(&buffer, end, sizeof end);
    const int error = verify(&buffer, 0, &findings, &detail);
    if (error)
        print_error("%s", findings.all);
    assert_ok(error);
    append_generation(&buffer, NULL);
    assert_ok(verify(&buffer, 0, &findings, &detail));
    test_buffer_free(&buffer);
}

/* ---- What is bounded ------------------------------------------------------------------- */

static void contents_lie(struct surgery *s)
{
    for (size_t i = 0; i < 150; i++)
        s->blocks[i].raw[0] ^= 1;
}

/* A filesystem of files with a block each, and the image of it. */
static void make_files(struct test_buffer *buffer, unsigned files)
{
    memfs *fs = NULL;
    char path[16];
    static uint8_t bytes[65536];
    assert_ok(memfs_create(NULL, &fs));
    for (unsigned i = 0; i < files; i++) {
        memset(bytes, (int)(i % 255 + 1), sizeof bytes);
        snprintf((char *)bytes, 16, "%u", i);
        snprintf(path, sizeof path, "f%04u", i);
        test_put(fs, path, bytes, sizeof bytes);
    }
    struct memfs_sink sink = test_buffer_sink(buffer);
    const struct memfs_freeze_options options = {
        .size = sizeof options, .block_size = 65536, .share = MEMFS_SHARE_NONE};
    assert_ok(memfs_freeze(fs, &sink, &options, NULL));
    memfs_destroy(fs);
}

/* A hundred findings are told, and how many more there are. */
static void test_verify__findings_are_capped(void **state)
{
    (void)state;
    struct surgery s;
    struct test_buffer buffer = {0}, out = {0};
    struct findings findings = {0};
    struct memfs_detail detail = {0};
    make_files(&buffer, 200);
    surgery_open(&s, &buffer);
    contents_lie(&s);
    surgery_close(&s, &out);
    surgery_free(&s);
    assert_result(verify(&out, 0, &findings, &detail), MEMFS_ECORRUPT);
    assert_int_equal(findings.count, 101);
    assert_non_null(strstr(findings.all, "\nand 50 more\n"));
    assert_null(strstr(detail.text, "more"));
    test_buffer_free(&buffer);
    test_buffer_free(&out);
}

/* A block that is damaged is listed once, and each file that has a part of it. */
static void test_verify__damaged_block_is_listed_once(void **state)
{
    (void)state;
    struct surgery s;
    struct test_buffer out = {0};
    surgery_open(&s, &everything);
    surgery_close(&s, &out);
    surgery_free(&s);
    for (size_t block = 0; block < 2; block++) {
        struct findings findings = {0};
        struct memfs_detail detail = {0};
        const size_t at = MEMFS_HEADER_BYTES + block * 65536 + 10;
        out.data[at] ^= 1;
        assert_result(verify(&out, 0, &findings, &detail), MEMFS_ECHECKSUM);
        assert_true(findings.count > 1);
        assert_non_null(strstr(detail.text, "checksum"));
        size_t files = 0;
        for (const char *at_file = findings.all; (at_file = strstr(at_file, "which is damaged")); at_file++)
            files++;
        assert_int_equal(files, findings.count - 1);
        memset(&findings, 0, sizeof findings);
        assert_result(verify(&out, 1, &findings, &detail), MEMFS_ECHECKSUM);
        assert_int_equal(findings.count, 1);
        out.data[at] ^= 1;
    }
    test_buffer_free(&out);
}

static int verify_limited(const struct test_buffer *buffer, uint64_t bytes_max, struct memfs_detail *detail)
{
    memfs_image *image = NULL;
    struct patience patience = {0};
    const struct memfs_verify_options options = {
        .size = sizeof options, .bytes_max = bytes_max, .progress = lose_patience, .progress_context = &patience};
    assert_ok(memfs_image_open_buffer(buffer->data, buffer->length, NULL, &image, NULL));
    const int error = memfs_verify(image, &options, detail);
    memfs_image_close(image);
    assert_true(patience.calls < 3000); /* of shared runs each costs one, if it is read once */
    return error;
}

static void test_verify__contents_are_limited(void **state)
{
    (void)state;
    struct memfs_detail detail = {0};
    const uint64_t data = 160486;
    assert_result(verify_limited(&everything, data - 1, &detail), MEMFS_ELIMIT);
    assert_non_null(strstr(detail.text, "the data of all files exceeds the limit of 160485 bytes"));
    assert_non_null(strstr(detail.text, "higher limit"));
    assert_ok(verify_limited(&everything, data, &detail));
    assert_result(verify_limited(&everything, 63, &detail), MEMFS_ELIMIT); /* not even the extents */
    assert_ok(verify_limited(&everything, UINT64_MAX, &detail));
}

/* Chunks of records that are decoded again, having gone from the cache, count as well. */
static void test_verify__decoding_is_limited(void **state)
{
    (void)state;
    static const int results[] = {0, MEMFS_ELIMIT};
    for (size_t is_small = 0; is_small < 2; is_small++) {
        const struct memfs_image_options how = {.size = sizeof how, .cache_bytes = is_small};
        struct memfs_verify_options options = {.size = sizeof options};
        struct memfs_image_info info;
        struct memfs_detail detail = {0};
        memfs_image *image = NULL;
        assert_ok(memfs_image_open_buffer(everything.data, everything.length, &how, &image, NULL));
        assert_ok(memfs_image_info(image, &info));
        options.decoded_max = info.raw_bytes;
        assert_result(memfs_verify(image, &options, &detail), results[is_small]);
        assert_true(!is_small || strstr(detail.text, "what has to be decoded exceeds the limit of "));
        memfs_image_close(image);
    }
}

/* Thousand files that are one run of large extents, over and over: counted at once,
 * refused by default, and read once where that is allowed. */
static void test_verify__shared_runs(void **state)
{
    (void)state;
    enum { FILES = 1000, BLOCK = 65536 };
    const uint32_t extents = 1000 / (uint32_t)test_step(5);
    struct surgery s;
    struct test_buffer buffer = {0}, out = {0};
    struct memfs_detail detail = {0};
    make_files(&buffer, FILES);
    surgery_open(&s, &buffer);
    for (size_t i = 0; i < extents; i++)
        s.extents[i] = (struct memfs_extent){.offset = i * BLOCK, .length = BLOCK, .block = 0};
    struct memfs_digest digest;
    memfs_digest_begin(&digest);
    for (size_t i = 0; i < extents; i++)
        memfs_digest_add(&digest, s.blocks[0].raw, BLOCK);
    const uint64_t right = memfs_digest_end(&digest);
    for (size_t i = 0; i < FILES; i++) {
        s.nodes[2 + i].size = (uint64_t)extents * BLOCK;
        s.nodes[2 + i].extents.first = 0;
        s.nodes[2 + i].extents.count = extents;
        s.digests[2 + i] = right;
    }
    s.root.content_bytes = s.root.data_bytes = (uint64_t)FILES * extents * BLOCK;
    const uint64_t all = s.root.data_bytes;
    s.extents_count = extents;
    for (size_t i = 1; i < s.blocks_count; i++)
        s.blocks[i].length = 1;
    surgery_close(&s, &out);
    surgery_free(&s);
    assert_result(verify_limited(&out, UINT64_MAX / 2, &detail), 0);
    assert_result(verify_limited(&out, all - 1, &detail), MEMFS_ELIMIT);
    test_buffer_free(&buffer);
    test_buffer_free(&out);
}

/* Blocks of a byte each, which no file has: time passes, and memory does not. */
static void test_verify__many_small_blocks(void **state)
{
    (void)state;
    const size_t blocks = (size_t)test_environment("MEMFS_SCALE", 100) * 2000;
    struct surgery s;
    struct test_buffer out = {0};
    struct test_memory memory;
    memfs_image *image = NULL;
    surgery_open(&s, &everything);
    s.blocks = surgery_grow(s.blocks, s.blocks_count, blocks, sizeof *s.blocks);
    for (size_t i = 0; i < blocks; i++)
        s.blocks[s.blocks_count++] = (struct surgery_block){calloc(1, 1), 1};
    surgery_close(&s, &out);
    surgery_free(&s);
    test_memory_init(&memory);
    const struct memfs_image_options how = {.size = sizeof how, .allocator = &memory.hook};
    assert_ok(memfs_image_open_buffer(out.data, out.length, &how, &image, NULL));
    struct patience patience = {0};
    const struct memfs_verify_options options = {
        .size = sizeof options, .progress = lose_patience, .progress_context = &patience};
    assert_ok(memfs_verify(image, &options, NULL));
    assert_true(memory.peak < (12u << 20) + blocks * 64);
    const unsigned calls = patience.calls;
    assert_true(calls >= blocks / 50000);
    for (unsigned most = 1; most <= calls; most++) { /* it can be stopped at each of them */
        patience = (struct patience){.most = most};
        assert_result(memfs_verify(image, &options, NULL), -ECANCELED);
        assert_int_equal(patience.calls, most);
    }
    memfs_image_close(image);
    assert_int_equal(memory.live, 0);
    test_buffer_free(&out);
}

/* ---- How contents are read ---------------------------------------------------------------- */

static uint64_t digest_of(const struct surgery *s, size_t node)
{
    struct memfs_digest digest;
    uint64_t at = 0;
    memfs_digest_begin(&digest);
    for (size_t i = 0; i < s->nodes[node].extents.count; i++) {
        const struct memfs_extent *extent = &s->extents[s->nodes[node].extents.first + i];
        memfs_digest_add_gap(&digest, extent->offset - at);
        memfs_digest_add(&digest, s->blocks[extent->block].raw + extent->start, extent->length);
        at = extent->offset + extent->length;
    }
    memfs_digest_add_gap(&digest, s->nodes[node].size - at);
    return memfs_digest_end(&digest);
}

/* Verifies with so many threads; returns the bytes that were decoded. */
static uint64_t decoded_by(const struct test_buffer *buffer, unsigned threads, uint64_t peak)
{
    struct test_memory memory;
    struct memfs_image_statistics statistics;
    struct memfs_detail detail = {0};
    memfs_image *image = NULL;
    test_memory_init(&memory);
    const struct memfs_image_options options = {.size = sizeof options, .allocator = &memory.hook};
    const struct memfs_verify_options how = {.size = sizeof how, .threads = threads};
    assert_ok(memfs_image_open_buffer(buffer->data, buffer->length, &options, &image, NULL));
    const int error = memfs_verify(image, &how, &detail);
    if (error)
        print_error("%s", detail.text);
    assert_ok(error);
    memfs_image_statistics(image, &statistics);
    memfs_image_close(image);
    assert_true(memory.peak < peak);
    return statistics.decoded_bytes;
}

/* Files with parts in earlier blocks, far and near, back and forth, the last one twice in
 * all of them: each block is decoded once. */
static void test_verify__references_back(void **state)
{
    (void)state;
    enum { FILES = 120, BLOCK = 65536, PART = BLOCK / 4, LAST = FILES - 1, TINY = 100 };
    struct surgery s;
    struct test_buffer buffer = {0}, out = {0};
    make_files(&buffer, FILES);
    surgery_open(&s, &buffer);
    s.extents = surgery_grow(s.extents, s.extents_count, 5 * FILES, sizeof *s.extents);
    s.extents_count = (size_t)4 * LAST + (size_t)2 * FILES;
    for (uint32_t i = 0; i < LAST; i++) {
        const uint32_t from[4] = {i, i / 2, i, i / 5};
        for (uint32_t k = 0; k < 4; k++)
            s.extents[4 * i + k] = (struct memfs_extent){(uint64_t)k * PART, PART, from[k], k * PART};
        s.nodes[2 + i].extents.first = 4 * i;
        s.nodes[2 + i].extents.count = 4;
        s.digests[2 + i] = digest_of(&s, 2 + i);
    }
    for (uint32_t k = 0; k < 2 * FILES; k++)
        s.extents[4 * LAST + k] = (struct memfs_extent){(uint64_t)k * TINY, TINY, k % FILES, k};
    s.nodes[2 + LAST].size = 2 * FILES * TINY;
    s.nodes[2 + LAST].extents.first = 4 * LAST;
    s.nodes[2 + LAST].extents.count = 2 * FILES;
    s.digests[2 + LAST] = digest_of(&s, 2 + LAST);
    s.root.content_bytes = s.root.data_bytes = (uint64_t)LAST * BLOCK + s.nodes[2 + LAST].size;
    surgery_close(&s, &out);
    surgery_free(&s);
    for (unsigned threads = 1; threads <= 8; threads += test_is_fast() ? 7 : 1)
        assert_true(decoded_by(&out, threads, 64u << 20) < (FILES + 2) * BLOCK);
    struct findings findings = {0};
    struct memfs_detail detail = {0};
    out.data[MEMFS_HEADER_BYTES + 20 * BLOCK] ^= 1;
    assert_result(verify(&out, 0, &findings, &detail), MEMFS_ECHECKSUM);
    assert_int_equal(findings.count, 10); /* the block, and its files: 20, 40, 41, 100 to 104, 119 */
    assert_non_null(strstr(findings.all, "node 22, f0020: parts of it are in block 20, which is damaged"));
    assert_non_null(strstr(findings.all, "node 121, f0119: parts of it are in block 20, which is damaged"));
    test_buffer_free(&buffer);
    test_buffer_free(&out);
}

enum { HUGE_BLOCKS = 10, HUGE_BYTES = 1 << 24 };

static void huge_frame(unsigned table, unsigned level, uint64_t index, struct memfs_ref *ref)
{
    (void)index;
    if (table == MEMFS_DATA && level == 0) {
        ref->codec = MEMFS_CODEC_ZSTD;
        ref->raw = HUGE_BYTES;
    }
}

/* Blocks that decode to more than may be kept: memory is bounded, and little is decoded twice.
 * If the files are in the other order than the blocks, those that were begun first come last. */
static void more_than_is_kept(int backwards)
{
    struct surgery s;
    struct test_buffer buffer = {0}, out = {0};
    struct memfs_encoder *encoder = NULL;
    uint8_t *raw = malloc(HUGE_BYTES), *scratch = malloc(HUGE_BYTES);
    const struct memfs_allocator allocator = memfs_allocator_or_default(NULL);
    assert_true(raw && scratch);
    assert_ok(memfs_encoder_create(&allocator, 1, MEMFS_BLOCK_MOST, &encoder));
    make_files(&buffer, HUGE_BLOCKS + 1);
    surgery_open(&s, &buffer);
    s.header.block_size = HUGE_BYTES;
    s.extents = surgery_grow(s.extents, s.extents_count, HUGE_BLOCKS, sizeof *s.extents);
    s.extents_count = 2 * HUGE_BLOCKS; /* the last file has a part of each block */
    free(s.blocks[--s.blocks_count].raw);
    struct memfs_digest parts;
    memfs_digest_begin(&parts);
    for (uint32_t i = 0; i < HUGE_BLOCKS; i++) {
        const uint32_t block = backwards ? HUGE_BLOCKS - 1 - i : i;
        const void *stored;
        size_t length;
        uint8_t codec;
        memset(raw, (int)block + 1, HUGE_BYTES);
        memfs_digest_add(&parts, raw, 1000);
        s.extents[i] = (struct memfs_extent){.length = HUGE_BYTES, .block = block};
        s.extents[HUGE_BLOCKS + i] = (struct memfs_extent){(uint64_t)i * 1000, 1000, block, 5};
        s.nodes[2 + i].size = HUGE_BYTES;
        s.digests[2 + i] = memfs_hash(raw, HUGE_BYTES);
        assert_ok(memfs_encode(encoder, raw, HUGE_BYTES, scratch, &stored, &length, &codec));
        assert_true(codec == MEMFS_CODEC_ZSTD && length < 65536);
        memcpy(s.blocks[block].raw, stored, length);
        s.blocks[block].length = length;
    }
    struct memfs_node_record *last = &s.nodes[2 + HUGE_BLOCKS];
    last->size = HUGE_BLOCKS * 1000;
    last->extents.first = last->extents.count = HUGE_BLOCKS;
    s.digests[2 + HUGE_BLOCKS] = memfs_digest_end(&parts);
    s.root.content_bytes = s.root.data_bytes = (uint64_t)HUGE_BLOCKS * HUGE_BYTES + last->size;
    s.edit_ref = huge_frame;
    surgery_close(&s, &out);
    surgery_free(&s);
    memfs_encoder_destroy(encoder);
    free(raw);
    free(scratch);
    const uint64_t decoded = decoded_by(&out, 1, MEMFS_KEPT_BYTES + HUGE_BYTES);
    assert_true(decoded < 2u * HUGE_BLOCKS * HUGE_BYTES + 100000);
    const int is_share = test_environment("MEMFS_SCALE", 100) < 10; /* where all is slow */
    const unsigned most = is_share ? 1 : test_is_fast() ? 2 : 8;
    for (unsigned threads = 2; threads <= most; threads *= 2)
        assert_true(decoded_by(&out, threads, MEMFS_KEPT_BYTES + HUGE_BYTES) == decoded);
    test_buffer_free(&buffer);
    test_buffer_free(&out);
}

static void test_verify__more_than_is_kept(void **state)
{
    (void)state;
    if (!test_environment("MEMFS_FAST", 0))
        more_than_is_kept(0);
    more_than_is_kept(1);
}

/* Files of equal extents are read once; each is compared with its own digest. */
static void test_verify__twins(void **state)
{
    (void)state;
    struct surgery s;
    struct test_buffer buffer = {0}, out = {0};
    make_files(&buffer, 10);
    for (unsigned wrong = 0; wrong < 4; wrong++) {
        struct findings findings = {0};
        struct memfs_detail detail = {0};
        surgery_open(&s, &buffer);
        s.extents[7] = s.extents[4];
        s.digests[9] = s.digests[6];
        s.digests[6] += wrong & 1;
        s.digests[9] += wrong >> 1;
        surgery_close(&s, &out);
        surgery_free(&s);
        assert_result(verify(&out, 0, &findings, &detail), wrong ? MEMFS_ECORRUPT : 0);
        assert_int_equal(findings.count, (wrong & 1) + (wrong >> 1));
        assert_true((strstr(findings.all, "node 6, f0004: its content has") != NULL) == (wrong & 1));
        assert_true((strstr(findings.all, "node 9, f0007: its content has") != NULL) == wrong >> 1);
    }
    struct findings findings = {0};
    struct memfs_detail detail = {0};
    out.data[MEMFS_HEADER_BYTES + 4 * 65536] ^= 1;
    assert_result(verify(&out, 0, &findings, &detail), MEMFS_ECHECKSUM);
    assert_non_null(strstr(findings.all, "node 6, f0004: parts of it are in block 4, which is damaged"));
    assert_non_null(strstr(findings.all, "node 9, f0007: parts of it are in block 4, which is damaged"));
    test_buffer_free(&buffer);
    test_buffer_free(&out);
}

struct told {
    struct memfs_detail finding;
    char path[4200];
    unsigned of_files, of_others;
};

static int take_told(void *context, const struct memfs_detail *finding)
{
    struct told *told = context;
    told->finding = *finding;
    told->of_others++;
    return 0;
}

static int take_told_of_file(void *context, const struct memfs_detail *finding, const char *path)
{
    struct told *told = context;
    told->finding = *finding;
    snprintf(told->path, sizeof told->path, "%s", path);
    told->of_files++;
    return 0;
}

/* The only file of the tree has a wrong digest: what is told of it, with or without a path of its own. */
static void tell_of_file(const char *path, int apart, struct told *told)
{
    struct surgery s;
    struct test_buffer buffer = {0}, out = {0};
    memfs_image *image = NULL;
    memfs *fs = NULL;
    assert_ok(memfs_create(NULL, &fs));
    char above[4200];
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(above, sizeof above, "%.*s", (int)(slash - path), path);
        assert_ok(memfs_mkdir(fs, NULL, above, 0755));
    }
    test_put_text(fs, path, "text");
    struct memfs_sink sink = test_buffer_sink(&buffer);
    assert_ok(memfs_freeze(fs, &sink, NULL, NULL));
    memfs_destroy(fs);
    surgery_open(&s, &buffer);
    for (size_t n = 2; n < s.nodes_count; n++)
        s.digests[n] += (s.nodes[n].mode & MEMFS_IFMT) == MEMFS_IFREG;
    surgery_close(&s, &out);
    surgery_free(&s);
    *told = (struct told){.of_files = 0};
    const struct memfs_verify_options how = {.size = sizeof how,
                                             .finding = take_told,
                                             .file_finding = apart ? take_told_of_file : NULL,
                                             .finding_context = told};
    assert_ok(memfs_image_open_buffer(out.data, out.length, NULL, &image, NULL));
    assert_result(memfs_verify(image, &how, NULL), MEMFS_ECORRUPT);
    memfs_image_close(image);
    test_buffer_free(&buffer);
    test_buffer_free(&out);
}

static void test_verify__paths_of_findings(void **state)
{
    (void)state;
    struct told told;
    tell_of_file("a\nb", 1, &told);
    assert_int_equal(told.of_files, 1);
    assert_int_equal(told.of_others, 0);
    assert_string_equal(told.path, "a\nb");
    assert_memory_equal(told.finding.text, "node 2: its content has", 23);
    tell_of_file("a\nb", 0, &told);
    assert_int_equal(told.of_others, 1);
    assert_memory_equal(told.finding.text, "node 2, a?b: its content has", 28);
    char path[4200];
    size_t length = 0;
    for (unsigned i = 0; i < 41; i++)
        length += (size_t)snprintf(path + length, sizeof path - length, "%s%099u", i > 0 ? "/" : "", i);
    assert_int_equal(length, 4099); /* four more than there is room for */
    tell_of_file(path, 1, &told);
    assert_memory_equal(told.path, ".../", 4);
    assert_string_equal(told.path + 4, path + 100);
    tell_of_file(path + 100, 1, &told);
    assert_string_equal(told.path, path + 100);
    tell_of_file(path, 0, &told);
    assert_non_null(strstr(told.finding.text, ", ...000"));
    assert_non_null(strstr(told.finding.text, "00040: its content has the digest"));
}

/* ---- Digests --------------------------------------------------------------------------------- */

/* However a content comes in pieces, its digest is the same, and as specified. */
static void test_verify__digest_by_pieces(void **state)
{
    (void)state;
    enum { SIZE = 40000 };
    static uint8_t content[SIZE];
    struct test_random random = {.state = 5};
    memset(content + 100, 1, 3000);   /* a page with some data */
    memset(content + 20480, 2, 4096); /* a page full of it */
    struct memfs_hasher hasher;
    memfs_hasher_begin(&hasher);
    memfs_hasher_add(&hasher, content, 4096);
    memfs_hasher_add_hole(&hasher, 4096, 16384);
    memfs_hasher_add(&hasher, content + 20480, 4096);
    memfs_hasher_add_hole(&hasher, 24576, SIZE - 24576);
    const uint64_t expected = memfs_hasher_end(&hasher);
    for (unsigned round = 0; round < 300; round++) {
        struct memfs_digest digest;
        memfs_digest_begin(&digest);
        for (size_t at = 0; at < SIZE;) {
            size_t piece = 1 + (size_t)test_random_below(&random, round % 2 ? 300 : 9000);
            if (piece > SIZE - at)
                piece = SIZE - at;
            size_t zeros = 0;
            while (zeros < piece && content[at + zeros] == 0)
                zeros++;
            if (zeros > 0 && round % 3) {
                piece = zeros;
                memfs_digest_add_gap(&digest, piece);
            } else {
                memfs_digest_add(&digest, content + at, piece);
            }
            at += piece;
        }
        assert_true(memfs_digest_end(&digest) == expected);
    }
}

static void test_verify__digest_without_holes(void **state)
{
    (void)state;
    struct memfs_digest digest;
    memfs_digest_begin(&digest);
    assert_true(memfs_digest_end(&digest) == memfs_hash("", 0));
    memfs_digest_begin(&digest);
    memfs_digest_add(&digest, "hello", 5);
    assert_true(memfs_digest_end(&digest) == memfs_hash("hello", 5));
    memfs_digest_begin(&digest);
    memfs_digest_add_gap(&digest, (uint64_t)1 << 62);
    struct memfs_hasher hasher;
    memfs_hasher_begin(&hasher);
    memfs_hasher_add_hole(&hasher, 0, (uint64_t)1 << 62);
    assert_true(memfs_digest_end(&digest) == memfs_hasher_end(&hasher));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verify__sound),
        cmocka_unit_test(test_verify__surgery_is_sound),
        cmocka_unit_test(test_verify__lies),
        cmocka_unit_test(test_verify__findings_stop),
        cmocka_unit_test(test_verify__cancelled),
        cmocka_unit_test(test_verify__reading_fails),
        cmocka_unit_test(test_verify__source_finds_damage),
        cmocka_unit_test(test_verify__generations),
        cmocka_unit_test(test_verify__generations_that_lie),
        cmocka_unit_test(test_verify__generation_before_is_damaged),
        cmocka_unit_test(test_verify__list_of_generations),
        cmocka_unit_test(test_verify__generations_cost_what_is_new),
        cmocka_unit_test(test_verify__generations_of_different_height),
        cmocka_unit_test(test_verify__damaged_block_is_listed_once),
        cmocka_unit_test(test_verify__contents_are_limited),
        cmocka_unit_test(test_verify__decoding_is_limited),
        cmocka_unit_test(test_verify__references_back),
        cmocka_unit_test(test_verify__more_than_is_kept),
        cmocka_unit_test(test_verify__twins),
        cmocka_unit_test(test_verify__paths_of_findings),
        cmocka_unit_test(test_verify__digest_by_pieces),
        cmocka_unit_test(test_verify__digest_without_holes),
    };
    /* Counts and sizes: neither threads nor bytes. TSan and emulators would take a minute for them. */
    const struct CMUnitTest large[] = {
        cmocka_unit_test(test_verify__cancelled_anywhere),
        cmocka_unit_test(test_verify__findings_are_capped),
        cmocka_unit_test(test_verify__shared_runs),
        cmocka_unit_test(test_verify__many_small_blocks),
    };
    const int failed = cmocka_run_group_tests(tests, group_setup, group_teardown);
    if (is_slow())
        print_message("tried  the large ones: 0 of %zu\n", sizeof large / sizeof *large);
    return failed + (is_slow() ? 0 : cmocka_run_group_tests(large, group_setup, group_teardown));
}
