#include "name.h"

#include "backing.h"

#include <errno.h>
#include <string.h>

int memfs_name_ok(const char *name, size_t length)
{
    if (length == 0 || length > MEMFS_NAME_MAX || memchr(name, '/', length) || memchr(name, 0, length))
        return 0;
    return name[0] != '.' || (length != 1 && (length != 2 || name[1] != '.'));
}

int memfs_name_compare(const char *a, size_t a_length, const char *b, size_t b_length)
{
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order ? order : (a_length > b_length) - (a_length < b_length);
}

int name_measure(const char *name, size_t *length)
{
    *length = strnlen(name, MEMFS_NAME_MAX + 1);
    if (*length == 0)
        return -ENOENT;
    if (*length > MEMFS_NAME_MAX)
        return -ENAMETOOLONG;
    return memfs_name_ok(name, *length) ? 0 : -EINVAL;
}
