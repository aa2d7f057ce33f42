/* What memfs_check_chunk() refuses: each test changes one field of a record that is right. */
#include "backing.h"
#include "testlib.h"

static struct memfs_backing backing;

static int setup_counts(void **state)
{
    (void)state;
    backing.count[MEMFS_NODES] = 100;
    backing.count[MEMFS_ENTRIES] = 100;
    backing.count[MEMFS_EXTENTS] = 100;
    backing.count[MEMFS_XATTRS] = 100;
    backing.count[MEMFS_BLOBS] = 100000;
    backing.blocks = 10;
    return 0;
}

/* ---- Nodes: record 5 of the first chunk ---- */

static int check_node(struct memfs_node_record node, size_t number)
{
    static struct memfs_node_record chunk[8];
    struct memfs_detail detail = {.error = 0};
    memset(chunk, 0, sizeof chunk);
    for (size_t i = 1; i < 8; i++)
        chunk[i] = (struct memfs_node_record){.mode = MEMFS_IFDIR | 0755, .nlink = 2, .up = {1, 3}};
    chunk[1].up.parent = chunk[1].up.entry = 0;
    chunk[number] = node;
    int r = memfs_check_chunk(&backing, MEMFS_NODES, 0, chunk, 8, sizeof chunk, &detail);
    assert_int_equal(detail.error, r);
    assert_int_equal(detail.text[0] != 0, r != 0);
    return r;
}

#define REFUSES_NODE(number, base, field, value)                                                                       \
    do {                                                                                                               \
        struct memfs_node_record node = (base);                                                                        \
        node.field = (value);                                                                                          \
        assert_result(check_node(node, (number)), MEMFS_ECORRUPT);                                                     \
    } while (0)

static const struct memfs_node_record dir = {.mode = MEMFS_IFDIR | 0755, .nlink = 2, .run = {10, 90}, .up = {1, 99}};
static const struct memfs_node_record file = {
    .mode = MEMFS_IFREG | 06755, .nlink = 1, .size = 10, .xattrs = 100, .extents = {90, 10}};
static const struct memfs_node_record link_node = {.mode = MEMFS_IFLNK | 0777, .nlink = 1, .size = 10, .target = 99990};
static const struct memfs_node_record device = {.mode = MEMFS_IFBLK | 0600, .nlink = 1, .rdev = {8, 1}};
static const struct memfs_node_record fifo = {.mode = MEMFS_IFIFO | 0600, .nlink = 1};

static void test_check__nodes(void **state)
{
    (void)state;
    assert_ok(check_node(dir, 5));
    assert_ok(check_node(file, 5));
    assert_ok(check_node(link_node, 5));
    assert_ok(check_node(device, 5));
    assert_ok(check_node(fifo, 5));
    REFUSES_NODE(5, file, mode, 0);
    REFUSES_NODE(5, file, mode, 0170000);
    REFUSES_NODE(5, file, mode, MEMFS_IFREG | MEMFS_NODE_CHANGED);
    REFUSES_NODE(5, file, mode, MEMFS_IFREG | MEMFS_NODE_LINKABLE);
    REFUSES_NODE(5, file, nlink, 0);
    REFUSES_NODE(5, file, size, (uint64_t)1 << 63);
    REFUSES_NODE(5, file, xattrs, 101);
    REFUSES_NODE(5, file, extents.first, 91);
    REFUSES_NODE(5, file, extents.count, UINT32_MAX);
    REFUSES_NODE(5, file, extents.count, 0);             /* none, but somewhere */
    REFUSES_NODE(5, file, size, file.extents.count - 1); /* not a byte for each extent */
    REFUSES_NODE(5, dir, run.first, 11);
    REFUSES_NODE(5, dir, run.count, UINT32_MAX);
    REFUSES_NODE(5, dir, run.count, 0);
    REFUSES_NODE(5, dir, up.parent, 0);
    REFUSES_NODE(5, dir, up.parent, 100);
    REFUSES_NODE(5, dir, up.entry, 100);
    REFUSES_NODE(5, link_node, size, 0);
    REFUSES_NODE(5, link_node, size, 4096);
    REFUSES_NODE(5, link_node, target, 99991);
    REFUSES_NODE(5, link_node, target, 65530);
    REFUSES_NODE(5, device, size, 1);
    REFUSES_NODE(5, fifo, size, 1);
    REFUSES_NODE(5, fifo, rdev.minor, 1);
}

