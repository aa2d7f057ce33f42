/*
 * Random operations on filesystems and on their naive twins: any difference is
 * a failure. MEMFS_MODEL_OPS (or the first argument) says how many operations,
 * MEMFS_SEED (or the second) which; MEMFS_TRACE=1 prints them.
 */
#include "model.h"
#include "testlib.h"

#define TWINS 3
#define HELD 6
#define VIEWS 3
#define LAYERS 6
#define NODES 160        /* about so many nodes a filesystem */
#define FILE_MAX 150000u /* bytes of a file */
#define CHECK_EVERY 400
#define TURN_EVERY 1500 /* freezing or sealing */

struct held {
    struct model_node *node;
    memfs_node handle;
    int open;
};

struct pinned {
    struct memfs_view view;
    uint8_t *copy;
};

struct twin {
    memfs *fs;
    struct model *model;
    struct held held[HELD];
    struct pinned pinned[VIEWS];
    unsigned layers;
    struct test_buffer *image; /* what it stands on, if that is an image; kept until the end of the turn */
};

struct test {
    struct test_state state;
    struct test_random random;
    struct twin twins[TWINS];
    struct twin *twin; /* of this operation */
    struct test_buffer *images[TWINS + 1];
    uint64_t seed, index;
    int trace;
    char text[2048];
    uint8_t bytes[FILE_MAX + 70000];
};

