#define _GNU_SOURCE
#include "backing.h"
#include "host_fixture.h"

#include <grp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

/* ---- Trees to be exported ------------------------------------------------------- */

static memfs *new_fs(void)
{
    memfs *fs = NULL;
    struct memfs_options options = {.size = sizeof options, .root_uid = geteuid(), .root_gid = getegid()};
    assert_int_equal(memfs_create(&options, &fs), 0);
    return fs;
}

/* Everything is ours, so that owners are nothing to be told about. */
static void own(memfs *fs, const char *path)
{
    struct memfs_setattr set = {.set = MEMFS_SET_UID | MEMFS_SET_GID, .uid = geteuid(), .gid = getegid()};
    assert_int_equal(memfs_setattr(fs, NULL, path, 0, &set), 0);
}

/* Afterwards, since a new owner ends setuid. */
static void set_mode(memfs *fs, const char *path, uint32_t mode)
{
    struct memfs_setattr set = {.set = MEMFS_SET_MODE, .mode = mode};
    assert_int_equal(memfs_setattr(fs, NULL, path, 0, &set), 0);
}

static void add_dir(memfs *fs, const char *path, uint32_t mode)
{
    assert_int_equal(memfs_mkdir(fs, NULL, path, mode), 0);
    own(fs, path);
}

static void add_file(memfs *fs, const char *path, const char *text, uint32_t mode)
{
    memfs_file *file = NULL;
    assert_int_equal(memfs_open(fs, NULL, path, MEMFS_O_WRITE | MEMFS_O_CREATE | MEMFS_O_EXCL, mode, &file), 0);
    assert_int_equal(memfs_write(file, text, strlen(text)), (int64_t)strlen(text));
    memfs_close(file);
    own(fs, path);
}

static void add_symlink(memfs *fs, const char *path, const char *target)
{
    assert_int_equal(memfs_symlink(fs, NULL, target, path), 0);
    own(fs, path);
}

static void add_node(memfs *fs, const char *path, uint32_t mode)
{
    assert_int_equal(memfs_mknod(fs, NULL, path, mode, 1, 3), 0);
    own(fs, path);
}

static void set_mtime(memfs *fs, const char *path, int64_t mtime)
{
    struct memfs_setattr set = {.set = MEMFS_SET_MTIME, .mtime = mtime};
    assert_int_equal(memfs_setattr(fs, NULL, path, 0, &set), 0);
}

/* A bit of everything, but for devices. */
static memfs *sample(void)
{
    memfs *fs = new_fs();
    add_dir(fs, "a", 0755);
    add_dir(fs, "a/deep", 0555);
    add_file(fs, "a/deep/file", "deep", 0444);
    add_file(fs, "a/first", "linked", 0640);
    add_dir(fs, "b", 01777);
    assert_int_equal(memfs_link(fs, NULL, "a/first", "b/second"), 0);
    assert_int_equal(memfs_link(fs, NULL, "a/first", "third"), 0);
    add_symlink(fs, "b/link", "../a/first");
    assert_int_equal(memfs_link(fs, NULL, "b/link", "link"), 0);
    add_node(fs, "b/fifo", MEMFS_IFIFO | 0604);
    assert_int_equal(memfs_link(fs, NULL, "b/fifo", "fifo"), 0);
    add_node(fs, "b/socket", MEMFS_IFSOCK | 0600);
    add_file(fs, "empty", "", 0600);
    add_dir(fs, "closed", 0000);
    add_file(fs, "closed/inside", "inside", 0000);
    add_symlink(fs, "absolute", "/nowhere/at/all");
    set_mtime(fs, "a/deep/file", -1500000000LL);
    set_mtime(fs, "a/deep", 5000000000000000001LL);
    set_mtime(fs, "b/link", 123456789012345678LL);
    set_mtime(fs, "b/fifo", 42);
    set_mtime(fs, "/", 777 * SECOND);
    return fs;
}

static int export_with(memfs *fs, const char *name, struct memfs_export_options *options, struct memfs_detail *detail)
{
    char path[sizeof fixture_top + 64]; /* callbacks use at() many times */
    snprintf(path, sizeof path, "%s/%s", fixture_top, name);
    options->size = sizeof *options;
    return memfs_host_export(fs, path, options, detail);
}

static int export_to(memfs *fs, const char *name)
{
    struct memfs_export_options options = {0};
    struct memfs_detail detail = {0};
    int error = export_with(fs, name, &options, &detail);
    if (error)
        assert_int_equal(detail.error, error);
    return error;
}

static struct stat stat_of(const char *name)
{
    struct stat stat;
    if (lstat(at(name), &stat))
        print_message("%s: %s\n", name, strerror(errno));
    assert_int_equal(lstat(at(name), &stat), 0);
    return stat;
}

static int64_t mtime_of(const char *name)
{
    struct stat stat = stat_of(name);
    return stat.st_mtim.tv_sec * SECOND + stat.st_mtim.tv_nsec;
}

static int is_there(const char *name)
{
    struct stat stat;
    return !lstat(at(name), &stat);
}

static void expect_text(const char *name, const char *text)
{
    char buffer[256];
    int fd = open(at(name), O_RDONLY | O_NOFOLLOW);
    assert_true(fd >= 0);
    ssize_t got = read(fd, buffer, sizeof buffer);
    close(fd);
    assert_int_equal(got, (ssize_t)strlen(text));
    assert_memory_equal(buffer, text, strlen(text));
}

static uid_t become_nobody(void)
{
    uid_t before = geteuid();
    if (before == 0) {
        assert_int_equal(chmod(fixture_top, 0777), 0);
        assert_int_equal(seteuid(65534), 0);
    }
    return before;
}

/* ---- What comes out ----------------------------------------------------------------- */

static void expect_sample(mode_t closed)
{
    expect_text("out/a/first", "linked");
    assert_int_equal(stat_of("out/a/first").st_nlink, 3);
    assert_int_equal(stat_of("out/a/first").st_ino, stat_of("out/b/second").st_ino);
    assert_int_equal(stat_of("out/a/first").st_ino, stat_of("out/third").st_ino);
    assert_int_equal(stat_of("out/a/first").st_mode, S_IFREG | 0640);
    assert_int_equal(stat_of("out/a/deep").st_mode, S_IFDIR | 0555);
    assert_int_equal(stat_of("out/b").st_mode, S_IFDIR | 01777);
    assert_int_equal(stat_of("out/closed").st_mode, S_IFDIR | closed);
    assert_int_equal(stat_of("out/b/fifo").st_mode, S_IFIFO | 0604);
    assert_int_equal(stat_of("out/b/fifo").st_ino, stat_of("out/fifo").st_ino);
    assert_int_equal(stat_of("out/b/socket").st_mode, S_IFSOCK | 0600);
    assert_int_equal(stat_of("out/b/link").st_ino, stat_of("out/link").st_ino);
    assert_int_equal(stat_of("out/b/link").st_mode & S_IFMT, S_IFLNK);
    char target[64];
    assert_int_equal(readlink(at("out/b/link"), target, sizeof target), 10);
    assert_memory_equal(target, "../a/first", 10);
    assert_int_equal(stat_of("out/empty").st_size, 0);
    assert_int_equal(mtime_of("out/a/deep/file"), -1500000000LL);
    assert_int_equal(mtime_of("out/a/deep"), 5000000000000000001LL);
    assert_int_equal(mtime_of("out/b/link"), 123456789012345678LL);
    assert_int_equal(mtime_of("out/b/fifo"), 42);
    assert_int_equal(mtime_of("out"), 777 * SECOND);
    assert_int_equal(stat_of("out").st_mode, S_IFDIR | 0755);
}

static void test_export__everything(void **state)
{
    (void)state;
    memfs *fs = sample();
    struct problems problems = {0};
    struct memfs_export_options options = {.problem = record_problem, .problem_context = &problems};
    int before = count_descriptors();
    assert_int_equal(export_with(fs, "out", &options, NULL), 0);
    assert_int_equal(count_descriptors(), before);
    assert_int_equal(problems.count, 0);
    expect_sample(0);
    memfs_destroy(fs);
}

static void test_export__as_nobody(void **state)
{
    (void)state;
    uid_t before = become_nobody();
    memfs *fs = sample();
    int error = export_to(fs, "out");
    assert_int_equal(stat_of("out/a").st_uid, geteuid());
    assert_int_equal(seteuid(before), 0);
    assert_int_equal(error, 0);
    memfs_destroy(fs);
}

static void test_export__scanned_again(void **state)
{
    (void)state;
    memfs *fs = sample(), *again = NULL;
    memfs_backing *backing = NULL;
    set_mode(fs, "closed", 0500); /* not only root is to read it */
    set_mode(fs, "closed/inside", 0400);
    assert_int_equal(export_to(fs, "out"), 0);
    assert_int_equal(memfs_host_scan(at("out"), NULL, &backing, NULL), 0);
    struct memfs_options options = {.size = sizeof options, .backing = backing};
    assert_int_equal(memfs_create(&options, &again), 0);
    memfs_backing_release(backing);
    assert_int_equal(export_to(again, "copy"), 0);
    assert_int_equal(rename(at("out"), at("first")), 0);
    assert_int_equal(rename(at("copy"), at("out")), 0);
    expect_sample(0500);
    memfs_destroy(fs);
    memfs_destroy(again);
}

