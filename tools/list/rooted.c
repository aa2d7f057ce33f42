#include "list/rooted.h"

#include <errno.h>
#include <string.h>

/* A memfs_step_fn: the first step is where the walk begins. */
static int take(void *context, const struct memfs_step *step)
{
    const int result = buffer_append_text(context, step->path);
    return result == 0 ? MEMFS_WALK_STOP : result;
}

int rooted_directory(struct buffer *out, memfs *fs, memfs_node dir)
{
    out->length = 0;
    int64_t length = memfs_node_path(fs, dir, NULL, 0);
    if (length >= 0)
        length = buffer_reserve(out, (size_t)length + 1);
    if (length >= 0)
        length = memfs_node_path(fs, dir, out->data, out->room);
    if (length >= 0)
        out->length = (size_t)length;
    return length < 0 ? (int)length : 0;
}

/* The directory that a path leads to, if it does. */
static int take_directory(struct buffer *out, memfs *fs, const char *path)
{
    memfs_node node;
    int result = memfs_resolve(fs, NULL, path, 1, &node);
    if (result != 0)
        return result;
    result = rooted_directory(out, fs, node);
    memfs_node_forget(fs, node, 1);
    return result;
}

int rooted_path(struct buffer *out, memfs *fs, const char *path, int follow)
{
    out->length = 0;
    if (follow && take_directory(out, fs, path) == 0)
        return 0;
    const int result = memfs_walk_steps(fs, NULL, path, NULL, take, out);
    return result == MEMFS_WALK_STOP ? 0 : result;
}

int rooted_append(struct buffer *rooted, size_t start, const char *behind)
{
    rooted->length = start;
    int result = 0;
    if (behind[0] != '\0' && behind[0] != '/' && rooted->data[start - 1] != '/')
        result = buffer_append(rooted, "/", 1);
    return result == 0 ? buffer_append_text(rooted, behind) : result;
}
