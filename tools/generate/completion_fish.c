/* fish's: a line for each option, and functions that tell operands from arguments. */
#include "commands.h"
#include "completion.h"
#include "output/output.h"

#define QUOTE "\\'"

static const char *const operand_words[] = {[COMPLETION_NONE] = "none",
                                            [COMPLETION_FILE] = "file",
                                            [COMPLETION_DIRECTORY] = "directory",
                                            [COMPLETION_IMAGE] = "image",
                                            [COMPLETION_PATH] = "path"};

/* Of an option, or of a word with its dash. */
static void write_option(const struct command *command, const struct option_row *row)
{
    static const char *const arguments[] = {[COMPLETION_NONE] = " -x",
                                            [COMPLETION_FILE] = " -r -F",
                                            [COMPLETION_DIRECTORY] = " -x -a '(__fish_complete_directories)'",
                                            [COMPLETION_IMAGE] = " -x -a '(__memfs_images)'",
                                            [COMPLETION_PATH] = " -x -a '(__memfs_paths)'"};
    output("complete -c memfs -n '__memfs_is %s'", command->name);
    if (row->letter != '\0')
        output(" -s %c", row->letter);
    output(row->name[0] == '-' ? " -o %s" : " -l %s", row->name + (row->name[0] == '-'));
    if (row->argument && row->kind == OPTION_CHOICE) {
        output(" -x -a '");
        for (const char *c = row->argument; *c != '\0'; c++)
            output("%c", *c == '|' ? ' ' : *c);
        output("'");
    } else if (row->argument) {
        output("%s", arguments[completion_argument(row)]);
    }
    output(" -d '");
    completion_quote(row->help, "\\", QUOTE);
    output("'\n");
}

static void write_operands(const struct command *command)
{
    struct completion_operand operands[COMPLETION_OPERANDS_MAX];
    output("        case %s\n            printf '%%s\\n'", command->name);
    int count = completion_operands(command, operands);
    for (int i = 0; i < count; i++)
        output(" %s%s", operand_words[operands[i].kind], operands[i].repeated ? " ..." : "");
    output("\n");
}

/* The options whose next word is their argument. */
static void write_valued(const struct command *command)
{
    struct option_row row;
    output("        case %s\n            printf '%%s\\n'", command->name);
    for (int i = 0; options_nth(command, i, &row); i++) {
        if (row.argument && row.letter != '\0')
            output(" -%c", row.letter);
        if (row.argument)
            output(" --%s", row.name);
    }
    for (const struct option_row *word = command->words; word && word->name; word++) {
        if (word->argument)
            output(" %s", word->name);
    }
    output("\n");
}

static void write_table(const char *name, void (*write)(const struct command *command))
{
    output("function %s\n    switch $argv[1]\n", name);
    for (size_t i = 0; commands[i]; i++)
        write(commands[i]);
    output("    end\nend\n\n");
}

void completion_fish(void)
{
    output("# Completion of memfs for fish. This table was made from those of the options.\n"
           "complete -c memfs -f\n");
    write_table("__memfs_operand_table", write_operands);
    write_table("__memfs_valued", write_valued);
    for (size_t i = 0; commands[i]; i++) {
        struct option_row row;
        output("complete -c memfs -n __memfs_is_first -a %s -d '", commands[i]->name);
        completion_quote(commands[i]->summary, "\\", QUOTE);
        output("'\n");
        for (int number = 0; options_nth(commands[i], number, &row); number++)
            write_option(commands[i], &row);
        for (const struct option_row *word = commands[i]->words; word && word->name; word++) {
            if (word->name[0] == '-')
                write_option(commands[i], word);
        }
    }
    output("\n");
}
