/*
 * Changes in the middle of an operation: whenever the library asks the backing, and so holds no lock, somebody else
 * changes the filesystem that stands on it. The operation then does what it would have done before or after the change,
 * or says what became of it, but never that the image is damaged; and the filesystem can be frozen to a sound image.
 */
#include "memfs_host.h"
#include "testlib.h"

/* A filesystem on an image; whose n-th call of the backing is when somebody comes. */
struct meanwhile {
    struct test_buffer image;
    struct test_fault backing;
    memfs *fs;
    void (*change)(memfs *fs);
    uint64_t calls, at; /* 0: never */
    int is_inside;
};

static void come(void *context)
{
    struct meanwhile *m = context;
    if (m->is_inside || !m->fs || ++m->calls != m->at)
        return;
    m->is_inside = 1;
    m->change(m->fs);
    m->is_inside = 0;
}

/* ---- Changes ------------------------------------------------------------------------------- */

static void remove_deepest(memfs *fs)
{
    assert_ok(memfs_unlink(fs, NULL, "a/b/c/none"));
    assert_ok(memfs_rmdir(fs, NULL, "a/b/c"));
}

static void move_directory(memfs *fs)
{
    assert_ok(memfs_rename(fs, NULL, "a/b", "dev/moved", 0));
}

static void make_it_a_directory(memfs *fs)
{
    assert_ok(memfs_unlink(fs, NULL, "a/small"));
    assert_ok(memfs_mkdir(fs, NULL, "a/small", 0755));
    assert_ok(memfs_unlink(fs, NULL, "sparse"));
    assert_ok(memfs_symlink(fs, NULL, "a", "sparse"));
}

static void exchange_directories(memfs *fs)
{
    assert_ok(memfs_rename(fs, NULL, "a/b", "dev", MEMFS_RENAME_EXCHANGE));
    assert_ok(memfs_rename(fs, NULL, "sparse", "a/small", MEMFS_RENAME_EXCHANGE));
}

static void change_contents(memfs *fs)
{
    test_put_text(fs, "a/b/large", "small");
    test_put_text(fs, "a/small", "changed");
    assert_ok(memfs_truncate(fs, NULL, "sparse", 3));
}

static void change_attributes(memfs *fs)
{
    const struct memfs_setattr set = {.set = MEMFS_SET_MODE | MEMFS_SET_UID, .mode = 0, .uid = 9};
    assert_ok(memfs_setattr(fs, NULL, "a", 0, &set));
    assert_ok(memfs_setattr(fs, NULL, "a/b/large", 0, &set));
    assert_ok(memfs_setxattr(fs, NULL, "a/small", 0, "user.one", "other", 5, 0));
    assert_ok(memfs_setxattr(fs, NULL, "a/small", 0, "user.two", "2", 1, 0));
}

static void remove_files(memfs *fs)
{
    static const char *const paths[] = {"a/b/large", "a/b/twin", "a/b/soft",  "a/small",
                                        "a/b/hard",  "sparse",   "a/dangling"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_ok(memfs_unlink(fs, NULL, paths[i]));
    assert_ok(memfs_rmdir(fs, NULL, "a/empty"));
}

static void add_files(memfs *fs)
{
    char path[32];
    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof path, "a/%s%d", i % 2 ? "b/" : "", i);
        test_put_text(fs, path, "new");
    }
    assert_ok(memfs_link(fs, NULL, "a/b/large", "dev/large"));
    assert_ok(memfs_mkdir(fs, NULL, "a/b/c/deeper", 0755));
}

/* Under a name that open_creating() has not found; nobody has looked where it leads. */
static void name_a_link(memfs *fs)
{
    assert_ok(memfs_rename(fs, NULL, "a/b/soft", "a/made", 0));
}

typedef void change_fn(memfs *fs);
static change_fn *const changes[] = {remove_deepest,       move_directory,  make_it_a_directory,
                                     exchange_directories, change_contents, change_attributes,
                                     remove_files,         add_files,       name_a_link};

#define CHANGES (sizeof changes / sizeof changes[0])

/* ---- Operations ------------------------------------------------------------------------------ */

static const struct memfs_cred somebody = {.uid = 77, .gid = 77};

static int visit(void *context, const char *path, const struct memfs_stat *stat)
{
    (void)context, (void)path, (void)stat;
    return 0;
}

static int64_t walk_sorted(memfs *fs)
{
    return memfs_walk(fs, NULL, "/", MEMFS_WALK_SORTED, visit, NULL);
}

