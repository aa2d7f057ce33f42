/*
 * Verifying stops at once, wherever it is: at each turn of each of its loops, since
 * somebody cancels it there; at each read, which fails; at each finding, at which
 * whoever is told has had enough. Nothing is left behind, and nothing goes on.
 */
#include "digest.h"
#include "pool.h"
#include "surgery.h"
#include "verify.h"
#include "verify_window.h"

#define FILES 1100u /* two chunks of every table, and some more */
#define FEW 12u
#define BLOCK 65536u
#define UNUSED 20u /* blocks that no file has: with them there are refs to refs */
#define UNUSED_BYTES 8u

/* ---- Images ----------------------------------------------------------------------------------- */

/* Directories, files of which some are equal, links, attributes. */
static void build(memfs *fs, unsigned files)
{
    static uint8_t bytes[BLOCK];
    char path[64], value[140];
    assert_ok(memfs_mkdir(fs, NULL, "d", 0755));
    assert_ok(memfs_mkdir(fs, NULL, "d/e", 0755));
    for (unsigned i = 0; i < files; i++) {
        snprintf(path, sizeof path, "%s%04u", i % 2 ? "d/e/" : "", i);
        const int length = snprintf((char *)bytes, 32, "content %u", i % (files - 3));
        test_put(fs, path, bytes, i % 5 ? (size_t)length : sizeof bytes / (i % 200 ? 64 : 1));
        snprintf(value, sizeof value, "%0130u", i);
        assert_ok(memfs_setxattr(fs, NULL, path, 0, "user.n", value, strlen(value), 0));
        snprintf(path, sizeof path, "d/link%04u", i);
        if (i % 4 == 0)
            assert_ok(memfs_symlink(fs, NULL, path, path));
    }
    test_put_text(fs, "d/\001\177", "shown otherwise");
}

static void freeze(unsigned files, struct test_buffer *out)
{
    memfs *fs = NULL;
    assert_ok(memfs_create(NULL, &fs));
    build(fs, files);
    struct memfs_sink sink = test_buffer_sink(out);
    const struct memfs_freeze_options options = {.size = sizeof options, .block_size = BLOCK};
    assert_ok(memfs_freeze(fs, &sink, &options, NULL));
    memfs_destroy(fs);
}

/* What is wrong, of what verifying finds and goes on. */
enum wrong { NOTHING, RECORDS, CONTENTS, NAMES, BYTES, OVERLAP };

/* The last block is where the one before it is, which has the same bytes. */
static void move_last(void *context, const struct surgery_place *place, void *what, size_t *length)
{
    const struct surgery *s = context;
    (void)length;
    if (place->part == SURGERY_REF && place->table == MEMFS_DATA && place->level == 0 &&
        place->index == s->blocks_count - 1)
        ((struct memfs_ref *)what)->offset -= UNUSED_BYTES;
}

static int is_file(const struct memfs_node_record *node)
{
    return (node->mode & MEMFS_IFMT) == MEMFS_IFREG;
}

static void spoil_records(struct surgery *s)
{
    s->digests[MEMFS_ROOT]++;
    s->nodes[s->nodes_count - 1].nlink++;
    s->nodes[s->nodes_count - 2].nlink++;
    s->extents = surgery_grow(s->extents, s->extents_count, 1, sizeof *s->extents);
    s->extents[s->extents_count++] = (struct memfs_extent){.length = 1};
    if (s->entries_count <= MEMFS_CHUNK_RECORDS)
        return;
    /* Only where two chunks meet, the order of names is not seen by either alone. */
    assert_false(s->entries[MEMFS_CHUNK_RECORDS].starts_run);
    s->entries[MEMFS_CHUNK_RECORDS].name[0] = '!';
}

static void spoil_contents(struct surgery *s, size_t each)
{
    for (size_t i = 0; i < s->nodes_count; i += each)
        if (is_file(&s->nodes[i]))
            s->digests[i]++;
}

/* The first file has no entry, since its entry names the second; and the last entries of directories belong to none. */
static void spoil_names(struct surgery *s)
{
    uint32_t *first = NULL, *second = NULL;
    for (size_t i = 0; i < s->entries_count && !second; i++) {
        if (!is_file(&s->nodes[s->entries[i].node]))
            continue;
        second = first ? &s->entries[i].node : NULL;
        first = first ? first : &s->entries[i].node;
    }
    assert_true(first && second);
    *first = *second;
    for (size_t i = 0; i < s->nodes_count; i++)
        if ((s->nodes[i].mode & MEMFS_IFMT) == MEMFS_IFDIR)
            s->nodes[i].run.count--;
}

