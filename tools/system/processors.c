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
    return count < 1 ? 1 : processors_used((uint64_t)count);
}

unsigned processors_used(uint64_t jobs)
{
    return jobs < PROCESSORS_MAX ? (unsigned)jobs : PROCESSORS_MAX;
}
