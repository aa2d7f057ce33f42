#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* tdestroy() */
#endif
#include "unpack/wanted.h"

#include "list/rooted.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    const memfs_node one = *(const memfs_node *)a, two = *(const memfs_node *)b;
    return one < two ? -1 : one > two;
}

/* Entries come directory by directory. */
static int find_path(struct wanted *wanted, memfs_node directory)
{
    struct buffer *path = &wanted->path;
    if (wanted->directory == directory)
        return 0;
    int result = rooted_directory(path, wanted->chosen.fs, directory);
    if (result == 0 && path->length > 1)
        result = buffer_append_text(path, "/");
    wanted->path_length = path->length;
    wanted->directory = result == 0 ? directory : 0;
    return result;
}

static int is_left_out(struct wanted *wanted, memfs_node directory, const struct memfs_dirent *entry, int *out)
{
    int result = find_path(wanted, directory);
    wanted->path.length = wanted->path_length;
    if (result == 0)
        result = buffer_append_text(&wanted->path, entry->name);
    if (result == 0) /* without the slash of the root */
        *out = ignore_matches(&wanted->ignore, wanted->path.data + 1, (entry->stat.mode & MEMFS_IFMT) == MEMFS_IFDIR);
    return result;
}

static int add_whole(struct wanted *wanted, memfs_node directory)
{
    memfs_node *made = malloc(sizeof *made);
    if (!made)
        return -ENOMEM;
    *made = directory;
    memfs_node **found = tsearch(made, &wanted->wholes, compare);
    if (!found || *found != made)
        free(made);
    return found ? 0 : -ENOMEM;
}

static int choose(struct wanted *wanted, memfs_node directory, const struct memfs_dirent *entry)
{
    if (!wanted->by_choice || tfind(&directory, &wanted->wholes, compare))
        return MEMFS_SELECT_ALL;
    return chosen_take(&wanted->chosen, directory, entry);
}

int wanted_take(void *context, memfs_node directory, const struct memfs_dirent *entry)
{
    struct wanted *wanted = context;
    int answer = choose(wanted, directory, entry), left_out = 0;
    if (answer <= MEMFS_SELECT_NOTHING || wanted->ignore.count == 0)
        return answer;
    int result = is_left_out(wanted, directory, entry, &left_out);
    if (result != 0 || left_out)
        return result != 0 ? result : MEMFS_SELECT_NOTHING;
    if ((entry->stat.mode & MEMFS_IFMT) != MEMFS_IFDIR || answer == MEMFS_SELECT_PARENT)
        return answer;
    /* All of it but what the rules leave out: what is in it has to be asked about. */
    result = wanted->by_choice ? add_whole(wanted, entry->stat.node) : 0;
    return result == 0 ? MEMFS_SELECT_PARENT : result;
}

void wanted_free(struct wanted *wanted)
{
    tdestroy(wanted->wholes, free);
    buffer_free(&wanted->path);
    ignore_free(&wanted->ignore);
    chosen_free(&wanted->chosen);
    wanted->wholes = NULL;
}
