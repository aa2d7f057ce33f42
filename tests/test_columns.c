/*
 * Chunks of records: what is encoded decodes to the same, for every table; what
 * contradicts itself is refused.
 */
#include "columns.h"
#include "refs.h"
#include "root.h"
#include "testlib.h"

#define ROUNDS 200

struct chunk {
    size_t count, bytes;
    _Alignas(16) uint8_t native[MEMFS_CHUNK_RECORDS * (sizeof(struct memfs_entry) + MEMFS_NAME_MAX)];
};

static struct chunk made, got;
static uint8_t raw[1 << 18];

static uint32_t random_u32(struct test_random *random)
{
    /* small and large values alike */
    return (uint32_t)(test_random_next(random) >> (32 + test_random_below(random, 32)));
}

static void make_node(struct test_random *random, struct memfs_node_record *node)
{
    static const uint32_t types[] = {MEMFS_IFREG, MEMFS_IFDIR, MEMFS_IFLNK, MEMFS_IFIFO, MEMFS_IFCHR};
    node->mode = types[test_random_below(random, 5)] | (random_u32(random) & 07777);
    node->nlink = random_u32(random);
    node->uid = random_u32(random);
    node->gid = random_u32(random);
    node->mtime = (int64_t)test_random_next(random);
    node->ctime = node->atime = node->mtime;
    node->xattrs = random_u32(random);
    if ((node->mode & MEMFS_IFMT) == MEMFS_IFDIR) {
        node->run.first = random_u32(random);
        node->run.count = random_u32(random);
    } else {
        node->size = test_random_next(random);
    }
    if ((node->mode & MEMFS_IFMT) == MEMFS_IFLNK) {
        node->target = test_random_next(random) >> 24;
    } else {
        node->extents.first = random_u32(random);
        node->extents.count = random_u32(random);
    }
}

static void make_entries(struct test_random *random, struct chunk *chunk)
{
    struct memfs_entry *entries = (struct memfs_entry *)(void *)chunk->native;
    size_t at = chunk->count * sizeof *entries;
    for (size_t i = 0; i < chunk->count; i++) {
        const uint8_t length = (uint8_t)(1 + test_random_below(random, MEMFS_NAME_MAX));
        char *name = (char *)chunk->native + at;
        test_random_fill(random, name, length);
        entries[i] = (struct memfs_entry){.node = random_u32(random),
                                          .prefix = memfs_name_prefix(name, length),
                                          .name = (uint32_t)at,
                                          .length = length,
                                          .type = (uint8_t)test_random_below(random, 16),
                                          .starts_run = (uint8_t)test_random_below(random, 2)};
        at += length;
    }
    chunk->bytes = at;
}

static void make_chunk(struct test_random *random, enum memfs_table table, size_t count, struct chunk *chunk)
{
    memset(chunk, 0, sizeof *chunk);
    chunk->count = count;
    if (table == MEMFS_ENTRIES) {
        make_entries(random, chunk);
        return;
    }
    if (table == MEMFS_BLOBS || table == MEMFS_DIGESTS) {
        chunk->bytes = table == MEMFS_BLOBS ? count : 8 * count;
        test_random_fill(random, chunk->native, chunk->bytes);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (table == MEMFS_NODES) {
            make_node(random, (struct memfs_node_record *)(void *)chunk->native + i);
        } else if (table == MEMFS_EXTENTS) {
            ((struct memfs_extent *)(void *)chunk->native)[i] =
                (struct memfs_extent){test_random_next(random) >> 1, random_u32(random), random_u32(random),
                                      random_u32(random) & (MEMFS_BLOCK_MOST - 1)};
        } else {
            ((struct memfs_xattr *)(void *)chunk->native)[i] = (struct memfs_xattr){
                test_random_next(random) >> 24, test_random_next(random) >> 24,        random_u32(random),
                (uint8_t)random_u32(random),    (uint8_t)test_random_below(random, 2), 0};
        }
    }
    static const size_t width[] = {sizeof(struct memfs_node_record), 0, sizeof(struct memfs_extent),
                                   sizeof(struct memfs_xattr)};
    chunk->bytes = count * width[table];
}

