/*
 * What the library can do, one thing a scenario, each on a filesystem of its own that
 * stands on an image of which nothing is resident, or on a sealed filesystem that has changed much
 * of that: each allocation of it fails in turn, or each read of the image, once, or from then on. Then it has failed
 * with -ENOMEM or -EIO and the filesystem is as it was, or it has done without, and says and leaves the same as if
 * nothing had failed. With MEMFS_FULL it is each, else a sample that is always the same, denser at first,
 * and densest of those that fail once without a sealed filesystem; with MEMFS_FAST there are fewer. (test_alloc_fail.c
 * tells one long story, in which each thing meets what others left.)
 */
#include "host_fixture.h"
#include "testlib.h"

#include <sys/xattr.h>

#define LARGE 200000u
#define MANY 20
#define LONG_NAME "a name that is longer than what an entry has room for"

struct scene {
    struct test_state *test;
    memfs *fs; /* NULL: sealed */
    memfs_image *image;
    memfs_backing *sealed;
    struct test_source *source; /* of the image */
    struct test_source own;     /* which it is, if the scene has opened the image */
    struct test_buffer out;     /* what the scenario says */
};

static const struct memfs_cred user = {.size = sizeof user, .uid = 9, .gid = 9};

/* Returns 0 or an error; prints to out what it has learnt. */
typedef int scenario_fn(struct scene *scene);

static int ok(int64_t result)
{
    return result < 0 ? (int)result : 0;
}

/* Says a number, and passes errors on. */
static int say(struct scene *scene, int64_t result)
{
    if (result >= 0)
        test_buffer_print(&scene->out, "%" PRId64 "\n", result);
    return ok(result);
}

static int say_bytes(struct scene *scene, int64_t length, const void *bytes)
{
    if (length > 0)
        test_buffer_add(&scene->out, bytes, (size_t)length);
    return say(scene, length);
}

/* A node that has a name, so that it needs no look-up count. */
static int find(struct scene *scene, const char *path, memfs_node *out)
{
    int error = memfs_resolve(scene->fs, NULL, path, 0, out);
    if (!error)
        memfs_node_forget(scene->fs, *out, 1);
    return error;
}

/* ---- Looking ---------------------------------------------------------------------------- */

static int look_up(struct scene *scene)
{
    memfs_node dir = 0, node = 0;
    int error = memfs_node_lookup(scene->fs, NULL, MEMFS_ROOT, "d", &dir);
    if (error)
        return error;
    error = memfs_node_lookup(scene->fs, NULL, dir, "large", &node);
    memfs_node_forget(scene->fs, dir, 1);
    if (!error)
        memfs_node_forget(scene->fs, node, 1);
    return error;
}

static int resolve_links(struct scene *scene)
{
    struct memfs_stat stat;
    int error = memfs_stat(scene->fs, NULL, "d/sub/up/soft", &stat);
    return error ? error : say(scene, (int64_t)stat.size);
}

static int stat_itself(struct scene *scene)
{
    struct memfs_stat stat;
    int error = memfs_lstat(scene->fs, NULL, "soft", &stat);
    return error ? error : say(scene, stat.mode);
}

static int list(struct scene *scene)
{
    struct memfs_dirent entries[7];
    uint64_t cursor = 0;
    memfs_node dir = 0;
    int64_t count = find(scene, "many", &dir);
    if (count)
        return (int)count;
    while ((count = memfs_node_readdir(scene->fs, NULL, dir, cursor, entries, 7, 1)) > 0) {
        for (int64_t i = 0; i < count; i++)
            test_buffer_print(&scene->out, "%s %o\n", entries[i].name, entries[i].stat.mode);
        cursor = entries[count - 1].cursor;
    }
    return ok(count);
}

static int read_link(struct scene *scene)
{
    char target[100];
    return say_bytes(scene, memfs_readlink(scene->fs, NULL, "soft", target, sizeof target), target);
}

static int get_xattr(struct scene *scene)
{
    char value[4000];
    return say_bytes(scene, memfs_getxattr(scene->fs, NULL, "d/text", 1, "user.large", value, sizeof value), value);
}

static int get_no_xattr(struct scene *scene)
{
    int64_t length = memfs_getxattr(scene->fs, NULL, "d/text", 1, "user.none", NULL, 0);
    return length == -ENODATA ? 0 : (int)length;
}

static int list_xattrs(struct scene *scene)
{
    char names[100];
    return say_bytes(scene, memfs_listxattr(scene->fs, NULL, "d/text", 1, names, sizeof names), names);
}

static int ask_access(struct scene *scene)
{
    return memfs_access(scene->fs, &user, "d/text", MEMFS_R_OK);
}

static int ask_access_by_acl(struct scene *scene)
{
    return memfs_access(scene->fs, &user, "acl", MEMFS_R_OK | MEMFS_X_OK);
}

static int ask_path(struct scene *scene)
{
    char path[100];
    memfs_node node = 0;
    int error = find(scene, "d/sub", &node);
    if (!error && memfs_node_depth(scene->fs, node) != 2)
        error = MEMFS_ECORRUPT;
    return error ? error : say_bytes(scene, memfs_node_path(scene->fs, node, path, sizeof path), path);
}

static int ask_parent(struct scene *scene)
{
    memfs_node node = 0, parent = 0;
    int error = find(scene, "d/sub", &node);
    error = error ? error : memfs_node_parent(scene->fs, node, &parent);
    if (!error)
        memfs_node_forget(scene->fs, parent, 1);
    return error;
}

