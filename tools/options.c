#include "options.h"

#include "output/message.h"
#include "output/output.h"
#include "values/nearest.h"
#include "values/quantity.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OPTIONS_MAX 60
#define VALUE_FIRST 513 /* what getopt_long() returns for the first row */

struct common_options common = {.depth_max = DEPTH_MAX};

const struct option_row common_rows[] = {
    {'h', "help", NULL, OPTION_FLAG, 0, 0, 0, "show this"},
    {0, "version", NULL, OPTION_FLAG, 0, 0, 0, "show the version"},
    {'C', "directory", "DIR", OPTION_TEXT, 0, 0, 0, "work in DIR; several are followed in turn"},
    {'q', "quiet", NULL, OPTION_FLAG, offsetof(struct common_options, quiet), 0, 0,
     "show no progress, and nothing when all is well"},
    {'v', "verbose", NULL, OPTION_FLAG, offsetof(struct common_options, verbose), 0, 0, "tell more"},
    {0, "no-sandbox", NULL, OPTION_FLAG, offsetof(struct common_options, no_sandbox), 0, 0,
     "keep rights that are not needed: see memfs-security(7)"},
    {0, "json", NULL, OPTION_FLAG, offsetof(struct common_options, json), 0, 0, "one JSON object a line"},
    {0, "max-depth", "N", OPTION_NUMBER, offsetof(struct common_options, depth_max), 1, UINT64_MAX,
     "fail beyond N directories deep (default: 4096)"},
    {0, "color", "auto|always|never", OPTION_CHOICE, offsetof(struct common_options, color), 0, 0,
     "colours (default: on a terminal; --color alone: always)"},
    {0, "progress", "auto|json|none", OPTION_CHOICE, offsetof(struct common_options, progress), 0, 0,
     "show progress: on a terminal, as JSON lines, or not"},
    {0, "max-decoded", "SIZE", OPTION_BYTES, offsetof(struct common_options, decoded_max), 1, UINT64_MAX,
     "decompress no more (default: 16G, more for large images)"},
    {.name = NULL},
};

static int has_common(const struct command *command, const struct option_row *row)
{
    if (strcmp(row->name, "json") == 0)
        return (command->common & COMMON_JSON) != 0;
    if (strcmp(row->name, "color") == 0)
        return (command->common & COMMON_COLOR) != 0;
    if (strcmp(row->name, "max-depth") == 0)
        return (command->common & COMMON_DEPTH) != 0;
    if (strcmp(row->name, "progress") == 0)
        return (command->common & COMMON_PROGRESS) != 0;
    if (strcmp(row->name, "max-decoded") == 0)
        return (command->common & COMMON_DECODED) != 0;
    return 1;
}

void option_list_free(struct option_list *list)
{
    free(list->texts);
    *list = (struct option_list){.count = 0};
}

/* All options that a command knows: its own, and then the common ones, whose letters it may take. */
struct known {
    struct option_row rows[OPTIONS_MAX + 1];
    int count, own;
};

static void learn(const struct command *command, struct known *known)
{
    known->count = 0;
    for (const struct option_row *row = command->options; row->name && known->count < OPTIONS_MAX; row++)
        known->rows[known->count++] = *row;
    known->own = known->count;
    for (const struct option_row *row = common_rows; row->name && known->count < OPTIONS_MAX; row++) {
        if (!has_common(command, row))
            continue;
        struct option_row *copy = &known->rows[known->count++];
        *copy = *row;
        for (int i = 0; i < known->own; i++) {
            if (known->rows[i].letter == row->letter)
                copy->letter = '\0';
        }
    }
    known->rows[known->count].name = NULL;
}

int options_nth(const struct command *command, int number, struct option_row *row)
{
    struct known known;
    learn(command, &known);
    if (number >= known.count)
        return 0;
    *row = known.rows[number];
    return 1;
}

/* The table in getopt_long()'s terms. Every option returns its row's number,
 * so that letters and long names meet in one place. */
