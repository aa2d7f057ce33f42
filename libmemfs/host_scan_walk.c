#define _GNU_SOURCE
#include "host_map.h"
#include "host_scan.h"
#include "host_scan_ahead.h"
#include "host_scan_names.h"
#include "host_scan_xattrs.h"
#include "retry.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

struct walk {
    struct memfs_scan *scan;
    struct memfs_scan_tables *tables;
    const struct memfs_scan_options *options;
    struct memfs_host_report report;
    struct memfs_scan_ahead ahead;
    struct memfs_scan_names names; /* of a directory that has not been listed ahead */
    void *buffer;                  /* for listing it */
    struct memfs_scan_xattrs xattrs;
    struct memfs_host_map links; /* files with more than one name, by device and inode: the node */
    struct memfs_progress progress;
    int no_xattrs;
    int made_up; /* whether sizes are, on the device that was asked last: */
    dev_t made_up_dev;
    int made_up_known;
};

/* What was found under a name. */
struct found {
    uint32_t directory;
    const char *name; /* in it; NULL: itself */
    size_t length;
    int fd;                             /* on the host, of the directory that has it, */
    const char *where;                  /* under this name */
    const struct memfs_scan_seen *seen; /* what is known of it already, or NULL */
    struct stat stat;
    struct memfs_node_record node;
};

static int tell(struct walk *walk)
{
    walk->progress.nodes = walk->tables->nodes.count - 1;
    if (walk->options->progress && walk->options->progress(walk->options->progress_context, &walk->progress))
        return -ECANCELED;
    return 0;
}

/* The attributes that all types have. Whether the time of modification had to be cut. */
static int take_stat(const struct walk *walk, const struct stat *stat, struct memfs_node_record *node)
{
    int cut = 0, ignored = 0;
    node->mode = stat->st_mode & MEMFS_MODE_BITS;
    node->uid = stat->st_uid;
    node->gid = stat->st_gid;
    node->mtime = memfs_scan_time(&stat->st_mtim, &cut);
    node->ctime = memfs_scan_time(&stat->st_ctim, &ignored);
    node->atime = memfs_scan_time(&stat->st_atim, &ignored);
    if (walk->options->has_mtime_max && node->mtime > walk->options->mtime_max) {
        node->mtime = walk->options->mtime_max;
        cut = 0;
    }
    return cut;
}

static int tell_cut(struct walk *walk, const struct found *found)
{
    return memfs_host_problem(&walk->report, MEMFS_PROBLEM_TIME, found->directory, found->name, -EOVERFLOW,
                              "its modification time is cut to the years 1677 to 2262");
}

/* What the caller makes of what take_stat() found; if he changes the time, it is not cut any more. */
static int ask_filter(struct walk *walk, const struct found *found, struct memfs_node_record *node, int *cut, int *take)
{
    const struct memfs_scan_options *options = walk->options;
    size_t size = 0;
    *take = 1;
    if (!options->filter)
        return 0;
    char *path = memfs_host_path(&walk->scan->tree, &walk->scan->allocator, found->directory, found->name, &size);
    if (!path)
        return memfs_host_fail(&walk->report, found->directory, found->name, -ENOMEM, "cannot be scanned");
    struct memfs_scan_found asked = {
        .path = path,
        .dev = (uint64_t)found->stat.st_dev,
        .ino = (uint64_t)found->stat.st_ino,
        .size = S_ISREG(node->mode) ? (uint64_t)found->stat.st_size : 0,
        .mode = node->mode,
        .uid = node->uid,
        .gid = node->gid,
        .mtime = node->mtime,
    };
    int answer = options->filter(options->filter_context, &asked);
    memfs_free(&walk->scan->allocator, path, size);
    if (answer != MEMFS_SCAN_TAKE && answer != MEMFS_SCAN_LEAVE_OUT)
        return memfs_host_fail(&walk->report, found->directory, found->name, -ECANCELED, "cannot be scanned");
    *take = answer == MEMFS_SCAN_TAKE;
    *cut = *cut && asked.mtime == node->mtime;
    node->mode = (node->mode & MEMFS_IFMT) | (asked.mode & ~MEMFS_IFMT & MEMFS_MODE_BITS);
    node->uid = asked.uid;
    node->gid = asked.gid;
    node->mtime = asked.mtime;
    return 0;
}

