#include "size_class.h"

unsigned size_class(size_t size)
{
    if (size <= 256)
        return (unsigned)((size + 15) / 16) - 1;
    /* Four steps a doubling: the top bit and the two below it, of size - 1. */
    unsigned log = 63u - (unsigned)__builtin_clzll(size - 1);
    return 16 + (log - 8) * 4 + (unsigned)((size - 1) >> (log - 2) & 3);
}

size_t size_of_class(unsigned class)
{
    if (class < 16)
        return (size_t)(class + 1) * 16;
    unsigned log = 8 + (class - 16) / 4;
    return ((size_t)1 << log) + ((size_t)((class - 16) % 4 + 1) << (log - 2));
}
