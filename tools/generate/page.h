/*
 * The man page of a subcommand.
 */
#ifndef MEMFS_GENERATE_PAGE_H
#define MEMFS_GENERATE_PAGE_H

#include "options.h"

/* On standard output; date: "2026-11-25". */
void page_write(const struct command *command, const char *date);

#endif
