/*
 * One export: a filesystem's tree, first planned and checked as a whole, then
 * made below the destination. The plan has each directory, numbered so that a
 * directory's children follow each other and have larger numbers than it;
 * files are found anew by listing the filesystem's directories in each step.
 */
#ifndef MEMFS_HOST_EXPORT_H
#define MEMFS_HOST_EXPORT_H

#include "host_list.h"
#include "host_map.h"
#include "host_trail.h"
#include "memfs_host.h"

#define MEMFS_EXPORT_BATCH 64 /* entries listed at once */
#define MEMFS_EXPORT_PIECE ((size_t)1 << 20)

enum memfs_export_state { MEMFS_EXPORT_PLANNED, MEMFS_EXPORT_MADE, MEMFS_EXPORT_LEFT_OUT };

struct memfs_export_dir {
    memfs_node node;
    uint64_t ino;  /* on the host; 0: not known yet, or not ours */
    uint64_t name; /* in names */
    uint32_t parent;
    uint32_t first, count; /* the directories in it */
    uint8_t name_length;
    uint8_t state;     /* enum memfs_export_state */
    uint8_t has_links; /* files whose first name is elsewhere, or further up */
    uint8_t has_symlinks;
    uint8_t unlistable; /* not wholly; told, and to be left out */
};

/* A file, of any type but directory, with more than one name. */
struct memfs_export_link {
    memfs_node node;
    uint64_t ino;
    uint64_t name;      /* the one it was made under, */
    uint32_t directory; /* in this directory */
    uint32_t nlink, seen;
    uint8_t name_length;
    uint8_t made;
};

struct memfs_export {
    memfs *fs;
    struct memfs_export_options options;
    struct memfs_allocator allocator;
    struct memfs_host_tree tree;
    struct memfs_host_report report;
    struct memfs_progress progress;

    /* The plan. */
    struct memfs_host_list dirs, names, links; /* directory 0 is the root */
    struct memfs_host_map link_numbers;        /* by node: 1 + index in links */
    uint64_t **seen;                           /* pages of a bitmap by node number */
    size_t seen_room;
    uint64_t entries, nodes, bytes;
    size_t depth;
    int incomplete; /* something could not be listed, and was to be left out */
    int any_links, any_symlinks;

    /* The destination. */
    int above;                     /* the directory that has it */
    char base[MEMFS_NAME_MAX + 1]; /* its name there */
    int made_root;
    mode_t root_mode;  /* as it was found */
    int root_closed;   /* it has lost its permissions for others until the end */
    mode_t spare_mode; /* permissions for others that the host gives any directory */
    uint64_t dev;
    uint32_t uid; /* whom the host makes the owner of what is made */
    struct memfs_host_trail trail;
    struct memfs_host_trail link_trail; /* to first names */
    struct memfs_host_list inos;        /* uint64_t: all that was made, but directories */
    uint64_t written;
    int finishing; /* directories have begun to get their modes */
    int owner_told;

    struct memfs_dirent *batch; /* MEMFS_EXPORT_BATCH */
    char *list, *value;         /* of attributes */
    void *buffer;               /* for the host's directory records */
};
#define MEMFS_EXPORT_BUFFER ((size_t)32 << 10)

static inline struct memfs_export_dir *memfs_export_dir(const struct memfs_export *job, uint32_t directory)
{
    return memfs_host_list_at(&job->dirs, directory);
}

/* Calls visit for each entry of a directory of the filesystem. Errors are
 * reported, and may be told to be left out. */
typedef int memfs_export_visit(struct memfs_export *job, uint32_t directory, const struct memfs_dirent *entry);
int memfs_export_list(struct memfs_export *job, uint32_t directory, memfs_export_visit *visit);

/* The next directory depth first, each before those in it (0: none), not going
 * into this one if skip; depth is kept up to date. */
uint32_t memfs_export_next(const struct memfs_export *job, uint32_t directory, int skip, size_t *depth);
/* Each after those in it: the first one, and the next; the root comes last. */
uint32_t memfs_export_deepest(const struct memfs_export *job, uint32_t directory);
uint32_t memfs_export_next_up(const struct memfs_export *job, uint32_t directory);

/* Progress: -ECANCELED if the caller has had enough. */
int memfs_export_tell(struct memfs_export *job);

/* Whether a directory of the host has anything in it, or a negative errno. */
int memfs_export_any(struct memfs_export *job, int fd);

/* The record of a file with several names, or NULL. */
struct memfs_export_link *memfs_export_find_link(const struct memfs_export *job, memfs_node node);

/* Each of the following steps reports its errors. */

/* Walks and checks the whole tree. */
int memfs_export_plan(struct memfs_export *job);

/* Opens or makes the destination, which is closed to others until the end. */
int memfs_export_open(struct memfs_export *job, const char *path);

/* Makes directories and files; then hard links; then symbolic links. */
int memfs_export_make(struct memfs_export *job);

/* Gives directories their attributes, deepest first. */
int memfs_export_finish(struct memfs_export *job);

/* Removes all that was made; returns how much of it could not be. */
uint64_t memfs_export_undo(struct memfs_export *job);

/* Something that was made, held by a descriptor. */
struct memfs_export_made {
    uint32_t directory;
    const char *name; /* NULL: the directory itself */
    int fd;
    int is_path; /* fd was opened with O_PATH */
};

/* Owner, attributes, mode, mtime, as the options say. */
int memfs_export_attributes(struct memfs_export *job, const struct memfs_export_made *made,
                            const struct memfs_stat *stat);

/* The bytes of a regular file into an empty one. Not reported: *text says what failed. */
int memfs_export_content(struct memfs_export *job, int fd, const struct memfs_stat *stat, const char **text);

#endif
