/*
 * Unpacking parts of a tree, and into directories with things in them: what is
 * replaced, what is left, and that all is as it was if it fails.
 */
#define _GNU_SOURCE
#include "host_fixture.h"
#include "host_map.h"
#include "testlib.h"

#include <sys/resource.h>
#include <sys/syscall.h>

/* ---- The tree, and the destination ---------------------------------------------- */

/* All names but "dir" and those below "dir/more" can be there already. */
static memfs *sample(void)
{
    memfs *fs = NULL;
    struct memfs_options options = {.size = sizeof options, .root_uid = geteuid(), .root_gid = getegid()};
    assert_ok(memfs_create(&options, &fs));
    assert_ok(memfs_mkdir(fs, NULL, "dir", 0755));
    test_put_text(fs, "dir/file", "new");
    assert_ok(memfs_symlink(fs, NULL, "file", "dir/link"));
    assert_ok(memfs_mkdir(fs, NULL, "dir/more", 0700));
    test_put_text(fs, "dir/more/deep", "deep");
    test_put_text(fs, "early", "early");
    test_put_text(fs, "pipe", "a file now");
    assert_ok(memfs_link(fs, NULL, "dir/file", "second"));
    assert_ok(memfs_link(fs, NULL, "dir/file", "third"));
    assert_ok(memfs_mknod(fs, NULL, "fifo", MEMFS_IFIFO | 0600, 0, 0));
    test_put_text(fs, "top", "top");
    return fs;
}

static void make_destination(void)
{
    assert_int_equal(mkdir(at("outside"), 0755), 0);
    put_text(at("outside/file"), "outside");
    assert_int_equal(mkdir(at("out"), 0755), 0);
    assert_int_equal(mkdir(at("out/dir"), 0750), 0);
    put_text(at("out/dir/file"), "old");
    put_text(at("out/dir/mine"), "mine");
    assert_int_equal(symlink("../../outside/file", at("out/dir/link")), 0);
    assert_int_equal(mkfifo(at("out/pipe"), 0640), 0);
    assert_int_equal(link(at("outside/file"), at("out/second")), 0);
    assert_int_equal(symlink("nowhere", at("out/fifo")), 0);
}

static void start_anew(void **state)
{
    assert_int_equal(fixture_teardown(state), 0);
    assert_int_equal(mkdir(fixture_top, 0755), 0);
    make_destination();
}

static int setup(void **state)
{
    int failed = fixture_setup(state);
    if (!failed)
        make_destination();
    return failed;
}

/* What is on the host, but for times of directories; to be freed. */
static char *look(void)
{
    char command[3 * sizeof fixture_top];
    char *text = calloc(1, 65536);
    assert_non_null(text);
    snprintf(
        command, sizeof command,
        "cd '%s' && { find . -type d -printf '%%p %%i %%m %%n\\n'; "
        "find . ! -type d -printf '%%p %%i %%y %%m %%s %%n %%T@ %%l\\n'; find . -type f -exec cksum {} +; } | sort",
        fixture_top);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_true(fread(text, 1, 65535, pipe) > 0);
    assert_int_equal(pclose(pipe), 0);
    return text;
}

static void expect_unchanged(const char *before)
{
    char *now = look();
    test_same_text(now, before, "afterwards");
    free(now);
}

static int export_with(memfs *fs, const char *name, struct memfs_export_options *options, struct memfs_detail *detail)
{
    char path[sizeof fixture_top + 64];
    snprintf(path, sizeof path, "%s/%s", fixture_top, name);
    options->size = sizeof *options;
    return memfs_host_export(fs, path, options, detail);
}

static int is_there(const char *name)
{
    struct stat stat;
    return !lstat(at(name), &stat);
}

static struct stat stat_of(const char *name)
{
    struct stat stat;
    if (lstat(at(name), &stat))
        fail_msg("%s: %s", name, strerror(errno));
    return stat;
}

static void expect_text(const char *name, const char *text)
{
    char buffer[64];
    int fd = open(at(name), O_RDONLY | O_NOFOLLOW);
    assert_true(fd >= 0);
    ssize_t got = read(fd, buffer, sizeof buffer);
    close(fd);
    assert_int_equal(got, (ssize_t)strlen(text));
    assert_memory_equal(buffer, text, strlen(text));
}

/* ---- The host's calls, which can fail and be watched --------------------------------- */

