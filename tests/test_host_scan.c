#define _GNU_SOURCE
#include "backing.h"
#include "host_fixture.h"

#include <linux/magic.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

/* ---- Looking into a backing ------------------------------------------------ */

static const struct memfs_node_record *node_of(memfs_backing *backing, uint32_t number)
{
    assert_true(number && number < backing->count[MEMFS_NODES]);
    const struct memfs_node_record *chunk = backing->ops->peek(backing, MEMFS_NODES, number >> MEMFS_CHUNK_SHIFT);
    assert_non_null(chunk);
    return &chunk[number & (MEMFS_CHUNK_RECORDS - 1)];
}

static const struct memfs_entry *entry_of(memfs_backing *backing, uint32_t number, const char **name)
{
    assert_true(number < backing->count[MEMFS_ENTRIES]);
    const struct memfs_entry *chunk = backing->ops->peek(backing, MEMFS_ENTRIES, number >> MEMFS_CHUNK_SHIFT);
    assert_non_null(chunk);
    const struct memfs_entry *entry = &chunk[number & (MEMFS_CHUNK_RECORDS - 1)];
    *name = memfs_entry_name(chunk, entry);
    return entry;
}

static const char *blob(memfs_backing *backing, uint64_t offset)
{
    const char *chunk = backing->ops->peek(backing, MEMFS_BLOBS, offset >> MEMFS_BLOBS_SHIFT);
    assert_non_null(chunk);
    return chunk + (offset & (MEMFS_BLOB_BYTES - 1));
}

/* The number of a path's node, 0 if there is none. */
static uint32_t find(memfs_backing *backing, const char *path)
{
    uint32_t number = 1;
    while (*path) {
        size_t length = strcspn(path, "/");
        const struct memfs_node_record *node = node_of(backing, number);
        uint32_t found = 0;
        for (uint32_t i = 0; i < node->run.count; i++) {
            const char *name = NULL;
            const struct memfs_entry *entry = entry_of(backing, node->run.first + i, &name);
            if (entry->length == length && !memcmp(name, path, length))
                found = entry->node;
        }
        if (!found)
            return 0;
        number = found;
        path += length + (path[length] == '/');
    }
    return number;
}

static const struct memfs_node_record *node_at(memfs_backing *backing, const char *path)
{
    return node_of(backing, find(backing, path));
}

static const struct memfs_extent *extent_at(memfs_backing *backing, const char *path)
{
    const struct memfs_node_record *node = node_at(backing, path);
    assert_int_equal(node->extents.count, 1);
    uint32_t number = node->extents.first;
    const struct memfs_extent *chunk = backing->ops->peek(backing, MEMFS_EXTENTS, number >> MEMFS_CHUNK_SHIFT);
    return &chunk[number & (MEMFS_CHUNK_RECORDS - 1)];
}

static int read_at(memfs_backing *backing, const char *path, uint64_t start, void *buffer, size_t length)
{
    return backing->ops->read(backing, extent_at(backing, path)->block, start, buffer, length);
}

static unsigned scan_threads; /* of all scans that do not say how many */

static struct memfs_scan_options with_threads(const struct memfs_scan_options *options)
{
    struct memfs_scan_options chosen = {0};
    if (options)
        chosen = *options;
    if (!chosen.threads)
        chosen.threads = scan_threads;
    return chosen;
}

static int host_scan(const char *path, const struct memfs_scan_options *options, memfs_backing **out,
                     struct memfs_detail *detail)
{
    const struct memfs_scan_options chosen = with_threads(options);
    return memfs_host_scan(path, &chosen, out, detail);
}

static int host_scan_list(const struct memfs_scan_source *sources, size_t count,
                          const struct memfs_scan_options *options, memfs_backing **out, struct memfs_detail *detail)
{
    const struct memfs_scan_options chosen = with_threads(options);
    return memfs_host_scan_list(sources, count, &chosen, out, detail);
}

static memfs_backing *scan_with(struct memfs_scan_options *options)
{
    memfs_backing *backing = NULL;
    struct memfs_detail detail = {0};
    options->size = sizeof *options;
    int error = host_scan(fixture_top, options, &backing, &detail);
    if (error)
        print_message("%s\n", detail.text);
    assert_int_equal(error, 0);
    return backing;
}

static memfs_backing *scan(void)
{
    struct memfs_scan_options options = {0};
    return scan_with(&options);
}

/* What libmemfs demands of every backing. */
static void check_chunks(memfs_backing *backing)
{
    static const enum memfs_table tables[] = {MEMFS_NODES, MEMFS_ENTRIES, MEMFS_EXTENTS, MEMFS_XATTRS};
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
        uint64_t count = backing->count[tables[t]];
        for (uint64_t first = 0; first < count; first += MEMFS_CHUNK_RECORDS) {
            size_t here = count - first < MEMFS_CHUNK_RECORDS ? (size_t)(count - first) : MEMFS_CHUNK_RECORDS;
            size_t bytes = 0;
            struct memfs_detail detail = {0};
            struct memfs_pin pin = {0};
            assert_int_equal(backing->ops->load(backing, tables[t], first >> MEMFS_CHUNK_SHIFT, &pin), 0);
            const void *chunk = backing->ops->peek(backing, tables[t], first >> MEMFS_CHUNK_SHIFT);
            if (tables[t] == MEMFS_ENTRIES) {
                const struct memfs_entry *last = (const struct memfs_entry *)chunk + here - 1;
                bytes = last->name + last->length;
            }
            int error = memfs_check_chunk(backing, tables[t], first >> MEMFS_CHUNK_SHIFT, chunk, here, bytes, &detail);
            if (error)
                print_message("%s\n", detail.text);
            assert_int_equal(error, 0);
            backing->ops->unpin(backing, &pin);
        }
    }
}

/* ---- Names and numbers ------------------------------------------------------ */

static void test_scan__path_order(void **state)
{
    (void)state;
    assert_int_equal(mkdir(at("b"), 0755), 0);
    assert_int_equal(mkdir(at("b/d"), 0755), 0);
    assert_int_equal(mkdir(at("a"), 0755), 0);
    put_text(at("b/e"), "e");
    put_text(at("b/d/x"), "x");
    put_text(at("a/\xff"), "f");
    put_text(at("a/longer-name"), "g");
    put_text(at("a/longer"), "g");
    put_text(at("c"), "");
    memfs_backing *backing = scan();
    check_chunks(backing);
    assert_int_equal(find(backing, "a"), 2);
    assert_int_equal(find(backing, "b"), 3);
    assert_int_equal(find(backing, "c"), 4);
    assert_int_equal(find(backing, "a/longer"), 5);
    assert_int_equal(find(backing, "a/longer-name"), 6);
    assert_int_equal(find(backing, "a/\xff"), 7);
    assert_int_equal(find(backing, "b/d"), 8);
    assert_int_equal(find(backing, "b/e"), 9);
    assert_int_equal(find(backing, "b/d/x"), 10);
    assert_int_equal(backing->nodes_in_use, 10);
    assert_int_equal(backing->count[MEMFS_DIGESTS], 0);
    assert_int_equal(node_at(backing, "")->nlink, 4);
    assert_int_equal(node_at(backing, "b")->nlink, 3);
    assert_int_equal(node_at(backing, "b/d")->up.parent, 3);
    assert_int_equal(node_at(backing, "c")->extents.count, 0);
    assert_int_equal(extent_at(backing, "a/longer")->block, 0);
    memfs_backing_release(backing);
}

