/*
 * Filesystems on a backing that is no image: records in arrays, which nobody has checked. What they say that cannot
 * be is found where it is used; a chunk may be resident only while it is held, each load may fail, and each
 * allocation. Related records stand in different chunks, so that no look at one has already fetched the other.
 */
#include "backing.h"
#include "memfs_host.h"
#include "testlib.h"

#include <stdlib.h>

#define PAGE 65536u
#define FAR ((1u << 27) + 1) /* the last node's number */
#define ENTRIES 556u
#define WIDE 40u /* entries of w, each of which leads to a node in a chunk of its own */
#define HELD_MOST 256

/* What there is, and the numbers of its nodes: the chunk is the number / 512. */
enum {
    ROOT = 1,
    E = 2,
    A = 3,
    H = 4,
    D = 513,
    L = 514,
    W = 515,
    B = 516,
    F = 1025,
    P = 1026,
    X = 1027,
    G = 1028,
    S = 1029
};

struct held {
    enum memfs_table table;
    uint64_t chunk;
};

struct entries {
    struct memfs_entry entry[512];
    char names[512 * 4];
};

static struct store {
    memfs_backing base;
    struct memfs_epochs epochs;
    struct memfs_node_record nodes[3][512], spare[512]; /* spare: all chunks behind */
    struct entries entries[2];
    struct memfs_extent extents[4][512];
    struct memfs_xattr xattrs[2][512];
    char blobs[2][MEMFS_BLOB_BYTES];
    uint64_t digests[3][512];
    unsigned cold; /* bit i: chunks of table i, from cold_from on, are resident only while they are held */
    uint64_t cold_from;
    int is_forgetful;
    struct held held[HELD_MOST];
    size_t held_count;
    uint64_t calls, fail_at, failures; /* loads, reads and views */
    _Atomic(uint64_t) looks;           /* at chunks of XATTRS */
    int fail_after;
    void (*before)(memfs *fs); /* the call with number before_at */
    uint64_t before_at;
    memfs *fs;
    uint64_t data_from; /* seek_data(): of the block's bytes, those before are zeros */
} store;

/* ---- The backing -------------------------------------------------------------------------------- */

static void destroy(memfs_backing *backing)
{
    (void)backing;
}

static const void *chunk_of(enum memfs_table table, uint64_t chunk)
{
    switch (table) {
    case MEMFS_NODES:
        return chunk < 3 ? store.nodes[chunk] : store.spare;
    case MEMFS_ENTRIES:
        return &store.entries[chunk];
    case MEMFS_EXTENTS:
        return store.extents[chunk];
    case MEMFS_XATTRS:
        return store.xattrs[chunk];
    case MEMFS_BLOBS:
        return store.blobs[chunk];
    case MEMFS_DIGESTS:
        return store.digests[chunk];
    default:
        return NULL;
    }
}

static size_t find_held(enum memfs_table table, uint64_t chunk)
{
    size_t i = 0;
    while (i < store.held_count && (store.held[i].table != table || store.held[i].chunk != chunk))
        i++;
    return i;
}

static const void *peek(memfs_backing *backing, enum memfs_table table, uint64_t chunk)
{
    (void)backing;
    store.looks += table == MEMFS_XATTRS;
    if (store.cold >> table & 1 && chunk >= store.cold_from &&
        (store.is_forgetful || find_held(table, chunk) == store.held_count))
        return NULL;
    return chunk_of(table, chunk);
}

static int call(void)
{
    const uint64_t nth = ++store.calls;
    if (store.before && nth == store.before_at)
        store.before(store.fs);
    if (!store.fail_at || (nth != store.fail_at && !(store.fail_after && nth > store.fail_at)))
        return 0;
    store.failures++;
    return -EIO;
}

static void hold(enum memfs_table table, uint64_t chunk, struct memfs_pin *pin)
{
    assert_true(store.held_count < HELD_MOST);
    store.held[store.held_count++] = (struct held){table, chunk};
    *pin = (struct memfs_pin){.object = &store, .private = {table, chunk}};
}

static int load(memfs_backing *backing, enum memfs_table table, uint64_t chunk, struct memfs_pin *pin)
{
    int error = call();
    (void)backing;
    if (!error)
        hold(table, chunk, pin);
    return error;
}

static uint8_t byte_at(uint64_t position)
{
    return (uint8_t)(1 + position % 251);
}

static int read_block(memfs_backing *backing, uint32_t block, uint64_t start, void *buffer, size_t length)
{
    uint8_t *bytes = buffer;
    (void)backing, (void)block;
    for (size_t i = 0; i < length; i++)
        bytes[i] = byte_at(start + i);
    return call();
}

static int view_block(memfs_backing *backing, uint32_t block, uint64_t start, size_t length, const void **data,
                      size_t *got, struct memfs_pin *pin)
{
    int error = call();
    (void)backing, (void)block, (void)start, (void)length;
    if (error)
        return error;
    hold(MEMFS_TABLES, 0, pin);
    *data = store.blobs[0];
    *got = 1;
    return 0;
}

static int64_t seek_data(memfs_backing *backing, uint32_t block, uint64_t start, uint64_t length)
{
    uint64_t data = start > store.data_from ? start : store.data_from;
    (void)backing, (void)block;
    return (int64_t)(data < start + length ? data : start + length);
}

static void unpin(memfs_backing *backing, struct memfs_pin *pin)
{
    const size_t i = find_held((enum memfs_table)pin->private[0], pin -> private[1]);
    (void)backing;
    assert_true(i < store.held_count);
    store.held[i] = store.held[--store.held_count];
}

static const struct memfs_backing_ops ops = {destroy, peek, load, read_block, view_block, seek_data, unpin};
static const struct memfs_backing_ops ops_without_seek = {destroy, peek, load, read_block, view_block, NULL, unpin};

/* ---- What is in it --------------------------------------------------------------------------------- */

static struct memfs_node_record *node_at(uint32_t number)
{
    return number < 1536 ? &store.nodes[number / 512][number % 512] : &store.spare[number % 512];
}

static struct memfs_extent *extent_at(uint32_t number)
{
    return &store.extents[number / 512][number % 512];
}