static int decode(enum memfs_table table, size_t length, size_t count)
{
    const char *reason;
    if (length < memfs_chunk_raw_least(table, count) || length > memfs_chunk_raw_most(table, count))
        return MEMFS_ECORRUPT; /* as memfs_ref_check() does */
    got.bytes = memfs_chunk_native_bytes(table, length, count);
    assert_true(got.bytes <= sizeof got.native);
    memset(got.native, 0xee, sizeof got.native);
    const int error = memfs_chunk_decode(table, raw, length, count, got.native, &reason);
    assert_true((error != 0) == (reason != NULL));
    assert_true(got.bytes == sizeof got.native || got.native[got.bytes] == 0xee);
    return error;
}

static void round_trip(struct test_random *random, enum memfs_table table, size_t count)
{
    make_chunk(random, table, count, &made);
    const size_t length = memfs_chunk_encode(table, made.native, count, raw);
    assert_true(length >= memfs_chunk_raw_least(table, count));
    assert_true(length <= memfs_chunk_raw_most(table, count));
    assert_ok(decode(table, length, count));
    assert_int_equal(got.bytes, made.bytes);
    assert_memory_equal(got.native, made.native, made.bytes);
}

static void test_columns__round_trip(void **state)
{
    (void)state;
    struct test_random random = {.state = 1};
    for (enum memfs_table table = MEMFS_NODES; table < MEMFS_BACKED; table++) {
        const size_t most = memfs_chunk_capacity(table);
        round_trip(&random, table, 1);
        round_trip(&random, table, most);
        for (unsigned i = 0; i < ROUNDS; i++)
            round_trip(&random, table, 1 + (size_t)test_random_below(&random, most));
    }
}

static void test_columns__differences_where_they_pay(void **state)
{
    (void)state;
    uint64_t *digests = (uint64_t *)(void *)made.native;
    for (size_t i = 0; i < 512; i++)
        digests[i] = 0xfedcba9876543210u + 3 * i;
    assert_int_equal(memfs_chunk_encode(MEMFS_DIGESTS, digests, 512, raw), 1 + 8 * 512);
    assert_int_equal(raw[0], MEMFS_COLUMN_DIFFERENCES);
    assert_int_equal(raw[1], 0x10); /* first less 0 */
    assert_int_equal(raw[2], 3);
    assert_int_equal(raw[1 + 512], 0x32);
    assert_int_equal(raw[2 + 512], 0);
    for (size_t i = 0; i < 512; i++)
        digests[i] = i % 2 ? 1 : UINT64_MAX;
    memfs_chunk_encode(MEMFS_DIGESTS, digests, 512, raw);
    assert_ok(decode(MEMFS_DIGESTS, 1 + 8 * 512, 512));
    assert_memory_equal(got.native, digests, 8 * 512);
    memset(digests, 0, 8 * 512);
    memfs_chunk_encode(MEMFS_DIGESTS, digests, 512, raw);
    assert_int_equal(raw[0], MEMFS_COLUMN_PLAIN); /* a tie */
}

/* Files in a row, most of them new bytes behind those before, some with parts that an
 * earlier one has: next to nothing is set but the lengths. */
static void test_columns__extents_that_follow_each_other(void **state)
{
    (void)state;
    struct test_random random = {.state = 3};
    struct memfs_extent *extents = (struct memfs_extent *)(void *)made.native;
    uint32_t end = 0, offset = 0;
    for (size_t i = 0; i < 512; i++) {
        const uint32_t length = 1 + (uint32_t)test_random_below(&random, 1000);
        const int begins = test_random_below(&random, 3) == 0, shared = i > 10 && test_random_below(&random, 4) == 0;
        offset = begins ? 0 : offset;
        extents[i] = (struct memfs_extent){offset, length, 7, shared ? end / 2 : end};
        offset += length;
        end += shared ? 0 : length;
    }
    const size_t length = memfs_chunk_encode(MEMFS_EXTENTS, extents, 512, raw);
    assert_int_equal(raw[1 + 4 * 512], MEMFS_COLUMN_ENDS);
    assert_int_equal(raw[2 + 12 * 512], MEMFS_COLUMN_FRONTIER);
    size_t set = 0;
    for (size_t i = 3 + 12 * 512; i < length; i++)
        set += raw[i] != 0;
    assert_true(set < 3 * 512 / 2); /* of shared extents only */
    assert_ok(decode(MEMFS_EXTENTS, length, 512));
    assert_memory_equal(got.native, extents, 512 * sizeof *extents);
}

