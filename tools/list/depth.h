/*
 * How deep a tree may be that is listed, compared or unpacked as a whole: no directory lies more than
 * common.depth_max steps from the root, and nothing is said of what is in one that does. An image of a few hundred KB
 * can have a million levels of directories, whose paths together are terabytes.
 */
#ifndef MEMFS_TOOLS_DEPTH_H
#define MEMFS_TOOLS_DEPTH_H

#include "system/input.h"

/* What a walk is ended with of which one PATH is too deep: the others are still walked. */
#define DEPTH_ENDS_PATH (MEMFS_WALK_STOP + 1)

/* Says that a directory is deeper than that, with the beginning of its path and the option that allows more. Returns
 * the exit code: a budget that is spent is no fault of the image. */
int depth_refuse(const char *image, const char *path, const char *option);

/* Of a walk with depth_max: says that, or what else is wrong with a node, as input_error_again(). Returns the exit
 * code. */
int depth_error(struct input *input, memfs_node node, const char *path, int error, const char *option);

#endif