static int take_target(struct walk *walk, struct found *found)
{
    char target[MEMFS_TARGET_MAX + 1];
    ssize_t length = readlinkat(found->fd, found->where, target, sizeof target);
    if (length < 0)
        return -errno;
    if (!length || length > MEMFS_TARGET_MAX)
        return length ? -ENAMETOOLONG : -EINVAL;
    found->node.size = (uint64_t)length;
    return memfs_intern_string(&walk->xattrs.intern, target, (size_t)length, &found->node.target);
}

/* Better to know now that a file cannot be read than when it is wanted. A file
 * that all may read is not asked about. */
static int check_readable(const struct found *found)
{
    if (!found->stat.st_size || (found->stat.st_mode & 0444) == 0444)
        return 0;
    return faccessat(found->fd, found->where, R_OK, AT_EACCESS | AT_SYMLINK_NOFOLLOW) ? -errno : 0;
}

/* Filesystems through which the kernel talks: a file's size there has nothing to
 * do with what can be read from it, so that it would be packed empty or not at all. */
static int type_makes_up(unsigned long type)
{
    static const unsigned long types[] = {PROC_SUPER_MAGIC,    SYSFS_MAGIC,      DEBUGFS_MAGIC,
                                          TRACEFS_MAGIC,       SECURITYFS_MAGIC, CGROUP_SUPER_MAGIC,
                                          CGROUP2_SUPER_MAGIC, SELINUX_MAGIC,    BINFMTFS_MAGIC};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (types[i] == (type & 0xFFFFFFFF))
            return 1;
    return 0;
}

/* Is what failed with this error to be tried again? With the descriptors, if that was it, of what is read ahead. */
static int make_way(struct walk *walk, int error)
{
    return memfs_host_is_scarce(error) && memfs_scan_ahead_settle(&walk->ahead);
}

typedef int open_fn(int parent, const char *name);

/* Opens what was found, if need be with the descriptors that can be done without. */
static int open_found(struct walk *walk, const struct found *found, open_fn *open)
{
    int fd = open(found->fd, found->where);
    if (make_way(walk, fd))
        fd = open(found->fd, found->where);
    if (fd < 0 && memfs_host_trail_retry(&walk->scan->trail, fd))
        fd = open(found->fd, found->where);
    return fd;
}

