#include "content.h"
#include "create.h"
#include "path.h"
#include "write.h"

#include <errno.h>
#include <string.h>

#define CREATES (MEMFS_O_CREATE | MEMFS_O_EXCL | MEMFS_O_TMPFILE)
#define ALL_FLAGS (MEMFS_O_RDWR | CREATES | MEMFS_O_TRUNC | MEMFS_O_APPEND | MEMFS_O_NOFOLLOW | MEMFS_O_DIRECTORY)

struct memfs_file {
    memfs *fs;
    memfs_node node;
    uint32_t flags;
    int unprivileged; /* whoever opened it */
    uint64_t position;
};

/* ---- Nodes ---- */

struct opening {
    const struct memfs_cred *cred;
    memfs_node node;
    uint32_t flags;
};

static int check_type(const struct memfs_node_record *node, uint32_t flags)
{
    switch (node_type(node)) {
    case MEMFS_IFREG:
        return flags & MEMFS_O_DIRECTORY ? -ENOTDIR : 0;
    case MEMFS_IFDIR:
        return flags & (MEMFS_O_WRITE | MEMFS_O_TRUNC | MEMFS_O_CREATE) ? -EISDIR : 0;
    case MEMFS_IFLNK:
        return flags & MEMFS_O_DIRECTORY ? -ENOTDIR : -ELOOP;
    default:
        return flags & MEMFS_O_DIRECTORY ? -ENOTDIR : -ENXIO;
    }
}

static int check_and_hold(struct op *op, const struct opening *opening, const struct memfs_node_record *node)
{
    uint32_t mask = opening->flags & MEMFS_O_READ ? MEMFS_R_OK : 0;
    mask |= opening->flags & (MEMFS_O_WRITE | MEMFS_O_TRUNC) ? MEMFS_W_OK : 0;
    content_prefetch(node);
    int r = check_type(node, opening->flags);
    if (r == 0)
        r = cred_check(op, opening->cred, node, mask);
    return r ? r : holds_add(&op->fs->holds, &op->fs->allocator, node_number(opening->node), 0, 1);
}

static int reach_open(struct op *op, void *argument)
{
    const struct opening *opening = argument;
    const struct memfs_node_record *node;
    int r = node_get(op, opening->node, &node);
    return r ? r : check_and_hold(op, opening, node);
}

static int empty(memfs *fs, const struct memfs_cred *cred, memfs_node node)
{
    const struct memfs_setattr no_bytes = {.set = MEMFS_SET_SIZE};
    int r = memfs_node_setattr(fs, cred, node, &no_bytes, NULL);
    if (r)
        node_drop(fs, node, 0, 1);
    return r;
}

/* What is open already, and has not been created just now. */
static int empty_opened(memfs *fs, const struct memfs_cred *cred, memfs_node node, uint32_t flags)
{
    return flags & MEMFS_O_TRUNC ? empty(fs, cred, node) : 0;
}

int memfs_node_open(memfs *fs, const struct memfs_cred *cred, memfs_node node, uint32_t flags)
{
    struct opening opening = {.cred = cred, .node = node, .flags = flags};
    if (flags & CREATES || flags & ~ALL_FLAGS || !(flags & MEMFS_O_RDWR))
        return -EINVAL;
    int r = op_read(fs, reach_open, &opening);
    return r ? r : empty_opened(fs, cred, node, flags);
}

void memfs_node_close(memfs *fs, memfs_node node)
{
    node_drop(fs, node, 0, 1);
}

/* ---- Opening by path ---- */

/* Opening by path, found or made in one operation. */
struct path_opening {
    struct opening opening;
    struct creation creation;
    int created;
};

static int open_leaf(struct op *op, uint32_t number, const struct memfs_node_record *node, void *argument)
{
    struct opening *opening = argument;
    opening->node = node_handle(number, node);
    return check_and_hold(op, opening, node);
}

/* What has the last name: found or not. */
static int find_at(struct op *op, struct path_end *end, const struct memfs_cred *cred, struct found *found,
                   const struct memfs_node_record **node)
{
    if (!end->has_looked) {
        int r = cred_check(op, cred, end->record, MEMFS_X_OK);
        return r ? r : dir_find(op, end->record, &end->name, found, node);
    }
    *found = end->found;
    *node = end->node;
    return end->node ? 0 : -ENOENT;
}

