/*
 * Changes of permissions, as chmod takes them: 644, u+rwX,go-w.
 */
#ifndef MEMFS_TOOLS_MODE_H
#define MEMFS_TOOLS_MODE_H

#include <stdint.h>

#define MODE_STEPS 32

struct mode_step {
    char sign;         /* +, - or = */
    char copy;         /* u, g, o: what those have; or 0 */
    uint32_t affected; /* bits of those whom it is about */
    uint32_t value;
    int search; /* X: x for directories, and where somebody has it */
};

struct mode_change {
    struct mode_step steps[MODE_STEPS];
    int count;
};

/* Who is left out means everybody, whatever the umask: the same text does the same everywhere.
 * 0, or -1 if it is no mode. */
int mode_parse(const char *text, struct mode_change *change);

/* The permissions that become of mode's. Directories keep setuid and setgid that are not named. */
uint32_t mode_apply(const struct mode_change *change, uint32_t mode, int is_directory);

#endif
