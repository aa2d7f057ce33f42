#define _GNU_SOURCE
#include "host_tree.h"

#include "detail.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Writes a path backwards, so that it ends at the buffer's end; returns its
 * whole length without the NUL, of which only the tail may have fitted. */
static size_t write_path(const struct memfs_host_tree *tree, uint32_t directory, const char *name, char *buffer,
                         size_t size)
{
    char own[MEMFS_NAME_MAX + 1];
    size_t total = 0, at = size;
    if (at)
        buffer[--at] = '\0';
    for (;;) {
        size_t length = 0;
        if (name) {
            length = strlen(name);
        } else {
            if (directory == tree->root)
                return total;
            length = tree->name(tree->context, directory, own);
            directory = tree->parent(tree->context, directory);
            name = own;
        }
        if (total++ && at)
            buffer[--at] = '/';
        for (size_t i = length; i && at; i--)
            buffer[--at] = name[i - 1];
        total += length - (total == 1); /* the first name has no slash behind it */
        name = NULL;
    }
}

char *memfs_host_path(const struct memfs_host_tree *tree, const struct memfs_allocator *allocator, uint32_t directory,
                      const char *name, size_t *size)
{
    if (!name && directory == tree->root)
        name = ".";
    *size = write_path(tree, directory, name, NULL, 0) + 1;
    char *path = memfs_alloc(allocator, *size);
    if (path)
        write_path(tree, directory, name, path, *size);
    return path;
}

int memfs_host_fail_path(struct memfs_detail *detail, const char *path, int error, const char *text)
{
    const char *advice = strchr(text, ';');
    return memfs_detail_fill(detail, error, MEMFS_NOWHERE, "%.123s: %.*s: %s%s", path, (int)strcspn(text, ";"), text,
                             memfs_strerror(error), advice ? advice : "");
}

int memfs_host_fail(const struct memfs_host_report *report, uint32_t directory, const char *name, int error,
                    const char *text)
{
    char buffer[120], tail[sizeof buffer + 3];
    if (!name && directory == report->tree->root)
        name = ".";
    size_t length = write_path(report->tree, directory, name, buffer, sizeof buffer);
    int cut = length >= sizeof buffer;
    snprintf(tail, sizeof tail, "%s%s", cut ? "..." : "", cut ? buffer : buffer + sizeof buffer - 1 - length);
    return memfs_host_fail_path(report->detail, tail, error, text);
}

static int ask(const struct memfs_host_report *report, enum memfs_problem_kind kind, uint32_t directory,
               const char *name, int error, const char *text, int *answer)
{
    size_t size = 0;
    char *path = memfs_host_path(report->tree, report->allocator, directory, name, &size);
    if (!path)
        return -ENOMEM;
    const struct memfs_problem problem = {.kind = kind, .error = error, .path = path, .text = text};
    *answer = report->problem(report->problem_context, &problem);
    memfs_free(report->allocator, path, size);
    return 0;
}

int memfs_host_is_scarce(int error)
{
    return error == -EMFILE || error == -ENFILE;
}

int memfs_host_is_general(int error)
{
    return error == -ENOMEM || error == -ECANCELED || memfs_host_is_scarce(error);
}

int memfs_host_problem(const struct memfs_host_report *report, enum memfs_problem_kind kind, uint32_t directory,
                       const char *name, int error, const char *text)
{
    int answer = 1;
    if (report->problem && !memfs_host_is_general(error) && ask(report, kind, directory, name, error, text, &answer))
        error = -ENOMEM;
    return answer ? memfs_host_fail(report, directory, name, error, text) : 0;
}

int memfs_host_left_out(const struct memfs_host_report *report, enum memfs_problem_kind kind, uint32_t directory,
                        const char *name, const char *text)
{
    int answer = 0;
    if (!report->problem)
        return 0;
    if (ask(report, kind, directory, name, 0, text, &answer))
        return memfs_host_fail(report, directory, name, -ENOMEM, text);
    return answer ? memfs_host_fail(report, directory, name, -ECANCELED, text) : 0;
}

int memfs_host_list_names(int fd, void *buffer, size_t size, memfs_host_see *see, void *context)
{
    for (;;) {
        ssize_t got = getdents64(fd, buffer, size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : 0;
        for (ssize_t at = 0; at < got;) {
            const struct dirent64 *entry = (const void *)((const char *)buffer + at);
            at += entry->d_reclen;
            if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
                continue;
            int result = see(context, entry->d_name, strlen(entry->d_name));
            if (result)
                return result;
        }
    }
}
