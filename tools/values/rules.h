/*
 * The options --exclude and --exclude-from, wherever they are.
 */
#ifndef MEMFS_TOOLS_RULES_H
#define MEMFS_TOOLS_RULES_H

#include "options.h"
#include "values/ignore.h"

/* Of rules that match the last counts: those of files come first. input_taken: another option reads standard
 * input. EXIT_DONE, or says what is wrong. */
int rules_take(const struct command *command, const struct option_list *rules, const struct option_list *files,
               int input_taken, struct ignore *out);

#endif