/* Fewer than there are: the work to be done is underestimated. */
static void say_no_bytes(struct memfs_root *root)
{
    root->raw_bytes = root->stored_bytes = 0;
}

static void spoil(struct surgery *s, enum wrong wrong)
{
    switch (wrong) {
    case NOTHING:
        break;
    case RECORDS:
        spoil_records(s);
        break;
    case CONTENTS:
        spoil_contents(s, 3);
        break;
    case NAMES:
        spoil_names(s);
        spoil_contents(s, 1);
        break;
    case BYTES:
        s->gap_before_blocks = s->gap_before_root = 3;
        s->edit_root = say_no_bytes;
        break;
    case OVERLAP:
        s->context = s;
        s->edit_any = move_last;
        break;
    }
}

/* A file gets a run of extents that goes on in the next chunk: each a byte of the first block. */
static void make_long_run(struct surgery *s, uint32_t extents)
{
    struct memfs_digest digest;
    struct memfs_node_record *node = NULL;
    for (size_t i = 0; i < s->nodes_count; i++)
        if (is_file(&s->nodes[i]))
            node = &s->nodes[i];
    assert_non_null(node);
    s->root.content_bytes += 2 * (uint64_t)extents - node->size;
    s->root.data_bytes += extents - s->extents[node->extents.first].length;
    assert_int_equal(node->extents.count, 1);
    assert_int_equal(node->extents.first, s->extents_count - 1);
    s->extents = surgery_grow(s->extents, s->extents_count, extents, sizeof *s->extents);
    memfs_digest_begin(&digest);
    for (uint32_t i = 0; i < extents; i++) {
        s->extents[node->extents.first + i] = (struct memfs_extent){2 * (uint64_t)i, 1, 0, i % 16};
        memfs_digest_add(&digest, s->blocks[0].raw + i % 16, 1);
        memfs_digest_add_gap(&digest, 1);
    }
    s->extents_count += extents - 1;
    node->size = 2 * (uint64_t)extents;
    node->extents.count = extents;
    s->digests[node - s->nodes] = memfs_digest_end(&digest);
}

static void make_image(unsigned files, enum wrong wrong, struct test_buffer *out)
{
    struct surgery s;
    struct test_buffer frozen = {0};
    freeze(files, &frozen);
    surgery_open(&s, &frozen);
    make_long_run(&s, files > FEW ? MEMFS_CHUNK_RECORDS : 3);
    spoil(&s, wrong);
    s.blocks = surgery_grow(s.blocks, s.blocks_count, UNUSED, sizeof *s.blocks);
    for (unsigned i = 0; i < UNUSED; i++)
        s.blocks[s.blocks_count++] = (struct surgery_block){calloc(1, UNUSED_BYTES), UNUSED_BYTES};
    s.generations_more = 2;
    surgery_close(&s, out);
    surgery_free(&s);
    test_buffer_free(&frozen);
}

/* ---- At each turn ----------------------------------------------------------------------------- */

/* The progress is told at every turn, and not once in megabytes of work. */
struct play {
    struct memfs_verifying v;
    uint64_t turns, stop_at;
};

static int tell(void *context, const struct memfs_progress *progress)
{
    struct play *play = context;
    assert_true(progress->bytes <= progress->bytes_total);
    play->v.untold = UINT64_MAX / 2;
    return ++play->turns == play->stop_at;
}

static int go_on(void *context, const struct memfs_detail *finding)
{
    (void)context, (void)finding;
    return 0;
}

static void begin(struct play *play, memfs_image *image)
{
    struct memfs_verifying *v = &play->v;
    const size_t blocks = (size_t)image->root.table[MEMFS_DATA].count;
    v->image = image;
    v->options.progress = tell;
    v->options.progress_context = play;
    v->options.finding = go_on;
    v->untold = UINT64_MAX / 2;
    v->progress.bytes_total = image->source.size + image->root.raw_bytes;
    v->block_raw = calloc(blocks + 1, sizeof *v->block_raw);
    v->block_done = calloc(1, memfs_bits_bytes(blocks));
    assert_true(v->block_raw && v->block_done);
    assert_ok(memfs_pool_create(&image->allocator, 1, &v->pool));
    assert_ok(memfs_verify_window_create(v, &v->window));
}

