#include "commands.h"
#include "directory.h"
#include "input.h"
#include "message.h"
#include "output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct settings {
    int detailed;
    int recursive;
};

static const struct option_row rows[] = {
    {'l', "long", NULL, OPTION_FLAG, offsetof(struct settings, detailed), 0, 0,
     "show mode, links, owner, group, size and time"},
    {'R', "recursive", NULL, OPTION_FLAG, offsetof(struct settings, recursive), 0, 0, "list subdirectories too"},
    {.name = NULL},
};

/* A directory that is still to be listed: its name, at the end of the stack of
 * names, belongs behind the first parent_length bytes of the path. */
struct pending {
    memfs_node node;
    size_t parent_length;
    size_t name_length;
};

struct ls {
    struct input input;
    struct settings settings;
    int code;
    int headers; /* say which directory is listed */
    int started; /* something was written, so a blank line comes before a header */
    struct buffer path;
    struct buffer stack; /* of struct pending */
    struct buffer names; /* theirs */
    uint64_t entries;    /* in the image */
    uint64_t listed;     /* of one tree */
};

struct widths {
    int nlink, uid, gid, size;
};

static void fail(struct ls *ls, const char *path, int error)
{
    ls->code = message_worse(ls->code, input_error(&ls->input, path, error));
}

static const char *format_mode(uint32_t mode, char text[11])
{
    static const char types[] = "?pc?d?b?-?l?s???";
    text[0] = types[(mode & MEMFS_IFMT) >> 12];
    for (int i = 0; i < 9; i++)
        text[1 + i] = (mode >> (8 - i)) & 1u ? "rwx"[i % 3] : '-';
    if (mode & 04000u)
        text[3] = mode & 0100u ? 's' : 'S';
    if (mode & 02000u)
        text[6] = mode & 0010u ? 's' : 'S';
    if (mode & 01000u)
        text[9] = mode & 0001u ? 't' : 'T';
    text[10] = '\0';
    return text;
}

static const char *format_size(const struct memfs_stat *stat, char text[32])
{
    uint32_t type = stat->mode & MEMFS_IFMT;
    if (type == MEMFS_IFCHR || type == MEMFS_IFBLK)
        snprintf(text, 32, "%" PRIu32 ", %" PRIu32, stat->rdev_major, stat->rdev_minor);
    else
        snprintf(text, 32, "%" PRIu64, stat->size);
    return text;
}

static const char *format_time(int64_t time, char text[32])
{
    int64_t seconds = time / 1000000000 - (time % 1000000000 < 0);
    time_t host = (time_t)seconds;
    struct tm parts;
    if (host != seconds || !localtime_r(&host, &parts) || strftime(text, 32, "%Y-%m-%d %H:%M", &parts) == 0)
        snprintf(text, 32, "%" PRId64, seconds);
    return text;
}

static void widen(int *width, int length)
{
    if (length > *width)
        *width = length;
}

static struct widths measure(const struct directory *directory)
{
    struct widths widths = {0, 0, 0, 0};
    char text[32];
    for (size_t i = 0; i < directory->count; i++) {
        const struct memfs_stat *stat = &directory->rows[i].stat;
        widen(&widths.nlink, snprintf(NULL, 0, "%" PRIu32, stat->nlink));
        widen(&widths.uid, snprintf(NULL, 0, "%" PRIu32, stat->uid));
        widen(&widths.gid, snprintf(NULL, 0, "%" PRIu32, stat->gid));
        widen(&widths.size, (int)strlen(format_size(stat, text)));
    }
    return widths;
}

static void print_target(struct ls *ls, const struct directory_row *row)
{
    char target[MEMFS_TARGET_MAX + 1];
    int64_t length = memfs_node_readlink(ls->input.fs, row->stat.node, target, sizeof target);
    if (length < 0) {
        fail(ls, row->name, (int)length);
        return;
    }
    output(" -> ");
    output_name(target, (size_t)length < sizeof target ? (size_t)length : sizeof target);
}

static int print_row(struct ls *ls, const struct directory_row *row, const struct widths *widths)
{
    const struct memfs_stat *stat = &row->stat;
    char mode[11], size[32], time[32];
    if (ls->settings.detailed)
        output("%s %*" PRIu32 " %*" PRIu32 " %*" PRIu32 " %*s %s ", format_mode(stat->mode, mode), widths->nlink,
               stat->nlink, widths->uid, stat->uid, widths->gid, stat->gid, widths->size, format_size(stat, size),
               format_time(stat->mtime, time));
    output_name(row->name, row->name_length);
    if (ls->settings.detailed && (stat->mode & MEMFS_IFMT) == MEMFS_IFLNK)
        print_target(ls, row);
    ls->started = 1;
    return output("\n");
}

/* Nonzero once standard output has failed. */
static int print_directory(struct ls *ls, const struct directory *directory)
{
    struct widths widths = {0, 0, 0, 0};
    if (ls->settings.detailed)
        widths = measure(directory);
    for (size_t i = 0; i < directory->count; i++) {
        if (print_row(ls, &directory->rows[i], &widths))
            return -1;
    }
    return 0;
}

/* The subdirectories, so that the first is on top. */
static int push_directories(struct ls *ls, const struct directory *directory)
{
    int result = 0;
    for (size_t i = directory->count; i-- > 0 && result == 0;) {
        const struct directory_row *row = &directory->rows[i];
        if ((row->stat.mode & MEMFS_IFMT) != MEMFS_IFDIR)
            continue;
        struct pending pending = {row->stat.node, ls->path.length, row->name_length};
        result = buffer_append(&ls->names, row->name, row->name_length);
        if (result == 0)
            result = buffer_append(&ls->stack, &pending, sizeof pending);
    }
    return result;
}

