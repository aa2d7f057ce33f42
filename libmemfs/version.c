#include "memfs.h"

const char *memfs_version(void)
{
    return MEMFS_VERSION;
}
