/*
 * How many columns of a terminal bytes take.
 */
#ifndef MEMFS_TOOLS_WIDTH_H
#define MEMFS_TOOLS_WIDTH_H

#include <stddef.h>

/* Of a text in the locale's encoding. As ls counts: a control character takes none, a byte
 * that is no character one. */
size_t width_of(const char *bytes, size_t length);

/* Of the terminal: COLUMNS, if that is a number from 1 on, else what standard output's
 * terminal says, else 80. */
size_t width_of_terminal(void);

#endif