static struct memfs_entry *entry_at(uint32_t number)
{
    return &store.entries[number / 512].entry[number % 512];
}

static void put_entry(uint32_t number, const char *text, uint32_t node, int starts_run)
{
    struct entries *chunk = &store.entries[number / 512];
    const size_t place = (size_t)(number % 512) * 4, length = strlen(text);
    memcpy(chunk->names + place, text, length);
    *entry_at(number) = (struct memfs_entry){.node = node,
                                             .prefix = memfs_name_prefix(text, length),
                                             .name = (uint32_t)(offsetof(struct entries, names) + place),
                                             .length = (uint8_t)length,
                                             .type = (uint8_t)(node_at(node)->mode >> 12),
                                             .starts_run = (uint8_t)starts_run};
}

static void put_dir(uint32_t number, uint32_t first, uint32_t count, uint32_t parent, uint32_t entry)
{
    struct memfs_node_record *node = node_at(number);
    *node = (struct memfs_node_record){.mode = MEMFS_IFDIR | 0755, .nlink = 2};
    node->run.first = first;
    node->run.count = count;
    node->up.parent = parent;
    node->up.entry = entry;
}

static void put_file(uint32_t number, uint32_t first, uint32_t count, uint64_t size)
{
    struct memfs_node_record *node = node_at(number);
    *node = (struct memfs_node_record){.mode = MEMFS_IFREG | 0644, .nlink = 1, .size = size};
    node->extents.first = first;
    node->extents.count = count;
}

static void put_link(uint32_t number, const char *target)
{
    struct memfs_node_record *node = node_at(number);
    const uint32_t place = number % 512 * 8;
    *node = (struct memfs_node_record){.mode = MEMFS_IFLNK | 0777, .nlink = 1, .size = strlen(target)};
    node->target = MEMFS_BLOB_BYTES + place;
    memcpy(store.blobs[1] + place, target, strlen(target));
}

static void put_nodes(void)
{
    put_dir(ROOT, 0, 7, 0, 0);
    node_at(ROOT)->nlink = 5;
    put_dir(E, 0, 0, ROOT, 1);
    put_dir(D, 509, 5, ROOT, 0);
    node_at(D)->nlink = 3;
    put_dir(S, 0, 0, D, 513);
    put_dir(W, 516, WIDE, ROOT, 5);
    put_file(A, 0, 0, 0);
    put_file(B, 0, 0, 0);
    put_file(G, 0, 0, 0);
    put_file(FAR, 0, 0, 0);
    put_file(F, 510, 4, 4 * PAGE);
    put_file(P, 1024, 600, 700 * (uint64_t)PAGE);
    put_file(X, 0, 0, 0);
    node_at(X)->xattrs = 1 + 510;
    put_link(L, "d/g");
    put_link(H, "..");
    store.digests[F / 512][F % 512] = 77;
}

static void put_entries(void)
{
    static const char *const names[] = {"d", "e", "f", "l", "p", "w", "x"}, *const below[] = {"a", "b", "g", "h", "s"};
    static const uint32_t nodes[] = {D, E, F, L, P, W, X}, nodes_below[] = {A, B, G, H, S};
    char name[8];
    for (uint32_t i = 0; i < 7; i++)
        put_entry(i, names[i], nodes[i], i == 0);
    for (uint32_t i = 0; i < 5; i++)
        put_entry(509 + i, below[i], nodes_below[i], i == 0);
    for (uint32_t i = 0; i < WIDE; i++) {
        snprintf(name, sizeof name, "n%02u", i);
        put_entry(516 + i, name, i + 1 < WIDE ? 512 * (i + 3) + 1 : FAR, i == 0);
    }
}

/* f is whole; p has a hole of most of each page, and of page 448 */
static void put_contents(void)
{
    for (uint32_t i = 0; i < 4; i++)
        *extent_at(510 + i) = (struct memfs_extent){.offset = i * PAGE, .length = PAGE, .start = i * PAGE};
    for (uint32_t i = 0; i < 600; i++)
        *extent_at(1024 + i) =
            (struct memfs_extent){.offset = (i + (i >= 448)) * (uint64_t)PAGE, .length = 4096, .start = i};
}

static void put_xattrs(void)
{
    for (uint32_t i = 0; i < 4; i++) {
        char name[8] = "user.";
        name[5] = (char)('a' + i);
        memcpy(store.blobs[0] + i * 8, name, 6);
        store.xattrs[(510 + i) / 512][(510 + i) % 512] = (struct memfs_xattr){
            .name = i * 8, .value = MEMFS_BLOB_BYTES, .value_length = 10, .name_length = 6, .last = i == 3};
    }
}

static void build(void)
{
    memset(&store, 0, sizeof store);
    assert_ok(memfs_epochs_init(&store.epochs));
    memfs_backing_init(&store.base, &ops, &store.epochs);
    put_nodes();
    put_entries();
    put_contents();
    put_xattrs();
    const uint64_t counts[] = {FAR + 1, ENTRIES, 1624, 514, sizeof store.blobs, X};
    memcpy(store.base.count, counts, sizeof counts);
    store.base.blocks = 1;
    store.base.nodes_in_use = 60;
}

static void tear_down(void)
{
    assert_int_equal(store.held_count, 0);
    assert_int_equal(store.base.references, 1);
    memfs_epochs_destroy(&store.epochs);
}

/* ---- What is asked, and done ------------------------------------------------------------------------ */

typedef int64_t ask_fn(memfs *fs);

static int64_t read_link(memfs *fs)
{
    char target[8];
    return memfs_readlink(fs, NULL, "l", target, sizeof target);
}

static int64_t stat_path(memfs *fs, const char *path)
{
    struct memfs_stat stat;
    return memfs_stat(fs, NULL, path, &stat);
}

static int64_t stat_through_link(memfs *fs)
{
    return stat_path(fs, "l");
}

static int64_t stat_up(memfs *fs)
{
    return stat_path(fs, "d/../f");
}

static int64_t stat_up_by_link(memfs *fs)
{
    return stat_path(fs, "d/h/e");
}

static int64_t stat_a(memfs *fs)
{
    return stat_path(fs, "d/a");
}

