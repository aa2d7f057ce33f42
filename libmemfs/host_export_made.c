#include "backing.h"
#include "host_export.h"

#include <errno.h>

#define DOWN 1 /* into a directory */

/* The tree is listed once more, now in the order of its paths: an entry of a
 * directory, all that is in it, the next entry. What was made of a file was noted
 * where it was anything but that file. Not a memfs_walk_steps(): it goes along the
 * plan's directories, whose numbers it needs, finds what was noted by cursors, and
 * passes over what could not be listed before. */

/* How far a directory has been listed. */
struct level {
    uint64_t cursor;
    uint32_t directory;
    uint32_t next; /* of the directories in it */
};

int memfs_export_gather(struct memfs_export *job)
{
    for (unsigned n = 0; n < job->worker_room; n++) {
        struct memfs_rows *exceptions = &job->workers[n].exceptions;
        for (uint64_t i = 0; i < exceptions->count; i++) {
            const struct memfs_export_exception *exception = memfs_rows_at(exceptions, i);
            if (memfs_host_map_put(&job->exceptions, exception->directory, exception->cursor, exception->fate))
                return memfs_host_fail(&job->report, 0, NULL, -ENOMEM, "cannot be listed");
        }
        memfs_rows_end(exceptions);
    }
    return 0;
}

/* What is only foreseen has not been counted by those who make it. */
static void count(struct memfs_export_worker *caller, const struct memfs_stat *stat, int replaced)
{
    struct memfs_exported *exported = &caller->exported;
    struct memfs_export_link *link = stat->nlink > 1 ? memfs_export_find_link(caller->job, stat->node) : NULL;
    int is_directory = (stat->mode & MEMFS_IFMT) == MEMFS_IFDIR, is_link = !is_directory && link && link->made;
    exported->directories += (uint64_t)is_directory;
    exported->links += (uint64_t)is_link;
    exported->files += !is_directory && !is_link;
    exported->replaced += (uint64_t)replaced;
    if (link)
        link->made = 1;
}

static int tell(struct memfs_export_worker *caller, uint32_t directory, const char *name, const struct memfs_stat *stat,
                int replaced)
{
    struct memfs_export *job = caller->job;
    size_t size = 0;
    if (job->options.plan_only)
        count(caller, stat, replaced);
    if (!job->options.made)
        return 0;
    char *path = memfs_host_path(&job->tree, &job->allocator, directory, name, &size);
    if (!path)
        return memfs_export_fail(caller, directory, name, -ENOMEM, "cannot be listed");
    struct memfs_made made = {path, stat, replaced};
    int stop = job->options.made(job->options.made_context, &made);
    memfs_free(&job->allocator, path, size);
    return stop ? memfs_export_fail(caller, directory, name, -ECANCELED, "unpacking was cancelled") : 0;
}

static int visit_directory(struct memfs_export_worker *caller, struct level *level, const struct memfs_dirent *entry)
{
    const struct memfs_export *job = caller->job;
    const struct memfs_export_dir *dir = memfs_export_dir(job, level->directory);
    if (level->next == dir->count)
        return 0;
    uint32_t directory = dir->first + level->next;
    dir = memfs_export_dir(job, directory);
    if (dir->node != entry->stat.node)
        return 0;
    level->next++;
    int error = dir->state == MEMFS_EXPORT_MADE ? tell(caller, directory, NULL, &entry->stat, 0) : 0;
    return error ? error : DOWN;
}

static int visit(struct memfs_export_worker *caller, uint32_t directory, const struct memfs_dirent *entry)
{
    struct memfs_export *job = caller->job;
    size_t depth = (size_t)job->levels.count - 1;
    if (!memfs_name_ok(entry->name, entry->name_length))
        return 0;
    if ((entry->stat.mode & MEMFS_IFMT) == MEMFS_IFDIR)
        return visit_directory(caller, memfs_rows_at(&job->levels, depth), entry);
    uint64_t fate = memfs_host_map_get(&job->exceptions, directory, entry->cursor);
    if (job->options.plan_only && fate == MEMFS_EXPORT_SKIPPED)
        caller->exported.skipped++;
    if (depth < job->options.strip || !memfs_export_is_taken(job, directory, entry) || fate == MEMFS_EXPORT_SKIPPED ||
        fate == MEMFS_EXPORT_MISSING)
        return 0;
    if (memfs_export_is_device(entry) && !job->options.devices)
        return job->options.plan_only ? memfs_export_leave_device(caller, directory, entry) : 0;
    return tell(caller, memfs_export_host(job, directory), entry->name, &entry->stat, fate == MEMFS_EXPORT_REPLACES);
}

static int go_down(struct memfs_export *job, uint32_t directory)
{
    struct level *level = memfs_rows_add(&job->levels);
    if (!level)
        return memfs_host_fail(&job->report, directory, NULL, -ENOMEM, "cannot be listed");
    *level = (struct level){.directory = directory};
    return 0;
}

/* Goes on where the deepest level is. */
static int go_on(struct memfs_export *job)
{
    struct level *level = memfs_rows_at(&job->levels, job->levels.count - 1);
    struct memfs_export_place at = {level->directory, level->cursor};
    int result = memfs_export_list(&job->workers[0], &at, 0, visit);
    level->cursor = at.cursor;
    if (!result)
        job->levels.count--;
    if (result != DOWN)
        return result;
    uint32_t below = memfs_export_dir(job, level->directory)->first + level->next - 1;
    return memfs_export_is_there(memfs_export_dir(job, below)) ? go_down(job, below) : 0;
}

int memfs_export_tell_made(struct memfs_export *job)
{
    memfs_rows_begin(&job->levels, &job->allocator, sizeof(struct level), 6);
    int error = memfs_export_gather(job);
    if (!error)
        error = go_down(job, 0);
    while (!error && job->levels.count)
        error = go_on(job);
    memfs_rows_end(&job->levels);
    return error;
}
