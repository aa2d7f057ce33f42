#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* tdestroy */
#endif
#include "commands.h"
#include "list/depth.h"
#include "list/stored.h"
#include "output/json_node.h"
#include "output/message.h"
#include "output/output.h"
#include "system/input.h"
#include "values/quantity.h"

#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <string.h>

struct settings {
    int all, summarize, human, bytes, kib, mib, total, stored;
    uint64_t depth, levels;
};

#define FLAG(letter, name, field, help)                                                                                \
    {                                                                                                                  \
        letter, name, NULL, OPTION_FLAG, offsetof(struct settings, field), 0, 0, help                                  \
    }

static const struct option_row rows[] = {
    FLAG('a', "all", all, "show files too, not only directories"),
    FLAG('b', "bytes", bytes, "sizes in bytes, which is the default"),
    FLAG(0, "apparent-size", bytes, "the same"),
    FLAG('c', "total", total, "show a total at the end"),
    {'d', "max-depth", "DEPTH", OPTION_NUMBER, offsetof(struct settings, depth), 0, UINT64_MAX,
     "show what is DEPTH directories down at most; 0: the PATHs only"},
    {0, "max-levels", "N", OPTION_NUMBER, offsetof(struct settings, levels), 1, UINT64_MAX,
     "as --max-depth elsewhere: fail beyond N directories deep (default: 4096)"},
    FLAG('h', "human-readable", human, "sizes as 1.5K, 23M, 4G"),
    FLAG('k', "kilobytes", kib, "sizes in KiB, rounded up"),
    FLAG('m', "megabytes", mib, "sizes in MiB, rounded up"),
    FLAG('s', "summarize", summarize, "show the PATHs only"),
    FLAG(0, "stored", stored, "show in a second column what it takes in the image"),
    {.name = NULL},
};

/* What something has, all below it included. */
struct amount {
    uint64_t files, bytes, stored;
};

struct du {
    struct input input;
    struct settings settings;
    int code;
    uint64_t unit;   /* of sizes */
    int counts_once; /* not only hard links: PATHs may lie in each other */
    struct stored stored;
    void *seen;            /* a tree of nodes, which are their own keys */
    struct buffer amounts; /* struct amount by depth: of what has been visited in the directory that is there */
    struct amount total;
    int is_partial; /* a PATH was too deep: there is no total */
};

/* Sizes are an image's word: there may be more than can be counted. */
static void add(struct amount *to, const struct amount *amount)
{
    to->files += amount->files;
    to->bytes = amount->bytes > UINT64_MAX - to->bytes ? UINT64_MAX : to->bytes + amount->bytes;
    to->stored += amount->stored;
}

/* ---- Output -------------------------------------------------------------------------------- */

static void print_size(const struct du *du, uint64_t bytes)
{
    char text[QUANTITY_ROOM];
    if (du->settings.human)
        output("%s\t", quantity_short(bytes, text));
    else
        output("%" PRIu64 "\t", bytes / du->unit + (bytes % du->unit != 0));
}

/* path is NULL for the total. Nonzero once standard output has failed. */
static int print_json(const struct du *du, const struct amount *amount, const char *path)
{
    struct json json = json_begin(stdout);
    if (path)
        json_path(&json, path, strlen(path));
    else
        json_bool(&json, "total", 1);
    json_unsigned(&json, "files", amount->files);
    json_unsigned(&json, "bytes", amount->bytes);
    if (du->settings.stored)
        json_unsigned(&json, "stored", amount->stored);
    json_end(&json);
    return output_failed();
}

static int print(const struct du *du, const struct amount *amount, const char *path)
{
    if (common.json)
        return print_json(du, amount, path);
    print_size(du, amount->bytes);
    if (du->settings.stored)
        print_size(du, amount->stored);
    if (path)
        output_name(path, strlen(path));
    else
        output("total");
    return output_text("\n", 1);
}

/* ---- Counting -------------------------------------------------------------------------------- */

static int compare_nodes(const void *a, const void *b)
{
    const uintptr_t left = (uintptr_t)a, right = (uintptr_t)b;
    return left < right ? -1 : left > right;
}

