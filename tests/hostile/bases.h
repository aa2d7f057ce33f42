/*
 * The sound images that hostile ones are made of.
 */
#ifndef BASES_H
#define BASES_H

#include "surgery.h"

enum base {
    EVERYTHING = 1,   /* test_build_everything(): all types, links, holes, attributes; 18 nodes and 19 entries */
    EMPTY = 2,        /* a root and nothing in it */
    ONE = 4,          /* a file, hello, of 13 bytes, with a message */
    NAMES = 8,        /* 607 nodes: d0 to d6 with 600 empty files, two chunks of nodes and entries */
    BLOCKS = 16,      /* f00 to f39 of 100 bytes, each its own block: refs in a chunk of their own */
    ATTRIBUTES = 32,  /* f0 to f9: shared sets, an ACL */
    SPARSE = 64,      /* sparse: 3 extents and holes; zeros: 1 MiB without any */
    GENERATIONS = 128 /* ONE, and two more generations that change nothing */
};
#define BASES 8

struct bases {
    struct surgery opened[BASES];
};

void bases_make(struct bases *bases);
void bases_free(struct bases *bases);

unsigned base_number(enum base base); /* below BASES */
const char *base_name(enum base base);
/* Taken apart, to be changed and closed; to be freed with surgery_free(). */
void base_open(const struct bases *bases, enum base base, struct surgery *s);

#endif
