#include "sized.h"

#include "detail.h"

#include <errno.h>
#include <string.h>

/* The size that a struct says that it has. */
static size_t size_of(const void *given, size_t size)
{
    size_t told;
    memcpy(&told, given, sizeof told);
    return told ? told : size;
}

static int is_zero(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (bytes[i])
            return 0;
    }
    return 1;
}

int memfs_sized_take(void *out, size_t size, const void *given, struct memfs_detail *detail)
{
    const size_t told = given ? size_of(given, size) : 0;
    memset(out, 0, size);
    memcpy(out, &size, sizeof size);
    if (!given)
        return 0;
    if (told < sizeof told)
        return memfs_detail_fill(detail, -EINVAL, MEMFS_NOWHERE,
                                 "options with a size of %zu: set it to the size of their struct", told);
    if (told > size && !is_zero((const char *)given + size, told - size))
        return memfs_detail_fill(
            detail, -EINVAL, MEMFS_NOWHERE,
            "options with a size of %zu, here they have %zu: they are of a newer memfs, and something "
            "is set that this one does not know",
            told, size);
    memcpy((char *)out + sizeof size, (const char *)given + sizeof size, (told < size ? told : size) - sizeof size);
    return 0;
}

void memfs_sized_give(void *out, const void *ours, size_t size)
{
    const size_t told = size_of(out, size);
    if (told > sizeof told)
        memcpy((char *)out + sizeof told, (const char *)ours + sizeof told, (told < size ? told : size) - sizeof told);
}