static void test_scan__many_entries(void **state)
{
    char name[64];
    (void)state;
    for (int i = 0; i < 1500; i++) {
        snprintf(name, sizeof name, "file-%d-with-a-name", (i * 7919) % 1500);
        put_text(at(name), i % 3 ? "text" : "");
    }
    memfs_backing *backing = scan();
    check_chunks(backing);
    assert_int_equal(backing->count[MEMFS_ENTRIES], 1500);
    assert_int_equal(node_at(backing, "")->run.count, 1500);
    assert_int_equal(backing->blocks, 1000);
    for (int i = 0; i < 1500; i += 37) {
        snprintf(name, sizeof name, "file-%d-with-a-name", i);
        assert_true(find(backing, name));
    }
    memfs_backing_release(backing);
}

static void test_scan__empty_directory(void **state)
{
    (void)state;
    memfs_backing *backing = scan();
    check_chunks(backing);
    assert_int_equal(backing->count[MEMFS_NODES], 2);
    assert_int_equal(backing->count[MEMFS_ENTRIES], 0);
    assert_int_equal(node_of(backing, 1)->nlink, 2);
    assert_null(backing->ops->peek(backing, MEMFS_ENTRIES, 0));
    memfs_backing_release(backing);
}

static void test_scan__types_and_attributes(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char target[4096];
    (void)state;
    put_file(at("file"), "contents", 8, 06751);
    put_mtime(at("file"), -1500000000LL);
    assert_int_equal(mkfifo(at("fifo"), 0600), 0);
    memset(target, 't', 4095);
    target[4095] = '\0';
    assert_int_equal(symlink(target, at("link")), 0);
    put_mtime(at("link"), 123456789012345678LL);
    assert_int_equal(mkdir(at("dir"), 0700), 0);
    assert_int_equal(chmod(at("dir"), 01777), 0);
    put_mtime(at("dir"), 5000000000000000001LL);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", at("socket"));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
    memfs_backing *backing = scan();
    check_chunks(backing);
    assert_int_equal(node_at(backing, "file")->mode, 0106751);
    assert_int_equal(node_at(backing, "file")->size, 8);
    assert_int_equal(node_at(backing, "file")->mtime, -1500000000LL);
    assert_int_equal(node_at(backing, "file")->uid, geteuid());
    assert_int_equal(node_at(backing, "fifo")->mode, 0010600);
    assert_int_equal(node_at(backing, "socket")->mode >> 12, 0140000 >> 12);
    assert_int_equal(node_at(backing, "link")->size, 4095);
    assert_int_equal(node_at(backing, "link")->mtime, 123456789012345678LL);
    assert_memory_equal(blob(backing, node_at(backing, "link")->target), target, 4095);
    assert_int_equal(node_at(backing, "dir")->mode, 0041777);
    assert_int_equal(node_at(backing, "dir")->mtime, 5000000000000000001LL);
    memfs_backing_release(backing);
}

static void test_scan__devices(void **state)
{
    (void)state;
    if (needs_root() || mknod(at("whiteout"), S_IFCHR | 0600, makedev(0, 0)))
        skip();
    if (mknod(at("char"), S_IFCHR | 0600, makedev(5, 3000)) || mknod(at("block"), S_IFBLK | 0600, makedev(259, 7)))
        skip();
    memfs_backing *backing = scan();
    check_chunks(backing);
    assert_int_equal(node_at(backing, "char")->mode, 0020600);
    assert_int_equal(node_at(backing, "char")->rdev.major, 5);
    assert_int_equal(node_at(backing, "char")->rdev.minor, 3000);
    assert_int_equal(node_at(backing, "block")->rdev.major, 259);
    assert_int_equal(node_at(backing, "whiteout")->rdev.major, 0);
    memfs_backing_release(backing);
}

static void test_scan__hard_links(void **state)
{
    (void)state;
    assert_int_equal(mkdir(at("in"), 0755), 0);
    put_text(at("a"), "linked");
    assert_int_equal(link(at("a"), at("in/b")), 0);
    assert_int_equal(symlink("target", at("s1")), 0);
    assert_int_equal(link(at("s1"), at("s2")), 0);
    assert_int_equal(mkfifo(at("f1"), 0600), 0);
    assert_int_equal(link(at("f1"), at("in/f2")), 0);
    put_text(at("out"), "out");
    assert_int_equal(link(at("out"), at("in/out")), 0);
    memfs_backing *backing = scan();
    check_chunks(backing);
    assert_int_equal(find(backing, "a"), find(backing, "in/b"));
    assert_int_equal(node_at(backing, "a")->nlink, 2);
    assert_int_equal(find(backing, "s1"), find(backing, "s2"));
    assert_int_equal(node_at(backing, "s1")->nlink, 2);
    assert_int_equal(find(backing, "f1"), find(backing, "in/f2"));
    memfs_backing_release(backing);

    struct memfs_scan_options options = {.size = sizeof options};
    assert_int_equal(host_scan(at("in"), &options, &backing, NULL), 0);
    assert_int_equal(node_at(backing, "b")->nlink, 1); /* the other name is outside */
    memfs_backing_release(backing);
}

static int has_xattrs(void)
{
    if (!setxattr(fixture_top, "user.memfs", "1", 1, 0) && !removexattr(fixture_top, "user.memfs"))
        return 1;
    print_message("no user attributes here: skipped\n");
    return 0;
}

static void test_scan__xattrs(void **state)
{
    char large[3000];
    (void)state;
    if (!has_xattrs())
        skip();
    memset(large, 'L', sizeof large);
    put_text(at("a"), "a");
    put_text(at("b"), "b");
    put_text(at("c"), "c");
    assert_int_equal(mkdir(at("d"), 0755), 0);
    assert_int_equal(setxattr(fixture_top, "user.root", "r", 1, 0), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(setxattr(at(i ? "a" : "b"), "user.z", "same", 4, 0), 0);
        assert_int_equal(setxattr(at(i ? "a" : "b"), "user.empty", "", 0, 0), 0);
    }
    assert_int_equal(setxattr(at("c"), "user.large", large, sizeof large, 0), 0);
    assert_int_equal(setxattr(at("d"), "user.z", "same", 4, 0), 0);
    if (geteuid() == 0) /* others need permission to read, but root needs not even that */
        assert_int_equal(chmod(at("c"), 0000), 0);
    int trusted = !setxattr(at("c"), "trusted.t", "t", 1, 0);
    assert_int_equal(mkfifo(at("fifo"), 0600), 0);
    assert_int_equal(symlink("nowhere", at("link")), 0);
    int special =
        trusted && !lsetxattr(at("fifo"), "trusted.t", "t", 1, 0) && !lsetxattr(at("link"), "trusted.t", "t", 1, 0);
    memfs_backing *backing = scan();
    check_chunks(backing);
    assert_int_equal(node_at(backing, "a")->xattrs, node_at(backing, "b")->xattrs);
    const struct memfs_xattr *set = backing->ops->peek(backing, MEMFS_XATTRS, 0);
    set += node_at(backing, "a")->xattrs - 1;
    assert_int_equal(set[0].name_length, 10);
    assert_memory_equal(blob(backing, set[0].name), "user.empty", 10);
    assert_int_equal(set[0].value_length, 0);
    assert_int_equal(set[0].value, 0);
    assert_int_equal(set[0].last, 0);
    assert_memory_equal(blob(backing, set[1].value), "same", 4);
    assert_int_equal(set[1].last, 1);
    assert_true(node_at(backing, "")->xattrs && node_at(backing, "c")->xattrs && node_at(backing, "d")->xattrs);
    if (special) {
        assert_true(node_at(backing, "fifo")->xattrs);
        assert_int_equal(node_at(backing, "fifo")->xattrs, node_at(backing, "link")->xattrs);
    }
    memfs_backing_release(backing);

    struct memfs_scan_options options = {.no_xattrs = 1};
    backing = scan_with(&options);
    assert_int_equal(backing->count[MEMFS_XATTRS], 0);
    assert_int_equal(node_at(backing, "a")->xattrs, 0);
    memfs_backing_release(backing);
}

