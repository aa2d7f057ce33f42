/*
 * For suites that define functions of the C library themselves, so that the host fails or answers otherwise: the
 * function itself. They define _GNU_SOURCE first.
 */
#ifndef REAL_CALL_H
#define REAL_CALL_H

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

/* The C library's function under the name that it has with 64-bit offsets, if
 * it has two. */
static inline void *real_call(const char *name)
{
    char wide[32];
    snprintf(wide, sizeof wide, "%s64", name);
    void *found = dlsym(RTLD_NEXT, wide);
    found = found ? found : dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    return found;
}

#endif
