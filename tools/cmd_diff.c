#include "commands.h"
#include "diff/diff_report.h"
#include "diff/pair_queue.h"
#include "diff/unified.h"
#include "output/color.h"
#include "output/message.h"
#include "output/output.h"
#include "output/progress.h"
#include "system/processors.h"
#include "system/sandbox.h"

#include <errno.h>
#include <string.h>

#define NO_CONTEXT UINT64_MAX
#define CONTEXT_MAX 1000000
#define CONTEXT_USUAL 3 /* diff -u's */

struct settings {
    int brief, stat;
    int unified, recursive;
    uint64_t context; /* NO_CONTEXT: no -U */
    struct option_list ignore;
    int contents_only;
    int trust_digests;
    uint64_t jobs;
};

static const struct option_row rows[] = {
    {'q', "brief", NULL, OPTION_FLAG, offsetof(struct settings, brief), 0, 0,
     "paths only: one difference of each is enough"},
    {0, "stat", NULL, OPTION_FLAG, offsetof(struct settings, stat), 0, 0,
     "only how many were added, removed and changed, and bytes"},
    {'U', "unified", "LINES", OPTION_NUMBER, offsetof(struct settings, context), 0, CONTEXT_MAX,
     "also how texts differ, by diff(1), with LINES of context"},
    {'u', "patch", NULL, OPTION_FLAG, offsetof(struct settings, unified), 0, 0, "the same with 3 LINES, as diff -u"},
    {'r', "recursive", NULL, OPTION_FLAG, offsetof(struct settings, recursive), 0, 0,
     "nothing: all of a tree is compared anyway"},
    {0, "ignore", "WHAT", OPTION_LIST, offsetof(struct settings, ignore), 0, 0,
     "one or several of time,owner,mode,xattrs,links,contents"},
    {0, "contents-only", NULL, OPTION_FLAG, offsetof(struct settings, contents_only), 0, 0,
     "ignore all but contents, types, targets and devices"},
    {0, "trust-digests", NULL, OPTION_FLAG, offsetof(struct settings, trust_digests), 0, 0,
     "take files of one size and digest in two images for equal"},
    {'j', "jobs", "N", OPTION_NUMBER, offsetof(struct settings, jobs), 1, UINT64_MAX,
     "compare contents on N processors, 64 at most (default: all)"},
    {.name = NULL},
};

struct diff {
    struct settings settings;
    struct side sides[2];
    struct compare compare;
    struct diff_report report;
    struct pairs pairs;
    struct pair_queue queue;
    struct memfs_progress progress;
    int result; /* of what is not one side's fault */
};

/* ---- What was asked for ----------------------------------------------------------------- */

static const struct {
    const char *word;
    unsigned kinds;
} ignorable[] = {
    {"time", DIFFERS_TIME},         {"mtime", DIFFERS_TIME},    {"owner", DIFFERS_OWNER | DIFFERS_GROUP},
    {"mode", DIFFERS_MODE},         {"xattrs", DIFFERS_XATTRS}, {"links", DIFFERS_LINKS},
    {"contents", DIFFERS_CONTENTS},
};
#define IGNORABLE (sizeof ignorable / sizeof ignorable[0])

static int ignore_word(unsigned *ignored, const char *word, size_t length)
{
    for (size_t i = 0; i < IGNORABLE; i++) {
        if (strlen(ignorable[i].word) == length && memcmp(ignorable[i].word, word, length) == 0) {
            *ignored |= ignorable[i].kinds;
            return EXIT_DONE;
        }
    }
    return message_usage("diff", "--ignore '%.*s': must be of time, owner, mode, xattrs, links, contents", (int)length,
                         word);
}

static int read_ignored(const struct settings *settings, unsigned *ignored)
{
    *ignored = settings->contents_only
                   ? DIFFERS_TIME | DIFFERS_OWNER | DIFFERS_GROUP | DIFFERS_MODE | DIFFERS_XATTRS | DIFFERS_LINKS
                   : 0;
    for (size_t i = 0; i < settings->ignore.count; i++) {
        for (const char *word = settings->ignore.texts[i];; word++) {
            const size_t length = strcspn(word, ",");
            const int code = ignore_word(ignored, word, length);
            if (code != EXIT_DONE)
                return code;
            word += length;
            if (*word == '\0')
                break;
        }
    }
    if (settings->contents_only && (*ignored & DIFFERS_CONTENTS))
        return message_usage("diff", "--contents-only and --ignore contents leave nothing to compare");
    return EXIT_DONE;
}

