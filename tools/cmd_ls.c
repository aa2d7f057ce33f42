#include "commands.h"
#include "list/depth.h"
#include "list/descent.h"
#include "list/directory_print.h"
#include "list/rooted.h"
#include "output/json_node.h"
#include "output/message.h"
#include "output/output.h"
#include "system/input.h"
#include "values/owners.h"

#include <string.h>

struct settings {
    int detailed, recursive, all, itself, human, inode, numeric, by_time, by_size, reverse, lines, columns, classify,
        no_owner, no_group, full_time;
};

#define FLAG(letter, name, member, help)                                                                               \
    {                                                                                                                  \
        letter, name, NULL, OPTION_FLAG, offsetof(struct settings, member), 0, 0, help                                 \
    }

static const struct option_row rows[] = {
    FLAG('l', "long", detailed, "show mode, links, owner, group, size and time"),
    FLAG('R', "recursive", recursive, "list subdirectories too"),
    FLAG('a', "all", all, "names that begin with '.' too"),
    FLAG('A', "almost-all", all, "the same: an image has no '.' and '..'"),
    FLAG('d', "itself", itself, "a directory itself, not what is in it"),
    FLAG('h', "human-readable", human, "with -l sizes as 1.5K or 23M"),
    FLAG('i', "inode", inode, "the inode's number first; hard links share it"),
    FLAG('n', "numeric-uid-gid", numeric, "as -l, with owner and group as numbers"),
    FLAG('g', "no-owner", no_owner, "as -l, without owners"),
    FLAG('o', "no-group", no_group, "as -l, without groups"),
    FLAG(0, "full-time", full_time, "as -l, with times to the nanosecond"),
    FLAG('t', "by-time", by_time, "the newest first"),
    FLAG('S', "by-size", by_size, "the largest first"),
    FLAG('r', "reverse", reverse, "in reverse order"),
    FLAG('1', "lines", lines, "one name a line"),
    FLAG(0, "columns", columns, "in columns, even into a pipe"),
    FLAG('F', "classify", classify, "signs: / directory, * executable, @ link, | FIFO, = socket"),
    {.name = NULL},
};

struct ls {
    struct input input;
    struct settings settings;
    int code;
    int headers; /* say which directory is listed */
    int started; /* something was written, so a blank line comes before a header */
    int with_stat;
    struct directory files, directories; /* the operands */
    struct descent descent;
    struct directory_print print;
    struct buffer rooted; /* an operand's path */
};

static void fail(struct ls *ls, memfs_node node, const char *path, int error)
{
    ls->code = message_worse(ls->code, depth_error(&ls->input, node, path, error, "max-depth"));
}

static enum directory_order order_of(const struct settings *settings)
{
    if (settings->by_time)
        return DIRECTORY_BY_TIME;
    return settings->by_size ? DIRECTORY_BY_SIZE : DIRECTORY_BY_NAME;
}

static void arrange(const struct ls *ls, struct directory *directory)
{
    directory_arrange(directory, order_of(&ls->settings), ls->settings.reverse);
}

/* ---- Directories -------------------------------------------------------------- */

static void print_header(struct ls *ls)
{
    if (!ls->headers)
        return;
    output(ls->started ? "\n" : "");
    output_name(ls->descent.path.data, ls->descent.path.length);
    output(":\n");
    ls->started = 1;
}

/* So that the first comes first. */
static int push_directories(struct ls *ls)
{
    const struct directory *directory = &ls->descent.directory;
    int result = 0;
    for (size_t i = directory->count; i-- > 0 && result == 0;) {
        if ((directory->rows[i].stat.mode & MEMFS_IFMT) == MEMFS_IFDIR)
            result = descent_push(&ls->descent, &directory->rows[i], 0);
    }
    return result;
}