static int read_file_at(struct scene *scene)
{
    static uint8_t bytes[LARGE];
    memfs_file *file = NULL;
    int error = memfs_open(scene->fs, NULL, "d/large", MEMFS_O_READ, 0, &file);
    error = error ? error : say_bytes(scene, memfs_pread(file, bytes, sizeof bytes, 10), bytes);
    memfs_close(file);
    return error;
}

static int read_in_pieces(struct scene *scene)
{
    uint8_t bytes[30000];
    int64_t got;
    memfs_file *file = NULL;
    int error = memfs_open(scene->fs, NULL, "d/large", MEMFS_O_READ, 0, &file);
    if (error)
        return error;
    while ((got = memfs_read(file, bytes, sizeof bytes)) > 0)
        say_bytes(scene, got, bytes);
    memfs_close(file);
    return ok(got);
}

static int view(struct scene *scene)
{
    struct memfs_view view;
    memfs_node node = 0;
    int error = find(scene, "d/large", &node);
    error = error ? error : memfs_node_view(scene->fs, node, 70000, 3000, &view);
    if (error)
        return error;
    say_bytes(scene, (int64_t)view.length, view.data);
    memfs_view_release(scene->fs, &view);
    return 0;
}

static int seek_hole(struct scene *scene)
{
    memfs_node node = 0;
    int error = find(scene, "sparse", &node);
    return error ? error : say(scene, memfs_node_seek(scene->fs, node, 0, MEMFS_SEEK_DATA));
}

static int seek_end(struct scene *scene)
{
    memfs_file *file = NULL;
    int error = memfs_open(scene->fs, NULL, "d/large", MEMFS_O_READ, 0, &file);
    error = error ? error : say(scene, memfs_lseek(file, -5, MEMFS_SEEK_END));
    memfs_close(file);
    return error;
}

static int seek_by_file(struct scene *scene)
{
    memfs_file *file = NULL;
    int error = memfs_open(scene->fs, NULL, "sparse", MEMFS_O_READ, 0, &file);
    error = error ? error : say(scene, memfs_lseek(file, 0, MEMFS_SEEK_DATA));
    error = error ? error : say(scene, memfs_lseek(file, 1, MEMFS_SEEK_HOLE));
    memfs_close(file);
    return error;
}

static int ask_digest(struct scene *scene)
{
    memfs_node node = 0;
    uint64_t digest = 0;
    int error = find(scene, "d/large", &node);
    error = error ? error : memfs_node_digest(scene->fs, node, &digest);
    if (error == -ENODATA) /* changed */
        return 0;
    return error ? error : say(scene, (int64_t)(digest >> 1));
}

static int say_visit(void *context, const char *path, const struct memfs_stat *stat)
{
    struct scene *scene = context;
    test_buffer_print(&scene->out, "%s %" PRIu64 "\n", path, stat->size);
    return 0;
}

static int walk(struct scene *scene)
{
    return memfs_walk(scene->fs, NULL, "/", 0, say_visit, scene);
}

static int walk_sorted(struct scene *scene)
{
    return memfs_walk(scene->fs, NULL, "/", MEMFS_WALK_SORTED | MEMFS_WALK_POST, say_visit, scene);
}

static int glob(struct scene *scene)
{
    return memfs_glob(scene->fs, NULL, "**/*[12]*", say_visit, scene);
}

static int glob_one(struct scene *scene)
{
    return memfs_glob(scene->fs, NULL, "d/sub/up/many/name 3", say_visit, scene);
}

static int glob_dirs(struct scene *scene)
{
    return memfs_glob(scene->fs, NULL, "**/u*/", say_visit, scene);
}

/* ---- Changing ------------------------------------------------------------------------------ */

static int make_file(struct scene *scene)
{
    memfs_node dir = 0;
    int error = find(scene, "d/sub", &dir);
    return error ? error : memfs_node_create(scene->fs, NULL, dir, "new", 0640, NULL);
}

static int make_dir(struct scene *scene)
{
    return memfs_mkdir(scene->fs, NULL, "d/sub/new", 0755);
}

static int make_device(struct scene *scene)
{
    return memfs_mknod(scene->fs, NULL, "many/zero", MEMFS_IFCHR | 0666, 1, 5);
}

static int make_symlink(struct scene *scene)
{
    return memfs_symlink(scene->fs, NULL, "somewhere/else", "d/soft");
}

static int make_link(struct scene *scene)
{
    return memfs_link(scene->fs, NULL, "d/large", "many/too");
}

static int make_tmpfile(struct scene *scene)
{
    memfs_node dir = 0;
    memfs_file *file = NULL;
    int error = memfs_open(scene->fs, NULL, "d", MEMFS_O_RDWR | MEMFS_O_TMPFILE, 0600, &file);
    error = error ? error : ok(memfs_write(file, "text", 4));
    error = error ? error : find(scene, "many", &dir);
    error = error ? error : memfs_node_link(scene->fs, NULL, memfs_file_node(file), dir, "named");
    memfs_close(file);
    return error;
}

static int make_in_acl(struct scene *scene)
{
    return memfs_mkdir(scene->fs, NULL, "acl/new", 0777);
}

static int make_file_in_acl(struct scene *scene)
{
    return memfs_mknod(scene->fs, NULL, "acl/file", MEMFS_IFREG | 0666, 0, 0);
}

static int make_dir_at(struct scene *scene)
{
    memfs_node dir = 0, node = 0;
    int error = find(scene, "many", &dir);
    error = error ? error : memfs_node_mkdir(scene->fs, NULL, dir, "new", 0755, &node);
    if (!error)
        memfs_node_forget(scene->fs, node, 1);
    return error;
}

