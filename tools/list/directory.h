/*
 * The entries of one directory of an image, in order of their names.
 */
#ifndef MEMFS_TOOLS_DIRECTORY_H
#define MEMFS_TOOLS_DIRECTORY_H

#include "memfs.h"
#include "system/buffer.h"

struct directory_row {
    const char *name; /* with NUL, in names */
    size_t name_length;
    struct memfs_stat stat;
};

/* Zeroed: no entries. */
struct directory {
    struct directory_row *rows;
    size_t count;
    struct buffer memory; /* of the rows */
    struct buffer names;
    struct buffer batch; /* entries as they are read */
};

/* Reads all entries of dir, in place of those of another one; with_stat fills all of their stat, else only node and
 * type are known. 0 or the library's error. */
int directory_read(struct directory *directory, memfs *fs, memfs_node dir, int with_stat);

/* Adds one row; directory_sort() must follow before rows are used. */
int directory_add(struct directory *directory, const char *name, size_t name_length, const struct memfs_stat *stat);
void directory_sort(struct directory *directory);

/* Takes out the rows whose names begin with a dot. */
void directory_drop_hidden(struct directory *directory);

/* By time the newest comes first, by size the largest; what is equal there goes by name. */
enum directory_order { DIRECTORY_BY_NAME, DIRECTORY_BY_TIME, DIRECTORY_BY_SIZE };

/* From the order of names, and stat, into another order. */
void directory_arrange(struct directory *directory, enum directory_order order, int reverse);

/* The path of a row in a directory, with a NUL behind; directory NULL: the name is a path itself. 0 or -ENOMEM. */
int directory_path(struct buffer *path, const char *directory, const struct directory_row *row);

/* What ls calls the inode: the node's number. */
uint64_t directory_inode(const struct memfs_stat *stat);

void directory_free(struct directory *directory);

#endif
