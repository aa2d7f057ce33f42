#include "options.h"

#include "message.h"
#include "output.h"
#include "quantity.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define OPTIONS_MAX 40
#define VALUE_HELP 'h' /* what getopt_long() returns for --help as well */
#define VALUE_FIRST 513

static int count_rows(const struct option_row *rows)
{
    int count = 0;
    while (rows[count].name)
        count++;
    return count;
}

/* The table in getopt_long()'s terms. Every option returns its row's number,
 * so that letters and long names meet in one place. */
static void make_getopt(const struct option_row *rows, int count, struct option *longs, char *letters)
{
    *letters++ = ':'; /* a missing argument is told from an unknown option */
    *letters++ = VALUE_HELP;
    for (int i = 0; i < count; i++) {
        longs[i] =
            (struct option){rows[i].name, rows[i].argument ? required_argument : no_argument, NULL, VALUE_FIRST + i};
        if (rows[i].letter != '\0') {
            *letters++ = rows[i].letter;
            if (rows[i].argument)
                *letters++ = ':';
        }
    }
    longs[count] = (struct option){"help", no_argument, NULL, VALUE_HELP};
    longs[count + 1] = (struct option){NULL, 0, NULL, 0};
    *letters = '\0';
}

static const struct option_row *find_row(const struct option_row *rows, int count, int value)
{
    if (value >= VALUE_FIRST && value < VALUE_FIRST + count)
        return &rows[value - VALUE_FIRST];
    for (int i = 0; i < count; i++) {
        if (rows[i].letter != '\0' && rows[i].letter == value)
            return &rows[i];
    }
    return NULL;
}

static int out_of_range(const struct command *command, const struct option_row *row, const char *text)
{
    char min[QUANTITY_ROOM], max[QUANTITY_ROOM];
    if (row->max == UINT64_MAX)
        return message_usage(command->name, "--%s %s: must be at least %" PRIu64, row->name, text, row->min);
    if (row->kind == OPTION_BYTES)
        return message_usage(command->name, "--%s %s: must be from %s to %s", row->name, text,
                             quantity_exact(row->min, min), quantity_exact(row->max, max));
    return message_usage(command->name, "--%s %s: must be from %" PRIu64 " to %" PRIu64, row->name, text, row->min,
                         row->max);
}

/* Which of the words in "a|b|c" it is; -1: none. */
static int find_choice(const char *words, const char *text)
{
    size_t length = strlen(text);
    for (int choice = 0;; choice++) {
        size_t word = strcspn(words, "|");
        if (word == length && memcmp(words, text, word) == 0)
            return choice;
        if (words[word] == '\0')
            return -1;
        words += word + 1;
    }
}

static int take_choice(const struct command *command, const struct option_row *row, const char *text, char *place)
{
    int choice = find_choice(row->argument, text);
    if (choice < 0)
        return message_usage(command->name, "--%s %s: must be one of %s", row->name, text[0] != '\0' ? text : "''",
                             row->argument);
    memcpy(place, &choice, sizeof choice);
    return -1;
}

static int take_value(const struct command *command, const struct option_row *row, const char *text, void *settings)
{
    char *place = (char *)settings + row->offset;
    if (row->kind == OPTION_FLAG) {
        int one = 1;
        memcpy(place, &one, sizeof one);
        return -1;
    }
    if (row->kind == OPTION_CHOICE)
        return take_choice(command, row, text, place);
    uint64_t value;
    if (quantity_parse(text, row->kind == OPTION_BYTES, &value) != 0)
        return message_usage(command->name, "--%s %s: not a number%s", row->name, text[0] != '\0' ? text : "''",
                             row->kind == OPTION_BYTES ? " of bytes such as 4096, 64K or 1M" : "");
    if (value < row->min || value > row->max)
        return out_of_range(command, row, text);
    memcpy(place, &value, sizeof value);
    return -1;
}

/* getopt_long() returned '?' or ':'. */
static int refuse(const struct command *command, const struct option_row *rows, int count, int returned,
                  const char *argument)
{
    const struct option_row *row = find_row(rows, count, optopt);
    if (returned == ':' && row)
        return message_usage(command->name, "--%s needs a value, %s", row->name, row->argument);
    if (row || optopt == VALUE_HELP)
        return message_usage(command->name, "--%s takes no value", row ? row->name : "help");
    if (optopt != 0)
        return message_usage(command->name, "unknown option '-%c'", optopt);
    return message_usage(command->name, "unknown option '%s'", argument ? argument : "");
}

static int check_operands(const struct command *command, int operands, const char *last)
{
    if (operands < command->operands_min)
        return message_usage(command->name, "needs %s", command->operands);
    if (command->operands_max >= 0 && operands > command->operands_max)
        return message_usage(command->name, "'%s' is one operand too many", last);
    return -1;
}

int options_parse(const struct command *command, int argc, char **argv, void *settings, int *first)
{
    struct option longs[OPTIONS_MAX + 2];
    char letters[2 * OPTIONS_MAX + 3];
    int count = count_rows(command->options);
    if (count > OPTIONS_MAX)
        return EXIT_FAILED;
    make_getopt(command->options, count, longs, letters);
    opterr = 0;
    int value;
    while ((value = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        if (value == VALUE_HELP) {
            options_help(command);
            return output_finish();
        }
        if (value == '?' || value == ':')
            return refuse(command, command->options, count, value, argv[optind - 1]);
        const struct option_row *row = find_row(command->options, count, value);
        int code = row ? take_value(command, row, optarg, settings) : EXIT_FAILED;
        if (code >= 0)
            return code;
    }
    *first = optind;
    return check_operands(command, argc - optind, argv[argc - 1]);
}

static int help_width(const struct option_row *row)
{
    return (int)(strlen(row->name) + (row->argument ? strlen(row->argument) + 1 : 0));
}

/* "  -l, --level LEVEL   what it does" */
static void help_row(const struct option_row *row, int width)
{
    char letter[5] = "    ";
    if (row->letter != '\0')
        snprintf(letter, sizeof letter, "-%c, ", row->letter);
    output("  %s--%s%s%s%*s   %s\n", letter, row->name, row->argument ? " " : "", row->argument ? row->argument : "",
           width - help_width(row), "", row->help);
}

void options_help(const struct command *command)
{
    static const struct option_row help = {.letter = VALUE_HELP, .name = "help", .help = "show this"};
    int width = help_width(&help);
    for (const struct option_row *row = command->options; row->name; row++) {
        if (help_width(row) > width)
            width = help_width(row);
    }
    output("Usage: memfs %s [OPTION]... %s\n%s\n", command->name, command->operands, command->about);
    for (const struct option_row *row = command->options; row->name; row++)
        help_row(row, width);
    help_row(&help, width);
    output("\nExamples:\n%s", command->examples);
}
