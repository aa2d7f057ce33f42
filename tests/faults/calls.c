#define _GNU_SOURCE
#include "calls.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#ifndef SYS_setxattrat
#define SYS_setxattrat 463
#define SYS_getxattrat 464
#define SYS_listxattrat 465
#endif

#define OPENS                                                                                                          \
    {                                                                                                                  \
        EACCES, EPERM, EIO, EMFILE, ENFILE, ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, ENOMEM, ENOSPC, EDQUOT, EROFS,       \
            EEXIST, EXDEV                                                                                              \
    }
#define LOOKS_UP                                                                                                       \
    {                                                                                                                  \
        EACCES, EIO, ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, ENOMEM, EOVERFLOW, ESTALE                                   \
    }
#define WRITES                                                                                                         \
    {                                                                                                                  \
        EIO, ENOSPC, EDQUOT, EFBIG, EPERM, EPIPE                                                                       \
    }
#define MAKES                                                                                                          \
    {                                                                                                                  \
        EACCES, EPERM, EIO, ENOSPC, EDQUOT, EROFS, EMLINK, ENAMETOOLONG, ENOENT, ENOMEM, EEXIST                        \
    }
#define RENAMES                                                                                                        \
    {                                                                                                                  \
        EACCES, EPERM, EIO, ENOSPC, EDQUOT, EROFS, EXDEV, EBUSY, ENOENT, EEXIST, EISDIR, EINVAL, ENOSYS                \
    }
#define SETS                                                                                                           \
    {                                                                                                                  \
        EACCES, EPERM, EIO, EROFS, ENOENT, ENOMEM                                                                      \
    }
#define SYNCS                                                                                                          \
    {                                                                                                                  \
        EIO, ENOSPC, EDQUOT, EROFS                                                                                     \
    }
#define READS_XATTRS                                                                                                   \
    {                                                                                                                  \
        EIO, EACCES, ERANGE, ENOSYS /* ENOTSUP and ENODATA say that there are none, and are believed */                \
    }
#define SETS_XATTRS                                                                                                    \
    {                                                                                                                  \
        EIO, EACCES, EPERM, ENOSPC, EDQUOT, ENOTSUP, ERANGE, E2BIG, EROFS                                              \
    }
#define STARTS                                                                                                         \
    {                                                                                                                  \
        EAGAIN, ENOMEM                                                                                                 \
    }

