/*
 * Makes the tree that the input describes, and freezes it.
 *
 * Properties: frozen twice the bytes are the same; they are an intact image; what
 * is opened from it is the tree that was frozen, name by name and byte by byte, and
 * freezes to these bytes again; so does the tree after it has been sealed.
 */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#define STEPS_MOST 48u
#define DIRS 8u
#define CONTENT_MOST 20000u
#define ENTRIES_MOST 256

struct tree {
    struct fuzz_memory memory;
    struct fuzz_choices choices;
    memfs *fs;
    memfs_node dirs[DIRS];
    unsigned dir_count;
    memfs_node last; /* the newest node that is no directory; 0: none */
    uint8_t bytes[CONTENT_MOST];
};

static uint32_t below(struct tree *tree, uint32_t limit)
{
    return fuzz_below(&tree->choices, limit);
}

/* ---- Making ------------------------------------------------------------------------ */

static const char *some_name(struct tree *tree, char name[MEMFS_NAME_MAX + 1])
{
    static const char letters[] = "abcxyzABC019._- \x01\x7f\xc3\xbc\xff\"\\*";
    uint32_t length = 1 + below(tree, fuzz_chance(&tree->choices, 5) ? MEMFS_NAME_MAX : 6);
    for (uint32_t i = 0; i < length; i++)
        name[i] = i < 6 ? letters[below(tree, sizeof letters - 1)] : 'n';
    name[length] = 0;
    return name;
}

/* Bytes of which pieces repeat, so that there is something to share and to compress. */
static void fill(struct tree *tree, uint8_t *bytes, size_t size)
{
    uint64_t seed = below(tree, 4);
    const uint32_t kind = below(tree, 3);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(kind == 0 ? 0 : kind == 1 ? i % 23 + seed : fuzz_random(&seed));
}

static void make_content(struct tree *tree, memfs_node node)
{
    for (uint32_t pieces = below(tree, 4); pieces; pieces--) {
        const uint32_t size = below(tree, 2) ? below(tree, 100) : below(tree, CONTENT_MOST);
        const uint64_t offset = below(tree, 2) ? 0 : (uint64_t)below(tree, 40) * 4096 + below(tree, 3);
        fill(tree, tree->bytes, size);
        (void)memfs_node_write(tree->fs, node, offset, tree->bytes, size);
    }
    const struct memfs_setattr set = {.set = MEMFS_SET_SIZE, .size = below(tree, 200000)};
    if (fuzz_chance(&tree->choices, 20))
        (void)memfs_node_setattr(tree->fs, NULL, node, &set, NULL);
}

static int make_node(struct tree *tree, memfs_node dir, const char *name, memfs_node *node)
{
    static const uint32_t types[] = {MEMFS_IFIFO, MEMFS_IFSOCK, MEMFS_IFCHR, MEMFS_IFBLK};
    char target[MEMFS_NAME_MAX + 1];
    switch (below(tree, 8)) {
    case 0:
    case 1:
        return memfs_node_mkdir(tree->fs, NULL, dir, name, below(tree, 010000), node);
    case 2:
        return memfs_node_symlink(tree->fs, NULL, dir, name, some_name(tree, target), node);
    case 3:
        return memfs_node_mknod(tree->fs, NULL, dir, name, types[below(tree, 4)] | 0600, below(tree, 300), 7, node);
    default:
        return memfs_node_create(tree->fs, NULL, dir, name, below(tree, 010000), node);
    }
}

static void set_attributes(struct tree *tree, memfs_node node)
{
    static const char *const names[] = {"user.a", "user.b", "trusted.long", "security.x"};
    struct memfs_setattr set = {.set = MEMFS_SET_UID | MEMFS_SET_GID | MEMFS_SET_MTIME};
    set.uid = below(tree, UINT32_MAX);
    set.gid = below(tree, 2);
    set.mtime = (int64_t)((uint64_t)below(tree, UINT32_MAX) << 32 | below(tree, UINT32_MAX));
    (void)memfs_node_setattr(tree->fs, NULL, node, &set, NULL);
    for (uint32_t count = below(tree, 4); count; count--) {
        const uint32_t size = below(tree, fuzz_chance(&tree->choices, 10) ? 3000 : 20);
        fill(tree, tree->bytes, size);
        (void)memfs_node_setxattr(tree->fs, NULL, node, names[below(tree, 4)], tree->bytes, size, 0);
    }
}

