#include "output/message.h"

#include "output/escape.h"
#include "output/output.h"
#include "output/progress.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NAME_ROOM 4096
#define TEXT_ROOM 1024 /* longer texts are cut; paths are not part of them */

static void put(const char *text)
{
    escape_put(stderr, text, strlen(text));
}

/* An empty name shows that it is. Of a path that is longer than any that a host takes the beginning is enough. */
static void put_name(const char *name)
{
    const size_t length = strlen(name);
    escape_put(stderr, length > 0 ? name : "''", length == 0 ? 2 : length > NAME_ROOM ? NAME_ROOM : length);
    fputs(length > NAME_ROOM ? "...: " : ": ", stderr);
}

/* "memfs: THING: PATH: TEXT", without the end of the line. */
static void start(const char *thing, const char *path, const char *text)
{
    progress_hide();
    fputs("memfs: ", stderr);
    if (thing)
        put_name(thing);
    if (path)
        put_name(path);
    put(text);
}

void message(const char *thing, const char *path, const char *format, ...)
{
    char text[TEXT_ROOM];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    start(thing, path, text);
    fputc('\n', stderr);
}

int message_usage(const char *subcommand, const char *format, ...)
{
    char text[TEXT_ROOM];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    start(subcommand, NULL, text);
    if (subcommand)
        fprintf(stderr, "; see 'memfs %s --help'\n", subcommand);
    else
        fputs("; see 'memfs --help'\n", stderr);
    return EXIT_USAGE;
}

static const struct {
    int error;
    const char *hint;
} hints[] = {
    {MEMFS_ENOTIMAGE, "is it the right file?"},
    {MEMFS_EVERSION, "a newer memfs can read it"},
    {MEMFS_EFEATURE, "a newer memfs can read it"},
    {MEMFS_ECHECKSUM, "'memfs verify' lists what is damaged"},
    {MEMFS_ECORRUPT, "'memfs verify' lists what is damaged"},
    {-ENOSPC, "make room, or name another place"},
    {-EDQUOT, "make room, or name another place"},
    {-EFBIG, "raise 'ulimit -f', or name a place for files of that size"},
    {-EROFS, "name a place that can be written to"},
    {-ENOMEM, "free some memory"},
};

static const char *hint_of(int error)
{
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++) {
        if (hints[i].error == error)
            return hints[i].hint;
    }
    return "";
}

int message_is_of_image(int error)
{
    switch (error) {
    case MEMFS_ENOTIMAGE:
    case MEMFS_EVERSION:
    case MEMFS_EFEATURE:
    case MEMFS_ECHECKSUM:
    case MEMFS_ECORRUPT:
    case MEMFS_ELIMIT:
        return 1;
    default:
        return 0;
    }
}

int message_exit_code(int error)
{
    return message_is_of_image(error) && error != MEMFS_ELIMIT ? EXIT_DAMAGED : EXIT_FAILED;
}

#define NAME_CUT 120 /* the library's texts have so many bytes of longer paths: the first, or "..." and the last */

/* The library's texts may name the thing themselves: once is enough. */
static const char *without_name(const char *text, const char *thing)
{
    const size_t length = thing ? strlen(thing) : 0;
    const int is_end = length > NAME_CUT && strncmp(text, "...", 3) == 0;
    const char *name = is_end ? text + 3 : text, *rest = NULL;
    if (length > NAME_CUT)
        rest = strstr(name, ": ");
    else if (length > 0 && strncmp(name, thing, length) == 0 && strncmp(name + length, ": ", 2) == 0)
        rest = name + length;
    const size_t named = rest ? (size_t)(rest - name) : 0;
    const int is_it = rest && named <= length && (named == length || named + 4 > NAME_CUT) &&
                      memcmp(name, is_end ? thing + length - named : thing, named) == 0;
    return is_it ? rest + 2 : text;
}

/* Lack of memory is no property of one file: whatever else would be told or written then could lack
 * parts that are there. Whether it was said already. */
static int no_memory(int error)
{
    static int said;
    if (error != -ENOMEM)
        return 0;
    if (!said)
        output_stop();
    return said++ > 0;
}

int message_error_hint(const char *thing, const char *path, int error, const struct memfs_detail *detail,
                       const char *hint)
{
    if (no_memory(error))
        return message_exit_code(error);
    int detailed = detail && detail->error == error && detail->text[0] != '\0';
    start(thing, path, detailed ? without_name(detail->text, thing) : memfs_strerror(error));
    if (detailed && detail->offset != UINT64_MAX)
        fprintf(stderr, " (at byte %" PRIu64 ")", detail->offset);
    if (hint[0] != '\0') {
        fputs("; ", stderr);
        put(hint);
    }
    fputc('\n', stderr);
    return message_exit_code(error);
}

int message_error(const char *thing, const char *path, int error, const struct memfs_detail *detail)
{
    return message_error_hint(thing, path, error, detail, hint_of(error));
}

int message_worse(int a, int b)
{
    return a > b ? a : b;
}
