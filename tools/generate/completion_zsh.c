/* zsh's: a function for each subcommand that calls _arguments. */
#include "commands.h"
#include "completion.h"
#include "output/output.h"

#define QUOTE "'\\''"
#define SPECIAL "[]:\\"

/* ":LEVEL:action" */
static void write_action(const char *name, enum completion_kind kind)
{
    static const char *const actions[] = {[COMPLETION_NONE] = " ",
                                          [COMPLETION_FILE] = "_files",
                                          [COMPLETION_DIRECTORY] = "_files -/",
                                          [COMPLETION_IMAGE] = "_files -g \"*.mfs\"",
                                          [COMPLETION_PATH] = "_memfs_paths"};
    output(":%s:%s", name, actions[kind]);
}

static void write_argument(const struct option_row *row)
{
    if (row->kind != OPTION_CHOICE) {
        write_action(row->argument, completion_argument(row));
        return;
    }
    output(":WORD:(");
    for (const char *c = row->argument; *c != '\0'; c++)
        output("%c", *c == '|' ? ' ' : *c);
    output(")");
}

/* What may come once excludes both of its names afterwards. */
static void write_option(const struct option_row *row, int by_letter)
{
    output(" \\\n        '");
    if (row->kind == OPTION_LIST)
        output("*");
    else if (row->letter != '\0')
        output("(-%c --%s)", row->letter, row->name);
    if (by_letter)
        output("-%c%s", row->letter, row->argument ? "+" : "");
    else
        output("--%s%s", row->name, row->argument ? "=" : "");
    output("[");
    completion_quote(row->help, SPECIAL, QUOTE);
    output("]");
    if (row->argument)
        write_argument(row);
    output("'");
}

/* Words of a language may come again and again; those that are no names are quicker typed. */
static void write_word(const struct option_row *word)
{
    if (word->name[0] != '-')
        return;
    output(" \\\n        '*%s[", word->name);
    completion_quote(word->help, SPECIAL, QUOTE);
    output("]");
    if (word->argument)
        write_argument(word);
    output("'");
}

static void write_subcommand(const struct command *command)
{
    struct completion_operand operands[COMPLETION_OPERANDS_MAX];
    struct option_row row;
    /* Letters do not stand together (-s) where there are words with one dash. */
    output("_memfs_%s() {\n    _arguments %s-S", command->name, command->words ? "" : "-s ");
    for (int i = 0; options_nth(command, i, &row); i++) {
        if (row.letter != '\0')
            write_option(&row, 1);
        write_option(&row, 0);
    }
    for (const struct option_row *word = command->words; word && word->name; word++)
        write_word(word);
    int count = completion_operands(command, operands);
    for (int i = 0; i < count; i++) {
        if (operands[i].repeated)
            output(" \\\n        '*");
        else
            output(" \\\n        '%d:", i + 1);
        write_action(operands[i].name, operands[i].kind);
        output("'");
    }
    output("\n}\n\n");
}

void completion_zsh(void)
{
    output("#compdef memfs\n# Completion of memfs for zsh. This table was made from those of the options.\n"
           "_memfs_subcommands=(\n");
    for (size_t i = 0; commands[i]; i++) {
        output("    '%s:", commands[i]->name);
        completion_quote(commands[i]->summary, "\\", QUOTE);
        output("'\n");
    }
    output("    'help:show the help of a subcommand'\n)\n\n");
    for (size_t i = 0; commands[i]; i++)
        write_subcommand(commands[i]);
}
