/*
 * What people write on command lines. The input is lines; the first one's letter says of
 * what: g a glob and a name, i a rule of an ignore file and a path, s a size, m a mode,
 * t a time, f the words of a find expression.
 *
 * Properties: globs match as fnmatch(3) does where both mean the same; rules of
 * ignore files match as a naive, recursive reading of gitignore(5); sizes, modes and
 * times mean the same when they are written out and read again; an expression means
 * the same in parentheses and denied twice, and its contrary finds what it does not.
 */
#include "fuzz.h"
#include "list/expression.h"
#include "output/message.h"
#include "pattern.h"
#include "values/account.h"
#include "values/ignore.h"
#include "values/mode.h"
#include "values/quantity.h"
#include "values/timestamp.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#define LINES 24u
#define TEXT_ROOM 1024u

struct lines {
    char text[TEXT_ROOM];
    char *line[LINES];
    unsigned count;
};

/* Messages go nowhere, and this host's accounts are not asked. */
int message_usage(const char *subcommand, const char *format, ...)
{
    FUZZ_REQUIRE(subcommand && format, "a message without words");
    return EXIT_USAGE;
}

int message_error(const char *thing, const char *path, int error, const struct memfs_detail *detail)
{
    (void)thing;
    (void)path;
    (void)detail;
    return error == -ENOMEM ? EXIT_FAILED : EXIT_DAMAGED;
}

int account_user(const char *text, uint32_t *uid)
{
    uint64_t value;
    if (quantity_parse(text, 0, &value) || value >= UINT32_MAX)
        return -1;
    *uid = (uint32_t)value;
    return 0;
}

int account_group(const char *text, uint32_t *gid)
{
    return account_user(text, gid);
}

static const char *line(const struct lines *lines, unsigned number)
{
    return number < lines->count ? lines->line[number] : "";
}

/* ---- Globs ------------------------------------------------------------------------ */

/* Classes by name, and ^ for !, mean something to fnmatch() only. */
static int means_the_same(const char *pattern)
{
    return !strstr(pattern, "[^") && !strstr(pattern, "[:") && !strstr(pattern, "[.") && !strstr(pattern, "[=") &&
           !strchr(pattern, '/') && strcmp(pattern, "**") != 0;
}

static void try_glob(const struct lines *lines)
{
    const struct memfs_allocator allocator = memfs_allocator_or_default(NULL);
    const char *text = line(lines, 1), *name = line(lines, 2);
    struct pattern pattern;
    if (pattern_parse(&allocator, text, &pattern))
        return;
    for (size_t i = 0; i < pattern.count; i++)
        if (pattern.parts[i].kind != PART_DEPTH)
            (void)pattern_matches(&pattern, i, name);
    if (pattern.count == 1 && means_the_same(text) && !strchr(name, '/') && name[0]) {
        const int got = pattern_matches(&pattern, 0, name), want = fnmatch(text, name, 0) == 0;
        FUZZ_REQUIRE(got == want, "\"%s\" and \"%s\": %d, fnmatch says %d", text, name, got, want);
    }
    pattern_free(&allocator, &pattern);
}

/* ---- Ignore files -------------------------------------------------------------------- */

/* Do the parts of a rule, with slashes between, match the names of a path? */
static int naive_parts(const char *rule, const char *path)
{
    char part[TEXT_ROOM], name[TEXT_ROOM];
    const size_t part_length = strcspn(rule, "/"), name_length = strcspn(path, "/");
    const char *rule_rest = rule + part_length, *path_rest = path + name_length;
    memcpy(part, rule, part_length);
    part[part_length] = 0;
    memcpy(name, path, name_length);
    name[name_length] = 0;
    const int more_path = *path_rest == '/';
    if (part_length >= 2 && strspn(part, "*") == part_length) {
        if (!*rule_rest)
            return 1; /* all that is below */
        return naive_parts(rule_rest + 1, path) || (more_path && naive_parts(rule, path_rest + 1));
    }
    if (fnmatch(part, name, 0) != 0)
        return 0;
    if (!*rule_rest || !more_path)
        return !*rule_rest && !more_path;
    return naive_parts(rule_rest + 1, path_rest + 1);
}

