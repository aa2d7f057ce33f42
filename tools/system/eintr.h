/*
 * System calls that a signal may end with EINTR before they have done anything: those are made
 * again. Not for close(), which has closed nevertheless.
 */
#ifndef MEMFS_TOOLS_EINTR_H
#define MEMFS_TOOLS_EINTR_H

#include <errno.h>

#define RETRY(result, call)                                                                                            \
    do {                                                                                                               \
        (result) = (call);                                                                                             \
    } while ((result) < 0 && errno == EINTR)

#endif