static void test_export__sparse(void **state)
{
    char back[6];
    (void)state;
    memfs *fs = new_fs();
    add_file(fs, "sparse", "head", 0600);
    add_file(fs, "hole", "", 0600);
    memfs_file *file = NULL;
    assert_int_equal(memfs_open(fs, NULL, "sparse", MEMFS_O_WRITE, 0, &file), 0);
    assert_int_equal(memfs_pwrite(file, "middle", 6, (uint64_t)1 << 30), 6);
    assert_int_equal(memfs_ftruncate(file, (uint64_t)1 << 31), 0);
    memfs_close(file);
    assert_int_equal(memfs_truncate(fs, NULL, "hole", (uint64_t)1 << 33), 0);
    struct memfs_export_options options = {.bytes_max = 1 << 20}; /* of data, not of holes */
    assert_int_equal(export_with(fs, "out", &options, NULL), 0);
    assert_int_equal(stat_of("out/sparse").st_size, (off_t)1 << 31);
    assert_true(stat_of("out/sparse").st_blocks < 4096);
    assert_int_equal(stat_of("out/hole").st_size, (off_t)1 << 33);
    assert_true(stat_of("out/hole").st_blocks < 64);
    int fd = open(at("out/sparse"), O_RDONLY);
    assert_int_equal(pread(fd, back, 6, (off_t)1 << 30), 6);
    assert_memory_equal(back, "middle", 6);
    assert_int_equal(pread(fd, back, 6, 0), 6);
    assert_memory_equal(back, "head\0\0", 6);
    close(fd);
    memfs_destroy(fs);
}

static void test_export__large_file(void **state)
{
    size_t size = ((size_t)5 << 20) + 123;
    char *bytes = malloc(size), *back = malloc(size);
    (void)state;
    memfs *fs = new_fs();
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(i * 2654435761u >> 11);
    add_file(fs, "large", "", 0600);
    memfs_file *file = NULL;
    assert_int_equal(memfs_open(fs, NULL, "large", MEMFS_O_WRITE, 0, &file), 0);
    assert_int_equal(memfs_write(file, bytes, size), (int64_t)size);
    memfs_close(file);
    assert_int_equal(export_to(fs, "out"), 0);
    int fd = open(at("out/large"), O_RDONLY);
    assert_int_equal(read(fd, back, size), (ssize_t)size);
    close(fd);
    assert_memory_equal(bytes, back, size);
    memfs_destroy(fs);
    free(bytes);
    free(back);
}

/* ---- The destination ------------------------------------------------------------------ */

static void test_export__destinations(void **state)
{
    (void)state;
    memfs *fs = sample();
    assert_int_equal(mkdir(at("empty"), 0700), 0);
    assert_int_equal(mkdir(at("full"), 0700), 0);
    put_text(at("full/file"), "mine");
    put_text(at("file"), "file");
    assert_int_equal(symlink("empty", at("link")), 0);
    assert_int_equal(symlink("absent", at("dangling")), 0);
    assert_int_equal(export_to(fs, "full"), -ENOTEMPTY);
    assert_int_equal(export_to(fs, "file"), -ENOTDIR);
    assert_int_equal(export_to(fs, "link"), -ELOOP);
    assert_int_equal(export_to(fs, "link/"), -ELOOP);
    assert_int_equal(export_to(fs, "dangling"), -ELOOP);
    assert_int_equal(export_to(fs, "no/where"), -ENOENT);
    assert_int_equal(memfs_host_export(fs, "", NULL, NULL), -ENOENT);
    expect_text("full/file", "mine");
    assert_int_equal(is_there("absent"), 0);
    assert_int_equal(is_there("empty/a"), 0);
    assert_int_equal(export_to(fs, "empty//"), 0);
    assert_int_equal(is_there("empty/a/first"), 1);
    assert_int_equal(export_to(fs, "empty"), -ENOTEMPTY); /* twice into one place */
    expect_text("empty/a/first", "linked");
    memfs_destroy(fs);
}

static void test_export__into_dot(void **state)
{
    (void)state;
    char before[4096];
    memfs *fs = sample();
    assert_int_equal(mkdir(at("here"), 0700), 0);
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(at("here")), 0);
    int error = memfs_host_export(fs, ".", NULL, NULL);
    assert_int_equal(chdir(before), 0);
    assert_int_equal(error, 0);
    expect_text("here/a/first", "linked");
    memfs_destroy(fs);
}

static void test_export__into(void **state)
{
    (void)state;
    memfs *fs = sample();
    assert_int_equal(mkdir(at("out"), 0710), 0);
    put_text(at("out/mine"), "mine");
    put_mtime(at("out"), 5);
    struct memfs_export_options options = {.into = 1};
    assert_int_equal(export_with(fs, "out", &options, NULL), 0);
    expect_text("out/mine", "mine");
    expect_text("out/third", "linked");
    assert_int_equal(stat_of("out").st_mode, S_IFDIR | 0710); /* its own, as it was */
    memfs_destroy(fs);
}

static void test_export__into_existing_names(void **state)
{
    static const char *const names[] = {"a", "third", "fifo", "link", "closed"};
    char name[64];
    (void)state;
    memfs *fs = sample();
    assert_int_equal(mkdir(at("outside"), 0755), 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        for (int kind = 0; kind < 2; kind++) {
            assert_int_equal(mkdir(at("out"), 0755), 0);
            put_text(at("out/mine"), "mine");
            snprintf(name, sizeof name, "out/%s", names[i]);
            if (kind)
                assert_int_equal(symlink("../outside", at(name)), 0);
            else
                put_text(at(name), "mine too");
            struct memfs_export_options options = {.into = 1};
            struct memfs_detail detail = {0};
            int is_directory = i == 0 || i == 4; /* which neither takes the place of */
            assert_int_equal(export_with(fs, "out", &options, &detail), is_directory ? -ENOTDIR : -EEXIST);
            assert_non_null(strstr(detail.text, names[i]));
            expect_text("out/mine", "mine");
            assert_true(is_there(name));
            assert_int_equal(unlink(at(name)), 0);
            assert_int_equal(unlink(at("out/mine")), 0);
            assert_int_equal(rmdir(at("out")), 0); /* nothing else is left */
        }
    }
    assert_int_equal(rmdir(at("outside")), 0);
    memfs_destroy(fs);
}

static void test_export__left_out_by_caller(void **state)
{
    (void)state;
    memfs *fs = sample();
    assert_int_equal(mkdir(at("out"), 0755), 0);
    put_text(at("out/a"), "mine");
    struct problems problems = {0};
    struct memfs_export_options options = {.into = 1, .problem = record_problem, .problem_context = &problems};
    assert_int_equal(export_with(fs, "out", &options, NULL), 0);
    assert_int_equal(problems.count, 1);
    assert_true(has_problem(&problems, "a", -ENOTDIR));
    expect_text("out/a", "mine");
    expect_text("out/third", "linked"); /* the first name could not be made: the next is the first now */
    assert_int_equal(stat_of("out/third").st_ino, stat_of("out/b/second").st_ino);
    memfs_destroy(fs);
}

/* ---- Enemies ----------------------------------------------------------------------------- */

struct enemy {
    const char *victim; /* exchanged as soon as it is there */
    int by_directory;   /* for a directory; else for a symbolic link to outside */
    int done;
};

static int exchange(void *context, const struct memfs_progress *progress)
{
    struct enemy *enemy = context;
    (void)progress;
    if (!enemy->done && is_there(enemy->victim)) {
        enemy->done = 1;
        assert_int_equal(rename(at(enemy->victim), at("stolen")), 0);
        if (enemy->by_directory)
            assert_int_equal(mkdir(at(enemy->victim), 0751), 0);
        else
            assert_int_equal(symlink(at("outside"), at(enemy->victim)), 0);
    }
    return 0;
}

/* What happens right after a directory was made, before anything else does. */
static void (*after_mkdirat)(const char *name);

int mkdirat(int directory, const char *name, mode_t mode)
{
    int failed = (int)syscall(SYS_mkdirat, directory, name, mode);
    if (!failed && after_mkdirat)
        after_mkdirat(name);
    return failed;
}

/* The same, of anything that is made without a descriptor. */
static void (*after_mknodat)(void);

int mknodat(int directory, const char *name, mode_t mode, dev_t device)
{
    int failed = (int)syscall(SYS_mknodat, directory, name, mode, (unsigned)device);
    if (!failed && after_mknodat)
        after_mknodat();
    return failed;
}

/* What closing a file says although it is closed; 0: what the host says. */
static int close_error;

