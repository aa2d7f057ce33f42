#include "commands.h"
#include "list/depth.h"
#include "list/expression.h"
#include "list/rooted.h"
#include "output/json_node.h"
#include "output/message.h"
#include "output/output.h"
#include "system/input.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static const struct option_row rows[] = {{.name = NULL}};

struct find {
    struct input input;
    struct expression expression;
    int code;
    const char *start;    /* PATH as it was given */
    struct buffer name;   /* its own */
    struct buffer rooted; /* its path from the root, for JSON */
    size_t rooted_length;
    int stop; /* standard output has failed */
};

static void fail(struct find *find, const char *path, int error)
{
    find->code = message_worse(find->code, input_error(&find->input, path, error));
}

/* ---- One path ------------------------------------------------------------------------------ */

static void print_json(struct find *find, const struct expression_subject *subject)
{
    struct json json = json_begin(stdout);
    int result = rooted_append(&find->rooted, find->rooted_length, subject->path + strlen(find->start));
    json_path(&json, find->rooted.data, find->rooted.length);
    if (result == 0)
        result = json_node(&json, find->input.fs, subject->stat);
    json_end(&json);
    if (result != 0)
        fail(find, subject->path, result);
    find->stop |= output_failed();
}

static void print(void *context, const struct expression_subject *subject, enum expression_kind kind)
{
    struct find *find = context;
    if (common.json) {
        print_json(find, subject);
    } else if (kind == EXPRESSION_PRINT0) {
        find->stop |= output_text(subject->path, strlen(subject->path) + 1);
    } else {
        output_name(subject->path, strlen(subject->path));
        find->stop |= output_text("\n", 1);
    }
}

static int visit(void *context, const struct memfs_step *step)
{
    struct find *find = context;
    const uint64_t depth = step->depth;
    const struct expression_subject subject = {step->path, depth > 0 ? step->name : find->name.data, step->stat};
    int then = 0;
    if (depth >= find->expression.depth_min && depth <= find->expression.depth_max)
        then = expression_evaluate(&find->expression, &subject, print, find);
    if (find->stop || (then & EXPRESSION_DO_QUIT))
        return MEMFS_WALK_STOP;
    return (then & EXPRESSION_DO_PRUNE) || depth >= find->expression.depth_max ? MEMFS_WALK_SKIP : 0;
}

/* What cannot be read is passed over; a limit ends this PATH, and what all have in common all of them. */
static int failed(void *context, const struct memfs_step *step, int error)
{
    struct find *find = context;
    find->code = message_worse(find->code, depth_error(&find->input, step->node, step->path, error, "max-depth"));
    if (error == -ENOMEM || input_is_spent(&find->input, error))
        return MEMFS_WALK_STOP;
    return error == MEMFS_ELIMIT ? DEPTH_ENDS_PATH : 0;
}

/* ---- All of them ---------------------------------------------------------------------------- */

/* The last name of a path, without the slashes behind; "/" if there is nothing else. */
static int take_name(struct buffer *name, const char *path)
{
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/')
        end--;
    size_t start = end;
    while (start > 0 && path[start - 1] != '/')
        start--;
    if (start == end)
        start = 0; /* "/" */
    name->length = 0;
    int result = buffer_append(name, path + start, end - start);
    return result == 0 ? buffer_append_text(name, "") : result;
}

/* Nonzero if it was the last one. */
static int find_below(struct find *find, const char *path)
{
    int result = take_name(&find->name, path);
    if (result == 0 && common.json)
        result = rooted_path(&find->rooted, find->input.fs, path, 0);
    if (result != 0) {
        find->code = message_worse(find->code, input_path_error(&find->input, path, result));
        return 0;
    }
    find->start = path;
    find->rooted_length = find->rooted.length;
    const struct memfs_walk_options options = {.size = sizeof options,
                                               .flags = find->expression.is_post ? MEMFS_WALK_SORTED | MEMFS_WALK_POST
                                                                                 : MEMFS_WALK_SORTED,
                                               .depth_max = common.depth_max,
                                               .failed = failed,
                                               .as = path};
    result = memfs_walk_steps(find->input.fs, NULL, path, &options, visit, find);
    if (result < 0)
        find->code = message_worse(find->code, input_path_error(&find->input, path, result));
    return result == MEMFS_WALK_STOP;
}

