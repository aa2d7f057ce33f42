/*
 * Exhaustive damage: small images of different make, damaged in every way that is
 * listed here. Verifying must notice each, quick or not; and so must reading
 * everything, but for bytes that nothing in the tree stands on: those that only an
 * earlier generation has, and digests where there are no files. What is read is then
 * what the sound image says. With MEMFS_FAST a share of the cases, the same each time.
 *
 * The images are those of tests/golden/, from the current directory.
 */
#include "image.h"
#include "look.h"
#include "testlib.h"

#define BYTES_MOST 8192u
#define APPENDED_MOST 4096u
#define SECTOR 512u
#define THINGS_MOST 64u

/* A stretch of an image. */
struct thing {
    size_t at, length;
};

struct subject {
    const char *name;
    uint8_t bytes[BYTES_MOST];
    size_t length;
    uint64_t files;
    uint64_t seen;            /* what look_at_bytes() says of it */
    uint8_t read[BYTES_MOST]; /* 1: reading everything comes to this byte */
    struct thing things[THINGS_MOST];
    size_t things_count; /* header, blocks, root and trailer, and after them sectors */
    size_t ends[4];      /* of earlier generations, where they are images themselves */
    size_t ends_count;
};

/* Eight of different make; and a ninth with two generations before its own. */
static struct subject subjects[] = {{.name = "empty"}, {.name = "one-file"},     {.name = "small-files"},
                                    {.name = "types"}, {.name = "xattrs"},       {.name = "sparse"},
                                    {.name = "raw"},   {.name = "shared-parts"}, {.name = "generations"}};
#define SUBJECTS (sizeof subjects / sizeof *subjects)

/* What became of the cases of one kind. */
struct tally {
    const char *kind;
    uint64_t cases;   /* all there are */
    uint64_t noticed; /* by verifying and by reading */
    uint64_t unread;  /* noticed by verifying; reading does not come to what was damaged */
    uint64_t earlier; /* cut where an earlier generation ends: that is an image */
    uint64_t same;    /* no damage: the bytes are as they were */
};

/* ---- The sound images ---------------------------------------------------------------- */

static void add_thing(struct subject *s, size_t at, size_t length, int read)
{
    assert_true(s->things_count < THINGS_MOST);
    assert_true(length > 0 && at <= s->length && length <= s->length - at);
    memset(s->read + at, read, length);
    s->things[s->things_count++] = (struct thing){at, length};
}

static int add_block(void *context, const struct memfs_image_block *block)
{
    struct subject *s = context;
    const int read = s->files > 0 || strcmp(block->table, "digests") != 0;
    add_thing(s, (size_t)block->offset, block->stored, read);
    return 0;
}

static void read_file(struct subject *s)
{
    char path[64];
    snprintf(path, sizeof path, "tests/golden/%s.mfs", s->name);
    FILE *file = fopen(path, "rb");
    if (!file)
        print_error("%s: %s\n", path, strerror(errno));
    assert_non_null(file);
    s->length = fread(s->bytes, 1, BYTES_MOST, file);
    assert_int_equal(fgetc(file), EOF);
    fclose(file);
}

static void find_things(struct subject *s)
{
    memfs_image *image = NULL;
    assert_ok(memfs_image_open_buffer(s->bytes, s->length, NULL, &image, NULL));
    s->files = image->root.types[0];
    add_thing(s, 0, MEMFS_HEADER_BYTES, 1);
    assert_ok(memfs_image_blocks(image, add_block, s, NULL));
    add_thing(s, (size_t)image->trailer.root_offset, image->trailer.root_length, 1);
    add_thing(s, (size_t)image->trailer.offset, MEMFS_TRAILER_BYTES, 1);
    for (uint32_t i = 0; i < image->root.generations; i++)
        s->ends[s->ends_count++] = (size_t)image->root.generation[i].trailer + MEMFS_TRAILER_BYTES;
    for (size_t at = 0; at < s->length; at += SECTOR) {
        assert_true(s->things_count < THINGS_MOST);
        s->things[s->things_count++] = (struct thing){at, s->length - at < SECTOR ? s->length - at : SECTOR};
    }
    memfs_image_close(image);
}

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < SUBJECTS; i++) {
        struct subject *s = &subjects[i];
        read_file(s);
        find_things(s);
        if (look_at_bytes(s->bytes, s->length, &s->seen))
            return -1;
    }
    return 0;
}

/* ---- One case --------------------------------------------------------------------------- */

static int verify(const uint8_t *bytes, size_t length, int quick)
{
    memfs_image *image = NULL;
    const struct memfs_verify_options options = {.size = sizeof options, .quick = quick};
    int error = memfs_image_open_buffer(bytes, length, NULL, &image, NULL);
    if (!error)
        error = memfs_verify(image, &options, NULL);
    memfs_image_close(image);
    return error;
}

