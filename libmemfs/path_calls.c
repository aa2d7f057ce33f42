#include "path.h"

#include <errno.h>
#include <string.h>

/* What stands last in a path that a call by name gets. */
struct last {
    memfs_node dir;
    int slash;
    char name[MEMFS_NAME_MAX + 1];
};

static int last_get(memfs *fs, const struct memfs_cred *cred, const char *path, struct last *last)
{
    return path_parent(fs, cred, path, &last->dir, last->name, &last->slash);
}

static int is_normal(const struct last *last)
{
    return last->name[0] && strcmp(last->name, ".") != 0 && strcmp(last->name, "..") != 0;
}

int memfs_resolve(memfs *fs, const struct memfs_cred *cred, const char *path, int follow, memfs_node *out)
{
    return path_resolve(fs, cred, path, follow ? PATH_FOLLOW : 0, out);
}

/* ---- Making ------------------------------------------------------------------ */

/* Where something new is to be made that is no directory: -EEXIST for ".", ".." and
 * the root. A slash behind asks for a directory: it is not there, or in the way. */
static int last_for_new(memfs *fs, const struct memfs_cred *cred, const char *path, struct last *last)
{
    int error = last_get(fs, cred, path, last);
    if (error)
        return error;
    if (!is_normal(last))
        error = -EEXIST;
    else if (last->slash) {
        error = memfs_node_lookup(fs, cred, last->dir, last->name, NULL);
        error = error ? error : -EEXIST;
    }
    if (error)
        memfs_node_forget(fs, last->dir, 1);
    return error;
}

int memfs_mknod(memfs *fs, const struct memfs_cred *cred, const char *path, uint32_t mode, uint32_t rdev_major,
                uint32_t rdev_minor)
{
    struct last last;
    int error = last_for_new(fs, cred, path, &last);
    if (error)
        return error;
    error = memfs_node_mknod(fs, cred, last.dir, last.name, mode, rdev_major, rdev_minor, NULL);
    memfs_node_forget(fs, last.dir, 1);
    return error;
}

int memfs_symlink(memfs *fs, const struct memfs_cred *cred, const char *target, const char *path)
{
    struct last last;
    int error = last_for_new(fs, cred, path, &last);
    if (error)
        return error;
    error = memfs_node_symlink(fs, cred, last.dir, last.name, target, NULL);
    memfs_node_forget(fs, last.dir, 1);
    return error;
}

int memfs_link(memfs *fs, const struct memfs_cred *cred, const char *from, const char *to)
{
    struct last last;
    memfs_node node;
    int error = path_resolve(fs, cred, from, 0, &node);
    if (error)
        return error;
    error = last_for_new(fs, cred, to, &last);
    if (!error) {
        error = memfs_node_link(fs, cred, node, last.dir, last.name);
        memfs_node_forget(fs, last.dir, 1);
    }
    memfs_node_forget(fs, node, 1);
    return error;
}

/* ---- Removing and renaming ------------------------------------------------------ */

/* 1 for a directory, 0 for anything else, or an error. */
static int names_dir(memfs *fs, const struct memfs_cred *cred, const struct last *last)
{
    struct memfs_stat stat;
    memfs_node node;
    int error = memfs_node_lookup(fs, cred, last->dir, last->name, &node);
    if (error)
        return error;
    error = memfs_node_stat(fs, node, &stat);
    memfs_node_forget(fs, node, 1);
    return error ? error : (stat.mode & MEMFS_IFMT) == MEMFS_IFDIR;
}

/* A slash behind a name that is renamed asks for a directory there; behind the new
 * name, for one that comes there. What is missing or in the way is said first, as
 * Linux does. */
static int check_slashes(memfs *fs, const struct memfs_cred *cred, const struct last *from, const struct last *to,
                         uint32_t flags)
{
    int exchange = (flags & MEMFS_RENAME_EXCHANGE) != 0, to_is_dir = 1;
    if (!from->slash && !to->slash)
        return 0;
    int from_is_dir = names_dir(fs, cred, from);
    if (from_is_dir < 0)
        return from_is_dir;
    if ((flags & MEMFS_RENAME_NOREPLACE) && memfs_node_lookup(fs, cred, to->dir, to->name, NULL) == 0)
        return -EEXIST;
    if (exchange)
        to_is_dir = names_dir(fs, cred, to);
    if (to_is_dir < 0)
        return to_is_dir;
    if (to->slash && !(exchange ? to_is_dir : from_is_dir))
        return -ENOTDIR;
    return from->slash && !from_is_dir ? -ENOTDIR : 0;
}

static int rename_last(memfs *fs, const struct memfs_cred *cred, const struct last *from, const struct last *to,
                       uint32_t flags)
{
    if (!is_normal(from))
        return -EBUSY;
    if (!is_normal(to))
        return flags & MEMFS_RENAME_NOREPLACE ? -EEXIST : -EBUSY;
    int error = check_slashes(fs, cred, from, to, flags);
    return error ? error : memfs_node_rename(fs, cred, from->dir, from->name, to->dir, to->name, flags);
}

int memfs_rename(memfs *fs, const struct memfs_cred *cred, const char *from, const char *to, uint32_t flags)
{
    struct last source, target;
    if (flags & ~(MEMFS_RENAME_NOREPLACE | MEMFS_RENAME_EXCHANGE) ||
        flags == (MEMFS_RENAME_NOREPLACE | MEMFS_RENAME_EXCHANGE))
        return -EINVAL;
    int error = last_get(fs, cred, from, &source);
    if (error)
        return error;
    error = last_get(fs, cred, to, &target);
    if (!error) {
        error = rename_last(fs, cred, &source, &target, flags);
        memfs_node_forget(fs, target.dir, 1);
    }
    memfs_node_forget(fs, source.dir, 1);
    return error;
}
