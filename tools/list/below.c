#include "list/below.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

int below_begin(struct below *below, memfs *fs, const char *start)
{
    memfs_node node;
    int result = memfs_resolve(fs, NULL, start, 0, &node);
    if (result != 0)
        return result;
    const int64_t length = memfs_node_path(fs, node, NULL, 0);
    memfs_node_forget(fs, node, 1);
    if (length < 0 && length != -ENOTDIR)
        return (int)length;
    below->start = start;
    /* "/" ends with the slash that the next name begins with; what is no directory has nothing below it. */
    below->cut = length < 0 ? SIZE_MAX : length == 1 ? 0 : (size_t)length;
    return 0;
}

int below_set(struct below *below, const char *walked)
{
    const size_t length = strlen(walked), start = strlen(below->start);
    const char *rest = length > below->cut ? walked + below->cut : "";
    if (strcmp(rest, "/") == 0)
        rest = "";
    below->depth = 0;
    for (const char *at = rest; *at != '\0'; at++)
        below->depth += *at == '/';
    if (below->start[start - 1] == '/' && *rest == '/')
        rest++;
    below->path.length = 0;
    int result = buffer_append(&below->path, below->start, start);
    return result == 0 ? buffer_append_text(&below->path, rest) : result;
}

void below_free(struct below *below)
{
    buffer_free(&below->path);
}
