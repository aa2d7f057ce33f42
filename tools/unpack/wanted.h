/*
 * Which entries of an image are unpacked: those that were chosen, but for what rules leave out.
 */
#ifndef MEMFS_TOOLS_WANTED_H
#define MEMFS_TOOLS_WANTED_H

#include "system/buffer.h"
#include "unpack/chosen.h"
#include "values/ignore.h"

/* Zeroed but for chosen: everything. */
struct wanted {
    struct chosen chosen;
    int by_choice; /* else everything is chosen */
    struct ignore ignore;
    void *wholes;         /* a tree of tsearch(3): directories that are chosen with all below them */
    memfs_node directory; /* that was asked about last, */
    struct buffer path;   /* and its path, with a slash behind it */
    size_t path_length;
};

/* A memfs_select_fn, whose context is the wanted. */
int wanted_take(void *context, memfs_node directory, const struct memfs_dirent *entry);

void wanted_free(struct wanted *wanted);

#endif
