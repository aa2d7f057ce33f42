/*
 * Text in roff's language, on standard output, for man and mandoc alike.
 */
#ifndef MEMFS_GENERATE_ROFF_H
#define MEMFS_GENERATE_ROFF_H

#include "options.h"

/* Paragraphs, with blank lines between: their lines are filled anew, options are
 * bold, and what the command's operands and arguments are called is italic. A
 * paragraph that begins with a space is shown as it is. first: what comes before it
 * makes the first paragraph. */
void roff_text(const struct command *command, const char *text, int first);

/* One line without a line's end: the same marks. */
void roff_line(const struct command *command, const char *text);

/* Lines as they are, each ending with a newline, less two spaces at the left. */
void roff_lines(const char *text);

/* Bold, every character as it is. */
void roff_bold(const char *text);

#endif
