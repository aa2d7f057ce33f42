#define _GNU_SOURCE /* O_PATH */
#include "pack/selection.h"

#include "output/message.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SAID_MAX 100 /* names */

int selection_is_any(const struct selection *selection)
{
    return selection->ignore.count > 0 || selection->by_name || selection->has_uid || selection->has_gid ||
           selection->has_mtime || selection->mode.count > 0;
}

static int is_image(const struct selection *selection, const struct memfs_scan_found *found)
{
    return selection->has_image && found->dev == selection->image_dev && found->ino == selection->image_ino;
}

static int is_taken(struct selection *selection, const struct memfs_scan_found *found)
{
    const int is_directory = (found->mode & MEMFS_IFMT) == MEMFS_IFDIR;
    if (strcmp(found->path, ".") == 0)
        return 1;
    if (selection->by_name) {
        const enum names_answer answer = names_ask(&selection->names, found->path);
        if (answer == NAMES_NEITHER || (answer == NAMES_ABOVE && !is_directory))
            return 0;
    }
    return !ignore_matches(&selection->ignore, found->path, is_directory);
}

int selection_filter(void *context, struct memfs_scan_found *found)
{
    struct selection *selection = context;
    const uint32_t type = found->mode & MEMFS_IFMT;
    if (!is_taken(selection, found)) {
        selection->left_out = 1;
        return MEMFS_SCAN_LEAVE_OUT;
    }
    if (is_image(selection, found)) {
        selection->met_image = 1;
        return -1;
    }
    if (type != MEMFS_IFLNK)
        found->mode = type | mode_apply(&selection->mode, found->mode, type == MEMFS_IFDIR);
    if (selection->has_uid)
        found->uid = selection->uid;
    if (selection->has_gid)
        found->gid = selection->gid;
    if (selection->has_mtime)
        found->mtime = selection->mtime;
    return MEMFS_SCAN_TAKE;
}

/* Whether it is one; it is said unless fate is NULL. */
static int say_missing(const struct selection *selection, const char *dir, int at, const char *path, const char *fate)
{
    struct stat stat;
    const char *what = "is reached by a symbolic link, or lies in a directory that is left out";
    if (fstatat(at, path, &stat, AT_SYMLINK_NOFOLLOW) != 0)
        what = errno == ENOENT ? "no such file" : memfs_strerror(-errno);
    else if (ignore_covers(&selection->ignore, path, S_ISDIR(stat.st_mode)))
        return 0;
    if (fate)
        message(dir, path, "%s; %s", what, fate);
    return 1;
}

int selection_say_missing(const struct selection *selection, const char *dir, const char *fate)
{
    int missing = 0;
    if (!selection->by_name)
        return 0;
    int at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (at < 0) {
        message_error(dir, NULL, -errno, NULL);
        return 1;
    }
    for (size_t i = 0; i < selection->names.count; i++) {
        const struct name *name = &selection->names.names[i];
        if (!name->met)
            missing += say_missing(selection, dir, at, name->path, missing < SAID_MAX ? fate : NULL);
    }
    close(at);
    if (missing > SAID_MAX)
        message(dir, NULL, "%d more names are not there; %s", missing - SAID_MAX, fate);
    return missing;
}

void selection_free(struct selection *selection)
{
    ignore_free(&selection->ignore);
    names_free(&selection->names);
}