static void test_scan__times_clamped(void **state)
{
    (void)state;
    struct timespec far[2] = {{.tv_nsec = UTIME_OMIT}, {10000000000LL, 5}}; /* the year 2286 */
    struct stat stat_;
    put_text(at("far"), "far");
    put_text(at("near"), "near");
    put_mtime(at("near"), 2000 * SECOND);
    assert_int_equal(utimensat(AT_FDCWD, at("far"), far, 0), 0);
    assert_int_equal(stat(at("far"), &stat_), 0);
    int holds = stat_.st_mtim.tv_sec == 10000000000LL; /* the host may clamp before us */
    struct problems problems = {0};
    struct memfs_scan_options options = {.problem = record_problem, .problem_context = &problems};
    memfs_backing *backing = scan_with(&options);
    if (holds) {
        assert_int_equal(node_at(backing, "far")->mtime, INT64_MAX);
        assert_int_equal(problems.count, 1);
        assert_true(has_problem(&problems, "far", -EOVERFLOW));
    }
    char byte = 0;
    assert_int_equal(read_at(backing, "far", 0, &byte, 1), 0);
    memfs_backing_release(backing);

    problems.count = 0;
    options.has_mtime_max = 1;
    options.mtime_max = 1000 * SECOND;
    backing = scan_with(&options);
    assert_int_equal(problems.count, 0);
    assert_int_equal(node_at(backing, "far")->mtime, 1000 * SECOND);
    assert_int_equal(node_at(backing, "near")->mtime, 1000 * SECOND);
    assert_int_equal(read_at(backing, "near", 0, &byte, 1), 0);
    memfs_backing_release(backing);
}

/* ---- Depth -------------------------------------------------------------------- */

#define DEPTH 5000

/* Makes a chain of directories, and a file at the bottom. */
static void make_deep(int depth, size_t name_length, const char *file)
{
    char name[256];
    memset(name, 'n', sizeof name);
    name[name_length] = '\0';
    int fd = open(fixture_top, O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < depth; i++) {
        assert_int_equal(mkdirat(fd, name, 0755), 0);
        int below = openat(fd, name, O_RDONLY | O_DIRECTORY);
        assert_true(below >= 0);
        close(fd);
        fd = below;
    }
    int out = openat(fd, file, O_WRONLY | O_CREAT, 0644);
    assert_int_equal(write(out, "bottom", 6), 6);
    close(out);
    close(fd);
}

static int descriptors_most;
static int watch_descriptors(void *context, const struct memfs_progress *progress)
{
    (void)context;
    int now = progress->nodes % 16 ? 0 : count_descriptors();
    descriptors_most = now > descriptors_most ? now : descriptors_most;
    return 0;
}

static void test_scan__deep(void **state)
{
    (void)state;
    make_deep(DEPTH, 255, "file");
    put_text(at("zzz"), "top");
    int before = count_descriptors();
    struct memfs_scan_options options = {.progress = watch_descriptors};
    memfs_backing *backing = scan_with(&options);
    check_chunks(backing);
    assert_int_equal(backing->nodes_in_use, DEPTH + 3);
    assert_true(descriptors_most > before);
    assert_true(descriptors_most < before + 64);
    const char *name = NULL;
    uint32_t number = 1;
    for (int i = 0; i < DEPTH; i++)
        number = entry_of(backing, node_of(backing, number)->run.first, &name)->node;
    const struct memfs_entry *entry = entry_of(backing, node_of(backing, number)->run.first, &name);
    assert_int_equal(entry->length, 4);
    char buffer[6];
    for (int i = 0; i < 3; i++) { /* down, up again, down again */
        uint32_t block = node_of(backing, entry->node)->extents.first;
        assert_int_equal(backing->ops->read(backing, block, 0, buffer, 6), 0);
        assert_memory_equal(buffer, "bottom", 6);
        assert_int_equal(read_at(backing, "zzz", 0, buffer, 3), 0);
    }
    assert_true(count_descriptors() < before + 64);
    memfs_backing_release(backing);
    assert_int_equal(count_descriptors(), before);
}

/* ---- Contents ------------------------------------------------------------------ */

static void test_scan__reads_on_demand(void **state)
{
    size_t size = ((size_t)3 << 20) + 77;
    unsigned char *bytes = malloc(size), *back = malloc(size);
    (void)state;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(i * 2654435761u >> 13);
    put_file(at("large"), bytes, size, 0600);
    put_text(at("small"), "small");
    memfs_backing *backing = scan();
    uint32_t block = extent_at(backing, "large")->block;
    assert_int_equal(read_at(backing, "large", 0, back, size), 0);
    assert_memory_equal(bytes, back, size);
    for (size_t start = 0; start < size;) {
        const void *data = NULL;
        size_t got = 0;
        struct memfs_pin pin = {0};
        assert_int_equal(backing->ops->view(backing, block, start, size - start, &data, &got, &pin), 0);
        assert_true(got && got <= (1 << 20));
        assert_memory_equal(data, bytes + start, got);
        backing->ops->unpin(backing, &pin);
        start += got;
    }
    assert_int_equal(read_at(backing, "small", 1, back, 4), 0);
    assert_memory_equal(back, "mall", 4);
    assert_int_equal(read_at(backing, "small", 1, back, 5), -ESTALE); /* beyond the end */
    memfs_backing_release(backing);
    free(bytes);
    free(back);
}

static void test_scan__sparse(void **state)
{
    (void)state;
    put_text(at("sparse"), "head");
    assert_int_equal(truncate(at("sparse"), (off_t)1 << 30), 0);
    int fd = open(at("sparse"), O_WRONLY);
    assert_int_equal(pwrite(fd, "middle", 6, (off_t)1 << 20), 6);
    close(fd);
    put_text(at("dense"), "dense");
    memfs_backing *backing = scan();
    uint32_t block = extent_at(backing, "sparse")->block;
    uint64_t size = (uint64_t)1 << 30;
    assert_int_equal(backing->ops->seek_data(backing, block, 0, size), 0);
    int64_t next = backing->ops->seek_data(backing, block, 65536, size - 65536);
    assert_true(next <= 1 << 20);
    if (next == 65536)
        print_message("this host does not tell holes\n");
    else
        assert_int_equal(backing->ops->seek_data(backing, block, 2 << 20, 4096), (2 << 20) + 4096);
    assert_int_equal(backing->ops->seek_data(backing, block, 65536, 8), next == 65536 ? 65536 : 65544);
    char buffer[8];
    assert_int_equal(read_at(backing, "sparse", (1 << 20) - 1, buffer, 8), 0);
    assert_memory_equal(buffer, "\0middle\0", 8);
    assert_int_equal(backing->ops->seek_data(backing, extent_at(backing, "dense")->block, 2, 3), 2);
    memfs_backing_release(backing);
}