static int make_symlink_at(struct scene *scene)
{
    memfs_node dir = 0, node = 0;
    int error = find(scene, "many", &dir);
    error = error ? error : memfs_node_symlink(scene->fs, NULL, dir, LONG_NAME, "target", &node);
    if (!error)
        memfs_node_forget(scene->fs, node, 1);
    return error;
}

static int open_found(struct scene *scene)
{
    memfs_file *file = NULL;
    int error = memfs_open(scene->fs, NULL, "soft", MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &file);
    memfs_close(file);
    return error;
}

static int open_unnamed(struct scene *scene)
{
    memfs_file *file = NULL;
    int error = memfs_open(scene->fs, NULL, "d", MEMFS_O_WRITE | MEMFS_O_TMPFILE | MEMFS_O_EXCL, 0600, &file);
    memfs_close(file);
    return error;
}

static int open_new(struct scene *scene)
{
    memfs_file *file = NULL;
    int error = memfs_open(scene->fs, NULL, "d/new", MEMFS_O_WRITE | MEMFS_O_CREATE | MEMFS_O_EXCL, 0644, &file);
    memfs_close(file);
    return error;
}

static int open_emptied(struct scene *scene)
{
    memfs_file *file = NULL;
    int error = memfs_open(scene->fs, NULL, "d/large", MEMFS_O_WRITE | MEMFS_O_TRUNC, 0, &file);
    memfs_close(file);
    return error;
}

static int remove_name(struct scene *scene)
{
    return memfs_unlink(scene->fs, NULL, "many/name 17");
}

static int remove_last_name(struct scene *scene)
{
    return memfs_unlink(scene->fs, NULL, "d/large");
}

static int remove_dir(struct scene *scene)
{
    return memfs_rmdir(scene->fs, NULL, "empty");
}

static int rename_file(struct scene *scene)
{
    return memfs_rename(scene->fs, NULL, "d/text", "many/text", MEMFS_RENAME_NOREPLACE);
}

static int rename_over(struct scene *scene)
{
    return memfs_rename(scene->fs, NULL, "d/text", "many/name 3", 0);
}

static int rename_dir(struct scene *scene)
{
    return memfs_rename(scene->fs, NULL, "d/sub", "empty", 0);
}

static int rename_at(struct scene *scene)
{
    memfs_node from = 0, to = 0;
    int error = find(scene, "many", &from);
    error = error ? error : find(scene, "d", &to);
    return error ? error : memfs_node_rename(scene->fs, NULL, from, "name 9", to, LONG_NAME, 0);
}

static int rename_to_itself(struct scene *scene)
{
    return memfs_rename(scene->fs, NULL, "d/text", "d/sub/hard", 0);
}

static int rename_deep(struct scene *scene)
{
    return memfs_rename(scene->fs, NULL, "many", "d/sub/many", 0);
}

static int exchange_dirs(struct scene *scene)
{
    return memfs_rename(scene->fs, NULL, "d/sub", "many", MEMFS_RENAME_EXCHANGE);
}

static int exchange(struct scene *scene)
{
    return memfs_rename(scene->fs, NULL, "d/sub", "many/name 5", MEMFS_RENAME_EXCHANGE);
}

static int set_attributes(struct scene *scene)
{
    struct memfs_setattr set = {.set = MEMFS_SET_MODE | MEMFS_SET_UID | MEMFS_SET_ATIME_NOW, .mode = 0711, .uid = 7};
    return memfs_setattr(scene->fs, NULL, "d", 1, &set);
}

static int set_mode_with_acl(struct scene *scene)
{
    struct memfs_setattr set = {.set = MEMFS_SET_MODE, .mode = 0710};
    return memfs_setattr(scene->fs, NULL, "acl", 1, &set);
}

/* Ends setuid and capabilities. */
static int set_owner(struct scene *scene)
{
    struct memfs_setattr set = {.set = MEMFS_SET_UID | MEMFS_SET_GID | MEMFS_SET_SIZE, .uid = 7, .gid = 7, .size = 2};
    struct memfs_stat stat;
    memfs_node node = 0;
    int error = find(scene, "users", &node);
    error = error ? error : memfs_node_setattr(scene->fs, NULL, node, &set, &stat);
    return error ? error : say(scene, stat.mode);
}

static int set_xattr(struct scene *scene)
{
    return memfs_setxattr(scene->fs, NULL, "d/text", 1, "user.large", "other", 5, MEMFS_XATTR_REPLACE);
}

static int set_first_xattr(struct scene *scene)
{
    return memfs_setxattr(scene->fs, NULL, "d/large", 1, "user.first", "one", 3, MEMFS_XATTR_CREATE);
}

static int remove_xattr(struct scene *scene)
{
    return memfs_removexattr(scene->fs, NULL, "d/text", 1, "user.large");
}

static int truncate_down(struct scene *scene)
{
    return memfs_truncate(scene->fs, NULL, "d/large", 65000);
}

static int truncate_up(struct scene *scene)
{
    return memfs_truncate(scene->fs, NULL, "d/text", 100000);
}

static int write_into(struct scene *scene)
{
    memfs_node node = 0;
    int error = find(scene, "d/large", &node);
    return error ? error : ok(memfs_node_write(scene->fs, node, 65530, "over the border", 15));
}

static int append(struct scene *scene)
{
    memfs_node node = 0;
    int error = find(scene, "d/text", &node);
    return error ? error : ok(memfs_node_write(scene->fs, node, MEMFS_APPEND, "more", 4));
}