static int64_t stat_none(memfs *fs)
{
    return stat_path(fs, "d/z");
}

static int64_t stat_e(memfs *fs)
{
    return stat_path(fs, "e");
}

static int64_t get_xattr(memfs *fs)
{
    char value[16];
    return memfs_getxattr(fs, NULL, "x", 1, "user.d", value, sizeof value);
}

static int64_t read_file(memfs *fs)
{
    uint8_t bytes[16];
    return memfs_node_read(fs, F, 3 * PAGE - 8, bytes, sizeof bytes);
}

static int64_t unlink_a(memfs *fs)
{
    return memfs_unlink(fs, NULL, "d/a");
}

static int64_t remove_e(memfs *fs)
{
    return memfs_rmdir(fs, NULL, "e");
}

static int64_t ask_parent(memfs *fs)
{
    memfs_node parent = 0;
    int error = memfs_node_parent(fs, D, &parent);
    if (!error)
        memfs_node_forget(fs, parent, 1);
    return error ? error : (int64_t)parent;
}

static int64_t ask_path(memfs *fs)
{
    char path[16];
    return memfs_node_path(fs, S, path, sizeof path);
}

static int64_t open_node(memfs *fs)
{
    int error = memfs_node_open(fs, NULL, F, MEMFS_O_READ);
    if (!error)
        memfs_node_close(fs, F);
    return error;
}

static int64_t open_new(memfs *fs)
{
    memfs_file *file = NULL;
    int error = memfs_open(fs, NULL, "d/new", MEMFS_O_WRITE | MEMFS_O_CREATE | MEMFS_O_EXCL, 0644, &file);
    memfs_close(file);
    return error;
}

static int64_t open_found(memfs *fs)
{
    memfs_file *file = NULL;
    int error = memfs_open(fs, NULL, "d/g", MEMFS_O_WRITE | MEMFS_O_CREATE | MEMFS_O_EXCL, 0644, &file);
    memfs_close(file);
    return error;
}

static int64_t seek_end(memfs *fs)
{
    memfs_file *file = NULL;
    int64_t end = memfs_open(fs, NULL, "f", MEMFS_O_READ, 0, &file);
    end = end ? end : memfs_lseek(file, -1, MEMFS_SEEK_END);
    memfs_close(file);
    return end;
}

static int64_t seek_hole(memfs *fs)
{
    return memfs_node_seek(fs, F, 0, MEMFS_SEEK_HOLE);
}

static int64_t rename_file(memfs *fs)
{
    return memfs_rename(fs, NULL, "d/a", "e/a", 0);
}

static int64_t rename_dir(memfs *fs)
{
    return memfs_rename(fs, NULL, "d/s", "e/a longer name than a delta has room for", 0);
}

static int64_t exchange_dirs(memfs *fs)
{
    return memfs_rename(fs, NULL, "d/s", "e", MEMFS_RENAME_EXCHANGE);
}

static int64_t rename_file_as_dir(memfs *fs)
{
    return memfs_rename(fs, NULL, "f/", "new", 0);
}

static int64_t link_file(memfs *fs)
{
    return memfs_link(fs, NULL, "f", "d/s/f");
}

/* With the name before it in another chunk. */
static int64_t list_from_seam(memfs *fs)
{
    struct memfs_dirent entry;
    return memfs_node_readdir(fs, NULL, D, 3, &entry, 1, 0);
}

static int64_t write_part(memfs *fs)
{
    return memfs_node_write(fs, F, PAGE * 2 - 5, "changed", 7);
}

static int64_t punch_pages(memfs *fs)
{
    return memfs_node_punch(fs, F, 10, PAGE * 2 + 5000);
}

/* Whole pages of it become holes, and the last is made new. */
static int64_t punch_from_start(memfs *fs)
{
    return memfs_node_punch(fs, F, 0, PAGE * 2 + 5000);
}

static int64_t allocate_pages(memfs *fs)
{
    return memfs_node_allocate(fs, P, 445 * (uint64_t)PAGE, 10 * PAGE, 1);
}

static int64_t cut_file(memfs *fs)
{
    return memfs_truncate(fs, NULL, "f", PAGE + 100);
}

static int64_t cut_by_node(memfs *fs)
{
    memfs_file *file = NULL;
    int error = memfs_open(fs, NULL, "d/g", MEMFS_O_WRITE, 0, &file);
    error = error ? error : memfs_ftruncate(file, 5);
    memfs_close(file);
    return error;
}

static int64_t copy_file(memfs *fs)
{
    return memfs_node_copy(fs, F, 100, B, 0, 3 * PAGE);
}

static int64_t view_file(memfs *fs)
{
    struct memfs_view view;
    int error = memfs_node_view(fs, F, 100, 1, &view);
    if (!error)
        memfs_view_release(fs, &view);
    return error;
}

static int64_t set_acl(memfs *fs)
{
    static const uint8_t acl[] = {2, 0, 0,   0,   1,   0,   6,  0, 255, 255, 255, 255, 2,   0,  5,
                                  0, 9, 0,   0,   0,   4,   0,  4, 0,   255, 255, 255, 255, 16, 0,
                                  4, 0, 255, 255, 255, 255, 32, 0, 4,   0,   255, 255, 255, 255};
    return memfs_setxattr(fs, NULL, "x", 1, "system.posix_acl_access", acl, sizeof acl, 0);
}

/* There is none; all the others are behind it. */
static int64_t remove_acl(memfs *fs)
{
    return memfs_removexattr(fs, NULL, "x", 1, "system.posix_acl_access");
}

static int64_t set_xattr(memfs *fs)
{
    return memfs_setxattr(fs, NULL, "x", 1, "user.c", "other", 5, MEMFS_XATTR_REPLACE);
}

static int64_t make_symlink(memfs *fs)
{
    memfs_node node = 0;
    int error = memfs_node_symlink(fs, NULL, D, "a longer name than a delta has room for", "target", &node);
    if (!error)
        memfs_node_forget(fs, node, 1);
    return error;
}

static int64_t unlink_far(memfs *fs)
{
    return memfs_unlink(fs, NULL, "w/n39");
}