/* One step. What cannot be is passed over. */
static void grow(struct tree *tree)
{
    char name[MEMFS_NAME_MAX + 1];
    const memfs_node dir = tree->dirs[below(tree, tree->dir_count)];
    const uint32_t what = below(tree, 10);
    memfs_node node = 0;
    struct memfs_stat stat;
    some_name(tree, name);
    if (what == 0 && tree->last) {
        (void)memfs_node_link(tree->fs, NULL, tree->last, dir, name);
        return;
    }
    if (what == 1) {
        (void)memfs_node_unlink(tree->fs, NULL, dir, name);
        return;
    }
    if (make_node(tree, dir, name, &node) || memfs_node_stat(tree->fs, node, &stat))
        return;
    if ((stat.mode & MEMFS_IFMT) == MEMFS_IFREG)
        make_content(tree, node);
    if (what < 5)
        set_attributes(tree, node);
    memfs_node_forget(tree->fs, node, 1);
    if ((stat.mode & MEMFS_IFMT) != MEMFS_IFDIR)
        tree->last = node;
    else if (tree->dir_count < DIRS)
        tree->dirs[tree->dir_count++] = node;
}

/* ---- Comparing ------------------------------------------------------------------------- */

struct compared {
    memfs *old, *new;
    uint8_t bytes[2][CONTENT_MOST];
};

static void compare_content(struct compared *both, const char *path, memfs_node old, memfs_node new, uint64_t size)
{
    for (uint64_t at = 0; at < size;) {
        int64_t got = memfs_node_read(both->old, old, at, both->bytes[0], CONTENT_MOST);
        FUZZ_REQUIRE(got > 0 && memfs_node_read(both->new, new, at, both->bytes[1], CONTENT_MOST) == got,
                     "%s at %llu: %lld", path, (unsigned long long)at, (long long)got);
        FUZZ_REQUIRE(memcmp(both->bytes[0], both->bytes[1], (size_t)got) == 0, "%s has other bytes", path);
        at += (uint64_t)got;
    }
}

static void compare_xattrs(struct compared *both, const char *path, memfs_node old, memfs_node new)
{
    char names[2][512];
    int64_t length = memfs_node_listxattr(both->old, NULL, old, names[0], sizeof names[0]);
    FUZZ_REQUIRE(length >= 0 && memfs_node_listxattr(both->new, NULL, new, names[1], sizeof names[1]) == length &&
                     memcmp(names[0], names[1], (size_t)length) == 0,
                 "%s: other attributes", path);
    for (const char *name = names[0]; name < names[0] + length; name += strlen(name) + 1) {
        int64_t size = memfs_node_getxattr(both->old, NULL, old, name, both->bytes[0], CONTENT_MOST);
        FUZZ_REQUIRE(size >= 0 &&
                         memfs_node_getxattr(both->new, NULL, new, name, both->bytes[1], CONTENT_MOST) == size &&
                         memcmp(both->bytes[0], both->bytes[1], (size_t)size) == 0,
                     "%s: attribute %s", path, name);
    }
}

static int compare_path(void *context, const char *path, const struct memfs_stat *stat)
{
    struct compared *both = context;
    struct memfs_stat other;
    char targets[2][MEMFS_NAME_MAX + 1];
    int error = memfs_lstat(both->new, NULL, path, &other);
    FUZZ_REQUIRE(!error, "%s: %s", path, memfs_strerror(error));
    FUZZ_REQUIRE(stat->mode == other.mode && stat->nlink == other.nlink && stat->uid == other.uid &&
                     stat->gid == other.gid && stat->size == other.size && stat->mtime == other.mtime &&
                     stat->rdev_major == other.rdev_major && stat->rdev_minor == other.rdev_minor,
                 "%s: other attributes", path);
    compare_xattrs(both, path, stat->node, other.node);
    if ((stat->mode & MEMFS_IFMT) == MEMFS_IFREG)
        compare_content(both, path, stat->node, other.node, stat->size);
    if ((stat->mode & MEMFS_IFMT) == MEMFS_IFLNK) {
        int64_t length = memfs_node_readlink(both->old, stat->node, targets[0], sizeof targets[0]);
        FUZZ_REQUIRE(length >= 0 &&
                         memfs_node_readlink(both->new, other.node, targets[1], sizeof targets[1]) == length &&
                         memcmp(targets[0], targets[1], (size_t)length) == 0,
                     "%s: another target", path);
    }
    return 0;
}