/* A rule without quoting and classes, whose slashes would need more to be told. */
static int naive_rule(const char *text, const char *path, int is_directory)
{
    char rule[TEXT_ROOM];
    size_t length = strlen(text);
    if (*text == '#')
        return 0;
    while (length && text[length - 1] == ' ')
        length--;
    if (length && text[length - 1] == '/') {
        length--;
        if (!is_directory)
            return 0;
    }
    memcpy(rule, text, length);
    rule[length] = 0;
    const int anchored = strchr(rule, '/') != NULL;
    const char *begin = rule + (rule[0] == '/');
    if (!*begin)
        return 0;
    const char *last = strrchr(path, '/');
    return anchored ? naive_parts(begin, path) : fnmatch(rule, last ? last + 1 : path, 0) == 0;
}

static int is_path(const char *path)
{
    return path[0] && path[0] != '/' && path[strlen(path) - 1] != '/' && !strstr(path, "//") && strlen(path) < 256;
}

static void try_ignore(const struct lines *lines)
{
    struct ignore ignore = {.count = 0};
    const char *rule = line(lines, 1), *path = line(lines, 2);
    if (!is_path(path) || ignore_add_lines(&ignore, rule, strlen(rule)))
        return;
    for (int is_directory = 0; is_directory < 2; is_directory++) {
        const int got = ignore_matches(&ignore, path, is_directory);
        FUZZ_REQUIRE(ignore_covers(&ignore, path, is_directory) >= got, "\"%s\" matches \"%s\", but is not covered",
                     rule, path);
        if (strpbrk(rule, "[\\!\r") || strstr(rule, "//") || strchr(rule, '\xef'))
            continue;
        const int want = naive_rule(rule, path, is_directory);
        FUZZ_REQUIRE(got == want, "\"%s\" and \"%s\", directory %d: %d, naively %d", rule, path, is_directory, got,
                     want);
    }
    ignore_free(&ignore);
}

/* ---- Sizes, modes, times --------------------------------------------------------------- */

static void try_size(const struct lines *lines)
{
    char text[QUANTITY_ROOM];
    uint64_t value, again, plain;
    if (quantity_parse(line(lines, 1), 1, &value))
        return;
    quantity_exact(value, text);
    FUZZ_REQUIRE(quantity_parse(text, 1, &again) == 0 && again == value, "%" PRIu64 " as %s", value, text);
    snprintf(text, sizeof text, "%" PRIu64, value);
    FUZZ_REQUIRE(quantity_parse(text, 0, &plain) == 0 && plain == value, "%" PRIu64 " in digits", value);
    FUZZ_REQUIRE(strlen(quantity_bytes(value, text)) < QUANTITY_ROOM && strlen(quantity_short(value, text)) <= 5,
                 "%" PRIu64 " is shown as %s", value, text);
    (void)quantity_seconds(value, text);
}

static void try_mode(const struct lines *lines)
{
    struct mode_change change, digits;
    char text[16];
    if (mode_parse(line(lines, 1), &change))
        return;
    FUZZ_REQUIRE(change.count >= 1 && change.count <= MODE_STEPS, "%d steps", change.count);
    for (uint32_t mode = 0; mode < 010000; mode += 0173) {
        for (int is_directory = 0; is_directory < 2; is_directory++) {
            const uint32_t made = mode_apply(&change, mode, is_directory);
            FUZZ_REQUIRE(made < 010000, "%o became %o", mode, made);
            snprintf(text, sizeof text, "%05o", made);
            FUZZ_REQUIRE(mode_parse(text, &digits) == 0 && mode_apply(&digits, mode, is_directory) == made,
                         "%s is not what it says", text);
        }
    }
}

