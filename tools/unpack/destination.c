#include "unpack/destination.h"

#include "system/sandbox.h"

#include <unistd.h>

static int is_there(const char *path, struct stat *stat)
{
    return lstat(path, stat) == 0 && S_ISDIR(stat->st_mode);
}

int destination_open(struct destination *destination, const char *path, int devices)
{
    struct sandbox sandbox;
    destination->path = path;
    destination->made = mkdir(path, 0700) == 0 && is_there(path, &destination->stat);
    if (!destination->made && !is_there(path, &destination->stat))
        return destination_look(destination, path);
    sandbox_begin(&sandbox);
    sandbox_allow(&sandbox, path, SANDBOX_READ | SANDBOX_WRITE | (devices ? SANDBOX_DEVICES : 0u));
    if (destination->made)
        sandbox_allow_beside(&sandbox, path, SANDBOX_REMOVE_EMPTY);
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
    if (!destination->made || is_unpacked || !is_there(destination->path, &now))
        return;
    if (now.st_dev == destination->stat.st_dev && now.st_ino == destination->stat.st_ino)
        rmdir(destination->path); /* what else is in it has been said */
}
