/*
 * memfs: images. memfs_image_open_...() makes a backing of an image, on which
 * any number of filesystems can stand; memfs_freeze_...() writes a filesystem
 * to an image. FORMAT.md specifies the bytes.
 *
 * Structs grow as memfs_host.h says: struct memfs_image_extent, of which callers have arrays, does
 * not, struct memfs_image_block may.
 *
 * An image may come from an enemy: opening, reading and verifying one is safe
 * in any order. Its checksums show damage, not malice.
 */
#ifndef MEMFS_IMAGE_H
#define MEMFS_IMAGE_H

#include "memfs.h"
#include "memfs_host.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Opening ---------------------------------------------------------------- */

typedef struct memfs_image memfs_image;

/* Bytes to read from. read_at reads exactly length bytes at offset: 0 or a
 * negative errno; it may be called from several threads at once, and, where several
 * threads read blocks in order, for a block that comes next and that nobody has asked
 * for yet. close may be NULL; it is called once, when the image is gone or could not be
 * opened. */
struct memfs_source {
    int (*read_at)(void *context, uint64_t offset, void *buffer, size_t length);
    void (*close)(void *context);
    void *context;
    uint64_t size;
};

/* Where blocks are read in order, they take three quarters of the budget at most; of a large one half, but 128 MiB. */
struct memfs_image_options {
    size_t size;
    const struct memfs_allocator *allocator; /* copied */
    uint64_t cache_bytes; /* budget of decoded chunks and blocks, which go sooner where memory is short; 0: 256 MiB */
    uint64_t decoded_max; /* as memfs_image_allow() says; 0: no limit */
};

/* Opens an image, reading its header, trailer and root only. The image is held
 * until memfs_image_close() and by every filesystem on it. detail may be NULL.
 * MEMFS_E..., errors of reading, -ENOMEM; -EISDIR, -ESPIPE for what is no file. */
int memfs_image_open_path(const char *path, const struct memfs_image_options *options, memfs_image **out,
                          struct memfs_detail *detail);
/* Reads from fd with pread, and does not close it; it must stay open. */
int memfs_image_open_fd(int fd, const struct memfs_image_options *options, memfs_image **out,
                        struct memfs_detail *detail);
/* Reads from memory, which must stay and not change. */
int memfs_image_open_buffer(const void *data, size_t length, const struct memfs_image_options *options,
                            memfs_image **out, struct memfs_detail *detail);
int memfs_image_open_source(const struct memfs_source *source, const struct memfs_image_options *options,
                            memfs_image **out, struct memfs_detail *detail);
void memfs_image_close(memfs_image *image); /* NULL is accepted */

/* The image as a backing, for memfs_options; held by the image, not by the
 * caller. */
memfs_backing *memfs_image_backing(memfs_image *image);

/* From now on no more than so many bytes come out of decoding, whatever is done with the image:
 * MEMFS_ELIMIT, and nothing is decoded, where it would be more. What is in the cache can still be
 * had. A lying image can have a few bytes read from as many blocks of 16 MiB as it likes, and
 * from the same ones again and again: who serves images of strangers grants each request so
 * much. (An image that is open for long decodes any number of bytes in honest ways: hence
 * no limit unless one is set.) UINT64_MAX: no limit. */
void memfs_image_allow(memfs_image *image, uint64_t decoded_bytes);

/* The newest damage met while reading, or the limit above: MEMFS_E... with where and what, or 0. */
int memfs_image_damage(memfs_image *image, struct memfs_detail *out);

/* The first damage that reading a regular file meets from offset on: MEMFS_E... with where and what
 * in *out, or 0. It reads the contents until there is one, which are mostly in the cache after
 * reading has failed. node is a handle as for memfs_image_extents(), whose other errors are these
 * too. Other than memfs_image_damage() it is about this file, whatever other threads read. */
int memfs_image_file_damage(memfs_image *image, memfs_node node, uint64_t offset, struct memfs_detail *out);

/* What the root says. */
struct memfs_image_info {
    uint16_t format_major, format_minor;
    uint64_t features_incompatible, features_read_only_compatible, features_compatible;
    uint64_t image_bytes;
    uint32_t block_size;
    uint32_t generation; /* from 1 */
    int has_time;
    int64_t time;           /* of the freeze, nanoseconds since 1970, if has_time */
    char message[4097];     /* "" if none */
    uint64_t nodes;         /* in use */
    uint64_t types[7];      /* regular, directory, symlink, fifo, socket, character, block */
    uint64_t content_bytes; /* of all files, holes counted */
    uint64_t data_bytes;    /* of all files, without holes, before sharing */
    uint64_t stored_bytes;  /* of the blocks with contents */
    uint64_t raw_bytes;     /* the same before compression, after sharing */
    uint64_t blocks;
    uint64_t entries, extents, xattrs, blob_bytes;
};
int memfs_image_info(memfs_image *image, struct memfs_image_info *out);

