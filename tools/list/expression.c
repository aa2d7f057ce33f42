#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* FNM_CASEFOLD */
#endif
#include "list/expression.h"

#include "output/message.h"
#include "values/account.h"
#include "values/mode.h"
#include "values/nearest.h"
#include "values/quantity.h"
#include "values/timestamp.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

struct word {
    const char *word, *argument;
    enum expression_kind kind;
};

#define AS_WORD(word, argument, kind, help) {word, argument, kind},
#define AS_LONE_WORD(word, kind, help) {word, NULL, kind},
static const struct word all_words[] = {EXPRESSION_WORDS(AS_WORD, AS_LONE_WORD)};
#define WORDS (sizeof all_words / sizeof all_words[0])

#define AS_ROW(word, argument, kind, help) {'\0', word, argument, OPTION_TEXT, 0, 0, 0, help},
#define AS_FLAG(word, kind, help) {'\0', word, NULL, OPTION_FLAG, 0, 0, 0, help},
const struct option_row expression_rows[] = {EXPRESSION_WORDS(AS_ROW, AS_FLAG){.name = NULL}};

/* A program: the tests in the order of the words, each leaving its result in one place, and in
 * between jumps over what does not count any more. */
enum step_kind {
    STEP_TEST,     /* of number `at` */
    STEP_NOT,      /* turns the result round */
    STEP_IF_FALSE, /* then goes on at step `at` */
    STEP_IF_TRUE,  /* the same */
    STEP_FORGET    /* nothing: what follows makes a result of its own */
};

struct expression_step {
    enum step_kind kind;
    size_t at;
};

/* An operator or a parenthesis that has not come to its end. */
struct open_word {
    enum expression_kind kind;
    const char *word;
    size_t jump; /* the step that is to lead behind its right side */
};

struct parser {
    const char *subcommand;
    char *const *words;
    size_t count, at;
    struct expression *out;
    struct open_word *open;
    size_t open_count;
    int has_action;
    const char *last; /* the word before, if an operand must follow; for messages */
};

int expression_begins(const char *word)
{
    return word[0] == '-' || strcmp(word, "(") == 0 || strcmp(word, ")") == 0 || strcmp(word, "!") == 0 ||
           strcmp(word, ",") == 0;
}

static const struct word *find_word(const char *text)
{
    for (size_t i = 0; i < WORDS; i++) {
        if (strcmp(all_words[i].word, text) == 0)
            return &all_words[i];
    }
    return NULL;
}

/* ---- Arguments; each returns -1 or the exit code ------------------------------------------ */

static int refuse(const struct parser *parser, const struct word *word, const char *text, const char *wanted)
{
    return message_usage(parser->subcommand, "%s %s: %s", word->word, text[0] != '\0' ? text : "''", wanted);
}

/* "+N", "-N" or "N", with up to one letter of units behind, which counts as what stands in sizes. */
static int take_number(const char *text, const char *units, const uint64_t *sizes, struct expression_test *test)
{
    char digits[24] = "";
    if (*text == '+' || *text == '-')
        test->sign = *text++;
    const size_t length = strspn(text, "0123456789");
    if (length >= sizeof digits)
        return -1;
    memcpy(digits, text, length);
    text += length;
    test->unit = sizes[0];
    if (*text != '\0') {
        const char *unit = strchr(units, *text);
        if (!unit || text[1] != '\0')
            return -1;
        test->unit = sizes[unit - units];
    }
    return quantity_parse(digits, 0, &test->number);
}

static int take_size(const struct parser *parser, const struct word *word, const char *text,
                     struct expression_test *test)
{
    static const uint64_t sizes[] = {512, 1, 2, 1 << 10, 1 << 20, 1 << 30};
    if (take_number(text, "bcwkMG", sizes, test) == 0)
        return -1;
    return refuse(parser, word, text, "must be a number, with + or - before it or not, and b, c, w, k, M or G behind");
}

static int take_count(const struct parser *parser, const struct word *word, const char *text,
                      struct expression_test *test)
{
    static const uint64_t one = 1;
    if (take_number(text, "", &one, test) == 0)
        return -1;
    return refuse(parser, word, text, "must be a number, with + or - before it or not");
}