static int read_form(struct diff *diff)
{
    const struct settings *settings = &diff->settings;
    const int unified = settings->context != NO_CONTEXT;
    if (settings->brief + settings->stat + unified > 1)
        return message_usage("diff", "--brief, --stat and --unified exclude each other");
    if (common.json && unified)
        return message_usage("diff", "--json and --unified exclude each other");
    diff->report.form = settings->stat    ? DIFF_STAT
                        : common.json     ? DIFF_JSON
                        : unified         ? DIFF_UNIFIED
                        : settings->brief ? DIFF_BRIEF
                                          : DIFF_LINES;
    return EXIT_DONE;
}

static int read_settings(struct diff *diff)
{
    const struct settings *settings = &diff->settings;
    int code = read_ignored(settings, &diff->compare.ignored);
    if (code == EXIT_DONE)
        code = read_form(diff);
    diff->compare.first_only = settings->brief;
    diff->compare.trust_digests = settings->trust_digests;
    diff->report.compare = &diff->compare;
    diff->report.json = common.json;
    diff->report.brief = settings->brief;
    diff->report.detailed = common.verbose;
    diff->report.colors = color_is_on();
    diff->report.context = settings->context;
    return code;
}

/* ---- Pairs -------------------------------------------------------------------------------- */

/* A pair has come out of the queue. Nonzero ends. */
static int tell(struct diff *diff, const struct queued *item)
{
    const struct pair *pair = &item->pair;
    if (item->comparison.unread)
        diff->progress.bytes += pair->stat[OLD].size;
    if (progress_update(NULL, &diff->progress) != 0)
        return -1;
    if (item->result != 0) {
        side_file_error(&diff->sides[item->failed], pair->path, pair->stat[item->failed].node, item->result);
        return 0;
    }
    compare_keep(&diff->compare, pair, &item->comparison);
    if (pair->has == HAS_BOTH && item->comparison.differs == 0) {
        diff_report_same(&diff->report);
        return 0;
    }
    progress_hide();
    if (pair->has == HAS_BOTH)
        return diff_report_changed(&diff->report, pair, &item->comparison);
    return diff_report_one_sided(&diff->report, pair);
}

/* Tells what is done; everything, if all is set. */
static int tell_done(struct diff *diff, int all)
{
    struct queued *item;
    while ((item = pair_queue_take(&diff->queue, all))) {
        if (tell(diff, item) != 0)
            return -1;
    }
    return 0;
}

/* Puts a pair into the queue, for which there may have to be made room. */
static int queue_pair(struct diff *diff, const struct pair *pair, const struct comparison *comparison)
{
    if (pair_queue_is_full(&diff->queue)) {
        struct queued *item = pair_queue_take(&diff->queue, 1);
        if (tell(diff, item) != 0)
            return -1;
    }
    const int result = pair_queue_put(&diff->queue, pair, comparison);
    if (result != 0) {
        diff->result = result;
        return -1;
    }
    return tell_done(diff, 0);
}

/* What the other side could not read may be there all the same. */
static int is_left_out(const struct diff *diff, const struct pair *pair)
{
    return pair->has != HAS_BOTH &&
           side_lacks(&diff->sides[pair->has == HAS_OLD ? NEW : OLD], pair->path, MEMFS_PROBLEM_FILE);
}

/* The sides to go down into. */
static int below_of(const struct diff *diff, const struct pair *pair)
{
    const int both = pair_is_dir(pair, OLD) && pair_is_dir(pair, NEW);
    for (int side = 0; side < 2; side++) {
        if (side_lacks(&diff->sides[side], pair->path, MEMFS_PROBLEM_NAMES))
            return 0;
    }
    return both ? (int)HAS_BOTH : diff->report.detailed ? (int)pair->has : 0;
}

/* A pairs_visit. */
static int visit(void *context, const struct pair *pair)
{
    struct diff *diff = context;
    struct comparison comparison = {.differs = 0};
    diff->progress.nodes++;
    if (is_left_out(diff, pair))
        return 0;
    if (diff->sides[NEW].twin) { /* one and the same: only for the counts is there anything to be looked at */
        diff_report_same(&diff->report);
        return diff->report.form == DIFF_STAT ? below_of(diff, pair) : 0;
    }
    if (pair->has == HAS_BOTH && compare_pair(&diff->compare, pair, &comparison) != 0)
        return below_of(diff, pair); /* said already; what is below can be compared all the same */
    return queue_pair(diff, pair, &comparison) == 0 ? below_of(diff, pair) : -1;
}

