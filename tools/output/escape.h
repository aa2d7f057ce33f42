/*
 * Names that a terminal could misunderstand.
 */
#ifndef MEMFS_TOOLS_ESCAPE_H
#define MEMFS_TOOLS_ESCAPE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Writes bytes with everything that is not printable in the locale as \n, \t,
 * or \ooo (three octal digits), and \ as \\: one line, whatever the bytes, and
 * nothing that moves the cursor or turns the direction of writing. */
void escape_put(FILE *stream, const char *bytes, size_t length);

/* How many columns that takes. */
size_t escape_width(const char *bytes, size_t length);

/* Whether a character, by its number in Unicode, shows nothing or reorders what stands around it. */
int escape_deceives(uint32_t character);

#endif