/* Sets the path, and returns whether there was one to pop. */
static int pop_directory(struct ls *ls, memfs_node *node)
{
    struct pending pending;
    if (ls->stack.length == 0)
        return 0;
    ls->stack.length -= sizeof pending;
    memcpy(&pending, ls->stack.data + ls->stack.length, sizeof pending);
    ls->names.length -= pending.name_length;
    ls->path.length = pending.parent_length;
    int result = 0;
    if (ls->path.length > 0 && ls->path.data[ls->path.length - 1] != '/')
        result = buffer_append(&ls->path, "/", 1);
    if (result == 0)
        result = buffer_append(&ls->path, ls->names.data + ls->names.length, pending.name_length);
    if (result == 0)
        result = buffer_append_text(&ls->path, "");
    if (result != 0)
        fail(ls, NULL, result);
    *node = pending.node;
    return result == 0;
}

/* Nonzero once standard output has failed. */
static int list_directory(struct ls *ls, memfs_node node)
{
    struct directory directory = {0};
    int stop = 0;
    if (ls->headers) {
        output(ls->started ? "\n" : "");
        output_name(ls->path.data, ls->path.length);
        stop = output(":\n");
        ls->started = 1;
    }
    int result = directory_read(&directory, ls->input.fs, node, ls->settings.detailed);
    ls->listed += directory.count;
    if (result == 0 && ls->listed > ls->entries) {
        result = MEMFS_ECORRUPT; /* directories that claim the same entries: there is hardly an end to them */
        stop = 1;
    }
    if (result == 0 && !stop)
        stop = print_directory(ls, &directory);
    if (result == 0 && ls->settings.recursive)
        result = push_directories(ls, &directory);
    if (result != 0)
        fail(ls, ls->path.data, result);
    directory_free(&directory);
    return stop;
}

static int list_tree(struct ls *ls, memfs_node node, const char *path)
{
    ls->path.length = 0;
    int result = buffer_append_text(&ls->path, path);
    if (result != 0) {
        fail(ls, path, result);
        return 0;
    }
    int stop;
    ls->listed = 0;
    do {
        stop = list_directory(ls, node);
    } while (!stop && pop_directory(ls, &node));
    ls->stack.length = 0;
    ls->names.length = 0;
    return stop;
}

/* What a path of the command line is: -l shows a symbolic link itself, else one
 * to a directory is listed as that. */
static int find(struct ls *ls, const char *path, struct memfs_stat *stat, memfs_node *node)
{
    int result = memfs_resolve(ls->input.fs, NULL, path, !ls->settings.detailed, node);
    if (result == -ENOENT || result == -ELOOP)
        result = memfs_resolve(ls->input.fs, NULL, path, 0, node); /* a link to nowhere */
    if (result == 0) {
        result = memfs_node_stat(ls->input.fs, *node, stat);
        if (result != 0)
            memfs_node_forget(ls->input.fs, *node, 1);
    }
    return result;
}

/* First everything that is no directory, and the complaints. */
static void list_files(struct ls *ls, char **paths, int count)
{
    struct directory files = {0};
    for (int i = 0; i < count; i++) {
        struct memfs_stat stat;
        memfs_node node;
        int result = find(ls, paths[i], &stat, &node);
        if (result != 0) {
            ls->code = message_worse(ls->code, input_path_error(&ls->input, paths[i], result));
            continue;
        }
        if ((stat.mode & MEMFS_IFMT) != MEMFS_IFDIR)
            result = directory_add(&files, paths[i], strlen(paths[i]), &stat);
        if (result != 0)
            fail(ls, paths[i], result);
        memfs_node_forget(ls->input.fs, node, 1);
    }
    directory_sort(&files);
    print_directory(ls, &files);
    directory_free(&files);
}

static void list_directories(struct ls *ls, char **paths, int count)
{
    for (int i = 0; i < count; i++) {
        struct memfs_stat stat;
        memfs_node node;
        if (find(ls, paths[i], &stat, &node) != 0)
            continue; /* said already */
        int stop = (stat.mode & MEMFS_IFMT) == MEMFS_IFDIR && list_tree(ls, node, paths[i]);
        memfs_node_forget(ls->input.fs, node, 1);
        if (stop)
            return;
    }
}

static int run(int argc, char **argv)
{
    static char root[] = "/";
    char *root_only[] = {root, NULL};
    struct ls ls = {.code = EXIT_DONE};
    int first;
    int code = options_parse(&command_ls, argc, argv, &ls.settings, &first);
    if (code >= 0)
        return code;
    code = input_open(&ls.input, argv[first], 1);
    if (code != EXIT_DONE)
        return code;
    char **paths = argv + first + 1;
    int count = argc - first - 1;
    ls.headers = ls.settings.recursive || count > 1;
    if (count == 0) {
        paths = root_only;
        count = 1;
    }
    struct memfs_image_info info;
    memfs_image_info(ls.input.image, &info);
    ls.entries = info.entries;
    list_files(&ls, paths, count);
    list_directories(&ls, paths, count);
    input_close(&ls.input);
    buffer_free(&ls.path);
    buffer_free(&ls.stack);
    buffer_free(&ls.names);
    return message_worse(ls.code, output_finish());
}

const struct command command_ls = {
    .name = "ls",
    .operands = "IMAGE [PATH]...",
    .summary = "list what is in an image",
    .about = "Lists directories and files in IMAGE ('-': standard input), sorted by name; without\n"
             "PATH the whole image's root.\n",
    .examples = "  memfs ls photos.mfs\n"
                "  memfs ls -l photos.mfs 2024/summer\n"
                "  memfs ls -lR photos.mfs | less\n",
    .options = rows,
    .operands_min = 1,
    .operands_max = -1,
    .run = run,
};
