#define _GNU_SOURCE
#include "box.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

char *box_file(const char *path, size_t *length)
{
    size_t room = 4096, used = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *bytes = fd < 0 ? NULL : malloc(room);
    ssize_t got = 1;
    while (bytes && got > 0) {
        got = read(fd, bytes + used, room - used - 1);
        used += got > 0 ? (size_t)got : 0;
        char *more = used + 1 == room ? realloc(bytes, room *= 2) : bytes;
        if (!more)
            free(bytes);
        bytes = more;
    }
    if (bytes)
        bytes[used] = 0;
    if (length)
        *length = used;
    if (fd >= 0)
        close(fd);
    return bytes;
}

static char *join(const char *directory, const char *name)
{
    char *path;
    return asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path;
}

static int run(const char *const *command, const char *output)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status = -1;
    posix_spawn_file_actions_init(&actions);
    if (output)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int error = posix_spawnp(&pid, command[0], &actions, NULL, (char *const *)(uintptr_t)command, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (!error && waitpid(pid, &status, 0) == pid && status == 0)
        return 0;
    fprintf(stderr, "%s cannot be run: %s, status %d\n", command[0], strerror(error), status);
    return -1;
}

/* Names of temporary files: .NAME.HEX.tmp, .memfs-HEX of unpack. */
static int is_stray(const char *name, size_t length)
{
    char text[300];
    snprintf(text, sizeof text, "%.*s", (int)length, name);
    return fnmatch(".*.tmp", text, 0) == 0 || fnmatch(".memfs-????????????????", text, 0) == 0;
}

/* Puts a line but for a part that begins with a word and ends before the next space. */
static size_t put_without(char *to, const char *line, size_t length, const char *word)
{
    const char *part = memmem(line, length, word, strlen(word));
    if (!part) {
        memmove(to, line, length);
        return length;
    }
    const size_t first = (size_t)(part - line), rest = first + 1 + strcspn(part + 1, " \n");
    memmove(to, line, first);
    memmove(to + first, line + rest, length - rest);
    return first + length - rest;
}

/* A line of list_tree, without the number of its inode, which temporary files count
 * too, and without the time if it is a directory's or that of a file that packing
 * makes: those lie in the box itself, what is unpacked below. */
static size_t put_line(char *to, const char *line, size_t length)
{
    const char *time = memmem(line, length, " mtime=", 7), *slash = memchr(line, '/', length);
    const int is_below = time && slash && memchr(slash + 1, '/', (size_t)(time - slash - 1));
    const int has_time = is_below && !memmem(line, length, " mode=4", 7);
    length = put_without(to, line, length, " inode=");
    return has_time ? length : put_without(to, to, length, " mtime=");
}

/* What list_tree says of a directory, without temporary files. */
static char *list(const struct box *box, const char *directory, int *strays)
{
    char *output = join(box->directory, "list");
    const char *const command[] = {getenv("LIST_TREE"), directory, NULL};
    char *text = command[0] && output && run(command, output) == 0 ? box_file(output, NULL) : NULL;
    free(output);
    *strays = 0;
    if (!text)
        return NULL;
    char *to = text;
    for (char *line = text, *next; *line; line = next) {
        char *end = strchrnul(line, '\n');
        next = end + (*end == '\n');
        char *last = memchr(line, ' ', (size_t)(end - line)), *name = last;
        while (name && name > line && name[-1] != '/')
            name--;
        if (name && is_stray(name, (size_t)(last - name))) {
            ++*strays;
            continue;
        }
        to += put_line(to, line, (size_t)(next - line));
    }
    *to = 0;
    return text;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *where)
{
    (void)stat;
    (void)type;
    (void)where;
    return remove(path);
}

/* Made by somebody else than root they may be closed. */
static int open_one(const char *path, const struct stat *stat, int type, struct FTW *where)
{
    (void)where;
    return type == FTW_SL || !S_ISDIR(stat->st_mode) ? 0 : chmod(path, 0700);
}

int box_reset(struct box *box)
{
    char *before = join(box->directory, "before");
    const char *const command[] = {"cp", "-a", before, box->path, NULL};
    nftw(box->path, open_one, 16, FTW_PHYS);
    int failed = nftw(box->path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT;
    failed = failed || run(command, NULL) != 0;
    free(before);
    if (failed)
        fprintf(stderr, "%s cannot be made anew: %s\n", box->path, strerror(errno));
    return failed ? -1 : 0;
}

int box_open(struct box *box, const char *directory)
{
    int strays;
    char *before = join(directory, "before"), *after = join(directory, "after");
    *box = (struct box){.directory = directory, .path = join(directory, "box")};
    if (before && after && box->path) {
        box->before = list(box, before, &strays);
        box->after = list(box, after, &strays);
    }
    free(before);
    free(after);
    if (!box->before || !box->after)
        return -1;
    box->changes = strcmp(box->before, box->after) != 0;
    return box_reset(box);
}

void box_close(struct box *box)
{
    free(box->path);
    free(box->before);
    free(box->after);
    free(box->now);
}

int box_look(struct box *box, enum box_state *state)
{
    free(box->now);
    box->now = list(box, box->path, &box->strays);
    if (!box->now)
        return -1;
    *state = strcmp(box->now, box->before) == 0  ? BOX_BEFORE
             : strcmp(box->now, box->after) == 0 ? BOX_AFTER
                                                 : BOX_OTHER;
    return 0;
}

/* How much of a line counts: of a directory only the path. */
static size_t counting(const char *line)
{
    const size_t length = strcspn(line, "\n"), path = strcspn(line, " \n");
    return memmem(line, length, " mode=4", 7) ? path : length;
}

int box_has_files(const struct box *box)
{
    const char *a = box->now, *b = box->after;
    while (*a && *b) {
        size_t length = counting(a);
        if (length != counting(b) || memcmp(a, b, length) != 0)
            return 0;
        a = strchrnul(a, '\n');
        b = strchrnul(b, '\n');
        a += *a == '\n';
        b += *b == '\n';
    }
    return *a == *b;
}
