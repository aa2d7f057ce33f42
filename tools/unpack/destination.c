#include "unpack/destination.h"

#include "output/message.h"
#include "system/sandbox.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int is_there(const char *path, struct stat *stat)
{
    return lstat(path, stat) == 0 && S_ISDIR(stat->st_mode);
}

int destination_make(struct destination *destination, const char *path)
{
    destination->path = path;
    destination->made = mkdir(path, 0700) == 0;
    return is_there(path, &destination->stat) || destination->made;
}

int destination_enter(struct destination *destination, int devices)
{
    struct sandbox sandbox;
    sandbox_begin(&sandbox);
    const unsigned begun = destination->made ? SANDBOX_BEGUN : 0;
    sandbox_allow(&sandbox, destination->path, SANDBOX_READ | SANDBOX_WRITE | (devices ? SANDBOX_DEVICES : 0u) | begun);
    if (destination->made)
        sandbox_allow_beside(&sandbox, destination->path, SANDBOX_REMOVE_EMPTY | begun);
    return sandbox_enter(&sandbox);
}

int destination_look(struct destination *destination, const char *path)
{
    struct sandbox sandbox;
    destination->path = path;
    destination->made = 0;
    sandbox_begin(&sandbox);
    sandbox_allow(&sandbox, path, SANDBOX_READ);
    sandbox_allow_beside(&sandbox, path, SANDBOX_READ);
    return sandbox_enter(&sandbox);
}

void destination_close(const struct destination *destination, int is_unpacked)
{
    struct stat now;
    if (!destination->made || is_unpacked || (lstat(destination->path, &now) != 0 && errno == ENOENT))
        return;
    if (!is_there(destination->path, &now) || now.st_dev != destination->stat.st_dev ||
        now.st_ino != destination->stat.st_ino)
        message(destination->path, NULL, "was made, and cannot be looked at to be removed again");
    else if (rmdir(destination->path) != 0 && errno != ENOTEMPTY && errno != EEXIST) /* what is in it has been said */
        message(destination->path, NULL, "was made, and cannot be removed again: %s", strerror(errno));
}