/* A place has a block of 32 bits and a start of 24. */
static void test_columns__places_beyond_all_blocks(void **state)
{
    (void)state;
    memset(made.native, 0, sizeof made.native);
    for (size_t i = 0; i < 2; i++) {
        ((struct memfs_extent *)(void *)made.native)[i].length = 1;
        ((struct memfs_extent *)(void *)made.native)[i].block = 5;
    }
    const size_t length = memfs_chunk_encode(MEMFS_EXTENTS, made.native, 2, raw), place = 2 + 12 * 2;
    raw[place] = MEMFS_COLUMN_PLAIN;
    memset(raw + place + 1, 0, 16);
    raw[place + 1 + 2 * 6] = 255;
    assert_ok(decode(MEMFS_EXTENTS, length, 2));
    raw[place + 1 + 2 * 7] = 1;
    assert_result(decode(MEMFS_EXTENTS, length, 2), MEMFS_ECORRUPT);
    raw[place] = MEMFS_COLUMN_FRONTIER; /* far behind, or before, a cursor */
    for (unsigned byte = 0; byte < 256; byte++) {
        memset(raw + place + 1, (int)byte, 16);
        const int error = decode(MEMFS_EXTENTS, length, 2);
        assert_true(error == 0 || error == MEMFS_ECORRUPT);
        assert_true(error == 0 || byte != 0);
    }
}

/* Where a column of a chunk of count records begins, by the widths before it. */
static size_t column_at(const uint8_t *widths, unsigned column, size_t count)
{
    size_t at = 0;
    for (unsigned i = 0; i < column; i++)
        at += 1 + widths[i] * count;
    return at;
}

static void test_columns__unknown_tags(void **state)
{
    (void)state;
    static const uint8_t widths[MEMFS_BACKED][9] = {
        {2, 4, 4, 4, 8, 8, 4, 4, 4}, {4, 1, 1, 1}, {4, 8, 8}, {8, 8, 4, 1, 1}, {0}, {8}};
    struct test_random random = {.state = 2};
    for (enum memfs_table table = MEMFS_NODES; table < MEMFS_BACKED; table++) {
        for (unsigned column = 0; column < 9 && widths[table][column]; column++) {
            make_chunk(&random, table, 10, &made);
            const size_t length = memfs_chunk_encode(table, made.native, 10, raw);
            const size_t at = column_at(widths[table], column, 10);
            for (unsigned tag = 2; tag < 256; tag++) {
                /* Two columns of extents have a tag of their own. */
                if (table == MEMFS_EXTENTS && column > 0 && tag == column + 1)
                    continue;
                raw[at] = (uint8_t)tag;
                assert_result(decode(table, length, 10), MEMFS_ECORRUPT);
            }
        }
    }
}

static void test_columns__flags_beyond_their_values(void **state)
{
    (void)state;
    struct test_random random = {.state = 3};
    make_chunk(&random, MEMFS_ENTRIES, 4, &made);
    struct memfs_entry *entries = (struct memfs_entry *)(void *)made.native;
    entries[2].starts_run = 2;
    assert_result(decode(MEMFS_ENTRIES, memfs_chunk_encode(MEMFS_ENTRIES, entries, 4, raw), 4), MEMFS_ECORRUPT);
    entries[2].starts_run = 1;
    entries[2].type = 16;
    assert_result(decode(MEMFS_ENTRIES, memfs_chunk_encode(MEMFS_ENTRIES, entries, 4, raw), 4), MEMFS_ECORRUPT);
    make_chunk(&random, MEMFS_XATTRS, 4, &made);
    ((struct memfs_xattr *)(void *)made.native)[3].last = 2;
    assert_result(decode(MEMFS_XATTRS, memfs_chunk_encode(MEMFS_XATTRS, made.native, 4, raw), 4), MEMFS_ECORRUPT);
}

