/*
 * Subcommands and their options. One table a subcommand drives the parser and
 * --help alike.
 */
#ifndef MEMFS_TOOLS_OPTIONS_H
#define MEMFS_TOOLS_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

enum option_kind {
    OPTION_FLAG,   /* no argument; an int becomes 1 */
    OPTION_NUMBER, /* a uint64_t from min to max */
    OPTION_BYTES,  /* the same, with a suffix K, M, G or T for powers of 1,024 */
    OPTION_CHOICE  /* one of the words in argument, "a|b|c": an int, 0 for the first */
};

/* A table of options ends with a row without a name. -h and --help are in every
 * table without being written there. */
struct option_row {
    char letter;          /* 0: none */
    const char *name;     /* the long one, without the dashes */
    const char *argument; /* what its argument is called; NULL for flags */
    enum option_kind kind;
    size_t offset; /* of the value in the subcommand's settings */
    uint64_t min, max;
    const char *help;
};

struct command {
    const char *name;
    const char *operands; /* as the synopsis shows them */
    const char *summary;  /* one line, for the list of subcommands */
    const char *about;    /* what --help says beside the options; ends with a newline */
    const char *examples; /* lines, each ending with a newline */
    const struct option_row *options;
    int operands_min, operands_max;    /* operands_max < 0: any number */
    int (*run)(int argc, char **argv); /* argv[0] is the subcommand; returns the exit code */
};

/* Options may stand after operands; "--" ends them. Fills settings, and moves
 * the operands to argv[*first] and behind, where argv[argc] is NULL. Returns -1
 * to go on, else the exit code to end with: everything has been said. */
int options_parse(const struct command *command, int argc, char **argv, void *settings, int *first);

/* The help of one subcommand, on standard output. */
void options_help(const struct command *command);

#endif
