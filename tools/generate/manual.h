/*
 * The man page of a subcommand.
 */
#ifndef MEMFS_GENERATE_MANUAL_H
#define MEMFS_GENERATE_MANUAL_H

#include "options.h"

/* On standard output; date: "2026-11-25". */
void manual_write(const struct command *command, const char *date);

#endif