/* ---- Trees ---------------------------------------------------------------------------------- */

static int walk_path(struct diff *diff, const char *path)
{
    int result = pairs_walk(&diff->pairs, path);
    if (result == 0 && tell_done(diff, 1) != 0)
        result = -ECANCELED;
    if (result == -ENOENT) {
        message("diff", path, "no such file or directory on either side");
        diff->report.code = message_worse(diff->report.code, EXIT_INCOMPLETE);
        result = 0;
    }
    if (result != 0 && result != -ECANCELED)
        diff->result = result;
    return result;
}

static void walk_paths(struct diff *diff, char **paths, int count)
{
    char root[] = "/";
    char *const whole[] = {root};
    if (count == 0) {
        struct memfs_statfs old, new;
        if (memfs_statfs(diff->sides[OLD].fs, &old) == 0 && memfs_statfs(diff->sides[NEW].fs, &new) == 0)
            diff->progress.nodes_total = old.nodes > new.nodes ? old.nodes : new.nodes;
    }
    for (int i = 0; i < (count > 0 ? count : 1); i++) {
        if (walk_path(diff, count > 0 ? paths[i] : whole[i]) != 0)
            return;
    }
}

static int diff_trees(struct diff *diff, char **paths, int count)
{
    int shown, result = pair_queue_begin(&diff->queue, diff->compare.sides, processors_used(diff->settings.jobs));
    if (result != 0)
        return message_error("diff", NULL, result, NULL);
    progress_start("comparing");
    walk_paths(diff, paths, count);
    pair_queue_end(&diff->queue);
    progress_end(&shown);
    pairs_free(&diff->pairs);
    int code = diff->result != 0 ? message_error("diff", NULL, diff->result, NULL) : EXIT_DONE;
    diff_report_end(&diff->report);
    code = message_worse(code, diff->report.code);
    return message_worse(code, message_worse(diff->sides[OLD].code, diff->sides[NEW].code));
}

/* Directories of the host are still to be read, and with -U diff(1) is to be run and copies are made for it. */
static int give_up_rest(const struct diff *diff, char **names)
{
    struct sandbox sandbox;
    sandbox_begin(&sandbox);
    for (int side = 0; side < 2; side++) {
        if (diff->sides[side].is_host)
            sandbox_allow(&sandbox, names[side], SANDBOX_READ);
    }
    if (diff->report.form == DIFF_UNIFIED) {
        sandbox_allow(&sandbox, "/", SANDBOX_READ | SANDBOX_RUN);
        sandbox_allow(&sandbox, unified_directory(), SANDBOX_WRITE);
    }
    return sandbox_enter(&sandbox);
}

static int open_sides(struct diff *diff, char **names)
{
    const int no_xattrs = (diff->compare.ignored & DIFFERS_XATTRS) != 0;
    const unsigned threads = processors_used(diff->settings.jobs);
    if (strcmp(names[OLD], "-") == 0 && strcmp(names[NEW], "-") == 0)
        return message_usage("diff", "only one of A and B can be standard input");
    int code = side_hold(&diff->sides[OLD], names[OLD]);
    const int is_one = code == EXIT_DONE && side_is_one(names[OLD], names[NEW]);
    if (code == EXIT_DONE && !is_one)
        code = side_hold(&diff->sides[NEW], names[NEW]);
    if (code != EXIT_DONE)
        return code;
    code = give_up_rest(diff, names);
    if (code == EXIT_DONE)
        code = side_read(&diff->sides[OLD], no_xattrs, threads);
    if (code == EXIT_DONE && is_one)
        side_share(&diff->sides[NEW], &diff->sides[OLD]);
    else if (code == EXIT_DONE)
        code = side_read(&diff->sides[NEW], no_xattrs, threads);
    return code;
}

