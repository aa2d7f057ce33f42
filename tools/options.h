/*
 * Subcommands and their options. One table a subcommand drives the parser, --help,
 * its man page and the completions alike.
 */
#ifndef MEMFS_TOOLS_OPTIONS_H
#define MEMFS_TOOLS_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

enum option_kind {
    OPTION_FLAG,   /* no argument; an int becomes 1 */
    OPTION_NUMBER, /* a uint64_t from min to max */
    OPTION_BYTES,  /* the same, with a suffix as quantity_parse() takes it */
    OPTION_CHOICE, /* one of the words in argument, "a|b|c": an int, 0 for the first */
    OPTION_TEXT,   /* a const char *: the last one counts */
    OPTION_LIST    /* a struct option_list: all of them, in order */
};

/* Zeroed: empty. The texts are argv's. */
struct option_list {
    const char **texts;
    size_t count;
};
void option_list_free(struct option_list *list);

/* A table of options ends with a row without a name. The common options are known
 * without being written there: which of them is up to the command. */
struct option_row {
    char letter;          /* 0: none */
    const char *name;     /* the long one, without the dashes */
    const char *argument; /* what its argument is called; NULL for flags */
    enum option_kind kind;
    size_t offset; /* of the value in the subcommand's settings */
    uint64_t min, max;
    const char *help;
};

/* What is common to several subcommands. --help (-h too, where that is free), --version, -C, -q,
 * -v and --no-sandbox are common to all. */
#define COMMON_JSON 1u     /* --json */
#define COMMON_COLOR 2u    /* --color */
#define COMMON_PROGRESS 4u /* --progress */
#define COMMON_DEPTH 8u    /* --max-depth */
#define COMMON_DECODED 16u /* --max-decoded */

/* Of --max-depth: no honest tree has as many levels, and paths are short enough to be printed. */
#define DEPTH_MAX 4096

enum when { WHEN_AUTO, WHEN_ALWAYS, WHEN_NEVER };
enum progress_form { PROGRESS_AUTO, PROGRESS_JSON, PROGRESS_NONE };

/* What they were set to; of the one subcommand that runs. */
struct common_options {
    int quiet, verbose;
    int no_sandbox;
    int json;
    int color;            /* enum when */
    int progress;         /* enum progress_form */
    uint64_t depth_max;   /* levels below the root */
    uint64_t decoded_max; /* bytes; 0: as the image's size has it */
};
extern struct common_options common;

struct command {
    const char *name;
    const char *operands; /* as the synopsis shows them */
    const char *summary;  /* one line, for the list of subcommands */
    const char *about;    /* what --help says beside the options; ends with a newline */
    const char *examples; /* lines, each ending with a newline */
    const char *manual;   /* further paragraphs for its man page, with blank lines between; NULL: none */
    unsigned common;      /* COMMON_... */
    const struct option_row *options;
    /* Not NULL: words of a language of its own follow the operands, so that options stand before
     * them. A table as above, of which only whole names, arguments and help count. */
    const struct option_row *words;
    int operands_min, operands_max;    /* operands_max < 0: any number */
    int (*run)(int argc, char **argv); /* argv[0] is the subcommand; returns the exit code */
};

/* Options may stand after operands, unless the command has words; "--" ends them. Fills settings, and moves
 * the operands to argv[*first] and behind, where argv[argc] is NULL. Returns -1
 * to go on, else the exit code to end with: everything has been said. */
int options_parse(const struct command *command, int argc, char **argv, void *settings, int *first);

/* -C: works in another directory from now on. -1, or says what is wrong and returns the exit code. */
int options_directory(const char *text);

/* The common options, a table as above: offsets are those of struct common_options. */
extern const struct option_row common_rows[];

/* The number-th option that the command knows, from 0: its own, then the common ones without the
 * letters that it took. 0: there are no more. */
int options_nth(const struct command *command, int number, struct option_row *row);

/* The help of one subcommand, on standard output. */
void options_help(const struct command *command);

#endif
