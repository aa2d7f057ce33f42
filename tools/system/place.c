#include "system/place.h"

#include "output/message.h"
#include "system/umask.h"

int place_find(struct place *place, const char *path, int replace, uint32_t mode, const char *if_directory,
               const char *if_there)
{
    place->is_there = lstat(path, &place->stat) == 0; /* if it cannot be told, making it will say so */
    place->mode = mode & ~umask_ask();
    if (!place->is_there)
        return EXIT_DONE;
    if (!S_ISREG(place->stat.st_mode)) {
        message(path, NULL, "exists and is no regular file; %s",
                S_ISDIR(place->stat.st_mode) && if_directory ? if_directory
                                                             : "name another, or '-' for standard output");
        return EXIT_FAILED;
    }
    if (!replace) {
        message(path, NULL, "exists; %s", if_there);
        return EXIT_FAILED;
    }
    place->mode = place->stat.st_mode & 0777u;
    if (place->mode == 0)
        place->mode = 0600; /* 0 would ask the library for the default */
    return EXIT_DONE;
}
