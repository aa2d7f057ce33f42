/*
 * Standard output, whose errors are noticed.
 */
#ifndef MEMFS_TOOLS_OUTPUT_H
#define MEMFS_TOOLS_OUTPUT_H

#include <stddef.h>

/* As printf() to standard output. Nonzero once writing has failed. */
int output(const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 1, 2)))
#endif
    ;

/* The same for bytes as they are. */
int output_text(const char *text, size_t length);

/* Nonzero once writing has failed, also that of others who write to stdout, as json.h's do. */
int output_failed(void);

/* What has been written is all: from now on writing has failed, and nothing more is said of it. For
 * what must not go on with parts missing. */
void output_stop(void);

int output_is_terminal(void);

/* A name: escaped on a terminal, else as it is. Nonzero once writing has failed. */
int output_name(const char *name, size_t length);
/* How many columns it takes. */
size_t output_name_width(const char *name, size_t length);

/* All bytes, past the buffer, to standard output: 0 or a negative errno. A write
 * that an interrupt ended is -ECANCELED, as is one that nobody reads. */
int output_bytes(const void *data, size_t length);

/* For much output that nobody waits for: before the first of it. A terminal gets it line by line.
 * One thread only may write from then on. */
void output_in_large_pieces(void);

/* Writes what is buffered, before another program writes. Nonzero once writing has failed. */
int output_flush(void);

/* Writes what is buffered. EXIT_DONE, or EXIT_FAILED and says so once (or has been stopped). */
int output_finish(void);

#endif
