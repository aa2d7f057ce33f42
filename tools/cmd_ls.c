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

/* A time as it is shown. */
struct date {
    int64_t seconds;
    size_t length; /* 0: none yet */
    char text[24];
};

struct ls {
    struct input input;
    struct settings settings;
    int code;
    int headers; /* say which directory is listed */
    int started; /* something was written, so a blank line comes before a header */
    struct buffer path;
    struct buffer stack;        /* of struct pending */
    struct buffer names;        /* theirs */
    uint64_t entries;           /* in the image */
    uint64_t listed;            /* of one tree */
    struct directory directory; /* that is listed */
    struct date date;           /* the last one */
};

struct widths {
    int nlink, uid, gid, size;
};

static void fail(struct ls *ls, const char *path, int error)
{
    ls->code = message_worse(ls->code, input_error(&ls->input, path, error));
}

/* One row but for the name. By hand: there can be millions, and printf() would take most
 * of the time. */
struct line {
    char text[160];
    size_t length;
};

static void put_char(struct line *line, char c)
{
    line->text[line->length++] = c;
}

static void put_mode(struct line *line, uint32_t mode)
{
    static const char types[] = "?pc?d?b?-?l?s???";
    char *text = line->text + line->length;
    text[0] = types[(mode & MEMFS_IFMT) >> 12];
    for (int i = 0; i < 9; i++)
        text[1 + i] = (mode >> (8 - i)) & 1u ? "rwxrwxrwx"[i] : '-';
    if (mode & 04000u)
        text[3] = mode & 0100u ? 's' : 'S';
    if (mode & 02000u)
        text[6] = mode & 0010u ? 's' : 'S';
    if (mode & 01000u)
        text[9] = mode & 0001u ? 't' : 'T';
    line->length += 10;
}

static int digits(uint64_t value)
{
    int count = 1;
    while (value >= 10) {
        value /= 10;
        count++;
    }
    return count;
}

static void put_spaces(struct line *line, int count)
{
    while (count-- > 0)
        put_char(line, ' ');
}

static void put_number(struct line *line, uint64_t value, int width, char fill)
{
    const int count = digits(value);
    for (int i = count; i < width; i++)
        put_char(line, fill);
    line->length += (size_t)count;
    for (char *at = line->text + line->length; at > line->text + line->length - count; value /= 10)
        *--at = (char)('0' + value % 10);
}

static int is_device(const struct memfs_stat *stat)
{
    const uint32_t type = stat->mode & MEMFS_IFMT;
    return type == MEMFS_IFCHR || type == MEMFS_IFBLK;
}

/* "MAJOR, MINOR" for a device. */
static int size_width(const struct memfs_stat *stat)
{
    return is_device(stat) ? digits(stat->rdev_major) + 2 + digits(stat->rdev_minor) : digits(stat->size);
}

static void put_size(struct line *line, const struct memfs_stat *stat, int width)
{
    put_spaces(line, width - size_width(stat));
    if (is_device(stat)) {
        put_number(line, stat->rdev_major, 0, ' ');
        put_char(line, ',');
        put_char(line, ' ');
        put_number(line, stat->rdev_minor, 0, ' ');
    } else {
        put_number(line, stat->size, 0, ' ');
    }
}

static void put_date(struct line *line, int64_t seconds)
{
    struct tm parts;
    time_t host = (time_t)seconds;
    if (host != seconds || !localtime_r(&host, &parts)) {
        line->length += (size_t)snprintf(line->text + line->length, 24, "%" PRId64, seconds);
        return;
    }
    const int numbers[5] = {parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min};
    for (int i = 0; i < 5; i++) {
        put_number(line, (uint64_t)numbers[i], i == 0 ? 4 : 2, '0');
        put_char(line, "-- : "[i]);
    }
    line->length--;
}

/* Files often have one time: the last one is kept. */
static void put_time(struct line *line, int64_t time, struct date *last)
{
    const int64_t seconds = time / 1000000000 - (time % 1000000000 < 0);
    if (last->length == 0 || last->seconds != seconds) {
        const size_t before = line->length;
        put_date(line, seconds);
        last->seconds = seconds;
        last->length = line->length - before;
        memcpy(last->text, line->text + before, last->length);
        return;
    }
    memcpy(line->text + line->length, last->text, last->length);
    line->length += last->length;
}

static void widen(int *width, int length)
{
    if (length > *width)
        *width = length;
}

static struct widths measure(const struct directory *directory)
{
    struct widths widths = {0, 0, 0, 0};
    for (size_t i = 0; i < directory->count; i++) {
        const struct memfs_stat *stat = &directory->rows[i].stat;
        widen(&widths.nlink, digits(stat->nlink));
        widen(&widths.uid, digits(stat->uid));
        widen(&widths.gid, digits(stat->gid));
        widen(&widths.size, size_width(stat));
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

static void print_attributes(struct ls *ls, const struct memfs_stat *stat, const struct widths *widths)
{
    struct line line;
    line.length = 0;
    put_mode(&line, stat->mode);
    put_char(&line, ' ');
    put_number(&line, stat->nlink, widths->nlink, ' ');
    put_char(&line, ' ');
    put_number(&line, stat->uid, widths->uid, ' ');
    put_char(&line, ' ');
    put_number(&line, stat->gid, widths->gid, ' ');
    put_char(&line, ' ');
    put_size(&line, stat, widths->size);
    put_char(&line, ' ');
    put_time(&line, stat->mtime, &ls->date);
    put_char(&line, ' ');
    output_text(line.text, line.length);
}

static int print_row(struct ls *ls, const struct directory_row *row, const struct widths *widths)
{
    if (ls->settings.detailed)
        print_attributes(ls, &row->stat, widths);
    output_name(row->name, row->name_length);
    if (ls->settings.detailed && (row->stat.mode & MEMFS_IFMT) == MEMFS_IFLNK)
        print_target(ls, row);
    ls->started = 1;
    return output_text("\n", 1);
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
    struct directory *directory = &ls->directory;
    int stop = 0;
    if (ls->headers) {
        output(ls->started ? "\n" : "");
        output_name(ls->path.data, ls->path.length);
        stop = output(":\n");
        ls->started = 1;
    }
    int result = directory_read(directory, ls->input.fs, node, ls->settings.detailed);
    ls->listed += directory->count;
    if (result == 0 && ls->listed > ls->entries) {
        result = MEMFS_ECORRUPT; /* directories that claim the same entries: there is hardly an end to them */
        stop = 1;
    }
    if (result == 0 && !stop)
        stop = print_directory(ls, directory);
    if (result == 0 && ls->settings.recursive)
        result = push_directories(ls, directory);
    if (result != 0)
        fail(ls, ls->path.data, result);
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
    output_in_large_pieces();
    list_files(&ls, paths, count);
    list_directories(&ls, paths, count);
    input_close(&ls.input);
    buffer_free(&ls.path);
    buffer_free(&ls.stack);
    buffer_free(&ls.names);
    directory_free(&ls.directory);
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
