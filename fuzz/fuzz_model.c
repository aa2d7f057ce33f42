/*
 * Does what the input says with a filesystem, and with its naive twin (tests/model.h).
 *
 * Properties: the same results; at the end the same tree with the same attributes and
 * bytes, also when it stands on a seal made on the way.
 */
#include "fuzz.h"
#include "model.h"

#include <errno.h>
#include <string.h>

#define STEPS_MOST 64u
#define PATH_ROOM 96u
#define FILE_MAX 150000u

struct twin {
    struct fuzz_memory memory;
    struct fuzz_choices choices;
    memfs *fs;
    struct model *model;
    unsigned layers;
    uint8_t bytes[70000], read[FILE_MAX];
};

static uint32_t below(struct twin *twin, uint32_t limit)
{
    return fuzz_below(&twin->choices, limit);
}

static void same(const struct twin *twin, const char *what, int64_t got, int64_t want)
{
    FUZZ_REQUIRE(got == want || (twin->model->alternative && want < 0 && got == twin->model->alternative),
                 "%s: %lld (%s), the model says %lld", what, (long long)got, got < 0 ? memfs_strerror((int)got) : "",
                 (long long)want);
}

static memfs *stand_on(struct twin *twin, memfs_backing *backing)
{
    struct memfs_options options = {.size = sizeof options, .allocator = &twin->memory.hook, .backing = backing};
    memfs *fs = NULL;
    FUZZ_REQUIRE(memfs_create(&options, &fs) == 0, "memory");
    return fs;
}

/* ---- Choosing ------------------------------------------------------------------------ */

static const char *some_path(struct twin *twin, char path[PATH_ROOM])
{
    static const char *const names[] = {"a", "b", "c", "d", "a", "b", "..", "."};
    size_t length = 0;
    if (fuzz_chance(&twin->choices, 20))
        path[length++] = '/';
    for (uint32_t count = 1 + below(twin, 4); count; count--)
        length +=
            (size_t)snprintf(path + length, PATH_ROOM - length, "%s%s", names[below(twin, 8)], count > 1 ? "/" : "");
    if (fuzz_chance(&twin->choices, 5))
        path[length++] = '/';
    path[length] = 0;
    return path;
}

static uint64_t some_offset(struct twin *twin)
{
    static const uint32_t borders[] = {0, 4095, 4096, 4097, 8192, 65535, 65536, 69632};
    return below(twin, 2) ? borders[below(twin, 8)] : below(twin, 9000);
}

/* The node of a path in both: 0 if neither has it, or it is not a file. */
static memfs_node some_file(struct twin *twin, struct model_node **node)
{
    char path[PATH_ROOM];
    memfs_node handle = 0;
    some_path(twin, path);
    const int got = memfs_resolve(twin->fs, NULL, path, 1, &handle);
    same(twin, "resolve", got, model_resolve(twin->model, path, 1, node));
    if (got)
        return 0;
    memfs_node_forget(twin->fs, handle, 1);
    return model_type(*node) == MEMFS_IFREG ? handle : 0;
}

/* ---- By path ---------------------------------------------------------------------------- */

static void do_make(struct twin *twin)
{
    static const uint32_t types[] = {MEMFS_IFREG, MEMFS_IFDIR, MEMFS_IFLNK, MEMFS_IFIFO,
                                     MEMFS_IFCHR, MEMFS_IFREG, MEMFS_IFDIR};
    char path[PATH_ROOM], target[PATH_ROOM];
    const uint32_t type = types[below(twin, 7)], mode = below(twin, 01000);
    int got;
    some_path(twin, path);
    some_path(twin, target);
    if (type == MEMFS_IFDIR)
        got = memfs_mkdir(twin->fs, NULL, path, mode);
    else if (type == MEMFS_IFLNK)
        got = memfs_symlink(twin->fs, NULL, target, path);
    else
        got = memfs_mknod(twin->fs, NULL, path, type | mode, 3, 4);
    same(twin, "make", got,
         model_path_make(twin->model, path, type | (type == MEMFS_IFLNK ? 0777 : mode), 3, 4,
                         type == MEMFS_IFLNK ? target : NULL));
}

static void do_link(struct twin *twin)
{
    char from[PATH_ROOM], to[PATH_ROOM];
    some_path(twin, from);
    some_path(twin, to);
    const int got = memfs_link(twin->fs, NULL, from, to);
    same(twin, "link", got, model_path_link(twin->model, from, to));
}

static void do_remove(struct twin *twin)
{
    char path[PATH_ROOM];
    some_path(twin, path);
    if (below(twin, 2)) {
        const int got = memfs_unlink(twin->fs, NULL, path);
        same(twin, "unlink", got, model_path_unlink(twin->model, path));
    } else {
        const int got = memfs_rmdir(twin->fs, NULL, path);
        same(twin, "rmdir", got, model_path_rmdir(twin->model, path));
    }
}

