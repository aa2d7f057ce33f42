/*
 * One export: a filesystem's tree, first planned and checked as a whole, then
 * made below the destination. The plan has each directory, numbered so that a
 * directory's children follow each other and have larger numbers than it;
 * files are found anew by listing the filesystem's directories in each step.
 *
 * Files are made by several workers, of whom the caller is one. The plan says
 * where the tree can be cut, in path order, into runs of neighbouring files: a
 * worker makes one run at a time, since neighbours share blocks of an image.
 * The caller alone makes directories, each before its run is dealt out, and
 * does all that comes before and after files. What is read by all while files
 * are made stays as it is: the plan, and the directories dealt out.
 */
#ifndef MEMFS_HOST_EXPORT_H
#define MEMFS_HOST_EXPORT_H

#include "host_export_told.h"
#include "host_map.h"
#include "host_trail.h"
#include "memfs_host.h"
#include "rows.h"

#include <stdatomic.h>

#define MEMFS_EXPORT_BATCH 64 /* entries listed at once */
#define MEMFS_EXPORT_PIECE ((size_t)1 << 20)
#define MEMFS_EXPORT_SMALL ((size_t)32 << 10)     /* pieces below it are written together, */
#define MEMFS_EXPORT_GATHERED ((size_t)256 << 10) /* so much at once */
#define MEMFS_EXPORT_BUFFER ((size_t)32 << 10)

#define MEMFS_EXPORT_TEMPORARY 24 /* a temporary name, with NUL */

/* Of a directory. */
enum memfs_export_state {
    MEMFS_EXPORT_PLANNED,
    MEMFS_EXPORT_MADE,     /* the root also if it was found */
    MEMFS_EXPORT_FOUND,    /* it was there, and keeps what it has */
    MEMFS_EXPORT_STRIPPED, /* the host has none: what is in it goes into the root */
    MEMFS_EXPORT_LEFT_OUT
};

/* Of a file that was not simply made. */
enum memfs_export_fate { MEMFS_EXPORT_SKIPPED = 1, MEMFS_EXPORT_REPLACES, MEMFS_EXPORT_MISSING };

struct memfs_export_dir {
    memfs_node node;
    uint64_t ino;  /* on the host; 0: not known yet, or not ours */
    uint64_t name; /* in names */
    uint32_t parent;
    uint32_t first, count; /* the directories in it */
    uint8_t name_length;
    uint8_t state;     /* enum memfs_export_state */
    uint8_t has_links; /* files whose first name is elsewhere, or further up */
    uint8_t has_files; /* that are made here: not links, not symbolic links */
    uint8_t has_symlinks;
    uint8_t partial;             /* only those of its files that are in `taken` */
    _Atomic(uint8_t) unlistable; /* not wholly; told, and to be left out */
};

/* A file, of any type but directory, with more than one name. */
struct memfs_export_link {
    memfs_node node;
    uint64_t ino;
    uint64_t name;      /* the first in path order, or else the one it was made under, */
    uint32_t directory; /* in this directory */
    uint32_t nlink, seen;
    uint8_t name_length;
    uint8_t made;
    uint64_t temporary; /* the number of the temporary name that it has, or 0 */
};

/* The name under which a file is made: its own, unless something is there. */
struct memfs_export_spot {
    const char *name;
    uint64_t temporary; /* the number of the name in text, or 0 */
    int skipped;        /* nothing is to be made */
    int is_link;        /* it is one more name of a file */
    char text[MEMFS_EXPORT_TEMPORARY];
};

/* An entry that lands in the root, since directories above it are stripped. */
struct memfs_export_landed {
    uint64_t name;
    uint32_t directory;
    uint8_t name_length;
};

/* A file that has a temporary name, and is to take the place of another. */
struct memfs_export_replacement {
    uint64_t name; /* the worker's names: its own, */
    uint64_t ino;
    uint64_t temporary; /* and the one that it was made under, by its number */
    uint32_t directory;
    uint8_t name_length;
    uint8_t is_exchanged; /* what was there has the temporary name now */
    uint8_t is_final;     /* what was there is lost */
};

/* A file of which something has become, by its place. */
struct memfs_export_exception {
    uint32_t directory;
    enum memfs_export_fate fate;
    uint64_t cursor;
};

/* In path order, the place behind an entry of a directory, by its cursor (0:
 * before the first). {0, 0} is the beginning; as an end, the end of all. */
struct memfs_export_place {
    uint32_t directory;
    uint64_t cursor;
};

