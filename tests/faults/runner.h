/*
 * Runs a command and stands between it and the kernel: every call of calls.h that
 * its C library makes is numbered, shown to an observer before it is done, and done,
 * refused, or done in part. The kernel hands the calls over (seccomp's user
 * notification), from all threads, and one at a time. The dynamic loader's calls
 * and those of sanitizers are not the command's own, and just done.
 */
#ifndef MEMFS_FAULTS_RUNNER_H
#define MEMFS_FAULTS_RUNNER_H

#include "calls.h"

#include <stdint.h>
#include <sys/types.h>

enum fault_kind {
    FAULT_ERROR,      /* the call fails with error */
    FAULT_ERROR_EVER, /* it, and all later ones of this name */
    FAULT_DEAD,       /* it, and all later ones that name files; what is written to standard error never fails */
    FAULT_ONE_BYTE,   /* of a read or write */
    FAULT_HALF,       /* of it */
    FAULT_KILL,       /* SIGKILL instead of the call: after all those before it */
    FAULT_INTERRUPTS, /* from this call on every one that restarts fails with EINTR first */
    FAULT_HALVES      /* from this call on each read or write does half */
};

struct fault {
    unsigned at; /* the call's number, from 1 */
    enum fault_kind kind;
    int error;
    const struct call *call; /* NULL: any; else it comes to be only if the call of this number is this one */
};

/* A call that is to be done. */
struct called {
    unsigned number;
    const struct call *call;
    pid_t pid; /* of the thread */
    uint64_t arguments[6];
};

typedef void runner_watch(void *context, const struct called *called);

struct run {
    char *const *command; /* absolute, ended by NULL */
    const char *directory;
    const char *out, *err; /* files for what it writes; opened anew */
    const struct fault *faults;
    size_t fault_count;
    runner_watch *watch; /* or NULL */
    void *context;
};

struct ran {
    int status;      /* as waitpid tells it */
    unsigned calls;  /* that it made */
    unsigned faults; /* that came to be */
};

/* 0, or -1 if it could not be run, told on standard error. */
int runner_run(const struct run *run, struct ran *ran);

/* What a thread has in memory: how much of it could be read. */
size_t runner_read(pid_t pid, uint64_t address, void *to, size_t length);

/* The path of a call's file, absolute where it is known; "" if it has none. */
void runner_path(const struct called *called, char *path, size_t room);

/* The path of a directory's descriptor and a name; AT_FDCWD is the current directory. */
void runner_path_at(pid_t pid, uint64_t directory, uint64_t name, char *path, size_t room);

#endif