static int append_by_user(struct scene *scene)
{
    memfs_file *file = NULL;
    int error = memfs_open(scene->fs, &user, "users", MEMFS_O_WRITE | MEMFS_O_APPEND, 0, &file);
    error = error ? error : ok(memfs_write(file, "more", 4));
    memfs_close(file);
    return error;
}

static int truncate_by_user(struct scene *scene)
{
    memfs_file *file = NULL;
    int error = memfs_open(scene->fs, &user, "users", MEMFS_O_WRITE, 0, &file);
    error = error ? error : memfs_ftruncate(file, 3);
    memfs_close(file);
    return error;
}

static int truncate_sparse(struct scene *scene)
{
    return memfs_truncate(scene->fs, NULL, "sparse", 50001);
}

static int write_pages(struct scene *scene)
{
    static const uint8_t bytes[100000];
    memfs_node node = 0;
    int error = find(scene, "d/large", &node);
    return error ? error : ok(memfs_node_write(scene->fs, node, 60001, bytes, sizeof bytes));
}

static int write_far(struct scene *scene)
{
    memfs_node node = 0;
    int error = find(scene, "sparse", &node);
    return error ? error : ok(memfs_node_write(scene->fs, node, UINT64_C(1) << 45, "far", 3));
}

static int allocate(struct scene *scene)
{
    memfs_node node = 0;
    int error = find(scene, "sparse", &node);
    return error ? error : memfs_node_allocate(scene->fs, node, 0, 30000, 1);
}

static int allocate_inside(struct scene *scene)
{
    memfs_node node = 0;
    int error = find(scene, "d/large", &node);
    return error ? error : memfs_node_allocate(scene->fs, node, 3000, 150000, 0);
}

static int punch(struct scene *scene)
{
    memfs_node node = 0;
    int error = find(scene, "d/large", &node);
    return error ? error : memfs_node_punch(scene->fs, node, 5000, 100000);
}

static int copy(struct scene *scene)
{
    memfs_node from = 0, to = 0;
    int error = find(scene, "d/large", &from);
    error = error ? error : find(scene, "d/text", &to);
    return error ? error : say(scene, memfs_node_copy(scene->fs, from, 0, to, 2, 4000));
}

static int copy_holes(struct scene *scene)
{
    memfs_node from = 0, to = 0;
    int error = find(scene, "sparse", &from);
    error = error ? error : find(scene, "d/large", &to);
    return error ? error : say(scene, memfs_node_copy(scene->fs, from, 90000, to, 199000, 4000));
}

/* ---- The whole ------------------------------------------------------------------------------- */

static int create(struct scene *scene)
{
    memfs *fs = NULL;
    struct memfs_options options = {.size = sizeof options, .allocator = &scene->test->memory.hook};
    int error = memfs_create(&options, &fs);
    memfs_destroy(fs);
    return error;
}

static int create_too(struct scene *scene)
{
    memfs *fs = NULL;
    struct memfs_options options = {
        .size = sizeof options, .allocator = &scene->test->memory.hook, .backing = memfs_image_backing(scene->image)};
    int error = memfs_create(&options, &fs);
    memfs_destroy(fs);
    return error;
}

static int open_image(struct scene *scene)
{
    memfs_image *image = NULL;
    struct memfs_image_options options = {.size = sizeof options, .allocator = &scene->test->memory.hook};
    int error =
        memfs_image_open_buffer(scene->source->buffer->data, scene->source->buffer->length, &options, &image, NULL);
    memfs_image_close(image);
    return error;
}

static int seal(struct scene *scene)
{
    int error = memfs_seal(scene->fs, &scene->sealed);
    if (!error)
        scene->fs = NULL;
    return error;
}

static int freeze_with(struct scene *scene, unsigned threads, enum memfs_sharing share)
{
    struct memfs_sink sink = test_buffer_sink(&scene->out);
    struct memfs_freeze_options options = {.size = sizeof options,
                                           .allocator = &scene->test->memory.hook,
                                           .block_size = 65536,
                                           .threads = threads,
                                           .share = share};
    return memfs_freeze(scene->fs, &sink, &options, NULL);
}

static int freeze(struct scene *scene)
{
    return freeze_with(scene, 1, MEMFS_SHARE_PARTS);
}

static int freeze_by_threads(struct scene *scene)
{
    return freeze_with(scene, 3, MEMFS_SHARE_FILES);
}

static int verify(struct scene *scene)
{
    return memfs_verify(scene->image, NULL, NULL);
}

static int verify_by_threads(struct scene *scene)
{
    struct memfs_verify_options options = {.size = sizeof options, .threads = 3};
    return memfs_verify(scene->image, &options, NULL);
}

static int verify_quickly(struct scene *scene)
{
    struct memfs_verify_options options = {.size = sizeof options, .quick = 1};
    return memfs_verify(scene->image, &options, NULL);
}

static int say_block(void *context, const struct memfs_image_block *block)
{
    struct scene *scene = context;
    test_buffer_print(&scene->out, "%s %u %" PRIu64 "\n", block->table, block->level, block->index);
    return 0;
}

static int survey(struct scene *scene)
{
    return memfs_image_blocks(scene->image, say_block, scene, NULL);
}

static int list_extents(struct scene *scene)
{
    struct memfs_image_extent extents[8];
    memfs_node node = 0;
    int error = find(scene, "d/large", &node);
    error = error ? error : say(scene, memfs_image_extents(scene->image, node, 0, extents, 8));
    return error ? error : say(scene, memfs_image_extents(scene->image, node, 1, extents, 1));
}

