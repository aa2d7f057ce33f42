/*
 * Whole files of text, such as lists that options name.
 */
#ifndef MEMFS_TOOLS_TEXT_H
#define MEMFS_TOOLS_TEXT_H

#include "system/buffer.h"

/* Reads file ("-": standard input) to its end, and puts a NUL behind that does not count. 0 or a
 * negative errno; -EFBIG for more than a gibibyte. */
int text_read(const char *file, struct buffer *text);

/* What messages call it. */
const char *text_name(const char *file);

#endif
