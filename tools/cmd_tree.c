#include "commands.h"
#include "list/depth.h"
#include "list/descent.h"
#include "list/label.h"
#include "list/rooted.h"
#include "output/json_node.h"
#include "output/message.h"
#include "output/output.h"
#include "system/input.h"
#include "values/quantity.h"

#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <stdio.h>
#include <string.h>

struct settings {
    int all, directories, classify, human, sizes;
    uint64_t depth;
};

static const struct option_row rows[] = {
    {'a', "all", NULL, OPTION_FLAG, offsetof(struct settings, all), 0, 0, "names that begin with '.' too"},
    {'d', "directories-only", NULL, OPTION_FLAG, offsetof(struct settings, directories), 0, 0, "directories only"},
    {'L', "depth", "DEPTH", OPTION_NUMBER, offsetof(struct settings, depth), 1, UINT64_MAX,
     "go no more than DEPTH levels down"},
    {'s', "sizes", NULL, OPTION_FLAG, offsetof(struct settings, sizes), 0, 0, "show sizes in bytes"},
    {'h', "human-readable", NULL, OPTION_FLAG, offsetof(struct settings, human), 0, 0, "show sizes as 1.5K or 23M"},
    {'F', "classify", NULL, OPTION_FLAG, offsetof(struct settings, classify), 0, 0,
     "signs: / directory, * executable, @ link, | FIFO, = socket"},
    {.name = NULL},
};

/* What stands before a name, one piece for each level. */
struct branches {
    const char *through, *blank, *fork, *end;
};
static const struct branches drawn = {"\342\224\202   ", "    ", "\342\224\234\342\224\200\342\224\200 ",
                                      "\342\224\224\342\224\200\342\224\200 "};
static const struct branches ascii = {"|   ", "    ", "|-- ", "`-- "};

struct tree {
    struct input input;
    struct settings settings;
    int code;
    int with_stat;
    const struct branches *branches;
    struct descent descent;
    struct labels labels;
    struct buffer rooted;        /* an operand's path */
    struct buffer lasts;         /* a char a level above the current one: whether it was the last of its siblings */
    uint64_t directories, files; /* shown */
};

static void fail(struct tree *tree, memfs_node node, const char *path, int error)
{
    tree->code = message_worse(tree->code, depth_error(&tree->input, node, path, error, "max-depth"));
}

static int is_directory(const struct memfs_stat *stat)
{
    return (stat->mode & MEMFS_IFMT) == MEMFS_IFDIR;
}

/* ---- A line ------------------------------------------------------------------- */

/* Returns the bytes written. */
static size_t put_text(const char *text)
{
    const size_t length = strlen(text);
    output_text(text, length);
    return length;
}

static size_t put_branches(const struct tree *tree, int last)
{
    size_t length = 0;
    if (tree->descent.depth == 0)
        return 0;
    for (size_t level = 1; level < tree->descent.depth; level++)
        length += put_text(tree->lasts.data[level] ? tree->branches->blank : tree->branches->through);
    return length + put_text(last ? tree->branches->end : tree->branches->fork);
}

static size_t put_size(const struct tree *tree, uint64_t size)
{
    char text[QUANTITY_ROOM], field[QUANTITY_ROOM + 16];
    if (tree->settings.human)
        snprintf(field, sizeof field, "[%4s]  ", quantity_short(size, text));
    else if (tree->settings.sizes)
        snprintf(field, sizeof field, "[%11" PRIu64 "]  ", size);
    else
        return 0;
    return put_text(field);
}

static int print_line(struct tree *tree, const struct descent_entry *entry)
{
    const struct buffer *path = &tree->descent.path;
    const struct directory_row whole = {path->data, path->length, entry->stat};
    const struct directory_row row = {path->data + path->length - entry->name_length, entry->name_length, entry->stat};
    struct label label = label_of(&tree->labels, NULL, &whole);
    label.row = &row;
    labels_put_normal(&tree->labels);
    size_t start = put_branches(tree, entry->last);
    start += put_size(tree, entry->stat.size);
    int result = label_put_with_target(&tree->labels, &label, start);
    output_text("\n", 1);
    return result == 0 && label.capable < 0 ? label.capable : result;
}

static int print_object(const struct tree *tree, const struct descent_entry *entry)
{
    const struct buffer *path = &tree->descent.path;
    struct json json = json_begin(stdout);
    json_path(&json, path->data, path->length);
    int result = json_node(&json, tree->input.fs, &entry->stat);
    if (result != -ENOMEM) /* which ends the output here */
        json_unsigned(&json, "depth", tree->descent.depth);
    json_end(&json);
    return result;
}

/* ---- The tree ----------------------------------------------------------------- */

static int is_shown(const struct tree *tree, const struct directory_row *row)
{
    return (tree->settings.all || row->name[0] != '.') && (!tree->settings.directories || is_directory(&row->stat));
}

/* What is in the directory comes next; the first pushed is the last of them. */
static int push_entries(struct tree *tree, const struct directory *directory)
{
    int result = 0, last = 1;
    for (size_t i = directory->count; i-- > 0 && result == 0;) {
        if (!is_shown(tree, &directory->rows[i]))
            continue;
        result = descent_push(&tree->descent, &directory->rows[i], last);
        last = 0;
    }
    return result;
}

