/*
 * Whether to write in colours.
 */
#ifndef MEMFS_TOOLS_COLOR_H
#define MEMFS_TOOLS_COLOR_H

/* On standard output: as --color says; by itself on a terminal, unless NO_COLOR is set
 * (no-color.org) or TERM is "dumb". */
int color_is_on(void);

#endif
