#include "pack/names.h"

#include "output/message.h"
#include "system/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_BYTES_MAX ((size_t)1 << 30)

/* Takes out what leads nowhere: "./a//b/" is "a/b". -1 if ".." is in it. */
static int tidy(char *path)
{
    char *to = path;
    for (const char *from = path; *from != '\0';) {
        size_t length = strcspn(from, "/");
        if (length == 2 && memcmp(from, "..", 2) == 0)
            return -1;
        if (length > 0 && !(length == 1 && from[0] == '.')) {
            if (to > path)
                *to++ = '/';
            memmove(to, from, length);
            to += length;
        }
        from += length;
        from += from[0] == '/';
    }
    *to = '\0';
    return 0;
}

static int add(struct names *names, const char *path)
{
    if (names->count == names->room) {
        size_t room = names->room > 0 ? 2 * names->room : 256;
        struct name *more = realloc(names->names, room * sizeof *more);
        if (!more)
            return -ENOMEM;
        names->names = more;
        names->room = room;
    }
    names->names[names->count++] = (struct name){.path = path};
    return 0;
}

static int take(struct names *names, char *path, const char *file, int absolute, int *refused)
{
    const char *wrong = NULL;
    if (path[0] == '/' && !absolute)
        wrong = "begins with a slash; give / as the directory that names are relative to";
    char *copy = wrong ? NULL : strdup(path); /* for the message */
    if (!wrong && !copy)
        return -ENOMEM;
    if (copy && tidy(path) != 0)
        wrong = "has '..' in it: names are relative to the directory, and lead down only";
    if (wrong) {
        message(text_name(file), copy ? copy : path, "%s", wrong);
        ++*refused;
    }
    free(copy);
    return wrong || path[0] == '\0' ? 0 : add(names, path);
}

/* So that a slash comes before all other bytes, and what is in a directory right behind it. */
static int compare(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    if (*a == *b)
        return 0;
    if (*a == '\0' || *b == '\0')
        return *a == '\0' ? -1 : 1;
    if (*a == '/' || *b == '/')
        return *a == '/' ? -1 : 1;
    return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}

static int compare_names(const void *a, const void *b)
{
    return compare(((const struct name *)a)->path, ((const struct name *)b)->path);
}

static void sort(struct names *names)
{
    size_t kept = 0;
    if (names->count > 0)
        qsort(names->names, names->count, sizeof *names->names, compare_names);
    for (size_t i = 0; i < names->count; i++) {
        if (kept == 0 || strcmp(names->names[kept - 1].path, names->names[i].path) != 0)
            names->names[kept++] = names->names[i];
    }
    names->count = kept;
}

int names_read(struct names *names, const char *file, int null, int absolute, int *refused)
{
    int result = text_read(file, null ? '\0' : '\n', NAMES_BYTES_MAX, &names->text);
    char *text = names->text.data, *end = text ? text + names->text.length : NULL;
    if (result == 0 && !null && text && memchr(text, '\0', names->text.length))
        return message_usage("pack", "%s has NULs in it: -0 takes names that end with them", text_name(file));
    while (result == 0 && text < end) {
        char *stop = memchr(text, null ? '\0' : '\n', (size_t)(end - text));
        if (!stop)
            stop = end;
        *stop = '\0';
        result = take(names, text, file, absolute, refused);
        text = stop + 1;
    }
    if (result != 0)
        return text_error(file, result, NAMES_BYTES_MAX, "names");
    sort(names);
    return EXIT_DONE;
}

enum names_answer names_ask(struct names *names, const char *path)
{
    size_t low = 0, high = names->count, length = strlen(path);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(names->names[middle].path, path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == names->count || strncmp(names->names[low].path, path, length) != 0)
        return NAMES_NEITHER;
    const char *rest = names->names[low].path + length;
    if (rest[0] == '\0')
        names->names[low].met = 1;
    return rest[0] == '\0' ? NAMES_NAMED : rest[0] == '/' ? NAMES_ABOVE : NAMES_NEITHER;
}

void names_free(struct names *names)
{
    free(names->names);
    buffer_free(&names->text);
    *names = (struct names){.count = 0};
}