/* Bytes of a file that stand together: those from offset on are those from start on in a block, of
 * block_raw bytes, which take block_stored in the image. */
struct memfs_image_extent {
    uint64_t offset, length; /* length is at least 1 */
    uint32_t block, start;
    uint32_t block_raw, block_stored;
};

/* The extents of a regular file of the image, in order of their offsets: from the one number `first`
 * on, up to count into extents; returns how many, 0 behind the last. Between them are holes. The same
 * bytes may belong to many files, or to one more than once. node is its handle in a filesystem that
 * stands on the image; what has been changed there does not count. It reads records only, no contents,
 * and the work is that of count records. -ESTALE for a node that the image does not have, -EINVAL for
 * one that is no regular file; MEMFS_ECORRUPT for extents that overlap or are beyond file or block, and
 * what reading can give. Lying images can say that many files have the same extents: who asks for all
 * of them bounds how many in all. */
int64_t memfs_image_extents(memfs_image *image, memfs_node node, uint64_t first, struct memfs_image_extent *extents,
                            size_t count);

/* A block that the image consists of. */
struct memfs_image_block {
    const char *table; /* "nodes", "entries", "extents", "xattrs", "blobs" or "digests"; "blocks": contents of files */
    unsigned level;    /* 0: a chunk of records, or contents; above: refs to what the level below has */
    uint64_t index;    /* in its level */
    uint64_t offset;   /* of its stored bytes, in the image */
    uint32_t stored;   /* bytes there, at least 1 */
    uint32_t raw;      /* bytes decoded: as many if it is not compressed, else more */
};

/* Returns 0 to go on, anything else to stop; that is then returned. */
typedef int memfs_image_block_fn(void *context, const struct memfs_image_block *block);

/* Visits every block of the newest generation, table by table, refs before what they
 * refer to. Only refs are read, so this is quick, and says nothing of the blocks' bytes. It
 * takes little memory, may be called from any thread, and since blocks that have more
 * bytes than the image end it with MEMFS_ECORRUPT, a lying image takes no longer than
 * others. detail may be NULL. */
int memfs_image_blocks(memfs_image *image, memfs_image_block_fn *visit, void *context, struct memfs_detail *detail);

/* Counters since opening. */
struct memfs_image_statistics {
    uint64_t reads, read_bytes; /* from the source */
    uint64_t decoded_bytes;     /* raw bytes that came out of decoding */
    uint64_t cached_bytes;      /* now in the cache */
};
void memfs_image_statistics(memfs_image *image, struct memfs_image_statistics *out);

/* ---- Verifying ---------------------------------------------------------------- */

struct memfs_verify_options {
    size_t size;
    int quick; /* checksums of all stored bytes, and that they fill the file without gap or overlap */
    int (*finding)(void *context, const struct memfs_detail *finding); /* nonzero stops; may be NULL */
    void *finding_context;
    memfs_progress_fn *progress;
    void *progress_context;
    uint64_t bytes_max;   /* of contents: see below; 0: 64 GiB, or 1,024 times the image if that is more */
    unsigned threads;     /* that work, the caller counted, as many as can be had, 64 at most; 0: 1 */
    uint64_t decoded_max; /* bytes that are decoded: see below; 0: as bytes_max */
    /* In place of finding, which must be there as well, of what is about a file whose path is known: from the root
     * without a slash before it, its bytes as they are, valid during the call; of more than 4,095 bytes ".../" and the
     * last ones. The text does not have it then (else it does, with '?' for control characters, or the end of it).
     * NULL: finding is told of this, too. */
    int (*file_finding)(void *context, const struct memfs_detail *finding, const char *path);
};