static int64_t walk_as_somebody(memfs *fs)
{
    return memfs_walk(fs, &somebody, "a", 0, visit, NULL);
}

static int64_t glob_below(memfs *fs)
{
    return memfs_glob(fs, NULL, "**/[hns]*", visit, NULL);
}

static int64_t glob_literally(memfs *fs)
{
    return memfs_glob(fs, &somebody, "a/b/c/*", visit, NULL);
}

static int64_t stat_through_link(memfs *fs)
{
    struct memfs_stat stat;
    return memfs_stat(fs, NULL, "a/b/c/../soft", &stat);
}

static int64_t stat_as_somebody(memfs *fs)
{
    struct memfs_stat stat;
    return memfs_lstat(fs, &somebody, "a/b/c/none", &stat);
}

/* On handles that were taken before: see begin(). */
static memfs_node deep, file, directory;

static int64_t path_of_deep(memfs *fs)
{
    char path[100];
    return memfs_node_path(fs, deep, path, sizeof path);
}

static int64_t parent_of_deep(memfs *fs)
{
    memfs_node parent;
    const int error = memfs_node_parent(fs, deep, &parent);
    if (!error)
        memfs_node_forget(fs, parent, 1);
    return error;
}

static int64_t list_directory(memfs *fs)
{
    struct memfs_dirent entries[4];
    uint64_t cursor = 0;
    int64_t got;
    while ((got = memfs_node_readdir(fs, NULL, directory, cursor, entries, 4, 1)) > 0)
        cursor = entries[got - 1].cursor;
    return got;
}

static int64_t read_file(memfs *fs)
{
    static char bytes[80000];
    return memfs_node_read(fs, file, 100, bytes, sizeof bytes);
}

static int64_t view_file(memfs *fs)
{
    struct memfs_view view;
    const int error = memfs_node_view(fs, file, 100, 5000, &view);
    if (!error)
        memfs_view_release(fs, &view);
    return error;
}

static int64_t write_file(memfs *fs)
{
    return memfs_node_write(fs, file, 60001, "written", 7);
}

static int64_t copy_file(memfs *fs)
{
    return memfs_node_copy(fs, file, 0, file, 100000, 60000);
}

static int64_t truncate_file(memfs *fs)
{
    return memfs_truncate(fs, NULL, "a/b/large", 5001);
}

static int64_t rename_directory(memfs *fs)
{
    return memfs_rename(fs, NULL, "a/b/c", "dev/c", 0);
}

static int64_t rename_below_itself(memfs *fs)
{
    return memfs_rename(fs, NULL, "dev", "a/b/c/dev", 0);
}

static int64_t rename_over(memfs *fs)
{
    return memfs_rename(fs, NULL, "a/b/twin", "a/small", 0);
}

static int64_t link_file(memfs *fs)
{
    return memfs_link(fs, NULL, "a/b/large", "a/b/c/linked");
}

static int64_t remove_directory(memfs *fs)
{
    return memfs_rmdir(fs, NULL, "a/empty");
}

/* The directory has attributes, which may have to be loaded when the name has been looked for. */
static int64_t open_creating(memfs *fs)
{
    memfs_file *made = NULL;
    const int error = memfs_open(fs, NULL, "a/made", MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &made);
    memfs_close(made);
    return error;
}

static int64_t make_directory(memfs *fs)
{
    return memfs_mkdir(fs, &somebody, "a/b/c/new", 0755);
}

static int64_t set_attributes(memfs *fs)
{
    const struct memfs_setattr set = {.set = MEMFS_SET_MODE | MEMFS_SET_SIZE, .mode = 0600, .size = 2};
    struct memfs_stat stat;
    return memfs_node_setattr(fs, &somebody, file, &set, &stat);
}

static int64_t set_xattr(memfs *fs)
{
    return memfs_setxattr(fs, NULL, "a/small", 0, "user.two", "two", 3, 0);
}

static int64_t freeze(memfs *fs)
{
    struct test_buffer out = {0};
    const struct memfs_sink sink = test_buffer_sink(&out);
    const int error = memfs_freeze(fs, &sink, NULL, NULL);
    test_buffer_free(&out);
    return error;
}

static int64_t freeze_sharing_files(memfs *fs)
{
    struct test_buffer out = {0};
    const struct memfs_sink sink = test_buffer_sink(&out);
    const struct memfs_freeze_options options = {
        .size = sizeof options, .share = MEMFS_SHARE_FILES, .block_size = 65536};
    const int error = memfs_freeze(fs, &sink, &options, NULL);
    test_buffer_free(&out);
    return error;
}