static void make_getopt(const struct known *known, int only_first, struct option *longs, char *letters)
{
    if (only_first)
        *letters++ = '+'; /* the first operand ends the options */
    *letters++ = ':';     /* a missing argument is told from an unknown option */
    for (int i = 0; i < known->count; i++) {
        const struct option_row *row = &known->rows[i];
        longs[i] = (struct option){row->name, row->argument ? required_argument : no_argument, NULL, VALUE_FIRST + i};
        if (row->letter != '\0') {
            *letters++ = row->letter;
            if (row->argument)
                *letters++ = ':';
        }
    }
    longs[known->count] = (struct option){NULL, 0, NULL, 0};
    *letters = '\0';
}

static const struct option_row *find_row(const struct known *known, int value)
{
    if (value >= VALUE_FIRST && value < VALUE_FIRST + known->count)
        return &known->rows[value - VALUE_FIRST];
    for (int i = 0; i < known->count; i++) {
        if (known->rows[i].letter != '\0' && known->rows[i].letter == value)
            return &known->rows[i];
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

static int add_text(const struct command *command, const char *text, void *place)
{
    struct option_list *list = place;
    const char **more = realloc(list->texts, (list->count + 1) * sizeof *more);
    if (!more)
        return message_error(command->name, NULL, -ENOMEM, NULL);
    list->texts = more;
    list->texts[list->count++] = text;
    return -1;
}

static int take_number(const struct command *command, const struct option_row *row, const char *text, char *place)
{
    uint64_t value;
    if (quantity_parse(text, row->kind == OPTION_BYTES, &value) != 0)
        return message_usage(command->name, "--%s %s: not a number%s", row->name, text[0] != '\0' ? text : "''",
                             row->kind == OPTION_BYTES ? " of bytes such as 4096, 64K, 1M or 1MiB (2^20), 1MB (10^6)"
                                                       : "");
    if (value < row->min || value > row->max)
        return out_of_range(command, row, text);
    memcpy(place, &value, sizeof value);
    return -1;
}

static int take_value(const struct command *command, const struct option_row *row, const char *text, void *settings)
{
    static const int one = 1;
    char *place = (char *)settings + row->offset;
    switch (row->kind) {
    case OPTION_FLAG:
        memcpy(place, &one, sizeof one);
        return -1;
    case OPTION_CHOICE:
        return take_choice(command, row, text, place);
    case OPTION_TEXT:
        memcpy(place, &text, sizeof text);
        return -1;
    case OPTION_LIST:
        return add_text(command, text, place);
    default:
        return take_number(command, row, text, place);
    }
}

static int take_common(const struct command *command, const struct option_row *row, const char *text)
{
    if (strcmp(row->name, "help") == 0) {
        options_help(command);
        return output_finish();
    }
    if (strcmp(row->name, "version") == 0) {
        output("memfs %s\n", MEMFS_VERSION);
        return output_finish();
    }
    if (strcmp(row->name, "directory") != 0)
        return take_value(command, row, text, &common);
    return options_directory(text);
}

/* "--max": the options that begin so, if there are several, or the one that is nearest. */
static int unknown_long(const struct command *command, const struct known *known, const char *argument)
{
    char name[64], candidates[256] = "";
    snprintf(name, sizeof name, "%.*s", (int)strcspn(argument + 2, "="), argument + 2);
    struct nearest nearest = {.word = name};
    int count = 0;
    for (int i = 0; i < known->count; i++) {
        nearest_look(&nearest, known->rows[i].name);
        if (name[0] == '\0' || strncmp(known->rows[i].name, name, strlen(name)) != 0)
            continue;
        const size_t length = strlen(candidates);
        snprintf(candidates + length, sizeof candidates - length, "%s--%s", count++ > 0 ? ", " : "",
                 known->rows[i].name);
    }
    if (count > 1)
        return message_usage(command->name, "'--%s' may be %s", name, candidates);
    if (nearest.found)
        return message_usage(command->name, "unknown option '%s'; did you mean --%s?", argument, nearest.found);
    return message_usage(command->name, "unknown option '%s'", argument);
}

static int is_word(const struct command *command, const char *argument)
{
    for (const struct option_row *word = command->words; word && word->name; word++)
        if (strcmp(word->name, argument) == 0)
            return 1;
    return 0;
}

/* getopt_long() returned '?' or ':'. */
static int refuse(const struct command *command, const struct known *known, int returned, const char *argument)
{
    const struct option_row *row = find_row(known, optopt);
    if (returned == ':' && row)
        return message_usage(command->name, "--%s needs a value, %s", row->name, row->argument);
    if (row)
        return message_usage(command->name, "--%s takes no value", row->name);
    if (is_word(command, argument))
        return message_usage(command->name, "'%s' before %s: those come first", argument, command->operands);
    if (optopt != 0)
        return message_usage(command->name, "unknown option '-%c'", optopt);
    return unknown_long(command, known, argument);
}

static int check_operands(const struct command *command, int operands, const char *last)
{
    if (operands < command->operands_min)
        return message_usage(command->name, "needs %s", command->operands);
    if (command->operands_max >= 0 && operands > command->operands_max)
        return message_usage(command->name, "'%s' is one operand too many", last);
    return -1;
}

/* "--color" alone is "--color=always". */
static void complete_color(const struct command *command, int argc, char **argv)
{
    static char always[] = "--color=always";
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if ((command->common & COMMON_COLOR) && strcmp(argv[i], "--color") == 0 &&
            (i + 1 == argc || find_choice("auto|always|never", argv[i + 1]) < 0))
            argv[i] = always;
    }
}

int options_directory(const char *text)
{
    if (chdir(text) == 0)
        return -1;
    return message_error_hint(text, NULL, -errno, NULL, "-C names the directory to work in");
}

int options_parse(const struct command *command, int argc, char **argv, void *settings, int *first)
{
    struct known known;
    struct option longs[OPTIONS_MAX + 1];
    char letters[2 * OPTIONS_MAX + 3];
    learn(command, &known);
    make_getopt(&known, command->words != NULL, longs, letters);
    complete_color(command, argc, argv);
    opterr = 0;
    int value;
    for (int at = optind; (value = getopt_long(argc, argv, letters, longs, NULL)) != -1; at = optind) {
        const struct option_row *row = find_row(&known, value);
        /* Within letters it stays, and without words it passes over operands. */
        if (value == '?' || value == ':' || !row)
            return refuse(command, &known, value, argv[command->words ? at : optind - 1]);
        int code = row - known.rows < known.own ? take_value(command, row, optarg, settings)
                                                : take_common(command, row, optarg);
        if (code >= 0)
            return code;
    }
    *first = optind;
    return check_operands(command, argc - optind, argv[argc - 1]);
}

/* ---- Help --------------------------------------------------------------------- */

static int help_width(const struct option_row *row)
{
    return (int)(strlen(row->name) + (row->argument ? strlen(row->argument) + 1 : 0));
}

static int widest(const struct option_row *rows)
{
    int width = 0;
    for (; rows->name; rows++) {
        if (help_width(rows) > width)
            width = help_width(rows);
    }
    return width;
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

static void help_words(const struct option_row *words)
{
    const int width = widest(words);
    output("\nWords:\n");
    for (; words->name; words++)
        output("  %s%s%s%*s   %s\n", words->name, words->argument ? " " : "", words->argument ? words->argument : "",
               width - help_width(words), "", words->help);
}

void options_help(const struct command *command)
{
    struct known known;
    learn(command, &known);
    const int width = widest(known.rows);
    output("Usage: memfs %s [OPTION]... %s\n%s\n", command->name, command->operands, command->about);
    for (int i = 0; i < known.count; i++)
        help_row(&known.rows[i], width);
    if (command->words)
        help_words(command->words);
    output("\nExamples:\n%s", command->examples);
}