/* One change after the scan, and the error that reading then gives. */
static void expect_change(const char *name, int error)
{
    memfs_backing *backing = scan();
    uint32_t block = extent_at(backing, name)->block;
    char byte = 0;
    const void *data = NULL;
    size_t got = 0;
    struct memfs_pin pin = {0};
    if (!strcmp(name, "shrinks")) {
        assert_int_equal(truncate(at(name), 2), 0);
    } else if (!strcmp(name, "grows")) {
        assert_int_equal(truncate(at(name), 200), 0);
    } else if (!strcmp(name, "touched")) {
        put_mtime(at(name), 1);
    } else {
        assert_int_equal(unlink(at(name)), 0);
    }
    if (!strcmp(name, "fifo"))
        assert_int_equal(mkfifo(at(name), 0600), 0);
    if (!strcmp(name, "link"))
        assert_int_equal(symlink("shrinks", at(name)), 0);
    if (!strcmp(name, "dir"))
        assert_int_equal(mkdir(at(name), 0700), 0);
    if (!strcmp(name, "another"))
        put_text(at(name), "another one");
    assert_int_equal(backing->ops->read(backing, block, 0, &byte, 1), error);
    assert_int_equal(backing->ops->view(backing, block, 0, 1, &data, &got, &pin), error);
    memfs_backing_release(backing);
}

static void test_scan__changed_files(void **state)
{
    static const char *const names[] = {"shrinks", "grows", "touched", "fifo", "link", "dir", "another", "gone"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        put_text(at(names[i]), "some text");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        expect_change(names[i], strcmp(names[i], "gone") ? -ESTALE : -ENOENT);
}

static void test_scan__changed_while_open(void **state)
{
    char buffer[8];
    (void)state;
    put_text(at("file"), "12345678");
    put_mtime(at("file"), 7); /* so that writing shows, however coarse the host's clock */
    memfs_backing *backing = scan();
    assert_int_equal(read_at(backing, "file", 0, buffer, 4), 0);
    int fd = open(at("file"), O_WRONLY);
    assert_int_equal(pwrite(fd, "CHANGED!", 8, 0), 8);
    close(fd);
    assert_int_equal(read_at(backing, "file", 4, buffer, 4), -ESTALE);
    assert_int_equal(read_at(backing, "file", 0, buffer, 4), -ESTALE);
    memfs_backing_release(backing);
}

/* What is done once, when the library has just read from a file. */
static void (*after_read)(void);

ssize_t pread(int fd, void *buffer, size_t size, off_t offset)
{
    const struct iovec all = {buffer, size};
    ssize_t got = preadv(fd, &all, 1, offset);
    if (got > 0 && after_read) {
        void (*change)(void) = after_read;
        after_read = NULL;
        change();
    }
    return got;
}

static void change_file(void)
{
    int fd = open(at("file"), O_WRONLY);
    assert_int_equal(pwrite(fd, "CHANGED!", 8, 0), 8);
    close(fd);
}

/* It was as it should be when it was opened, and is not when it has been read. */
static void test_scan__changed_while_read(void **state)
{
    char buffer[8];
    (void)state;
    for (int part = 0; part < 2; part++) { /* all at once, or a part, for which it would be kept open */
        put_text(at("file"), "12345678");
        put_mtime(at("file"), 7);
        memfs_backing *backing = scan();
        after_read = change_file;
        assert_int_equal(read_at(backing, "file", part ? 2 : 0, buffer, part ? 4 : 8), -ESTALE);
        assert_null(after_read);
        memfs_backing_release(backing);
        assert_int_equal(unlink(at("file")), 0);
    }
}

static void test_scan__directory_exchanged(void **state)
{
    char buffer[4];
    (void)state;
    assert_int_equal(mkdir(at("dir"), 0755), 0);
    assert_int_equal(mkdir(at("evil"), 0755), 0);
    put_text(at("dir/file"), "good");
    put_text(at("evil/file"), "evil");
    memfs_backing *backing = scan();
    assert_int_equal(rename(at("dir"), at("old")), 0);
    assert_int_equal(symlink("evil", at("dir")), 0);
    assert_int_equal(read_at(backing, "dir/file", 0, buffer, 4), -ESTALE);
    assert_int_equal(unlink(at("dir")), 0);
    assert_int_equal(rename(at("evil"), at("dir")), 0);
    assert_int_equal(read_at(backing, "dir/file", 0, buffer, 4), -ESTALE);
    memfs_backing_release(backing);
}

struct reader {
    memfs_backing *backing;
    int wrong;
};

static void *read_all(void *context)
{
    struct reader *reader = context;
    for (uint32_t round = 0; round < 2000; round++) {
        uint32_t block = (round * 31) % 60;
        char text[16], expected[16];
        snprintf(expected, sizeof expected, "content %02u", block);
        if (reader->backing->ops->read(reader->backing, block, round % 3, text, 10 - round % 3) ||
            memcmp(text, expected + round % 3, 10 - round % 3))
            reader->wrong++;
    }
    return NULL;
}

static void test_scan__threads(void **state)
{
    char name[32], text[32];
    pthread_t threads[6];
    struct reader readers[6];
    (void)state;
    for (int i = 0; i < 60; i++) {
        if (i % 10 == 0) {
            snprintf(name, sizeof name, "d%d", i / 10);
            assert_int_equal(mkdir(at(name), 0755), 0);
        }
        snprintf(name, sizeof name, "d%d/f%d", i / 10, i % 10);
        snprintf(text, sizeof text, "content %02d", i);
        put_text(at(name), text);
    }
    memfs_backing *backing = scan();
    for (int i = 0; i < 6; i++) {
        readers[i] = (struct reader){backing, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, read_all, &readers[i]), 0);
    }
    for (int i = 0; i < 6; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(readers[i].wrong, 0);
    }
    memfs_backing_release(backing);
}

/* ---- Problems --------------------------------------------------------------- */

/* Root may read everything, so be nobody for a while. */
static uid_t become_nobody(void)
{
    uid_t before = geteuid();
    if (before == 0)
        assert_int_equal(seteuid(65534), 0);
    return before;
}

