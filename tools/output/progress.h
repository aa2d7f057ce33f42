/*
 * How far something has come: one line on a terminal's standard error, rewritten
 * in place; nothing anywhere else, unless --progress asks for JSON lines.
 */
#ifndef MEMFS_TOOLS_PROGRESS_H
#define MEMFS_TOOLS_PROGRESS_H

#include "memfs_host.h"

/* what is the first word of the line, as "packing". One at a time. Whether it is shown is
 * up to the common options. */
void progress_start(const char *what);

/* A memfs_progress_fn: shows, and cancels when an interrupt was noted. */
int progress_update(void *context, const struct memfs_progress *progress);

/* Takes the line away, so that something else can be written; it comes again
 * with the next update. */
void progress_hide(void);

/* Ends it; returns the seconds since the start, and whether it was shown. */
double progress_end(int *shown);

/* The last line, for a terminal: "THING: 12 files and directories in 3.4 MiB, 0:02". */
void progress_summary(const char *thing, uint64_t nodes, uint64_t bytes, double seconds);

#endif
