/*
 * Whole files of text, such as lists that options name.
 */
#ifndef MEMFS_TOOLS_TEXT_H
#define MEMFS_TOOLS_TEXT_H

#include "system/buffer.h"

#define TEXT_LINE_MAX ((size_t)1 << 20) /* bytes of a line: what is longer has no lines at all */

/* Reads file ("-": standard input) to its end, and puts a NUL behind that does not count. Lines end with the
 * byte end. 0 or a negative errno: -EFBIG for more bytes than most, -ENAMETOOLONG for a line that is too long,
 * both as soon as it is seen. */
int text_read(const char *file, char end, size_t most, struct buffer *text);

/* Says why not; most is what it was read with, and what is what the file should be. Returns the exit code. */
int text_error(const char *file, int error, size_t most, const char *what);

/* What messages call it. */
const char *text_name(const char *file);

#endif