static struct {
    int exchanges, fail_exchange, exchange_error; /* the n-th fails, or all if n is negative */
    int renames, fail_rename;
    int syncs, fail_sync;
    int fail_unlink; /* of a temporary name */
    void (*before_exchange)(void);
} host;

static int is_due(int count, int at)
{
    return at < 0 || count == at;
}

int renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
    if (host.before_exchange) {
        void (*act)(void) = host.before_exchange;
        host.before_exchange = NULL;
        act();
    }
    if (is_due(++host.exchanges, host.fail_exchange)) {
        errno = host.exchange_error;
        return -1;
    }
    return (int)syscall(SYS_renameat2, from, old, to, new, flags);
}

int renameat(int from, const char *old, int to, const char *new)
{
    if (is_due(++host.renames, host.fail_rename)) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_renameat2, from, old, to, new, 0);
}

int syncfs(int fd)
{
    if (is_due(++host.syncs, host.fail_sync)) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_syncfs, fd);
}

int unlinkat(int directory, const char *name, int flags)
{
    if (host.fail_unlink && !strncmp(name, ".memfs-", 7)) {
        errno = EACCES;
        return -1;
    }
    return (int)syscall(SYS_unlinkat, directory, name, flags);
}

static void heal(void)
{
    memset(&host, 0, sizeof host);
}

/* ---- What was made -------------------------------------------------------------------- */

struct made {
    char text[4096];
    int calls, cancel_at; /* 0: never */
};

static int note_made(void *context, const struct memfs_made *made)
{
    struct made *made_so_far = context;
    size_t length = strlen(made_so_far->text);
    snprintf(made_so_far->text + length, sizeof made_so_far->text - length, "%s%s ", made->replaced ? "*" : "",
             made->path);
    return ++made_so_far->calls == made_so_far->cancel_at;
}

static void expect_new(void)
{
    char target[16];
    expect_text("out/dir/file", "new");
    expect_text("out/dir/mine", "mine");
    expect_text("out/dir/more/deep", "deep");
    expect_text("out/pipe", "a file now");
    expect_text("out/early", "early");
    expect_text("out/top", "top");
    assert_int_equal(readlink(at("out/dir/link"), target, sizeof target), 4);
    assert_memory_equal(target, "file", 4);
    assert_int_equal(stat_of("out/dir/file").st_nlink, 3);
    assert_int_equal(stat_of("out/second").st_ino, stat_of("out/dir/file").st_ino);
    assert_int_equal(stat_of("out/third").st_ino, stat_of("out/dir/file").st_ino);
    assert_int_equal(stat_of("out/dir").st_mode, S_IFDIR | 0750);
    assert_int_equal(stat_of("out/fifo").st_mode, S_IFIFO | 0600);
    expect_text("outside/file", "outside");
    assert_int_equal(stat_of("outside/file").st_nlink, 1);
}

static int count_names(const char *name)
{
    int count = 0;
    DIR *dir = opendir(at(name));
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count - 2;
}

static void test_into__replaced(void **state)
{
    static const char want[] = "*dir/file *dir/link dir/more dir/more/deep early *pipe *second third *fifo top ";
    memfs *fs = sample();
    for (unsigned threads = 1; threads <= 4; threads += 3) {
        struct made made = {.calls = 0};
        struct memfs_exported exported;
        struct memfs_export_options options = {.into = 1,
                                               .existing = MEMFS_EXISTING_REPLACED,
                                               .threads = threads,
                                               .made = note_made,
                                               .made_context = &made,
                                               .exported = &exported};
        int descriptors = count_descriptors();
        assert_ok(export_with(fs, "out", &options, NULL));
        assert_int_equal(count_descriptors(), descriptors);
        expect_new();
        assert_int_equal(count_names("out"), 7);
        assert_int_equal(count_names("out/dir"), 4);
        test_same_text(made.text, want, "made");
        assert_int_equal(exported.directories, 1);
        assert_int_equal(exported.files, 7);
        assert_int_equal(exported.links, 2);
        assert_int_equal(exported.replaced, 5);
        assert_int_equal(exported.skipped, 0);
        assert_int_equal(exported.bytes, 3 + 4 + 5 + 10 + 3);
        start_anew(state);
    }
    memfs_destroy(fs);
}

