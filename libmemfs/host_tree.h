/*
 * A tree of directories by number, as far as finding one's way in it goes: a
 * parent has a smaller number than its children. Scan and export each have
 * such a tree; trails (host_trail.h) and messages are made for both.
 */
#ifndef MEMFS_HOST_TREE_H
#define MEMFS_HOST_TREE_H

#include "alloc.h"
#include "memfs_host.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct memfs_host_tree {
    void *context;
    uint32_t root;
    uint32_t (*parent)(void *context, uint32_t directory);
    /* The directory's name, with NUL; returns its length. */
    size_t (*name)(void *context, uint32_t directory, char name[MEMFS_NAME_MAX + 1]);
    /* May what the host has under this name be taken for the directory? 0, or
     * the error to fail with. NULL: any directory may. */
    int (*admit)(void *context, uint32_t directory, const struct stat *stat);
    /* Opens the directory for reading; parent is its parent's descriptor. A descriptor, or a
     * negative errno. NULL: by its name there. */
    int (*open)(void *context, uint32_t directory, int parent);
};

/* The path of an entry of a directory (of the directory itself if name is
 * NULL; "." for the root), relative to the root, with NUL. Any length. To be
 * freed with *size; NULL if there is no memory. */
char *memfs_host_path(const struct memfs_host_tree *tree, const struct memfs_allocator *allocator, uint32_t directory,
                      const char *name, size_t *size);

/* Who is told when something goes wrong, and how paths are said. */
struct memfs_host_report {
    const struct memfs_host_tree *tree;
    const struct memfs_allocator *allocator;
    memfs_problem_fn *problem;
    void *problem_context;
    struct memfs_detail *detail; /* may be NULL */
};

/* Fills the detail with the path, what happened, and the error; returns error. */
int memfs_host_fail(const struct memfs_host_report *report, uint32_t directory, const char *name, int error,
                    const char *text);

/* The same with a path of the host, when its directory cannot be opened at all:
 * "PATH: TEXT: ERROR", or "PATH: TEXT: ERROR; ADVICE" if text has that. */
int memfs_host_fail_path(struct memfs_detail *detail, const char *path, int error, const char *text);

/* Is it lack of descriptors, of this process or of the host? */
int memfs_host_is_scarce(int error);

/* Is it an error that is no property of one file: lack of memory or of
 * descriptors, cancelling? */
int memfs_host_is_general(int error);

/* Something about a path went wrong: may it be left out? 0 if so, else the
 * error, with the detail filled. General errors are not asked. */
int memfs_host_problem(const struct memfs_host_report *report, enum memfs_problem_kind kind, uint32_t directory,
                       const char *name, int error, const char *text);

/* An option leaves something out. -ECANCELED if the caller does not agree. */
int memfs_host_left_out(const struct memfs_host_report *report, enum memfs_problem_kind kind, uint32_t directory,
                        const char *name, const char *text);

/* An entry of a directory that is not ".", "..": calls see for each that the
 * descriptor still has to say. buffer is for the host's records. Stops at the
 * first that is not 0 and returns it. */
typedef int memfs_host_see(void *context, const char *name, size_t length);
int memfs_host_list_names(int fd, void *buffer, size_t size, memfs_host_see *see, void *context);

#endif