int close(int fd)
{
    struct stat stat;
    int error = close_error && !fstat(fd, &stat) && S_ISREG(stat.st_mode) ? close_error : 0;
    int failed = (int)syscall(SYS_close, fd);
    if (failed || !error)
        return failed;
    errno = error;
    return -1;
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

static void test_export__exchanged_directory(void **state)
{
    static const char *const victims[] = {"out/a", "out/a/deep", "out/b"};
    (void)state;
    memfs *fs = sample();
    for (size_t i = 0; i < 3; i++) {
        struct enemy enemy = {.victim = victims[i]};
        struct memfs_export_options options = {.progress = exchange, .progress_context = &enemy};
        struct memfs_detail detail = {0};
        assert_int_equal(mkdir(at("outside"), 0755), 0);
        int error = export_with(fs, "out", &options, &detail);
        assert_int_equal(enemy.done, 1);
        assert_true(error == -ELOOP || error == -ENOTDIR || error == -ESTALE || error == -ENOENT);
        assert_non_null(strstr(detail.text, "could not be removed"));
        assert_int_equal(count_names("outside"), 0);
        assert_int_equal(stat_of("outside").st_mode, S_IFDIR | 0755);
        assert_int_equal(stat_of(victims[i]).st_mode & S_IFMT, S_IFLNK); /* not ours to remove */
        assert_int_equal(fixture_teardown(state), 0);
        assert_int_equal(mkdir(fixture_top, 0755), 0);
    }
    memfs_destroy(fs);
}

static void test_export__exchanged_for_directory(void **state)
{
    static const char *const victims[] = {"out/a", "out/a/deep", "out/b"};
    (void)state;
    memfs *fs = sample();
    for (size_t i = 0; i < 3; i++) {
        struct enemy enemy = {.victim = victims[i], .by_directory = 1};
        struct memfs_export_options options = {.progress = exchange, .progress_context = &enemy};
        assert_int_equal(export_with(fs, "out", &options, NULL), -ESTALE);
        assert_int_equal(enemy.done, 1);
        assert_int_equal(stat_of(victims[i]).st_mode, S_IFDIR | 0751); /* not touched, not removed */
        assert_int_equal(count_names(victims[i]), 0);
        assert_int_equal(fixture_teardown(state), 0);
        assert_int_equal(mkdir(fixture_top, 0755), 0);
    }
    memfs_destroy(fs);
}

static int theirs_is_full;
static void put_theirs(const char *name)
{
    if (strcmp(name, "deep") != 0)
        return;
    assert_int_equal(mkdir(at("theirs"), 0700), 0);
    if (theirs_is_full)
        put_text(at("theirs/file"), "theirs");
    else
        assert_int_equal(chmod(at("theirs"), 0750), 0);
    assert_int_equal(rename(at("out/a/deep"), at("stolen")), 0);
    assert_int_equal(rename(at("theirs"), at("out/a/deep")), 0);
}

/* Exchanged before it was first looked at: it is neither filled nor removed. */
static void test_export__exchanged_while_made(void **state)
{
    (void)state;
    memfs *fs = sample();
    for (int i = 0; i < 2; i++) {
        struct memfs_export_options options = {0};
        struct memfs_detail detail = {0};
        theirs_is_full = i;
        after_mkdirat = put_theirs;
        int error = export_with(fs, "out", &options, &detail);
        after_mkdirat = NULL;
        assert_int_equal(error, -ESTALE);
        assert_non_null(strstr(detail.text, "a/deep: something else"));
        assert_non_null(strstr(detail.text, "could not be removed"));
        assert_int_equal(stat_of("out/a/deep").st_mode, S_IFDIR | (i ? 0700 : 0750));
        assert_int_equal(count_names("out/a/deep"), i);
        assert_int_equal(count_names("out"), 1);
        assert_int_equal(fixture_teardown(state), 0);
        assert_int_equal(mkdir(fixture_top, 0755), 0);
    }
    memfs_destroy(fs);
}

/* One more name of a FIFO from outside, of the same type and owner. */
static void put_linked(void)
{
    after_mknodat = NULL;
    assert_int_equal(unlink(at("out/fifo")), 0);
    assert_int_equal(link(at("outside"), at("out/fifo")), 0);
}

static void put_device(void)
{
    after_mknodat = NULL;
    assert_int_equal(unlink(at("out/fifo")), 0);
    assert_int_equal(syscall(SYS_mknodat, AT_FDCWD, at("out/fifo"), S_IFCHR | 0600, (unsigned)makedev(1, 7)), 0);
}

static void test_export__exchanged_for_link(void **state)
{
    (void)state;
    memfs *fs = new_fs();
    add_node(fs, "fifo", MEMFS_IFIFO | 0666);
    assert_int_equal(mkfifo(at("outside"), 0600), 0);
    struct memfs_export_options options = {0};
    after_mknodat = put_linked;
    assert_int_equal(export_with(fs, "out", &options, NULL), -ESTALE);
    assert_null(after_mknodat);
    assert_int_equal(stat_of("outside").st_mode, S_IFIFO | 0600);
    assert_int_equal(stat_of("outside").st_nlink, 2); /* not ours to remove */
    memfs_destroy(fs);
}

static void test_export__exchanged_for_device(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip(); /* who is not root makes none, nor do his enemies */
    memfs *fs = new_fs();
    add_node(fs, "fifo", MEMFS_IFCHR | 0666); /* 1, 3 */
    struct memfs_export_options options = {.devices = 1};
    after_mknodat = put_device;
    assert_int_equal(export_with(fs, "out", &options, NULL), -ESTALE);
    assert_null(after_mknodat);
    assert_int_equal(stat_of("out/fifo").st_mode, S_IFCHR | 0600);
    memfs_destroy(fs);
}

static int cancel_late(void *context, const struct memfs_progress *progress)
{
    const struct enemy *enemy = context;
    (void)progress;
    return is_there(enemy->victim);
}

/* What the caller has made is as what is made here: it gets the root's attributes, and is gone on failure. */
static void test_export__made_by_caller(void **state)
{
    (void)state;
    memfs *fs = sample();
    struct memfs_export_options options = {.made_root = 1};
    set_mode(fs, "/", 0711);
    assert_int_equal(mkdir(at("out"), 0700), 0);
    assert_int_equal(export_with(fs, "out", &options, NULL), 0);
    assert_int_equal(stat_of("out").st_mode, S_IFDIR | 0711);
    assert_int_equal(stat_of("out").st_mtim.tv_sec, 777);
    assert_int_equal(mkdir(at("full"), 0700), 0);
    put_text(at("full/file"), "theirs");
    assert_int_equal(export_with(fs, "full", &options, NULL), -ESTALE);
    expect_text("full/file", "theirs");
    struct enemy enemy = {.victim = "vain/a"};
    options.progress = exchange;
    options.progress_context = &enemy;
    assert_int_equal(mkdir(at("vain"), 0700), 0);
    assert_true(export_with(fs, "vain", &options, NULL) < 0);
    assert_int_equal(enemy.done, 1);
    assert_int_equal(count_names("vain"), 1); /* the enemy's */
    /* Cancelled when something was made. */
    struct enemy late = {.victim = "gone/a"};
    options.progress = cancel_late;
    options.progress_context = &late;
    assert_int_equal(mkdir(at("gone"), 0700), 0);
    assert_int_equal(export_with(fs, "gone", &options, NULL), -ECANCELED);
    assert_int_equal(is_there("gone"), 0);
    memfs_destroy(fs);
}

/* The first name of a file is given to another file, before it is linked to. */
static int exchange_first(void *context, const struct memfs_progress *progress)
{
    struct enemy *enemy = context;
    (void)progress;
    if (!enemy->done && is_there("out/b/socket")) {
        enemy->done = 1;
        assert_int_equal(rename(at("out/third"), at("stolen")), 0);
        assert_int_equal(link(at("outside"), at("out/third")), 0);
    }
    return 0;
}

static void test_export__exchanged_first_name(void **state)
{
    (void)state;
    memfs *fs = sample();
    struct enemy enemy = {0};
    struct memfs_export_options options = {.progress = exchange_first, .progress_context = &enemy};
    put_text(at("outside"), "outside");
    assert_int_equal(export_with(fs, "out", &options, NULL), -ESTALE);
    assert_int_equal(enemy.done, 1);
    assert_int_equal(stat_of("outside").st_nlink, 2); /* theirs, and none of ours */
    assert_int_equal(is_there("out/a"), 0);
    expect_text("out/third", "outside");
    memfs_destroy(fs);
}

static int plant(void *context, const struct memfs_progress *progress)
{
    const char *name = context;
    char parent[64];
    (void)progress;
    snprintf(parent, sizeof parent, "%.*s", (int)(strrchr(name, '/') - name), name);
    if (is_there(parent) && !is_there(name))
        assert_int_equal(symlink(at("outside"), at(name)), 0);
    return 0;
}

static void test_export__planted_symlink(void **state)
{
    char names[4][32] = {"out/a/first", "out/b/second", "out/b/link", "out/a/deep"};
    (void)state;
    memfs *fs = sample();
    for (size_t i = 0; i < 4; i++) {
        put_text(at("outside"), "outside");
        struct memfs_export_options options = {.progress = plant, .progress_context = names[i]};
        assert_int_equal(export_with(fs, "out", &options, NULL), -EEXIST);
        expect_text("outside", "outside");
        assert_int_equal(stat_of(names[i]).st_mode & S_IFMT, S_IFLNK); /* not ours to remove */
        assert_int_equal(count_names("out"), 1);
        assert_int_equal(fixture_teardown(state), 0);
        assert_int_equal(mkdir(fixture_top, 0755), 0);
    }
    memfs_destroy(fs);
}

/* Somebody's own file among ours survives that ours are removed. */
static int plant_file(void *context, const struct memfs_progress *progress)
{
    int *done = context;
    (void)progress;
    if (!*done && is_there("out/b/socket")) {
        *done = 1;
        put_text(at("out/b/theirs"), "theirs");
    }
    return *done;
}

static void test_export__foreign_file(void **state)
{
    int done = 0;
    (void)state;
    memfs *fs = sample();
    struct memfs_export_options options = {.progress = plant_file, .progress_context = &done};
    struct memfs_detail detail = {0};
    assert_int_equal(export_with(fs, "out", &options, &detail), -ECANCELED);
    assert_int_equal(done, 1);
    expect_text("out/b/theirs", "theirs");
    assert_int_equal(count_names("out"), 1);
    assert_int_equal(count_names("out/b"), 1);
    assert_non_null(strstr(detail.text, "could not be removed"));
    memfs_destroy(fs);
}

/* Hosts on a network tell only then that there was no room; that a signal came says nothing. */
static void test_export__close_fails(void **state)
{
    (void)state;
    memfs *fs = sample();
    close_error = EDQUOT;
    int error = export_to(fs, "out");
    close_error = EINTR;
    int interrupted = export_to(fs, "also");
    close_error = 0;
    assert_int_equal(error, -EDQUOT);
    assert_int_equal(is_there("out"), 0);
    assert_int_equal(interrupted, 0);
    assert_int_equal(is_there("also/a/first"), 1);
    memfs_destroy(fs);
}

/* A backing's records may lie: scan, then falsify. */
static memfs *lying(const char *name, uint32_t nlink)
{
    memfs_backing *backing = NULL;
    memfs *fs = NULL;
    assert_int_equal(memfs_host_scan(at("in"), NULL, &backing, NULL), 0);
    struct memfs_options options = {.size = sizeof options, .backing = backing};
    assert_int_equal(memfs_create(&options, &fs), 0);
    struct memfs_stat stat;
    assert_int_equal(memfs_lstat(fs, NULL, name, &stat), 0);
    struct memfs_node_record *records =
        (struct memfs_node_record *)(uintptr_t)backing->ops->peek(backing, MEMFS_NODES, 0);
    records[(uint32_t)stat.node].nlink = nlink;
    memfs_backing_release(backing);
    return fs;
}

static void test_export__lying_link_counts(void **state)
{
    static const struct {
        const char *name;
        uint32_t nlink;
    } lies[] = {{"one", 2}, {"two", 1}, {"two", 3}, {"one", 0}, {"dir", 3}, {"dir", 1}, {"/", 9}};
    (void)state;
    assert_int_equal(mkdir(at("in"), 0755), 0);
    assert_int_equal(mkdir(at("in/dir"), 0755), 0);
    put_text(at("in/one"), "one");
    put_text(at("in/two"), "two");
    assert_int_equal(link(at("in/two"), at("in/too")), 0);
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        memfs *fs = lying(lies[i].name, lies[i].nlink);
        assert_int_equal(export_to(fs, "out"), MEMFS_ECORRUPT);
        assert_int_equal(is_there("out"), 0); /* found before the first write */
        memfs_destroy(fs);
    }
}

