/*
 * The sandbox: before a subcommand parses its first byte of an image, it gives up for good what
 * it does not need. Landlock says which files can still be opened or made; a filter of system
 * calls, for subcommands that only read, leaves no way to run programs, to reach a network or to
 * write files. Both are the kernel's, and best effort: where they are not to be had the command
 * works without, and -v says so. Memory checkers look into /proc when they end: built with
 * one, the command has no sandbox.
 */
#ifndef MEMFS_TOOLS_SANDBOX_H
#define MEMFS_TOOLS_SANDBOX_H

#include <stdint.h>

/* What stays allowed at a place, and below it. Descriptors that are open already stay as they are. */
enum {
    SANDBOX_READ = 1,          /* reading files and directories */
    SANDBOX_WRITE = 2,         /* making, changing and removing what is no device */
    SANDBOX_DEVICES = 4,       /* making devices */
    SANDBOX_RUN = 8,           /* running programs */
    SANDBOX_REMOVE_EMPTY = 16, /* removing directories that are empty */
    SANDBOX_BEGUN = 32         /* no right: something has been made there that may have to be removed */
};

/* What is to stay allowed. Zeroed: no sandbox. */
struct sandbox {
    int wanted;
    int error;          /* of the host: it is not to be done without then */
    const char *failed; /* the path that it was about, if any; the caller's */
    int abi;            /* Landlock's; 0: the kernel has none, or it does not do here */
    int ruleset;        /* its descriptor, or -1 */
    unsigned any;       /* rights that are allowed anywhere */
};

/* Whether there is to be one: not with --no-sandbox, nor beside a memory checker. */
int sandbox_is_wanted(void);

/* Nothing but what is open is allowed from now on, but nothing is given up before sandbox_enter(). */
void sandbox_begin(struct sandbox *sandbox);

/* A path that cannot be opened needs no rights: whoever needs it will say so. But for want of memory or descriptors,
 * where something has been begun, and where it cannot be looked at, the command is to end. Symbolic links are followed.
 */
void sandbox_allow(struct sandbox *sandbox, const char *path, unsigned rights);

/* The same for the directory in which a path is, or would be. */
void sandbox_allow_beside(struct sandbox *sandbox, const char *path, unsigned rights);

/* Gives up all else, for this thread and those that it starts: there may be no others. What has no place with other
 * rights than reading gets the filter of system calls, too. EXIT_DONE, if only because the kernel has no sandboxes;
 * EXIT_FAILED where there could be one, but for an error of the host: that has been said. */
int sandbox_enter(struct sandbox *sandbox);

/* The same for a subcommand that only reads what is open. */
int sandbox_enter_reading(void);

#endif
