/*
 * memfs: directories of the host, in and out.
 *
 * Structs of options begin with their size, and may grow at their ends. So may those that the library gives to a
 * callback, which have none: callers do not rely on their sizes. Those that callers lend to be filled, and those that
 * stand in arrays (struct memfs_scan_source), stay as they are, but for those that begin with their size.
 */
#ifndef MEMFS_HOST_H
#define MEMFS_HOST_H

#include "memfs.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a problem is about, and so what is left out if one goes on. */
enum memfs_problem_kind {
    MEMFS_PROBLEM_FILE,   /* the file of any type, a directory with all in it */
    MEMFS_PROBLEM_NAMES,  /* what is in a directory: the directory stays, empty */
    MEMFS_PROBLEM_DEVICE, /* the device */
    MEMFS_PROBLEM_OWNER,  /* its owner and group; by an option: of all files, told once */
    MEMFS_PROBLEM_SETUID, /* its setuid and setgid bits */
    MEMFS_PROBLEM_MODE,   /* its mode */
    MEMFS_PROBLEM_TIME,   /* its time of modification, or as much of it as does not fit */
    MEMFS_PROBLEM_XATTR   /* extended attributes: the one that text names, else all of the file */
};

/* path and text are valid during the call. */
struct memfs_problem {
    enum memfs_problem_kind kind;
    int error;        /* negative; 0: no option asked for it */
    const char *path; /* from the tree's root, without a slash before it */
    const char *text; /* what happened, without path and error */
};

/* Called for each file of the host, or path of the filesystem, with which
 * something went wrong. Returns 0 to leave out what the kind says and go on,
 * anything else to fail with the error. NULL for the function fails at the
 * first. Lack of memory or of descriptors (-ENOMEM, -EMFILE, -ENFILE) is no
 * property of one file: it is not told here, and always fatal. */
typedef int memfs_problem_fn(void *context, const struct memfs_problem *problem);

/* ---- In ------------------------------------------------------------------- */

/* What was found on the host, and what is to be stored of it. */
struct memfs_scan_found {
    const char *path;  /* in the backing, from its root, without a slash before it; "." is the root */
    uint64_t dev, ino; /* on the host; 0 for a root that is not there */
    uint64_t size;     /* of a regular file */
    uint32_t mode;     /* type and permissions; the type stays whatever is put here */
    uint32_t uid, gid;
    int64_t mtime; /* mtime_max is at work already */
};

/* Asked once for each name, a directory's before those in it (but the root of
 * memfs_host_scan_list() after those in it). May change mode, uid, gid and mtime;
 * of a file with several names the first taken one says them. */
typedef int memfs_scan_filter_fn(void *context, struct memfs_scan_found *found);
#define MEMFS_SCAN_TAKE 0
#define MEMFS_SCAN_LEAVE_OUT 1 /* a directory with all in it, unread; the root cannot be left out */
                               /* anything else cancels: -ECANCELED */

struct memfs_scan_options {
    size_t size;                             /* sizeof; 0: the same */
    const struct memfs_allocator *allocator; /* copied */
    int has_mtime_max;                       /* later mtimes become mtime_max (SOURCE_DATE_EPOCH) */
    int64_t mtime_max;
    int no_xattrs;
    memfs_problem_fn *problem;
    void *problem_context;
    memfs_progress_fn *progress;
    void *progress_context;
    memfs_scan_filter_fn *filter; /* NULL: all is taken as it is */
    void *filter_context;
    int one_file_system; /* directories where something is mounted stay empty */
    unsigned threads;    /* that list directories, the caller's counted; 0: 1. With more than one up to 64 descriptors
                            and one a thread are held besides; the allocator, but no other function, is called by all
                            of them */
};

/* Reads the names and attributes of a directory and all below it into a
 * backing. Contents are read only when they are asked for: a file that has
 * changed since (identity, size, mtime, ctime) is then answered with -ESTALE,
 * one that vanished with -ENOENT. Symbolic links are not followed, except as
 * path itself; mount points are crossed. Times that 64-bit nanoseconds cannot
 * hold are clamped, and a problem with -EOVERFLOW. Regular files of /proc, /sys
 * and their like, whose sizes are made up, are a problem with -EOPNOTSUPP. What
 * progress says of bytes is the total found so far.
 * -ENOTDIR if path is not a directory; detail may be NULL. */
