/*
 * Header, root and trailer: fixed records that are hashed whole.
 */
#ifndef MEMFS_ROOT_RECORD_H
#define MEMFS_ROOT_RECORD_H

#include "layout.h"
#include "refs.h"

struct memfs_header {
    uint16_t major, minor;
    uint64_t incompatible, read_only_compatible, compatible;
    uint32_t block_size;
};

struct memfs_trailer {
    uint64_t offset;   /* its own */
    uint64_t previous; /* the trailer of the generation before; 0: none */
    uint64_t root_offset;
    uint32_t root_length; /* the root ends where the trailer begins */
    uint32_t generation;  /* from 1 */
    uint64_t root_hash;
    uint64_t header_hash;
};

/* An earlier generation, as the root tells of it; the newest first. */
struct memfs_generation {
    uint64_t trailer; /* offset */
    int64_t time;
    uint32_t generation;
    uint32_t has_time; /* 0 or 1 */
};

struct memfs_root_table {
    uint64_t count;                        /* records; bytes of BLOBS; data blocks */
    struct memfs_ref refs[MEMFS_REFS_TOP]; /* the top level: as many as count implies */
};

struct memfs_root {
    uint64_t types[MEMFS_TYPES]; /* nodes in use: regular, directory, symlink, fifo, socket, character, block */
    uint64_t content_bytes;      /* sizes of all files */
    uint64_t data_bytes;         /* lengths of all files' extents */
    uint64_t raw_bytes;          /* of all data blocks */
    uint64_t stored_bytes;       /* the same in the image */
    int64_t time;
    uint32_t has_time; /* 0 or 1; time is 0 without */
    uint32_t generations;
    uint32_t message_length;
    struct memfs_generation generation[MEMFS_GENERATIONS_MAX];
    struct memfs_root_table table[MEMFS_IMAGE_TABLES];
    char message[MEMFS_MESSAGE_MAX + 1]; /* with a NUL */
};

/* The number of a type in types[], by mode >> 12; -1 for none. */
int memfs_type_index(unsigned type);

/* Encoding cannot fail: the buffers have MEMFS_HEADER_BYTES, MEMFS_TRAILER_BYTES
 * and MEMFS_ROOT_BYTES_MAX, and the records must be legal. The trailer's own hash is computed. */
void memfs_header_encode(const struct memfs_header *header, void *bytes);
void memfs_trailer_encode(const struct memfs_trailer *trailer, void *bytes);
size_t memfs_root_encode(const struct memfs_root *root, void *bytes);

/* Is this the header of an image that this version can read at all? Asked before
 * the header's hash can be known: MEMFS_ENOTIMAGE, MEMFS_EVERSION. */
int memfs_header_recognise(const void *bytes, struct memfs_detail *detail);
/* All of it, once its hash has been verified: MEMFS_EFEATURE, MEMFS_ECORRUPT. */
int memfs_header_decode(const void *bytes, struct memfs_header *out, struct memfs_detail *detail);
/* `at` is where the bytes were read. Checks everything but the root's bytes and hash:
 * MEMFS_ECHECKSUM, MEMFS_ECORRUPT. */
int memfs_trailer_decode(const void *bytes, uint64_t at, struct memfs_trailer *out, struct memfs_detail *detail);
/* The hash must have been verified. All refs must lie before the root. */
int memfs_root_decode(const void *bytes, size_t length, const struct memfs_header *header,
                      const struct memfs_trailer *trailer, struct memfs_root *out, struct memfs_detail *detail);

#endif
