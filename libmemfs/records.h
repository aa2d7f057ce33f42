/*
 * The native records: what a chunk of each table holds in memory. Backings
 * hand out chunks of these, and the filesystem keeps its own in the same form.
 * Records refer to each other by index; index 0 of nodes is never used.
 */
#ifndef MEMFS_RECORDS_H
#define MEMFS_RECORDS_H

#include <stddef.h>
#include <stdint.h>

/* The tables. A backing from outside has those before MEMFS_BACKED; the others
 * hold what filesystems change, and come only from sealed filesystems. */
enum memfs_table {
    MEMFS_NODES,
    MEMFS_ENTRIES, /* directories' base runs, each chunk followed by its names */
    MEMFS_EXTENTS,
    MEMFS_XATTRS,
    MEMFS_BLOBS,   /* heap: link targets, attribute names and values */
    MEMFS_DIGESTS, /* by node: uint64_t, XXH3-64 of the content; 0 where none */
    MEMFS_BACKED,
    MEMFS_DELTAS = MEMFS_BACKED, /* insertions into and removals from directories */
    MEMFS_BUCKETS,               /* the hash table over the deltas */
    MEMFS_OVERFLOWS,             /* more room for those of its buckets that are full */
    MEMFS_NAMES,                 /* heap: names of the deltas */
    MEMFS_DIRS,                  /* directories that have changed */
    MEMFS_CONTENTS,              /* files that have changed */
    MEMFS_MAPS,                  /* page maps of large files */
    MEMFS_TABLES
};

/* Records (bytes, for a heap) in a chunk, as a power of two. */
#define MEMFS_CHUNK_SHIFT 9  /* record tables: 512 records */
#define MEMFS_BLOBS_SHIFT 16 /* 64 KiB: an item never crosses a chunk's end */
#define MEMFS_NAMES_SHIFT 14
#define MEMFS_BUCKETS_SHIFT 6
#define MEMFS_OVERFLOWS_SHIFT 4
#define MEMFS_DIRS_SHIFT 6
#define MEMFS_CONTENTS_SHIFT 7
#define MEMFS_MAPS_SHIFT 4
#define MEMFS_CHUNK_RECORDS (1u << MEMFS_CHUNK_SHIFT)
#define MEMFS_BLOB_BYTES (1u << MEMFS_BLOBS_SHIFT)
#define MEMFS_HEAP_MAX ((uint64_t)1 << 40) /* heap offsets have 40 bits */
#define MEMFS_HOLE_SHIFT 12                /* the page a hole consists of: 4,096 bytes */
#define MEMFS_HOLE_BYTES (1u << MEMFS_HOLE_SHIFT)

/* mode of a node: POSIX type and permissions, and: */
#define MEMFS_MODE_BITS 0177777u
#define MEMFS_NODE_CHANGED 0x10000u  /* directory: run.first is an index of DIRS; file: extents.first of CONTENTS */
#define MEMFS_NODE_LINKABLE 0x20000u /* a file made without a name, which may still get one */
#define MEMFS_NODE_PAGED 0x40000u    /* a file that has changed: all of it is in `page`, and CONTENTS has no record */
#define MEMFS_NODE_PAGES_SHIFT 20    /* and this many 4,096-byte pages of it are no holes: 0 to 16, in 5 bits */

/* A node. Unused nodes are all zero but for the generation. Times are
 * nanoseconds since 1970. */
struct memfs_node_record {
    uint32_t mode;
    uint32_t nlink;
    uint32_t uid, gid;
    union {
        uint64_t size; /* file: bytes; symbolic link: bytes of the target; else 0 */
        struct {
            uint32_t first, count; /* directory: its run of entries */
        } run;
    };
    int64_t mtime, ctime, atime;
    uint32_t generation;
    uint32_t xattrs; /* 0: none, else 1 + index of the first record of the set */
    union {
        struct {
            uint32_t first, count; /* file: its extents */
        } extents;
        uint64_t page; /* file: the slot of its only page (content.h); 0: all is a hole */
        struct {
            uint32_t parent, entry; /* directory: where it hangs; root: 0, 0 */
        } up;
        struct {
            uint32_t major, minor; /* device */
        } rdev;
        uint64_t target; /* symbolic link: offset in BLOBS */
        uint32_t next_free;
    };
};
_Static_assert(sizeof(struct memfs_node_record) == 64, "a node fits in 64 bytes");

/* An entry of a base run. Within a run names strictly ascend, compared as
 * unsigned bytes, the shorter first among equal prefixes. */
