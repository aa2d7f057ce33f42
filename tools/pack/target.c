#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* O_PATH */
#endif
#include "pack/target.h"

#include "memfs_image.h"
#include "output/message.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int target_name(struct target *target, const char *source)
{
    int result = sources_name(source, &target->memory);
    if (result == 0 && target->memory.length == 0 && source[0] != '\0')
        return message_usage("pack", "'%s' gives no name for the image: name one", source);
    if (result == 0)
        result = buffer_append_text(&target->memory, ".mfs");
    if (result != 0)
        return message_error(source, NULL, result, NULL);
    target->path = target->memory.data;
    return EXIT_DONE;
}

static int is_output(const struct target *target)
{
    return strcmp(target->path, "-") == 0;
}

/* Whoever forgets to name the image has named a source last. What is closed to us may be an
 * image, and a damaged one was; what cannot be read for another reason may be anything. */
int target_check_replaced(const struct target *target)
{
    const char *path = target->path;
    struct memfs_detail detail = {.offset = UINT64_MAX};
    memfs_image *image = NULL;
    if (is_output(target) || !target->place.is_there || target->place.stat.st_size == 0)
        return EXIT_DONE;
    const int result = memfs_image_open_path(path, NULL, &image, &detail);
    memfs_image_close(image);
    if (result == MEMFS_ENOTIMAGE) {
        message(path, NULL,
                "exists and is no image, so -f does not replace it; the last operand names the image to be made");
        return EXIT_FAILED;
    }
    if (result == 0 || result == -EACCES || message_is_of_image(result))
        return EXIT_DONE;
    return message_error_hint(path, NULL, result, &detail, "remove it first if it is to be replaced");
}

int target_find(struct target *target, int force)
{
    if (is_output(target)) {
        if (isatty(STDOUT_FILENO))
            return message_usage("pack", "an image is not for a terminal: redirect it, or name a file");
        target->place.is_there = fstat(STDOUT_FILENO, &target->place.stat) == 0 && S_ISREG(target->place.stat.st_mode);
        return EXIT_DONE;
    }
    return place_find(&target->place, target->path, force, 0644, "the last operand names the image to be made",
                      "-f replaces it if it is an image");
}

/* Whether the directory in which the image is to appear is dir or lies in it. */
static int lies_inside(const struct stat *dir, const char *image)
{
    const char *slash = strrchr(image, '/');
    struct buffer parent = {0};
    int inside = 0, at = -1;
    if (buffer_append(&parent, image, slash ? (size_t)(slash - image) + 1 : 0) == 0 &&
        buffer_append_text(&parent, ".") == 0)
        at = open(parent.data, O_PATH | O_DIRECTORY | O_CLOEXEC);
    buffer_free(&parent);
    struct stat here, below = {.st_ino = 0};
    for (int first = 1; at >= 0 && fstat(at, &here) == 0; first = 0) {
        inside = here.st_dev == dir->st_dev && here.st_ino == dir->st_ino;
        if (inside || (!first && here.st_dev == below.st_dev && here.st_ino == below.st_ino))
            break; /* found, or at the top, which is its own parent */
        below = here;
        int up = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        close(at);
        at = up;
    }
    if (at >= 0)
        close(at);
    return inside;
}

/* A shell has opened the file behind "> FILE" already; its path is asked of the kernel. */
static int find_output(const struct target *target, char *path, size_t room)
{
    if (!target->place.is_there || target->place.stat.st_nlink == 0)
        return 0;
    ssize_t length = readlink("/proc/self/fd/1", path, room - 1);
    if (length <= 0)
        return 0;
    path[length] = '\0';
    return 1;
}

static int is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static int check_one(const struct target *target, const struct sources_one *one, const char *path)
{
    const char *who = is_output(target) ? "standard output, " : "";
    if (target->place.is_there && is_same(&target->place.stat, &one->stat))
        return message_usage("pack", "%s%s is itself among what is packed: name another image", who, path);
    if (!S_ISDIR(one->stat.st_mode) || !lies_inside(&one->stat, path))
        return EXIT_DONE;
    if (is_output(target))
        return message_usage("pack", "%s%s, lies in the directory that is packed: redirect it elsewhere", who, path);
    return message_usage("pack", "%s would lie in the directory that is packed: name an image elsewhere", path);
}

/* Nothing of this protects against what happens meanwhile: memfs_freeze_path()
 * does. But it says so before a long scan, and keeps -f from replacing devices. */
int target_check(const struct target *target, const struct sources *sources)
{
    char output[4096];
    const char *path = target->path;
    if (is_output(target)) {
        if (!find_output(target, output, sizeof output))
            return EXIT_DONE;
        path = output;
    }
    int code = EXIT_DONE;
    for (size_t i = 0; code == EXIT_DONE && i < sources->count; i++)
        code = check_one(target, &sources->all[i], path);
    return code;
}

void target_free(struct target *target)
{
    buffer_free(&target->memory);
}
