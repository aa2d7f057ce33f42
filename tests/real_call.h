/*
 * For suites that define functions of the C library themselves, so that the host fails or answers otherwise: the
 * function itself. They define _GNU_SOURCE first.
 */
#ifndef REAL_CALL_H
#define REAL_CALL_H

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

/* The C library's function under the name that its headers give it: where offsets or times have 64 bits by choice,
 * that is another than the program's. */
static inline void *real_call(const char *name)
{
    static const char *const names[] = {
#ifdef __USE_TIME_BITS64
        "__%s64_time64", "__%s_time64", "__%s64",
#endif
        "%s64", "%s"};
    char text[40];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(text, sizeof text, names[i], name); // NOLINT(clang-diagnostic-format-nonliteral)
        void *found = dlsym(RTLD_NEXT, text);
        if (found)
            return found;
    }
    fprintf(stderr, "the C library has no %s()\n", name);
    abort();
}

#endif