int memfs_host_scan(const char *path, const struct memfs_scan_options *options, memfs_backing **out,
                    struct memfs_detail *detail);

/* One of several things to be scanned, a directory with all below it or any other
 * file, and its name in the root. Relative paths are looked up from the current
 * directory as it is at the time of the scan, whatever it is when contents are read. */
struct memfs_scan_source {
    const char *name;
    const char *path;
};

/* The same for sources in any order, all copied: the root has them under their names. It
 * has mode 0755, owner and group of the first by name, the latest of their mtimes, and no
 * attributes. A symbolic link is followed anywhere in a path but at its end. A source
 * that is not there is a problem of the kind MEMFS_PROBLEM_FILE. -EEXIST for a name that two have, -EINVAL and
 * -ENAMETOOLONG for one that none may have, before anything is read. */
int memfs_host_scan_list(const struct memfs_scan_source *sources, size_t count,
                         const struct memfs_scan_options *options, memfs_backing **out, struct memfs_detail *detail);

/* ---- Out ------------------------------------------------------------------ */

/* What is taken of an entry. */
enum memfs_selection {
    MEMFS_SELECT_NOTHING,
    MEMFS_SELECT_PARENT, /* a directory, and of what is in it what is selected then */
    MEMFS_SELECT_ALL     /* the file, or the directory with all below it */
};

/* Called for an entry of a directory before anything is written; for those of
 * the root, and of each directory that is a MEMFS_SELECT_PARENT. Returns one of
 * the above, or a negative errno to fail with. */
typedef int memfs_select_fn(void *context, memfs_node directory, const struct memfs_dirent *entry);

/* What becomes of a file of any type but directory that is there already. */
enum memfs_existing {
    MEMFS_EXISTING_REFUSED, /* -EEXIST, before the first write */
    MEMFS_EXISTING_REPLACED,
    MEMFS_EXISTING_SKIPPED
};

/* path (from the destination) and stat (of the filesystem) are valid during the call. */
struct memfs_made {
    const char *path;
    const struct memfs_stat *stat;
    int replaced; /* something that was there */
};

/* Called for all that was made below the destination. Nonzero cancels: -ECANCELED. */
typedef int memfs_made_fn(void *context, const struct memfs_made *made);

/* What was written. Has no size, and so stays as it is. */
struct memfs_exported {
    uint64_t directories, files; /* that were made below the destination; files of all other types */
    uint64_t links;              /* further names of these files */
    uint64_t replaced;           /* of all these names: something that was there */
    uint64_t skipped;            /* names not among these, since something was there */
    uint64_t bytes;              /* of contents */
};

/* The budgets of an export. */
enum memfs_budget { MEMFS_BUDGET_NONE, MEMFS_BUDGET_BYTES, MEMFS_BUDGET_ENTRIES, MEMFS_BUDGET_DEPTH };

/* What is to be known of one that failed, beside the error. */
struct memfs_export_failure {
    size_t size;              /* sizeof, by the caller; 0: the same; less than itself: nothing is filled */
    enum memfs_budget budget; /* with -EDQUOT: which of them was too small; none: it is the host's quota */
    uint64_t left_behind;     /* things that were made and could not be removed again */
    uint64_t left_replaced;   /* files that were there and stay replaced */
    memfs_node too_deep;      /* with MEMFS_BUDGET_DEPTH: the directory of the filesystem; else 0. It is not held:
                               * good while the filesystem is unchanged; memfs_node_path() tells where it is */
};

