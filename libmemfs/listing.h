/*
 * What walk and glob have in common: a growing path, a directory's names in order, options, and
 * the adapter for who asks for no more than paths.
 */
#ifndef MEMFS_LISTING_H
#define MEMFS_LISTING_H

#include "alloc.h"

/* A path from the root, or from what stands for one. Zeroed: the root's own. */
struct trail {
    char *bytes;
    size_t length, room;
};

/* Goes on to a name. -ENOMEM. */
int trail_append(const struct memfs_allocator *allocator, struct trail *trail, const char *name);
void trail_cut(struct trail *trail, size_t length);
const char *trail_text(const struct trail *trail); /* with NUL */
void trail_free(const struct memfs_allocator *allocator, struct trail *trail);

/* All names of a directory at one time, sorted by their bytes. */
struct listed {
    memfs_node node;
    union {
        size_t offset; /* while the listing is being made */
        const char *name;
    };
};
struct listing {
    struct listed *items;
    size_t count, room;
    char *bytes;
    size_t used, bytes_room;
};

/* One more name; listing_sort() before the names are used. -ENOMEM. */
int listing_add(const struct memfs_allocator *allocator, struct listing *listing, memfs_node node, const char *name);
void listing_sort(struct listing *listing);

/* batch is room for batch_count entries. memfs_node_readdir()'s errors; then
 * nothing is listed. */
int listing_read(memfs *fs, const struct memfs_cred *cred, memfs_node dir, struct memfs_dirent *batch,
                 size_t batch_count, struct listing *out);
void listing_free(const struct memfs_allocator *allocator, struct listing *listing);

/* The entries that have been met. */
struct met {
    memfs *fs;
    uint64_t entries;      /* since where directories were met that may have been met before: behind a symbolic link */
    uint64_t all, changes; /* of the filesystem, when it began */
    memfs_progress_fn *progress;
    void *progress_context;
};
void met_begin(struct met *met, memfs *fs, const struct memfs_walk_options *options);
/* One more. MEMFS_ECORRUPT if there are not so many: directories of a lying image may all claim the same ones.
 * -ECANCELED. */
int met_add(struct met *met);

struct walk_plain {
    memfs_walk_fn *visit;
    void *context;
};
/* A memfs_step_fn, whose context is a walk_plain. */
int walk_visit_plain(void *context, const struct memfs_step *step);

#endif
