/*
 * The colours of names: what LS_COLORS says, with the meaning that GNU ls gives it
 * (dircolors(1), dir_colors(5)).
 */
#ifndef MEMFS_TOOLS_LS_COLORS_H
#define MEMFS_TOOLS_LS_COLORS_H

#include "system/buffer.h"

#include <stdint.h>

/* In the order of the two letters in ls_colors.c. */
enum ls_color {
    LS_LEFT,
    LS_RIGHT,
    LS_END,
    LS_RESET,
    LS_NORMAL,
    LS_FILE,
    LS_DIRECTORY,
    LS_LINK,
    LS_FIFO,
    LS_SOCKET,
    LS_BLOCK,
    LS_CHARACTER,
    LS_MISSING,
    LS_ORPHAN,
    LS_EXECUTABLE,
    LS_DOOR,
    LS_SETUID,
    LS_SETGID,
    LS_STICKY,
    LS_OTHER_WRITABLE,
    LS_STICKY_OTHER_WRITABLE,
    LS_CAPABLE,
    LS_MULTIPLE_LINKS,
    LS_CLEAR_TO_END,
    LS_COLORS_COUNT
};

/* Bytes for the terminal; none for NULL. */
struct ls_code {
    const char *bytes;
    size_t length;
};

struct ls_colors {
    struct ls_code codes[LS_COLORS_COUNT];
    int links_as_targets; /* "ln=target" */
    struct buffer suffixes;
    struct buffer memory; /* of the codes and suffixes */
};

/* text is LS_COLORS; NULL or "" for ls's own colours. 0; -EINVAL for what cannot be read so;
 * -ENOMEM. Whatever it returns, ls_colors_free() follows. */
int ls_colors_parse(struct ls_colors *colors, const char *text);
void ls_colors_free(struct ls_colors *colors);

/* Whether there is a colour for these; "0" is none. */
int ls_colors_has(const struct ls_colors *colors, enum ls_color color);

/* What is to be painted. */
struct ls_thing {
    const char *name;
    size_t name_length;
    uint32_t mode;
    uint32_t nlink;
    int capable;        /* has file capabilities */
    int missing;        /* where a symbolic link leads to, and nothing is there */
    int leads;          /* a symbolic link to something */
    uint32_t link_mode; /* that thing's */
};

/* NULL: no colour. */
const struct ls_code *ls_colors_choose(const struct ls_colors *colors, const struct ls_thing *thing);

#endif