static void do_rename(struct twin *twin)
{
    static const uint32_t flags[] = {0, 0, MEMFS_RENAME_NOREPLACE, MEMFS_RENAME_EXCHANGE};
    char from[PATH_ROOM], to[PATH_ROOM];
    const uint32_t flag = flags[below(twin, 4)];
    some_path(twin, from);
    some_path(twin, to);
    const int got = memfs_rename(twin->fs, NULL, from, to, flag);
    same(twin, "rename", got, model_path_rename(twin->model, from, to, flag));
}

static void do_truncate(struct twin *twin)
{
    char path[PATH_ROOM];
    const uint64_t size = some_offset(twin);
    some_path(twin, path);
    const int got = memfs_truncate(twin->fs, NULL, path, size);
    same(twin, "truncate", got, model_path_truncate(twin->model, path, size));
}

static void do_open(struct twin *twin)
{
    static const uint32_t flags[] = {MEMFS_O_CREATE,
                                     MEMFS_O_CREATE | MEMFS_O_EXCL,
                                     MEMFS_O_TRUNC,
                                     MEMFS_O_NOFOLLOW,
                                     MEMFS_O_DIRECTORY,
                                     0,
                                     MEMFS_O_CREATE | MEMFS_O_TRUNC,
                                     MEMFS_O_CREATE | MEMFS_O_NOFOLLOW};
    char path[PATH_ROOM];
    uint32_t flag = flags[below(twin, 8)];
    flag |= flag & (MEMFS_O_CREATE | MEMFS_O_TRUNC) ? MEMFS_O_RDWR : MEMFS_O_READ;
    some_path(twin, path);
    struct model_node *node = NULL;
    memfs_file *file = NULL;
    const int got = memfs_open(twin->fs, NULL, path, flag, 0644, &file);
    const int want = model_path_open(twin->model, path, flag, 0644, &node);
    if (want != 1) /* special files */
        same(twin, "open", got, want);
    if (!got && !want && flag & MEMFS_O_WRITE && model_type(node) == MEMFS_IFREG) {
        const int64_t wrote = memfs_write(file, "The quick brown fox", 19);
        same(twin, "write", wrote, model_write(twin->model, node, 0, "The quick brown fox", 19));
    }
    memfs_close(file);
}

/* ---- Contents and attributes ----------------------------------------------------------------- */

static void do_write(struct twin *twin)
{
    struct model_node *node = NULL;
    const memfs_node file = some_file(twin, &node);
    const uint32_t length = below(twin, 2) ? below(twin, 200) : below(twin, 70000);
    const uint64_t offset = fuzz_chance(&twin->choices, 20) ? MEMFS_APPEND : some_offset(twin);
    if (!file || node->size + length > FILE_MAX)
        return;
    memset(twin->bytes, (int)below(twin, 3), length);
    const int64_t got = memfs_node_write(twin->fs, file, offset, twin->bytes, length);
    same(twin, "write", got, model_write(twin->model, node, offset, twin->bytes, length));
}

static void do_range(struct twin *twin)
{
    struct model_node *node = NULL;
    const memfs_node file = some_file(twin, &node);
    const uint64_t offset = some_offset(twin), length = some_offset(twin);
    const uint32_t what = below(twin, 3);
    if (!file)
        return;
    if (what == 0) {
        const int got = memfs_node_punch(twin->fs, file, offset, length);
        same(twin, "punch", got, model_punch(twin->model, node, offset, length));
    } else if (what == 1 && offset + length < FILE_MAX) {
        const int keep = (int)below(twin, 2);
        const int got = memfs_node_allocate(twin->fs, file, offset, length, keep);
        same(twin, "allocate", got, model_allocate(twin->model, node, offset, length, keep));
    } else {
        const int data = (int)below(twin, 2);
        const int64_t got = memfs_node_seek(twin->fs, file, offset, data ? MEMFS_SEEK_DATA : MEMFS_SEEK_HOLE);
        FUZZ_REQUIRE(model_seek_ok(node, offset, data, got), "seeking from %llu: %lld", (unsigned long long)offset,
                     (long long)got);
    }
}

static void do_copy(struct twin *twin)
{
    struct model_node *from_node = NULL, *to_node = NULL;
    const memfs_node from = some_file(twin, &from_node), to = some_file(twin, &to_node);
    const uint64_t from_offset = some_offset(twin), to_offset = some_offset(twin);
    uint64_t length = some_offset(twin);
    if (!from || !to || to_offset + length > FILE_MAX)
        return;
    if (from == to && from_offset + length > from_node->size)
        length = from_offset < from_node->size ? from_node->size - from_offset : 0;
    const int64_t got = memfs_node_copy(twin->fs, from, from_offset, to, to_offset, length);
    same(twin, "copy", got, model_copy(twin->model, from_node, from_offset, to_node, to_offset, length));
}

