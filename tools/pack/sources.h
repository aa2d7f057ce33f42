/*
 * What is to be packed, as it was named: one directory, whose contents become the image's
 * root, or several things of any type, which the root has under their names.
 */
#ifndef MEMFS_TOOLS_SOURCES_H
#define MEMFS_TOOLS_SOURCES_H

#include "memfs_host.h"
#include "system/buffer.h"

#include <sys/stat.h>

struct sources_one {
    const char *path;
    struct buffer name; /* in the root */
    struct stat stat;
};

struct sources {
    struct sources_one *all;
    size_t count;
    int is_root; /* there is one, and it is the root */
};

/* The last name of a path, the one that it really has if it is "." and the like; empty for "/".
 * 0 or a negative errno. */
int sources_name(const char *path, struct buffer *name);

/* Looks at all of them. What is not there is said; it is left out, and counted in *missing, or
 * fatal. The exit code; nothing has been read. */
int sources_find(struct sources *sources, char *const *paths, size_t count, int keep_going, int *missing);

int sources_scan(const struct sources *sources, const struct memfs_scan_options *options, memfs_backing **out,
                 struct memfs_detail *detail);

/* Which of them a path of the scan belongs to, and what is left of the path (NULL if nothing is). NULL: to none. */
const char *sources_locate(const struct sources *sources, const char *path, const char **rest);

void sources_free(struct sources *sources);

#endif
