#include "random.h"

#include "host_map.h"

#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static uint64_t without_kernel(void)
{
    struct timespec date = {0}, now = {0};
    clock_gettime(CLOCK_REALTIME, &date);
    clock_gettime(CLOCK_MONOTONIC, &now);
    const uint64_t facts[] = {
        (uint64_t)date.tv_sec, (uint64_t)date.tv_nsec, (uint64_t)now.tv_sec,
        (uint64_t)now.tv_nsec, (uint64_t)getpid(),     (uint64_t)(uintptr_t)&date,
    };
    return memfs_host_hash((uint64_t)(uintptr_t)&memfs_random, facts, sizeof facts);
}

uint64_t memfs_random(void)
{
    uint64_t number;
    return getrandom(&number, sizeof number, GRND_NONBLOCK) == (ssize_t)sizeof number ? number : without_kernel();
}
