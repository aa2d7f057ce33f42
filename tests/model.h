/*
 * The naive twin of the filesystem: linked lists and byte arrays, nothing
 * clever, so that it is right by inspection. Results are those of Linux.
 */
#ifndef MODEL_H
#define MODEL_H

#include <stddef.h>
#include <stdint.h>

#define MODEL_PAGE 4096u
#define MODEL_PAGES 256u /* of a file at most */
#define MODEL_SIZE_MAX ((uint64_t)MODEL_PAGE * MODEL_PAGES)

/* A page of a file: a hole, allocated, or what POSIX leaves open. */
enum model_page { MODEL_HOLE, MODEL_DATA, MODEL_EITHER };

struct model_xattr {
    struct model_xattr *next;
    char *name;
    void *value;
    size_t size;
};

struct model_entry {
    struct model_entry *next;
    char *name;
    struct model_node *node;
};

struct model_node {
    uint32_t mode, nlink, uid, gid, major, minor;
    int64_t atime, mtime, ctime;
    uint64_t size;
    uint8_t *data; /* room bytes, zeros behind size */
    uint64_t room;
    uint8_t pages[MODEL_PAGES];
    char *target;
    struct model_xattr *xattrs;  /* sorted */
    struct model_entry *entries; /* in order */
    struct model_node *parent;
    unsigned holds;                  /* look-ups and opens by the test: lives without names */
    int linkable;                    /* made without a name */
    struct model_node *copy;         /* while cloning */
    uint64_t handle;                 /* while comparing: the node it stands for */
    struct model_node *next, **link; /* all nodes of the model */
};

struct model {
    struct model_node *root;
    struct model_node *all;
    int64_t now;
    uint64_t nodes;
    /* After an operation: another result that is as good as the returned one
     * (0: none), and a node whose times may also be the former ones. */
    int alternative;
    struct model_node *loose;
    int64_t loose_mtime, loose_ctime;
};

struct model *model_new(int64_t now);
struct model *model_clone(struct model *model); /* without nodes that have no name; holds are not copied */
void model_free(struct model *model);
void model_canonical(struct model *model); /* what an image remembers of it */
void model_hold(struct model_node *node);
void model_drop(struct model *model, struct model_node *node);

/* By node. New nodes come back in *out, which may be NULL. */
int model_lookup(struct model *model, struct model_node *dir, const char *name, struct model_node **out);
int model_make(struct model *model, struct model_node *dir, const char *name, uint32_t mode, uint32_t major,
               uint32_t minor, const char *target, struct model_node **out);
int model_tmpfile(struct model *model, struct model_node *dir, uint32_t mode, struct model_node **out);
int model_link(struct model *model, struct model_node *node, struct model_node *dir, const char *name);
int model_unlink(struct model *model, struct model_node *dir, const char *name);
int model_rmdir(struct model *model, struct model_node *dir, const char *name);
int model_rename(struct model *model, struct model_node *from_dir, const char *from, struct model_node *to_dir,
                 const char *to, uint32_t flags);
int64_t model_write(struct model *model, struct model_node *node, uint64_t offset, const void *data, size_t size);
int64_t model_read(struct model_node *node, uint64_t offset, void *data, size_t size);
int model_truncate(struct model *model, struct model_node *node, uint64_t size);
int model_punch(struct model *model, struct model_node *node, uint64_t offset, uint64_t length);
int model_allocate(struct model *model, struct model_node *node, uint64_t offset, uint64_t length, int keep_size);
int64_t model_copy(struct model *model, struct model_node *from, uint64_t from_offset, struct model_node *to,
                   uint64_t to_offset, uint64_t length);
/* May seeking (data: for data, else for a hole) from offset answer result? */
int model_seek_ok(const struct model_node *node, uint64_t offset, int data, int64_t result);
int model_setxattr(struct model *model, struct model_node *node, const char *name, const void *value, size_t size,
                   uint32_t flags);
int model_removexattr(struct model *model, struct model_node *node, const char *name);
const struct model_xattr *model_getxattr(const struct model_node *node, const char *name);
uint64_t model_entries(const struct model_node *dir);
uint32_t model_type(const struct model_node *node);

/* By path. */
int model_resolve(struct model *model, const char *path, int follow, struct model_node **out);
int model_path_make(struct model *model, const char *path, uint32_t mode, uint32_t major, uint32_t minor,
                    const char *target);
int model_path_link(struct model *model, const char *from, const char *to);
int model_path_unlink(struct model *model, const char *path);
int model_path_rmdir(struct model *model, const char *path);
int model_path_rename(struct model *model, const char *from, const char *to, uint32_t flags);
int model_path_truncate(struct model *model, const char *path, uint64_t size);
/* MEMFS_O_... flags; the node in *out. Special files: 1, nothing is known. */
int model_path_open(struct model *model, const char *path, uint32_t flags, uint32_t mode, struct model_node **out);

#endif
