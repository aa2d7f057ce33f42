#include "roff.h"

#include "output/output.h"

#include <ctype.h>
#include <string.h>

#define LINE_MAX_WIDTH 78

static int is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static int is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* What would be a command, a fancy quote or a hyphen where the character itself is meant. */
static void put(char c)
{
    static const struct {
        char c;
        const char *escape;
    } escapes[] = {{'\\', "\\(rs"}, {'-', "\\-"},   {'\'', "\\(aq"}, {'"', "\\(dq"},
                   {'`', "\\(ga"},  {'^', "\\(ha"}, {'~', "\\(ti"}};
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++) {
        if (escapes[i].c == c) {
            output("%s", escapes[i].escape);
            return;
        }
    }
    output_text(&c, 1);
}

static void put_in(const char *font, const char *text, size_t length)
{
    output("\\f%s", font);
    for (size_t i = 0; i < length; i++)
        put(text[i]);
    output("\\fR");
}

void roff_bold(const char *text)
{
    put_in("B", text, strlen(text));
}

/* Does text have the word, whole? */
static int has_word(const char *text, const char *word, size_t length)
{
    for (const char *at = text; at; at = strpbrk(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
        size_t found = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
        if (found == length && memcmp(at, word, length) == 0)
            return 1;
        at += found > 0 ? found : *at != '\0';
    }
    return 0;
}

/* Is it what an operand or an argument of the command is called? */
static int is_argument(const struct command *command, const char *word, size_t length)
{
    struct option_row row;
    if (has_word(command->operands, word, length))
        return 1;
    for (int i = 0; options_nth(command, i, &row); i++) {
        if (row.argument && has_word(row.argument, word, length))
            return 1;
    }
    return 0;
}

/* "A directory" is not about the operand A. */
static int is_article(const char *word, size_t length)
{
    const char *next = word + length + strspn(word + length, " \n");
    return length == 1 && *word == 'A' && next > word + length && islower((unsigned char)*next) &&
           strncmp(next, "and ", 4) != 0;
}

/* An option's length at text, 0 if there is none. */
static size_t option_length(const char *text, size_t length)
{
    size_t i = 0;
    while (i < length && (text[i] == '-' || is_word(text[i])))
        i++;
    size_t dashes = strspn(text, "-");
    return dashes >= 1 && dashes <= 2 && i > dashes ? i : 0;
}

/* One word between blanks. */
static void put_word(const struct command *command, const char *word, size_t length)
{
    for (size_t i = 0; i < length;) {
        int starts = i == 0 || !(is_word(word[i - 1]) || word[i - 1] == '-');
        size_t upper = 0;
        while (i + upper < length && is_upper(word[i + upper]))
            upper++;
        size_t option = starts && word[i] == '-' ? option_length(word + i, length - i) : 0;
        if (option > 0) {
            put_in("B", word + i, option);
            i += option;
        } else if (starts && upper > 0 && (i + upper == length || !is_word(word[i + upper])) &&
                   !is_article(word + i, upper) && is_argument(command, word + i, upper)) {
            put_in("I", word + i, upper);
            i += upper;
        } else if (word[i] == '-' && i > 0 && is_word(word[i - 1])) {
            output("%c", word[i++]); /* a hyphen in a compound */
        } else {
            put(word[i++]);
        }
    }
}

/* At the start of a line a point would make a command. */
static void guard(const char *word)
{
    if (word[0] == '.')
        output("\\&");
}

static int has_blank_line(const char *blanks, size_t length)
{
    int lines = 0;
    for (size_t i = 0; i < length; i++)
        lines += blanks[i] == '\n';
    return lines > 1;
}

/* Words up to the end, or to a blank line. Returns what follows. */
static const char *fill(const struct command *command, const char *text)
{
    size_t width = 0;
    for (;;) {
        size_t blanks = strspn(text, " \n");
        const char *word = text + blanks;
        size_t length = strcspn(word, " \n");
        if (length == 0 || (width > 0 && has_blank_line(text, blanks)))
            break;
        int same_line = width > 0 && width + 1 + length <= LINE_MAX_WIDTH;
        if (width > 0)
            output(same_line ? " " : "\n");
        if (!same_line)
            guard(word);
        put_word(command, word, length);
        width = (same_line ? width + 1 : 0) + length;
        text = word + length;
    }
    output("\n");
    return text;
}

static const char *put_line(const char *line)
{
    size_t length = strcspn(line, "\n");
    const char *end = line + length;
    guard(line);
    for (; line < end; line++)
        put(*line);
    output("\n");
    return end + (*end == '\n');
}

void roff_lines(const char *text)
{
    output(".nf\n");
    while (*text != '\0')
        text = put_line(text + (strncmp(text, "  ", 2) == 0 ? 2 : 0));
    output(".fi\n");
}

/* Lines up to the end, or to a blank line, less the first one's indentation. Returns what follows. */
static const char *put_literal(const char *text)
{
    size_t indentation = strspn(text, " ");
    output(".RS 4\n.nf\n");
    while (*text != '\0' && *text != '\n') {
        size_t blanks = strspn(text, " ");
        text = put_line(text + (blanks < indentation ? blanks : indentation));
    }
    output(".fi\n.RE\n");
    return text;
}

void roff_text(const struct command *command, const char *text, int first)
{
    text += strspn(text, "\n");
    while (*text != '\0') {
        if (!first)
            output(".PP\n");
        first = 0;
        text = *text == ' ' ? put_literal(text) : fill(command, text);
        text += strspn(text, "\n");
    }
}

void roff_line(const struct command *command, const char *text)
{
    for (;;) {
        size_t length = strcspn(text, " ");
        put_word(command, text, length);
        text += length;
        if (*text == '\0')
            return;
        output(" ");
        text++;
    }
}
