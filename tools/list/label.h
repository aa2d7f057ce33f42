/*
 * Names as ls and tree show them: in their colours, with a sign of the type behind, and
 * symbolic links with what they lead to.
 */
#ifndef MEMFS_TOOLS_LABEL_H
#define MEMFS_TOOLS_LABEL_H

#include "list/directory.h"
#include "list/ls_colors.h"
#include "system/input.h"

struct labels {
    const struct input *input;
    int classify; /* show signs */
    int colored;
    struct ls_colors colors;
    int started;        /* something was written in colour */
    size_t width;       /* of a line, for names that go beyond it */
    int capabilities;   /* some file may have them */
    int follow;         /* it matters what symbolic links lead to */
    struct buffer path; /* of one of them */
};

/* targets: label_put_with_target() will be used. Zeroed before; EXIT_DONE, or says what is wrong. */
int labels_start(struct labels *labels, const struct input *input, int classify, int targets);
/* After all names. */
void labels_end(const struct labels *labels);
void labels_free(struct labels *labels);

/* One name; row must live as long. */
struct label {
    const struct directory_row *row;
    int capable;        /* or the error because of which it is not known: negative */
    int leads;          /* a symbolic link to something */
    uint32_t link_mode; /* that thing's; 0: nothing */
};

/* directory is the path of where it lies; NULL: the name is a path itself. */
struct label label_of(struct labels *labels, const char *directory, const struct directory_row *row);

/* In columns, without the target. */
size_t label_width(const struct labels *labels, const struct directory_row *row);

/* Before anything of a line: the colour of what has no other. */
void labels_put_normal(struct labels *labels);

/* The name; before it, start bytes stand in the line. */
void label_put(struct labels *labels, const struct label *label, size_t start);

/* The same as " -> TARGET" behind a symbolic link's name. 0 or the library's error. */
int label_put_with_target(struct labels *labels, const struct label *label, size_t start);

#endif
