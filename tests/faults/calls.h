/*
 * The system calls that may fail, and how: which errors each can give, and what
 * its arguments are.
 */
#ifndef MEMFS_FAULTS_CALLS_H
#define MEMFS_FAULTS_CALLS_H

#include <stddef.h>

#define CALL_ERRORS 16

enum call_arguments {
    CALL_NONE, /* no file is named */
    CALL_FD,   /* a descriptor is the first */
    CALL_PATH, /* a path is the first */
    CALL_AT    /* a directory's descriptor, and a path */
};

enum call_data {
    CALL_NO_DATA,
    CALL_READS, /* descriptor, buffer, length, and perhaps an offset: may be short */
    CALL_WRITES
};

struct call {
    const char *name;
    long number;
    enum call_arguments arguments;
    enum call_data data;
    int restarts;            /* POSIX lets a signal end it with EINTR: it is to be called again */
    int errors[CALL_ERRORS]; /* all it can give on Linux but EINTR, ended by 0 */
};

extern const struct call calls[];
extern const size_t call_count;

/* One that is not made to fail: of a call that does several things, the others. */
extern const struct call calls_other;

/* NULL: none of ours. */
const struct call *call_find(long number);

/* The name of an errno; text if it has none here. */
const char *call_error_name(int error);

#endif