static void test_into__skipped(void **state)
{
    (void)state;
    memfs *fs = sample();
    struct made made = {.calls = 0};
    struct memfs_exported exported;
    struct memfs_export_options options = {
        .into = 1, .existing = MEMFS_EXISTING_SKIPPED, .made = note_made, .made_context = &made, .exported = &exported};
    struct stat pipe = stat_of("out/pipe");
    assert_ok(export_with(fs, "out", &options, NULL));
    test_same_text(made.text, "dir/more dir/more/deep early third top ", "made");
    assert_int_equal(exported.skipped, 5);
    assert_int_equal(exported.replaced, 0);
    expect_text("out/dir/file", "old");
    expect_text("out/third", "new"); /* not a name of what was there */
    assert_int_equal(stat_of("out/third").st_nlink, 1);
    assert_int_equal(stat_of("out/pipe").st_ino, pipe.st_ino);
    expect_text("out/second", "outside");
    memfs_destroy(fs);
}

/* What is planned is told as it is when it is made. */
static void test_into__planned_only(void **state)
{
    (void)state;
    memfs *fs = sample();
    for (int existing = MEMFS_EXISTING_REPLACED; existing <= MEMFS_EXISTING_SKIPPED; existing++) {
        char *before = look();
        struct made made[2] = {{.calls = 0}, {.calls = 0}};
        struct memfs_exported exported[2] = {{0}, {0}};
        for (int plan_only = 1; plan_only >= 0; plan_only--) {
            struct memfs_export_options options = {.into = 1,
                                                   .existing = (enum memfs_existing)existing,
                                                   .plan_only = plan_only,
                                                   .made = note_made,
                                                   .made_context = &made[plan_only],
                                                   .exported = &exported[plan_only]};
            assert_ok(export_with(fs, "out", &options, NULL));
            if (plan_only)
                expect_unchanged(before);
        }
        test_same_text(made[1].text, made[0].text, "planned");
        assert_int_equal(exported[1].directories, exported[0].directories);
        assert_int_equal(exported[1].replaced, exported[0].replaced);
        assert_int_equal(exported[1].skipped, exported[0].skipped);
        free(before);
        start_anew(state);
    }
    struct memfs_exported exported;
    struct memfs_export_options options = {.plan_only = 1, .exported = &exported};
    char *again = look();
    assert_ok(export_with(fs, "new", &options, NULL));
    assert_int_equal(exported.files, 7);
    assert_int_equal(exported.links, 2);
    assert_int_equal(exported.directories, 3 - 1);
    assert_result(export_with(fs, "out", &options, NULL), -ENOTEMPTY);
    assert_result(export_with(fs, "nowhere/new", &options, NULL), -ENOENT);
    expect_unchanged(again);
    free(again);
    memfs_destroy(fs);
}

/* Which budget was too small; a struct of an older size is filled as far as it goes. */
static void test_into__budgets_by_name(void **state)
{
    (void)state;
    memfs *fs = sample();
    struct memfs_export_failure failure = {.size = offsetof(struct memfs_export_failure, left_behind),
                                           .left_behind = 7};
    struct memfs_export_options options = {.entries_max = 1, .failure = &failure};
    assert_result(export_with(fs, "new", &options, NULL), -EDQUOT);
    assert_int_equal(failure.budget, MEMFS_BUDGET_ENTRIES);
    assert_int_equal(failure.left_behind, 7);
    failure.size = 0;
    options = (struct memfs_export_options){.bytes_max = 1, .failure = &failure};
    assert_result(export_with(fs, "new", &options, NULL), -EDQUOT);
    assert_int_equal(failure.budget, MEMFS_BUDGET_BYTES);
    assert_int_equal(failure.left_behind, 0);
    assert_int_equal(failure.too_deep, 0);
    options = (struct memfs_export_options){.depth_max = 1, .failure = &failure};
    assert_result(export_with(fs, "new", &options, NULL), -EDQUOT);
    assert_int_equal(failure.budget, MEMFS_BUDGET_DEPTH);
    assert_int_equal(memfs_node_depth(fs, failure.too_deep), 2);
    memfs_destroy(fs);
}

