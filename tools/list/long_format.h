/*
 * What stands before a name in a long listing: mode, links, owner, group, size and time,
 * in columns that fit all entries of a directory.
 */
#ifndef MEMFS_TOOLS_LONG_FORMAT_H
#define MEMFS_TOOLS_LONG_FORMAT_H

#include "list/directory.h"
#include "system/input.h"

/* Zeroed but for the first part. */
struct long_format {
    const struct input *input;
    int inode;   /* the node's number first */
    int numeric; /* owners by number */
    int human;   /* sizes rounded */
    int no_owner, no_group;
    int full_time; /* to the nanosecond */
    int xattrs;    /* some entry may have an access control list */

    /* of the directory that was measured last */
    struct buffer marks; /* an int an entry: 1 if it has such a list, 0, or the error that kept it from being known */
    int marked;          /* one of them is not 0 */
    int inode_width, nlink_width, uid_width, gid_width, size_width, major_width, minor_width;
};

/* The widths, for the entries of one directory. 0 or -ENOMEM. */
int long_format_measure(struct long_format *format, const struct directory *directory);

/* 0, or the error because of which it is not known whether the row of that index has an access control
 * list: a '?' stands there then, as ls has it. */
int long_format_error(const struct long_format *format, size_t index);

/* Writes what belongs to the row of that index, and a space. Returns how many bytes. */
size_t long_format_put(const struct long_format *format, const struct directory *directory, size_t index);

void long_format_free(struct long_format *format);

#endif
