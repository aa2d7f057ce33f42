#include "system/umask.h"

#include <sys/stat.h>

uint32_t umask_ask(void)
{
    const mode_t mask = umask(0777);
    umask(mask);
    return (uint32_t)mask & 0777u;
}