static int count_step(void *context, const struct memfs_step *step)
{
    (void)step;
    ++*(int64_t *)context;
    return 0;
}

static int64_t walk(memfs *fs, const char *path, uint32_t flags, uint64_t depth_max)
{
    const struct memfs_walk_options options = {.size = sizeof options, .flags = flags, .depth_max = depth_max};
    int64_t count = 0;
    int error = memfs_walk_steps(fs, NULL, path, &options, count_step, &count);
    return error ? error : count;
}

static int64_t walk_file(memfs *fs)
{
    return walk(fs, "d/g", 0, 5);
}

static int64_t walk_dir(memfs *fs)
{
    return walk(fs, "d/s", MEMFS_WALK_POST, 2);
}

static int64_t walk_all(memfs *fs)
{
    return walk(fs, "d", MEMFS_WALK_SORTED, 0);
}

static int64_t glob_names(memfs *fs)
{
    int64_t count = 0;
    int error = memfs_glob_steps(fs, NULL, "[del]/*", NULL, count_step, &count);
    return error ? error : count;
}

static int64_t ask_digest(memfs *fs)
{
    uint64_t digest = 0;
    int error = memfs_node_digest(fs, F, &digest);
    return error ? error : (int64_t)digest;
}

struct question {
    const char *name;
    ask_fn *ask;
    int64_t want;
};
#define ASK(function, want)                                                                                            \
    {                                                                                                                  \
#function, function, want                                                                                      \
    }
static const struct question questions[] = {
    ASK(read_link, 3),
    ASK(stat_through_link, 0),
    ASK(stat_up, 0),
    ASK(stat_up_by_link, 0),
    ASK(stat_a, 0),
    ASK(stat_none, -ENOENT),
    ASK(get_xattr, 10),
    ASK(read_file, 16),
    ASK(unlink_a, 0),
    ASK(remove_e, 0),
    ASK(ask_parent, ROOT),
    ASK(ask_path, 4),
    ASK(open_node, 0),
    ASK(open_new, 0),
    ASK(open_found, -EEXIST),
    ASK(seek_end, 4 * PAGE - 1),
    ASK(seek_hole, 4 * PAGE),
    ASK(rename_file, 0),
    ASK(rename_dir, 0),
    ASK(exchange_dirs, 0),
    ASK(rename_file_as_dir, -ENOTDIR),
    ASK(link_file, 0),
    ASK(list_from_seam, 1),
    ASK(write_part, 7),
    ASK(punch_pages, 0),
    ASK(punch_from_start, 0),
    ASK(allocate_pages, 0),
    ASK(cut_file, 0),
    ASK(cut_by_node, 0),
    ASK(view_file, 0),
    ASK(set_acl, 0),
    ASK(remove_acl, 0),
    ASK(set_xattr, 0),
    ASK(make_symlink, 0),
    ASK(unlink_far, 0),
    ASK(walk_file, 1),
    ASK(walk_dir, 1),
    ASK(walk_all, 6),
    ASK(glob_names, 5),
    ASK(ask_digest, 77),
};
#define QUESTIONS (sizeof questions / sizeof *questions)

static uint64_t changes_of(memfs *fs)
{
    struct memfs_statfs stat;
    assert_ok(memfs_statfs(fs, &stat));
    return stat.changes;
}

static memfs *begin(struct test_state *test, memfs_backing *backing)
{
    store.calls = store.fail_at = store.failures = 0;
    store.fail_after = 0;
    store.fs = test_create(test, backing);
    return store.fs;
}

/* ---- Faults ------------------------------------------------------------------------------------------- */

static void let_fail(struct test_state *test, int error, uint64_t nth, int after)
{
    if (error == -ENOMEM) {
        test_memory_fail(&test->memory, nth, after);
    } else {
        store.fail_at = store.calls + nth;
        store.fail_after = after;
    }
    store.failures = 0;
    atomic_store(&test->memory.failures, 0);
}

static uint64_t heal(struct test_state *test)
{
    test_memory_heal(&test->memory);
    store.fail_at = 0;
    return store.failures + atomic_load(&test->memory.failures);
}

/* Asks with the n-th call failing. It has then failed and changed nothing, and can be asked again; or has done without.
 * Returns how many calls failed. */
static uint64_t ask_with(struct test_state *test, memfs_backing *backing, const struct question *question, int error,
                         uint64_t nth, int after)
{
    memfs *fs = begin(test, backing);
    const uint64_t before = changes_of(fs);
    let_fail(test, error, nth, after);
    int64_t got = question->ask(fs);
    const uint64_t failures = heal(test);
    if (got != question->want) {
        if (got != error)
            print_error("%s, call %" PRIu64 " fails\n", question->name, nth);
        assert_result(got, error);
        assert_true(failures > 0);
        assert_int_equal(changes_of(fs), before);
        got = question->ask(fs);
    }
    if (got != question->want)
        print_error("%s, after call %" PRIu64 " failed\n", question->name, nth);
    assert_result(got, question->want);
    memfs_destroy(fs);
    store.fs = NULL;
    return failures;
}

/* Each of the calls fails in turn: once, and with all behind it. Returns how many questions never failed. */
static unsigned ask_all(struct test_state *test, memfs_backing *backing, const struct question *asked, size_t count,
                        int error)
{
    unsigned untouched = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t failed = 0;
        for (int after = 0; after < 2; after++)
            for (uint64_t nth = 1, more = 1; more; nth++)
                failed += more = ask_with(test, backing, &asked[i], error, nth, after);
        untouched += failed == 0;
    }
    return untouched;
}

static void test_backing__any_load_fails(void **state)
{
    build();
    store.cold = (1u << MEMFS_BACKED) - 1;
    assert_int_equal(ask_all(*state, &store.base, questions, QUESTIONS, -EIO), 0);
    tear_down();
}

static void test_backing__any_allocation_fails(void **state)
{
    build();
    assert_true(ask_all(*state, &store.base, questions, QUESTIONS, -ENOMEM) < 20);
    tear_down();
}

/* ---- Lies ------------------------------------------------------------------------------------------------ */

static void no_target(void)
{
    node_at(L)->size = 0;
}