static int select_all(void *context, memfs_node directory, const struct memfs_dirent *entry)
{
    (void)context;
    (void)directory;
    (void)entry;
    return MEMFS_SELECT_ALL;
}

/* Of a selection there may be fewer names than the count says, but not more. */
static void test_export__lying_link_count_of_a_selection(void **state)
{
    (void)state;
    struct memfs_export_options options = {.size = sizeof options, .select = select_all};
    assert_int_equal(mkdir(at("in"), 0755), 0);
    put_text(at("in/one"), "one");
    assert_int_equal(link(at("in/one"), at("in/two")), 0);
    assert_int_equal(link(at("in/one"), at("in/three")), 0);
    memfs *fs = lying("one", 2);
    assert_int_equal(memfs_host_export(fs, at("out"), &options, NULL), MEMFS_ECORRUPT);
    assert_int_equal(is_there("out"), 0);
    memfs_destroy(fs);
    fs = lying("one", 4);
    assert_int_equal(memfs_host_export(fs, at("out"), &options, NULL), 0);
    assert_int_equal(stat_of("out/two").st_nlink, 3);
    memfs_destroy(fs);
}

static void test_export__two_ways_in(void **state)
{
    memfs_backing *backing = NULL;
    memfs *fs = NULL;
    (void)state;
    assert_int_equal(mkdir(at("in"), 0755), 0);
    assert_int_equal(mkdir(at("in/one"), 0755), 0);
    assert_int_equal(mkdir(at("in/two"), 0755), 0);
    assert_int_equal(memfs_host_scan(at("in"), NULL, &backing, NULL), 0);
    struct memfs_entry *entries = (struct memfs_entry *)(uintptr_t)backing->ops->peek(backing, MEMFS_ENTRIES, 0);
    entries[1].node = entries[0].node;
    struct memfs_options options = {.size = sizeof options, .backing = backing};
    assert_int_equal(memfs_create(&options, &fs), 0);
    memfs_backing_release(backing);
    assert_int_equal(export_to(fs, "out"), MEMFS_ECORRUPT);
    assert_int_equal(is_there("out"), 0);
    memfs_destroy(fs);
}

static void expect_zeros_after_text(const char *name)
{
    char byte = 1, text[4];
    int fd = open(at(name), O_RDONLY);
    assert_int_equal(pread(fd, text, 4, 0), 4);
    assert_memory_equal(text, "text", 4);
    assert_int_equal(pread(fd, &byte, 1, (1 << 24) - 1), 1);
    assert_int_equal(byte, 0);
    close(fd);
}

/* The host says where holes are, but the backing counts them as contents. */
static void test_export__sparse_from_host(void **state)
{
    memfs_backing *backing = NULL;
    memfs *fs = NULL;
    (void)state;
    assert_int_equal(mkdir(at("in"), 0755), 0);
    put_text(at("in/tail"), "text");
    assert_int_equal(truncate(at("in/tail"), 1 << 24), 0);
    put_text(at("in/hole"), "");
    assert_int_equal(truncate(at("in/hole"), 1 << 24), 0);
    assert_int_equal(memfs_host_scan(at("in"), NULL, &backing, NULL), 0);
    struct memfs_options options = {.size = sizeof options, .backing = backing};
    assert_int_equal(memfs_create(&options, &fs), 0);
    memfs_backing_release(backing);
    assert_int_equal(export_to(fs, "out"), 0);
    assert_int_equal(stat_of("out/tail").st_size, 1 << 24);
    assert_int_equal(stat_of("out/hole").st_size, 1 << 24);
    assert_true(stat_of("out/tail").st_blocks <= (2 << 20) / 512); /* whole pieces */
    assert_true(stat_of("out/hole").st_blocks < 64);
    expect_zeros_after_text("out/tail");
    memfs_destroy(fs);
}

/* ---- Options ------------------------------------------------------------------------------ */

static void test_export__setuid(void **state)
{
    (void)state;
    memfs *fs = new_fs();
    add_file(fs, "suid", "x", 0755);
    add_file(fs, "sgid", "x", 0755);
    add_dir(fs, "sticky", 0775);
    set_mode(fs, "suid", 04755);
    set_mode(fs, "sgid", 02755);
    set_mode(fs, "sticky", 03775);
    struct problems problems = {0};
    struct memfs_export_options options = {.problem = record_problem, .problem_context = &problems};
    assert_int_equal(export_with(fs, "out", &options, NULL), 0);
    assert_int_equal(stat_of("out/suid").st_mode, S_IFREG | 0755);
    assert_int_equal(stat_of("out/sgid").st_mode, S_IFREG | 0755);
    assert_int_equal(stat_of("out/sticky").st_mode, S_IFDIR | 01775);
    assert_int_equal(problems.count, 3);
    assert_true(has_problem(&problems, "suid", 0) && has_problem(&problems, "sticky", 0));
    problems.answer = 1; /* the caller does not agree */
    assert_int_equal(export_with(fs, "not", &options, NULL), -ECANCELED);
    assert_int_equal(is_there("not"), 0);
    options.problem = NULL;
    options.setuid = 1;
    assert_int_equal(export_with(fs, "with", &options, NULL), 0);
    assert_int_equal(stat_of("with/suid").st_mode, S_IFREG | 04755);
    assert_int_equal(stat_of("with/sgid").st_mode, S_IFREG | 02755);
    assert_int_equal(stat_of("with/sticky").st_mode, S_IFDIR | 03775);
    memfs_destroy(fs);
}

