/*
 * Paths of what lies below a PATH of the command line, as find and du print them: PATH as it was
 * given, and behind it how it goes on.
 */
#ifndef MEMFS_TOOLS_BELOW_H
#define MEMFS_TOOLS_BELOW_H

#include "memfs.h"
#include "system/buffer.h"

/* Zeroed: nothing. */
struct below {
    const char *start;
    size_t cut;         /* bytes of what a walk says that start stands for */
    struct buffer path; /* with a NUL behind */
    uint64_t depth;     /* 0: start itself */
};

/* Before a walk from start; a symbolic link there is not followed. 0, or the error of looking for it. */
int below_begin(struct below *below, memfs *fs, const char *start);
/* Sets path and depth of what the walk has come to. 0 or -ENOMEM. */
int below_set(struct below *below, const char *walked);
void below_free(struct below *below);

#endif
