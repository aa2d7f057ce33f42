#include "model.h"

#include "memfs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Nodes ---------------------------------------------------------------------- */

static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

uint32_t model_type(const struct model_node *node)
{
    return node->mode & MEMFS_IFMT;
}

static int is_dir(const struct model_node *node)
{
    return model_type(node) == MEMFS_IFDIR;
}

static struct model_node *node_new(struct model *model, uint32_t mode)
{
    struct model_node *node = must(calloc(1, sizeof *node));
    node->mode = mode;
    node->nlink = is_dir(node) ? 2 : 1;
    node->atime = node->mtime = node->ctime = model->now;
    node->next = model->all;
    node->link = &model->all;
    if (node->next)
        node->next->link = &node->next;
    model->all = node;
    model->nodes++;
    return node;
}

static void node_free(struct model *model, struct model_node *node)
{
    for (struct model_entry *entry = node->entries, *next; entry; entry = next) {
        next = entry->next;
        free(entry->name);
        free(entry);
    }
    for (struct model_xattr *xattr = node->xattrs, *next; xattr; xattr = next) {
        next = xattr->next;
        free(xattr->name);
        free(xattr->value);
        free(xattr);
    }
    *node->link = node->next;
    if (node->next)
        node->next->link = node->link;
    model->nodes--;
    free(node->target);
    free(node->data);
    free(node);
}

static void node_settle(struct model *model, struct model_node *node)
{
    if (node->nlink == 0 && node->holds == 0)
        node_free(model, node);
}

void model_hold(struct model_node *node)
{
    node->holds++;
}

void model_drop(struct model *model, struct model_node *node)
{
    node->holds--;
    node_settle(model, node);
}

struct model *model_new(int64_t now)
{
    struct model *model = must(calloc(1, sizeof *model));
    model->now = now;
    model->root = node_new(model, MEMFS_IFDIR | 0755);
    model->root->parent = model->root;
    return model;
}

void model_free(struct model *model)
{
    while (model->all)
        node_free(model, model->all);
    free(model);
}

static struct model_node *node_copy(struct model *model, const struct model_node *from)
{
    struct model_node *node = node_new(model, from->mode);
    struct model_node *next = node->next, **link = node->link;
    *node = *from;
    node->next = next;
    node->link = link;
    node->holds = 0;
    node->entries = NULL;
    node->xattrs = NULL;
    node->target = from->target ? must(strdup(from->target)) : NULL;
    node->data = from->room ? must(malloc(from->room)) : NULL;
    if (from->room)
        memcpy(node->data, from->data, from->room);
    struct model_xattr **last = &node->xattrs;
    for (const struct model_xattr *xattr = from->xattrs; xattr; xattr = xattr->next) {
        struct model_xattr *copy = must(calloc(1, sizeof *copy));
        copy->name = must(strdup(xattr->name));
        copy->value = must(malloc(xattr->size + 1));
        memcpy(copy->value, xattr->value, xattr->size);
        copy->size = xattr->size;
        *last = copy;
        last = &copy->next;
    }
    return node;
}

struct model *model_clone(struct model *model)
{
    struct model *clone = must(calloc(1, sizeof *clone));
    clone->now = model->now;
    for (struct model_node *node = model->all; node; node = node->next)
        node->copy = node->nlink ? node_copy(clone, node) : NULL;
    for (struct model_node *node = model->all; node; node = node->next) {
        if (!node->copy)
            continue;
        struct model_entry **last = &node->copy->entries;
        for (const struct model_entry *entry = node->entries; entry; entry = entry->next) {
            struct model_entry *copy = must(calloc(1, sizeof *copy));
            copy->name = must(strdup(entry->name));
            copy->node = entry->node->copy;
            *last = copy;
            last = &copy->next;
        }
        if (is_dir(node))
            node->copy->parent = node->parent->copy;
    }
    clone->root = model->root->copy;
    return clone;
}

static int any_byte(const struct model_node *node, uint64_t page)
{
    uint64_t end = (page + 1) * MODEL_PAGE < node->size ? (page + 1) * MODEL_PAGE : node->size;
    for (uint64_t at = page * MODEL_PAGE; at < end; at++)
        if (node->data[at])
            return 1;
    return 0;
}