static int open_itself(int parent, const char *name)
{
    int fd;
    MEMFS_RETRY(fd, openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
    return fd < 0 ? -errno : fd;
}

/* 1, 0, or an error: there is no descriptor to ask by. Asks once for files of one device that follow each other. */
static int is_made_up(struct walk *walk, const struct found *found)
{
    struct statfs statfs;
    if (walk->made_up_known && walk->made_up_dev == found->stat.st_dev)
        return walk->made_up;
    int failed = -1, fd = open_found(walk, found, open_itself);
    if (memfs_host_is_scarce(fd))
        return fd;
    if (fd >= 0)
        MEMFS_RETRY(failed, fstatfs(fd, &statfs));
    walk->made_up_known = !failed;
    walk->made_up = walk->made_up_known && type_makes_up((unsigned long)statfs.f_type);
    walk->made_up_dev = found->stat.st_dev;
    if (fd >= 0)
        close(fd);
    return walk->made_up;
}

/* What a type has of its own, except for files' extents: these are added when
 * nothing can go wrong with the file any more. */
static int take_own(struct walk *walk, struct found *found, const char **text)
{
    int result;
    switch (found->stat.st_mode & S_IFMT) {
    case S_IFREG:
        result = is_made_up(walk, found);
        if (result > 0)
            *text = "lies on a filesystem like /proc, where sizes are made up";
        if (result)
            return result > 0 ? -EOPNOTSUPP : result;
        found->node.size = (uint64_t)found->stat.st_size;
        return check_readable(found);
    case S_IFLNK:
        return take_target(walk, found);
    case S_IFCHR:
    case S_IFBLK:
        found->node.rdev.major = major(found->stat.st_rdev);
        found->node.rdev.minor = minor(found->stat.st_rdev);
        return 0;
    case S_IFDIR: /* whether it can be read must be known before it gets a number */
        result = open_found(walk, found, memfs_host_open_directory);
        if (result >= 0)
            close(result);
        return result < 0 ? result : 0;
    case S_IFIFO:
    case S_IFSOCK:
        return 0;
    default:
        return -EINVAL;
    }
}

static int take_xattrs(struct walk *walk, const struct found *found, const struct stat *stat, uint32_t *xattrs)
{
    *xattrs = 0;
    if (walk->no_xattrs || (found->seen && !found->seen->has_xattrs))
        return 0;
    int error = memfs_scan_xattrs_read(&walk->xattrs, found->fd, found->where, stat, xattrs);
    return error ? memfs_host_problem(&walk->report, MEMFS_PROBLEM_XATTR, found->directory, found->name, error,
                                      "its extended attributes cannot be read")
                 : 0;
}

static int add_content(struct walk *walk, const struct found *found, struct memfs_node_record *node)
{
    int ignored = 0;
    const struct stat *stat = &found->stat;
    struct memfs_scan_file file = {
        .dev = (uint64_t)stat->st_dev,
        .ino = (uint64_t)stat->st_ino,
        .mtime = memfs_scan_time(&stat->st_mtim, &ignored),
        .ctime = memfs_scan_time(&stat->st_ctim, &ignored),
        .directory = found->directory,
        .entry = (uint32_t)walk->tables->entries, /* the one that is added next */
        .dense = stat->st_blocks >= stat->st_size / 512 + (stat->st_size % 512 != 0),
    };
    node->extents.count = 1;
    walk->progress.bytes_total += node->size;
    return memfs_scan_add_file(walk->tables, &file, node->size, &node->extents.first);
}

/* Adds the node of a name that was found whole. */
static int add_node(struct walk *walk, struct found *found, uint32_t *number)
{
    struct memfs_node_record *node = &found->node;
    int error = 0;
    int directory = S_ISDIR(node->mode);
    node->nlink = directory ? 2 : 1;
    if (directory) {
        node->up.parent = found->directory;
        node->up.entry = (uint32_t)walk->tables->entries;
        memfs_scan_node(walk->tables, found->directory)->nlink++;
    } else if (S_ISREG(node->mode) && node->size) {
        error = add_content(walk, found, node);
    }
    if (!error)
        error = memfs_scan_add_node(walk->tables, node, number);
    if (!error && !directory && found->stat.st_nlink > 1)
        error = memfs_host_map_put(&walk->links, (uint64_t)found->stat.st_dev, (uint64_t)found->stat.st_ino, *number);
    return error ? error : tell(walk);
}

static int add_entry(struct walk *walk, const struct found *found, uint32_t number)
{
    struct memfs_node_record *directory = memfs_scan_node(walk->tables, found->directory);
    int first = !directory->run.count;
    if (first)
        directory->run.first = (uint32_t)walk->tables->entries;
    directory->run.count++;
    struct memfs_entry entry = {
        .node = number,
        .length = (uint8_t)found->length,
        .type = (uint8_t)(memfs_scan_node(walk->tables, number)->mode >> 12),
        .starts_run = (uint8_t)first,
    };
    return memfs_scan_add_entry(walk->tables, entry, found->name);
}

/* Errors of the tables end the scan; those of the file are the caller's to
 * judge, and are reported here. *take says whether the name is to be added. */
static int look_at(struct walk *walk, struct found *found, int *take)
{
    const char *text = "cannot be read";
    int error = 0;
    *take = 0;
    if (!memfs_name_ok(found->name, found->length)) {
        text = "is no name that can be stored";
        error = found->length > MEMFS_NAME_MAX ? -ENAMETOOLONG : -EINVAL;
    } else if (found->seen) {
        error = found->seen->error;
        found->stat = found->seen->stat;
    } else if (fstatat(found->fd, found->where, &found->stat, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT)) {
        error = -errno;
    }
    if (error)
        return memfs_host_problem(&walk->report, MEMFS_PROBLEM_FILE, found->directory, found->name, error, text);
    *take = 1;
    return 0;
}

/* Directories come again when they are opened, unless somebody has decided what they are to have. */
static int is_final(const struct walk *walk, const struct found *found)
{
    return !S_ISDIR(found->stat.st_mode) || walk->options->filter != NULL;
}

/* Where something else is mounted may stay unread; the root of several sources is no directory of the host. */
static int may_list_ahead(const struct walk *walk, const struct found *found)
{
    const struct memfs_host_trail *trail = &walk->scan->trail;
    if (found->directory == MEMFS_ROOT && walk->scan->sources.listed)
        return 0;
    return !walk->options->one_file_system || trail->levels[trail->depth].dev == (uint64_t)found->stat.st_dev;
}

/* A name that is to be taken, with the attributes that all types have in found->node. */
static int take_name(struct walk *walk, struct found *found, int cut)
{
    int linked = !S_ISDIR(found->stat.st_mode) && found->stat.st_nlink > 1;
    uint32_t number = 0;
    if (linked)
        number = (uint32_t)memfs_host_map_get(&walk->links, (uint64_t)found->stat.st_dev, (uint64_t)found->stat.st_ino);
    if (number) {
        memfs_scan_node(walk->tables, number)->nlink++;
        return add_entry(walk, found, number);
    }
    const char *text = "cannot be read";
    int error = take_own(walk, found, &text);
    if (error == MEMFS_ELIMIT)
        return memfs_host_fail(&walk->report, found->directory, found->name, error, "there are too many");
    if (error)
        return memfs_host_problem(&walk->report, MEMFS_PROBLEM_FILE, found->directory, found->name, error, text);
    if (cut && is_final(walk, found))
        error = tell_cut(walk, found);
    if (!error)
        error = take_xattrs(walk, found, &found->stat, &found->node.xattrs);
    if (error)
        return error;
    error = add_node(walk, found, &number);
    if (!error)
        error = add_entry(walk, found, number);
    if (error)
        return memfs_host_fail(&walk->report, found->directory, found->name, error, "cannot be scanned");
    if (S_ISDIR(found->stat.st_mode) && may_list_ahead(walk, found))
        memfs_scan_ahead_add(&walk->ahead, number, found->fd, found->name, found->length);
    return 0;
}

static int scan_name(struct walk *walk, struct found *found)
{
    int take = 0;
    int error = look_at(walk, found, &take);
    if (error || !take)
        return error;
    int cut = take_stat(walk, &found->stat, &found->node);
    error = ask_filter(walk, found, &found->node, &cut, &take);
    return error || !take ? error : take_name(walk, found, cut);
}

/* Attributes of a directory that has just been opened. */
static int take_own_stat(struct walk *walk, struct found *itself)
{
    struct memfs_node_record *node = memfs_scan_node(walk->tables, itself->directory);
    int root = itself->directory == MEMFS_ROOT, take = 0, error = 0;
    if (!root && walk->options->filter)
        return 0;
    int cut = take_stat(walk, &itself->stat, node);
    if (root)
        error = ask_filter(walk, itself, node, &cut, &take);
    return !error && cut ? tell_cut(walk, itself) : error;
}

/* Does the trail stand in another filesystem than one level higher? Sources may lie anywhere. */
static int is_mounted(const struct walk *walk)
{
    const struct memfs_host_trail *trail = &walk->scan->trail;
    const size_t top = walk->scan->sources.listed ? 1 : 0;
    return trail->depth > top && trail->levels[trail->depth].dev != trail->levels[trail->depth - 1].dev;
}

/* A directory that is being walked. */
struct listed {
    const struct memfs_scan_names *names;
    struct memfs_scan_listing *ahead; /* NULL: it has been listed only now */
};

static int go(struct walk *walk, uint32_t directory, struct stat *stat)
{
    struct memfs_host_trail *trail = &walk->scan->trail;
    int error = memfs_host_trail_go(trail, directory);
    if (make_way(walk, error))
        error = memfs_host_trail_go(trail, directory);
    return !error && fstat(memfs_host_trail_fd(trail), stat) ? -errno : error;
}

/* Opens a directory, takes its own attributes, and reads its names. */
static int open_directory(struct walk *walk, uint32_t directory, struct listed *out)
{
    struct found itself = {.directory = directory};
    walk->names.count = 0;
    int error = go(walk, directory, &itself.stat);
    *out = (struct listed){.names = &walk->names};
    out->ahead = memfs_scan_ahead_take(&walk->ahead, directory, &itself.stat);
    if (error)
        return memfs_host_problem(&walk->report, MEMFS_PROBLEM_NAMES, directory, NULL, error, "can be opened no more");
    error = take_own_stat(walk, &itself);
    if (error || (walk->options->one_file_system && is_mounted(walk)))
        return error;
    if (out->ahead)
        out->names = &out->ahead->names;
    else
        error = memfs_scan_names_read(&walk->names, memfs_host_trail_fd(&walk->scan->trail), walk->buffer, SIZE_MAX);
    return error ? memfs_host_problem(&walk->report, MEMFS_PROBLEM_NAMES, directory, NULL, error, "cannot be listed")
                 : 0;
}

static int scan_directory(struct walk *walk, uint32_t directory)
{
    struct listed listed;
    int error = open_directory(walk, directory, &listed);
    for (size_t i = 0; !error && i < listed.names->count; i++) {
        struct found found = {
            .directory = directory,
            .name = memfs_scan_names_text(listed.names, i),
            .length = listed.names->names[i].length,
            .fd = memfs_host_trail_fd(&walk->scan->trail),
            .seen = listed.ahead ? &listed.ahead->seen[i] : NULL,
        };
        found.where = found.name;
        error = scan_name(walk, &found);
    }
    memfs_scan_ahead_give(&walk->ahead, listed.ahead);
    return error;
}

/* ---- Several sources ----------------------------------------------------------- */

/* What the root, which is nowhere on the host, has from the sources in it. */
static void add_to_root(struct walk *walk, uint32_t entry)
{
    const char *name = NULL;
    struct memfs_node_record *root = memfs_scan_node(walk->tables, (uint32_t)MEMFS_ROOT);
    const struct memfs_node_record *node =
        memfs_scan_node(walk->tables, memfs_scan_entry(walk->tables, entry, &name)->node);
    if (!entry) {
        root->uid = node->uid;
        root->gid = node->gid;
    }
    if (!entry || node->mtime > root->mtime)
        root->mtime = root->ctime = root->atime = node->mtime;
}

static int scan_source(struct walk *walk, size_t number)
{
    struct memfs_scan_sources *sources = &walk->scan->sources;
    const int begin = memfs_host_trail_fd(&walk->scan->trail);
    const uint64_t entry = walk->tables->entries;
    struct found found = {
        .directory = (uint32_t)MEMFS_ROOT,
        .name = sources->places[number].name,
        .length = strlen(sources->places[number].name),
        .fd = memfs_scan_sources_enter(sources, number, begin),
        .where = sources->places[number].base,
    };
    if (found.fd < 0)
        return memfs_host_problem(&walk->report, MEMFS_PROBLEM_FILE, found.directory, found.name, found.fd,
                                  "cannot be read");
    int error = scan_name(walk, &found);
    memfs_scan_sources_leave(found.fd, begin);
    if (error || walk->tables->entries == entry)
        return error;
    const struct memfs_scan_place taken = sources->places[number]; /* places that are left out gather at the end */
    sources->places[number] = sources->places[entry];
    sources->places[entry] = taken;
    add_to_root(walk, (uint32_t)entry);
    return 0;
}

static int scan_sources(struct walk *walk)
{
    struct found root = {.directory = (uint32_t)MEMFS_ROOT};
    int error = 0, take = 0, cut = 0;
    for (size_t i = 0; !error && i < walk->scan->sources.count; i++)
        error = scan_source(walk, i);
    return error ? error : ask_filter(walk, &root, memfs_scan_node(walk->tables, (uint32_t)MEMFS_ROOT), &cut, &take);
}

/* The directory to be visited after this one, or 0: depth first, so the first
 * below it, else the next beside it or beside one above it. */
static uint32_t next_directory(const struct memfs_scan_tables *tables, uint32_t directory)
{
    const struct memfs_node_record *node = memfs_scan_node(tables, directory);
    uint32_t i = node->run.first;
    for (;;) {
        for (; i - node->run.first < node->run.count; i++) {
            const char *name = NULL;
            const struct memfs_entry *entry = memfs_scan_entry(tables, i, &name);
            if (entry->type == MEMFS_IFDIR >> 12)
                return entry->node;
        }
        if (directory == MEMFS_ROOT)
            return 0;
        i = node->up.entry + 1;
        directory = node->up.parent;
        node = memfs_scan_node(tables, directory);
    }
}

static int add_root(struct walk *walk)
{
    struct found root = {
        .directory = (uint32_t)MEMFS_ROOT, .fd = memfs_host_trail_fd(&walk->scan->trail), .where = "."};
    struct memfs_node_record node = {.mode = MEMFS_IFDIR | 0755, .nlink = 2};
    uint32_t number = 0;
    if (fstat(root.fd, &root.stat))
        return memfs_host_fail(&walk->report, root.directory, NULL, -errno, "cannot be read");
    int error = memfs_scan_add_node(walk->tables, &node, &number);
    if (error)
        return memfs_host_fail(&walk->report, root.directory, NULL, error, "cannot be scanned");
    if (!walk->no_xattrs && access("/proc/self/fd", X_OK)) {
        walk->no_xattrs = 1;
        error = memfs_host_problem(&walk->report, MEMFS_PROBLEM_XATTR, root.directory, NULL, -ENOSYS,
                                   "extended attributes cannot be read without /proc");
    }
    if (!error && !walk->scan->sources.listed)
        error = take_xattrs(walk, &root, &root.stat, &memfs_scan_node(walk->tables, number)->xattrs);
    return error ? error : tell(walk);
}

int memfs_scan_walk(struct memfs_scan *scan, const struct memfs_scan_options *options, struct memfs_detail *detail)
{
    struct walk walk = {
        .scan = scan,
        .tables = &scan->tables,
        .options = options,
        .no_xattrs = options->no_xattrs,
        .report = {&scan->tree, &scan->allocator, options->problem, options->problem_context, detail},
    };
    memfs_host_map_init(&walk.links, &scan->allocator);
    memfs_scan_names_init(&walk.names, &scan->allocator);
    walk.buffer = memfs_alloc(&scan->allocator, MEMFS_SCAN_NAMES_BUFFER);
    int error = memfs_scan_xattrs_init(&walk.xattrs, &scan->tables);
    if (!error && !walk.buffer)
        error = -ENOMEM;
    if (error)
        memfs_host_fail(&walk.report, (uint32_t)MEMFS_ROOT, NULL, error, "cannot be scanned");
    else
        error = add_root(&walk);
    if (!error)
        memfs_scan_ahead_begin(&walk.ahead, &scan->allocator, options->threads, walk.no_xattrs ? NULL : &walk.xattrs);
    for (uint32_t directory = (uint32_t)MEMFS_ROOT; !error && directory;
         directory = next_directory(&scan->tables, directory)) {
        int listed = directory == MEMFS_ROOT && scan->sources.listed;
        error = listed ? scan_sources(&walk) : scan_directory(&walk, directory);
        if (!error)
            memfs_scan_ahead_submit(&walk.ahead);
    }
    memfs_scan_ahead_end(&walk.ahead);
    memfs_free(&scan->allocator, walk.buffer, MEMFS_SCAN_NAMES_BUFFER);
    memfs_scan_names_free(&walk.names);
    memfs_scan_xattrs_free(&walk.xattrs);
    memfs_host_map_free(&walk.links);
    return error;
}