static int64_t plan_export(memfs *fs)
{
    const struct memfs_export_options options = {.size = sizeof options, .plan_only = 1, .into = 1};
    return memfs_host_export(fs, "/tmp/memfs-meanwhile-is-never-made", &options, NULL);
}

typedef int64_t operation_fn(memfs *fs);
static const struct {
    const char *name;
    operation_fn *run;
    int is_resident; /* all that it needs is there once the handles are: nobody comes */
} operations[] = {
    {"walk", walk_sorted, 0},        {"walk as somebody", walk_as_somebody, 0},
    {"glob", glob_below, 0},         {"glob literally", glob_literally, 0},
    {"stat", stat_through_link, 0},  {"stat as somebody", stat_as_somebody, 0},
    {"path", path_of_deep, 1},       {"parent", parent_of_deep, 1},
    {"readdir", list_directory, 0},  {"read", read_file, 0},
    {"view", view_file, 0},          {"write", write_file, 0},
    {"copy", copy_file, 0},          {"truncate", truncate_file, 1},
    {"rename", rename_directory, 1}, {"rename below itself", rename_below_itself, 1},
    {"rename over", rename_over, 1}, {"link", link_file, 1},
    {"rmdir", remove_directory, 1},  {"mkdir", make_directory, 0},
    {"setattr", set_attributes, 1},  {"setxattr", set_xattr, 0},
    {"freeze", freeze, 0},           {"freeze, sharing files", freeze_sharing_files, 0},
    {"export", plan_export, 0},      {"open, creating", open_creating, 0},
};
#define OPERATIONS (sizeof operations / sizeof operations[0])

/* ---- Both ------------------------------------------------------------------------------------- */

static memfs_node take(memfs *fs, const char *path)
{
    memfs_node node = 0;
    assert_ok(memfs_resolve(fs, NULL, path, 0, &node));
    return node;
}

/* The image opened anew; handles are taken before anybody comes. */
static void begin(struct meanwhile *m, struct test_state *test)
{
    m->fs = NULL;
    m->calls = 0;
    m->backing = (struct test_fault){.before = come, .context = m};
    memfs *fs = test_thaw_fault(test, &m->image, &m->backing);
    deep = take(fs, "a/b/c");
    file = take(fs, "a/b/large");
    directory = take(fs, "a");
    m->fs = fs;
}

static void expect_sound(memfs *fs)
{
    struct test_buffer frozen = {0};
    memfs_image *image = NULL;
    struct memfs_detail detail = {0};
    test_freeze(fs, &frozen);
    assert_ok(memfs_image_open_buffer(frozen.data, frozen.length, NULL, &image, NULL));
    if (memfs_verify(image, NULL, &detail))
        fail_msg("verify: %s", detail.text);
    memfs_image_close(image);
    test_buffer_free(&frozen);
}

/* How many calls there were. */
static uint64_t try_one(struct meanwhile *m, struct test_state *test, size_t operation)
{
    begin(m, test);
    const int64_t result = operations[operation].run(m->fs);
    const uint64_t calls = m->calls;
    m->is_inside = 1; /* nobody comes any more */
    if (result == -EIO || result == -ENOMEM || (result <= MEMFS_ENOTIMAGE && result != MEMFS_ELIMIT))
        fail_msg("%s, change at call %" PRIu64 ": %s", operations[operation].name, m->at, memfs_strerror((int)result));
    if (m->at % 4 == 1)
        expect_sound(m->fs);
    m->is_inside = 0;
    memfs_destroy(m->fs);
    return calls;
}

static void test_meanwhile__changed(void **state)
{
    struct test_state *test = *state;
    struct meanwhile m = {0};
    test_build_everything(test->fs);
    test_freeze(test->fs, &m.image);
    for (size_t operation = 0; operation < OPERATIONS; operation++)
        for (size_t change = 0; change < CHANGES; change++) {
            m.change = changes[change];
            for (m.at = 1; try_one(&m, test, operation) >= m.at; m.at += test_step(3))
                continue;
            if ((m.at == 1) != operations[operation].is_resident)
                fail_msg("%s: somebody came %" PRIu64 " times", operations[operation].name, m.at - 1);
        }
    test_buffer_free(&m.image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_fs(test_meanwhile__changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
