#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sched_getaffinity */
#endif
#include "system/processors.h"

#include <sched.h>
#include <unistd.h>

uint64_t processors(void)
{
    cpu_set_t set;
    long count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : sysconf(_SC_NPROCESSORS_ONLN);
    if (count < 1)
        return 1;
    return count < PROCESSORS_MAX ? (uint64_t)count : PROCESSORS_MAX;
}