/* Of -mtime and -mmin. */
static int take_age(const struct parser *parser, const struct word *word, const char *text,
                    struct expression_test *test)
{
    const int code = take_count(parser, word, text, test);
    test->unit = (word->kind == EXPRESSION_MTIME ? UINT64_C(86400) : 60) * 1000000000;
    return code;
}

static int take_time(const struct parser *parser, const struct word *word, const char *text,
                     struct expression_test *test)
{
    if (timestamp_parse(text, &test->time) == 0)
        return -1;
    return refuse(parser, word, text, "no time such as @1700000000, 2023-11-14 or 2023-11-14T22:13:20Z");
}

static int take_type(const struct parser *parser, const struct word *word, const char *text,
                     struct expression_test *test)
{
    static const char letters[] = "?pc?d?b?f?l?s"; /* by mode >> 12 */
    for (const char *at = text;; at += 2) {
        const char *letter = *at != '\0' && *at != '?' ? strchr(letters, *at) : NULL;
        if (!letter || (at[1] != ',' && at[1] != '\0'))
            return refuse(parser, word, text, "must be of b, c, d, f, l, p, s; several with commas between");
        test->types |= 1u << (letter - letters);
        if (at[1] == '\0')
            return -1;
    }
}

static int take_perm(const struct parser *parser, const struct word *word, const char *text,
                     struct expression_test *test)
{
    const char *mode = text;
    if (*mode == '-' || *mode == '/')
        test->sign = *mode++;
    struct mode_change change = {.count = 0};
    if (mode_parse(mode, &change) == 0) {
        for (int is_directory = 0; is_directory <= 1; is_directory++)
            test->mode[is_directory] = mode_apply(&change, 0, is_directory);
        return -1;
    }
    return refuse(parser, word, text, "must be a mode as 644 or u=rw,go=r, with - or / before it or not");
}

static int take_owner(const struct parser *parser, const struct word *word, const char *text,
                      struct expression_test *test)
{
    if (strcmp(word->argument, "N") == 0)
        return take_count(parser, word, text, test);
    uint32_t id = 0;
    const int result = (test->kind == EXPRESSION_USER ? account_user : account_group)(text, &id);
    if (result == -ENOMEM)
        return message_error(parser->subcommand, word->word, result, NULL);
    if (result == 0) {
        test->number = id;
        return -1;
    }
    return refuse(parser, word, text, "is not known to this host, nor a number");
}

/* Of -maxdepth and -mindepth. */
static int take_depth(const struct parser *parser, const struct word *word, const char *text)
{
    const int is_most = word->kind == EXPRESSION_MAXDEPTH;
    if (quantity_parse(text, 0, is_most ? &parser->out->depth_max : &parser->out->depth_min) == 0)
        return -1;
    return refuse(parser, word, text, "must be a number");
}

static int take_argument(const struct parser *parser, const struct word *word, const char *text,
                         struct expression_test *test)
{
    switch (word->kind) {
    case EXPRESSION_SIZE:
        return take_size(parser, word, text, test);
    case EXPRESSION_MTIME:
    case EXPRESSION_MMIN:
        return take_age(parser, word, text, test);
    case EXPRESSION_NEWERMT:
        return take_time(parser, word, text, test);
    case EXPRESSION_LINKS:
    case EXPRESSION_INUM:
        return take_count(parser, word, text, test);
    case EXPRESSION_TYPE:
        return take_type(parser, word, text, test);
    case EXPRESSION_PERM:
        return take_perm(parser, word, text, test);
    case EXPRESSION_USER:
    case EXPRESSION_GROUP:
        return take_owner(parser, word, text, test);
    case EXPRESSION_MAXDEPTH:
    case EXPRESSION_MINDEPTH:
        return take_depth(parser, word, text);
    default:
        test->text = text;
        return -1;
    }
}

/* ---- Parsing: operators wait until their right side is complete ------------------------------ */

static int binding(enum expression_kind kind)
{
    return kind == EXPRESSION_NOT ? 4 : kind == EXPRESSION_AND ? 3 : kind == EXPRESSION_OR ? 2 : 1;
}

