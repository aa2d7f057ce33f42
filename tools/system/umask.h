/*
 * The umask: permission bits that the user wants no new file to have.
 */
#ifndef MEMFS_TOOLS_UMASK_H
#define MEMFS_TOOLS_UMASK_H

#include <stdint.h>

/* It belongs to the process, and can only be asked for by setting it: before there are threads. */
uint32_t umask_ask(void);

#endif
