#define _GNU_SOURCE
#include "memfs.h"

#include <errno.h>
#include <string.h>

/* Errors that POSIX does not have. */
static const char *own_text(int error)
{
    switch (error) {
    case MEMFS_ENOTIMAGE:
        return "not a memfs image";
    case MEMFS_EVERSION:
        return "image of a newer format";
    case MEMFS_EFEATURE:
        return "image needs a feature that is unknown here";
    case MEMFS_ECHECKSUM:
        return "checksum does not match";
    case MEMFS_ECORRUPT:
        return "image contradicts itself";
    case MEMFS_ELIMIT:
        return "limit exceeded";
    default:
        return NULL;
    }
}

/* With glibc in English whatever the locale. */
static const char *host_text(int number)
{
#if defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 32)
    return strerrordesc_np(number);
#endif
#endif
    return strerror(number);
}

const char *memfs_strerror(int error)
{
    if (error == 0)
        return "success";
    const char *text = own_text(error);
    if (!text && error < 0 && error > -4000)
        text = host_text(-error);
    return text ? text : "unknown error";
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
