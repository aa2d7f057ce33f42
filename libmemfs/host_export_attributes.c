#define _GNU_SOURCE
#include "host_export.h"

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

static int problem(struct memfs_export *job, enum memfs_problem_kind kind, const struct memfs_export_made *made,
                   const char *text)
{
    return memfs_host_problem(&job->report, kind, made->directory, made->name, -errno, text);
}

static int set_owner(struct memfs_export *job, const struct memfs_export_made *made, const struct memfs_stat *stat)
{
    if (!job->options.owner) {
        if (job->owner_told || (stat->uid == geteuid() && stat->gid == getegid()))
            return 0;
        job->owner_told = 1;
        return memfs_host_left_out(&job->report, MEMFS_PROBLEM_OWNER, made->directory, made->name,
                                   "owners are left out, here and everywhere, unless asked for");
    }
    errno = EINVAL; /* the host takes the highest number for no number */
    if (stat->uid != UINT32_MAX && stat->gid != UINT32_MAX &&
        !fchownat(made->fd, "", stat->uid, stat->gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
        return 0;
    return problem(job, MEMFS_PROBLEM_OWNER, made, "its owner cannot be set");
}

static int is_privileged(const char *name)
{
    return !strncmp(name, "security.", 9) || !strncmp(name, "trusted.", 8) || !strncmp(name, "system.", 7);
}

static int set_xattr(struct memfs_export *job, const struct memfs_export_made *made, memfs_node node, const char *name)
{
    char text[128];
    if (is_privileged(name) && !job->options.privileged_xattrs) {
        snprintf(text, sizeof text, "attribute %.80s is left out unless asked for", name);
        return memfs_host_left_out(&job->report, MEMFS_PROBLEM_XATTR, made->directory, made->name, text);
    }
    snprintf(text, sizeof text, "its attribute %.80s cannot be set", name);
    int64_t length = memfs_node_getxattr(job->fs, NULL, node, name, job->value, MEMFS_XATTR_MAX);
    if (length < 0)
        return memfs_host_problem(&job->report, MEMFS_PROBLEM_XATTR, made->directory, made->name, (int)length, text);
    int failed = made->is_path ? setxattr(path_of(made->fd).text, name, job->value, (size_t)length, 0)
                               : fsetxattr(made->fd, name, job->value, (size_t)length, 0);
    return failed ? problem(job, MEMFS_PROBLEM_XATTR, made, text) : 0;
}

static int has_xattr(const struct memfs_export *job, int64_t length, const char *wanted)
{
    for (const char *name = job->list; name < job->list + length; name += strlen(name) + 1)
        if (!strcmp(name, wanted))
            return 1;
    return 0;
}

/* The host gives what is made the ACLs that the directory above has for it. */
static int remove_inherited(struct memfs_export *job, const struct memfs_export_made *made, int64_t length)
{
    static const char *const names[] = {"system.posix_acl_access", "system.posix_acl_default"};
    if (!made->directory && !made->name && !job->made_root)
        return 0; /* it was there, with its own */
    for (size_t i = 0; i < 2; i++) {
        if (has_xattr(job, length, names[i]))
            continue;
        int failed = made->is_path ? removexattr(path_of(made->fd).text, names[i]) : fremovexattr(made->fd, names[i]);
        if (failed && errno != ENODATA && errno != EOPNOTSUPP) {
            int error = problem(job, MEMFS_PROBLEM_XATTR, made, "an ACL it inherited cannot be removed");
            if (error)
                return error;
        }
    }
    return 0;
}

static int set_xattrs(struct memfs_export *job, const struct memfs_export_made *made, const struct memfs_stat *stat)
{
    memfs_node node = stat->node;
    int64_t length = memfs_node_listxattr(job->fs, NULL, node, job->list, MEMFS_XATTR_LIST_MAX);
    int error = 0;
    if (length < 0)
        return memfs_host_problem(&job->report, MEMFS_PROBLEM_XATTR, made->directory, made->name, (int)length,
                                  "its extended attributes cannot be read");
    for (const char *name = job->list; !error && name < job->list + length; name += strlen(name) + 1)
        error = set_xattr(job, made, node, name);
    if (!error && job->options.privileged_xattrs && (stat->mode & MEMFS_IFMT) != MEMFS_IFLNK)
        error = remove_inherited(job, made, length);
    return error;
}

static int set_mode(struct memfs_export *job, const struct memfs_export_made *made, const struct memfs_stat *stat)
{
    mode_t mode = stat->mode & 07777 & ~(mode_t)job->options.mode_mask;
    if ((stat->mode & MEMFS_IFMT) == MEMFS_IFLNK)
        return 0;
    if (mode & 06000 && !job->options.setuid) {
        int error = memfs_host_left_out(&job->report, MEMFS_PROBLEM_SETUID, made->directory, made->name,
                                        "setuid and setgid are left out unless asked for");
        if (error)
            return error;
        mode &= 01777;
    }
    int failed = made->is_path ? chmod(path_of(made->fd).text, mode) : fchmod(made->fd, mode);
    return failed ? problem(job, MEMFS_PROBLEM_MODE, made, "its mode cannot be set") : 0;
}

static int set_time(struct memfs_export *job, const struct memfs_export_made *made, const struct memfs_stat *stat)
{
    int64_t second = stat->mtime / SECOND - (stat->mtime % SECOND < 0);
    int64_t rest = stat->mtime % SECOND;
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {second, (long)(rest < 0 ? rest + SECOND : rest)}};
    int failed = made->is_path ? utimensat(made->fd, "", times, AT_EMPTY_PATH) : futimens(made->fd, times);
    if (failed && made->is_path && errno == EINVAL) /* kernels before 5.8 */
        failed = utimensat(AT_FDCWD, path_of(made->fd).text, times, 0);
    return failed ? problem(job, MEMFS_PROBLEM_TIME, made, "its modification time cannot be set") : 0;
}

/* A new owner ends setuid, attributes want write permission, ACLs change the
 * mode, and all of these change times: hence this order. */
int memfs_export_attributes(struct memfs_export *job, const struct memfs_export_made *made,
                            const struct memfs_stat *stat)
{
    int error = set_owner(job, made, stat);
    if (!error)
        error = set_xattrs(job, made, stat);
    if (!error)
        error = set_mode(job, made, stat);
    return error ? error : set_time(job, made, stat);
}