static void test_into__refused(void **state)
{
    (void)state;
    memfs *fs = sample();
    char *before = look();
    struct problems problems = {.answer = 1};
    struct memfs_detail detail = {0};
    struct memfs_export_options options = {.into = 1, .problem = record_problem, .problem_context = &problems};
    assert_result(export_with(fs, "out", &options, &detail), -EEXIST);
    assert_non_null(strstr(detail.text, "is there already"));
    assert_int_equal(problems.count, 1);
    expect_unchanged(before);
    problems = (struct problems){.answer = 0}; /* they are left out */
    assert_ok(export_with(fs, "out", &options, NULL));
    assert_int_equal(problems.count, 5);
    expect_text("out/third", "new");
    expect_text("out/dir/file", "old");
    free(before);
    memfs_destroy(fs);
}

/* Directories are no files, whatever is asked for. */
static void test_into__in_the_way(void **state)
{
    memfs *fs = sample();
    for (int existing = MEMFS_EXISTING_REFUSED; existing <= MEMFS_EXISTING_SKIPPED; existing++) {
        for (int kind = 0; kind < 3; kind++) {
            struct memfs_export_options options = {.into = 1, .existing = (enum memfs_existing)existing};
            if (kind == 0)
                assert_int_equal(mkdir(at("out/top"), 0755), 0);
            else if (kind == 1)
                put_text(at("out/dir/more"), "more");
            else
                assert_int_equal(symlink("../../outside", at("out/dir/more")), 0);
            if (existing == MEMFS_EXISTING_REFUSED) { /* is told first otherwise */
                static const char *const files[] = {"dir/file", "dir/link", "fifo", "pipe", "second"};
                char name[64];
                for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
                    snprintf(name, sizeof name, "out/%s", files[i]);
                    assert_int_equal(unlink(at(name)), 0);
                }
            }
            char *before = look();
            assert_result(export_with(fs, "out", &options, NULL), kind ? -ENOTDIR : -EISDIR);
            expect_unchanged(before);
            free(before);
            start_anew(state);
        }
    }
    memfs_destroy(fs);
}

/* ---- Failures ------------------------------------------------------------------------------- */

static struct memfs_export_options replacing(void)
{
    return (struct memfs_export_options){.into = 1, .existing = MEMFS_EXISTING_REPLACED};
}

struct cancelling {
    int calls, at;
};

static int cancel_at(void *context, const struct memfs_progress *progress)
{
    struct cancelling *cancelling = context;
    assert_true(!progress->nodes_total || progress->nodes <= progress->nodes_total);
    return ++cancelling->calls == cancelling->at;
}

/* Of the first ones all, of later ones fewer and fewer; with MEMFS_FULL all, with MEMFS_FAST each so-many-th. */
static long next_tried(long call, long thinning)
{
    if (test_is_fast())
        return call + (long)test_step(5);
    return call + 1 + (test_environment("MEMFS_FULL", 0) ? 0 : call / thinning);
}

static void test_into__cancelled_anywhere(void **state)
{
    memfs *fs = sample();
    for (unsigned threads = 1; threads <= 2; threads++) {
        char *before = look();
        int error = -ECANCELED, n = 0;
        while (error) {
            struct cancelling cancelling = {.at = n = (int)next_tried(n, 8)};
            struct memfs_export_options options = replacing();
            options.threads = threads;
            options.progress = cancel_at;
            options.progress_context = &cancelling;
            error = export_with(fs, "out", &options, NULL);
            if (error) {
                assert_result(error, -ECANCELED);
                expect_unchanged(before);
            }
        }
        assert_true(n > 20);
        expect_new();
        free(before);
        start_anew(state);
    }
    memfs_destroy(fs);
}

static void test_into__cancelled_listing(void **state)
{
    (void)state;
    memfs *fs = sample();
    char *before = look();
    for (int n = 1; n <= 10; n++) {
        struct made made = {.cancel_at = n};
        struct memfs_export_options options = replacing();
        options.made = note_made;
        options.made_context = &made;
        assert_result(export_with(fs, "out", &options, NULL), -ECANCELED);
        expect_unchanged(before);
    }
    free(before);
    memfs_destroy(fs);
}

static int take_most(void *context, memfs_node directory, const struct memfs_dirent *entry)
{
    (void)context;
    (void)directory;
    int is_directory = (entry->stat.mode & MEMFS_IFMT) == MEMFS_IFDIR;
    return strcmp(entry->name, "pipe") == 0 ? MEMFS_SELECT_NOTHING
           : is_directory                   ? MEMFS_SELECT_PARENT
                                            : MEMFS_SELECT_ALL;
}

