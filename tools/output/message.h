/*
 * What goes wrong, said in one line on standard error:
 * "memfs: THING: PATH: what happened; what to do".
 */
#ifndef MEMFS_TOOLS_MESSAGE_H
#define MEMFS_TOOLS_MESSAGE_H

#include "memfs.h"

/* What the command ends with. Of several, the greatest. */
enum {
    EXIT_DONE = 0,
    EXIT_INCOMPLETE = 1, /* different or incomplete */
    EXIT_USAGE = 2,
    EXIT_DAMAGED = 3, /* an image is damaged or none */
    EXIT_FAILED = 4
};

#if defined(__GNUC__)
#define MESSAGE_FORMAT(a, b) __attribute__((format(printf, a, b)))
#else
#define MESSAGE_FORMAT(a, b)
#endif

/* thing is an image, a directory or a subcommand; path is inside it. Either may
 * be NULL. Both, and the text, are escaped, so that it stays one line. */
void message(const char *thing, const char *path, const char *format, ...) MESSAGE_FORMAT(3, 4);

/* The same for an error of the library, with what its detail knows (may be
 * NULL), and a hint where one is known. Returns the exit code that is due. Lack of memory
 * is said once, and ends standard output. */
int message_error(const char *thing, const char *path, int error, const struct memfs_detail *detail);

/* The same with a hint of the caller's; "" for none. */
int message_error_hint(const char *thing, const char *path, int error, const struct memfs_detail *detail,
                       const char *hint);

/* Wrong usage of a subcommand, or of the command for NULL. Returns EXIT_USAGE. */
int message_usage(const char *subcommand, const char *format, ...) MESSAGE_FORMAT(2, 3);

/* Whether an error comes of an image, and of nothing else. */
int message_is_of_image(int error);

/* EXIT_DAMAGED for errors that an image is to blame for, else EXIT_FAILED; the latter also for a limit or a budget
 * that is spent: another one might do. */
int message_exit_code(int error);

int message_worse(int a, int b);

#endif
