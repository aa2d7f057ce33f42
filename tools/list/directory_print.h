/*
 * Prints the entries of a directory as ls does, in one of its layouts.
 */
#ifndef MEMFS_TOOLS_DIRECTORY_PRINT_H
#define MEMFS_TOOLS_DIRECTORY_PRINT_H

#include "list/label.h"
#include "list/long_format.h"
#include "output/grid.h"

enum layout { LAYOUT_LINES, LAYOUT_LONG, LAYOUT_COLUMNS, LAYOUT_JSON };

/* Zeroed but for what the caller sets. */
struct directory_print {
    enum layout layout;      /* set by the caller */
    struct labels labels;    /* started by the caller */
    struct long_format form; /* its first part set by the caller; inode is for all layouts */
    int code;                /* what the command is to end with, if anything was to be complained of */
    struct grid grid;
    struct buffer widths; /* of what stands in columns */
    struct buffer path;   /* of an entry */
};

/* path is where the entries lie; NULL: their names are paths themselves. Nonzero once
 * standard output has failed. */
int directory_print(struct directory_print *print, const struct directory *directory, const char *path);
void directory_print_free(struct directory_print *print);

#endif
