/*
 * What shells complete: tables of subcommands, options and operands in their languages,
 * on standard output. What is done with them stands in tools/completions/.
 */
#ifndef MEMFS_GENERATE_COMPLETION_H
#define MEMFS_GENERATE_COMPLETION_H

#include "options.h"

/* What an operand or an argument is, as far as it can be completed. */
enum completion_kind {
    COMPLETION_NONE,
    COMPLETION_WORDS, /* one of an OPTION_CHOICE's */
    COMPLETION_FILE,
    COMPLETION_DIRECTORY,
    COMPLETION_IMAGE,
    COMPLETION_PATH /* in the image that is the first operand */
};
enum completion_kind completion_argument(const struct option_row *row);

#define COMPLETION_OPERANDS_MAX 8
struct completion_operand {
    enum completion_kind kind;
    char name[32];
    int repeated;
};
/* How many there are: those that may follow a repeated one are that, too. */
int completion_operands(const struct command *command, struct completion_operand operands[COMPLETION_OPERANDS_MAX]);

/* Bytes of text with each that is among special behind a backslash, for use in single
 * quotes, which quote ends, gives and begins again. */
void completion_quote(const char *text, const char *special, const char *quote);

void completion_bash(void);
void completion_zsh(void);
void completion_fish(void);

#endif
