#include "manual.h"

#include "commands.h"
#include "memfs.h"
#include "output/output.h"
#include "roff.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static void write_title(const struct command *command, const char *date)
{
    output(".\\\" Made from the table of options in tools/cmd_%s.c.\n.TH MEMFS\\-", command->name);
    for (const char *c = command->name; *c != '\0'; c++)
        output("%c", toupper((unsigned char)*c));
    output(" 1 \"%s\" \"memfs %s\" \"User Commands\"\n", date, MEMFS_VERSION);
    output(".SH NAME\nmemfs\\-%s \\- ", command->name);
    roff_line(command, command->summary);
    output("\n.SH SYNOPSIS\n\\fBmemfs %s\\fR [\\fIOPTION\\fR]... ", command->name);
    roff_line(command, command->operands);
    output("\n");
}

/* "SIZE" is italic, the words of "a|b|c" bold. */
static void write_argument(const struct option_row *row)
{
    if (row->kind != OPTION_CHOICE) {
        output(" \\fI%s\\fR", row->argument);
        return;
    }
    output(" \\fB");
    for (const char *c = row->argument; *c != '\0'; c++)
        output(*c == '|' ? "\\fR|\\fB" : "%c", *c);
    output("\\fR");
}

/* What an option or a word does, as a sentence of its own. */
static void write_help(const struct command *command, const struct option_row *row)
{
    char help[256];
    const size_t length = strlen(row->help);
    const char *point = length > 0 && row->help[length - 1] == '.' ? "" : ".";
    snprintf(help, sizeof help, "%s%s", row->help, point);
    help[0] = (char)toupper((unsigned char)help[0]);
    roff_text(command, help, 1);
}

static void write_option(const struct command *command, const struct option_row *row)
{
    char name[64];
    snprintf(name, sizeof name, "--%s", row->name);
    output(".TP\n");
    if (row->letter != '\0')
        output("\\fB\\-%c\\fR, ", row->letter);
    roff_bold(name);
    if (row->argument)
        write_argument(row);
    output("\n");
    write_help(command, row);
}

static void write_options(const struct command *command)
{
    struct option_row row;
    output(".SH OPTIONS\nOptions %s; \\fB\\-\\-\\fR ends them.\n",
           command->words ? "stand before operands" : "may stand before or after operands");
    for (int i = 0; options_nth(command, i, &row); i++)
        write_option(command, &row);
}

static void write_words(const struct command *command)
{
    output(".SH EXPRESSION\n");
    for (const struct option_row *row = command->words; row->name; row++) {
        output(".TP\n");
        roff_bold(row->name);
        if (row->argument)
            write_argument(row);
        output("\n");
        write_help(command, row);
    }
}

static void write_see_also(const struct command *command)
{
    output(".SH SEE ALSO\n.BR memfs (1),\n");
    for (size_t i = 0; commands[i]; i++) {
        if (commands[i] != command)
            output(".BR memfs\\-%s (1),\n", commands[i]->name);
    }
    output(".BR libmemfs (3),\n.BR memfs\\-image (5)\n");
}

void manual_write(const struct command *command, const char *date)
{
    write_title(command, date);
    output(".SH DESCRIPTION\n");
    roff_text(command, command->about, 1);
    if (command->manual)
        roff_text(command, command->manual, 0);
    write_options(command);
    if (command->words)
        write_words(command);
    output(".SH EXIT STATUS\n"
           ".TP\n.B 0\nDone; of what was compared: the same.\n"
           ".TP\n.B 1\nDifferent, or incomplete: something named was not there, or was left out.\n"
           ".TP\n.B 2\nWrong usage.\n"
           ".TP\n.B 3\nAn image is damaged, needs a newer memfs, or is none.\n"
           ".TP\n.B 4\nFailed: something cannot be read, made or written.\n"
           ".SH EXAMPLES\n");
    roff_lines(command->examples);
    write_see_also(command);
}
