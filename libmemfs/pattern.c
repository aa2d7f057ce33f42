#include "pattern.h"

#include <errno.h>
#include <string.h>

/* ---- One character -------------------------------------------------------------- */

/* A character that may be quoted: behind it, or NULL if the text ends before. */
static const char *take_char(const char *text, const char *end, unsigned char *out)
{
    if (text < end && *text == '\\')
        text++;
    if (text == end)
        return NULL;
    *out = (unsigned char)*text;
    return text + 1;
}

/* The set behind a '[': behind its ']', or NULL if there is none. */
static const char *match_set(const char *text, const char *end, unsigned char c, int *matches)
{
    int negated = text < end && *text == '!', found = 0;
    text += negated;
    for (int first = 1; text < end && (first || *text != ']'); first = 0) {
        unsigned char low = 0, high;
        text = take_char(text, end, &low);
        if (!text)
            return NULL;
        high = low;
        if (end - text >= 2 && text[0] == '-' && text[1] != ']')
            text = take_char(text + 1, end, &high);
        if (!text)
            return NULL;
        found |= low <= c && c <= high;
    }
    *matches = found != negated;
    return text < end ? text + 1 : NULL;
}

/* What one character of a name is compared with, not a '*': behind it, or NULL if
 * the pattern is malformed. */
static const char *match_char(const char *text, const char *end, unsigned char c, int *matches)
{
    unsigned char wanted = 0;
    if (*text == '[')
        return match_set(text + 1, end, c, matches);
    if (*text == '?') {
        *matches = 1;
        return text + 1;
    }
    text = take_char(text, end, &wanted);
    *matches = wanted == c;
    return text;
}

/* ---- One name ------------------------------------------------------------------------ */

/* Only the last star is ever tried again: what stands before an earlier one has
 * then found its first place, and no later one can be better. */
static int match_name(const char *text, const char *end, const char *name)
{
    const char *star = NULL, *star_name = NULL;
    while (*name) {
        if (text < end && *text == '*') {
            star = ++text;
            star_name = name;
            continue;
        }
        int matches = 0;
        const char *next = text < end ? match_char(text, end, (unsigned char)*name, &matches) : text;
        if (matches) {
            text = next;
            name++;
        } else if (star) {
            text = star;
            name = ++star_name;
        } else {
            return 0;
        }
    }
    while (text < end && *text == '*')
        text++;
    return text == end;
}

int pattern_matches(const struct pattern *pattern, size_t part, const char *name)
{
    const char *text = pattern->text + pattern->parts[part].start;
    if (pattern->parts[part].kind == PART_LITERAL)
        return strcmp(text, name) == 0;
    return match_name(text, text + pattern->parts[part].length, name);
}

/* ---- Parsing --------------------------------------------------------------------------- */

static int check_names(const char *text, const char *end)
{
    while (text < end) {
        int matches;
        text = *text == '*' ? text + 1 : match_char(text, end, 0, &matches);
        if (!text)
            return -EINVAL;
    }
    return 0;
}

static int is_special(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\\')
            i++;
        else if (strchr("*?[", text[i]))
            return 1;
    }
    return 0;
}

static size_t unquote(char *text, size_t length)
{
    size_t to = 0;
    for (size_t from = 0; from < length; from++) {
        if (text[from] == '\\')
            from++;
        text[to++] = text[from];
    }
    text[to] = 0;
    return to;
}

static int add_part(const struct memfs_allocator *allocator, struct pattern *pattern, struct part part)
{
    void *parts = pattern->parts;
    int error =
        memfs_grow_array(allocator, &parts, &pattern->room, pattern->count, pattern->count + 1, sizeof *pattern->parts);
    pattern->parts = parts;
    if (!error)
        pattern->parts[pattern->count++] = part;
    return error;
}

static int parse_part(const struct memfs_allocator *allocator, struct pattern *pattern, size_t start, size_t length)
{
    char *text = pattern->text + start;
    struct part part = {PART_NAMES, start, length};
    int error = check_names(text, text + length);
    if (error)
        return error;
    if (length == 2 && memcmp(text, "**", 2) == 0) {
        part.kind = PART_DEPTH;
    } else if (!is_special(text, length)) {
        part.kind = PART_LITERAL;
        part.length = unquote(text, length);
        if (strcmp(text, ".") == 0)
            return 0;
        if (strcmp(text, "..") == 0)
            return -EINVAL;
    }
    /* Twice any number is any number. */
    if (part.kind == PART_DEPTH && pattern->count && pattern->parts[pattern->count - 1].kind == PART_DEPTH)
        return 0;
    return add_part(allocator, pattern, part);
}

static int parse_parts(const struct memfs_allocator *allocator, struct pattern *pattern)
{
    size_t at = 0, end = pattern->size - 1;
    while (at < end) {
        size_t length = strcspn(pattern->text + at, "/");
        pattern->wants_dirs = length == 0;
        pattern->text[at + length] = 0;
        int error = length ? parse_part(allocator, pattern, at, length) : 0;
        if (error)
            return error;
        at += length + 1;
        if (at == end)
            pattern->wants_dirs = 1;
    }
    if (pattern->count && pattern->parts[pattern->count - 1].kind == PART_DEPTH)
        return add_part(allocator, pattern, (struct part){PART_NAMES, pattern->parts[pattern->count - 1].start, 1});
    return 0;
}

int pattern_parse(const struct memfs_allocator *allocator, const char *text, struct pattern *out)
{
    *out = (struct pattern){.size = strlen(text) + 1};
    if (!*text)
        return -ENOENT;
    out->text = memfs_alloc(allocator, out->size);
    if (!out->text)
        return -ENOMEM;
    memcpy(out->text, text, out->size);
    int error = parse_parts(allocator, out);
    if (error)
        pattern_free(allocator, out);
    return error;
}

void pattern_free(const struct memfs_allocator *allocator, struct pattern *pattern)
{
    memfs_free(allocator, pattern->text, pattern->size);
    memfs_free(allocator, pattern->parts, pattern->room * sizeof *pattern->parts);
    *pattern = (struct pattern){0};
}
