/*
 * A file that appears whole or not at all: written beside its place under a temporary
 * name, with permissions for its owner only, then renamed.
 */
#ifndef MEMFS_TOOLS_DRAFT_H
#define MEMFS_TOOLS_DRAFT_H

#include "system/place.h"

#include <stdio.h>

/* Zeroed: there is none. */
struct draft {
    const char *path;
    const char *name; /* the end of path */
    char *temporary;  /* its name beside that */
    FILE *stream;
    int directory;   /* that both are in, or -1 */
    int is_readable; /* the directory, or it cannot be synced */
    int replace;
    struct place place;
};

/* Begins the file path; with replace one that is there will be replaced, with its permissions kept. EXIT_DONE, or
 * says what is wrong: there is one, or it cannot be written. Signals should be caught (interrupt.h). */
int draft_open(struct draft *draft, const char *path, int replace);

/* Puts it in its place, for good, or says why not. failed: errno of writing to the stream, or 0. */
int draft_publish(struct draft *draft, int failed);

/* Takes it away. */
void draft_discard(struct draft *draft);

#endif
