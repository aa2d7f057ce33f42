#include "commands.h"
#include "output/message.h"
#include "output/output.h"
#include "system/input.h"

#include <errno.h>

#define VIEW_MAX ((size_t)1 << 20)

static const struct option_row rows[] = {{.name = NULL}};

/* Standard output's own failure is told from the image's. */
static int write_node(struct input *input, memfs_node node, const char *path)
{
    for (uint64_t offset = 0;;) {
        struct memfs_view view;
        int result = memfs_node_view(input->fs, node, offset, VIEW_MAX, &view);
        if (result != 0)
            return input_file_error(input, path, node, offset, result);
        size_t length = view.length;
        if (length > 0)
            result = output_bytes(view.data, length);
        memfs_view_release(input->fs, &view);
        if (result != 0) {
            if (result != -ECANCELED)
                message_error("standard output", NULL, result, NULL);
            return EXIT_FAILED;
        }
        if (length == 0)
            return EXIT_DONE;
        offset += length;
    }
}

static int cat_node(struct input *input, memfs_node node, const char *path)
{
    struct memfs_stat stat;
    int result = memfs_node_stat(input->fs, node, &stat);
    if (result != 0)
        return input_error(input, path, result);
    if ((stat.mode & MEMFS_IFMT) == MEMFS_IFDIR) {
        message(input->name, path, "is a directory; 'memfs ls' lists it");
        return EXIT_INCOMPLETE;
    }
    if ((stat.mode & MEMFS_IFMT) != MEMFS_IFREG) {
        message(input->name, path, "is not a regular file and has no contents");
        return EXIT_INCOMPLETE;
    }
    return write_node(input, node, path);
}

/* A path that is not there: it may be a link that is. */
static int missing(struct input *input, const char *path, int error)
{
    char target[MEMFS_TARGET_MAX];
    int64_t length = -1;
    memfs_node node;
    if (error == -ENOENT && memfs_resolve(input->fs, NULL, path, 0, &node) == 0) {
        length = memfs_node_readlink(input->fs, node, target, sizeof target);
        memfs_node_forget(input->fs, node, 1);
    }
    if (length < 0)
        return input_path_error(input, path, error);
    message(input->name, path, "is a symbolic link to %.*s, and that is not in the image",
            length < MEMFS_TARGET_MAX ? (int)length : MEMFS_TARGET_MAX, target);
    return EXIT_INCOMPLETE;
}

static int cat_path(struct input *input, const char *path)
{
    memfs_node node;
    int result = memfs_resolve(input->fs, NULL, path, 1, &node);
    if (result != 0)
        return missing(input, path, result);
    int code = cat_node(input, node, path);
    memfs_node_forget(input->fs, node, 1);
    return code;
}

static int run(int argc, char **argv)
{
    int first;
    int code = options_parse(&command_cat, argc, argv, NULL, &first);
    if (code >= 0)
        return code;
    struct input input;
    code = input_open(&input, argv[first], 1);
    if (code != EXIT_DONE)
        return code;
    for (int i = first + 1; i < argc && code < EXIT_FAILED; i++)
        code = message_worse(code, cat_path(&input, argv[i]));
    input_close(&input);
    return code;
}

const struct command command_cat = {
    .name = "cat",
    .operands = "IMAGE PATH...",
    .summary = "write the contents of files in an image",
    .about = "Writes the contents of files in IMAGE ('-': standard input) to standard output,\n"
             "following symbolic links inside the image.\n",
    .examples = "  memfs cat site.mfs index.html\n"
                "  ssh host cat logs.mfs | memfs cat - var/log/syslog | grep error\n",
    .manual = "Links are followed as if the image were all there is: one that leads out of it leads nowhere. What\n"
              "is no regular file has no contents; it is named, and the exit code is 1.\n",
    .common = COMMON_DECODED,
    .options = rows,
    .operands_min = 2,
    .operands_max = -1,
    .run = run,
};