static size_t add_step(struct expression *expression, enum step_kind kind, size_t at)
{
    expression->steps[expression->step_count] = (struct expression_step){kind, at};
    return expression->step_count++;
}

/* Operators that bind as much or more, and so end here. */
static void close_operators(struct parser *parser, int least)
{
    struct expression *out = parser->out;
    while (parser->open_count > 0 && parser->open[parser->open_count - 1].kind != EXPRESSION_OPEN) {
        const struct open_word *top = &parser->open[parser->open_count - 1];
        if (binding(top->kind) < least)
            return;
        if (top->kind == EXPRESSION_NOT)
            add_step(out, STEP_NOT, 0);
        else
            out->steps[top->jump].at = out->step_count;
        parser->open_count--;
    }
}

static void push(struct parser *parser, enum expression_kind kind, const char *word, size_t jump)
{
    parser->open[parser->open_count++] = (struct open_word){kind, word, jump};
    parser->last = word;
}

static void take_operator(struct parser *parser, enum expression_kind kind, const char *word)
{
    close_operators(parser, binding(kind));
    const enum step_kind step = kind == EXPRESSION_AND  ? STEP_IF_FALSE
                                : kind == EXPRESSION_OR ? STEP_IF_TRUE
                                                        : STEP_FORGET;
    push(parser, kind, word, add_step(parser->out, step, 0));
}

static int take_close(struct parser *parser)
{
    close_operators(parser, 0);
    if (parser->open_count == 0)
        return message_usage(parser->subcommand, "')' has no '(' before it");
    parser->open_count--;
    close_operators(parser, binding(EXPRESSION_NOT));
    return -1;
}

static int take_test(struct parser *parser, const struct word *word)
{
    struct expression *out = parser->out;
    struct expression_test *test = &out->tests[out->test_count];
    *test = (struct expression_test){.kind = word->kind};
    if (word->argument) {
        if (parser->at == parser->count)
            return message_usage(parser->subcommand, "%s needs a value, %s", word->word, word->argument);
        int code = take_argument(parser, word, parser->words[parser->at++], test);
        if (code >= 0)
            return code;
    }
    out->is_post |= word->kind == EXPRESSION_DEPTH;
    if (word->kind == EXPRESSION_MAXDEPTH || word->kind == EXPRESSION_MINDEPTH || word->kind == EXPRESSION_DEPTH)
        test->kind = EXPRESSION_TRUE;
    if (word->kind == EXPRESSION_PRINT || word->kind == EXPRESSION_PRINT0)
        parser->has_action = 1;
    add_step(out, STEP_TEST, out->test_count++);
    close_operators(parser, binding(EXPRESSION_NOT));
    parser->last = NULL;
    return -1;
}

/* find's words that people look for here. */
static const char runs_nothing[] = "pipe -print0 into 'xargs -0'";
static const char names_only[] = "-name and -path take GLOBs";
static const struct {
    const char *word, *why;
} refused[] = {{"-exec", runs_nothing},
               {"-execdir", runs_nothing},
               {"-ok", runs_nothing},
               {"-delete", "images are not changed; 'memfs pack --exclude' makes one without"},
               {"-regex", names_only},
               {"-iregex", names_only},
               {"-ls", "'memfs ls -lR' lists"},
               {"-printf", "--json tells everything"},
               {"-atime", "images keep no times of access"},
               {"-ctime", "images keep no times of change of status"}};

static int unknown(const struct parser *parser, const char *text)
{
    if (text[0] == '-' && text[1] == '-')
        return message_usage(parser->subcommand, "'%s' in the expression: options stand before IMAGE", text);
    struct nearest nearest = {.word = text};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (strcmp(text, refused[i].word) == 0)
            return message_usage(parser->subcommand, "unknown word '%s' in the expression: %s", text, refused[i].why);
    }
    for (size_t i = 0; i < WORDS; i++)
        nearest_look(&nearest, all_words[i].word);
    if (text[0] == '-' && nearest.found)
        return message_usage(parser->subcommand, "unknown word '%s' in the expression; did you mean %s?", text,
                             nearest.found);
    if (text[0] == '-')
        return message_usage(parser->subcommand, "unknown word '%s' in the expression", text);
    return message_usage(parser->subcommand, "'%s' in the expression: paths stand before it, and GLOBs in quotes",
                         text);
}

