#define _GNU_SOURCE
#include "host_export.h"
#include "retry.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Opens the directory above the destination, and takes its last name. */
static int open_above(struct memfs_export *job, const char *path)
{
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/')
        end--;
    size_t start = end;
    while (start && path[start - 1] != '/')
        start--;
    if (!end || end - start > MEMFS_NAME_MAX)
        return end ? -ENAMETOOLONG : -ENOENT;
    memcpy(job->base, path + start, end - start);
    job->base[end - start] = '\0';
    if (start == end) /* "/" */
        strcpy(job->base, ".");
    char *above = memfs_alloc(&job->allocator, start + 2);
    if (!above)
        return -ENOMEM;
    memcpy(above, start ? path : ".", start ? start : 1);
    above[start ? start : 1] = '\0';
    MEMFS_RETRY(job->above, open(above, O_PATH | O_DIRECTORY | O_CLOEXEC));
    int error = job->above < 0 ? -errno : 0;
    memfs_free(&job->allocator, above, start + 2);
    return error;
}

static int open_base(struct memfs_export *job)
{
    struct stat stat;
    if (!job->options.plan_only) {
        job->made_root = !mkdirat(job->above, job->base, 0700);
        if (!job->made_root && errno != EEXIST)
            return -errno;
        job->made_root = job->made_root || job->options.made_root;
    }
    int fd;
    MEMFS_RETRY(fd, openat(job->above, job->base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (fd < 0)
        fd = -errno;
    if (fd < 0 && job->made_root && !unlinkat(job->above, job->base, AT_REMOVEDIR))
        job->made_root = 0;
    if (fd == -ENOTDIR && !fstatat(job->above, job->base, &stat, AT_SYMLINK_NOFOLLOW) && S_ISLNK(stat.st_mode))
        return -ELOOP;
    return fd;
}

/* What it is that failed, and what to do about it. */
static const char *explain(const struct memfs_export *job, const char *path, int error)
{
    if (!*path)
        return "names nothing; give a directory";
    if (error == -ENOENT && job->above < 0)
        return "cannot be made; make its parent directory first";
    if (error == -ENOTDIR)
        return job->above < 0 ? "cannot be made; give a name in a directory"
                              : "is there already; give an empty or a new directory";
    if (error == -ELOOP)
        return "is a symbolic link; give the directory itself";
    return job->made_root ? "was made, but cannot be written to" : "cannot be made or opened";
}

#define GROUPS_ASKED 256 /* who is in more is not known to be in any but the first */

static int is_member(gid_t group)
{
    gid_t groups[GROUPS_ASKED];
    const int count = getgroups(GROUPS_ASKED, groups);
    if (group == getegid())
        return 1;
    for (int i = 0; i < count; i++)
        if (groups[i] == group)
            return 1;
    return 0;
}

/* What is made gets its final modes before all is there: until then others
 * have no way in. Where that is not ours to say, it stays as it is; so does
 * what would lose setgid for good. */
static void close_to_others(struct memfs_export *job, int fd, const struct stat *found)
{
    struct stat stat;
    mode_t mode = job->root_mode & ~(mode_t)0077;
    int loses = (job->root_mode & S_ISGID) && geteuid() != 0 && !is_member(found->st_gid);
    if (mode == job->root_mode || loses || fchmod(fd, mode))
        return;
    job->root_closed = 1;
    if (!fstat(fd, &stat))
        job->spare_mode = stat.st_mode & 0077; /* a host without modes */
}

static int reopen_to_others(const struct memfs_export *job, int fd)
{
    return job->root_closed && fchmod(fd, job->root_mode) ? -errno : 0;
}

/* May it have an ACL that what is made in it gets? */
static int has_default_acl(int fd)
{
    return fgetxattr(fd, "system.posix_acl_default", NULL, 0) >= 0 || (errno != ENODATA && errno != EOPNOTSUPP);
}

static int check_base(struct memfs_export *job, int fd, const char **text)
{
    struct stat stat;
    if (fstat(fd, &stat))
        return -errno;
    job->dev = (uint64_t)stat.st_dev;
    job->root_mode = stat.st_mode & 07777;
    job->uid = job->made_root ? stat.st_uid : geteuid();
    job->inherits = has_default_acl(fd);
    memfs_export_dir(job, 0)->ino = stat.st_ino;
    memfs_export_dir(job, 0)->state = MEMFS_EXPORT_MADE;
    if (!job->made_root && job->options.into)
        return 0;
    int any = memfs_export_any(job, fd);
    if (any > 0 && job->made_root) {
        *text = "was exchanged while it was made";
        return -ESTALE;
    }
    if (any > 0)
        *text = "has things in it; give an empty or a new directory, or allow it";
    if (any || job->options.plan_only)
        return any > 0 ? -ENOTEMPTY : any;
    if (job->made_root)
        job->spare_mode = stat.st_mode & 0077;
    else
        close_to_others(job, fd, &stat);
    job->closed = stat.st_uid == job->uid && (job->made_root || job->root_closed || !(job->root_mode & 0077));
    return 0;
}

/* Both trails begin at the destination, and need no more memory later, so that
 * what was made can be removed when there is none. */
static int begin_trails(struct memfs_export *job, int fd, const char **text)
{
    struct memfs_host_trail *trail = &job->workers[0].trail;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    int error = copy < 0 ? -errno : memfs_host_trail_begin(&job->link_trail, &job->allocator, &job->tree, copy);
    if (error && copy >= 0)
        close(copy);
    if (!error)
        error = memfs_host_trail_begin(trail, &job->allocator, &job->tree, fd);
    if (error) {
        if (reopen_to_others(job, fd))
            *text = "cannot be opened, and its mode cannot be restored";
        close(fd);
        return error;
    }
    error = memfs_host_trail_reserve(trail, job->depth + 1);
    return error || !job->any_links ? error : memfs_host_trail_reserve(&job->link_trail, job->depth + 1);
}

int memfs_export_open(struct memfs_export *job, const char *path)
{
    const char *text = NULL;
    int error = open_above(job, path);
    int fd = error ? error : open_base(job);
    if (!error && fd == -ENOENT && job->options.plan_only)
        return 0; /* it would be made */
    if (fd >= 0) {
        error = check_base(job, fd, &text);
        if (error)
            close(fd);
        else
            error = begin_trails(job, fd, &text);
    }
    if (fd < 0)
        error = fd;
    return error ? memfs_host_fail_path(job->report.detail, path, error, text ? text : explain(job, path, error)) : 0;
}