static void test_scan__unreadable_directory(void **state)
{
    (void)state;
    assert_int_equal(mkdir(at("open"), 0755), 0);
    assert_int_equal(mkdir(at("open/closed"), 0000), 0);
    put_text(at("open/file"), "text");
    struct problems problems = {0};
    struct memfs_scan_options options = {.size = sizeof options};
    memfs_backing *backing = NULL;
    struct memfs_detail detail = {0};
    uid_t before = become_nobody();
    int error = host_scan(fixture_top, &options, &backing, &detail);
    options.problem = record_problem;
    options.problem_context = &problems;
    int second = host_scan(fixture_top, &options, &backing, NULL);
    assert_int_equal(seteuid(before), 0);
    assert_int_equal(error, -EACCES);
    assert_int_equal(detail.error, -EACCES);
    assert_non_null(strstr(detail.text, "open/closed"));
    assert_int_equal(second, 0);
    assert_int_equal(problems.count, 1);
    assert_true(has_problem(&problems, "open/closed", -EACCES));
    check_chunks(backing);
    assert_int_equal(find(backing, "open/closed"), 0);
    assert_true(find(backing, "open/file"));
    assert_int_equal(node_at(backing, "open")->nlink, 2);
    memfs_backing_release(backing);
}

static void test_scan__unreadable_file(void **state)
{
    (void)state;
    put_file(at("secret"), "secret", 6, 0000);
    put_file(at("empty"), "", 0, 0000); /* there is nothing to be read */
    put_file(at("public"), "public", 6, 0644);
    struct problems problems = {0};
    struct memfs_scan_options options = {
        .size = sizeof options, .problem = record_problem, .problem_context = &problems};
    memfs_backing *backing = NULL;
    uid_t before = become_nobody();
    int error = host_scan(fixture_top, &options, &backing, NULL);
    assert_int_equal(seteuid(before), 0);
    assert_int_equal(error, 0);
    assert_int_equal(problems.count, 1);
    assert_true(has_problem(&problems, "secret", -EACCES));
    assert_int_equal(find(backing, "secret"), 0);
    assert_true(find(backing, "empty") && find(backing, "public"));
    memfs_backing_release(backing);
}

static void test_scan__directory_without_search(void **state)
{
    (void)state;
    assert_int_equal(mkdir(at("dir"), 0755), 0);
    put_text(at("dir/file"), "text");
    assert_int_equal(chmod(at("dir"), 0444), 0);
    struct problems problems = {0};
    struct memfs_scan_options options = {
        .size = sizeof options, .problem = record_problem, .problem_context = &problems};
    memfs_backing *backing = NULL;
    uid_t before = become_nobody();
    int error = host_scan(fixture_top, &options, &backing, NULL);
    assert_int_equal(seteuid(before), 0);
    assert_int_equal(error, 0);
    assert_true(has_problem(&problems, "dir/file", -EACCES));
    assert_true(find(backing, "dir"));
    assert_int_equal(find(backing, "dir/file"), 0);
    memfs_backing_release(backing);
}

/* Removes things of which the scan has read the name, but not more. */
static int remove_later(void *context, const struct memfs_progress *progress)
{
    (void)context;
    if (progress->nodes == 2) { /* "a" was seen, the names after it only listed */
        unlink(at("b"));
        rmdir(at("c"));
    }
    return 0;
}

static void test_scan__vanishing(void **state)
{
    (void)state;
    put_text(at("a"), "a");
    put_text(at("b"), "b");
    assert_int_equal(mkdir(at("c"), 0755), 0);
    struct problems problems = {0};
    struct memfs_scan_options options = {
        .progress = remove_later, .problem = record_problem, .problem_context = &problems};
    memfs_backing *backing = scan_with(&options);
    check_chunks(backing);
    assert_int_equal(problems.count, 2);
    assert_true(has_problem(&problems, "b", -ENOENT));
    assert_true(has_problem(&problems, "c", -ENOENT));
    assert_int_equal(backing->nodes_in_use, 2);
    memfs_backing_release(backing);
}

/* The parent of where the scan is gets moved: it is found again by name. */
static int exchange_parent(void *context, const struct memfs_progress *progress)
{
    int *done = context;
    if (progress->nodes >= 6 && !*done) {
        *done = 1;
        rename(at("d"), at("moved"));
        mkdir(at("d"), 0755);
    }
    return 0;
}

static void test_scan__moved_meanwhile(void **state)
{
    int done = 0;
    (void)state;
    assert_int_equal(mkdir(at("d"), 0755), 0);
    assert_int_equal(mkdir(at("d/e"), 0755), 0);
    assert_int_equal(mkdir(at("d/e/f"), 0755), 0);
    assert_int_equal(mkdir(at("d/e/g"), 0755), 0);
    assert_int_equal(mkdir(at("z"), 0755), 0);
    struct problems problems = {0};
    struct memfs_scan_options options = {.progress = exchange_parent,
                                         .progress_context = &done,
                                         .problem = record_problem,
                                         .problem_context = &problems};
    memfs_backing *backing = scan_with(&options);
    check_chunks(backing);
    assert_int_equal(done, 1);
    assert_true(find(backing, "d/e/g") && find(backing, "z"));
    memfs_backing_release(backing);
}

/* From far below, ".." now leads to a directory that was never on the way. */
static int move_from_above(void *context, const struct memfs_progress *progress)
{
    int *done = context;
    if (progress->nodes == 3 + 2 * 49 + 1) {
        *done = 1;
        assert_int_equal(rename(at("c/c/c/c/c/c"), at("other/c")), 0);
    }
    return 0;
}

static void test_scan__moved_from_above(void **state)
{
    char path[128] = "c";
    int done = 0;
    (void)state;
    assert_int_equal(mkdir(at("other"), 0755), 0);
    assert_int_equal(mkdir(at("other/z"), 0755), 0);
    put_text(at("other/z/secret"), "secret");
    for (int i = 0; i < 50; i++) {
        assert_int_equal(mkdir(at(path), 0755), 0);
        char aside[160];
        snprintf(aside, sizeof aside, i < 49 ? "%s/z" : "%s/end", path);
        assert_int_equal(mkdir(at(aside), 0755), 0);
        strcat(path, "/c");
    }
    struct problems problems = {0};
    struct memfs_scan_options options = {.progress = move_from_above,
                                         .progress_context = &done,
                                         .problem = record_problem,
                                         .problem_context = &problems};
    memfs_backing *backing = scan_with(&options);
    check_chunks(backing);
    assert_int_equal(done, 1);
    assert_true(find(backing, "c/c/c/c/c/z"));
    assert_int_equal(find(backing, "c/c/c/c/c/z/secret"), 0);
    assert_true(find(backing, "other/z/secret"));
    memfs_backing_release(backing);
}

static int keep_last(void *context, const struct memfs_progress *progress)
{
    *(struct memfs_progress *)context = *progress;
    return 0;
}

static int cancel(void *context, const struct memfs_progress *progress)
{
    (void)context;
    return progress->nodes >= 3;
}

static void test_scan__cancelled(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        put_text(at((const char[]){(char)('a' + i), 0}), "x");
    struct memfs_scan_options options = {.size = sizeof options, .progress = cancel};
    memfs_backing *backing = NULL;
    int before = count_descriptors();
    assert_int_equal(host_scan(fixture_top, &options, &backing, NULL), -ECANCELED);
    assert_null(backing);
    assert_int_equal(count_descriptors(), before);
}

