/*
 * An image used by a program: opened, verified, walked and read, unpacked, with all
 * memory counted.
 */
#ifndef WALK_H
#define WALK_H

#include "testlib.h"

/* A budget of everything, so that a bomb is stopped, not sat out. */
#define WALK_BYTES_MOST ((uint64_t)64 << 20)
#define WALK_ENTRIES_MOST 300000u
#define WALK_DEPTH_MAX 4096u
#define WALK_MEMORY_MOST ((uint64_t)256 << 20)

struct walk_files {
    unsigned count;
    char path[8][300];
};

struct walked {
    int open, verify, walk, read, export; /* errors; 0 */
    int read_stopped;                     /* at the budget */
    uint64_t peak, live;                  /* bytes at the allocator hook; those not given back */
    unsigned names;                       /* that were visited, the root not counted */
    unsigned names_out;                   /* that were made on the host, or left out and told of */
    struct memfs_detail detail;           /* of opening or verifying */
    char findings[16384];
    struct walk_files files; /* the first regular ones */
};

/* Unpacks into destination, which does not exist. */
void walk_image(const struct test_buffer *image, const char *destination, struct walked *out);

#endif