/* Those whose owner or group is not restored would let somebody become another than the image says. */
static void test_export__setuid_of_others(void **state)
{
    (void)state;
    memfs *fs = new_fs();
    struct memfs_setattr user = {.set = MEMFS_SET_UID, .uid = geteuid() + 1};
    struct memfs_setattr group = {.set = MEMFS_SET_GID, .gid = getegid() + 1};
    add_file(fs, "user", "x", 0755);
    assert_int_equal(memfs_setattr(fs, NULL, "user", 0, &user), 0);
    set_mode(fs, "user", 06755);
    add_file(fs, "group", "x", 0755);
    assert_int_equal(memfs_setattr(fs, NULL, "group", 0, &group), 0);
    set_mode(fs, "group", 06755);
    add_file(fs, "plain", "x", 0755);
    assert_int_equal(memfs_setattr(fs, NULL, "plain", 0, &user), 0);
    struct problems problems = {0};
    struct memfs_export_options options = {.problem = record_problem, .problem_context = &problems, .setuid = 1};
    assert_int_equal(export_with(fs, "out", &options, NULL), 0);
    assert_int_equal(stat_of("out/user").st_mode, S_IFREG | 02755);
    assert_int_equal(stat_of("out/group").st_mode, S_IFREG | 04755);
    assert_true(has_problem(&problems, "user", 0) && has_problem(&problems, "group", 0));
    problems.count = 0;
    options.owner = 1; /* which nobody else can set: that is told, too */
    uid_t before = become_nobody();
    int error = export_with(fs, "nobody", &options, NULL);
    assert_int_equal(seteuid(before), 0);
    assert_int_equal(error, 0);
    assert_int_equal(stat_of("nobody/user").st_mode & 04000, 0);
    assert_true(has_problem(&problems, "user", -EPERM));
    memfs_destroy(fs);
}

static void test_export__devices(void **state)
{
    (void)state;
    memfs *fs = new_fs();
    add_node(fs, "null", MEMFS_IFCHR | 0666);
    assert_int_equal(memfs_link(fs, NULL, "null", "nought"), 0);
    struct problems problems = {0};
    struct memfs_export_options options = {.problem = record_problem, .problem_context = &problems};
    assert_int_equal(export_with(fs, "out", &options, NULL), 0);
    assert_int_equal(count_names("out"), 0);
    assert_true(has_problem(&problems, "null", 0) && has_problem(&problems, "nought", 0));
    problems.count = 0;
    options.devices = 1;
    uid_t before = become_nobody();
    int error = export_with(fs, "nobody", &options, NULL);
    assert_int_equal(seteuid(before), 0);
    assert_int_equal(error, 0);
    assert_true(has_problem(&problems, "null", -EPERM));
    if (needs_root() || mknod(at("try"), S_IFBLK | 0600, makedev(1, 3))) {
        memfs_destroy(fs);
        skip();
    }
    assert_int_equal(export_with(fs, "with", &options, NULL), 0);
    assert_int_equal(stat_of("with/null").st_mode, S_IFCHR | 0666);
    assert_int_equal(stat_of("with/null").st_rdev, makedev(1, 3));
    assert_int_equal(stat_of("with/null").st_ino, stat_of("with/nought").st_ino);
    memfs_destroy(fs);
}

static void test_export__owner(void **state)
{
    (void)state;
    memfs *fs = sample();
    struct memfs_setattr set = {.set = MEMFS_SET_UID | MEMFS_SET_GID, .uid = 1234, .gid = 5678};
    static const char *const names[] = {"a", "a/first", "b/link", "b/fifo", "closed"};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(memfs_setattr(fs, NULL, names[i], 0, &set), 0);
    struct problems problems = {0};
    struct memfs_export_options options = {.problem = record_problem, .problem_context = &problems};
    assert_int_equal(export_with(fs, "out", &options, NULL), 0);
    assert_int_equal(problems.count, 1); /* told once for all */
    assert_int_equal(problems.last_error, 0);
    assert_int_equal(stat_of("out/a/first").st_uid, geteuid());
    options.owner = 1;
    options.problem = NULL;
    uid_t before = become_nobody();
    int error = export_with(fs, "nobody", &options, NULL);
    int left = is_there("nobody");
    assert_int_equal(seteuid(before), 0);
    assert_int_equal(error, -EPERM);
    assert_int_equal(left, 0);
    if (needs_root()) {
        memfs_destroy(fs);
        skip();
    }
    assert_int_equal(export_with(fs, "with", &options, NULL), 0);
    for (size_t i = 0; i < 5; i++) {
        char name[64];
        snprintf(name, sizeof name, "with/%s", names[i]);
        assert_int_equal(stat_of(name).st_uid, 1234);
        assert_int_equal(stat_of(name).st_gid, 5678);
    }
    assert_int_equal(stat_of("with/b").st_uid, geteuid());
    set.uid = UINT32_MAX; /* the host has no such number */
    assert_int_equal(memfs_setattr(fs, NULL, "a", 0, &set), 0);
    assert_int_equal(export_with(fs, "extreme", &options, NULL), -EINVAL);
    assert_int_equal(is_there("extreme"), 0);
    memfs_destroy(fs);
}

static void test_export__xattrs(void **state)
{
    char value[3000], back[3000];
    (void)state;
    if (setxattr(fixture_top, "user.memfs", "1", 1, 0)) {
        print_message("no user attributes here: skipped\n");
        skip();
    }
    memset(value, 'v', sizeof value);
    memfs *fs = sample();
    assert_int_equal(memfs_setxattr(fs, NULL, "a/deep", 1, "user.dir", "dir", 3, 0), 0);
    assert_int_equal(memfs_setxattr(fs, NULL, "/", 1, "user.root", "", 0, 0), 0);
    assert_int_equal(memfs_setxattr(fs, NULL, "a/deep/file", 1, "user.large", value, sizeof value, 0), 0);
    assert_int_equal(memfs_setxattr(fs, NULL, "a/deep/file", 1, "trusted.t", "t", 1, 0), 0);
    assert_int_equal(memfs_setxattr(fs, NULL, "link", 0, "trusted.l", "l", 1, 0), 0);
    assert_int_equal(memfs_setxattr(fs, NULL, "fifo", 0, "trusted.f", "f", 1, 0), 0);
    struct problems problems = {0};
    struct memfs_export_options options = {.problem = record_problem, .problem_context = &problems};
    assert_int_equal(export_with(fs, "out", &options, NULL), 0);
    assert_int_equal(problems.count, 3);
    assert_true(has_problem(&problems, "a/deep/file", 0));
    assert_int_equal(getxattr(at("out/a/deep/file"), "user.large", back, sizeof back), sizeof value);
    assert_memory_equal(value, back, sizeof value);
    assert_int_equal(getxattr(at("out/a/deep"), "user.dir", back, sizeof back), 3);
    assert_int_equal(getxattr(at("out"), "user.root", back, sizeof back), 0);
    if (needs_root() || setxattr(fixture_top, "trusted.try", "1", 1, 0)) {
        memfs_destroy(fs);
        skip();
    }
    assert_true(getxattr(at("out/a/deep/file"), "trusted.t", back, sizeof back) < 0);
    options.privileged_xattrs = 1;
    options.problem = NULL;
    assert_int_equal(export_with(fs, "with", &options, NULL), 0);
    assert_int_equal(getxattr(at("with/a/deep/file"), "trusted.t", back, sizeof back), 1);
    assert_int_equal(lgetxattr(at("with/link"), "trusted.l", back, sizeof back), 1);
    assert_int_equal(lgetxattr(at("with/fifo"), "trusted.f", back, sizeof back), 1);
    memfs_destroy(fs);
}

static void test_export__budgets(void **state)
{
    (void)state;
    memfs *fs = sample();
    struct memfs_detail detail = {0};
    struct memfs_export_options options = {.entries_max = 15};
    assert_int_equal(export_with(fs, "out", &options, &detail), -EDQUOT);
    assert_non_null(strstr(detail.text, "budget of entries"));
    options = (struct memfs_export_options){.depth_max = 1};
    assert_int_equal(export_with(fs, "out", &options, &detail), -EDQUOT);
    assert_non_null(strstr(detail.text, "a/deep"));
    options = (struct memfs_export_options){.bytes_max = 15};
    assert_int_equal(export_with(fs, "out", &options, &detail), -EDQUOT);
    assert_int_equal(is_there("out"), 0);
    options = (struct memfs_export_options){.entries_max = 16, .depth_max = 2, .bytes_max = 1 << 20};
    assert_int_equal(export_with(fs, "out", &options, &detail), 0);
    memfs_destroy(fs);
}

/* A size of 0 stands for the whole struct, as everywhere. */
static void test_export__options_without_size(void **state)
{
    (void)state;
    memfs *fs = sample();
    struct memfs_export_options options = {.entries_max = 1};
    assert_int_equal(memfs_host_export(fs, at("out"), &options, NULL), -EDQUOT);
    assert_int_equal(is_there("out"), 0);
    memfs_destroy(fs);
}

static void test_export__mode_mask(void **state)
{
    (void)state;
    memfs *fs = sample();
    add_file(fs, "loose", "", 0666);
    set_mode(fs, "loose", 04666);
    struct memfs_export_options options = {.mode_mask = 0027, .setuid = 1};
    assert_int_equal(export_with(fs, "out", &options, NULL), 0);
    assert_int_equal(stat_of("out").st_mode, S_IFDIR | 0750);
    assert_int_equal(stat_of("out/b").st_mode, S_IFDIR | 01750);
    assert_int_equal(stat_of("out/loose").st_mode, S_IFREG | 04640);
    assert_int_equal(stat_of("out/b/fifo").st_mode, S_IFIFO | 0600);
    memfs_destroy(fs);
}

