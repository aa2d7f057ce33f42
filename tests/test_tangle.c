/*
 * Images that lie: all directories of one claim the entries of one of them, so that there
 * would hardly be an end to them, and a directory of another those of the one above it, which
 * would have no end. MEMFS of the environment is the command, which reads the first.
 */
#include "surgery.h"

#include <sys/wait.h>
#include <unistd.h>

#define DIRECTORIES 40
#define FILES 500

static char lying_image[] = "/tmp/memfs-tangle.XXXXXX";
static char listing[] = "/tmp/memfs-tangle-out.XXXXXX";

/* One directory with files, and empty ones. */
static void build(struct test_buffer *out)
{
    memfs *fs = NULL;
    char path[32];
    assert_ok(memfs_create(NULL, &fs));
    for (int d = 0; d < DIRECTORIES; d++) {
        snprintf(path, sizeof path, "/d%02d", d);
        assert_ok(memfs_mkdir(fs, NULL, path, 0755));
    }
    for (int f = 0; f < FILES; f++) {
        snprintf(path, sizeof path, "/d00/f%03d", f);
        test_put_text(fs, path, "");
    }
    test_freeze(fs, out);
    memfs_destroy(fs);
}

/* The empty ones claim the files, too. */
static void tangle(struct surgery *s)
{
    const struct memfs_node_record *full = NULL;
    for (size_t i = 0; i < s->nodes_count; i++) {
        if (s->nodes[i].mode == (MEMFS_IFDIR | 0755u) && s->nodes[i].run.count == FILES)
            full = &s->nodes[i];
    }
    assert_non_null(full);
    for (size_t i = 0; i < s->nodes_count; i++) {
        if (s->nodes[i].mode == (MEMFS_IFDIR | 0755u) && s->nodes[i].run.count == 0)
            s->nodes[i].run = full->run;
    }
}

static int group_setup(void **state)
{
    (void)state;
    struct surgery s;
    struct test_buffer sound = {0}, lying = {0};
    build(&sound);
    surgery_open(&s, &sound);
    tangle(&s);
    surgery_close(&s, &lying);
    surgery_free(&s);
    const int image = mkstemp(lying_image), out = mkstemp(listing);
    assert_true(image >= 0 && out >= 0);
    assert_true(write(image, lying.data, lying.length) == (ssize_t)lying.length);
    close(image);
    close(out);
    test_buffer_free(&sound);
    test_buffer_free(&lying);
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    unlink(lying_image);
    unlink(listing);
    return 0;
}

/* Its exit code; what it writes goes to the file. */
static int run_command(const char *arguments)
{
    const char *program = getenv("MEMFS");
    char command[1024];
    snprintf(command, sizeof command, "%s %s %s >%s 2>/dev/null", program ? program : "build/memfs", arguments,
             lying_image, listing);
    const int status = system(command);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int count_lines(void)
{
    FILE *file = fopen(listing, "r");
    int lines = 0;
    assert_non_null(file);
    for (int c; (c = getc(file)) != EOF;)
        lines += c == '\n';
    fclose(file);
    return lines;
}

/* Damage, and no more entries than the image has were listed: but for headings. */
static void test_tangle__ends(void **state)
{
    (void)state;
    static const char *const commands[] = {"ls -R", "ls -lR", "ls --json -R", "tree", "tree -s", "tree --json"};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        assert_int_equal(run_command(commands[i]), 3);
        assert_true(count_lines() < 2 * (FILES + DIRECTORIES));
    }
}

static int count_path(void *context, const char *path, const struct memfs_stat *stat)
{
    (void)path;
    (void)stat;
    ++*(unsigned *)context;
    return 0;
}

/* In the library, too, whether anything is visited or not. */
static void test_tangle__in_the_library(void **state)
{
    (void)state;
    memfs *fs = NULL;
    memfs_image *image = NULL;
    struct test_buffer out = {0};
    struct memfs_detail detail = {0};
    unsigned visited = 0;
    assert_ok(memfs_image_open_path(lying_image, NULL, &image, NULL));
    const struct memfs_options options = {.size = sizeof options, .backing = memfs_image_backing(image)};
    assert_ok(memfs_create(&options, &fs));
    assert_result(memfs_walk(fs, NULL, "/", 0, count_path, &visited), MEMFS_ECORRUPT);
    assert_in_range(visited, FILES, FILES + DIRECTORIES + 1);
    assert_result(memfs_glob(fs, NULL, "**/nothing", count_path, &visited), MEMFS_ECORRUPT);
    const struct memfs_sink sink = test_buffer_sink(&out);
    assert_result(memfs_freeze(fs, &sink, NULL, &detail), MEMFS_ECORRUPT);
    assert_non_null(strstr(detail.text, "several directories have the same entries"));
    memfs_destroy(fs);
    memfs_image_close(image);
    test_buffer_free(&out);
}

/* One directory of them is listed as any other. */
static void test_tangle__one_directory(void **state)
{
    (void)state;
    assert_int_equal(run_command("ls -d"), 0);
    assert_int_equal(run_command("ls"), 0);
    assert_int_equal(count_lines(), DIRECTORIES);
    assert_int_equal(run_command("tree -L 1"), 0);
}

/* The way down is the way up, even where a directory has the very entries of the one above it. */
static void test_tangle__no_way_round(void **state)
{
    (void)state;
    struct surgery s;
    struct test_buffer sound = {0}, lying = {0};
    memfs *fs = NULL;
    memfs_image *image = NULL;
    memfs_node node = 0;
    assert_ok(memfs_create(NULL, &fs));
    assert_ok(memfs_mkdir(fs, NULL, "a", 0755));
    assert_ok(memfs_mkdir(fs, NULL, "a/b", 0755));
    test_freeze(fs, &sound);
    memfs_destroy(fs);
    surgery_open(&s, &sound);
    for (size_t i = 0; i < s.nodes_count; i++)
        if (s.nodes[i].mode == (MEMFS_IFDIR | 0755u) && s.nodes[i].run.count == 0)
            s.nodes[i].run = s.nodes[MEMFS_ROOT].run;
    surgery_close(&s, &lying);
    surgery_free(&s);
    assert_ok(memfs_image_open_buffer(lying.data, lying.length, NULL, &image, NULL));
    const struct memfs_options options = {.size = sizeof options, .backing = memfs_image_backing(image)};
    assert_ok(memfs_create(&options, &fs));
    assert_ok(memfs_resolve(fs, NULL, "a/b", 0, &node));
    memfs_node_forget(fs, node, 1);
    assert_result(memfs_resolve(fs, NULL, "a/b/a", 0, &node), MEMFS_ECORRUPT);
    assert_result(memfs_resolve(fs, NULL, "a/b/a/b/a", 0, &node), MEMFS_ECORRUPT);
    memfs_destroy(fs);
    memfs_image_close(image);
    test_buffer_free(&sound);
    test_buffer_free(&lying);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tangle__ends),
        cmocka_unit_test(test_tangle__in_the_library),
        cmocka_unit_test(test_tangle__one_directory),
        cmocka_unit_test(test_tangle__no_way_round),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