struct memfs_export_options {
    size_t size;                             /* sizeof; 0: the same */
    const struct memfs_allocator *allocator; /* copied */
    int owner;                               /* restore uid and gid (chown is then an error if it fails) */
    int setuid;                              /* restore setuid, setgid: where owner, or group, are the filesystem's */
    int devices;                             /* make block and character devices */
    int privileged_xattrs;                   /* restore security.*, trusted.*, system.*; without its ACL a
                                              * file's mode gives the group no more than that did */
    uint32_t mode_mask;                      /* permission bits that are not restored, like a umask */
    int into;                                /* the directory may have things in it; see existing */
    int root_attributes;       /* path gets the root's attributes even if it was there; else it keeps its own then. Not
                                * the time where something in it was replaced */
    uint64_t bytes_max;        /* budget of contents, holes not counted, and attributes; 0: none (-EDQUOT) */
    uint64_t entries_max;      /* budget of entries; 0: none */
    uint32_t depth_max;        /* budget of directories' depth, 1 for those in path itself; 0: none */
    unsigned threads;          /* that work, the caller counted, 64 at most and fewer where descriptors are scarce;
                                * 0: 1. Callbacks come from the caller's only */
    memfs_problem_fn *problem; /* also told of what these options leave out, but for mode_mask */
    void *problem_context;
    memfs_progress_fn *progress;
    void *progress_context;
    memfs_select_fn *select; /* NULL: everything */
    void *select_context;
    enum memfs_existing existing; /* with into */
    uint32_t strip;               /* leading components that paths lose; what has no more is left out */
    int sync;                     /* all that was made is on the disk before 0 is returned */
    memfs_made_fn *made;          /* called when all is in its place, in path order */
    void *made_context;
    struct memfs_exported *exported;      /* filled if 0 is returned; may be NULL */
    struct memfs_export_failure *failure; /* filled if anything else is, but for options of a wrong size; may be NULL */
    int plan_only; /* nothing is written: made, exported and problem tell of what would be, as far as
                    * that is known before the first write; contents are not read */
    int made_root; /* path is an empty directory that the caller has just made for this, with mode 0700:
                    * it is treated as if it were made here, and so is gone when writing has failed;
                    * what fails before that leaves it to the caller */
};

/* Writes the whole tree into the directory path, which is made if it does not
 * exist; if it does, it must be an empty directory and no symbolic link, unless
 * into is set (-ENOTEMPTY, -ELOOP, -ENOTDIR). The whole tree is checked before
 * the first write: link counts, names, directories' ways in; with select or strip,
 * what is written, but for the names that files have elsewhere. Nothing outside path
 * is touched, whatever symbolic links stand or appear in it. An empty directory
 * that was there has no permissions for others until all is done. On failure
 * everything that was made is removed again, and path too if it was made; detail
 * says how many things could not be. (A directory that was there may keep an owner,
 * xattrs and time that root_attributes gave it, when that failed last.)
 *
 * With into, directories below path that are there already are filled, and keep their own
 * attributes. Never passes a symbolic link or another file for a directory (-ENOTDIR),
 * a directory for a file (-EISDIR), or what is mounted below path for a part of it
 * (-EXDEV): that too is found before the first write. A file that replaces another is
 * made beside it under a temporary name (".memfs-" and 16 hexadecimal digits), and
 * takes its place in one rename when all else is done: until then both need room, and
 * on failure everything is as it was, but for times of directories. (Where the host
 * cannot exchange names, what has been replaced stays so if a later rename fails;
 * detail says how many. And if a file that was replaced cannot be removed at last, all
 * that is new stays in its place, and the old one under the temporary name.) Of a file with several names of which some
 * are skipped, the others are names of one new file.
 *
 * strip makes paths of directories it strips meet in the destination: if two of them
 * have an entry of the same name, nothing is written (-EEXIST).
 *
 * What comes out is the same for any number of threads. With several,
 * problems are told part by part of the tree, in path order, the directories of a
 * part before its files; work goes on meanwhile as if all could be left out. Of
 * errors that are fatal the first in path order is told. The filesystem must not be
 * changed meanwhile, by callbacks neither: -EBUSY, and whatever else would have
 * gone wrong with it is not told as such. To export one that is in use, export a
 * filesystem on the backing that memfs_seal() makes of it. */
int memfs_host_export(memfs *fs, const char *path, const struct memfs_export_options *options,
                      struct memfs_detail *detail);

#ifdef __cplusplus
}
#endif
#endif