static int create_at(struct op *op, struct path_end *end, struct creation *creation)
{
    if (!end->is_writer)
        return PATH_CHANGE;
    creation->dir = end->dir;
    creation->name = &end->name;
    creation->is_free = 1;
    creation->path_hash = end->path_hash;
    return create_reach(op, creation);
}

static int open_at(struct op *op, struct path_end *end, void *argument)
{
    struct path_opening *path = argument;
    const struct memfs_node_record *node;
    struct found found;
    int excl = (path->opening.flags & MEMFS_O_EXCL) != 0;
    if (!path_end_is_normal(end))
        return excl ? -EEXIST : -EISDIR;
    if (end->slash)
        return -EISDIR;
    int r = find_at(op, end, path->opening.cred, &found, &node);
    if (r)
        return r == -ENOENT ? create_at(op, end, &path->creation) : r;
    r = excl ? -EEXIST : open_leaf(op, found.node, node, &path->opening);
    return r ? r : end->is_writer; /* 1: nothing to commit */
}

static void commit_open(struct op *op, void *argument)
{
    struct path_opening *path = argument;
    create_commit(op, &path->creation);
    path->created = 1;
}

static int open_or_create(memfs *fs, const struct memfs_cred *cred, const char *path, uint32_t flags, uint32_t mode,
                          memfs_node *out, int *created)
{
    struct path_opening it;
    it.opening = (struct opening){.cred = cred, .flags = flags};
    creation_init(&it.creation, cred, 0, MEMFS_IFREG | (mode & 07777));
    it.creation.out = &it.opening.node;
    it.creation.opens = 1;
    it.created = 0;
    const unsigned follow = flags & (MEMFS_O_EXCL | MEMFS_O_NOFOLLOW) ? 0 : PATH_FOLLOW;
    int r = path_change(fs, cred, path, follow | PATH_MAKES, open_at, commit_open, &it);
    *out = it.opening.node;
    *created = it.created;
    return r;
}

static int reach_unlinkable(struct op *op, void *argument)
{
    struct memfs_node_record *own;
    const memfs_node *node = argument;
    return node_own(op, node_number(*node), &own);
}

static void commit_unlinkable(struct op *op, void *argument)
{
    const memfs_node *node = argument;
    struct memfs_node_record *own = table_mutable(op->fs, MEMFS_NODES, node_number(*node));
    own->mode &= ~MEMFS_NODE_LINKABLE;
}

/* As on Linux a file that is made with O_EXCL never gets a name. It is open, and can
 * be opened whatever its mode. */
static int create_unnamed(memfs *fs, const struct memfs_cred *cred, const char *path, uint32_t flags, uint32_t mode,
                          memfs_node *out)
{
    struct creation creation;
    creation_init(&creation, cred, 0, MEMFS_IFREG | (mode & 07777));
    creation.out = out;
    creation.opens = 1;
    int r = path_resolve(fs, cred, path, PATH_FOLLOW, &creation.dir);
    if (r)
        return r;
    r = op_write(fs, create_reach, create_commit, &creation);
    memfs_node_forget(fs, creation.dir, 1);
    if (r == 0 && flags & MEMFS_O_EXCL)
        r = op_write(fs, reach_unlinkable, commit_unlinkable, out); /* private already: cannot fail */
    return r;
}

static int check_flags(uint32_t flags)
{
    if (flags & ~ALL_FLAGS || !(flags & MEMFS_O_RDWR))
        return -EINVAL;
    if (flags & MEMFS_O_TMPFILE)
        return flags & MEMFS_O_WRITE && !(flags & (MEMFS_O_CREATE | MEMFS_O_TRUNC)) ? 0 : -EINVAL;
    return flags & MEMFS_O_CREATE && flags & MEMFS_O_DIRECTORY ? -EINVAL : 0;
}

/* Whoever made a file has it open, whatever its mode; it is empty. */
static int open_path(memfs *fs, const struct memfs_cred *cred, const char *path, uint32_t flags, uint32_t mode,
                     memfs_node *out)
{
    struct opening opening = {.cred = cred, .flags = flags};
    int created = 0, r;
    if (flags & MEMFS_O_TMPFILE)
        return create_unnamed(fs, cred, path, flags, mode, out);
    if (flags & MEMFS_O_CREATE) {
        r = open_or_create(fs, cred, path, flags, mode, out, &created);
    } else {
        const unsigned reads = flags & MEMFS_O_READ ? PATH_READS : 0,
                       follow = flags & MEMFS_O_NOFOLLOW ? 0 : PATH_FOLLOW;
        r = path_apply(fs, cred, path, reads | follow, open_leaf, &opening);
        *out = opening.node;
    }
    return r || created ? r : empty_opened(fs, cred, *out, flags);
}

