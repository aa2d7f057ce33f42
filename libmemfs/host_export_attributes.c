#define _GNU_SOURCE
#include "acl.h"
#include "host_export.h"
#include "xattr_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SECOND 1000000000

/* A path by which the kernel finds what a descriptor holds, and nothing else:
 * for calls that descriptors with O_PATH do not have. */
struct held_path {
    char text[32];
};

static struct held_path path_of(int fd)
{
    struct held_path path;
    snprintf(path.text, sizeof path.text, "/proc/self/fd/%d", fd);
    return path;
}

static int problem(struct memfs_export_worker *worker, enum memfs_problem_kind kind,
                   const struct memfs_export_made *made, const char *text)
{
    return memfs_export_problem(worker, kind, made->directory, made->name, -errno, text);
}

static int leave_owner(struct memfs_export_worker *worker, const struct memfs_export_made *made,
                       const struct memfs_stat *stat)
{
    struct memfs_export *job = worker->job;
    int *told = worker->told ? &worker->told->owner_told : &job->owner_told;
    if (*told || (stat->uid == job->self_uid && stat->gid == job->self_gid))
        return 0;
    *told = 1;
    return memfs_export_left_out(worker, MEMFS_PROBLEM_OWNER, made->directory, made->name,
                                 "owners are left out, here and everywhere, unless asked for");
}

