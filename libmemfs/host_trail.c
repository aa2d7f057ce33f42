#define _GNU_SOURCE
#include "host_trail.h"

#include "retry.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

/* RESOLVE_BENEATH says once more what the flags and the single name say. */
static int open_beneath(int parent, const char *name, int flags, uint64_t resolve)
{
    struct open_how how = {.flags = (unsigned)flags, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | resolve};
    long fd;
    MEMFS_RETRY(fd, syscall(SYS_openat2, parent, name, &how, sizeof how));
    if (fd < 0 && (errno == ENOSYS || errno == EAGAIN || errno == EPERM)) /* EPERM: perhaps a filter of system calls */
        MEMFS_RETRY(fd, openat(parent, name, flags));
    return fd < 0 ? -errno : (int)fd;
}

static int open_directory(int parent, const char *name, uint64_t resolve)
{
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = open_beneath(parent, name, flags | O_NOATIME, resolve);
    return fd == -EPERM ? open_beneath(parent, name, flags, resolve) : fd;
}

int memfs_host_open_directory(int parent, const char *name)
{
    return open_directory(parent, name, 0);
}

int memfs_host_open_same_mount(int parent, const char *name)
{
    return open_directory(parent, name, RESOLVE_NO_XDEV);
}

static int open_above(int fd)
{
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int above;
    MEMFS_RETRY(above, openat(fd, "..", flags | O_NOATIME));
    if (above < 0 && errno == EPERM)
        MEMFS_RETRY(above, openat(fd, "..", flags));
    return above < 0 ? -errno : above;
}

static struct memfs_host_level level_of(const struct stat *stat)
{
    return (struct memfs_host_level){(uint64_t)stat->st_dev, (uint64_t)stat->st_ino};
}

int memfs_host_trail_begin(struct memfs_host_trail *trail, const struct memfs_allocator *allocator,
                           const struct memfs_host_tree *tree, int fd)
{
    struct stat stat;
    *trail = (struct memfs_host_trail){.allocator = *allocator, .tree = tree, .at = tree->root, .root = -1};
    trail->most = MEMFS_TRAIL_HELD;
    for (int i = 0; i < MEMFS_TRAIL_HELD; i++)
        trail->held[i] = -1;
    int error = fstat(fd, &stat) ? -errno : memfs_host_trail_reserve(trail, 0);
    if (error) {
        memfs_host_trail_end(trail);
        return error;
    }
    trail->levels[0] = level_of(&stat);
    trail->root = fd;
    return 0;
}

void memfs_host_trail_rewind(struct memfs_host_trail *trail)
{
    for (int i = 0; i < MEMFS_TRAIL_HELD; i++) {
        if (trail->held[i] >= 0)
            close(trail->held[i]);
        trail->held[i] = -1;
    }
    trail->depth = 0;
    trail->at = trail->tree->root;
}

void memfs_host_trail_end(struct memfs_host_trail *trail)
{
    if (!trail->tree)
        return;
    memfs_host_trail_rewind(trail);
    if (trail->root >= 0)
        close(trail->root);
    trail->root = -1;
    memfs_free(&trail->allocator, trail->levels, trail->levels_room * sizeof *trail->levels);
    memfs_free(&trail->allocator, trail->way, trail->way_room * sizeof *trail->way);
    trail->tree = NULL;
}

int memfs_host_trail_reserve(struct memfs_host_trail *trail, size_t depth)
{
    void *levels = trail->levels, *way = trail->way;
    size_t count = trail->root >= 0 ? trail->depth + 1 : 0;
    int error =
        memfs_grow_array(&trail->allocator, &levels, &trail->levels_room, count, depth + 1, sizeof *trail->levels);
    trail->levels = levels;
    if (error)
        return error;
    error = memfs_grow_array(&trail->allocator, &way, &trail->way_room, 0, depth + 1, sizeof *trail->way);
    trail->way = way;
    return error;
}

int memfs_host_trail_fd(const struct memfs_host_trail *trail)
{
    return trail->depth ? trail->held[trail->depth % trail->most] : trail->root;
}

int memfs_host_trail_retry(struct memfs_host_trail *trail, int error)
{
    int closed = 0;
    if (!memfs_host_is_scarce(error))
        return 0;
    for (size_t i = 0; i < trail->most; i++) {
        if (trail->held[i] < 0 || i == trail->depth % trail->most)
            continue;
        close(trail->held[i]);
        trail->held[i] = -1;
        closed = 1;
    }
    return closed;
}

