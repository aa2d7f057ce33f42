/*
 * Opens the first piece of the input as an image, and does with the filesystem
 * what the second piece says.
 *
 * Properties: no crash, no leak, bounded memory, whatever the image says; a call
 * that fails has changed nothing; every error has a name; what can be frozen
 * afterwards is frozen to the same bytes twice, and is then an intact image.
 */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#define PATHS 24u      /* of the image, that operations are about */
#define PATH_ROOM 320u /* what is longer is not remembered */
#define HELD 4u
#define OPERATIONS_MOST 64u
#define FREEZABLE_MOST (1u << 20) /* bytes of contents, and nodes: more takes too long */

struct run {
    memfs *fs;
    struct fuzz_choices choices;
    char paths[PATHS][PATH_ROOM];
    unsigned path_count;
    memfs_node held[HELD]; /* with a look-up count each; 0: none */
    char path[2 * PATH_ROOM], other[2 * PATH_ROOM];
    char buffer[1u << 14];
};

static uint32_t below(struct run *run, uint32_t limit)
{
    return fuzz_below(&run->choices, limit);
}

static int remember(void *context, const char *path, const struct memfs_stat *stat)
{
    struct run *run = context;
    (void)stat;
    if (strlen(path) < PATH_ROOM)
        strcpy(run->paths[run->path_count++], path);
    return run->path_count == PATHS ? 2 : 0;
}

/* ---- Choosing ------------------------------------------------------------------ */

static const char *const names[] = {"a", "b", "new", "..", ".", "", "hello", "a/b", "d0", "file1", "sparse", "//"};

static const char *some_path(struct run *run, char *out)
{
    uint32_t choice = below(run, 4);
    const char *base = run->path_count ? run->paths[below(run, run->path_count)] : "";
    if (choice == 0)
        snprintf(out, sizeof run->path, "%s", names[below(run, sizeof names / sizeof *names)]);
    else if (choice == 1)
        snprintf(out, sizeof run->path, "%s/%s", base, names[below(run, sizeof names / sizeof *names)]);
    else
        snprintf(out, sizeof run->path, "%s", base);
    return out;
}