static void test_into__failing_allocations(void **state)
{
    (void)state;
    memfs *fs = sample();
    int descriptors = count_descriptors();
    for (int for_ever = 0; for_ever < 2; for_ever++) {
        char *before = look();
        int error = -ENOMEM;
        for (long n = test_is_fast() ? 1 + for_ever : 1; error; n = next_tried(n, 16)) {
            struct failing failing = {.fail_at = n, .for_ever = for_ever};
            struct memfs_allocator allocator = {failing_alloc, failing_free, &failing};
            struct made made = {.calls = 0};
            struct memfs_export_options options = replacing();
            options.allocator = &allocator;
            options.made = note_made;
            options.made_context = &made;
            options.select = take_most;
            error = export_with(fs, "out", &options, NULL);
            assert_int_equal(failing.live, 0);
            assert_int_equal(count_descriptors(), descriptors);
            assert_int_equal(failing.failed > 0, error != 0);
            if (error) {
                assert_result(error, -ENOMEM);
                expect_unchanged(before);
            }
        }
        expect_text("out/dir/file", "new");
        assert_int_equal(stat_of("out/pipe").st_mode & S_IFMT, S_IFIFO);
        free(before);
        start_anew(state);
    }
    memfs_destroy(fs);
}

/* A place that cannot be taken: those before it are given back. */
static void test_into__failing_exchanges(void **state)
{
    (void)state;
    memfs *fs = sample();
    char *before = look();
    for (int n = 1; n <= 5; n++) {
        struct memfs_export_options options = replacing();
        struct memfs_detail detail = {0};
        heal();
        host.fail_exchange = n;
        host.exchange_error = EPERM;
        assert_result(export_with(fs, "out", &options, &detail), -EPERM);
        assert_non_null(strstr(detail.text, "cannot be replaced"));
        assert_int_equal(host.exchanges, n + n - 1);
        expect_unchanged(before);
    }
    heal();
    free(before);
    memfs_destroy(fs);
}

/* Hosts that cannot exchange names: what has been replaced stays so. */
static void test_into__without_exchange(void **state)
{
    memfs *fs = sample();
    struct memfs_export_options options = replacing();
    struct memfs_detail detail = {0};
    heal();
    host.fail_exchange = -1;
    host.exchange_error = EINVAL;
    assert_ok(export_with(fs, "out", &options, NULL));
    assert_int_equal(host.renames, 5);
    expect_new();
    assert_int_equal(count_names("out"), 7);
    start_anew(state);
    host.renames = 0;
    host.fail_rename = 3;
    assert_result(export_with(fs, "out", &options, &detail), -EIO);
    assert_non_null(strstr(detail.text, "; 2 files that were there stay replaced"));
    heal();
    assert_int_equal(count_names("out"), 4); /* nothing that was not there */
    assert_int_equal(count_names("out/dir"), 3);
    expect_text("out/pipe", "a file now");
    expect_text("out/second", "new");
    assert_int_equal(stat_of("out/second").st_nlink, 1); /* its other names are removed */
    expect_text("out/dir/file", "old");
    memfs_destroy(fs);
}

static void test_into__synchronised(void **state)
{
    (void)state;
    memfs *fs = sample();
    struct memfs_export_options options = replacing();
    char *before = look();
    options.sync = 1;
    for (int n = 1; n <= 2; n++) {
        struct memfs_detail detail = {0};
        heal();
        host.fail_sync = n;
        assert_result(export_with(fs, "out", &options, &detail), -EIO);
        assert_non_null(strstr(detail.text, "to the disk"));
        assert_int_equal(host.syncs, n);
        expect_unchanged(before);
    }
    heal();
    assert_ok(export_with(fs, "out", &options, NULL));
    assert_int_equal(host.syncs, 3); /* contents before they replace anything, then that, then what it removed */
    start_anew(state);
    heal();
    host.fail_sync = 3;
    assert_result(export_with(fs, "out", &options, NULL), -EIO);
    expect_text("out/dir/file", "new"); /* all is in its place */
    heal();
    options.into = 0;
    assert_ok(export_with(fs, "new", &options, NULL));
    assert_int_equal(host.syncs, 1);
    heal();
    options.sync = 0;
    assert_ok(export_with(fs, "other", &options, NULL));
    assert_int_equal(host.syncs, 0);
    free(before);
    memfs_destroy(fs);
}