static int look_for_damage(struct scene *scene)
{
    struct memfs_detail detail = {0};
    memfs_node node = 0;
    int error = find(scene, "d/large", &node);
    error = error ? error : memfs_image_file_damage(scene->image, node, 70000, &detail);
    assert_true(error == 0 || detail.error == error || detail.error == 0);
    return error;
}

/* ---- Directories of the host --------------------------------------------------------------------- */

/* What a scan found. */
static int say_backing(struct scene *scene, memfs_backing *backing)
{
    memfs *fs = NULL;
    struct memfs_options options = {.size = sizeof options, .allocator = &scene->test->memory.hook, .backing = backing};
    int error = memfs_create(&options, &fs);
    error = error ? error : memfs_walk(fs, NULL, "/", MEMFS_WALK_SORTED, say_visit, scene);
    memfs_destroy(fs);
    memfs_backing_release(backing);
    return error;
}

static int scan(struct scene *scene)
{
    memfs_backing *backing = NULL;
    struct memfs_scan_options options = {.size = sizeof options, .allocator = &scene->test->memory.hook};
    int error = memfs_host_scan(at("tree"), &options, &backing, NULL);
    return error ? error : say_backing(scene, backing);
}

static int take_renamed(void *context, struct memfs_scan_found *found)
{
    (void)context;
    found->uid = 5;
    return strcmp(found->path, "sub/leaf") ? MEMFS_SCAN_TAKE : MEMFS_SCAN_LEAVE_OUT;
}

static int scan_some(struct scene *scene)
{
    memfs_backing *backing = NULL;
    struct memfs_scan_options options = {
        .size = sizeof options, .allocator = &scene->test->memory.hook, .filter = take_renamed};
    int error = memfs_host_scan(at("tree"), &options, &backing, NULL);
    return error ? error : say_backing(scene, backing);
}

static int scan_list(struct scene *scene)
{
    memfs_backing *backing = NULL;
    struct memfs_scan_options options = {.size = sizeof options, .allocator = &scene->test->memory.hook};
    const struct memfs_scan_source sources[] = {{"one", at("tree/sub")}, {"other", at("tree/text")}};
    int error = memfs_host_scan_list(sources, 2, &options, &backing, NULL);
    return error ? error : say_backing(scene, backing);
}

static int export_with(struct scene *scene, const char *path, const struct memfs_export_options *options)
{
    struct stat stat;
    int error = memfs_host_export(scene->fs, path, options, NULL);
    assert_int_equal(lstat(path, &stat) == 0, !error);
    if (!error)
        assert_int_equal(test_remove_tree(path), 0);
    return error;
}

static int export(struct scene *scene)
{
    struct memfs_export_options options = {.size = sizeof options, .allocator = &scene->test->memory.hook};
    return export_with(scene, at("out"), &options);
}

static int select_some(void *context, memfs_node directory, const struct memfs_dirent *entry)
{
    (void)context, (void)directory;
    return entry->name[0] == 'd' ? MEMFS_SELECT_ALL : MEMFS_SELECT_NOTHING;
}

static int export_some(struct scene *scene)
{
    struct memfs_export_options options = {.size = sizeof options,
                                           .allocator = &scene->test->memory.hook,
                                           .select = select_some,
                                           .strip = 1,
                                           .threads = 2};
    return export_with(scene, at("some"), &options);
}

static int say_made(void *context, const struct memfs_made *made)
{
    struct scene *scene = context;
    test_buffer_print(&scene->out, "%s %d\n", made->path, made->replaced);
    return 0;
}

static int plan_export(struct scene *scene)
{
    struct memfs_exported exported = {0};
    struct memfs_export_options options = {.size = sizeof options,
                                           .allocator = &scene->test->memory.hook,
                                           .strip = 1,
                                           .select = select_some,
                                           .plan_only = 1,
                                           .made = say_made,
                                           .made_context = scene,
                                           .exported = &exported};
    int error = memfs_host_export(scene->fs, at("planned"), &options, NULL);
    return error ? error : say(scene, (int64_t)exported.files);
}

static void expect_link(const char *path, const char *want)
{
    char target[100] = "";
    assert_true(readlink(path, target, sizeof target - 1) > 0);
    assert_string_equal(target, want);
}

/* Over a link of the same name, which is there again if it has failed. */
static int export_over(struct scene *scene)
{
    struct memfs_export_options options = {.size = sizeof options,
                                           .allocator = &scene->test->memory.hook,
                                           .into = 1,
                                           .existing = MEMFS_EXISTING_REPLACED,
                                           .made = say_made,
                                           .made_context = scene};
    assert_int_equal(mkdir(at("over"), 0755), 0);
    assert_int_equal(mkdir(at("over/d"), 0755), 0);
    assert_int_equal(symlink("old", at("over/soft")), 0);
    assert_int_equal(symlink("old", at("over/d/large")), 0);
    int error = memfs_host_export(scene->fs, at("over"), &options, NULL);
    expect_link(at("over/soft"), error ? "old" : "d/text");
    if (error)
        expect_link(at("over/d/large"), "old");
    assert_int_equal(test_remove_tree(at("over")), 0);
    return error;
}

/* ---- The table ------------------------------------------------------------------------------------- */

#define SCENARIO(function)                                                                                             \
    {                                                                                                                  \
#function, function, 0                                                                                         \
    }