static void test_check__special_nodes(void **state)
{
    (void)state;
    struct memfs_node_record root = dir;
    root.up.parent = root.up.entry = 0;
    assert_ok(check_node(root, 1));
    REFUSES_NODE(1, root, up.parent, 1);
    REFUSES_NODE(1, root, up.entry, 1);
    assert_result(check_node(file, 1), MEMFS_ECORRUPT);
    assert_result(check_node(file, 0), MEMFS_ECORRUPT);
}

/* ---- Entries ---- */

struct entries {
    struct memfs_entry records[3];
    char names[16];
};

static struct entries some_entries(void)
{
    struct entries chunk = {.names = "aaab\0b"};
    static const uint8_t lengths[3] = {1, 3, 1};
    uint32_t at = sizeof chunk.records;
    for (size_t i = 0; i < 3; i++) {
        chunk.records[i] = (struct memfs_entry){
            .node = 2 + (uint32_t)i, .name = at, .length = lengths[i], .type = 8, .starts_run = i == 0};
        at += lengths[i];
    }
    memcpy(chunk.names, "aaabb", 6);
    for (size_t i = 0; i < 3; i++)
        chunk.records[i].prefix =
            memfs_name_prefix(memfs_entry_name(&chunk, &chunk.records[i]), chunk.records[i].length);
    return chunk;
}

static int check_entries(const struct entries *chunk, uint64_t number)
{
    return memfs_check_chunk(&backing, MEMFS_ENTRIES, number, chunk, 3, sizeof chunk->records + 5, NULL);
}

#define REFUSES_ENTRY(number, field, value)                                                                            \
    do {                                                                                                               \
        struct entries changed = some_entries();                                                                       \
        changed.records[number].field = (value);                                                                       \
        assert_result(check_entries(&changed, 0), MEMFS_ECORRUPT);                                                     \
    } while (0)

static void test_check__entries(void **state)
{
    (void)state;
    struct entries chunk = some_entries();
    assert_ok(check_entries(&chunk, 0));
    REFUSES_ENTRY(1, node, 0);
    REFUSES_ENTRY(1, node, 1);
    REFUSES_ENTRY(1, node, 100);
    REFUSES_ENTRY(1, name, sizeof chunk.records + 3);
    REFUSES_ENTRY(1, name, UINT32_MAX);
    REFUSES_ENTRY(1, length, 0);
    REFUSES_ENTRY(2, length, 2);
    REFUSES_ENTRY(1, prefix, 0);
    for (unsigned type = 0; type < 256; type++) {
        if (!memchr("\1\2\4\6\10\12\14", (int)type, 7))
            REFUSES_ENTRY(1, type, (uint8_t)type);
    }
    REFUSES_ENTRY(1, starts_run, 2);
    REFUSES_ENTRY(0, starts_run, 0);
    REFUSES_ENTRY(1, reserved, 1);
    chunk.records[0].starts_run = 0;
    assert_ok(check_entries(&chunk, 1)); /* its run may have started in the chunk before */
}

/* A name in the place of the last one. */
static int check_last_name(const char *name, size_t length)
{
    struct entries chunk = some_entries();
    char *at = (char *)&chunk + chunk.records[1].name;
    memcpy(at, name, length);
    chunk.records[1].length = (uint8_t)length;
    chunk.records[1].prefix = memfs_name_prefix(at, length);
    return memfs_check_chunk(&backing, MEMFS_ENTRIES, 0, &chunk, 2, sizeof chunk, NULL);
}

