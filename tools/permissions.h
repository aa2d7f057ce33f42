/*
 * Permissions as chmod takes them.
 */
#ifndef MEMFS_TOOLS_PERMISSIONS_H
#define MEMFS_TOOLS_PERMISSIONS_H

#include <stdint.h>

/* What a mode of permission bits becomes by text: octal digits, or "u=rwX,go-w" and its like, where
 * who is left out means all. X is x for directories and for what anybody may execute. 0, or -1 if
 * text is anything else. */
int permissions_apply(const char *text, uint32_t mode, int is_directory, uint32_t *out);

#endif