/* Checks an image whole: the checksums, every record, every count, that the
 * tree is one tree, and that each file's contents have their digest. 0 if
 * nothing was found, else the first finding's error, also in detail. finding is
 * told of the first hundred, and of how many more there are. What keeps it from its end and is not
 * the image's (reading fails, lack of memory, cancelling) is returned with its own detail.
 *
 * Memory and time are bounded by the size of the image, but for contents: up to 128 MiB
 * of decoded blocks are kept for what comes, and each thread has room for one more. A small
 * image can hold any number of files that share large blocks. MEMFS_ELIMIT, itself
 * a finding, if the data of all files together has more than bytes_max bytes, or if
 * more than decoded_max bytes of blocks, and of chunks that are needed again when they are gone, have to be
 * decoded; contents are then not, or not all, compared with their digests, but all else has been checked, unless it
 * is records in no order that took so much. */
int memfs_verify(memfs_image *image, const struct memfs_verify_options *options, struct memfs_detail *detail);

/* ---- Freezing ------------------------------------------------------------------ */

/* Takes bytes in order: 0 for all of them, or a negative errno. */
struct memfs_sink {
    int (*write)(void *context, const void *data, size_t length);
    void *context;
};

/* What is stored once. */
enum memfs_sharing {
    MEMFS_SHARE_PARTS, /* equal files, and equal parts of files */
    MEMFS_SHARE_FILES, /* equal files */
    MEMFS_SHARE_NONE
};

/* What is to be known of a memfs_freeze_path() that failed, beside the error. */
struct memfs_freeze_failure {
    size_t size; /* sizeof, by the caller; 0: the same; less than itself: nothing is filled */
    /* Beside the image: the name of its temporary file, if that could not be removed; else "". */
    char temporary[MEMFS_NAME_MAX + 1];
};

struct memfs_freeze_options {
    size_t size;
    const struct memfs_allocator *allocator; /* copied; for what freezing itself needs */
    int level;                               /* zstd's, 1 to 19; 0: 3 */
    uint32_t block_size;                     /* bytes, a power of two from 64 KiB to 16 MiB; 0: 1 MiB */
    unsigned threads; /* that work, the caller counted, 64 at most; 0: 1. The bytes are the same for any */
    enum memfs_sharing share;
    uint64_t window; /* bytes of contents, the last ones stored, in which equal parts are found; 64 KiB to 1 GiB
                      * (-EINVAL); 0: 128 MiB */
    uint64_t memory; /* bytes that reading ahead, window and compressing may take together, beside 200 to 350 for
                      * each file; 0: no limit. -EINVAL, and detail names the least, if they cannot do */
    int has_time;
    int64_t time;
    const char *message; /* up to 4,096 bytes; NULL: none */
    int replace;         /* memfs_freeze_path: replace an existing file, or a symbolic link itself, else -EEXIST */
    uint32_t file_mode;  /* memfs_freeze_path: permissions of the new file; 0: 0644 less the umask */
    memfs_problem_fn *problem; /* a file whose contents could not be had: 0 leaves it out */
    void *problem_context;
    memfs_progress_fn *progress;
    void *progress_context;
    struct memfs_freeze_failure *failure; /* memfs_freeze_path: filled if anything but 0 is returned, but for options
                                           * of a wrong size; may be NULL */
};

/* The least `memory` with which these options do. -EINVAL if they do not at all, with detail. */
int memfs_freeze_memory_least(const struct memfs_freeze_options *options, uint64_t *least, struct memfs_detail *detail);

/* Writes the whole filesystem. The bytes depend on the tree and the options
 * alone. The filesystem must not be changed meanwhile: -EBUSY if it was. options
 * and detail may be NULL. MEMFS_ELIMIT for more than an image can hold, -EINVAL for
 * options, -ECANCELED, -ENOMEM, and errors of reading and of the sink. */
int memfs_freeze(memfs *fs, const struct memfs_sink *sink, const struct memfs_freeze_options *options,
                 struct memfs_detail *detail);
/* To a file that appears whole or not at all: written beside path under a
 * temporary name, synced, renamed. On failure what was there is as it was; only
 * when the directory cannot be synced at last, the new image is in place already,
 * and when the temporary file cannot be removed it stays: detail says so, and failure names it. A
 * process that has a limit of file sizes (RLIMIT_FSIZE) and does not ignore SIGXFSZ is killed by that
 * signal, as by any that it does not handle, and the temporary file stays. */
int memfs_freeze_path(memfs *fs, const char *path, const struct memfs_freeze_options *options,
                      struct memfs_detail *detail);
/* To a descriptor, a pipe too; not closed, not synced. */
int memfs_freeze_fd(memfs *fs, int fd, const struct memfs_freeze_options *options, struct memfs_detail *detail);

#ifdef __cplusplus
}
#endif
#endif
