/*
 * How many processors there are for this process: what -j is by default.
 */
#ifndef MEMFS_TOOLS_PROCESSORS_H
#define MEMFS_TOOLS_PROCESSORS_H

#include <stdint.h>

#define PROCESSORS_MAX 64 /* the most that -j may ask for */

/* Those it may run on, at least 1, at most PROCESSORS_MAX. */
uint64_t processors(void);

#endif