static void test_columns__lengths(void **state)
{
    (void)state;
    struct test_random random = {.state = 4};
    for (enum memfs_table table = MEMFS_NODES; table < MEMFS_BACKED; table++) {
        make_chunk(&random, table, 9, &made);
        const size_t length = memfs_chunk_encode(table, made.native, 9, raw);
        assert_ok(decode(table, length, 9));
        assert_result(decode(table, length - 1, 9), MEMFS_ECORRUPT);
        raw[length] = 0;
        assert_result(decode(table, length + 1, 9), MEMFS_ECORRUPT);
        assert_result(decode(table, length, 10), MEMFS_ECORRUPT);
        /* Also of what memfs_ref_check() has not seen; the heap has no columns. */
        for (size_t cut = 0; cut < length && table != MEMFS_BLOBS; cut++) {
            const char *reason = NULL;
            assert_result(memfs_chunk_decode(table, raw, cut, 9, got.native, &reason), MEMFS_ECORRUPT);
            assert_non_null(reason);
        }
    }
}

static void test_columns__tables_and_types(void **state)
{
    (void)state;
    for (unsigned table = 0; table < MEMFS_IMAGE_TABLES; table++)
        for (unsigned other = 0; other <= table; other++)
            assert_int_equal(strcmp(memfs_table_name(table), memfs_table_name(other)) == 0, table == other);
    assert_string_equal(memfs_table_name(MEMFS_IMAGE_TABLES), "?");
    unsigned known = 0;
    for (unsigned type = 0; type < 16; type++)
        known += memfs_type_index(type) >= 0;
    assert_int_equal(known, MEMFS_TYPES);
    assert_int_equal(memfs_type_index(MEMFS_IFREG >> 12), 0);
    assert_int_equal(memfs_type_index(MEMFS_IFBLK >> 12), MEMFS_TYPES - 1);
}

/* Lengths of names that are longer together than the names, and shorter. */
static void test_columns__names(void **state)
{
    (void)state;
    struct test_random random = {.state = 5};
    make_chunk(&random, MEMFS_ENTRIES, 5, &made);
    struct memfs_entry *entries = (struct memfs_entry *)(void *)made.native;
    for (size_t i = 0; i < 5; i++)
        entries[i].length = 10;
    const size_t length = memfs_chunk_encode(MEMFS_ENTRIES, entries, 5, raw);
    const size_t lengths = 1 + 4 * 5; /* the column's tag */
    assert_int_equal(raw[lengths], MEMFS_COLUMN_DIFFERENCES);
    raw[lengths + 5] = 1;
    assert_result(decode(MEMFS_ENTRIES, length, 5), MEMFS_ECORRUPT);
    raw[lengths + 5] = 255;
    assert_result(decode(MEMFS_ENTRIES, length, 5), MEMFS_ECORRUPT);
    raw[lengths + 5] = 0;
    assert_ok(decode(MEMFS_ENTRIES, length, 5));
}

static void test_columns__turned_bytes_are_harmless(void **state)
{
    (void)state;
    struct test_random random = {.state = 6};
    for (enum memfs_table table = MEMFS_NODES; table < MEMFS_BACKED; table++) {
        make_chunk(&random, table, 200, &made);
        const size_t length = memfs_chunk_encode(table, made.native, 200, raw);
        for (unsigned i = 0; i < 500; i++) {
            raw[test_random_below(&random, length)] = (uint8_t)test_random_next(&random);
            decode(table, length, 200);
        }
    }
}

