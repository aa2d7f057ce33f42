#include "memfs.h"

#include <errno.h>
#include <string.h>

const char *memfs_strerror(int error)
{
    switch (error) {
    case 0:
        return "success";
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
        return error < 0 && error > -4000 ? strerror(-error) : "unknown error";
    }
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