/* Who makes files: a way to directories, and room to work in. */
struct memfs_export_worker {
    struct memfs_export *job;
    unsigned number;                /* 0: the caller */
    struct memfs_export_told *told; /* NULL: the caller is told at once */
    struct memfs_host_trail trail;
    struct memfs_rows inos;         /* uint64_t: all that it has made, but directories; 0: nothing */
    struct memfs_rows replacements; /* struct memfs_export_replacement */
    struct memfs_rows names;        /* theirs */
    struct memfs_rows exceptions;   /* struct memfs_export_exception; not yet gathered */
    struct memfs_exported exported; /* its part */
    uint64_t lost;                  /* it made, could not look at, and could not remove */
    struct memfs_dirent *batch;     /* MEMFS_EXPORT_BATCH, */
    int errors[MEMFS_EXPORT_BATCH]; /* and why of an entry no more than node and type are known */
    char *value;                    /* of an attribute */
    char *gathered;                 /* contents: MEMFS_EXPORT_GATHERED */
};

struct memfs_export {
    memfs *fs;
    struct memfs_export_options options;
    struct memfs_allocator allocator;
    struct memfs_host_tree tree;  /* as it is on the host */
    struct memfs_host_tree image; /* as it is in the filesystem: what is reported */
    struct memfs_host_report report;
    struct memfs_progress totals;          /* of the plan, once it is made */
    _Atomic(uint64_t) nodes_made, written; /* written: bytes of contents */

    /* The plan. */
    struct memfs_rows dirs, names, links; /* directory 0 is the root */
    struct memfs_host_map link_numbers;   /* by node: 1 + index in links */
    struct memfs_rows cuts;               /* struct memfs_export_place */
    uint64_t cost;                        /* of what was planned since the last cut */
    uint64_t **seen;                      /* pages of a bitmap by node number */
    size_t seen_room;
    uint64_t entries, nodes, bytes;
    uint64_t xattr_bytes; /* names and values; of the budget of bytes, too */
    size_t depth;
    size_t level;                     /* of the directory that is planned */
    uint64_t subdirectories;          /* in it, planned or not */
    struct memfs_host_map taken;      /* by directory and cursor: files of directories that are partial */
    struct memfs_host_map exceptions; /* the same: enum memfs_export_fate */
    struct memfs_rows landed;         /* what strip brings into the root: struct memfs_export_landed */
    struct memfs_host_map landed_numbers;
    uint64_t seed;            /* random, and told nobody: of hashes of names */
    struct memfs_rows levels; /* while what was made is told */
    int incomplete;           /* something could not be read, and was to be left out */
    int planning;
    int any_links, any_symlinks;

    /* The destination. */
    int above;                     /* the directory that has it */
    char base[MEMFS_NAME_MAX + 1]; /* its name there */
    int made_root;
    mode_t root_mode;           /* as it was found */
    int root_closed;            /* it has lost its permissions for others until the end */
    mode_t spare_mode;          /* permissions for others that the host gives any directory */
    int closed;                 /* nobody else gets at what is made in it */
    int inherits;               /* what is made in it may have ACLs from it */
    uint64_t dev;               /* of the directories */
    _Atomic(uint64_t) file_dev; /* of the files that were made, which on overlays is another; MEMFS_EXPORT_NO_DEV */
    uint32_t uid;               /* whom the host makes the owner of what is made */
    uint32_t self_uid, self_gid;
    struct memfs_host_trail link_trail; /* to first names */
    int finishing;                      /* directories have begun to get their modes */
    int owner_told;
    _Atomic(uint64_t) temporary;    /* the number of the next temporary name */
    struct memfs_host_map replaced; /* by directory and hash of its name: 1 + number of the replacement */

    /* Who works. */
    struct memfs_export_worker *workers; /* the caller is the first */
    unsigned worker_room;
    _Atomic(uint64_t) stop; /* what comes in this run or behind it is not wanted any more */
    int cancelled;
    enum memfs_budget budget;            /* that was too small */
    memfs_node too_deep;                 /* the directory, if that of depth was */
    uint64_t left_behind, left_replaced; /* of what was to be undone */
    void *buffer;                        /* for the host's directory records; the caller's */
};

#define MEMFS_EXPORT_NO_DEV UINT64_MAX /* no file has been made yet */

/* Is it the file that was made with this inode number? */
static inline int memfs_export_is_made(const struct memfs_export *job, const struct stat *stat, uint64_t ino)
{
    return (uint64_t)stat->st_dev == atomic_load(&job->file_dev) && (uint64_t)stat->st_ino == ino;
}

