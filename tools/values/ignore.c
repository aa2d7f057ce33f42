#include "values/ignore.h"

#include <errno.h>
#include <fnmatch.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#define NAME_ROOM 256 /* no name is longer */
#define WILDCARDS "*?[\\"

/* The length of a class such as [!a-z], 0 if it does not end. */
static size_t class_length(const char *pattern, size_t length)
{
    size_t i = 1;
    if (i < length && (pattern[i] == '!' || pattern[i] == '^'))
        i++;
    for (size_t first = i; i < length; i++) {
        if (pattern[i] == ']' && i > first)
            return i + 1;
        if (pattern[i] == '\\')
            i++;
        else if (pattern[i] == '[' && i + 1 < length && pattern[i + 1] == ':')
            i += strcspn(pattern + i, "]");
    }
    return 0;
}

/* Cuts a pattern into parts. Slashes in classes do not separate, and match nothing. -1 if the pattern can match
 * nothing at all, since a class does not end. */
static int cut(struct ignore_rule *rule, const char *pattern, size_t length)
{
    char *to = rule->memory;
    for (size_t i = 0, taken = 1; i < length; i += taken, to += taken) {
        taken = pattern[i] == '\\' && i + 1 < length ? 2 : 1;
        if (pattern[i] == '[')
            taken = class_length(pattern + i, length - i);
        if (taken == 0)
            return -1;
        memcpy(to, pattern + i, taken);
        if (pattern[i] == '/') {
            *to = '\0';
            rule->parts++;
        }
    }
    *to = '\0';
    return 0;
}

static int add_rule(struct ignore *ignore, const struct ignore_rule *rule)
{
    if (ignore->count == ignore->room) {
        size_t room = ignore->room > 0 ? 2 * ignore->room : 16;
        struct ignore_rule *rules = realloc(ignore->rules, room * sizeof *rules);
        if (!rules)
            return -ENOMEM;
        ignore->rules = rules;
        ignore->room = room;
    }
    ignore->rules[ignore->count++] = *rule;
    return 0;
}

int ignore_add(struct ignore *ignore, const char *pattern, size_t length)
{
    struct ignore_rule rule = {.parts = 1};
    if (length > 0 && pattern[0] == '!') {
        rule.takes_back = 1;
        pattern++;
        length--;
    }
    if (length > 0 && pattern[length - 1] == '/') {
        rule.directories = 1;
        length--;
    }
    rule.anchored = memchr(pattern, '/', length) != NULL;
    if (length > 0 && pattern[0] == '/') {
        pattern++;
        length--;
    }
    if (length == 0)
        return 0;
    rule.memory = malloc(length + 1);
    if (!rule.memory)
        return -ENOMEM;
    const int never = cut(&rule, pattern, length) != 0;
    if (!never && add_rule(ignore, &rule) == 0)
        return 0;
    free(rule.memory);
    return never ? 0 : -ENOMEM;
}

/* Spaces at the end do not count, unless one is quoted. */
static size_t without_spaces(const char *line, size_t length)
{
    size_t kept = 0;
    for (size_t i = 0; i < length; i++) {
        if (line[i] == '\\' && i + 1 < length)
            kept = ++i + 1;
        else if (line[i] != ' ')
            kept = i + 1;
    }
    return kept;
}

int ignore_add_lines(struct ignore *ignore, const char *text, size_t length)
{
    const char *end = text + length;
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) /* as some editors begin a file */
        text += 3;
    int result = 0;
    while (result == 0 && text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t line = (size_t)((newline ? newline : end) - text);
        size_t used = newline && line > 0 && text[line - 1] == '\r' ? line - 1 : line;
        if (text[0] != '#')
            result = ignore_add(ignore, text, without_spaces(text, used));
        text += line + 1;
    }
    return result;
}

/* Most parts are names, or "*" and the end of names: those are quick. */
static int part_matches(const char *part, const char *name, size_t length)
{
    size_t first = strcspn(part, WILDCARDS);
    if (part[first] == '\0')
        return first == length && memcmp(part, name, length) == 0;
    if (part[0] == '*' && strpbrk(part + 1, WILDCARDS) == NULL) {
        size_t tail = strlen(part + 1);
        return tail <= length && memcmp(part + 1, name + length - tail, tail) == 0;
    }
    char copy[NAME_ROOM];
    if (length >= sizeof copy)
        return 0;
    memcpy(copy, name, length);
    copy[length] = '\0';
    return fnmatch(part, copy, 0) == 0;
}

static const char *next_name(const char *name)
{
    name += strcspn(name, "/");
    return name[0] == '/' ? name + 1 : name;
}

static const char *next_part(const char *part)
{
    return part + strlen(part) + 1;
}

static int is_any(const char *part)
{
    size_t stars = strspn(part, "*");
    return stars >= 2 && part[stars] == '\0';
}

/* "**" stands for any number of directories, at the end for all that is in one. After a
 * mismatch it is enough to let the last one that was met take one directory more. */
static int whole_matches(const struct ignore_rule *rule, const char *path)
{
    const char *part = rule->memory, *again = NULL, *again_path = NULL;
    size_t left = rule->parts, again_left = 0; /* parts from part on */
    while (path[0] != '\0') {
        if (left > 0 && is_any(part)) {
            again = part = next_part(part);
            again_left = --left;
            again_path = path;
        } else if (left > 0 && part_matches(part, path, strcspn(path, "/"))) {
            left--;
            part = left > 0 ? next_part(part) : part;
            path = next_name(path);
        } else if (again) {
            path = again_path = next_name(again_path);
            part = again;
            left = again_left;
        } else {
            return 0;
        }
    }
    return left == 0;
}

static int rule_matches(const struct ignore_rule *rule, const char *path, int is_directory)
{
    if (rule->directories && !is_directory)
        return 0;
    if (rule->anchored)
        return whole_matches(rule, path);
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    return part_matches(rule->memory, name, strlen(name));
}

int ignore_matches(const struct ignore *ignore, const char *path, int is_directory)
{
    if (ignore->count == 0)
        return 0;
    locale_t before = uselocale(newlocale(LC_ALL_MASK, "C", (locale_t)0)); /* that one takes no memory */
    size_t i = ignore->count;
    while (i > 0 && !rule_matches(&ignore->rules[i - 1], path, is_directory))
        i--;
    uselocale(before);
    return i > 0 && !ignore->rules[i - 1].takes_back;
}

int ignore_covers(const struct ignore *ignore, const char *path, int is_directory)
{
    char *copy = strdup(path);
    int covers = 0;
    for (char *slash = copy ? strchr(copy, '/') : NULL; slash && !covers; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        covers = ignore_matches(ignore, copy, 1);
        *slash = '/';
    }
    free(copy);
    return covers || ignore_matches(ignore, path, is_directory);
}

void ignore_free(struct ignore *ignore)
{
    for (size_t i = 0; i < ignore->count; i++)
        free(ignore->rules[i].memory);
    free(ignore->rules);
    *ignore = (struct ignore){.count = 0};
}