static void end(struct play *play)
{
    memfs_verify_window_destroy(play->v.window);
    memfs_pool_destroy(play->v.pool);
    free(play->v.block_raw);
    free(play->v.block_done);
}

static int begin_window(struct memfs_verifying *v)
{
    memfs_verify_window_begin(v->window);
    return 0;
}

/* All parts, as memfs_verify() has them. Returns whether one stopped. */
static int run(struct memfs_verifying *v)
{
    static int (*const parts[])(struct memfs_verifying *) = {
        memfs_verify_stored, begin_window,      memfs_verify_chunks,   memfs_verify_tree,
        memfs_verify_xattrs, memfs_verify_heap, memfs_verify_contents, memfs_verify_blocks,
    };
    int stop = parts[0](v);
    if (v->tables_broken)
        return stop || memfs_verify_blocks(v);
    for (size_t i = 1; i < sizeof parts / sizeof *parts && !stop; i++)
        stop = parts[i](v);
    return stop;
}

/* Returns how many turns there are. */
static uint64_t stop_at_each_turn(const struct test_buffer *buffer, int damaged)
{
    struct test_memory memory;
    memfs_image *image = NULL;
    test_memory_init(&memory);
    const struct memfs_image_options options = {.size = sizeof options, .allocator = &memory.hook, .cache_bytes = 1};
    assert_ok(memfs_image_open_buffer(buffer->data, buffer->length, &options, &image, NULL));
    for (uint64_t turn = 1;; turn += test_step(5)) {
        struct play play = {.stop_at = turn};
        begin(&play, image);
        const int stopped = run(&play.v);
        end(&play);
        if (play.turns < turn) {
            assert_int_equal(stopped, 0);
            assert_int_equal(play.v.findings > 0, damaged);
            memfs_image_close(image);
            assert_int_equal(memory.live, 0);
            return play.turns;
        }
        assert_int_equal(stopped, 1);
        assert_int_equal(play.v.failure, -ECANCELED);
        assert_int_equal(play.turns, turn); /* it was the last */
    }
}

static void test_verify_stops__at_each_turn(void **state)
{
    (void)state;
    struct test_buffer image = {0};
    for (enum wrong wrong = NOTHING; wrong <= OVERLAP; wrong++) {
        make_image(FEW, wrong, &image);
        assert_true(stop_at_each_turn(&image, wrong != NOTHING) > 30);
    }
    /* A damaged block, whose files are named as far as they have names. */
    static const enum wrong besides[] = {NOTHING, NAMES};
    for (size_t i = 0; i < 2; i++) {
        make_image(FEW, besides[i], &image);
        image.data[MEMFS_HEADER_BYTES + 3]++;
        assert_true(stop_at_each_turn(&image, 1) > 400);
    }
    test_buffer_free(&image);
}

/* ---- At each read ------------------------------------------------------------------------------ */

struct findings {
    unsigned count, stop_after;
};

static int take_finding(void *context, const struct memfs_detail *finding)
{
    struct findings *findings = context;
    assert_true(finding->error < 0 && finding->text[0]);
    for (const char *text = finding->text; *text; text++)
        assert_true(*text >= ' ' && *text != 127);
    return ++findings->count == findings->stop_after;
}

/* The cache holds next to nothing: each part reads anew what it looks at. A read that nobody waited for may fail
 * without being told of, where something else is wrong. Returns how many failed. */
static uint64_t fail_read(const struct test_buffer *buffer, uint64_t nth, enum wrong wrong)
{
    struct test_memory memory;
    struct test_source source = {0};
    struct findings findings = {0};
    struct memfs_detail detail = {0};
    memfs_image *image = NULL;
    test_memory_init(&memory);
    const struct memfs_source from = test_source_of(&source, buffer);
    const struct memfs_image_options options = {.size = sizeof options, .allocator = &memory.hook, .cache_bytes = 1};
    const struct memfs_verify_options how = {
        .size = sizeof how, .finding = take_finding, .finding_context = &findings, .threads = 1};
    assert_ok(memfs_image_open_source(&from, &options, &image, NULL));
    atomic_store(&source.fail_at, atomic_load(&source.reads) + nth);
    const int error = memfs_verify(image, &how, &detail);
    const uint64_t failures = atomic_load(&source.failures);
    memfs_image_close(image);
    assert_int_equal(memory.live, 0);
    if (failures && error != -EIO && (wrong == NOTHING || error != MEMFS_ECORRUPT))
        fail_msg("read %" PRIu64 " failed, and verifying returned %d: %s", nth, error, detail.text);
    return failures;
}