static void test_into__undroppable(void **state)
{
    (void)state;
    memfs *fs = sample();
    struct memfs_export_options options = replacing();
    struct memfs_detail detail = {0};
    heal();
    host.fail_unlink = 1;
    assert_result(export_with(fs, "out", &options, &detail), -EACCES);
    assert_non_null(strstr(detail.text, ".memfs-"));
    assert_non_null(strstr(detail.text, "was replaced, and cannot be removed"));
    heal();
    expect_text("out/dir/file", "new"); /* all is in its place */
    expect_text("out/third", "new");
    memfs_destroy(fs);
}

static void test_into__few_descriptors(void **state)
{
    memfs *fs = sample();
    int descriptors = count_descriptors(), next = dup(0), error = -EMFILE, n = 1;
    assert_true(next >= 0);
    close(next);
    char *before = look();
    for (; error; n++) {
        struct rlimit limit, small;
        struct memfs_export_options options = replacing();
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
        small = limit;
        small.rlim_cur = (rlim_t)(next + n);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &small), 0);
        error = export_with(fs, "out", &options, NULL);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        assert_int_equal(count_descriptors(), descriptors);
        if (error) {
            assert_result(error, -EMFILE);
            expect_unchanged(before);
        }
    }
    assert_in_range(n, 4, 12);
    expect_new();
    free(before);
    start_anew(state);
    memfs_destroy(fs);
}

/* ---- Enemies ------------------------------------------------------------------------------------ */

struct enemy {
    void (*act)(void);
    const char *when; /* this is there */
    int done;
};

static int attack(void *context, const struct memfs_progress *progress)
{
    struct enemy *enemy = context;
    if (!enemy->done && progress->nodes_total && is_there(enemy->when)) {
        enemy->done = 1;
        enemy->act();
    }
    return 0;
}

static void exchange_directory(void)
{
    assert_int_equal(rename(at("out/dir"), at("stolen")), 0);
    assert_int_equal(symlink("../outside", at("out/dir")), 0);
}

static void exchange_for_directory(void)
{
    assert_int_equal(rename(at("out/dir"), at("stolen")), 0);
    assert_int_equal(mkdir(at("out/dir"), 0755), 0);
}

static void plant_symlink(void)
{
    assert_int_equal(symlink("../outside/file", at("out/top")), 0);
}

static void plant_directory(void)
{
    assert_int_equal(mkdir(at("out/top"), 0755), 0);
}

static int export_attacked(memfs *fs, void (*act)(void), const char *when)
{
    struct enemy enemy = {.act = act, .when = when};
    struct memfs_export_options options = replacing();
    options.progress = attack;
    options.progress_context = &enemy;
    int error = export_with(fs, "out", &options, NULL);
    assert_int_equal(enemy.done, 1);
    return error;
}

/* Before anything has been looked at it is refused; what was found must still be there. */
static void test_into__exchanged(void **state)
{
    static void (*const acts[])(void) = {exchange_directory, exchange_for_directory};
    static const char *const whens[] = {"out", "out/third", "out/top"};
    memfs *fs = sample();
    for (size_t i = 0; i < 6; i++) {
        int error = export_attacked(fs, acts[i / 3], whens[i % 3]);
        assert_true(error == -ENOTDIR || error == -ELOOP || error == -ESTALE || (i == 3 && error == 0));
        assert_int_equal(count_names("outside"), 1);
        expect_text("outside/file", "outside");
        if (error)
            expect_text("stolen/file", "old");
        start_anew(state);
    }
    memfs_destroy(fs);
}

static void test_into__planted(void **state)
{
    memfs *fs = sample();
    assert_ok(export_attacked(fs, plant_symlink, "out/early"));
    expect_new(); /* the link was replaced, and not followed */
    start_anew(state);
    assert_result(export_attacked(fs, plant_directory, "out/early"), -EISDIR);
    expect_text("out/dir/file", "old");
    assert_int_equal(is_there("out/dir/more"), 0);
    assert_int_equal(stat_of("out/top").st_mode & S_IFMT, S_IFDIR);
    memfs_destroy(fs);
}

/* What had a temporary name is another file now. */
static void steal_temporary(void)
{
    char name[512];
    DIR *dir = opendir(at("out/dir"));
    assert_non_null(dir);
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        snprintf(name, sizeof name, "out/dir/%s", entry->d_name);
        if (strncmp(entry->d_name, ".memfs-", 7) != 0)
            continue;
        assert_int_equal(unlink(at(name)), 0);
        assert_int_equal(symlink("../../outside/file", at(name)), 0);
    }
    closedir(dir);
}

