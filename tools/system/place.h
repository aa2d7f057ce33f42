/*
 * Where a file is to appear, and what is there already.
 */
#ifndef MEMFS_TOOLS_PLACE_H
#define MEMFS_TOOLS_PLACE_H

#include <stdint.h>
#include <sys/stat.h>

struct place {
    int is_there;
    struct stat stat; /* of what is there */
    uint32_t mode;    /* the permissions that the new file shall have: those of the one that it replaces, or
                       * what was asked for less the umask */
};

/* May a file of this name be made, or be replaced? EXIT_DONE, or says why not, and what to do if it is a directory
 * (NULL: as with all that is no regular file), or a file that is there without replace. Before there are threads. */
int place_find(struct place *place, const char *path, int replace, uint32_t mode, const char *if_directory,
               const char *if_there);

#endif
