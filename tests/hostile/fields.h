/*
 * Changes of an image in words: "node[a/small].nlink += 1; header.major = 2".
 *
 * A change is TARGET.FIELD, one of = += -= ^= |=, and a value; several are parted by
 * semicolons. Targets:
 *
 *   node[PATH] node[#N]     a record of nodes, by a path of the sound image or by number
 *   entry[PATH] entry[#N]   the entry that the path's last component is
 *   extent[PATH:I] extent[#N]   the I-th extent of a file
 *   xattr[#N] digest[PATH] digest[#N] blob[#N] block[#N] block[#N:OFFSET]
 *   target[PATH] value[#N:OFFSET]   a link's text; a byte of the value of attribute record N
 *   raw[TABLE:CHUNK:OFFSET] chunk[TABLE:CHUNK]   bytes and length of a chunk as it is encoded
 *   ref[TABLE:LEVEL:I]      what the ref of a chunk (level 0) or of a chunk of refs says
 *   table[TABLE] top[TABLE:I] earlier[I] root    fields of the root
 *   header trailer          of the newest generation; root[G], trailer[G] of another
 *   gap file                bytes that belong to nothing; the whole file when all else is done
 *
 * The fields are in the table in fields.c. A value is a sum of numbers, 2^N, counts of
 * records (nodes, entries, extents, xattrs, blobs, blocks), node(PATH), entry(PATH); or a text in quotes,
 * where \x00 is a byte ("x" * 255 repeats one); or bytes, as x28B52FFD.
 */
#ifndef FIELDS_H
#define FIELDS_H

#include "surgery.h"

#define FIELDS_MOST 24

struct field;

struct field_change {
    const struct field *field;
    uint64_t at[3]; /* which one */
    char operation; /* = + - ^ | */
    uint64_t value;
    char name[MEMFS_NAME_MAX + 1];
    size_t name_length;
};

struct fields {
    unsigned newest; /* generation */
    size_t count;
    struct field_change change[FIELDS_MOST];
};

/* Changes the records of s, and sees to the other changes while s is closed. The image must be
 * sound so far. A change that makes no sense ends the program: the table of cases is wrong. */
void fields_apply(struct fields *fields, struct surgery *s, const char *changes);

/* The changes of the whole file. */
void fields_finish(const struct fields *fields, struct test_buffer *file);

/* The numbers of a path of a sound image; of its entry (0 for the root). */
uint32_t fields_node(const struct surgery *s, const char *path);
uint32_t fields_entry(const struct surgery *s, const char *path);

#endif