/* What -newer and -samefile compare with. */
static int look_at_reference(struct find *find, struct expression_test *test)
{
    struct memfs_stat stat;
    const int result = memfs_lstat(find->input.fs, NULL, test->text, &stat);
    if (result != 0)
        return input_path_error(&find->input, test->text, result);
    test->time = stat.mtime;
    test->node = stat.node;
    return EXIT_DONE;
}

static int look_at_references(struct find *find)
{
    struct timespec now;
    int code = EXIT_DONE;
    clock_gettime(CLOCK_REALTIME, &now);
    for (size_t i = 0; i < find->expression.test_count && code == EXIT_DONE; i++) {
        struct expression_test *test = &find->expression.tests[i];
        if (test->kind == EXPRESSION_NEWER || test->kind == EXPRESSION_SAMEFILE)
            code = look_at_reference(find, test);
        else if (test->kind == EXPRESSION_MTIME || test->kind == EXPRESSION_MMIN)
            test->time = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    }
    return code;
}

static int search(struct find *find, char **paths, int count)
{
    static char root[] = "/";
    find->code = look_at_references(find);
    if (find->code != EXIT_DONE)
        return find->code;
    output_in_large_pieces();
    if (count == 0)
        find_below(find, root);
    for (int i = 0; i < count; i++) {
        if (find_below(find, paths[i]))
            break;
    }
    return find->code;
}

/* NULs between JSON objects would be no JSON lines. */
static int check_print(const struct expression *expression)
{
    for (size_t i = 0; common.json && i < expression->test_count; i++) {
        if (expression->tests[i].kind == EXPRESSION_PRINT0)
            return message_usage("find", "--json and -print0 contradict each other");
    }
    return -1;
}

static int run(int argc, char **argv)
{
    struct find find = {.code = EXIT_DONE};
    int first;
    int code = options_parse(&command_find, argc, argv, NULL, &first);
    if (code >= 0)
        return code;
    int behind = first + 1;
    while (behind < argc && !expression_begins(argv[behind]))
        behind++;
    code = expression_parse("find", argv + behind, (size_t)(argc - behind), &find.expression);
    if (code < 0)
        code = check_print(&find.expression);
    if (code < 0)
        code = input_open(&find.input, argv[first], 1);
    if (code == EXIT_DONE) {
        code = search(&find, argv + first + 1, behind - first - 1);
        input_close(&find.input);
        code = message_worse(code, output_finish());
    }
    expression_free(&find.expression);
    buffer_free(&find.name);
    buffer_free(&find.rooted);
    return code;
}

#define AS_TEXT(word, argument, kind, help) "  " word " " argument "\n      " help "\n"
#define AS_LONE_TEXT(word, kind, help) "  " word "\n      " help "\n"

const struct command command_find = {
    .name = "find",
    .operands = "IMAGE [PATH]... [EXPRESSION]",
    .summary = "find what is in an image by name, type, size and more",
    .about = "Looks at every PATH in IMAGE ('-': standard input) and all below it, sorted by name, and\n"
             "prints those for which EXPRESSION is true: find's, with single dashes. Without PATH the\n"
             "whole image, from /. Options stand before IMAGE.\n",
    .examples = "  memfs find site.mfs -name '*.html' -size +100k\n"
                "  memfs find photos.mfs 2024 -type f ! -name '*.jpg'\n"
                "  memfs find src.mfs . \\( -name .git -prune \\) -o -type f -print0 | xargs -0 ...\n",
    .common = COMMON_JSON | COMMON_DEPTH | COMMON_DECODED,
    .manual =
        "Paths are printed as find prints them: PATH as it was given, and behind it what lies below. So 'memfs find "
        "IMAGE .'\n"
        "prints what 'find . | LC_ALL=C sort' would, but that a directory comes before what is in it. Symbolic links "
        "are\n"
        "never followed; a directory's size is the number of its entries. Words of EXPRESSION:\n\n" EXPRESSION_WORDS(
            AS_TEXT, AS_LONE_TEXT) "\nN is a number: +N more, -N less, N exactly so many. The depth of parentheses is "
                                   "not limited.\n\n" JSON_NODE_MANUAL "\n\n"
                                   "That nothing is found is no failure: the exit code is 0. It is 1 if a PATH is not "
                                   "in the image.\n",
    .options = rows,
    .words = expression_rows,
    .operands_min = 1,
    .operands_max = -1,
    .run = run,
};