/* Nothing that reading comes to was changed. */
static int is_unread(const struct subject *s, const uint8_t *bytes, size_t length)
{
    if (length != s->length)
        return 0;
    for (size_t i = 0; i < length; i++)
        if (s->read[i] && bytes[i] != s->bytes[i])
            return 0;
    return 1;
}

/* bytes are subject s after what `how` says. */
static void judge(struct tally *tally, const struct subject *s, const uint8_t *bytes, size_t length, const char *how)
{
    uint64_t seen = 0;
    tally->cases++;
    if (length == s->length && memcmp(bytes, s->bytes, length) == 0) {
        tally->same++;
        return;
    }
    for (size_t i = 0; i < s->ends_count; i++)
        if (length == s->ends[i] && memcmp(bytes, s->bytes, length) == 0) {
            assert_ok(verify(bytes, length, 0));
            tally->earlier++;
            return;
        }
    const int quick = verify(bytes, length, 1), whole = verify(bytes, length, 0);
    const int read = look_at_bytes(bytes, length, &seen);
    const int unread = !read && seen == s->seen && is_unread(s, bytes, length);
    if (!quick || !whole || (!read && !unread)) {
        print_error("%s: %s: %s: quick verifying gave %d, verifying %d, reading %d\n", s->name, tally->kind, how, quick,
                    whole, read);
        fail();
    }
    if (unread)
        tally->unread++;
    else
        tally->noticed++;
}

static void say(const struct tally *tally)
{
    print_message("tried  %s: %" PRIu64 " tried, %" PRIu64 " noticed by verifying and reading", tally->kind,
                  tally->cases, tally->noticed);
    if (tally->unread)
        print_message(", %" PRIu64 " by verifying alone", tally->unread);
    if (tally->earlier)
        print_message(", %" PRIu64 " are an earlier generation", tally->earlier);
    if (tally->same)
        print_message(", %" PRIu64 " changed nothing", tally->same);
    print_message("\n");
    assert_true(tally->noticed > 0);
    assert_int_equal(tally->noticed + tally->unread + tally->earlier + tally->same, tally->cases);
}

/* ---- Kinds ---------------------------------------------------------------------------------- */