int memfs_open(memfs *fs, const struct memfs_cred *cred, const char *path, uint32_t flags, uint32_t mode,
               memfs_file **out)
{
    int r = check_flags(flags);
    if (r)
        return r;
    /* First, so that nothing has been created when it fails. */
    memfs_file *file = memfs_alloc(&fs->allocator, sizeof *file);
    if (!file)
        return -ENOMEM;
    *file = (struct memfs_file){.fs = fs, .flags = flags, .unprivileged = !cred_is_privileged(cred)};
    r = open_path(fs, cred, path, flags, mode, &file->node);
    if (r) {
        memfs_free(&fs->allocator, file, sizeof *file);
        return r;
    }
    *out = file;
    return 0;
}

void memfs_close(memfs_file *file)
{
    if (!file)
        return;
    memfs *fs = file->fs;
    node_drop(fs, file->node, 0, 1);
    memfs_free(&fs->allocator, file, sizeof *file);
}

memfs_node memfs_file_node(const memfs_file *file)
{
    return file->node;
}

/* ---- Reading and writing ---- */

int64_t memfs_pread(memfs_file *file, void *buffer, size_t size, uint64_t offset)
{
    if (!(file->flags & MEMFS_O_READ))
        return -EBADF;
    return memfs_node_read(file->fs, file->node, offset, buffer, size);
}

int64_t memfs_read(memfs_file *file, void *buffer, size_t size)
{
    int64_t got = memfs_pread(file, buffer, size, file->position);
    if (got > 0)
        file->position += (uint64_t)got;
    return got;
}

static int64_t write_file(memfs_file *file, const void *buffer, size_t size, uint64_t offset, uint64_t *at)
{
    if (!(file->flags & MEMFS_O_WRITE))
        return -EBADF;
    if (offset > MEMFS_SIZE_MAX)
        return -EFBIG;
    if (file->flags & MEMFS_O_APPEND)
        offset = MEMFS_APPEND;
    return write_at(file->fs, file->node, offset, buffer, size, file->unprivileged, at);
}

int64_t memfs_pwrite(memfs_file *file, const void *buffer, size_t size, uint64_t offset)
{
    uint64_t at;
    return write_file(file, buffer, size, offset, &at);
}

int64_t memfs_write(memfs_file *file, const void *buffer, size_t size)
{
    uint64_t at;
    int64_t written = write_file(file, buffer, size, file->position, &at);
    if (written > 0)
        file->position = at + (uint64_t)written;
    return written;
}

/* Where an offset is counted from; for data and holes: what was found. */
static int64_t seek_base(const memfs_file *file, int64_t offset, enum memfs_whence whence)
{
    uint64_t size = 0;
    switch (whence) {
    case MEMFS_SEEK_SET:
        return 0;
    case MEMFS_SEEK_CUR:
        return (int64_t)file->position;
    case MEMFS_SEEK_END: {
        int r = content_size(file->fs, file->node, &size);
        return r ? r : (int64_t)size;
    }
    case MEMFS_SEEK_DATA:
    case MEMFS_SEEK_HOLE:
        return offset < 0 ? -ENXIO : memfs_node_seek(file->fs, file->node, (uint64_t)offset, whence);
    default:
        return -EINVAL;
    }
}

int64_t memfs_lseek(memfs_file *file, int64_t offset, enum memfs_whence whence)
{
    int64_t base = seek_base(file, offset, whence);
    if (base < 0)
        return base;
    if (whence == MEMFS_SEEK_DATA || whence == MEMFS_SEEK_HOLE)
        offset = 0;
    if (offset > 0 && base > INT64_MAX - offset)
        return -EOVERFLOW;
    if (base + offset < 0)
        return -EINVAL;
    file->position = (uint64_t)(base + offset);
    return base + offset;
}

int memfs_ftruncate(memfs_file *file, uint64_t size)
{
    if (!(file->flags & MEMFS_O_WRITE))
        return -EBADF;
    return write_resize(file->fs, file->node, size, file->unprivileged);
}
