/*
 * What the host calls owners and groups. Each number is asked for once, as long as few
 * are in use; memory is bounded, however many an image has.
 */
#ifndef MEMFS_TOOLS_OWNERS_H
#define MEMFS_TOOLS_OWNERS_H

#include <stdint.h>

#define OWNERS_NAME_MAX 255

struct owner_name {
    int asked;
    uint32_t id;
    int length; /* of text; 0: the host knows no name, or none that short */
    int width;  /* in columns */
    char text[OWNERS_NAME_MAX + 1];
};

/* Before the sandbox, in which neither files nor services can be asked: from now on another process
 * asks them, which gets nothing but numbers to see. It ends with this one. Where there is to be no sandbox,
 * nothing is done. */
void owners_start(void);

/* Afterwards: names are not known any more. */
void owners_end(void);

/* Valid until the next call of the same function. */
const struct owner_name *owners_user(uint32_t uid);
const struct owner_name *owners_group(uint32_t gid);

#endif
