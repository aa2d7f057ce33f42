#include "memfs.h"

#include <errno.h>

/* strerror()'s words, but in English whatever the locale, and in storage that stays. */
static const struct {
    int error;
    const char *text;
} texts[] = {
    {0, "success"},
    {MEMFS_ENOTIMAGE, "not a memfs image"},
    {MEMFS_EVERSION, "image of a newer format"},
    {MEMFS_EFEATURE, "image needs a feature that is unknown here"},
    {MEMFS_ECHECKSUM, "checksum does not match"},
    {MEMFS_ECORRUPT, "image contradicts itself"},
    {MEMFS_ELIMIT, "limit exceeded"},
    {-E2BIG, "Argument list too long"},
    {-EACCES, "Permission denied"},
    {-EAGAIN, "Resource temporarily unavailable"},
    {-EBADF, "Bad file descriptor"},
    {-EBUSY, "Device or resource busy"},
    {-ECANCELED, "Operation canceled"},
    {-EDQUOT, "Disk quota exceeded"},
    {-EEXIST, "File exists"},
    {-EFBIG, "File too large"},
    {-EINTR, "Interrupted system call"},
    {-EINVAL, "Invalid argument"},
    {-EIO, "Input/output error"},
    {-EISDIR, "Is a directory"},
    {-ELOOP, "Too many levels of symbolic links"},
    {-EMFILE, "Too many open files"},
    {-EMLINK, "Too many links"},
    {-ENAMETOOLONG, "File name too long"},
    {-ENFILE, "Too many open files in system"},
    {-ENODATA, "No data available"},
    {-ENODEV, "No such device"},
    {-ENOENT, "No such file or directory"},
    {-ENOMEM, "Cannot allocate memory"},
    {-ENOSPC, "No space left on device"},
    {-ENOSYS, "Function not implemented"},
    {-ENOTDIR, "Not a directory"},
    {-ENOTEMPTY, "Directory not empty"},
    {-ENOTTY, "Inappropriate ioctl for device"},
    {-ENXIO, "No such device or address"},
    {-EOPNOTSUPP, "Operation not supported"},
    {-EOVERFLOW, "Value too large for defined data type"},
    {-EPERM, "Operation not permitted"},
    {-EPIPE, "Broken pipe"},
    {-ERANGE, "Numerical result out of range"},
    {-EROFS, "Read-only file system"},
    {-ESPIPE, "Illegal seek"},
    {-ESTALE, "Stale file handle"},
    {-ETXTBSY, "Text file busy"},
    {-EXDEV, "Invalid cross-device link"},
};

const char *memfs_strerror(int error)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i].error == error)
            return texts[i].text;
    }
    return "unknown error";
}

int memfs_errno(int error)
{
    switch (error) {
    case MEMFS_ENOTIMAGE:
    case MEMFS_EVERSION:
        return EINVAL;
    case MEMFS_EFEATURE:
        return EOPNOTSUPP;
    case MEMFS_ECHECKSUM:
    case MEMFS_ECORRUPT:
        return EIO;
    case MEMFS_ELIMIT:
        return EFBIG;
    default:
        return error < 0 && error > -4000 ? -error : error == 0 ? 0 : EIO;
    }
}