/* Whether the node has been counted; else it is now. -ENOMEM */
static int was_seen(struct du *du, const struct memfs_stat *stat)
{
    const void *key = (const void *)(uintptr_t)(stat->node & UINT32_MAX);
    if (!du->counts_once && (stat->nlink < 2 || (stat->mode & MEMFS_IFMT) == MEMFS_IFDIR))
        return 0;
    if (tfind(key, &du->seen, compare_nodes))
        return 1;
    return tsearch(key, &du->seen, compare_nodes) ? 0 : -ENOMEM;
}

/* What a file has by itself. */
static int measure(struct du *du, const struct memfs_stat *stat, struct amount *amount)
{
    const uint32_t type = stat->mode & MEMFS_IFMT;
    *amount = (struct amount){.files = 1, .bytes = stat->size};
    if (type != MEMFS_IFREG || !du->settings.stored)
        return 0;
    return stored_of(&du->stored, stat->node, &amount->stored);
}

/* Room for what is at this depth and what lies below it. */
static int reach_depth(struct du *du, uint64_t depth)
{
    static const struct amount nothing = {.files = 0};
    int result = 0;
    while (result == 0 && du->amounts.length / sizeof nothing < depth + 2)
        result = buffer_append(&du->amounts, &nothing, sizeof nothing);
    return result;
}

/* All below a directory comes before it. Nonzero ends the walk. */
static int visit(void *context, const struct memfs_step *step)
{
    struct du *du = context;
    const struct memfs_stat *stat = step->stat;
    const int is_directory = (stat->mode & MEMFS_IFMT) == MEMFS_IFDIR;
    const uint64_t depth = step->depth;
    int result = reach_depth(du, depth);
    if (result != 0)
        return result;
    struct amount *here = (struct amount *)(void *)du->amounts.data + depth, amount = {.files = 0};
    const int seen = was_seen(du, stat);
    if (seen < 0)
        return seen;
    if (is_directory) {
        amount = here[1];
        here[1] = (struct amount){.files = 0};
    } else if (!seen) {
        result = measure(du, stat, &amount);
    }
    if (result != 0)
        return result;
    add(here, &amount);
    if (seen || depth > du->settings.depth || !(is_directory || du->settings.all || depth == 0))
        return 0;
    return print(du, &amount, step->path) ? MEMFS_WALK_STOP : 0;
}

/* What is too deep ends this PATH. */
static int refuse(struct du *du, const struct memfs_step *step)
{
    du->code = message_worse(du->code, depth_error(&du->input, step->node, step->path, MEMFS_ELIMIT, "max-levels"));
    du->is_partial = 1;
    return DEPTH_ENDS_PATH;
}

/* Sums of half of something would be no sums: it ends. */
static int failed(void *context, const struct memfs_step *step, int error)
{
    struct du *du = context;
    if (error == MEMFS_ELIMIT && !input_is_spent(&du->input, error))
        return refuse(du, step);
    du->code = message_worse(du->code, depth_error(&du->input, step->node, step->path, error, "max-levels"));
    return MEMFS_WALK_STOP;
}

/* ---- All of it --------------------------------------------------------------------------------- */

static int pass(void *context, const struct memfs_step *step)
{
    (void)context;
    (void)step;
    return 0;
}

/* What cannot be read is said when it is counted. */
static int failed_before(void *context, const struct memfs_step *step, int error)
{
    struct du *du = context;
    return error == MEMFS_ELIMIT && !input_is_spent(&du->input, error) ? refuse(du, step) : 0;
}

/* Of several PATHs, what one has is not counted for another: so one that ends early must not have begun. */
static int ends_early(struct du *du, const char *path, const struct memfs_walk_options *options)
{
    struct memfs_walk_options before = *options;
    before.failed = failed_before;
    return du->counts_once && memfs_walk_steps(du->input.fs, NULL, path, &before, pass, du) == DEPTH_ENDS_PATH;
}

/* Nonzero if it was the last one. */
static int count_below(struct du *du, const char *path)
{
    const struct memfs_walk_options options = {.size = sizeof options,
                                               .flags = MEMFS_WALK_SORTED | MEMFS_WALK_POST,
                                               .depth_max = common.depth_max,
                                               .failed = failed,
                                               .as = common.json ? NULL : path};
    if (ends_early(du, path, &options))
        return 0;
    du->amounts.length = 0;
    int result = memfs_walk_steps(du->input.fs, NULL, path, &options, visit, du);
    if (result < 0)
        du->code = message_worse(du->code, input_path_error(&du->input, path, result));
    if (result == 0)
        add(&du->total, (const struct amount *)(const void *)du->amounts.data);
    return result == MEMFS_WALK_STOP;
}

