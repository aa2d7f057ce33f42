#include "diff/side.h"

#include "output/message.h"
#include "output/progress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct side_problem {
    union {
        size_t offset; /* while there are still more to come */
        const char *path;
    };
    enum memfs_problem_kind kind;
};

/* ---- What could not be read ----------------------------------------------------- */

static int keep_problem(struct side *side, const struct memfs_problem *problem)
{
    const struct side_problem kept = {.offset = side->names.length, .kind = problem->kind};
    int result = buffer_append(&side->names, problem->path, strlen(problem->path) + 1);
    return result == 0 ? buffer_append(&side->problems, &kept, sizeof kept) : result;
}

/* A memfs_problem_fn. A time that had to be clamped is compared as any other. */
static int note_problem(void *context, const struct memfs_problem *problem)
{
    struct side *side = context;
    const char *path = problem->path[0] != '\0' ? problem->path : NULL;
    if (problem->kind == MEMFS_PROBLEM_TIME && problem->error == -EOVERFLOW)
        return 0;
    if (problem->kind == MEMFS_PROBLEM_FILE && problem->error == -EOPNOTSUPP)
        message(side->name, path, "%s; left out", problem->text);
    else
        message(side->name, path, "%s: %s; %s", problem->text, memfs_strerror(problem->error),
                problem->kind == MEMFS_PROBLEM_NAMES ? "what is in it is left out" : "left out");
    side->code = message_worse(side->code, EXIT_FAILED);
    return keep_problem(side, problem);
}

static int compare_problems(const void *a, const void *b)
{
    return strcmp(((const struct side_problem *)a)->path, ((const struct side_problem *)b)->path);
}

static void sort_problems(struct side *side)
{
    struct side_problem *problems = (struct side_problem *)(void *)side->problems.data;
    const size_t count = side->problems.length / sizeof *problems;
    for (size_t i = 0; i < count; i++)
        problems[i].path = side->names.data + problems[i].offset;
    if (count > 0)
        qsort(problems, count, sizeof *problems, compare_problems);
}

int side_lacks(const struct side *side, const char *path, enum memfs_problem_kind kind)
{
    const struct side_problem *problems = (const struct side_problem *)(const void *)side->problems.data;
    size_t low = 0, high = side->problems.length / sizeof *problems;
    const size_t count = high;
    while (low < high) { /* the first that is not before path */
        const size_t middle = low + (high - low) / 2;
        if (strcmp(problems[middle].path, path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < count && strcmp(problems[low].path, path) == 0; low++) {
        if (problems[low].kind == kind)
            return 1;
    }
    return 0;
}

/* ---- Opening ---------------------------------------------------------------------- */

static int scan(struct side *side, int no_xattrs, unsigned threads)
{
    struct memfs_scan_options options = {.size = sizeof options};
    struct memfs_detail detail = {.offset = UINT64_MAX};
    int shown;
    options.no_xattrs = no_xattrs;
    options.threads = threads;
    options.problem = note_problem;
    options.problem_context = side;
    options.progress = progress_update;
    progress_start("reading names:");
    int result = memfs_host_scan(side->name, &options, &side->backing, &detail);
    progress_end(&shown);
    sort_problems(side);
    if (result == 0) {
        struct memfs_options fs_options = {.size = sizeof fs_options, .backing = side->backing};
        result = memfs_create(&fs_options, &side->fs);
    }
    if (result == -ECANCELED)
        return EXIT_FAILED;
    return result == 0 ? EXIT_DONE : message_error(side->name, NULL, result, &detail);
}

static int read_image(struct side *side)
{
    struct memfs_image_info info;
    int code = input_read(&side->input, 1);
    if (code != EXIT_DONE)
        return code;
    int result = memfs_image_info(side->input.image, &info);
    if (result != 0)
        return input_error(&side->input, NULL, result);
    side->entries = info.entries;
    side->name = side->input.name;
    side->fs = side->input.fs;
    return EXIT_DONE;
}

int side_hold(struct side *side, const char *name)
{
    struct stat status;
    *side = (struct side){.name = name, .code = EXIT_DONE, .entries = UINT64_MAX};
    const int is_standard = strcmp(name, "-") == 0, known = !is_standard && stat(name, &status) == 0;
    if (!is_standard && !known)
        return message_error(name, NULL, -errno, NULL);
    side->is_host = known && S_ISDIR(status.st_mode);
    return side->is_host ? EXIT_DONE : input_hold(&side->input, name);
}

int side_read(struct side *side, int no_xattrs, unsigned threads)
{
    int code = side->is_host ? scan(side, no_xattrs, threads) : read_image(side);
    if (code != EXIT_DONE)
        side_close(side);
    return code;
}

static int stat_name(const char *name, struct stat *status)
{
    return strcmp(name, "-") == 0 ? fstat(STDIN_FILENO, status) : stat(name, status);
}

int side_is_one(const char *a, const char *b)
{
    struct stat left, right;
    return stat_name(a, &left) == 0 && stat_name(b, &right) == 0 && (S_ISREG(left.st_mode) || S_ISDIR(left.st_mode)) &&
           left.st_dev == right.st_dev && left.st_ino == right.st_ino;
}

void side_share(struct side *side, struct side *other)
{
    *side = (struct side){.name = other->name, .fs = other->fs, .is_host = other->is_host, .entries = other->entries};
    side->twin = other;
}

/* ---- Use -------------------------------------------------------------------------- */

void side_error(struct side *side, const char *path, int error)
{
    int code;
    if (!side->is_host)
        code = input_error(side->twin ? &side->twin->input : &side->input, path, error);
    else if (error == -ESTALE || error == -ENOENT)
        code = message_error_hint(side->name, path, error, NULL,
                                  error == -ENOENT ? "it vanished while it was compared" : "");
    else
        code = message_error(side->name, path, error, NULL);
    side->code = message_worse(side->code, code);
}

void side_file_error(struct side *side, const char *path, memfs_node node, int error)
{
    struct input *input = side->twin ? &side->twin->input : &side->input;
    if (side->is_host)
        side_error(side, path, error);
    else
        side->code = message_worse(side->code, input_file_error(input, path, node, 0, error));
}

void side_close(struct side *side)
{
    if (side->twin)
        return;
    if (side->is_host) {
        memfs_destroy(side->fs);
        memfs_backing_release(side->backing);
    } else {
        input_close(&side->input);
    }
    buffer_free(&side->problems);
    buffer_free(&side->names);
    side->fs = NULL;
    side->backing = NULL;
}
