/*
 * The command's subcommands on an image, as processes.
 */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "cases.h"
#include "walk.h"

/* Of the processor's time, which does not depend on what else runs; and what is a hang on
 * any machine. */
#ifdef __OPTIMIZE__
#define COMMAND_SECONDS 10u
#else /* as where branches are counted */
#define COMMAND_SECONDS 60u
#endif
#define HANG_SECONDS 120u
#define COMMAND_ADDRESSES ((uint64_t)1 << 30) /* RLIMIT_AS, without sanitizers */

struct command_result {
    int code;        /* exit code; 128 and the signal */
    uint64_t output; /* hash of standard output */
    int quiet;       /* nothing on standard error */
};

extern const char *const command_names[COMMANDS];

/* All of them in the current directory, which has image.mfs and sound.mfs; unpack makes
 * "out". MEMFS of the environment is the command. */
void commands_run(const struct walk_files *files, struct command_result *results);

#endif
