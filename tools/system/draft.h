/*
 * A file that appears whole or not at all: written beside its place under a temporary
 * name, then renamed.
 */
#ifndef MEMFS_TOOLS_DRAFT_H
#define MEMFS_TOOLS_DRAFT_H

#include <stdio.h>

struct draft {
    const char *path;
    char *temporary;
    FILE *stream;
    int replace;
};

/* Begins the file path; with replace one that is there will be replaced, with its permissions kept. EXIT_DONE, or
 * says what is wrong: there is one, or it cannot be written. Signals should be caught (interrupt.h). */
int draft_open(struct draft *draft, const char *path, int replace);

/* Puts it in its place, or says why not. failed: errno of writing to the stream, or 0. */
int draft_publish(struct draft *draft, int failed);

/* Takes it away. */
void draft_discard(struct draft *draft);

#endif