/* A directory that was there keeps its own attributes unless it is to get the root's. */
static void test_export__found_destination(void **state)
{
    (void)state;
    memfs *fs = sample();
    assert_int_equal(mkdir(at("own"), 0700), 0);
    assert_int_equal(mkdir(at("given"), 0700), 0);
    struct memfs_export_options options = {0};
    assert_int_equal(export_with(fs, "own", &options, NULL), 0);
    assert_int_equal(stat_of("own").st_mode, S_IFDIR | 0700);
    assert_int_not_equal(mtime_of("own"), 777 * SECOND);
    options.root_attributes = 1;
    assert_int_equal(export_with(fs, "given", &options, NULL), 0);
    assert_int_equal(stat_of("given").st_mode, S_IFDIR | 0755);
    assert_int_equal(mtime_of("given"), 777 * SECOND);
    memfs_destroy(fs);
}

/* Attributes are bytes, too: those that are written. */
static void test_export__budget_of_attributes(void **state)
{
    (void)state;
    static const char *const paths[] = {"/", "dir", "dir/file"};
    for (size_t i = 0; i < 3; i++) {
        memfs *fs = new_fs();
        add_dir(fs, "dir", 0755);
        add_file(fs, "dir/file", "1234", 0644);
        assert_int_equal(memfs_setxattr(fs, NULL, paths[i], 0, "user.a", "value", 5, 0), 0);
        assert_int_equal(memfs_setxattr(fs, NULL, paths[i], 0, "trusted.not-asked-for", "value", 5, 0), 0);
        struct memfs_export_options options = {.bytes_max = 4 + 6 + 5 - 1};
        assert_int_equal(export_with(fs, "out", &options, NULL), -EDQUOT);
        assert_int_equal(is_there("out"), 0);
        options.bytes_max++;
        const int error = export_with(fs, "out", &options, NULL);
        assert_true(error == 0 || error == -EOPNOTSUPP); /* which the host decides */
        memfs_destroy(fs);
        assert_int_equal(fixture_teardown(state), 0);
        assert_int_equal(mkdir(fixture_top, 0755), 0);
    }
}

static int make_more(void *context, const struct memfs_made *made)
{
    (void)made;
    memfs_mkdir(context, NULL, "more", 0755); /* the first time */
    return 0;
}

/* What is told at last is a callback, too. */
static void test_export__changed_by_made(void **state)
{
    (void)state;
    memfs *fs = sample();
    struct memfs_export_options options = {.made = make_more, .made_context = fs};
    assert_int_equal(export_with(fs, "out", &options, NULL), -EBUSY);
    assert_int_equal(is_there("out"), 0);
    memfs_destroy(fs);
}

static void *no_memory(void *context, size_t size)
{
    (void)context;
    (void)size;
    return NULL;
}

/* It is filled whatever went wrong. */
static void test_export__failure_without_memory(void **state)
{
    (void)state;
    memfs *fs = sample();
    const struct memfs_allocator allocator = {.alloc = no_memory};
    struct memfs_export_failure failure;
    memset(&failure, 0xAA, sizeof failure);
    failure.size = sizeof failure;
    struct memfs_export_options options = {.allocator = &allocator, .failure = &failure};
    assert_int_equal(export_with(fs, "out", &options, NULL), -ENOMEM);
    assert_int_equal(failure.budget, MEMFS_BUDGET_NONE);
    assert_int_equal(failure.left_behind | failure.left_replaced | failure.too_deep, 0);
    memfs_destroy(fs);
}

struct watched {
    int calls, at;
    mode_t modes; /* that the destination had while it was filled */
};

static int watch_mode(void *context, const struct memfs_progress *progress)
{
    struct watched *watched = context;
    if (progress->nodes > 1)
        watched->modes |= stat_of("out").st_mode & 07777;
    return ++watched->calls == watched->at;
}

/* Nobody else comes into an empty directory that was there, until all is done. */
static void test_export__found_destination_closed(void **state)
{
    (void)state;
    uid_t before = become_nobody();
    memfs *fs = sample();
    assert_int_equal(mkdir(at("out"), 0700), 0);
    assert_int_equal(chmod(at("out"), 01755), 0);
    int error = -ECANCELED;
    for (int n = 1; error; n++) {
        struct watched watched = {.at = n};
        struct memfs_export_options options = {.progress = watch_mode, .progress_context = &watched};
        error = export_with(fs, "out", &options, NULL);
        assert_int_equal(stat_of("out").st_mode, S_IFDIR | 01755);
        assert_int_equal(watched.modes & ~(mode_t)01700, 0);
        assert_true(!error || error == -ECANCELED); /* or it would never end */
        if (error)
            assert_int_equal(count_names("out"), 0);
        else
            assert_int_equal(watched.modes, 01700);
    }
    expect_text("out/a/first", "linked");
    assert_int_equal(seteuid(before), 0);
    memfs_destroy(fs);
}

/* Who is in no group of it would take its setgid bit away for good: then it stays open. */
static void test_export__found_destination_with_setgid(void **state)
{
    static const struct {
        gid_t group;
        mode_t meanwhile;
    } found[] = {{66, 02700}, {77, 02700}, {88, 02755}};
    const gid_t own = getegid(), other = 77;
    char name[32];
    gid_t groups[256];
    const int count = getgroups(256, groups);
    (void)state;
    if (needs_root())
        return;
    memfs *fs = sample();
    for (size_t i = 0; i < sizeof found / sizeof *found; i++) {
        struct watched watched = {0};
        struct memfs_export_options options = {.progress = watch_mode, .progress_context = &watched};
        assert_int_equal(mkdir(at("out"), 0700), 0);
        assert_int_equal(chown(at("out"), 65534, found[i].group), 0);
        assert_int_equal(chmod(at("out"), 02755), 0);
        assert_int_equal(setgroups(1, &other), 0);
        assert_int_equal(setegid(66), 0);
        const uid_t before = become_nobody();
        const int error = export_with(fs, "out", &options, NULL);
        assert_int_equal(seteuid(before), 0);
        assert_int_equal(setegid(own), 0);
        assert_int_equal(setgroups((size_t)count, groups), 0);
        assert_int_equal(error, 0);
        assert_int_equal(watched.modes, found[i].meanwhile);
        assert_int_equal(stat_of("out").st_mode, S_IFDIR | 02755);
        snprintf(name, sizeof name, "out%zu", i);
        assert_int_equal(rename(at("out"), at(name)), 0);
    }
    memfs_destroy(fs);
}

static int keep_last(void *context, const struct memfs_progress *progress)
{
    *(struct memfs_progress *)context = *progress;
    return 0;
}

/* Nodes are counted, not names: what is done is all there was. */
static void test_export__progress(void **state)
{
    (void)state;
    memfs *fs = sample();
    struct memfs_progress last = {0};
    struct memfs_export_options options = {.progress = keep_last, .progress_context = &last};
    assert_int_equal(export_with(fs, "out", &options, NULL), 0);
    assert_int_equal(last.nodes_total, 13);
    assert_int_equal(last.nodes, last.nodes_total);
    assert_int_equal(last.bytes_total, 16); /* "deep", "linked", "inside" */
    assert_int_equal(last.bytes, last.bytes_total);
    memfs_destroy(fs);
}

/* What an image's maker chose and the host does not take can be left out, one by one. */
static void test_export__refused_xattrs(void **state)
{
    (void)state;
    if (setxattr(fixture_top, "user.memfs", "1", 1, 0)) {
        print_message("no user attributes here: skipped\n");
        skip();
    }
    memfs *fs = sample();
    assert_int_equal(memfs_setxattr(fs, NULL, "third", 1, "user.good", "1", 1, 0), 0);
    assert_int_equal(memfs_setxattr(fs, NULL, "empty", 1, "trusted.not", "1", 1, 0), 0);
    uid_t before = become_nobody();
    struct problems problems = {0};
    struct memfs_export_options options = {
        .problem = record_problem, .problem_context = &problems, .privileged_xattrs = 1};
    int error = export_with(fs, "out", &options, NULL);
    char value[4];
    ssize_t good = getxattr(at("out/third"), "user.good", value, sizeof value);
    int kept = is_there("out/empty");
    struct problems told = problems;
    problems.answer = 1;
    int other = export_with(fs, "not", &options, NULL);
    assert_int_equal(seteuid(before), 0);
    assert_int_equal(error, 0);
    assert_true(has_problem(&told, "empty", -EPERM));
    assert_int_equal(told.last_kind, MEMFS_PROBLEM_XATTR);
    assert_non_null(strstr(told.last_text, "trusted.not"));
    assert_int_equal(good, 1);
    assert_int_equal(kept, 1);
    assert_true(other < 0);
    assert_int_equal(is_there("not"), 0);
    memfs_destroy(fs);
}

