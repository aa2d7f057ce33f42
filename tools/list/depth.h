/*
 * How deep a tree may be that is listed or compared as a whole. An image of a few hundred KB can have a million levels
 * of directories, whose paths together are terabytes.
 */
#ifndef MEMFS_TOOLS_DEPTH_H
#define MEMFS_TOOLS_DEPTH_H

#include "memfs.h"

/* Says that something is deeper than common.depth_max, with the beginning of its path and the option that allows more.
 * Returns the exit code. */
int depth_refuse(const char *image, const char *path, const char *option);

#endif
