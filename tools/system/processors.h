/*
 * How many processors there are for this process: what -j is by default.
 */
#ifndef MEMFS_TOOLS_PROCESSORS_H
#define MEMFS_TOOLS_PROCESSORS_H

#include <stdint.h>

#define PROCESSORS_MAX 64 /* that are used at most, whatever -j says */

/* Those it may run on, at least 1, at most PROCESSORS_MAX. */
uint64_t processors(void);

/* Of those that -j asks for, at least 1, so many are used. */
unsigned processors_used(uint64_t jobs);

#endif
