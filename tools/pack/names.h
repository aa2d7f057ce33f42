/*
 * Paths that somebody has named, one a line or NUL-separated: which they are, and which
 * directories lead to them.
 */
#ifndef MEMFS_TOOLS_NAMES_H
#define MEMFS_TOOLS_NAMES_H

#include "system/buffer.h"

struct name {
    const char *path; /* without slashes at its ends, "." or ".." in it */
    int met;          /* somebody has asked for it */
};

/* Zeroed: none. Sorted, each once; what is in a directory follows it. */
struct names {
    struct name *names;
    size_t count, room;
    struct buffer text;
};

/* Reads file ("-": standard input) into empty names. A path that begins with a slash is one
 * below "/" and refused unless absolute; "." is none. Paths that lead elsewhere are said, and
 * counted in *refused. The exit code; what goes wrong is said. */
int names_read(struct names *names, const char *file, int null, int absolute, int *refused);

enum names_answer { NAMES_NEITHER, NAMES_ABOVE, NAMES_NAMED };
/* Is the path named, or else a directory above one that is? A named one has been met then. */
enum names_answer names_ask(struct names *names, const char *path);

void names_free(struct names *names);

#endif
