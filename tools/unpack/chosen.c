#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* tdestroy() */
#endif
#include "unpack/chosen.h"

#include "system/interrupt.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

/* A directory, or a name in it. By directory and name, not by path: paths of a deep
 * tree are long. */
struct mark {
    memfs_node directory;
    int whole;        /* of a directory: with all below it, not only as a parent */
    const char *name; /* "" for the directory itself */
};

static int compare(const void *a, const void *b)
{
    const struct mark *one = a, *two = b;
    if (one->directory != two->directory)
        return one->directory < two->directory ? -1 : 1;
    return strcmp(one->name, two->name);
}

static const struct mark *find(const struct chosen *chosen, memfs_node directory, const char *name)
{
    const struct mark key = {.directory = directory, .name = name};
    struct mark *const *found = tfind(&key, &chosen->marks, compare);
    return found ? *found : NULL;
}

/* Marks it; *before says whether it was marked already. */
static int mark(struct chosen *chosen, memfs_node directory, const char *name, int whole, int *before)
{
    const size_t bytes = strlen(name) + 1;
    struct mark *made = malloc(sizeof *made + bytes);
    if (!made)
        return -ENOMEM;
    *made = (struct mark){directory, whole, memcpy(made + 1, name, bytes)};
    struct mark **found = tsearch(made, &chosen->marks, compare);
    *before = found && *found != made;
    if (*before)
        (*found)->whole |= whole;
    if (!found || *before)
        free(made);
    return found ? 0 : -ENOMEM;
}

/* A directory, and all above it as parents. */
static int mark_directory(struct chosen *chosen, memfs_node directory, int whole)
{
    int before = 0;
    int result = mark(chosen, directory, "", whole, &before);
    while (result == 0 && !before && directory != MEMFS_ROOT) {
        memfs_node parent;
        result = memfs_node_parent(chosen->fs, directory, &parent);
        if (result != 0)
            break;
        memfs_node_forget(chosen->fs, parent, 1);
        directory = parent;
        result = mark(chosen, directory, "", 0, &before);
    }
    return result;
}

/* A name in a directory. */
static int mark_file(struct chosen *chosen, memfs_node directory, const char *name)
{
    int before;
    int result = mark_directory(chosen, directory, 0);
    return result == 0 ? mark(chosen, directory, name, 0, &before) : result;
}

/* A name in the directory that the path before it leads to. */
static int mark_path(struct chosen *chosen, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    struct buffer parent = {0};
    memfs_node directory;
    int result = buffer_append(&parent, path, (size_t)(name - path));
    if (result == 0)
        result = buffer_append_text(&parent, slash ? "" : "/");
    if (result == 0)
        result = memfs_resolve(chosen->fs, NULL, parent.data, 1, &directory);
    buffer_free(&parent);
    if (result != 0)
        return result;
    result = mark_file(chosen, directory, name);
    memfs_node_forget(chosen->fs, directory, 1);
    return result;
}

static int is_directory(const struct memfs_stat *stat)
{
    return (stat->mode & MEMFS_IFMT) == MEMFS_IFDIR;
}

/* A memfs_step_fn. Nothing below a directory needs to be matched. */
static int take(void *context, const struct memfs_step *step)
{
    struct chosen *chosen = context;
    if (!is_directory(step->stat))
        return mark_file(chosen, step->dir, step->name);
    int result = mark_directory(chosen, step->stat->node, 1);
    return result == 0 ? MEMFS_WALK_SKIP : result;
}

static int is_no_path(int error)
{
    return error == -ENOENT || error == -ENOTDIR || error == -ELOOP || error == -ENAMETOOLONG;
}

/* A memfs_step_error_fn. */
static int refuse(void *context, const struct memfs_step *step, int error)
{
    struct chosen *chosen = context;
    const int result = buffer_append_text(&chosen->too_deep, step->path[1] ? step->path + 1 : step->path);
    return result != 0 ? result : error;
}

/* A memfs_progress_fn. */
static int go_on(void *context, const struct memfs_progress *progress)
{
    (void)context;
    (void)progress;
    return interrupt_noted();
}

static int glob(struct chosen *chosen, const char *pattern)
{
    const struct memfs_walk_options options = {
        .size = sizeof options, .depth_max = chosen->depth_max, .failed = refuse, .progress = go_on};
    return memfs_glob_steps(chosen->fs, NULL, pattern, &options, take, chosen);
}

int chosen_add(struct chosen *chosen, const char *pattern)
{
    struct memfs_stat stat;
    memfs_node node;
    chosen->too_deep.length = 0;
    int result = memfs_resolve(chosen->fs, NULL, pattern, 0, &node);
    if (is_no_path(result))
        return glob(chosen, pattern);
    if (result != 0)
        return result;
    result = memfs_node_stat(chosen->fs, node, &stat);
    if (result == 0)
        result = is_directory(&stat) ? mark_directory(chosen, node, 1) : mark_path(chosen, pattern);
    memfs_node_forget(chosen->fs, node, 1);
    return result;
}

int chosen_is_whole(const struct chosen *chosen)
{
    const struct mark *root = find(chosen, MEMFS_ROOT, "");
    return root && root->whole;
}

int chosen_take(void *context, memfs_node directory, const struct memfs_dirent *entry)
{
    const struct chosen *chosen = context;
    if ((entry->stat.mode & MEMFS_IFMT) != MEMFS_IFDIR)
        return find(chosen, directory, entry->name) ? MEMFS_SELECT_ALL : MEMFS_SELECT_NOTHING;
    const struct mark *found = find(chosen, entry->stat.node, "");
    return !found ? MEMFS_SELECT_NOTHING : found->whole ? MEMFS_SELECT_ALL : MEMFS_SELECT_PARENT;
}

void chosen_free(struct chosen *chosen)
{
    tdestroy(chosen->marks, free);
    chosen->marks = NULL;
    buffer_free(&chosen->too_deep);
}
