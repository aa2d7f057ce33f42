/*
 * What a subcommand compares: an image, or a directory of the host. Either is a
 * filesystem, and read alike.
 */
#ifndef MEMFS_TOOLS_SIDE_H
#define MEMFS_TOOLS_SIDE_H

#include "system/input.h"

/* Zeroed: nothing is open. */
struct side {
    const char *name; /* for messages */
    memfs *fs;
    int is_host;
    uint64_t entries; /* that it has at most: directories that show more of them lie */
    int code;         /* EXIT_DONE, or what went wrong so far comes to */
    struct input input;
    memfs_backing *backing; /* of a directory */
    struct buffer problems; /* of struct side_problem, sorted by path */
    struct buffer names;    /* their paths */
    struct side *twin;      /* has it open; NULL: it is open itself */
};

/* Looks what it is, a directory of the host or an image, "-" for one on standard input; nothing of it is
 * read. EXIT_DONE, or says what is wrong. */
int side_hold(struct side *side, const char *name);

/* Opens it. A directory's names and attributes are read now, with no_xattrs no extended ones; what cannot
 * be read is said, goes into code, and is left out; so many threads list them. The same. */
int side_read(struct side *side, int no_xattrs, unsigned threads);

/* Whether two names mean one file or directory, whatever is in it. */
int side_is_one(const char *a, const char *b);
/* A side that is the other one too; that must stay open. */
void side_share(struct side *side, struct side *other);

/* Whether something of a path (by kind: the file, what is in the directory, extended attributes) was left
 * out since it could not be read: nothing can be said about it. */
int side_lacks(const struct side *side, const char *path, enum memfs_problem_kind kind);

/* Says that an operation failed, with why, which also goes into code. path may be NULL. */
void side_error(struct side *side, const char *path, int error);
/* The same for reading the contents of a regular file. */
void side_file_error(struct side *side, const char *path, memfs_node node, int error);

void side_close(struct side *side);

#endif