static void test_damage__bits(void **state)
{
    (void)state;
    struct tally tally = {.kind = "bits flipped"};
    uint8_t bytes[BYTES_MOST];
    for (size_t i = 0; i < SUBJECTS; i++) {
        const struct subject *s = &subjects[i];
        memcpy(bytes, s->bytes, s->length);
        for (size_t bit = 0; bit < 8 * s->length; bit += test_step(59)) {
            char how[64];
            snprintf(how, sizeof how, "bit %zu of byte %zu", bit % 8, bit / 8);
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            judge(&tally, s, bytes, s->length, how);
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
    say(&tally);
}

static void test_damage__cut(void **state)
{
    (void)state;
    struct tally tally = {.kind = "cut off"};
    for (size_t i = 0; i < SUBJECTS; i++)
        for (size_t length = 0; length < subjects[i].length; length++) {
            char how[64];
            snprintf(how, sizeof how, "%zu bytes left", length);
            judge(&tally, &subjects[i], subjects[i].bytes, length, how);
        }
    assert_int_equal(tally.earlier, 2);
    say(&tally);
}

static void append(struct tally *tally, const struct subject *s, const uint8_t *appended, const char *what)
{
    static uint8_t bytes[BYTES_MOST + APPENDED_MOST];
    memcpy(bytes, s->bytes, s->length);
    memcpy(bytes + s->length, appended, APPENDED_MOST);
    for (size_t more = 1; more <= APPENDED_MOST; more++) {
        char how[64];
        snprintf(how, sizeof how, "%zu bytes %s", more, what);
        judge(tally, s, bytes, s->length + more, how);
    }
}

static void test_damage__appended(void **state)
{
    (void)state;
    struct tally tally = {.kind = "appended"};
    uint8_t more[APPENDED_MOST];
    for (size_t i = 0; i < SUBJECTS; i++) {
        struct test_random random = {.state = i};
        memset(more, 0, sizeof more);
        append(&tally, &subjects[i], more, "of zeros");
        memset(more, 0xff, sizeof more);
        append(&tally, &subjects[i], more, "of 0xff");
        test_random_fill(&random, more, sizeof more);
        append(&tally, &subjects[i], more, "at random");
    }
    say(&tally);
}

static void test_damage__filled(void **state)
{
    (void)state;
    struct tally tally = {.kind = "zeroed or set"};
    uint8_t bytes[BYTES_MOST];
    for (size_t i = 0; i < SUBJECTS; i++)
        for (size_t j = 0; j < 2 * subjects[i].things_count; j++) {
            const struct subject *s = &subjects[i];
            const struct thing thing = s->things[j / 2];
            char how[64];
            snprintf(how, sizeof how, "%zu bytes from %zu with %d", thing.length, thing.at, j % 2 ? 0xff : 0);
            memcpy(bytes, s->bytes, s->length);
            memset(bytes + thing.at, j % 2 ? 0xff : 0, thing.length);
            judge(&tally, s, bytes, s->length, how);
        }
    say(&tally);
}

/* ---- Things put elsewhere ---------------------------------------------------------------------- */

/* Bytes of an image, being put together. */
struct patched {
    uint8_t bytes[2 * BYTES_MOST];
    size_t length;
};

static void put(struct patched *patched, const struct subject *from, size_t at, size_t end)
{
    memcpy(patched->bytes + patched->length, from->bytes + at, end - at);
    patched->length += end - at;
}

static void put_thing(struct patched *patched, const struct subject *from, struct thing thing)
{
    put(patched, from, thing.at, thing.at + thing.length);
}

static void describe(char how[128], const char *what, const struct subject *from, struct thing one, struct thing other)
{
    snprintf(how, 128, "%zu bytes from %zu of %s %s %zu bytes from %zu", one.length, one.at, from->name, what,
             other.length, other.at);
}

/* Two things, the first before the other: each stands where the other stood. */
static void swap(struct tally *tally, const struct subject *s, struct thing first, struct thing other)
{
    struct patched patched = {.length = 0};
    char how[128];
    describe(how, "swapped with", s, first, other);
    put(&patched, s, 0, first.at);
    put_thing(&patched, s, other);
    put(&patched, s, first.at + first.length, other.at);
    put_thing(&patched, s, first);
    put(&patched, s, other.at + other.length, s->length);
    judge(tally, s, patched.bytes, patched.length, how);
}

static void test_damage__swapped(void **state)
{
    (void)state;
    struct tally tally = {.kind = "swapped"};
    for (size_t i = 0; i < SUBJECTS; i++)
        for (size_t j = 0; j < subjects[i].things_count; j++)
            for (size_t k = 0; k < subjects[i].things_count; k++) {
                const struct thing first = subjects[i].things[j], other = subjects[i].things[k];
                if (first.at + first.length <= other.at)
                    swap(&tally, &subjects[i], first, other);
            }
    say(&tally);
}

/* A thing of some image stands where another stood, and all behind that moves; or over
 * its bytes, as many as both have. */
static void replace(struct tally *tally, const struct subject *s, struct thing old, const struct subject *from,
                    struct thing new)
{
    struct patched patched = {.length = 0};
    char how[128];
    describe(how, "in place of", from, new, old);
    put(&patched, s, 0, old.at);
    put_thing(&patched, from, new);
    put(&patched, s, old.at + old.length, s->length);
    judge(tally, s, patched.bytes, patched.length, how);
    if (old.length == new.length)
        return;
    describe(how, "over", from, new, old);
    patched.length = 0;
    put(&patched, s, 0, s->length);
    memcpy(patched.bytes + old.at, from->bytes + new.at, old.length < new.length ? old.length : new.length);
    judge(tally, s, patched.bytes, patched.length, how);
}

static void test_damage__duplicated(void **state)
{
    (void)state;
    struct tally tally = {.kind = "duplicated"};
    size_t number = 0;
    for (size_t i = 0; i < SUBJECTS; i++)
        for (size_t j = 0; j < subjects[i].things_count; j++) {
            const struct subject *s = &subjects[i];
            const struct thing thing = s->things[j], nowhere = {thing.at + thing.length, 0};
            struct patched patched = {.length = 0};
            char how[128];
            describe(how, "once more before", s, thing, nowhere);
            put(&patched, s, 0, nowhere.at);
            put_thing(&patched, s, thing);
            put(&patched, s, nowhere.at, s->length);
            judge(&tally, s, patched.bytes, patched.length, how);
            for (size_t k = 0; k < s->things_count; k++)
                if (k != j && number++ % test_step(5) == 0)
                    replace(&tally, s, s->things[k], s, thing);
        }
    say(&tally);
}

static void test_damage__transplanted(void **state)
{
    (void)state;
    struct tally tally = {.kind = "transplanted"};
    size_t number = 0;
    for (size_t i = 0; i < SUBJECTS; i++)
        for (size_t j = 0; j < SUBJECTS; j++)
            for (size_t k = 0; i != j && k < subjects[i].things_count; k++)
                for (size_t l = 0; l < subjects[j].things_count; l++)
                    if (number++ % test_step(13) == 0)
                        replace(&tally, &subjects[i], subjects[i].things[k], &subjects[j], subjects[j].things[l]);
    say(&tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_damage__bits),         cmocka_unit_test(test_damage__cut),
        cmocka_unit_test(test_damage__appended),     cmocka_unit_test(test_damage__filled),
        cmocka_unit_test(test_damage__swapped),      cmocka_unit_test(test_damage__duplicated),
        cmocka_unit_test(test_damage__transplanted),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