/* Not asked of what is sealed: the same there, or many files on the host. */
#define APART(function)                                                                                                \
    {                                                                                                                  \
#function, function, 1                                                                                         \
    }
static const struct {
    const char *name;
    scenario_fn *run;
    int is_apart;
} scenarios[] = {
    SCENARIO(look_up),
    SCENARIO(resolve_links),
    SCENARIO(stat_itself),
    SCENARIO(list),
    SCENARIO(read_link),
    SCENARIO(get_xattr),
    SCENARIO(get_no_xattr),
    SCENARIO(list_xattrs),
    SCENARIO(ask_access),
    SCENARIO(ask_access_by_acl),
    SCENARIO(ask_path),
    SCENARIO(ask_parent),
    SCENARIO(read_file_at),
    SCENARIO(read_in_pieces),
    SCENARIO(view),
    SCENARIO(seek_hole),
    SCENARIO(seek_end),
    SCENARIO(seek_by_file),
    SCENARIO(ask_digest),
    SCENARIO(walk),
    SCENARIO(walk_sorted),
    SCENARIO(glob),
    SCENARIO(glob_one),
    SCENARIO(glob_dirs),
    SCENARIO(make_file),
    SCENARIO(make_dir),
    SCENARIO(make_device),
    SCENARIO(make_symlink),
    SCENARIO(make_link),
    SCENARIO(make_tmpfile),
    SCENARIO(make_in_acl),
    SCENARIO(make_file_in_acl),
    SCENARIO(make_dir_at),
    SCENARIO(make_symlink_at),
    SCENARIO(open_found),
    SCENARIO(open_unnamed),
    SCENARIO(open_new),
    SCENARIO(open_emptied),
    SCENARIO(remove_name),
    SCENARIO(remove_last_name),
    SCENARIO(remove_dir),
    SCENARIO(rename_file),
    SCENARIO(rename_over),
    SCENARIO(rename_dir),
    SCENARIO(rename_at),
    SCENARIO(rename_to_itself),
    SCENARIO(rename_deep),
    SCENARIO(exchange),
    SCENARIO(exchange_dirs),
    SCENARIO(set_attributes),
    SCENARIO(set_mode_with_acl),
    SCENARIO(set_owner),
    SCENARIO(set_xattr),
    SCENARIO(set_first_xattr),
    SCENARIO(remove_xattr),
    SCENARIO(truncate_down),
    SCENARIO(truncate_up),
    SCENARIO(truncate_by_user),
    SCENARIO(truncate_sparse),
    SCENARIO(write_into),
    SCENARIO(write_pages),
    SCENARIO(append),
    SCENARIO(append_by_user),
    SCENARIO(write_far),
    SCENARIO(allocate),
    SCENARIO(allocate_inside),
    SCENARIO(punch),
    SCENARIO(copy),
    SCENARIO(copy_holes),
    APART(create),
    APART(create_too),
    APART(open_image),
    SCENARIO(seal),
    SCENARIO(freeze),
    SCENARIO(freeze_by_threads),
    APART(verify),
    APART(verify_by_threads),
    APART(verify_quickly),
    APART(survey),
    APART(list_extents),
    APART(look_for_damage),
    APART(scan),
    APART(scan_some),
    APART(scan_list),
    APART(export),
    APART(export_some),
    APART(plan_export),
    APART(export_over),
};
#define SCENARIOS (sizeof scenarios / sizeof *scenarios)

/* ---- Playing it --------------------------------------------------------------------------------------- */

/* For the owner, user 9, the group, a mask, others. */
static const uint8_t acl[] = {2, 0, 0,   0,   1,   0,   7,  0, 255, 255, 255, 255, 2,   0,  5,
                              0, 9, 0,   0,   0,   4,   0,  5, 0,   255, 255, 255, 255, 16, 0,
                              7, 0, 255, 255, 255, 255, 32, 0, 0,   0,   255, 255, 255, 255};

static void build_attributes(memfs *fs)
{
    struct memfs_setattr set = {.set = MEMFS_SET_UID | MEMFS_SET_MODE, .uid = 9, .mode = 06755};
    assert_ok(memfs_mkdir(fs, NULL, "acl", 0750));
    assert_ok(memfs_setxattr(fs, NULL, "acl", 1, "system.posix_acl_access", acl, sizeof acl, 0));
    assert_ok(memfs_setxattr(fs, NULL, "acl", 1, "system.posix_acl_default", acl, sizeof acl, 0));
    test_put_text(fs, "users", "a user's");
    assert_ok(memfs_setattr(fs, NULL, "users", 1, &set));
    assert_ok(memfs_setxattr(fs, NULL, "users", 1, "security.capability", "can", 3, 0));
}

