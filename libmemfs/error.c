#include "memfs.h"

#include <errno.h>

/* In English whatever the locale, and in storage that stays. */
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
    {-E2BIG, "value too large"},
    {-EACCES, "permission denied"},
    {-EAGAIN, "temporarily unavailable"},
    {-EBADF, "not open for this"},
    {-EBUSY, "in use, or changed meanwhile"},
    {-ECANCELED, "cancelled"},
    {-EDQUOT, "budget or quota exceeded"},
    {-EEXIST, "exists already"},
    {-EFBIG, "file too large"},
    {-EINTR, "interrupted"},
    {-EINVAL, "invalid argument"},
    {-EIO, "input/output error"},
    {-EISDIR, "is a directory"},
    {-ELOOP, "too many symbolic links, or one where none may be"},
    {-EMFILE, "too many open files"},
    {-EMLINK, "too many links"},
    {-ENAMETOOLONG, "name too long"},
    {-ENFILE, "too many open files in the system"},
    {-ENODATA, "no such attribute"},
    {-ENOENT, "no such file or directory"},
    {-ENOMEM, "out of memory"},
    {-ENOSPC, "no space left"},
    {-ENOTDIR, "not a directory"},
    {-ENOTEMPTY, "directory not empty"},
    {-ENOTTY, "not a terminal"},
    {-ENXIO, "no such device or address"},
    {-EOPNOTSUPP, "not supported"},
    {-EOVERFLOW, "value out of range"},
    {-EPERM, "operation not permitted"},
    {-EPIPE, "broken pipe"},
    {-ERANGE, "result too large for the buffer"},
    {-EROFS, "read-only filesystem"},
    {-ESPIPE, "not a file that can be read at any place"},
    {-ESTALE, "gone, or changed meanwhile"},
    {-ETXTBSY, "text file busy"},
    {-EXDEV, "on another filesystem"},
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