/* Remembers what the lines below need to know of this entry. */
static int note_last(struct tree *tree, int last)
{
    const char mark = (char)last;
    tree->lasts.length = tree->descent.depth;
    return buffer_append(&tree->lasts, &mark, 1);
}

static int enter(struct tree *tree, const struct descent_entry *entry)
{
    int result = note_last(tree, entry->last);
    if (result == 0)
        result = descent_read(&tree->descent, entry->stat.node, tree->with_stat);
    return result != 0 ? result : push_entries(tree, &tree->descent.directory);
}

static void visit(struct tree *tree, const struct descent_entry *entry)
{
    const uint64_t depth = tree->descent.depth;
    int result = common.json ? print_object(tree, entry) : print_line(tree, entry);
    if (is_directory(&entry->stat))
        tree->directories++;
    else
        tree->files++;
    if (result == 0 && is_directory(&entry->stat) && (tree->settings.depth == 0 || depth < tree->settings.depth))
        result = enter(tree, entry);
    if (result != 0)
        fail(tree, entry->stat.node, tree->descent.path.data, result);
}

static void show(struct tree *tree, const char *path)
{
    struct descent_entry entry = {.name_length = strlen(path)};
    int result = input_find(&tree->input, path, 0, &entry.stat);
    if (result != 0) {
        tree->code = message_worse(tree->code, input_path_error(&tree->input, path, result));
        return;
    }
    if (common.json) {
        result = rooted_path(&tree->rooted, tree->input.fs, path, is_directory(&entry.stat));
        path = tree->rooted.data;
    }
    if (result == 0)
        result = descent_start(&tree->descent, path, &entry.stat);
    if (result != 0) {
        fail(tree, entry.stat.node, path, result);
        return;
    }
    do {
        visit(tree, &entry);
    } while (!output_failed() && (result = descent_next(&tree->descent, &entry)) > 0);
    if (result < 0)
        fail(tree, entry.stat.node, tree->descent.path.data, result);
}

static void print_counts(const struct tree *tree)
{
    output("\n%" PRIu64 " director%s", tree->directories, tree->directories == 1 ? "y" : "ies");
    if (!tree->settings.directories)
        output(", %" PRIu64 " file%s", tree->files, tree->files == 1 ? "" : "s");
    output("\n");
}

/* ---- The command -------------------------------------------------------------- */

static int prepare(struct tree *tree)
{
    const struct settings *settings = &tree->settings;
    struct memfs_image_info info;
    memfs_image_info(tree->input.image, &info);
    tree->descent.fs = tree->input.fs;
    tree->descent.entries = info.entries;
    tree->descent.depth_max = common.depth_max;
    tree->branches = strcmp(nl_langinfo(CODESET), "UTF-8") == 0 ? &drawn : &ascii;
    int code = labels_start(&tree->labels, &tree->input, settings->classify, 1);
    tree->with_stat = settings->sizes || settings->human || settings->classify || common.json || tree->labels.colored;
    return code;
}

static int run(int argc, char **argv)
{
    struct tree tree = {.code = EXIT_DONE};
    int first;
    int code = options_parse(&command_tree, argc, argv, &tree.settings, &first);
    if (code >= 0)
        return code;
    code = input_open(&tree.input, argv[first], 1);
    if (code != EXIT_DONE)
        return code;
    tree.code = prepare(&tree);
    const int is_ready = tree.code != EXIT_FAILED; /* what is wrong with one PATH ends only that */
    output_in_large_pieces();
    if (tree.code == EXIT_DONE && first + 1 == argc)
        show(&tree, "/");
    for (int i = first + 1; i < argc && is_ready && !output_failed(); i++)
        show(&tree, argv[i]);
    labels_end(&tree.labels);
    if (!common.json && !output_failed())
        print_counts(&tree);
    input_close(&tree.input);
    descent_free(&tree.descent);
    labels_free(&tree.labels);
    buffer_free(&tree.lasts);
    buffer_free(&tree.rooted);
    return message_worse(tree.code, output_finish());
}

const struct command command_tree = {
    .name = "tree",
    .operands = "IMAGE [PATH]...",
    .summary = "show an image as a tree",
    .about = "Shows directories and what is below them in IMAGE ('-': standard input) as a tree; without\n"
             "PATH the whole image.\n",
    .examples = "  memfs tree photos.mfs\n"
                "  memfs tree -d -L 2 photos.mfs\n"
                "  memfs tree -ah photos.mfs 2024/summer\n",
    .manual = "Names are sorted by their bytes. Names that begin with '.' are left out, and what is below them, unless "
              "-a asks for them or they are named. Symbolic links are not followed; they count as files. The size of a "
              "directory is the number of its entries. Lines are drawn in a UTF-8 locale, else made of ASCII. "
              "At the end stands how many directories and how many "
              "files were shown. Colours are those of LS_COLORS, see dircolors(1).\n"
              "\n" JSON_NODE_MANUAL " And depth: 0 for PATH itself, 1 for what is in it, and so on.\n",
    .common = COMMON_JSON | COMMON_COLOR | COMMON_DEPTH | COMMON_DECODED,
    .options = rows,
    .operands_min = 1,
    .operands_max = -1,
    .run = run,
};