/* The image that all stand on; a tree on the host lies beside. */
static void build(memfs *fs, struct test_buffer *image)
{
    uint8_t *bytes = test_random_bytes(5, LARGE);
    char name[32];
    build_attributes(fs);
    assert_ok(memfs_mkdir(fs, NULL, "d", 0755));
    assert_ok(memfs_mkdir(fs, NULL, "d/sub", 0755));
    assert_ok(memfs_mkdir(fs, NULL, "empty", 0755));
    assert_ok(memfs_mkdir(fs, NULL, "many", 0755));
    test_put_text(fs, "d/text", "a small file");
    test_put(fs, "d/large", bytes, LARGE);
    assert_ok(memfs_link(fs, NULL, "d/text", "d/sub/hard"));
    assert_ok(memfs_symlink(fs, NULL, "d/text", "soft"));
    assert_ok(memfs_symlink(fs, NULL, "../..", "d/sub/up"));
    assert_ok(memfs_setxattr(fs, NULL, "d/text", 1, "user.large", bytes, 3000, 0));
    test_put_text(fs, "sparse", "");
    assert_result(memfs_node_write(fs, test_node(fs, "sparse"), 100000, "end", 3), 3);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "many/name %d", i);
        test_put_text(fs, name, name);
    }
    struct memfs_sink sink = test_buffer_sink(image);
    struct memfs_freeze_options options = {.size = sizeof options, .block_size = 65536};
    assert_ok(memfs_freeze(fs, &sink, &options, NULL));
    free(bytes);
    assert_int_equal(mkdir(at("tree"), 0755), 0);
    assert_int_equal(mkdir(at("tree/sub"), 0755), 0);
    put_text(at("tree/text"), "text");
    put_text(at("tree/sub/leaf"), "leaf");
    assert_int_equal(symlink("text", at("tree/soft")), 0);
    assert_int_equal(link(at("tree/text"), at("tree/sub/hard")), 0);
    assert_int_equal(setxattr(at("tree/text"), "user.mime", "text", 4, 0), 0);
}

/* All kinds of changes: records in each table that are neither an image's nor one's own. */
static void change(memfs *fs)
{
    char name[100];
    assert_ok(memfs_node_punch(fs, test_node(fs, "d/large"), 9000, 80000));
    assert_result(memfs_node_write(fs, test_node(fs, "d/large"), 150000, "changed", 7), 7);
    assert_result(memfs_node_write(fs, test_node(fs, "sparse"), UINT64_C(1) << 40, "far", 3), 3);
    assert_ok(memfs_setxattr(fs, NULL, "d/text", 1, "user.other", "other", 5, 0));
    assert_ok(memfs_rename(fs, NULL, "many/name 7", "many/name 8", 0));
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "many/%s %d", LONG_NAME, i);
        test_put_text(fs, name, name);
        snprintf(name, sizeof name, "many/name %d", i);
        if (i % 4 == 2)
            assert_ok(memfs_unlink(fs, NULL, name));
    }
}

/* What fails: allocations, or reads of the image. */
enum fault { OF_MEMORY, OF_SOURCE };

/* What scenes stand on. */
struct stage {
    struct test_state *test;
    struct test_buffer bytes; /* of an image, which each scene opens, or: */
    memfs_image *image;
    struct test_source source;
    memfs_backing *sealed;
    uint64_t live; /* bytes, of what is sealed */
};

static void build_sealed(struct stage *stage, int is_cold)
{
    struct memfs_source source = test_source_of(&stage->source, &stage->bytes);
    struct memfs_image_options options = {.size = sizeof options, .cache_bytes = (uint64_t)is_cold};
    assert_ok(memfs_image_open_source(&source, &options, &stage->image, NULL));
    memfs *fs = test_create(stage->test, memfs_image_backing(stage->image));
    change(fs);
    assert_ok(memfs_seal(fs, &stage->sealed));
    stage->live = atomic_load(&stage->test->memory.live);
}

static void build_stage(struct stage *stage, struct test_state *test, int is_sealed, enum fault fault)
{
    *stage = (struct stage){.test = test};
    build(test->fs, &stage->bytes);
    memfs_destroy(test->fs);
    test->fs = NULL;
    if (is_sealed)
        build_sealed(stage, fault == OF_SOURCE);
}

static void free_stage(struct stage *stage)
{
    memfs_backing_release(stage->sealed);
    memfs_image_close(stage->image);
    test_buffer_free(&stage->bytes);
}

static void raise_curtain(struct scene *scene, struct stage *stage)
{
    *scene = (struct scene){.test = stage->test, .source = &stage->source};
    if (stage->sealed) {
        scene->fs = test_create(stage->test, stage->sealed);
        return;
    }
    struct memfs_source source = test_source_of(&scene->own, &stage->bytes);
    struct memfs_image_options options = {
        .size = sizeof options, .allocator = &stage->test->memory.hook, .cache_bytes = 1};
    scene->source = &scene->own;
    assert_ok(memfs_image_open_source(&source, &options, &scene->image, NULL));
    scene->fs = test_create(stage->test, memfs_image_backing(scene->image));
}

static void drop_curtain(struct scene *scene, const struct stage *stage)
{
    memfs_destroy(scene->fs);
    memfs_backing_release(scene->sealed);
    memfs_image_close(scene->image);
    test_buffer_free(&scene->out);
    assert_int_equal(scene->source->closed, !stage->sealed);
    assert_int_equal(atomic_load(&scene->test->memory.live), stage->live);
}

static char *state_of(struct scene *scene)
{
    if (scene->fs)
        return test_dump(scene->fs, TEST_DUMP_TIMES | TEST_DUMP_HOLES);
    memfs *fs = test_create(scene->test, scene->sealed);
    char *state = test_dump(fs, TEST_DUMP_TIMES | TEST_DUMP_HOLES);
    memfs_destroy(fs);
    return state;
}

/* What a scenario says and leaves when nothing fails, and what was before. */
struct want {
    char *before, *after;
    struct test_buffer out;
};

static void want_of(struct want *want, struct stage *stage, size_t number)
{
    struct scene scene;
    raise_curtain(&scene, stage);
    want->before = state_of(&scene);
    drop_curtain(&scene, stage);
    raise_curtain(&scene, stage); /* with nothing loaded */
    assert_ok(scenarios[number].run(&scene));
    want->after = state_of(&scene);
    want->out = (struct test_buffer){0};
    test_buffer_add(&want->out, scene.out.data, scene.out.length);
    drop_curtain(&scene, stage);
}

