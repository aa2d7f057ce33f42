/*
 * The subcommands, one file each.
 */
#ifndef MEMFS_TOOLS_COMMANDS_H
#define MEMFS_TOOLS_COMMANDS_H

#include "options.h"

extern const struct command command_pack;
extern const struct command command_unpack;
extern const struct command command_ls;
extern const struct command command_tree;
extern const struct command command_cat;
extern const struct command command_find;
extern const struct command command_du;
extern const struct command command_hash;
extern const struct command command_diff;
extern const struct command command_info;
extern const struct command command_verify;

/* All of them, in the order in which help lists them; NULL ends. */
extern const struct command *const commands[];
/* NULL: there is none of that name. */
const struct command *commands_find(const char *name);

#endif