/* The sides are open, or not all. */
static int run_with(struct diff *diff, char **operands, int count)
{
    int code = open_sides(diff, operands);
    for (int side = 0; side < 2; side++)
        diff->compare.sides[side] = diff->pairs.sides[side] = &diff->sides[side];
    diff->pairs.visit = visit;
    diff->pairs.context = diff;
    output_in_large_pieces();
    if (code == EXIT_DONE)
        code = diff_trees(diff, operands + 2, count - 2);
    side_close(&diff->sides[NEW]);
    side_close(&diff->sides[OLD]);
    compare_free(&diff->compare);
    diff_report_free(&diff->report);
    return message_worse(code, output_finish());
}

static int run(int argc, char **argv)
{
    static struct diff diff; /* the queue is large */
    int first;
    diff = (struct diff){.settings = {.jobs = processors(), .context = NO_CONTEXT}};
    int code = options_parse(&command_diff, argc, argv, &diff.settings, &first);
    if (code < 0) {
        if (diff.settings.unified && diff.settings.context == NO_CONTEXT)
            diff.settings.context = CONTEXT_USUAL;
        code = read_settings(&diff);
        if (code == EXIT_DONE)
            code = run_with(&diff, argv + first, argc - first);
    }
    option_list_free(&diff.settings.ignore);
    return code;
}

const struct command command_diff = {
    .name = "diff",
    .operands = "A B [PATH]...",
    .summary = "compare two images or directories",
    .about = "Compares A and B, each an image ('-': standard input) or a directory of the host, or only\n"
             "PATHs in both: names, types, contents, modes, owners, times, links, devices, extended\n"
             "attributes. '+ PATH' is only in B, '- PATH' only in A, 'M PATH: ...' has changed. A\n"
             "directory that only one has is one line; -v shows what is in it. Exits 0 if all is the\n"
             "same, 1 if not, 3 or 4 if something could not be compared.\n",
    .examples = "  memfs diff monday.mfs tuesday.mfs\n"
                "  memfs diff --ignore time,owner backup.mfs ~/project src\n"
                "  memfs diff -U 3 etc.mfs /etc | less\n"
                "  ssh host cat site.mfs | memfs diff --brief - site\n",
    .common = COMMON_DEPTH | COMMON_JSON | COMMON_COLOR | COMMON_PROGRESS | COMMON_DECODED,
    .manual =
        "Nothing is read that is known already. Contents of different sizes are different, and so are those of two\n"
        "images whose digests (XXH3-64 of all bytes) are. Equal digests do not prove that contents are equal: they "
        "are\n"
        "read, unless --trust-digests says that this is enough; two files made to deceive can have one digest. An "
        "image\n"
        "or a directory that is compared with itself is the same, and is not read. What an image says of sizes and "
        "digests\n"
        "is believed: 'memfs verify' checks it.\n\n"
        "Holes are zeros: a sparse file is the same as one that is written out. Access times are not compared. Of "
        "files\n"
        "with several names it is compared which names, of those that both sides have, are one file: 'hard link x -> "
        "none'\n"
        "was one with x and is now one of its own. The order is that of images: all entries of a directory, sorted by\n"
        "their bytes, then its subdirectories in the same way.\n\n"
        "With --unified the texts of up to 64M follow their line as diff -u writes them, as a/PATH and b/PATH, for "
        "patch -p1; "
        "whether\n"
        "a file is text is up to diff(1). Both files are copied to TMPDIR, or /tmp, for it.\n\n"
        "With --json each difference is an object with path, change (added, removed or changed) and type (file,\n"
        "directory, symlink, fifo, socket, character or block; of what is new, or of what was removed). Added and "
        "removed\n"
        "files have size; directories below, the number of entries in them, unless -v shows these. What changed has\n"
        "attributes, an object of those that differ: type, mode, owner, group, mtime, target and device (\"8:1\") are\n"
        "objects with old and new; contents is true, and beside it is size with old and new, if that differs too; "
        "xattrs\n"
        "is an array of objects with name, old and new, without the one that is not there; links has old and new, the\n"
        "first path of the same file, each only where there was another one before. A directory that became something\n"
        "else, or the other way, has below. With --stat there is one object: added and removed, each with entries, "
        "files and\n"
        "bytes; changed, with entries, the number of each of the attributes, and bytes, old and new, of the contents "
        "that\n"
        "differ; and same, the number of entries that do not. With --brief there are path, change and type only.\n\n"
        "What cannot be read on one side is said and not compared.\n",
    .options = rows,
    .operands_min = 2,
    .operands_max = -1,
    .run = run,
};