static void sort_entries(struct model_node *dir)
{
    struct model_entry *sorted = NULL;
    while (dir->entries) {
        struct model_entry *entry = dir->entries, **at = &sorted;
        dir->entries = entry->next;
        while (*at && strcmp((*at)->name, entry->name) < 0)
            at = &(*at)->next;
        entry->next = *at;
        *at = entry;
    }
    dir->entries = sorted;
}

void model_canonical(struct model *model)
{
    for (struct model_node *node = model->all; node; node = node->next) {
        node->atime = node->ctime = node->mtime;
        sort_entries(node);
        for (uint64_t page = 0; page < MODEL_PAGES && node->data; page++)
            node->pages[page] = page * MODEL_PAGE < node->size && any_byte(node, page) ? MODEL_DATA : MODEL_HOLE;
    }
}

/* ---- Directories ------------------------------------------------------------------- */

static void begin(struct model *model)
{
    model->alternative = 0;
    model->loose = NULL;
}

static void loosen(struct model *model, struct model_node *node)
{
    model->loose = node;
    model->loose_mtime = node->mtime;
    model->loose_ctime = node->ctime;
}

static void changed(struct model *model, struct model_node *node)
{
    node->mtime = node->ctime = model->now;
}

static struct model_entry **find(struct model_node *dir, const char *name)
{
    struct model_entry **at = &dir->entries;
    while (*at && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    return at;
}

uint64_t model_entries(const struct model_node *dir)
{
    uint64_t count = 0;
    for (const struct model_entry *entry = dir->entries; entry; entry = entry->next)
        count++;
    return count;
}

static int check(const struct model_node *dir, const char *name)
{
    if (!is_dir(dir))
        return -ENOTDIR;
    if (!*name)
        return -ENOENT;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strchr(name, '/'))
        return -EINVAL;
    return strlen(name) > MEMFS_NAME_MAX ? -ENAMETOOLONG : 0;
}

static void insert(struct model *model, struct model_node *dir, const char *name, struct model_node *node)
{
    struct model_entry *entry = must(calloc(1, sizeof *entry)), **last = &dir->entries;
    entry->name = must(strdup(name));
    entry->node = node;
    while (*last)
        last = &(*last)->next;
    *last = entry;
    if (is_dir(node)) {
        node->parent = dir;
        dir->nlink++;
    }
    changed(model, dir);
}

static void extract(struct model *model, struct model_node *dir, struct model_entry **at)
{
    struct model_entry *entry = *at;
    *at = entry->next;
    if (is_dir(entry->node))
        dir->nlink--;
    free(entry->name);
    free(entry);
    changed(model, dir);
}

int model_lookup(struct model *model, struct model_node *dir, const char *name, struct model_node **out)
{
    begin(model);
    int error = check(dir, name);
    if (error)
        return error;
    struct model_entry *entry = *find(dir, name);
    *out = entry ? entry->node : NULL;
    return entry ? 0 : -ENOENT;
}

/* May a new name be made here? */
static int may_make(struct model_node *dir, const char *name)
{
    int error = check(dir, name);
    if (error)
        return error;
    if (*find(dir, name))
        return -EEXIST;
    return dir->nlink ? 0 : -ENOENT;
}

int model_make(struct model *model, struct model_node *dir, const char *name, uint32_t mode, uint32_t major,
               uint32_t minor, const char *target, struct model_node **out)
{
    begin(model);
    int error = may_make(dir, name);
    if (error)
        return error;
    struct model_node *node = node_new(model, mode);
    if (model_type(node) == MEMFS_IFCHR || model_type(node) == MEMFS_IFBLK) {
        node->major = major;
        node->minor = minor;
    }
    if (target) {
        node->target = must(strdup(target));
        node->size = strlen(target);
    }
    insert(model, dir, name, node);
    if (out)
        *out = node;
    return 0;
}

int model_tmpfile(struct model *model, struct model_node *dir, uint32_t mode, struct model_node **out)
{
    begin(model);
    if (!is_dir(dir))
        return -ENOTDIR;
    if (!dir->nlink)
        return -ENOENT;
    *out = node_new(model, MEMFS_IFREG | (mode & 07777));
    (*out)->nlink = 0;
    (*out)->linkable = 1;
    (*out)->holds = 1;
    return 0;
}