/* A word where a test, '!' or '(' must stand. */
static int take_operand(struct parser *parser, const struct word *word, const char *text)
{
    switch (word->kind) {
    case EXPRESSION_OPEN:
    case EXPRESSION_NOT:
        push(parser, word->kind, text, 0);
        return -1;
    case EXPRESSION_AND:
    case EXPRESSION_OR:
    case EXPRESSION_LIST:
    case EXPRESSION_CLOSE:
        if (parser->last)
            return message_usage(parser->subcommand, "a test is missing between '%s' and '%s'", parser->last, text);
        return message_usage(parser->subcommand, "a test is missing before '%s'", text);
    default:
        return take_test(parser, word);
    }
}

static int take_word(struct parser *parser, int *wants_operand)
{
    const char *text = parser->words[parser->at];
    const struct word *word = find_word(text);
    if (!word)
        return unknown(parser, text);
    if (!*wants_operand && word->kind == EXPRESSION_CLOSE) {
        parser->at++;
        return take_close(parser);
    }
    if (*wants_operand) {
        parser->at++;
        *wants_operand = word->kind == EXPRESSION_OPEN || word->kind == EXPRESSION_NOT;
        return take_operand(parser, word, text);
    }
    *wants_operand = 1;
    if (word->kind == EXPRESSION_AND || word->kind == EXPRESSION_OR || word->kind == EXPRESSION_LIST) {
        parser->at++;
        take_operator(parser, word->kind, text);
    } else {
        take_operator(parser, EXPRESSION_AND, NULL); /* side by side */
    }
    return -1;
}

static int take_end(struct parser *parser, int wants_operand)
{
    if (wants_operand && parser->count > 0)
        return message_usage(parser->subcommand, "a test is missing behind '%s'", parser->last);
    close_operators(parser, 0);
    if (parser->open_count > 0)
        return message_usage(parser->subcommand, "'(' has no ')' behind it");
    return -1;
}

/* What is found, unless it says itself what is to be done, is printed: "( words ) -print". */
static void add_print(struct parser *parser)
{
    struct expression *out = parser->out;
    size_t jump = 0;
    if (parser->has_action)
        return;
    if (parser->count > 0)
        jump = add_step(out, STEP_IF_FALSE, 0);
    out->tests[out->test_count] = (struct expression_test){.kind = EXPRESSION_PRINT};
    add_step(out, STEP_TEST, out->test_count++);
    if (parser->count > 0)
        out->steps[jump].at = out->step_count;
}

int expression_parse(const char *subcommand, char *const *words, size_t count, struct expression *out)
{
    struct parser parser = {.subcommand = subcommand, .words = words, .count = count, .out = out};
    memset(out, 0, sizeof *out);
    out->depth_max = UINT64_MAX;
    /* A word makes one test at most, one step, and one more that joins it with what was before. */
    out->tests = calloc(count + 1, sizeof *out->tests);
    out->steps = calloc(2 * count + 2, sizeof *out->steps);
    parser.open = calloc(2 * count + 1, sizeof *parser.open);
    if (!out->tests || !out->steps || !parser.open) {
        free(parser.open);
        return message_error(subcommand, NULL, -ENOMEM, NULL);
    }
    int code = -1, wants_operand = 1;
    while (code < 0 && parser.at < count)
        code = take_word(&parser, &wants_operand);
    if (code < 0)
        code = take_end(&parser, wants_operand);
    if (code < 0)
        add_print(&parser);
    free(parser.open);
    return code;
}

void expression_free(struct expression *expression)
{
    free(expression->tests);
    free(expression->steps);
    memset(expression, 0, sizeof *expression);
}

/* ---- Evaluating ------------------------------------------------------------------------------- */

static int compare(const struct expression_test *test, uint64_t value)
{
    if (test->sign == '+')
        return value > test->number;
    if (test->sign == '-')
        return value < test->number;
    return value == test->number;
}