static void plant_late(void)
{
    assert_int_equal(unlink(at("out/pipe")), 0);
    assert_int_equal(mkdir(at("out/pipe"), 0711), 0);
}

static void vanish(void)
{
    assert_int_equal(unlink(at("out/dir/file")), 0);
    assert_int_equal(unlink(at("out/pipe")), 0);
}

/* When everything has been made, and takes its place. */
static void test_into__in_the_last_step(void **state)
{
    static void (*const acts[])(void) = {steal_temporary, plant_late};
    static const int errors[] = {-ESTALE, -EISDIR};
    memfs *fs = sample();
    for (size_t i = 0; i < 2; i++) {
        struct memfs_export_options options = replacing();
        heal();
        host.before_exchange = acts[i];
        assert_result(export_with(fs, "out", &options, NULL), errors[i]);
        assert_null(host.before_exchange);
        expect_text("out/dir/file", "old");
        expect_text("outside/file", "outside");
        assert_int_equal(is_there("out/top"), 0);
        assert_int_equal(stat_of("out/pipe").st_mode & S_IFMT, i ? S_IFDIR : S_IFIFO);
        start_anew(state);
    }
    struct memfs_export_options options = replacing();
    host.before_exchange = vanish;
    assert_ok(export_with(fs, "out", &options, NULL));
    expect_new();
    heal();
    memfs_destroy(fs);
}

/* ---- Parts ------------------------------------------------------------------------------------------ */

struct choice {
    const char *file, *parent, *all;
    int error;
};

static int choose(void *context, memfs_node directory, const struct memfs_dirent *entry)
{
    const struct choice *choice = context;
    (void)directory;
    if (choice->error)
        return choice->error;
    if (choice->parent && !strcmp(entry->name, choice->parent))
        return MEMFS_SELECT_PARENT;
    if ((choice->file && !strcmp(entry->name, choice->file)) || (choice->all && !strcmp(entry->name, choice->all)))
        return MEMFS_SELECT_ALL;
    return MEMFS_SELECT_NOTHING;
}

static void test_into__selected(void **state)
{
    static const struct {
        struct choice choice;
        const char *made;
    } cases[] = {
        {{.file = "second"}, "second "},
        {{.file = "third", .parent = "dir"}, "dir third "},
        {{.file = "file", .parent = "dir"}, "dir dir/file "},
        {{.all = "dir"}, "dir dir/file dir/link dir/more dir/more/deep "},
        {{.all = "more", .parent = "dir"}, "dir dir/more dir/more/deep "},
        {{.file = "nothing"}, ""},
    };
    (void)state;
    memfs *fs = sample();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct choice choice = cases[i].choice;
        struct made made = {.calls = 0};
        struct memfs_export_options options = {.select = choose,
                                               .select_context = &choice,
                                               .made = note_made,
                                               .made_context = &made,
                                               .threads = (unsigned)i % 2 + 1};
        char name[16];
        snprintf(name, sizeof name, "new%zu", i);
        assert_ok(export_with(fs, name, &options, NULL));
        test_same_text(made.text, cases[i].made, "made");
    }
    struct choice choice = {.error = -EPROTO};
    struct memfs_export_options options = {.select = choose, .select_context = &choice};
    assert_result(export_with(fs, "new", &options, NULL), -EPROTO);
    assert_int_equal(is_there("new"), 0);
    memfs_destroy(fs);
}

/* Budgets are about what is taken. */
static void test_into__selected_within_budgets(void **state)
{
    (void)state;
    memfs *fs = sample();
    struct choice choice = {.all = "dir"};
    struct memfs_export_options options = {
        .select = choose, .select_context = &choice, .entries_max = 5, .bytes_max = 4096, .depth_max = 2};
    assert_ok(export_with(fs, "fits", &options, NULL));
    options.entries_max = 4;
    assert_result(export_with(fs, "not", &options, NULL), -EDQUOT);
    options.entries_max = 5;
    options.depth_max = 1;
    assert_result(export_with(fs, "not", &options, NULL), -EDQUOT);
    options.strip = 1; /* one less */
    assert_ok(export_with(fs, "stripped", &options, NULL));
    memfs_destroy(fs);
}