static inline struct memfs_export_dir *memfs_export_dir(const struct memfs_export *job, uint32_t directory)
{
    return memfs_rows_at(&job->dirs, directory);
}

/* The directory of the host in which a directory's entries are. */
static inline uint32_t memfs_export_host(const struct memfs_export *job, uint32_t directory)
{
    return memfs_export_dir(job, directory)->state == MEMFS_EXPORT_STRIPPED ? 0 : directory;
}

/* Is there a place for what is in it? */
static inline int memfs_export_is_there(const struct memfs_export_dir *dir)
{
    return dir->state == MEMFS_EXPORT_MADE || dir->state == MEMFS_EXPORT_FOUND || dir->state == MEMFS_EXPORT_STRIPPED;
}

/* Goes where a directory's entries are. */
static inline int memfs_export_go(const struct memfs_export *job, struct memfs_host_trail *trail, uint32_t directory)
{
    return memfs_host_trail_go(trail, memfs_export_host(job, directory));
}

/* Is a file of a directory that was planned to be made? */
int memfs_export_is_taken(const struct memfs_export *job, uint32_t directory, const struct memfs_dirent *entry);
/* And nothing was in its place that forbids it? */
int memfs_export_is_wanted(const struct memfs_export *job, uint32_t directory, const struct memfs_dirent *entry);

/* Calls visit for the entries of a directory of the filesystem from a place on,
 * up to that with the cursor `end` (0: to the last), until it returns other than
 * 0. The place goes along, but not past what was not visited. Errors are
 * reported, and may be told to be left out; entries of which no stat is to be had
 * are left out one by one. */
typedef int memfs_export_visit(struct memfs_export_worker *worker, uint32_t directory,
                               const struct memfs_dirent *entry);
int memfs_export_list(struct memfs_export_worker *worker, struct memfs_export_place *at, uint64_t end,
                      memfs_export_visit *visit);
/* What becomes of such an entry while the plan is made. */
int memfs_export_plan_unread(struct memfs_export *job, uint32_t directory, const struct memfs_dirent *entry, int error);
/* Of all its entries. */
int memfs_export_list_all(struct memfs_export_worker *worker, uint32_t directory, memfs_export_visit *visit);

/* The next directory depth first, each before those in it (0: none), not going
 * into this one if skip; depth is kept up to date. */
uint32_t memfs_export_next(const struct memfs_export *job, uint32_t directory, int skip, size_t *depth);
/* Each after those in it: the first one, and the next; the root comes last. */
uint32_t memfs_export_deepest(const struct memfs_export *job, uint32_t directory);
uint32_t memfs_export_next_up(const struct memfs_export *job, uint32_t directory);

/* A budget is too small: reported. */
int memfs_export_over_budget(struct memfs_export *job, enum memfs_budget budget, uint32_t directory, const char *name);

/* To be called all the time: -ECANCELED if the caller has had enough, or what the
 * worker does is not wanted any more. The caller's own worker tells him how far
 * it is. */
int memfs_export_tell(struct memfs_export_worker *worker);

/* Whether a directory of the host has anything in it, or a negative errno. */
int memfs_export_any(struct memfs_export *job, int fd);

/* The record of a file with several names, or NULL. */
struct memfs_export_link *memfs_export_find_link(const struct memfs_export *job, memfs_node node);

/* ---- Workers --------------------------------------------------------------- */

/* A zeroed one, whose trail is still to begin. -ENOMEM. */
int memfs_export_worker_begin(struct memfs_export *job, struct memfs_export_worker *worker);
void memfs_export_worker_end(struct memfs_export_worker *worker); /* zeroed is fine */

/* Reported at once, or noted, as it is with the worker. */
int memfs_export_problem(struct memfs_export_worker *worker, enum memfs_problem_kind kind, uint32_t directory,
                         const char *name, int error, const char *text);
int memfs_export_left_out(struct memfs_export_worker *worker, enum memfs_problem_kind kind, uint32_t directory,
                          const char *name, const char *text);
int memfs_export_fail(struct memfs_export_worker *worker, uint32_t directory, const char *name, int error,
                      const char *text);

/* ---- Steps: each reports its errors ------------------------------------------ */

/* Walks and checks the whole tree. */
int memfs_export_plan(struct memfs_export *job);
/* Of an entry that lands in the root, since directories above it are stripped. */
int memfs_export_land(struct memfs_export *job, uint32_t directory, const struct memfs_dirent *entry);

/* Opens or makes the destination, which is closed to others until the end. */
int memfs_export_open(struct memfs_export *job, const char *path);