int model_link(struct model *model, struct model_node *node, struct model_node *dir, const char *name)
{
    begin(model);
    int error = may_make(dir, name);
    if (error) {
        model->alternative = is_dir(node) ? -EPERM : node->nlink ? 0 : -ENOENT;
        return error;
    }
    if (is_dir(node))
        return -EPERM;
    if (!node->nlink && !node->linkable)
        return -ENOENT;
    node->nlink++;
    node->linkable = 0;
    node->ctime = model->now;
    insert(model, dir, name, node);
    return 0;
}

int model_unlink(struct model *model, struct model_node *dir, const char *name)
{
    struct model_node *node;
    int error = model_lookup(model, dir, name, &node);
    if (error)
        return error;
    if (is_dir(node))
        return -EISDIR;
    extract(model, dir, find(dir, name));
    node->nlink--;
    node->ctime = model->now;
    node_settle(model, node);
    return 0;
}

static void remove_dir(struct model *model, struct model_node *dir, const char *name, struct model_node *node)
{
    extract(model, dir, find(dir, name));
    node->nlink = 0;
    node->ctime = model->now;
    node_settle(model, node);
}

int model_rmdir(struct model *model, struct model_node *dir, const char *name)
{
    struct model_node *node;
    int error = model_lookup(model, dir, name, &node);
    if (error)
        return error;
    if (!is_dir(node))
        return -ENOTDIR;
    if (node->entries)
        return -ENOTEMPTY;
    remove_dir(model, dir, name, node);
    return 0;
}

static int is_above(const struct model_node *above, const struct model_node *node)
{
    for (; node != above; node = node->parent)
        if (node == node->parent || !node->nlink)
            return 0;
    return 1;
}

static int may_replace(const struct model_node *source, const struct model_node *target)
{
    if (is_dir(source) && !is_dir(target))
        return -ENOTDIR;
    if (!is_dir(source) && is_dir(target))
        return -EISDIR;
    return target->entries ? -ENOTEMPTY : 0;
}

static void exchange(struct model *model, struct model_node *from_dir, struct model_entry *from,
                     struct model_node *to_dir, struct model_entry *to)
{
    struct model_node *source = from->node, *target = to->node;
    from->node = target;
    to->node = source;
    from_dir->nlink += (uint32_t)is_dir(target) - (uint32_t)is_dir(source);
    to_dir->nlink += (uint32_t)is_dir(source) - (uint32_t)is_dir(target);
    if (is_dir(source))
        source->parent = to_dir;
    if (is_dir(target))
        target->parent = from_dir;
    source->ctime = target->ctime = model->now;
    changed(model, from_dir);
    changed(model, to_dir);
}

static int rename_checks(struct model *model, struct model_node *source, struct model_node *from_dir,
                         struct model_node *target, struct model_node *to_dir, uint32_t flags)
{
    if (target && flags & MEMFS_RENAME_NOREPLACE)
        return -EEXIST;
    if (!target && flags & MEMFS_RENAME_EXCHANGE)
        return -ENOENT;
    if (is_dir(source) && is_above(source, to_dir)) {
        model->alternative = target ? may_replace(source, target) : 0;
        return -EINVAL;
    }
    if (target && is_dir(target) && is_above(target, from_dir)) {
        model->alternative = is_dir(source) || flags & MEMFS_RENAME_EXCHANGE ? 0 : -EISDIR;
        return flags & MEMFS_RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
    }
    if (!to_dir->nlink)
        return -ENOENT;
    return target && source != target && !(flags & MEMFS_RENAME_EXCHANGE) ? may_replace(source, target) : 0;
}

/* The name stays where it stands, and leads to another node. */
static void replace(struct model *model, struct model_node *dir, struct model_entry *entry, struct model_node *node)
{
    struct model_node *old = entry->node;
    if (is_dir(old)) {
        old->nlink = 0;
        dir->nlink--;
    } else {
        old->nlink--;
    }
    entry->node = node;
    if (is_dir(node)) {
        node->parent = dir;
        dir->nlink++;
    }
    old->ctime = model->now;
    changed(model, dir);
    node_settle(model, old);
}