static void test_columns__refs(void **state)
{
    (void)state;
    struct test_random random = {.state = 8};
    struct memfs_ref refs[MEMFS_REFS_PER_CHUNK], back[MEMFS_REFS_PER_CHUNK];
    const char *reason;
    memset(refs, 0, sizeof refs);
    for (size_t i = 0; i < MEMFS_REFS_PER_CHUNK; i++) {
        refs[i].offset = test_random_next(&random);
        refs[i].hash = test_random_next(&random);
        refs[i].stored = random_u32(&random);
        refs[i].raw = random_u32(&random);
        refs[i].codec = (uint8_t)test_random_below(&random, 2);
    }
    assert_int_equal(memfs_refs_raw_bytes(MEMFS_REFS_PER_CHUNK), 5 + 25 * 128);
    memfs_refs_encode(refs, MEMFS_REFS_PER_CHUNK, raw);
    assert_ok(memfs_refs_decode(raw, MEMFS_REFS_PER_CHUNK, back, &reason));
    assert_memory_equal(back, refs, sizeof refs);
    refs[17].codec = 2;
    memfs_refs_encode(refs, MEMFS_REFS_PER_CHUNK, raw);
    assert_result(memfs_refs_decode(raw, MEMFS_REFS_PER_CHUNK, back, &reason), MEMFS_ECORRUPT);
}

static void test_columns__shape_of_refs(void **state)
{
    (void)state;
    assert_int_equal(memfs_refs_height(0), 0);
    assert_int_equal(memfs_refs_height(16), 0);
    assert_int_equal(memfs_refs_height(17), 1);
    assert_int_equal(memfs_refs_height(16 * 128), 1);
    assert_int_equal(memfs_refs_height(16 * 128 + 1), 2);
    assert_int_equal(memfs_refs_height(MEMFS_COUNT_MAX), MEMFS_REFS_HEIGHT);
    assert_int_equal(memfs_refs_width(0, 0), 0);
    assert_int_equal(memfs_refs_width(0, 2), 0);
    assert_int_equal(memfs_refs_width(17, 1), 1);
    assert_int_equal(memfs_refs_width(129, 1), 2);
    assert_true(memfs_refs_width(MEMFS_COUNT_MAX, MEMFS_REFS_HEIGHT) <= MEMFS_REFS_TOP);
    assert_true(memfs_refs_height(memfs_chunk_total(MEMFS_BLOBS, MEMFS_HEAP_MAX)) <= MEMFS_REFS_HEIGHT);
}

static void test_columns__ref_checks(void **state)
{
    (void)state;
    const struct memfs_ref sound = {.offset = 64, .stored = 50, .raw = 100, .codec = MEMFS_CODEC_ZSTD};
    assert_null(memfs_ref_check(&sound, 1, 100, 114));
    assert_non_null(memfs_ref_check(&sound, 1, 100, 113)); /* past the end */
    assert_non_null(memfs_ref_check(&sound, 1, 99, 114));
    assert_non_null(memfs_ref_check(&sound, 101, 200, 114));
    struct memfs_ref ref = sound;
    ref.offset = 63;
    assert_non_null(memfs_ref_check(&ref, 1, 100, 1000));
    ref.offset = UINT64_MAX - 10; /* offset + length wraps */
    assert_non_null(memfs_ref_check(&ref, 1, 100, UINT64_MAX));
    ref = sound;
    ref.stored = 100; /* compressed, but not shorter */
    assert_non_null(memfs_ref_check(&ref, 1, 100, 1000));
    ref.codec = MEMFS_CODEC_RAW;
    assert_null(memfs_ref_check(&ref, 1, 100, 1000));
    ref.stored = 99;
    assert_non_null(memfs_ref_check(&ref, 1, 100, 1000));
    ref = sound;
    ref.stored = 0;
    assert_non_null(memfs_ref_check(&ref, 1, 100, 1000));
    ref = sound;
    ref.codec = 2;
    assert_non_null(memfs_ref_check(&ref, 1, 100, 1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns__round_trip),
        cmocka_unit_test(test_columns__differences_where_they_pay),
        cmocka_unit_test(test_columns__extents_that_follow_each_other),
        cmocka_unit_test(test_columns__places_beyond_all_blocks),
        cmocka_unit_test(test_columns__unknown_tags),
        cmocka_unit_test(test_columns__flags_beyond_their_values),
        cmocka_unit_test(test_columns__lengths),
        cmocka_unit_test(test_columns__tables_and_types),
        cmocka_unit_test(test_columns__names),
        cmocka_unit_test(test_columns__turned_bytes_are_harmless),
        cmocka_unit_test(test_columns__refs),
        cmocka_unit_test(test_columns__shape_of_refs),
        cmocka_unit_test(test_columns__ref_checks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