#define BAD(test, ...) bad(test, __LINE__, __VA_ARGS__)
static void bad(struct test *test, int line, const char *format, ...) __attribute__((format(printf, 3, 4), noreturn));
static void bad(struct test *test, int line, const char *format, ...)
{
    char why[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    print_error("seed %" PRIu64 ", operation %" PRIu64 ", filesystem %d: %s\n  %s\n", test->seed, test->index,
                test->twin ? (int)(test->twin - test->twins) : -1, test->text, why);
    _fail(__FILE__, line);
    abort();
}

static uint64_t below(struct test *test, uint64_t limit)
{
    return test_random_below(&test->random, limit);
}

static int chance(struct test *test, unsigned percent)
{
    return below(test, 100) < percent;
}

static void say(struct test *test, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct test *test, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(test->text, sizeof test->text, format, arguments);
    va_end(arguments);
}

/* ---- Choosing ------------------------------------------------------------------------------ */

static const char *long_name(char with)
{
    static char names[2][300];
    char *name = names[with == 'y'];
    memset(name, with, with == 'y' ? MEMFS_NAME_MAX + 1 : MEMFS_NAME_MAX);
    return name;
}

static const char *some_name(struct test *test)
{
    static const char *const pool[] = {"a", "b",  "c",   "d",    "e",  "f",        "g", "aa",
                                       "B", ".x", "...", "\xff", "z ", "a\001b*?", "m", NULL};
    const char *name = pool[below(test, sizeof pool / sizeof *pool)];
    return name ? name : long_name('x');
}

static const char *bad_name(struct test *test)
{
    static const char *const pool[] = {"", ".", "..", "a/b", "/", NULL};
    const char *name = pool[below(test, sizeof pool / sizeof *pool)];
    return name ? name : long_name('y');
}

static struct model_entry *some_entry(struct test *test, const struct model_node *dir)
{
    uint64_t count = model_entries(dir);
    if (!count)
        return NULL;
    struct model_entry *entry = dir->entries;
    for (uint64_t i = below(test, count); i; i--)
        entry = entry->next;
    return entry;
}

/* A name in a directory: mostly one that is there. */
static const char *name_in(struct test *test, const struct model_node *dir, unsigned percent)
{
    struct model_entry *entry = some_entry(test, dir);
    if (entry && chance(test, percent))
        return entry->name;
    return chance(test, 1) && dir->nlink && model_type(dir) == MEMFS_IFDIR ? bad_name(test) : some_name(test);
}

static void some_path(struct test *test, char *path, size_t room)
{
    struct model_node *node = test->twin->model->root;
    size_t length = 0, components = 1 + below(test, 4);
    if (chance(test, 1))
        components = 0;
    path[0] = 0;
    if (chance(test, 50))
        path[length++] = '/';
    for (size_t i = 0; i < components; i++) {
        struct model_entry *entry = node && model_type(node) == MEMFS_IFDIR ? some_entry(test, node) : NULL;
        const char *name = entry && chance(test, 75) ? entry->name : some_name(test);
        unsigned odd = (unsigned)below(test, 40);
        name = odd == 0 ? "." : odd == 1 ? ".." : odd == 2 && chance(test, 10) ? long_name('y') : name;
        node = entry && name == entry->name ? entry->node : NULL;
        length += (size_t)snprintf(path + length, room - length, "%s%s", i ? chance(test, 3) ? "//" : "/" : "", name);
    }
    if (chance(test, 6) && length)
        path[length++] = '/';
    path[length] = 0;
}

/* An operand: a node of both, with a look-up count where the operation must
 * give one back. */
struct operand {
    struct model_node *node;
    memfs_node handle;
    int counted;
};

static struct operand some_node(struct test *test, uint32_t type)
{
    struct twin *twin = test->twin;
    if (chance(test, 12)) {
        const struct held *held = &twin->held[below(test, HELD)];
        if (held->node && (!type || model_type(held->node) == type || chance(test, 10)))
            return (struct operand){.node = held->node, .handle = held->handle};
    }
    struct model_node *node = twin->model->root;
    memfs_node handle = MEMFS_ROOT;
    int counted = 0;
    for (unsigned depth = 0; depth < 8 && model_type(node) == MEMFS_IFDIR; depth++) {
        struct model_entry *entry = some_entry(test, node);
        if (!entry || (type == MEMFS_IFDIR && (model_type(entry->node) != MEMFS_IFDIR || chance(test, 30))))
            break;
        memfs_node child = 0;
        int error = memfs_node_lookup(twin->fs, NULL, handle, entry->name, &child);
        if (error)
            BAD(test, "look-up of %s before the operation: %s", entry->name, memfs_strerror(error));
        if (counted)
            memfs_node_forget(twin->fs, handle, 1);
        node = entry->node;
        handle = child;
        counted = 1;
    }
    return (struct operand){.node = node, .handle = handle, .counted = counted};
}

/* A file if there is one near. */
static struct operand some_file(struct test *test)
{
    struct operand operand = {0};
    for (unsigned i = 0; i < 3; i++) {
        operand = some_node(test, 0);
        if (model_type(operand.node) == MEMFS_IFREG || i == 2)
            break;
        if (operand.counted)
            memfs_node_forget(test->twin->fs, operand.handle, 1);
    }
    return operand;
}

static uint64_t some_offset(struct test *test)
{
    static const uint32_t borders[] = {0, 4096, 8192, 65536, 69632, 131072};
    if (chance(test, 40))
        return below(test, 9000);
    uint64_t border = borders[below(test, sizeof borders / sizeof *borders)], away = below(test, 5);
    return chance(test, 50) || border < away ? border + away : border - away;
}

/* Near the end of what a file can have; with any offset it stays within. */
static uint64_t far_length(struct test *test)
{
    return (UINT64_C(1) << 62) - below(test, 70000);
}

static uint64_t some_length(struct test *test)
{
    static const uint32_t lengths[] = {0, 1, 4095, 4096, 4097, 8192, 20000, 65536};
    if (chance(test, 2))
        return below(test, 66000);
    return chance(test, 75) ? below(test, 300) : lengths[below(test, sizeof lengths / sizeof *lengths)];
}

/* ---- Comparing ------------------------------------------------------------------------------- */

static void compare_result(struct test *test, int64_t got, int64_t want)
{
    const struct model *model = test->twin->model;
    if (got == want || (model->alternative && want < 0 && got == model->alternative))
        return;
    BAD(test, "result %" PRId64 " (%s), expected %" PRId64 " (%s)", got, got < 0 ? memfs_strerror((int)got) : "", want,
        want < 0 ? memfs_strerror((int)want) : "");
}

#define SAME(field, want)                                                                                              \
    do {                                                                                                               \
        if ((uint64_t)stat->field != (uint64_t)(want))                                                                 \
            BAD(test, "%s of node %" PRIx64 ": %" PRId64 " (0%o), expected %" PRId64 " (0%o)", #field, stat->node,     \
                (int64_t)stat->field, (unsigned)stat->field, (int64_t)(want), (unsigned)(want));                       \
    } while (0)

static void compare_stat(struct test *test, const struct memfs_stat *stat, struct model_node *node)
{
    struct model *model = test->twin->model;
    if (model->loose == node) {
        if (stat->mtime == model->loose_mtime)
            node->mtime = stat->mtime;
        if (stat->ctime == model->loose_ctime)
            node->ctime = stat->ctime;
        model->loose = NULL;
    }
    SAME(mode, node->mode);
    SAME(nlink, node->nlink);
    SAME(uid, node->uid);
    SAME(gid, node->gid);
    SAME(rdev_major, node->major);
    SAME(rdev_minor, node->minor);
    SAME(size, model_type(node) == MEMFS_IFDIR ? model_entries(node) : node->size);
    SAME(mtime, node->mtime);
    SAME(ctime, node->ctime);
    SAME(atime, node->atime);
}

static void compare_node(struct test *test, const struct operand *operand)
{
    struct memfs_stat stat;
    int error = memfs_node_stat(test->twin->fs, operand->handle, &stat);
    if (error)
        BAD(test, "stat afterwards: %s", memfs_strerror(error));
    compare_stat(test, &stat, operand->node);
}

/* After an operation: the operand's attributes, and its look-up goes back. */
static void done(struct test *test, const struct operand *operand)
{
    if (operand->node)
        compare_node(test, operand);
    if (operand->counted)
        memfs_node_forget(test->twin->fs, operand->handle, 1);
}

static void compare_content(struct test *test, memfs_node handle, const struct model_node *node)
{
    memfs *fs = test->twin->fs;
    int64_t got = memfs_node_read(fs, handle, 0, test->bytes, sizeof test->bytes);
    if (got != (int64_t)node->size)
        BAD(test, "reads %" PRId64 " bytes, expected %" PRIu64, got, node->size);
    for (uint64_t i = 0; i < node->size; i++)
        if (test->bytes[i] != node->data[i])
            BAD(test, "byte %" PRIu64 " of %" PRIu64 " is %02x, expected %02x", i, node->size, test->bytes[i],
                node->data[i]);
    uint64_t pages = 0;
    for (uint64_t at = 0; at <= node->size; at += MODEL_PAGE) {
        pages += at < node->size && node->pages[at / MODEL_PAGE] == MODEL_DATA;
        for (int data = 0; data < 2; data++) {
            int64_t result = memfs_node_seek(fs, handle, at, data ? MEMFS_SEEK_DATA : MEMFS_SEEK_HOLE);
            if (!model_seek_ok(node, at, data, result))
                BAD(test, "seek for %s from %" PRIu64 ": %" PRId64 " (size %" PRIu64 ")", data ? "data" : "a hole", at,
                    result, node->size);
        }
    }
    struct memfs_stat stat;
    if (memfs_node_stat(fs, handle, &stat) || (stat.allocated + MODEL_PAGE - 1) / MODEL_PAGE < pages)
        BAD(test, "%" PRIu64 " bytes allocated, expected %" PRIu64 " pages", stat.allocated, pages);
}

static void compare_xattrs(struct test *test, memfs_node handle, const struct model_node *node)
{
    char names[4096], value[4096];
    int64_t length = memfs_node_listxattr(test->twin->fs, NULL, handle, names, sizeof names), at = 0;
    if (length < 0)
        BAD(test, "listxattr: %s", memfs_strerror((int)length));
    for (const struct model_xattr *xattr = node->xattrs; xattr; xattr = xattr->next) {
        if (at >= length || strcmp(names + at, xattr->name) != 0)
            BAD(test, "attribute %s, expected %s", at < length ? names + at : "none", xattr->name);
        int64_t size = memfs_node_getxattr(test->twin->fs, NULL, handle, xattr->name, value, sizeof value);
        if (size != (int64_t)xattr->size || memcmp(value, xattr->value, xattr->size) != 0)
            BAD(test, "attribute %s differs, size %" PRId64, xattr->name, size);
        at += (int64_t)strlen(names + at) + 1;
    }
    if (at != length)
        BAD(test, "attribute %s, expected none", names + at);
}

static void compare_inner(struct test *test, memfs_node handle, struct model_node *node)
{
    if (model_type(node) == MEMFS_IFREG)
        compare_content(test, handle, node);
    if (model_type(node) == MEMFS_IFLNK) {
        char target[MEMFS_TARGET_MAX + 1];
        int64_t length = memfs_node_readlink(test->twin->fs, handle, target, sizeof target);
        if (length != (int64_t)node->size || memcmp(target, node->target, node->size) != 0)
            BAD(test, "target %.*s, expected %s", length > 0 ? (int)length : 0, target, node->target);
    }
    compare_xattrs(test, handle, node);
}

/* The entries of a directory, in order; chunk after chunk of odd size. */
static void compare_dir(struct test *test, memfs_node handle, struct model_node *dir, unsigned depth)
{
    struct memfs_dirent entries[5];
    struct model_entry *want = dir->entries;
    uint64_t cursor = 0;
    int64_t count;
    while ((count = memfs_node_readdir(test->twin->fs, NULL, handle, cursor, entries, 5, 1)) > 0) {
        for (int64_t i = 0; i < count; i++, want = want->next) {
            if (!want || strcmp(want->name, entries[i].name) != 0)
                BAD(test, "entry %s, expected %s", entries[i].name, want ? want->name : "the end");
            compare_stat(test, &entries[i].stat, want->node);
            memfs_node child = entries[i].stat.node;
            if (want->node->handle && want->node->handle != child)
                BAD(test, "entry %s is node %" PRIx64 ", expected %" PRIx64, want->name, child, want->node->handle);
            if (!want->node->handle)
                compare_inner(test, child, want->node);
            want->node->handle = child;
            if (model_type(want->node) == MEMFS_IFDIR)
                compare_dir(test, child, want->node, depth + 1);
        }
        cursor = entries[count - 1].cursor;
    }
    if (count < 0)
        BAD(test, "readdir: %s", memfs_strerror((int)count));
    if (want)
        BAD(test, "the end, expected entry %s", want->name);
}

static void compare_whole(struct test *test)
{
    struct twin *twin = test->twin;
    for (struct model_node *node = twin->model->all; node; node = node->next)
        node->handle = 0;
    compare_node(test, &(struct operand){.node = twin->model->root, .handle = MEMFS_ROOT});
    compare_inner(test, MEMFS_ROOT, twin->model->root);
    compare_dir(test, MEMFS_ROOT, twin->model->root, 0);
    for (size_t i = 0; i < HELD; i++)
        if (twin->held[i].node) {
            compare_node(test, &(struct operand){.node = twin->held[i].node, .handle = twin->held[i].handle});
            compare_inner(test, twin->held[i].handle, twin->held[i].node);
        }
    struct memfs_statfs statfs;
    int error = memfs_statfs(twin->fs, &statfs);
    if (error || statfs.nodes != twin->model->nodes)
        BAD(test, "%" PRIu64 " nodes in use, expected %" PRIu64, statfs.nodes, twin->model->nodes);
}

/* ---- By node ----------------------------------------------------------------------------------- */

static const char *const type_names[] = {"create", "mkdir", "mkfifo", "mksock", "mkchr", "mkblk", "symlink"};
static const uint32_t type_modes[] = {MEMFS_IFREG, MEMFS_IFDIR, MEMFS_IFIFO, MEMFS_IFSOCK,
                                      MEMFS_IFCHR, MEMFS_IFBLK, MEMFS_IFLNK};

static size_t some_type(struct test *test)
{
    return chance(test, 55) ? 0 : chance(test, 50) ? 1 : 2 + below(test, 5);
}

static void hold(struct test *test, struct model_node *node, memfs_node handle);

static void op_make(struct test *test)
{
    struct twin *twin = test->twin;
    struct operand dir = some_node(test, MEMFS_IFDIR);
    const char *name = name_in(test, dir.node, 15);
    size_t type = some_type(test);
    uint32_t mode = (uint32_t)below(test, 01000), major = (uint32_t)below(test, 5),
             minor = (uint32_t)test->random.state;
    char target[1500];
    some_path(test, target, sizeof target);
    if (!target[0])
        strcpy(target, "a");
    memfs_node made = 0;
    struct model_node *node = NULL;
    int got;
    say(test, "%s by node: %s mode %o target %.60s", type_names[type], name, mode, target);
    if (type == 0)
        got = memfs_node_create(twin->fs, NULL, dir.handle, name, mode, &made);
    else if (type == 1)
        got = memfs_node_mkdir(twin->fs, NULL, dir.handle, name, mode, &made);
    else if (type == 6)
        got = memfs_node_symlink(twin->fs, NULL, dir.handle, name, target, &made);
    else
        got = memfs_node_mknod(twin->fs, NULL, dir.handle, name, type_modes[type] | mode, major, minor, &made);
    mode = type == 6 ? MEMFS_IFLNK | 0777 : type_modes[type] | mode;
    compare_result(test, got,
                   model_make(twin->model, dir.node, name, mode, major, minor, type == 6 ? target : NULL, &node));
    if (got == 0) {
        compare_node(test, &(struct operand){.node = node, .handle = made});
        if (chance(test, 10))
            hold(test, node, made);
        else
            memfs_node_forget(twin->fs, made, 1);
    }
    done(test, &dir);
}

static void op_link(struct test *test)
{
    struct operand node = some_node(test, 0), dir = some_node(test, MEMFS_IFDIR);
    const char *name = name_in(test, dir.node, 15);
    say(test, "link by node %" PRIx64 " to %s in %" PRIx64, node.handle, name, dir.handle);
    int got = memfs_node_link(test->twin->fs, NULL, node.handle, dir.handle, name);
    compare_result(test, got, model_link(test->twin->model, node.node, dir.node, name));
    done(test, &node);
    done(test, &dir);
}

/* Removal: the node that goes is held meanwhile, to see what it becomes. */
static void op_remove(struct test *test)
{
    struct twin *twin = test->twin;
    struct operand dir = some_node(test, MEMFS_IFDIR), gone = {0};
    const char *given = name_in(test, dir.node, 90);
    char name[300];
    strcpy(name, given);
    int rmdir = chance(test, 40);
    say(test, "%s by node: %s in %" PRIx64, rmdir ? "rmdir" : "unlink", name, dir.handle);
    if (model_lookup(twin->model, dir.node, name, &gone.node) == 0) {
        int error = memfs_node_lookup(twin->fs, NULL, dir.handle, name, &gone.handle);
        if (error)
            BAD(test, "look-up before: %s", memfs_strerror(error));
        gone.counted = 1;
        model_hold(gone.node);
    } else {
        gone.node = NULL;
    }
    int got = rmdir ? memfs_node_rmdir(twin->fs, NULL, dir.handle, name)
                    : memfs_node_unlink(twin->fs, NULL, dir.handle, name);
    compare_result(test, got,
                   rmdir ? model_rmdir(twin->model, dir.node, name) : model_unlink(twin->model, dir.node, name));
    done(test, &dir);
    if (gone.node && gone.node != dir.node && chance(test, 20)) {
        compare_node(test, &gone);
        hold(test, gone.node, gone.handle);
        model_drop(twin->model, gone.node);
    } else if (gone.node) {
        done(test, &gone);
        model_drop(twin->model, gone.node);
    }
}

static void op_rename(struct test *test)
{
    struct twin *twin = test->twin;
    struct operand from_dir = some_node(test, MEMFS_IFDIR), to_dir = some_node(test, MEMFS_IFDIR);
    if (chance(test, 30)) {
        if (to_dir.counted)
            memfs_node_forget(twin->fs, to_dir.handle, 1);
        to_dir = from_dir;
        to_dir.counted = 0;
    }
    char from[300], to[300];
    strcpy(from, name_in(test, from_dir.node, 95));
    strcpy(to, name_in(test, to_dir.node, 50));
    uint32_t flags = chance(test, 70) ? 0 : chance(test, 30) ? MEMFS_RENAME_NOREPLACE : MEMFS_RENAME_EXCHANGE;
    say(test, "rename by node: %s in %" PRIx64 " to %s in %" PRIx64 " flags %u", from, from_dir.handle, to,
        to_dir.handle, flags);
    model_hold(from_dir.node);
    model_hold(to_dir.node);
    int got = memfs_node_rename(twin->fs, NULL, from_dir.handle, from, to_dir.handle, to, flags);
    compare_result(test, got, model_rename(twin->model, from_dir.node, from, to_dir.node, to, flags));
    done(test, &from_dir);
    done(test, &to_dir);
    model_drop(twin->model, from_dir.node);
    model_drop(twin->model, to_dir.node);
}

static void op_lookup(struct test *test)
{
    struct twin *twin = test->twin;
    struct operand dir = some_node(test, MEMFS_IFDIR);
    struct model_node *node = NULL;
    memfs_node handle = 0;
    const char *name = name_in(test, dir.node, 60);
    say(test, "look-up of %s in %" PRIx64, name, dir.handle);
    int got = memfs_node_lookup(twin->fs, NULL, dir.handle, name, &handle);
    compare_result(test, got, model_lookup(twin->model, dir.node, name, &node));
    if (got == 0 && chance(test, 30))
        hold(test, node, handle);
    else if (got == 0)
        memfs_node_forget(twin->fs, handle, 1);
    done(test, &dir);
}

static void op_tmpfile(struct test *test)
{
    struct twin *twin = test->twin;
    struct operand dir = some_node(test, MEMFS_IFDIR);
    struct model_node *node = NULL;
    memfs_node handle = 0;
    say(test, "tmpfile in %" PRIx64, dir.handle);
    int got = memfs_node_tmpfile(twin->fs, NULL, dir.handle, 0640, &handle);
    compare_result(test, got, model_tmpfile(twin->model, dir.node, 0640, &node));
    if (got == 0) {
        hold(test, node, handle);
        model_drop(twin->model, node);
    }
    done(test, &dir);
}

/* ---- Held nodes, open files, views ----------------------------------------------------------------- */

static void let_go(struct test *test, struct held *held)
{
    struct twin *twin = test->twin;
    if (!held->node)
        return;
    if (held->open)
        memfs_node_close(twin->fs, held->handle);
    memfs_node_forget(twin->fs, held->handle, 1);
    model_drop(twin->model, held->node);
    held->node = NULL;
}

/* Takes the look-up count of handle over. */
static void hold(struct test *test, struct model_node *node, memfs_node handle)
{
    struct held *held = &test->twin->held[below(test, HELD)];
    model_hold(node);
    let_go(test, held);
    *held = (struct held){.node = node, .handle = handle};
    if (model_type(node) == MEMFS_IFREG && chance(test, 50)) {
        int error = memfs_node_open(test->twin->fs, NULL, handle, MEMFS_O_RDWR);
        if (error)
            BAD(test, "open of a held file: %s", memfs_strerror(error));
        held->open = 1;
    }
}

static void op_let_go(struct test *test)
{
    say(test, "forget");
    let_go(test, &test->twin->held[below(test, HELD)]);
}

static void release(struct test *test, struct pinned *pinned)
{
    if (!pinned->copy)
        return;
    if (memcmp(pinned->copy, pinned->view.data, pinned->view.length) != 0)
        BAD(test, "a view has changed while it was held");
    memfs_view_release(test->twin->fs, &pinned->view);
    free(pinned->copy);
    pinned->copy = NULL;
}

static void op_view(struct test *test)
{
    struct twin *twin = test->twin;
    struct operand file = some_file(test);
    struct pinned *pinned = &twin->pinned[below(test, VIEWS)];
    uint64_t offset = some_offset(test), length = 1 + some_length(test);
    say(test, "view of %" PRIx64 " at %" PRIu64 " length %" PRIu64, file.handle, offset, length);
    release(test, pinned);
    if (model_type(file.node) == MEMFS_IFREG) {
        int got = memfs_node_view(twin->fs, file.handle, offset, length, &pinned->view);
        compare_result(test, got, 0);
        uint64_t most = offset < file.node->size ? file.node->size - offset : 0;
        most = most < length ? most : length;
        if (pinned->view.length > most || (most && !pinned->view.length))
            BAD(test, "view of %zu bytes, expected up to %" PRIu64, pinned->view.length, most);
        if (!most) {
            memfs_view_release(twin->fs, &pinned->view);
        } else {
            pinned->copy = malloc(pinned->view.length);
            memcpy(pinned->copy, file.node->data + offset, pinned->view.length);
            if (memcmp(pinned->copy, pinned->view.data, pinned->view.length) != 0)
                BAD(test, "the view's bytes differ");
        }
    }
    done(test, &file);
}

/* ---- Contents ------------------------------------------------------------------------------------------ */

static void op_write(struct test *test)
{
    struct twin *twin = test->twin;
    struct operand file = some_file(test);
    uint64_t offset = some_offset(test), length = some_length(test);
    int append = chance(test, 20);
    if (append && file.node->size + length > FILE_MAX)
        append = 0;
    if (offset + length > FILE_MAX)
        offset = 0;
    if (chance(test, 15))
        memset(test->bytes, 0, length);
    else
        test_random_fill(&test->random, test->bytes, length);
    say(test, "write to %" PRIx64 " at %" PRIu64 "%s length %" PRIu64, file.handle, offset, append ? " (append)" : "",
        length);
    offset = append ? MEMFS_APPEND : offset;
    int64_t got = memfs_node_write(twin->fs, file.handle, offset, test->bytes, length);
    compare_result(test, got, model_write(twin->model, file.node, offset, test->bytes, length));
    done(test, &file);
}

static void op_read(struct test *test)
{
    struct operand file = some_file(test);
    uint64_t offset = some_offset(test), length = some_length(test);
    uint8_t *got_bytes = malloc(length + 1), *want_bytes = malloc(length + 1);
    say(test, "read of %" PRIx64 " at %" PRIu64 " length %" PRIu64, file.handle, offset, length);
    int64_t got = memfs_node_read(test->twin->fs, file.handle, offset, got_bytes, length);
    compare_result(test, got, model_read(file.node, offset, want_bytes, length));
    if (got > 0 && memcmp(got_bytes, want_bytes, (size_t)got) != 0)
        BAD(test, "other bytes");
    free(got_bytes);
    free(want_bytes);
    done(test, &file);
}

static void op_truncate(struct test *test)
{
    struct twin *twin = test->twin;
    struct operand file = some_file(test);
    struct memfs_setattr set = {.set = MEMFS_SET_SIZE, .size = some_offset(test)};
    if (chance(test, 30) && file.node->size)
        set.size = below(test, file.node->size);
    say(test, "truncate %" PRIx64 " from %" PRIu64 " to %" PRIu64, file.handle, file.node->size, set.size);
    int got = memfs_node_setattr(twin->fs, NULL, file.handle, &set, NULL);
    compare_result(test, got, model_truncate(twin->model, file.node, set.size));
    done(test, &file);
}

static void op_punch(struct test *test)
{
    struct twin *twin = test->twin;
    struct operand file = some_file(test);
    uint64_t offset = some_offset(test), length = chance(test, 60) ? some_offset(test) : some_length(test);
    if (chance(test, 5))
        length = far_length(test);
    say(test, "punch %" PRIx64 " at %" PRIu64 " length %" PRIu64 " size %" PRIu64, file.handle, offset, length,
        file.node->size);
    int got = memfs_node_punch(twin->fs, file.handle, offset, length);
    if (model_type(file.node) == MEMFS_IFREG)
        compare_result(test, got, model_punch(twin->model, file.node, offset, length));
    else if (got >= 0)
        BAD(test, "punched no file");
    done(test, &file);
}

static void op_allocate(struct test *test)
{
    struct twin *twin = test->twin;
    struct operand file = some_file(test);
    uint64_t offset = some_offset(test), length = chance(test, 40) ? below(test, 9000) : some_length(test);
    int keep = chance(test, 50);
    if (chance(test, 5))
        length = far_length(test);
    else if (offset + length > FILE_MAX)
        offset = 0;
    say(test, "allocate %" PRIx64 " at %" PRIu64 " length %" PRIu64 " keep %d", file.handle, offset, length, keep);
    int got = memfs_node_allocate(twin->fs, file.handle, offset, length, keep);
    if (model_type(file.node) == MEMFS_IFREG)
        compare_result(test, got, model_allocate(twin->model, file.node, offset, length, keep));
    else if (got >= 0)
        BAD(test, "allocated no file");
    done(test, &file);
}

static void op_copy(struct test *test)
{
    struct twin *twin = test->twin;
    struct operand from = some_file(test), to = some_file(test);
    uint64_t from_offset = some_offset(test), to_offset = some_offset(test), length = some_length(test);
    if (chance(test, 5))
        length = far_length(test);
    if (to_offset + length > FILE_MAX)
        to_offset = 0;
    if (from.node == to.node && from_offset + length > from.node->size)
        length = from_offset < from.node->size ? from.node->size - from_offset : 0;
    say(test, "copy %" PRIx64 " at %" PRIu64 " to %" PRIx64 " at %" PRIu64 " length %" PRIu64, from.handle, from_offset,
        to.handle, to_offset, length);
    int64_t got = memfs_node_copy(twin->fs, from.handle, from_offset, to.handle, to_offset, length);
    if (model_type(from.node) == MEMFS_IFREG && model_type(to.node) == MEMFS_IFREG)
        compare_result(test, got, model_copy(twin->model, from.node, from_offset, to.node, to_offset, length));
    else if (got >= 0)
        BAD(test, "copied what is no file");
    done(test, &from);
    done(test, &to);
}

static void op_seek(struct test *test)
{
    struct operand file = some_file(test);
    uint64_t offset = some_offset(test);
    int data = chance(test, 50);
    say(test, "seek in %" PRIx64 " from %" PRIu64 " for %s", file.handle, offset, data ? "data" : "a hole");
    if (model_type(file.node) == MEMFS_IFREG) {
        int64_t got = memfs_node_seek(test->twin->fs, file.handle, offset, data ? MEMFS_SEEK_DATA : MEMFS_SEEK_HOLE);
        if (!model_seek_ok(file.node, offset, data, got))
            BAD(test, "result %" PRId64 ", size %" PRIu64, got, file.node->size);
    }
    done(test, &file);
}

/* ---- Attributes ---------------------------------------------------------------------------------------------- */

static void op_setattr(struct test *test)
{
    struct twin *twin = test->twin;
    struct operand node = some_node(test, 0);
    struct memfs_setattr set = {.mode = (uint32_t)below(test, 01000) | (chance(test, 20) ? 01000u : 0u),
                                .uid = (uint32_t)below(test, 3),
                                .gid = (uint32_t)test->random.state,
                                .mtime = (int64_t)test_random_next(&test->random),
                                .atime = (int64_t)below(test, 1000) - 500,
                                .ctime = -5};
    static const uint32_t all[] = {MEMFS_SET_MODE,  MEMFS_SET_UID,       MEMFS_SET_GID,       MEMFS_SET_ATIME,
                                   MEMFS_SET_MTIME, MEMFS_SET_ATIME_NOW, MEMFS_SET_MTIME_NOW, MEMFS_SET_CTIME};
    while (!set.set)
        for (size_t i = 0; i < sizeof all / sizeof *all; i++)
            set.set |= chance(test, 30) ? all[i] : 0u;
    if (model_type(node.node) == MEMFS_IFLNK)
        set.set = (set.set & ~MEMFS_SET_MODE) | MEMFS_SET_UID;
    if (set.set & MEMFS_SET_ATIME_NOW)
        set.set &= ~MEMFS_SET_ATIME;
    if (set.set & MEMFS_SET_MTIME_NOW)
        set.set &= ~MEMFS_SET_MTIME;
    say(test, "setattr of %" PRIx64 " set %x", node.handle, set.set);
    compare_result(test, memfs_node_setattr(twin->fs, NULL, node.handle, &set, NULL), 0);
    struct model_node *want = node.node;
    twin->model->loose = NULL;
    want->mode = set.set & MEMFS_SET_MODE ? model_type(want) | set.mode : want->mode;
    want->uid = set.set & MEMFS_SET_UID ? set.uid : want->uid;
    want->gid = set.set & MEMFS_SET_GID ? set.gid : want->gid;
    want->atime = set.set & MEMFS_SET_ATIME ? set.atime : want->atime;
    want->atime = set.set & MEMFS_SET_ATIME_NOW ? twin->model->now : want->atime;
    want->mtime = set.set & MEMFS_SET_MTIME ? set.mtime : want->mtime;
    want->mtime = set.set & MEMFS_SET_MTIME_NOW ? twin->model->now : want->mtime;
    want->ctime = set.set & MEMFS_SET_CTIME ? set.ctime : twin->model->now;
    done(test, &node);
}

static void op_xattr(struct test *test)
{
    static const char *const pool[] = {"user.a", "user.b", "trusted.x", "security.y",
                                       "user.a long name to be compared"};
    struct twin *twin = test->twin;
    struct operand node = some_node(test, 0);
    uint32_t type = model_type(node.node);
    const char *name = pool[below(test, sizeof pool / sizeof *pool)];
    if (type != MEMFS_IFREG && type != MEMFS_IFDIR)
        name = pool[2 + below(test, 2)];
    int got;
    if (chance(test, 70)) {
        uint8_t value[2000];
        size_t size = chance(test, 50) ? below(test, 20) : below(test, sizeof value);
        uint32_t flags = chance(test, 60) ? 0 : chance(test, 50) ? MEMFS_XATTR_CREATE : MEMFS_XATTR_REPLACE;
        if (chance(test, 50))
            memset(value, 'v', size);
        else
            test_random_fill(&test->random, value, size);
        say(test, "setxattr of %" PRIx64 " %s size %zu flags %u", node.handle, name, size, flags);
        got = memfs_node_setxattr(twin->fs, NULL, node.handle, name, value, size, flags);
        compare_result(test, got, model_setxattr(twin->model, node.node, name, value, size, flags));
    } else {
        say(test, "removexattr of %" PRIx64 " %s", node.handle, name);
        got = memfs_node_removexattr(twin->fs, NULL, node.handle, name);
        compare_result(test, got, model_removexattr(twin->model, node.node, name));
    }
    compare_xattrs(test, node.handle, node.node);
    done(test, &node);
}

/* ---- By path ----------------------------------------------------------------------------------------------------- */

static void op_path_make(struct test *test)
{
    struct twin *twin = test->twin;
    char path[1500], target[1500];
    some_path(test, path, sizeof path);
    some_path(test, target, sizeof target);
    if (!target[0])
        strcpy(target, "..");
    size_t type = some_type(test);
    uint32_t mode = (uint32_t)below(test, 01000);
    int got;
    say(test, "%s by path: %s target %s", type_names[type], path, target);
    if (type == 1)
        got = memfs_mkdir(twin->fs, NULL, path, mode);
    else if (type == 6)
        got = memfs_symlink(twin->fs, NULL, target, path);
    else
        got = memfs_mknod(twin->fs, NULL, path, type_modes[type] | mode, 3, 4);
    mode = type == 6 ? MEMFS_IFLNK | 0777 : type_modes[type] | mode;
    compare_result(test, got, model_path_make(twin->model, path, mode, 3, 4, type == 6 ? target : NULL));
}

static void op_path_two(struct test *test)
{
    struct twin *twin = test->twin;
    char from[1500], to[1500];
    some_path(test, from, sizeof from);
    some_path(test, to, sizeof to);
    if (chance(test, 40)) {
        say(test, "link by path: %s to %s", from, to);
        int got = memfs_link(twin->fs, NULL, from, to);
        compare_result(test, got, model_path_link(twin->model, from, to));
        return;
    }
    uint32_t flags = chance(test, 70) ? 0 : chance(test, 50) ? MEMFS_RENAME_NOREPLACE : MEMFS_RENAME_EXCHANGE;
    say(test, "rename by path: %s to %s flags %u", from, to, flags);
    int got = memfs_rename(twin->fs, NULL, from, to, flags);
    compare_result(test, got, model_path_rename(twin->model, from, to, flags));
}

static void op_path_remove(struct test *test)
{
    struct twin *twin = test->twin;
    char path[1500];
    some_path(test, path, sizeof path);
    if (chance(test, 60)) {
        say(test, "unlink by path: %s", path);
        int got = memfs_unlink(twin->fs, NULL, path);
        compare_result(test, got, model_path_unlink(twin->model, path));
    } else {
        say(test, "rmdir by path: %s", path);
        int got = memfs_rmdir(twin->fs, NULL, path);
        compare_result(test, got, model_path_rmdir(twin->model, path));
    }
}

static void op_path_stat(struct test *test)
{
    struct twin *twin = test->twin;
    char path[1500];
    struct memfs_stat stat;
    struct model_node *node = NULL;
    some_path(test, path, sizeof path);
    int follow = chance(test, 50);
    say(test, "%s by path: %s", follow ? "stat" : "lstat", path);
    int got = follow ? memfs_stat(twin->fs, NULL, path, &stat) : memfs_lstat(twin->fs, NULL, path, &stat);
    compare_result(test, got, model_resolve(twin->model, path, follow, &node));
    if (got == 0)
        compare_stat(test, &stat, node);
}

static void compare_loose(struct test *test, const char *path)
{
    struct memfs_stat stat;
    struct model_node *node = test->twin->model->loose;
    if (!node)
        return;
    int error = memfs_stat(test->twin->fs, NULL, path, &stat);
    if (error)
        BAD(test, "stat afterwards: %s", memfs_strerror(error));
    compare_stat(test, &stat, node);
}

static void op_path_truncate(struct test *test)
{
    struct twin *twin = test->twin;
    char path[1500];
    some_path(test, path, sizeof path);
    uint64_t size = some_offset(test);
    say(test, "truncate by path: %s to %" PRIu64, path, size);
    int got = memfs_truncate(twin->fs, NULL, path, size);
    compare_result(test, got, model_path_truncate(twin->model, path, size));
    compare_loose(test, path);
}

static void op_path_open(struct test *test)
{
    struct twin *twin = test->twin;
    char path[1500];
    some_path(test, path, sizeof path);
    uint32_t flags = MEMFS_O_READ;
    flags |= chance(test, 60) ? MEMFS_O_WRITE : 0;
    flags |= chance(test, 60) ? MEMFS_O_CREATE : chance(test, 10) ? MEMFS_O_DIRECTORY : 0;
    flags |= chance(test, 20) ? MEMFS_O_EXCL & (flags & MEMFS_O_CREATE ? ~0u : 0u) : 0;
    flags |= chance(test, 20) && flags & MEMFS_O_WRITE ? MEMFS_O_TRUNC : 0;
    flags |= chance(test, 10) ? MEMFS_O_NOFOLLOW : 0;
    flags |= chance(test, 20) ? MEMFS_O_APPEND : 0;
    say(test, "open by path: %s flags %x", path, flags);
    struct model_node *node = NULL;
    memfs_file *file = NULL;
    int got = memfs_open(twin->fs, NULL, path, flags, 0644, &file);
    int want = model_path_open(twin->model, path, flags, 0644, &node);
    if (want != 1)
        compare_result(test, got, want);
    if (got == 0 && want == 0) {
        struct operand operand = {.node = node, .handle = memfs_file_node(file)};
        compare_node(test, &operand);
        if (flags & MEMFS_O_WRITE && model_type(node) == MEMFS_IFREG && node->size + 50 < FILE_MAX) {
            uint64_t offset = flags & MEMFS_O_APPEND ? MEMFS_APPEND : 0;
            got = (int)memfs_write(file, "The quick brown fox jumps over the lazy dog", 43);
            compare_result(test, got,
                           model_write(twin->model, node, offset, "The quick brown fox jumps over the lazy dog", 43));
            compare_node(test, &operand);
        }
    }
    memfs_close(file);
}

/* ---- Freezing and sealing ---------------------------------------------------------------------- */

static void let_all_go(struct test *test)
{
    for (size_t i = 0; i < HELD; i++)
        let_go(test, &test->twin->held[i]);
    for (size_t i = 0; i < VIEWS; i++)
        release(test, &test->twin->pinned[i]);
}

static void replace(struct test *test, struct twin *twin, memfs_backing *backing, struct model *model, unsigned layers)
{
    test->twin = twin;
    let_all_go(test);
    memfs_destroy(twin->fs);
    if (twin->model != model)
        model_free(twin->model);
    twin->fs = test_create(&test->state, backing);
    twin->model = model;
    twin->layers = layers;
}

/* Images whose filesystems are gone may go. */
static struct test_buffer *new_image(struct test *test)
{
    for (size_t i = 0; i < TWINS + 1; i++) {
        int used = 0;
        for (size_t j = 0; j < TWINS; j++)
            used |= test->twins[j].image == test->images[i];
        if (!used)
            return test->images[i];
    }
    abort();
}

static void verify(struct test *test, memfs_image *image)
{
    struct memfs_detail detail = {0};
    int error = memfs_verify(image, NULL, &detail);
    if (error)
        BAD(test, "verify: %s: %s", memfs_strerror(error), detail.text);
}

/* Small blocks cut files at many places. */
static void freeze(struct test *test, memfs *fs, uint32_t block_size, struct test_buffer *out)
{
    struct memfs_sink sink = test_buffer_sink(out);
    struct memfs_freeze_options options = {
        .size = sizeof options, .allocator = &test->state.memory.hook, .level = 1, .block_size = block_size};
    struct memfs_detail detail = {0};
    out->length = 0;
    int error = memfs_freeze(fs, &sink, &options, &detail);
    if (error)
        BAD(test, "freeze: %s: %s", memfs_strerror(error), detail.text);
}

static void freeze_twin(struct test *test)
{
    struct twin *from = test->twin;
    struct test_buffer *bytes = new_image(test), again = {0};
    say(test, "freeze");
    uint32_t block_size = chance(test, 60) ? 1u << 16 : 0;
    freeze(test, from->fs, block_size, bytes);
    struct memfs_image_options options = {.size = sizeof options,
                                          .allocator = &test->state.memory.hook,
                                          .cache_bytes = chance(test, 50) ? 0 : 1 + below(test, 400000)};
    struct memfs_detail detail = {0};
    memfs_image *image = NULL;
    int error = memfs_image_open_buffer(bytes->data, bytes->length, &options, &image, &detail);
    if (error)
        BAD(test, "open: %s: %s", memfs_strerror(error), detail.text);
    if (chance(test, 50))
        verify(test, image);
    struct model *model = model_clone(from->model);
    model_canonical(model);
    for (size_t i = 0; i < TWINS; i++) {
        if (!chance(test, 60))
            continue;
        replace(test, &test->twins[i], memfs_image_backing(image), model_clone(model), 0);
        test->twins[i].image = bytes;
        if (chance(test, 40)) {
            freeze(test, test->twin->fs, block_size, &again);
            if (again.length != bytes->length || memcmp(again.data, bytes->data, again.length) != 0)
                BAD(test, "freezing what has just been opened makes other bytes");
        }
        if (chance(test, 50))
            compare_whole(test);
    }
    model_free(model);
    memfs_image_close(image);
    test_buffer_free(&again);
}

static void seal_twin(struct test *test)
{
    struct twin *from = test->twin;
    memfs_backing *backing = NULL;
    say(test, "seal");
    let_all_go(test);
    int error = memfs_seal(from->fs, &backing);
    if (error)
        BAD(test, "seal: %s", memfs_strerror(error));
    from->fs = NULL;
    struct test_buffer *image = from->image;
    unsigned layers = from->layers + 1;
    struct model *model = model_clone(from->model);
    for (size_t i = 0; i < TWINS; i++) {
        if (&test->twins[i] != from && !chance(test, 40))
            continue;
        replace(test, &test->twins[i], backing, model_clone(model), layers);
        test->twins[i].image = image;
        if (chance(test, 50))
            compare_whole(test);
    }
    model_free(model);
    memfs_backing_release(backing);
}

/* ---- The whole --------------------------------------------------------------------------------- */

static const struct {
    unsigned weight;
    void (*run)(struct test *test);
} operations[] = {
    {12, op_make},     {4, op_link},          {8, op_remove},    {8, op_rename},   {4, op_lookup},
    {2, op_tmpfile},   {2, op_let_go},        {3, op_view},      {10, op_write},   {5, op_read},
    {4, op_truncate},  {3, op_punch},         {2, op_allocate},  {4, op_copy},     {3, op_seek},
    {4, op_setattr},   {4, op_xattr},         {5, op_path_make}, {8, op_path_two}, {5, op_path_remove},
    {3, op_path_stat}, {2, op_path_truncate}, {5, op_path_open},
};

static void one(struct test *test)
{
    unsigned total = 0;
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        total += operations[i].weight;
    test->twin = &test->twins[below(test, TWINS)];
    test->twin->model->now = atomic_fetch_add(&test->state.clock.now, 1) + 1;
    if (test->twin->model->nodes > NODES && chance(test, 40)) {
        op_remove(test);
        return;
    }
    unsigned at = (unsigned)below(test, total);
    size_t i = 0;
    while (at >= operations[i].weight)
        at -= operations[i++].weight;
    operations[i].run(test);
}

static void run(struct test *test, uint64_t count)
{
    for (size_t i = 0; i < TWINS; i++) {
        test->twins[i].fs = test_create(&test->state, NULL);
        test->twins[i].model = model_new(atomic_load(&test->state.clock.now));
    }
    for (size_t i = 0; i < TWINS + 1; i++)
        test->images[i] = calloc(1, sizeof *test->images[i]);
    for (test->index = 1; test->index <= count; test->index++) {
        one(test);
        if (test->trace)
            print_message("%" PRIu64 " on %d: %s\n", test->index, (int)(test->twin - test->twins), test->text);
        if (test->index % CHECK_EVERY == 0)
            compare_whole(test);
        if (test->index % TURN_EVERY == 0) {
            if (test->twin->layers < LAYERS && chance(test, 50))
                seal_twin(test);
            else
                freeze_twin(test);
        }
    }
    for (size_t i = 0; i < TWINS; i++) {
        test->twin = &test->twins[i];
        compare_whole(test);
        let_all_go(test);
        memfs_destroy(test->twin->fs);
        model_free(test->twin->model);
    }
    for (size_t i = 0; i < TWINS + 1; i++) {
        test_buffer_free(test->images[i]);
        free(test->images[i]);
    }
}

static uint64_t argument_count, argument_seed;

static void test_model__random_operations(void **state)
{
    (void)state;
    struct test *test = calloc(1, sizeof *test);
    assert_non_null(test);
    test_memory_init(&test->state.memory);
    atomic_store(&test->state.clock.now, 1000);
    test->seed = argument_seed ? argument_seed : test_seed();
    test->random.state = test->seed;
    test->trace = test_environment("MEMFS_TRACE", 0) != 0;
    uint64_t count = argument_count ? argument_count : test_environment("MEMFS_MODEL_OPS", 100000);
    run(test, count);
    print_message("%" PRIu64 " operations, seed %" PRIu64 "\n", count, test->seed);
    assert_int_equal(atomic_load(&test->state.memory.live), 0);
    free(test);
}

int main(int argc, char **argv)
{
    argument_count = argc > 1 ? strtoull(argv[1], NULL, 0) : 0;
    argument_seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 0;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_model__random_operations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
