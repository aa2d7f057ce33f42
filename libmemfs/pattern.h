/*
 * Patterns of paths, taken apart: what stands between slashes.
 */
#ifndef MEMFS_PATTERN_H
#define MEMFS_PATTERN_H

#include "alloc.h"

enum part_kind {
    PART_LITERAL, /* a name without special characters, quoting resolved */
    PART_NAMES,   /* names that match */
    PART_DEPTH    /* "**": any number of directories; never last */
};

struct part {
    enum part_kind kind;
    size_t start, length; /* in text */
};

struct pattern {
    char *text; /* NUL behind each part */
    size_t size;
    struct part *parts;
    size_t count, room;
    int wants_dirs; /* a slash at the end */
};

/* -ENOENT if it is empty, -EINVAL if it is malformed, -ENOMEM. */
int pattern_parse(const struct memfs_allocator *allocator, const char *text, struct pattern *out);
void pattern_free(const struct memfs_allocator *allocator, struct pattern *pattern);

/* Does the part (not PART_DEPTH) match a name? */
int pattern_matches(const struct pattern *pattern, size_t part, const char *name);

#endif