static int open_below(const struct memfs_host_trail *trail, uint32_t directory)
{
    char name[MEMFS_NAME_MAX + 1];
    const struct memfs_host_tree *tree = trail->tree;
    if (tree->open)
        return tree->open(tree->context, directory, memfs_host_trail_fd(trail));
    tree->name(tree->context, directory, name);
    return memfs_host_open_directory(memfs_host_trail_fd(trail), name);
}

static int down(struct memfs_host_trail *trail, uint32_t directory)
{
    struct stat stat;
    void *levels = trail->levels;
    int error = memfs_grow_array(&trail->allocator, &levels, &trail->levels_room, trail->depth + 1, trail->depth + 2,
                                 sizeof *trail->levels);
    trail->levels = levels;
    if (error)
        return error;
    int fd = open_below(trail, directory);
    if (fd < 0 && memfs_host_trail_retry(trail, fd))
        fd = open_below(trail, directory);
    if (fd < 0)
        return fd;
    if (fstat(fd, &stat))
        error = -errno;
    else if (trail->tree->admit)
        error = trail->tree->admit(trail->tree->context, directory, &stat);
    if (error) {
        close(fd);
        return error;
    }
    int *held = &trail->held[++trail->depth % trail->most];
    if (*held >= 0)
        close(*held);
    *held = fd;
    trail->levels[trail->depth] = level_of(&stat);
    trail->at = directory;
    return 0;
}

/* Makes sure that the descriptor of the level above is held. */
static int hold_above(struct memfs_host_trail *trail)
{
    size_t above = trail->depth - 1;
    int *held = &trail->held[above % trail->most];
    struct stat stat;
    if (!above || *held >= 0)
        return 0;
    int fd = open_above(memfs_host_trail_fd(trail));
    if (fd < 0 && memfs_host_trail_retry(trail, fd))
        fd = open_above(memfs_host_trail_fd(trail));
    if (fd < 0)
        return fd;
    int error = fstat(fd, &stat) ? -errno : 0;
    if (!error && (trail->levels[above].dev != (uint64_t)stat.st_dev || trail->levels[above].ino != stat.st_ino))
        error = -ESTALE;
    if (error)
        close(fd);
    else
        *held = fd;
    return error;
}

int memfs_host_trail_leave(struct memfs_host_trail *trail, int *left)
{
    int error = hold_above(trail);
    if (error)
        return error;
    int *held = &trail->held[trail->depth % trail->most];
    *left = *held;
    *held = -1;
    trail->depth--;
    trail->at = trail->tree->parent(trail->tree->context, trail->at);
    return 0;
}

/* How to come to a directory: so many levels up, then down trail->way. Since
 * parents have the smaller numbers, the larger of two numbers never is an
 * ancestor of the smaller, and the common ancestor is met from both sides. */
static int find_way(struct memfs_host_trail *trail, uint32_t directory, size_t *ups, size_t *downs)
{
    uint32_t from = trail->at;
    *ups = *downs = 0;
    while (from != directory) {
        if (from > directory) {
            from = trail->tree->parent(trail->tree->context, from);
            ++*ups;
            continue;
        }
        void *way = trail->way;
        int error = memfs_grow_array(&trail->allocator, &way, &trail->way_room, *downs, *downs + 1, sizeof *trail->way);
        trail->way = way;
        if (error)
            return error;
        trail->way[(*downs)++] = directory;
        directory = trail->tree->parent(trail->tree->context, directory);
    }
    return 0;
}

/* Going up past the held descriptors opens each level anew: is it less to
 * begin at the root? */
static int root_is_nearer(const struct memfs_host_trail *trail, size_t ups)
{
    return ups > trail->most && trail->depth - ups < ups - trail->most;
}

int memfs_host_trail_go(struct memfs_host_trail *trail, uint32_t directory)
{
    size_t ups = 0, downs = 0;
    int error = find_way(trail, directory, &ups, &downs);
    if (error)
        return error;
    int restart = root_is_nearer(trail, ups);
    while (ups-- && !restart) {
        int left = -1;
        restart = memfs_host_trail_leave(trail, &left) != 0;
        if (left >= 0)
            close(left);
    }
    if (restart) {
        memfs_host_trail_rewind(trail);
        error = find_way(trail, directory, &ups, &downs);
    }
    while (!error && downs)
        error = down(trail, trail->way[--downs]);
    return error;
}