static void test_export__texts(void **state)
{
    static const struct {
        const char *name, *text;
    } cases[] = {
        {"no/where", "no/where: cannot be made: no such file or directory; make its parent directory first"},
        {"file/below", "file/below: cannot be made: not a directory; "},
        {"file", "file: is there already: not a directory; "},
        {"link", "link: is a symbolic link: "},
        {"full", "full: has things in it: directory not empty; "},
    };
    (void)state;
    memfs *fs = sample();
    assert_int_equal(mkdir(at("full"), 0700), 0);
    put_text(at("full/file"), "mine");
    put_text(at("file"), "file");
    assert_int_equal(symlink("full", at("link")), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct memfs_detail detail = {0};
        struct memfs_export_options options = {0};
        assert_true(export_with(fs, cases[i].name, &options, &detail) < 0);
        if (!strcasestr(detail.text, cases[i].text))
            print_message("%s\n", detail.text);
        assert_non_null(strcasestr(detail.text, cases[i].text));
    }
    memfs_destroy(fs);
}

/* ---- Failures --------------------------------------------------------------------------------- */

struct cancelling {
    int calls, at;
};

static int cancel_at(void *context, const struct memfs_progress *progress)
{
    struct cancelling *cancelling = context;
    assert_true(!progress->nodes_total || progress->nodes <= progress->nodes_total);
    return ++cancelling->calls == cancelling->at;
}

static void test_export__cancelled_anywhere(void **state)
{
    (void)state;
    uid_t before = become_nobody(); /* closed directories must be opened to be removed */
    memfs *fs = sample();
    int descriptors = count_descriptors(), error = -ECANCELED;
    for (int n = 1; error; n++) {
        struct cancelling cancelling = {.at = n};
        struct memfs_export_options options = {.progress = cancel_at, .progress_context = &cancelling};
        struct memfs_detail detail = {0};
        error = export_with(fs, "out", &options, &detail);
        if (error) {
            assert_int_equal(error, -ECANCELED);
            if (is_there("out"))
                print_message("cancelled at call %d: %s\n", n, detail.text);
            assert_int_equal(is_there("out"), 0);
        } else {
            assert_true(n > 20);
        }
        assert_int_equal(count_descriptors(), descriptors);
    }
    assert_int_equal(seteuid(before), 0);
    memfs_destroy(fs);
}

/* The attributes of a destination that was there are set last of all. */
static void test_export__found_destination_restored(void **state)
{
    (void)state;
    uid_t before = become_nobody();
    memfs *fs = new_fs();
    add_file(fs, "file", "text", 0644);
    set_mode(fs, "/", 0555);
    struct memfs_setattr set = {.set = MEMFS_SET_UID, .uid = 77};
    assert_int_equal(memfs_setattr(fs, NULL, "/", 1, &set), 0);
    assert_int_equal(mkdir(at("out"), 0750), 0);
    struct memfs_export_options options = {.owner = 1, .root_attributes = 1}; /* which nobody may not */
    struct memfs_detail detail = {0};
    int error = export_with(fs, "out", &options, &detail);
    struct stat stat = stat_of("out");
    int names = count_names("out");
    assert_int_equal(seteuid(before), 0);
    assert_int_equal(error, -EPERM);
    assert_non_null(strstr(detail.text, "owner"));
    assert_int_equal(stat.st_mode, S_IFDIR | 0750);
    assert_int_equal(names, 0);
    memfs_destroy(fs);
}

static void test_export__failing_allocations(void **state)
{
    (void)state;
    memfs *fs = sample();
    int descriptors = count_descriptors();
    for (int for_ever = 0; for_ever < 2; for_ever++) {
        int error = -ENOMEM;
        for (long n = 1; error; n++) {
            struct failing failing = {.fail_at = n, .for_ever = for_ever};
            struct memfs_allocator allocator = {failing_alloc, failing_free, &failing};
            struct memfs_export_options options = {.allocator = &allocator};
            error = export_with(fs, "out", &options, NULL);
            assert_int_equal(failing.live, 0);
            assert_int_equal(count_descriptors(), descriptors);
            if (error) {
                assert_int_equal(error, -ENOMEM);
                assert_true(failing.failed > 0);
                assert_int_equal(is_there("out"), 0);
            } else {
                assert_int_equal(failing.failed, 0);
            }
        }
        expect_sample(0);
        assert_int_equal(fixture_teardown(state), 0);
        assert_int_equal(mkdir(fixture_top, 0755), 0);
    }
    memfs_destroy(fs);
}

/* As when the disk is full: writing fails in the middle of a file. */
static void test_export__host_refuses(void **state)
{
    char *bytes = calloc(1, 300000);
    (void)state;
    memset(bytes, 'b', 299999);
    memfs *fs = sample();
    add_file(fs, "b/large", bytes, 0600);
    free(bytes);
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 200000;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    struct memfs_detail detail = {0};
    struct problems problems = {0};
    struct memfs_export_options options = {0};
    int error = export_with(fs, "out", &options, &detail);
    int left = is_there("out");
    options.problem = record_problem;
    options.problem_context = &problems;
    int second = export_with(fs, "some", &options, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(error, -EFBIG);
    assert_non_null(strstr(detail.text, "b/large"));
    assert_int_equal(left, 0);
    assert_int_equal(second, 0);
    assert_true(has_problem(&problems, "b/large", -EFBIG));
    assert_int_equal(is_there("some/b/large"), 0); /* not half a file */
    expect_text("some/a/first", "linked");
    memfs_destroy(fs);
}

static void limit_descriptors(rlim_t most, struct rlimit *before)
{
    assert_int_equal(getrlimit(RLIMIT_NOFILE, before), 0);
    struct rlimit small = *before;
    small.rlim_cur = most < before->rlim_max ? most : before->rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &small), 0);
}

/* A destination that was made and cannot be opened does not stay behind. */
static void test_export__unopenable_destination(void **state)
{
    (void)state;
    memfs *fs = sample();
    uid_t user = become_nobody();
    mode_t mask = umask(0777);
    int error = export_to(fs, "out"), left = is_there("out");
    umask(mask);
    assert_int_equal(seteuid(user), 0);
    assert_int_equal(error, -EACCES);
    assert_int_equal(left, 0);
    struct rlimit before;
    int descriptors = count_descriptors(), next = dup(0);
    assert_true(next >= 0);
    close(next);
    assert_int_equal(mkdir(at("found"), 0755), 0);
    for (int n = 1; error; n++) {
        limit_descriptors((rlim_t)(next + n), &before);
        error = export_to(fs, "out");
        left = is_there("out");
        int other = export_to(fs, "found");
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_in_range(n, 1, 12);
        assert_int_equal(count_descriptors(), descriptors);
        assert_int_equal(other, error);
        assert_int_equal(stat_of("found").st_mode, S_IFDIR | 0755);
        if (error) {
            assert_true(error == -EMFILE || error == -EACCES);
            assert_int_equal(left, 0);
            assert_int_equal(count_names("found"), 0);
        }
    }
    expect_text("found/a/deep/file", "deep");
    memfs_destroy(fs);
}

struct changing {
    memfs *fs;
    const char *removed; /* else something is made */
    int calls, at;
};

static int change(void *context, const struct memfs_progress *progress)
{
    struct changing *changing = context;
    (void)progress;
    if (++changing->calls != changing->at)
        return 0;
    if (changing->removed)
        assert_int_equal(memfs_unlink(changing->fs, NULL, changing->removed), 0);
    else
        add_file(changing->fs, "new", "new", 0644);
    return 0;
}

/* Whenever it changes, that is what is said, and not that it is damaged. */
static void test_export__changed_meanwhile(void **state)
{
    static const char *const removed[] = {NULL, "third", "b/second", "a/deep/file", "link"};
    (void)state;
    for (size_t i = 0; i < sizeof removed / sizeof removed[0]; i++) {
        int hits = 0;
        for (int n = 1;; n++) {
            memfs *fs = sample();
            struct changing changing = {.fs = fs, .removed = removed[i], .at = n};
            struct memfs_detail detail = {0};
            struct memfs_export_options options = {.progress = change, .progress_context = &changing};
            int error = export_with(fs, "out", &options, &detail);
            memfs_destroy(fs);
            if (changing.calls < n) {
                assert_int_equal(error, 0);
                break;
            }
            hits++;
            assert_int_equal(error, -EBUSY);
            assert_int_equal(detail.error, -EBUSY);
            assert_int_equal(is_there("out"), 0);
        }
        assert_true(hits > 20);
        assert_int_equal(fixture_teardown(state), 0);
        assert_int_equal(mkdir(fixture_top, 0755), 0);
    }
}

/* An ACL: user::rwx user:1:rwx group::r-x mask::rwx other::r-x. */
static const unsigned char acl[] = {2, 0, 0,   0,   1,   0,   7,  0, 255, 255, 255, 255, 2,   0,  7,
                                    0, 1, 0,   0,   0,   4,   0,  5, 0,   255, 255, 255, 255, 16, 0,
                                    7, 0, 255, 255, 255, 255, 32, 0, 5,   0,   255, 255, 255, 255};