/* Nonzero once standard output has failed. */
static int list_directory(struct ls *ls, memfs_node node)
{
    struct directory *directory = &ls->descent.directory;
    print_header(ls);
    int result = descent_read(&ls->descent, node, ls->with_stat);
    if (result != 0) {
        fail(ls, node, ls->descent.path.data, result);
        return output_failed();
    }
    if (!ls->settings.all)
        directory_drop_hidden(directory);
    arrange(ls, directory);
    ls->started |= directory->count > 0;
    int stop = directory_print(&ls->print, directory, ls->descent.path.data);
    if (!stop && ls->settings.recursive)
        result = push_directories(ls);
    if (result != 0)
        fail(ls, node, ls->descent.path.data, result);
    return stop;
}

/* Nonzero once standard output has failed. */
static int list_tree(struct ls *ls, const struct memfs_stat *stat, const char *path)
{
    struct descent_entry entry = {.stat = *stat};
    int result = descent_start(&ls->descent, path, stat);
    int stop = result == 0 && list_directory(ls, stat->node);
    while (result == 0 && !stop && (result = descent_next(&ls->descent, &entry)) > 0) {
        result = 0;
        stop = list_directory(ls, entry.stat.node);
    }
    if (result < 0)
        fail(ls, entry.stat.node, ls->descent.path.length > 0 ? ls->descent.path.data : path, result);
    return stop;
}

/* ---- Operands ----------------------------------------------------------------- */

static int add_operand(struct ls *ls, const char *path, int itself)
{
    struct memfs_stat stat;
    int result = input_find(&ls->input, path, itself, &stat);
    if (result != 0)
        return result;
    const int is_directory = (stat.mode & MEMFS_IFMT) == MEMFS_IFDIR;
    if (common.json) {
        result = rooted_path(&ls->rooted, ls->input.fs, path, is_directory);
        path = ls->rooted.data;
    }
    if (result != 0)
        return result;
    const int contents = is_directory && !ls->settings.itself;
    return directory_add(contents ? &ls->directories : &ls->files, path, strlen(path), &stat);
}

/* What is no directory comes first, and complaints before it. */
static void sort_out(struct ls *ls, char **paths, int count)
{
    const struct settings *settings = &ls->settings;
    const int itself = settings->detailed || settings->itself || settings->classify;
    for (int i = 0; i < count; i++) {
        int result = add_operand(ls, paths[i], itself);
        if (result != 0)
            ls->code = message_worse(ls->code, input_path_error(&ls->input, paths[i], result));
    }
    directory_sort(&ls->files);
    directory_sort(&ls->directories);
    arrange(ls, &ls->files);
    arrange(ls, &ls->directories);
}

static void list(struct ls *ls, char **paths, int count)
{
    sort_out(ls, paths, count);
    ls->started = ls->files.count > 0;
    int stop = directory_print(&ls->print, &ls->files, NULL);
    for (size_t i = 0; i < ls->directories.count && !stop; i++) {
        const struct directory_row *row = &ls->directories.rows[i];
        stop = list_tree(ls, &row->stat, row->name);
    }
}

/* ---- The command -------------------------------------------------------------- */

static enum layout layout_of(const struct settings *settings)
{
    if (common.json)
        return LAYOUT_JSON;
    if (settings->detailed)
        return LAYOUT_LONG;
    return settings->columns || (output_is_terminal() && !settings->lines) ? LAYOUT_COLUMNS : LAYOUT_LINES;
}

static int prepare(struct ls *ls)
{
    struct settings *settings = &ls->settings;
    struct directory_print *print = &ls->print;
    struct memfs_image_info info;
    memfs_image_info(ls->input.image, &info);
    ls->descent.fs = ls->input.fs;
    ls->descent.entries = info.entries;
    ls->descent.depth_max = settings->recursive ? common.depth_max : UINT64_MAX; /* one directory may lie anywhere */
    print->layout = layout_of(settings);
    print->form = (struct long_format){.input = &ls->input,
                                       .inode = settings->inode,
                                       .numeric = settings->numeric,
                                       .human = settings->human,
                                       .no_owner = settings->no_owner,
                                       .no_group = settings->no_group,
                                       .full_time = settings->full_time,
                                       .xattrs = info.xattrs > 0};
    int code = labels_start(&print->labels, &ls->input, settings->classify, print->layout == LAYOUT_LONG);
    ls->with_stat = print->layout == LAYOUT_LONG || print->layout == LAYOUT_JSON || settings->by_time ||
                    settings->by_size || settings->classify || print->labels.colored;
    return code;
}