static const char *some_name(struct run *run)
{
    const char *path = some_path(run, run->other), *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static memfs_node some_node(struct run *run)
{
    memfs_node node = run->held[below(run, HELD)];
    return node ? node : MEMFS_ROOT;
}

static uint64_t some_offset(struct run *run)
{
    static const uint64_t borders[] = {0,     1,          4095,          4096,          65536,
                                       65537, (1u << 20), INT64_MAX - 1, INT64_MAX - 0, UINT64_MAX};
    return below(run, 2) ? borders[below(run, sizeof borders / sizeof *borders)] : below(run, 9000);
}

static uint64_t some_length(struct run *run)
{
    return below(run, 8) ? below(run, 70000) : (UINT64_C(1) << 62) - below(run, 70000);
}

static void keep(struct run *run, memfs_node node)
{
    memfs_node *slot = &run->held[below(run, HELD)];
    if (*slot)
        memfs_node_forget(run->fs, *slot, 1);
    *slot = node;
}

/* ---- Operations by path ------------------------------------------------------------- */

static int64_t do_make(struct run *run)
{
    const char *path = some_path(run, run->path);
    static const uint32_t types[] = {MEMFS_IFREG, MEMFS_IFIFO, MEMFS_IFSOCK, MEMFS_IFCHR};
    switch (below(run, 3)) {
    case 0:
        return memfs_mkdir(run->fs, NULL, path, below(run, 01000));
    case 1:
        return memfs_symlink(run->fs, NULL, some_path(run, run->other), path);
    default:
        return memfs_mknod(run->fs, NULL, path, types[below(run, 4)] | 0644, 1, 2);
    }
}

static int64_t do_remove(struct run *run)
{
    const char *path = some_path(run, run->path);
    return below(run, 3) ? memfs_unlink(run->fs, NULL, path) : memfs_rmdir(run->fs, NULL, path);
}

static int64_t do_rename(struct run *run)
{
    const char *from = some_path(run, run->path);
    uint32_t flags = below(run, 3);
    return memfs_rename(run->fs, NULL, from, some_path(run, run->other), flags);
}

static int64_t do_link(struct run *run)
{
    const char *from = some_path(run, run->path);
    return memfs_link(run->fs, NULL, from, some_path(run, run->other));
}

static int64_t do_resize(struct run *run)
{
    const char *path = some_path(run, run->path);
    return memfs_truncate(run->fs, NULL, path, some_offset(run));
}

static int64_t do_file(struct run *run)
{
    memfs_file *file = NULL;
    const char *path = some_path(run, run->path);
    int error = memfs_open(run->fs, NULL, path, below(run, 0x200), 0644, &file);
    if (error)
        return error;
    (void)memfs_lseek(file, (int64_t)some_offset(run), (enum memfs_whence)below(run, 5));
    (void)memfs_write(file, "The quick brown fox", below(run, 20));
    (void)memfs_read(file, run->buffer, sizeof run->buffer);
    memfs_close(file);
    return 0;
}

static int64_t do_setattr(struct run *run)
{
    const char *path = some_path(run, run->path);
    struct memfs_setattr set = {.set = below(run, 0x200) & ~MEMFS_SET_SIZE, .mode = below(run, 010000)};
    set.uid = below(run, 3);
    set.mtime = (int64_t)some_offset(run);
    return memfs_setattr(run->fs, NULL, path, below(run, 2) != 0, &set);
}

static int64_t do_xattr(struct run *run)
{
    static const char *const xattrs[] = {
        "user.shared", "user.long", "user.new", "trusted.root", "system.posix_acl_access", ""};
    const char *path = some_path(run, run->path), *name = xattrs[below(run, sizeof xattrs / sizeof *xattrs)];
    switch (below(run, 3)) {
    case 0:
        return memfs_setxattr(run->fs, NULL, path, 0, name, run->buffer, below(run, 300), below(run, 3));
    case 1:
        return memfs_removexattr(run->fs, NULL, path, 0, name);
    default:
        return memfs_getxattr(run->fs, NULL, path, 1, name, run->buffer, below(run, 2) ? sizeof run->buffer : 0);
    }
}

static int64_t do_look(struct run *run)
{
    const char *path = some_path(run, run->path);
    const struct memfs_cred cred = {.size = sizeof cred, .uid = below(run, 3), .gid = 1};
    struct memfs_stat stat;
    switch (below(run, 4)) {
    case 0:
        return memfs_stat(run->fs, &cred, path, &stat);
    case 1:
        return memfs_access(run->fs, &cred, path, below(run, 8));
    case 2:
        return memfs_listxattr(run->fs, &cred, path, 1, run->buffer, sizeof run->buffer);
    default:
        return memfs_readlink(run->fs, &cred, path, run->buffer, sizeof run->buffer);
    }
}

static int pass(void *context, const char *path, const struct memfs_stat *stat)
{
    (void)path;
    (void)stat;
    return --*(unsigned *)context ? 0 : 2;
}

static int64_t do_glob(struct run *run)
{
    static const char *const patterns[] = {"*", "**", "**/*e*", "*/[a-f]*", "d?/name-?", "**/deep*/"};
    unsigned visits = 200;
    int result = memfs_glob(run->fs, NULL, patterns[below(run, sizeof patterns / sizeof *patterns)], pass, &visits);
    return result == 2 ? 0 : result;
}

/* ---- Operations by node --------------------------------------------------------------- */

static int64_t do_lookup(struct run *run)
{
    memfs_node node = 0;
    int64_t result;
    if (below(run, 2))
        result = memfs_resolve(run->fs, NULL, some_path(run, run->path), below(run, 2) != 0, &node);
    else
        result = memfs_node_lookup(run->fs, NULL, some_node(run), some_name(run), &node);
    if (!result)
        keep(run, node);
    return result;
}

static int64_t do_contents(struct run *run)
{
    memfs_node node = some_node(run);
    uint64_t offset = some_offset(run);
    struct memfs_view view;
    int64_t result;
    switch (below(run, 7)) {
    case 0:
        return memfs_node_write(run->fs, node, offset, run->buffer, below(run, sizeof run->buffer));
    case 1:
        return memfs_node_read(run->fs, node, offset, run->buffer, below(run, sizeof run->buffer));
    case 2:
        return memfs_node_punch(run->fs, node, offset, below(run, 2) ? some_offset(run) : some_length(run));
    case 3:
        return memfs_node_allocate(run->fs, node, offset, some_length(run), 1);
    case 4:
        return memfs_node_copy(run->fs, node, offset, some_node(run), some_offset(run), some_length(run));
    case 5:
        return memfs_node_seek(run->fs, node, offset, below(run, 2) ? MEMFS_SEEK_DATA : MEMFS_SEEK_HOLE);
    default:
        result = memfs_node_view(run->fs, node, offset, 1 + below(run, 70000), &view);
        if (!result)
            memfs_view_release(run->fs, &view);
        return result;
    }
}

static int64_t do_tree(struct run *run)
{
    struct memfs_dirent entries[4];
    memfs_node node = some_node(run), made = 0;
    int64_t result;
    switch (below(run, 4)) {
    case 0:
        result = memfs_node_tmpfile(run->fs, NULL, node, 0600, &made);
        if (!result)
            keep(run, made);
        return result;
    case 1:
        return memfs_node_readdir(run->fs, NULL, node, some_offset(run), entries, 4, 1);
    case 2:
        return memfs_node_path(run->fs, node, run->buffer, sizeof run->buffer);
    default:
        result = memfs_node_parent(run->fs, node, &made);
        if (!result)
            keep(run, made);
        return result;
    }
}

/* ---- The whole ---------------------------------------------------------------------------- */

static int64_t (*const operations[])(struct run *run) = {
    do_make,  do_remove, do_rename, do_link,   do_resize,   do_file,     do_setattr,
    do_xattr, do_look,   do_glob,   do_lookup, do_contents, do_contents, do_tree,
};

static uint64_t changes(const struct run *run)
{
    struct memfs_statfs statfs;
    FUZZ_REQUIRE(memfs_statfs(run->fs, &statfs) == 0, "statfs");
    return statfs.changes;
}

static void operate(struct run *run)
{
    for (unsigned i = 0; i < OPERATIONS_MOST && fuzz_more(&run->choices); i++) {
        uint32_t operation = below(run, sizeof operations / sizeof *operations);
        uint64_t before = changes(run);
        int64_t result = operations[operation](run);
        FUZZ_REQUIRE(result >= 0 || changes(run) == before,
                     "operation %u failed with %lld, %s, and has changed something", operation, (long long)result,
                     memfs_strerror((int)result));
        FUZZ_REQUIRE(result >= 0 || memfs_errno((int)result) > 0, "operation %u: %lld", operation, (long long)result);
    }
}

static int freeze(memfs *fs, struct fuzz_memory *memory, struct fuzz_buffer *buffer)
{
    struct memfs_freeze_options options = {
        .size = sizeof options, .allocator = &memory->hook, .level = 1, .block_size = 65536};
    struct memfs_sink sink = fuzz_buffer_sink(buffer);
    buffer->size = 0;
    return memfs_freeze(fs, &sink, &options, NULL);
}

static void require_intact(const struct fuzz_buffer *buffer, struct fuzz_memory *memory)
{
    struct memfs_image_options options = {.size = sizeof options, .allocator = &memory->hook};
    struct memfs_detail detail = {.text = ""};
    memfs_image *image = NULL;
    int error = memfs_image_open_buffer(buffer->data, buffer->size, &options, &image, &detail);
    FUZZ_REQUIRE(!error, "what was frozen does not open: %s", detail.text);
    error = memfs_verify(image, NULL, &detail);
    FUZZ_REQUIRE(!error, "what was frozen is not intact: %s", detail.text);
    memfs_image_close(image);
}

static void freeze_twice(struct run *run, struct fuzz_memory *memory)
{
    static struct fuzz_buffer once, twice;
    int error = freeze(run->fs, memory, &once);
    if (error)
        return; /* the image lies, or is damaged: memfs_freeze() has met it */
    FUZZ_REQUIRE(freeze(run->fs, memory, &twice) == 0, "frozen once, but not twice");
    FUZZ_REQUIRE(once.size == twice.size && memcmp(once.data, twice.data, once.size) == 0,
                 "other bytes the second time");
    require_intact(&once, memory);
}

static int sum_sizes(void *context, const char *path, const struct memfs_stat *stat)
{
    uint64_t *sum = context;
    (void)path;
    *sum += 64 + (stat->size < FREEZABLE_MOST ? stat->size : FREEZABLE_MOST);
    return *sum < FREEZABLE_MOST ? 0 : 2;
}

static void run_on(memfs_image *image, struct fuzz_memory *memory, const uint8_t *bytes, size_t size)
{
    static struct run run;
    struct memfs_options options = {.size = sizeof options,
                                    .allocator = &memory->hook,
                                    .capacity = 8u << 20,
                                    .backing = memfs_image_backing(image)};
    memset(&run, 0, sizeof run);
    run.choices = fuzz_choices_of(bytes, size);
    if (memfs_create(&options, &run.fs))
        return;
    (void)memfs_walk(run.fs, NULL, "/", 0, remember, &run);
    const int freezes = fuzz_chance(&run.choices, 20);
    operate(&run);
    for (unsigned i = 0; i < HELD; i++)
        if (run.held[i])
            memfs_node_forget(run.fs, run.held[i], 1);
    uint64_t sum = 0;
    if (freezes && memfs_walk(run.fs, NULL, "/", 0, sum_sizes, &sum) == 0)
        freeze_twice(&run, memory);
    memfs_destroy(run.fs);
}

const enum fuzz_kind fuzz_kind = FUZZ_IMAGE_AND_BYTES;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t some[] = {199, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 10, 0, 1, 2, 11, 0, 0, 1, 1};
    struct fuzz_pieces pieces = fuzz_split(data, size);
    struct fuzz_memory memory;
    fuzz_memory_begin(&memory);
    struct memfs_image_options options = {.size = sizeof options, .allocator = &memory.hook, .cache_bytes = 256u << 10};
    memfs_image *image = NULL;
    int error = memfs_image_open_buffer(pieces.first, pieces.first_size, &options, &image, NULL);
    fuzz_count(!error);
    if (!error) {
        if (pieces.second_size)
            run_on(image, &memory, pieces.second, pieces.second_size);
        else
            run_on(image, &memory, some, sizeof some);
        memfs_image_close(image);
    }
    fuzz_memory_end(&memory);
    return 0;
}