int model_rename(struct model *model, struct model_node *from_dir, const char *from, struct model_node *to_dir,
                 const char *to, uint32_t flags)
{
    begin(model);
    int error = check(from_dir, from), also = check(to_dir, to);
    if (error || also) {
        model->alternative = also; /* either, where both are wrong */
        return error ? error : also;
    }
    struct model_entry *source_entry = *find(from_dir, from), *target_entry = *find(to_dir, to);
    if (!source_entry)
        return -ENOENT;
    struct model_node *source = source_entry->node, *target = target_entry ? target_entry->node : NULL;
    error = rename_checks(model, source, from_dir, target, to_dir, flags);
    if (error || source == target)
        return error;
    if (flags & MEMFS_RENAME_EXCHANGE) {
        exchange(model, from_dir, source_entry, to_dir, target_entry);
        return 0;
    }
    if (target) {
        replace(model, to_dir, target_entry, source);
        extract(model, from_dir, find(from_dir, from));
    } else {
        extract(model, from_dir, find(from_dir, from));
        insert(model, to_dir, to, source);
    }
    source->ctime = model->now;
    return 0;
}

/* ---- Contents ------------------------------------------------------------------------ */

static int check_file(const struct model_node *node)
{
    return is_dir(node) ? -EISDIR : model_type(node) == MEMFS_IFREG ? 0 : -EINVAL;
}

static void grow(struct model_node *node, uint64_t size)
{
    if (size > MODEL_SIZE_MAX)
        abort();
    if (size > node->room) {
        uint64_t room = size + size / 2 + 64;
        node->data = must(realloc(node->data, room));
        memset(node->data + node->room, 0, room - node->room);
        node->room = room;
    }
    if (size > node->size)
        node->size = size;
}

int64_t model_write(struct model *model, struct model_node *node, uint64_t offset, const void *data, size_t size)
{
    begin(model);
    int error = check_file(node);
    if (error || size == 0)
        return error;
    if (offset == MEMFS_APPEND)
        offset = node->size;
    grow(node, offset + size);
    memcpy(node->data + offset, data, size);
    for (uint64_t page = offset / MODEL_PAGE; page <= (offset + size - 1) / MODEL_PAGE; page++)
        node->pages[page] = MODEL_DATA;
    changed(model, node);
    return (int64_t)size;
}

int64_t model_read(struct model_node *node, uint64_t offset, void *data, size_t size)
{
    int error = check_file(node);
    if (error || offset >= node->size)
        return error;
    if (size > node->size - offset)
        size = node->size - offset;
    memcpy(data, node->data + offset, size);
    return (int64_t)size;
}

int model_truncate(struct model *model, struct model_node *node, uint64_t size)
{
    begin(model);
    int error = check_file(node);
    if (error)
        return error;
    if (size == node->size)
        loosen(model, node);
    if (size < node->size) {
        memset(node->data + size, 0, node->size - size);
        for (uint64_t page = (size + MODEL_PAGE - 1) / MODEL_PAGE; page < MODEL_PAGES; page++)
            if (node->pages[page] == MODEL_DATA)
                node->pages[page] = MODEL_HOLE;
        node->size = size;
    }
    grow(node, size);
    changed(model, node);
    return 0;
}

int model_punch(struct model *model, struct model_node *node, uint64_t offset, uint64_t length)
{
    begin(model);
    int error = check_file(node);
    if (error || length == 0)
        return error ? error : -EINVAL;
    loosen(model, node);
    changed(model, node);
    uint64_t end = offset + length;
    for (uint64_t page = offset / MODEL_PAGE; page < MODEL_PAGES && page * MODEL_PAGE < end; page++) {
        int whole = page * MODEL_PAGE >= offset && (page + 1) * MODEL_PAGE <= end;
        int to_end = page * MODEL_PAGE >= offset && node->size <= end;
        if (whole)
            node->pages[page] = MODEL_HOLE;
        else if (to_end && node->pages[page] == MODEL_DATA)
            node->pages[page] = MODEL_EITHER;
    }
    if (offset < node->size)
        memset(node->data + offset, 0, (end < node->size ? end : node->size) - offset);
    return 0;
}

int model_allocate(struct model *model, struct model_node *node, uint64_t offset, uint64_t length, int keep_size)
{
    begin(model);
    int error = check_file(node);
    if (error || length == 0)
        return error ? error : -EINVAL;
    if (length > MODEL_PAGES * (uint64_t)MODEL_PAGE)
        return -ENOSPC;
    loosen(model, node);
    for (uint64_t page = offset / MODEL_PAGE; page <= (offset + length - 1) / MODEL_PAGE; page++)
        if (node->pages[page] == MODEL_HOLE)
            node->pages[page] = MODEL_EITHER;
    if (!keep_size)
        grow(node, offset + length);
    changed(model, node);
    return 0;
}

