/* bash's: three functions that set variables, in case statements. */
#include "commands.h"
#include "completion.h"
#include "output/output.h"

#include <string.h>

static const char *const kind_words[] = {
    [COMPLETION_NONE] = "none",           [COMPLETION_WORDS] = "words", [COMPLETION_FILE] = "file",
    [COMPLETION_DIRECTORY] = "directory", [COMPLETION_IMAGE] = "image", [COMPLETION_PATH] = "path"};

static void write_subcommand(const struct command *command)
{
    struct completion_operand operands[COMPLETION_OPERANDS_MAX];
    struct option_row row;
    output("    %s)\n        options='", command->name);
    for (int i = 0; options_nth(command, i, &row); i++) {
        if (row.letter != '\0')
            output("-%c ", row.letter);
        output("--%s ", row.name);
    }
    output("'\n        operands='");
    int count = completion_operands(command, operands);
    for (int i = 0; i < count; i++)
        output("%s %s", kind_words[operands[i].kind], operands[i].repeated ? "... " : "");
    output("'\n        words='");
    for (const struct option_row *word = command->words; word && word->name; word++)
        output("%s%s", word == command->words ? "" : " ", word->name);
    output("'\n        ;;\n");
}

/* 'pack -l' | 'pack --level') argument='none' ;; */
static void write_argument(const struct command *command, const struct option_row *row, const char *dashes)
{
    output("    ");
    if (row->letter != '\0')
        output("'%s -%c' | ", command->name, row->letter);
    output("'%s %s%s') argument='%s", command->name, dashes, row->name, kind_words[completion_argument(row)]);
    for (const char *c = row->kind == OPTION_CHOICE ? row->argument : ""; *c != '\0'; c++)
        output(c == row->argument ? " %c" : "%c", *c == '|' ? ' ' : *c);
    output("' ;;\n");
}

static void write_arguments(const struct command *command)
{
    struct option_row row;
    for (int i = 0; options_nth(command, i, &row); i++) {
        if (row.argument)
            write_argument(command, &row, "--");
    }
    for (const struct option_row *word = command->words; word && word->name; word++) {
        if (word->argument)
            write_argument(command, word, "");
    }
}

void completion_bash(void)
{
    output("# Completion of memfs for bash. This table was made from those of the options.\n_memfs_subcommands='");
    for (size_t i = 0; commands[i]; i++)
        output("%s ", commands[i]->name);
    output("help'\n\n_memfs_table()\n{\n    case $1 in\n");
    for (size_t i = 0; commands[i]; i++)
        write_subcommand(commands[i]);
    output("    help) operands=subcommand ;;\n    esac\n}\n\n_memfs_argument()\n{\n    case $1 in\n");
    for (size_t i = 0; commands[i]; i++)
        write_arguments(commands[i]);
    output("    *) argument= ;;\n    esac\n}\n\n");
}