static int check(struct settings *settings)
{
    if (settings->by_time && settings->by_size)
        return message_usage(command_ls.name, "--by-time and --by-size exclude each other");
    if (settings->columns && (settings->no_owner || settings->no_group || settings->full_time))
        return message_usage(command_ls.name, "--columns and --%s exclude each other",
                             settings->no_owner   ? "no-owner"
                             : settings->no_group ? "no-group"
                                                  : "full-time");
    if (settings->columns && (settings->lines || settings->detailed || settings->numeric || common.json))
        return message_usage(command_ls.name, "--columns and --%s exclude each other",
                             common.json          ? "json"
                             : settings->lines    ? "lines"
                             : settings->detailed ? "long"
                                                  : "numeric-uid-gid");
    settings->detailed |= settings->numeric || settings->no_owner || settings->no_group || settings->full_time;
    return EXIT_DONE;
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
    code = check(&ls.settings);
    if (code == EXIT_DONE && layout_of(&ls.settings) == LAYOUT_LONG && !ls.settings.numeric)
        owners_start();
    if (code == EXIT_DONE)
        code = input_open(&ls.input, argv[first], 1);
    if (code != EXIT_DONE) {
        owners_end();
        return code;
    }
    const int count = argc - first - 1;
    ls.headers = !common.json && (ls.settings.recursive || count > 1);
    ls.code = prepare(&ls);
    output_in_large_pieces();
    if (ls.code == EXIT_DONE)
        list(&ls, count > 0 ? argv + first + 1 : root_only, count > 0 ? count : 1);
    owners_end();
    labels_end(&ls.print.labels);
    input_close(&ls.input);
    directory_free(&ls.files);
    directory_free(&ls.directories);
    descent_free(&ls.descent);
    buffer_free(&ls.rooted);
    directory_print_free(&ls.print);
    return message_worse(message_worse(ls.code, ls.print.code), output_finish());
}

const struct command command_ls = {
    .name = "ls",
    .operands = "IMAGE [PATH]...",
    .summary = "list what is in an image",
    .about = "Lists directories and files in IMAGE ('-': standard input), sorted by name; without\n"
             "PATH the whole image's root. On a terminal in columns, else one name a line.\n",
    .examples = "  memfs ls photos.mfs\n"
                "  memfs ls -l photos.mfs 2024/summer\n"
                "  memfs ls -lSh photos.mfs 2024/summer\n"
                "  memfs ls -lR photos.mfs | less\n",
    .manual = "Names are sorted by their bytes. Names that begin with '.' are left out, unless -a or -A asks for "
              "them or they are named. Owners and groups have the names that they have on this machine, as ls shows "
              "them; -n shows the numbers that are in the image. The size of a directory is the number of its "
              "entries. A '+' behind the mode tells of an access control list, a '?' "
              "that the image is too damaged to know. Symbolic links lead to places in the "
              "image. A PATH that is a symbolic link to a directory is listed as that directory, but with -l, -d or "
              "-F as the link.\n"
              "\n"
              "Columns are as wide as COLUMNS says, else as the terminal is. Colours are those of LS_COLORS, see "
              "dircolors(1).\n"
              "\n" JSON_NODE_MANUAL
              " What only changes the look of a listing says nothing then, and there are no headings.\n",
    .common = COMMON_JSON | COMMON_COLOR | COMMON_DEPTH | COMMON_DECODED,
    .options = rows,
    .operands_min = 1,
    .operands_max = -1,
    .run = run,
};