static void test_verify_stops__at_each_read(void **state)
{
    (void)state;
    struct test_buffer image = {0};
    for (enum wrong wrong = NOTHING; wrong <= CONTENTS; wrong++) {
        uint64_t reads = 0;
        make_image(FILES, wrong, &image);
        while (fail_read(&image, reads + 1, wrong))
            reads += test_step(5);
        assert_true(reads > 40);
    }
    test_buffer_free(&image);
}

/* ---- Without memory ------------------------------------------------------------------------------- */

/* With after, all behind it fail as well: of one alone the cache can make good. */
static uint64_t fail_allocation(const struct test_buffer *buffer, uint64_t nth, int after, int want)
{
    struct test_memory memory;
    struct findings findings = {0};
    struct memfs_detail detail = {0};
    memfs_image *image = NULL;
    test_memory_init(&memory);
    const struct memfs_image_options options = {.size = sizeof options, .allocator = &memory.hook, .cache_bytes = 1};
    const struct memfs_verify_options how = {
        .size = sizeof how, .finding = take_finding, .finding_context = &findings, .threads = 1};
    assert_ok(memfs_image_open_buffer(buffer->data, buffer->length, &options, &image, NULL));
    test_memory_fail(&memory, nth, after);
    const int error = memfs_verify(image, &how, &detail);
    const uint64_t failures = memory.failures;
    test_memory_heal(&memory);
    memfs_image_close(image);
    assert_int_equal(memory.live, 0);
    assert_either(error, failures ? -ENOMEM : want, failures && after ? -ENOMEM : want);
    assert_int_equal(detail.error, error);
    return failures;
}

/* Whatever else is wrong: what is wrong has to be remembered, too. */
static void test_verify_stops__without_memory(void **state)
{
    (void)state;
    struct test_buffer image = {0};
    for (int i = 0; i < 4; i++) {
        const int damaged = i & 1, after = i >> 1;
        uint64_t nth = 1;
        make_image(FEW, CONTENTS, &image);
        image.data[MEMFS_HEADER_BYTES + 3] += (uint8_t)damaged;
        while (fail_allocation(&image, nth, after, damaged ? MEMFS_ECHECKSUM : MEMFS_ECORRUPT))
            nth++;
        assert_true(nth > 30);
    }
    test_buffer_free(&image);
}

/* ---- At each finding ---------------------------------------------------------------------------- */

static void stop_at_each_finding(const struct test_buffer *buffer)
{
    memfs_image *image = NULL;
    unsigned most = 0;
    assert_ok(memfs_image_open_buffer(buffer->data, buffer->length, NULL, &image, NULL));
    for (unsigned stop_after = 1; stop_after <= most + 1; stop_after++) {
        struct findings findings = {.stop_after = stop_after};
        const struct memfs_verify_options how = {
            .size = sizeof how, .finding = take_finding, .finding_context = &findings, .threads = 1};
        assert_true(memfs_verify(image, &how, NULL) < 0);
        assert_true(findings.count <= stop_after);
        most = findings.count;
    }
    assert_true(most > 1);
    memfs_image_close(image);
}

static void test_verify_stops__at_each_finding(void **state)
{
    (void)state;
    struct test_buffer image = {0};
    for (enum wrong wrong = RECORDS; wrong <= OVERLAP; wrong++) {
        make_image(wrong == RECORDS ? FILES : FEW, wrong, &image);
        stop_at_each_finding(&image);
    }
    make_image(FEW, NAMES, &image);
    image.data[MEMFS_HEADER_BYTES + 3]++;
    stop_at_each_finding(&image);
    test_buffer_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verify_stops__at_each_turn),
        cmocka_unit_test(test_verify_stops__at_each_read),
        cmocka_unit_test(test_verify_stops__without_memory),
        cmocka_unit_test(test_verify_stops__at_each_finding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