/* A size of 0 stands for the whole struct, as everywhere. */
static void test_scan__options_without_size(void **state)
{
    (void)state;
    struct memfs_progress last = {0};
    put_text(at("file"), "text");
    struct memfs_scan_options options = {.progress = keep_last, .progress_context = &last};
    memfs_backing *backing = NULL;
    assert_int_equal(host_scan(fixture_top, &options, &backing, NULL), 0);
    assert_int_equal(last.nodes, 2);
    assert_int_equal(last.bytes_total, 4);
    memfs_backing_release(backing);
}

/* Files of /proc say that they are empty, and are not. */
static void test_scan__made_up_sizes(void **state)
{
    (void)state;
    struct statfs statfs_of;
    if (statfs("/proc/sys/kernel", &statfs_of) || statfs_of.f_type != PROC_SUPER_MAGIC) {
        print_message("no /proc here: skipped\n");
        skip();
    }
    struct problems problems = {.answer = 1};
    struct memfs_scan_options options = {.problem = record_problem, .problem_context = &problems};
    struct memfs_detail detail = {0};
    memfs_backing *backing = NULL;
    assert_int_equal(host_scan("/proc/sys/kernel", &options, &backing, &detail), -EOPNOTSUPP);
    assert_int_equal(problems.last_kind, MEMFS_PROBLEM_FILE);
    assert_non_null(strstr(detail.text, "made up"));
    options.problem = NULL;
    assert_int_equal(host_scan("/proc/sys/kernel", &options, &backing, &detail), -EOPNOTSUPP);
    assert_null(backing);
}

/* Each is asked on its own filesystem. */
static void test_scan__made_up_among_others(void **state)
{
    const struct memfs_scan_source sources[] = {
        {"a", at("a")}, {"b", "/proc/version"}, {"c", at("c")}, {"d", "/proc/uptime"}};
    struct problems problems = {0};
    struct memfs_scan_options options = {.problem = record_problem, .problem_context = &problems};
    memfs_backing *backing = NULL;
    struct statfs statfs_of;
    (void)state;
    if (statfs("/proc/version", &statfs_of) || statfs_of.f_type != PROC_SUPER_MAGIC) {
        print_message("no /proc here: skipped\n");
        skip();
    }
    put_text(at("a"), "a");
    put_text(at("c"), "c");
    assert_int_equal(host_scan_list(sources, 4, &options, &backing, NULL), 0);
    assert_int_equal(problems.count, 2);
    assert_true(has_problem(&problems, "b", -EOPNOTSUPP));
    assert_true(has_problem(&problems, "d", -EOPNOTSUPP));
    assert_int_equal(node_at(backing, "a")->size, 1);
    assert_int_equal(node_at(backing, "c")->size, 1);
    memfs_backing_release(backing);
}

static void test_scan__path_itself(void **state)
{
    memfs_backing *backing = NULL;
    struct memfs_detail detail = {0};
    (void)state;
    assert_int_equal(mkdir(at("dir"), 0755), 0);
    put_text(at("dir/file"), "x");
    assert_int_equal(symlink("dir", at("link")), 0);
    assert_int_equal(host_scan(at("dir/file"), NULL, &backing, &detail), -ENOTDIR);
    assert_non_null(strstr(detail.text, "dir/file"));
    assert_int_equal(host_scan(at("absent"), NULL, &backing, NULL), -ENOENT);
    assert_int_equal(host_scan(at("link"), NULL, &backing, NULL), 0);
    assert_true(find(backing, "file"));
    memfs_backing_release(backing);
}

/* ---- Several sources ---------------------------------------------------------- */

static memfs_backing *scan_list(const struct memfs_scan_source *sources, size_t count,
                                struct memfs_scan_options *options)
{
    memfs_backing *backing = NULL;
    struct memfs_detail detail = {0};
    options->size = sizeof *options;
    int error = host_scan_list(sources, count, options, &backing, &detail);
    if (error)
        print_message("%s\n", detail.text);
    assert_int_equal(error, 0);
    check_chunks(backing);
    return backing;
}

static void test_scan__several_sources(void **state)
{
    char buffer[8] = "";
    (void)state;
    assert_int_equal(mkdir(at("d"), 0755), 0);
    assert_int_equal(mkdir(at("d/e"), 0755), 0);
    put_text(at("d/e/deep"), "deep");
    put_text(at("d/file"), "file");
    put_file(at("single"), "single", 6, 0600);
    put_mtime(at("single"), 1500 * SECOND);
    assert_int_equal(symlink("d", at("link")), 0);
    put_mtime(at("link"), 2000 * SECOND);
    assert_int_equal(link(at("single"), at("d/z")), 0);
    put_mtime(at("d/e"), 2500 * SECOND);
    put_mtime(at("d"), 3000 * SECOND + 1);
    char slashed[4400];
    snprintf(slashed, sizeof slashed, "%s/", at("link"));
    const struct memfs_scan_source sources[] = {
        {"z", at("single")}, {"b", at("d")}, {"followed", slashed}, {"link", at("link")}, {"a", at("d/e/.")}};
    struct memfs_scan_options options = {0};
    int before = count_descriptors();
    memfs_backing *backing = scan_list(sources, 5, &options);
    assert_int_equal(count_descriptors(), before + 1);
    assert_int_equal(find(backing, "a"), 2);
    assert_int_equal(find(backing, "b"), 3);
    assert_int_equal(node_at(backing, "link")->mode & MEMFS_IFMT, MEMFS_IFLNK);
    assert_int_equal(node_at(backing, "")->mode, MEMFS_IFDIR | 0755);
    assert_int_equal(node_at(backing, "")->nlink, 5);
    assert_int_equal(node_at(backing, "")->mtime, 3000 * SECOND + 1);
    assert_int_equal(node_at(backing, "")->uid, node_at(backing, "a")->uid);
    assert_int_equal(find(backing, "b/z"), find(backing, "z"));
    assert_int_equal(node_at(backing, "z")->nlink, 3);
    assert_int_equal(read_at(backing, "z", 0, buffer, 6), 0);
    assert_memory_equal(buffer, "single", 6);
    assert_int_equal(read_at(backing, "followed/e/deep", 0, buffer, 4), 0);
    assert_memory_equal(buffer, "deep", 4);
    assert_int_equal(read_at(backing, "a/deep", 0, buffer, 4), 0);
    assert_int_equal(read_at(backing, "b/file", 0, buffer, 4), 0);
    assert_memory_equal(buffer, "file", 4);
    memfs_backing_release(backing);
    assert_int_equal(count_descriptors(), before);
}

