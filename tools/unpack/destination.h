/*
 * The directory that is unpacked into. It is made before the image is parsed, so that the sandbox
 * can be about it: all that unpacking needs are files below it.
 */
#ifndef MEMFS_TOOLS_DESTINATION_H
#define MEMFS_TOOLS_DESTINATION_H

#include <sys/stat.h>

struct destination {
    const char *path;
    int made; /* by us, and this is who it is */
    struct stat stat;
};

/* Makes it, if it is not there. Whether there is a directory now. */
int destination_make(struct destination *destination, const char *path);

/* Gives up everything but writing below it (see sandbox.h), devices if they are wanted. EXIT_DONE, or
 * what sandbox_enter() said. */
int destination_enter(struct destination *destination, int devices);

/* The same for a subcommand that will only look at it: it is not made. */
int destination_look(struct destination *destination, const char *path);

/* If it was made in vain, it is removed, or it is said that it stays. */
void destination_close(const struct destination *destination, int is_unpacked);

#endif