/* ---- Freezing ------------------------------------------------------------------------------ */

static void freeze(struct tree *tree, memfs *fs, struct fuzz_buffer *buffer)
{
    struct memfs_freeze_options options = {
        .size = sizeof options, .allocator = &tree->memory.hook, .level = 1, .block_size = 65536, .window = 65536};
    struct memfs_sink sink = fuzz_buffer_sink(buffer);
    struct memfs_detail detail = {.text = ""};
    buffer->size = 0;
    int error = memfs_freeze(fs, &sink, &options, &detail);
    FUZZ_REQUIRE(!error, "freezing: %s: %s", memfs_strerror(error), detail.text);
}

static void require_same(const struct fuzz_buffer *a, const struct fuzz_buffer *b, const char *when)
{
    FUZZ_REQUIRE(a->size == b->size && memcmp(a->data, b->data, a->size) == 0, "other bytes %s", when);
}

static memfs *stand_on(struct tree *tree, memfs_backing *backing)
{
    struct memfs_options options = {.size = sizeof options, .allocator = &tree->memory.hook, .backing = backing};
    memfs *fs = NULL;
    int error = memfs_create(&options, &fs);
    FUZZ_REQUIRE(!error, "standing on a backing: %s", memfs_strerror(error));
    return fs;
}

static void reopen(struct tree *tree, const struct fuzz_buffer *image_bytes, struct fuzz_buffer *again)
{
    static struct compared both;
    struct memfs_image_options options = {.size = sizeof options, .allocator = &tree->memory.hook};
    struct memfs_detail detail = {.text = ""};
    memfs_image *image = NULL;
    int error = memfs_image_open_buffer(image_bytes->data, image_bytes->size, &options, &image, &detail);
    FUZZ_REQUIRE(!error, "opening: %s", detail.text);
    error = memfs_verify(image, NULL, &detail);
    FUZZ_REQUIRE(!error, "verifying: %s", detail.text);
    memfs *fs = stand_on(tree, memfs_image_backing(image));
    both.old = tree->fs;
    both.new = fs;
    error = memfs_walk(tree->fs, NULL, "/", MEMFS_WALK_SORTED, compare_path, &both);
    FUZZ_REQUIRE(!error, "walking: %s", memfs_strerror(error));
    struct memfs_statfs old, new;
    FUZZ_REQUIRE(memfs_statfs(tree->fs, &old) == 0 && memfs_statfs(fs, &new) == 0 && old.nodes == new.nodes,
                 "%llu nodes became %llu", (unsigned long long)old.nodes, (unsigned long long)new.nodes);
    freeze(tree, fs, again);
    require_same(image_bytes, again, "when frozen from the image");
    memfs_destroy(fs);
    memfs_image_close(image);
}

static void seal(struct tree *tree, const struct fuzz_buffer *image_bytes, struct fuzz_buffer *again)
{
    memfs_backing *backing = NULL;
    int error = memfs_seal(tree->fs, &backing);
    FUZZ_REQUIRE(!error, "sealing: %s", memfs_strerror(error));
    memfs *fs = stand_on(tree, backing);
    memfs_backing_release(backing);
    freeze(tree, fs, again);
    require_same(image_bytes, again, "when sealed");
    memfs_destroy(fs);
}

const enum fuzz_kind fuzz_kind = FUZZ_BYTES;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tree tree;
    static struct fuzz_buffer once, again;
    tree.choices = fuzz_choices_of(data, size);
    tree.dirs[0] = MEMFS_ROOT;
    tree.dir_count = 1;
    tree.last = 0;
    fuzz_memory_begin(&tree.memory);
    tree.fs = stand_on(&tree, NULL);
    for (unsigned i = 0; i < STEPS_MOST && fuzz_more(&tree.choices); i++)
        grow(&tree);
    freeze(&tree, tree.fs, &once);
    freeze(&tree, tree.fs, &again);
    require_same(&once, &again, "the second time");
    reopen(&tree, &once, &again);
    seal(&tree, &once, &again);
    fuzz_memory_end(&tree.memory);
    return 0;
}