const struct call calls[] = {
    {"openat", SYS_openat, CALL_AT, CALL_NO_DATA, 1, OPENS},
    {"openat2", SYS_openat2, CALL_AT, CALL_NO_DATA, 1, OPENS},
#ifdef SYS_open
    {"open", SYS_open, CALL_PATH, CALL_NO_DATA, 1, OPENS},
    {"stat", SYS_stat, CALL_PATH, CALL_NO_DATA, 0, LOOKS_UP},
    {"lstat", SYS_lstat, CALL_PATH, CALL_NO_DATA, 0, LOOKS_UP},
    {"access", SYS_access, CALL_PATH, CALL_NO_DATA, 0, LOOKS_UP},
    {"readlink", SYS_readlink, CALL_PATH, CALL_NO_DATA, 0, LOOKS_UP},
    {"getdents", SYS_getdents, CALL_FD, CALL_NO_DATA, 0, {EIO, ENOENT, ENOMEM}},
    {"mkdir", SYS_mkdir, CALL_PATH, CALL_NO_DATA, 0, MAKES},
    {"link", SYS_link, CALL_PATH, CALL_NO_DATA, 0, MAKES},
    {"symlink", SYS_symlink, CALL_PATH, CALL_NO_DATA, 0, MAKES},
    {"mknod", SYS_mknod, CALL_PATH, CALL_NO_DATA, 0, MAKES},
    {"unlink", SYS_unlink, CALL_PATH, CALL_NO_DATA, 0, {EACCES, EPERM, EIO, EBUSY, ENOENT, EROFS}},
    {"rename", SYS_rename, CALL_PATH, CALL_NO_DATA, 0, RENAMES},
    {"chmod", SYS_chmod, CALL_PATH, CALL_NO_DATA, 0, SETS},
#endif
    {"newfstatat", SYS_newfstatat, CALL_AT, CALL_NO_DATA, 0, LOOKS_UP},
    {"fstat", SYS_fstat, CALL_FD, CALL_NO_DATA, 0, {EIO, ENOMEM, EOVERFLOW, ESTALE}},
    {"statx", SYS_statx, CALL_AT, CALL_NO_DATA, 0, LOOKS_UP},
    {"fstatfs", SYS_fstatfs, CALL_FD, CALL_NO_DATA, 1, {EIO, ENOSYS, ENOMEM, EOVERFLOW}},
    {"faccessat", SYS_faccessat, CALL_AT, CALL_NO_DATA, 0, LOOKS_UP},
    {"readlinkat", SYS_readlinkat, CALL_AT, CALL_NO_DATA, 0, LOOKS_UP},
    {"getdents64", SYS_getdents64, CALL_FD, CALL_NO_DATA, 0, {EIO, ENOENT, ENOMEM}},
    {"read", SYS_read, CALL_FD, CALL_READS, 1, {EIO, EINVAL, ESTALE}},
    {"pread64", SYS_pread64, CALL_FD, CALL_READS, 1, {EIO, EINVAL, ESTALE}},
    {"write", SYS_write, CALL_FD, CALL_WRITES, 1, WRITES},
    {"pwrite64", SYS_pwrite64, CALL_FD, CALL_WRITES, 1, WRITES},
    {"writev", SYS_writev, CALL_FD, CALL_NO_DATA, 1, WRITES},
    {"lseek", SYS_lseek, CALL_FD, CALL_NO_DATA, 0, {EINVAL, ENXIO, ESPIPE, EIO}},
    {"ftruncate", SYS_ftruncate, CALL_FD, CALL_NO_DATA, 1, {EIO, EFBIG, EPERM, EINVAL, ENOSPC}},
    {"fallocate", SYS_fallocate, CALL_FD, CALL_NO_DATA, 1, {EIO, EFBIG, ENOSPC, EDQUOT, EOPNOTSUPP}},
    {"close", SYS_close, CALL_FD, CALL_NO_DATA, 1, {EIO, ENOSPC, EDQUOT}},
    {"fsync", SYS_fsync, CALL_FD, CALL_NO_DATA, 1, SYNCS},
    {"fdatasync", SYS_fdatasync, CALL_FD, CALL_NO_DATA, 1, SYNCS},
    {"syncfs", SYS_syncfs, CALL_FD, CALL_NO_DATA, 1, SYNCS},
    {"renameat", SYS_renameat, CALL_AT, CALL_NO_DATA, 0, RENAMES},
    {"renameat2", SYS_renameat2, CALL_AT, CALL_NO_DATA, 0, RENAMES},
    {"linkat", SYS_linkat, CALL_AT, CALL_NO_DATA, 0, MAKES},
    {"symlinkat", SYS_symlinkat, CALL_PATH, CALL_NO_DATA, 0, MAKES},
    {"mkdirat", SYS_mkdirat, CALL_AT, CALL_NO_DATA, 0, MAKES},
    {"mknodat", SYS_mknodat, CALL_AT, CALL_NO_DATA, 0, MAKES},
    {"unlinkat", SYS_unlinkat, CALL_AT, CALL_NO_DATA, 0, {EACCES, EPERM, EIO, EBUSY, ENOENT, EROFS}},
    {"fchmod", SYS_fchmod, CALL_FD, CALL_NO_DATA, 0, SETS},
    {"fchmodat", SYS_fchmodat, CALL_AT, CALL_NO_DATA, 0, SETS},
    {"fchown", SYS_fchown, CALL_FD, CALL_NO_DATA, 0, SETS},
    {"fchownat", SYS_fchownat, CALL_AT, CALL_NO_DATA, 0, SETS},
    {"utimensat", SYS_utimensat, CALL_AT, CALL_NO_DATA, 0, SETS},
    {"getxattr", SYS_getxattr, CALL_PATH, CALL_NO_DATA, 0, READS_XATTRS},
    {"lgetxattr", SYS_lgetxattr, CALL_PATH, CALL_NO_DATA, 0, READS_XATTRS},
    {"fgetxattr", SYS_fgetxattr, CALL_FD, CALL_NO_DATA, 0, READS_XATTRS},
    {"getxattrat", SYS_getxattrat, CALL_AT, CALL_NO_DATA, 0, READS_XATTRS},
    {"listxattr", SYS_listxattr, CALL_PATH, CALL_NO_DATA, 0, READS_XATTRS},
    {"llistxattr", SYS_llistxattr, CALL_PATH, CALL_NO_DATA, 0, READS_XATTRS},
    {"flistxattr", SYS_flistxattr, CALL_FD, CALL_NO_DATA, 0, READS_XATTRS},
    {"listxattrat", SYS_listxattrat, CALL_AT, CALL_NO_DATA, 0, READS_XATTRS},
    {"setxattr", SYS_setxattr, CALL_PATH, CALL_NO_DATA, 0, SETS_XATTRS},
    {"lsetxattr", SYS_lsetxattr, CALL_PATH, CALL_NO_DATA, 0, SETS_XATTRS},
    {"fsetxattr", SYS_fsetxattr, CALL_FD, CALL_NO_DATA, 0, SETS_XATTRS},
    {"setxattrat", SYS_setxattrat, CALL_AT, CALL_NO_DATA, 0, SETS_XATTRS},
    {"fcntl", SYS_fcntl, CALL_FD, CALL_NO_DATA, 0, {EMFILE}},
    {"mmap", SYS_mmap, CALL_NONE, CALL_NO_DATA, 0, {ENOMEM}},
#ifdef SYS_clone3
    {"clone3", SYS_clone3, CALL_NONE, CALL_NO_DATA, 0, STARTS},
#endif
    {"clone", SYS_clone, CALL_NONE, CALL_NO_DATA, 0, STARTS},
};
const size_t call_count = sizeof calls / sizeof calls[0];

const struct call calls_other = {"other", -1, CALL_NONE, CALL_NO_DATA, 0, {0}};

const struct call *call_find(long number)
{
    for (size_t i = 0; i < call_count; i++)
        if (calls[i].number == number)
            return &calls[i];
    return NULL;
}

const char *call_error_name(int error)
{
    const char *name = strerrorname_np(error);
    return name ? name : strerror(error);
}