static void test_export__inherited_acl(void **state)
{
    static const char *const names[] = {"up/out", "up/out/a", "up/out/a/first", "up/out/b/fifo", "up/out/empty"};
    char value[256];
    (void)state;
    assert_int_equal(mkdir(at("up"), 0755), 0);
    if (setxattr(at("up"), "system.posix_acl_default", acl, sizeof acl, 0)) {
        print_message("no ACLs here: skipped\n");
        skip();
    }
    memfs *fs = sample();
    struct memfs_export_options options = {0};
    assert_int_equal(export_with(fs, "up/plain", &options, NULL), 0);
    assert_true(getxattr(at("up/plain/a"), "system.posix_acl_access", value, sizeof value) >
                0); /* the host's default */
    options.privileged_xattrs = 1;
    assert_int_equal(export_with(fs, "up/out", &options, NULL), 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(getxattr(at(names[i]), "system.posix_acl_access", value, sizeof value), -1);
        assert_int_equal(getxattr(at(names[i]), "system.posix_acl_default", value, sizeof value), -1);
    }
    assert_int_equal(stat_of("up/out/a/first").st_mode, S_IFREG | 0640);
    memfs_destroy(fs);
}

/* The group of a file without its ACL does not get what that gave others. */
static void test_export__acl_left_out(void **state)
{
    (void)state;
    memfs *fs = new_fs();
    add_file(fs, "file", "x", 0705);
    add_dir(fs, "dir", 0705);
    assert_int_equal(memfs_setxattr(fs, NULL, "file", 0, "system.posix_acl_access", acl, sizeof acl, 0), 0);
    assert_int_equal(memfs_setxattr(fs, NULL, "dir", 0, "system.posix_acl_access", acl, sizeof acl, 0), 0);
    struct memfs_export_options options = {0};
    assert_int_equal(export_with(fs, "out", &options, NULL), 0);
    assert_int_equal(stat_of("out/file").st_mode, S_IFREG | 0755);
    assert_int_equal(stat_of("out/dir").st_mode, S_IFDIR | 0755);
    options.privileged_xattrs = 1;
    int error = export_with(fs, "with", &options, NULL);
    memfs_destroy(fs);
    if (error == -EOPNOTSUPP) {
        print_message("no ACLs here: skipped\n");
        skip();
    }
    assert_int_equal(error, 0);
    assert_int_equal(stat_of("with/file").st_mode, S_IFREG | 0775);
    assert_int_equal(stat_of("with/dir").st_mode, S_IFDIR | 0775);
}

static void test_export__source_vanished(void **state)
{
    (void)state;
    memfs_backing *backing = NULL;
    memfs *fs = NULL;
    assert_int_equal(mkdir(at("in"), 0755), 0);
    put_text(at("in/gone"), "gone");
    put_text(at("in/here"), "here");
    assert_int_equal(memfs_host_scan(at("in"), NULL, &backing, NULL), 0);
    struct memfs_options fs_options = {.size = sizeof fs_options, .backing = backing};
    assert_int_equal(memfs_create(&fs_options, &fs), 0);
    memfs_backing_release(backing);
    assert_int_equal(unlink(at("in/gone")), 0);
    assert_int_equal(export_to(fs, "out"), -ENOENT);
    assert_int_equal(is_there("out"), 0);
    struct problems problems = {0};
    struct memfs_export_options options = {.problem = record_problem, .problem_context = &problems};
    assert_int_equal(export_with(fs, "out", &options, NULL), 0);
    assert_int_equal(problems.count, 1);
    assert_true(has_problem(&problems, "gone", -ENOENT));
    assert_int_equal(is_there("out/gone"), 0);
    expect_text("out/here", "here");
    memfs_destroy(fs);
}

/* ---- Depth --------------------------------------------------------------------------------------- */

#define DEPTH 5000

static memfs *deep(void)
{
    memfs *fs = new_fs();
    char name[256];
    memfs_node dir = MEMFS_ROOT, below = 0;
    memset(name, 'n', 255);
    name[255] = '\0';
    for (int i = 0; i < DEPTH; i++) {
        assert_int_equal(memfs_node_mkdir(fs, NULL, dir, name, 0755, &below), 0);
        memfs_node_forget(fs, dir, dir == MEMFS_ROOT ? 0 : 1);
        dir = below;
        if (i % 100 == 0)
            assert_int_equal(memfs_node_create(fs, NULL, dir, "file", 0644, NULL), 0);
    }
    memfs_node file = 0;
    assert_int_equal(memfs_node_create(fs, NULL, dir, "last", 0644, &file), 0);
    assert_int_equal(memfs_node_link(fs, NULL, file, MEMFS_ROOT, "top"), 0);
    memfs_node_forget(fs, file, 1);
    memfs_node_forget(fs, dir, 1);
    return fs;
}

static int descriptors_most;
static int watch_descriptors(void *context, const struct memfs_progress *progress)
{
    uint64_t *stop = context;
    int now = progress->nodes % 256 ? 0 : count_descriptors();
    descriptors_most = now > descriptors_most ? now : descriptors_most;
    return *stop && progress->nodes >= *stop;
}

static void test_export__deep(void **state)
{
    (void)state;
    memfs *fs = deep();
    int before = count_descriptors();
    uint64_t stop = 500;
    struct memfs_export_options options = {.progress = watch_descriptors, .progress_context = &stop};
    assert_int_equal(export_with(fs, "out", &options, NULL), -ECANCELED);
    assert_int_equal(is_there("out"), 0);
    stop = 0;
    assert_int_equal(export_with(fs, "out", &options, NULL), 0);
    assert_true(descriptors_most > before && descriptors_most < before + 90);
    assert_int_equal(count_descriptors(), before);
    assert_int_equal(stat_of("out/top").st_nlink, 2);
    memfs_destroy(fs);
    memfs_backing *backing = NULL;
    assert_int_equal(memfs_host_scan(at("out"), NULL, &backing, NULL), 0);
    assert_int_equal(backing->nodes_in_use, 1 + DEPTH + DEPTH / 100 + 1);
    memfs_backing_release(backing);
}

/* The way down is held by as many descriptors as there are. Too few are an
 * error, and never a reason to leave out a file. */
static void test_export__few_descriptors(void **state)
{
    (void)state;
    memfs *fs = new_fs();
    char path[256] = "d";
    for (int i = 0; i < 30; i++, strcat(path, "/d"))
        add_dir(fs, path, 0755);
    strcat(path, "f");
    add_file(fs, path, "text", 0644);
    assert_int_equal(memfs_link(fs, NULL, path, "top"), 0);
    add_symlink(fs, "link", "top");
    int descriptors = count_descriptors(), next = dup(0), error = -EMFILE, scanned = -EMFILE, n = 1;
    assert_true(next >= 0);
    close(next);
    for (; error || scanned; n++) {
        struct problems problems = {0};
        struct rlimit before;
        memfs_backing *backing = NULL;
        struct memfs_export_options options = {.problem = record_problem, .problem_context = &problems};
        struct memfs_scan_options scanning = {
            .size = sizeof scanning, .problem = record_problem, .problem_context = &problems};
        limit_descriptors((rlim_t)(next + n), &before);
        if (error)
            error = export_with(fs, "out", &options, NULL);
        scanned = error ? -EMFILE : memfs_host_scan(at("out"), &scanning, &backing, NULL);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_int_equal(problems.count, 0);
        assert_true(!error || error == -EMFILE);
        assert_true(!scanned || scanned == -EMFILE);
        assert_int_equal(is_there("out"), !error);
        memfs_backing_release(backing);
        assert_int_equal(count_descriptors(), descriptors);
    }
    assert_in_range(n, 4, 12);
    assert_int_equal(stat_of("out/top").st_nlink, 2);
    memfs_destroy(fs);
}

#define CASE(name) cmocka_unit_test_setup_teardown(test_export__##name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(everything),
        CASE(as_nobody),
        CASE(scanned_again),
        CASE(sparse),
        CASE(large_file),
        CASE(destinations),
        CASE(into_dot),
        CASE(into),
        CASE(into_existing_names),
        CASE(left_out_by_caller),
        CASE(exchanged_directory),
        CASE(exchanged_for_directory),
        CASE(exchanged_while_made),
        CASE(exchanged_for_link),
        CASE(exchanged_for_device),
        CASE(made_by_caller),
        CASE(exchanged_first_name),
        CASE(planted_symlink),
        CASE(two_ways_in),
        CASE(sparse_from_host),
        CASE(foreign_file),
        CASE(close_fails),
        CASE(lying_link_counts),
        CASE(lying_link_count_of_a_selection),
        CASE(setuid),
        CASE(changed_by_made),
        CASE(budget_of_attributes),
        CASE(failure_without_memory),
        CASE(setuid_of_others),
        CASE(devices),
        CASE(owner),
        CASE(xattrs),
        CASE(options_without_size),
        CASE(mode_mask),
        CASE(found_destination),
        CASE(progress),
        CASE(refused_xattrs),
        CASE(texts),
        CASE(budgets),
        CASE(cancelled_anywhere),
        CASE(found_destination_restored),
        CASE(found_destination_closed),
        CASE(found_destination_with_setgid),
        CASE(unopenable_destination),
        CASE(changed_meanwhile),
        CASE(inherited_acl),
        CASE(acl_left_out),
        CASE(few_descriptors),
        CASE(failing_allocations),
        CASE(host_refuses),
        CASE(source_vanished),
        cmocka_unit_test_setup_teardown(test_export__deep, fixture_setup_in_memory, fixture_teardown),
    };
    return cmocka_run_group_tests_name("host_export", tests, NULL, NULL);
}
