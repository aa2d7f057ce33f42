/*
 * Rules that leave paths out, as gitignore(5) has them. Of the rules that match, the last
 * decides. Bytes are compared, whatever the locale.
 */
#ifndef MEMFS_TOOLS_IGNORE_H
#define MEMFS_TOOLS_IGNORE_H

#include <stddef.h>

struct ignore_rule {
    char *memory;    /* the parts between slashes, each with NUL */
    size_t parts;    /* at least 1 */
    int anchored;    /* it is about the whole path, else about its last name */
    int directories; /* and only about directories */
    int takes_back;  /* what it matches is not left out */
};

/* Zeroed: nothing is left out. */
struct ignore {
    struct ignore_rule *rules;
    size_t count, room;
};

/* One rule: [!]PATTERN[/]. One that can match nothing is forgotten. 0 or -ENOMEM. */
int ignore_add(struct ignore *ignore, const char *pattern, size_t length);

/* Rules as they stand in a file, one a line: without empty lines, comments (#) and spaces at
 * the end. */
int ignore_add_lines(struct ignore *ignore, const char *text, size_t length);

/* Is the path, without a slash before it, to be left out? Directories above it are not asked
 * about: who goes down the tree does not go into those that are left out. */
int ignore_matches(const struct ignore *ignore, const char *path, int is_directory);

/* The same, directories above it included. */
int ignore_covers(const struct ignore *ignore, const char *path, int is_directory);

void ignore_free(struct ignore *ignore);

#endif
