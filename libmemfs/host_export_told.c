#include "host_export_told.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void memfs_export_told_init(struct memfs_export_told *told, const struct memfs_allocator *allocator)
{
    *told = (struct memfs_export_told){.number = 0};
    memfs_rows_begin(&told->problems, allocator, sizeof(struct memfs_told_problem), 5);
    memfs_rows_begin(&told->bytes, allocator, 1, 11);
}

void memfs_export_told_clear(struct memfs_export_told *told)
{
    memfs_rows_end(&told->problems);
    memfs_rows_end(&told->bytes);
    told->owner_told = told->error = 0;
}

static int put_text(struct memfs_export_told *told, const char *text, uint64_t *offset)
{
    return memfs_rows_put(&told->bytes, text, strlen(text) + 1, offset);
}

/* The last problem's name, if it is of the same file: one that has thousands keeps its name once. */
static const struct memfs_told_problem *same_file(const struct memfs_export_told *told, uint32_t directory,
                                                  const char *name)
{
    if (!told->problems.count)
        return NULL;
    const struct memfs_told_problem *last = memfs_rows_at(&told->problems, told->problems.count - 1);
    return last->has_name && last->directory == directory && !strcmp(memfs_rows_at(&told->bytes, last->name), name)
               ? last
               : NULL;
}

int memfs_export_told_note(struct memfs_export_told *told, enum memfs_problem_kind kind, uint32_t directory,
                           const char *name, int error, const char *text)
{
    struct memfs_told_problem problem = {.kind = kind, .error = error, .directory = directory};
    const struct memfs_told_problem *same = name ? same_file(told, directory, name) : NULL;
    int failed = 0;
    problem.has_name = name != NULL;
    if (same)
        problem.name = same->name;
    else if (name)
        failed = put_text(told, name, &problem.name);
    if (!failed)
        failed = put_text(told, text, &problem.text);
    struct memfs_told_problem *record = failed ? NULL : memfs_rows_add(&told->problems);
    if (!record)
        return -ENOMEM;
    *record = problem;
    return 0;
}

int memfs_export_told_fail(struct memfs_export_told *told, uint32_t directory, const char *name, int error,
                           const char *text)
{
    if (told->error)
        return error;
    told->error = error;
    told->directory = directory;
    told->has_name = name != NULL;
    snprintf(told->name, sizeof told->name, "%s", name ? name : "");
    snprintf(told->text, sizeof told->text, "%s", text);
    return error;
}

static int tell_problem(const struct memfs_export_told *told, const struct memfs_told_problem *problem,
                        const struct memfs_host_report *report)
{
    const char *name = problem->has_name ? memfs_rows_at(&told->bytes, problem->name) : NULL;
    const char *text = memfs_rows_at(&told->bytes, problem->text);
    if (!problem->error)
        return memfs_host_left_out(report, problem->kind, problem->directory, name, text);
    return memfs_host_problem(report, problem->kind, problem->directory, name, problem->error, text);
}

int memfs_export_told_tell(struct memfs_export_told *told, const struct memfs_host_report *report, int *owner_told)
{
    int error = 0;
    for (uint64_t i = 0; i < told->problems.count && !error; i++) {
        const struct memfs_told_problem *problem = memfs_rows_at(&told->problems, i);
        int is_owner = problem->kind == MEMFS_PROBLEM_OWNER && !problem->error;
        if (!is_owner || !*owner_told)
            error = tell_problem(told, problem, report);
        *owner_told |= is_owner;
    }
    if (!error && told->error)
        error = memfs_host_fail(report, told->directory, told->has_name ? told->name : NULL, told->error, told->text);
    return error;
}
