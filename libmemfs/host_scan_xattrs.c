#define _GNU_SOURCE
#include "host_scan_xattrs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#define FIRST_TRY 1024u /* the kernel takes memory for what is offered: offer little first */

/* Since Linux 6.13 names below a descriptor can be asked without a path through /proc,
 * which takes several times as long. */
#ifndef SYS_listxattrat
#define SYS_listxattrat 465
#endif

int memfs_scan_xattrs_init(struct memfs_scan_xattrs *xattrs, struct memfs_scan_tables *tables)
{
    *xattrs = (struct memfs_scan_xattrs){.tables = tables};
    memfs_intern_begin(&xattrs->intern, &tables->blobs, &tables->xattrs);
    xattrs->list = memfs_alloc(&tables->allocator, MEMFS_XATTR_LIST_MAX);
    xattrs->value = memfs_alloc(&tables->allocator, MEMFS_XATTR_MAX);
    return xattrs->list && xattrs->value ? 0 : -ENOMEM;
}

void memfs_scan_xattrs_free(struct memfs_scan_xattrs *xattrs)
{
    if (!xattrs->tables)
        return;
    const struct memfs_allocator *allocator = &xattrs->tables->allocator;
    memfs_intern_end(&xattrs->intern);
    memfs_free(allocator, xattrs->list, MEMFS_XATTR_LIST_MAX);
    memfs_free(allocator, xattrs->value, MEMFS_XATTR_MAX);
    memfs_free(allocator, xattrs->set, xattrs->set_room * sizeof *xattrs->set);
    memfs_free(allocator, xattrs->names, xattrs->names_room * sizeof *xattrs->names);
}

/* A file's path by way of its directory's descriptor. */
#define PATH_ROOM (32 + MEMFS_NAME_MAX)

static void make_path(char path[PATH_ROOM], int directory, const char *name)
{
    snprintf(path, PATH_ROOM, "/proc/self/fd/%d/%s", directory, name);
}

static ssize_t list_by_path(int directory, const char *name, char *list, size_t size)
{
    char path[PATH_ROOM];
    make_path(path, directory, name);
    ssize_t got = llistxattr(path, list, size);
    return got < 0 && errno == ERANGE && size ? llistxattr(path, list, MEMFS_XATTR_LIST_MAX) : got;
}

/* size 0: how long the list is. */
static ssize_t list_names(struct memfs_scan_xattrs *xattrs, int directory, const char *name, char *list, size_t size)
{
    if (!atomic_load_explicit(&xattrs->by_path, memory_order_relaxed)) {
        long got = syscall(SYS_listxattrat, directory, name, AT_SYMLINK_NOFOLLOW, list, size);
        if (got >= 0 || (errno != ENOSYS && errno != EPERM && errno != ERANGE)) /* EPERM: a filter of system calls */
            return got;
        if (errno != ERANGE)
            atomic_store_explicit(&xattrs->by_path, 1, memory_order_relaxed);
    }
    return list_by_path(directory, name, list, size);
}

/* Where a regular file or a directory knows no attributes, nothing on its device does. */
static int speaks_for_device(const struct stat *stat)
{
    return S_ISREG(stat->st_mode) || S_ISDIR(stat->st_mode);
}

enum memfs_scan_has memfs_scan_xattrs_ask(struct memfs_scan_xattrs *xattrs, int directory, const char *name,
                                          const struct stat *stat)
{
    const ssize_t length = list_names(xattrs, directory, name, NULL, 0);
    if (length < 0 && errno == ENOTSUP)
        return speaks_for_device(stat) ? MEMFS_SCAN_HAS_MUTE : MEMFS_SCAN_HAS_NONE;
    return length == 0 || (length < 0 && errno == ENODATA) ? MEMFS_SCAN_HAS_NONE : MEMFS_SCAN_HAS_ANY;
}

static ssize_t get_value(const char *path, const char *name, char *value)
{
    ssize_t got = lgetxattr(path, name, value, FIRST_TRY);
    return got < 0 && errno == ERANGE ? lgetxattr(path, name, value, MEMFS_XATTR_MAX) : got;
}

/* Points xattrs->names into the list, sorted. */
static int sort_names(struct memfs_scan_xattrs *xattrs, size_t length, size_t *count)
{
    *count = 0;
    for (size_t at = 0; at < length; at += strlen(xattrs->list + at) + 1) {
        void *array = xattrs->names;
        int error = memfs_grow_array(&xattrs->tables->allocator, &array, &xattrs->names_room, *count, *count + 1,
                                     sizeof *xattrs->names);
        xattrs->names = array;
        if (error)
            return error;
        size_t i = (*count)++;
        for (; i && strcmp(xattrs->names[i - 1], xattrs->list + at) > 0; i--)
            xattrs->names[i] = xattrs->names[i - 1];
        xattrs->names[i] = xattrs->list + at;
    }
    return 0;
}

/* Reads one attribute into the set, unless it is gone by now. */
static int read_one(struct memfs_scan_xattrs *xattrs, const char *path, const char *name, size_t *count)
{
    ssize_t got = get_value(path, name, xattrs->value);
    if (got < 0)
        return errno == ENODATA || errno == ENOTSUP ? 0 : -errno;
    struct memfs_xattr record = {.value_length = (uint32_t)got};
    size_t length = strlen(name);
    if (!length || length > MEMFS_NAME_MAX)
        return -EINVAL;
    record.name_length = (uint8_t)length;
    int error = memfs_intern_string(&xattrs->intern, name, length, &record.name);
    if (!error && got)
        error = memfs_intern_string(&xattrs->intern, xattrs->value, (size_t)got, &record.value);
    void *array = xattrs->set;
    if (!error)
        error = memfs_grow_array(&xattrs->tables->allocator, &array, &xattrs->set_room, *count, *count + 1,
                                 sizeof *xattrs->set);
    xattrs->set = array;
    if (!error)
        xattrs->set[(*count)++] = record;
    return error;
}

int memfs_scan_xattrs_read(struct memfs_scan_xattrs *xattrs, int directory, const char *name, const struct stat *stat,
                           uint32_t *out)
{
    char path[PATH_ROOM];
    *out = 0;
    if (xattrs->mute && xattrs->mute_dev == stat->st_dev)
        return 0;
    ssize_t length = list_names(xattrs, directory, name, xattrs->list, FIRST_TRY);
    if (length < 0 && errno == ENOTSUP) {
        xattrs->mute = speaks_for_device(stat);
        xattrs->mute_dev = stat->st_dev;
        return 0;
    }
    if (length < 0)
        return errno == ENODATA ? 0 : -errno;
    if (!length)
        return 0;
    size_t names = 0, count = 0;
    make_path(path, directory, name);
    int error = sort_names(xattrs, (size_t)length, &names);
    for (size_t i = 0; !error && i < names; i++)
        error = read_one(xattrs, path, xattrs->names[i], &count);
    return error || !count ? error : memfs_intern_set(&xattrs->intern, xattrs->set, count, out);
}