/* Paths are relative to where the process was, and what is left out moves nothing. */
static void test_scan__sources_left_out(void **state)
{
    char buffer[8] = "";
    (void)state;
    assert_int_equal(mkdir(at("d"), 0755), 0);
    put_text(at("d/file"), "file");
    put_text(at("one"), "one");
    const struct memfs_scan_source sources[] = {{"a", "none"}, {"b", "one"},   {"c", "none/x"}, {"d", "./d//"},
                                                {"e", ""},     {"f", "one/x"}, {"g", "d/file"}};
    struct problems problems = {0};
    struct memfs_scan_options options = {.problem = record_problem, .problem_context = &problems};
    int home = open(".", O_RDONLY | O_DIRECTORY);
    assert_int_equal(chdir(fixture_top), 0);
    memfs_backing *backing = scan_list(sources, 7, &options);
    assert_int_equal(fchdir(home), 0);
    close(home);
    assert_int_equal(problems.count, 4);
    assert_true(has_problem(&problems, "a", -ENOENT) && has_problem(&problems, "c", -ENOENT));
    assert_true(has_problem(&problems, "e", -ENOENT) && has_problem(&problems, "f", -ENOTDIR));
    assert_int_equal(node_at(backing, "")->run.count, 3);
    assert_int_equal(read_at(backing, "g", 0, buffer, 4), 0);
    assert_memory_equal(buffer, "file", 4);
    assert_int_equal(read_at(backing, "d/file", 0, buffer, 4), 0);
    assert_memory_equal(buffer, "file", 4);
    assert_int_equal(read_at(backing, "b", 1, buffer, 2), 0);
    assert_memory_equal(buffer, "ne", 2);
    assert_int_equal(unlink(at("one")), 0);
    put_text(at("one"), "another");
    assert_int_equal(read_at(backing, "b", 0, buffer, 3), -ESTALE);
    assert_int_equal(rename(at("d"), at("gone")), 0);
    assert_int_equal(read_at(backing, "d/file", 0, buffer, 4), -ENOENT);
    memfs_backing_release(backing);
}

static void test_scan__names_of_sources(void **state)
{
    char name[MEMFS_NAME_MAX + 2];
    memfs_backing *backing = NULL;
    struct memfs_detail detail = {0};
    (void)state;
    put_text(at("x"), "x");
    memset(name, 'n', sizeof name);
    name[MEMFS_NAME_MAX + 1] = '\0';
    const struct {
        const char *name;
        int error;
    } wrong[] = {{"same", -EEXIST}, {"", -EINVAL},       {".", -EINVAL},
                 {"..", -EINVAL},   {"with/x", -EINVAL}, {name, -ENAMETOOLONG}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const struct memfs_scan_source sources[] = {{"same", at("x")}, {"other", at("x")}, {wrong[i].name, at("x")}};
        assert_int_equal(host_scan_list(sources, 3, NULL, &backing, &detail), wrong[i].error);
        assert_int_equal(detail.error, wrong[i].error);
        assert_null(backing);
    }
    struct memfs_scan_options options = {0};
    backing = scan_list(NULL, 0, &options);
    assert_int_equal(backing->nodes_in_use, 1);
    memfs_backing_release(backing);
}

static void test_scan__many_sources(void **state)
{
    enum { COUNT = 700 };
    static struct memfs_scan_source sources[COUNT];
    static char names[COUNT][32], paths[COUNT][2100];
    char text[32], buffer[32];
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "n%d", (i * 457) % COUNT);
        snprintf(paths[i], sizeof paths[i], "%s/d%d", fixture_top, i);
        sources[i] = (struct memfs_scan_source){names[i], paths[i]};
        assert_int_equal(mkdir(paths[i], 0755), 0);
        snprintf(paths[i], sizeof paths[i], "%s/d%d/file", fixture_top, i);
        put_text(paths[i], names[i]);
        if (i % 2)
            snprintf(paths[i], sizeof paths[i], "%s/d%d", fixture_top, i);
    }
    struct memfs_scan_options options = {.progress = watch_descriptors};
    int before = count_descriptors();
    descriptors_most = 0;
    memfs_backing *backing = scan_list(sources, COUNT, &options);
    assert_true(descriptors_most && descriptors_most < before + 8);
    for (int i = 0; i < COUNT; i++) {
        snprintf(text, sizeof text, i % 2 ? "%s/file" : "%s", names[i]);
        assert_int_equal(read_at(backing, text, 0, buffer, strlen(names[i])), 0);
        assert_memory_equal(buffer, names[i], strlen(names[i]));
    }
    memfs_backing_release(backing);
    assert_int_equal(count_descriptors(), before);
}

/* ---- What is taken, and as what ------------------------------------------------- */

struct filtered {
    int asked, roots, below;
    int answer; /* for "left-out" */
    uint64_t ino, last_ino;
};

static int filter(void *context, struct memfs_scan_found *found)
{
    struct filtered *filtered = context;
    filtered->asked++;
    filtered->roots += !strcmp(found->path, ".");
    filtered->below += !strncmp(found->path, "left-out/", 9);
    if (!strcmp(found->path, "left-out"))
        return filtered->answer;
    if (!strcmp(found->path, "d/file")) {
        assert_int_equal(found->size, 4);
        assert_int_equal(found->mode, MEMFS_IFREG | 0640);
        assert_int_equal(found->mtime, 1000 * SECOND);
        filtered->ino = found->ino;
    }
    found->mode = MEMFS_IFIFO | 07123;
    found->uid = 77;
    found->gid = found->ino == filtered->last_ino ? 99 : 88; /* of several names the first counts */
    filtered->last_ino = found->ino;
    found->mtime = 99;
    return MEMFS_SCAN_TAKE;
}

static void test_scan__filter(void **state)
{
    struct stat stat_;
    char buffer[4];
    (void)state;
    assert_int_equal(mkdir(at("d"), 0755), 0);
    put_file(at("d/file"), "file", 4, 0640);
    put_mtime(at("d/file"), 2000 * SECOND);
    assert_int_equal(stat(at("d/file"), &stat_), 0);
    assert_int_equal(link(at("d/file"), at("d/again")), 0);
    assert_int_equal(mkdir(at("left-out"), 0000), 0);
    struct filtered filtered = {.answer = MEMFS_SCAN_LEAVE_OUT};
    struct memfs_scan_options options = {.size = sizeof options,
                                         .filter = filter,
                                         .filter_context = &filtered,
                                         .has_mtime_max = 1,
                                         .mtime_max = 1000 * SECOND};
    memfs_backing *backing = NULL;
    uid_t before = become_nobody(); /* what is left out need not be readable */
    int error = host_scan(fixture_top, &options, &backing, NULL);
    assert_int_equal(seteuid(before), 0);
    assert_int_equal(error, 0);
    check_chunks(backing);
    assert_int_equal(filtered.asked, 5);
    assert_int_equal(filtered.roots, 1);
    assert_int_equal(filtered.below, 0);
    assert_int_equal(filtered.ino, stat_.st_ino);
    assert_int_equal(find(backing, "left-out"), 0);
    for (int i = 0; i < 4; i++) {
        static const char *const paths[] = {"", "d", "d/file", "d/again"};
        const struct memfs_node_record *node = node_at(backing, paths[i]);
        assert_int_equal(node->mode, (i < 2 ? MEMFS_IFDIR : MEMFS_IFREG) | 07123);
        assert_int_equal(node->uid, 77);
        assert_int_equal(node->gid, 88);
        assert_int_equal(node->mtime, 99);
    }
    assert_int_equal(read_at(backing, "d/file", 0, buffer, 4), 0); /* is still what was scanned */
    memfs_backing_release(backing);
}

static void test_scan__filter_cancels(void **state)
{
    (void)state;
    assert_int_equal(mkdir(at("left-out"), 0755), 0);
    struct filtered filtered = {.answer = 2};
    struct memfs_scan_options options = {.size = sizeof options, .filter = filter, .filter_context = &filtered};
    memfs_backing *backing = NULL;
    assert_int_equal(host_scan(fixture_top, &options, &backing, NULL), -ECANCELED);
    assert_null(backing);
    options.size = offsetof(struct memfs_scan_options, filter); /* who was compiled earlier knows of none */
    assert_int_equal(host_scan(fixture_top, &options, &backing, NULL), 0);
    assert_true(find(backing, "left-out"));
    memfs_backing_release(backing);
}

