/*
 * The directory that a command changes: DIR/box, of which DIR/before says how it was
 * and DIR/after how it is to be.
 */
#ifndef MEMFS_FAULTS_BOX_H
#define MEMFS_FAULTS_BOX_H

#include <stddef.h>

enum box_state { BOX_BEFORE, BOX_AFTER, BOX_OTHER };

struct box {
    const char *directory;
    char *path; /* DIR/box */
    char *before, *after;
    char *now;   /* as box_look() found it */
    int changes; /* before and after differ */
    int strays;  /* temporary files that it found */
};

/* 0, or -1 told on standard error; that holds for all of these. */
int box_open(struct box *box, const char *directory);
void box_close(struct box *box);

/* As it was before. */
int box_reset(struct box *box);

/* How it is now: but for temporary files, which are counted, and times of directories. */
int box_look(struct box *box, enum box_state *state);

/* Whether it holds what it is to hold after, whatever attributes directories have. */
int box_has_files(const struct box *box);

/* A whole file, ended by NUL; NULL if it cannot be read. To be freed. */
char *box_file(const char *path, size_t *length);

#endif
