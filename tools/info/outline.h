/*
 * The outline of a tree: the files and directories that weigh most, by size, by what is
 * stored for them and by number of files, each with what it weighs, and for each directory the others together. However
 * large the tree, no more than a fixed number is kept, beside the directories that the walk is in.
 */
#ifndef MEMFS_TOOLS_OUTLINE_H
#define MEMFS_TOOLS_OUTLINE_H

#include "info/weight.h"
#include "system/buffer.h"

struct outline_node {
    uint32_t parent; /* its number, less than this one's; the root is its own */
    size_t name;     /* offset in names */
    uint8_t name_length;
    uint8_t is_directory;
    struct weight weight; /* of a directory: with all below */
    uint64_t others;      /* entries of this directory that have no node */
    struct weight others_weight;
};

/* Zeroed: none. */
struct outline {
    struct buffer nodes; /* of struct outline_node; 0 is the root; each behind its parent */
    struct buffer names;
    struct buffer scratch;
    size_t count, full;  /* nodes; so many of them are too many */
    uint32_t open;       /* the directory whose entries are added */
    struct weight whole; /* what the tree weighs, as far as is known: shares are of this */
};

/* Begins with the root, open. 0 or -ENOMEM, as below. */
int outline_begin(struct outline *outline, const struct weight *whole);

/* A directory in the open one, which is open from now on. */
int outline_enter(struct outline *outline, const char *name, uint8_t length);
/* The open one is complete, and its parent open again. */
void outline_leave(struct outline *outline);
/* A file in the open directory. */
int outline_add(struct outline *outline, const char *name, uint8_t length, const struct weight *weight);

/* The walk is over: only the `most` heaviest nodes stay, OUTLINE_MOST or fewer. */
#define OUTLINE_MOST 8192u
int outline_reduce(struct outline *outline, size_t most);

static inline const struct outline_node *outline_node(const struct outline *outline, size_t number)
{
    return (const struct outline_node *)(const void *)outline->nodes.data + number;
}

void outline_free(struct outline *outline);

#endif
