#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* realpath() */
#endif
#include "pack/sources.h"

#include "output/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int is_dots(const char *name, size_t length)
{
    return length > 0 && length <= 2 && memcmp(name, "..", length) == 0;
}

int sources_name(const char *path, struct buffer *name)
{
    size_t end = strlen(path);
    while (end > 0 && path[end - 1] == '/')
        end--;
    size_t start = end;
    while (start > 0 && path[start - 1] != '/')
        start--;
    const char *base = path + start;
    size_t length = end - start;
    char *real = NULL;
    if (path[0] != '\0' && (length == 0 || is_dots(base, length))) {
        real = realpath(path, NULL);
        if (!real)
            return -errno;
        base = strrchr(real, '/') + 1;
        length = strlen(base);
    }
    int result = buffer_append(name, base, length);
    if (result == 0)
        result = buffer_append_text(name, "");
    free(real);
    return result;
}

/* Whether it is there is said by the caller. */
static int look_at(struct sources *sources, const char *path, int alone)
{
    struct sources_one *one = &sources->all[sources->count];
    *one = (struct sources_one){.path = path};
    int result = lstat(path, &one->stat) == 0 ? 0 : -errno;
    if (result == 0 && alone) {
        struct stat followed;
        const int failed = stat(path, &followed) == 0 ? 0 : errno;
        sources->is_root = !failed && S_ISDIR(followed.st_mode);
        if (sources->is_root)
            one->stat = followed;
        else if (failed && (!S_ISLNK(one->stat.st_mode) || (failed != ENOENT && failed != ELOOP && failed != EACCES)))
            result = -failed; /* but a link that leads nowhere is packed itself */
    }
    if (result == 0 && !sources->is_root)
        result = sources_name(path, &one->name);
    if (result != 0)
        buffer_free(&one->name);
    else
        sources->count++;
    return result;
}

static int compare(const void *a, const void *b)
{
    const struct sources_one *const *left = a, *const *right = b;
    return strcmp((*left)->name.data, (*right)->name.data);
}

/* No two can have one name, and none can be without. */
static int check_names(const struct sources *sources)
{
    const struct sources_one **sorted = malloc((sources->count + 1) * sizeof *sorted);
    int code = EXIT_DONE;
    if (!sorted)
        return message_error("pack", NULL, -ENOMEM, NULL);
    for (size_t i = 0; code == EXIT_DONE && i < sources->count; i++) {
        sorted[i] = &sources->all[i];
        if (sorted[i]->name.length == 0)
            code = message_usage("pack", "'%s' has no name that it could have beside others: pack it alone",
                                 sorted[i]->path);
    }
    if (code == EXIT_DONE)
        qsort(sorted, sources->count, sizeof *sorted, compare);
    for (size_t i = 1; code == EXIT_DONE && i < sources->count; i++) {
        if (compare(&sorted[i - 1], &sorted[i]) == 0)
            code = message_usage("pack", "'%s' and '%s' would both be %s in the image: give each a name of its own",
                                 sorted[i - 1]->path, sorted[i]->path, sorted[i]->name.data);
    }
    free(sorted);
    return code;
}

int sources_find(struct sources *sources, char *const *paths, size_t count, int keep_going, int *missing)
{
    sources->all = calloc(count, sizeof *sources->all);
    if (!sources->all)
        return message_error("pack", NULL, -ENOMEM, NULL);
    for (size_t i = 0; i < count; i++) {
        int result = look_at(sources, paths[i], count == 1);
        if (result == 0)
            continue;
        if (result == -ENOMEM || !keep_going || count == 1)
            return message_error(paths[i], NULL, result, NULL);
        message(paths[i], NULL, "%s; left out", memfs_strerror(result));
        ++*missing;
    }
    if (sources->count == 0)
        return EXIT_FAILED; /* said of each */
    return sources->is_root ? EXIT_DONE : check_names(sources);
}

int sources_scan(const struct sources *sources, const struct memfs_scan_options *options, memfs_backing **out,
                 struct memfs_detail *detail)
{
    if (sources->is_root)
        return memfs_host_scan(sources->all[0].path, options, out, detail);
    struct memfs_scan_source *list = malloc(sources->count * sizeof *list);
    if (!list)
        return -ENOMEM;
    for (size_t i = 0; i < sources->count; i++)
        list[i] = (struct memfs_scan_source){.name = sources->all[i].name.data, .path = sources->all[i].path};
    int result = memfs_host_scan_list(list, sources->count, options, out, detail);
    free(list);
    return result;
}

const char *sources_locate(const struct sources *sources, const char *path, const char **rest)
{
    const size_t length = strcspn(path, "/");
    *rest = path;
    if (sources->is_root)
        return sources->all[0].path;
    for (size_t i = 0; i < sources->count; i++) {
        const struct buffer *name = &sources->all[i].name;
        if (name->length == length && memcmp(name->data, path, length) == 0) {
            *rest = path[length] == '/' ? path + length + 1 : NULL;
            return sources->all[i].path;
        }
    }
    return NULL;
}

void sources_free(struct sources *sources)
{
    for (size_t i = 0; i < sources->count; i++)
        buffer_free(&sources->all[i].name);
    free(sources->all);
    *sources = (struct sources){.count = 0};
}
