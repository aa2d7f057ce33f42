#include "list/depth.h"

#include "options.h"
#include "output/message.h"

#include <inttypes.h>
#include <stdio.h>

#define SHOWN 48 /* bytes of the path: enough to look there */

int depth_refuse(const char *image, const char *path, const char *option)
{
    char start[SHOWN + sizeof "..."];
    int length = snprintf(start, SHOWN + 1, "%s", path);
    if (length > SHOWN)
        snprintf(start + SHOWN, sizeof "...", "...");
    message(image, start, "lies more than %" PRIu64 " directories deep; --%s=N allows N", common.depth_max, option);
    return message_exit_code(MEMFS_ELIMIT);
}

/* There are other limits than this one. */
static int is_too_deep(const struct input *input, memfs_node node)
{
    const int64_t depth = memfs_node_depth(input->fs, node);
    return depth >= 0 && (uint64_t)depth > common.depth_max;
}

int depth_error(struct input *input, memfs_node node, const char *path, int error, const char *option)
{
    if (error == MEMFS_ELIMIT && is_too_deep(input, node))
        return depth_refuse(input->name, path, option);
    return input_error_again(input, path, error);
}