static void do_xattr(struct twin *twin)
{
    static const char *const names[] = {"user.a", "user.b", "trusted.c"};
    struct model_node *node = NULL;
    const memfs_node file = some_file(twin, &node);
    const char *name = names[below(twin, 3)];
    const uint32_t flags = below(twin, 3), size = below(twin, 100);
    if (!file)
        return;
    memset(twin->bytes, 'v', size);
    if (below(twin, 4)) {
        const int got = memfs_node_setxattr(twin->fs, NULL, file, name, twin->bytes, size, flags);
        same(twin, "setxattr", got, model_setxattr(twin->model, node, name, twin->bytes, size, flags));
    } else {
        const int got = memfs_node_removexattr(twin->fs, NULL, file, name);
        same(twin, "removexattr", got, model_removexattr(twin->model, node, name));
    }
}

static void do_seal(struct twin *twin)
{
    memfs_backing *backing = NULL;
    if (twin->layers == 3 || !fuzz_chance(&twin->choices, 30))
        return;
    FUZZ_REQUIRE(memfs_seal(twin->fs, &backing) == 0, "seal");
    twin->fs = stand_on(twin, backing);
    memfs_backing_release(backing);
    twin->layers++;
}

/* ---- Comparing ------------------------------------------------------------------------------------ */

static void compare_node(struct twin *twin, const struct memfs_stat *stat, struct model_node *node)
{
    const uint32_t type = model_type(node);
    FUZZ_REQUIRE(stat->mode == node->mode && stat->nlink == node->nlink && stat->rdev_major == node->major,
                 "mode %o, the model says %o", stat->mode, node->mode);
    FUZZ_REQUIRE(stat->size == (type == MEMFS_IFDIR ? model_entries(node) : node->size), "size %llu",
                 (unsigned long long)stat->size);
    if (type == MEMFS_IFREG) {
        const int64_t got = memfs_node_read(twin->fs, stat->node, 0, twin->read, FILE_MAX);
        FUZZ_REQUIRE(got == (int64_t)node->size &&
                         memcmp(twin->read, node->data ? node->data : twin->read, node->size) == 0,
                     "other bytes, %lld", (long long)got);
    }
    for (const struct model_xattr *xattr = node->xattrs; xattr; xattr = xattr->next)
        FUZZ_REQUIRE(memfs_node_getxattr(twin->fs, NULL, stat->node, xattr->name, twin->read, FILE_MAX) ==
                             (int64_t)xattr->size &&
                         memcmp(twin->read, xattr->value, xattr->size) == 0,
                     "attribute %s", xattr->name);
}

static void compare_dir(struct twin *twin, memfs_node handle, struct model_node *dir)
{
    struct memfs_dirent entries[3];
    struct model_entry *want = dir->entries;
    uint64_t cursor = 0;
    int64_t count;
    while ((count = memfs_node_readdir(twin->fs, NULL, handle, cursor, entries, 3, 1)) > 0) {
        for (int64_t i = 0; i < count; i++, want = want->next) {
            FUZZ_REQUIRE(want && strcmp(want->name, entries[i].name) == 0, "entry %s", entries[i].name);
            compare_node(twin, &entries[i].stat, want->node);
            if (model_type(want->node) == MEMFS_IFDIR)
                compare_dir(twin, entries[i].stat.node, want->node);
        }
        cursor = entries[count - 1].cursor;
    }
    FUZZ_REQUIRE(count == 0 && !want, "entry %s is missing", want ? want->name : "none");
}

static void compare(struct twin *twin)
{
    struct memfs_statfs statfs;
    struct memfs_stat stat;
    FUZZ_REQUIRE(memfs_stat(twin->fs, NULL, "/", &stat) == 0, "stat");
    compare_node(twin, &stat, twin->model->root);
    compare_dir(twin, MEMFS_ROOT, twin->model->root);
    FUZZ_REQUIRE(memfs_statfs(twin->fs, &statfs) == 0 && statfs.nodes == twin->model->nodes, "nodes in use");
}

static void (*const steps[])(struct twin *twin) = {do_make,   do_make,     do_make,  do_link, do_remove, do_rename,
                                                   do_rename, do_truncate, do_open,  do_open, do_write,  do_write,
                                                   do_range,  do_copy,     do_xattr, do_seal};

const enum fuzz_kind fuzz_kind = FUZZ_BYTES;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct twin twin;
    fuzz_memory_begin(&twin.memory);
    twin.choices = fuzz_choices_of(data, size);
    twin.layers = 0;
    twin.fs = stand_on(&twin, NULL);
    twin.model = model_new(0);
    for (unsigned i = 0; i < STEPS_MOST && fuzz_more(&twin.choices); i++)
        steps[below(&twin, sizeof steps / sizeof *steps)](&twin);
    compare(&twin);
    memfs_destroy(twin.fs);
    model_free(twin.model);
    fuzz_memory_end(&twin.memory);
    return 0;
}