static int set_owner(struct memfs_export_worker *worker, const struct memfs_export_made *made,
                     const struct memfs_stat *stat)
{
    if (!worker->job->options.owner)
        return leave_owner(worker, made, stat);
    if (made->is_owned)
        return 0;
    errno = EINVAL; /* the host takes the highest number for no number */
    if (stat->uid != UINT32_MAX && stat->gid != UINT32_MAX &&
        !fchownat(made->fd, "", stat->uid, stat->gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
        return 0;
    return problem(worker, MEMFS_PROBLEM_OWNER, made, "its owner cannot be set");
}

/* Without its ACL a file's group is not to get what the ACL gave to others. */
static void leave_acl(struct memfs_export_worker *worker, struct memfs_export_made *made,
                      const struct memfs_xattr_walk *walk)
{
    int empty = 0;
    if (strcmp(walk->name, XATTR_ACL_ACCESS) != 0)
        return;
    int64_t length = memfs_xattr_walk_value(walk, worker->value);
    if (length < 0 || acl_check(worker->value, (size_t)length, &empty))
        made->withheld |= 070; /* who knows what it said */
    else if (!empty)
        made->withheld |= 0777 & ~acl_leave(worker->value, (size_t)length, 0777);
}

static int leave_xattr(struct memfs_export_worker *worker, struct memfs_export_made *made,
                       const struct memfs_xattr_walk *walk)
{
    char text[128];
    leave_acl(worker, made, walk);
    snprintf(text, sizeof text, "attribute %.80s is left out unless asked for", walk->name);
    return memfs_export_left_out(worker, MEMFS_PROBLEM_XATTR, made->directory, made->name, text);
}

static int put_xattr(struct memfs_export_made *made, const char *name, const void *value, size_t length)
{
    made->mode = -1; /* an ACL changes it */
    int failed = made->is_path ? setxattr(path_of(made->fd).text, name, value, length, 0)
                               : fsetxattr(made->fd, name, value, length, 0);
    return failed ? -errno : 0;
}

static int set_xattr(struct memfs_export_worker *worker, struct memfs_export_made *made,
                     const struct memfs_xattr_walk *walk)
{
    char text[128];
    if (xattr_is_privileged(walk->name, walk->name_length) && !worker->job->options.privileged_xattrs)
        return leave_xattr(worker, made, walk);
    snprintf(text, sizeof text, "its attribute %.80s cannot be set", walk->name);
    int64_t length = memfs_xattr_walk_value(walk, worker->value);
    int error = length < 0 ? (int)length : put_xattr(made, walk->name, worker->value, (size_t)length);
    if (!error)
        return 0;
    leave_acl(worker, made, walk);
    return memfs_export_problem(worker, MEMFS_PROBLEM_XATTR, made->directory, made->name, error, text);
}

static const char *const acls[] = {XATTR_ACL_ACCESS, XATTR_ACL_DEFAULT};

/* The host gives what is made the ACLs that the directory above has for it. has: bit i: acls[i] is one of its own. */
static int remove_inherited(struct memfs_export_worker *worker, struct memfs_export_made *made, unsigned has)
{
    struct memfs_export *job = worker->job;
    if (!job->inherits || (!made->directory && !made->name && !job->made_root))
        return 0; /* there are none, or it was there, with its own */
    for (size_t i = 0; i < 2; i++) {
        if (has >> i & 1)
            continue;
        made->mode = -1;
        int failed = made->is_path ? removexattr(path_of(made->fd).text, acls[i]) : fremovexattr(made->fd, acls[i]);
        if (failed && errno != ENODATA && errno != EOPNOTSUPP) {
            int error = problem(worker, MEMFS_PROBLEM_XATTR, made, "an ACL it inherited cannot be removed");
            if (error)
                return error;
        }
    }
    return 0;
}

static int set_xattrs(struct memfs_export_worker *worker, struct memfs_export_made *made, const struct memfs_stat *stat)
{
    struct memfs_xattr_walk walk;
    unsigned has = 0;
    int error = 0, more;
    memfs_xattr_walk_begin(&walk, worker->job->fs, stat->node);
    while (!error && (more = memfs_xattr_walk_next(&walk)) != 0) {
        if (more < 0) {
            made->withheld |= 070; /* there may be an ACL */
            return memfs_export_problem(worker, MEMFS_PROBLEM_XATTR, made->directory, made->name, more,
                                        "its extended attributes cannot be read");
        }
        for (size_t i = 0; i < 2; i++)
            has |= (unsigned)!strcmp(walk.name, acls[i]) << i;
        error = set_xattr(worker, made, &walk);
    }
    if (!error && worker->job->options.privileged_xattrs && (stat->mode & MEMFS_IFMT) != MEMFS_IFLNK)
        error = remove_inherited(worker, made, has);
    return error;
}

mode_t memfs_export_mode(const struct memfs_export *job, const struct memfs_stat *stat)
{
    mode_t mode = stat->mode & 07777 & ~(mode_t)job->options.mode_mask;
    return job->options.setuid ? mode : mode & 01777;
}

/* Nobody becomes by a file who the image does not say. */
static int withhold_setuid(struct memfs_export_worker *worker, struct memfs_export_made *made,
                           const struct memfs_stat *stat)
{
    const struct memfs_export *job = worker->job;
    const char *text = "setuid and setgid are left out unless asked for";
    const mode_t wanted = stat->mode & 06000 & ~(mode_t)job->options.mode_mask;
    struct stat now;
    if (wanted && job->options.setuid) {
        text = "setuid and setgid are left out where owner or group are not those of the image";
        const int unknown = fstat(made->fd, &now);
        if (unknown || now.st_uid != stat->uid)
            made->withheld |= 04000;
        if (unknown || now.st_gid != stat->gid)
            made->withheld |= 02000;
        if (!(wanted & made->withheld))
            return 0;
    }
    return wanted ? memfs_export_left_out(worker, MEMFS_PROBLEM_SETUID, made->directory, made->name, text) : 0;
}

static int set_mode(struct memfs_export_worker *worker, struct memfs_export_made *made, const struct memfs_stat *stat)
{
    if ((stat->mode & MEMFS_IFMT) == MEMFS_IFLNK)
        return 0;
    int error = withhold_setuid(worker, made, stat);
    if (error)
        return error;
    const mode_t mode = memfs_export_mode(worker->job, stat) & ~made->withheld;
    if (made->mode == (int)mode)
        return 0;
    int failed = made->is_path ? chmod(path_of(made->fd).text, mode) : fchmod(made->fd, mode);
    return failed ? problem(worker, MEMFS_PROBLEM_MODE, made, "its mode cannot be set") : 0;
}

static int set_time(struct memfs_export_worker *worker, const struct memfs_export_made *made,
                    const struct memfs_stat *stat)
{
    int64_t second = stat->mtime / SECOND - (stat->mtime % SECOND < 0);
    int64_t rest = stat->mtime % SECOND;
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {second, (long)(rest < 0 ? rest + SECOND : rest)}};
    int failed = made->is_path ? utimensat(made->fd, "", times, AT_EMPTY_PATH) : futimens(made->fd, times);
    if (failed && made->is_path && errno == EINVAL) /* kernels before 5.8 */
        failed = utimensat(AT_FDCWD, path_of(made->fd).text, times, 0);
    return failed ? problem(worker, MEMFS_PROBLEM_TIME, made, "its modification time cannot be set") : 0;
}

/* A new owner ends setuid, attributes want write permission, ACLs change the
 * mode, and all of these change times: hence this order. */
int memfs_export_attributes(struct memfs_export_worker *worker, struct memfs_export_made *made,
                            const struct memfs_stat *stat)
{
    int error = set_owner(worker, made, stat);
    if (!error)
        error = set_xattrs(worker, made, stat);
    if (!error)
        error = set_mode(worker, made, stat);
    return error ? error : set_time(worker, made, stat);
}
