/*
 * Resolves paths in a small tree with the symbolic links that the input makes, and
 * compares with a resolver that is right by inspection: it looks names up one by
 * one, and calls itself for links.
 *
 * Properties: the same node or the same error, with credentials and without; a path
 * that the library states for a directory leads there.
 */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#define LINKS 5u
#define TARGET_ROOM 64u
#define PATHS_MOST 24u
#define PATH_ROOM 512u

static memfs *make(memfs_backing *backing)
{
    struct memfs_options options = {.size = sizeof options, .backing = backing};
    memfs *fs = NULL;
    FUZZ_REQUIRE(memfs_create(&options, &fs) == 0, "memory");
    return fs;
}

/* Directories that not everybody may search, files, and a name for each link. */
static memfs_backing *tree(void)
{
    static const struct {
        const char *path;
        uint32_t mode;
    } dirs[] = {{"a", 0755}, {"a/b", 0700}, {"a/b/c", 0755}, {"d", 0711}, {"d/a", 0000}, {"d/a/d", 0755}};
    static memfs_backing *backing;
    if (backing)
        return backing;
    memfs *fs = make(NULL);
    for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++)
        FUZZ_REQUIRE(memfs_mkdir(fs, NULL, dirs[i].path, dirs[i].mode) == 0, "%s", dirs[i].path);
    FUZZ_REQUIRE(memfs_mknod(fs, NULL, "a/f", MEMFS_IFREG | 0644, 0, 0) == 0, "a/f");
    FUZZ_REQUIRE(memfs_mknod(fs, NULL, "d/f", MEMFS_IFIFO | 0644, 0, 0) == 0, "d/f");
    FUZZ_REQUIRE(memfs_seal(fs, &backing) == 0, "seal");
    return backing;
}

/* ---- The naive resolver --------------------------------------------------------------- */

struct naive {
    memfs *fs;
    const struct memfs_cred *cred;
    unsigned links;
};

static int resolve(struct naive *naive, memfs_node from, const char *path, int follow, memfs_node *out);

static int is_type(struct naive *naive, memfs_node node, uint32_t type)
{
    struct memfs_stat stat;
    FUZZ_REQUIRE(memfs_node_stat(naive->fs, node, &stat) == 0, "stat");
    return (stat.mode & MEMFS_IFMT) == type;
}

/* The node of a name in a directory, links not followed. */
static int look(struct naive *naive, memfs_node dir, const char *name, memfs_node *out)
{
    int error = 0;
    if (!is_type(naive, dir, MEMFS_IFDIR))
        return -ENOTDIR;
    if (memfs_node_access(naive->fs, naive->cred, dir, MEMFS_X_OK))
        return -EACCES;
    if (strlen(name) > MEMFS_NAME_MAX)
        return -ENAMETOOLONG;
    *out = dir;
    if (strcmp(name, ".") == 0)
        return 0;
    error = strcmp(name, "..") == 0 ? memfs_node_parent(naive->fs, dir, out)
                                    : memfs_node_lookup(naive->fs, NULL, dir, name, out);
    if (!error)
        memfs_node_forget(naive->fs, *out, 1);
    return error;
}

static int enter_link(struct naive *naive, memfs_node dir, memfs_node *node)
{
    char target[TARGET_ROOM + 1];
    if (naive->links++ == MEMFS_SYMLOOP_MAX)
        return -ELOOP;
    const int64_t length = memfs_node_readlink(naive->fs, *node, target, TARGET_ROOM);
    FUZZ_REQUIRE(length > 0 && length <= (int64_t)TARGET_ROOM, "target of %lld bytes", (long long)length);
    target[length] = 0;
    return resolve(naive, target[0] == '/' ? MEMFS_ROOT : dir, target, 1, node);
}

static int resolve(struct naive *naive, memfs_node from, const char *path, int follow, memfs_node *out)
{
    char name[PATH_ROOM];
    memfs_node at = from;
    path += strspn(path, "/");
    while (*path) {
        const size_t length = strcspn(path, "/");
        const int slashes = path[length] == '/', last = path[length + strspn(path + length, "/")] == 0;
        const memfs_node dir = at;
        memcpy(name, path, length);
        name[length] = 0;
        int error = look(naive, dir, name, &at);
        if (!error && is_type(naive, at, MEMFS_IFLNK) && (!last || slashes || follow))
            error = enter_link(naive, dir, &at);
        if (!error && slashes && !is_type(naive, at, MEMFS_IFDIR))
            error = -ENOTDIR;
        if (error)
            return error;
        path += length + strspn(path + length, "/");
    }
    *out = at;
    return 0;
}

