/*
 * In what the two sides of a pair differ.
 */
#ifndef MEMFS_TOOLS_COMPARE_H
#define MEMFS_TOOLS_COMPARE_H

#include "diff/linkage.h"
#include "diff/pairs.h"

/* In the order in which they are told. */
#define DIFFERS_TYPE 0x001u
#define DIFFERS_CONTENTS 0x002u
#define DIFFERS_MODE 0x004u
#define DIFFERS_OWNER 0x008u
#define DIFFERS_GROUP 0x010u
#define DIFFERS_TIME 0x020u
#define DIFFERS_TARGET 0x040u
#define DIFFERS_DEVICE 0x080u
#define DIFFERS_XATTRS 0x100u
#define DIFFERS_LINKS 0x200u /* one file with other names than on the other side */

/* How to compare. Zeroed, but for the sides: everything, by reading. */
struct compare {
    struct side *sides[2];
    unsigned ignored;        /* DIFFERS_... that do not count */
    int first_only;          /* one difference of a pair is enough */
    int trust_digests;       /* equal sizes and digests are equal contents */
    uint64_t pairs;          /* with several names on a side, met so far */
    struct linkage links[2]; /* theirs */
    char *xattrs;            /* room for names and values */
};

/* What was found out about a pair of which both sides are there. */
struct comparison {
    unsigned differs;  /* DIFFERS_... */
    int unread;        /* whether contents differ only reading them can tell */
    uint64_t number;   /* of a pair with several names; 0 of others */
    uint64_t first[2]; /* the number of the pair under whose name each side was met first */
};

/* The first name of a side's file, of which there is one earlier than this pair's: its path, into path. 0 or the
 * library's error. */
int compare_first_path(const struct compare *compare, const struct pair *pair, int side, struct buffer *path);

/* What came of reading the contents of a pair: its other names need no reading. */
void compare_keep(struct compare *compare, const struct pair *pair, const struct comparison *comparison);

/* All but what takes reading contents. 0, or says what could not be read and returns the error. */
int compare_pair(struct compare *compare, const struct pair *pair, struct comparison *out);
void compare_free(struct compare *compare);

/* Room of a thread that compares contents. Zeroed: none yet. */
struct compare_room {
    char *bytes;
};
/* Reads the contents of two regular files of one size: 0 same, 1 different. An error of the side *failed, or
 * -ENOMEM. For any thread. */
int compare_contents(struct side *const sides[2], const struct memfs_stat stat[2], struct compare_room *room,
                     int *failed);
void compare_room_free(struct compare_room *room);

/* Called for each attribute that is not the same: values, NULL where it is not there. Nonzero ends. */
typedef int compare_xattr_fn(void *context, const char *name, const char *const value[2], const size_t length[2]);
/* The same once more, of a pair that is being told of: what goes wrong this time is said. */
void compare_tell_xattrs(struct compare *compare, const struct pair *pair, compare_xattr_fn *differs, void *context);

#endif