static void long_target(void)
{
    node_at(L)->size = MEMFS_TARGET_MAX + 1;
}

static void target_over_border(void)
{
    node_at(L)->target = MEMFS_BLOB_BYTES - 1;
}

static void no_such_kind(void)
{
    node_at(A)->mode = 0;
}

static void no_such_node(void)
{
    entry_at(509)->node = FAR + 100; /* behind the last one, in its chunk */
}

static void no_such_entries(void)
{
    node_at(D)->run.count = 500;
}

static void removed_dir(void)
{
    node_at(D)->nlink = 0;
}

static void root_in_itself(void)
{
    node_at(ROOT)->up.parent = ROOT;
    node_at(ROOT)->up.entry = 1;
    entry_at(1)->node = ROOT;
}

static void no_such_attributes(void)
{
    node_at(X)->xattrs = 1000;
}

static void attribute_without_name(void)
{
    store.xattrs[0][511].name_length = 0;
}

static void attribute_too_large(void)
{
    store.xattrs[0][511].value_length = MEMFS_XATTR_MAX + 1;
}

static void empty_extent(void)
{
    extent_at(512)->length = 0;
}

static void test_backing__lies_are_damage(void **state)
{
    static const struct {
        void (*lie)(void);
        ask_fn *ask;
        int want;
    } lies[] = {
        {no_target, read_link, MEMFS_ECORRUPT},
        {no_target, stat_through_link, MEMFS_ECORRUPT},
        {long_target, read_link, MEMFS_ECORRUPT},
        {long_target, stat_through_link, MEMFS_ECORRUPT},
        {target_over_border, read_link, MEMFS_ECORRUPT},
        {target_over_border, stat_through_link, MEMFS_ECORRUPT},
        {no_such_kind, stat_a, MEMFS_ECORRUPT},
        {no_such_node, stat_a, MEMFS_ECORRUPT},
        {no_such_entries, stat_none, MEMFS_ECORRUPT},
        {removed_dir, stat_up, -ENOENT},
        {root_in_itself, stat_e, MEMFS_ECORRUPT},
        {no_such_attributes, get_xattr, MEMFS_ECORRUPT},
        {attribute_without_name, get_xattr, MEMFS_ECORRUPT},
        {attribute_too_large, get_xattr, MEMFS_ECORRUPT},
        {empty_extent, read_file, MEMFS_ECORRUPT},
    };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        build();
        lies[i].lie();
        memfs *fs = begin(*state, &store.base);
        const int64_t got = lies[i].ask(fs);
        if (got != lies[i].want)
            print_error("lie %zu\n", i);
        assert_result(got, lies[i].want);
        memfs_destroy(fs);
        tear_down();
    }
}

/* Numbers of links that are too small stop nobody, and do not wrap. */
static void test_backing__too_few_links(void **state)
{
    struct memfs_stat stat;
    build();
    node_at(A)->nlink = 0;
    node_at(ROOT)->nlink = 2;
    memfs *fs = begin(*state, &store.base);
    assert_ok(memfs_unlink(fs, NULL, "d/a"));
    assert_result(stat_path(fs, "d/a"), -ENOENT);
    assert_ok(memfs_rmdir(fs, NULL, "e"));
    assert_ok(memfs_stat(fs, NULL, "/", &stat));
    assert_int_equal(stat.nlink, 2);
    memfs_destroy(fs);
    tear_down();
}

/* Of more extents than stat looks at, the first does not lie before the last. */
static void test_backing__extents_the_wrong_way_round(void **state)
{
    struct memfs_stat stat;
    build();
    extent_at(1024)->offset = 650 * (uint64_t)PAGE;
    memfs *fs = begin(*state, &store.base);
    assert_ok(memfs_node_stat(fs, P, &stat));
    assert_int_equal(stat.allocated, 0);
    assert_result(memfs_node_punch(fs, P, 300 * (uint64_t)PAGE, PAGE), MEMFS_ECORRUPT);
    memfs_destroy(fs);
    tear_down();
}

/* Contents whose extents are in no order are read nowhere: where a search among them is begun would decide what is
 * read. */
static void test_backing__extents_in_no_order(void **state)
{
    static const unsigned among[] = {1025, 1026, 1300, 1535, 1536, 1537, 1623};
    for (size_t i = 0; i < sizeof among / sizeof *among; i++) {
        struct memfs_stat stat;
        struct memfs_view view;
        char byte = 0;
        build();
        extent_at(among[i])->offset = 0;
        memfs *fs = begin(*state, &store.base);
        assert_ok(memfs_node_stat(fs, P, &stat));
        for (uint64_t at = 0; at < stat.size; at += stat.size / 7)
            assert_result(memfs_node_read(fs, P, at, &byte, 1), MEMFS_ECORRUPT);
        assert_result(memfs_node_view(fs, P, 5, 1, &view), MEMFS_ECORRUPT);
        assert_result(memfs_node_seek(fs, P, 5, MEMFS_SEEK_DATA), MEMFS_ECORRUPT);
        assert_result(memfs_node_write(fs, P, 5, "x", 1), MEMFS_ECORRUPT);
        assert_result(memfs_node_punch(fs, P, 300 * (uint64_t)PAGE, PAGE), MEMFS_ECORRUPT);
        memfs_destroy(fs);
        tear_down();
    }
}

/* Extents 510 to 1023 ascend, a page each. */
static void put_a_chunk_of_extents(void)
{
    for (uint32_t i = 510; i < 1024; i++)
        *extent_at(i) = (struct memfs_extent){.offset = (i - 510) * (uint64_t)PAGE, .length = 4096};
}

/* Extents of one file are those of a larger one, too: whether they lie in the file does not depend on which of both
 * has been read before. */
