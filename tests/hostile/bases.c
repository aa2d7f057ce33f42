#include "bases.h"

#include "digest.h"

enum { FILES = 40, FILE_BYTES = 100, BLOCK_BYTES = 65536 };

/* ---- What is in them ------------------------------------------------------- */

static void make_empty(memfs *fs)
{
    (void)fs;
}

static void make_one(memfs *fs)
{
    test_put(fs, "hello", "hello, world\n", 13);
}

static void make_names(memfs *fs)
{
    char name[40];
    for (int i = 0; i < 600; i++) {
        snprintf(name, sizeof name, "d%d", i % 7);
        if (i < 7)
            assert_ok(memfs_mkdir(fs, NULL, name, 0755));
        snprintf(name, sizeof name, "d%d/name-%03d", i % 7, i);
        test_put(fs, name, "", 0);
    }
}

static void make_blocks(memfs *fs)
{
    char name[8];
    static uint8_t bytes[BLOCK_BYTES];
    for (int i = 0; i < FILES; i++) {
        memset(bytes, i + 1, sizeof bytes);
        snprintf(name, sizeof name, "f%02d", i);
        test_put(fs, name, bytes, sizeof bytes);
    }
}

/* A block for each file, but of a few bytes. */
static void shrink_blocks(struct surgery *s)
{
    assert_int_equal(s->blocks_count, FILES);
    assert_int_equal(s->extents_count, FILES);
    for (size_t i = 0; i < FILES; i++) {
        s->blocks[i].length = s->extents[i].length = s->nodes[2 + i].size = FILE_BYTES;
        s->digests[2 + i] = memfs_digest_of(s->blocks[i].raw, FILE_BYTES);
    }
    s->root.content_bytes = s->root.data_bytes = FILES * FILE_BYTES;
}

static void make_attributes(memfs *fs)
{
    static const uint8_t acl[] = {2,    0, 0, 0,                       /* version */
                                  1,    0, 6, 0, 255,  255, 255, 255,  /* the owner */
                                  2,    0, 4, 0, 0xe8, 3,   0,   0,    /* user 1000 */
                                  4,    0, 4, 0, 255,  255, 255, 255,  /* the group */
                                  0x10, 0, 4, 0, 255,  255, 255, 255,  /* the mask */
                                  0x20, 0, 4, 0, 255,  255, 255, 255}; /* others */
    for (int i = 0; i < 10; i++) {
        char name[8];
        snprintf(name, sizeof name, "f%d", i);
        test_put_text(fs, name, name);
        assert_ok(memfs_setxattr(fs, NULL, name, 1, "user.shared", "the same", 8, 0));
        assert_ok(memfs_setxattr(fs, NULL, name, 1, "user.empty", "", 0, 0));
        if (i % 3 == 0)
            assert_ok(memfs_setxattr(fs, NULL, name, 1, "user.third", name, 2, 0));
    }
    assert_ok(memfs_setxattr(fs, NULL, "f5", 1, "system.posix_acl_access", acl, sizeof acl, 0));
    assert_ok(memfs_setxattr(fs, NULL, "/", 1, "trusted.root", "1", 1, 0));
}

static void make_sparse(memfs *fs)
{
    test_put_text(fs, "sparse", "begin");
    assert_result(memfs_node_write(fs, test_node(fs, "sparse"), 100000, "middle", 6), 6);
    assert_result(memfs_node_write(fs, test_node(fs, "sparse"), 5u << 20, "far", 3), 3);
    test_put_text(fs, "zeros", "");
    assert_ok(memfs_truncate(fs, NULL, "zeros", 1u << 20));
}

static void follow_generations(struct surgery *s)
{
    s->generations_more = 2;
}

static const struct {
    const char *name;
    void (*make)(memfs *fs);
    void (*change)(struct surgery *s); /* may be NULL */
    const char *message;
} bases_of[BASES] = {{"everything", test_build_everything, NULL, NULL},
                     {"empty", make_empty, NULL, NULL},
                     {"one", make_one, NULL, "a message"},
                     {"names", make_names, NULL, NULL},
                     {"blocks", make_blocks, shrink_blocks, NULL},
                     {"attributes", make_attributes, NULL, NULL},
                     {"sparse", make_sparse, NULL, NULL},
                     {"generations", make_one, follow_generations, "a message"}};

/* ---- Making them --------------------------------------------------------------- */

unsigned base_number(enum base base)
{
    unsigned number = 0;
    while ((unsigned)base >> number > 1)
        number++;
    assert_true(number < BASES);
    return number;
}

/* Frozen, taken apart, and its checksums noted. */
static void make_base(unsigned number, struct surgery *opened)
{
    memfs *fs = NULL;
    struct test_buffer frozen = {0};
    struct memfs_sink sink = test_buffer_sink(&frozen);
    const struct memfs_freeze_options options = {.size = sizeof options,
                                                 .block_size = BLOCK_BYTES,
                                                 .share = MEMFS_SHARE_FILES,
                                                 .message = bases_of[number].message,
                                                 .has_time = bases_of[number].message != NULL,
                                                 .time = 1000000007};
    assert_ok(memfs_create(NULL, &fs));
    bases_of[number].make(fs);
    assert_ok(memfs_freeze(fs, &sink, &options, NULL));
    memfs_destroy(fs);
    surgery_open(opened, &frozen);
    test_buffer_free(&frozen);
    if (bases_of[number].change)
        bases_of[number].change(opened);
    surgery_note_sums(opened);
}

void bases_make(struct bases *bases)
{
    for (unsigned i = 0; i < BASES; i++)
        make_base(i, &bases->opened[i]);
}

void bases_free(struct bases *bases)
{
    for (size_t i = 0; i < BASES; i++)
        surgery_free(&bases->opened[i]);
}

const char *base_name(enum base base)
{
    return bases_of[base_number(base)].name;
}

void base_open(const struct bases *bases, enum base base, struct surgery *s)
{
    surgery_copy(s, &bases->opened[base_number(base)]);
}