static void keep_key(void *key)
{
    (void)key;
}

static void count(struct du *du, char **paths, int count)
{
    static char root[] = "/";
    int stop = 0;
    du->counts_once = count > 1;
    stored_begin(&du->stored, du->input.image);
    output_in_large_pieces();
    if (count == 0)
        stop = count_below(du, root);
    for (int i = 0; i < count && !stop; i++)
        stop = count_below(du, paths[i]);
    if (du->settings.total && !stop && !du->is_partial)
        print(du, &du->total, NULL);
    stored_end(&du->stored);
    tdestroy(du->seen, keep_key);
    buffer_free(&du->amounts);
}

/* What contradicts itself; -1: nothing. */
static int check(struct settings *settings)
{
    if (settings->summarize && settings->all)
        return message_usage("du", "--all and --summarize contradict each other");
    if (settings->summarize && settings->depth != UINT64_MAX && settings->depth != 0)
        return message_usage("du", "--max-depth and --summarize contradict each other");
    const char *units[2] = {NULL, NULL};
    const struct {
        int set;
        const char *name;
    } all[] = {{settings->bytes, "bytes"},
               {settings->kib, "kilobytes"},
               {settings->mib, "megabytes"},
               {settings->human, "human-readable"},
               {common.json && (settings->kib || settings->mib), "json"}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (!all[i].set)
            continue;
        units[units[0] != NULL] = all[i].name;
    }
    if (units[1])
        return message_usage("du", "--%s and --%s contradict each other", units[0], units[1]);
    if (settings->summarize)
        settings->depth = 0;
    if (settings->levels != 0)
        common.depth_max = settings->levels;
    return -1;
}

static int run(int argc, char **argv)
{
    struct du du = {.settings = {.depth = UINT64_MAX}, .code = EXIT_DONE};
    int first;
    int code = options_parse(&command_du, argc, argv, &du.settings, &first);
    if (code < 0)
        code = check(&du.settings);
    if (code >= 0)
        return code;
    code = input_open(&du.input, argv[first], 1);
    if (code != EXIT_DONE)
        return code;
    du.unit = du.settings.kib ? 1024 : du.settings.mib ? 1 << 20 : 1;
    count(&du, argv + first + 1, argc - first - 1);
    input_close(&du.input);
    return message_worse(du.code, output_finish());
}

const struct command command_du = {
    .name = "du",
    .operands = "IMAGE [PATH]...",
    .summary = "show how much directories in an image have",
    .about = "Shows how many bytes every PATH in IMAGE ('-': standard input) has, and all directories\n"
             "below it, with all that is in them. Without PATH the whole image, from /.\n",
    .examples = "  memfs du -h -d 1 photos.mfs\n"
                "  memfs du -sh --stored photos.mfs 2023 2024\n"
                "  memfs du --json -a src.mfs | jq -s 'max_by(.bytes).path'\n",
    .common = COMMON_JSON | COMMON_DECODED,
    .manual =
        "Bytes are those of contents, holes counted, and of the targets of symbolic links, as 'du --apparent-size' "
        "counts\n"
        "them, but that directories have no bytes of their own (du's of coreutils 9.2 and later agree). Hard links "
        "count\n"
        "once, for the first in the order of output, and if there are several PATHs so does all that is in more than "
        "one.\n\n"
        "With --stored a second column shows what the image stores for it: equal parts are stored once, and belong to "
        "the\n"
        "first file that has them, in the order of output; and blocks are compressed as a whole, so that each byte in "
        "one\n"
        "takes the same share of it. Names and attributes are not counted.\n\n"
        "With --json each line is an object with path (from the image's root, without a slash before it, and \".\" for "
        "the "
        "root), files (all below it that are no directories), bytes, and with\n"
        "--stored stored. The total is an object with total (true) in place of path.\n",
    .options = rows,
    .operands_min = 1,
    .operands_max = -1,
    .run = run,
};
