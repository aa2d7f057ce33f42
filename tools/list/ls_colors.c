#include "list/ls_colors.h"

#include "memfs.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

struct suffix {
    struct ls_code ending;
    struct ls_code code;
};

static const char letters[LS_COLORS_COUNT][3] = {"lc", "rc", "ec", "rs", "no", "fi", "di", "ln",
                                                 "pi", "so", "bd", "cd", "mi", "or", "ex", "do",
                                                 "su", "sg", "st", "ow", "tw", "ca", "mh", "cl"};

/* ls's own. (File capabilities have a colour only where one is asked for: each file costs a look at its
 * attributes.) */
static const char *const defaults[LS_COLORS_COUNT] = {
    "\033[", "m",  NULL,    "0",     NULL,    NULL,    "01;34", "01;36", "33",    "01;35", "01;33", "01;33",
    NULL,    NULL, "01;32", "01;35", "37;41", "30;43", "37;44", "34;42", "30;42", NULL,    NULL,    "\033[K"};

/* ---- Reading ------------------------------------------------------------------ */

static int octal(char c)
{
    return c >= '0' && c <= '7' ? c - '0' : -1;
}

static int hexadecimal(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static char digits(const char **at, int base, int (*digit)(char))
{
    int value = 0;
    for (; digit(**at) >= 0; (*at)++)
        value = (value * base + digit(**at)) & 0xFF;
    return (char)value;
}

/* Behind a backslash, which is not at the text's end. */
static char escaped(const char **at)
{
    static const char names[] = "abefnrtv?_", meanings[] = "\a\b\033\f\n\r\t\v\177 ";
    if (octal(**at) >= 0)
        return digits(at, 8, octal);
    const char c = *(*at)++;
    if (c == 'x' || c == 'X')
        return digits(at, 16, hexadecimal);
    const char *name = strchr(names, c);
    return name ? meanings[name - names] : c;
}

/* Behind a '^': a control character. -EINVAL: there is none of that name. */
static int control(const char **at, char *out)
{
    const char c = **at;
    if (c != '?' && (c < '@' || c > '~'))
        return -EINVAL;
    *out = (char)(c == '?' ? 127 : c & 037);
    (*at)++;
    return 0;
}

/* Bytes up to a ':' or the end, or with ending up to a '='. memory has room for them. */
static int take(struct buffer *memory, const char **at, int ending, struct ls_code *out)
{
    *out = (struct ls_code){.bytes = memory->data + memory->length};
    while (**at != '\0' && **at != ':' && !(ending && **at == '=')) {
        char c = *(*at)++;
        if (c == '\\' && **at == '\0')
            return -EINVAL;
        if (c == '\\')
            c = escaped(at);
        else if (c == '^' && control(at, &c) != 0)
            return -EINVAL;
        memory->data[memory->length++] = c;
        out->length++;
    }
    return 0;
}

/* "*ENDING=CODE", behind the star. */
static int take_suffix(struct ls_colors *colors, const char **at)
{
    struct suffix suffix;
    int result = take(&colors->memory, at, 1, &suffix.ending);
    if (result != 0 || *(*at)++ != '=')
        return -EINVAL;
    result = take(&colors->memory, at, 0, &suffix.code);
    return result != 0 ? result : buffer_append(&colors->suffixes, &suffix, sizeof suffix);
}

/* "di=CODE" */
static int take_type(struct ls_colors *colors, const char **at)
{
    for (int i = 0; i < LS_COLORS_COUNT; i++) {
        if (strncmp(*at, letters[i], 2) == 0 && (*at)[2] == '=') {
            *at += 3;
            return take(&colors->memory, at, 0, &colors->codes[i]);
        }
    }
    return -EINVAL;
}

int ls_colors_parse(struct ls_colors *colors, const char *text)
{
    memset(colors, 0, sizeof *colors);
    for (int i = 0; i < LS_COLORS_COUNT; i++)
        colors->codes[i] = (struct ls_code){defaults[i], defaults[i] ? strlen(defaults[i]) : 0};
    if (!text || text[0] == '\0')
        return 0;
    int result = buffer_reserve(&colors->memory, strlen(text)); /* what stands there is no longer than that */
    for (const char *at = text; result == 0 && *at != '\0';) {
        if (*at == ':') {
            at++;
        } else if (*at == '*') {
            at++;
            result = take_suffix(colors, &at);
        } else {
            result = take_type(colors, &at);
        }
    }
    const struct ls_code *link = &colors->codes[LS_LINK];
    colors->links_as_targets = link->length == 6 && memcmp(link->bytes, "target", 6) == 0;
    return result;
}

void ls_colors_free(struct ls_colors *colors)
{
    buffer_free(&colors->suffixes);
    buffer_free(&colors->memory);
}

/* ---- Choosing ----------------------------------------------------------------- */

int ls_colors_has(const struct ls_colors *colors, enum ls_color color)
{
    const struct ls_code *code = &colors->codes[color];
    return !(code->length == 0 || (code->length == 1 && code->bytes[0] == '0') ||
             (code->length == 2 && memcmp(code->bytes, "00", 2) == 0));
}

static enum ls_color color_of_file(const struct ls_colors *colors, const struct ls_thing *thing)
{
    if ((thing->mode & 04000u) && ls_colors_has(colors, LS_SETUID))
        return LS_SETUID;
    if ((thing->mode & 02000u) && ls_colors_has(colors, LS_SETGID))
        return LS_SETGID;
    if (thing->capable && ls_colors_has(colors, LS_CAPABLE))
        return LS_CAPABLE;
    if ((thing->mode & 0111u) && ls_colors_has(colors, LS_EXECUTABLE))
        return LS_EXECUTABLE;
    if (thing->nlink > 1 && ls_colors_has(colors, LS_MULTIPLE_LINKS))
        return LS_MULTIPLE_LINKS;
    return LS_FILE;
}

static enum ls_color color_of_directory(const struct ls_colors *colors, uint32_t mode)
{
    if ((mode & 01002u) == 01002u && ls_colors_has(colors, LS_STICKY_OTHER_WRITABLE))
        return LS_STICKY_OTHER_WRITABLE;
    if ((mode & 00002u) && ls_colors_has(colors, LS_OTHER_WRITABLE))
        return LS_OTHER_WRITABLE;
    if ((mode & 01000u) && ls_colors_has(colors, LS_STICKY))
        return LS_STICKY;
    return LS_DIRECTORY;
}

static enum ls_color color_of(const struct ls_colors *colors, const struct ls_thing *thing)
{
    if (thing->missing && ls_colors_has(colors, LS_MISSING))
        return LS_MISSING;
    switch (thing->mode & MEMFS_IFMT) {
    case MEMFS_IFREG:
        return color_of_file(colors, thing);
    case MEMFS_IFDIR:
        return color_of_directory(colors, thing->mode);
    case MEMFS_IFLNK:
        if (!thing->leads && (colors->links_as_targets || ls_colors_has(colors, LS_ORPHAN)))
            return LS_ORPHAN;
        return LS_LINK;
    case MEMFS_IFIFO:
        return LS_FIFO;
    case MEMFS_IFSOCK:
        return LS_SOCKET;
    case MEMFS_IFBLK:
        return LS_BLOCK;
    case MEMFS_IFCHR:
        return LS_CHARACTER;
    default:
        return LS_ORPHAN;
    }
}

/* Of several that fit, the one that was named last; large and small letters are the same. */
static const struct ls_code *code_by_suffix(const struct ls_colors *colors, const struct ls_thing *thing)
{
    const struct suffix *suffixes = (const struct suffix *)(const void *)colors->suffixes.data;
    for (size_t i = colors->suffixes.length / sizeof *suffixes; i-- > 0;) {
        const struct ls_code *ending = &suffixes[i].ending;
        if (ending->length <= thing->name_length &&
            strncasecmp(thing->name + thing->name_length - ending->length, ending->bytes, ending->length) == 0)
            return &suffixes[i].code;
    }
    return NULL;
}

const struct ls_code *ls_colors_choose(const struct ls_colors *colors, const struct ls_thing *thing)
{
    struct ls_thing shown = *thing;
    if (colors->links_as_targets && thing->leads)
        shown.mode = thing->link_mode;
    const enum ls_color color = color_of(colors, &shown);
    const struct ls_code *code = color == LS_FILE ? code_by_suffix(colors, thing) : NULL;
    if (!code)
        code = &colors->codes[color];
    return code->bytes ? code : NULL;
}