static void copy_page(struct model_node *node, uint64_t page, uint64_t start, uint64_t end)
{
    int whole = start <= page * MODEL_PAGE && (end >= (page + 1) * MODEL_PAGE || end >= node->size);
    uint64_t at = start > page * MODEL_PAGE ? start : page * MODEL_PAGE;
    uint64_t stop = end < (page + 1) * MODEL_PAGE ? end : (page + 1) * MODEL_PAGE;
    while (at < stop && node->data[at] == 0)
        at++;
    if (at < stop)
        node->pages[page] = MODEL_DATA;
    else if (whole || node->pages[page] != MODEL_DATA)
        node->pages[page] = MODEL_EITHER;
}

int64_t model_copy(struct model *model, struct model_node *from, uint64_t from_offset, struct model_node *to,
                   uint64_t to_offset, uint64_t length)
{
    begin(model);
    int error = check_file(from);
    error = error ? error : check_file(to);
    if (error)
        return error;
    if (from == to && from_offset < to_offset + length && to_offset < from_offset + length)
        return -EINVAL;
    if (from_offset >= from->size || length == 0)
        return 0;
    if (length > from->size - from_offset)
        length = from->size - from_offset;
    grow(to, to_offset + length);
    memcpy(to->data + to_offset, from->data + from_offset, length);
    for (uint64_t page = to_offset / MODEL_PAGE; page <= (to_offset + length - 1) / MODEL_PAGE; page++)
        copy_page(to, page, to_offset, to_offset + length);
    changed(model, to);
    return (int64_t)length;
}

int model_seek_ok(const struct model_node *node, uint64_t offset, int data, int64_t result)
{
    uint8_t wanted = data ? MODEL_DATA : MODEL_HOLE, other = data ? MODEL_HOLE : MODEL_DATA;
    if (offset >= node->size)
        return result == -ENXIO;
    if (result < 0 && !(data && result == -ENXIO))
        return 0;
    uint64_t stop = result < 0 ? node->size : (uint64_t)result;
    if (stop < offset || stop > node->size || (data && result >= 0 && stop == node->size))
        return 0;
    for (uint64_t at = offset; at < stop; at = (at / MODEL_PAGE + 1) * MODEL_PAGE)
        if (node->pages[at / MODEL_PAGE] == wanted)
            return 0;
    if (stop == node->size)
        return 1;
    return node->pages[stop / MODEL_PAGE] != other && (stop == offset || stop % MODEL_PAGE == 0);
}

/* ---- Attributes ------------------------------------------------------------------------- */

static struct model_xattr **find_xattr(struct model_node *node, const char *name)
{
    struct model_xattr **at = &node->xattrs;
    while (*at && strcmp((*at)->name, name) < 0)
        at = &(*at)->next;
    return at;
}

const struct model_xattr *model_getxattr(const struct model_node *node, const char *name)
{
    const struct model_xattr *at = node->xattrs;
    while (at && strcmp(at->name, name) != 0)
        at = at->next;
    return at;
}

int model_setxattr(struct model *model, struct model_node *node, const char *name, const void *value, size_t size,
                   uint32_t flags)
{
    begin(model);
    struct model_xattr **at = find_xattr(node, name), *xattr = *at;
    int there = xattr && strcmp(xattr->name, name) == 0;
    if (there && flags & MEMFS_XATTR_CREATE)
        return -EEXIST;
    if (!there && flags & MEMFS_XATTR_REPLACE)
        return -ENODATA;
    if (!there) {
        struct model_xattr *made = must(calloc(1, sizeof *made));
        made->name = must(strdup(name));
        made->next = xattr;
        *at = xattr = made;
    }
    xattr->value = must(realloc(xattr->value, size + 1));
    memcpy(xattr->value, value, size);
    xattr->size = size;
    node->ctime = model->now;
    return 0;
}

int model_removexattr(struct model *model, struct model_node *node, const char *name)
{
    begin(model);
    struct model_xattr **at = find_xattr(node, name), *xattr = *at;
    if (!xattr || strcmp(xattr->name, name) != 0)
        return -ENODATA;
    *at = xattr->next;
    free(xattr->name);
    free(xattr->value);
    free(xattr);
    node->ctime = model->now;
    return 0;
}

/* ---- Paths -------------------------------------------------------------------------------- */

enum follow { FOLLOW_NEVER, FOLLOW_IF_SLASH, FOLLOW_UNLESS_SLASH, FOLLOW_ALWAYS };
enum kind { KIND_NAME, KIND_DOT, KIND_DOTDOT, KIND_ROOT };