static void test_backing__extents_of_a_larger_file(void **state)
{
    static const uint32_t firsts[][2] = {{510, 510}, {511, 510}}; /* remembered of the file; of the chunk */
    for (size_t i = 0; i < 4; i++) {
        char byte = 0;
        build();
        put_a_chunk_of_extents();
        put_file(A, firsts[i / 2][0], 1024 - firsts[i / 2][0], 514 * (uint64_t)PAGE);
        put_file(B, firsts[i / 2][1], 514, 513 * (uint64_t)PAGE + 4095);
        memfs *fs = begin(*state, &store.base);
        if (i % 2)
            assert_result(memfs_node_read(fs, A, PAGE, &byte, 1), 1);
        assert_result(memfs_node_read(fs, B, PAGE, &byte, 1), MEMFS_ECORRUPT);
        assert_result(memfs_node_seek(fs, B, 0, MEMFS_SEEK_HOLE), MEMFS_ECORRUPT);
        memfs_destroy(fs);
        tear_down();
    }
}

/* A file that ends within a chunk of extents says nothing of those behind its last. */
static void test_backing__extents_behind_a_file(void **state)
{
    char byte = 0;
    build();
    put_a_chunk_of_extents();
    extent_at(700)->offset = 0;
    put_file(A, 511, 100, 514 * (uint64_t)PAGE);
    put_file(B, 510, 514, 514 * (uint64_t)PAGE);
    memfs *fs = begin(*state, &store.base);
    assert_result(memfs_node_read(fs, A, PAGE, &byte, 1), 1);
    assert_result(memfs_node_read(fs, B, 400 * (uint64_t)PAGE, &byte, 1), MEMFS_ECORRUPT);
    memfs_destroy(fs);
    tear_down();
}

/* Nothing that has been loaded can be found: an operation does not try for ever. */
static void test_backing__chunks_that_never_stay(void **state)
{
    build();
    store.cold = (1u << MEMFS_BACKED) - 1;
    store.is_forgetful = 1;
    memfs *fs = begin(*state, &store.base);
    assert_result(stat_path(fs, "d"), MEMFS_ELIMIT);
    store.is_forgetful = 0;
    assert_ok(stat_path(fs, "d"));
    memfs_destroy(fs);
    tear_down();
}

/* As many links as can be counted are enough. */
static void test_backing__too_many_links(void **state)
{
    build();
    node_at(D)->nlink = node_at(F)->nlink = UINT32_MAX;
    memfs *fs = begin(*state, &store.base);
    assert_result(memfs_mkdir(fs, NULL, "d/new", 0755), -EMLINK);
    assert_result(memfs_link(fs, NULL, "f", "new"), -EMLINK);
    assert_result(memfs_rename(fs, NULL, "e", "d/e", 0), -EMLINK);
    assert_result(memfs_rename(fs, NULL, "d/a", "e", MEMFS_RENAME_EXCHANGE), -EMLINK);
    assert_int_equal(changes_of(fs), 0);
    assert_ok(memfs_rename(fs, NULL, "e", "d/s", MEMFS_RENAME_EXCHANGE)); /* one goes, one comes */
    memfs_destroy(fs);
    tear_down();
}

/* Tables whose numbers are all taken. */
static void test_backing__no_numbers_left(void **state)
{
    build();
    store.base.count[MEMFS_NODES] = UINT32_MAX;
    memfs *fs = begin(*state, &store.base);
    assert_result(memfs_mkdir(fs, NULL, "d/new", 0755), MEMFS_ELIMIT);
    assert_ok(memfs_link(fs, NULL, "f", "d/new"));
    memfs_destroy(fs);
    tear_down();
    build();
    store.base.count[MEMFS_BLOBS] = (uint64_t)1 << 40;
    fs = begin(*state, &store.base);
    assert_result(memfs_symlink(fs, NULL, "target", "d/new"), MEMFS_ELIMIT);
    assert_result(memfs_setxattr(fs, NULL, "f", 1, "user.a", "b", 1, 0), MEMFS_ELIMIT);
    assert_int_equal(changes_of(fs), 0);
    assert_ok(memfs_mkdir(fs, NULL, "d/new", 0755));
    memfs_destroy(fs);
    tear_down();
}

/* ---- What only some have --------------------------------------------------------------------------------- */

/* A digest is told of files that are as the backing has them, where it has one. */
static void test_backing__digests(void **state)
{
    struct test_state *test = *state;
    memfs_node made = 0;
    uint64_t digest = 0;
    build();
    memfs *fs = begin(test, &store.base);
    assert_ok(memfs_node_digest(fs, F, &digest));
    assert_int_equal(digest, 77);
    assert_result(memfs_node_digest(fs, P, &digest), -ENODATA); /* none is known */
    assert_result(memfs_node_digest(fs, X, &digest), -ENODATA); /* the table is shorter */
    assert_result(memfs_node_digest(fs, D, &digest), -ENODATA);
    assert_ok(memfs_node_create(fs, NULL, MEMFS_ROOT, "new", 0644, &made));
    assert_result(memfs_node_digest(fs, made, &digest), -ENODATA);
    memfs_node_forget(fs, made, 1);
    memfs_destroy(fs);
    assert_ok(memfs_node_create(test->fs, NULL, MEMFS_ROOT, "new", 0644, &made));
    assert_result(memfs_node_digest(test->fs, made, &digest), -ENODATA);
    memfs_node_forget(test->fs, made, 1);
    assert_int_equal(digest, 77);
    tear_down();
}

/* Zeros within an extent are a hole where the backing knows of them; data begins with the 4,096 bytes it is in. */
static void test_backing__holes_within_extents(void **state)
{
    build();
    store.data_from = PAGE + 5000;
    memfs *fs = begin(*state, &store.base);
    assert_result(memfs_node_seek(fs, F, 0, MEMFS_SEEK_DATA), PAGE + 4096);
    assert_result(memfs_node_seek(fs, F, 0, MEMFS_SEEK_HOLE), 0);
    assert_result(memfs_node_seek(fs, F, PAGE + 4096, MEMFS_SEEK_HOLE), 4 * PAGE);
    assert_result(memfs_node_seek(fs, F, PAGE + 4100, MEMFS_SEEK_DATA), PAGE + 4100);
    memfs_destroy(fs);
    store.base.ops = &ops_without_seek;
    fs = begin(*state, &store.base);
    assert_result(memfs_node_seek(fs, F, 0, MEMFS_SEEK_DATA), 0);
    assert_result(memfs_node_seek(fs, F, 0, MEMFS_SEEK_HOLE), 4 * PAGE);
    memfs_destroy(fs);
    tear_down();
}