static void want_free(struct want *want)
{
    free(want->before);
    free(want->after);
    test_buffer_free(&want->out);
}

static void expect_state(struct scene *scene, const char *want, const char *what)
{
    char *state = state_of(scene);
    test_same_text(state, want, what);
    free(state);
}

static void arm(struct scene *scene, enum fault fault, uint64_t nth, int after)
{
    atomic_store(&scene->test->memory.failures, 0);
    if (fault == OF_MEMORY) {
        test_memory_fail(&scene->test->memory, nth, after);
        return;
    }
    scene->source->failures = 0;
    scene->source->fail_after = after;
    scene->source->fail_at = scene->source->reads + nth;
}

/* Returns how many failed. */
static uint64_t disarm(struct scene *scene, enum fault fault)
{
    test_memory_heal(&scene->test->memory);
    scene->source->fail_at = 0;
    return fault == OF_MEMORY ? atomic_load(&scene->test->memory.failures) : scene->source->failures;
}

/* Returns how many calls failed; *error is what became of the scenario. */
static uint64_t play(struct scene *scene, const struct want *want, size_t number, enum fault fault, uint64_t nth,
                     int after, int *error)
{
    arm(scene, fault, nth, after);
    *error = scenarios[number].run(scene);
    const uint64_t failures = disarm(scene, fault);
    if (*error) {
        const int due = fault == OF_MEMORY ? -ENOMEM : -EIO;
        if (*error != due || failures == 0)
            print_error("%s, call %" PRIu64 " fails\n", scenarios[number].name, nth);
        assert_result(*error, due);
        assert_true(failures > 0);
        expect_state(scene, want->before, scenarios[number].name);
        scene->out.length = 0;
        assert_ok(scenarios[number].run(scene));
    }
    if (scene->out.length != want->out.length)
        print_error("%s, call %" PRIu64 " fails: says other things\n", scenarios[number].name, nth);
    test_same_bytes(&scene->out, &want->out);
    if (failures)
        expect_state(scene, want->after, scenarios[number].name);
    return failures;
}

/* The next one that is tried; with MEMFS_FAST not the same ones of all scenarios. */
static uint64_t sample(const struct stage *stage, size_t number, uint64_t nth, int after)
{
    if (test_is_fast())
        return nth == 1 ? 2 + number % 13 : nth + test_step(after ? 29 : 13);
    if (getenv("MEMFS_FULL"))
        return nth + 1;
    return nth + 1 + nth / (after || stage->sealed ? 3 : 12);
}

/* How many times the scenario failed; adds up the calls that did. */
static unsigned play_all(struct stage *stage, size_t number, enum fault fault, uint64_t *failed)
{
    struct want want;
    unsigned errors = 0;
    want_of(&want, stage, number);
    for (int after = 0; after < 2; after++) {
        uint64_t failures = 1;
        for (uint64_t nth = 1; failures > 0; nth = sample(stage, number, nth, after)) {
            struct scene scene;
            int error;
            raise_curtain(&scene, stage);
            failures = play(&scene, &want, number, fault, nth, after, &error);
            drop_curtain(&scene, stage);
            errors += error != 0;
            *failed += failures;
        }
    }
    want_free(&want);
    return errors;
}

/* Returns how many scenarios never failed. */
static unsigned play_everything(struct test_state *test, int is_sealed, enum fault fault, const char *what)
{
    struct stage stage;
    uint64_t failed = 0;
    unsigned errors = 0, played = 0, untouched = 0;
    build_stage(&stage, test, is_sealed, fault);
    for (size_t i = 0; i < SCENARIOS; i++) {
        if (is_sealed && scenarios[i].is_apart)
            continue;
        const unsigned more = play_all(&stage, i, fault, &failed);
        played++;
        untouched += more == 0;
        errors += more;
        if (more == 0 && fault == OF_MEMORY)
            print_error("%s never failed\n", scenarios[i].name);
    }
    print_message("tried  %s: %u scenarios, %u of which need any; %" PRIu64 " failed, %u times with their scenario\n",
                  what, played, played - untouched, failed, errors);
    free_stage(&stage);
    return untouched;
}

static void test_alloc_scenarios__every_allocation(void **state)
{
    assert_int_equal(play_everything(*state, 0, OF_MEMORY, "allocations"), 0);
}

/* Some read nothing: a new filesystem, an image in memory, directories of the host ... */
static void test_alloc_scenarios__every_read(void **state)
{
    assert_true(play_everything(*state, 0, OF_SOURCE, "reads") < 10);
}

/* What only looks at what is resident below allocates nothing. */
static void test_alloc_scenarios__every_allocation_on_sealed(void **state)
{
    assert_true(play_everything(*state, 1, OF_MEMORY, "allocations on a sealed filesystem") < 30);
}

static void test_alloc_scenarios__every_read_on_sealed(void **state)
{
    assert_true(play_everything(*state, 1, OF_SOURCE, "reads below a sealed filesystem") < 10);
}

static int setup(void **state)
{
    return fixture_setup_in_memory(state) || test_setup(state);
}

static int teardown(void **state)
{
    return fixture_teardown(state) | test_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_alloc_scenarios__every_allocation, setup, teardown),
        cmocka_unit_test_setup_teardown(test_alloc_scenarios__every_read, setup, teardown),
        cmocka_unit_test_setup_teardown(test_alloc_scenarios__every_allocation_on_sealed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_alloc_scenarios__every_read_on_sealed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
