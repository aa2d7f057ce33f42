/*
 * System calls that a signal may end with EINTR before they have done anything: those are made
 * again. Whoever wants to stop at signals does so between calls, by what progress returns. Not for
 * close(), which has closed nevertheless.
 */
#ifndef MEMFS_RETRY_H
#define MEMFS_RETRY_H

#include <errno.h>

#define MEMFS_RETRY(result, call)                                                                                      \
    do {                                                                                                               \
        (result) = (call);                                                                                             \
    } while ((result) < 0 && errno == EINTR)

#endif