/* Looks for what is there already, before the first write. */
int memfs_export_look(struct memfs_export *job);

/* Makes directories and files; then hard links; then symbolic links. */
int memfs_export_make(struct memfs_export *job);
/* The first of these. */
int memfs_export_make_runs(struct memfs_export *job);

/* Tells the caller what was made; of a plan that is not to be carried out counts it, too. */
int memfs_export_tell_made(struct memfs_export *job);

/* ---- Replacing: what has a temporary name, and what is to have its own ---------- */

/* The number is not 0. */
void memfs_export_temporary_name(uint64_t number, char text[MEMFS_EXPORT_TEMPORARY]);

/* Tries to make something under a name where the worker's trail ends: not negative, or a negative errno. */
typedef int memfs_export_try(struct memfs_export_worker *worker, const void *what, const char *name);
/* Does so under the spot's name, or, if something is there, does what is to be
 * done then. -EISDIR for a directory. */
int memfs_export_try_spot(struct memfs_export_worker *worker, struct memfs_export_spot *spot, memfs_export_try *attempt,
                          const void *what);

/* What became of a file: counted, and noted as far as others need to know. ino
 * is 0 if it was not made. */
int memfs_export_note(struct memfs_export_worker *worker, uint32_t directory, const struct memfs_dirent *entry,
                      const struct memfs_export_spot *spot, uint64_t ino);

/* What became of a file whose entry later steps pass over, or tell otherwise: for the next
 * memfs_export_gather(). Once of each. -ENOMEM. */
int memfs_export_except(struct memfs_export_worker *worker, uint32_t directory, const struct memfs_dirent *entry,
                        enum memfs_export_fate fate);
/* Between two steps, while nobody else works: what all workers noted is known to the next one. */
int memfs_export_gather(struct memfs_export *job);

/* Whether anything was made under a temporary name. */
int memfs_export_replaces(const struct memfs_export *job);
/* Puts all of that in its place. */
int memfs_export_replace(struct memfs_export *job);
/* The reverse: returns how many have to stay as they are. */
uint64_t memfs_export_restore(struct memfs_export *job);
/* Is a name, of a directory of the host, one of those? */
int memfs_export_stays(const struct memfs_export *job, uint32_t directory, const char *name, size_t length);
/* Removes what was replaced. */
int memfs_export_drop(struct memfs_export *job);

/* Removes all that was made; returns how much of it could not be. */
uint64_t memfs_export_undo(struct memfs_export *job);

/* ---- One thing ---------------------------------------------------------------- */

/* Makes an empty directory where the trail of the caller's worker then ends. */
int memfs_export_make_directory(struct memfs_export_worker *worker, uint32_t directory);

/* Makes a file of any type but directory; link is its record, if it has one. */
int memfs_export_make_file(struct memfs_export_worker *worker, uint32_t directory, const struct memfs_dirent *entry,
                           struct memfs_export_link *link);

/* Devices are made by an option only; and what is told without it. */
int memfs_export_is_device(const struct memfs_dirent *entry);
int memfs_export_leave_device(struct memfs_export_worker *worker, uint32_t directory, const struct memfs_dirent *entry);

/* Is it the name under which a file with several is to be made, or was made? */
int memfs_export_is_first(const struct memfs_export *job, const struct memfs_export_link *link, uint32_t directory,
                          const struct memfs_dirent *entry);

/* Something that was made, held by a descriptor. */
struct memfs_export_made {
    uint32_t directory;
    const char *name; /* NULL: the directory itself */
    int fd;
    int is_path;     /* fd was opened with O_PATH */
    int mode;        /* its permissions, if they are known and it is ours; else -1 */
    int is_owned;    /* by whom it is to be, and it has been made just now */
    mode_t withheld; /* of the permissions that it is to have: see host_export_attributes.c */
};

/* Owner, attributes, mode, mtime, as the options say. */
int memfs_export_attributes(struct memfs_export_worker *worker, struct memfs_export_made *made,
                            const struct memfs_stat *stat);
/* The permissions that are to be restored, setuid and setgid if they are. */
mode_t memfs_export_mode(const struct memfs_export *job, const struct memfs_stat *stat);

/* The bytes of a regular file into an empty one. Not reported: *text says what failed. */
int memfs_export_content(struct memfs_export_worker *worker, int fd, const struct memfs_stat *stat, const char **text);

/* Directories below us that are not what we made there. */
extern const char memfs_export_exchanged[];
extern const char memfs_export_in_the_way[]; /* a directory in a file's place */
int memfs_export_is_exchanged(int error);

#endif