/* Where a path leads: the last name in its directory, and what is there. */
struct place {
    enum kind kind;
    struct model_node *dir;
    char name[MEMFS_NAME_MAX + 1];
    int slash; /* slashes follow the name */
    struct model_node *node;
};

struct walk {
    struct place *place;
    char *rest; /* what is still to be walked; owned */
    unsigned links;
};

static int follow_link(struct walk *walk, struct model *model, const struct model_node *link, const char *rest)
{
    if (walk->links++ >= MEMFS_SYMLOOP_MAX)
        return -ELOOP;
    size_t target = strlen(link->target), tail = strlen(rest);
    char *joined = must(malloc(target + tail + 1));
    memcpy(joined, link->target, target);
    memcpy(joined + target, rest, tail + 1);
    free(walk->rest);
    walk->rest = joined;
    if (joined[0] == '/')
        walk->place->dir = model->root;
    return 0;
}

/* One component: 1 if it was the last. */
static int step(struct walk *walk, struct model *model, enum follow follow)
{
    struct place *place = walk->place;
    const char *name = walk->rest + strspn(walk->rest, "/");
    size_t length = strcspn(name, "/");
    const char *rest = name + length;
    place->slash = *rest == '/';
    int last = rest[strspn(rest, "/")] == 0;
    if (!is_dir(place->dir))
        return -ENOTDIR;
    if (length > MEMFS_NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(place->name, name, length);
    place->name[length] = 0;
    place->kind = strcmp(place->name, ".") == 0 ? KIND_DOT : strcmp(place->name, "..") == 0 ? KIND_DOTDOT : KIND_NAME;
    struct model_entry *entry = *find(place->dir, place->name);
    place->node = place->kind == KIND_DOT      ? place->dir
                  : place->kind == KIND_DOTDOT ? place->dir->parent
                  : entry                      ? entry->node
                                               : NULL;
    if (place->node && model_type(place->node) == MEMFS_IFLNK &&
        (!last || follow == FOLLOW_ALWAYS || (follow == FOLLOW_IF_SLASH && place->slash) ||
         (follow == FOLLOW_UNLESS_SLASH && !place->slash)))
        return follow_link(walk, model, place->node, rest);
    if (last)
        return 1;
    if (!place->node)
        return -ENOENT;
    place->dir = place->node;
    memmove(walk->rest, rest, strlen(rest) + 1);
    return 0;
}

static int walk(struct model *model, const char *path, enum follow follow, struct place *place)
{
    begin(model);
    if (!*path)
        return -ENOENT;
    memset(place, 0, sizeof *place);
    place->dir = model->root;
    struct walk walk = {.place = place, .rest = must(strdup(path))};
    int result = 0;
    while (!result && walk.rest[strspn(walk.rest, "/")])
        result = step(&walk, model, follow);
    free(walk.rest);
    if (result == 0) {
        place->kind = KIND_ROOT;
        place->node = place->dir;
    }
    return result < 0 ? result : 0;
}

int model_resolve(struct model *model, const char *path, int follow, struct model_node **out)
{
    struct place place;
    int error = walk(model, path, follow ? FOLLOW_ALWAYS : FOLLOW_IF_SLASH, &place);
    if (error)
        return error;
    if (!place.node)
        return -ENOENT;
    if (place.slash && !is_dir(place.node))
        return -ENOTDIR;
    *out = place.node;
    return 0;
}

int model_path_make(struct model *model, const char *path, uint32_t mode, uint32_t major, uint32_t minor,
                    const char *target)
{
    struct place place;
    int error = walk(model, path, FOLLOW_NEVER, &place);
    if (error)
        return error;
    if (place.kind != KIND_NAME || place.node)
        return -EEXIST;
    if (place.slash && (mode & MEMFS_IFMT) != MEMFS_IFDIR)
        return -ENOENT;
    return model_make(model, place.dir, place.name, mode, major, minor, target, NULL);
}

int model_path_link(struct model *model, const char *from, const char *to)
{
    struct model_node *node;
    struct place place;
    int error = model_resolve(model, from, 0, &node);
    error = error ? error : walk(model, to, FOLLOW_NEVER, &place);
    if (error)
        return error;
    if (place.kind != KIND_NAME || place.node) {
        model->alternative = is_dir(node) ? -EPERM : 0;
        return -EEXIST;
    }
    if (place.slash) {
        model->alternative = is_dir(node) ? -EPERM : 0;
        return -ENOENT;
    }
    return model_link(model, node, place.dir, place.name);
}

int model_path_unlink(struct model *model, const char *path)
{
    struct place place;
    int error = walk(model, path, FOLLOW_NEVER, &place);
    if (error)
        return error;
    if (place.kind != KIND_NAME)
        return -EISDIR;
    if (place.slash)
        return !place.node ? -ENOENT : is_dir(place.node) ? -EISDIR : -ENOTDIR;
    return model_unlink(model, place.dir, place.name);
}

int model_path_rmdir(struct model *model, const char *path)
{
    struct place place;
    int error = walk(model, path, FOLLOW_NEVER, &place);
    if (error)
        return error;
    if (place.kind != KIND_NAME)
        return place.kind == KIND_ROOT ? -EBUSY : place.kind == KIND_DOT ? -EINVAL : -ENOTEMPTY;
    return model_rmdir(model, place.dir, place.name);
}

int model_path_rename(struct model *model, const char *from, const char *to, uint32_t flags)
{
    struct place source, target;
    int error = walk(model, from, FOLLOW_NEVER, &source);
    error = error ? error : walk(model, to, FOLLOW_NEVER, &target);
    if (error)
        return error;
    if (source.kind != KIND_NAME)
        return -EBUSY;
    if (target.kind != KIND_NAME)
        return flags & MEMFS_RENAME_NOREPLACE ? -EEXIST : -EBUSY;
    model->alternative = source.slash || target.slash ? -ENOTDIR : 0;
    if (!source.node)
        return -ENOENT;
    if (target.node && flags & MEMFS_RENAME_NOREPLACE)
        return -EEXIST;
    if (!target.node && flags & MEMFS_RENAME_EXCHANGE)
        return -ENOENT;
    if (flags & MEMFS_RENAME_EXCHANGE && target.slash && !is_dir(target.node))
        return -ENOTDIR;
    if (!is_dir(source.node) && (source.slash || (target.slash && !(flags & MEMFS_RENAME_EXCHANGE)))) {
        model->alternative = target.node && is_dir(target.node) ? -EISDIR : 0;
        return -ENOTDIR;
    }
    return model_rename(model, source.dir, source.name, target.dir, target.name, flags);
}

int model_path_truncate(struct model *model, const char *path, uint64_t size)
{
    struct model_node *node;
    int error = model_resolve(model, path, 1, &node);
    return error ? error : model_truncate(model, node, size);
}

static int open_there(struct model *model, struct model_node *node, uint32_t flags)
{
    uint32_t type = model_type(node);
    if (flags & MEMFS_O_CREATE && flags & MEMFS_O_EXCL)
        return -EEXIST;
    if (type == MEMFS_IFLNK)
        return flags & MEMFS_O_DIRECTORY ? -ENOTDIR : -ELOOP;
    if (type == MEMFS_IFDIR)
        return flags & (MEMFS_O_WRITE | MEMFS_O_CREATE) ? -EISDIR : 0;
    if (flags & MEMFS_O_DIRECTORY)
        return -ENOTDIR;
    if (type != MEMFS_IFREG)
        return 1;
    return flags & MEMFS_O_TRUNC ? model_truncate(model, node, 0) : 0;
}

int model_path_open(struct model *model, const char *path, uint32_t flags, uint32_t mode, struct model_node **out)
{
    struct place place;
    int create = (flags & MEMFS_O_CREATE) != 0;
    int nofollow = flags & MEMFS_O_NOFOLLOW || (create && flags & MEMFS_O_EXCL);
    enum follow follow = nofollow ? FOLLOW_IF_SLASH : FOLLOW_ALWAYS;
    if (create)
        follow = nofollow ? FOLLOW_NEVER : FOLLOW_UNLESS_SLASH;
    int error = walk(model, path, follow, &place);
    if (error)
        return error;
    if (create && place.kind == KIND_NAME && place.slash)
        return -EISDIR;
    if (!place.node && create)
        return model_make(model, place.dir, place.name, MEMFS_IFREG | (mode & 07777), 0, 0, NULL, out);
    if (!place.node)
        return -ENOENT;
    if (place.slash && !is_dir(place.node))
        return -ENOTDIR;
    *out = place.node;
    return open_there(model, place.node, flags);
}