static void try_time(const struct lines *lines)
{
    int64_t time, again;
    char text[64];
    const int result = timestamp_parse(line(lines, 1), &time);
    FUZZ_REQUIRE(result == 0 || result == -1 || result == -ERANGE, "%d", result);
    if (result)
        return;
    const int64_t billion = 1000000000, rest = (time % billion + billion) % billion;
    const time_t seconds = (time_t)((time - rest) / billion);
    struct tm parts;
    size_t length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &parts));
    snprintf(text + length, sizeof text - length, ".%09" PRId64 "Z", rest);
    FUZZ_REQUIRE(timestamp_parse(text, &again) == 0 && again == time, "%" PRId64 " as %s is %" PRId64, time, text,
                 again);
}

/* ---- Expressions of find ------------------------------------------------------------------ */

static void count_print(void *context, const struct expression_subject *subject, enum expression_kind kind)
{
    FUZZ_REQUIRE(subject && (kind == EXPRESSION_PRINT || kind == EXPRESSION_PRINT0), "%d", (int)kind);
    ++*(unsigned *)context;
}

/* How often a subject is printed, by the words with some before and behind; -1 if they are none. */
static int prints(const struct lines *lines, const char *before, const char *behind, int *then)
{
    static const struct memfs_stat stat = {.mode = MEMFS_IFREG | 0644, .nlink = 1, .uid = 7, .size = 5000, .mtime = 5};
    static const struct expression_subject subject = {.path = "d/name.c", .name = "name.c", .stat = &stat};
    char *words[LINES + 4], open[2] = "(", close[2] = ")", not [2] = "!";
    size_t count = 0;
    for (; *before; before++)
        words[count++] = *before == '!' ? not : open;
    for (unsigned i = 1; i < lines->count; i++)
        words[count++] = lines->line[i];
    if (*behind)
        words[count++] = close;
    struct expression expression;
    unsigned printed = 0;
    const int code = expression_parse("find", words, count, &expression);
    if (code < 0)
        *then = expression_evaluate(&expression, &subject, count_print, &printed);
    expression_free(&expression);
    return code < 0 ? (int)printed : -1;
}

static int says_what_to_do(const struct lines *lines)
{
    for (unsigned i = 1; i < lines->count; i++)
        if (strncmp(lines->line[i], "-print", 6) == 0 || strcmp(lines->line[i], "-quit") == 0)
            return 1;
    return 0;
}

static void try_expression(const struct lines *lines)
{
    int then = 0, again = 0;
    const int printed = prints(lines, "", "", &then);
    if (printed < 0 || lines->count < 2)
        return;
    FUZZ_REQUIRE(prints(lines, "(", ")", &again) == printed && again == then, "other in parentheses");
    FUZZ_REQUIRE(prints(lines, "!!(", ")", &again) == printed && again == then, "other when denied twice");
    if (!says_what_to_do(lines))
        FUZZ_REQUIRE(printed + prints(lines, "!(", ")", &again) == 1, "printed %d times, and its contrary not else",
                     printed);
}

/* ---- Inputs ---------------------------------------------------------------------------------- */

static void cut_lines(struct lines *lines, const uint8_t *data, size_t size)
{
    size = size < TEXT_ROOM - 1 ? size : TEXT_ROOM - 1;
    memcpy(lines->text, data, size);
    lines->text[size] = 0;
    lines->count = 0;
    for (char *at = lines->text; at && lines->count < LINES;) {
        lines->line[lines->count++] = at;
        at = strchr(at, '\n');
        if (at)
            *at++ = 0;
    }
}

const enum fuzz_kind fuzz_kind = FUZZ_BYTES;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct lines lines;
    cut_lines(&lines, data, size);
    switch (lines.text[0]) {
    case 'g':
        try_glob(&lines);
        break;
    case 'i':
        try_ignore(&lines);
        break;
    case 's':
        try_size(&lines);
        break;
    case 'm':
        try_mode(&lines);
        break;
    case 't':
        try_time(&lines);
        break;
    case 'f':
        try_expression(&lines);
        break;
    default:
        break;
    }
    return 0;
}