static void test_into__stripped(void **state)
{
    static const char *const made_by[] = {"file link more more/deep ", "deep ", ""};
    (void)state;
    memfs *fs = sample();
    for (unsigned strip = 1; strip <= 3; strip++) {
        struct made made = {.calls = 0};
        struct memfs_export_options options = {.strip = strip, .made = note_made, .made_context = &made};
        char name[16];
        snprintf(name, sizeof name, "new%u", strip);
        assert_ok(export_with(fs, name, &options, NULL));
        test_same_text(made.text, made_by[strip - 1], "made");
    }
    expect_text("new1/file", "new");
    expect_text("new1/more/deep", "deep");
    assert_int_equal(stat_of("new1/file").st_nlink, 1); /* its other names have too few components */
    assert_int_equal(stat_of("new1/more").st_mode, S_IFDIR | 0700);
    struct memfs_export_options options = replacing();
    options.strip = 1;
    assert_int_equal(symlink("../outside/file", at("out/file")), 0);
    assert_ok(export_with(fs, "out", &options, NULL));
    expect_text("out/file", "new");
    expect_text("outside/file", "outside");
    expect_text("out/dir/file", "old");
    memfs_destroy(fs);
}

static void test_into__colliding(void **state)
{
    (void)state;
    memfs *fs = sample();
    struct memfs_detail detail = {0};
    struct memfs_export_options options = {.strip = 1};
    assert_ok(memfs_mkdir(fs, NULL, "other", 0755));
    assert_ok(memfs_mkdir(fs, NULL, "other/file", 0755));
    assert_result(export_with(fs, "new", &options, &detail), -EEXIST);
    assert_non_null(
        strstr(detail.text, "other/file: without its leading components it has the same path as one of 'dir'"));
    assert_int_equal(is_there("new"), 0);
    options.strip = 2;
    assert_ok(export_with(fs, "new", &options, NULL));
    memfs_destroy(fs);
}

static uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdu;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53u;
    return x ^ x >> 33;
}

/* A name of 16 bytes whose hash without a secret is the same for all: the second half makes up for the first. */
static void make_alike(struct test_random *random, char name[17])
{
    const uint64_t step = 0x9e3779b97f4a7c15u;
    uint64_t first, second = 0;
    do {
        for (int i = 0; i < 8; i++)
            name[i] = (char)('a' + test_random_below(random, 26));
        memcpy(&first, name, 8);
        second = (mix(mix(mix(16 + step)) ^ first) + step) ^ 0x1234567812345678u;
        memcpy(name + 8, &second, 8);
        name[16] = '\0';
    } while (strlen(name) < 16 || strchr(name, '/'));
}

/* Who knows the function can make names that look alike, but not to one who has a secret. */
static void test_into__alike(void **state)
{
    struct test_random random = {7};
    char path[32] = "dir/more/", other[17];
    (void)state;
    memfs *fs = sample();
    struct memfs_export_options options = {.strip = 2};
    make_alike(&random, other);
    for (int i = 0; i < 20; i++) {
        make_alike(&random, path + 9);
        assert_true(memfs_host_hash(0, path + 9, 16) == memfs_host_hash(0, other, 16));
        assert_false(memfs_host_hash(1, path + 9, 16) == memfs_host_hash(1, other, 16));
        test_put_text(fs, path, "alike");
    }
    assert_ok(export_with(fs, "many", &options, NULL));
    assert_int_equal(count_names("many"), 21);
    memfs_destroy(fs);
}

#define CASE(name) cmocka_unit_test_setup_teardown(test_into__##name, setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(replaced),
        CASE(skipped),
        CASE(planned_only),
        CASE(budgets_by_name),
        CASE(refused),
        CASE(in_the_way),
        CASE(cancelled_anywhere),
        CASE(cancelled_listing),
        CASE(failing_allocations),
        CASE(failing_exchanges),
        CASE(without_exchange),
        CASE(synchronised),
        CASE(undroppable),
        CASE(few_descriptors),
        CASE(exchanged),
        CASE(planted),
        CASE(in_the_last_step),
        CASE(selected),
        CASE(selected_within_budgets),
        CASE(stripped),
        CASE(colliding),
        CASE(alike),
    };
    return cmocka_run_group_tests_name("host_export_into", tests, NULL, NULL);
}