struct memfs_entry {
    uint32_t node;
    uint32_t prefix;    /* the name's first 4 bytes, big-endian, zero-padded */
    uint32_t name;      /* offset of the name from the chunk's start; no NUL follows */
    uint8_t length;     /* of the name, 1 to 255 */
    uint8_t type;       /* the node's mode >> 12 */
    uint8_t starts_run; /* 1: a run starts here, else 0 */
    uint8_t reserved;
};
_Static_assert(sizeof(struct memfs_entry) == 16, "an entry fits in 16 bytes");

static inline const char *memfs_entry_name(const void *chunk, const struct memfs_entry *entry)
{
    return (const char *)chunk + entry->name;
}

static inline uint32_t memfs_name_prefix(const char *name, size_t length)
{
    uint32_t prefix = 0;
    for (size_t i = 0; i < 4; i++)
        prefix = prefix << 8 | (i < length ? (uint8_t)name[i] : 0u);
    return prefix;
}

/* Bytes of a file: [offset, offset + length) stand at start in a block. A
 * file's extents are sorted and do not overlap; a gap is a hole. */
struct memfs_extent {
    uint64_t offset;
    uint64_t length; /* at least 1 */
    uint32_t block;
    uint32_t start;
};
_Static_assert(sizeof(struct memfs_extent) == 24, "an extent fits in 24 bytes");

/* One attribute. A set is a run of these, names strictly ascending, the last
 * one marked; sets may be shared by nodes. */
struct memfs_xattr {
    uint64_t name;  /* offset in BLOBS */
    uint64_t value; /* offset in BLOBS; 0 if value_length is 0 */
    uint32_t value_length;
    uint8_t name_length; /* 1 to 255 */
    uint8_t last;        /* 1: the set ends here, else 0 */
    uint16_t reserved;
};
_Static_assert(sizeof(struct memfs_xattr) == 24, "an attribute fits in 24 bytes");

/* ---- What filesystems change: DELTAS, BUCKETS, OVERFLOWS, DIRS, CONTENTS, MAPS ---- */

/*
 * A change to a directory:
 *   insertion    length and type are not 0: a new entry
 *   removal      length 0, type 0: of the base entry whose number is `node`
 *   replacement  length 0, type not 0: that base entry now leads to the node `prev`
 */
#define DELTA_TEXT 18 /* bytes of a name that stands in the delta itself */
struct delta {
    uint32_t node;
    uint32_t dir;          /* 0: free */
    uint32_t prev, next;   /* insertions: 1 + neighbours in the directory, oldest first */
    uint32_t order;        /* insertions: ascends along the list, modulo 2^30 */
    uint8_t length;        /* of the name */
    uint8_t type;          /* mode >> 12 */
    char text[DELTA_TEXT]; /* the name; of a longer one, in its first 8 bytes, the offset in NAMES */
};
_Static_assert(sizeof(struct delta) == 40, "a delta fits in 40 bytes");

/* A directory that has changed. */
struct dir_record {
    uint32_t first, count;                /* base run */
    uint32_t head, tail;                  /* 1 + oldest and newest insertion */
    uint32_t order;                       /* of the next insertion */
    uint32_t inserted, removed, replaced; /* how many of each there are */
};

#define BUCKET_SLOTS 10

/* A line of the processor's cache: one is fetched to know where a delta is. Where
 * more belong into a bucket than it has slots, the others stand in buckets of OVERFLOWS. */
struct bucket {
    uint16_t tags[BUCKET_SLOTS];  /* bits of each one's hash; of a free slot 0 */
    uint32_t more;                /* 1 + the next of OVERFLOWS; 0: none */
    uint32_t slots[BUCKET_SLOTS]; /* 1 + delta, or 0: it is free */
};
_Static_assert(sizeof(struct bucket) == 64, "a bucket fits in 64 bytes");

#define MAP_SHIFT 6
#define MAP_SLOTS (1u << MAP_SHIFT)

/* A slot of a map's lowest level, or the root of a file of one page: 0 for an
 * absent page, the address of a struct page, or an odd number for a hole that
 * hides the base: 1 + twice the mask of the base's data there. A slot higher up:
 * 0, or 1 + the index of a record. */
struct map_record {
    uint64_t slots[MAP_SLOTS];
};

/* A file that has changed. No root: height 0. */
struct content_record {
    uint64_t root;                   /* the slot above everything */
    uint64_t base_limit;             /* the base's bytes are visible below this */
    int64_t pages;                   /* 4,096-byte pages: private data, less what private pages and holes hide */
    uint32_t base_first, base_count; /* extents of the base */
    uint8_t height;                  /* of the tree of maps */
    uint8_t reserved[7];
};

#endif