/* A sealed filesystem knows no more of holes than what it stands on. */
static void test_backing__sealed_on_one_that_knows_no_holes(void **state)
{
    memfs_backing *sealed = NULL;
    build();
    store.base.ops = &ops_without_seek;
    memfs *fs = begin(*state, &store.base);
    assert_ok(memfs_mkdir(fs, NULL, "new", 0755));
    assert_ok(memfs_seal(fs, &sealed));
    fs = begin(*state, sealed);
    assert_result(memfs_node_seek(fs, F, 5, MEMFS_SEEK_DATA), 5);
    assert_result(memfs_node_seek(fs, F, 5, MEMFS_SEEK_HOLE), 4 * PAGE);
    memfs_destroy(fs);
    memfs_backing_release(sealed);
    tear_down();
}

/* A sealed filesystem that stands on nothing has all that it has. */
static void test_backing__sealed_on_nothing(void **state)
{
    struct test_state *test = *state;
    struct memfs_pin pin = {.object = NULL};
    memfs_backing *sealed = NULL;
    const void *data = NULL;
    size_t got = 0;
    char byte = 1;
    test_put_text(test->fs, "file", "text");
    assert_ok(memfs_seal(test->fs, &sealed));
    test->fs = NULL;
    assert_non_null(sealed->ops->peek(sealed, MEMFS_NODES, 0));
    assert_null(sealed->ops->peek(sealed, MEMFS_NODES, 1));
    assert_result(sealed->ops->load(sealed, MEMFS_NODES, 1, &pin), MEMFS_ECORRUPT);
    assert_result(sealed->ops->read(sealed, 0, 0, &byte, 1), MEMFS_ECORRUPT);
    assert_result(sealed->ops->view(sealed, 0, 0, 1, &data, &got, &pin), MEMFS_ECORRUPT);
    assert_result(sealed->ops->seek_data(sealed, 0, 7, 10), 7);
    assert_int_equal(byte, 1);
    memfs_backing_release(sealed);
}

/* ---- In the middle of something ----------------------------------------------------------------------------- */

/* More chunks than one operation holds: all entries are listed, in one call. */
static void test_backing__a_directory_of_many_chunks(void **state)
{
    static struct memfs_dirent entries[WIDE + 1];
    build();
    store.cold = 1u << MEMFS_NODES;
    memfs *fs = begin(*state, &store.base);
    assert_result(memfs_node_readdir(fs, NULL, W, 0, entries, WIDE + 1, 1), WIDE);
    for (unsigned i = 0; i < WIDE; i++)
        assert_int_equal(entries[i].stat.node, i + 1 < WIDE ? 512 * (i + 3) + 1 : FAR);
    assert_true(store.calls >= WIDE);
    for (unsigned count = 1; count < WIDE; count++) {
        assert_result(memfs_node_readdir(fs, NULL, W, 0, entries, count, 0), count);
        assert_int_equal(entries[count - 1].cursor, count);
    }
    memfs_destroy(fs);
    tear_down();
}

/* The attributes that are told after a change of size, though what is allocated cannot be asked. */
static void test_backing__size_is_set_and_not_read_again(void **state)
{
    const struct memfs_setattr set = {.set = MEMFS_SET_SIZE | MEMFS_SET_MODE, .size = 3 * PAGE, .mode = 0600};
    struct memfs_stat stat;
    build();
    store.cold = 1u << MEMFS_EXTENTS;
    memfs *fs = begin(*state, &store.base);
    assert_ok(memfs_node_setattr(fs, NULL, F, &set, &stat));
    const uint64_t calls = store.calls;
    assert_int_equal(stat.allocated, 3 * PAGE);
    memfs_destroy(fs);
    fs = begin(*state, &store.base);
    let_fail(*state, -EIO, calls, 0);
    assert_ok(memfs_node_setattr(fs, NULL, F, &set, &stat));
    assert_int_equal(heal(*state), 1);
    assert_int_equal(stat.size, 3 * PAGE);
    assert_int_equal(stat.mode, MEMFS_IFREG | 0600);
    assert_ok(memfs_node_stat(fs, F, &stat));
    assert_int_equal(stat.size, 3 * PAGE);
    memfs_destroy(fs);
    tear_down();
}

static void make_another(memfs *fs)
{
    assert_ok(memfs_mkdir(fs, NULL, "e/other", 0755));
}

static void make_the_same(memfs *fs)
{
    assert_ok(memfs_mknod(fs, NULL, "d/new", MEMFS_IFREG | 0600, 0, 0));
}

static void lengthen_path(memfs *fs)
{
    assert_ok(memfs_rename(fs, NULL, "d", "a name that is much longer than it was before", 0));
}

static void remove_start(memfs *fs)
{
    assert_ok(memfs_rmdir(fs, NULL, "d/s"));
}

/* What is gone before the walk has come to it is passed over, or was not found. */
static int64_t walk_what_goes(memfs *fs)
{
    const int64_t count = walk_dir(fs);
    return count == -ENOENT ? 0 : count;
}

static int64_t open_or_make(memfs *fs)
{
    memfs_file *file = NULL;
    int error = memfs_open(fs, NULL, "d/new", MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &file);
    memfs_close(file);
    return error;
}

/* Somebody changes the filesystem during each of the loads in turn. The results are those of before or after. */
static void change_during(struct test_state *test, ask_fn *ask, void (*change)(memfs *fs), int64_t one, int64_t other)
{
    int is_reached = 1;
    for (uint64_t nth = 1; is_reached; nth++) {
        build();
        store.cold = (1u << MEMFS_BACKED) - 1;
        memfs *fs = begin(test, &store.base);
        store.before = change;
        store.before_at = nth;
        const int64_t got = ask(fs);
        is_reached = store.calls >= nth;
        assert_either(got, one, other);
        store.before = NULL;
        memfs_destroy(fs);
        tear_down();
    }
}