static void test_scan__filter_of_sources(void **state)
{
    (void)state;
    assert_int_equal(mkdir(at("d"), 0755), 0);
    put_file(at("d/file"), "file", 4, 0640);
    put_mtime(at("d/file"), 1000 * SECOND);
    put_text(at("left-out"), "x");
    const struct memfs_scan_source sources[] = {{"left-out", at("left-out")}, {"d", at("d")}, {"z", at("d/file")}};
    struct filtered filtered = {.answer = MEMFS_SCAN_LEAVE_OUT};
    struct memfs_scan_options options = {.filter = filter, .filter_context = &filtered};
    memfs_backing *backing = scan_list(sources, 3, &options);
    assert_int_equal(filtered.asked, 5);
    assert_int_equal(filtered.roots, 1);
    assert_int_equal(node_at(backing, "")->run.count, 2);
    assert_int_equal(node_at(backing, "")->mode, MEMFS_IFDIR | 07123);
    assert_int_equal(node_at(backing, "")->mtime, 99);
    char buffer[4];
    assert_int_equal(read_at(backing, "z", 0, buffer, 4), 0);
    memfs_backing_release(backing);
}

/* A time that was cut is no problem if another one is stored. */
static void test_scan__filter_replaces_times(void **state)
{
    struct timespec far[2] = {{.tv_nsec = UTIME_OMIT}, {10000000000LL, 5}};
    (void)state;
    put_text(at("far"), "far");
    assert_int_equal(utimensat(AT_FDCWD, at("far"), far, 0), 0);
    struct problems problems = {0};
    struct filtered filtered = {0};
    struct memfs_scan_options options = {
        .problem = record_problem, .problem_context = &problems, .filter = filter, .filter_context = &filtered};
    memfs_backing *backing = scan_with(&options);
    assert_int_equal(problems.count, 0);
    assert_int_equal(node_at(backing, "far")->mtime, 99);
    memfs_backing_release(backing);
}

static int take_all(void *context, struct memfs_scan_found *found)
{
    (void)context;
    (void)found;
    return MEMFS_SCAN_TAKE;
}

/* Of directories too, whose times are taken when they are opened, unless somebody was asked about them before. */
static void test_scan__times_clamped_of_all(void **state)
{
    static const char *const names[] = {"d/f", "d", ""};
    struct timespec far[2] = {{.tv_nsec = UTIME_OMIT}, {10000000000LL, 5}};
    struct stat stat_;
    (void)state;
    assert_int_equal(mkdir(at("d"), 0755), 0);
    put_text(at("d/f"), "f");
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(utimensat(AT_FDCWD, at(names[i]), far, 0), 0);
    assert_int_equal(stat(at("d"), &stat_), 0);
    if (stat_.st_mtim.tv_sec != far[1].tv_sec) {
        print_message("the host cuts times itself: skipped\n");
        skip();
    }
    for (int filtered = 0; filtered < 2; filtered++) {
        struct problems problems = {0};
        struct memfs_scan_options options = {
            .problem = record_problem, .problem_context = &problems, .filter = filtered ? take_all : NULL};
        memfs_backing *backing = scan_with(&options);
        assert_int_equal(problems.count, 3);
        assert_true(has_problem(&problems, "d", -EOVERFLOW));
        assert_true(has_problem(&problems, "d/f", -EOVERFLOW));
        assert_int_equal(problems.last_kind, MEMFS_PROBLEM_TIME);
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(node_at(backing, names[i])->mtime, INT64_MAX);
        memfs_backing_release(backing);
    }
}

static int scan_either(int listed, struct memfs_scan_options *options, memfs_backing **backing)
{
    const struct memfs_scan_source sources[] = {{"s", at("s")}, {"d", at("d")}};
    if (!listed)
        return host_scan(fixture_top, options, backing, NULL);
    options->filter = take_all;
    return host_scan_list(sources, 2, options, backing, NULL);
}

static void fail_allocations(int listed)
{
    int before = count_descriptors(), error = -ENOMEM;
    struct failing failing = {0};
    for (long n = 1; error; n++) {
        failing = (struct failing){.fail_at = n};
        struct memfs_allocator allocator = {failing_alloc, failing_free, &failing};
        struct problems problems = {0}; /* lack of memory is not asked about */
        struct memfs_scan_options options = {.size = sizeof options,
                                             .allocator = &allocator,
                                             .problem = record_problem,
                                             .problem_context = &problems,
                                             .threads = 1};
        memfs_backing *backing = NULL;
        error = scan_either(listed, &options, &backing);
        assert_int_equal(problems.count, 0);
        if (!error) {
            assert_int_equal(failing.failed, 0);
            assert_true(n > 10);
            memfs_backing_release(backing);
        } else {
            assert_int_equal(error, -ENOMEM);
            assert_int_equal(failing.failed, 1);
        }
        assert_int_equal(failing.live, 0);
        assert_int_equal(count_descriptors(), before);
    }
}

static void test_scan__failing_allocations(void **state)
{
    (void)state;
    assert_int_equal(mkdir(at("d"), 0755), 0);
    put_text(at("d/a"), "a");
    assert_int_equal(link(at("d/a"), at("d/b")), 0);
    assert_int_equal(symlink("x", at("s")), 0);
    setxattr(at("d/a"), "user.x", "y", 1, 0);
    fail_allocations(0);
    fail_allocations(1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(test_scan__##name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(path_order),
        CASE(many_entries),
        CASE(empty_directory),
        CASE(types_and_attributes),
        CASE(devices),
        CASE(hard_links),
        CASE(xattrs),
        CASE(times_clamped),
        cmocka_unit_test_setup_teardown(test_scan__deep, fixture_setup_in_memory, fixture_teardown),
        CASE(reads_on_demand),
        CASE(sparse),
        CASE(changed_files),
        CASE(changed_while_open),
        CASE(changed_while_read),
        CASE(directory_exchanged),
        CASE(threads),
        CASE(unreadable_directory),
        CASE(unreadable_file),
        CASE(directory_without_search),
        CASE(vanishing),
        CASE(moved_meanwhile),
        CASE(moved_from_above),
        CASE(cancelled),
        CASE(options_without_size),
        CASE(made_up_sizes),
        CASE(made_up_among_others),
        CASE(path_itself),
        CASE(several_sources),
        CASE(sources_left_out),
        CASE(names_of_sources),
        CASE(many_sources),
        CASE(filter),
        CASE(filter_cancels),
        CASE(filter_of_sources),
        CASE(filter_replaces_times),
        cmocka_unit_test_setup_teardown(test_scan__times_clamped_of_all, fixture_setup_in_memory, fixture_teardown),
        CASE(failing_allocations),
    };
    scan_threads = 1;
    int failed = cmocka_run_group_tests_name("host_scan", tests, NULL, NULL);
    scan_threads = 4;
    return failed + cmocka_run_group_tests_name("host_scan, four threads", tests, NULL, NULL);
}