static void test_check__names(void **state)
{
    (void)state;
    assert_ok(check_last_name("ab", 2));
    assert_ok(check_last_name("b\377\n", 3));
    assert_result(check_last_name("a", 1), MEMFS_ECORRUPT); /* twice */
    assert_result(check_last_name("Z", 1), MEMFS_ECORRUPT); /* before the first */
    assert_result(check_last_name("b/c", 3), MEMFS_ECORRUPT);
    assert_result(check_last_name("b\0c", 3), MEMFS_ECORRUPT);
    assert_result(memfs_name_ok(".", 1), 0);
    assert_result(memfs_name_ok("..", 2), 0);
    assert_result(memfs_name_ok("...", 3), 1);
    assert_result(memfs_name_ok(".a", 2), 1);
}

/* ---- Extents and attributes ---- */

#define REFUSES(table, records, number, field, value)                                                                  \
    do {                                                                                                               \
        __typeof__(records[0]) changed = records[number];                                                              \
        changed.field = (value);                                                                                       \
        assert_result(memfs_check_chunk(&backing, (table), 0, &changed, 1, sizeof changed, NULL), MEMFS_ECORRUPT);     \
    } while (0)

static void test_check__extents(void **state)
{
    (void)state;
    struct memfs_extent extents[] = {{.offset = 5, .length = 100, .block = 9, .start = 7}};
    assert_ok(memfs_check_chunk(&backing, MEMFS_EXTENTS, 0, extents, 1, sizeof extents, NULL));
    REFUSES(MEMFS_EXTENTS, extents, 0, length, 0);
    REFUSES(MEMFS_EXTENTS, extents, 0, length, UINT64_MAX);
    REFUSES(MEMFS_EXTENTS, extents, 0, length, MEMFS_SIZE_MAX);
    REFUSES(MEMFS_EXTENTS, extents, 0, offset, UINT64_MAX);
    REFUSES(MEMFS_EXTENTS, extents, 0, block, 10);
}

static void test_check__attributes(void **state)
{
    (void)state;
    struct memfs_xattr xattrs[] = {{.name = 10, .name_length = 5, .value = 65536, .value_length = 34464, .last = 1}};
    assert_ok(memfs_check_chunk(&backing, MEMFS_XATTRS, 0, xattrs, 1, sizeof xattrs, NULL));
    REFUSES(MEMFS_XATTRS, xattrs, 0, name, 99996);
    REFUSES(MEMFS_XATTRS, xattrs, 0, name, 65534);
    REFUSES(MEMFS_XATTRS, xattrs, 0, name, UINT64_MAX);
    REFUSES(MEMFS_XATTRS, xattrs, 0, name_length, 0);
    REFUSES(MEMFS_XATTRS, xattrs, 0, value, 65537);
    REFUSES(MEMFS_XATTRS, xattrs, 0, value, 65535);
    REFUSES(MEMFS_XATTRS, xattrs, 0, value_length, 65537);
    REFUSES(MEMFS_XATTRS, xattrs, 0, value_length, 0); /* an empty value has no place */
    REFUSES(MEMFS_XATTRS, xattrs, 0, last, 2);
    REFUSES(MEMFS_XATTRS, xattrs, 0, reserved, 1);
    struct memfs_xattr open = xattrs[0];
    open.last = 0;
    assert_ok(memfs_check_chunk(&backing, MEMFS_XATTRS, 0, &open, 1, sizeof open, NULL));
    backing.count[MEMFS_XATTRS] = 1;
    assert_result(memfs_check_chunk(&backing, MEMFS_XATTRS, 0, &open, 1, sizeof open, NULL), MEMFS_ECORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_check__nodes, setup_counts),
        cmocka_unit_test_setup(test_check__special_nodes, setup_counts),
        cmocka_unit_test_setup(test_check__entries, setup_counts),
        cmocka_unit_test_setup(test_check__names, setup_counts),
        cmocka_unit_test_setup(test_check__extents, setup_counts),
        cmocka_unit_test_setup(test_check__attributes, setup_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
