/*
 * The umask: permission bits that the user wants no new file to have.
 */
#ifndef MEMFS_TOOLS_UMASK_H
#define MEMFS_TOOLS_UMASK_H

#include <stdint.h>

/* It belongs to the process. Asked for by setting it, which needs no /proc: before there are threads. */
uint32_t umask_ask(void);

#endif