static void test_backing__changes_during_loads(void **state)
{
    change_during(*state, open_or_make, make_another, 0, 0);
    change_during(*state, open_or_make, make_the_same, 0, 0);
    change_during(*state, rename_dir, make_another, 0, 0);
    change_during(*state, ask_path, lengthen_path, 4, -ERANGE);
    change_during(*state, walk_dir, lengthen_path, 1, -ENOENT);
    change_during(*state, walk_what_goes, remove_start, 1, 0);
}

/* A copy that cannot begin has copied nothing. */
static void test_backing__copy_without_memory(void **state)
{
    struct memfs_stat stat;
    build();
    memfs *fs = begin(*state, &store.base);
    let_fail(*state, -ENOMEM, 1, 0);
    assert_result(copy_file(fs), -ENOMEM);
    assert_int_equal(heal(*state), 1);
    assert_ok(memfs_node_stat(fs, B, &stat));
    assert_int_equal(stat.size, 0);
    assert_result(copy_file(fs), 3 * PAGE);
    memfs_destroy(fs);
    tear_down();
}

/* A hole is copied by two changes; if the second fails, the first can be seen by nobody. */
static void test_backing__copy_of_a_hole(void **state)
{
    struct memfs_stat stat;
    unsigned failed = 0;
    int64_t got = -EIO;
    for (uint64_t nth = 1; got == -EIO; nth++) {
        build();
        store.cold = (1u << MEMFS_BACKED) - 1;
        memfs *fs = begin(*state, &store.base);
        let_fail(*state, -EIO, nth, 0);
        got = memfs_node_copy(fs, P, 4096, X, 0, 8192);
        heal(*state);
        assert_ok(memfs_node_stat(fs, X, &stat));
        assert_int_equal(stat.size, got == 8192 ? 8192 : 0);
        assert_int_equal(stat.allocated, 0);
        failed += got == -EIO;
        memfs_destroy(fs);
        tear_down();
    }
    assert_result(got, 8192);
    assert_true(failed > 3);
}

/* Bytes of the base are loaded for many pages at once; in the middle of that an extent is missing. */
static void test_backing__an_extent_is_missing_in_the_middle(void **state)
{
    static const struct question allocate = {"allocate_pages", allocate_pages, 0};
    uint8_t byte = 0;
    build();
    store.cold = 1u << MEMFS_EXTENTS;
    store.cold_from = 3;
    assert_int_equal(ask_all(*state, &store.base, &allocate, 1, -EIO), 0);
    memfs *fs = begin(*state, &store.base);
    assert_ok(allocate_pages(fs));
    assert_result(memfs_node_read(fs, P, 453 * (uint64_t)PAGE + 7, &byte, 1), 1);
    assert_int_equal(byte, byte_at(452 + 7)); /* of the extent before: page 448 has none */
    memfs_destroy(fs);
    tear_down();
}

#define MANY 1000u

/* Gives x a set of so many attributes that whoever begins anew for each of them is found out. */
static void put_many_xattrs(void)
{
    static const char *const spaces[] = {"security.", "trusted.", "user."}; /* in order */
    for (uint32_t i = 0; i < MANY; i++) {
        char name[24];
        const int length = snprintf(name, sizeof name, "%s%03u", spaces[i / 400], i);
        memcpy(store.blobs[0] + i * 16, name, (size_t)length);
        store.xattrs[i / 512][i % 512] = (struct memfs_xattr){.name = i * 16,
                                                              .value = MEMFS_BLOB_BYTES,
                                                              .value_length = i % 11,
                                                              .name_length = (uint8_t)length,
                                                              .last = i + 1 == MANY};
    }
    store.base.count[MEMFS_XATTRS] = MANY;
    node_at(X)->xattrs = 1;
}

static int count_problem(void *context, const struct memfs_problem *problem)
{
    (void)problem;
    ++*(uint64_t *)context;
    return 0;
}

/* Each is looked at a few times, no matter how many come before it, by who reads them all. */
static void test_backing__attributes_are_read_in_one_walk(void **state)
{
    struct test_buffer image = {0};
    struct memfs_sink sink = test_buffer_sink(&image);
    char path[] = "/tmp/memfs-backing-XXXXXX", command[64];
    uint64_t problems = 0;
    build();
    put_many_xattrs();
    memfs *fs = begin(*state, &store.base);
    store.looks = 0;
    assert_ok(memfs_freeze(fs, &sink, NULL, NULL));
    assert_in_range(store.looks, MANY, 4 * MANY);
    assert_non_null(mkdtemp(path));
    struct memfs_export_options options = {
        .size = sizeof options, .privileged_xattrs = 1, .problem = count_problem, .problem_context = &problems};
    store.looks = 0;
    assert_ok(memfs_host_export(fs, path, &options, NULL));
    assert_in_range(store.looks, MANY, 4 * MANY);
    snprintf(command, sizeof command, "rm -r %s", path);
    assert_int_equal(system(command), 0); // NOLINT(cert-env33-c)
    memfs_destroy(fs);
    test_buffer_free(&image);
    tear_down();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_fs(test_backing__any_load_fails),
        test_with_fs(test_backing__any_allocation_fails),
        test_with_fs(test_backing__lies_are_damage),
        test_with_fs(test_backing__too_few_links),
        test_with_fs(test_backing__extents_the_wrong_way_round),
        test_with_fs(test_backing__extents_in_no_order),
        test_with_fs(test_backing__extents_of_a_larger_file),
        test_with_fs(test_backing__extents_behind_a_file),
        test_with_fs(test_backing__chunks_that_never_stay),
        test_with_fs(test_backing__too_many_links),
        test_with_fs(test_backing__no_numbers_left),
        test_with_fs(test_backing__copy_of_a_hole),
        test_with_fs(test_backing__an_extent_is_missing_in_the_middle),
        test_with_fs(test_backing__digests),
        test_with_fs(test_backing__holes_within_extents),
        test_with_fs(test_backing__sealed_on_one_that_knows_no_holes),
        test_with_fs(test_backing__sealed_on_nothing),
        test_with_fs(test_backing__a_directory_of_many_chunks),
        test_with_fs(test_backing__size_is_set_and_not_read_again),
        test_with_fs(test_backing__changes_during_loads),
        test_with_fs(test_backing__copy_without_memory),
        test_with_fs(test_backing__attributes_are_read_in_one_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