/* ---- Inputs -------------------------------------------------------------------------------- */

static void some_path(struct fuzz_choices *choices, char *path, size_t room)
{
    static const char *const pieces[] = {"a", "b", "c", "d", "f", "l0", "l1", "l2", "l3", "l4", ".", "..", "", "none"};
    size_t length = 0;
    path[0] = 0;
    if (fuzz_below(choices, 3) == 0)
        path[length++] = '/';
    for (uint32_t count = 1 + fuzz_below(choices, 9); count && length + 8 < room; count--)
        length += (size_t)snprintf(path + length, room - length, "%s%s",
                                   pieces[fuzz_below(choices, sizeof pieces / sizeof *pieces)], count > 1 ? "/" : "");
    if (fuzz_below(choices, 8) == 0 && length + 1 < room)
        path[length++] = '/';
    if (fuzz_below(choices, 200) == 199 && length + MEMFS_NAME_MAX + 2 < room) {
        memset(path + length, 'n', MEMFS_NAME_MAX + 1);
        length += MEMFS_NAME_MAX + 1;
    }
    path[length] = 0;
}

static void make_links(memfs *fs, struct fuzz_choices *choices)
{
    static const char *const places[] = {"", "a/", "a/b/", "d/", "d/a/d/"};
    char target[TARGET_ROOM], name[16];
    for (unsigned i = 0; i < LINKS; i++) {
        snprintf(name, sizeof name, "%sl%u", places[fuzz_below(choices, sizeof places / sizeof *places)], i);
        some_path(choices, target, sizeof target);
        if (target[0])
            FUZZ_REQUIRE(memfs_symlink(fs, NULL, target, name) == 0, "%s", name);
    }
}

static void require_path(memfs *fs, memfs_node node)
{
    char path[PATH_ROOM];
    memfs_node there;
    const int64_t length = memfs_node_path(fs, node, path, sizeof path);
    if (length == -ENOTDIR)
        return;
    FUZZ_REQUIRE(length > 0, "no path: %lld", (long long)length);
    FUZZ_REQUIRE(memfs_resolve(fs, NULL, path, 0, &there) == 0 && there == node, "%s leads elsewhere", path);
    memfs_node_forget(fs, there, 1);
}

static void try_path(memfs *fs, const char *path, int follow, const struct memfs_cred *cred)
{
    struct naive naive = {.fs = fs, .cred = cred};
    memfs_node want = 0, got = 0;
    const int wanted = *path ? resolve(&naive, MEMFS_ROOT, path, follow, &want) : -ENOENT;
    const int result = memfs_resolve(fs, cred, path, follow, &got);
    FUZZ_REQUIRE(result == wanted, "\"%s\", follow %d: %s, naively %s", path, follow, memfs_strerror(result),
                 memfs_strerror(wanted));
    FUZZ_REQUIRE(result || got == want, "\"%s\", follow %d: another node", path, follow);
    if (!result) {
        require_path(fs, got);
        memfs_node_forget(fs, got, 1);
    }
}

const enum fuzz_kind fuzz_kind = FUZZ_BYTES;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct memfs_cred creds[] = {{.size = sizeof *creds, .uid = 1, .gid = 1},
                                              {.size = sizeof *creds, .uid = 0, .gid = 0}};
    struct fuzz_choices choices = fuzz_choices_of(data, size);
    memfs *fs = make(tree());
    char path[PATH_ROOM];
    make_links(fs, &choices);
    for (unsigned i = 0; i < PATHS_MOST && fuzz_more(&choices); i++) {
        const uint32_t how = fuzz_below(&choices, 6);
        some_path(&choices, path, sizeof path);
        try_path(fs, path, how % 2 != 0, how < 2 ? NULL : &creds[how % 4 / 2]);
    }
    memfs_destroy(fs);
    return 0;
}