/* Whole units ago; what is yet to come is less than none. */
static int test_age(const struct expression_test *test, int64_t mtime)
{
    if (mtime > test->time)
        return test->sign == '-';
    return compare(test, ((uint64_t)test->time - (uint64_t)mtime) / test->unit);
}

static int test_perm(const struct expression_test *test, uint32_t mode)
{
    const uint32_t wanted = test->mode[(mode & MEMFS_IFMT) == MEMFS_IFDIR], bits = mode & 07777u;
    if (test->sign == '-')
        return (bits & wanted) == wanted;
    if (test->sign == '/')
        return wanted == 0 || (bits & wanted) != 0;
    return bits == wanted;
}

/* The library counts entries as a directory's size. */
static int test_empty(const struct memfs_stat *stat)
{
    const uint32_t type = stat->mode & MEMFS_IFMT;
    return stat->size == 0 && (type == MEMFS_IFREG || type == MEMFS_IFDIR);
}

static int test_text(const struct expression_test *test, const struct expression_subject *subject)
{
    const int is_name = test->kind == EXPRESSION_NAME || test->kind == EXPRESSION_INAME;
    const int flags = test->kind == EXPRESSION_INAME || test->kind == EXPRESSION_IPATH ? FNM_CASEFOLD : 0;
    return fnmatch(test->text, is_name ? subject->name : subject->path, flags) == 0;
}

static int test_attribute(const struct expression_test *test, const struct memfs_stat *stat)
{
    switch (test->kind) {
    case EXPRESSION_TYPE:
        return test->types >> (stat->mode >> 12 & 15u) & 1u;
    case EXPRESSION_SIZE:
        return compare(test, stat->size / test->unit + (stat->size % test->unit != 0));
    case EXPRESSION_EMPTY:
        return test_empty(stat);
    case EXPRESSION_NEWER:
    case EXPRESSION_NEWERMT:
        return stat->mtime > test->time;
    case EXPRESSION_MTIME:
    case EXPRESSION_MMIN:
        return test_age(test, stat->mtime);
    case EXPRESSION_INUM:
        return compare(test, stat->node & UINT32_MAX);
    case EXPRESSION_SAMEFILE:
        return stat->node == test->node;
    case EXPRESSION_PERM:
        return test_perm(test, stat->mode);
    case EXPRESSION_USER:
        return compare(test, stat->uid);
    case EXPRESSION_GROUP:
        return compare(test, stat->gid);
    case EXPRESSION_LINKS:
        return compare(test, stat->nlink);
    default:
        return test->kind != EXPRESSION_FALSE;
    }
}

struct evaluation {
    const struct expression_subject *subject;
    expression_print *print;
    void *context;
    int then; /* EXPRESSION_DO_... */
};

static int evaluate_test(struct evaluation *evaluation, const struct expression_test *test)
{
    switch (test->kind) {
    case EXPRESSION_NAME:
    case EXPRESSION_INAME:
    case EXPRESSION_PATH:
    case EXPRESSION_IPATH:
        return test_text(test, evaluation->subject);
    case EXPRESSION_PRINT:
    case EXPRESSION_PRINT0:
        evaluation->print(evaluation->context, evaluation->subject, test->kind);
        return 1;
    case EXPRESSION_PRUNE:
        evaluation->then |= EXPRESSION_DO_PRUNE;
        return 1;
    case EXPRESSION_QUIT:
        evaluation->then |= EXPRESSION_DO_QUIT;
        return 1;
    default:
        return test_attribute(test, evaluation->subject->stat);
    }
}

int expression_evaluate(const struct expression *expression, const struct expression_subject *subject,
                        expression_print *print, void *context)
{
    struct evaluation evaluation = {.subject = subject, .print = print, .context = context};
    int result = 1;
    for (size_t i = 0; i < expression->step_count && !(evaluation.then & EXPRESSION_DO_QUIT);) {
        const struct expression_step *step = &expression->steps[i++];
        if (step->kind == STEP_TEST)
            result = evaluate_test(&evaluation, &expression->tests[step->at]);
        else if (step->kind == STEP_NOT)
            result = !result;
        else if ((step->kind == STEP_IF_FALSE && !result) || (step->kind == STEP_IF_TRUE && result))
            i = step->at;
    }
    return evaluation.then;
}
